"""The stand-in's REST side and CDN as a real discord.py client sees them."""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import discord
import pytest

from tests.fakes.waiting import HANG_S
from tests.wire.community import Community
from tests.wire.discord.pings import pinged
from tests.wire.discord.probe import PNG, Probe, board, picture
from tests.wire.discord.standin import DiscordStandin
from tests.wire.discord.world import ChannelKind, Permit
from tests.wire.programs import killed_at_the_end


def place(probe: Probe, channel_id: int) -> discord.PartialMessageable:
    return probe.get_partial_messageable(channel_id)


async def code_of(doing: Awaitable[object]) -> tuple[int, int]:
    """Status and code of the refusal that awaiting `doing` ends in."""
    with pytest.raises(discord.HTTPException) as refused:
        await doing
    return refused.value.status, refused.value.code


async def test_a_client_logs_in_and_registers_its_commands(
    standin: DiscordStandin, community: Community, probe: Probe
) -> None:
    assert probe.user is not None
    assert probe.user.id == standin.world.bot.id
    guild = probe.get_guild(community.guild.id)
    assert guild is not None
    assert guild.me.guild_permissions.attach_files
    assert not guild.me.guild_permissions.manage_guild
    synced = {command["name"]: command["id"] for command in standin.commands.in_scope(0)}
    assert "hosts" in synced
    again = {command.name: str(command.id) for command in await probe.tree.sync()}
    assert again == synced


async def test_a_wrong_token_is_turned_away(standin: DiscordStandin, pointed: None) -> None:
    async with Probe() as client:
        with pytest.raises(discord.LoginFailure):
            await client.login("not the token")


async def test_a_posted_file_can_be_fetched_until_its_link_expires(
    standin: DiscordStandin, community: Community, probe: Probe
) -> None:
    message = await place(probe, community.photos.id).send("here", file=picture("red.png"))
    (attachment,) = message.attachments
    assert (attachment.width, attachment.size, attachment.content_type) == (1, len(PNG), "image/png")
    assert await attachment.read() == PNG
    assert await attachment.read(use_cached=True) == PNG
    assert standin.messages.in_channel(community.photos)[0].files[0].fetched == 2
    standin.files.expire_all()
    with pytest.raises(discord.NotFound):
        await attachment.read()


async def test_the_proxy_serves_pictures_only(standin: DiscordStandin, community: Community, probe: Probe) -> None:
    message = await place(probe, community.photos.id).send(file=picture("notes.zip", b"PK"))
    async with aiohttp.ClientSession() as session, session.get(message.attachments[0].proxy_url) as answer:
        assert answer.status == 415


async def test_a_repeated_nonce_returns_the_earlier_message(
    standin: DiscordStandin, community: Community, probe: Probe
) -> None:
    where = place(probe, community.photos.id)
    first = await where.send("done", nonce="train-7-ready")
    second = await where.send("done", nonce="train-7-ready")
    other = await where.send("done", nonce="train-8-ready")
    assert first.id == second.id != other.id
    assert len(standin.messages.in_channel(community.photos)) == 2
    standin.messages.nonce_memory_seconds = 0.0
    assert (await where.send("done", nonce="train-7-ready")).id != first.id


async def test_a_repeated_nonce_of_a_deleted_message_is_not_found(
    standin: DiscordStandin, community: Community, probe: Probe
) -> None:
    where = place(probe, community.photos.id)
    await (await where.send("done", nonce="once")).delete()
    assert await code_of(where.send("done", nonce="once")) == (404, 10008)


async def test_an_edit_keeps_only_the_files_it_lists(
    standin: DiscordStandin, community: Community, probe: Probe
) -> None:
    where = place(probe, community.photos.id)
    message = await where.send(files=[picture("a.png"), picture("b.png")])
    await message.edit(content="both stay")
    (stored,) = standin.messages.in_channel(community.photos)
    assert [file.name for file in stored.files] == ["a.png", "b.png"]
    await message.edit(attachments=[message.attachments[1], picture("c.png")])
    assert [file.name for file in stored.files] == ["b.png", "c.png"]
    assert (stored.edits, stored.content) == (2, "both stay")


async def test_history_pages_backwards_and_forwards(
    standin: DiscordStandin, community: Community, probe: Probe
) -> None:
    where = place(probe, community.photos.id)
    ids = [(await where.send(str(number))).id for number in range(5)]
    assert [m.id async for m in where.history(limit=2)] == [ids[4], ids[3]]
    assert [m.id async for m in where.history(before=discord.Object(ids[2]))] == [ids[1], ids[0]]
    assert [m.id async for m in where.history(after=discord.Object(ids[2]))] == ids[3:]
    standin.take_from_bot(community.photos, Permit.READ_MESSAGE_HISTORY)
    assert [m async for m in where.history()] == []


async def test_a_layout_in_a_channel_keeps_the_v2_rules(
    standin: DiscordStandin, community: Community, probe: Probe
) -> None:
    where = place(probe, community.photos.id)
    message = await where.send(view=board(["x.png"]), file=picture("x.png"))
    assert message.flags.components_v2
    assert await code_of(where.send(view=board(["missing.png"]))) == (400, 50035)
    assert await code_of(where.send("")) == (400, 50006)


@pytest.mark.parametrize(
    ("lost", "expected"),
    [
        (Permit.VIEW_CHANNEL, (403, 50001)),
        (Permit.SEND_MESSAGES, (403, 50013)),
        (Permit.ATTACH_FILES, (403, 50013)),
    ],
)
async def test_a_lost_permission_refuses_the_post(
    standin: DiscordStandin, community: Community, probe: Probe, lost: Permit, expected: tuple[int, int]
) -> None:
    standin.take_from_bot(community.photos, lost, announce=False)
    assert await code_of(place(probe, community.photos.id).send(file=picture("x.png"))) == expected


async def test_a_deleted_channel_is_unknown_and_announced(
    standin: DiscordStandin, community: Community, probe: Probe
) -> None:
    gone = probe.wait_for("guild_channel_delete", timeout=HANG_S)
    standin.delete_channel(community.photos)
    assert (await gone).id == community.photos.id
    assert await code_of(place(probe, community.photos.id).send("x")) == (404, 10003)


async def test_a_locked_archived_thread_takes_nothing_and_an_unlocked_one_wakes(
    standin: DiscordStandin, community: Community, probe: Probe
) -> None:
    thread = standin.world.add_thread(community.photos, "event", community.host, ChannelKind.PUBLIC_THREAD)
    where = place(probe, thread.id)
    message = await where.send("before")
    standin.archive(thread)
    assert await code_of(where.send("x")) == (400, 50083)
    assert await code_of(message.edit(content="x")) == (400, 50083)
    standin.archive(thread, lock=False)
    await where.send("after")
    assert not thread.is_archived


async def test_a_bot_makes_a_thread_and_writes_in_it(
    standin: DiscordStandin, community: Community, probe: Probe
) -> None:
    channel = probe.get_channel(community.photos.id)
    assert isinstance(channel, discord.TextChannel)
    thread = await channel.create_thread(name="ballot", type=discord.ChannelType.public_thread)
    await thread.send("vote")
    stored = standin.world.channels[thread.id]
    assert [message.content for message in standin.messages.in_channel(stored)] == ["vote"]


async def test_a_direct_message_arrives_unless_the_person_refuses_them(
    standin: DiscordStandin, community: Community, probe: Probe
) -> None:
    person = await probe.fetch_user(community.member.id)
    await person.send("psst")
    assert [m.content for m in standin.messages.in_channel(standin.world.open_dm(community.member))] == ["psst"]
    community.member.accepts_dms = False
    assert await code_of(person.send("psst")) == (403, 50007)


async def test_a_file_above_the_guilds_limit_is_too_large(
    standin: DiscordStandin, community: Community, probe: Probe
) -> None:
    community.guild.upload_limit_bytes = 1000
    where = place(probe, community.photos.id)
    assert await code_of(where.send(file=picture("big.bin", b"x" * 1001))) == (413, 40005)
    await where.send(file=picture("fits.bin", b"x" * 1000))


async def test_eleven_files_are_too_many(standin: DiscordStandin, community: Community, probe: Probe) -> None:
    where = place(probe, community.photos.id)
    form = aiohttp.FormData(quote_fields=False)
    form.add_field("payload_json", "{}")
    for number in range(11):
        form.add_field(f"files[{number}]", PNG, filename=f"{number}.png", content_type="application/octet-stream")
    url, headers = f"{standin.api_url}/channels/{where.id}/messages", {"Authorization": f"Bot {standin.token}"}
    async with aiohttp.ClientSession() as session, session.post(url, data=form, headers=headers) as answer:
        assert (answer.status, (await answer.json())["code"]) == (400, 30015)


async def test_an_unknown_route_is_recorded(standin: DiscordStandin, community: Community, probe: Probe) -> None:
    guild = probe.get_guild(community.guild.id)
    assert guild is not None
    with pytest.raises(discord.DiscordServerError):
        await guild.bans().__anext__()
    assert standin.unknown_routes == [f"GET /guilds/{guild.id}/bans"]
    standin.unknown_routes.clear()


async def test_a_guild_may_invite_and_remove_the_bot_while_it_runs(
    standin: DiscordStandin, community: Community, probe: Probe
) -> None:
    other = standin.world.add_guild("Another club")
    channel = standin.world.add_channel(other, "here")
    joined = asyncio.create_task(probe.wait_for("guild_join", timeout=HANG_S))
    await asyncio.sleep(0)
    standin.invite_bot(other)
    assert (await joined).id == other.id
    await place(probe, channel.id).send("hello")
    left = asyncio.create_task(probe.wait_for("guild_remove", timeout=HANG_S))
    await asyncio.sleep(0)
    standin.remove_bot(other)
    assert (await left).id == other.id
    assert await code_of(place(probe, channel.id).send("still there?")) == (403, 50001)


async def test_permissions_given_back_let_the_bot_post_again(
    standin: DiscordStandin, community: Community, probe: Probe
) -> None:
    standin.take_from_bot(community.photos, Permit.SEND_MESSAGES)
    assert await code_of(place(probe, community.photos.id).send("x")) == (403, 50013)
    standin.give_back_to_bot(community.photos)
    await place(probe, community.photos.id).send("x")


@pytest.mark.parametrize(
    ("allowed", "expected"),
    [
        (None, {"everyone", "user:1", "user:2", "role:3"}),
        (discord.AllowedMentions.none(), set()),
        (discord.AllowedMentions(everyone=False, roles=False, users=[discord.Object(2)]), {"user:2"}),
        (discord.AllowedMentions(everyone=True, roles=True, users=False), {"everyone", "role:3"}),
    ],
)
async def test_who_is_notified_follows_the_allowed_mentions(
    standin: DiscordStandin,
    community: Community,
    probe: Probe,
    allowed: discord.AllowedMentions | None,
    expected: set[str],
) -> None:
    where = place(probe, community.photos.id)
    text = "@everyone <@1> <@!2> <@&3>"
    await (where.send(text) if allowed is None else where.send(text, allowed_mentions=allowed))
    assert pinged(standin.messages.in_channel(community.photos)[0]) == expected


async def test_guilds_members_and_users_can_be_fetched(
    standin: DiscordStandin, community: Community, probe: Probe
) -> None:
    guild = await probe.fetch_guild(community.guild.id, with_counts=False)
    assert (guild.name, (await guild.fetch_member(community.host.id)).name) == ("Photo club", "host")
    assert [channel.name for channel in await guild.fetch_channels()] == ["photos"]
    assert await code_of(guild.fetch_member(1)) == (404, 10007)
    assert await code_of(probe.fetch_user(1)) == (404, 10013)
    assert await code_of(probe.fetch_guild(1)) == (404, 10004)
    assert (await probe.http.get_bot_gateway())[1].startswith(standin.gateway_url)
    await guild.leave()
    assert not community.guild.has_bot


async def test_an_embed_names_its_picture_and_a_stranger_cannot_edit_it(
    standin: DiscordStandin, community: Community, probe: Probe
) -> None:
    where = place(probe, community.photos.id)
    embed = discord.Embed(title="Rex").set_image(url="attachment://rex.png")
    message = await where.send(embed=embed, file=picture("rex.png"))
    (stored,) = standin.messages.in_channel(community.photos)
    assert message.attachments == []
    assert message.embeds[0].image.url == standin.files.url(stored.files[0])
    theirs = standin.write(community.member, community.photos, "mine")
    assert await code_of(where.get_partial_message(theirs.id).edit(content="x")) == (403, 50005)
    assert await code_of(where.get_partial_message(theirs.id).delete()) == (403, 50013)
    assert (await where.fetch_message(theirs.id)).content == "mine"


@pytest.mark.kill
async def test_a_killed_bot_leaves_its_messages_and_the_next_one_answers_their_buttons(
    standin: DiscordStandin, community: Community
) -> None:
    async with started_probe(standin) as first:
        await standin.gateway.wait_connected()
        board_message = await (await standin.slash(community.member, community.photos, "board")).settled()
        first.kill()
        await first.wait()
    async with started_probe(standin) as second:
        await standin.gateway.wait_connected(identifies=2)
        clicked = await standin.click(board_message, "Open")
        assert (await clicked.settled()).content == "row 7 opened"
        second.kill()
        await second.wait()


@asynccontextmanager
async def started_probe(standin: DiscordStandin) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.wire.discord.probe", standin.api_url, standin.gateway_url, standin.token),
        cwd=Path(__file__).parents[3],
        stderr=asyncio.subprocess.DEVNULL,
    )
    async with killed_at_the_end(process):
        yield process
