"""The gateway's promises and faults: replay on resume, fresh sessions, final close codes, all three encodings."""

import asyncio
import json
import zlib
from typing import Any

import aiohttp
import discord
import pytest
import zstandard

from tests.fakes.waiting import HANG_S
from tests.wire.community import Community
from tests.wire.discord.gateway import ABNORMAL, MESSAGE_CONTENT
from tests.wire.discord.probe import Probe
from tests.wire.discord.standin import DiscordStandin


@pytest.mark.parametrize("code", [ABNORMAL, 4000, 1000])
async def test_a_cut_connection_resumes_and_gets_what_it_missed(
    standin: DiscordStandin, community: Community, probe: Probe, code: int
) -> None:
    standin.gateway.close_all(code)
    await standin.until(lambda: not standin.gateway.connected, "the cut")
    handle = await standin.slash(community.member, community.photos, "twice")
    assert (await handle.settled()).content == "first"
    await handle.followed_up()
    assert (len(standin.gateway.identified_at), len(standin.gateway.resumed_at)) == (1, 1)


async def test_opcode_7_makes_the_client_resume(standin: DiscordStandin, community: Community, probe: Probe) -> None:
    resumed = asyncio.create_task(probe.wait_for("resumed", timeout=HANG_S))
    await asyncio.sleep(0)
    standin.gateway.ask_to_reconnect()
    await resumed
    assert len(standin.gateway.identified_at) == 1


@pytest.mark.parametrize(("resumable", "identifies"), [(True, 1), (False, 2)])
async def test_opcode_9_resumes_or_identifies_again(
    standin: DiscordStandin, community: Community, probe: Probe, resumable: bool, identifies: int
) -> None:
    standin.gateway.invalidate(resumable=resumable)
    await standin.until(
        lambda: len(standin.gateway.identified_at) + len(standin.gateway.resumed_at) == 2, "the client's return"
    )
    handle = await standin.slash(community.member, community.photos, "twice")
    await handle.followed_up()
    assert len(standin.gateway.identified_at) == identifies


async def test_a_session_that_timed_out_is_replaced(
    standin: DiscordStandin, community: Community, probe: Probe
) -> None:
    standin.gateway.close_all(4009)
    await standin.until(lambda: len(standin.gateway.identified_at) == 2, "a fresh identify")
    await standin.gateway.wait_connected()
    await (await standin.slash(community.member, community.photos, "twice")).followed_up()
    assert standin.gateway.resumed_at == []


@pytest.mark.parametrize("code", [4004, 4014])
async def test_a_final_close_code_ends_the_client(
    standin: DiscordStandin, community: Community, pointed: None, code: int
) -> None:
    client = Probe()
    running = asyncio.create_task(client.start(standin.token))
    await client.is_up.wait()
    standin.gateway.close_all(code)
    with pytest.raises((discord.ConnectionClosed, discord.PrivilegedIntentsRequired)):
        await running
    await client.close()


async def test_a_privileged_intent_that_was_not_granted_is_refused(
    standin: DiscordStandin, community: Community, pointed: None
) -> None:
    client = discord.Client(intents=discord.Intents(guilds=True, message_content=True))
    with pytest.raises(discord.PrivilegedIntentsRequired):
        await client.start(standin.token)
    await client.close()


async def test_a_refused_first_connect_ends_in_an_error(
    standin: DiscordStandin, community: Community, pointed: None
) -> None:
    standin.gateway.connects_to_refuse = 1
    client = Probe()
    with pytest.raises(AttributeError, match="sequence"):
        await client.start(standin.token)
    await client.close()


@pytest.mark.parametrize("encoding", ["", "zlib-stream", "zstd-stream"])
async def test_every_compression_carries_the_same_frames(
    standin: DiscordStandin, community: Community, encoding: str
) -> None:
    zlib_reader, zstd_reader = zlib.decompressobj(), zstandard.ZstdDecompressor().decompressobj()

    async def receive(ws: aiohttp.ClientWebSocketResponse) -> Any:
        frame = await ws.receive(timeout=HANG_S)
        if encoding == "":
            return json.loads(frame.data)
        reader = zlib_reader.decompress if encoding == "zlib-stream" else zstd_reader.decompress
        return json.loads(reader(frame.data))

    query = {"compress": encoding} if encoding else {}
    async with aiohttp.ClientSession() as session, session.ws_connect(standin.gateway_url, params=query) as ws:
        assert (await receive(ws))["op"] == 10
        await ws.send_json({"op": 1, "d": None})
        assert (await receive(ws))["op"] == 11
        await ws.send_json({"op": 2, "d": {"token": standin.token, "intents": 1}})
        events = [await receive(ws) for _ in range(2)]
    assert [(event["t"], event["s"]) for event in events] == [("READY", 1), ("GUILD_CREATE", 2)]
    assert events[0]["d"]["resume_gateway_url"] == standin.gateway.resume_url


async def test_uncompressed_frames_are_accepted_although_compression_was_asked_for(
    standin: DiscordStandin, community: Community, pointed: None
) -> None:
    standin.gateway.is_compressing = False
    client = Probe()
    running = asyncio.create_task(client.start(standin.token))
    await client.is_up.wait()
    assert client.is_ready()
    await client.close()
    await running


async def test_a_zombie_connection_is_dropped_and_resumed(
    standin: DiscordStandin, community: Community, pointed: None
) -> None:
    standin.gateway.heartbeat_interval_ms = 100
    client = Probe()
    running = asyncio.create_task(client.start(standin.token))
    await client.is_up.wait()
    # Not from the start: a slow machine would take the first connection for a dead one.
    assert client.ws._keep_alive is not None
    client.ws._keep_alive.heartbeat_timeout = 0.3
    standin.gateway.is_answering_heartbeats = False
    await standin.until(lambda: standin.gateway.resumed_at, "the resume")
    standin.gateway.is_answering_heartbeats = True
    assert len(standin.gateway.identified_at) == 1, "it came back by resuming, not by starting anew"
    await client.close()
    await running


async def test_message_events_follow_the_intents(standin: DiscordStandin, community: Community, pointed: None) -> None:
    standin.gateway.allowed_privileged_intents = MESSAGE_CONTENT
    seen: dict[bool, asyncio.Future[discord.Message]] = {}
    clients = []
    for may_read in (False, True):
        intents = discord.Intents(guilds=True, guild_messages=True, message_content=may_read)
        client = discord.Client(intents=intents, guild_ready_timeout=0.05)
        clients.append((client, asyncio.create_task(client.start(standin.token))))
    await standin.until(lambda: len(standin.gateway.connected) == 2, "both clients")
    for may_read, (client, _) in zip((False, True), clients, strict=True):
        seen[may_read] = asyncio.ensure_future(client.wait_for("message", timeout=HANG_S))
    await asyncio.sleep(0)
    standin.write(community.member, community.photos, "hello", [("a.txt", b"x")])
    hidden, shown = await seen[False], await seen[True]
    assert (hidden.content, hidden.attachments) == ("", [])
    assert (shown.content, len(shown.attachments)) == ("hello", 1)
    for client, running in clients:
        await client.close()
        await running


@pytest.mark.parametrize(("code", "is_kept"), [(1000, False), (4000, True)])
async def test_a_session_outlives_its_connection_unless_the_bot_said_goodbye(
    standin: DiscordStandin, community: Community, code: int, is_kept: bool
) -> None:
    standin.commands.replace_all(0, [{"name": "hello", "description": "say hello"}])
    async with aiohttp.ClientSession() as session, session.ws_connect(standin.gateway_url) as ws:
        await ws.send_json({"op": 2, "d": {"token": standin.token, "intents": 1}})
        await standin.gateway.wait_connected()
        await ws.close(code=code)
    await standin.until(lambda: standin.gateway.close_codes == [code], "the goodbye")
    if is_kept:
        assert (await standin.slash(community.member, community.photos, "hello")).callback is None
    else:
        with pytest.raises(AssertionError, match="no bot has a session"):
            await standin.slash(community.member, community.photos, "hello")


async def test_a_refused_resume_is_tried_again_until_it_is_served(
    standin: DiscordStandin, community: Community, probe: Probe
) -> None:
    standin.gateway.resumes_to_refuse = 1
    standin.gateway.close_all(ABNORMAL)
    await standin.until(lambda: standin.gateway.resumed_at, "the resume")
    assert standin.gateway.resumes_to_refuse == 0
    assert len(standin.gateway.identified_at) == 1


async def test_a_guilds_members_are_sent_on_request(
    standin: DiscordStandin, community: Community, probe: Probe
) -> None:
    guild = probe.get_guild(community.guild.id)
    assert guild is not None
    assert guild.get_member(community.member.id) is None
    (found,) = await guild.query_members(user_ids=[community.member.id])
    assert found.name == community.member.name
