"""What is not in front below pictures: the private panel behind **More**, with what this member may do and no more."""

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType

import discord

from bot.errors import NotAllowed, NotFound, UserError
from bot.generation.access import GONE
from bot.moderation.service import BLOCKED
from bot.records.guild import Actor
from bot.records.key import ProviderName
from cogs.pictures.cards import button_of
from cogs.ui.layout import Layout, card
from cogs.ui.replies import IS_BLOCKED, Interaction, actor_of, defer, show

Check = Callable[[Interaction, int, Actor], Awaitable[object]]
"""Raises UserError when this member may not do it with this set of pictures."""

IN_FRONT = "The settings of these pictures are in front, below them."


async def _look(interaction: Interaction, generation_id: int, actor: Actor) -> None:
    await interaction.client.check_command(interaction, "imagine")
    found = await interaction.client.services.pictures.see(generation_id, actor)
    if found.generation.event_id is None:
        raise UserError(IN_FRONT)


async def _edit(interaction: Interaction, generation_id: int, actor: Actor) -> None:
    await interaction.client.check_command(interaction, "imagine")
    await interaction.client.services.pictures.to_edit(generation_id, actor)
    await interaction.client.services.keys.current(actor.guild_id, ProviderName.APIFRAME)


async def _gallery(interaction: Interaction, generation_id: int, actor: Actor) -> None:
    await interaction.client.services.pictures.to_gallery(generation_id, actor)


async def _delete(interaction: Interaction, generation_id: int, actor: Actor) -> None:
    await interaction.client.services.pictures.to_delete(generation_id, actor)


async def _report(interaction: Interaction, generation_id: int, actor: Actor) -> None:
    await interaction.client.services.reports.check(generation_id, actor)


async def _claim(interaction: Interaction, generation_id: int, actor: Actor) -> None:
    await interaction.client.services.likeness.lora_behind(generation_id, actor)


OF_EVERYBODY: Mapping[str, Check] = MappingProxyType({"claim": _claim})
"""What a blocked member may do, too."""
CHECKS: Mapping[str, Check] = MappingProxyType(
    {
        "settings": _look,
        "upscale": _edit,
        "cutout": _edit,
        "gallery": _gallery,
        "delete": _delete,
        "report": _report,
        **OF_EVERYBODY,
    }
)


def more_card(generation_id: int, actions: list[str]) -> Layout:
    buttons = [button_of(generation_id, action) for action in actions]
    return card("### More for these pictures", colour=discord.Colour.purple(), buttons=buttons)


async def press_more(interaction: Interaction, generation_id: int) -> None:
    await defer(interaction)
    is_blocked = IS_BLOCKED in interaction.extras
    checks = OF_EVERYBODY if is_blocked else CHECKS
    actions = [action for action, check in checks.items() if await _passes(check, interaction, generation_id)]
    if actions:
        await show(interaction, more_card(generation_id, actions))
    else:
        raise NotAllowed(BLOCKED) if is_blocked else NotFound(GONE)


async def _passes(check: Check, interaction: Interaction, generation_id: int) -> bool:
    try:
        await check(interaction, generation_id, actor_of(interaction))
    except UserError:
        return False
    return True
