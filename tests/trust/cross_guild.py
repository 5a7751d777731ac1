"""T32: random steps through three servers that must know nothing of each other, judged by a reference model."""

import os
import tempfile
from pathlib import Path

import pytest
import sqlalchemy as sa
import stamina
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.events import lookup as finding
from bot.records.event import Event
from bot.records.guild import Actor
from bot.storage.events import events
from bot.storage.events import tables as event_tables
from bot.storage.rows import build
from tests.cogs.walk.steps import begin
from tests.cogs.walk.world import open_town
from tests.trust.row import Row, Score

STEPS = int(os.environ.get("DARKROOM_WALK_STEPS", "700"))
SHORT_STEPS = 60
DEEDS = {
    "command": "commands",
    "autocomplete": "choices asked for",
    "forge": "forged buttons",
    "answer": "answers used",
    "submit": "forms filled in",
    "press": "buttons pressed",
    "private": "deeds in private messages",
    "menu": "menus of messages",
    "restart": "restarts",
}
SURELY = 4
"""So many of these kinds come up in every short walk, which goes on until they have."""
FURTHER = 20


async def walk(steps: int, seed: int) -> Score:
    """Raises Leak, with the last steps, as soon as the model objects."""
    score = Score()
    with tempfile.TemporaryDirectory() as folder, stamina.set_testing(True, attempts=3, cap=True):
        async with open_town(Path(folder)) as town:
            going = await begin(town, seed)
            await going.go(steps)
            while going.done < FURTHER * steps and not all(going.deeds[kind] for kind in list(DEEDS)[:SURELY]):
                await going.go(going.done + 1)
            score.tried = going.done
            for kind, count in going.deeds.items():
                score.fired[DEEDS[kind]] += count
            score.bad["errors of the bot"] += len(town.env.errors)
    return score


def see_events_of_other_guilds(patch: pytest.MonkeyPatch) -> None:
    async def of_any_guild(connection: AsyncConnection, _guild_id: int) -> list[Event]:
        return [build(Event, row) for row in await connection.execute(sa.select(event_tables.events))]

    def is_visible(event: Event, actor: Actor) -> bool:
        return event.opened_at is not None or event.guild_id == actor.guild_id

    patch.setattr(finding, "is_visible", is_visible)
    patch.setattr(events, "of_guild", of_any_guild)


ROW = Row(
    "T32",
    "ids of other guilds in every command, button, form and choice",
    "0 reads, 0 writes, 0 leaks",
    (SHORT_STEPS, STEPS),
    tuple(DEEDS.values())[:SURELY],
    walk,
    (see_events_of_other_guilds,),
)
