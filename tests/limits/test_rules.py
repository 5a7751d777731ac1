"""Which limit holds for whom, what it leaves, and how a refusal is said."""

import contextlib
from datetime import UTC, datetime, timedelta

import hypothesis.strategies as st
import pytest
from hypothesis import given

from bot.limits import rules
from bot.limits.rules import LimitReached, ServerLimitReached, TooSoon
from bot.records.limit import Amount, Limit, LimitKind, Unit
from tests.fakes.clock import NOON
from tests.fakes.rows import ADMIN, GUILD

ARTISTS, HELPERS = 7, 8
MONTH = rules.month_of(NOON)


def limit(who: LimitKind, role_id: int = 0, **amounts: int) -> Limit:
    most = {"credits": None, "trainings": None, "pictures": None} | amounts
    return Limit(0, GUILD, who, role_id, **most, set_by=ADMIN, set_at=NOON)


MEMBER, ROLE, SERVER = LimitKind.MEMBER, LimitKind.ROLE, LimitKind.SERVER


@pytest.mark.parametrize(
    ("at", "begins", "renews"),
    [
        (datetime(2026, 1, 1, tzinfo=UTC), "2026-01-01", "2026-02-01"),
        (datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC), "2026-12-01", "2027-01-01"),
        (datetime(2028, 2, 29, 12, tzinfo=UTC), "2028-02-01", "2028-03-01"),
        (datetime.fromisoformat("2026-11-01T00:30:00+02:00"), "2026-10-01", "2026-11-01"),
    ],
)
def test_a_month_is_a_calendar_month_in_utc(at: datetime, begins: str, renews: str) -> None:
    month = rules.month_of(at)
    assert (month.begins.date().isoformat(), month.renews.date().isoformat()) == (begins, renews)


@pytest.mark.parametrize(
    ("limits", "roles", "most"),
    [
        ([], {ARTISTS}, None),
        ([limit(MEMBER, credits=300)], set(), 300),
        ([limit(MEMBER, credits=300), limit(ROLE, ARTISTS, credits=900)], {ARTISTS}, 900),
        ([limit(MEMBER, credits=300), limit(ROLE, ARTISTS, credits=900)], {HELPERS}, 300),
        ([limit(MEMBER, credits=300), limit(ROLE, ARTISTS, credits=100)], {ARTISTS}, 300),
        ([limit(ROLE, ARTISTS, credits=100)], {ARTISTS}, 100),
        ([limit(ROLE, ARTISTS, credits=100), limit(ROLE, HELPERS, credits=200)], {ARTISTS, HELPERS}, 200),
        ([limit(MEMBER, credits=300), limit(ROLE, ARTISTS, trainings=2)], {ARTISTS}, None),
        ([limit(MEMBER, trainings=3)], set(), None),
        ([limit(SERVER, credits=5)], set(), None),
        ([limit(MEMBER, credits=0)], set(), 0),
    ],
)
def test_a_roles_limit_replaces_the_members_one_when_it_is_larger(
    limits: list[Limit], roles: set[int], most: int | None
) -> None:
    found = rules.largest_for_member(limits, frozenset(roles), Unit.CREDITS)
    assert (None if found is None else found.credits) == most


@given(most=st.integers(0, 1000), used=st.integers(0, 1200), wanted=st.integers(0, 1000))
def test_what_fits_is_let_through_and_nothing_else(most: int, used: int, wanted: int) -> None:
    held = limit(MEMBER, credits=most)
    fits = wanted == 0 or used + wanted <= most
    with contextlib.nullcontext() if fits else pytest.raises(LimitReached):
        rules.check(held, Unit.CREDITS, Amount(used), Amount(wanted), MONTH)


@pytest.mark.parametrize(
    ("held", "unit", "used", "wanted", "sentence"),
    [
        (
            limit(MEMBER, credits=300),
            Unit.CREDITS,
            Amount(257),
            Amount(257),
            "This takes 257 credits. Each member here may use 300 credits a month, and 43 are left; they renew ",
        ),
        (
            limit(ROLE, ARTISTS, trainings=1),
            Unit.TRAININGS,
            Amount(trainings=1),
            Amount(trainings=1),
            "This takes 1 training. With your role <@&7> you may use 1 training a month, and 0 are left; they renew ",
        ),
        (
            limit(SERVER, pictures=1500),
            Unit.PICTURES,
            Amount(pictures=1499),
            Amount(pictures=4),
            "This takes 4 pictures. This server may use 1,500 pictures a month, and 1 is left; they renew ",
        ),
    ],
)
def test_a_refusal_says_whose_limit_what_is_left_and_when_it_renews(
    held: Limit, unit: Unit, used: Amount, wanted: Amount, sentence: str
) -> None:
    with pytest.raises(LimitReached) as refused:
        rules.check(held, unit, used, wanted, MONTH)
    assert str(refused.value) == f"{sentence}<t:{int(MONTH.renews.timestamp())}:D>. Nothing was ordered."
    assert isinstance(refused.value, ServerLimitReached) == (held.who is SERVER)


def test_trainings_of_one_member_lie_as_far_apart_as_the_server_says() -> None:
    rules.check_pause(None, timedelta(hours=6), NOON)
    rules.check_pause(NOON - timedelta(hours=6), timedelta(hours=6), NOON)
    with pytest.raises(TooSoon, match=r"start at least 6 hours apart. Your next one can start <t:\d+:R>"):
        rules.check_pause(NOON - timedelta(hours=5, minutes=59), timedelta(hours=6), NOON)
