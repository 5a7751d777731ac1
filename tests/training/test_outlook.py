"""What a training would mean is found out before every upload: how much that asks of the database."""

import asyncio

import pytest

from bot.limits.rules import LimitReached
from bot.records.guild import Actor
from bot.records.key import ProviderName
from bot.records.limit import LimitKind
from tests.fakes.rows import ADMIN, ANNA, GUILD
from tests.fakes.statements import Statements
from tests.fakes.studio import Studio

MEMBERS = 32
FIRST = 7000
OF_THE_SERVER, OF_A_MEMBER = 10, 2
"""Statements: key, limits, settings, waiting photos, places and who takes them; what a member spent and has open."""


async def limited(studio: Studio) -> None:
    await studio.set_key()
    await studio.limits.set_credits(Actor(GUILD, ADMIN, is_admin=True), {LimitKind.MEMBER: 300})
    await studio.moderation.block(Actor(GUILD, ADMIN, is_moderator=True), ANNA)


async def test_an_outlook_is_one_trip_to_the_database(studio: Studio) -> None:
    """Mutants: a connection for the key and another for the rest; a statement more."""
    await limited(studio)
    with Statements(studio.database) as statements:
        await studio.outlooks.ask(Actor(GUILD, FIRST), ProviderName.APIFRAME)
    assert statements.begun == 1
    assert len(statements.asked) <= OF_THE_SERVER + OF_A_MEMBER


async def test_many_members_at_once_ask_only_what_is_about_them(studio: Studio) -> None:
    """Mutant: everybody asks for the server's key, limits and places."""
    await limited(studio)
    with Statements(studio.database) as statements:
        await asyncio.gather(
            *(studio.outlooks.ask(Actor(GUILD, FIRST + each), ProviderName.APIFRAME) for each in range(MEMBERS))
        )
    assert len(statements.asked) <= OF_THE_SERVER + MEMBERS * OF_A_MEMBER


async def test_who_members_are_here_costs_one_statement_each(studio: Studio) -> None:
    """Mutant: everybody asks for the server's settings."""
    await limited(studio)
    with Statements(studio.database) as statements:
        standings = await asyncio.gather(
            *(studio.moderation.standing(GUILD, user_id, frozenset()) for user_id in (ANNA, *range(FIRST, FIRST + 31)))
        )
    assert [standing.is_blocked for standing in standings] == [True, *[False] * 31]
    assert len(statements.asked) <= 3 + MEMBERS


async def test_a_limit_holds_for_the_next_who_asks(studio: Studio) -> None:
    """Mutant: what the server's limit was is remembered beyond a moment."""
    await limited(studio)
    await studio.outlooks.ask(Actor(GUILD, FIRST), ProviderName.APIFRAME)
    await studio.limits.set_credits(Actor(GUILD, ADMIN, is_admin=True), {LimitKind.MEMBER: 1})
    with pytest.raises(LimitReached, match="Each member here may use 1 credit a month"):
        await studio.outlooks.ask(Actor(GUILD, FIRST), ProviderName.APIFRAME)
