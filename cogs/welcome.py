"""The first message to a server that has just invited the bot, and its button."""

import asyncio
import logging
from datetime import timedelta

import discord
from discord.ext import commands

from bot.client import DarkroomBot
from bot.errors import NotFound
from bot.records.guild import Place, PlaceKind
from bot.records.key import ProviderName
from bot.text import quote
from cogs.keys import KeyModal
from cogs.ui.access import check_admin_of
from cogs.ui.buttons import ActionButton
from cogs.ui.layout import SafeLayout, card
from cogs.ui.replies import Interaction, open_form

log = logging.getLogger(__name__)

NEW_FOR = timedelta(days=3)
"""A server that invited the bot while it was away is greeted until then; one that has it for longer knows it."""
ASK_S = 10.0
ENTRIES_READ = 20
GONE = "I am no longer in that server. Invite me again, then run `/keys set` there."


def welcome_card(row_id: int, guild_name: str) -> SafeLayout:
    text = (
        f"### Thank you for inviting me to {quote(guild_name)}\n"
        "I train a LoRA from your members' photos and make pictures with it, and I run photo events.\n"
        "**One thing is missing: an API key.** Trainings and pictures are made by Apiframe and paid with the credits "
        "of your own account there: about 257 for a training, 2 for a picture. Press **Set the key** and paste it; it "
        "is checked, stored encrypted and never shown again. At first each member may use 300 credits a month.\n"
        "A key of Aurous Labs, for ready-made styles and characters, is stored with `/keys set`. After that `/help` "
        "says what comes next, and members begin with `/train`."
    )
    button = ActionButton("welcome", "key", row_id, label="Set the key", style=discord.ButtonStyle.success)
    return card(text, colour=discord.Colour.blurple(), buttons=[button])


async def press_key(interaction: Interaction, row_id: int) -> None:
    guild = await interaction.client.services.guilds.find(row_id)
    if guild is None or interaction.guild_id not in {None, guild.guild_id}:
        raise NotFound(GONE)
    await check_admin_of(interaction, guild.guild_id)
    await interaction.client.check_command(interaction, "keys")
    await open_form(interaction, KeyModal(ProviderName.APIFRAME, guild.guild_id))


class WelcomeCog(commands.Cog):
    def __init__(self, bot: DarkroomBot) -> None:
        self.bot = bot

    @commands.Cog.listener()
    async def on_guild_join(self, guild: discord.Guild) -> None:
        await self.bot.services.guilds.come_back(guild.id)
        await self._greet(guild)

    @commands.Cog.listener()
    async def on_ready(self) -> None:
        """Servers that invited the bot while it was away, or when it died before it had greeted them."""
        for guild in self.bot.guilds:
            joined_at = None if guild.unavailable else guild.me.joined_at
            if joined_at is not None and discord.utils.utcnow() - joined_at < NEW_FOR:
                await self._greet(guild)

    async def _greet(self, guild: discord.Guild) -> None:
        """Privately to whoever invited the bot, else in the channel where Discord greets new members, else not."""
        guilds = self.bot.services.guilds
        known = await guilds.get(guild.id)
        if known is not None and known.welcomed_at is not None:
            return
        inviter_id, channel = await _inviter(guild), guild.system_channel
        places = [] if inviter_id is None else [Place(PlaceKind.USER, inviter_id)]
        if channel is not None and channel.permissions_for(guild.me).send_messages:
            places.append(Place(PlaceKind.CHANNEL, channel.id))
        await guilds.welcome(guild.id, places)


async def _inviter(guild: discord.Guild) -> int | None:
    """Who added the bot, from the audit log; None when the bot may not read it or Discord does not say."""
    if not guild.me.guild_permissions.view_audit_log:
        return None
    try:
        async with asyncio.timeout(ASK_S):
            async for entry in guild.audit_logs(action=discord.AuditLogAction.bot_add, limit=ENTRIES_READ):
                if getattr(entry.target, "id", None) == guild.me.id:
                    return entry.user_id
    except (discord.HTTPException, OSError, TimeoutError) as error:
        log.info("Who invited the bot is not known: %s", type(error).__name__)
    return None


async def setup(bot: DarkroomBot) -> None:
    bot.add_buttons("welcome", key=press_key)
    await bot.add_cog(WelcomeCog(bot))


async def teardown(bot: DarkroomBot) -> None:
    bot.remove_buttons("welcome")
