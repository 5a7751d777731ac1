"""Everything that is kept about one member, as ZIP files: rows in plain words, photos and pictures as files."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa

from bot.errors import UserError
from bot.photos.filetypes import identify
from bot.privacy.headings import HEADINGS, own_words, word_for
from bot.privacy.plain import plain_row
from bot.resources import Resources, Service
from bot.storage.events import ballots
from bot.storage.events.tables import events
from bot.storage.jobs.tables import lora_previews
from bot.storage.people import own_rows, pseudonyms
from bot.storage.tables import photos, pictures, reference_pictures
from bot.zips import Stored, Written, fits_alone, share_out, write_zip, written_room, zip_names

AT_ONCE: Final = 2
"""Exports that are made at once; each holds one ZIP on the disk."""
PARTS_MAX: Final = 10
"""ZIP files of one export."""
TEXT_BYTES: Final = 1_000_000
"""From this size on, a list goes on in a further file."""
HEAD_BYTES: Final = 64
BEYOND: Final = 2**63 - 1
"""No row has a larger id."""
READ_ME: Final = "read-me.txt"
POLICY: Final = "privacy-policy.md"
ROW_FILE: Final = "File"

UNDER_WAY = "Your export is being made already. It comes in a moment."
NOTHING = "Nothing is kept about you here, so there is nothing to export."
CHANGED = "Something of yours was deleted while the export was made. Please send `/privacy export` once more."

FOLDERS: Mapping[sa.Table, tuple[str, sa.Column[Any]]] = {
    photos: ("photos/dataset", photos.c.dataset_id),
    pictures: ("pictures/order", pictures.c.generation_id),
    reference_pictures: ("reference-pictures/order", reference_pictures.c.generation_id),
    lora_previews: ("pictures-kept/lora", lora_previews.c.lora_id),
    events: ("banners/event", events.c.id),
}
"""Tables whose rows have files: the folder for them, and what its name ends with."""
FILES: Final = ("file", "banner")
"""Columns with the name of a row's file."""


@dataclass(frozen=True, slots=True)
class ExportPart:
    """One ZIP of `of`, on the disk until the next one is asked for. `left_out`: files that fit none of them."""

    name: str
    path: Path
    number: int
    of: int
    left_out: int


@dataclass(slots=True)
class _Found:
    """What goes into an export: lists of rows, then files, newest first."""

    lists: list[Stored] = field(default_factory=list)
    files: list[Stored] = field(default_factory=list)
    taken: list[str] = field(default_factory=list)
    """Names of the spool files that were written for it."""
    is_outdated: bool = False
    """The member was erased meanwhile."""


class ExportService(Service):
    """Reads a page of rows at a time; one export at a time for a member."""

    def __init__(self, opened: Resources) -> None:
        super().__init__(opened)
        self._policy = opened.policy
        self._made_for: dict[int, _Found] = {}
        self._places = asyncio.Semaphore(AT_ONCE)

    async def guilds_of(self, user_id: int) -> list[int]:
        """Ids of the guilds of which there is something to export, those that the member has left among them."""
        return await self._database.fetch(own_rows.guilds_of, user_id)

    async def make(self, user_id: int, guilds: Mapping[int, str], limit: int) -> AsyncGenerator[ExportPart, None]:
        """The ZIP files about a member in these guilds (names by id), none larger than `limit` bytes.

        UserError when there is nothing, when one is being made for them already, or when something of theirs is
        deleted meanwhile. Close the iterator: that deletes what it has written.
        """
        if user_id in self._made_for:
            raise UserError(UNDER_WAY)
        found = self._made_for[user_id] = _Found()
        try:
            async with self._places:
                for guild_id in guilds:
                    await self._collect(found, guild_id, user_id)
                if not found.lists:
                    raise UserError(NOTHING)
                async for part in self._parts(found, guilds, limit):
                    if found.is_outdated:
                        raise UserError(CHANGED)
                    yield part
        finally:
            del self._made_for[user_id]
            self._spool.free(found.taken)

    def outdate(self, user_id: int) -> None:
        """The member was erased: the export that is being made for them, if there is one, is not sent any more."""
        if user_id in self._made_for:
            self._made_for[user_id].is_outdated = True

    async def _collect(self, found: _Found, guild_id: int, user_id: int) -> None:
        """Write the member's rows in this guild to the spool, and look their files up."""
        ids = await self._database.fetch(pseudonyms.ids_of, guild_id, user_id)
        is_voting = await self._database.fetch(ballots.is_voting, guild_id)
        folder = f"server-{guild_id}"
        for table in own_rows.tables_about_members():
            words = {column.name: word for column in table.c if (word := word_for(column)) is not None}
            rows, size, number = list[str](), 0, 1
            async for row in self._rows(table, own_rows.about(table, guild_id, ids)):
                spooled = _spool_name(table, row, ids)
                file = await asyncio.to_thread(self._file_of, table, folder, row, spooled) if spooled else None
                shown = own_words(table, words, row, ids, is_voting=is_voting)
                plain = plain_row(row, shown, ids) | ({ROW_FILE: file.name} if file else {})
                found.files += [file] if file else []
                rows.append(json.dumps(plain, ensure_ascii=False, indent=1))
                size += len(rows[-1].encode())
                if size > TEXT_BYTES:
                    await self._write_list(found, _list_name(folder, table, number), rows)
                    rows, size, number = [], 0, number + 1
            if rows:
                await self._write_list(found, _list_name(folder, table, number), rows)

    async def _rows(self, table: sa.Table, condition: sa.ColumnElement[bool]) -> AsyncIterator[dict[str, Any]]:
        columns = [column for column in table.c if word_for(column) is not None or column.name in {"id", *FILES}]
        before = BEYOND
        while page := await self._database.fetch(own_rows.page, columns, condition, before):
            before = page[-1]["id"]
            for row in page:
                yield row

    def _file_of(self, table: sa.Table, folder: str, row: Mapping[str, Any], spooled: str) -> Stored | None:
        """The row's file, if it is on the disk. Blocking."""
        kind, owner = FOLDERS[table]
        path = self._spool.path(spooled)
        try:
            size = path.stat().st_size
            with path.open("rb") as file:
                suffix = identify(file.read(HEAD_BYTES)) or "bin"
        except FileNotFoundError:
            return None
        return Stored(f"{folder}/{kind}-{row[owner.name]}/{row['id']}.{suffix}", path, size)

    async def _write_list(self, found: _Found, name: str, rows: Sequence[str]) -> None:
        found.taken.append(self._spool.new_name(".json"))
        path = self._spool.path(found.taken[-1])
        content = ("[\n" + ",\n".join(rows) + "\n]\n").encode()
        await asyncio.to_thread(path.write_bytes, content)
        found.lists.append(Stored(name, path, len(content)))

    async def _parts(self, found: _Found, guilds: Mapping[int, str], limit: int) -> AsyncGenerator[ExportPart, None]:
        fitting = [file for file in (*found.lists, *found.files) if fits_alone(file.name, file.size, limit)]
        version = self._policy.version
        read_me = Written(READ_ME, lambda: _read_me(guilds, version, left_out))
        policy = Written(POLICY, lambda: [self._policy.text])
        left_out = len(found.lists) + len(found.files)
        plan = share_out(fitting, limit, written_room(read_me) + written_room(policy))[:PARTS_MAX]
        left_out -= sum(map(len, plan))
        now = self._clock.now()
        for number, (name, part) in enumerate(zip(zip_names("darkroom-export", len(plan)), plan, strict=True), start=1):
            found.taken.append(self._spool.new_name(".zip"))
            path = self._spool.path(found.taken[-1])
            texts = [read_me, policy] if number == 1 else []
            try:
                await asyncio.to_thread(write_zip, path, [*texts, *part], now)
            except FileNotFoundError:
                raise UserError(CHANGED) from None
            yield ExportPart(name, path, number, len(plan), left_out)
            self._spool.free([path.name])


def _spool_name(table: sa.Table, row: Mapping[str, Any], ids: Collection[int]) -> str | None:
    """Of the row's file, None without one. The banner of an event is for who gave it."""
    if table is events and row["banner_by"] not in ids:
        return None
    return next((row[name] for name in FILES if table in FOLDERS and row.get(name)), None)


def _list_name(folder: str, table: sa.Table, number: int) -> str:
    heading = HEADINGS[table].lower().replace(" ", "-")
    return f"{folder}/{heading}{'' if number == 1 else f'-{number}'}.json"


def _read_me(guilds: Mapping[int, str], version: str, left_out: int) -> Iterable[str]:
    yield (
        "What Darkroom keeps about you. Each list is a JSON file, the newest first; any browser opens it.\n"
        'Photos and pictures that are still here lie beside the lists, which name them as "File".\n'
        'Times are UTC. Other people are called "another member".\n'
        "Keys, and what belongs to the server alone, are left out.\n"
        "Until the votes of an event are counted, so is what would tell you whose an entry is. What was made for you\n"
        "is here with its settings, the pictures of a bake-off of yours among it.\n"
        f"The privacy policy in force is version {version}; each consent names the one of its day.\n\n"
    )
    for guild_id, name in guilds.items():
        yield f"server-{guild_id}: {name}\n"
    if left_out:
        yield (
            f'\n{left_out} files are too large or too many for Discord. Use "Save original" below a picture, '
            "or ask whoever runs this bot.\n"
        )
