"""Storing what became of a generation's step: status, timeline, pictures and posts in one transaction each."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.engine import backoff
from bot.generation.lifecycle import check_move
from bot.photos.intake import Received
from bot.providers.base import GenerationReport
from bot.records.generation import Generation, GenerationStatus, Picture
from bot.records.job import SubjectTable
from bot.records.lora import Lora
from bot.records.post import PostKind, places_for
from bot.resources import Resources, Service
from bot.storage import erasure, generations, loras, posts, tables, timeline
from bot.storage.due import Claim, DueRows, LeaseLost, mark, store
from bot.storage.events import events

S = GenerationStatus


class GenerationOutcomes(Service):
    def __init__(self, opened: Resources, rows: DueRows[Generation]) -> None:
        super().__init__(opened)
        self._rows = rows

    async def submitting(self, claim: Claim[Generation]) -> Claim[Generation]:
        now = self._clock.now()
        if not await self._rows.holds(claim, now=now):
            raise LeaseLost
        if claim.row.status is S.SUBMITTING:
            return claim

        async def transaction(connection: AsyncConnection) -> None:
            check_move(claim.row.status, S.SUBMITTING)
            await mark(connection, tables.generations, claim, status=S.SUBMITTING, submitting_at=now)

        await self._database.write(transaction)
        return Claim(claim.row, claim.id, claim.owner, S.SUBMITTING, claim.wakes, claim.due_at)

    async def submitted(self, claim: Claim[Generation], report: GenerationReport) -> None:
        """The provider has the order, and with it what it starts from: our copies go."""
        now = self._clock.now()

        async def transaction(connection: AsyncConnection) -> list[str]:
            await self._move(
                connection,
                claim,
                S.SUBMITTED,
                due_at=now + self._timings.generation_poll,
                request_id=report.request_id,
                submitted_at=now,
                attempt=0,
            )
            trace = f", request {report.trace}" if report.trace else ""
            detail = f"{claim.row.provider.label} id {report.request_id}{trace}"
            await self._note(connection, claim, "submitted", detail)
            return await generations.forget_reference_files(connection, claim.id)

        self._spool.free(await self._database.write(transaction))

    async def ready(self, claim: Claim[Generation], received: list[tuple[str, Received]]) -> None:
        generation, now = claim.row, self._clock.now()

        async def transaction(connection: AsyncConnection) -> None:
            await self._move(
                connection, claim, S.READY, due_at=now + self._timings.pictures_kept, finished_at=now, attempt=0
            )
            for position, (url, file) in enumerate(received, start=1):
                await generations.add_picture(
                    connection, Picture(0, generation.id, position, url, file.file, file.content_type, file.size, 0)
                )
            await self._note(connection, claim, "fetched", f"{len(received)} of {generation.settings.count}")
            await self._post(connection, generation, PostKind.PICTURES)
            await self._wake_event(connection, generation)

        try:
            await self._database.write(transaction)
        except LeaseLost:
            self._spool.free(file.file for _, file in received)
            raise

    async def fail(
        self,
        claim: Claim[Generation],
        sentence: str,
        *,
        trace: str | None = None,
        missing: Lora | None = None,
        is_posted: bool = True,
    ) -> None:
        """`trace` is the provider's id of the refused call, `missing` a LoRA that it no longer has.

        `is_posted` is False when its member hears of it elsewhere.
        """
        generation, now = claim.row, self._clock.now()

        async def transaction(connection: AsyncConnection) -> list[str]:
            await self._move(
                connection, claim, S.FAILED, due_at=now + self._timings.details_kept, error=sentence, finished_at=now
            )
            await self._note(connection, claim, "failed", f"request {trace}: {sentence}" if trace else sentence)
            if is_posted:
                await self._post(connection, generation, PostKind.PICTURES_FAILED)
            await self._wake_event(connection, generation)
            if missing is not None:
                await loras.note_missing(connection, missing.id, now=now)
            return await generations.forget_reference_files(connection, claim.id)

        self._spool.free(await self._database.write(transaction))

    async def later(self, claim: Claim[Generation], wait: timedelta | None = None) -> None:
        wait = wait or backoff(claim.row.attempt, first=self._timings.backoff_first, ceiling=self._timings.backoff_max)
        await self.keep(claim, due_in=wait, attempt=claim.row.attempt + 1)

    async def keep(self, claim: Claim[Generation], *, due_in: timedelta, note: str = "", **values: Any) -> None:
        due_at = self._clock.now() + due_in

        async def transaction(connection: AsyncConnection) -> None:
            if "status" in values:
                check_move(GenerationStatus(claim.status), values["status"])
            await store(connection, tables.generations, claim, due_at=due_at, **values)
            if note:
                await self._note(connection, claim, note, "")

        await self._database.write(transaction)

    async def forget(self, claim: Claim[Generation]) -> None:
        """First our copies of the pictures go, Discord has them; later the details go, too.

        A hint after the end may come here early; it changes nothing.
        """
        now = self._clock.now()
        finished_at = claim.row.finished_at or now
        forgotten_at = finished_at + self._timings.details_kept

        async def transaction(connection: AsyncConnection) -> list[str]:
            dropped_at = await self._kept_until(connection, claim.row, finished_at)
            if now < dropped_at:
                await store(connection, tables.generations, claim, due_at=dropped_at)
                return []
            files = await generations.forget_files(connection, claim.id)
            if now < forgotten_at:
                await store(connection, tables.generations, claim, due_at=forgotten_at)
            else:
                await mark(connection, tables.generations, claim)
                await erasure.erase_job(connection, tables.generations, SubjectTable.GENERATION, claim.id)
            return files

        self._spool.free(await self._database.write(transaction))

    async def _kept_until(self, connection: AsyncConnection, generation: Generation, finished_at: datetime) -> datetime:
        """Pictures of an event stay until it has been over for as long, so that its yearbook can be made."""
        event = None if generation.event_id is None else await events.get(connection, generation.event_id)
        if event is None:
            return finished_at + self._timings.pictures_kept
        ended_at = event.ended_at if event.status.is_terminal else self._clock.now()
        return max(finished_at, ended_at or finished_at) + self._timings.pictures_kept

    async def _wake_event(self, connection: AsyncConnection, generation: Generation) -> None:
        """An event that waits for its pictures goes on at once."""
        if generation.event_id is not None:
            await events.wake(connection, generation.event_id, now=self._clock.now())

    async def _move(
        self, connection: AsyncConnection, claim: Claim[Generation], to: GenerationStatus, **values: Any
    ) -> None:
        check_move(GenerationStatus(claim.status), to)
        await store(connection, tables.generations, claim, status=to, **values)

    async def _note(self, connection: AsyncConnection, claim: Claim[Generation], what: str, detail: str) -> None:
        await timeline.add(connection, SubjectTable.GENERATION, claim.id, what, at=self._clock.now(), detail=detail)

    async def _post(self, connection: AsyncConnection, generation: Generation, kind: PostKind) -> None:
        await posts.add(
            connection,
            kind,
            SubjectTable.GENERATION,
            generation.id,
            guild_id=generation.guild_id,
            user_id=generation.user_id,
            places=places_for(generation),
            now=self._clock.now(),
        )
