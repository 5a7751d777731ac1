"""One order, one charge: whatever becomes of the answer, we look before anything is sent again."""

import asyncio
from datetime import timedelta

import pytest

from bot.errors import UserError
from bot.records.doubt import ANSWERS
from bot.records.guild import Actor, Channel
from bot.records.job import LaneName
from bot.records.key import ApiKeyRow, ProviderName
from bot.records.post import PostKind
from bot.records.training import TrainingStatus
from bot.sandbox.rehearsal.faults import Fault
from bot.storage import tables
from bot.storage.due import LeaseLost
from tests.fakes.rows import ANNA, CHANNEL, GUILD
from tests.fakes.studio import KEY, NEXT_KEY, OTHER_KEY, POOR_KEY, PROVIDER, TRAINS_IN, Studio
from tests.fakes.waiting import eventually

pytestmark = pytest.mark.both

S = TrainingStatus
CREATE = "POST /v2/loras"
LIST = "GET /v2/loras"
MINUTE = timedelta(minutes=1)


def creates(studio: Studio) -> int:
    """How often the order reached the provider, taken or not."""
    return sum(seen.method == "POST" and seen.path == "/v2/loras" for seen in studio.server.requests)


def looks(studio: Studio) -> int:
    return sum(seen.method == "GET" and seen.path == "/v2/loras" for seen in studio.server.requests)


ACCEPTED_BUT_LOST = {
    "reset": Fault.reset_after_accept(),
    "502": Fault.answer(502, accepted=True),
    "503": Fault.answer(503, accepted=True),
    "half an answer": Fault.half_body(),
    "garbage": Fault.garbage_json(),
    "a web page": Fault.html_200(),
    "another schema": Fault.wrong_schema(),
}


@pytest.mark.parametrize("fault", ACCEPTED_BUT_LOST.values(), ids=ACCEPTED_BUT_LOST)
async def test_an_order_whose_answer_is_lost_is_found_again_and_never_sent_twice(studio: Studio, fault: Fault) -> None:
    await studio.set_key()
    studio.server.faults.next(CREATE, fault)
    training = await studio.begin()
    await studio.settle()
    assert (await studio.training(training.id)).status is S.SUBMITTING
    assert looks(studio) == 0
    await studio.pass_time(MINUTE)
    found = await studio.training(training.id)
    assert found.status is S.SUBMITTED
    assert found.request_id in studio.server.loras
    await studio.pass_time(TRAINS_IN)
    assert (await studio.training(training.id)).status is S.READY
    assert creates(studio) == studio.charges("create") == 1
    assert "found again" in await studio.words(training)


@pytest.mark.parametrize(
    "fault", [Fault.reset_before(), Fault.answer(502), Fault.answer(503)], ids=["reset", "502", "503"]
)
async def test_an_order_that_provably_never_arrived_is_sent_once_more(studio: Studio, fault: Fault) -> None:
    await studio.set_key()
    studio.server.faults.next(CREATE, fault)
    training = await studio.begin()
    await studio.settle()
    assert creates(studio) == 1
    await studio.outlast_settling()
    assert (await studio.training(training.id)).status is S.SUBMITTED
    assert creates(studio) == 2
    assert looks(studio) == ANSWERS
    assert studio.charges("create") == 1


async def test_another_guilds_lora_with_the_same_name_is_not_taken_for_ours(studio: Studio) -> None:
    await studio.set_key()
    await studio.trained(user_id=ANNA)
    studio.server.faults.next(CREATE, Fault.reset_before())
    training = await studio.begin()
    await studio.settle()
    await studio.outlast_settling()
    adopted = await studio.training(training.id)
    assert adopted.request_id is not None
    assert training.marker in studio.server.loras[adopted.request_id].name
    assert studio.charges("create") == 2


async def test_an_order_that_never_arrives_is_given_up_after_five_proofs_uncharged(studio: Studio) -> None:
    await studio.set_key()
    studio.server.faults.next(CREATE, *[Fault.reset_before()] * 10)
    training = await studio.begin()
    await studio.settle()
    for _ in range(10):
        await studio.outlast_settling()
    ended = await studio.training(training.id)
    assert ended.status is S.FAILED
    assert "Nothing was charged" in (ended.error or "")
    assert creates(studio) == 6
    assert studio.server.ledger == []


async def test_while_looking_fails_nothing_is_sent_and_past_the_deadline_we_stop_and_say_so(studio: Studio) -> None:
    await studio.set_key()
    studio.server.faults.next(CREATE, Fault.reset_after_accept())
    studio.server.faults.next(LIST, *[Fault.answer(500)] * 3000)
    training = await studio.begin()
    await studio.settle()
    await studio.pass_time(timedelta(hours=1))
    assert (await studio.training(training.id)).status is S.SUBMITTING
    await studio.pass_time(timedelta(hours=1, minutes=11))
    ended = await studio.training(training.id)
    assert ended.status is S.FAILED
    assert f"·{training.marker}" in (ended.error or "")
    assert creates(studio) == 1
    assert PostKind.TRAINING_FAILED in studio.poster.kinds()
    with pytest.raises(UserError):
        await studio.trainings.retry(training.id, Actor(GUILD, ANNA), channel=Channel(CHANNEL))


async def test_a_list_that_cannot_be_read_is_no_proof(studio: Studio) -> None:
    await studio.set_key()
    studio.server.faults.next(CREATE, Fault.reset_after_accept())
    studio.server.faults.next(LIST, Fault.wrong_schema(), Fault.garbage_json(), Fault.html_200())
    training = await studio.begin()
    await studio.settle()
    await studio.pass_time(MINUTE)
    assert (await studio.training(training.id)).status is S.SUBMITTING
    await studio.pass_time(MINUTE)
    assert (await studio.training(training.id)).status is S.SUBMITTED
    assert creates(studio) == 1


async def test_after_a_crash_during_the_call_the_order_is_left_alone_before_we_look(
    studio: Studio,
) -> None:
    """The call may have taken long: how much time has passed since it began says nothing about when it ended."""
    await studio.set_key()
    training = await studio.begin()
    [claim] = await studio.claim(LaneName.TRAININGS)
    studio.server.faults.next(CREATE, Fault.hang(accepted=False))
    step = asyncio.create_task(studio.step(LaneName.TRAININGS, claim))
    await eventually(lambda: creates(studio) == 1)
    step.cancel()
    await asyncio.gather(step, return_exceptions=True)
    assert (await studio.training(training.id)).status is S.SUBMITTING
    await studio.pass_time(timedelta(minutes=5))
    assert looks(studio) == 0
    await studio.pass_time(studio.timings.settle - timedelta(seconds=1))
    assert looks(studio) == 0
    await studio.pass_time(timedelta(seconds=1))
    assert looks(studio) == 1
    await studio.outlast(studio.timings.settle)
    assert (await studio.training(training.id)).status is S.SUBMITTED


async def test_a_worker_that_lost_its_lease_never_reaches_the_paid_call(studio: Studio) -> None:
    await studio.set_key()
    training = await studio.begin()
    [slow] = await studio.claim(LaneName.TRAININGS, "slow")
    studio.clock.advance(studio.timings.lease)
    [quick] = await studio.claim(LaneName.TRAININGS, "quick")
    with pytest.raises(LeaseLost):
        await studio.lanes[LaneName.TRAININGS][1](slow)
    assert creates(studio) == 0
    await studio.step(LaneName.TRAININGS, quick)
    assert (await studio.training(training.id)).status is S.SUBMITTED
    assert creates(studio) == 1


async def test_a_worker_whose_lease_has_run_out_does_not_pay_even_if_nobody_took_the_row(studio: Studio) -> None:
    await studio.set_key()
    await studio.begin()
    [slow] = await studio.claim(LaneName.TRAININGS)
    studio.clock.advance(studio.timings.lease)
    with pytest.raises(LeaseLost):
        await studio.lanes[LaneName.TRAININGS][1](slow)
    assert creates(studio) == 0
    await studio.settle()
    assert creates(studio) == 1


async def test_two_workers_on_one_row_at_the_same_moment_pay_once(studio: Studio) -> None:
    await studio.set_key()
    await studio.begin()
    [first] = await studio.claim(LaneName.TRAININGS, "first")
    studio.clock.advance(studio.timings.lease)
    [second] = await studio.claim(LaneName.TRAININGS, "second")
    await asyncio.gather(studio.step(LaneName.TRAININGS, first), studio.step(LaneName.TRAININGS, second))
    assert creates(studio) == studio.charges("create") == 1


async def test_too_little_balance_costs_nothing_says_so_and_leaves_the_photos(studio: Studio) -> None:
    await studio.set_key(POOR_KEY)
    training = await studio.begin()
    await studio.settle()
    ended = await studio.training(training.id)
    assert ended.status is S.FAILED
    assert ended.error is not None
    for words in ("257", "not have enough left", "Nothing was charged", "top up"):
        assert words in ended.error
    assert creates(studio) == 0
    assert (await studio.trainings.view_for(training.id, guild_id=GUILD, user_id=ANNA)).photos_left
    assert len(studio.files()) == 15
    await studio.set_key(KEY)
    again = await studio.trainings.retry(training.id, Actor(GUILD, ANNA), channel=Channel(CHANNEL))
    await studio.settle()
    assert (await studio.training(again.id)).status is S.SUBMITTED


async def test_credits_that_running_trainings_will_still_take_are_counted(studio: Studio) -> None:
    await studio.set_key(POOR_KEY)
    studio.server._world.credits["Poor"] = 2 * 257 + 256
    studio.server.faults.hold_trainings = True
    trainings = [await studio.begin() for _ in range(3)]
    await studio.settle()
    ends = [await studio.training(training.id) for training in trainings]
    assert [one.status for one in ends] == [S.SUBMITTED, S.SUBMITTED, S.FAILED]
    assert "set aside" in (ends[2].error or "")
    assert creates(studio) == 2


REFUSALS = {
    "400": (Fault.answer(400, body=b'{"error": "Validation failed", "details": {"name": ["Too rude"]}}'), "Too rude"),
    "402": (
        Fault.answer(402, body=b'{"error": "Insufficient credits", "creditsRequired": 257, "creditsAvailable": 3}'),
        "A training takes 257 Apiframe credits, and this server does not have enough left. Nothing was charged.",
    ),
    "404": (Fault.answer(404), "refused the order"),
    "409": (Fault.answer(409), "refused the order"),
    "413": (Fault.answer(413), "refused the order"),
}


@pytest.mark.parametrize(("fault", "words"), REFUSALS.values(), ids=REFUSALS)
async def test_a_refused_order_ends_with_the_providers_reason_and_can_be_retried(
    studio: Studio, fault: Fault, words: str
) -> None:
    await studio.set_key()
    studio.server.faults.next(CREATE, fault)
    training = await studio.begin()
    await studio.settle()
    ended = await studio.training(training.id)
    assert ended.status is S.FAILED
    assert words in (ended.error or "")
    assert "Nothing was charged" in (ended.error or "")
    assert (await studio.trainings.view_for(training.id, guild_id=GUILD, user_id=ANNA)).photos_left
    await studio.pass_time(timedelta(hours=3))
    assert creates(studio) == 1


@pytest.mark.parametrize(
    ("retry_after", "early", "late"),
    [("30", timedelta(seconds=29), timedelta(seconds=1)), (None, timedelta(seconds=59), timedelta(seconds=1))],
    ids=["with Retry-After", "without"],
)
async def test_a_busy_provider_is_asked_again_when_it_said_so_and_not_before(
    studio: Studio, retry_after: str | None, early: timedelta, late: timedelta
) -> None:
    await studio.set_key()
    studio.server.faults.next(CREATE, Fault.rate_limited(retry_after))
    training = await studio.begin()
    await studio.settle()
    assert (await studio.training(training.id)).status is S.QUEUED
    await studio.pass_time(early)
    assert creates(studio) == 1
    await studio.pass_time(late)
    assert (await studio.training(training.id)).status is S.SUBMITTED
    assert studio.charges("create") == 1


async def test_a_provider_that_cannot_be_reached_before_the_call_is_tried_again_later(studio: Studio) -> None:
    await studio.set_key()
    studio.server.faults.next("GET /v2/me", *[Fault.answer(503)] * 6)
    training = await studio.begin()
    await studio.settle()
    for _ in range(3):
        assert (await studio.training(training.id)).status in {S.QUEUED, S.SUBMITTED}
        await studio.pass_time(MINUTE)
    assert (await studio.training(training.id)).status is S.SUBMITTED
    assert creates(studio) == 1


async def test_a_refused_key_pauses_the_guild_and_a_new_key_sets_everything_going_again(studio: Studio) -> None:
    await studio.set_key()
    studio.server.faults.inactive_keys.add(KEY)
    training = await studio.begin()
    await studio.settle()
    await studio.outlast(studio.timings.key_doubted)
    waiting = await studio.training(training.id)
    assert (waiting.status, waiting.due_at) == (S.QUEUED, None)
    assert "waiting" in await studio.words(training)
    await studio.pass_time(timedelta(hours=1))
    assert creates(studio) == 0
    await studio.set_key(NEXT_KEY)
    await studio.settle()
    assert (await studio.training(training.id)).status is S.SUBMITTED
    assert studio.charges("create") == 1


async def test_a_training_whose_key_was_removed_waits_and_goes_on_with_the_next_one(
    studio: Studio,
) -> None:
    await studio.set_key()
    training = await studio.begin()
    await studio.keys.remove(GUILD, PROVIDER)
    await studio.settle()
    assert (await studio.training(training.id)).due_at is None
    assert creates(studio) == 0
    await studio.set_key()
    await studio.settle()
    assert (await studio.training(training.id)).status is S.SUBMITTED


async def test_a_key_set_while_a_step_finds_none_leaves_nothing_waiting(studio: Studio) -> None:
    await studio.set_key()
    training = await studio.begin()
    await studio.keys.remove(GUILD, PROVIDER)
    await studio.change(tables.trainings, training.id, due_at=studio.clock.now())
    [claim] = await studio.claim(LaneName.TRAININGS)
    current = studio.keys.current

    async def set_meanwhile(guild_id: int, provider: ProviderName) -> ApiKeyRow:
        studio.keys.current = current  # type: ignore[method-assign]
        try:
            return await current(guild_id, provider)
        finally:
            await studio.set_key(NEXT_KEY)

    studio.keys.current = set_meanwhile  # type: ignore[method-assign]
    await studio.step(LaneName.TRAININGS, claim)
    await studio.settle()
    assert (await studio.training(training.id)).status is S.SUBMITTED


async def test_a_training_under_way_is_followed_under_the_new_key_of_the_same_team(studio: Studio) -> None:
    await studio.set_key()
    training = await studio.begin()
    await studio.settle()
    studio.server.faults.inactive_keys.add(KEY)
    await studio.pass_time(MINUTE)
    await studio.outlast(studio.timings.key_doubted)
    await studio.set_key(NEXT_KEY)
    await studio.pass_time(TRAINS_IN)
    assert (await studio.training(training.id)).status is S.READY
    assert creates(studio) == 1


async def test_an_order_of_unknown_outcome_is_looked_for_under_the_key_it_was_sent_with(studio: Studio) -> None:
    await studio.set_key()
    studio.server.faults.next(CREATE, Fault.reset_after_accept())
    training = await studio.begin()
    await studio.settle()
    await studio.set_key(OTHER_KEY)
    await studio.pass_time(MINUTE)
    found = await studio.training(training.id)
    assert found.status is S.SUBMITTED
    assert found.key_id == 1
    assert studio.charges("create") == 1
