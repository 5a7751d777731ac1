"""Taking part in an event: joining, giving photos with consent, seeing them, taking them back."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.datasets.naming import check_here, check_named
from bot.datasets.queue import FairQueue
from bot.datasets.rules import RANK, STEPS
from bot.datasets.service import DatasetService
from bot.errors import NotAllowed, UserError
from bot.events import lifecycle, lookup
from bot.events.photos.consent_texts import consent_sentence
from bot.events.photos.depictions import name_members
from bot.events.photos.rules import (
    Contribution,
    SplitPhotos,
    check_can_give,
    check_person,
    check_uploads,
    judge_own,
    split_new_photos,
)
from bot.moderation.texts import check_text, shown_name
from bot.records.dataset import Dataset, DatasetStatus, Gender, Photo, SubjectKind, Upload
from bot.records.event import Entrant, EntrantStatus, Event, EventMode, PauseReason
from bot.records.guild import Actor
from bot.records.training import TrainingStatus
from bot.resources import Resources, Service
from bot.storage.events import depictions as depiction_rows
from bot.storage.events import entrants, events
from bot.storage.events import photos as event_photos
from bot.storage.jobs import datasets, trainings

MEMBERS_AT_ONCE = 4
"""Submissions that are worked on at once."""


class ContributionService(Service):
    def __init__(self, opened: Resources, dataset_service: DatasetService) -> None:
        super().__init__(opened)
        self._datasets = dataset_service
        self._members = opened.members
        self._policy = opened.policy
        self.queue = FairQueue(MEMBERS_AT_ONCE)
        """Hold a place while working on a submission after it was acknowledged."""

    async def join(self, event_id: int, actor: Actor) -> Entrant:
        """Join the event; joining again changes nothing. UserError when the member cannot join."""

        async def transaction(connection: AsyncConnection) -> Entrant:
            event = await lookup.opened(connection, event_id, actor)
            return await self._join(connection, event, actor)

        return await self._database.write(transaction)

    async def give(
        self,
        event_id: int,
        uploads: Sequence[Upload],
        actor: Actor,
        *,
        depicted: Sequence[int] = (),
        gender: Gender | None = None,
        ethnicity: str | None = None,
    ) -> Contribution:
        """Store photos, after joining if needed; the caller has shown `consent_sentence` and got a yes.

        `depicted`: members seen in them, who are asked and must agree before the photos are used. `gender` and
        `ethnicity`: of the person to be trained. A bad photo is no error: it is listed with what to do.
        """
        named = check_named(depicted, actor.user_id)
        await check_here(self._members, actor.guild_id, named)

        async def begin(connection: AsyncConnection) -> Dataset:
            event = await lookup.opened(connection, event_id, actor)
            check_can_give(event, names_others=bool(named))
            await check_text(connection, event.guild_id, ethnicity)
            entrant = await self._join(connection, event, actor)
            dataset = await self._dataset(connection, event, entrant, gender, ethnicity)
            held = await event_photos.of_contributor(connection, dataset.id, actor.user_id)
            check_uploads(event, held, len(uploads))
            return dataset

        dataset = await self._database.write(begin)
        photos = await self._datasets.examine(dataset, uploads)
        split = await self._store(event_id, dataset, photos, named, actor)
        own = await self.mine(event_id, actor)
        return replace(own, left_out=split.left_out, received=len(split.kept))

    async def mine(self, event_id: int, actor: Actor) -> Contribution:
        """What the member gave. Submissions without photos are left out, so that nobody learns who said no."""
        async with self._database.read() as connection:
            event = await lookup.opened(connection, event_id, actor)
            entrant = await entrants.find(connection, event_id, actor.user_id)
            dataset = await self._dataset_of(connection, event, actor)
            photos: list[Photo] = []
            if dataset is not None:
                photos = await event_photos.of_contributor(connection, dataset.id, actor.user_id)
            named = await depiction_rows.named_by(connection, event_id, actor.user_id)
        submissions = {photo.consent_id for photo in photos}
        asked = [each for each in named if each.consent_id in submissions]
        return Contribution(event, entrant, judge_own(event, photos), tuple(asked), dataset=dataset)

    async def remove(self, event_id: int, photo_ids: Sequence[int], actor: Actor) -> Contribution:
        """Delete some of the member's own photos; UserError when they are in training already."""
        now = self._clock.now()

        async def transaction(connection: AsyncConnection) -> list[str]:
            event = await lookup.opened(connection, event_id, actor)
            dataset = await self._dataset_of(connection, event, actor)
            if dataset is None or dataset.status is not DatasetStatus.OPEN:
                raise UserError("These photos are in training already. **Withdraw** takes all of yours back.")
            files, touched = await event_photos.remove(connection, dataset.id, actor.user_id, photo_ids)
            emptied = touched - await event_photos.submissions_with_photos(connection, event_id)
            await depiction_rows.forget_pending(connection, event_id, emptied)
            await depiction_rows.withdraw_consents(connection, emptied, now=now)
            await events.renew_panel(connection, event_id, due_at=now + self._timings.panel)
            return files

        self._spool.free(await self._database.write(transaction))
        return await self.mine(event_id, actor)

    async def sheet(self, event_id: int, actor: Actor) -> bytes | None:
        """The contact sheet of the member's own photos as JPEG; None when there are none."""
        return await self._datasets.sheet((await self.mine(event_id, actor)).photos)

    async def _join(self, connection: AsyncConnection, event: Event, actor: Actor) -> Entrant:
        before = await entrants.find(connection, event.id, actor.user_id)
        if before is not None and before.status is EntrantStatus.IN:
            return before
        if before is not None and before.status is EntrantStatus.REMOVED:
            raise NotAllowed(
                "The host has taken you out of this event. Please ask them if you think that is a mistake."
            )
        refusal = lifecycle.may_enter(event, actor, await entrants.count(connection, event.id))
        if refusal is not None:
            raise UserError(refusal)
        now = self._clock.now()
        entrant = await entrants.join(
            connection, event_id=event.id, guild_id=event.guild_id, user_id=actor.user_id, now=now
        )
        await self._note_change(connection, event, now)
        return entrant

    async def _dataset(
        self, connection: AsyncConnection, event: Event, entrant: Entrant, gender: Gender | None, ethnicity: str | None
    ) -> Dataset:
        """The open dataset for the entrant's photos; a personal one is created when there is none."""
        dataset_id = event.dataset_id if event.mode is EventMode.SHARED else entrant.dataset_id
        dataset = None if dataset_id is None else await datasets.get(connection, dataset_id)
        is_person = event.subject_kind is SubjectKind.PERSON
        if dataset is not None and await _waits_for_new_photos(connection, event, dataset):
            check_person(event, gender, ethnicity)
            await event_photos.reopen(connection, dataset.id, due_at=self._photos_until(event))
            dataset = await datasets.get(connection, dataset.id)
        if dataset is not None and dataset.status is DatasetStatus.OPEN:
            if is_person and gender is not None and ethnicity is not None:
                check_person(event, gender, ethnicity)
                await event_photos.describe_person(connection, dataset.id, gender=gender, ethnicity=ethnicity.strip())
            return dataset
        check_person(event, gender, ethnicity)
        if event.mode is EventMode.SHARED or entrant.training_id is not None:
            raise UserError("The photos of this event are on their way already, so nothing was added.")
        made = await datasets.insert(
            connection,
            guild_id=event.guild_id,
            channel_id=event.thread_id or event.channel_id,
            user_id=entrant.user_id,
            name=event.name,
            subject_kind=event.subject_kind,
            gender=gender if is_person else None,
            ethnicity=ethnicity.strip() if is_person and ethnicity else None,
            steps=(event.steps or STEPS) if event.trains_loras else 0,
            rank=(event.rank or RANK) if event.trains_loras else 0,
            event_id=event.id,
            created_at=self._clock.now(),
            due_at=self._photos_until(event),
        )
        await entrants.change(connection, entrant.id, dataset_id=made.id)
        return made

    def _photos_until(self, event: Event) -> datetime:
        """When photos leave the disk; later than planned for an entrant who joins an event that waits for photos."""
        latest = self._clock.now() + self._timings.event_photos_kept
        planned = lifecycle.photos_until(event, hour=self._timings.event_hour, kept=self._timings.event_photos_kept)
        return latest if planned is None else max(planned, latest)

    async def _store(
        self, event_id: int, dataset: Dataset, photos: Sequence[Photo], named: Sequence[int], actor: Actor
    ) -> SplitPhotos:
        """Store photos with their consent, ask the members seen in them, and free all other files."""
        now = self._clock.now()

        async def transaction(connection: AsyncConnection) -> SplitPhotos:
            event = await lookup.opened(connection, event_id, actor)
            check_can_give(event, names_others=bool(named))
            await _check_still_in(connection, event, dataset, actor)
            split = await _split_new(connection, event, dataset, photos, actor)
            if split.kept:
                consent_id = await self._record(connection, event, dataset, split, actor, now)
                if split.files:
                    await name_members(connection, event, consent_id, named, giver_id=actor.user_id, now=now)
            await self._note_change(connection, event, now)
            return split

        files = [photo.file for photo in photos if photo.file is not None]
        try:
            split = await self._database.write(transaction)
        except Exception:
            self._spool.free(files)
            raise
        self._spool.free(file for file in files if file not in split.files)
        return split

    async def _note_change(self, connection: AsyncConnection, event: Event, now: datetime) -> None:
        """Renew the panel soon; wake an event that waits for entrants or photos."""
        await events.renew_panel(connection, event.id, due_at=now + self._timings.panel)
        if event.paused_at is not None:
            await events.wake(connection, event.id, now=now)

    async def _dataset_of(self, connection: AsyncConnection, event: Event, actor: Actor) -> Dataset | None:
        entrant = await entrants.find(connection, event.id, actor.user_id)
        own = None if entrant is None else entrant.dataset_id
        dataset_id = event.dataset_id if event.mode is EventMode.SHARED else own
        return None if dataset_id is None else await datasets.get(connection, dataset_id)

    async def _record(
        self,
        connection: AsyncConnection,
        event: Event,
        dataset: Dataset,
        split: SplitPhotos,
        actor: Actor,
        now: datetime,
    ) -> int:
        """Store the consent and its photos; returns the consent's id."""
        consent_id = await datasets.record_consent(
            connection,
            dataset=dataset,
            policy_version=self._policy.version,
            photo_hashes=[photo.sha256 for photo in split.kept if photo.file is not None],
            now=now,
            user_id=actor.user_id,
            wording=consent_sentence(event, self._timings.event_photos_kept),
        )
        for photo in split.kept:
            name = await shown_name(connection, event.guild_id, photo.name)
            given = replace(photo, name=name, contributor_id=actor.user_id, consent_id=consent_id)
            await datasets.add_photo(connection, dataset.id, given)
        return consent_id


async def _waits_for_new_photos(connection: AsyncConnection, event: Event, dataset: Dataset) -> bool:
    """Whether the dataset's photos are gone without a LoRA and the event is paused for too few photos."""
    is_closed = dataset.status in {DatasetStatus.STARTED, DatasetStatus.EXPIRED}
    if not is_closed or event.paused_why is not PauseReason.TOO_FEW_PHOTOS:
        return False
    training = await trainings.latest_of_dataset(connection, dataset.id)
    return training is None or training.status is TrainingStatus.FAILED


async def _check_still_in(connection: AsyncConnection, event: Event, dataset: Dataset, actor: Actor) -> None:
    entrant = await entrants.find(connection, event.id, actor.user_id)
    current = await datasets.get(connection, dataset.id)
    is_in = entrant is not None and entrant.status is EntrantStatus.IN
    if not is_in or current is None or current.status is not DatasetStatus.OPEN:
        raise UserError("You left this event meanwhile, so these photos were not added.")


async def _split_new(
    connection: AsyncConnection, event: Event, dataset: Dataset, photos: Sequence[Photo], actor: Actor
) -> SplitPhotos:
    hashes = {photo.sha256 for photo in photos if photo.sha256}
    await event_photos.forget_refused(connection, dataset.id, actor.user_id, hashes)
    held = await event_photos.of_contributor(connection, dataset.id, actor.user_id)
    elsewhere = await event_photos.given_by_others(connection, dataset.id, actor.user_id, hashes)
    return split_new_photos(event, photos, held, elsewhere)
