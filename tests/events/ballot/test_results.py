"""What is shown of counted ballots: the votes of one, and the table of a year; and how both are drawn."""

import io
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from PIL import Image, ImageChops

from bot.events.ballot.charts import LIMIT, MOST_ROWS, WIDTH, draw_season, draw_votes
from bot.events.ballot.results import ResultService, Season, SeasonRow, VoteCount
from bot.records.event import EventMode, EventStatus
from bot.storage.events.tables import honours
from tests.events.ballot.ballots import CLEO, DAN, World, open_world
from tests.fakes.resources import resources
from tests.fakes.rows import ANNA, BEN, GUILD, OTHER_GUILD

pytestmark = pytest.mark.both
S = EventStatus


@pytest.fixture
async def world(tmp_path: Path, database_url: str) -> AsyncIterator[World]:
    async with open_world(tmp_path, database_url) as world:
        yield world


@pytest.fixture
def results(world: World) -> ResultService:
    return ResultService(resources(world.database, world.spool, world.clock))


async def test_the_votes_of_each_entry_are_told_once_they_are_counted(world: World, results: ResultService) -> None:
    """Mutant: without the look at the stage everybody could follow the vote."""
    event = await world.voting(ANNA, BEN, CLEO)
    await world.vote_for(event, DAN, BEN)
    await world.vote_for(event, ANNA, BEN)
    await world.vote_for(event, BEN, CLEO)
    assert await results.vote_counts(event.id) == []
    await world.move(event, S.FINISHED)
    owners = await world.owners(event)
    told = [(owners[each.number - 1], each.place, each.votes) for each in await results.vote_counts(event.id)]
    assert told == [(BEN, 1, 2), (CLEO, 2, 1), (ANNA, 3, 0)]


async def test_a_ballot_without_votes_and_one_that_was_cancelled_have_no_plot(
    world: World, results: ResultService
) -> None:
    silent, cancelled = await world.voting(ANNA, BEN), await world.voting(ANNA, BEN)
    await world.vote_for(cancelled, ANNA, BEN)
    await world.move(silent, S.FINISHED)
    await world.move(cancelled, S.CANCELLED)
    assert [await results.vote_counts(each) for each in (silent.id, cancelled.id, 987)] == [[], [], []]


async def won(
    world: World,
    *,
    voters: list[int],
    year: int,
    status: EventStatus = S.FINISHED,
    mode: EventMode = EventMode.PERSONAL,
) -> None:
    """Anna's first and Ben's second place, of this year."""
    event = await world.voting(ANNA, BEN, mode=mode) if mode is EventMode.PERSONAL else await world.event(mode=mode)
    for voter in voters:
        await world.vote_for(event, voter, ANNA)
    await world.vote_for(event, ANNA, BEN)
    for honour in await world.ballots.count(event):
        await world.change(honours, honour.id, awarded_at=datetime(year, 6, 1, tzinfo=UTC))
    await world.move(event, status)


async def test_the_season_is_the_last_year_in_which_somebody_won(world: World, results: ResultService) -> None:
    """Mutant: without the time, wins of all years are added up."""
    year = world.clock.now().year
    assert await results.season(GUILD) == Season(year, [])
    await won(world, voters=[BEN, CLEO, DAN], year=year - 1)
    await won(world, voters=[BEN, CLEO], year=year - 1)
    await won(world, voters=[CLEO, DAN], year=year - 2)
    found = await results.season(GUILD)
    assert found == Season(year - 1, [SeasonRow(ANNA, (2, 0, 0), 5), SeasonRow(BEN, (0, 2, 0), 2)])
    assert [row.points for row in found.rows] == [6, 4]
    await won(world, voters=[BEN, CLEO], year=year, status=S.VOTING)
    assert (await results.season(GUILD)).year == year - 1
    assert (await results.season(OTHER_GUILD)).rows == []


def picture(jpeg: bytes) -> Image.Image:
    assert len(jpeg) <= LIMIT
    with Image.open(io.BytesIO(jpeg)) as image:
        return image.convert("RGB")


@pytest.mark.parametrize("number", [1, 2, MOST_ROWS, 200])
def test_any_number_of_entries_and_any_title_can_be_drawn(number: int) -> None:
    counts = [VoteCount(each, None, each, number - each, 0) for each in range(1, number + 1)]
    drawn = picture(draw_votes("日本語 \U000f1234 " + "W" * 100, counts))
    assert drawn.width == WIDTH
    assert drawn.height < 64 * (MOST_ROWS + 4)


def test_more_votes_are_a_longer_bar_and_the_jurys_are_seen() -> None:
    def drawn(votes: int, jury: int) -> Image.Image:
        counts = [VoteCount(1, "strength 0.8", 1, 10, 0), VoteCount(2, None, 2, votes, jury)]
        return picture(draw_votes("Fox days", counts))

    few, many, jury = drawn(2, 0), drawn(8, 0), drawn(8, 4)
    bars = [sum(each == (138, 127, 192) for each in map(near, pixels(image))) for image in (few, many)]
    assert bars[0] < bars[1]
    assert ImageChops.difference(many, jury).getbbox() is not None


def pixels(image: Image.Image) -> list[tuple[int, int, int]]:
    data = image.tobytes()
    return [(data[at], data[at + 1], data[at + 2]) for at in range(0, len(data), 3)]


def near(pixel: tuple[int, int, int]) -> tuple[int, int, int]:
    bar = (138, 127, 192)
    return bar if max(abs(one - other) for one, other in zip(pixel, bar, strict=True)) < 12 else pixel


def test_a_season_is_drawn_with_whoever_is_in_it() -> None:
    rows = [SeasonRow(ANNA, (3, 0, 1), 20), SeasonRow(BEN, (3, 0, 1), 20), SeasonRow(CLEO, (0, 1, 0), 0)]
    named = picture(draw_season(Season(2026, rows), {ANNA: "Анна", BEN: "@ben"}))
    assert ImageChops.difference(named, picture(draw_season(Season(2026, rows), {}))).getbbox() is not None
