"""T27 and T33: what people type is meant to ping, to link or to reach into the database, in every field there is."""

import contextlib
import functools
import random
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import discord
import pytest
import sqlalchemy as sa
import stamina
from simcord.components import walk_components
from sqlalchemy.ext.asyncio import AsyncConnection

from bot import text
from bot.datasets.rules import DatasetOrder
from bot.errors import NotFound
from bot.records.dataset import SubjectKind
from bot.records.event import Event
from bot.records.guild import Actor, Channel
from bot.records.lora import Lora
from bot.storage import rows
from tests.cogs.markdown import alive
from tests.cogs.simulated_guild import TEXT_DISPLAY, sent_messages
from tests.cogs.walk.payloads import INJECTIONS, SQL, begin_with
from tests.cogs.walk.reference import Step
from tests.cogs.walk.world import Town, open_town
from tests.fakes.events import get_event, plan_event
from tests.fakes.rows import ADMIN, ANNA, CHANNEL, GUILD
from tests.fakes.studio import Studio
from tests.trust.row import Row, Score
from tests.trust.studios import fresh_studio

INVALID_FORM = 50035
"""Discord's answer to a message that it cannot take (Discord /docs/topics/opcodes-and-status-codes)."""
OF_THE_DATABASE = ("sqlite", "syntax error", "no such table", "operationalerror")
HOST, OWNER = Actor(GUILD, ADMIN, is_admin=True), Actor(GUILD, ANNA)
WALKED = 250
SURELY = ("options", "choices")
"""Where something is typed on every short walk; on a long one into forms and names of files, too."""


@contextlib.asynccontextmanager
async def _open_town() -> AsyncIterator[Town]:
    with tempfile.TemporaryDirectory() as folder, stamina.set_testing(True, attempts=3, cap=True):
        async with open_town(Path(folder)) as town:
            yield town


async def type_it_everywhere(texts: Sequence[str], look: Callable[[Score, Town], None], steps: int, seed: int) -> Score:
    """The walk of T32 on which people type these; `look` sees what the bot sent after each step."""
    score = Score()
    with pytest.MonkeyPatch.context() as patch:
        _count_refused_forms(patch, score)
        async with _open_town() as town:
            walk, values = await begin_with(town, seed, texts)
            before = await _schema(town)
            judge = walk.model.judge

            def look_and_judge(step: Step) -> list[str]:
                look(score, town)
                return judge(step)

            patch.setattr(walk.model, "judge", look_and_judge)
            await walk.go(steps)
            score.bad["errors of the bot"] += len(town.env.errors)
            score.bad["another schema"] += await _schema(town) != before
    score.tried = values.typed_into.total()
    score.fired.update(values.typed_into)
    return score


def _count_refused_forms(patch: pytest.MonkeyPatch, score: Score) -> None:
    real = discord.HTTPException.__init__

    def noted(self: discord.HTTPException, *given: Any) -> None:
        real(self, *given)
        score.bad[f"answered {INVALID_FORM}"] += self.code == INVALID_FORM

    patch.setattr(discord.HTTPException, "__init__", noted)


async def _schema(town: Town) -> list[Any]:
    """Every table and index, and whether the file is whole."""
    async with town.darkroom.database.read() as connection:
        named = await connection.execute(sa.text("SELECT name, sql FROM sqlite_master ORDER BY name"))
        whole = await connection.execute(sa.text("PRAGMA quick_check"))
        return [*map(tuple, named.all()), *map(tuple, whole.all())]


def look_at_messages(score: Score, town: Town) -> None:
    for path, body in sent_messages(town.env):
        allowed = body.get("allowed_mentions") or {}
        users = allowed.get("users", [])
        score.bad["somebody else pinged"] += len(users) > (1 if path.startswith("/channels/") else 0)
        score.bad["everybody or a role pinged"] += allowed.get("parse") != [] or bool(allowed.get("roles"))
        shown = [part["content"] for part in walk_components(body.get("components") or []) if _is_text(part)]
        for said in (body.get("content") or "", *shown):
            score.bad.update(f"alive: {kind} {what[:200]}" for kind, what in alive(said))


def _is_text(part: dict[str, Any]) -> bool:
    return bool(part.get("type") == TEXT_DISPLAY)


def look_at_words(score: Score, town: Town) -> None:
    for _, body in sent_messages(town.env):
        said = str(body).lower()
        score.bad["words of the database shown"] += any(words in said for words in OF_THE_DATABASE)


async def keep_to_the_letter(amount: int, seed: int) -> Score:
    """Each text, spaces aside, through each service that stores or looks for it; all of them on a walk, too."""
    texts, score = random.Random(seed).sample(SQL, amount), Score()
    async with fresh_studio() as studio:
        await studio.set_key()
        lora, event = await studio.lora(), await plan_event(studio.events, HOST, Channel(CHANNEL))
        for typed in texts:
            score.tried += 1
            score.bad["an error"] += not await _is_kept(score, studio, typed, lora, event)
        left = await studio.everything()
        score.bad["rows gone"] += len(left["loras"]) != 1 or len(left["generations"]) != amount
    if amount == len(SQL):
        walked = await type_it_everywhere(SQL, look_at_words, WALKED, seed)
        score.tried += walked.tried
        score.bad.update(walked.bad)
        score.fired.update(walked.fired)
    return score


async def _is_kept(score: Score, studio: Studio, typed: str, lora: Lora, event: Event) -> bool:
    name = " ".join(typed[:40].split())
    try:
        order = DatasetOrder(name, SubjectKind.OBJECT)
        dataset = await studio.datasets.create(order, guild_id=GUILD, channel_id=CHANNEL, user_id=ANNA)
        await studio.datasets.discard(dataset.id, guild_id=GUILD, user_id=ANNA)
        ordered = await studio.order(lora, typed)
        renamed = await studio.loras.rename(lora.id, name, OWNER)
        noted = await studio.loras.write_note(lora.id, typed, OWNER)
        await studio.events.change(event.id, HOST, name=name, theme=typed, rules=typed)
        await studio.loras.choices(typed, OWNER)
        with contextlib.suppress(NotFound):
            await studio.loras.pick(f"{typed} x", OWNER)
    except sa.exc.SQLAlchemyError:
        return False
    changed = await get_event(studio.database, event.id)
    kept = {
        "names of datasets": dataset.name == name,
        "prompts": " ".join(typed.split()) in ordered.prompt,
        "names and notes of LoRAs": (renamed.name, (noted.note or "").split()) == (name, typed.split()),
        "words of events": (changed.name, changed.theme.split()) == (name, typed.split()),
        "choices": True,
    }
    score.fired.update(kept.keys())
    for field, is_kept in kept.items():
        score.bad[f"{field} changed"] += not is_kept
    return True


def _everywhere(patch: pytest.MonkeyPatch, function: Callable[..., Any], other: Callable[..., Any]) -> None:
    """In each module that has imported it, too."""
    name = function.__name__
    for module in [each for each in sys.modules.values() if getattr(each, name, None) is function]:
        patch.setattr(module, name, other)


def quote_nothing(patch: pytest.MonkeyPatch) -> None:
    for function in (text.quote, text.cite):
        _everywhere(patch, function, lambda words, limit=100: words[:limit])


def allow_every_mention(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(discord.AllowedMentions, "to_dict", lambda _self: {"parse": ["everyone", "roles", "users"]})


def build_statements_of_words(patch: pytest.MonkeyPatch) -> None:
    """What was typed stands in a statement as it is."""
    real = rows.insert_row

    async def insert_row(connection: AsyncConnection, table: sa.Table, **values: Any) -> int:
        typed = [f"'{value}'" for value in values.values() if isinstance(value, str)]
        await connection.exec_driver_sql(f"SELECT 1, {', '.join(['1', *typed])}")
        return await real(connection, table, **values)

    _everywhere(patch, real, insert_row)


MENTIONS = Row(
    "T27",
    f"{len(INJECTIONS)} texts that ping, link and format",
    f"0 pings but one's own, 0 active shapes, 0 x {INVALID_FORM}",
    (200, 450),
    SURELY,
    functools.partial(type_it_everywhere, INJECTIONS, look_at_messages),
    (quote_nothing, allow_every_mention),
)

STATEMENTS = Row(
    "T33",
    f"{len(SQL)} texts that reach into the database",
    "0 anomalies, all kept to the letter",
    (40, len(SQL)),
    ("names of datasets", "prompts", "names and notes of LoRAs", "words of events", "choices"),
    keep_to_the_letter,
    (build_statements_of_words,),
)
