"""The host's board of all photos of a shared subject, and the final choice among them."""

import asyncio
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.datasets.rules import photo_limits
from bot.datasets.service import DatasetService
from bot.errors import NotAllowed, NotFound, UserError
from bot.events import lifecycle, lookup
from bot.events.photos import coach
from bot.events.photos.choosing import choose, waiting_among
from bot.events.photos.rules import judge_own
from bot.records.dataset import DatasetStatus, Photo, Pick
from bot.records.event import Event, EventMode
from bot.records.guild import Actor
from bot.resources import Resources, Service
from bot.storage.events import depictions, entrants, events
from bot.storage.events import photos as event_photos
from bot.storage.jobs import datasets

SHEET_MAX = 60
"""Photos on one contact sheet."""


@dataclass(frozen=True, slots=True)
class HostBoard:
    """All photos in the order they came, with contributors; `chosen`: ids of those that would be trained on.

    `waiting`: ids of those that wait for somebody who may be seen in them. `needed`: how many chosen ones a training
    takes.
    """

    event: Event
    photos: tuple[Photo, ...]
    chosen: frozenset[int]
    waiting: frozenset[int]
    advice: tuple[str, ...]
    needed: int


class ReviewService(Service):
    def __init__(self, opened: Resources, dataset_service: DatasetService) -> None:
        super().__init__(opened)
        self._datasets = dataset_service

    async def board(self, event_id: int, actor: Actor) -> HostBoard:
        async with self._database.read() as connection:
            event = await _choosable(connection, event_id, actor)
            photos = judge_each(event, await event_photos.of_those_taking_part(connection, event))
            pending = await depictions.pending_submissions(connection, event_id)
            taking_part = await entrants.count(connection, event_id)
        waiting = waiting_among(photos, pending)
        chosen = await _choose(photos, waiting)
        advice = coach.advice(photos[-coach.LOOKED_AT :], taking_part, waiting)
        return HostBoard(
            event=event,
            photos=photos,
            chosen=frozenset(photo.id for photo in chosen),
            waiting=waiting,
            advice=tuple(each.sentence for each in advice),
            needed=photo_limits(event.subject_kind).least,
        )

    async def pick(self, event_id: int, photo_id: int, pick: Pick | None, actor: Actor) -> HostBoard:
        """Pin a photo, leave it out, or (None) let the rules decide."""

        async def transaction(connection: AsyncConnection) -> None:
            event = await _choosable(connection, event_id, actor)
            assert event.dataset_id is not None  # made when the event was opened
            if not await event_photos.set_pick(connection, event.dataset_id, photo_id, pick):
                raise NotFound("This photo is not here any more. Look at the photos again.")
            await events.renew_panel(connection, event_id, due_at=self._clock.now() + self._timings.panel)

        await self._database.write(transaction)
        return await self.board(event_id, actor)

    async def sheet(self, event_id: int, actor: Actor, *, skip: int = 0) -> bytes | None:
        """Up to SHEET_MAX photos of the board with their numbers, after the first `skip`; None without photos."""
        board = await self.board(event_id, actor)
        return await self._datasets.sheet(board.photos[skip : skip + SHEET_MAX], first=skip + 1)

    async def settle_shared(self, event: Event) -> int:
        """Choose for good and delete all other photos; returns how many are left. Again, it changes nothing.

        Nothing happens either when the host extended or cancelled the event since it was read.
        """
        if event.dataset_id is None:
            return 0
        dataset_id = event.dataset_id
        async with self._database.read() as connection:
            photos = judge_each(event, await event_photos.of_those_taking_part(connection, event))
            pending = await depictions.pending_submissions(connection, event.id)
        chosen_ones = await _choose(photos, waiting_among(photos, pending))
        picks = {photo.id: photo.pick or Pick.CHOSEN for photo in chosen_ones}

        async def transaction(connection: AsyncConnection) -> tuple[int, list[str]]:
            if not await _stands(connection, event):
                return 0, []
            dataset = await datasets.get(connection, dataset_id)
            files: list[str] = []
            if dataset is not None and dataset.status is DatasetStatus.OPEN:
                files = await event_photos.keep_chosen(connection, dataset_id, picks)
                await depictions.forget_pending(connection, event.id)
                await _mark_in_training(connection, event)
            counts = await event_photos.counts_by_contributor(connection, dataset_id)
            await event_photos.note_chosen(connection, event.id, counts)
            return sum(counts.values()), files

        chosen, files = await self._database.write(transaction)
        self._spool.free(files)
        return chosen

    async def settle_personal(self, event: Event) -> None:
        """Delete photos whose depicted members have not answered, for every entrant. Again, it changes nothing."""

        async def transaction(connection: AsyncConnection) -> list[str]:
            files: list[str] = []
            if not await _stands(connection, event):
                return files
            for entrant in await entrants.of_event(connection, event.id):
                if entrant.dataset_id is not None:
                    files += await event_photos.remove_unanswered(connection, entrant.dataset_id)
            await depictions.forget_pending(connection, event.id)
            await _mark_in_training(connection, event)
            return files

        self._spool.free(await self._database.write(transaction))


def judge_each(event: Event, photos: Sequence[Photo]) -> tuple[Photo, ...]:
    """Each contributor's photos judged as a set of their own; all in the order they came."""
    by_contributor: defaultdict[int | None, list[Photo]] = defaultdict(list)
    for photo in photos:
        by_contributor[photo.contributor_id].append(photo)
    judged = [photo for own in by_contributor.values() for photo in judge_own(event, own)]
    return tuple(sorted(judged, key=lambda photo: photo.id))


async def _choose(photos: Sequence[Photo], blocked: Collection[int]) -> tuple[Photo, ...]:
    """Choose in a thread, because thousands of photos take up to a second."""
    return await asyncio.to_thread(choose, photos, blocked=blocked)


async def _choosable(connection: AsyncConnection, event_id: int, actor: Actor) -> Event:
    event = await lookup.opened(connection, event_id, actor)
    if not lifecycle.may_run(event, actor):
        raise NotAllowed("Only the event's host and its moderators choose photos.")
    if event.mode is not EventMode.SHARED:
        raise UserError("There is nothing to choose here: everybody's photos stay their own in this event.")
    if not event.status.takes_photos:
        raise UserError("The time for choosing photos is over.")
    return event


async def _stands(connection: AsyncConnection, event: Event) -> bool:
    """Whether the event is still as it was when the engine decided to go on."""
    current = await events.get(connection, event.id)
    return current is not None and (
        (current.status, current.stage_ends_at, current.paused_at)
        == (event.status, event.stage_ends_at, event.paused_at)
    )


async def _mark_in_training(connection: AsyncConnection, event: Event) -> None:
    left = await event_photos.submissions_with_photos(connection, event.id)
    await depictions.mark_in_training(connection, event.id, left)
