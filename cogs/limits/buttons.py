"""The buttons below a server's first key: keep the limit of each member, take it away, or set others."""

import contextlib
import re
from collections.abc import Mapping
from typing import Any

import discord

from bot.client import DarkroomBot
from bot.errors import NotFound, UserError
from bot.records.limit import LimitKind
from bot.storage.money.limits import FIRST_CREDITS
from cogs.limits.cards import limit_lines
from cogs.ui.access import obeying
from cogs.ui.buttons import ActionButton
from cogs.ui.layout import SafeLayout, card
from cogs.ui.replies import Interaction, actor_of, check_admin, guild_of, open_form, replace
from cogs.ui.views import SafeModal

WHOLE = re.compile(r"[0-9]+|[0-9]{1,3}(?:[,. ][0-9]{3})+")
"""A whole number, also with its thousands set apart. A comma before one or two digits is none: it means a half."""
FIRST_LIMIT = (
    f"### Who may spend how much\nSo that nobody empties the balance by accident, **each member may use "
    f"{FIRST_CREDITS} credits a month** from now on: about one training and some pictures. "
    "Does that suit you? `/budget set` changes it at any time, too."
)


def first_limit_buttons() -> list[ActionButton]:
    keep = discord.ButtonStyle.primary
    return [
        ActionButton("limit", "keep", 0, label=f"{FIRST_CREDITS} each", style=keep),
        ActionButton("limit", "none", 0, label="No limit"),
        ActionButton("limit", "form", 0, label="Set limits"),
    ]


class LimitsModal(SafeModal):
    """Credits a month for the two limits that most servers want. An empty field means no limit."""

    command = "budget"
    thinking = False

    def __init__(self, present: Mapping[LimitKind, int | None]) -> None:
        super().__init__("Credits a month")
        self.each = self._add("Each member", present.get(LimitKind.MEMBER))
        self.all = self._add("The whole server", present.get(LimitKind.SERVER))

    def _add(self, label: str, most: int | None) -> discord.ui.TextInput[Any]:
        value = "" if most is None else str(most)
        field = discord.ui.TextInput[Any](required=False, max_length=9, default=value, placeholder="no limit")
        return self.add_field(label, field, "A whole number of credits; empty for no limit.")

    async def submit(self, interaction: Interaction) -> None:
        check_admin(interaction)
        wanted = {LimitKind.MEMBER: _number(self.each.value), LimitKind.SERVER: _number(self.all.value)}
        await interaction.client.services.limits.set_credits(actor_of(interaction), wanted)
        await interaction.edit_original_response(view=await _limits_card(interaction))


async def press_keep(interaction: Interaction, _: int) -> None:
    check_admin(interaction)
    await interaction.client.services.limits.set_credits(actor_of(interaction), {LimitKind.MEMBER: FIRST_CREDITS})
    await replace(interaction, await _limits_card(interaction))


async def press_none(interaction: Interaction, _: int) -> None:
    check_admin(interaction)
    with contextlib.suppress(NotFound):
        await interaction.client.services.limits.clear(actor_of(interaction), LimitKind.MEMBER, None)
    await replace(interaction, await _limits_card(interaction))


async def press_form(interaction: Interaction, _: int) -> None:
    check_admin(interaction)
    limits = await interaction.client.services.limits.of_guild(guild_of(interaction))
    await open_form(interaction, LimitsModal({limit.who: limit.credits for limit in limits}))


async def _limits_card(interaction: Interaction) -> SafeLayout:
    limits = await interaction.client.services.limits.of_guild(guild_of(interaction))
    text = "\n".join(["### Limits a month", *limit_lines(limits), "`/budget set` changes them any time."])
    return card(text, colour=discord.Colour.green())


def _number(text: str) -> int | None:
    """Credits as typed; None for an empty field. UserError for anything but a whole number."""
    typed = text.strip()
    if not typed:
        return None
    if not WHOLE.fullmatch(typed):
        raise UserError("Please write whole numbers only, or leave a field empty for no limit. Nothing was changed.")
    return int(re.sub(r"\D", "", typed))


async def setup(bot: DarkroomBot) -> None:
    bot.add_buttons("limit", **obeying("budget", keep=press_keep, none=press_none, form=press_form))


async def teardown(bot: DarkroomBot) -> None:
    bot.remove_buttons("limit")
