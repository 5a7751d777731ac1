"""Choosing whom a LoRA is shared with, and taking that back."""

from collections.abc import Mapping, Sequence

import discord

from bot.errors import UserError
from bot.loras.rights import Right, allows
from bot.loras.sharing import Sharing
from bot.records.guild import Actor
from bot.records.lora import Audience, Share
from cogs.loras.cards import share_text
from cogs.ui.choices import AudienceChoice, FleetingButton, StringChoice, options_of
from cogs.ui.layout import PANEL_SECONDS, SafeLayout
from cogs.ui.replies import Interaction, actor_of, defer, show

Target = discord.Member | discord.User | discord.Role

CHOSEN_AT_ONCE = 10


class SharePanel(SafeLayout):
    """An admin who is not the owner can only take back."""

    def __init__(self, guild: discord.Guild | None, sharing: Sharing, actor: Actor) -> None:
        super().__init__(discord.Colour.blurple(), seconds=PANEL_SECONDS)
        self.lora_id = sharing.lora.id
        self.add_text(share_text(sharing))
        if allows(Right.SHARE, sharing.lora, (), actor, ()):
            self.add_row(AudienceChoice("Share with members or roles", self._share, most=CHOSEN_AT_ONCE))
            events = options_of(_to_share_with(sharing), ())
            if events:
                self.add_row(StringChoice("Share with everybody in an event", events, self._share_event, least=1))
            self.add_row(FleetingButton("Everyone here", self._share_everyone))
        if sharing.shares:
            taken = options_of(_named(guild, sharing), ())
            self.add_row(StringChoice("Take back from …", taken, self._take_back, least=1, most=len(taken)))

    async def _share(self, interaction: Interaction, targets: Sequence[Target]) -> None:
        audiences = [audience_of(target) for target in targets]
        await defer(interaction, thinking=False)
        for audience, audience_id in audiences:
            await share_with(interaction, self.lora_id, audience, audience_id)
        await show_panel(interaction, self.lora_id)

    async def _share_event(self, interaction: Interaction, values: Sequence[str]) -> None:
        await defer(interaction, thinking=False)
        await share_with(interaction, self.lora_id, Audience.EVENT, int(values[0]))
        await show_panel(interaction, self.lora_id)

    async def _share_everyone(self, interaction: Interaction) -> None:
        await defer(interaction, thinking=False)
        await share_with(interaction, self.lora_id, Audience.GUILD, None)
        await show_panel(interaction, self.lora_id)

    async def _take_back(self, interaction: Interaction, values: Sequence[str]) -> None:
        await defer(interaction, thinking=False)
        share_ids = [int(value) for value in values]
        await interaction.client.services.sharing.take_back(self.lora_id, share_ids, actor_of(interaction))
        await show_panel(interaction, self.lora_id)


def _to_share_with(sharing: Sharing) -> dict[int, str]:
    """The events that are running here and that it is not shared with yet, the newest first."""
    taken = {share.audience_id for share in sharing.shares if share.audience is Audience.EVENT}
    newest = sorted(sharing.events.items(), reverse=True)
    return {event_id: name for event_id, name in newest if event_id not in taken}


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


def _named(guild: discord.Guild | None, sharing: Sharing) -> dict[int, str]:
    """Numbered as in the text above."""
    return {
        share.id: f"{number}. {_plain_name(guild, share, sharing.events)}"
        for number, share in enumerate(sharing.shares, start=1)
    }


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
