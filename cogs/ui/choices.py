"""Selects of an event's panels: what is chosen is handed on at once."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any

import discord

from bot.client import DarkroomBot, fleeting_id
from cogs.ui.replies import Interaction
from cogs.ui.views import check_offered

PANEL_SECONDS = 900
OPTIONS_MAX = 25
"""Options and chosen values of one select (Discord /docs/components/reference)."""

Chosen = Callable[[Interaction, Sequence[Any]], Awaitable[None]]
Select = discord.ui.Item[discord.ui.LayoutView]


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

    async def callback(self, interaction: discord.Interaction[DarkroomBot]) -> Any:  # type: ignore[override]
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

    async def callback(self, interaction: discord.Interaction[DarkroomBot]) -> Any:  # type: ignore[override]
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

    async def callback(self, interaction: discord.Interaction[DarkroomBot]) -> Any:  # type: ignore[override]
        await self.chosen(interaction, [user.id for user in self.values if not user.bot])


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
