"""The role for the winner in Discord: who may choose it, what the bot needs for it, giving and taking it."""

import discord
import pytest
import simcord
from simcord.components import walk_components

from bot.ports import NotNow, ReadinessCheck
from bot.records.event import Event
from cogs.adapters.venue import DiscordVenue
from tests.cogs.events.event_actions import open_event
from tests.cogs.simulated_guild import Message, Stage, answer_to, board_of, text_of, tree_of
from tests.fakes.events import get_event, make_event


@pytest.fixture
def venue(stage: Stage) -> DiscordVenue:
    venue = DiscordVenue()
    venue.bot = stage.world.darkroom.gateway.bot
    return venue


def roles_of(stage: Stage, member: simcord.MemberActor) -> list[int]:
    return list(stage.world.env.backend.get_guild(stage.world.guild.id).members[member.id].role_ids)


def add_role(stage: Stage, member: simcord.MemberActor, role: simcord.RoleHandle) -> None:
    stage.world.env.backend.add_member_role(stage.world.guild.id, member.id, role.id)


async def check_of(stage: Stage, venue: DiscordVenue, role_id: int) -> ReadinessCheck:
    event = make_event(guild_id=stage.world.guild.id, channel_id=stage.channel.id, winner_role_id=role_id)
    return next(each for each in await venue.check(event) if each.what.startswith("The winner's role"))


def select_of(message: Message) -> str:
    parts = walk_components(tree_of(message))
    return next(str(part["custom_id"]) for part in parts if part.get("placeholder") == "The role for the winner")


async def result_page(stage: Stage, event: Event) -> Message:
    return board_of(await stage.press_id(stage.ada, f"dr:host:result:{event.id}"))


async def test_the_role_is_given_and_taken_however_often(stage: Stage, venue: DiscordVenue) -> None:
    champions = stage.world.guild.create_role("Champions")
    place = (stage.world.guild.id, stage.ben.id, champions.id)
    for is_given in (True, True, False, False):
        assert await venue.set_role(*place, is_given=is_given)
        assert (champions.id in roles_of(stage, stage.ben)) is is_given


async def test_what_discord_refuses_is_no_failure_and_an_outage_is_tried_again(
    stage: Stage, venue: DiscordVenue
) -> None:
    champions = stage.world.guild.create_role("Champions")
    assert not await venue.set_role(stage.world.guild.id, 999, champions.id, is_given=True)
    path = "/guilds/*/members/*/roles/*"
    stage.world.env.inject_error("PUT", path, status=403, code=50013)
    assert not await venue.set_role(stage.world.guild.id, stage.ben.id, champions.id, is_given=True)
    stage.world.env.inject_error("PUT", path, status=503, times=None)
    with pytest.raises(NotNow):
        await venue.set_role(stage.world.guild.id, stage.ben.id, champions.id, is_given=True)


async def test_before_it_opens_the_host_reads_what_is_missing_for_the_role(stage: Stage, venue: DiscordVenue) -> None:
    guild = stage.world.guild
    champions = guild.create_role("Champions")
    assert (await check_of(stage, venue, champions.id)).is_ok
    gone = await check_of(stage, venue, 12345)
    assert (gone.is_ok, gone.is_optional) == (False, True)
    assert "was deleted" in gone.fix
    backend = stage.world.env.backend
    for role in backend.get_guild(guild.id).roles.values():
        allowed = discord.Permissions(int(role.permissions))
        allowed.update(manage_roles=False, administrator=False)
        backend.edit_role(guild.id, role.id, {"permissions": allowed.value})
    lacking = await check_of(stage, venue, champions.id)
    assert (lacking.is_ok, lacking.is_optional) == (False, True)
    assert f"**Manage Roles**, and put its role above <@&{champions.id}>" in lacking.fix


async def test_only_who_could_give_the_role_themselves_chooses_it(keyed: Stage) -> None:
    """Mutants: without the look a host makes a friend an admin by letting them win, or has others lose their roles."""
    event = await open_event(keyed)
    guild = keyed.world.guild
    champions = guild.create_role("Champions")
    page = await result_page(keyed, event)
    assert "**Role for the winner:** none" in text_of(page)
    refused = await keyed.ada.select(page, [champions], custom_id=select_of(page))
    assert "a role that you could give yourself" in answer_to(refused)
    assert (await get_event(keyed.world.darkroom.database, event.id)).winner_role_id is None
    heads = guild.create_role("Heads", permissions=discord.Permissions(manage_roles=True))
    add_role(keyed, keyed.ada, heads)
    page = await result_page(keyed, event)
    page = board_of(await keyed.ada.select(page, [champions], custom_id=select_of(page)))
    assert f"**Role for the winner:** <@&{champions.id}>" in text_of(page)
    page = board_of(await keyed.ada.click(page, label="Role goes on: off"))
    assert "and earlier winners lose it" in text_of(page)
    keyed.world.env.backend.remove_member_role(guild.id, keyed.ada.id, heads.id)
    refused = await keyed.ada.click(page, label="Role goes on: on")
    assert "a role that you could give yourself" in answer_to(refused)
    stored = await get_event(keyed.world.darkroom.database, event.id)
    assert (stored.winner_role_id, stored.passes_role) == (champions.id, True)
