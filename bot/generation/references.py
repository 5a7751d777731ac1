"""Reference pictures: downloaded or copied for an order, and uploaded before the paid call."""

import asyncio
import shutil
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.errors import FetchError, FileDamaged, FileGone, FileTooLarge, UserError
from bot.generation.order import ReferencePicture
from bot.photos import checks
from bot.photos.filetypes import identify
from bot.providers.base import PhotoFile, ProviderClient
from bot.records.dataset import Finding, Upload
from bot.records.generation import Generation, Picture, Reference
from bot.resources import Resources, Service
from bot.storage.jobs import generations
from bot.storage.people import removals
from bot.text import quote

UPLOAD_MAX_BYTES = 10_000_000
"""Aurous Labs takes 10 MB and 4,096 pixels a side (/files), Apiframe 25 MB (OpenAPI 2.0.0, /v2/uploads)."""
UPLOAD_TRUSTED_FOR = timedelta(minutes=45)
"""Apiframe keeps an upload for an hour at least, Aurous Labs for 24."""
MEMBERS_AT_ONCE = 4
COPY_GONE = (
    "Our copy of this picture was deleted when its time was over. "
    "Use **Imagine from this picture** in the menu of its message to start from it."
)
_CONTENT_TYPES = {"jpeg": "image/jpeg", "png": "image/png", "webp": "image/webp"}
_SUFFIXES = {"image/jpeg": "jpg", "image/png": "png", "image/webp": "webp"}


class References(Service):
    def __init__(self, opened: Resources) -> None:
        super().__init__(opened)
        self._fetcher = opened.fetcher
        self._pool = opened.pool
        self._room = opened.room
        self._queue = asyncio.Semaphore(MEMBERS_AT_ONCE)

    async def take_in(self, uploads: Sequence[Upload]) -> tuple[ReferencePicture, ...]:
        """Download and prepare all (upright, without metadata); UserError names each one that cannot be used."""
        await self._room.check()
        async with self._queue:
            results = await asyncio.gather(*(self._take_in(upload) for upload in uploads), return_exceptions=True)
        taken = tuple(result for result in results if isinstance(result, ReferencePicture))
        failures = [result for result in results if isinstance(result, BaseException)]
        if failures:
            self.free(taken)
            refused = [str(failure) for failure in failures if isinstance(failure, UserError)]
            raise UserError("\n".join(refused)) if len(refused) == len(failures) else failures[0]
        return taken

    async def copy_of(self, picture: Picture) -> ReferencePicture:
        """A copy of a kept picture, as a reference; UserError when our copy was deleted after its time."""
        if picture.file is None:
            raise UserError(COPY_GONE)
        source, target = self._spool.path(picture.file), self._spool.new_name()
        try:
            if picture.size > UPLOAD_MAX_BYTES:
                copy = await self._pool.smaller_copy(source, UPLOAD_MAX_BYTES)
                await asyncio.to_thread(self._spool.path(target).write_bytes, copy)
            else:
                await asyncio.to_thread(shutil.copyfile, source, self._spool.path(target))
        except (FileDamaged, FileNotFoundError):
            raise UserError(COPY_GONE) from None
        return await asyncio.to_thread(_measure, target, self._spool.path(target))

    def free(self, references: Sequence[ReferencePicture]) -> None:
        self._spool.free(reference.file for reference in references if reference.file is not None)

    async def still_usable(self, generation_id: int) -> tuple[ReferencePicture, ...] | None:
        """The references of an earlier order for a new one; None when they are no longer at the provider."""
        stored = await self._database.fetch(generations.references_of, generation_id)
        now = self._clock.now()
        if not all(_is_uploaded(reference, now) for reference in stored):
            return None
        return tuple(
            ReferencePicture(None, reference.content_type, reference.size, reference.remote_id, reference.uploaded_at)
            for reference in stored
        )

    async def upload(self, generation: Generation, client: ProviderClient) -> bool:
        """Upload every reference to the provider before the order is sent for the first time.

        False when one is neither on disk nor fresh at the provider. Raises ProviderError; finished uploads stay noted.
        """
        stored = await self._database.fetch(generations.references_of, generation.id)
        for reference in stored:
            if _is_uploaded(reference, self._clock.now()):
                continue
            if reference.file is None:
                return False
            await self._upload(generation, reference, reference.file, client)
        return True

    async def _upload(self, generation: Generation, reference: Reference, file: str, client: ProviderClient) -> None:
        suffix = _SUFFIXES[reference.content_type]
        picture = PhotoFile(
            self._spool.path(file), f"reference-{reference.position}.{suffix}", reference.content_type, reference.size
        )
        remote_id = await client.upload_picture(picture, _upload_key(generation, reference))
        now = self._clock.now()

        async def transaction(connection: AsyncConnection) -> None:
            if not await generations.note_upload(connection, reference.id, remote_id, at=now):
                await removals.of_late_upload(connection, generation, remote_id, now=now)

        await self._database.write(transaction)

    async def _take_in(self, upload: Upload) -> ReferencePicture:
        name = checks.display_name(upload.name)
        code = checks.Code.NOT_FETCHED
        try:
            received = await self._fetcher.fetch(upload.url, limit=checks.MAX_INTAKE_BYTES, into=self._spool)
        except FetchError as error:
            if isinstance(error, FileTooLarge):
                code = checks.Code.TOO_LARGE
            elif isinstance(error, FileGone):
                code = checks.Code.GONE
            raise UserError(_refusal(name, Finding(code))) from error
        examined = await self._pool.examine(received, name)
        if examined.file is None:
            raise UserError(_refusal(name, examined.findings[0]))
        return ReferencePicture(examined.file, "image/jpeg", examined.size, sha256=examined.sha256)


def _is_uploaded(reference: Reference, now: datetime) -> bool:
    uploaded_at = reference.uploaded_at
    return reference.remote_id is not None and uploaded_at is not None and now < uploaded_at + UPLOAD_TRUSTED_FOR


def _upload_key(generation: Generation, reference: Reference) -> str:
    """The same for a repeated try, different for each picture and each later upload of it (Aurous Labs /files)."""
    earlier = "" if reference.uploaded_at is None else reference.uploaded_at.isoformat()
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{generation.idempotency_key}/{reference.position}/{earlier}"))


def _measure(file: str, path: Path) -> ReferencePicture:
    with path.open("rb") as opened:
        kind = identify(opened.read(64))
    return ReferencePicture(file, _CONTENT_TYPES[kind or "png"], path.stat().st_size)


def _refusal(name: str, finding: Finding) -> str:
    return f"{quote(name)} cannot be used: {checks.explain(finding)}"
