"""What a job took in the end: only what is known not to be paid is given back, and no more is kept than was paid."""

from datetime import timedelta

import pytest

from bot.generation.order import PictureOrder
from bot.records.generation import GenerationStatus
from bot.records.guild import Actor, Channel
from bot.records.job import LaneName
from bot.records.key import ProviderName
from bot.records.limit import Amount
from bot.records.training import TrainingStatus
from bot.sandbox.apiframe.state import JobFault
from bot.sandbox.rehearsal.faults import Fault
from bot.storage import tables
from bot.storage.money import spends
from tests.events.event_spends import PICTURE, TRAINING
from tests.fakes.rows import ANNA, CHANNEL, GUILD
from tests.fakes.studio import Studio
from tests.generation.picture_orders import finish

pytestmark = pytest.mark.both
PLAIN = 3
"""Credits of a picture without a LoRA."""
GENERATE = "POST /v2/images/generate"
DAY = timedelta(days=1)


@pytest.fixture
async def keyed(studio: Studio) -> Studio:
    await studio.set_key()
    return studio


async def order(studio: Studio) -> int:
    wanted = PictureOrder("a fox")
    return (await studio.orders.accept(wanted, Actor(GUILD, ANNA), Channel(CHANNEL))).generation.id


async def taken(studio: Studio) -> Amount:
    """What the one job took, once it has ended."""
    [spend] = await studio.database.fetch(spends.of_guild, GUILD)
    assert spend.settled_at is not None
    return Amount(spend.credits, spend.trainings, spend.pictures)


@pytest.mark.parametrize(
    ("fault", "took"),
    [
        (JobFault.FAIL, Amount()),
        (JobFault.CANCELLED, Amount()),
        (JobFault.EXPIRED, Amount(3 * PICTURE, pictures=3)),
        (JobFault.PARTIAL, Amount(3 * PICTURE, pictures=2)),
        (None, Amount(3 * PICTURE, pictures=3)),
    ],
)
async def test_an_order_takes_what_the_provider_says_and_the_pictures_it_made(
    keyed: Studio, fault: JobFault | None, took: Amount
) -> None:
    keyed.server.faults.jobs.append(fault)
    await keyed.order(await keyed.lora(), count=3)
    await keyed.settle()
    await finish(keyed)
    await keyed.outlast(keyed.timings.picture_doubted)
    assert await taken(keyed) == took
    assert took.credits == sum(entry.credits for entry in keyed.server.ledger if entry.what.startswith("images"))


async def test_an_order_whose_key_was_removed_under_way_is_not_given_back(keyed: Studio) -> None:
    generation_id = await order(keyed)
    await keyed.settle(LaneName.GENERATIONS)
    assert (await keyed.generation(generation_id)).status is GenerationStatus.SUBMITTED
    await keyed.keys.remove(GUILD, ProviderName.APIFRAME)
    await keyed.change(tables.api_keys, 1, sealed=b"damaged")
    await keyed.pass_time(DAY)
    assert (await keyed.generation(generation_id)).status is GenerationStatus.FAILED
    assert await taken(keyed) == Amount(PLAIN, pictures=1)
    assert keyed.charges("images") == 1


async def test_an_order_of_unknown_outcome_is_not_given_back(keyed: Studio) -> None:
    keyed.server.faults.next(GENERATE, Fault.reset_after_accept())
    await order(keyed)
    await keyed.work(LaneName.GENERATIONS)
    await keyed.pass_time(timedelta(hours=23, seconds=1))
    assert await taken(keyed) == Amount(PLAIN, pictures=1)
    assert keyed.charges("images") == 1


async def test_an_order_that_was_never_sent_is_given_back(keyed: Studio) -> None:
    await order(keyed)
    await keyed.server.close()
    for _ in range(3):
        await keyed.pass_time(timedelta(hours=9))
    assert await taken(keyed) == Amount()


async def test_a_training_that_is_given_up_while_it_may_still_end_is_not_given_back(keyed: Studio) -> None:
    keyed.server.faults.hold_trainings = True
    training = await keyed.begin()
    await keyed.settle()
    await keyed.pass_time(timedelta(hours=3))
    await keyed.pass_time(DAY)
    assert (await keyed.training(training.id)).status is TrainingStatus.FAILED
    assert await taken(keyed) == Amount(TRAINING, trainings=1)


async def test_a_training_that_never_arrived_is_given_back(keyed: Studio) -> None:
    keyed.server.faults.next("POST /v2/loras", *[Fault.reset_before()] * 10)
    training = await keyed.begin()
    await keyed.settle()
    for _ in range(10):
        await keyed.outlast_settling()
    assert (await keyed.training(training.id)).status is TrainingStatus.FAILED
    assert await taken(keyed) == Amount()
