"""/keys: an admin sets, looks at, tests or removes the server's API keys."""

import asyncio
from collections.abc import Sequence
from typing import Any

import discord
from discord import app_commands
from discord.ext import commands

from bot.client import DarkroomBot
from bot.errors import UserError
from bot.keys.reachability import Mark, ReachabilityFinding
from bot.keys.service import KEY_PREFIXES, KeyStatus
from bot.keys.slots import SLOTS
from bot.records.key import ApiKeyRow, ProviderName
from bot.text import cite, quote
from cogs.limits.buttons import FIRST_LIMIT, first_limit_buttons
from cogs.ui.access import check_admin_of
from cogs.ui.choices import PROVIDERS, value_of
from cogs.ui.layout import Layout, SafeLayout, Text, card
from cogs.ui.replies import Interaction, defer, guild_of, is_admin, open_form, say, show
from cogs.ui.views import SafeModal
from cogs.ui.words import ago, count, member


def key_paused_card(key: ApiKeyRow, guild_name: str) -> SafeLayout:
    if key.paused_at is None:
        works = f"### The {key.provider.label} key of {quote(guild_name)} works again\n"
        text = f"{works}{key.provider.label} accepts the key ending in `{key.last4}` again. You need not do anything."
        return card(text, colour=discord.Colour.green())
    text = (
        f"### The {key.provider.label} key of {quote(guild_name)} is paused\n"
        f"{key.provider.label} does not accept the key ending in `{key.last4}` any more. "
        "Trainings wait and nothing is lost; it is tried again by itself after 10 minutes, 1 hour, 6 hours. "
        f"Please check it in your {key.provider.label} dashboard, then run `/keys set` in the server."
    )
    return card(text, colour=discord.Colour.red())


SLOTS_MAX = 100
NO_DEFAULT = "none"
DEFAULTS = [*PROVIDERS, app_commands.Choice(name="No default", value=NO_DEFAULT)]
MARKS = {Mark.GOOD: "✅", Mark.BAD: "⚠️", Mark.NOTE: "\N{INFORMATION SOURCE}\N{VARIATION SELECTOR-16}"}


class KeyModal(SafeModal):
    """One text input. The key is read once and never shown again."""

    command = "keys"

    def __init__(self, provider: ProviderName, guild_id: int | None = None) -> None:
        """`guild_id`: the server that it is for, when it is opened in a private message."""
        super().__init__(f"{provider.label} API key")
        self.provider, self.guild_id = provider, guild_id
        self.api_key = self.add_field(
            "API key",
            discord.ui.TextInput[Any](placeholder=f"{KEY_PREFIXES[provider]}…", min_length=8, max_length=200),
            "It is checked, then stored encrypted. Nobody can read it here again.",
        )
        most = SLOTS[provider]
        self.slots = self.add_field(
            "Trainings at once",
            discord.ui.TextInput[Any](default=str(most), max_length=3, required=False),
            f"{provider.label} usually takes {most} of one team. Fewer leave room for your other programs.",
        )

    async def submit(self, interaction: Interaction) -> None:
        guild_id = self.guild_id or guild_of(interaction)
        await check_admin_of(interaction, guild_id)
        slots = _slots(self.slots.value)
        status = await interaction.client.services.keys.set(
            guild_id,
            self.provider,
            self.api_key.value,
            set_by=interaction.user.id,
            slots=slots,
        )
        view = card("\n".join(["### Key saved", *key_lines(status)]), colour=colour_of(status))
        if status.is_first:
            view.add_line()
            view.add_text(FIRST_LIMIT)
            # They are about the server in which they are pressed.
            view.add_rows(first_limit_buttons() if interaction.guild_id == guild_id else [])
        await show(interaction, view)


@app_commands.default_permissions(manage_guild=True)
class KeysCog(commands.GroupCog, group_name="keys", group_description="The server's API keys (admins only)"):
    def __init__(self, bot: DarkroomBot) -> None:
        self.bot = bot

    @app_commands.command(name="set", description="Store this server's API key, or replace it")
    @app_commands.describe(provider="Whose key")
    @app_commands.choices(provider=PROVIDERS)
    @app_commands.check(is_admin)
    async def set_key(self, interaction: Interaction, provider: str) -> None:
        await open_form(interaction, KeyModal(ProviderName(value_of(PROVIDERS, provider))))

    @app_commands.command(name="status", description="Which keys are set, their balance and their last trouble")
    @app_commands.check(is_admin)
    async def status(self, interaction: Interaction) -> None:
        await defer(interaction)
        guild_id, services = guild_of(interaction), self.bot.services
        found = await asyncio.gather(*(services.keys.status(guild_id, provider) for provider in ProviderName))
        guild = await services.guilds.get(guild_id)
        await show(interaction, status_card(found, None if guild is None else guild.default_provider))

    @app_commands.command(name="remove", description="Remove a key; running jobs are finished first")
    @app_commands.describe(provider="Whose key")
    @app_commands.choices(provider=PROVIDERS)
    @app_commands.check(is_admin)
    async def remove(self, interaction: Interaction, provider: str) -> None:
        await defer(interaction)
        whose = ProviderName(value_of(PROVIDERS, provider))
        label, running = whose.label, await self.bot.services.keys.remove(guild_of(interaction), whose)
        if running:
            await say(
                interaction,
                f"The {label} key is no longer used for anything new. {count(running, 'running job')} still needs it; "
                "it is deleted when they end, at the latest in 24 hours.",
            )
        else:
            await say(interaction, f"The {label} key has been deleted.")

    @app_commands.command(name="default", description="Who makes pictures that need no LoRA, style or character")
    @app_commands.describe(provider="Used when a member does not choose one")
    @app_commands.choices(provider=DEFAULTS)
    @app_commands.check(is_admin)
    async def default(self, interaction: Interaction, provider: str) -> None:
        await defer(interaction)
        guild_id, services = guild_of(interaction), self.bot.services
        asked = value_of(DEFAULTS, provider)
        if asked == NO_DEFAULT:
            await services.guilds.choose_provider(guild_id, None)
            await say(interaction, "There is no default any more. Without one, Apiframe is used where both could.")
            return
        chosen = ProviderName(asked)
        await services.keys.current(guild_id, chosen)
        await services.guilds.choose_provider(guild_id, chosen)
        await say(interaction, f"Pictures without a LoRA, style or character are now made by {chosen.label}.")

    @app_commands.command(name="test", description="Find out whether webhooks of the providers reach Darkroom")
    @app_commands.check(is_admin)
    async def test(self, interaction: Interaction) -> None:
        await defer(interaction)
        await show(interaction, findings_card(await self.bot.services.reachability.run(guild_of(interaction))))


def status_card(found: Sequence[KeyStatus | None], default: ProviderName | None) -> Layout:
    """A box for each provider, then what is used by default."""
    view = Layout(timeout=None)
    for provider, status in zip(ProviderName, found, strict=True):
        if status is None:
            text = f"### {provider.label}\nThere is no {provider.label} key yet. `/keys set` stores one."
            colour = discord.Colour.light_grey()
        else:
            text, colour = "\n".join([f"### {provider.label}", *key_lines(status)]), colour_of(status)
        box: discord.ui.Container[Layout] = discord.ui.Container(Text(text), accent_colour=colour)
        view.add_item(box)
    chosen = "none" if default is None else f"**{default.label}**"
    view.add_item(Text(f"Default for pictures without a LoRA, style or character: {chosen} (`/keys default`)"))
    return view


def key_lines(status: KeyStatus) -> list[str]:
    row = status.row
    balance = f"Balance: **{status.balance} credits**" if status.balance is not None else "Balance: not known just now"
    team = f" · team {quote(status.team, 40)}" if status.team else ""
    lines = [
        f"{row.provider.label} key ending in `{row.last4}`{team}",
        balance,
        f"Set by {member(row.set_by)} {ago(row.set_at)}",
        f"{count(status.running, 'training')} running",
        f"Styles and LoRAs compared {ago(row.checked_at)}" if row.checked_at else "Styles and LoRAs: not compared yet",
        _webhooks(row),
    ]
    if row.paused_at is not None:
        lines.append(f"⏸️ Paused {ago(row.paused_at)}: {row.provider.label} did not accept it.")
    if status.trouble:
        lines.append(f"⚠️ {status.trouble}")
    if row.last_error and row.last_error_at:
        lines.append(f"Last trouble {ago(row.last_error_at)}: {cite(row.last_error, 150)}")
    else:
        lines.append("No trouble so far.")
    return lines


def colour_of(status: KeyStatus) -> discord.Colour:
    healthy = status.trouble is None and status.row.paused_at is None
    return discord.Colour.green() if healthy else discord.Colour.orange()


def _slots(text: str) -> int | None:
    """As typed, None for an empty field; UserError for anything but 1 to SLOTS_MAX."""
    typed = text.strip()
    if not typed:
        return None
    if not (typed.isascii() and typed.isdigit() and 1 <= int(typed) <= SLOTS_MAX):
        raise UserError(f"Trainings at once can be 1 to {SLOTS_MAX}. Please open `/keys set` again and write a number.")
    return int(typed)


def _webhooks(row: ApiKeyRow) -> str:
    heard = f"last delivery {ago(row.endpoint_heard_at)}" if row.endpoint_heard_at else "no delivery so far"
    if row.provider is ProviderName.AUROUS:
        heard = (
            f"endpoint registered, {heard}" if row.endpoint_id else "no endpoint registered; Darkroom asks by itself"
        )
    return f"Webhooks: {heard}"


def findings_card(findings: Sequence[ReachabilityFinding]) -> Layout:
    lines = ["### Webhook test"]
    for finding in findings:
        when = "" if finding.at is None else f" {ago(finding.at)}."
        lines.append(f"{MARKS[finding.mark]} {finding.text}{when}")
    all_well = all(finding.mark is not Mark.BAD for finding in findings)
    return card("\n".join(lines), colour=discord.Colour.green() if all_well else discord.Colour.orange())


async def setup(bot: DarkroomBot) -> None:
    await bot.add_cog(KeysCog(bot))
