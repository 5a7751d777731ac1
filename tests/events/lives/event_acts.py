"""What people do while an event runs, and what is left of it: pictures, named members, LoRAs, files."""

from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.events.lifecycle import TIMED
from bot.events.photos.depictions import name_members
from bot.generation.order import PictureOrder
from bot.records.event import EventStatus
from bot.records.guild import Actor, Channel
from bot.records.lora import Lora
from bot.storage.jobs import datasets
from bot.storage.tables import loras, photos
from tests.events.lives.event_run import EventRun
from tests.fakes.rows import CHANNEL, GUILD
from tests.fakes.studio import Studio


async def reach(life: EventRun, stage: EventStatus) -> None:
    """The host closes stage after stage until the event is there."""
    for _ in range(60):
        event = await life.event()
        if event.status is stage:
            return
        is_open = event.stage_ends_at is not None and event.stage_ends_at > life.studio.clock.now()
        if event.status in TIMED and is_open and event.paused_at is None:
            await life.close()
        await life.pass_time(timedelta(minutes=3))
    raise AssertionError(f"it never came to {stage}: {await life.event()}")


async def make_picture(life: EventRun, user_id: int) -> None:
    """An own picture of the entrant, ready to be entered."""
    loras = (await life.view()).loras
    mine = [each for each in loras if each.owner_id == user_id] or list(loras)
    order = PictureOrder("at the beach", lora_id=mine[0].id)
    await life.studio.budgets.order(await life.event(), order, Actor(GUILD, user_id), Channel(CHANNEL))
    for _ in range(3):
        await life.pass_time(timedelta(seconds=20))


async def only_lora(life: EventRun) -> Lora:
    (lora,) = (await life.view()).loras
    return lora


async def lora_is_usable(life: EventRun, lora: Lora, user_id: int) -> bool:
    """Whether the member can make pictures with it, as `/imagine` lists it."""
    usable = await life.studio.loras.usable_by(Actor(GUILD, user_id))
    return any(each.id == lora.id and each.retiring_since is None for each in usable)


async def photo_files(studio: Studio, *, of: int | None = None) -> list[str]:
    """Spool names of photos (of one contributor) that the database still knows."""
    found = sa.select(photos.c.file).where(photos.c.file.is_not(None))
    return await studio.scalars(found if of is None else found.where(photos.c.contributor_id == of))


async def retired(studio: Studio) -> list[int]:
    return await studio.scalars(sa.select(loras.c.id).where(loras.c.retiring_since.is_not(None)))


async def name_in_photos(life: EventRun, giver_id: int, named_id: int, *, answer: bool | None = True) -> int:
    """All that the giver gave so far becomes one submission in which somebody was named; the depiction's id.

    `answer`: what the named member says, None while they say nothing.
    """
    studio, event = life.studio, await life.event()
    dataset_id = event.dataset_id or (await life.entrant(giver_id)).dataset_id
    assert dataset_id is not None
    now = studio.clock.now()

    async def transaction(connection: AsyncConnection) -> None:
        dataset = await datasets.get(connection, dataset_id)
        assert dataset is not None
        consent_id = await datasets.record_consent(
            connection,
            dataset=dataset,
            policy_version="test",
            photo_hashes=[],
            now=now,
            user_id=giver_id,
        )
        mine = photos.c.dataset_id == dataset_id, photos.c.contributor_id == giver_id
        await connection.execute(sa.update(photos).where(*mine).values(consent_id=consent_id))
        await name_members(connection, event, consent_id, [named_id], giver_id=giver_id, now=now)

    await studio.database.write(transaction)
    (depiction, *_) = await studio.depictions.seen_in(life.event_id, Actor(GUILD, named_id))
    if answer is not None:
        await studio.depictions.answer(depiction.id, answer, named_id, GUILD)
    await studio.settle()
    return depiction.id
