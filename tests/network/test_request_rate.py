"""No second has more requests to Discord than it allows, and what it does not count does not wait."""

import asyncio
from types import SimpleNamespace
from typing import cast

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from aiolimiter import AsyncLimiter
from multidict import CIMultiDict
from yarl import URL

from bot.network.request_rate import RATE_PER_SECOND, paced, request_limiter
from bot.process.figures import DISCORD_REQUESTS
from tests.fakes.loop import run_on_leaping_time
from tests.fakes.waiting import HANG_S


def test_no_second_has_more_requests_than_discord_allows() -> None:
    passed: list[float] = []

    async def request(limiter: AsyncLimiter, at: float) -> None:
        await asyncio.sleep(at)
        await limiter.acquire()
        passed.append(asyncio.get_running_loop().time())

    async def request_all() -> None:
        limiter = request_limiter()
        bursts = [(0.0, 200), (0.5, 100), (30.0, 100), (30.9, 50), (31.0, 50)]
        await asyncio.gather(*(request(limiter, at) for at, count in bursts for _ in range(count)))

    run_on_leaping_time(request_all())
    assert len(passed) == 500
    assert max(sum(begin <= at <= begin + 1 for at in passed) for begin in passed) <= RATE_PER_SECOND + 1
    busy = [at for at in passed if at < 30]
    assert max(busy) == pytest.approx(300 / RATE_PER_SECOND, abs=0.1)


def test_the_first_request_does_not_wait() -> None:
    async def request() -> float:
        await request_limiter().acquire()
        return asyncio.get_running_loop().time()

    assert run_on_leaping_time(request()) < 1 / RATE_PER_SECOND


def test_one_who_gives_up_waiting_does_not_block_the_others() -> None:
    async def request() -> bool:
        limiter = request_limiter()
        await limiter.acquire()
        impatient = asyncio.create_task(limiter.acquire())
        await asyncio.sleep(0)
        impatient.cancel()
        async with asyncio.timeout(HANG_S):
            await limiter.acquire()
        return impatient.cancelled()

    assert run_on_leaping_time(request())


def seconds_for(path: str) -> float:
    """How long 91 requests to this address wait altogether."""

    async def request_all() -> float:
        trace, session = paced(), cast("aiohttp.ClientSession", None)
        trace.freeze()
        asked = aiohttp.TraceRequestStartParams("POST", URL(f"https://discord.com{path}"), CIMultiDict())
        await asyncio.gather(*(trace.on_request_start.send(session, SimpleNamespace(), asked) for _ in range(91)))
        return asyncio.get_running_loop().time()

    return run_on_leaping_time(request_all())


@pytest.mark.parametrize(
    "path", ["/api/v10/channels/1/messages", "/api/v10/users/@me/channels", "/api/v10/guilds/1", "/api/v11/users/@me"]
)
def test_every_request_that_discord_counts_waits_for_its_turn(path: str) -> None:
    assert seconds_for(path) == pytest.approx(90 / RATE_PER_SECOND, abs=0.1)


@pytest.mark.parametrize(
    "path",
    [
        "/api/v10/interactions/1/token/callback",
        "/api/v10/webhooks/1/token/messages/@original",
        "/attachments/1/2/photo.jpg",
        "/",
    ],
)
def test_answers_to_people_and_files_do_not_wait(path: str) -> None:
    assert seconds_for(path) < 1 / RATE_PER_SECOND


async def test_answers_are_counted_by_kind_and_429_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """Mutant: a count of 4xx in which the answer that bans an address is lost."""
    monkeypatch.setattr(DISCORD_REQUESTS, "values", {})
    waiting = iter([200, 429, 404, 204, 502])

    async def answer(_request: web.Request) -> web.Response:
        return web.Response(status=next(waiting))

    app = web.Application()
    app.router.add_get("/", answer)
    async with TestServer(app) as server, aiohttp.ClientSession(trace_configs=[paced()]) as session:
        for _ in range(5):
            async with session.get(server.make_url("/")) as response:
                await response.read()
        address = server.make_url("/")
    async with aiohttp.ClientSession(trace_configs=[paced()]) as session:
        with pytest.raises(aiohttp.ClientConnectorError):
            await session.get(address)
    assert DISCORD_REQUESTS.values == {("2xx",): 2, ("429",): 1, ("4xx",): 1, ("5xx",): 1, ("none",): 1}
