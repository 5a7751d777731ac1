"""The yearbook of an event: contact sheet, a page for each member and ZIP files that open offline."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.errors import UserError
from bot.events import lookup
from bot.events.yearbook.contents import (
    NOBODYS,
    Book,
    Original,
    Plate,
    compile_book,
    for_everybody,
    page_words,
    sheet_words,
)
from bot.events.yearbook.pages import draw_page, draw_sheet, reduced_copy
from bot.events.yearbook.pdf import write_pdf
from bot.events.yearbook.site import credits_csv, site
from bot.lettering import loses_letters
from bot.photos.filetypes import identify
from bot.records.event import Event, EventStatus, channels_of
from bot.records.guild import NOBODY, Actor, Place
from bot.records.post import PostKind, PostStatus
from bot.resources import Resources, Service
from bot.storage.events import events as rows
from bot.storage.events import yearbook as yearbooks
from bot.storage.jobs import posts
from bot.zips import (
    SPARE_BYTES,
    Stored,
    Written,
    fits_alone,
    share_out,
    write_zip,
    written_room,
    zip_names,
)

log = logging.getLogger(__name__)

LEAST_LIMIT: Final = 4_000_000
"""Least size in bytes that a ZIP must be allowed: the page with all reduced copies must fit the first one."""
SHEET_BYTES: Final = 1_000_000
PAGE_BYTES: Final = 500_000
PREVIEW_BYTES: Final = 60_000
HEAD_BYTES: Final = 64
SUFFIXES: Final = {"jpeg": "jpg", "png": "png", "webp": "webp"}
SHEET, SITE, CREDITS = "sheet.jpg", "index.html", "credits.csv"
BYTE_ORDER_MARK: Final = "\ufeff"
"""Without it Excel does not read a CSV file as UTF-8."""

TOO_EARLY = "The yearbook says whose picture is whose, so it comes once the votes are counted."
CANCELLED = "This event was cancelled, so there is no yearbook."
EMPTY = (
    "There are no pictures for a yearbook: none were made, their members took them back, "
    "or they were deleted because they are too old."
)
POSTED_ALREADY = "The yearbook is posted already, or on its way."
POSTABLE_AGAIN: Final = frozenset({PostStatus.KEPT, PostStatus.WITHDRAWN})
"""No channel took it, or somebody in it has changed their mind since and its message was deleted."""
CHANGED = "Somebody changed their mind about their pictures just now. Please ask for the yearbook once more."


class BookChanged(UserError):
    """Consent was taken back while the book was made; the next one is without what that was about."""

    def __init__(self) -> None:
        super().__init__(CHANGED)


@dataclass(frozen=True, slots=True)
class BookFile:
    """A file to send: its name, and its path until `YearbookService.discard`. `alt` says what a page shows."""

    name: str
    path: Path
    alt: str = ""


@dataclass(frozen=True, slots=True)
class Yearbook:
    """`sheet` is a JPEG of at most 1 MB; `parts` are ZIP files, the first with index.html; `pages` are JPEGs.

    `pdf` holds the pages and the sheet; None when they are too large for one file.
    """

    name: str
    sheet: bytes
    sheet_alt: str
    pages: tuple[BookFile, ...]
    parts: tuple[BookFile, ...]
    pdf: BookFile | None
    pictures: int
    left_out: int
    """Pictures beyond what a yearbook holds."""

    @property
    def files(self) -> tuple[BookFile, ...]:
        """ZIP files, then pages, then the PDF."""
        return (*self.parts, *self.pages, *([self.pdf] if self.pdf is not None else []))


def check_stage(event: Event) -> None:
    """UserError unless the votes are counted: before that a yearbook tells, to hosts too, whose picture is whose."""
    if event.status is EventStatus.CANCELLED:
        raise UserError(CANCELLED)
    if event.status is not EventStatus.FINISHED:
        raise UserError(TOO_EARLY)


class YearbookService(Service):
    """Makes one yearbook at a time, because several at once would exhaust a small machine."""

    def __init__(self, opened: Resources) -> None:
        super().__init__(opened)
        self._pool = opened.pool
        self._lock = asyncio.Lock()

    async def make(
        self, event_id: int, actor: Actor, names: Mapping[int, str], limit: int, handles: Mapping[int, str] = NOBODYS
    ) -> Yearbook:
        """Make the yearbook; no file is larger than `limit` bytes.

        `names` are display names by user id, `handles` user names, for letters that no typeface here has.

        The caller sends the files and calls `discard`. UserError when there is no yearbook, NotAllowed for who cannot
        see the event's channel from where they act, ValueError for a limit below LEAST_LIMIT.
        """
        event = await self._database.fetch(lookup.find, event_id, actor)
        lookup.check_sight(event, actor)
        return await self.make_for_all(event_id, names, limit, handles)

    async def post(self, event_id: int, actor: Actor) -> Sequence[Place]:
        """Send it to everybody who reads the event, once; where it goes. NotAllowed for who does not run the event."""
        now = self._clock.now()

        async def transaction(connection: AsyncConnection) -> Sequence[Place]:
            event = await lookup.run_by(connection, event_id, actor)
            check_stage(event)
            before = await posts.find(connection, PostKind.EVENT_YEARBOOK, event_id)
            if before is not None and before.status not in POSTABLE_AGAIN:
                raise UserError(POSTED_ALREADY)
            gone = await posts.forget(connection, PostKind.EVENT_YEARBOOK, event_id)
            places = channels_of(event)
            whose: dict[str, Any] = {"guild_id": event.guild_id, "user_id": NOBODY, "places": places}
            await posts.add(connection, PostKind.EVENT_YEARBOOK, event_id, now=now, instead_of=gone, **whose)
            return places

        return await self._database.write(transaction)

    async def make_for_all(
        self, event_id: int, names: Mapping[int, str], limit: int, handles: Mapping[int, str] = NOBODYS
    ) -> Yearbook:
        """As `make`, for those to whom the event's channel is open: callers check that."""
        if limit < LEAST_LIMIT:
            raise ValueError(f"a yearbook needs files of at least {LEAST_LIMIT} bytes")
        async with self._lock:
            event = await self._database.fetch(rows.get, event_id)
            if event is None:
                raise UserError(EMPTY)
            check_stage(event)
            book = await self._compile(event, names, handles)
            taken: list[str] = []
            try:
                yearbook = await self._bind(book, limit, taken)
                await self._check_unchanged(event, book)
            except BaseException:
                self._spool.free(taken)
                raise
            kept = {file.path.name for file in yearbook.files}
            self._spool.free(name for name in taken if name not in kept)
            return yearbook

    def discard(self, yearbook: Yearbook) -> None:
        """Delete the yearbook's files; missing ones are no error."""
        self._spool.free(file.path.name for file in yearbook.files)

    async def _compile(self, event: Event, names: Mapping[int, str], handles: Mapping[int, str]) -> Book:
        async with self._database.read() as connection:
            shown = for_everybody(await yearbooks.agreed(connection, event))
            places = await yearbooks.places(connection, event.id)
            contributors = await yearbooks.contributors(connection, event.id)
        originals = await asyncio.to_thread(self._look_up, shown)
        if not originals:
            raise UserError(EMPTY)
        if any(map(loses_letters, names.values())):
            log.warning("No typeface here has all letters of the members' names; `doctor` says what is missing")
        return compile_book(event, originals, names=names, places=places, contributors=contributors, handles=handles)

    def _look_up(self, shown: Sequence[yearbooks.YearbookPicture]) -> list[Original]:
        """Those that are on disk and are pictures. Blocking."""
        found = []
        for each in shown:
            path = self._spool.path(each.picture.file or "")
            try:
                size = path.stat().st_size
                with path.open("rb") as file:
                    suffix = SUFFIXES.get(identify(file.read(HEAD_BYTES)) or "")
            except FileNotFoundError:
                continue
            if suffix is not None:
                found.append(Original(each, path, size, suffix))
        return found

    async def _bind(self, book: Book, limit: int, taken: list[str]) -> Yearbook:
        """Draw and write everything; adds the names of the spool files that it uses to `taken`."""
        book = await self._shrink_the_largest(book, limit, taken)
        share = min(PREVIEW_BYTES, limit // 4 // len(book.plates))
        previews = {plate.number: await asyncio.to_thread(reduced_copy, plate.path, share) for plate in book.plates}
        sheet = await asyncio.to_thread(draw_sheet, book, previews, min(SHEET_BYTES, limit // 8))
        drawn = [await self._keep(SHEET, sheet, taken)]
        for chapter in book.chapters:
            page = await asyncio.to_thread(draw_page, book, chapter, min(PAGE_BYTES, limit // 8))
            drawn.append(await self._keep(chapter.page, page, taken))
        parts = await self._write_parts(book, previews, drawn, limit, taken)
        name = f"darkroom-yearbook-{book.event_id}"
        alts = map(page_words, book.chapters)
        return Yearbook(
            name=name,
            sheet=sheet,
            sheet_alt=sheet_words(book),
            pages=tuple(
                BookFile(f"{name}-{Path(page.name).name}", page.path, alt)
                for page, alt in zip(drawn[1:], alts, strict=True)
            ),
            parts=tuple(map(BookFile, zip_names(name, len(parts)), parts)),
            pdf=await self._write_pdf(book, [page.path for page in [*drawn[1:], drawn[0]]], limit, taken),
            pictures=len(book.plates),
            left_out=book.left_out,
        )

    async def _shrink_the_largest(self, book: Book, limit: int, taken: list[str]) -> Book:
        """The book with smaller copies of pictures that are too large for any ZIP."""

        async def fitting(plate: Plate) -> Plate:
            if fits_alone(plate.file, plate.size, limit):
                return plate
            copy = await self._pool.smaller_copy(plate.path, limit * 9 // 10)
            kept = await self._keep(f"{plate.file.rpartition('.')[0]}-smaller.jpg", copy, taken)
            return replace(plate, path=kept.path, size=kept.size, file=kept.name)

        chapters = [
            replace(chapter, plates=tuple([await fitting(plate) for plate in chapter.plates]))
            for chapter in book.chapters
        ]
        return replace(book, chapters=tuple(chapters))

    async def _write_parts(
        self, book: Book, previews: Mapping[int, bytes], drawn: Sequence[Stored], limit: int, taken: list[str]
    ) -> list[Path]:
        """Write the ZIP files: page, credits and drawings first, then the originals."""
        credits_ = Written(CREDITS, lambda: [BYTE_ORDER_MARK, credits_csv(book)])
        front = await asyncio.to_thread(written_room, Written(SITE, lambda: site(book, previews, {})))
        front += written_room(credits_) + SPARE_BYTES * (len(book.plates) + 10)
        originals = [Stored(plate.file, plate.path, plate.size) for plate in book.plates]
        plan = share_out([*drawn, *originals], limit, front)
        where = {file.name: number for number, part in enumerate(plan, start=1) for file in part}
        texts = [Written(SITE, lambda: site(book, previews, where)), credits_]
        paths = []
        for part in plan:
            taken.append(self._spool.new_name(".zip"))
            paths.append(self._spool.path(taken[-1]))
            try:
                await asyncio.to_thread(write_zip, paths[-1], [*texts, *part], self._clock.now())
            except FileNotFoundError:
                raise BookChanged from None
            texts = []
        return paths

    async def _write_pdf(self, book: Book, pages: Sequence[Path], limit: int, taken: list[str]) -> BookFile | None:
        taken.append(self._spool.new_name(".pdf"))
        path = self._spool.path(taken[-1])
        await asyncio.to_thread(write_pdf, path, book.title, pages)
        if path.stat().st_size > limit:
            return None
        return BookFile(f"darkroom-yearbook-{book.event_id}.pdf", path)

    async def _keep(self, name: str, content: bytes, taken: list[str]) -> Stored:
        taken.append(self._spool.new_name(".jpg"))
        path = self._spool.path(taken[-1])
        await asyncio.to_thread(path.write_bytes, content)
        return Stored(name, path, len(content))

    async def _check_unchanged(self, event: Event, book: Book) -> None:
        """UserError when consent was taken back while the book was made."""
        async with self._database.read() as connection:
            agreed = {each.picture.id for each in await yearbooks.agreed(connection, event)}
        if not {plate.picture_id for plate in book.plates} <= agreed:
            raise BookChanged
