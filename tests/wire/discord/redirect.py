"""Points discord.py at another address than Discord's own; called before login, in the bot's process or a test's."""

import discord
import yarl
from discord.gateway import DiscordWebSocket
from discord.http import Route


def point_discord_at(api: str, gateway: str) -> None:
    """`api` ends in /api/v10, `gateway` is a ws:// address. Both are class attributes: they hold for the process."""
    Route.BASE = api
    DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(gateway)
    discord.Asset.BASE = api.removesuffix("/api/v10") + "/cdn"
