"""A backup of every moment that is put back: nothing that has happened since is paid for or posted a second time."""

from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.generation.failures import UNKNOWN_OUTCOME
from bot.records.event import EventStatus
from bot.records.generation import GenerationStatus
from bot.records.guild import Place, PlaceKind
from bot.records.post import PostKind, PostStatus
from bot.records.training import TrainingStatus
from bot.storage import tables
from bot.storage.policy_tables import spends
from tests.backup.backups import MINUTE, backed_up, backups_on_the_way, life_from
from tests.events.lives.event_run import EventRun, begin
from tests.fakes.rows import ANNA, BEN, CHANNEL, GUILD, OTHER_GUILD, add_post
from tests.fakes.studio import TRAINS_IN, Studio

pytestmark = pytest.mark.sqlite

LATER = timedelta(minutes=10)
"""Longer than anybody remembers a nonce."""
DAYS_LATER = timedelta(hours=30)
"""Longer than a provider remembers an idempotency key."""


@pytest.fixture(autouse=True)
async def _guild_wants_first_pictures(studio: Studio) -> None:
    await studio.set_key()
    await studio.guilds.choose_samples(GUILD, are_made=True)


async def statuses(studio: Studio, table: sa.Table) -> list[str]:
    return await studio.scalars(sa.select(table.c.status).order_by(table.c.id))


async def is_all_posted(studio: Studio) -> bool:
    return set(await statuses(studio, tables.posts)) == {PostStatus.POSTED}


async def others_go_on(studio: Studio) -> None:
    """Ben trains a LoRA and makes a picture, which takes the next numbers of everything."""
    await studio.order(await studio.trained(user_id=BEN), "what Ben wants")
    await pass_minutes(studio, 10)


async def pass_minutes(studio: Studio, count: int) -> None:
    for _ in range(count):
        await studio.pass_time(MINUTE)


def assert_each_once(studio: Studio) -> None:
    assert set(Counter(message.nonce for message in studio.poster.messages).values()) == {1}


async def test_a_training_and_its_first_picture_are_paid_and_posted_once(studio: Studio) -> None:
    """Mutants: a row that is made again is named after its new number; a queued order is sent without a look."""
    training = await studio.begin()

    async def is_over() -> bool:
        ready = (await studio.training(training.id)).status is TrainingStatus.READY
        return ready and await statuses(studio, tables.generations) == ["ready"] and await is_all_posted(studio)

    files = await backups_on_the_way(studio, is_over)
    assert len(files) >= 6
    await others_go_on(studio)
    posted, paid = len(studio.poster.messages), [entry.what for entry in studio.server.ledger]
    for file in files:
        studio.clock.advance(LATER)
        async with life_from(studio, file) as life:
            await pass_minutes(life, 40)
            assert await statuses(life, tables.trainings) == [TrainingStatus.READY]
            assert await statuses(life, tables.generations) == [GenerationStatus.READY]
            assert await is_all_posted(life)
        assert [entry.what for entry in studio.server.ledger] == paid
        assert len(studio.poster.messages) == posted
    assert_each_once(studio)


async def test_after_a_provider_has_forgotten_the_key_a_picture_is_not_paid_again(studio: Studio) -> None:
    """Mutant: an order whose idempotency key is forgotten is sent without asking what the provider has."""
    training = await studio.begin()
    await studio.settle()
    file = await backed_up(studio, "training")
    await studio.pass_time(TRAINS_IN)
    await pass_minutes(studio, 10)
    assert (studio.charges("create"), studio.charges("images")) == (1, 1)
    studio.clock.advance(DAYS_LATER)
    async with life_from(studio, file) as life:
        await pass_minutes(life, 40)
        assert (await life.training(training.id)).status is TrainingStatus.READY
        [error] = await life.scalars(sa.select(tables.generations.c.error))
        assert error == UNKNOWN_OUTCOME
    assert (studio.charges("create"), studio.charges("images")) == (1, 1)


async def test_what_was_provably_never_sent_is_sent_although_the_backup_is_old(studio: Studio) -> None:
    """Mutant: whatever an old backup holds counts as sent."""
    await studio.begin()
    await studio.settle()
    file = await backed_up(studio, "training")
    studio.clock.advance(DAYS_LATER)
    async with life_from(studio, file) as life:
        await pass_minutes(life, 40)
        assert await statuses(life, tables.generations) == [GenerationStatus.READY]
    assert (studio.charges("create"), studio.charges("images")) == (1, 1)


async def test_a_members_picture_is_paid_and_posted_once(studio: Studio) -> None:
    await studio.order(await studio.lora())

    async def is_over() -> bool:
        return await statuses(studio, tables.generations) == ["ready"] and await is_all_posted(studio)

    files = await backups_on_the_way(studio, is_over)
    await others_go_on(studio)
    paid = [entry.what for entry in studio.server.ledger]
    for file in files:
        studio.clock.advance(LATER)
        async with life_from(studio, file) as life:
            await pass_minutes(life, 30)
            assert await statuses(life, tables.generations) == [GenerationStatus.READY]
        assert [entry.what for entry in studio.server.ledger] == paid
    assert_each_once(studio)


async def test_a_members_old_order_ends_with_the_truth_when_it_may_have_been_paid(studio: Studio) -> None:
    await studio.order(await studio.lora())
    file = await backed_up(studio, "queued")
    await pass_minutes(studio, 10)
    studio.clock.advance(DAYS_LATER)
    async with life_from(studio, file) as life:
        await pass_minutes(life, 10)
        assert await life.scalars(sa.select(tables.generations.c.error)) == [UNKNOWN_OUTCOME]
        assert await life.scalars(sa.select(spends.c.credits)) == [2]
    assert studio.charges("images") == 1


async def test_a_post_is_made_once(studio: Studio) -> None:
    await add_post(studio.database, 1, now=studio.clock.now(), kind=PostKind.KEY_PAUSED)
    files = await backups_on_the_way(studio, lambda: is_all_posted(studio))
    for file in files:
        studio.clock.advance(LATER)
        async with life_from(studio, file) as life:
            await life.settle()
            assert await is_all_posted(life)
    assert len(studio.poster.messages) == 1


async def test_a_new_order_gets_a_number_that_nobody_has_seen(studio: Studio) -> None:
    """Mutant: numbers go on where the backup ended. Discord would answer the old nonce with Ben's message."""
    file = await backed_up(studio, "before")
    seen = (await studio.begin(user_id=BEN)).id
    await studio.settle()
    async with life_from(studio, file) as life:
        training = await life.begin(user_id=ANNA)
        await life.settle()
        assert training.id > seen
        assert [message.kind for message in studio.poster.messages] == [PostKind.TRAINING_STATUS] * 2
    assert_each_once(studio)


async def test_a_server_that_joined_after_the_backup_is_greeted_once(studio: Studio) -> None:
    """Mutant: the greeting is named after the number of the server's row, which is another one now."""
    file, places = await backed_up(studio, "before"), [Place(PlaceKind.CHANNEL, CHANNEL)]
    await studio.guilds.welcome(OTHER_GUILD, places)
    await studio.settle()
    assert studio.poster.kinds() == [PostKind.WELCOME]
    studio.clock.advance(LATER)
    async with life_from(studio, file) as life:
        await life.guilds.welcome(OTHER_GUILD, places)
        await pass_minutes(life, 30)
        assert await is_all_posted(life)
    assert_each_once(studio)


async def test_two_restores_of_one_backup_give_out_different_numbers(studio: Studio) -> None:
    file = await backed_up(studio, "twice")
    numbers: list[int] = []
    for name in ("first", "second"):
        studio.clock.advance(MINUTE)
        async with life_from(studio, file.rename(file.with_stem(name))) as life:
            numbers += [(await life.begin(user_id=user_id)).id for user_id in (ANNA, BEN)]
        file = file.with_stem(name)
    assert len(set(numbers)) == 4


async def backups_of_an_event(run: EventRun) -> AsyncIterator[Path]:
    """One whenever a stage has changed or something was posted, until the event is over."""
    studio, seen, number = run.studio, None, 0
    while not (await run.status()).is_terminal:
        now = (await run.status(), len(studio.poster.messages))
        if now != seen:
            yield await backed_up(studio, f"event-{number}")
            number += 1
        seen = now
        await studio.pass_time(5 * MINUTE)


async def test_an_event_pays_and_announces_once(studio: Studio) -> None:
    """Mutants: announcements are named after their numbers, which others have by now; pictures after their LoRA's."""
    await studio.guilds.choose_samples(GUILD, are_made=False)
    run = await begin(studio, pack=("{trigger} on a boat",), budget=400)
    for user_id in (ANNA, BEN):
        await run.give(user_id, 10)
    files: list[Path] = []
    async for file in backups_of_an_event(run):
        files.append(file)
        if len(files) == 1:
            await studio.trained(user_id=BEN)
    assert len(files) >= 4
    await run.studio.pass_time(LATER)
    paid = Counter(entry.what for entry in studio.server.ledger)
    posted = sorted(each.nonce for each in studio.poster.messages)
    for file in files:
        studio.clock.advance(LATER)
        async with life_from(studio, file) as again:
            restored = EventRun(again, run.event_id)
            while not (await restored.status()).is_terminal:
                await again.pass_time(20 * MINUTE)
            await again.pass_time(LATER)
            assert await restored.status() is await run.status()
        assert Counter(entry.what for entry in studio.server.ledger) == paid
        assert sorted(each.nonce for each in studio.poster.messages) == posted
    assert_each_once(studio)


async def test_an_event_of_an_old_backup_does_not_order_again_what_may_be_paid(studio: Studio) -> None:
    """Mutant: an order whose key is forgotten is new. Nobody asked for this picture, so nobody is told either."""
    await studio.guilds.choose_samples(GUILD, are_made=False)
    run = await begin(studio, pack=("{trigger} on a boat",), budget=400)
    for user_id in (ANNA, BEN):
        await run.give(user_id, 10)
    while await run.status() is not EventStatus.TRAINING:
        await studio.pass_time(20 * MINUTE)
    file = await backed_up(studio, "training")
    while not studio.charges("images"):
        await studio.pass_time(5 * MINUTE)
    studio.clock.advance(DAYS_LATER)
    async with life_from(studio, file) as again:
        for _ in range(10):
            await again.pass_time(20 * MINUTE)
        assert await again.scalars(sa.select(tables.generations.c.error)) == [UNKNOWN_OUTCOME]
        assert (await EventRun(again, run.event_id).status()) is EventStatus.SHOWING
    assert (studio.charges("create"), studio.charges("images")) == (1, 1)
    assert PostKind.PICTURES_FAILED not in studio.poster.kinds()
    assert_each_once(studio)
