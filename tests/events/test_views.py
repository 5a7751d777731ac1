"""What a card of an event shows: counted right, for this event alone, and cheap however many photos there are."""

from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.events.photos import coach
from bot.events.views import UncountedPhotos
from bot.records.dataset import ConsentKind, Pick, Verdict
from bot.records.event import DepictionStatus, EntrantStatus, EventMode, EventStatus
from bot.records.generation import GenerationStatus
from bot.records.training import TrainingStatus
from bot.storage import tables
from bot.storage.events import counts as event_counts
from bot.storage.events import tables as event_tables
from tests.events.event_hosts import HOST, Hosting, given
from tests.events.event_spends import TRAINING, add_spend
from tests.fakes.events import add_entrants
from tests.fakes.rows import (
    ANNA,
    BEN,
    GUILD,
    add_dataset,
    add_generation,
    add_lora,
    add_photos,
    add_training,
    stands_in,
)
from tests.fakes.studio import Studio

S = EventStatus
CLEO = 403
MANY = 900


@pytest.fixture
async def hosting(studio: Studio) -> Hosting:
    await studio.set_key()
    return Hosting(studio)


async def insert(hosting: Hosting, table: sa.Table, **values: Any) -> int:
    async def transaction(connection: AsyncConnection) -> int:
        return int((await connection.execute(sa.insert(table).values(**values).returning(table.c.id))).scalar_one())

    return await hosting.studio.database.write(transaction)


async def name(hosting: Hosting, event_id: int, status: DepictionStatus, *, user_id: int = CLEO) -> int:
    """A submission in which somebody was named; its id."""
    now = hosting.studio.clock.now()
    consent_id = await insert(
        hosting,
        tables.consents,
        guild_id=GUILD,
        user_id=ANNA,
        event_id=event_id,
        dataset_id=1,
        provider="apiframe",
        kind=ConsentKind.PHOTOS,
        policy_version="1",
        photo_hashes=[],
        given_at=now,
    )
    await insert(
        hosting,
        event_tables.depictions,
        event_id=event_id,
        guild_id=GUILD,
        consent_id=consent_id,
        user_id=user_id,
        named_by=ANNA,
        status=status,
        created_at=now,
    )
    return consent_id


async def test_a_new_event_has_nothing_and_its_panel(hosting: Hosting) -> None:
    view = await hosting.view(await hosting.opened(budget=TRAINING))
    assert (view.photos, view.usable_photos, view.spent, view.pictures, view.entries, view.votes) == (0,) * 6
    assert (view.entrants, view.loras, view.winners, dict(view.trainings)) == ((), (), (), {})
    assert view.affordable is not None
    assert (view.affordable.credits_left, view.affordable.trainings) == (TRAINING, 1)
    assert view.panel_post is not None


async def test_what_is_gone_has_no_view(hosting: Hosting) -> None:
    assert await hosting.service.view(12345) is None


async def test_what_is_over_buys_nothing_any_more(hosting: Hosting) -> None:
    event = await hosting.service.cancel((await hosting.opened(budget=TRAINING)).id, HOST)
    assert (await hosting.view(event)).affordable is None


async def test_photos_count_as_usable_when_they_may_be_trained_on(hosting: Hosting) -> None:
    event = await hosting.opened()
    await add_entrants(hosting.studio.database, event, ANNA)
    pending = await name(hosting, event.id, DepictionStatus.PENDING)
    confirmed = await name(hosting, event.id, DepictionStatus.CONFIRMED, user_id=BEN)
    await hosting.give(
        event,
        given(1),
        given(2, verdict=Verdict.ADVISED, pick=Pick.PINNED),
        given(3, consent_id=confirmed),
        given(4, verdict=Verdict.REFUSED),
        given(5, pick=Pick.DROPPED),
        given(6, consent_id=pending),
        replace(given(7), contributor_id=CLEO),
    )
    view = await hosting.view(event)
    assert (view.photos, view.usable_photos) == (7, 3)
    await hosting.studio.change(event_tables.depictions, 1, status=DepictionStatus.CONFIRMED)
    assert (await hosting.view(event)).usable_photos == 4


async def test_every_photo_that_does_not_count_has_its_reason(hosting: Hosting) -> None:
    event = await hosting.opened()
    await add_entrants(hosting.studio.database, event, ANNA)
    pending = await name(hosting, event.id, DepictionStatus.PENDING)
    await hosting.give(
        event,
        *(given(number) for number in range(1, 6)),
        *(given(number, dhash=given(1).dhash) for number in (6, 7)),
        *(given(number, consent_id=pending) for number in range(8, 18)),
        given(18, verdict=Verdict.REFUSED),
        given(19, verdict=Verdict.REFUSED, consent_id=pending, pick=Pick.DROPPED),
        given(20, pick=Pick.DROPPED, consent_id=pending),
        replace(given(21, consent_id=pending), contributor_id=CLEO),
    )
    view = await hosting.view(event)
    assert (view.photos, view.usable_photos) == (21, 7)
    assert view.uncounted == UncountedPhotos(waiting=10, refused=2, dropped=1, alike=2)
    assert view.advice[0] == "8 more usable photos are needed: training takes at least 15."
    await hosting.studio.change(event_tables.depictions, 1, status=DepictionStatus.CONFIRMED)
    view = await hosting.view(event)
    assert view.uncounted == UncountedPhotos(waiting=0, refused=2, dropped=1, alike=2)
    assert view.usable_photos == 17
    assert "needed" not in view.advice[0]


async def test_the_coach_and_the_numbers_are_about_those_who_take_part(hosting: Hosting) -> None:
    """Photos of somebody who was taken out do not make the set look complete."""
    event = await hosting.opened()
    await add_entrants(hosting.studio.database, event, ANNA)
    await hosting.give(event, given(1), *(replace(given(number), contributor_id=CLEO) for number in range(2, 20)))
    assert (await hosting.view(event)).advice[0].startswith("14 more usable photos are needed")


async def test_what_it_will_take_grows_with_those_who_join(hosting: Hosting) -> None:
    event = await hosting.opened(pack=("{trigger} at sea",), pictures_each=2)
    view = await hosting.view(event)
    assert (view.expected, view.entrants_expected) == (TRAINING + 2 + 10 * 2 * 2, 10)
    await add_entrants(hosting.studio.database, event, *range(500, 512))
    view = await hosting.view(event)
    assert (view.expected, view.entrants_expected) == (TRAINING + 2 + 12 * 2 * 2, 12)


async def test_photos_of_who_was_removed_are_not_usable(hosting: Hosting) -> None:
    event = await hosting.opened()
    await add_entrants(hosting.studio.database, event, ANNA, BEN)
    await hosting.give(event, given(1), given(2), replace(given(3), contributor_id=BEN))
    assert (await hosting.view(event)).usable_photos == 3
    (entrant_id,) = await hosting.studio.scalars(
        sa.select(event_tables.entrants.c.id).where(event_tables.entrants.c.user_id == BEN)
    )
    await hosting.studio.change(event_tables.entrants, entrant_id, status=EntrantStatus.REMOVED)
    assert (await hosting.view(event)).usable_photos == 2


async def test_the_photos_of_all_entrants_count_in_a_personal_event(hosting: Hosting) -> None:
    event = await hosting.opened(EventMode.PERSONAL)
    await add_entrants(hosting.studio.database, event, ANNA, BEN)
    for user_id in (ANNA, BEN):
        dataset_id = await add_dataset(hosting.studio.database, user_id=user_id, event_id=event.id)
        photos = [replace(given(number), dataset_id=dataset_id, contributor_id=user_id) for number in (1, 2)]
        await add_photos(hosting.studio.database, photos)
    assert (await hosting.view(event)).usable_photos == 4


async def test_another_events_rows_are_not_counted(hosting: Hosting) -> None:
    event, other = await hosting.opened(), await hosting.opened()
    database, now = hosting.studio.database, hosting.studio.clock.now()
    await add_entrants(hosting.studio.database, other, BEN)
    await hosting.give(other, given(1))
    await name(hosting, other.id, DepictionStatus.PENDING)
    await add_training(database, event_id=other.id, dataset_id=other.dataset_id)
    await add_lora(database, event_id=other.id)
    common = {"event_id": other.id, "guild_id": GUILD}
    entry = await insert(
        hosting, event_tables.entries, **common, user_id=BEN, picture_ids=[1], position=1, created_at=now
    )
    await insert(hosting, event_tables.votes, **common, entry_id=entry, voter_id=ANNA, is_jury=False, cast_at=now)
    full = await hosting.view(other)
    assert (full.photos, full.pending, full.entries, full.votes, len(full.loras)) == (1, 1, 1, 1, 1)
    assert (len(full.entrants), dict(full.trainings)) == (1, {TrainingStatus.QUEUED: 1})
    empty = await hosting.view(event)
    assert (empty.photos, empty.pending, empty.entries, empty.votes, empty.loras) == (0, 0, 0, 0, ())
    assert (empty.entrants, dict(empty.trainings)) == ((), {})


async def test_answers_are_counted_and_nobody_is_named(hosting: Hosting) -> None:
    event = await hosting.opened()
    for status, times in ((DepictionStatus.CONFIRMED, 3), (DepictionStatus.PENDING, 2), (DepictionStatus.VETOED, 1)):
        for _ in range(times):
            await name(hosting, event.id, status)
    view = await hosting.view(event)
    assert (view.covered, view.pending, view.vetoed) == (3, 2, 1)
    assert not stands_in(CLEO, view)


async def test_of_a_dataset_that_was_tried_again_the_newest_training_counts(hosting: Hosting) -> None:
    event = await hosting.opened()
    for number, (dataset_id, status) in enumerate(
        [
            (1, TrainingStatus.FAILED),
            (2, TrainingStatus.READY),
            (1, TrainingStatus.TRAINING),
            (3, TrainingStatus.READY),
        ]
    ):
        training_id = await add_training(
            hosting.studio.database, number, event_id=event.id, dataset_id=dataset_id, due_at=None
        )
        await hosting.studio.change(tables.trainings, training_id, status=status)
    assert dict((await hosting.view(event)).trainings) == {TrainingStatus.READY: 2, TrainingStatus.TRAINING: 1}


async def test_pictures_that_were_made_and_not_deleted_are_counted(hosting: Hosting) -> None:
    event, now = await hosting.opened(), hosting.studio.clock.now()
    for number, (status, deleted_at) in enumerate(
        [
            (GenerationStatus.READY, None),
            (GenerationStatus.READY, now),
            (GenerationStatus.FETCHING, None),
        ]
    ):
        generation_id = await add_generation(hosting.studio.database, number, event_id=event.id, due_at=None)
        await hosting.studio.change(tables.generations, generation_id, status=status, deleted_at=deleted_at)
        for position in range(2):
            await insert(
                hosting,
                tables.pictures,
                generation_id=generation_id,
                position=position,
                url="",
                content_type="image/png",
                size=1,
            )
    assert (await hosting.view(event)).pictures == 2


async def test_what_is_set_aside_is_spent_and_buys_less(hosting: Hosting) -> None:
    event = await hosting.opened(budget=3 * TRAINING)

    await add_spend(hosting.studio.database, event, 2 * TRAINING + 1)
    view = await hosting.view(event)
    assert view.affordable is not None
    assert (view.spent, view.affordable.credits_left) == (2 * TRAINING + 1, TRAINING - 1)
    assert view.affordable.trainings == 0


async def test_the_places_are_shown_once_the_event_is_over(hosting: Hosting) -> None:
    event = await hosting.opened()
    for entry_id, (user_id, place) in enumerate([(ANNA, 1), (BEN, 1), (CLEO, 3)], start=1):
        await insert(
            hosting,
            event_tables.honours,
            event_id=event.id,
            guild_id=GUILD,
            user_id=user_id,
            event_name=event.name,
            place=place,
            votes=5 - place,
            awarded_at=hosting.studio.clock.now(),
            entry_id=entry_id,
        )
    assert (await hosting.view(event)).winners == ()
    await hosting.now_at(event, status=S.FINISHED)
    shown = [(honour.user_id, honour.place) for honour in (await hosting.view(event)).winners]
    assert shown == [(ANNA, 1), (BEN, 1), (CLEO, 3)]


async def test_advice_is_given_while_it_can_be_followed(hosting: Hosting) -> None:
    event = await hosting.opened()
    assert (await hosting.view(event)).advice
    await hosting.now_at(event, status=S.REVIEWING)
    assert (await hosting.view(event)).advice
    await hosting.now_at(event, status=S.TRAINING)
    assert (await hosting.view(event)).advice == ()
    assert (await hosting.view(await hosting.opened(EventMode.PERSONAL))).advice == ()


async def test_the_coach_sees_the_newest_photos_in_their_order(hosting: Hosting) -> None:
    event = await hosting.opened()
    assert event.dataset_id is not None
    await add_entrants(hosting.studio.database, event, ANNA)
    await hosting.give(event, *(given(number) for number in range(1, MANY + 1)))
    async with hosting.studio.database.read() as connection:
        looked_at = await event_counts.newest_photos(connection, event, limit=coach.LOOKED_AT)
    assert [each.name for each in looked_at] == [
        f"photo-{number}.jpg" for number in range(MANY - coach.LOOKED_AT + 1, MANY + 1)
    ]
    view = await hosting.view(event)
    assert (view.photos, view.usable_photos) == (MANY, MANY)
