"""Injected faults, and what discord.py 2.7.1 makes of them: the ground the bot's own retries stand on."""

import asyncio
import time

import aiohttp
import discord
import pytest

from tests.wire.community import Community
from tests.wire.discord import faults
from tests.wire.discord.probe import Probe
from tests.wire.discord.standin import DiscordStandin

MESSAGES = "/channels/*/messages"
MESSAGES_ROUTE = "/channels/{channel_id}/messages"
FOLLOW_UPS_ROUTE = "/webhooks/{webhook_id}/{webhook_token}"


def place(probe: Probe, community: Community) -> discord.PartialMessageable:
    return probe.get_partial_messageable(community.photos.id)


async def test_a_502_after_the_commit_duplicates_a_follow_up_but_no_channel_message(
    standin: DiscordStandin, community: Community, probe: Probe
) -> None:
    standin.faults.add("POST", MESSAGES, faults.server_error(502).committed())
    rule = standin.faults.add("POST", "/webhooks/*", faults.server_error(502).committed())
    handle = await standin.slash(community.member, community.photos, "twice")
    await place(probe, community).send("result")
    await handle.followed_up(2)
    assert rule.fired == 1
    assert [message.content for message in handle.followups] == ["second", "second"]
    assert standin.count("POST", MESSAGES_ROUTE) == 2
    assert [m.content for m in standin.messages.in_channel(community.photos)].count("result") == 1


async def test_a_503_is_raised_at_once(standin: DiscordStandin, community: Community, probe: Probe) -> None:
    standin.faults.add("POST", MESSAGES, faults.server_error(503))
    with pytest.raises(discord.DiscordServerError):
        await place(probe, community).send("x")
    assert standin.count("POST", MESSAGES_ROUTE) == 1
    assert standin.messages.in_channel(community.photos) == []


@pytest.mark.parametrize("code", [50013, 50001, 10003, 40005, 50083])
async def test_a_documented_refusal_arrives_with_its_code(
    standin: DiscordStandin, community: Community, probe: Probe, code: int
) -> None:
    standin.faults.add("POST", MESSAGES, faults.refused(code))
    with pytest.raises(discord.HTTPException) as refused:
        await place(probe, community).send("x")
    assert refused.value.code == code
    await place(probe, community).send("the fault was for one request")


async def test_a_429_with_via_is_waited_out(standin: DiscordStandin, community: Community, probe: Probe) -> None:
    standin.faults.add("POST", MESSAGES, faults.rate_limited(0.05))
    started = time.monotonic()
    await place(probe, community).send("x")
    assert time.monotonic() - started >= 0.05
    assert [call.status for call in standin.calls if call.route == MESSAGES_ROUTE] == [429, 200]


async def test_a_429_without_via_is_raised_as_a_ban(
    standin: DiscordStandin, community: Community, probe: Probe
) -> None:
    standin.faults.add("POST", MESSAGES, faults.rate_limited(0.05, has_via=False))
    with pytest.raises(discord.HTTPException) as banned:
        await place(probe, community).send("x")
    assert banned.value.status == 429
    assert standin.count("POST", MESSAGES_ROUTE) == 1


@pytest.mark.parametrize(
    ("fault", "raised"),
    [(faults.dropped(), aiohttp.ServerDisconnectedError), (faults.reset(), aiohttp.ClientOSError)],
)
async def test_a_connection_cut_after_the_commit_leaves_the_message_behind(
    standin: DiscordStandin, community: Community, probe: Probe, fault: faults.Fault, raised: type[Exception]
) -> None:
    standin.faults.add("POST", MESSAGES, fault.committed())
    with pytest.raises(raised):
        await place(probe, community).send("x", nonce="stable")
    assert len(standin.messages.in_channel(community.photos)) == 1
    await place(probe, community).send("x", nonce="stable")
    assert len(standin.messages.in_channel(community.photos)) == 1


async def test_a_hanging_request_ends_with_the_callers_own_deadline(
    standin: DiscordStandin, community: Community, probe: Probe
) -> None:
    standin.faults.add("POST", MESSAGES, faults.hang())
    sending = asyncio.create_task(place(probe, community).send("x"))
    await standin.until(lambda: standin.count("POST", MESSAGES_ROUTE), "the request")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(sending, 0.1)
    await place(probe, community).send("y")
    assert [message.content for message in standin.messages.in_channel(community.photos)] == ["y"]


async def test_a_rule_fires_for_its_share_of_the_calls_until_it_is_stopped(
    standin: DiscordStandin, community: Community, probe: Probe
) -> None:
    rule = standin.faults.add("GET", "/channels/*", faults.refused(50001), times=None, share=0.5)
    failed = 0
    for _ in range(60):
        try:
            await probe.fetch_channel(community.photos.id)
        except discord.Forbidden:
            failed += 1
    assert failed == rule.fired
    assert 15 <= failed <= 45
    rule.stop()
    await probe.fetch_channel(community.photos.id)
    assert rule.fired == failed


async def test_a_rule_may_look_at_the_request(standin: DiscordStandin, community: Community, probe: Probe) -> None:
    standin.faults.add("POST", MESSAGES, faults.refused(50013), when=lambda call: call.json["content"] == "second")
    await place(probe, community).send("first")
    with pytest.raises(discord.Forbidden):
        await place(probe, community).send("second")


async def test_a_file_link_can_fail_too(standin: DiscordStandin, community: Community, probe: Probe) -> None:
    message = standin.write(community.member, community.photos, "", [("a.txt", b"hello")])
    url = standin.files.url(message.files[0])
    standin.faults.add("GET", "/attachments/*", faults.server_error(503))
    async with aiohttp.ClientSession() as session:
        async with session.get(url) as failed:
            assert failed.status == 503
        async with session.get(url) as served:
            assert await served.read() == b"hello"


async def test_more_than_the_global_limit_is_answered_429_except_for_interactions(
    standin: DiscordStandin, community: Community, probe: Probe
) -> None:
    standin.limits.per_second = 5
    headers = {"Authorization": f"Bot {standin.token}"}
    async with aiohttp.ClientSession(headers=headers) as session:

        async def ask(path: str) -> tuple[int, bool]:
            async with session.get(standin.api_url + path) as answer:
                return answer.status, "Via" in answer.headers

        answers = [await ask("/users/@me") for _ in range(7)]
        assert answers == [(200, False)] * 5 + [(429, True)] * 2
        assert (await ask(f"/webhooks/{standin.world.bot.id}/none/messages/@original"))[0] == 404
    assert standin.statuses()[429] == 2
