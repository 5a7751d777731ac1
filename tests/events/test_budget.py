"""The money of events: a stop that holds, nothing paid for what was cancelled, and what is left to spend."""

import asyncio
import contextlib
import shutil
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.clock import Timings
from bot.errors import NotAllowed, NotFound, UserError
from bot.events.budget import Affordable, BudgetService
from bot.generation.order import Accepted, PictureOrder
from bot.limits.ledger import BudgetSpent, Ledger
from bot.records.dataset import DatasetStatus, SubjectKind
from bot.records.event import EntrantStatus, Event, EventMode, EventStatus, PauseReason
from bot.records.generation import GenerationSettings, GenerationStatus
from bot.records.guild import Actor, Channel
from bot.records.job import LaneName
from bot.records.key import ProviderName
from bot.records.limit import Amount
from bot.records.lora import Audience, Lora
from bot.records.post import PostKind
from bot.records.training import TrainingStatus
from bot.sandbox.apiframe.state import JobFault, TrainingFault
from bot.sandbox.rehearsal.faults import Fault
from bot.storage import tables
from bot.storage.database import Database, sqlite_url
from bot.storage.events import tables as event_tables
from bot.storage.jobs import generations, sharing
from bot.storage.money import spends
from tests.events.event_spends import PICTURE, TRAINING, add_event_lora, spends_of, total_of, without_engine
from tests.fakes.clock import NOON, ManualClock
from tests.fakes.events import add_entrants, add_event, change_event
from tests.fakes.examples import in_proportion
from tests.fakes.rows import ADMIN, ANNA, BEN, CHANNEL, GUILD, OTHER_GUILD, THREAD
from tests.fakes.studio import KEY, POOR_KEY, PROVIDER, TRAINS_IN, Studio
from tests.generation.picture_orders import add_style, finish, orders, pictures, set_aurous_key

pytestmark = pytest.mark.both

S = EventStatus
HERE = Channel(CHANNEL)
CANCELLED = "The event was cancelled before this was sent. Nothing was charged."


@pytest.fixture(name="studio")
def quiet_studio(studio: Studio) -> Studio:
    return without_engine(studio)


@pytest.fixture
async def budgets(studio: Studio) -> BudgetService:
    await studio.set_key()
    return studio.budgets


async def order(
    budgets: BudgetService, event: Event, lora: Lora | None, user_id: int = ANNA, **changes: Any
) -> Accepted:
    wanted = PictureOrder("a fox", lora_id=None if lora is None else lora.id, **changes)
    return await budgets.order(event, wanted, Actor(event.guild_id, user_id), HERE)


async def showing(studio: Studio, **changes: Any) -> tuple[Event, Lora]:
    """A shared event with Anna as entrant and owner of its LoRA."""
    event = await add_event(studio.database, **({"host_id": ANNA} | changes))
    await add_entrants(studio.database, event, ANNA)
    return event, await add_event_lora(studio, event, user_id=ANNA)


async def training_event(studio: Studio, **changes: Any) -> Event:
    return await add_event(studio.database, **({"status": S.TRAINING, "mode": EventMode.PERSONAL} | changes))


# What the budget buys


@pytest.mark.parametrize(
    ("affordable", "words"),
    [
        (Affordable(None, None, None), "no limit"),
        (Affordable(851, 3, 40), "3 more trainings, 40 pictures"),
        (Affordable(259, 1, 1), "1 more training, 1 picture"),
        (Affordable(1, 0, 0), "no more trainings, no pictures"),
        (Affordable(30, None, 30), "any number of trainings, 30 pictures"),
        (Affordable(30, 0, 15, trains=False), "15 pictures"),
    ],
)
def test_what_is_left_is_said_in_words(affordable: Affordable, words: str) -> None:
    assert affordable.words == words


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"budget": None}, (None, None, None, True)),
        ({"budget": 851, "mode": EventMode.PERSONAL}, (851, 3, 40, True)),
        ({"budget": 851, "mode": EventMode.SHARED}, (851, 1, 297, True)),
        ({"budget": 256, "mode": EventMode.SHARED}, (256, 0, 128, True)),
        ({"budget": 851, "mode": EventMode.PERSONAL, "status": S.SHOWING}, (851, 0, 425, False)),
        ({"budget": 851, "mode": EventMode.CLUB}, (851, 0, 425, False)),
        (
            {"budget": 30, "mode": EventMode.PERSONAL, "subject_kind": SubjectKind.CHARACTER},
            (30, None, 30, True),
        ),
    ],
)
async def test_a_budget_is_shown_as_what_it_buys(
    studio: Studio, budgets: BudgetService, changes: dict[str, Any], expected: tuple[Any, ...]
) -> None:
    event = await add_event(studio.database, **({"status": S.COLLECTING} | changes))
    seen = await budgets.preview(event)
    assert (seen.credits_left, seen.trainings, seen.pictures, seen.trains) == expected


async def test_pictures_with_styles_of_another_provider_are_counted_at_its_price(
    studio: Studio, budgets: BudgetService
) -> None:
    style_id = await add_style(studio)
    event = await add_event(studio.database, mode=EventMode.CLUB, style_ids=(style_id,), budget=30)
    assert (await budgets.preview(event)).pictures == 30
    lora = await studio.lora()
    both = await change_event(studio.database, event, lora_ids=(lora.id,))
    assert (await budgets.preview(both)).pictures == 15


async def test_a_shared_event_whose_training_was_paid_expects_no_other(studio: Studio, budgets: BudgetService) -> None:
    event = await add_event(studio.database, status=S.TRAINING, budget=600)
    await budgets.start_training(event, await studio.dataset(user_id=ADMIN, event_id=event.id), ADMIN)
    seen = await budgets.preview(event)
    assert (seen.credits_left, seen.trains, seen.pictures) == (343, False, 171)


# The hard stop


async def test_trainings_at_once_never_exceed_the_budget_and_the_others_leave_no_trace(
    studio: Studio, budgets: BudgetService
) -> None:
    event = await training_event(studio, budget=2 * TRAINING + 100)
    datasets = [await studio.dataset(user_id=500 + number, event_id=event.id) for number in range(5)]
    results = await asyncio.gather(
        *(budgets.start_training(event, dataset_id, 500 + number) for number, dataset_id in enumerate(datasets)),
        return_exceptions=True,
    )
    assert sum(isinstance(result, BudgetSpent) for result in results) == 3
    assert await total_of(studio, event) == 2 * TRAINING
    statuses = await studio.scalars(sa.select(tables.datasets.c.status))
    assert sorted(statuses) == [DatasetStatus.OPEN] * 3 + [DatasetStatus.STARTED] * 2
    assert len(await studio.scalars(sa.select(tables.trainings.c.id))) == 2
    await studio.settle()
    assert studio.charges("create") == 2


@pytest.mark.parametrize(("budget", "fitting"), [(0, 0), (1, 0), (11, 5), (12, 6), (100, 8)])
async def test_pictures_at_once_never_exceed_the_budget(
    studio: Studio, budgets: BudgetService, budget: int, fitting: int
) -> None:
    event, lora = await showing(studio, pictures_each=20, budget=budget)
    results = await asyncio.gather(*(order(budgets, event, lora) for _ in range(8)), return_exceptions=True)
    assert sum(isinstance(result, Accepted) for result in results) == fitting
    assert sum(isinstance(result, BudgetSpent) for result in results) == 8 - fitting
    assert await total_of(studio, event) == fitting * PICTURE
    assert len(await studio.scalars(sa.select(tables.generations.c.id))) == fitting


@settings(max_examples=in_proportion(20))
@given(wanted=st.lists(st.integers(0, 9), max_size=12), budget=st.integers(0, 30))
def test_whatever_is_set_aside_at_once_stays_within_the_budget_and_what_fits_is_taken(
    migrated_file: Path, wanted: list[int], budget: int
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(shutil.copy(migrated_file, folder))
        taken = asyncio.run(set_all_aside(file, wanted, budget))
    assert sum(taken) <= budget
    fitting, left = [], budget
    for credits_ in wanted:
        if credits_ <= left:
            fitting.append(credits_)
            left -= credits_
    assert taken == fitting


async def set_all_aside(file: Path, wanted: list[int], budget: int) -> list[int]:
    """Store a job for each at the same time; the credits of those whose row is there afterwards."""
    ledger = Ledger(ManualClock(), Timings())
    async with Database(sqlite_url(file)) as database:
        event = await add_event(database, budget=budget)

        async def spend(number: int, credits_: int) -> None:
            async def transaction(connection: AsyncConnection) -> None:
                job_id = await generations.insert(connection, **a_generation(number), event_id=event.id)
                job = await generations.get(connection, job_id)
                assert job is not None
                await ledger.reserve(connection, job, Amount(credits_), frozenset())

            with contextlib.suppress(BudgetSpent):
                await database.write(transaction)

        await asyncio.gather(*(spend(number, credits_) for number, credits_ in enumerate(wanted)))
        async with database.read() as connection:
            kept = {spend.subject_id: spend.credits for spend in await spends.of_event(connection, event.id)}
            stored = (await connection.execute(sa.select(tables.generations.c.id))).scalars().all()
    assert sorted(kept) == sorted(stored)
    return [kept[job_id] for job_id in sorted(kept)]


def a_generation(number: int) -> dict[str, Any]:
    return {
        "settings": GenerationSettings(),
        "guild_id": GUILD,
        "channel_id": CHANNEL,
        "user_id": ANNA,
        "key_id": 1,
        "provider": PROVIDER,
        "prompt": "a fox",
        "idempotency_key": f"key-{number}",
        "webhook_token": f"token-{number}",
        "created_at": NOON,
        "due_at": NOON,
    }


async def test_what_the_preview_promises_can_be_ordered_and_not_one_more(
    studio: Studio, budgets: BudgetService
) -> None:
    event, lora = await showing(studio, pictures_each=20, budget=9)
    promised = (await budgets.preview(event)).pictures
    assert promised == 4
    for _ in range(promised):
        await order(budgets, event, lora)
    with pytest.raises(BudgetSpent, match="takes 2 credits; the event's budget has 1 left"):
        await order(budgets, event, lora)


async def test_a_budget_that_the_host_lowered_counts_at_once(studio: Studio, budgets: BudgetService) -> None:
    event, lora = await showing(studio, budget=100)
    await change_event(studio.database, event, budget=1)
    with pytest.raises(BudgetSpent):
        await order(budgets, event, lora)


async def test_several_pictures_and_a_dear_estimate_are_set_aside_in_full(
    studio: Studio, budgets: BudgetService
) -> None:
    await set_aurous_key(studio)
    studio.aurous.faults.answers.image_base = 7
    style_id = await add_style(studio)
    event = await add_event(studio.database, mode=EventMode.CLUB, status=S.COLLECTING, style_ids=(style_id,), budget=20)
    await add_entrants(studio.database, event, ANNA)
    await order(budgets, event, None, style_id=style_id, settings=GenerationSettings(count=2))
    assert await total_of(studio, event) == 14
    with pytest.raises(BudgetSpent, match="takes 7 credits; the event's budget has 6 left"):
        await order(budgets, event, None, style_id=style_id)


async def test_who_may_not_spend_is_told_before_the_provider_is_asked(studio: Studio, budgets: BudgetService) -> None:
    event, lora = await showing(studio)
    seen = len(studio.server.requests)
    with pytest.raises(NotAllowed, match="Only those who take part"):
        await order(budgets, event, lora, BEN)
    assert len(studio.server.requests) == seen


async def test_an_order_that_its_member_cancels_wakes_the_event(studio: Studio, budgets: BudgetService) -> None:
    event, lora = await showing(studio)
    accepted = await order(budgets, event, lora)
    await change_event(studio.database, event, due_at=NOON + timedelta(days=1))
    await studio.generations.cancel(accepted.generation.id, Actor(GUILD, ANNA))
    assert await studio.scalars(sa.select(event_tables.events.c.due_at)) == [studio.clock.now()]


# Trainings


async def test_a_training_belongs_to_its_event_and_shows_no_status_of_its_own(
    studio: Studio, budgets: BudgetService
) -> None:
    event = await training_event(studio, thread_id=THREAD, budget=1000)
    dataset_id = await studio.dataset(event_id=event.id)
    training = await budgets.start_training(event, dataset_id, ANNA)
    assert (training.event_id, training.user_id) == (event.id, ANNA)
    assert (training.channel_id, training.parent_id) == (THREAD, CHANNEL)
    await studio.settle()
    await studio.pass_time(TRAINS_IN)
    ended = await studio.training(training.id)
    assert ended.status is TrainingStatus.READY
    assert studio.poster.kinds() == [PostKind.TRAINING_READY]
    assert await studio.scalars(sa.select(tables.loras.c.event_id)) == [event.id]
    assert await total_of(studio, event) == TRAINING


async def test_starting_twice_trains_and_reserves_once(studio: Studio, budgets: BudgetService) -> None:
    event = await training_event(studio, budget=2 * TRAINING)
    dataset_id = await studio.dataset(event_id=event.id)
    started = await asyncio.gather(*(budgets.start_training(event, dataset_id, ANNA) for _ in range(3)))
    assert len({training.id for training in started}) == 1
    assert await total_of(studio, event) == TRAINING


@pytest.mark.parametrize(("mode", "audiences"), [(EventMode.SHARED, [Audience.EVENT]), (EventMode.PERSONAL, [])])
async def test_what_everybody_gave_photos_for_may_be_used_by_everybody_who_takes_part(
    studio: Studio, budgets: BudgetService, mode: EventMode, audiences: list[Audience]
) -> None:
    event = await training_event(studio, mode=mode)
    await add_entrants(studio.database, event, BEN)
    await budgets.start_training(event, await studio.dataset(event_id=event.id), ANNA)
    await studio.settle()
    await studio.pass_time(TRAINS_IN)
    [lora_id] = await studio.scalars(sa.select(tables.loras.c.id))
    async with studio.database.read() as connection:
        shares = await sharing.shares_of(connection, lora_id)
        usable = await sharing.usable_by(connection, Actor(GUILD, BEN))
    assert [share.audience for share in shares] == audiences
    assert all(share.audience_id == event.id for share in shares)
    assert [lora.id for lora in usable] == ([lora_id] if audiences else [])


async def test_photos_of_an_event_are_trained_by_nobody_but_the_event(studio: Studio, budgets: BudgetService) -> None:
    event = await training_event(studio)
    dataset_id = await studio.dataset(event_id=event.id)
    with pytest.raises(UserError, match="given to an event"):
        await studio.start(dataset_id)
    studio.server.faults.trainings.append(TrainingFault.FAIL_BEFORE_CHARGE)
    failed = await budgets.start_training(event, dataset_id, ANNA)
    await studio.settle()
    await studio.pass_time(TRAINS_IN)
    assert studio.poster.kinds() == [PostKind.TRAINING_FAILED]
    with pytest.raises(UserError, match="given to an event"):
        await studio.trainings.retry(failed.id, Actor(GUILD, ANNA), channel=HERE)
    own = await studio.dataset()
    with pytest.raises(UserError):
        await budgets.start_training(event, own, ANNA)
    other = await training_event(studio)
    with pytest.raises(NotFound):
        await budgets.start_training(other, dataset_id, ANNA)
    assert len(await studio.scalars(sa.select(tables.trainings.c.id))) == 1


async def test_an_event_is_woken_when_a_job_of_it_ends(studio: Studio, budgets: BudgetService) -> None:
    event, lora = await showing(studio)
    await order(budgets, event, lora)
    await studio.settle()
    assert await studio.scalars(sa.select(event_tables.events.c.due_at)) == [None]
    await finish(studio)
    assert None not in await studio.scalars(sa.select(event_tables.events.c.due_at))


# Settling


async def test_jobs_that_run_stay_reserved_and_failed_ones_cost_nothing(studio: Studio, budgets: BudgetService) -> None:
    event, lora = await showing(studio, budget=2 * PICTURE)
    studio.server.faults.jobs.append(JobFault.FAIL)
    await order(budgets, event, lora)
    await order(budgets, event, lora)
    assert await total_of(studio, event) == 2 * PICTURE
    await studio.settle()
    await finish(studio)
    statuses = await studio.scalars(sa.select(tables.generations.c.status).order_by(tables.generations.c.id))
    assert sorted(statuses) == [GenerationStatus.FAILED, GenerationStatus.READY]
    assert await total_of(studio, event) == PICTURE
    assert all(spend.settled_at is not None for spend in await spends_of(studio, event))
    await order(budgets, event, lora)


async def test_a_failed_training_gives_its_room_back(studio: Studio, budgets: BudgetService) -> None:
    event = await training_event(studio, budget=TRAINING)
    studio.server.faults.trainings.append(TrainingFault.FAIL_BEFORE_CHARGE)
    dataset_id = await studio.dataset(event_id=event.id)
    first = await budgets.start_training(event, dataset_id, ANNA)
    await studio.settle()
    await studio.pass_time(TRAINS_IN)
    assert await total_of(studio, event) == 0
    assert (await budgets.start_training(event, dataset_id, ANNA)).id != first.id


async def test_an_erased_member_is_no_longer_named_and_what_they_spent_stays_counted(
    studio: Studio, budgets: BudgetService
) -> None:
    event, lora = await showing(studio, pictures_each=5)
    await order(budgets, event, lora)
    await studio.settle()
    await studio.privacy.forget_member(guild_id=GUILD, user_id=ANNA)
    await studio.pass_time(timedelta(minutes=1))
    [spend] = await spends_of(studio, event)
    assert (spend.credits, spend.settled_at is not None) == (PICTURE, True)
    assert spend.user_id < 0


# A cancelled event


async def test_a_cancelled_event_sends_nothing_more_and_nobody_gets_a_message_for_each_job(
    studio: Studio, budgets: BudgetService
) -> None:
    event = await training_event(studio)
    training = await budgets.start_training(event, await studio.dataset(event_id=event.id), ANNA)
    event = await change_event(studio.database, event, status=S.SHOWING)
    await add_entrants(studio.database, event, ANNA)
    generation = (await order(budgets, event, await add_event_lora(studio, event, user_id=ANNA))).generation
    await change_event(studio.database, event, status=S.CANCELLED)
    await studio.settle()
    assert (await studio.training(training.id)).error == CANCELLED
    assert (await studio.generation(generation.id)).error == CANCELLED
    assert (studio.server.ledger, orders(studio), studio.poster.kinds()) == ([], 0, [])
    assert await total_of(studio, event) == 0
    with pytest.raises(UserError, match="is over"):
        await budgets.start_training(event, await studio.dataset(event_id=event.id), ANNA)
    with pytest.raises(UserError, match="is over"):
        await order(budgets, event, None)


async def test_what_was_sent_before_the_cancellation_is_brought_to_its_end(
    studio: Studio, budgets: BudgetService
) -> None:
    event, lora = await showing(studio)
    generation = (await order(budgets, event, lora)).generation
    await studio.settle()
    await change_event(studio.database, event, status=S.CANCELLED)
    await finish(studio)
    assert (await studio.generation(generation.id)).status is GenerationStatus.READY
    assert await total_of(studio, event) == PICTURE


async def test_an_order_of_unknown_outcome_is_not_taken_for_an_unsent_one(
    studio: Studio, budgets: BudgetService
) -> None:
    event = await training_event(studio)
    studio.server.faults.next("POST /v2/loras", Fault.reset_after_accept())
    training = await budgets.start_training(event, await studio.dataset(event_id=event.id), ANNA)
    await studio.settle()
    await change_event(studio.database, event, status=S.CANCELLED)
    await studio.pass_time(timedelta(minutes=1))
    assert (await studio.training(training.id)).status is TrainingStatus.SUBMITTED


# Entrants' own pictures


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"status": S.TRAINING}, "as soon as the LoRA is ready"),
        ({"status": S.VOTING}, "The time for making pictures is over"),
        ({"mode": EventMode.CLUB}, "The time for making pictures is over"),
        ({"mode": EventMode.BAKEOFF}, "bake-off"),
        ({"status": S.FINISHED}, "This event is over"),
        ({"status": S.DRAFT}, "not been opened"),
        ({"pictures_each": 0}, "Nobody makes pictures of their own"),
        ({"paused_at": NOON, "paused_why": PauseReason.NO_KEY}, "paused"),
    ],
)
async def test_own_pictures_have_their_time(
    studio: Studio, budgets: BudgetService, changes: dict[str, Any], words: str
) -> None:
    event, lora = await showing(studio, **changes)
    with pytest.raises(UserError, match=words):
        await order(budgets, event, lora)
    assert await spends_of(studio, event) == []


@pytest.mark.parametrize("status", [EntrantStatus.WITHDRAWN, EntrantStatus.REMOVED])
async def test_who_has_left_an_event_makes_no_pictures_for_it(
    studio: Studio, budgets: BudgetService, status: EntrantStatus
) -> None:
    event, lora = await showing(studio)
    await add_entrants(studio.database, event, ANNA, status=status)
    with pytest.raises(NotAllowed):
        await order(budgets, event, lora)


async def test_everybody_has_their_number_of_orders_even_when_they_press_at_once(
    studio: Studio, budgets: BudgetService
) -> None:
    event, lora = await showing(studio, pictures_each=2)
    studio.server.faults.jobs.append(JobFault.FAIL)
    results = await asyncio.gather(*(order(budgets, event, lora) for _ in range(4)), return_exceptions=True)
    assert sum(isinstance(result, Accepted) for result in results) == 2
    assert {str(result) for result in results if isinstance(result, UserError)} == {
        "You have ordered all your pictures for this event; there were 2."
    }
    await studio.settle()
    await finish(studio)
    await order(budgets, event, lora)
    with pytest.raises(UserError, match="there were 2"):
        await order(budgets, event, lora)


async def test_only_what_belongs_to_the_event_is_used_in_it(studio: Studio, budgets: BudgetService) -> None:
    event, _ = await showing(studio)
    other = await studio.lora()
    style_id = await add_style(studio)
    with pytest.raises(UserError, match="This LoRA is not part of the event"):
        await order(budgets, event, other)
    with pytest.raises(UserError, match="This style is not part of the event"):
        await order(budgets, event, None, style_id=style_id)
    with pytest.raises(UserError, match="pick a LoRA or a style"):
        await order(budgets, event, None)


async def test_in_a_personal_event_everybody_uses_their_own(studio: Studio, budgets: BudgetService) -> None:
    event = await add_event(studio.database, mode=EventMode.PERSONAL)
    await add_entrants(studio.database, event, ANNA, BEN)
    annas, bens = [await add_event_lora(studio, event, user_id=user_id) for user_id in (ANNA, BEN)]
    async with studio.database.read() as connection:
        assert len(await sharing.usable_by(connection, Actor(GUILD, ANNA))) == 1
    await studio.database.write(
        lambda connection: sharing.share(connection, bens, Audience.GUILD, None, by=BEN, now=studio.clock.now())
    )
    assert (await order(budgets, event, annas)).generation.event_id == event.id
    with pytest.raises(UserError, match="not part of the event"):
        await order(budgets, event, bens)


async def test_in_a_club_the_hosts_list_is_used_while_pictures_are_collected(
    studio: Studio, budgets: BudgetService
) -> None:
    lora = await studio.lora()
    event = await add_event(studio.database, mode=EventMode.CLUB, status=S.COLLECTING, lora_ids=(lora.id,))
    await add_entrants(studio.database, event, ANNA)
    accepted = await order(budgets, event, lora)
    assert (accepted.generation.event_id, accepted.generation.pack_index) == (event.id, None)
    with pytest.raises(UserError, match="not part of the event"):
        await order(budgets, event, await studio.lora())


async def test_another_guilds_event_looks_like_none(studio: Studio, budgets: BudgetService) -> None:
    event, lora = await showing(studio)
    wanted = PictureOrder("a fox", lora_id=lora.id)
    with pytest.raises(NotFound, match="no such event here"):
        await budgets.order(event, wanted, Actor(OTHER_GUILD, ANNA), HERE)


# What stands in the way


async def test_what_stands_in_the_way_of_an_order_is_named(studio: Studio) -> None:
    budgets = studio.budgets
    assert await budgets.obstacle(GUILD, PROVIDER, 1) is PauseReason.NO_KEY
    await studio.set_key(POOR_KEY)
    assert await budgets.obstacle(GUILD, PROVIDER, 100) is None
    assert await budgets.obstacle(GUILD, PROVIDER, 101) is PauseReason.OUT_OF_CREDITS
    studio.server.faults.next("GET /v2/me", *[Fault.answer(503)] * 3)
    assert await budgets.obstacle(GUILD, PROVIDER, 1) is PauseReason.PROVIDER_DOWN
    assert await budgets.obstacle(GUILD, ProviderName.AUROUS, 1) is PauseReason.NO_KEY


async def test_a_key_that_is_refused_is_paused_and_its_admin_told(studio: Studio) -> None:
    await studio.set_key()
    studio.server.faults.inactive_keys.add(KEY)
    assert await studio.budgets.obstacle(GUILD, PROVIDER, 1) is PauseReason.PROVIDER_DOWN
    await studio.outlast(studio.timings.key_doubted)
    assert await studio.budgets.obstacle(GUILD, PROVIDER, 1) is PauseReason.NO_KEY
    await studio.settle(LaneName.POSTS)
    assert studio.poster.kinds() == [PostKind.KEY_PAUSED]


# What is kept


async def test_pictures_of_an_event_stay_until_it_has_been_over_for_a_while(
    studio: Studio, budgets: BudgetService
) -> None:
    event, lora = await showing(studio)
    generation = (await order(budgets, event, lora)).generation
    await studio.settle()
    await finish(studio)
    for _ in range(6):
        await studio.pass_time(studio.timings.pictures_kept)
    [file] = await pictures(studio, generation)
    assert file in studio.files()
    await change_event(studio.database, event, status=S.FINISHED, ended_at=studio.clock.now())
    await studio.pass_time(studio.timings.pictures_kept - timedelta(seconds=1))
    assert file in studio.files()
    await studio.pass_time(timedelta(days=2))
    assert studio.files() == []
