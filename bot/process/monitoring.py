"""What health says about the process: which parts are vital, and how each of them is known to work."""

import asyncio

from bot.engine import Engine
from bot.gateway import Gateway
from bot.process.supervision import Heartbeat, Supervisor
from bot.resources import Resources
from bot.storage import meta
from bot.web.health import Check, Health

PROBE_KEPT_S = 5.0
"""A probe writes to the disk, so those who ask more often get its last result."""


def build_health(
    opened: Resources, engine: Engine, gateway: Gateway, supervisor: Supervisor, heartbeat: Heartbeat
) -> Health:
    async def engine_works() -> bool:
        return engine.is_alive()

    async def gateway_runs() -> bool:
        return supervisor.is_running("gateway")

    async def loop_turns() -> bool:
        return heartbeat.is_alive()

    async def gateway_connected() -> bool:
        return gateway.is_connected()

    vital: dict[str, Check] = {
        "writer": WriteProbe(opened).works,
        "engine": engine_works,
        "gateway": gateway_runs,
        "event loop": loop_turns,
    }
    return Health(vital, {"discord": gateway_connected})


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
