"""A copy of the data folder that is put back: what happened since is neither paid for nor posted a second time."""

from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.generation.order import PictureOrder
from bot.records.generation import GenerationStatus
from bot.records.key import ProviderName
from bot.records.post import PostKind, PostStatus
from bot.records.training import TrainingStatus
from bot.sandbox.rehearsal.faults import Fault
from bot.storage import tables
from tests.events.lives.event_run import EventRun, begin
from tests.fakes.lives import copy_of, life_on
from tests.fakes.rows import ANNA, BEN, add_post
from tests.fakes.studio import Studio
from tests.generation.picture_orders import add_style, place, reference, set_aurous_key

MINUTE = timedelta(minutes=1)
LATER = timedelta(minutes=10)
"""Longer than anybody remembers a nonce."""


async def copies_on_the_way(studio: Studio, is_over: Callable[[], Awaitable[bool]]) -> list[Path]:
    """A copy before every round of steps until `is_over`, and one afterwards."""
    copies = [await copy_of(studio, "copy-0")]
    while not await is_over():
        assert len(copies) < 60
        if await studio.work():
            copies.append(await copy_of(studio, f"copy-{len(copies)}"))
        else:
            studio.clock.advance(MINUTE)
    return copies


async def statuses(studio: Studio, table: sa.Table) -> list[str]:
    return await studio.scalars(sa.select(table.c.status).order_by(table.c.id))


async def is_all_posted(studio: Studio) -> bool:
    return set(await statuses(studio, tables.posts)) == {PostStatus.POSTED}


async def live_on(studio: Studio, copy: Path, table: sa.Table, until: str) -> None:
    async with life_on(studio, copy) as life:
        for _ in range(30):
            await life.pass_time(MINUTE)
        assert await statuses(life, table) == [until]
        assert await is_all_posted(life)


def assert_each_once(studio: Studio, charged: str) -> None:
    assert studio.charges(charged) == 1
    assert set(Counter(message.nonce for message in studio.poster.messages).values()) == {1}


async def test_a_training_is_paid_and_posted_once_whenever_the_copy_was_made(studio: Studio) -> None:
    """Mutants: sending a queued order without a look; posting without a look into the channel."""
    await studio.set_key()
    training = await studio.begin()

    async def is_over() -> bool:
        return (await studio.training(training.id)).status is TrainingStatus.READY and await is_all_posted(studio)

    copies = await copies_on_the_way(studio, is_over)
    assert len(copies) >= 4
    posted = len(studio.poster.messages)
    for copy in copies:
        studio.clock.advance(LATER)
        await live_on(studio, copy, tables.trainings, TrainingStatus.READY)
        assert_each_once(studio, "create")
        assert len(studio.poster.messages) == posted


async def test_a_picture_is_paid_and_posted_once_whenever_the_copy_was_made(studio: Studio) -> None:
    await studio.set_key()
    order = await studio.order(await studio.lora())

    async def is_over() -> bool:
        rows = await statuses(studio, tables.generations)
        return rows == [GenerationStatus.READY] and await is_all_posted(studio)

    copies = await copies_on_the_way(studio, is_over)
    assert len(copies) >= 4
    for copy in copies:
        studio.clock.advance(LATER)
        await live_on(studio, copy, tables.generations, GenerationStatus.READY)
        assert_each_once(studio, "images")
    assert order.id == 1


async def test_a_post_is_made_once_whenever_the_copy_was_made(studio: Studio) -> None:
    await add_post(studio.database, 1, now=studio.clock.now(), kind=PostKind.KEY_PAUSED)
    copies = await copies_on_the_way(studio, lambda: is_all_posted(studio))
    for copy in copies:
        studio.clock.advance(LATER)
        async with life_on(studio, copy) as life:
            await life.settle()
            assert await is_all_posted(life)
    assert len(studio.poster.messages) == 1


async def test_an_order_that_was_never_sent_is_sent_after_the_look(studio: Studio) -> None:
    await studio.set_key()
    training = await studio.begin()
    copy = await copy_of(studio, "copy")
    async with life_on(studio, copy) as life:
        for _ in range(30):
            await life.pass_time(MINUTE)
        assert (await life.training(training.id)).status is TrainingStatus.READY
    assert_each_once(studio, "create")


async def test_a_provider_that_cannot_be_asked_is_not_sent_the_order_either(studio: Studio) -> None:
    await studio.set_key()
    await studio.begin()
    copy = await copy_of(studio, "copy")
    await studio.settle()
    assert studio.charges("create") == 1
    studio.clock.advance(LATER)
    studio.server.faults.next("GET /v2/loras", *[Fault.answer(503)] * 3)
    async with life_on(studio, copy) as life:
        await life.settle()
        assert (await statuses(life, tables.trainings)) == [TrainingStatus.QUEUED]
        for _ in range(30):
            await life.pass_time(MINUTE)
        assert await statuses(life, tables.trainings) == [TrainingStatus.READY]
    assert_each_once(studio, "create")


async def test_what_is_new_in_this_life_is_not_looked_for(studio: Studio) -> None:
    await studio.set_key()
    await studio.begin()
    await studio.settle()
    assert studio.poster.searches == 0
    assert ("GET", "/v2/loras") not in {(seen.method, seen.path) for seen in studio.server.requests}


async def from_two_pictures(studio: Studio, provider: ProviderName) -> int:
    """An order that starts from pictures, which are uploaded before it is sent."""
    if provider is ProviderName.AUROUS:
        await set_aurous_key(studio)
        order = PictureOrder("a fox", style_id=await add_style(studio), references=(reference(studio),))
    else:
        await studio.set_key()
        order = PictureOrder("a fox", provider=provider, references=(reference(studio), reference(studio)))
    return (await place(studio, order)).generation.id


@pytest.mark.parametrize("provider", list(ProviderName))
async def test_an_order_from_pictures_is_paid_once_whenever_the_copy_was_made(
    studio: Studio, provider: ProviderName
) -> None:
    """Apiframe gives a picture that is uploaded again another address and refuses the order then: its key is known."""
    await from_two_pictures(studio, provider)

    async def is_over() -> bool:
        rows = await statuses(studio, tables.generations)
        return rows == [GenerationStatus.READY] and await is_all_posted(studio)

    server = studio.aurous if provider is ProviderName.AUROUS else studio.server
    copies = await copies_on_the_way(studio, is_over)
    paid = [entry.what for entry in server.ledger]
    assert len(copies) >= 4
    for copy in copies:
        studio.clock.advance(LATER)
        async with life_on(studio, copy) as life:
            for _ in range(30):
                await life.pass_time(MINUTE)
            [status] = await statuses(life, tables.generations)
            assert await is_all_posted(life)
        assert [entry.what for entry in server.ledger] == paid
        assert studio.poster.kinds().count(PostKind.PICTURES) == 1
        assert status is GenerationStatus.READY or provider is ProviderName.APIFRAME


async def copies_of_an_event(life: EventRun) -> list[Path]:
    """One whenever a stage has changed or something was posted, until the event is over."""
    studio, seen, copies = life.studio, None, list[Path]()
    while not (await life.status()).is_terminal:
        now = (await life.status(), len(studio.poster.messages))
        if now != seen:
            copies.append(await copy_of(studio, f"copy-{len(copies)}"))
        seen = now
        await studio.pass_time(5 * MINUTE)
    return copies


async def test_an_event_pays_and_announces_once_whenever_the_copy_was_made(studio: Studio) -> None:
    """Mutant: orders of events that are known by what is drawn by lot."""
    await studio.set_key()
    life = await begin(studio, pack=("{trigger} on a boat",), budget=400)
    for user_id in (ANNA, BEN):
        await life.give(user_id, 10)
    copies = await copies_of_an_event(life)
    assert len(copies) >= 2
    await life.pass_time(LATER)
    ended, posted = await life.status(), sorted(each.nonce for each in studio.poster.messages)
    for copy in copies:
        studio.clock.advance(LATER)
        async with life_on(studio, copy) as again:
            restored = EventRun(again, life.event_id)
            while not (await restored.status()).is_terminal:
                await again.pass_time(20 * MINUTE)
            await again.pass_time(LATER)
            assert await restored.status() is ended
        assert sorted(each.nonce for each in studio.poster.messages) == posted
        assert (studio.charges("create"), studio.charges("images")) == (1, 1)


@pytest.mark.parametrize("kind", [PostKind.TRAINING_READY, PostKind.KEY_PAUSED])
async def test_a_post_of_this_life_is_sent_without_a_search(studio: Studio, kind: PostKind) -> None:
    await add_post(studio.database, 1, now=studio.clock.now() - LATER, kind=kind, user_id=ANNA)
    await studio.settle()
    assert (studio.poster.searches, len(studio.poster.messages)) == (0, 1)
