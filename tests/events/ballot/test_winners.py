"""What won a bake-off becomes its LoRA's default strength or version, by one press of who may change the LoRA."""

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.errors import NotAllowed, NotFound
from bot.generation.order import PartialOrder
from bot.loras.rights import Right
from bot.records.event import Candidate, Event, EventMode, EventStatus
from bot.records.generation import GenerationSettings
from bot.records.guild import Actor, Channel
from bot.records.lora import Audience, Lora
from bot.storage import tables
from bot.storage.events.tables import events, honours
from bot.storage.rows import insert_row
from tests.fakes.clock import NOON
from tests.fakes.events import add_event
from tests.fakes.rows import ADMIN, ANNA, BEN, CHANNEL, GUILD, OTHER_GUILD
from tests.fakes.studio import Studio

OWNER, ADA, HOST = Actor(GUILD, ANNA), Actor(GUILD, ADMIN, is_admin=True), Actor(GUILD, BEN)
STRONG = "strength 0.8"


@pytest.fixture
async def lora(studio: Studio) -> Lora:
    await studio.set_key()
    return await studio.lora()


async def won(studio: Studio, *candidates: Candidate, place: int = 1, **changes: Any) -> tuple[Event, int]:
    """A finished bake-off whose last candidate has this place, and the number of that honour."""
    usual = {"mode": EventMode.BAKEOFF, "status": EventStatus.FINISHED, "host_id": BEN, "opened_at": NOON}
    event = await add_event(studio.database, **(usual | {"candidates": candidates} | changes))
    label = candidates[-1].label
    told = {"event_name": event.name, "votes": 2, "picture_id": None, "label": label, "awarded_at": NOON, "entry_id": 1}

    async def transaction(connection: AsyncConnection) -> int:
        return await insert_row(
            connection, honours, event_id=event.id, guild_id=event.guild_id, user_id=BEN, place=place, **told
        )

    return event, await studio.database.write(transaction)


async def made_with(studio: Studio, actor: Actor, lora: Lora, **said: Any) -> float | None:
    """The strength of the pictures that the member orders and says this of."""
    partial = PartialOrder("a fox", frozenset({"lora", *said}), lora, settings=GenerationSettings(**said))
    return (await studio.orders.order_with_defaults(partial, actor, Channel(CHANNEL))).generation.settings.strength


async def test_the_winning_strength_is_what_is_left_out_and_what_is_said_counts_more(
    studio: Studio, lora: Lora
) -> None:
    _, honour_id = await won(studio, Candidate(lora.id, 0.5, "strength 0.5"), Candidate(lora.id, 0.8, STRONG))
    assert await made_with(studio, OWNER, lora) is None
    for _ in range(2):
        adopted = await studio.winners.adopt(honour_id, OWNER)
        assert (adopted.lora.strength, adopted.candidate.label) == (0.8, STRONG)
    lora = await studio.loras.get_for(lora.id, OWNER)
    assert await made_with(studio, OWNER, lora) == 0.8
    await studio.loras.forget_default(lora.id, OWNER)
    lora = await studio.loras.get_for(lora.id, OWNER)
    assert await made_with(studio, OWNER, lora) is None, "the default was nobody's own choice, so it is not remembered"
    await studio.winners.adopt(honour_id, ADA)
    lora = await studio.loras.get_for(lora.id, OWNER)
    assert await made_with(studio, OWNER, lora, strength=0.3) == 0.3
    assert await made_with(studio, OWNER, lora) == 0.3, "as last time"


async def test_the_winning_version_is_meant_by_the_name_until_a_newer_one_is_made(studio: Studio, lora: Lora) -> None:
    second = await studio.lora()
    await studio.change(tables.loras, second.id, previous_id=lora.id, version=2)
    assert (await studio.loras.pick("Rex", OWNER)).id == second.id
    studio.clock.advance(timedelta(days=1))
    first = Candidate(lora.id, None, "version 1")
    _, honour_id = await won(studio, Candidate(second.id, None, "version 2"), first)
    await studio.winners.adopt(honour_id, OWNER)
    assert (await studio.loras.pick("Rex", OWNER)).id == lora.id
    assert (await studio.loras.pick(f"lora-{second.id}", OWNER)).id == second.id
    third = await studio.lora()
    later = studio.clock.now() + timedelta(days=1)
    await studio.change(tables.loras, third.id, previous_id=second.id, version=3, created_at=later)
    assert (await studio.loras.pick("Rex", OWNER)).id == third.id


async def test_a_host_who_may_only_use_it_changes_nothing(studio: Studio, lora: Lora) -> None:
    _, honour_id = await won(studio, Candidate(lora.id, 0.5, "strength 0.5"), Candidate(lora.id, 0.8, STRONG))
    with pytest.raises(NotFound):
        await studio.winners.adopt(honour_id, HOST)
    await studio.sharing.share(lora.id, Audience.MEMBER, BEN, OWNER)
    with pytest.raises(NotAllowed):
        await studio.winners.adopt(honour_id, HOST)
    assert (await studio.loras.get_for(lora.id, OWNER, Right.CHANGE)).strength is None


@pytest.mark.parametrize(
    ("place", "changes"),
    [
        (2, {}),
        (1, {"status": EventStatus.VOTING}),
        (1, {"mode": EventMode.CLUB}),
        (1, {"guild_id": OTHER_GUILD}),
    ],
)
async def test_only_what_won_a_finished_bake_off_of_this_server_is_adopted(
    studio: Studio, lora: Lora, place: int, changes: dict[str, Any]
) -> None:
    candidates = (Candidate(lora.id, 0.5, "strength 0.5"), Candidate(lora.id, 0.8, STRONG))
    _, honour_id = await won(studio, *candidates, place=place, **changes)
    for number in (honour_id, honour_id + 1):
        with pytest.raises(NotFound):
            await studio.winners.adopt(number, ADA)
    assert await studio.scalars(sa.select(tables.loras.c.strength)) == [None]


async def test_an_erased_or_archived_lora_is_said_kindly(studio: Studio, lora: Lora) -> None:
    candidates = (Candidate(lora.id, 0.5, "strength 0.5"), Candidate(lora.id, 0.8, STRONG))
    event, honour_id = await won(studio, *candidates)
    await studio.loras.archive(lora.id, OWNER)
    with pytest.raises(NotFound):
        await studio.winners.adopt(honour_id, OWNER)
    await studio.change(events, event.id, candidates=(Candidate(lora.id + 9, 0.8, STRONG),))
    with pytest.raises(NotFound):
        await studio.winners.adopt(honour_id, ADA)
