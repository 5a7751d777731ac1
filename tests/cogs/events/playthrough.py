"""Events lived through in a simulated server: people press, fill and choose, nights go by, the bot dies and returns."""

import asyncio
import contextlib
import re
import shutil
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import discord
import simcord
import sqlalchemy as sa
from simcord.components import walk_components
from simcord.results import InteractionResult, ResponseMessage

from bot.records.generation import GenerationStatus
from bot.records.guild import Actor
from bot.records.lora import Style
from bot.records.post import PostKind
from bot.records.training import TrainingStatus
from bot.sandbox.world import open_world
from bot.storage import tables
from tests.cogs.events.event_actions import private_message
from tests.cogs.simulated_guild import (
    TIMINGS,
    File,
    Message,
    Stage,
    answer_to,
    board_of,
    buttons_of,
    kind_of,
    shorten_timings,
    text_of,
    tree_of,
    until,
)
from tests.fakes.posted import id_in

EVENT_TIMINGS = replace(
    TIMINGS, panel=timedelta(seconds=0.1), event_retry=timedelta(seconds=0.5), nonce_memory=timedelta(0)
)
"""simcord does not know nonces, so a post that was broken off is looked for in the channel at once."""
STRING_SELECT = 3


class TurnedClock:
    """The time of day, ahead by as much as a test has let go by. Implements `bot.clock.Clock`."""

    def __init__(self) -> None:
        self.is_settled = True
        self._ahead = timedelta()
        self._turned = asyncio.Event()

    def now(self) -> datetime:
        return datetime.now(UTC) + self._ahead

    def turn(self, step: timedelta) -> None:
        self._ahead += step
        self._turned.set()
        self._turned = asyncio.Event()

    async def wait(self, wake: asyncio.Event, until: datetime | None) -> None:
        while not wake.is_set() and (until is None or self.now() < until):
            timeout = None if until is None else (until - self.now()).total_seconds()
            waits = [asyncio.create_task(event.wait()) for event in (wake, self._turned)]
            try:
                await asyncio.wait(waits, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in waits:
                    task.cancel()
                await asyncio.gather(*waits, return_exceptions=True)


@dataclass(slots=True)
class Playthrough:
    """One event, from the eyes of the people in the server. `name` is what its host calls it."""

    stage: Stage
    clock: TurnedClock
    dora: simcord.MemberActor
    """A member who does not take part."""
    name: str = "Fox days"

    @property
    def ada(self) -> simcord.MemberActor:
        """The host."""
        return self.stage.ada

    @property
    def ben(self) -> simcord.MemberActor:
        return self.stage.ben

    @property
    def cleo(self) -> simcord.MemberActor:
        return self.stage.cleo

    async def restart(self) -> None:
        await self.stage.world.restart()

    async def hours_pass(self, hours: float) -> None:
        """Once nothing is under way any more, so that only deadlines come."""
        await self.come_to_rest()
        self.clock.turn(timedelta(hours=hours))

    async def hours_pass_while_down(self, hours: float) -> None:
        """The bot is off for so long."""
        await self.come_to_rest()
        await self.stage.world.process.rest()
        self.clock.turn(timedelta(hours=hours))
        await self.restart()

    async def come_to_rest(self) -> None:
        """Wait until every job has ended and every post is as it should be."""
        left = [-1]

        async def look() -> None:
            left[0] = await self._under_way()

        await until(lambda: left[0] == 0, look)

    async def _under_way(self) -> int:
        busy = [
            sa.select(sa.func.count()).where(tables.posts.c.due_at.is_not(None)),
            *(
                sa.select(sa.func.count()).where(table.c.status.not_in([each for each in words if each.is_terminal]))
                for table, words in ((tables.trainings, TrainingStatus), (tables.generations, GenerationStatus))
            ),
        ]
        async with self.stage.world.darkroom.database.read() as connection:
            return sum([(await connection.execute(each)).scalar_one() for each in busy])

    async def run(self, member: simcord.MemberActor, command: str, **options: Any) -> InteractionResult:
        return await self.stage.use(member, command, **options)

    async def plan(self, mode: str, *, times: Sequence[str], numbers: Sequence[str]) -> ResponseMessage:
        """/event create, its form and the settings; the page of pictures and budget."""
        form = await self.run(self.ada, "event create")
        board = board_of(
            await self.stage.submit_fields(self.ada, form, self.name, "Our little fox", [mode], ["object"], "Be kind")
        )
        await self.restart()
        board = await self.press(self.ada, board, "Own times", *times)
        board = await self.press(self.ada, board, "Pictures and budget")
        return await self.press(self.ada, board, "Numbers and budget", *numbers)

    async def open(self, board: ResponseMessage) -> None:
        """From the settings over the check to an open event."""
        await self.restart()
        card = await self.press(self.ada, board, "Check and open")
        assert f"**{self.name}** is ready" in text_of(card)
        await self.restart()
        assert "It is open." in text_of(await self.press(self.ada, card, "Open now"))

    async def press(self, member: simcord.MemberActor, message: Message, label: str, *values: Any) -> ResponseMessage:
        """Press a button; with values, fill the form that it opens. What the member reads then."""
        pressed = await member.click(message, custom_id=buttons_of(message)[label])
        return board_of(await self.stage.submit_fields(member, pressed, *values) if values else pressed)

    async def choose_by_name(self, board: ResponseMessage, placeholder: str, name: str) -> ResponseMessage:
        """In a select of the settings."""
        selects = [part for part in walk_components(tree_of(board)) if part.get("type") == STRING_SELECT]
        select = next(part for part in selects if part["placeholder"] == placeholder)
        value = next(option["value"] for option in select["options"] if name in option["label"])
        return board_of(await self.ada.select(board, [value], custom_id=select["custom_id"]))

    async def a_style(self) -> Style:
        """One of the provider's catalogue, once that has been fetched."""
        found: list[Style] = []

        async def look() -> None:
            styles = self.stage.world.darkroom.services.styles
            found[:] = await styles.of_guild(Actor(self.ada.guild.id, self.ada.id))

        await until(lambda: found, look)
        return found[0]

    def messages(self) -> list[discord.Message]:
        """Everything that the bot posted, in the channel and in its threads."""
        places = [self.stage.channel, *self.stage.channel.threads]
        return [message for place in places for message in self.stage.posts(place) if message.components]

    async def posted(self, text: str, *kinds: PostKind) -> discord.Message:
        """Wait until a public message, of one of these kinds if some are given, holds this text."""

        def found() -> list[discord.Message]:
            among = [message for message in self.messages() if not kinds or kind_of(message) in kinds]
            return [message for message in among if text in text_of(message)]

        await until(found)
        return found()[0]

    async def panel(self, text: str = "") -> discord.Message:
        """The panel, once it says this."""
        return await self.posted(text, PostKind.EVENT_PANEL)

    async def form(self, member: simcord.MemberActor, label: str) -> InteractionResult:
        """What a button of the panel opens, once the panel has it."""

        async def look() -> None:
            panels[:] = [await self.panel()]

        panels: list[discord.Message] = []
        await until(lambda: label in buttons_of(panels[0]), look)
        return await member.click(panels[0], label=label)

    async def send_photos(
        self,
        member: simcord.MemberActor,
        opened: InteractionResult,
        files: Sequence[File],
        seen: Sequence[simcord.MemberActor] = (),
    ) -> str:
        """Fill the form of photos: the files in its upload fields, who is seen, the box. The answer."""
        assert opened.modal is not None, f"no form was opened: {opened}"
        *uploads, who, box = [
            part["component"]["custom_id"] for part in opened.modal["components"] if "component" in part
        ]
        values: dict[str, Any] = {who: list(seen), box: True}
        for index, field in enumerate(uploads):
            values[field] = list(files[index * 10 : index * 10 + 10])
        return answer_to(await member.submit_modal(opened, values))

    async def give(
        self, member: simcord.MemberActor, files: Sequence[File], seen: Sequence[simcord.MemberActor] = ()
    ) -> str:
        return await self.send_photos(member, await self.form(member, "Give photos"), files, seen)

    async def make(self, member: simcord.MemberActor, prompt: str, *choice: Any) -> discord.Message:
        """Make a picture from the panel, and wait until they have got it, in a private message."""
        opened = await self.form(member, "Make a picture")
        accepted = answer_to(await self.stage.submit_fields(member, opened, prompt, *choice))
        assert "**Accepted #" in accepted
        return await private_message(member, prompt)

    async def enter(self, member: simcord.MemberActor, posted: discord.Message) -> None:
        assert "Entered." in answer_to(await member.user.click(posted, label="Enter in event"))

    async def close(self) -> None:
        """Asked once; the answer shows what has come of it."""
        question = board_of(await self.run(self.ada, "event close"))
        card = await self.press(self.ada, question, "Yes, close it")
        assert "Close this part" not in text_of(card)
        await until(lambda: "**Closing.**" not in self.stage.shown_now(card))

    async def ballot(self) -> discord.Message:
        """The ballot, in which nothing tells whose pictures these are."""
        ballot = await self.posted("", PostKind.EVENT_BALLOT)
        shown = f"{text_of(ballot)} {tree_of(ballot)} {[file.filename for file in ballot.attachments]}"
        for member in (self.ada, self.ben, self.cleo):
            assert str(member.id) not in shown
            assert member.name.lower() not in shown.lower()
        return ballot

    async def vote(self, member: simcord.MemberActor, number: int) -> None:
        """With the ballot's button, whatever was voted for before."""
        pages = await self.press(member, await self.ballot(), "Look closely and vote")
        voted = await self.press(member, pages, f"Vote for number {number}")
        assert f"Your vote is for **number {number}**." in text_of(voted)

    async def number_of(self, member: simcord.MemberActor) -> int:
        """The number of the member's own entry, as only they can tell: the others have a button to vote for them."""
        pages = await self.press(member, await self.ballot(), "Look closely and vote")
        numbers = {int(number) for number in re.findall(r"### Number (\d+)", text_of(pages))}
        (own,) = numbers - {int(label.rsplit(" ", 1)[1]) for label in buttons_of(pages) if "number" in label}
        return own

    def announced(self) -> list[str]:
        """The text of every announcement, those for the host alone included, in order."""
        told = sorted([*self.messages(), *self.ada.user.dm_channel.history()], key=lambda each: each.id)
        return [text_of(message) for message in told if kind_of(message) is PostKind.EVENT_ANNOUNCEMENT]

    def cards(self) -> list[int | None]:
        """Which post each message is, as the id of its card."""
        return [id_in(tree_of(message)) for message in self.messages()]

    def charged(self) -> float:
        """What the providers took in all."""
        held = sum(entry.credits for entry in self.stage.world.aurous.ledger if entry.what.endswith(" charge"))
        return sum(entry.credits for entry in self.stage.world.provider.ledger) + held

    async def loras_of(self, member: simcord.MemberActor) -> list[str]:
        """What /imagine offers them."""
        offered = await member.autocomplete(self.stage.channel, "imagine", "lora", "")
        return [choice["name"] for choice in offered]


@contextlib.asynccontextmanager
async def open_playthrough(folder: Path, migrated_file: Path) -> AsyncIterator[Playthrough]:
    (folder / "data").mkdir()
    shutil.copy(migrated_file, folder / "data" / "darkroom.db")
    clock = TurnedClock()
    async with open_world(folder, timings=EVENT_TIMINGS, clock=clock) as world:
        shorten_timings(world)
        stage = Stage(world)
        await stage.set_key()
        yield Playthrough(stage, clock, world.guild.add_member(world.env.create_user("Dora")))
