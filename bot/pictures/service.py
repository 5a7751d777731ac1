"""Pictures after they were posted: view, edit, send to the gallery, delete."""

import asyncio
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.errors import NotAllowed, NotFound, ProviderError, UserError
from bot.generation.access import GONE, is_compared, may_repeat, secret_name, visible_generation
from bot.generation.order import DEFAULTS, Accepted
from bot.generation.outcomes import LINKED
from bot.generation.pricing import ASKED_FOR_S
from bot.generation.service import GenerationService, GenerationView
from bot.keys.service import KeyService
from bot.moderation.approvals import must_wait
from bot.pictures.gallery import send
from bot.ports import NotNow, PlaceRefused
from bot.providers.base import GenerationOrder, ProviderClient
from bot.records.generation import Generation, GenerationStatus, Operation, Picture
from bot.records.guild import Actor, Channel, Place, PlaceKind
from bot.records.job import SubjectTable
from bot.records.key import ProviderName
from bot.records.moderation import Act, Purpose
from bot.records.post import Post, PostStatus
from bot.resources import Resources, Service
from bot.storage import guilds
from bot.storage.events import ballots
from bot.storage.jobs import generations, pictures, previews, timeline
from bot.storage.people import moderation_log

EDITS = (Operation.UPSCALE_CLARITY, Operation.UPSCALE_TOPAZ, Operation.REMOVE_BACKGROUND)
LINKS_LIVE = timedelta(hours=23)
"""Both providers delete pictures after a day (Apiframe OpenAPI 2.0.0, Aurous Labs /images/retrieve-image)."""
MADE_FROM = "made from"
"""Timeline word of a set that was made from one picture of another set."""

COPY_GONE = "Our copy of these pictures was deleted when their time was over. What is in the message stays there."
UNFINISHED = "These pictures are still being made. `/jobs` shows where they are."
NOT_FROM_HERE = "This was made from another picture. Use the buttons of that one."
STAYS = (
    "These were made in a channel that not everybody who reads the gallery can see, or in an age-restricted one, "
    "so they stay there."
)
STILL_BLIND = (
    "This picture may stand in a vote without names, so it stays with you until the votes are counted. "
    "Then you can show it to everybody."
)
NO_GALLERY = "This server has no gallery yet. An admin can choose a channel for it with `/settings`."


@dataclass(frozen=True, slots=True)
class PictureSet:
    """One order's pictures. `lineage`: the set they were made from, then the set that was made from, and so on.

    `secret_name`: what others call them as long as nobody is to know whose they are. `is_withheld`: nobody is to see
    them now, because a vote compares them.
    """

    view: GenerationView
    lineage: tuple[Generation, ...]
    secret_name: str | None = None
    is_withheld: bool = False

    @property
    def generation(self) -> Generation:
        return self.view.generation

    @property
    def made_from(self) -> str:
        """Such as "picture 2 of #12" or "#12"; empty for a set that was not made from another."""
        said = [entry.detail for entry in self.view.timeline if entry.what == MADE_FROM]
        origin_id = self.generation.origin_id
        return said[0] if said else "" if origin_id is None else f"#{origin_id}"

    @property
    def linked(self) -> list[str]:
        """Why pictures are given as links, a sentence without its full stop for each."""
        return [entry.detail for entry in self.view.timeline if entry.what == LINKED]


class Removal(StrEnum):
    """What happened to one message of a deleted set."""

    REMOVED = "removed"
    GONE = "gone"
    REFUSED = "refused"
    LATER = "later"
    UNKNOWN = "unknown"
    """The details of the order are erased, and with them where its messages are."""


class PictureService(Service):
    def __init__(self, opened: Resources, key_service: KeyService, generation_service: GenerationService) -> None:
        super().__init__(opened)
        self._keys = key_service
        self._generations = generation_service
        self._poster = opened.poster

    async def find(self, generation_id: int) -> PictureSet | None:
        """The set, or None. Callers check who may see it."""
        view = await self._generations.view(generation_id)
        if view is None:
            return None
        async with self._database.read() as connection:
            lineage = tuple(await pictures.lineage(connection, view.generation))
            name = await secret_name(connection, view.generation)
            return PictureSet(view, lineage, name, await is_compared(connection, view.generation))

    async def answered(self, post: Post) -> Post | None:
        """The post that this one is a reply to, None for most."""
        return await self._database.fetch(pictures.answered, post)

    async def find_by_picture(self, picture_id: int) -> tuple[PictureSet, Picture] | None:
        """The picture with its set; callers check who may see them."""
        picture = await self._database.fetch(generations.get_picture, picture_id)
        found = None if picture is None else await self.find(picture.generation_id)
        return None if picture is None or found is None else (found, picture)

    async def see(self, generation_id: int, actor: Actor) -> PictureSet:
        """The set, if it is the member's own or was posted in this guild; else NotFound."""
        await self._database.fetch(visible_generation, generation_id, actor)
        return await self._found(generation_id)

    async def owner_of(self, generation_id: int, user_id: int) -> Actor:
        """The actor behind a button in a private message; NotFound unless the pictures are their own."""
        maker = await self._database.fetch(_maker, generation_id)
        if maker is None or maker.user_id != user_id:
            raise NotFound(GONE)
        return Actor(maker.guild_id, user_id)

    async def to_vary(self, generation_id: int, actor: Actor) -> PictureSet:
        """The set, if this member may change its prompt and order again; else UserError."""
        found = await self.see(generation_id, actor)
        if found.generation.operation is not Operation.IMAGINE:
            raise UserError(NOT_FROM_HERE)
        async with self._database.read() as connection:
            await may_repeat(connection, found.generation, actor)
        return found

    async def to_edit(self, generation_id: int, actor: Actor) -> PictureSet:
        """The set; UserError when our copies of its pictures were deleted."""
        found = await self.see(generation_id, actor)
        if not any(found.view.files):
            raise UserError(COPY_GONE)
        return found

    async def prices(self, actor: Actor) -> Mapping[Operation, int | None]:
        """Credits of each edit of a picture, None when not known just now; NoKey without a key of Apiframe."""
        key = await self._keys.current(actor.guild_id, ProviderName.APIFRAME)
        client = await self._keys.client(key.id)
        if client is None:
            return dict.fromkeys(EDITS)
        found = await asyncio.gather(*(_price(client, operation) for operation in EDITS))
        return dict(zip(EDITS, found, strict=True))

    async def edit(self, picture_id: int, operation: Operation, actor: Actor, *, channel: Channel) -> Accepted:
        """Order an enlargement or the removal of the background; this counts as a save of the picture."""
        accepted = await self._generations.edit(picture_id, operation, actor, channel=channel)
        now = self._clock.now()

        async def transaction(connection: AsyncConnection) -> None:
            await pictures.note_saves(connection, [picture_id])
            picture = await generations.get_picture(connection, picture_id)
            if picture is not None:
                detail = f"picture {picture.position} of #{picture.generation_id}"
                job = accepted.generation.id
                await timeline.add(connection, SubjectTable.GENERATION, job, MADE_FROM, at=now, detail=detail)

        await self._database.write(transaction)
        return accepted

    def has_live_links(self, found: PictureSet) -> bool:
        """Whether the provider's links to the pictures still work."""
        finished_at = found.generation.finished_at
        return finished_at is not None and self._clock.now() < finished_at + LINKS_LIVE

    async def note_saves(self, saved: Sequence[Picture]) -> None:
        ids = [picture.id for picture in saved]
        await self._database.write(lambda connection: pictures.note_saves(connection, ids))

    async def to_gallery(self, generation_id: int, actor: Actor) -> PictureSet:
        """The set, if this member may send its pictures to the gallery; UserError without a gallery or our copies."""
        found = await self.see(generation_id, actor)
        _check_keeper(found.generation, actor, "send them to the gallery")
        if await self._database.fetch(ballots.blind_event, found.generation) is not None:
            raise UserError(STILL_BLIND)
        gallery = await self._gallery(actor)
        if not actor.sight.may_repost(found.generation.channel_id, gallery.id):
            raise UserError(STAYS)
        if not any(found.view.files):
            raise UserError(COPY_GONE)
        return found

    async def send_to_gallery(self, picture_ids: Sequence[int], generation_id: int, actor: Actor) -> tuple[Place, bool]:
        """Send these pictures of the set to the gallery, each at most once; UserError when all are there already.

        Returns where the gallery is, and whether a moderator looks at one of them first.
        """
        found, place, now = await self.to_gallery(generation_id, actor), await self._gallery(actor), self._clock.now()
        chosen = [one for one in found.view.pictures if one.id in picture_ids and one.file is not None]

        async def transaction(connection: AsyncConnection) -> bool:
            waits = [one for one in chosen if await must_wait(connection, one, Purpose.GALLERY, actor, now=now)]
            ready = [one for one in chosen if one not in waits]
            is_new = await send(connection, found.generation, ready, place, actor, now=now)
            if not is_new and not waits:
                raise UserError(f"{'This is' if len(chosen) == 1 else 'These are'} in the gallery already.")
            return bool(waits)

        return place, await self._database.write(transaction)

    async def to_delete(self, generation_id: int, actor: Actor) -> Generation | None:
        """The order, if this member may delete its pictures; also when they are deleted, because their message may
        still be there. None when its details are erased: then only what its LoRA keeps of it can be deleted.
        """
        async with self._database.read() as connection:
            maker = await _maker(connection, generation_id)
            if maker is None or maker.guild_id != actor.guild_id:
                raise NotFound(GONE)
            if maker.user_id != actor.user_id and not actor.is_moderator:
                await visible_generation(connection, generation_id, actor)
        _check_keeper(maker, actor, "delete them")
        if isinstance(maker, Actor):
            return None
        if maker.status is not GenerationStatus.READY:
            raise UserError(UNFINISHED)
        return maker

    async def delete(self, generation_id: int, actor: Actor) -> Sequence[Removal]:
        """Delete our copies and every message with the set for good; returns what happened to each message."""
        generation, now = await self.to_delete(generation_id, actor), self._clock.now()
        if generation is None:
            return await self._delete_kept(generation_id, actor)

        async def transaction(connection: AsyncConnection) -> list[str]:
            if await pictures.delete_set(connection, generation_id, actor, now=now):
                name = await secret_name(connection, generation)
                about = name or f"pictures #{generation_id}"
                owner = None if name is not None or generation.user_id == actor.user_id else generation.user_id
                await moderation_log.note(
                    connection, actor.guild_id, Act.DELETED, actor.user_id, about, member_id=owner, now=now
                )
                who = "its member" if generation.user_id == actor.user_id else f"moderator {actor.user_id}"
                await timeline.add(
                    connection, SubjectTable.GENERATION, generation_id, "deleted", at=now, detail=f"by {who}"
                )
            await pictures.withdraw(connection, generation_id, now=now, left_until=now + self._timings.lease)
            await pictures.renew_report_posts(connection, generation_id, due_at=now)
            kept = await previews.forget_set(connection, generation_id)
            return [*kept, *await generations.forget_files(connection, generation_id)]

        self._spool.free(await self._database.write(transaction))
        shown = await self._database.fetch(pictures.posts_of, generation_id)
        there = [post for post in shown if post.message_id is not None and post.status is not PostStatus.WITHDRAWN]
        return [await self._remove(post) for post in there]

    async def _delete_kept(self, generation_id: int, actor: Actor) -> Sequence[Removal]:
        """The details of the order are erased, so its messages are not known any more."""
        now, about = self._clock.now(), f"pictures #{generation_id}"

        async def transaction(connection: AsyncConnection) -> list[str]:
            maker = await previews.maker_of(connection, generation_id)
            if maker is not None:
                owner = None if maker.user_id == actor.user_id else maker.user_id
                await moderation_log.note(
                    connection, actor.guild_id, Act.DELETED, actor.user_id, about, member_id=owner, now=now
                )
            return await previews.forget_set(connection, generation_id)

        self._spool.free(await self._database.write(transaction))
        return [Removal.UNKNOWN]

    async def _remove(self, post: Post) -> Removal:
        """Remove the message now; the outbox does it later when that is not possible."""
        outcome, now = await self._try_to_remove(post), self._clock.now()

        async def transaction(connection: AsyncConnection) -> None:
            if outcome is Removal.LATER:
                await pictures.leave_removal(connection, post, now=now)
            else:
                await pictures.settle_removal(connection, post, is_gone=outcome is not Removal.REFUSED)

        await self._database.write(transaction)
        return outcome

    async def _try_to_remove(self, post: Post) -> Removal:
        if not self._poster.is_ready():
            return Removal.LATER
        try:
            was_there = await self._poster.remove(post, post.places[post.place_index])
        except PlaceRefused:
            return Removal.REFUSED
        except NotNow:
            return Removal.LATER
        return Removal.REMOVED if was_there else Removal.GONE

    async def _found(self, generation_id: int) -> PictureSet:
        found = await self.find(generation_id)
        if found is None:
            raise NotFound(GONE)
        return found

    async def _gallery(self, actor: Actor) -> Place:
        guild = await self._database.fetch(guilds.get, actor.guild_id)
        if guild is None or guild.gallery_channel_id is None:
            raise UserError(NO_GALLERY)
        return Place(PlaceKind.CHANNEL, guild.gallery_channel_id)


async def _maker(connection: AsyncConnection, generation_id: int) -> Generation | Actor | None:
    """The order; whose it was, when its details are erased and its LoRA keeps pictures of it; else None."""
    generation = await generations.get(connection, generation_id)
    return await previews.maker_of(connection, generation_id) if generation is None else generation


def _check_keeper(maker: Generation | Actor, actor: Actor, what: str) -> None:
    if maker.user_id != actor.user_id and not actor.is_moderator:
        raise NotAllowed(f"Only whoever ordered these pictures, or a moderator, can {what}.")


async def _price(client: ProviderClient, operation: Operation) -> int | None:
    order = GenerationOrder("", DEFAULTS, str(uuid.uuid4()), None, operation=operation)
    try:
        async with asyncio.timeout(ASKED_FOR_S):
            return await client.estimate(order)
    except (TimeoutError, ProviderError):
        return None
