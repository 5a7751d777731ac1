"""Asking Discord who is still there."""

from cogs.adapters.members import DiscordMembers
from tests.cogs.simulated_guild import Stage


def members_of(stage: Stage) -> DiscordMembers:
    members = DiscordMembers()
    members.bot = stage.world.darkroom.gateway.bot
    return members


async def test_members_are_there_and_those_who_left_are_not(stage: Stage) -> None:
    members, guild = members_of(stage), stage.world.guild
    assert await members.is_member(guild.id, stage.ben.id)
    guild.remove_member(stage.cleo)
    assert not await members.is_member(guild.id, stage.cleo.id)


async def test_an_answer_is_remembered_for_a_while(stage: Stage) -> None:
    members, guild = members_of(stage), stage.world.guild
    assert await members.is_member(guild.id, stage.ben.id)
    asked = len(stage.world.env.http_requests)
    assert await members.is_member(guild.id, stage.ben.id)
    assert len(stage.world.env.http_requests) == asked


async def test_an_outage_takes_nothing_away(stage: Stage) -> None:
    members, guild = members_of(stage), stage.world.guild
    stage.world.env.inject_error("GET", "/guilds/*/members/*", status=503, times=None)
    assert await members.is_member(guild.id, stage.ben.id)
    assert await members.is_member(guild.id + 1, stage.ben.id)
