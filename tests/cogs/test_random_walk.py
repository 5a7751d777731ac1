"""A random walk through three guilds: nobody ever sees, spends or steers anything of another guild."""

import itertools
import os
import random
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from PIL import Image
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.event_records import Depiction, Event
from bot.events import finding, lifecycle
from bot.events.views import EventView
from bot.models import Actor
from bot.records import Lora
from bot.sandbox import painting
from bot.storage import depictions, event_tables, events, loras, remembered, sharing, tables
from cogs.ui import event_host, event_host_actions, event_settings
from cogs.ui.words import count
from tests.cogs.walk import Model
from tests.cogs.walk_steps import Leak, Walk
from tests.cogs.walk_world import Town, open_town

STEPS = int(os.environ.get("DARKROOM_WALK_STEPS", "300"))
SEED = int(os.environ.get("DARKROOM_WALK_SEED", random.SystemRandom().randrange(10**6)))
MUTANT_SEED, MUTANT_STEPS = 3, 400
NUMBERS = itertools.count()


def paint_quickly(*_order: object, **_more: object) -> Image.Image:
    """A small picture unlike every other, with room for the line of text that is written on it."""
    rng = random.Random(next(NUMBERS))
    return Image.frombytes("RGB", (64, 64), rng.randbytes(64 * 64 * 3))


@pytest.fixture
async def town(
    tmp_path: Path, migrated_file: Path, without_pauses: None, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Town]:
    monkeypatch.setattr(painting, "compose", paint_quickly)
    async with open_town(tmp_path, migrated_file) as town:
        yield town


async def begin(town: Town, seed: int) -> Walk:
    model = Model(town)
    await model.watch()
    return Walk(town, model, seed)


@pytest.mark.timeout(120 + STEPS)
async def test_nobody_reaches_into_another_guild(town: Town, capsys: pytest.CaptureFixture[str]) -> None:
    walk, began = await begin(town, SEED), time.monotonic()
    with capsys.disabled():
        print(f"\nwalking {STEPS} steps with DARKROOM_WALK_SEED={SEED}", flush=True)  # noqa: T201
        await walk.go(STEPS)
        print(f"{walk.done} steps in {time.monotonic() - began:.0f} s, 0 leaks", flush=True)  # noqa: T201
    assert town.env.errors == []


async def test_a_walk_notices_loras_of_other_guilds(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    async def usable_anywhere(connection: AsyncConnection, _actor: Actor) -> list[Lora]:
        return [loras.build(row) for row in await connection.execute(sa.select(tables.loras))]

    monkeypatch.setattr(sharing, "usable_by", usable_anywhere)
    with pytest.raises(Leak, match=r"said (quokka|narwhal|axolotl)|insert of generations"):
        await (await begin(town, MUTANT_SEED)).go(MUTANT_STEPS)


async def test_a_walk_notices_changed_rows_of_other_guilds(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    async def forget_everybody(connection: AsyncConnection, _guild_id: int, _user_id: int) -> bool:
        return (await connection.execute(sa.delete(tables.remembered))).rowcount > 0

    monkeypatch.setattr(remembered, "forget", forget_everybody)
    with pytest.raises(Leak, match=r"reached into guild|delete of remembered"):
        await (await begin(town, MUTANT_SEED)).go(MUTANT_STEPS)


async def test_a_walk_notices_events_of_other_guilds(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    async def of_any_guild(connection: AsyncConnection, _guild_id: int) -> list[Event]:
        return [events.build(row) for row in await connection.execute(sa.select(event_tables.events))]

    walk = await begin(town, MUTANT_SEED)
    await walk.go(1)
    monkeypatch.setattr(finding, "is_visible", lambda event, _actor: event.opened_at is not None)
    monkeypatch.setattr(events, "of_guild", of_any_guild)
    with pytest.raises(Leak, match=r"said (quokka|narwhal|axolotl)"):
        await walk.go(MUTANT_STEPS)


async def test_a_walk_notices_drafts_that_others_are_told_of(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    def is_visible(event: Event, actor: Actor) -> bool:
        return event.guild_id == actor.guild_id

    monkeypatch.setattr(finding, "is_visible", is_visible)
    with pytest.raises(Leak, match="told of the draft"):
        await (await begin(town, MUTANT_SEED)).go(MUTANT_STEPS)


async def test_a_walk_notices_events_that_anybody_runs(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    def may_run(event: Event, actor: Actor) -> bool:
        return event.guild_id == actor.guild_id

    for module in (finding, lifecycle, event_host_actions, event_settings):
        monkeypatch.setattr(module, "may_run", may_run)
    with pytest.raises(Leak, match=r"told of the draft|(update|insert|delete) of (events|entrants)"):
        await (await begin(town, MUTANT_SEED)).go(MUTANT_STEPS)


async def test_a_walk_notices_votes_that_are_counted_in_public(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    def numbers(view: EventView, *, may_run: bool) -> list[str]:
        return [f"{count(view.votes, 'vote')} so far"]

    monkeypatch.setattr(event_host, "_numbers", numbers)
    with pytest.raises(Leak, match=r"told votes of club\d+"):
        await (await begin(town, MUTANT_SEED)).go(MUTANT_STEPS)


async def test_a_walk_notices_answers_for_somebody_else(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    find = depictions.get

    async def as_if_theirs(connection: AsyncConnection, depiction_id: int) -> Depiction | None:
        found = await find(connection, depiction_id)
        return None if found is None else replace(found, user_id=Anybody())

    monkeypatch.setattr(depictions, "get", as_if_theirs)
    with pytest.raises(Leak, match=r"(update|delete) of depictions|reached into guild"):
        await (await begin(town, MUTANT_SEED)).go(MUTANT_STEPS)


class Anybody(int):
    """A user id that is everybody's."""

    def __eq__(self, _other: object) -> bool:
        return True

    def __ne__(self, _other: object) -> bool:
        return False

    __hash__ = int.__hash__
