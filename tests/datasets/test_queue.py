"""Turns: never more than agreed at once, after those who arrive; nobody starves, and who gives up blocks no other."""

import asyncio
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.datasets.queue import ArrivalsFirst, FairQueue

ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("ask"), st.integers(1, 6)),
        st.tuples(st.just("end"), st.integers(0, 20)),
        st.tuples(st.just("cancel"), st.integers(0, 20)),
    ),
    max_size=60,
)


@dataclass
class Request:
    member: int
    number: int
    is_alone: bool
    """The member had no other request under way when it was made."""
    granted_before: int
    """How many turns there had been when it was made."""
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    is_running: bool = False
    task: asyncio.Task[None] | None = None


class Playground:
    """Requests that hold their turn until they are told to end."""

    def __init__(self, at_once: int) -> None:
        self.queue = FairQueue(at_once)
        self.requests: list[Request] = []
        self.granted: list[Request] = []

    async def ask(self, member: int) -> Request:
        is_alone = all(request.member != member for request in self.live())
        request = Request(member, len(self.requests), is_alone, len(self.granted))
        self.requests.append(request)
        request.task = asyncio.create_task(self._hold(request))
        await settle()
        return request

    async def _hold(self, request: Request) -> None:
        async with self.queue(request.member):
            self.granted.append(request)
            request.is_running = True
            try:
                await request.ended.wait()
            finally:
                request.is_running = False

    def live(self) -> list[Request]:
        return [request for request in self.requests if request.task is not None and not request.task.done()]

    def running(self) -> list[Request]:
        return [request for request in self.requests if request.is_running]

    async def end(self, index: int) -> None:
        running = self.running()
        if running:
            running[index % len(running)].ended.set()
            await settle()

    async def cancel(self, index: int) -> None:
        live = self.live()
        if live:
            task = live[index % len(live)].task
            assert task is not None
            task.cancel()
            await settle()

    async def end_all(self) -> None:
        while self.running():
            await self.end(0)


async def settle() -> None:
    for _ in range(6):
        await asyncio.sleep(0)


@given(ACTIONS, st.integers(1, 4))
def test_places_are_never_exceeded_never_idle_and_fairly_given(actions: list[tuple[str, int]], at_once: int) -> None:
    async def play() -> None:
        ground = Playground(at_once)
        for action, value in actions:
            await getattr(ground, action)(value)
            assert len(ground.running()) == min(at_once, len(ground.live()))
        await ground.end_all()
        assert ground.live() == []
        check_own_order(ground)
        check_nobody_starved(ground)

    asyncio.run(play())


def check_own_order(ground: Playground) -> None:
    for member in {request.member for request in ground.granted}:
        numbers = [request.number for request in ground.granted if request.member == member]
        assert numbers == sorted(numbers)


def check_nobody_starved(ground: Playground) -> None:
    others = len({request.member for request in ground.requests}) - 1
    for position, request in enumerate(ground.granted):
        if request.is_alone:
            assert position - request.granted_before <= others


async def test_one_request_goes_before_the_rest_of_a_flood() -> None:
    ground = Playground(1)
    for _ in range(50):
        await ground.ask(1)
    mine = await ground.ask(2)
    await ground.end(0)
    assert ground.running() == [mine]
    await ground.end_all()


async def test_among_equals_whoever_was_served_longest_ago_goes_first() -> None:
    ground = Playground(1)
    for member in (1, 2, 3):
        await ground.ask(member)
    for member in (3, 1, 2):
        await ground.ask(member)
    await ground.end_all()
    assert [request.member for request in ground.granted] == [1, 2, 3, 1, 2, 3]


async def test_whoever_holds_fewer_places_goes_first_even_if_served_later() -> None:
    ground = Playground(3)
    for member in (1, 1, 2):
        await ground.ask(member)
    waiting = [await ground.ask(member) for member in (1, 2)]
    await ground.end(2)
    assert ground.running()[-1] == waiting[1]
    await ground.end_all()


async def test_a_place_that_gets_free_skips_whoever_has_just_been_cancelled() -> None:
    ground = Playground(1)
    first, second, third = [await ground.ask(member) for member in (1, 2, 3)]
    first.ended.set()
    assert second.task is not None
    second.task.cancel()
    await settle()
    assert ground.running() == [third]
    await ground.end_all()


async def test_a_request_cancelled_the_moment_its_turn_comes_passes_it_on() -> None:
    ground = Playground(1)
    first, second, third = [await ground.ask(member) for member in (1, 2, 3)]
    first.ended.set()
    await asyncio.sleep(0)
    assert not second.is_running
    assert second.task is not None
    second.task.cancel()
    await settle()
    assert ground.running() == [third]
    await ground.end_all()


async def test_an_error_inside_gives_the_place_back() -> None:
    ground = Playground(1)
    with pytest.raises(ZeroDivisionError):
        async with ground.queue(1):
            raise ZeroDivisionError
    after = await ground.ask(2)
    assert ground.running() == [after]
    await ground.end_all()


class Queue:
    """Works on jobs that end at once, and notes their names in the order in which they began."""

    def __init__(self, queue: ArrivalsFirst) -> None:
        self.queue = queue
        self.begun: list[str] = []

    def put(self, name: str, until: asyncio.Event | None = None, *, member: int = 1) -> asyncio.Task[None]:
        return asyncio.create_task(self._work(name, until, member))

    async def _work(self, name: str, until: asyncio.Event | None, member: int) -> None:
        async with self.queue(member):
            self.begun.append(name)
            if until is not None:
                await until.wait()


async def test_work_begins_only_when_everybody_who_arrives_has_been_answered() -> None:
    queue = Queue(ArrivalsFirst(2))
    with queue.queue.arriving():
        with queue.queue.arriving():
            work = queue.put("photos")
            await settle()
        await settle()
        assert queue.begun == []
    await work
    assert queue.begun == ["photos"]


async def test_work_that_has_begun_goes_on_while_somebody_arrives() -> None:
    queue, done = Queue(ArrivalsFirst(1)), asyncio.Event()
    work = queue.put("photos", done)
    await settle()
    with queue.queue.arriving():
        done.set()
        await settle()
        assert work.done()


async def test_an_arrival_that_is_never_answered_does_not_stop_the_work() -> None:
    queue = Queue(ArrivalsFirst(1, let_in_s=0.01))
    with queue.queue.arriving():
        await queue.put("photos")
    assert queue.begun == ["photos"]


async def test_an_arrival_that_fails_is_over() -> None:
    queue = Queue(ArrivalsFirst(1))
    with pytest.raises(ZeroDivisionError), queue.queue.arriving():
        raise ZeroDivisionError
    await queue.put("photos")
    assert queue.begun == ["photos"]


async def test_places_are_so_many_at_once_and_in_order() -> None:
    queue, done = Queue(ArrivalsFirst(2)), asyncio.Event()
    work = [queue.put(name, done) for name in "abc"]
    await settle()
    assert queue.begun == ["a", "b"]
    done.set()
    await asyncio.gather(*work)
    assert queue.begun == ["a", "b", "c"]


async def test_a_member_with_many_submissions_lets_the_others_in_between() -> None:
    """Mutant: one line for everybody, in which twelve forms of one member stand before the next member's."""
    queue, done = Queue(ArrivalsFirst(2)), [asyncio.Event() for _ in range(2)]
    work = [queue.put(f"hog {number}", done[number % 2]) for number in range(12)]
    await settle()
    work += [queue.put("late", member=2), queue.put("later", member=3)]
    await settle()
    assert queue.begun == ["hog 0", "hog 1"]
    done[0].set()
    await settle()
    assert queue.begun[2:4] == ["late", "later"]
    done[1].set()
    await asyncio.gather(*work)
    assert len(queue.begun) == 14


async def test_work_given_up_while_it_waits_for_arrivals_gives_its_place_back() -> None:
    queue = Queue(ArrivalsFirst(1))
    with queue.queue.arriving():
        given_up = queue.put("given up")
        await settle()
        given_up.cancel()
        await settle()
    await queue.put("next")
    assert queue.begun == ["next"]
