"""Who gets the next slot of a team: the server with the fewest, of it the member with the fewest, then the oldest."""

from collections import Counter
from collections.abc import Mapping

import hypothesis.strategies as st
from hypothesis import given

from bot.keys.slots import fair_order
from bot.storage.money.slots import Waiting

WHO = st.tuples(st.integers(1, 3), st.integers(1, 5))
WAITING = st.lists(WHO, max_size=40).map(lambda found: [Waiting(number, *who) for number, who in enumerate(found, 1)])
HELD = st.dictionaries(WHO, st.integers(0, 12), max_size=8)
Held = dict[tuple[int, int], int]


def jain(shares: Mapping[object, int]) -> float:
    """Jain's index of fairness: 1 when all have the same, 1/n when one has everything."""
    total, squares = sum(shares.values()), sum(each * each for each in shares.values())
    return total * total / (len(shares) * squares)


@given(WAITING, HELD)
def test_everybody_who_waits_gets_a_turn_and_only_once(waiting: list[Waiting], held: Held) -> None:
    assert Counter(fair_order(waiting, held)) == Counter(job.job_id for job in waiting)


@given(WAITING, HELD)
def test_each_slot_goes_to_the_server_and_then_the_member_with_the_fewest(waiting: list[Waiting], held: Held) -> None:
    """The slow and obvious way gives the same order."""
    left, counts = list(waiting), Counter(held)

    def rank(job: Waiting) -> tuple[int, int, int]:
        of_guild = sum(number for (guild_id, _), number in counts.items() if guild_id == job.guild_id)
        return of_guild, counts[job.guild_id, job.user_id], job.job_id

    for chosen in fair_order(waiting, held):
        job = min(left, key=rank)
        assert chosen == job.job_id
        counts[job.guild_id, job.user_id] += 1
        left.remove(job)


@given(WAITING, HELD)
def test_the_order_does_not_depend_on_how_the_counts_were_read(waiting: list[Waiting], held: Held) -> None:
    shuffled, before = dict(reversed(held.items())), dict(held)
    assert fair_order(waiting, held) == fair_order(waiting, shuffled) == fair_order(tuple(waiting), held)
    assert held == before


@given(WAITING, HELD)
def test_a_members_own_jobs_keep_their_order(waiting: list[Waiting], held: Held) -> None:
    owners = {job.job_id: (job.guild_id, job.user_id) for job in waiting}
    order = fair_order(waiting, held)
    for owner in set(owners.values()):
        mine = [job_id for job_id in order if owners[job_id] == owner]
        assert mine == sorted(mine)


@given(flood=st.integers(1, 200), others=st.integers(1, 9))
def test_a_member_with_hundreds_waiting_does_not_hold_up_a_newcomer(flood: int, others: int) -> None:
    waiting = [Waiting(number, 1, 1) for number in range(flood)]
    newcomers = [Waiting(flood + number, 1, 2 + number) for number in range(others)]
    order = fair_order(waiting + newcomers, {(1, 1): 1})
    assert order[:others] == [job.job_id for job in newcomers]


@given(flood=st.integers(1, 200), members=st.integers(1, 9))
def test_a_server_with_hundreds_waiting_does_not_hold_up_another_one(flood: int, members: int) -> None:
    waiting = [Waiting(number, 1, number % members) for number in range(flood)] + [Waiting(flood, 2, 99)]
    assert flood in fair_order(waiting, {(1, 0): 1})[:1]


@given(flood=st.integers(20, 300))
def test_ten_members_share_with_a_flood_as_equals(flood: int) -> None:
    """Of the slots given while all of them still wait, nobody has more than a twentieth above the others."""
    waiting = [Waiting(number, 1, 0) for number in range(flood)]
    waiting += [Waiting(flood + number, 1, 1 + number % 10) for number in range(200)]
    owners = {job.job_id: job.user_id for job in waiting}
    assert jain(Counter(owners[job_id] for job_id in fair_order(waiting, {})[:220])) >= 0.95


def test_a_thousand_waiting_members_take_few_looks_at_the_counts() -> None:
    looks = 0

    class Counted(dict[tuple[int, int], int]):
        def __getitem__(self, key: tuple[int, int]) -> int:
            nonlocal looks
            looks += 1
            return super().__getitem__(key)

    held = Counted({(1, number): 1 for number in range(1000)})
    assert len(fair_order([Waiting(number, 1, number % 1000) for number in range(2000)], held)) == 2000
    assert looks <= 1000
