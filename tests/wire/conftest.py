"""A running stand-in with a small community in it, and a real discord.py client connected to it."""

import asyncio
from collections.abc import AsyncIterator

import discord
import pytest
from discord.gateway import DiscordWebSocket
from discord.http import Route

from tests.fakes.waiting import HANG_S
from tests.wire.community import Community
from tests.wire.discord.probe import Probe
from tests.wire.discord.redirect import point_discord_at
from tests.wire.discord.standin import DiscordStandin
from tests.wire.discord.world import Permit


@pytest.fixture
async def standin() -> AsyncIterator[DiscordStandin]:
    """Fails the test when the bot used a route nobody serves or sent a body Discord's document does not allow."""
    made = DiscordStandin()
    await made.start()
    yield made
    await made.close()
    assert made.unknown_routes == []
    assert [str(breach) for breach in made.breaches] == []


@pytest.fixture
def community(standin: DiscordStandin) -> Community:
    world = standin.world
    guild = world.add_guild("Photo club")
    host, member, guest = (world.add_person(name) for name in ("host", "member", "guest"))
    world.join(guild, host, Permit.MANAGE_GUILD)
    world.join(guild, member)
    world.join(guild, guest)
    return Community(guild, world.add_channel(guild, "photos"), host, member, guest)


@pytest.fixture
def pointed(standin: DiscordStandin, monkeypatch: pytest.MonkeyPatch) -> None:
    """discord.py speaks to the stand-in for this test and to Discord's own addresses afterwards."""
    monkeypatch.setattr(Route, "BASE", Route.BASE)
    monkeypatch.setattr(DiscordWebSocket, "DEFAULT_GATEWAY", DiscordWebSocket.DEFAULT_GATEWAY)
    monkeypatch.setattr(discord.Asset, "BASE", discord.Asset.BASE)
    point_discord_at(standin.api_url, standin.gateway_url)


@pytest.fixture
async def probe(standin: DiscordStandin, community: Community, pointed: None) -> AsyncIterator[Probe]:
    client = Probe()
    running = asyncio.create_task(client.start(standin.token))
    up = asyncio.create_task(client.is_up.wait())
    await asyncio.wait({running, up}, timeout=HANG_S, return_when=asyncio.FIRST_COMPLETED)
    assert client.is_up.is_set(), running.exception() if running.done() else "the client did not become ready"
    yield client
    await client.close()
    await asyncio.gather(running, return_exceptions=True)
