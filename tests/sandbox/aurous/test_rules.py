from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.sandbox.aurous.answers import show_page
from bot.sandbox.aurous.buckets import CAPACITIES, Buckets
from bot.sandbox.aurous.orders import PRESETS, ImageOrder, check_body, is_address
from bot.sandbox.aurous.records import AurousTimings, ImageFault, RehearsalImage, RehearsalTeam
from bot.sandbox.aurous.refusals import Refusal
from bot.sandbox.aurous.replays import Replays
from bot.sandbox.aurous.state import AurousWorld
from bot.sandbox.aurous.switches import AurousFaults
from bot.sandbox.rehearsal.faults import RouteFaults

NOON = datetime(2026, 4, 25, 12, tzinfo=UTC)
TEAM = "Studio"


@given(
    st.sampled_from(sorted(CAPACITIES)),
    st.sampled_from([0.05, 0.5, 1.0, 3.0]),
    st.lists(st.floats(0, 20), min_size=1, max_size=60),
)
def test_bucket_never_lets_more_through_than_it_holds_and_regains(
    bucket: str, scale: float, pauses_s: list[float]
) -> None:
    buckets, now, assign_slots = Buckets(), NOON, 0
    buckets.scale = scale
    capacity, per_minute = max(1, round(CAPACITIES[bucket][0] * scale)), CAPACITIES[bucket][1] * scale
    for pause_s in pauses_s:
        now += timedelta(seconds=pause_s)
        state = buckets.take(TEAM, bucket, now)
        assign_slots += state.wait_s is None
        assert 0 <= state.remaining <= state.capacity == capacity
        assert state.full_at >= now
    assert assign_slots <= capacity + per_minute / 60 * sum(pauses_s) + 0.001


@given(st.sampled_from(sorted(CAPACITIES)), st.floats(0.02, 1))
def test_who_waits_as_long_as_told_is_let_through(bucket: str, scale: float) -> None:
    buckets, now = Buckets(), NOON
    buckets.scale = scale
    while (state := buckets.take(TEAM, bucket, now)).wait_s is None:
        pass
    now += timedelta(seconds=int(state.headers()["Retry-After"]))

    assert buckets.take(TEAM, bucket, now).wait_s is None


@given(st.integers(1024, 4096), st.integers(1024, 4096))
def test_own_sides_move_to_a_multiple_of_32_next_to_them(width: int, height: int) -> None:
    order = check_body(ImageOrder, {"prompt": "x", "width": width, "height": height})

    for asked, given_px in ((width, order.width), (height, order.height)):
        assert given_px % 32 == 0
        assert abs(asked - given_px) <= 16


@pytest.mark.parametrize("preset", sorted(PRESETS))
def test_preset_has_its_ratio_and_about_its_tiers_pixels(preset: str) -> None:
    tier, across, down = preset.split("_")
    width, height = PRESETS[preset]

    assert width / height == pytest.approx(int(across) / int(down), rel=0.03)
    assert width * height == pytest.approx({"2k": 2048, "4k": 4096}[tier] ** 2, rel=0.03)
    assert (width % 32, height % 32) == (0, 0)


@pytest.mark.parametrize(
    ("url", "everywhere", "on_this_machine"),
    [
        ("https://example.com/x", True, True),
        ("https://93.184.215.14/x", True, True),
        ("http://example.com/x", False, False),
        ("http://127.0.0.1:80/x", False, True),
        ("http://[::1]/x", False, True),
        ("https://localhost/x", False, True),
        ("https://192.168.1.1/x", False, False),
        ("ftp://127.0.0.1/x", False, False),
        ("/x", False, False),
        ("https://[x/", False, False),
    ],
)
def test_addresses_are_public_or_of_this_machine(url: str, everywhere: bool, on_this_machine: bool) -> None:
    assert is_address(url, loopback_too=False) is everywhere
    assert is_address(url, loopback_too=True) is on_this_machine


@dataclass(frozen=True)
class Row:
    id: str


@given(st.integers(0, 45), st.integers(1, 20))
def test_paging_shows_every_row_once_in_order(count: int, limit: int) -> None:
    rows = [Row(f"row_{number}") for number in range(count)]
    seen: list[str] = []
    query: dict[str, str] = {"limit": str(limit)}
    while True:
        page = show_page(rows, query, lambda row: {"id": row.id})
        seen += [row["id"] for row in page["data"]]
        assert page["has_more"] == (page["next_cursor"] is not None)
        if not page["has_more"]:
            break
        query["starting_after"] = page["next_cursor"]

    assert seen == [row.id for row in rows]


def test_key_is_owned_by_its_first_call_until_the_day_is_over() -> None:
    replays = Replays()
    first, is_new = replays.claim(TEAM, "k", "POST /v1/images", {"a": 1, "b": 2}, NOON)
    assert is_new
    with pytest.raises(Refusal):
        replays.claim(TEAM, "k", "POST /v1/images", {"a": 1, "b": 2}, NOON + timedelta(days=2))
    first.is_in_flight = False

    again, is_new = replays.claim(TEAM, "k", "POST /v1/images", {"b": 2, "a": 1}, NOON + timedelta(hours=24))
    assert (again is first, is_new) == (True, False)
    with pytest.raises(Refusal):
        replays.claim(TEAM, "k", "POST /v1/videos", {"a": 1, "b": 2}, NOON)
    assert replays.claim("Other", "k", "POST /v1/videos", {}, NOON)[1]
    assert replays.claim(TEAM, "k", "POST /v1/videos", {}, NOON + timedelta(hours=24, seconds=1))[1]


def order_image(world: AurousWorld, number: int, fault: ImageFault | None, now: datetime, **order: Any) -> None:
    checked = check_body(ImageOrder, {"prompt": "x", **order})
    cost = checked.count * (2 if checked.enhance else 1)
    if not world.can_pay(TEAM, cost):
        return
    image_id = f"img_{number}"
    world.images[image_id] = RehearsalImage(
        id=image_id,
        team=TEAM,
        order=checked,
        styles=(),
        character=None,
        character_name="",
        sources=(),
        held=world.hold(TEAM, "image", image_id, cost),
        held_for_enhancing=cost - checked.count,
        seed=1,
        request_id="req_1",
        version="2026-05-15",
        created_at=now,
        state_since=now,
        fault=fault,
        count=checked.count,
    )


STEPS = st.one_of(
    st.tuples(st.just("order"), st.integers(1, 4), st.booleans(), st.sampled_from([None, *ImageFault])),
    st.tuples(st.just("wait"), st.floats(0, 12)),
    st.tuples(st.just("cancel"), st.integers(0, 10)),
)


@given(st.integers(0, 20), st.lists(STEPS, max_size=30))
def test_money_is_held_charged_or_given_back_and_never_lost(credits_left: int, steps: list[tuple[Any, ...]]) -> None:
    team, now = RehearsalTeam("team_1", TEAM, credits_left, NOON), NOON
    world = AurousWorld([team], AurousTimings(2, 8), AurousFaults(RouteFaults()))
    for number, (kind, *what) in enumerate(steps):
        if kind == "order":
            order_image(world, number, what[2], now, count=what[0], enhance_prompt=what[1])
        elif kind == "wait":
            now += timedelta(seconds=what[0])
            world.settle(now)
        elif (image := world.images.get(f"img_{what[0]}")) is not None and image.is_live:
            world.end_image(image, "cancelled", now)
        charged = sum(entry.credits for entry in world.ledger if entry.what == "image charge")
        held = sum(image.held for image in world.images.values() if image.is_live)
        assert team.held == pytest.approx(held)
        assert team.credits == pytest.approx(credits_left - charged)
        assert team.credits >= team.held >= 0
    charges = [entry.ref for entry in world.ledger if entry.what == "image charge"]
    assert len(charges) == len(set(charges))
