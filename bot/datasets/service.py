"""Datasets: downloading and checking photos, and deleting them in time."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.datasets.intake import PhotoIntake
from bot.datasets.keeping import keep_longer
from bot.datasets.naming import ask_about_dataset, check_here, check_named
from bot.datasets.queue import ArrivalsFirst
from bot.datasets.rules import (
    RANK,
    STEPS,
    Board,
    DatasetOrder,
    check_order,
    consent_sentence,
    judge_set,
    kept_for,
    photo_limits,
)
from bot.errors import NotFound, UserError
from bot.loras import rights
from bot.loras.rights import Right
from bot.moderation.texts import check_text
from bot.photos import checks
from bot.photos.sheet import SheetEntry
from bot.records.dataset import Dataset, DatasetStatus, Gender, Photo, SubjectKind, Upload
from bot.records.event import DepictionStatus
from bot.records.guild import Actor
from bot.records.lora import NAME_MAX
from bot.records.moderation import Act
from bot.records.training import TrainingStatus
from bot.resources import Resources, Service
from bot.storage.due import Claim, mark, store
from bot.storage.events import depictions
from bot.storage.jobs import datasets as rows
from bot.storage.jobs import loras, trainings
from bot.storage.people import erasure, moderation_log
from bot.storage.tables import datasets

HELD_MAX = 60
"""Photos one dataset may hold, refused ones included, so that nobody can fill the disk."""
OPEN_MAX = 3
"""Datasets that one member may have open in a server."""
WAITING_MAX = 600
"""Photos of one server that may wait for trainings; those of events have limits of their own."""
MEMBERS_AT_ONCE = 4
"""Submissions that are worked on at once, so that there is always time to acknowledge the next one."""

Also = Callable[[AsyncConnection, list[str]], Awaitable[None]]


class DatasetService(Service):
    def __init__(self, opened: Resources) -> None:
        super().__init__(opened)
        self._intake = PhotoIntake(opened)
        self._pool = opened.pool
        self._room = opened.room
        self._members = opened.members
        self._policy = opened.policy
        self.queue = ArrivalsFirst(MEMBERS_AT_ONCE)
        """Hold a place while working on a submission; until it is acknowledged it is `arriving`."""

    async def create(self, order: DatasetOrder, *, guild_id: int, channel_id: int, user_id: int) -> Dataset:
        check_order(order)
        name = " ".join(order.name.split())
        if not 1 <= len(name) <= NAME_MAX:
            raise UserError(
                f"The name takes 1 to {NAME_MAX} characters. Please send `/train` again with a shorter one."
            )
        person = order.subject_kind is SubjectKind.PERSON
        is_trained = order.subject_kind is not SubjectKind.CHARACTER
        now = self._clock.now()
        await self._room.check()

        async def transaction(connection: AsyncConnection) -> Dataset:
            await check_text(connection, guild_id, name, order.ethnicity, order.age)
            await _check_open(connection, guild_id, user_id)
            if order.previous_lora_id is not None:
                await _check_previous(connection, order, guild_id=guild_id, user_id=user_id)
            return await rows.insert(
                connection,
                guild_id=guild_id,
                channel_id=channel_id,
                user_id=user_id,
                name=name,
                subject_kind=order.subject_kind,
                gender=order.gender if person else None,
                ethnicity=order.ethnicity.strip() if person and order.ethnicity else None,
                age=order.age.strip() if person and order.age else None,
                steps=(order.steps or STEPS) if is_trained else 0,
                rank=(order.rank or RANK) if is_trained else 0,
                previous_lora_id=order.previous_lora_id,
                created_at=now,
                due_at=now + self._timings.photos_kept,
            )

        return await self._database.write(transaction)

    async def take_in(self, dataset: Dataset, uploads: Sequence[Upload], also: Also | None = None) -> Board:
        """Download and check the uploads, and store them with the member's consent; returns the new board.

        A bad photo is no error: the board shows it with what to do. UserError when the dataset is full or not open any
        more. `also` is done in the transaction that stores them, with the hashes of what is kept.
        """
        board = await self.board(dataset.id, guild_id=dataset.guild_id, user_id=dataset.user_id)
        if dataset.status is not DatasetStatus.OPEN:
            raise UserError("This dataset has been started or discarded already. Send `/train` to begin a new one.")
        if len(board.photos) + len(uploads) > HELD_MAX:
            raise UserError(f"A dataset holds up to {HELD_MAX} photos. Remove some first, then add these.")
        await self._database.fetch(_check_waiting, dataset.guild_id, len(uploads))
        photos = await self.examine(dataset, uploads)

        async def transaction(connection: AsyncConnection) -> bool:
            await _check_waiting(connection, dataset.guild_id, len(photos))
            current = await rows.get(connection, dataset.id)
            if current is None or current.status is not DatasetStatus.OPEN:
                return False
            hashes, now = [photo.sha256 for photo in photos if photo.file is not None], self._clock.now()
            consent_id = await rows.record_consent(
                connection,
                dataset=dataset,
                policy_version=self._policy.version,
                wording=consent_sentence(dataset.subject_kind, kept_for(current, self._timings)),
                photo_hashes=hashes,
                now=now,
            )
            for photo in photos:
                await rows.add_photo(connection, dataset.id, replace(photo, consent_id=consent_id))
            if also is not None:
                await also(connection, hashes)
            return True

        is_added = False
        try:
            is_added = await self._database.write(transaction)
        finally:
            if not is_added:
                self._intake.free(photos)
        if not is_added:
            raise UserError("This dataset was started or discarded meanwhile, so these photos were not added.")
        return await self.board(dataset.id, guild_id=dataset.guild_id, user_id=dataset.user_id)

    async def examine(self, dataset: Dataset, uploads: Sequence[Upload]) -> list[Photo]:
        """Download and check the uploads; returns each, and all that is in a ZIP, as photos that are not stored yet.

        Of ZIPs no more than the dataset still holds; of a submission to an event as many as a dataset may hold.
        """
        held = 0 if dataset.event_id is not None else await self._database.fetch(rows.count_photos, dataset.id)
        return await self._intake.examine(dataset, uploads, HELD_MAX - held)

    async def board(self, dataset_id: int, *, guild_id: int, user_id: int) -> Board:
        async with self._database.read() as connection:
            dataset = await rows.get(connection, dataset_id)
            if dataset is None or dataset.guild_id != guild_id or dataset.user_id != user_id:
                raise NotFound("This dataset is not here any more. Send `/train` to begin a new one.")
            return await board_of(connection, dataset)

    async def name(self, dataset_id: int, user_ids: Sequence[int], *, guild_id: int, user_id: int) -> Board:
        """Name members who are seen in the photos that the dataset has now; they are asked first."""
        board = await self.board(dataset_id, guild_id=guild_id, user_id=user_id)
        named = check_named(user_ids, user_id)
        await check_here(self._members, guild_id, named)
        now = self._clock.now()

        async def transaction(connection: AsyncConnection) -> Board:
            dataset = await rows.get(connection, dataset_id)
            if dataset is None or dataset.status is not DatasetStatus.OPEN:
                raise UserError("This dataset has been started or discarded already, so nobody was asked.")
            if not any(photo.file for photo in board.photos):
                raise UserError("There are no photos yet. Please add them first, then name who is in them.")
            await ask_about_dataset(
                connection,
                dataset,
                named,
                policy_version=self._policy.version,
                kept=kept_for(dataset, self._timings),
                now=now,
            )
            return await board_of(connection, dataset)

        return await self._database.write(transaction)

    async def describe_person(
        self, dataset_id: int, gender: Gender, ethnicity: str, age: str, *, guild_id: int, user_id: int
    ) -> Board:
        """Say who is in the photos, as the provider needs it; an empty `age` leaves that out."""
        board = await self.board(dataset_id, guild_id=guild_id, user_id=user_id)
        dataset, ethnicity = board.dataset, ethnicity.strip()
        if dataset.subject_kind is not SubjectKind.PERSON or not ethnicity:
            raise UserError("Please say what the provider needs to know of the person: gender and ethnicity.")
        check_order(DatasetOrder(dataset.name, dataset.subject_kind, gender, ethnicity, age.strip() or None))

        async def transaction(connection: AsyncConnection) -> bool:
            await check_text(connection, guild_id, ethnicity, age)
            return await rows.describe_person(
                connection, dataset_id, gender=gender, ethnicity=ethnicity, age=age.strip() or None
            )

        if not await self._database.write(transaction):
            raise UserError("This dataset has been started or discarded already, so nothing was changed.")
        return await self.board(dataset_id, guild_id=guild_id, user_id=user_id)

    async def keep_open(self, dataset_id: int, *, guild_id: int, user_id: int) -> Board:
        """Keep its photos as long as the operator allows, and record that the member agreed to it.

        UserError when that is no longer than now, or when somebody else agreed to their photos for the usual time.
        """
        board = await self.board(dataset_id, guild_id=guild_id, user_id=user_id)

        async def transaction(connection: AsyncConnection) -> Board:
            timings, version = self._timings, self._policy.version
            kept = await keep_longer(connection, dataset_id, timings, policy_version=version, now=self._clock.now())
            return await board_of(connection, kept)

        if board.dataset.kept_hours is not None:
            return board
        return await self._database.write(transaction)

    async def open_dataset(self, *, guild_id: int, user_id: int) -> Dataset:
        """The member's newest open dataset in this guild; NotFound, with what to do, when there is none."""
        dataset = await self._database.fetch(rows.open_of, guild_id, user_id)
        if dataset is None:
            raise NotFound("You have no open dataset here. Send `/train` to begin one.")
        return dataset

    async def all_open(self, *, guild_id: int, user_id: int) -> list[Dataset]:
        """The member's open datasets in this guild, newest first."""
        return await self._database.fetch(rows.all_open_of, guild_id, user_id)

    async def remove(self, dataset_id: int, photo_ids: Sequence[int], *, guild_id: int, user_id: int) -> Board:
        board = await self.board(dataset_id, guild_id=guild_id, user_id=user_id)
        if board.dataset.status is not DatasetStatus.OPEN:
            raise UserError("This dataset has been started already; its photos are on their way to the provider.")
        files = await self._database.write(lambda connection: rows.remove_photos(connection, dataset_id, photo_ids))
        self._spool.free(files)
        return await self.board(dataset_id, guild_id=guild_id, user_id=user_id)

    async def discard(self, dataset_id: int, *, guild_id: int, user_id: int) -> Dataset:
        """Delete the photos of a dataset that was not started; UserError when it was."""
        board = await self.board(dataset_id, guild_id=guild_id, user_id=user_id)

        async def transaction(connection: AsyncConnection) -> list[str] | None:
            if not await rows.move(connection, dataset_id, from_=DatasetStatus.OPEN, to=DatasetStatus.DISCARDED):
                return None
            await rows.forget_person(connection, dataset_id)
            about, now = f"dataset #{dataset_id}, discarded", self._clock.now()
            await moderation_log.note(connection, guild_id, Act.DELETED, user_id, about, now=now)
            return await rows.forget_files(connection, dataset_id)

        files = await self._database.write(transaction)
        if files is None:
            raise UserError("This dataset has been started or discarded already.")
        self._spool.free(files)
        return board.dataset

    async def sheet(self, photos: Sequence[Photo], *, first: int = 1) -> bytes | None:
        """The contact sheet of these photos as JPEG; None without photos. `first` is the number of the first one."""
        if not photos:
            return None
        return await self._pool.sheet(
            [
                SheetEntry(
                    number,
                    self._spool.path(photo.file) if photo.file else None,
                    photo.verdict,
                    is_waiting=checks.is_waiting(photo.findings),
                )
                for number, photo in enumerate(photos, start=first)
            ]
        )

    async def advance(self, claim: Claim[Dataset]) -> None:
        """Delete photos whose time is over, even if a training waits for them, and later the dataset's details."""
        now = self._clock.now()
        forgotten_at = claim.row.created_at + self._timings.details_kept

        async def transaction(connection: AsyncConnection) -> list[str]:
            files = await rows.forget_files(connection, claim.id)
            if now >= forgotten_at:
                await mark(connection, datasets, claim)
                await erasure.erase_dataset(connection, claim.id)
                return files
            training = await trainings.latest_of_dataset(connection, claim.id)
            status = DatasetStatus.EXPIRED if claim.row.status is DatasetStatus.OPEN else claim.row.status
            await store(connection, datasets, claim, due_at=forgotten_at, status=status)
            await rows.forget_person(connection, claim.id)
            if training is not None and training.status is TrainingStatus.QUEUED:
                await trainings.wake_queued(connection, training.id, now=now)
            return files

        self._spool.free(await self._database.write(transaction))


async def board_of(connection: AsyncConnection, dataset: Dataset) -> Board:
    """The dataset with its photos; those that wait for the yes of somebody in them are not usable."""
    photos = await rows.photos_of(connection, dataset.id)
    named = await depictions.of_dataset(connection, dataset.id)
    pending = [each for each in named if each.status is DepictionStatus.PENDING]
    judged = judge_set(photos, photo_limits(dataset.subject_kind), {each.consent_id for each in pending})
    return Board(dataset, judged, tuple(pending))


async def check_may_begin(connection: AsyncConnection, guild_id: int, user_id: int) -> None:
    """UserError when the member cannot have one more dataset, or no photo could be put into it."""
    await _check_open(connection, guild_id, user_id)
    await _check_waiting(connection, guild_id, 1)


async def _check_open(connection: AsyncConnection, guild_id: int, user_id: int) -> None:
    if await rows.count_open_of(connection, guild_id, user_id) >= OPEN_MAX:
        raise UserError(
            f"You have {OPEN_MAX} open datasets here already. See the newest with `/dataset show`, "
            "start or discard it, then send `/train` again."
        )


async def _check_waiting(connection: AsyncConnection, guild_id: int, more: int) -> None:
    """UserError when the server would have more photos waiting than WAITING_MAX."""
    if await rows.count_waiting_photos(connection, guild_id) + more > WAITING_MAX:
        raise UserError(
            f"Up to {WAITING_MAX} photos of this server can wait for their trainings, and these would be too many. "
            "Please try again when some of the others were trained or discarded."
        )


async def _check_previous(connection: AsyncConnection, order: DatasetOrder, *, guild_id: int, user_id: int) -> None:
    """NotFound unless the user owns the earlier version and it is of the same kind."""
    assert order.previous_lora_id is not None  # the caller has looked
    lora = await loras.get(connection, order.previous_lora_id)
    may = lora is not None and rights.allows(Right.SHARE, lora, (), Actor(guild_id, user_id), ())
    if lora is None or not may or lora.subject_kind is not order.subject_kind:
        raise NotFound("The LoRA that this would be a newer version of is not here any more.")
