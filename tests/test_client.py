"""The bot as discord.py's client."""

import asyncio
from typing import cast

from bot.client import DarkroomBot
from bot.services import Services
from cogs.ui.buttons import ActionButton
from cogs.ui.replies import show_error


async def test_what_discord_py_tells_after_the_end_is_not_heard() -> None:
    """Mutant: it is dispatched. discord.py has given its loop away by then: an AttributeError that ends the program."""
    async with DarkroomBot(cast("Services", None), (), show_error, ActionButton) as bot:
        bot.is_reached = True
        bot.dispatch("disconnect")
        await asyncio.sleep(0)
        assert not bot.is_reached
        bot.is_reached = True
    bot.dispatch("disconnect")
    bot.dispatch("ready")
    await asyncio.sleep(0)
    assert bot.is_reached
