"""Pictures that were made and are not there: the others are posted at once, the missing one is asked for and named."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.generation import failures
from bot.generation.order import PictureOrder
from bot.records.generation import Generation, GenerationSettings, GenerationStatus
from bot.records.guild import Actor
from bot.records.job import LaneName
from bot.records.post import PostKind
from bot.sandbox.apiframe.state import JobFault
from bot.sandbox.aurous.records import ImageFault
from bot.sandbox.rehearsal.faults import Fault
from bot.sandbox.rehearsal.server import RehearsalServer
from bot.storage import tables
from tests.fakes.rows import ANNA, GUILD
from tests.fakes.studio import Studio
from tests.fakes.waiting import eventually
from tests.generation.picture_orders import add_style, output_routes, pictures, place, set_aurous_key

S = GenerationStatus
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Maker:
    """A provider of pictures: how three are ordered, where they are fetched, and how the third is lost for good."""

    order: Callable[[Studio], Awaitable[Generation]]
    outputs: str
    server: Callable[[Studio], RehearsalServer]
    lose_one: Callable[[Studio], None]


async def order(studio: Studio) -> Generation:
    await studio.set_key()
    return await studio.order(await studio.lora(), count=3)


async def order_at_aurous(studio: Studio) -> Generation:
    await set_aurous_key(studio)
    wanted = PictureOrder("a fox", GenerationSettings(count=3), style_id=await add_style(studio))
    return (await place(studio, wanted)).generation


MAKERS = {
    "Apiframe": Maker(
        order,
        "GET /images/{name}",
        lambda studio: studio.server,
        lambda studio: studio.server.faults.jobs.append(JobFault.ONE_GONE),
    ),
    "Aurous Labs": Maker(
        order_at_aurous,
        "GET /v1/images/{id}/output/{number}",
        lambda studio: studio.aurous,
        lambda studio: studio.aurous.faults.images.append(ImageFault.ONE_GONE),
    ),
}


@pytest.fixture(params=MAKERS.values(), ids=list(MAKERS))
def maker(request: pytest.FixtureRequest) -> Maker:
    chosen = request.param
    assert isinstance(chosen, Maker)
    return chosen


async def made(studio: Studio, maker: Maker) -> Generation:
    """Three pictures that are ready at the provider and not fetched yet."""
    ordered = await maker.order(studio)
    await studio.settle()
    for _ in range(20):
        studio.clock.advance(2 * SECOND)
        await studio.work(LaneName.GENERATIONS)
        if (await studio.generation(ordered.id)).status is S.FETCHING:
            return ordered
    raise AssertionError("they are never ready")


async def numbers(studio: Studio, generation: Generation) -> list[int]:
    """Of the pictures that we have."""
    rows = tables.pictures.c
    return await studio.scalars(sa.select(rows.position).where(rows.generation_id == generation.id).order_by(rows.id))


async def missing_after(studio: Studio, generation: Generation) -> timedelta:
    """How long it takes until nothing more is awaited."""
    since = studio.clock.now()
    for _ in range(60):
        if (await studio.generation(generation.id)).doubt is None:
            return studio.clock.now() - since
        await studio.pass_time(5 * SECOND)
    raise AssertionError("it is never decided")


async def test_of_three_pictures_two_are_posted_at_once_and_the_third_is_named_in_90_seconds(
    studio: Studio, maker: Maker
) -> None:
    maker.lose_one(studio)
    ordered = await made(studio, maker)
    await studio.settle()
    assert studio.poster.kinds() == [PostKind.PICTURES]
    assert await numbers(studio, ordered) == [1, 2]
    assert timedelta(seconds=30) < await missing_after(studio, ordered) <= timedelta(seconds=90)
    ended = await studio.generation(ordered.id)
    assert (ended.status, ended.late) == (S.READY, (3,))
    assert ended.error == "Picture 3 of 3 is missing: the provider made it and no longer has it."
    assert studio.poster.kinds() == [PostKind.PICTURES, PostKind.PICTURES_LATE]
    assert len(studio.files()) == 2


ODD = {
    "404": Fault.answer(404),
    "403": Fault.answer(403),
    "410": Fault.answer(410),
    "a page of an edge": Fault.edge_page(),
    "200 with a page": Fault.html_200(),
    "an empty 200": Fault.answer(200, body=b""),
    "500": Fault.answer(500),
    "half a file": Fault.half_body(),
}


@pytest.mark.parametrize("fault", ODD.values(), ids=ODD)
async def test_a_picture_that_is_there_a_moment_later_follows_the_others(
    studio: Studio, maker: Maker, fault: Fault
) -> None:
    ordered = await made(studio, maker)
    maker.server(studio).faults.next(maker.outputs, fault)
    await studio.settle()
    assert len(await numbers(studio, ordered)) == 2
    await studio.pass_time(MINUTE)
    ended = await studio.generation(ordered.id)
    assert (ended.status, ended.doubt, ended.error) == (S.READY, None, None)
    assert sorted(await numbers(studio, ordered)) == [1, 2, 3]
    assert studio.poster.kinds() == [PostKind.PICTURES, PostKind.PICTURES_LATE]


@pytest.mark.parametrize("count", range(1, 5))
async def test_pictures_none_of_which_are_there_at_first_come_all_the_same(
    studio: Studio, maker: Maker, count: int
) -> None:
    ordered = await made(studio, maker)
    maker.server(studio).faults.next(maker.outputs, *[Fault.answer(404)] * 3 * count)
    await studio.settle()
    assert (await studio.generation(ordered.id)).status is S.FETCHING
    await studio.outlast(studio.timings.picture_doubted)
    assert (await studio.generation(ordered.id)).status is S.READY
    assert studio.poster.kinds() == [PostKind.PICTURES]


async def test_pictures_all_of_which_are_gone_end_with_a_word_in_90_seconds(studio: Studio, maker: Maker) -> None:
    ordered = await made(studio, maker)
    maker.server(studio).faults.next(maker.outputs, *[Fault.answer(404)] * 60)
    since = studio.clock.now()
    while (await studio.generation(ordered.id)).status is S.FETCHING:
        await studio.pass_time(5 * SECOND)
    assert timedelta(seconds=30) < studio.clock.now() - since <= timedelta(seconds=90)
    assert "deleted these pictures" in ((await studio.generation(ordered.id)).error or "")
    assert studio.poster.kinds() == [PostKind.PICTURES_FAILED]
    assert studio.files() == []


async def test_a_missing_picture_is_asked_for_after_a_restart_as_well(studio: Studio, maker: Maker) -> None:
    maker.lose_one(studio)
    ordered = await made(studio, maker)
    await studio.settle()
    first = await studio.generation(ordered.id)
    assert first.due_at is not None
    studio.clock.advance(first.due_at - studio.clock.now())
    assert await studio.claim(LaneName.GENERATIONS, owner="a process that ends")
    studio.clock.advance(studio.timings.lease)
    await studio.settle()
    second = await studio.generation(ordered.id)
    assert first.doubt is not None
    assert second.doubt is not None
    assert (second.doubt.since, second.doubt.answers) == (first.doubt.since, 2)
    await missing_after(studio, ordered)
    assert studio.poster.kinds() == [PostKind.PICTURES, PostKind.PICTURES_LATE]


async def test_a_picture_with_a_new_address_is_fetched_there(studio: Studio) -> None:
    ordered = await made(studio, MAKERS["Apiframe"])
    right = (await studio.generation(ordered.id)).image_urls
    stale = (*right[:2], right[2].replace("/images/", "/images/old-"))
    await studio.change(tables.generations, ordered.id, image_urls=stale)
    await studio.settle()
    assert await numbers(studio, ordered) == [1, 2]
    await studio.pass_time(MINUTE)
    assert sorted(await numbers(studio, ordered)) == [1, 2, 3]
    assert (await studio.generation(ordered.id)).image_urls == right


async def test_a_set_that_is_deleted_meanwhile_gets_no_further_picture(studio: Studio, maker: Maker) -> None:
    ordered = await made(studio, maker)
    maker.server(studio).faults.next(maker.outputs, Fault.answer(404))
    await studio.settle()
    await studio.pictures.delete(ordered.id, Actor(GUILD, ANNA))
    await studio.pass_time(MINUTE)
    assert studio.files() == []
    assert studio.poster.kinds().count(PostKind.PICTURES_LATE) == 0
    assert (await studio.generation(ordered.id)).doubt is None


async def test_a_member_who_is_erased_meanwhile_leaves_nothing_behind(studio: Studio, maker: Maker) -> None:
    maker.lose_one(studio)
    await made(studio, maker)
    await studio.settle()
    await studio.privacy.forget_member(guild_id=GUILD, user_id=ANNA)
    await studio.pass_time(2 * MINUTE)
    assert studio.files() == []


async def test_a_picture_that_cannot_be_fetched_for_a_day_is_named_then(studio: Studio, maker: Maker) -> None:
    ordered = await made(studio, maker)
    maker.server(studio).faults.next(maker.outputs, Fault.answer(500))
    await studio.settle()
    maker.server(studio).faults.next(maker.outputs, *[Fault.answer(500)] * 1000)
    for _ in range(3):
        assert (await studio.generation(ordered.id)).doubt is not None
        await studio.pass_time(timedelta(hours=9))
    ended = await studio.generation(ordered.id)
    assert (ended.status, ended.doubt) == (S.READY, None)
    assert "within a day" in (ended.error or "")


class Arrivals:
    """Counts the pictures that have come whole."""

    def __init__(self, check: Callable[[Path], Awaitable[None]]) -> None:
        self.whole = 0
        self._check = check

    async def check_whole(self, picture: Path) -> None:
        await self._check(picture)
        self.whole += 1


@pytest.fixture
def arrivals(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> Arrivals:
    counting = Arrivals(studio.opened.pool.check_whole)
    monkeypatch.setattr(studio.opened.pool, "check_whole", counting.check_whole)
    return counting


async def look(studio: Studio, step: timedelta, is_there: Callable[[], bool] = lambda: True) -> bool:
    """Time passes; who waits for what hangs loses patience once `is_there`. Whether somebody did."""
    studio.clock.advance(step)
    working = asyncio.create_task(studio.settle())
    await eventually(lambda: working.done() or (bool(studio.clock.sleeping_until) and is_there()))
    is_impatient = not working.done()
    studio.clock.advance(studio.timings.picture_patience)
    await working
    return is_impatient


@pytest.mark.parametrize("hanging", [1, 2, 3])
async def test_a_picture_that_hangs_does_not_hold_up_the_others(
    studio: Studio, maker: Maker, arrivals: Arrivals, hanging: int
) -> None:
    """Mutants: one after the other; waiting for all of them."""
    ordered = await made(studio, maker)
    maker.server(studio).faults.next((await output_routes(studio, ordered))[hanging - 1], Fault.hang())
    assert await look(studio, timedelta(), lambda: arrivals.whole == 2)
    assert await numbers(studio, ordered) == [number for number in (1, 2, 3) if number != hanging]
    assert studio.poster.kinds() == [PostKind.PICTURES]
    assert len(studio.files()) == 2
    await studio.pass_time(MINUTE)
    assert sorted(await numbers(studio, ordered)) == [1, 2, 3]
    assert studio.poster.kinds() == [PostKind.PICTURES, PostKind.PICTURES_LATE]


async def test_a_picture_that_is_gone_is_named_in_90_seconds_although_another_hangs(
    studio: Studio, maker: Maker, arrivals: Arrivals
) -> None:
    """Mutant: nothing is decided while one of them may still come."""
    maker.lose_one(studio)
    ordered = await made(studio, maker)
    maker.server(studio).faults.next((await output_routes(studio, ordered))[0], *[Fault.hang()] * 10)
    since = studio.clock.now()
    assert await look(studio, timedelta(), lambda: arrivals.whole == 1)
    assert (await numbers(studio, ordered), studio.poster.kinds()) == ([2], [PostKind.PICTURES])
    while (await studio.generation(ordered.id)).doubt is not None:
        await look(studio, SECOND)
    assert studio.clock.now() - since <= timedelta(seconds=90)
    ended = await studio.generation(ordered.id)
    assert ended.error == failures.incomplete([3], 3, failures.GONE_PICTURE)
    assert sorted(await numbers(studio, ordered)) == [1, 2]
    assert sorted(await pictures(studio, ordered), key=str).count(None) == 1, "it is given as a link"
    assert studio.poster.kinds() == [PostKind.PICTURES, PostKind.PICTURES_LATE]


async def test_beside_a_picture_that_is_gone_those_that_hang_are_given_as_links(studio: Studio, maker: Maker) -> None:
    maker.lose_one(studio)
    ordered = await made(studio, maker)
    for route in (await output_routes(studio, ordered))[:2]:
        maker.server(studio).faults.next(route, *[Fault.hang()] * 10)
    since = studio.clock.now()
    while (await studio.generation(ordered.id)).status is S.FETCHING:
        await look(studio, SECOND)
    assert studio.clock.now() - since <= timedelta(seconds=90)
    ended = await studio.generation(ordered.id)
    assert (ended.status, ended.error) == (S.READY, failures.incomplete([3], 3, failures.GONE_PICTURE))
    assert await pictures(studio, ordered) == [None, None]
    assert studio.poster.kinds() == [PostKind.PICTURES]
