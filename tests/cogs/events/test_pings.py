"""Whom the messages of an event ping: who took the role for it, and who has won; nobody else, and only once."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import discord
import pytest
import simcord
from simcord.components import walk_components
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.records.event import Announcement, AnnouncementKind, Event, EventMode, EventStatus, channels_of
from bot.records.guild import Actor
from bot.records.post import PostKind
from bot.storage.events import events as event_rows
from bot.storage.events.tables import events
from bot.text import quote
from cogs.adapters.pings import is_news
from tests.cogs.events.event_actions import admin, open_event, press
from tests.cogs.events.shown_events import a_view, collecting
from tests.cogs.private_messages import private
from tests.cogs.sent_checks import NEWS_ROLE
from tests.cogs.simulated_guild import (
    TEXT_DISPLAY,
    Stage,
    answer_to,
    board_of,
    buttons_of,
    take_from_bot,
    text_of,
    tree_of,
    until,
)
from tests.events.ballot.ballots import World as BallotWorld
from tests.fakes.clock import NOON
from tests.photos.sample_photos import encode, noise

S = EventStatus
ROLE_SELECT = 6
TELL_ME, LEAVE_ME = "Tell me about events", "No event news"


def guild_of(stage: Stage) -> discord.Guild:
    bot = stage.world.darkroom.gateway.bot
    assert bot is not None
    guild = bot.get_guild(stage.world.guild.id)
    assert guild is not None
    return guild


async def a_role(stage: Stage, **fields: Any) -> simcord.RoleHandle:
    """Chosen for event news; everybody may mention it, unless the fields say something else."""
    role = stage.world.guild.create_role(NEWS_ROLE, **{"mentionable": True} | fields)
    await until(lambda: guild_of(stage).get_role(role.id))
    await stage.world.darkroom.services.guilds.choose_news(stage.world.guild.id, role.id)
    return role


async def remove(stage: Stage, role: simcord.RoleHandle) -> None:
    stage.world.env.backend.delete_role(stage.world.guild.id, role.id)
    await until(lambda: guild_of(stage).get_role(role.id) is None)


def roles_of(stage: Stage, member: simcord.MemberActor) -> set[int]:
    stored = stage.world.env.backend.get_member(stage.world.guild.id, member.id)
    return {*stored.role_ids}


def pinged(stage: Stage, *words: str) -> list[tuple[list[int], list[int]]]:
    """(roles, users) of each message or edit of a message in a channel that holds these words."""
    found = []
    for path, body in stage.sent_messages():
        shown = [
            part["content"] for part in walk_components(body.get("components", [])) if part["type"] == TEXT_DISPLAY
        ]
        if path.startswith("/channels/") and all(word in "\n".join(shown) for word in words):
            allowed = body["allowed_mentions"]
            found.append((allowed.get("roles", []), allowed.get("users", [])))
    return found


async def in_its_vote(stage: Stage) -> Event:
    """The engine has just opened the ballot with a picture each of Ben and Cleo."""
    services, guild_id, now = stage.world.darkroom.services, stage.world.guild.id, datetime.now(UTC)
    world = BallotWorld(services.database, services.pool._spool)
    usual: dict[str, Any] = {"mode": EventMode.PERSONAL, "hours": {S.VOTING: 24}, "opened_at": now}
    here: dict[str, Any] = {"guild_id": guild_id, "channel_id": stage.channel.id, "host_id": stage.ada.id}
    event = await world.event(stage_ends_at=now + timedelta(hours=1), **usual, **here)
    for member in (stage.ben, stage.cleo):
        await world.join(event, member.id)
        (picture_id,) = await world.picture(event, member.id, guild_id=guild_id)
        found = await services.pictures.find_by_picture(picture_id)
        assert found is not None
        path = found[0].view.files[0]
        assert path is not None
        path.write_bytes(encode(noise(200, 200, member.id % 1000), "PNG"))
    await end(stage, event)
    await stage.post_of(PostKind.EVENT_BALLOT, event.id)
    return event


async def end(stage: Stage, event: Event, in_time: timedelta = timedelta(0)) -> None:
    """The present stage of the event ends then, and the engine looks at it."""
    services, now = stage.world.darkroom.services, datetime.now(UTC)
    await BallotWorld(services.database, services.pool._spool).change(
        events, event.id, stage_ends_at=now + in_time, due_at=now
    )
    services.database.wakeups.event(events.name).set()


async def vote_for_ben(stage: Stage, event: Event, *voters: simcord.MemberActor) -> None:
    ballots = stage.world.darkroom.services.ballots
    theirs = await ballots.entries(event.id, Actor(stage.world.guild.id, stage.ben.id))
    (entry,) = [each for each in theirs if each.is_mine]
    for voter in voters:
        await ballots.vote(event.id, entry.entry_id, Actor(stage.world.guild.id, voter.id))


async def test_each_message_of_an_event_pings_whom_it_is_for(keyed: Stage) -> None:
    """Mutants: without the role in `allowed_mentions` nobody is told; with all mentions of the text Cleo is, too."""
    role = await a_role(keyed)
    await open_event(keyed)
    await keyed.posted("is open")
    assert pinged(keyed, "Give photos") == []
    assert pinged(keyed, "is open", role.mention) == [([role.id], [])]
    event = await in_its_vote(keyed)
    assert pinged(keyed, "The ballot of", role.mention) == [([role.id], [])]
    await vote_for_ben(keyed, event, keyed.ada)
    await end(keyed, event, timedelta(minutes=30))
    await keyed.posted("last call")
    assert pinged(keyed, "last call", "Votes can be given and changed", role.mention) == [([role.id], [])]
    for member in (keyed.ben, keyed.cleo):
        await private(member, "you have not voted yet")
    await vote_for_ben(keyed, event, keyed.cleo)
    await keyed.world.darkroom.services.events.close(event.id, admin(keyed), S.VOTING)
    won = await keyed.posted("🏆")
    assert keyed.ben.mention in text_of(won)
    assert role.mention not in text_of(won)
    assert pinged(keyed, "🏆") == [([], [keyed.ben.id])]
    await until(lambda: pinged(keyed, "The ballot of", "is over"))
    assert pinged(keyed, "The ballot of", "is over") == [([], [])]
    assert len(pinged(keyed, role.mention)) == 3


@pytest.mark.parametrize(
    ("what", "changes", "is_closing", "is_told"),
    [
        (AnnouncementKind.OPENED, {}, False, True),
        (AnnouncementKind.OPENED, {"status": S.TRAINING}, False, False),
        (AnnouncementKind.OPENED, {"status": S.CANCELLED}, False, False),
        (AnnouncementKind.CLOSING_SOON, {}, False, True),
        (AnnouncementKind.CLOSING_SOON, {}, True, False),
        (AnnouncementKind.RUN_OFF, {"status": S.VOTING, "runoff_ids": (1, 2)}, False, True),
        (AnnouncementKind.RUN_OFF, {"status": S.VOTING, "runoff_ids": (1, 2)}, True, False),
        (AnnouncementKind.RUN_OFF, {"status": S.FINISHED, "runoff_ids": (1, 2)}, False, False),
        (None, {"status": S.VOTING}, False, True),
        (None, {"status": S.VOTING}, True, False),
        (None, {"status": S.VOTING, "runoff_ids": (1, 2)}, False, False),
        (None, {"status": S.VOTING, "paused_at": NOON}, False, False),
        (None, {"status": S.FINISHED}, False, False),
        (AnnouncementKind.LORAS_READY, {}, False, False),
    ],
)
def test_the_role_is_told_only_what_can_still_be_done(
    what: AnnouncementKind | None, changes: dict[str, Any], is_closing: bool, is_told: bool
) -> None:
    """What waited for Discord is posted all the same; None is the ballot, and a run-off has a message of its own."""
    announcement = None if what is None else Announcement(1, 7, 100, what, "{}", NOON)
    assert is_news(a_view(collecting(**changes), is_closing=is_closing), announcement) is is_told


async def test_what_is_over_by_the_time_it_is_posted_pings_nobody(keyed: Stage) -> None:
    """As after an outage. Mutant: with the kind alone the role reads of an opening and a vote that nobody can join."""
    services, now = keyed.world.darkroom.services, datetime.now(UTC)
    await a_role(keyed)
    here = {"guild_id": keyed.world.guild.id, "channel_id": keyed.channel.id, "host_id": keyed.ada.id}
    world = BallotWorld(services.database, services.pool._spool)
    event = await world.event(S.CANCELLED, stage_ends_at=None, ended_at=now, **here)

    async def transaction(connection: AsyncConnection) -> None:
        await event_rows.announce(connection, event, AnnouncementKind.OPENED, now=now)
        places = channels_of(event)
        await event_rows.post(connection, event, PostKind.EVENT_BALLOT, event.id, places=places, now=now)

    await services.database.write(transaction)
    await keyed.posted("is open")
    await keyed.post_of(PostKind.EVENT_BALLOT, event.id)
    assert pinged(keyed, "is open") == [([], [])]
    assert pinged(keyed, "The ballot of") == [([], [])]


async def test_who_wants_no_pings_is_named_without_a_mention_and_is_not_reminded(keyed: Stage) -> None:
    services, guild_id = keyed.world.darkroom.services, keyed.world.guild.id
    await services.preferences.change(guild_id, keyed.ben.id, is_quiet=True)
    event = await in_its_vote(keyed)
    await vote_for_ben(keyed, event, keyed.ada)
    await end(keyed, event, timedelta(minutes=30))
    reminder = await private(keyed.cleo, "you have not voted yet")
    assert re.search(r"\[To the ballot\]\(https://discord.com/channels/\d+/\d+/\d+\)", text_of(reminder))
    await services.events.close(event.id, admin(keyed), S.VOTING)
    won = await keyed.posted("🏆")
    assert pinged(keyed, "🏆") == [([], [])]
    assert f"🥇 {quote(keyed.ben.name)} · 1 vote" in text_of(won)
    await until(lambda: pinged(keyed, "The ballot of", "is over"))
    said = [text_of(message) for message in keyed.posts()]
    assert [text for text in said if keyed.ben.mention in text] == []
    assert [text_of(each) for each in keyed.ben.user.dm_channel.history()] == []


@pytest.mark.parametrize("why", ["no role", "not mentionable", "deleted"])
async def test_without_a_role_that_it_may_mention_it_posts_without_a_ping(keyed: Stage, why: str) -> None:
    role = None if why == "no role" else await a_role(keyed, mentionable=why != "not mentionable")
    if why == "deleted" and role is not None:
        await remove(keyed, role)
    take_from_bot(keyed, "mention_everyone")
    await open_event(keyed)
    await keyed.posted("is open")
    assert pinged(keyed, "is open") == [([], [])]
    assert pinged(keyed, "<@&") == []


async def test_a_press_gives_the_role_and_another_one_takes_it_back(keyed: Stage) -> None:
    role = await a_role(keyed)
    event = await open_event(keyed)
    panel = await keyed.post_of(PostKind.EVENT_PANEL, event.id)
    said = answer_to(await keyed.ben.click(panel, label=TELL_ME))
    assert f"You have {role.mention} now" in said
    assert role.id in roles_of(keyed, keyed.ben)
    page = board_of(await keyed.use(keyed.ben, "me"))
    assert f"You have {role.mention}: I mention it" in text_of(page)
    left = board_of(await keyed.ben.click(page, label=LEAVE_ME))
    assert "You are not pinged about events here" in text_of(left)
    assert TELL_ME in buttons_of(left)
    assert role.id not in roles_of(keyed, keyed.ben)
    joined = board_of(await keyed.ben.click(left, label=TELL_ME))
    assert role.id in roles_of(keyed, keyed.ben)
    quiet = board_of(await keyed.ben.click(joined, label="No pings"))
    assert role.id not in roles_of(keyed, keyed.ben)
    assert {TELL_ME, "Ping me again"} <= {*buttons_of(quiet)}


@pytest.mark.parametrize(
    ("why", "said"),
    [
        ("no right", "I may not give or take {role} here. Please ask an admin for it."),
        ("above the bot", "I may not give or take {role} here. Please ask an admin for it."),
        ("allows more", "I do not hand out {role}: it allows more than everybody may do here, or is a prize."),
        ("opens a channel", "I do not hand out {role}: it allows more than everybody may do here, or is a prize."),
        ("of hosts", "I do not hand out {role}: it allows more than everybody may do here, or is a prize."),
        ("of moderators", "I do not hand out {role}: it allows more than everybody may do here, or is a prize."),
        ("deleted", "The role for event news has been deleted. An admin can choose another one with `/settings`."),
        ("none", "This server has no role for event news. An admin can choose one with `/settings`."),
    ],
)
async def test_a_role_that_the_bot_may_not_or_must_not_hand_out_is_said_in_a_sentence(
    keyed: Stage, why: str, said: str
) -> None:
    """Mutants: without the look at its permissions everybody bans others; without that at channels they read staff."""
    guilds, guild_id = keyed.world.darkroom.services.guilds, keyed.world.guild.id
    event = await open_event(keyed)
    role = await a_role(keyed, permissions=discord.Permissions(ban_members=why == "allows more"))
    if why == "no right":
        take_from_bot(keyed, "manage_roles")
    elif why == "above the bot":
        keyed.world.env.backend.edit_role(guild_id, role.id, {"position": 50})
    elif why == "opens a channel":
        seen: dict[Any, discord.PermissionOverwrite] = {role: discord.PermissionOverwrite(view_channel=True)}
        keyed.world.guild.create_text_channel("staff", overwrites=seen)
    elif why == "of hosts":
        await guilds.choose_hosts(guild_id, role.id)
    elif why == "of moderators":
        await guilds.choose_moderators(guild_id, role.id)
    elif why == "deleted":
        await remove(keyed, role)
    elif why == "none":
        await guilds.choose_news(guild_id, None)
    await keyed.world.env.settle()
    assert said.format(role=role.mention) in answer_to(await press(keyed, keyed.ben, event, "news"))
    assert role.id not in roles_of(keyed, keyed.ben)


async def test_an_admin_chooses_the_role_and_reads_what_keeps_it_from_working(keyed: Stage) -> None:
    role = keyed.world.guild.create_role(NEWS_ROLE)
    take_from_bot(keyed, "mention_everyone", "manage_roles")
    await until(lambda: guild_of(keyed).get_role(role.id))
    event = await open_event(keyed)
    panel = await keyed.post_of(PostKind.EVENT_PANEL, event.id)
    assert TELL_ME not in buttons_of(panel)
    shown = board_of(await keyed.use(keyed.ada, "settings"))
    assert "**Event news:** no role" in text_of(shown)
    chosen = board_of(await keyed.ada.select(shown, [role], custom_id=news_select(shown)))
    assert f"**Event news:** {role.mention}" in text_of(chosen)
    assert "so I post without a ping: let everybody mention it, or allow me **Mention Everyone**" in text_of(chosen)
    assert "allow me **Manage Roles** in this server, and move my own role above it" in text_of(chosen)
    await until(lambda: any(TELL_ME in buttons_of(each) for each in keyed.channel.history()))
    everybody = keyed.world.guild.default_role
    refused = answer_to(await keyed.ada.select(chosen, [everybody], custom_id=news_select(chosen)))
    assert "I never mention everybody" in refused
    choices = await keyed.world.darkroom.services.guilds.get(keyed.world.guild.id)
    assert choices is not None
    assert choices.news_role_id == role.id


def news_select(message: Any) -> str:
    parts = [part for part in walk_components(tree_of(message)) if part.get("type") == ROLE_SELECT]
    return next(str(part["custom_id"]) for part in parts if "event news" in part["placeholder"])
