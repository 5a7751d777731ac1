"""Files that no row refers to: deleted in time, never while they may be coming in."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from bot.storage.database import Database
from bot.strays import STRAY_AGE, Strays
from tests.fakes.old_files import make_older
from tests.fakes.studio import Studio
from tests.fakes.waiting import eventually

pytestmark = pytest.mark.both


@pytest.fixture
def strays(studio: Studio) -> Strays:
    return Strays(studio.spool, studio.database, studio.clock)


def write(studio: Studio, *, age: timedelta) -> str:
    """A file that no row names."""
    name = studio.spool.new_name(".jpg")
    studio.spool.path(name).write_bytes(b"x")
    make_older(studio.spool.path(name), age)
    return name


@contextlib.asynccontextmanager
async def running(strays: Strays) -> AsyncIterator[None]:
    task = asyncio.create_task(strays.run())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def test_photos_that_are_coming_in_and_those_of_rows_stay_however_old(studio: Studio, strays: Strays) -> None:
    await studio.dataset(count=3)
    for name in studio.files():
        make_older(studio.spool.path(name), timedelta(days=1))
    named = studio.files()
    coming = write(studio, age=STRAY_AGE - timedelta(minutes=1))
    write(studio, age=STRAY_AGE)
    assert await strays.sweep() == 1
    assert studio.files() == sorted([*named, coming])


async def test_what_is_too_young_at_the_start_is_deleted_within_the_time_that_was_promised(
    studio: Studio, strays: Strays
) -> None:
    left_behind = write(studio, age=timedelta(0))
    assert await strays.sweep() == 0
    async with running(strays):
        await eventually(lambda: studio.clock.sleeping_until == [studio.clock.now() + STRAY_AGE])
        make_older(studio.spool.path(left_behind), STRAY_AGE)
        studio.clock.advance(STRAY_AGE)
        await eventually(lambda: studio.files() == [])


async def test_a_database_that_is_away_for_a_while_does_not_end_it(
    studio: Studio, strays: Strays, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    write(studio, age=STRAY_AGE)
    with monkeypatch.context() as away:

        def fail(_database: Database) -> None:
            raise OSError("away")

        away.setattr(Database, "read", fail)
        async with running(strays):
            for _ in range(2):
                await eventually(lambda: studio.clock.sleeping_until == [studio.clock.now() + STRAY_AGE])
                studio.clock.advance(STRAY_AGE)
            await eventually(lambda: caplog.text.count("could not be swept") == 2)
    assert await strays.sweep() == 1


async def test_a_clock_that_was_just_set_makes_no_file_old(studio: Studio, strays: Strays) -> None:
    """Mutant: a sweep whatever the clock says. A photo that is coming in is deleted."""
    coming = write(studio, age=timedelta(days=1))
    studio.clock.is_settled = False
    async with running(strays):
        for settled in (False, True):
            studio.clock.is_settled = settled
            await eventually(lambda: len(studio.clock.sleeping_until) == 1)
            assert studio.files() == [coming]
            studio.clock.advance(STRAY_AGE)
            await asyncio.sleep(0)
        await eventually(lambda: studio.files() == [])
