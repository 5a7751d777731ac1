"""What is not asked of Discord: anything while it is away or refuses all, the like of what a place has just refused."""

import asyncio
from datetime import timedelta

import pytest

from bot.ports import NotNow, PlaceRefused
from bot.reach import CLOSED_FOR, FAILURES, PROBED_EVERY, Act, Reach
from bot.records.guild import Place, PlaceKind
from bot.records.post import PostKind
from tests.fakes.clock import ManualClock
from tests.fakes.rows import ANNA, CHANNEL, THREAD

HERE, THERE, PRIVATELY = (
    Place(PlaceKind.CHANNEL, CHANNEL),
    Place(PlaceKind.CHANNEL, THREAD),
    Place(PlaceKind.USER, ANNA),
)
FIRST_PAUSE = timedelta(seconds=5)
AWAY = NotNow("503", is_outage=True)
BANNED = NotNow("banned", retry_after=timedelta(minutes=2), is_outage=True)
BUSY = NotNow("rate limited", retry_after=timedelta(seconds=61))
CLOSED = PlaceRefused("403 / 50013", is_closed=True)
TOO_LONG = PlaceRefused("400 / 50035")


class Calls:
    """Calls to a Discord that answers what it is told to."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.made = 0
        self.recoveries = 0
        self.reach = Reach(self.clock, FIRST_PAUSE, self._recover)

    async def _recover(self) -> None:
        self.recoveries += 1

    async def call(
        self,
        answer: Exception | None = None,
        *,
        place: Place = HERE,
        kind: PostKind = PostKind.PICTURES,
        act: Act = Act.SEND,
    ) -> bool:
        """Whether Discord was asked at all."""
        before = self.made
        try:
            async with self.reach.turn(place, kind, act):
                self.made += 1
                if answer is not None:
                    raise answer
        except (NotNow, PlaceRefused):
            pass
        return self.made > before


@pytest.fixture
def calls() -> Calls:
    return Calls()


async def fail(calls: Calls, times: int) -> None:
    for _ in range(times):
        await calls.call(AWAY)


async def test_a_ban_stops_all_calls_at_once_and_for_as_long_as_it_says(calls: Calls) -> None:
    assert await calls.call(BANNED)
    for place in (HERE, THERE, PRIVATELY):
        assert not await calls.call(place=place, act=Act.EDIT)
    calls.clock.advance(timedelta(minutes=2) - timedelta(seconds=1))
    assert not await calls.call()
    calls.clock.advance(timedelta(seconds=1))
    assert calls.reach.out_until is None
    assert await calls.call()


@pytest.mark.parametrize("between", [None, CLOSED, TOO_LONG])
async def test_failures_between_which_discord_answers_are_no_outage(calls: Calls, between: Exception | None) -> None:
    for place in (HERE, THERE, PRIVATELY):
        await fail(calls, FAILURES - 1)
        await calls.call(between, place=place, act=Act.OTHER)
    assert calls.reach.out_until is None
    assert calls.recoveries == 0


async def test_an_outage_is_probed_with_growing_pauses_up_to_a_minute(calls: Calls) -> None:
    await fail(calls, FAILURES)
    pauses = []
    for _ in range(8):
        out_until = calls.reach.out_until
        assert out_until is not None
        pauses.append(out_until - calls.clock.now())
        calls.clock.advance(pauses[-1])
        await fail(calls, 3)
    assert pauses[0] <= FIRST_PAUSE * 1.2
    assert all(PROBED_EVERY * 0.8 <= pause <= PROBED_EVERY * 1.2 for pause in pauses[4:])
    assert calls.made == FAILURES + 8


@pytest.mark.parametrize("answer", [None, CLOSED])
async def test_the_first_answer_after_an_outage_ends_it_once(calls: Calls, answer: Exception | None) -> None:
    await fail(calls, FAILURES)
    calls.clock.advance(FIRST_PAUSE * 2)
    await calls.call(answer)
    await calls.call()
    assert calls.recoveries == 1
    await fail(calls, FAILURES - 1)
    assert calls.reach.out_until is None


async def test_a_limit_of_one_channel_stops_nobody_else(calls: Calls) -> None:
    for _ in range(FAILURES * 2):
        await calls.call(BUSY)
    assert await calls.call(place=THERE)


async def test_a_closed_place_is_not_asked_again_for_posts_of_the_same_kind(calls: Calls) -> None:
    await calls.call(CLOSED)
    assert not await calls.call()
    assert await calls.call(place=THERE)
    assert await calls.call(place=PRIVATELY)
    assert await calls.call(kind=PostKind.TRAINING_STATUS), "it may lack only the permission for files"
    assert await calls.call(act=Act.EDIT), "its own messages may be edited all the same"
    calls.clock.advance(CLOSED_FOR)
    assert await calls.call()


async def test_a_post_that_is_wrong_by_itself_closes_no_place(calls: Calls) -> None:
    await calls.call(TOO_LONG)
    assert await calls.call()


async def test_calls_for_one_place_go_one_after_the_other(calls: Calls) -> None:
    inside: list[Place] = []

    async def call(place: Place) -> None:
        async with calls.reach.turn(place, PostKind.PICTURES, Act.SEND):
            assert place not in inside
            inside.append(place)
            await asyncio.sleep(0)
            assert len(inside) <= 2
            inside.remove(place)

    await asyncio.gather(*(call(place) for place in (HERE, THERE) * 5))
