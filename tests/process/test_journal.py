"""The log says each change of state that was stored, once, and nothing that was not."""

import json
import logging
import re
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.process import journal
from bot.process.figures import CHANGES, CREDITS
from bot.process.journal import WORDS, Change, Settled, Turn, fields, sentence, tell
from bot.process.log import JsonFormatter, LineHandler, TextFormatter
from bot.records.event import EventMode, EventStatus
from bot.records.generation import GenerationStatus
from bot.records.guild import Actor
from bot.records.job import LaneName
from bot.records.key import KeyStatus
from bot.records.post import PostStatus
from bot.records.removal import RemovalStatus
from bot.records.training import TrainingStatus
from bot.storage import tables
from bot.storage.changes import LANES
from bot.storage.columns import Word
from bot.storage.money import keys
from tests.events.lives.event_run import begin_with_enough
from tests.fakes.member_history import live_through_everything
from tests.fakes.rows import ANNA, GUILD
from tests.fakes.studio import KEY, TRAINS_IN, Studio

STATUSES = {
    LaneName.TRAININGS: TrainingStatus,
    LaneName.GENERATIONS: GenerationStatus,
    LaneName.POSTS: PostStatus,
    LaneName.EVENTS: EventStatus,
    LaneName.KEYS: KeyStatus,
    LaneName.REMOVALS: RemovalStatus,
}
READY = Change(LaneName.TRAININGS, 12, "ready", guild=5, provider="apiframe", credits=257, seconds=812.4)


@pytest.fixture
def said(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.DEBUG, journal.__name__)
    return caplog


def lines(said: pytest.LogCaptureFixture, *, level: int = logging.INFO) -> list[dict[str, Any]]:
    return [vars(each)["fields"] for each in said.records if each.name == journal.__name__ and each.levelno >= level]


def test_every_status_has_its_word() -> None:
    """Mutant: a new status without a word."""
    assert {lane: set(words) for lane, words in WORDS.items()} == {lane: set(each) for lane, each in STATUSES.items()}
    kept = {name: tables.metadata.tables[name].c.status.type for name in LANES}
    assert {
        LANES[name]: each.words for name, each in kept.items() if isinstance(each, Word)
    }.items() <= STATUSES.items()


def test_a_line_is_a_sentence_for_people_and_an_object_for_machines() -> None:
    record = logging.LogRecord("bot.process.journal", logging.INFO, "", 0, sentence(READY), None, None)
    record.fields = fields(READY)
    text = LineHandler()
    text.setFormatter(TextFormatter())
    assert text.format(record).endswith("training 12 ready · guild 5 · apiframe · 257 credits · 812 s")
    machines = LineHandler()
    machines.setFormatter(JsonFormatter())
    told = json.loads(machines.format(record))
    expected = {"event": "ready", "job": "training-12", "guild": "5", "provider": "apiframe"}
    assert {name: told[name] for name in expected} == expected
    assert (told["credits"], told["seconds"], told["level"]) == (257, 812.4, "INFO")


def test_what_is_not_known_is_left_out() -> None:
    bare = Change(LaneName.POSTS, 3, "kept", detail="pictures of generation 9")
    assert sentence(bare) == "post 3 kept · pictures of generation 9"
    assert fields(bare) == {"event": "kept", "job": "post-3", "detail": "pictures of generation 9"}


def test_credits_are_said_with_the_last_change_of_their_job(said: pytest.LogCaptureFixture) -> None:
    running, ready = Change(LaneName.TRAININGS, 1, "running"), Change(LaneName.TRAININGS, 1, "ready")
    before = CREDITS.values.get(("apiframe",), 0)
    tell([running, ready, Settled(LaneName.TRAININGS, 1, "apiframe", 257), Change(LaneName.TRAININGS, 2, "ready")])
    assert [each.get("credits") for each in lines(said)] == [None, 257, None]
    assert CREDITS.values["apiframe",] - before == 257


def test_what_passes_is_said_at_debug_alone(said: pytest.LogCaptureFixture) -> None:
    tell([Change(LaneName.POSTS, 1, word) for word in ("waiting", "sending", "posted", Turn.EDITED)])
    assert [each["event"] for each in lines(said)] == ["posted"]


async def watch_statuses(studio: Studio) -> None:
    """Let the database itself note every status that is stored."""

    async def transaction(connection: AsyncConnection) -> None:
        await connection.execute(sa.text("CREATE TABLE seen (number INTEGER PRIMARY KEY, lane, id, status)"))
        for name, lane in LANES.items():
            for act, when in (("INSERT", ""), ("UPDATE", "WHEN old.status <> new.status")):
                note = f"INSERT INTO seen (lane, id, status) VALUES ('{lane}', new.id, new.status)"  # noqa: S608
                trigger = f"CREATE TRIGGER seen_{name}_{act} AFTER {act} ON {name} {when} BEGIN {note}; END"
                await connection.execute(sa.text(trigger))

    await studio.database.write(transaction)


async def statuses_seen(studio: Studio) -> list[tuple[str, str]]:
    """(job, word) of each, in order; when a message is to be edited, nothing new is said of its post."""
    async with studio.database.read() as connection:
        rows = (await connection.execute(sa.text("SELECT lane, id, status FROM seen ORDER BY number"))).all()
    known: set[tuple[str, int]] = set()
    found = []
    for lane, row_id, status in rows:
        is_new = (lane, row_id) not in known
        known.add((lane, row_id))
        if is_new or not (lane == LaneName.POSTS and status == PostStatus.PENDING):
            found.append((f"{lane}-{row_id}", journal.word_for(LaneName(lane), status, is_new=is_new)))
    return found


def told(said: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    """(job, word) of the lines about a status; an edit gives a post its status back."""
    heard = [(each["job"], each["event"]) for each in lines(said, level=logging.DEBUG) if "job" in each]
    no_status = {Turn.PAUSED, Turn.RESUMED, Turn.ERASED}
    anew = {Turn.EDITED: "posted", Turn.HANDED_OVER: "posted"}
    return [
        (job, anew.get(Turn(word), word) if word in set(Turn) else word) for job, word in heard if word not in no_status
    ]


@pytest.mark.sqlite
async def test_every_status_of_a_busy_member_is_said_once(studio: Studio, said: pytest.LogCaptureFixture) -> None:
    """Mutant: an outcome that is stored past the one door; a line for what was undone."""
    await watch_statuses(studio)
    await studio.set_key()
    await live_through_everything(studio, ANNA, GUILD, "Wilhelmina")
    cancelled = await studio.begin()
    await studio.trainings.cancel(cancelled.id, Actor(GUILD, ANNA))
    await studio.pass_time(TRAINS_IN)
    await studio.privacy.forget_member(guild_id=GUILD, user_id=ANNA)
    await studio.pass_time(timedelta(days=1))
    await studio.guilds.leave(GUILD)
    await studio.settle()
    assert sorted(told(said)) == sorted(await statuses_seen(studio))
    words = {each["event"] for each in lines(said)}
    assert words >= {"accepted", "submitted", "ready", "failed", "posted", "set", "ended", "cancelled", "erased"}
    assert {"event": Turn.MEMBER_ERASED, "guild": str(GUILD)} in lines(said)
    text = " ".join(json.dumps(each) for each in lines(said, level=logging.DEBUG)) + said.text
    assert not re.search(rf"Wilhelmina|\b{ANNA}\b|{KEY}", text)


@pytest.mark.sqlite
async def test_every_status_of_an_event_is_said_once(studio: Studio, said: pytest.LogCaptureFixture) -> None:
    await watch_statuses(studio)
    await studio.set_key()
    run = await begin_with_enough(studio, EventMode.SHARED)
    await run.until(EventStatus.FINISHED)
    assert sorted(told(said)) == sorted(await statuses_seen(studio))
    words = [each["event"] for each in lines(said) if each.get("job") == f"event-{run.event_id}"]
    assert words == ["draft", "collecting", "reviewing", "training", "showing", "voting", "finished"]


async def test_a_ready_training_says_credits_and_seconds(studio: Studio, said: pytest.LogCaptureFixture) -> None:
    await studio.set_key()
    await studio.trained()
    (ready,) = (each for each in lines(said) if each["event"] == "ready" and each["job"].startswith("training"))
    assert (ready["provider"], ready["credits"], ready["guild"]) == ("apiframe", 257, str(GUILD))
    assert ready["seconds"] >= 1000


async def test_a_key_that_is_paused_and_works_again_is_said(studio: Studio, said: pytest.LogCaptureFixture) -> None:
    key_id, now = await studio.set_key(), studio.clock.now()
    await studio.database.write(
        lambda connection: keys.pause(connection, key_id, reason="401", now=now, tried_again_at=now)
    )
    await studio.database.write(lambda connection: keys.resume(connection, key_id, now=now))
    assert [each["event"] for each in lines(said) if each["job"] == f"key-{key_id}"] == ["set", "paused", "resumed"]


async def test_what_was_undone_is_not_said(studio: Studio, said: pytest.LogCaptureFixture) -> None:
    """Mutant: a line inside the transaction, or one for each try of a group."""
    key_id = await studio.set_key()
    before = dict(CHANGES.values)
    said.clear()

    async def fails(connection: AsyncConnection) -> None:
        now = studio.clock.now()
        await keys.pause(connection, key_id, reason="401", now=now, tried_again_at=now)
        raise ValueError("undone")

    with pytest.raises(ValueError, match="undone"):
        await studio.database.write(fails)
    assert (lines(said), CHANGES.values) == ([], before)


async def test_what_a_database_undoes_and_runs_again_is_said_once(
    studio: Studio, said: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mutant: changes of the try that PostgreSQL has undone are said, too."""
    key_id, now = await studio.set_key(), studio.clock.now()
    assert studio.database.writer is not None
    commit = studio.database.writer._commit_one

    async def twice(connection: AsyncConnection, write: Callable[[], Awaitable[list[Any]]]) -> list[Any]:
        async with connection.begin() as undone:
            await write()
            await undone.rollback()
        return await commit(connection, write)

    monkeypatch.setattr(studio.database.writer, "_commit_one", twice)
    said.clear()
    await studio.database.write(
        lambda connection: keys.pause(connection, key_id, reason="401", now=now, tried_again_at=now)
    )
    assert [each["event"] for each in lines(said)] == ["paused"]
