"""Selects and buttons that only the bot's memory knows: what is chosen or pressed is handed on at once."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any

import discord
from discord import app_commands

from bot.client import fleeting_id
from bot.errors import UserError
from bot.records.dataset import Photo
from bot.records.key import ProviderName
from bot.text import named
from cogs.ui.replies import Interaction, defer

OPTIONS_MAX = 25
"""Options and chosen values of one select (Discord /docs/components/reference)."""

NOT_OFFERED = "That is not on the list. Please open the list again and choose something from it."

Chosen = Callable[[Interaction, Sequence[Any]], Awaitable[None]]
Pressed = Callable[[Interaction], Awaitable[None]]
Select = discord.ui.Item[discord.ui.LayoutView]


class FleetingButton(discord.ui.Button[Any]):
    def __init__(
        self,
        label: str,
        pressed: Pressed,
        *,
        style: discord.ButtonStyle = discord.ButtonStyle.secondary,
        disabled: bool = False,
    ) -> None:
        super().__init__(label=label, style=style, disabled=disabled, custom_id=fleeting_id())
        self.pressed = pressed

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        await self.pressed(interaction)


Turn = Callable[[Interaction, int], Awaitable[None]]


def page_buttons(page: int, pages: int, turn: Turn, *, back: str, on: str) -> list[FleetingButton]:
    """The way to the pages before and after this one, where there are some; pages count from 0."""

    def button(label: str, to: int) -> FleetingButton:
        async def pressed(interaction: Interaction) -> None:
            await defer(interaction, thinking=False)
            await turn(interaction, to)

        return FleetingButton(label, pressed)

    return [*([button(back, page - 1)] if page > 0 else []), *([button(on, page + 1)] if page + 1 < pages else [])]


class StringChoice(discord.ui.Select[discord.ui.LayoutView]):
    def __init__(
        self,
        placeholder: str,
        options: list[discord.SelectOption],
        chosen: Chosen,
        *,
        least: int = 0,
        most: int = 1,
    ) -> None:
        super().__init__(
            custom_id=fleeting_id(),
            placeholder=placeholder,
            min_values=least,
            max_values=min(most, len(options)),
            options=options,
        )
        self.chosen = chosen

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        check_offered(self)
        await self.chosen(interaction, self.values)


class RoleChoice(discord.ui.RoleSelect[discord.ui.LayoutView]):
    def __init__(self, placeholder: str, before: Iterable[int], chosen: Chosen, *, most: int = OPTIONS_MAX) -> None:
        super().__init__(
            custom_id=fleeting_id(),
            placeholder=placeholder,
            min_values=0,
            max_values=most,
            default_values=_objects(before, most),
        )
        self.chosen = chosen

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        await self.chosen(interaction, [role.id for role in self.values if not role.is_default()])


class MemberChoice(discord.ui.UserSelect[discord.ui.LayoutView]):
    def __init__(self, placeholder: str, before: Iterable[int], chosen: Chosen) -> None:
        super().__init__(
            custom_id=fleeting_id(),
            placeholder=placeholder,
            min_values=0,
            max_values=OPTIONS_MAX,
            default_values=_objects(before, OPTIONS_MAX),
        )
        self.chosen = chosen

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        await self.chosen(interaction, [user.id for user in self.values if not user.bot])


class AudienceChoice(discord.ui.MentionableSelect[discord.ui.LayoutView]):
    """Hands on members and roles as they are."""

    def __init__(self, placeholder: str, chosen: Chosen, *, most: int) -> None:
        super().__init__(custom_id=fleeting_id(), placeholder=placeholder, min_values=1, max_values=most)
        self.chosen = chosen

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        await self.chosen(interaction, self.values)


class ChannelChoice(discord.ui.ChannelSelect[discord.ui.LayoutView]):
    """One text channel or none."""

    def __init__(self, placeholder: str, before: int | None, chosen: Chosen) -> None:
        super().__init__(
            custom_id=fleeting_id(),
            channel_types=[discord.ChannelType.text, discord.ChannelType.news],
            placeholder=placeholder,
            min_values=0,
            max_values=1,
            default_values=_objects([] if before is None else [before], 1),
        )
        self.chosen = chosen

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        await self.chosen(interaction, [channel.id for channel in self.values])


def check_offered(select: discord.ui.Select[Any]) -> None:
    """UserError for a value that is not among the options: clients other than Discord's may send any."""
    if not {option.value for option in select.options}.issuperset(select.values):
        raise UserError(NOT_OFFERED)


PROVIDERS = [app_commands.Choice(name=provider.label, value=provider.value) for provider in ProviderName]


def value_of(choices: Iterable[app_commands.Choice[str]], said: str) -> str:
    """The value of the choice that was picked; clients may send its label instead. UserError for anything else."""
    for choice in named(said, choices, lambda choice: (choice.value, choice.name)):
        return choice.value
    raise UserError(NOT_OFFERED)


def photo_choices(placeholder: str, photos: Sequence[Photo], chosen: Chosen) -> list[StringChoice]:
    """Every photo by number and name, in as many selects as it takes; `placeholder` names their first and last."""
    options = [
        discord.SelectOption(
            label=f"{number}. {photo.name}"[:100], value=str(photo.id), description=photo.verdict.value
        )
        for number, photo in enumerate(photos, start=1)
    ]
    parts = [options[start : start + OPTIONS_MAX] for start in range(0, len(options), OPTIONS_MAX)]
    return [
        StringChoice(
            placeholder.format(index * OPTIONS_MAX + 1, index * OPTIONS_MAX + len(part)),
            part,
            chosen,
            least=1,
            most=OPTIONS_MAX,
        )
        for index, part in enumerate(parts)
    ]


def options_of(names: Mapping[int, str], before: Iterable[int]) -> list[discord.SelectOption]:
    """At most 25; those chosen before are marked."""
    marked = set(before)
    return [
        discord.SelectOption(label=name[:100], value=str(each), default=each in marked)
        for each, name in list(names.items())[:OPTIONS_MAX]
    ]


def kept(before: Sequence[int], offered: Iterable[int], values: Sequence[str]) -> tuple[int, ...]:
    """What is chosen now: `values`, and what had been chosen before and was not among the options."""
    out_of_sight = [each for each in before if each not in set(offered)]
    return (*out_of_sight, *(int(value) for value in values))


def _objects(ids: Iterable[int], most: int) -> list[discord.Object]:
    return [discord.Object(each) for each in sorted(ids)[:most]]
