"""Keeps the bot connected to Discord, and builds a new one when the connection is beyond repair."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Any

import aiohttp
import discord

from bot.client import DarkroomBot
from bot.errors import StartupError

log = logging.getLogger(__name__)

FINAL_CLOSE_CODES = {
    4004: "Discord does not accept DISCORD_TOKEN. Copy the bot token again from the developer portal.",
    4010: "Discord refuses the shard that was asked for.",
    4011: "This bot is in so many servers that Discord asks for sharding.",
    4012: "Discord no longer serves this version of its gateway. Please update Darkroom.",
    4013: "Discord refuses the intents that were asked for.",
    4014: "Discord refuses the intents that were asked for. Switch them on in the developer portal.",
}
"""Close codes after which trying again is pointless (Discord /docs/topics/opcodes-and-status-codes)."""
BAD_TOKEN = FINAL_CLOSE_CODES[4004]
CHECK_NETWORK = "Is this machine's network up? Behind a proxy set DARKROOM_PROXY; `darkroom doctor` looks closer."
DOWN_MAX_S = 180.0
"""Seconds that discord.py may try to reconnect; it never gives up a dead resume address (discord.py#10511)."""
FIRST_PAUSE_S, PAUSE_MAX_S = 2.0, 120.0
LASTING_S = 300.0
"""Seconds; after a connection that lasted longer, the next pause is short again."""


class Gateway:
    """Keeps a bot connected: builds a new one, after growing pauses, when discord.py gives up or gets stuck."""

    def __init__(self, make_bot: Callable[[], DarkroomBot]) -> None:
        self._make_bot = make_bot
        self.bot: DarkroomBot | None = None

    def is_connected(self) -> bool:
        return self.bot is not None and self.bot.is_connected()

    def take(self, interaction: Mapping[str, Any]) -> bool:
        """Hand over an interaction that came over HTTP; False while no bot is logged in."""
        if self.bot is None or not self.bot.is_set_up or self.bot.is_closed():
            return False
        self.bot.take(interaction)
        return True

    def build(self) -> DarkroomBot:
        self.bot = self._make_bot()
        return self.bot

    async def run(self, token: str) -> None:
        """Keep the bot connected until cancelled.

        Raises StartupError when Discord refuses the bot in a way that no further try can change.
        """
        loop, pause = asyncio.get_running_loop(), FIRST_PAUSE_S
        while True:
            begun = loop.time()
            await self._connect(token)
            pause = FIRST_PAUSE_S if loop.time() - begun > LASTING_S else min(pause * 2, PAUSE_MAX_S)
            log.warning("The connection to Discord is down; trying again in %.0f s", pause)
            await asyncio.sleep(pause)

    async def _connect(self, token: str) -> None:
        bot = self.build()
        try:
            await _serve(bot, token)
        except discord.LoginFailure as error:
            raise StartupError(BAD_TOKEN) from error
        except discord.PrivilegedIntentsRequired as error:
            raise StartupError(FINAL_CLOSE_CODES[4014]) from error
        except discord.ConnectionClosed as error:
            if error.code in FINAL_CLOSE_CODES:
                raise StartupError(FINAL_CLOSE_CODES[error.code]) from error
            log.warning("Discord closed the connection with code %s", error.code)
        except AttributeError as error:
            # discord.py#10520: a first connect that is refused surfaces as this.
            if "sequence" not in str(error):
                raise
            log.warning("Discord's gateway refused the first connection")
        except (aiohttp.ClientError, OSError) as error:
            log.warning("Discord cannot be reached: %s. %s", type(error).__name__, CHECK_NETWORK)
        except discord.DiscordException as error:
            log.warning("Discord cannot be reached: %s", type(error).__name__)


async def _serve(bot: DarkroomBot, token: str) -> None:
    """Log in and stay connected until something goes wrong."""
    async with bot:
        connection = asyncio.create_task(bot.start(token), name="gateway-connection")
        watch = asyncio.create_task(_close_when_stuck(bot), name="gateway-watch")
        try:
            done, _ = await asyncio.wait({connection, watch}, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            await _end(connection, watch)
            # discord.py goes on waiting for guilds after it was closed, and has no public way to stop that.
            waiting = bot._connection._ready_task  # noqa: SLF001
            if waiting is not None:
                await _end(waiting)


async def _end(*tasks: asyncio.Task[Any]) -> None:
    """Cancel these tasks until they have ended: `asyncio.wait_for`, which discord.py uses, can swallow a
    cancellation before Python 3.12 (python/cpython#81839)."""
    pending = set(tasks)
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=1)
    await asyncio.gather(*tasks, return_exceptions=True)


async def _close_when_stuck(bot: DarkroomBot) -> None:
    """Close a bot that was connected and has been down for too long, so that a new one takes its place."""
    await bot.wait_until_ready()
    down_s = 0.0
    while down_s < DOWN_MAX_S:
        await asyncio.sleep(5)
        down_s = 0.0 if bot.is_connected() else down_s + 5
    log.warning("The gateway has been down for %.0f s; starting afresh", down_s)
    await bot.close()
