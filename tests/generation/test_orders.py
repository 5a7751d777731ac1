"""Orders for pictures: what is asked for is what is sent, once, and what becomes of a refusal."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from bot.errors import NoKey, UserError
from bot.generation.lifecycle import MOVES, check_move
from bot.jobs.lifecycle import IllegalMove
from bot.records.generation import GenerationStatus
from bot.records.job import LaneName
from bot.records.lora import Lora
from bot.records.post import PostKind
from bot.sandbox.rehearsal.faults import Fault
from bot.storage import tables
from bot.storage.due import LeaseLost
from tests.fakes.rows import GUILD
from tests.fakes.studio import KEY, NEXT_KEY, POOR_KEY, PROVIDER, Studio
from tests.fakes.waiting import eventually
from tests.generation.picture_orders import finish, orders

S = GenerationStatus
GENERATE = "POST /v2/images/generate"
MINUTE = timedelta(minutes=1)


async def test_an_order_becomes_pictures_on_disk_and_one_post_and_is_paid_for_once(studio: Studio, lora: Lora) -> None:
    ordered = await studio.order(lora, count=2, format="webp")
    await studio.settle()
    await finish(studio)
    ended = await studio.generation(ordered.id)
    assert ended.status is S.READY
    assert ended.cost == 4
    view = await studio.generations.view(ordered.id)
    assert view is not None
    assert [file is not None and file.read_bytes()[8:12] for file in view.files] == [b"WEBP", b"WEBP"]
    assert studio.poster.kinds() == [PostKind.PICTURES]
    assert orders(studio) == studio.charges("images") == 1
    assert [entry.what for entry in view.timeline] == ["received", "submitted", "made", "fetched", "delivered"]


async def test_what_the_member_asked_for_is_what_the_provider_gets(studio: Studio, lora: Lora) -> None:
    await studio.order(lora, "in a  forest", count=3, aspect="16:9", format="jpg", strength=0.5, steps=20, seed=7)
    await studio.settle()
    [job] = studio.server.jobs.values()
    assert job.order["prompt"] == "TORKPN in a forest"
    params = {
        "loraId": lora.remote_id,
        "num_outputs": 3,
        "aspect_ratio": "16:9",
        "output_format": "jpg",
        "lora_strength": 0.5,
        "num_inference_steps": 20,
        "seed": 7,
    }
    assert job.order["fluxLoraParams"] == params


LOST = {
    "reset": Fault.reset_after_accept(),
    "502": Fault.answer(502, accepted=True),
    "half an answer": Fault.half_body(),
    "garbage": Fault.garbage_json(),
}


@pytest.mark.parametrize("fault", LOST.values(), ids=LOST)
async def test_a_lost_answer_is_asked_for_again_under_the_same_key_and_charged_once(
    studio: Studio, lora: Lora, fault: Fault
) -> None:
    studio.server.faults.next(GENERATE, fault, fault, Fault.reset_before())
    ordered = await studio.order(lora, count=2)
    await studio.settle()
    for _ in range(6):
        await studio.pass_time(MINUTE)
    assert (await studio.generation(ordered.id)).status is S.READY
    assert orders(studio) == 4
    assert studio.charges("images") == len(studio.server.jobs) == 1


async def test_a_crash_during_the_order_repeats_it_under_the_same_key(studio: Studio, lora: Lora) -> None:
    ordered = await studio.order(lora)
    [claim] = await studio.claim(LaneName.GENERATIONS)
    studio.server.faults.next(GENERATE, Fault.hang())
    step = asyncio.create_task(studio.step(LaneName.GENERATIONS, claim))
    await eventually(lambda: bool(studio.server.jobs))
    step.cancel()
    await asyncio.gather(step, return_exceptions=True)
    await studio.pass_time(studio.timings.lease)
    await finish(studio)
    assert (await studio.generation(ordered.id)).status is S.READY
    assert orders(studio) == 2
    assert studio.charges("images") == 1


async def test_after_23_hours_an_order_of_unknown_outcome_is_not_sent_again_and_says_so(
    studio: Studio, lora: Lora
) -> None:
    studio.server.faults.next(GENERATE, Fault.reset_after_accept())
    ordered = await studio.order(lora)
    await studio.work(LaneName.GENERATIONS)
    await studio.pass_time(timedelta(hours=23, seconds=1))
    ended = await studio.generation(ordered.id)
    assert ended.status is S.FAILED
    assert "could not find out" in (ended.error or "")
    assert orders(studio) == 1
    assert studio.poster.kinds() == [PostKind.PICTURES_FAILED]


async def test_just_before_the_providers_memory_ends_the_order_is_still_repeated(studio: Studio, lora: Lora) -> None:
    studio.server.faults.next(GENERATE, Fault.reset_after_accept())
    ordered = await studio.order(lora)
    await studio.work(LaneName.GENERATIONS)
    await studio.pass_time(timedelta(hours=23) - timedelta(seconds=1))
    await finish(studio)
    assert (await studio.generation(ordered.id)).status is S.READY
    assert studio.charges("images") == 1


async def test_a_worker_that_lost_its_lease_never_reaches_the_paid_call(studio: Studio, lora: Lora) -> None:
    ordered = await studio.order(lora)
    [slow] = await studio.claim(LaneName.GENERATIONS, "slow")
    studio.clock.advance(studio.timings.lease)
    [quick] = await studio.claim(LaneName.GENERATIONS, "quick")
    with pytest.raises(LeaseLost):
        await studio.lanes[LaneName.GENERATIONS][1](slow)
    assert orders(studio) == 0
    await studio.step(LaneName.GENERATIONS, quick)
    assert (await studio.generation(ordered.id)).status is S.SUBMITTED


@pytest.mark.parametrize("sent_before", [False, True])
async def test_a_worker_whose_lease_has_run_out_does_not_pay_even_if_nobody_took_the_row(
    studio: Studio, lora: Lora, sent_before: bool
) -> None:
    if sent_before:
        studio.server.faults.next(GENERATE, Fault.reset_before())
    ordered = await studio.order(lora)
    if sent_before:
        await studio.settle()
        studio.clock.advance(MINUTE)
    [slow] = await studio.claim(LaneName.GENERATIONS)
    studio.clock.advance(studio.timings.lease)
    with pytest.raises(LeaseLost):
        await studio.lanes[LaneName.GENERATIONS][1](slow)
    assert orders(studio) == sent_before
    await studio.settle()
    assert (await studio.generation(ordered.id)).status is S.SUBMITTED


async def test_too_little_balance_refuses_the_order_at_once(studio: Studio) -> None:
    await studio.set_key(POOR_KEY)
    studio.server._world.credits["Poor"] = 5
    lora = await studio.lora(api_key=POOR_KEY)
    with pytest.raises(UserError, match=r"not have enough credits left. This takes 6 credits. Ask an admin"):
        await studio.order(lora, count=3)
    assert await studio.scalars(sa.select(tables.generations.c.id)) == []
    assert orders(studio) == 0


async def test_a_balance_that_has_shrunk_when_its_turn_comes_is_said_before_anything_is_sent(studio: Studio) -> None:
    await studio.set_key(POOR_KEY)
    ordered = await studio.order(await studio.lora(api_key=POOR_KEY), count=3)
    studio.server._world.credits["Poor"] = 5
    await studio.settle()
    ended = await studio.generation(ordered.id)
    assert ended.status is S.FAILED
    assert "This takes 6 credits." in (ended.error or "")
    assert "5" not in (ended.error or "")
    assert orders(studio) == 0


REFUSED = {
    "400": (Fault.answer(400, body=b'{"error": "Validation failed", "details": {"prompt": ["Too rude"]}}'), "Too rude"),
    "402": (
        Fault.answer(402, body=b'{"error": "Insufficient credits", "creditsRequired": 2, "creditsAvailable": 1}'),
        "not have enough credits",
    ),
    "404": (Fault.answer(404), "refused the order"),
    "409": (Fault.answer(409), "refused the order"),
}


@pytest.mark.parametrize(("fault", "words"), REFUSED.values(), ids=REFUSED)
async def test_a_refused_order_ends_at_once_with_the_reason(
    studio: Studio, lora: Lora, fault: Fault, words: str
) -> None:
    studio.server.faults.next(GENERATE, fault)
    ordered = await studio.order(lora)
    await studio.settle()
    ended = await studio.generation(ordered.id)
    assert ended.status is S.FAILED
    assert words in (ended.error or "")
    assert orders(studio) == 1
    assert PostKind.PICTURES_FAILED in studio.poster.kinds()


async def test_a_refused_key_is_paused_and_its_admin_told_once(studio: Studio, lora: Lora) -> None:
    ordered = [await studio.order(lora) for _ in range(2)]
    studio.server.faults.inactive_keys.add(KEY)
    await studio.settle()
    assert [(await studio.generation(each.id)).status for each in ordered] == [S.QUEUED] * 2
    await studio.outlast(studio.timings.key_doubted)
    for each in ordered:
        assert "does not accept this server's key" in ((await studio.generation(each.id)).error or "")
    assert studio.poster.kinds().count(PostKind.KEY_PAUSED) == 1
    with pytest.raises(NoKey):
        await studio.order(lora)


async def test_a_busy_provider_is_asked_again_when_it_said_so(studio: Studio, lora: Lora) -> None:
    studio.server.faults.next(GENERATE, Fault.rate_limited("30"))
    ordered = await studio.order(lora)
    await studio.settle()
    await studio.pass_time(timedelta(seconds=29))
    assert orders(studio) == 1
    await studio.pass_time(timedelta(seconds=1))
    assert orders(studio) == 2
    assert (await studio.generation(ordered.id)).status is S.SUBMITTED
    assert studio.charges("images") == 1


async def test_an_order_waiting_when_the_key_changes_goes_out_under_the_new_one(studio: Studio, lora: Lora) -> None:
    ordered = await studio.order(lora)
    next_key = await studio.set_key(NEXT_KEY)
    await studio.settle()
    sent = await studio.generation(ordered.id)
    assert (sent.key_id, sent.status) == (next_key, S.SUBMITTED)
    assert studio.server.jobs[str(sent.request_id)].api_key == NEXT_KEY


async def test_an_order_once_sent_stays_with_its_key(studio: Studio, lora: Lora) -> None:
    studio.server.faults.next(GENERATE, Fault.reset_after_accept())
    ordered = await studio.order(lora)
    await studio.settle()
    await studio.set_key(NEXT_KEY)
    await studio.pass_time(MINUTE)
    await finish(studio)
    assert (await studio.generation(ordered.id)).status is S.READY
    assert studio.charges("images") == 1


async def test_an_order_whose_key_is_gone_when_its_turn_comes_is_told_so(studio: Studio, lora: Lora) -> None:
    ordered = await studio.order(lora)
    await studio.keys.remove(GUILD, PROVIDER)
    await studio.settle()
    assert "/keys set" in ((await studio.generation(ordered.id)).error or "")
    assert orders(studio) == 0


async def test_a_lora_archived_before_its_turn_is_told_so(studio: Studio, lora: Lora) -> None:
    ordered = await studio.order(lora)
    await studio.change(tables.loras, lora.id, archived_at=studio.clock.now())
    await studio.settle()
    assert "archived" in ((await studio.generation(ordered.id)).error or "")
    assert orders(studio) == 0


@pytest.mark.parametrize(("prompt", "settings"), [("  ", {}), ("x" * 1950, {}), ("a fox", {"count": 5})])
async def test_a_wrong_order_is_refused_before_anything_is_stored(
    studio: Studio, lora: Lora, prompt: str, settings: dict[str, Any]
) -> None:
    with pytest.raises(UserError):
        await studio.order(lora, prompt, **settings)
    assert await studio.scalars(sa.select(tables.generations.c.id)) == []


async def test_pressing_twice_is_two_orders_with_two_keys(studio: Studio, lora: Lora) -> None:
    first, second = await studio.order(lora), await studio.order(lora)
    assert first.idempotency_key != second.idempotency_key
    await studio.settle()
    assert studio.charges("images") == 2


def test_exactly_the_moves_of_the_table_are_legal() -> None:
    for old in S:
        for new in S:
            if new in MOVES[old]:
                check_move(old, new)
            else:
                with pytest.raises(IllegalMove):
                    check_move(old, new)
        assert old.is_terminal == (not MOVES[old])
        assert old.is_terminal or S.FAILED in MOVES[old]


async def test_a_lora_whose_consent_was_taken_back_meanwhile_makes_no_picture(studio: Studio, lora: Lora) -> None:
    ordered = await studio.order(lora)
    await studio.change(tables.loras, lora.id, retiring_since=studio.clock.now())
    await studio.settle()
    ended = await studio.generation(ordered.id)
    assert ended.status is S.FAILED
    assert "does not want that any more" in (ended.error or "")
    assert orders(studio) == 0
