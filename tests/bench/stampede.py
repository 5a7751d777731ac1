"""An event that everybody gives photos to within two minutes: answers, time until all are judged, memory."""

import asyncio
import contextlib
import math
import sqlite3
import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.datasets.rules import RANK, STEPS
from bot.records.dataset import SubjectKind
from bot.records.event import Event, EventStatus, places_of
from bot.records.post import PostKind
from bot.storage.events import events
from bot.storage.jobs import datasets, posts
from tests.bench.acks import DISCORD_WAITS_S, FILES_IN_FIELD, PATIENCE_S, fill_in, submit
from tests.bench.crowd import Crowd
from tests.bench.environment import Stage, set_stage, wait_ready
from tests.bench.measured_photos import small_photos
from tests.bench.processes import Child, read_status_mb
from tests.bench.rows import NotMeasured, Row, Sample, Target, compare, percentile
from tests.bench.scale import Scale
from tests.fakes.events import USUAL
from tests.wire.discord.components import LABEL, walk
from tests.wire.discord.interactions import InteractionHandle
from tests.wire.discord.messages import StoredMessage
from tests.wire.discord.modals import FILE_UPLOAD, Upload
from tests.wire.discord.world import Person

PANEL_S = 20.0
LOOK_S = 0.5
JUDGED_MAX_S = 900.0
GIVE = "Give photos"


@dataclass(frozen=True, slots=True)
class Outcome:
    """Seconds until each first answer (opening the form and sending it), until all were judged, and MB at most."""

    latencies_s: list[float]
    judged_s: float
    peak_mb: float
    edits: int
    """How often the panel was edited."""


async def measure(scale: Scale) -> list[Row]:
    outcome = await run(scale.stampede)
    crowd = scale.stampede
    late = sum(latency > DISCORD_WAITS_S for latency in outcome.latencies_s)
    what = f"{crowd.people} members give {crowd.photos_each} photos each within {crowd.over_s:g} s"
    note = f"{late} of {len(outcome.latencies_s)} answers later than Discord's {DISCORD_WAITS_S:g} s"
    p99 = percentile(outcome.latencies_s, 0.99) * 1000
    edits = f"the panel was edited {outcome.edits} times"
    return [
        compare(f"{what}: answered, p99", "ms", [Sample(p99)], target=Target(value_most=1500.0), note=note),
        compare(f"{what}: answered, slowest", "ms", [Sample(max(outcome.latencies_s) * 1000)]),
        compare(f"{what}: all judged after", "s", [Sample(outcome.judged_s)], note=edits),
        compare(f"{what}: peak RSS", "MB", [Sample(outcome.peak_mb)], target=Target(value_most=600.0)),
    ]


async def run(crowd: Crowd) -> Outcome:
    photos = small_photos(crowd.photos_each)
    with tempfile.TemporaryDirectory(prefix="darkroom-bench-") as folder:
        async with set_stage(Path(folder), people=crowd.people) as stage:
            await open_event(stage)
            async with stage.bot("darkroom") as bot, panel_of(stage, bot) as panel:
                begun = time.monotonic()
                latencies = await give_all(stage, panel, crowd, photos)
                judged_s = await wait_judged(stage, crowd.people * crowd.photos_each) - begun
                peak = read_status_mb("VmHWM", bot.pid)
                return Outcome(latencies, judged_s, peak, panel.revisions)


async def open_event(stage: Stage) -> None:
    """An event that collects, as it is stored when a host opens it."""
    now = datetime.now(UTC)

    async def transaction(connection: AsyncConnection) -> None:
        dataset = await datasets.insert(
            connection,
            guild_id=stage.guild.id,
            channel_id=stage.channel.id,
            user_id=stage.crowd[0].id,
            name="Mascot",
            subject_kind=SubjectKind.OBJECT,
            steps=STEPS,
            rank=RANK,
            created_at=now,
            due_at=now + timedelta(days=1),
        )
        event = await events.insert(connection, **_columns(stage, dataset.id, now))
        await _post_panel(connection, event, now)

    async with stage.prepared() as darkroom:
        await stage.set_key(darkroom)
        await darkroom.database.write(transaction)


def _columns(stage: Stage, dataset_id: int, now: datetime) -> dict[str, object]:
    return USUAL | {
        "guild_id": stage.guild.id,
        "channel_id": stage.channel.id,
        "host_id": stage.crowd[0].id,
        "status": EventStatus.COLLECTING,
        "photo_cap": 30,
        "pictures_each": 0,
        "hours": {EventStatus.COLLECTING: 24.0, EventStatus.REVIEWING: 1.0},
        "stage_ends_at": now + timedelta(days=1),
        "dataset_id": dataset_id,
        "created_at": now,
        "opened_at": now,
        "due_at": now,
    }


async def _post_panel(connection: AsyncConnection, event: Event, now: datetime) -> None:
    await posts.add(
        connection,
        PostKind.EVENT_PANEL,
        event.id,
        guild_id=event.guild_id,
        user_id=event.host_id,
        places=places_of(event),
        now=now,
    )


@dataclass(frozen=True, slots=True)
class Panel:
    stage: Stage
    message: StoredMessage
    button: str

    @property
    def revisions(self) -> int:
        route = "/channels/{channel_id}/messages/{message_id}"
        return self.stage.standin.count("PATCH", route)


@contextlib.asynccontextmanager
async def panel_of(stage: Stage, bot: Child) -> AsyncIterator[Panel]:
    """The event's message, once the bot is ready and has posted it."""
    await wait_ready(bot)

    def look() -> list[Panel]:
        return [
            Panel(stage, message, part["custom_id"])
            for message in stage.standin.state.messages.in_channel(stage.channel)
            for part in walk(message.components)
            if part.get("label") == GIVE
        ]

    await stage.standin.until(look, "the panel", PANEL_S)
    yield look()[0]


async def give_all(stage: Stage, panel: Panel, crowd: Crowd, photos: list[Upload]) -> list[float]:
    pause = crowd.over_s / crowd.people
    begun = time.monotonic()

    async def give(number: int, person: Person) -> list[float]:
        await asyncio.sleep(max(0.0, begun + number * pause - time.monotonic()))
        waited: list[float] = []
        left = own_copies(photos, number)
        while left:
            opened = await stage.standin.click(panel.message, panel.button, user=person)
            waited.append(await answered(opened))
            room = FILES_IN_FIELD * uploads_in(opened)
            sent = await submit(stage, opened, fill_in(stage, opened, left[:room]))
            waited.append(await answered(sent))
            left = left[room:]
        return waited

    each = await asyncio.gather(*(give(number, person) for number, person in enumerate(stage.crowd)))
    return [latency for latencies in each for latency in latencies]


def own_copies(photos: list[Upload], number: int) -> list[Upload]:
    """The same pictures as other files, so that nobody's are refused as copies of somebody else's."""
    return [(name, content + f"member {number}".encode()) for name, content in photos]


def uploads_in(opened: InteractionHandle) -> int:
    if not opened.modal:
        raise NotMeasured("the form was not opened")
    parts = [part["component"] for part in opened.modal["components"] if part["type"] == LABEL]
    return sum(part["type"] == FILE_UPLOAD for part in parts)


async def answered(handle: InteractionHandle) -> float:
    with contextlib.suppress(AssertionError):
        await handle.responded(PATIENCE_S)
    latency = handle.latency_seconds if handle.callback else math.inf
    return PATIENCE_S if math.isinf(latency) else latency


async def wait_judged(stage: Stage, total: int) -> float:
    """When the last photo had its verdict."""
    ends_at = time.monotonic() + JUDGED_MAX_S
    uri = f"file:{stage.data / 'darkroom.db'}?mode=ro"
    with contextlib.closing(sqlite3.connect(uri, uri=True)) as database:
        while time.monotonic() < ends_at:
            (judged,) = database.execute("SELECT count(*) FROM photos").fetchone()
            if judged >= total:
                return time.monotonic()
            await asyncio.sleep(LOOK_S)
    raise NotMeasured(f"{judged} of {total} photos were judged within {JUDGED_MAX_S:g} s")
