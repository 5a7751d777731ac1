"""`make sandbox`: the simulated Discord in the browser, with keys set, photos to upload and an event to play."""

import asyncio
import socket
import tempfile
from pathlib import Path

import discord

from bot.sandbox.event import open_sample_event
from bot.sandbox.guide import first_message, guide
from bot.sandbox.page import keep_fresh, open_page
from bot.sandbox.world import REHEARSAL_KEYS, World, open_world
from cogs.ui.layout import card


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


async def welcome(world: World) -> int:
    """The guide as the bot's first message in the channel; its id."""
    bot = world.env.bot
    channel = bot.get_partial_messageable(world.channel.id, guild_id=world.guild.id)
    message = await channel.send(view=card(*first_message(), colour=discord.Colour.blurple()))
    return message.id


async def run() -> None:
    """`python -m bot sandbox`: until Ctrl+C."""
    with tempfile.TemporaryDirectory(prefix="darkroom-sandbox-") as name:
        folder = Path(name)
        async with open_world(folder, webhook_port=free_port()) as world:
            previews = await asyncio.to_thread(world.aurous.paint_previews)
            for provider, key in REHEARSAL_KEYS.items():
                await world.darkroom.services.keys.set(world.guild.id, provider, key, set_by=world.admin.id)
            start = await welcome(world)
            await open_sample_event(world)
            viewers = [*world.members, world.admin]
            async with open_page(world.env, world.channel, viewers, previews, start) as page:
                print(guide(page.url), flush=True)  # noqa: T201 - what `make sandbox` is for
                await keep_fresh(page, world.env)
