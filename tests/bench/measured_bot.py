"""The measured bot as a process of its own: the real Darkroom, or one that only defers, connected to a stand-in."""

import asyncio
import json
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import discord

from tests.bench.processes import report
from tests.wire.discord.redirect import point_discord_at

READY_TIMEOUT_S = 0.05
"""discord.py waits this long for further guilds after READY; two seconds would hide every difference at start."""


async def run_darkroom(task: dict[str, Any]) -> None:
    """`folder`, `apiframe_url`, `photo_host` as host:port, and `listen_port` (0: free, and polling only)."""
    from bot.app import assemble
    from bot.clock import Timings
    from bot.config import Settings
    from bot.process.log import LogFormat, configure_logging

    configure_logging("INFO", LogFormat.TEXT, stream=sys.stderr)
    port = task["listen_port"]
    settings = Settings.model_construct(
        darkroom_data_dir=Path(task["folder"]),
        darkroom_listen=("127.0.0.1", port),
        darkroom_public_url=f"http://127.0.0.1:{port}" if port else None,
        darkroom_apiframe_url=task["apiframe_url"],
        darkroom_trusted_hosts=(task["photo_host"],),
    )
    async with assemble(settings, timings=Timings(poll=timedelta(hours=1))) as darkroom:
        make_bot = darkroom.gateway._make_bot

        def make_reporting_bot() -> Any:
            bot = make_bot()
            bot._connection.guild_ready_timeout = READY_TIMEOUT_S
            bot.add_listener(on_ready)
            return bot

        darkroom.gateway._make_bot = make_reporting_bot
        await darkroom.run(task["token"])


async def on_ready() -> None:
    report(ready=True)


class BareForm(discord.ui.Modal, title="Train"):
    """As many parts as the real form; it only defers."""

    def __init__(self) -> None:
        super().__init__(timeout=3600)
        self.add_item(discord.ui.Label(text="Name", component=discord.ui.TextInput(max_length=40)))
        for number in range(3):
            upload: discord.ui.FileUpload[BareForm] = discord.ui.FileUpload(required=False, max_values=10)
            self.add_item(discord.ui.Label(text=f"Photos {number}", component=upload))
        self.add_item(discord.ui.Label(text="Consent", component=discord.ui.Checkbox()))

    async def on_submit(self, interaction: discord.Interaction, /) -> None:
        await interaction.response.defer(ephemeral=True, thinking=True)


class BareBot(discord.Client):
    """The library and nothing else: /train opens a form, the form defers."""

    def __init__(self) -> None:
        super().__init__(intents=discord.Intents(guilds=True), max_messages=None, guild_ready_timeout=READY_TIMEOUT_S)
        self.tree = discord.app_commands.CommandTree(self)

        @self.tree.command(description="open a form")
        async def train(interaction: discord.Interaction, subject: str) -> None:
            await interaction.response.send_modal(BareForm())

    async def setup_hook(self) -> None:
        await self.tree.sync()

    async def on_ready(self) -> None:
        report(ready=True)


async def main() -> None:
    task = json.loads(sys.argv[1])
    point_discord_at(task["api"], task["gateway"])
    if task["bot"] == "darkroom":
        await run_darkroom(task)
    else:
        async with BareBot() as bot:
            await bot.start(task["token"])


if __name__ == "__main__":
    asyncio.run(main())
