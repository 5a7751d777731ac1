"""The gallery of ready-made styles: its pages, and the buttons that turn them."""

import re
from collections.abc import Sequence
from typing import Any, Self

import discord

from bot.client import DarkroomBot
from bot.loras.styles import PROVIDER, Catalogue
from bot.records.lora import Style
from bot.text import quote
from cogs.ui.buttons import ActionButton
from cogs.ui.layout import Layout, Text, card
from cogs.ui.replies import actor_of, replace
from cogs.ui.words import count

PAGE = 5
"""Styles on one page: 6 components each, of the 40 that a message takes (Discord /docs/components/reference)."""
DESCRIPTION_MAX = 240
SEARCH_MAX = 40
"""It travels in a button's custom id, which takes 100 characters (Discord /docs/components/reference)."""
COLOUR = discord.Colour.blurple()

FETCHING = (
    f"### Styles\nThe list is being fetched from {PROVIDER.label}, which takes a few seconds. Then press **Show**.\n"
    f"-# If it is still empty after some minutes, {PROVIDER.label} cannot be reached at the moment."
)
NONE = f"### Styles\n{PROVIDER.label} lists no styles for this server's key."


class StylesPageButton(
    discord.ui.DynamicItem[discord.ui.Button[Any]],
    template=rf"dr:styles:page:(?P<page>\d{{1,4}}):(?P<search>.{{0,{SEARCH_MAX}}})",
):
    """Shows a page of what fits a search; both stand in the custom id, so it works after any restart."""

    def __init__(self, page: int, search: str, *, label: str = "page") -> None:
        self.page, self.search = page, search
        super().__init__(discord.ui.Button(label=label, custom_id=f"dr:styles:page:{page}:{search}"))

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        return cls(int(match["page"]), match["search"])

    async def callback(self, interaction: discord.Interaction[DarkroomBot]) -> None:  # type: ignore[override]
        try:
            services, actor = interaction.client.services, actor_of(interaction)
            await services.sync.soon(actor.guild_id)
            await replace(
                interaction, styles_card(await services.styles.catalogue(self.search, actor), self.search, self.page)
            )
        except Exception as error:  # noqa: BLE001 - the error door answers and logs
            await interaction.client.error_door(interaction, error)


def searchable(text: str) -> str:
    """What was typed, as it can stand in a custom id."""
    return " ".join(text.split())[:SEARCH_MAX].strip()


def styles_card(catalogue: Catalogue, search: str, page: int) -> Layout:
    """`page` counts from 0; one past the end shows the last. `search` is `searchable`."""
    if not catalogue.is_loaded:
        return _gallery([], FETCHING, [StylesPageButton(0, search, label="Show")])
    if not catalogue.styles:
        nothing = (
            f"### Styles\nNo style fits {quote(search, SEARCH_MAX)}. `/styles` alone shows all." if search else NONE
        )
        return card(nothing, colour=COLOUR)
    last = (len(catalogue.styles) - 1) // PAGE
    page = min(page, last)
    return _gallery(
        catalogue.styles[page * PAGE : (page + 1) * PAGE],
        _title(catalogue, search, page, last),
        [
            *([StylesPageButton(page - 1, search, label="Previous")] if page > 0 else []),
            *([StylesPageButton(page + 1, search, label="Next")] if page < last else []),
        ],
    )


def _title(catalogue: Catalogue, search: str, page: int, last: int) -> str:
    wanted = f" for {quote(search, SEARCH_MAX)}" if search else ""
    pages = f", page {page + 1} of {last + 1}" if last else ""
    return f"### Styles of {PROVIDER.label}\n-# {count(len(catalogue.styles), 'style')}{wanted}{pages}"


def _gallery(shown: Sequence[Style], title: str, turns: Sequence[StylesPageButton]) -> Layout:
    view, box = Layout(timeout=None), discord.ui.Container[Layout](accent_colour=COLOUR)
    view.add_item(box)
    box.add_item(Text(title))
    for style in shown:
        box.add_item(discord.ui.Separator[Layout]())
        box.add_item(_described(style))
        if style.retired_at is None:
            use = ActionButton("style", "use", style.id, label="Use this style", style=discord.ButtonStyle.success)
            box.add_item(discord.ui.ActionRow(use))
    if turns:
        box.add_item(discord.ui.ActionRow(*turns))
    return view


def _described(style: Style) -> discord.ui.Item[Layout]:
    """Its words, beside its picture if it has one."""
    text: Text[Layout] = Text("\n".join(_lines(style)))
    if style.preview_url is None:
        return text
    alt = f"An example of the style {style.name}"
    return discord.ui.Section[Layout](text, accessory=discord.ui.Thumbnail[Layout](style.preview_url, description=alt))


def _lines(style: Style) -> list[str]:
    defaults = (("denoise", style.denoise), ("guidance", style.guidance), ("steps", style.steps))
    given = [f"{name} {value:g}" for name, value in defaults if value is not None]
    marks = [
        "🌍 public" if style.is_public else "🔒 only for this server's key",
        *(["✍️ adds its own wording to your prompt"] if style.has_template else []),
    ]
    return [
        f"**{quote(style.name, 80)}**",
        *([quote(style.description, DESCRIPTION_MAX)] if style.description else []),
        *([f"⚠️ retired: {style.provider.label} no longer offers it"] if style.retired_at is not None else []),
        f"-# Draws with {', '.join(given)}" if given else "-# Draws with the usual settings",
        f"-# {' · '.join(marks)}",
    ]
