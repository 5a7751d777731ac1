"""Storing the results of generation steps, each in one transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.engine import backoff
from bot.generation import failures
from bot.generation.access import is_compared
from bot.generation.lifecycle import check_move
from bot.jobs.kind import JobKind
from bot.jobs.outcomes import NOTHING, JobOutcomes
from bot.moderation.texts import is_explicit
from bot.photos.intake import Received
from bot.providers.base import GenerationReport
from bot.records.doubt import Doubt, pause_of
from bot.records.generation import Generation, GenerationStatus, Picture
from bot.records.guild import Actor, Place, PlaceKind
from bot.records.job import SubjectTable
from bot.records.limit import Amount
from bot.records.lora import Lora
from bot.records.post import PostKind, PostStatus
from bot.resources import Resources
from bot.storage import tables
from bot.storage.due import Claim, LeaseLost, mark, store
from bot.storage.events import ballots, events, galleries
from bot.storage.jobs import generations, loras, posts, previews
from bot.storage.money.slots import PICTURES
from bot.storage.people import erasure, preferences
from bot.storage.writer import Transaction

S = GenerationStatus


class LinkOnly(StrEnum):
    """Why we have no copy of a finished picture, as its timeline says it; its member gets the provider's link."""

    TOO_LARGE = "is too large"
    DAMAGED = "did not arrive whole"
    SLOW = "did not come in time"
    NOT_TRUSTED = "is at a host that this bot may not fetch from"


LINKED = "linked"
"""Timeline word of a picture that is given as a link."""


Arrived = Received | LinkOnly


@dataclass(frozen=True, slots=True)
class Fetched:
    """The pictures of a set that came, by number, of those at `urls`.

    With a doubt the others are asked for again; `error` names those that are given up.
    """

    urls: tuple[str, ...]
    received: Mapping[int, Arrived]
    doubt: Doubt | None = None
    error: str | None = None

    def columns(self) -> dict[str, Any]:
        """What of it the generation's row keeps."""
        return {"image_urls": self.urls, "doubt": self.doubt, "error": self.error}

    def files(self) -> list[str]:
        """The spool names."""
        return [file.file for file in self.received.values() if isinstance(file, Received)]


KIND = JobKind(
    tables.generations,
    SubjectTable.GENERATION,
    Generation,
    PICTURES,
    check_move,
    generations.by_webhook_token,
)


class GenerationOutcomes(JobOutcomes[Generation]):
    def __init__(self, opened: Resources) -> None:
        super().__init__(opened, KIND)

    async def submitting(self, claim: Claim[Generation]) -> Claim[Generation]:
        """Store that the paid call begins, whose outcome is unknown until it is stored; LeaseLost prevents it."""
        if claim.row.status is S.SUBMITTING:
            await self._check_held(claim)
            return claim
        return await self._mark_submitting(claim, S.SUBMITTING)

    async def submitted(self, claim: Claim[Generation], report: GenerationReport) -> None:
        """Store the provider's answer and delete our copies of the references, which the provider has now."""
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
                doubt=None,
            )
            trace = f", request {report.trace}" if report.trace else ""
            detail = f"{claim.row.provider.label} id {report.request_id}{trace}"
            await self._note(connection, claim.id, "submitted", detail)
            return await generations.forget_reference_files(connection, claim.id)

        self._spool.free(await self._database.write(transaction))

    async def is_blocked(self, job: Generation) -> bool:
        """The pack of an event is everybody's, whose LoRA it may be."""
        return job.pack_index is None and await super().is_blocked(job)

    async def _places(self, connection: AsyncConnection, job: Generation, post: PostKind) -> Sequence[Place]:
        """Privately first for whoever prefers that; only to its maker while it may stand in a vote.

        What a bake-off compares, its maker does not see either. Late pictures go where the others of their set are.
        Of a sample that is not made nobody is told, because nobody asked for it.
        """
        if post is PostKind.PICTURES_FAILED and job.sample_of is not None:
            return ()
        if post is PostKind.PICTURES_LATE:
            return await _where_it_is(connection, job)
        places = await super()._places(connection, job, post)
        if await ballots.blind_event(connection, job) is not None:
            is_withheld = post is not PostKind.PICTURES_FAILED and await is_compared(connection, job)
            return () if is_withheld else places[-1:]
        prefers = await preferences.get(connection, job.guild_id, job.user_id)
        return [places[-1], *places[:-1]] if prefers.is_private and job.event_id is None else places

    async def later_or_fail(self, claim: Claim[Generation], at_last: str) -> None:
        """The provider has it: try again later; after `give_up` fail with the sentence `at_last`, as paid for."""
        if self.is_older_than(claim.row, self._timings.give_up):
            await self.fail(claim, at_last, took=paid_for(claim.row))
        else:
            await self.later(claim)

    def is_older_than(self, generation: Generation, age: timedelta) -> bool:
        return generation.submitted_at is not None and self._clock.now() > generation.submitted_at + age

    async def ready(self, claim: Claim[Generation], fetched: Fetched) -> None:
        """Store and post what came first. With a doubt, what did not come is asked for again."""
        generation, now = claim.row, self._clock.now()
        late = tuple(number for number in range(1, len(fetched.urls) + 1) if number not in fetched.received)
        due_in = self._timings.pictures_kept if fetched.doubt is None else self._next_look(fetched.doubt, 0)

        async def transaction(connection: AsyncConnection) -> None:
            kept = {"late": late, "finished_at": now, "attempt": 0, **fetched.columns()}
            await self._move(connection, claim, S.READY, due_at=now + due_in, **kept)
            await self._add_pictures(connection, claim.id, fetched)
            counted = f"{len(fetched.received)} of {generation.settings.count}"
            await self._end(connection, generation, "fetched", counted, PostKind.PICTURES, took=paid_for(generation))

        await self._write_or_free(transaction, fetched)

    async def arrived(self, claim: Claim[Generation], fetched: Fetched) -> None:
        """Store what came after the others. Without a doubt nothing more is awaited, and the rest is posted."""
        generation, now = claim.row, self._clock.now()
        ended_at = (generation.finished_at or now) + self._timings.pictures_kept
        due_at = ended_at if fetched.doubt is None else now + self._next_look(fetched.doubt, generation.attempt)

        async def transaction(connection: AsyncConnection) -> None:
            current = await generations.get(connection, claim.id)
            if current is None or current.deleted_at is not None:
                await store(connection, tables.generations, claim, due_at=ended_at, doubt=None)
                self._spool.free(fetched.files())
                return
            kept = {"attempt": generation.attempt + 1, **fetched.columns()}
            await store(connection, tables.generations, claim, due_at=due_at, **kept)
            await self._add_pictures(connection, claim.id, fetched)
            if fetched.doubt is None:
                await self._end(connection, generation, "the rest", fetched.error or "", PostKind.PICTURES_LATE)

        await self._write_or_free(transaction, fetched)

    def _next_look(self, doubt: Doubt, attempt: int) -> timedelta:
        """Evenly while it is said not to be there; more and more seldom while nothing is said."""
        if doubt.answers:
            return pause_of(self._timings.picture_doubted)
        return backoff(attempt, first=self._timings.backoff_first, ceiling=self._timings.backoff_max)

    async def _write_or_free(self, transaction: Transaction[None], fetched: Fetched) -> None:
        try:
            await self._database.write(transaction)
        except LeaseLost:
            self._spool.free(fetched.files())
            raise

    async def _add_pictures(self, connection: AsyncConnection, generation_id: int, fetched: Fetched) -> None:
        for number, file in fetched.received.items():
            picture = Picture(0, generation_id, number, fetched.urls[number - 1], None, "", 0, 0)
            await self._add_picture(connection, picture, file)

    async def _add_picture(self, connection: AsyncConnection, picture: Picture, file: Arrived) -> None:
        if isinstance(file, Received):
            picture = replace(picture, file=file.file, content_type=file.content_type, size=file.size)
        else:
            await self._note(connection, picture.generation_id, LINKED, f"Picture {picture.position} {file}")
        await generations.add_picture(connection, picture)

    async def fail(
        self,
        claim: Claim[Generation],
        sentence: str,
        *,
        trace: str | None = None,
        missing: Lora | None = None,
        is_posted: bool = True,
        took: Amount | None = NOTHING,
        may_be_sent: bool = False,
    ) -> None:
        """End it as failed. `trace` is the provider's id of the refused call, `missing` a LoRA that it no longer has.

        `is_posted` is False when the member is told elsewhere.
        `took`: see `_end`. `may_be_sent`: it counts as sent, with an unknown outcome.
        """
        generation, now = claim.row, self._clock.now()
        ended: dict[str, Any] = {"error": sentence, "finished_at": now} | (
            {"submitting_at": now} if may_be_sent else {}
        )

        async def transaction(connection: AsyncConnection) -> list[str]:
            await self._move(connection, claim, S.FAILED, due_at=now + self._timings.details_kept, **ended)
            detail = f"request {trace}: {sentence}" if trace else sentence
            post = PostKind.PICTURES_FAILED if is_posted else None
            await self._end(connection, generation, "failed", detail, post, took=took)
            await self._renew_news(connection, generation)
            if missing is not None:
                await loras.note_missing(connection, missing.id, now=now)
            return await generations.forget_reference_files(connection, claim.id)

        self._spool.free(await self._database.write(transaction))

    async def _renew_news(self, connection: AsyncConnection, generation: Generation) -> None:
        """The news of its LoRA no longer says that this first picture follows."""
        if generation.sample_of is not None:
            await posts.renew(connection, PostKind.TRAINING_READY, generation.sample_of, due_at=self._clock.now())

    async def cancel(self, generation: Generation, actor: Actor) -> bool:
        """End the order, even while a step runs; False when its status has changed meanwhile.

        Unless it was the member's own wish they are told, if they had asked for it, and the log has a line.
        """
        now, is_own = self._clock.now(), generation.user_id == actor.user_id

        async def transaction(connection: AsyncConnection) -> list[str] | None:
            if not await generations.end_early(
                connection,
                generation.id,
                from_=generation.status,
                error=failures.CANCELLED if is_own else failures.CANCELLED_BY_ADMIN,
                now=now,
                due_at=now + self._timings.details_kept,
            ):
                return None
            await self._end_cancelled(connection, generation, actor, PostKind.PICTURES_FAILED)
            await self._renew_news(connection, generation)
            return await generations.forget_reference_files(connection, generation.id)

        files = await self._database.write(transaction)
        self._spool.free(files or [])
        return files is not None

    async def forget(self, claim: Claim[Generation]) -> None:
        """Delete our copies of the pictures after their time, but for previews, and the details later.

        Explicit ones are no previews, because whether a channel is age-restricted changes.
        A late webhook may call this early; then nothing is deleted.
        """
        now = self._clock.now()
        finished_at = claim.row.finished_at or now
        forgotten_at = finished_at + self._timings.details_kept

        async def transaction(connection: AsyncConnection) -> list[str]:
            dropped_at = await self._kept_until(connection, claim.row, finished_at)
            if now < dropped_at:
                await store(connection, tables.generations, claim, due_at=dropped_at)
                return []
            if is_explicit(claim.row.prompt) or await ballots.blind_event(connection, claim.row) is not None:
                files = await generations.forget_files(connection, claim.id)
            else:
                files = await previews.keep(connection, claim.row, now=now)
            if now < forgotten_at:
                await store(connection, tables.generations, claim, due_at=forgotten_at)
            else:
                await mark(connection, tables.generations, claim)
                await erasure.erase_job(connection, tables.generations, SubjectTable.GENERATION, claim.id)
            return files

        self._spool.free(await self._database.write(transaction))

    async def _kept_until(self, connection: AsyncConnection, generation: Generation, finished_at: datetime) -> datetime:
        """When our copies are deleted; those of an event later, for its yearbook and its gallery on the web."""
        event = None if generation.event_id is None else await events.get(connection, generation.event_id)
        if event is None:
            return finished_at + self._timings.pictures_kept
        ended_at = event.ended_at if event.status.is_terminal else self._clock.now()
        usual = max(finished_at, ended_at or finished_at) + self._timings.pictures_kept
        gallery = await galleries.of_event(connection, event.id)
        return usual if gallery is None else max(usual, gallery.ends_at)


async def _where_it_is(connection: AsyncConnection, generation: Generation) -> Sequence[Place]:
    """In the channel where its member shows the set, else where it was posted; nowhere without a post."""
    shown = await posts.find(connection, PostKind.PICTURES_SHOWN, generation.id)
    if shown is not None and shown.status is not PostStatus.KEPT:
        return (*shown.places[shown.place_index :], Place(PlaceKind.USER, generation.user_id))
    first = await posts.find(connection, PostKind.PICTURES, generation.id)
    return () if first is None else first.places[first.place_index :] or first.places


def paid_for(generation: Generation) -> Amount | None:
    """What an order that the provider has taken, or may have taken, cost; None when neither it nor its estimate say so.

    It counts for its member although nothing came of it: only what is known not to be paid is given back.
    """
    known = (cost for cost in (generation.cost, generation.estimate) if cost is not None)
    cost, most = next(known, None), generation.settings.count
    return None if cost is None else Amount(cost, pictures=min(len(generation.image_urls) or most, most))
