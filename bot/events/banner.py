"""The picture at the head of an event's panel: what those who run it gave, else a drawn one with name and theme.

It stays here: no provider gets it. It is deleted with the details of the event, and when who gave it is erased.
"""

import asyncio
import hashlib
from bisect import bisect_right
from typing import Final

from PIL import Image, ImageDraw
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.errors import FileDamaged
from bot.events import lookup
from bot.events.lifecycle import HostCommand
from bot.generation.references import References
from bot.lettering import Line
from bot.photos.jpeg import encode_jpeg
from bot.records.dataset import Upload
from bot.records.event import Event
from bot.records.guild import Actor
from bot.resources import Resources, Service
from bot.storage.events import banners, events
from bot.storage.jobs import posts

LIMIT: Final = 900_000
"""Bytes of the copy that is posted."""
QUALITY: Final = 92
WIDTH: Final = 1200
HEIGHT: Final = 360
MARGIN: Final = 64
NAME_SIZES: Final = (96, 80, 66, 54, 44)
"""The largest that fits is taken; at the last one a long name ends in three dots."""
THEME_SIZE: Final = 34

_INKS: Final = ("#4f4490", "#2f6f73", "#8a4a5e", "#46603a", "#7a5a2e", "#34507a")
_PAPER: Final = "#f6f0e3"


class BannerService(Service):
    def __init__(self, opened: Resources, references: References) -> None:
        super().__init__(opened)
        self._references = references
        self._pool = opened.pool

    async def give(self, event_id: int, upload: Upload, actor: Actor) -> None:
        """Take the picture in (checked, upright, without metadata) and show it; UserError when it cannot be used."""
        await self._database.fetch(lookup.run_by, event_id, actor, HostCommand.CHANGE)
        taken = await self._references.take_in([upload])
        try:
            await self._put(event_id, taken[0].file, actor)
        except BaseException:
            self._references.free(taken)
            raise

    async def take_back(self, event_id: int, actor: Actor) -> None:
        """Show the drawn one again."""
        await self._put(event_id, None, actor)

    async def picture(self, event: Event) -> bytes:
        """A JPEG; the drawn one also when the file is damaged or gone."""
        if event.banner is not None:
            try:
                return await self._pool.smaller_copy(self._spool.path(event.banner), LIMIT)
            except (FileDamaged, FileNotFoundError):
                pass
        return await asyncio.to_thread(draw_banner, event.name, event.theme)

    async def note_posted(self, post_id: int, name: str | None, file_id: int | None) -> None:
        """The panel's message shows this file of Discord's now; None: no file."""
        await self._database.write(lambda connection: posts.note_banner(connection, post_id, name, file_id))

    async def _put(self, event_id: int, file: str | None, actor: Actor) -> None:
        due_at, giver = self._clock.now() + self._timings.panel, None if file is None else actor.user_id

        async def transaction(connection: AsyncConnection) -> list[str]:
            event = await lookup.run_by(connection, event_id, actor, HostCommand.CHANGE)
            await events.change(connection, event.id, expected=event.status, banner=file, banner_by=giver)
            await events.renew_panel(connection, event.id, due_at=due_at)
            return await banners.unused(connection, event.banner)

        self._spool.free(await self._database.write(transaction))


def banner_name(event: Event) -> str:
    """The name of the file in the panel's message: another one for another picture."""
    shown = event.banner or f"{event.name}\n{event.theme}"
    return f"banner-{hashlib.sha256(shown.encode()).hexdigest()[:12]}.jpg"


def draw_banner(name: str, theme: str) -> bytes:
    """A JPEG with both, in one of a few colours; the same for the same name. Blocking."""
    ink = _INKS[hashlib.sha256(name.encode()).digest()[0] % len(_INKS)]
    page = Image.new("RGB", (WIDTH, HEIGHT), _PAPER)
    pen = ImageDraw.Draw(page)
    pen.rectangle((0, HEIGHT - 20, WIDTH, HEIGHT), fill=ink)
    pen.rectangle((0, 0, 20, HEIGHT), fill=ink)
    room = WIDTH - 2 * MARGIN
    size = next((each for each in NAME_SIZES if Line(name, each).length <= room), NAME_SIZES[-1])
    has_theme = bool(theme.strip())
    Line(name, size, room).draw(pen, (MARGIN, HEIGHT // 2 - 50 * has_theme), fill=ink, anchor="lm")
    for number, text in enumerate(_in_two(theme, room)):
        below = HEIGHT // 2 + 42 + number * THEME_SIZE * 5 // 4
        Line(text, THEME_SIZE, room).draw(pen, (MARGIN, below), fill="#5d5547", anchor="lm")
    return encode_jpeg(page, LIMIT, QUALITY)


def _in_two(theme: str, room: float) -> list[str]:
    """As many words as fit on the first line, and the others on a second one, which is cut where it is drawn."""
    words = theme.split()

    def length(end: int) -> float:
        return Line(" ".join(words[:end]), THEME_SIZE).length

    fitting = max(1, bisect_right(range(1, len(words) + 1), room, key=length))
    return [text for text in (" ".join(words[:fitting]), " ".join(words[fitting:])) if text]
