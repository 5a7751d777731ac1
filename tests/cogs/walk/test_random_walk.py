"""The random walk of row T32 notices what leaks from one guild to another."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.events import lifecycle
from bot.events import lookup as finding
from bot.events.views import EventView
from bot.records.event import Depiction
from bot.records.guild import Actor
from bot.records.lora import Lora
from bot.storage import tables
from bot.storage.events import depictions
from bot.storage.jobs import remembered, sharing
from bot.storage.rows import build
from cogs.events.host import actions as event_host_actions
from cogs.events.host import settings as event_settings
from cogs.events.host import status as event_host
from cogs.ui.words import count
from tests.cogs.walk.steps import Leak, begin
from tests.cogs.walk.world import Town, open_town
from tests.trust.cross_guild import see_events_of_other_guilds

MUTANT_SEED, MUTANT_STEPS = 3, 400


@pytest.fixture
async def town(tmp_path: Path, without_pauses: None) -> AsyncIterator[Town]:
    async with open_town(tmp_path) as town:
        yield town


def see_loras_of_other_guilds(patch: pytest.MonkeyPatch) -> None:
    async def usable_anywhere(connection: AsyncConnection, _actor: Actor) -> list[Lora]:
        return [build(Lora, row) for row in await connection.execute(sa.select(tables.loras))]

    patch.setattr(sharing, "usable_by", usable_anywhere)


def forget_for_everybody(patch: pytest.MonkeyPatch) -> None:
    async def forget_all(connection: AsyncConnection, _guild_id: int, _user_id: int) -> bool:
        return (await connection.execute(sa.delete(tables.remembered))).rowcount > 0

    patch.setattr(remembered, "forget", forget_all)


def see_drafts(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(finding, "is_visible", lambda event, actor: event.guild_id == actor.guild_id)


def run_every_event(patch: pytest.MonkeyPatch) -> None:
    for module in (finding, lifecycle, event_host_actions, event_settings):
        patch.setattr(module, "may_run", lambda event, actor: event.guild_id == actor.guild_id)


def tell_votes(patch: pytest.MonkeyPatch) -> None:
    def numbers(view: EventView, *, may_run: bool) -> list[str]:
        return [f"{count(view.votes, 'vote')} so far, {may_run}"]

    patch.setattr(event_host, "_numbers", numbers)


def answer_for_others(patch: pytest.MonkeyPatch) -> None:
    find = depictions.get

    async def as_if_theirs(connection: AsyncConnection, depiction_id: int) -> Depiction | None:
        found = await find(connection, depiction_id)
        return None if found is None else replace(found, user_id=Anybody(found.user_id))

    patch.setattr(depictions, "get", as_if_theirs)


class Anybody(int):
    """A user id that is everybody's."""

    def __eq__(self, _other: object) -> bool:
        return True

    def __ne__(self, _other: object) -> bool:
        return False

    __hash__ = int.__hash__


MUTANTS: Sequence[tuple[Callable[[pytest.MonkeyPatch], None], str, str]] = (
    (see_loras_of_other_guilds, r"lora", r"said (quokka|narwhal|axolotl)|insert of generations"),
    (forget_for_everybody, r"order|imagine", r"reached into guild|delete of remembered"),
    (see_events_of_other_guilds, r"event (status|rules)", r"said (quokka|narwhal|axolotl)"),
    (see_drafts, r"event status", r"told of the draft"),
    (run_every_event, r"event|host", r"told of the draft|(update|insert|delete) of (events|entrants)"),
    (tell_votes, r"(event|host) status", r"told votes of club\d+"),
    (answer_for_others, r"event|depict", r"(update|delete) of depictions|reached into guild"),
)
"""What leaks, what the walk is about meanwhile, and what it says then."""


@pytest.mark.mutant
async def test_a_walk_notices_every_leak(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """One after the other in the same town: furnishing it takes longer than finding them."""
    walk = await begin(town, MUTANT_SEED)
    for mutant, topic, noticed in MUTANTS:
        walk.topic = topic
        with monkeypatch.context() as patch:
            mutant(patch)
            with pytest.raises(Leak, match=noticed):
                await walk.go(walk.done + MUTANT_STEPS)
