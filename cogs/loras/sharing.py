"""Choosing whom a LoRA is shared with, and taking that back."""

from collections.abc import Mapping
from typing import Any

import discord

from bot.client import DarkroomBot, fleeting_id
from bot.errors import UserError
from bot.loras.rights import Right, allows
from bot.loras.sharing import Sharing
from bot.records.guild import Actor
from bot.records.lora import Audience, Share
from bot.text import CHOICES_MAX
from cogs.loras.cards import share_text
from cogs.ui.replies import Interaction, actor_of, defer, show

Target = discord.Member | discord.User | discord.Role
Box = discord.ui.Container["SharePanel"]

PANEL_SECONDS = 600
CHOSEN_AT_ONCE = 10


class AudienceSelect(discord.ui.MentionableSelect["SharePanel"]):
    def __init__(self, lora_id: int) -> None:
        super().__init__(
            custom_id=fleeting_id(),
            placeholder="Share with members or roles",
            min_values=1,
            max_values=CHOSEN_AT_ONCE,
        )
        self.lora_id = lora_id

    async def callback(self, interaction: discord.Interaction[DarkroomBot]) -> Any:  # type: ignore[override]
        audiences = [audience_of(target) for target in self.values]
        await defer(interaction, thinking=False)
        for audience, audience_id in audiences:
            await share_with(interaction, self.lora_id, audience, audience_id)
        await show_panel(interaction, self.lora_id)


class EveryoneButton(discord.ui.Button["SharePanel"]):
    def __init__(self, lora_id: int) -> None:
        super().__init__(label="Everyone here", custom_id=fleeting_id())
        self.lora_id = lora_id

    async def callback(self, interaction: discord.Interaction[DarkroomBot]) -> Any:  # type: ignore[override]
        await defer(interaction, thinking=False)
        await share_with(interaction, self.lora_id, Audience.GUILD, None)
        await show_panel(interaction, self.lora_id)


class EventSelect(discord.ui.Select["SharePanel"]):
    """The events that are running here and that it is not shared with yet."""

    def __init__(self, lora_id: int, events: Mapping[int, str]) -> None:
        newest = sorted(events.items(), reverse=True)[:CHOICES_MAX]
        super().__init__(
            custom_id=fleeting_id(),
            placeholder="Share with the entrants of an event",
            options=[discord.SelectOption(label=name[:100], value=str(event_id)) for event_id, name in newest],
        )
        self.lora_id = lora_id

    async def callback(self, interaction: discord.Interaction[DarkroomBot]) -> Any:  # type: ignore[override]
        await defer(interaction, thinking=False)
        await share_with(interaction, self.lora_id, Audience.EVENT, int(self.values[0]))
        await show_panel(interaction, self.lora_id)


class TakeBackSelect(discord.ui.Select["SharePanel"]):
    def __init__(self, guild: discord.Guild | None, sharing: Sharing) -> None:
        super().__init__(
            custom_id=fleeting_id(),
            placeholder="Take back from …",
            min_values=1,
            max_values=len(sharing.shares),
            options=[
                discord.SelectOption(label=f"{number}. {name}"[:100], value=str(share.id))
                for number, (share, name) in enumerate(_named(guild, sharing), start=1)
            ],
        )
        self.lora_id = sharing.lora.id

    async def callback(self, interaction: discord.Interaction[DarkroomBot]) -> Any:  # type: ignore[override]
        await defer(interaction, thinking=False)
        share_ids = [int(value) for value in self.values]
        await interaction.client.services.sharing.take_back(self.lora_id, share_ids, actor_of(interaction))
        await show_panel(interaction, self.lora_id)


class SharePanel(discord.ui.LayoutView):
    """Lives for ten minutes on a private message. An admin who is not the owner can only take back."""

    def __init__(self, guild: discord.Guild | None, sharing: Sharing, actor: Actor) -> None:
        super().__init__(timeout=PANEL_SECONDS)
        box: Box = discord.ui.Container(accent_colour=discord.Colour.blurple())
        box.add_item(discord.ui.TextDisplay(share_text(sharing)))
        if allows(Right.SHARE, sharing.lora, sharing.shares, actor):
            _add_row(box, AudienceSelect(sharing.lora.id))
            events = _to_share_with(sharing)
            if events:
                _add_row(box, EventSelect(sharing.lora.id, events))
            _add_row(box, EveryoneButton(sharing.lora.id))
        if sharing.shares:
            _add_row(box, TakeBackSelect(guild, sharing))
        self.add_item(box)

    async def on_error(  # type: ignore[override]
        self, interaction: discord.Interaction[DarkroomBot], error: Exception, item: discord.ui.Item[Any], /
    ) -> None:
        await interaction.client.error_door(interaction, error)


def _to_share_with(sharing: Sharing) -> dict[int, str]:
    taken = {share.audience_id for share in sharing.shares if share.audience is Audience.EVENT}
    return {event_id: name for event_id, name in sharing.events.items() if event_id not in taken}


def _add_row(box: Box, item: discord.ui.Item[Any]) -> None:
    row: discord.ui.ActionRow[SharePanel] = discord.ui.ActionRow()
    row.add_item(item)
    box.add_item(row)


def audience_of(target: Target) -> tuple[Audience, int | None]:
    """UserError for bots and for people who are not members of this server."""
    if isinstance(target, discord.Role):
        return (Audience.GUILD, None) if target.is_default() else (Audience.ROLE, target.id)
    if target.bot or not isinstance(target, discord.Member):
        raise UserError("A LoRA can be shared with members and roles of this server. Please pick one of those.")
    return Audience.MEMBER, target.id


async def share_with(interaction: Interaction, lora_id: int, audience: Audience, audience_id: int | None) -> None:
    await interaction.client.services.sharing.share(lora_id, audience, audience_id, actor_of(interaction))


async def show_panel(interaction: Interaction, lora_id: int) -> None:
    actor = actor_of(interaction)
    sharing = await interaction.client.services.sharing.of(lora_id, actor)
    await show(interaction, SharePanel(interaction.guild, sharing, actor))


def _named(guild: discord.Guild | None, sharing: Sharing) -> list[tuple[Share, str]]:
    return [(share, _plain_name(guild, share, sharing.events)) for share in sharing.shares]


def _plain_name(guild: discord.Guild | None, share: Share, events: Mapping[int, str]) -> str:
    """Options show no mentions; the numbers lead to those above."""
    if share.audience is Audience.GUILD:
        return "everyone here"
    if share.audience is Audience.ROLE:
        role = guild.get_role(share.audience_id or 0) if guild is not None else None
        return role.name if role is not None else "a role that is gone"
    if share.audience is Audience.EVENT:
        return events.get(share.audience_id or 0, "an event that is gone")
    return "this member"
