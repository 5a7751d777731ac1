"""Asking Discord who is still there."""

import aiohttp
import discord
import pytest

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


async def test_no_answer_at_all_takes_nothing_away_and_tells_no_roles(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mutant: an error that is not caught fails the step in which a LoRA becomes ready."""
    members, ids = members_of(stage), (stage.world.guild.id, stage.ben.id)
    for error in (
        discord.RateLimited(60.0),
        aiohttp.ServerDisconnectedError(),
        aiohttp.ClientPayloadError(),
        TimeoutError(),
    ):

        async def no_answer(guild: discord.Guild, member_id: int, error: Exception = error) -> discord.Member:
            raise error

        monkeypatch.setattr(discord.Guild, "fetch_member", no_answer)
        assert await members.is_member(*ids)
        assert await members.roles_of(*ids) is None
    monkeypatch.undo()
    assert await members.roles_of(*ids) is not None
