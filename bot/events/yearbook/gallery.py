"""The gallery of a finished event on the web: pictures whose people agreed, for whoever has its address."""

import asyncio
import secrets
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.errors import FileDamaged, NotFound, UserError
from bot.events import lookup
from bot.events.yearbook.contents import PLACES, for_everybody
from bot.events.yearbook.service import EMPTY, check_stage
from bot.events.yearbook.site import ShownPicture, gallery_page
from bot.records.event import Event, Gallery
from bot.records.guild import Actor
from bot.resources import Resources, Service
from bot.storage.events import events as event_rows
from bot.storage.events import galleries as rows
from bot.storage.events import yearbook
from bot.storage.events.yearbook import YearbookPicture

PATH: Final = "/events/"
NAME_MAX: Final = 40
COPY_BYTES: Final = 300_000
NO_ADDRESS = (
    "This bot has no web address of its own, so it cannot show a gallery. Whoever runs it can set DARKROOM_PUBLIC_URL."
)
NOT_OPEN = "This event has no gallery on the web just now."


@dataclass(frozen=True, slots=True)
class GalleryView:
    """What a member sees of a gallery: `name` is what they are shown as, None when they have not agreed.

    `gallery` and `address` are None while there is none. `wording` is what they agree to.
    """

    event: Event
    gallery: Gallery | None
    address: str | None
    people: int
    pictures: int
    name: str | None
    wording: str


class GalleryService(Service):
    def __init__(self, opened: Resources) -> None:
        super().__init__(opened)
        self._pool = opened.pool
        self._public_url = opened.public_url
        self._one_copy = asyncio.Lock()

    @property
    def is_offered(self) -> bool:
        """Whether the bot has a web address."""
        return self._public_url() is not None

    async def view(self, event_id: int, actor: Actor, name: str) -> GalleryView:
        """UserError when the event has not ended, NotFound when the actor may not see it."""
        async with self._database.read() as connection:
            event = await lookup.find(connection, event_id, actor)
            check_stage(event)
            gallery = await self._of(connection, event.id)
            names = {} if gallery is None else await rows.names(connection, gallery)
            shown = [] if gallery is None else await self._shown(connection, gallery, event)
        address = None if gallery is None else f"{self._public_url()}{PATH}{gallery.token}/"
        is_shown, wording = names.get(actor.user_id), "" if gallery is None else wording_of(gallery, name)
        return GalleryView(event, gallery, address, len(names), len(shown), is_shown, wording)

    async def open(self, event_id: int, actor: Actor) -> None:
        """For those who run the event; of several at once, or one after the other, the first opens it.

        It ends with the event's details at the latest. UserError when there are no pictures any more.
        """
        if not self.is_offered:
            raise UserError(NO_ADDRESS)
        token, now = secrets.token_urlsafe(32), self._clock.now()

        async def transaction(connection: AsyncConnection) -> None:
            event = await lookup.run_by(connection, event_id, actor)
            check_stage(event)
            if await self._of(connection, event.id) is None:
                if not await yearbook.agreed(connection, event):
                    raise UserError(EMPTY)
                with_details = (event.ended_at or now) + self._timings.details_kept
                ends_at = min(now + self._timings.gallery_open, with_details)
                made = {"token": token, "token_hash": _hash(token)}
                await rows.open_for(connection, event, **made, now=now, ends_at=ends_at)

        await self._database.write(transaction)

    async def close(self, event_id: int, actor: Actor) -> None:
        """At once and with what people agreed to; the next one gets another address."""
        now = self._clock.now()

        async def transaction(connection: AsyncConnection) -> None:
            event = await lookup.run_by(connection, event_id, actor)
            await rows.close(connection, event.id, now=now)

        await self._database.write(transaction)

    async def agree(self, event_id: int, actor: Actor, name: str) -> None:
        """The actor agrees to be shown under this name. UserError when there is no gallery."""
        now = self._clock.now()

        async def transaction(connection: AsyncConnection) -> None:
            event = await lookup.find(connection, event_id, actor)
            gallery = await self._of(connection, event.id)
            if gallery is None:
                raise UserError(NOT_OPEN)
            agreed = {"name": name[:NAME_MAX], "wording": wording_of(gallery, name)}
            await rows.agree(connection, gallery, actor.user_id, **agreed, now=now)

        await self._database.write(transaction)

    async def take_back(self, event_id: int, actor: Actor) -> None:
        """Nothing of the actor is shown any more; nothing happens when nothing is."""

        async def transaction(connection: AsyncConnection) -> None:
            gallery = await rows.of_event(connection, event_id)
            if gallery is None or gallery.guild_id != actor.guild_id:
                raise NotFound(NOT_OPEN)
            await rows.take_back(connection, gallery, actor.user_id)

        await self._database.write(transaction)

    async def page(self, token: str) -> str | None:
        """The page at this address as things are now; None when there is none."""
        async with self._database.read() as connection:
            gallery = await rows.by_hash(connection, _hash(token), now=self._clock.now())
            event = None if gallery is None else await event_rows.get(connection, gallery.event_id)
            if gallery is None or event is None:
                return None
            names = await rows.names(connection, gallery)
            shown = await self._shown(connection, gallery, event)
            places = await yearbook.places(connection, event.id)
        pictures = [
            ShownPicture(
                each.picture.id, names[each.generation.user_id], PLACES.get(places.get(each.picture.id, 0), "")
            )
            for each in shown
        ]
        return await asyncio.to_thread(gallery_page, event.name, event.theme, pictures, gallery.ends_at)

    async def picture(self, token: str, picture_id: int) -> bytes | None:
        """A JPEG without anything of the original's metadata; None when it is not shown at this address."""
        async with self._database.read() as connection:
            gallery = await rows.by_hash(connection, _hash(token), now=self._clock.now())
            event = None if gallery is None else await event_rows.get(connection, gallery.event_id)
            if gallery is None or event is None:
                return None
            found = await self._shown(connection, gallery, event, picture_id=picture_id)
        if not found or found[0].picture.file is None:
            return None
        try:
            async with self._one_copy:  # a stranger's many requests leave the other cores to the bot
                return await self._pool.smaller_copy(self._spool.path(found[0].picture.file), COPY_BYTES)
        except (FileDamaged, FileNotFoundError):
            return None

    async def _of(self, connection: AsyncConnection, event_id: int) -> Gallery | None:
        """The event's gallery, unless it has ended."""
        gallery = await rows.of_event(connection, event_id)
        return gallery if gallery is not None and self._clock.now() < gallery.ends_at else None

    async def _shown(
        self, connection: AsyncConnection, gallery: Gallery, event: Event, *, picture_id: int | None = None
    ) -> list[YearbookPicture]:
        return for_everybody(await rows.shown(connection, gallery, event, picture_id=picture_id))


def wording_of(gallery: Gallery, name: str) -> str:
    return (
        f"Until {gallery.ends_at:%d %B %Y} my pictures of this event, pictures that show me, and my name "
        f"{name[:NAME_MAX]} may be seen on a web page by whoever has its address. I can take that back at any time."
    )


def _hash(token: str) -> str:
    return sha256(token.encode("utf-8", "replace")).hexdigest()
