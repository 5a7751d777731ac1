"""The numbers of `/metrics` that are read when somebody asks: what waits, the disk, Discord, the build."""

import asyncio
import logging
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa

from bot import __version__
from bot.errors import StorageTrouble
from bot.gateway import Gateway
from bot.photos.room import Room
from bot.process.figures import CALLS, COUNTERS, Counter, Durations
from bot.process.supervision import Heartbeat
from bot.records.generation import GenerationStatus
from bot.records.job import LaneName
from bot.records.post import PostStatus
from bot.records.training import TrainingStatus
from bot.resources import Resources
from bot.storage import backlog, policy_tables, question_tables, tables
from bot.storage.database import Database
from bot.storage.events import tables as event_tables
from bot.web.metrics import Metric
from bot.web.webhooks import WebhookRoutes

log = logging.getLogger(__name__)

DISK_KEPT_S = 60.0
"""Counting the spool looks at each of its files."""
LANES: Mapping[LaneName, sa.Table] = {
    LaneName.TRAININGS: tables.trainings,
    LaneName.GENERATIONS: tables.generations,
    LaneName.POSTS: tables.posts,
    LaneName.DATASETS: tables.datasets,
    LaneName.KEYS: tables.api_keys,
    LaneName.GUILDS: tables.guilds,
    LaneName.EVENTS: event_tables.events,
    LaneName.REMOVALS: policy_tables.removals,
    LaneName.REQUESTS: question_tables.photo_requests,
    LaneName.LIKENESS: question_tables.likeness_claims,
}
OPEN: Mapping[LaneName, tuple[list[str], bool]] = {
    LaneName.TRAININGS: ([each for each in TrainingStatus if not each.is_terminal], True),
    LaneName.GENERATIONS: ([each for each in GenerationStatus if not each.is_terminal], True),
    LaneName.POSTS: ([PostStatus.PENDING, PostStatus.SENDING], False),
}
"""The statuses of rows that have not ended, and whether such a row may wait without a date."""


class Readings:
    def __init__(
        self, opened: Resources, gateway: Gateway, heartbeat: Heartbeat, webhook_routes: WebhookRoutes
    ) -> None:
        self._database, self._room, self._clock = opened.database, opened.room, opened.clock
        self._gateway, self._heartbeat, self._webhook_routes = gateway, heartbeat, webhook_routes
        self._disk: tuple[float, list[Metric]] | None = None

    async def read(self) -> Sequence[Metric | Counter | Durations]:
        """Everything that is exported. What the database does not say just now is left out."""
        try:
            waiting = await what_waits(self._database, self._clock.now())
        except StorageTrouble:
            log.debug("The database cannot be read for metrics", exc_info=True)
            waiting = []
        return [
            self._build(),
            Metric("darkroom_database_readable", "Whether metrics could be read from the database.", bool(waiting)),
            *waiting,
            *self._of_discord(),
            Metric("darkroom_loop_lag_seconds", "How late the event loop was a second ago.", self._heartbeat.late_s),
            *await self._of_disk(),
            *self._webhook_routes.metrics(),
            *COUNTERS,
            CALLS,
        ]

    def _build(self) -> Metric:
        kind = "sqlite" if self._database.is_sqlite else "postgresql"
        python = ".".join(map(str, sys.version_info[:3]))
        labels = {"version": __version__, "python": python, "database": kind}
        return Metric("darkroom_build_info", "Always 1; the labels say what runs.", 1, labels)

    def _of_discord(self) -> list[Metric]:
        bot = self._gateway.bot
        return [
            Metric("darkroom_discord_connected", "Whether the gateway answers.", self._gateway.is_connected()),
            Metric("darkroom_guilds", "Servers that have the bot.", 0 if bot is None else len(bot.guilds)),
        ]

    async def _of_disk(self) -> list[Metric]:
        now = asyncio.get_running_loop().time()
        if self._disk is None or now - self._disk[0] >= DISK_KEPT_S:
            self._disk = (now, await measure(self._room))
        return self._disk[1]


async def what_waits(database: Database, now: datetime) -> list[Metric]:
    found = []
    async with database.read() as connection:
        for lane, table in LANES.items():
            since = await backlog.oldest_due(connection, table, now)
            age = 0.0 if since is None else (now - since).total_seconds()
            meaning = "Age of the oldest row of a lane that is due and that nobody works on; 0 without one."
            found.append(Metric("darkroom_oldest_due_seconds", meaning, age, {"lane": lane}))
        for lane, (statuses, sleeps) in OPEN.items():
            counts = await backlog.open_by_status(connection, LANES[lane], statuses, now, sleeps=sleeps)
            meaning = "Rows that have not ended, by status; queued ones are the places in the queue."
            found += [
                Metric("darkroom_open_jobs", meaning, count, {"lane": lane, "status": status})
                for status, count in counts.items()
            ]
    return found


async def measure(room: Room) -> list[Metric]:
    used, free = await asyncio.to_thread(lambda: (room.used_bytes(), room.free_bytes()))
    return [
        Metric("darkroom_spool_bytes", "What photos and pictures take on the disk.", used),
        Metric("darkroom_disk_free_bytes", "What is free on their disk.", free),
    ]
