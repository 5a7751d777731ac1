"""A running bot in a simulated guild, and what people do there: forms, boards, buttons, waiting for posts."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import discord
import simcord
import sqlalchemy as sa
from PIL import ImageFilter
from simcord.components import walk_components
from simcord.results import InteractionResult, ResponseMessage

from bot.app import Darkroom
from bot.clock import Timings
from bot.records.guild import Actor
from bot.records.key import ProviderName
from bot.records.lora import Lora
from bot.records.post import PostKind
from bot.records.post_names import component_id
from bot.sandbox.apiframe.state import RehearsalTimings
from bot.sandbox.aurous.records import AurousTimings
from bot.sandbox.world import REHEARSAL_AUROUS_KEY, REHEARSAL_KEY, World
from bot.storage import tables
from bot.storage.jobs import posts
from tests.cogs.patience import wait_for_answers
from tests.fakes.posted import id_in, kind_in
from tests.fakes.rows import add_lora
from tests.fakes.small_pictures import paint_small
from tests.fakes.unlimited import set_unlimited_key
from tests.fakes.waiting import HANG_S
from tests.photos.sample_photos import encode, noise

TIMINGS = Timings(
    poll=timedelta(seconds=0.05),
    generation_poll=timedelta(seconds=0.05),
    generation_poll_max=timedelta(seconds=0.1),
    job_doubted=timedelta(seconds=0.2),
    picture_doubted=timedelta(seconds=0.2),
    key_doubted=timedelta(seconds=0.2),
    settle=timedelta(seconds=0.2),
    backoff_first=timedelta(seconds=0.05),
    backoff_max=timedelta(seconds=0.2),
    busy=timedelta(seconds=0.1),
    milestone=timedelta(seconds=0.01),
    panel=timedelta(seconds=0.05),
    event_retry=timedelta(seconds=0.1),
)
PROVIDER_TIMINGS = RehearsalTimings(
    pending_s=0.1, uploading_s=0.1, training_s=0.3, image_queue_s=0.02, image_work_s=0.05
)
AUROUS_TIMINGS = AurousTimings(pending_s=0.05, processing_s=0.1, callback_gap_s=0.05)
COMMAND_MENTION = re.compile(r"</([a-z ]+):(\d+)>")
ACTION_ROW, BUTTON, TEXT_DISPLAY, THUMBNAIL, MEDIA_GALLERY = 1, 2, 10, 11, 12

File = tuple[str, bytes]
Message = ResponseMessage | discord.Message


def shorten_timings(world: World) -> None:
    """Trainings and pictures are ready within half a second, and small. Discord waits for answers."""
    world.provider._world.timings = PROVIDER_TIMINGS
    world.aurous._world.timings = AUROUS_TIMINGS
    paint_small(world.provider, world.aurous)
    wait_for_answers(world.env.backend)


@cache
def photo(seed: int, side: int = 640) -> bytes:
    return encode(noise(side, side, seed), "JPEG", quality=80)


def photos(count: int, first: int = 1) -> list[File]:
    """Good photos, each unlike the others."""
    return [(f"photo-{number}.jpg", photo(number)) for number in range(first, first + count)]


def blurry() -> bytes:
    return encode(noise(640, 640, 99).filter(ImageFilter.GaussianBlur(30)), "JPEG", quality=80)


def tree_of(message: Message) -> list[dict[str, Any]]:
    if isinstance(message, ResponseMessage):
        return message.components
    return [dict(component.to_dict()) for component in message.components]


def text_of(message: Message) -> str:
    """The content, or every text display of a layout, a paragraph each; mentions of commands as code."""
    shown = [part["content"] for part in walk_components(tree_of(message)) if part.get("type") == TEXT_DISPLAY]
    return COMMAND_MENTION.sub(r"`/\1`", "\n".join([message.content, *shown]).strip())


def kind_of(message: Message) -> PostKind | None:
    """Of the post that it is; None for answers."""
    return kind_in(tree_of(message))


def buttons_of(message: Message) -> dict[str, str]:
    """Custom id by label."""
    found = [part for part in walk_components(tree_of(message)) if part.get("type") == BUTTON]
    return {part["label"]: part["custom_id"] for part in found}


def pictures_in(message: Message) -> list[str]:
    """The alt text of every picture in the message's galleries."""
    galleries = [part for part in walk_components(tree_of(message)) if part.get("type") == MEDIA_GALLERY]
    return [item.get("description", "") for gallery in galleries for item in gallery["items"]]


def answer_to(result: InteractionResult) -> str:
    """Everything the person reads in answer to what they did; it must be for their eyes only."""
    messages = [*([result.response] if result.response else []), *result.followups]
    assert messages, f"there was no answer: {result}"
    assert all(message.ephemeral for message in messages)
    return "\n".join(text_of(message) for message in messages)


def board_of(result: InteractionResult) -> ResponseMessage:
    assert result.response is not None
    assert result.response.ephemeral
    return result.response


def fields_of(result: InteractionResult) -> list[str]:
    """Custom ids of a form's fields, from top to bottom."""
    assert result.modal is not None, f"no form was opened: {result}"
    return [part["component"]["custom_id"] for part in result.modal["components"] if "component" in part]


def presses_of(darkroom: Darkroom) -> list[tuple[str, str]]:
    """(area, action) of every button that the bot knows."""
    bot = darkroom.gateway.bot
    assert bot is not None
    return sorted((area, action) for area, table in bot.buttons.items() for action in table)


@dataclass(frozen=True, slots=True)
class Stage:
    world: World

    @property
    def ben(self) -> simcord.MemberActor:
        return self.world.members[0]

    @property
    def cleo(self) -> simcord.MemberActor:
        return self.world.members[1]

    @property
    def ada(self) -> simcord.MemberActor:
        """The admin."""
        return self.world.admin

    @property
    def channel(self) -> simcord.ChannelHandle:
        return self.world.channel

    def shown_now(self, message: ResponseMessage) -> str:
        """What a private answer says by now: the bot may have filled it in since."""
        stored = self.world.env.backend.get_message(message.channel_id, message.id)
        return "\n".join(part["content"] for part in walk_components(stored.components) if part.get("content"))

    async def set_key(self, guild: simcord.GuildHandle | None = None) -> None:
        await self._set_key(ProviderName.APIFRAME, REHEARSAL_KEY, guild)

    async def set_aurous_key(self, guild: simcord.GuildHandle | None = None) -> None:
        await self._set_key(ProviderName.AUROUS, REHEARSAL_AUROUS_KEY, guild)

    async def _set_key(self, provider: ProviderName, api_key: str, guild: simcord.GuildHandle | None) -> None:
        guild_id, services = (guild or self.world.guild).id, self.world.darkroom.services
        await set_unlimited_key(services, guild_id, provider, api_key, set_by=self.ada.id)

    async def use(
        self, member: simcord.MemberActor, command: str, /, channel: simcord.ChannelHandle | None = None, **options: Any
    ) -> InteractionResult:
        return await member.slash(channel or self.channel, command, **options)

    async def send_form(
        self,
        member: simcord.MemberActor,
        name: str,
        files: Sequence[File],
        *,
        consent: bool = True,
        channel: simcord.ChannelHandle | None = None,
        **options: Any,
    ) -> InteractionResult:
        """/train (of an object unless options say more), its form filled, Submit; the files spread over the fields."""
        opened = await self.use(member, "train", channel, **(options or {"subject": "object"}))
        title, *uploads, box = fields_of(opened)
        values: dict[str, Any] = {title: name, box: consent}
        for index, field in enumerate(uploads):
            values[field] = list(files[index * 10 : index * 10 + 10])
        return await member.submit_modal(opened, values)

    async def start(self, member: simcord.MemberActor, board: ResponseMessage) -> InteractionResult:
        return await member.click(board, custom_id=next(self.starts(board)))

    async def behind_more(self, member: simcord.MemberActor, message: Message) -> list[str]:
        """The labels that **More** below pictures offers this member."""
        return list(buttons_of(board_of(await member.click(message, label="More"))))

    async def more(self, member: simcord.MemberActor, message: Message, label: str) -> InteractionResult:
        """Press a button that is behind **More** below pictures."""
        return await member.click(board_of(await member.click(message, label="More")), label=label)

    def starts(self, board: ResponseMessage) -> Iterator[str]:
        return (custom_id for label, custom_id in buttons_of(board).items() if label.startswith("Start training"))

    async def train(
        self, member: simcord.MemberActor, name: str = "Foxy", channel: simcord.ChannelHandle | None = None
    ) -> discord.Message:
        """The whole main job; the message that says it is ready."""
        board = board_of(await self.send_form(member, name, photos(15), channel=channel))
        await self.start(member, board)
        return await self.posted(f"**{name}** is ready", channel)

    async def give_lora(self, member: simcord.MemberActor, name: str = "Foxy") -> Lora:
        """A LoRA of the member's, here and at the provider, as if trained earlier."""
        world, now = self.world, datetime.now(UTC)
        path = world.provider._context.folder / f"{name}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(photo(1))
        made = world.provider.add_trained(REHEARSAL_KEY, name, [path])
        made.trigger_word = "TORKPN"
        await add_lora(
            world.darkroom.database,
            number=made.number + 1000,
            guild_id=member.guild.id,
            owner_id=member.id,
            remote_id=made.id,
            name=name,
            created_at=now,
        )
        return await self.lora(member)

    async def lora(self, member: simcord.MemberActor) -> Lora:
        """The member's newest LoRA here."""
        loras = self.world.darkroom.services.loras
        return (await loras.usable_by(Actor(member.guild.id, member.id)))[0]

    async def submit_fields(
        self, member: simcord.MemberActor, opened: InteractionResult, *values: Any
    ) -> InteractionResult:
        """Fill a form's fields from top to bottom; None leaves one as it is."""
        filled = zip(fields_of(opened), values, strict=True)
        return await member.submit_modal(opened, {field: value for field, value in filled if value is not None})

    async def press_id(
        self, member: simcord.MemberActor, custom_id: str, channel: simcord.ChannelHandle | None = None
    ) -> InteractionResult:
        """Press a button with this custom id on a message of the member's own: an old one, or a forged one."""
        carrier = board_of(await self.use(member, "about", channel))
        stored = self.world.env.backend.get_message(carrier.channel_id, carrier.id)
        button = {"type": BUTTON, "style": 2, "label": "Old", "custom_id": custom_id, "disabled": False}
        stored.components = [{"type": ACTION_ROW, "components": [button]}]
        return await member.click(carrier, custom_id=custom_id)

    def presses(self) -> list[tuple[str, str]]:
        return presses_of(self.world.darkroom)

    async def restart(self) -> None:
        """A new bot on the same data, as after a crash or an update."""
        await self.world.env.restart_bot(self.world.darkroom.gateway.build())

    def posts(self, channel: simcord.ChannelHandle | None = None) -> list[discord.Message]:
        """What everybody sees in the channel, oldest first."""
        return [message for message in (channel or self.channel).history() if not message.flags.ephemeral]

    async def posted(self, text: str, channel: simcord.ChannelHandle | None = None) -> discord.Message:
        """Wait until a public message holds this text."""
        found: list[discord.Message] = []

        async def look() -> None:
            found[:] = [message for message in self.posts(channel) if text in text_of(message)]

        await until(lambda: found, look)
        return found[0]

    async def post_of(
        self, kind: PostKind, subject_id: int, channel: simcord.ChannelHandle | None = None
    ) -> discord.Message:
        """Wait until this post stands in the channel, whatever it says."""
        found: list[discord.Message] = []

        async def look() -> None:
            post = await self.world.darkroom.database.fetch(posts.find, kind, subject_id)
            card = None if post is None else component_id(post.nonce)
            found[:] = [each for each in self.posts(channel) if card and id_in(tree_of(each)) == card]

        await until(lambda: found, look)
        return found[0]

    def charges(self) -> list[str]:
        """What the provider was paid for, in order."""
        return [entry.what for entry in self.world.provider.ledger]

    def sent_messages(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """(path, body) of every message the bot sent or edited, interaction answers included."""
        return sent_messages(self.world.env)


def take_from_bot(stage: Stage, *names: str) -> None:
    """These permissions, in the whole server; nobody has them then."""
    backend = stage.world.env.backend
    guild = backend.get_guild(stage.world.guild.id)
    for role in guild.roles.values():
        allowed = discord.Permissions(int(role.permissions))
        allowed.update(**dict.fromkeys(names, False))
        backend.edit_role(guild.id, role.id, {"permissions": allowed.value})


def sent_messages(env: simcord.Env) -> Iterator[tuple[str, dict[str, Any]]]:
    for request in env.http_requests:
        body = request.json if isinstance(request.json, dict) else {}
        body = body.get("data", body) if request.path.endswith("/callback") else body
        if isinstance(body, dict) and ("content" in body or "components" in body) and "title" not in body:
            yield request.path, body


async def until(condition: Callable[[], object], look: Callable[[], Awaitable[None]] | None = None) -> None:
    """Wait for what the engine does in its own time, calling `look` before each check; a test that hangs fails."""
    async with asyncio.timeout(HANG_S):
        while True:
            if look is not None:
                await look()
            if condition():
                return
            await asyncio.sleep(0.02)


async def settled(stage: Stage, kind: PostKind = PostKind.PICTURES) -> None:
    """Wait until the outbox knows that all posts of this kind were posted."""
    found: list[int | None] = []

    async def look() -> None:
        columns = tables.posts.c
        async with stage.world.darkroom.database.read() as connection:
            rows = await connection.execute(sa.select(columns.message_id).where(columns.kind == kind))
            found[:] = [row.message_id for row in rows]

    await until(lambda: found and all(found), look)
