"""Nobody fills the disk: open datasets, photos that wait, and the room that stays free."""

import asyncio
import dataclasses
import errno
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import BinaryIO, cast

import pytest

from bot.datasets.rules import DatasetOrder
from bot.datasets.service import OPEN_MAX, WAITING_MAX, DatasetService
from bot.errors import StorageTrouble, UserError
from bot.generation.references import References
from bot.photos.intake import Spool
from bot.photos.room import Room
from bot.process.readings import measure
from bot.records.dataset import Dataset, DatasetStatus, SubjectKind
from tests.fakes.attachments import Attachments
from tests.fakes.rows import ANNA, BEN, CHANNEL, GUILD, OTHER_GUILD, add_photos, photo
from tests.fakes.studio import Studio

THING = DatasetOrder("Rex", SubjectKind.OBJECT)


async def begin(studio: Studio, *, user_id: int = ANNA, guild_id: int = GUILD) -> Dataset:
    return await studio.datasets.create(THING, guild_id=guild_id, channel_id=CHANNEL, user_id=user_id)


async def wait_with(studio: Studio, count: int, *, guild_id: int = GUILD, **changes: object) -> int:
    """A dataset with so many photos on disk, as far as the database knows."""
    dataset_id = await studio.dataset(user_id=BEN, guild_id=guild_id, count=0, **changes)
    await add_photos(
        studio.database, [photo(number, dataset_id, file=f"{number:032x}.jpg") for number in range(1, count + 1)]
    )
    return dataset_id


async def test_a_member_has_so_many_open_datasets_and_is_told_what_to_do(studio: Studio) -> None:
    opened = [await begin(studio) for _ in range(OPEN_MAX)]
    with pytest.raises(UserError, match=rf"{OPEN_MAX} open datasets.*/dataset show.*/train"):
        await begin(studio)
    await begin(studio, user_id=BEN)
    await begin(studio, guild_id=OTHER_GUILD)
    await studio.datasets.discard(opened[0].id, guild_id=GUILD, user_id=ANNA)
    await begin(studio)


async def test_of_many_forms_sent_at_once_no_more_than_the_limit_are_opened(studio: Studio) -> None:
    """Mutant: counting before the transaction instead of in it."""
    answers = await asyncio.gather(*(begin(studio) for _ in range(12)), return_exceptions=True)
    assert sum(isinstance(answer, Dataset) for answer in answers) == OPEN_MAX
    assert {type(answer) for answer in answers} == {Dataset, UserError}


async def test_started_datasets_and_those_of_events_leave_room_for_others(studio: Studio) -> None:
    await studio.set_key()
    for _ in range(OPEN_MAX):
        await studio.begin()
        await studio.dataset(count=0, event_id=7)
    assert (await begin(studio)).status is DatasetStatus.OPEN


async def test_a_server_has_so_many_photos_waiting(studio: Studio, attachments: Attachments) -> None:
    await wait_with(studio, WAITING_MAX - 2)
    await wait_with(studio, 40, guild_id=OTHER_GUILD)
    await wait_with(studio, 40, event_id=7)
    mine = await begin(studio)
    with pytest.raises(UserError, match=str(WAITING_MAX)):
        await studio.datasets.take_in(mine, attachments.add_photos(3))
    assert (attachments.asked_for, studio.files()) == ([], [])
    board = await studio.datasets.take_in(mine, attachments.add_photos(2))
    assert len(board.photos) == 2


async def test_of_two_submissions_for_the_last_places_one_is_taken_and_leaves_no_rest(
    studio: Studio, attachments: Attachments
) -> None:
    await wait_with(studio, WAITING_MAX - 3)
    first, second = await begin(studio), await begin(studio)
    answers = await asyncio.gather(
        studio.datasets.take_in(first, attachments.add_photos(2)),
        studio.datasets.take_in(second, attachments.add_photos(2, first=3)),
        return_exceptions=True,
    )
    assert sorted(isinstance(answer, UserError) for answer in answers) == [False, True]
    assert len(studio.files()) == 2


async def test_below_the_floor_of_free_disk_nothing_new_is_taken(
    studio: Studio, attachments: Attachments, caplog: pytest.LogCaptureFixture
) -> None:
    mine = await begin(studio)
    free = shutil.disk_usage(studio.folder).free
    nearly_full = dataclasses.replace(studio.opened, room=Room(studio.folder / "spool", floor=2 * free))
    service = DatasetService(nearly_full)
    uploads = attachments.add_photos(2)
    with pytest.raises(UserError, match=r"nearly full.*Nothing was lost"):
        await service.take_in(mine, uploads)
    with pytest.raises(UserError, match="nearly full"):
        await service.create(THING, guild_id=GUILD, channel_id=CHANNEL, user_id=BEN)
    with pytest.raises(UserError, match="nearly full"):
        await References(nearly_full).take_in(uploads)
    assert (attachments.asked_for, studio.files()) == ([], [])
    assert "New photos are refused" in caplog.text
    assert len((await studio.datasets.take_in(mine, uploads)).photos) == 2


@pytest.mark.parametrize("said", [SimpleNamespace(total=0, used=0, free=0), OSError(errno.ENOSYS, "not there")])
async def test_a_file_system_that_does_not_say_how_much_is_free_stops_nobody(
    studio: Studio, monkeypatch: pytest.MonkeyPatch, said: object
) -> None:
    """Mutant: 0 of 0 bytes free is told as a disk that is nearly full."""

    def disk_usage(_folder: Path) -> object:
        if isinstance(said, OSError):
            raise said
        return said

    monkeypatch.setattr(shutil, "disk_usage", disk_usage)
    await Room(studio.folder, floor=10**9).check()


class FullDisk(Spool):
    def path(self, name: str) -> Path:
        return cast("Path", NoRoom(super().path(name)))


@dataclasses.dataclass
class NoRoom:
    """A file on a disk without room (man 4 full)."""

    real: Path

    def open(self, _mode: str, buffering: int) -> BinaryIO:
        self.real.touch()
        return Path("/dev/full").open("wb", buffering=buffering)

    def unlink(self, *, missing_ok: bool) -> None:
        self.real.unlink(missing_ok=missing_ok)


async def test_a_disk_that_fills_up_while_photos_come_is_not_blamed_on_them(
    studio: Studio, attachments: Attachments
) -> None:
    """Mutant: "could not be fetched", with the advice to send it again."""
    mine = await begin(studio)
    service = DatasetService(dataclasses.replace(studio.opened, spool=FullDisk(studio.folder / "spool")))
    with pytest.raises(StorageTrouble, match="disk is nearly full"):
        await service.take_in(mine, attachments.add_photos(2))
    assert studio.files() == []
    assert len((await studio.datasets.take_in(mine, attachments.add_photos(2, first=5))).photos) == 2


async def test_metrics_show_what_photos_take_and_what_is_free(studio: Studio, attachments: Attachments) -> None:
    mine = await begin(studio)
    before = {metric.name: metric.value for metric in await measure(studio.opened.room)}
    await studio.datasets.take_in(mine, attachments.add_photos(2))
    after = {metric.name: metric.value for metric in await measure(studio.opened.room)}
    assert before["darkroom_spool_bytes"] == 0
    assert after["darkroom_spool_bytes"] == sum(studio.spool.path(name).stat().st_size for name in studio.files())
    assert after["darkroom_disk_free_bytes"] > 0
