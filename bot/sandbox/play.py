"""`make sandbox`: the simulated Discord in the browser, at the moment that was asked for, with photos to upload."""

import asyncio
import socket
import tempfile
from pathlib import Path

import discord

from bot.sandbox.guide import first_message, guide
from bot.sandbox.page import keep_fresh, open_page
from bot.sandbox.scenes import first_step, prepare
from bot.sandbox.world import World, open_world
from cogs.ui.layout import card


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


async def welcome(world: World, first: str = "") -> int:
    """The guide as the bot's message in the channel; its id. `first`: what to do in the scene."""
    channel = world.env.bot.get_partial_messageable(world.channel.id, guild_id=world.guild.id)
    message = await channel.send(view=card(*first_message(first), colour=discord.Colour.blurple()))
    return message.id


async def run(scene_name: str) -> None:
    """`python -m bot sandbox`: until Ctrl+C. StartupError when there is no such scene."""
    with tempfile.TemporaryDirectory(prefix="darkroom-sandbox-") as name:
        folder = Path(name)
        async with open_world(folder, webhook_port=free_port()) as world:
            previews = await asyncio.to_thread(world.aurous.paint_previews)
            first = first_step(scene_name)
            start = await welcome(world, first)
            await prepare(world, scene_name)
            viewers = [*world.members, world.admin]
            async with open_page(world.env, world.channel, viewers, previews, start) as page:
                print(guide(page.url, first), flush=True)  # noqa: T201 - what `make sandbox` is for
                await keep_fresh(page, world.env)
