"""/keys: an admin sets, looks at or removes the server's API keys."""

import discord
from discord import app_commands
from discord.ext import commands

from bot.client import DarkroomBot
from bot.keys import KeyStatus
from bot.models import ProviderName
from bot.quoting import quote
from cogs.ui.cards import card
from cogs.ui.replies import Interaction, defer, guild_of, is_admin, say, show
from cogs.ui.views import SafeModal
from cogs.ui.words import ago, count

FORM_SECONDS = 600
PROVIDERS = [app_commands.Choice(name=provider.label, value=provider.value) for provider in ProviderName]


def admins_only(interaction: Interaction) -> bool:
    return is_admin(interaction)


class KeyModal(SafeModal):
    """One text input. The key is read once and never shown again."""

    def __init__(self, bot: DarkroomBot, provider: ProviderName) -> None:
        super().__init__(bot, title=f"{provider.label} API key", seconds=FORM_SECONDS)
        self.provider = provider
        self.api_key: discord.ui.TextInput[KeyModal] = discord.ui.TextInput(
            placeholder="afk_…", min_length=8, max_length=200
        )
        self.add_item(
            discord.ui.Label(
                text="API key",
                description="It is checked, then stored encrypted. Nobody can read it here again.",
                component=self.api_key,
            )
        )

    async def on_submit(self, interaction: Interaction, /) -> None:  # type: ignore[override]
        await defer(interaction)
        status = await interaction.client.services.keys.set(
            guild_of(interaction), self.provider, self.api_key.value, set_by=interaction.user.id
        )
        await show(interaction, status_card(status, "Key saved"))


@app_commands.default_permissions(manage_guild=True)
class KeysCog(commands.GroupCog, group_name="keys", group_description="The server's API keys (admins only)"):
    def __init__(self, bot: DarkroomBot) -> None:
        self.bot = bot

    @app_commands.command(name="set", description="Store this server's API key, or replace it")
    @app_commands.describe(provider="Whose key")
    @app_commands.choices(provider=PROVIDERS)
    @app_commands.check(admins_only)
    async def set_key(self, interaction: Interaction, provider: str) -> None:
        await interaction.response.send_modal(KeyModal(self.bot, ProviderName(provider)))

    @app_commands.command(name="status", description="Which keys are set, their balance and their last trouble")
    @app_commands.check(admins_only)
    async def status(self, interaction: Interaction) -> None:
        await defer(interaction)
        for provider in ProviderName:
            status = await self.bot.services.keys.status(guild_of(interaction), provider)
            if status is None:
                await say(interaction, f"There is no {provider.label} key yet. `/keys set` stores one.")
            else:
                await show(interaction, status_card(status, f"{provider.label} key"))

    @app_commands.command(name="remove", description="Remove a key; running jobs are finished first")
    @app_commands.describe(provider="Whose key")
    @app_commands.choices(provider=PROVIDERS)
    @app_commands.check(admins_only)
    async def remove(self, interaction: Interaction, provider: str) -> None:
        running = await self.bot.services.keys.remove(guild_of(interaction), ProviderName(provider))
        label = ProviderName(provider).label
        if running:
            await say(
                interaction,
                f"The {label} key is no longer used for anything new. {count(running, 'running job')} still needs it; "
                "it is deleted when they end, at the latest in 24 hours.",
            )
        else:
            await say(interaction, f"The {label} key has been deleted.")


def status_card(status: KeyStatus, title: str) -> discord.ui.LayoutView:
    row = status.row
    balance = f"Balance: **{status.balance} credits**" if status.balance is not None else "Balance: not known just now"
    team = f" · team {quote(status.team, 40)}" if status.team else ""
    lines = [
        f"### {title}",
        f"{row.provider.label} key ending in `{row.last4}`{team}",
        balance,
        f"Set by <@{row.set_by}> {ago(row.set_at)}",
        f"{count(status.running, 'training')} running",
    ]
    if row.paused_at is not None:
        lines.append(f"⏸️ Paused {ago(row.paused_at)}: {row.provider.label} did not accept it.")
    if status.trouble:
        lines.append(f"⚠️ {status.trouble}")
    if row.last_error and row.last_error_at:
        lines.append(f"Last trouble {ago(row.last_error_at)}: {quote(row.last_error, 150)}")
    else:
        lines.append("No trouble so far.")
    healthy = status.trouble is None and row.paused_at is None
    return card("\n".join(lines), colour=discord.Colour.green() if healthy else discord.Colour.orange())


async def setup(bot: DarkroomBot) -> None:
    await bot.add_cog(KeysCog(bot))
