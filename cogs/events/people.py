"""What the people of an event are called, asked of Discord."""

import logging
from collections.abc import Collection, Mapping, Sequence

import discord

from bot.client import DarkroomBot
from bot.lettering import loses_letters
from bot.records.guild import NOBODY

ASKED_AT_ONCE = 100
"""Members by id in one question (Discord /docs/events/gateway-events#request-guild-members)."""
ASKED_ONE_BY_ONE = 25
"""Of those who have left: each takes a request."""

Person = discord.Member | discord.User

log = logging.getLogger(__name__)


async def people_of(bot: DarkroomBot, guild: discord.Guild | None, user_ids: Collection[int]) -> Sequence[Person]:
    """Members and, of those who have left, as many users as one request each allows; without who did not answer."""
    found: list[Person] = []
    asked = sorted({*user_ids} - {NOBODY})
    try:
        for start in range(0, len(asked) if guild is not None else 0, ASKED_AT_ONCE):
            found += await _query(guild, asked[start : start + ASKED_AT_ONCE])
        for gone in sorted({*asked} - {each.id for each in found})[:ASKED_ONE_BY_ONE]:
            found.append(await bot.fetch_user(gone))
    except (TimeoutError, discord.DiscordException) as error:
        log.info("Discord did not say what all members of an event are called: %s", type(error).__name__)
    return found


def drawn_names(people: Sequence[Person]) -> Mapping[int, str]:
    """By user id; the user name where no typeface here has the letters of the other."""
    return {each.id: f"@{each.name}" if loses_letters(each.display_name) else each.display_name for each in people}


async def _query(guild: discord.Guild | None, user_ids: list[int]) -> list[discord.Member]:
    return [] if guild is None else await guild.query_members(user_ids=user_ids, limit=ASKED_AT_ONCE, cache=False)
