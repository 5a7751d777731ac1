"""A place on loopback where webhooks arrive, as they came."""

import asyncio

from aiohttp import web

from tests.fakes.waiting import HANG_S


class Mailbox:
    def __init__(self) -> None:
        self.url = ""
        self._came: asyncio.Queue[tuple[bytes, dict[str, str]]] = asyncio.Queue()

    async def take(self, request: web.Request) -> web.Response:
        self._came.put_nowait((await request.read(), dict(request.headers)))
        return web.Response(status=204)

    async def next(self) -> tuple[bytes, dict[str, str]]:
        async with asyncio.timeout(HANG_S):
            return await self._came.get()
