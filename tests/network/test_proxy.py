"""The operator's proxy: Discord, providers and photos go through it, this machine never."""

import asyncio
import base64
from collections.abc import AsyncIterator
from pathlib import Path
from typing import cast

import aiohttp
import discord
import pytest
from discord.http import Route
from yarl import URL

from bot.client import DarkroomBot
from bot.errors import FetchError
from bot.network.addresses import is_loopback, proxy_for
from bot.photos.hosts import TrustedHosts
from bot.photos.intake import Fetcher, Spool
from bot.providers.transport import NotSent, Request, Transport
from bot.services import Services
from cogs.ui.buttons import ActionButton
from cogs.ui.replies import show_error

ASKED = "Proxy-Authorization: Basic " + base64.b64encode(b"anna:pass word").decode()


class Proxy:
    """Answers plain requests by itself and opens no tunnel; notes the heads of all."""

    def __init__(self) -> None:
        self.heads: list[str] = []
        self.port = 0
        self.answer = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"

    @property
    def url(self) -> URL:
        return URL(f"http://anna:pass%20word@127.0.0.1:{self.port}")

    @property
    def lines(self) -> list[str]:
        return [head.split("\r\n")[0] for head in self.heads]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        self.heads.append(head)
        refusal = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"
        writer.write(refusal if head.startswith("CONNECT") else self.answer)
        await writer.drain()
        writer.close()


@pytest.fixture
async def proxy() -> AsyncIterator[Proxy]:
    made = Proxy()
    async with await asyncio.start_server(made.serve, "127.0.0.1", 0) as server:
        made.port = server.sockets[0].getsockname()[1]
        yield made


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path / "spool")


async def test_providers_are_asked_through_it(proxy: Proxy) -> None:
    async with Transport(proxy=proxy.url) as transport:
        response = await transport.send(Request("GET", "http://api.provider.example/v1/images?cursor=a%2Fb"))
    assert (response.status, response.body) == (200, b"{}")
    assert proxy.lines == ["GET http://api.provider.example/v1/images?cursor=a%2Fb HTTP/1.1"]
    assert ASKED in proxy.heads[0]


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_tunnel_that_it_refuses_means_that_nothing_was_sent(proxy: Proxy, method: str) -> None:
    async with Transport(proxy=proxy.url) as transport:
        with pytest.raises(NotSent):
            await transport.send(Request(method, "https://api.provider.example/v1/images"))
    assert proxy.lines == ["CONNECT api.provider.example:443 HTTP/1.1"]
    assert ASKED in proxy.heads[0]


async def test_photos_are_fetched_through_it_and_their_names_left_to_it(proxy: Proxy, spool: Spool) -> None:
    trusted = TrustedHosts.of([], ["files.example"])
    async with Fetcher(trusted, proxy=proxy.url) as fetcher:
        received = await fetcher.fetch("http://files.example/a%2Fb.png?sig=%7E", limit=10, into=spool)
        with pytest.raises(FetchError):
            await fetcher.fetch("https://cdn.discordapp.com/a.png", limit=10, into=spool)
    assert received.size == 2
    assert proxy.lines == [
        "GET http://files.example/a%2Fb.png?sig=%7E HTTP/1.1",
        "CONNECT cdn.discordapp.com:443 HTTP/1.1",
    ]


async def test_a_file_that_leads_to_the_proxy_itself_is_refused(proxy: Proxy, spool: Spool) -> None:
    proxy.answer = (
        f"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:{proxy.port}/\r\nContent-Length: 0\r\n\r\n".encode()
    )
    async with Fetcher(TrustedHosts.of([], ["files.example"]), proxy=proxy.url) as fetcher:
        with pytest.raises(FetchError, match="not a host that files may come from"):
            await fetcher.fetch("http://files.example/a.png", limit=10, into=spool)
    assert len(proxy.heads) == 1


async def test_discord_is_asked_through_it(proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Route, "BASE", "http://discord.example/api/v10")
    proxy.answer = b"HTTP/1.1 401 Unauthorized\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
    bot = DarkroomBot(cast("Services", None), (), show_error, ActionButton, proxy=str(proxy.url))
    async with bot:
        with pytest.raises(discord.LoginFailure):
            await bot.login("a-token")
    assert proxy.lines == ["GET http://discord.example/api/v10/users/@me HTTP/1.1"]


async def test_the_gateway_is_reached_through_it_too(proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    """Mutant: the bot is made without the proxy, and asks Discord by itself."""
    monkeypatch.setattr(Route, "BASE", "http://discord.example/api/v10")
    proxy.answer = b"HTTP/1.1 401 Unauthorized\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
    bot = DarkroomBot(cast("Services", None), (), show_error, ActionButton, proxy=str(proxy.url))
    async with bot:
        with pytest.raises(discord.LoginFailure):
            await bot.login("a-token")
        with pytest.raises(aiohttp.ClientHttpProxyError):
            await bot.http.ws_connect("wss://gateway.discord.example/?v=10")
    assert proxy.lines[1:] == ["CONNECT gateway.discord.example:443 HTTP/1.1"]
    assert ASKED in proxy.heads[1]


async def test_what_is_on_this_machine_is_never_asked_through_it(proxy: Proxy, spool: Spool) -> None:
    here = Proxy()
    async with await asyncio.start_server(here.serve, "127.0.0.1", 0) as server:
        base = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with Transport(proxy=proxy.url) as transport:
            await transport.send(Request("GET", f"{base}/v1"))
        async with Fetcher(TrustedHosts.of([base], []), proxy=proxy.url) as fetcher:
            await fetcher.fetch(f"{base}/a.png", limit=10, into=spool)
    assert here.lines == ["GET /v1 HTTP/1.1", "GET /a.png HTTP/1.1"]
    assert proxy.heads == []


@pytest.mark.parametrize("host", ["localhost", "bot.localhost", "127.0.0.1", "127.9.9.9", "[::1]"])
def test_hosts_of_this_machine_need_no_proxy(host: str) -> None:
    assert is_loopback(host.strip("[]"))
    assert proxy_for(URL(f"http://{host}:81/"), URL("http://proxy.example:3128")) is None


@pytest.mark.parametrize("host", ["10.0.0.1", "localhost.example", "[fd00::1]", "example.org"])
def test_hosts_elsewhere_do(host: str) -> None:
    proxy = URL("http://proxy.example:3128")
    assert proxy_for(URL(f"https://{host}/"), proxy) == proxy
    assert proxy_for(URL(f"https://{host}/"), None) is None
