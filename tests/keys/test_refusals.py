"""401 and 403: one of them stops nobody, a key that is really out is paused in two minutes and comes back by itself."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from bot.errors import NoKey, UserError
from bot.generation.order import PictureOrder
from bot.records.generation import Generation, GenerationStatus
from bot.records.guild import Place, PlaceKind
from bot.records.job import LaneName
from bot.records.key import ApiKeyRow, ProviderName
from bot.records.post import PostKind
from bot.records.training import Training, TrainingStatus
from bot.sandbox.rehearsal.faults import Fault
from tests.fakes.rows import ADMIN, CHANNEL, GUILD
from tests.fakes.studio import AUROUS_KEY, KEY, PROVIDER, TRAINS_IN, Studio
from tests.generation.picture_orders import add_character, place, set_aurous_key

Job = Training | Generation
MINUTE = timedelta(minutes=1)
APIFRAME, AUROUS = ProviderName.APIFRAME, ProviderName.AUROUS
TRIES = 3
"""How often a read is tried before it has failed."""
DONE = {TrainingStatus.READY, GenerationStatus.READY}


async def train(studio: Studio) -> Training:
    await studio.set_key()
    return await studio.begin()


async def imagine(studio: Studio) -> Generation:
    await studio.set_key()
    return await studio.order(await studio.lora())


async def imagine_at_aurous(studio: Studio) -> Generation:
    await set_aurous_key(studio)
    return (await place(studio, PictureOrder("a fox", lora_id=await add_character(studio)))).generation


DECIDING: dict[str, tuple[Callable[[Studio], Awaitable[Job]], str]] = {
    "the balance": (train, "GET /v2/me"),
    "the order of a training": (train, "POST /v2/loras"),
    "a look at a training": (train, "GET /v2/loras/{id}"),
    "the order of pictures": (imagine, "POST /v2/images/generate"),
    "a look at pictures": (imagine, "GET /v2/jobs/{id}"),
    "the list of LoRAs": (imagine, "GET /v2/loras"),
    "the balance at Aurous Labs": (imagine_at_aurous, "GET /v1/balance"),
    "the order at Aurous Labs": (imagine_at_aurous, "POST /v1/images"),
    "a look at Aurous Labs": (imagine_at_aurous, "GET /v1/images/{id}"),
}
ODD = {
    "401": (Fault.answer(401),),
    "403": (Fault.answer(403),),
    "a page of an edge": (Fault.edge_page(),) * TRIES,
    "a page with 401": (Fault.edge_page(401),) * TRIES,
    "an empty 403": (Fault.answer(403, body=b""),) * TRIES,
    "403 of an edge in JSON": (
        Fault.answer(403, headers={"cf-mitigated": "challenge"}, body=b'{"error": "Forbidden"}'),
    )
    * TRIES,
}


async def key_of(studio: Studio, provider: ProviderName = PROVIDER) -> ApiKeyRow:
    status = await studio.keys.status(GUILD, provider)
    assert status is not None
    return status.row


async def now(studio: Studio, job: Job) -> Job:
    return await (studio.training(job.id) if isinstance(job, Training) else studio.generation(job.id))


@pytest.mark.parametrize("faults", ODD.values(), ids=ODD)
@pytest.mark.parametrize(("order", "route"), DECIDING.values(), ids=DECIDING)
async def test_one_refusal_pauses_no_key_and_ends_no_order(
    studio: Studio, order: Callable[[Studio], Awaitable[Job]], route: str, faults: tuple[Fault, ...]
) -> None:
    job = await order(studio)
    server = studio.aurous if "/v1/" in route else studio.server
    server.faults.next(route, *(faults if route.startswith("GET") else faults[:1]))
    await studio.settle()
    for _ in range(10):
        await studio.pass_time(MINUTE)
    await studio.pass_time(TRAINS_IN)
    assert (await now(studio, job)).status in DONE
    assert PostKind.KEY_PAUSED not in studio.poster.kinds()
    assert (await key_of(studio, job.provider)).doubt is None


def put_out(studio: Studio, provider: ProviderName) -> None:
    studio.server.faults.inactive_keys.add(KEY)
    studio.aurous.faults.revoked_keys.add(AUROUS_KEY)


def put_in(studio: Studio) -> None:
    studio.server.faults.inactive_keys.clear()
    studio.aurous.faults.revoked_keys.clear()


async def set_key(studio: Studio, provider: ProviderName) -> int:
    api_key = KEY if provider is APIFRAME else AUROUS_KEY
    key_id = (await studio.keys.set(GUILD, provider, api_key, set_by=ADMIN)).row.id
    await studio.settle(LaneName.KEYS)
    return key_id


async def is_paused(studio: Studio, key_id: int) -> bool:
    row = await studio.keys.get(key_id)
    assert row is not None
    return row.paused_at is not None


async def paused(studio: Studio, provider: ProviderName) -> int:
    """A key that was put out at the provider and is paused by now."""
    key_id = await set_key(studio, provider)
    put_out(studio, provider)
    assert await studio.budgets.obstacle(GUILD, provider, 1) is not None
    await studio.outlast(studio.timings.key_doubted)
    assert await is_paused(studio, key_id)
    return key_id


@pytest.mark.parametrize("provider", ProviderName)
async def test_a_key_that_is_out_is_paused_within_two_minutes_and_its_admin_told_once(
    studio: Studio, provider: ProviderName
) -> None:
    key_id = await set_key(studio, provider)
    put_out(studio, provider)
    noticed_at = studio.clock.now()
    await studio.budgets.obstacle(GUILD, provider, 1)
    for _ in range(60):
        if await is_paused(studio, key_id):
            break
        await studio.pass_time(timedelta(seconds=5))
    assert timedelta(minutes=1) <= studio.clock.now() - noticed_at <= timedelta(minutes=2)
    await studio.settle()
    assert studio.poster.kinds() == [PostKind.KEY_PAUSED]
    with pytest.raises(NoKey, match="/keys set"):
        await studio.keys.current(GUILD, provider)


@pytest.mark.parametrize("provider", ProviderName)
async def test_many_refusals_in_one_moment_are_one_moment(studio: Studio, provider: ProviderName) -> None:
    key_id = await set_key(studio, provider)
    put_out(studio, provider)
    for _ in range(20):
        await studio.budgets.obstacle(GUILD, provider, 1)
    put_in(studio)
    await studio.outlast(studio.timings.key_doubted)
    assert not await is_paused(studio, key_id)
    assert (await key_of(studio, provider)).doubt is None


@pytest.mark.parametrize("provider", ProviderName)
@pytest.mark.parametrize("hours", [1 / 6, 1, 6, 12, 30], ids=["10 min", "1 h", "6 h", "12 h", "30 h"])
async def test_a_paused_key_comes_back_by_itself(studio: Studio, provider: ProviderName, hours: float) -> None:
    key_id = await paused(studio, provider)
    row = await studio.keys.get(key_id)
    assert row is not None
    assert row.paused_at is not None
    studio.clock.advance(row.paused_at + timedelta(hours=hours, minutes=-1) - studio.clock.now())
    await studio.settle(LaneName.KEYS)
    assert await is_paused(studio, key_id)
    put_in(studio)
    await studio.pass_time(timedelta(hours=6), LaneName.KEYS)
    assert not await is_paused(studio, key_id)
    assert (await studio.keys.current(GUILD, provider)).last_error is None


async def test_it_is_tried_again_after_ten_minutes_an_hour_and_six_hours(studio: Studio) -> None:
    key_id = await paused(studio, APIFRAME)
    tries = []
    started_at = studio.clock.now()
    while studio.clock.now() < started_at + timedelta(hours=20):
        before = len(studio.server.requests)
        await studio.pass_time(timedelta(minutes=5), LaneName.KEYS)
        if len(studio.server.requests) > before:
            tries.append(studio.clock.now() - started_at)
    assert [round(each / timedelta(hours=1), 1) for each in tries] == [0.2, 1.0, 6.0, 12.0, 18.0]
    assert await is_paused(studio, key_id)


async def test_an_outage_while_it_is_tried_again_does_not_cost_hours(studio: Studio) -> None:
    key_id = await paused(studio, APIFRAME)
    put_in(studio)
    studio.server.faults.next("GET /v2/me", *[Fault.answer(503)] * TRIES)
    await studio.pass_time(timedelta(minutes=10), LaneName.KEYS)
    assert await is_paused(studio, key_id)
    await studio.pass_time(timedelta(minutes=10), LaneName.KEYS)
    assert not await is_paused(studio, key_id)


async def test_what_waited_for_a_key_goes_on_when_it_works_again(studio: Studio) -> None:
    await set_key(studio, APIFRAME)
    put_out(studio, APIFRAME)
    training = await studio.begin()
    await studio.outlast(studio.timings.key_doubted)
    assert await is_paused(studio, training.key_id)
    assert (await studio.training(training.id)).status is TrainingStatus.QUEUED
    put_in(studio)
    await studio.pass_time(timedelta(minutes=10))
    assert (await studio.training(training.id)).status is TrainingStatus.SUBMITTED
    await studio.pass_time(TRAINS_IN)
    assert (await studio.training(training.id)).status is TrainingStatus.READY
    assert studio.charges("create") == 1


async def test_an_admin_who_takes_no_messages_is_told_where_somebody_waits(studio: Studio) -> None:
    await set_key(studio, APIFRAME)
    put_out(studio, APIFRAME)
    await studio.begin()
    await studio.settle(LaneName.KEYS)
    await studio.budgets.obstacle(GUILD, APIFRAME, 1)
    await studio.outlast(studio.timings.key_doubted, LaneName.KEYS)
    [post] = await studio.posts_of(PostKind.KEY_PAUSED)
    assert post.places == (Place(PlaceKind.USER, ADMIN), Place(PlaceKind.CHANNEL, CHANNEL))


async def test_who_looks_at_a_paused_key_that_works_puts_it_into_use(studio: Studio) -> None:
    key_id = await paused(studio, APIFRAME)
    put_in(studio)
    assert (await key_of(studio)).paused_at is None
    assert not await is_paused(studio, key_id)


async def test_a_key_may_be_paused_a_second_time(studio: Studio) -> None:
    key_id = await paused(studio, APIFRAME)
    put_in(studio)
    await studio.pass_time(timedelta(minutes=10))
    put_out(studio, APIFRAME)
    await studio.budgets.obstacle(GUILD, APIFRAME, 1)
    await studio.outlast(studio.timings.key_doubted)
    assert await is_paused(studio, key_id)


async def test_a_doubt_about_a_key_outlives_a_process_that_ends(studio: Studio) -> None:
    key_id = await set_key(studio, APIFRAME)
    put_out(studio, APIFRAME)
    await studio.budgets.obstacle(GUILD, APIFRAME, 1)
    studio.clock.advance(studio.timings.key_doubted / 4)
    assert await studio.claim(LaneName.KEYS, owner="a process that ends")
    studio.clock.advance(studio.timings.lease)
    await studio.settle(LaneName.KEYS)
    row = await studio.keys.get(key_id)
    assert row is not None
    assert row.doubt is not None
    assert row.doubt.answers == 2
    await studio.outlast(studio.timings.key_doubted)
    assert await is_paused(studio, key_id)


async def test_pages_of_an_edge_never_pause_a_key(studio: Studio) -> None:
    await set_key(studio, APIFRAME)
    training = await studio.begin()
    for route in ("GET /v2/me", "GET /v2/loras", "POST /v2/loras", "GET /v2/loras/{id}"):
        studio.server.faults.next(route, *[Fault.edge_page()] * 500)
    await studio.settle()
    for _ in range(30):
        await studio.pass_time(MINUTE)
    assert not await is_paused(studio, training.key_id)
    assert studio.poster.kinds().count(PostKind.KEY_PAUSED) == 0


async def test_an_order_that_a_working_key_may_not_send_ends_with_the_reason(studio: Studio) -> None:
    job = await imagine_at_aurous(studio)
    studio.aurous.faults.scopes[AUROUS_KEY] = "read"
    await studio.settle(LaneName.GENERATIONS)
    await studio.outlast(studio.timings.key_doubted, LaneName.GENERATIONS)
    ended = await studio.generation(job.id)
    assert ended.status is GenerationStatus.FAILED
    assert "may only read" in (ended.error or "")
    assert not await is_paused(studio, job.key_id)


async def test_a_training_that_a_working_key_may_not_send_ends_with_the_reason(studio: Studio) -> None:
    studio.server.faults.next("POST /v2/loras", *[Fault.answer(403)] * 20)
    job = await train(studio)
    await studio.settle()
    await studio.outlast(studio.timings.key_doubted)
    ended = await studio.training(job.id)
    assert ended.status is TrainingStatus.FAILED
    assert "Nothing was charged" in (ended.error or "")
    assert not await is_paused(studio, job.key_id)
    assert studio.server.ledger == []


async def test_a_price_asked_for_while_a_key_is_doubted_is_not_known_and_the_order_is_taken(studio: Studio) -> None:
    await studio.set_key()
    lora = await studio.lora()
    studio.server.faults.next("GET /v2/me", Fault.answer(401))
    ordered = await studio.order(lora)
    await studio.settle()
    await studio.pass_time(MINUTE)
    assert (await studio.generation(ordered.id)).status is GenerationStatus.READY


async def test_a_new_key_that_is_refused_is_not_stored(studio: Studio) -> None:
    put_out(studio, APIFRAME)
    with pytest.raises(UserError, match="does not accept"):
        await studio.set_key()
