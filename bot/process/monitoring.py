"""What health and metrics say about the process: which parts are vital, and how each of them is known to work."""

import asyncio
from collections.abc import Sequence

from bot.client import Gateway
from bot.engine import Engine
from bot.photos.room import Room
from bot.process.supervision import Heartbeat, Supervisor
from bot.resources import Resources
from bot.storage import meta
from bot.storage.database import Database
from bot.storage.jobs import generations, posts, trainings
from bot.web.health import Check, Health, Metric
from bot.web.webhooks import WebhookRoutes

PROBE_KEPT_S = 5.0
"""A probe writes to the disk, so those who ask more often get its last result."""


def build_health(
    opened: Resources,
    engine: Engine,
    gateway: Gateway,
    supervisor: Supervisor,
    heartbeat: Heartbeat,
    webhook_routes: WebhookRoutes,
) -> Health:
    async def engine_works() -> bool:
        return engine.is_alive()

    async def gateway_runs() -> bool:
        return supervisor.is_running("gateway")

    async def loop_turns() -> bool:
        return heartbeat.is_alive()

    async def gateway_connected() -> bool:
        return gateway.is_connected()

    async def read_metrics() -> Sequence[Metric]:
        lag = Metric("darkroom_loop_lag_seconds", "How late the event loop was a second ago.", heartbeat.late_s)
        return [*await _count_rows(opened.database), lag, *await _measure(opened.room), *webhook_routes.metrics()]

    vital: dict[str, Check] = {
        "writer": WriteProbe(opened).works,
        "engine": engine_works,
        "gateway": gateway_runs,
        "event loop": loop_turns,
    }
    return Health(vital, {"discord": gateway_connected}, read_metrics)


class WriteProbe:
    """Writes a row of its own and reads it: a writer that has died, a full disk and a dead one all show in it."""

    def __init__(self, opened: Resources) -> None:
        self._database = opened.database
        self._clock = opened.clock
        self._turn = asyncio.Lock()
        self._probed: tuple[float, bool] | None = None

    async def works(self) -> bool:
        async with self._turn:
            now = asyncio.get_running_loop().time()
            if self._probed is None or now - self._probed[0] >= PROBE_KEPT_S:
                self._probed = (now, False)
                self._probed = (now, await self._probe())
            return self._probed[1]

    async def _probe(self) -> bool:
        value = self._clock.now().isoformat().encode()
        await self._database.write(lambda connection: meta.put(connection, meta.PROBED_AT, value))
        return await self._database.fetch(meta.get, meta.PROBED_AT) is not None


async def _measure(room: Room) -> list[Metric]:
    used, free = await asyncio.to_thread(lambda: (room.used_bytes(), room.free_bytes()))
    return [
        Metric("darkroom_spool_bytes", "What photos and pictures take on the disk.", used),
        Metric("darkroom_disk_free_bytes", "What is free on their disk.", free),
    ]


async def _count_rows(database: Database) -> list[Metric]:
    async with database.read() as connection:
        counts = {
            "trainings": await trainings.count_by_status(connection),
            "generations": await generations.count_by_status(connection),
            "posts": await posts.count_by_status(connection),
        }
    return [
        Metric(f"darkroom_{table}", f"Rows of {table} by status.", total, {"status": status})
        for table, by_status in counts.items()
        for status, total in by_status.items()
    ]
