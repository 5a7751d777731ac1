"""The gallery of ready-made styles: what a page of it shows."""

from collections.abc import Sequence

import discord

from bot.loras.styles import PROVIDER, Catalogue, Order
from bot.records.generation import say_setting
from bot.records.lora import Style
from bot.text import cite, quote
from cogs.ui.buttons import WORDS_MAX, ActionButton
from cogs.ui.layout import Layout, SafeLayout, card
from cogs.ui.thumbnails import beside
from cogs.ui.words import count, day

PAGE = 5
"""Styles on one page: 6 components each, of the 40 that a message takes (Discord /docs/components/reference)."""
DESCRIPTION_MAX = 240
NEWEST, NAMED = "Newest first", "By name"
COLOUR = discord.Colour.blurple()

FETCHING = (
    f"### Styles\nThe list is being fetched from {PROVIDER.label}, which takes a few seconds. Then press **Show**.\n"
    f"-# If it is still empty after some minutes, {PROVIDER.label} cannot be reached at the moment."
)
NONE = f"### Styles\n{PROVIDER.label} lists no styles for this server's key."


def searchable(text: str) -> str:
    """What was typed, as it fits into a custom id."""
    return " ".join(text.split())[:WORDS_MAX].strip()


def styles_card(catalogue: Catalogue, search: str, page: int) -> Layout:
    """`page` counts from 0; one past the end shows the last. `search` is `searchable`."""
    order = catalogue.order
    if not catalogue.is_loaded:
        return _gallery([], FETCHING, [_page_button(0, search, "Show", order)])
    if not catalogue.styles:
        nothing = (
            f"### Styles\nNo style fits {quote(search, WORDS_MAX)}. `/styles` alone shows all." if search else NONE
        )
        return card(nothing, colour=COLOUR)
    last = (len(catalogue.styles) - 1) // PAGE
    page = min(page, last)
    return _gallery(
        catalogue.styles[page * PAGE : (page + 1) * PAGE],
        _title(catalogue, search, page, last),
        [
            *([_page_button(page - 1, search, "Previous", order)] if page > 0 else []),
            *([_page_button(page + 1, search, "Next", order)] if page < last else []),
            *([_other_order(search, order)] if len(catalogue.styles) > 1 else []),
        ],
    )


def _other_order(search: str, order: Order) -> ActionButton:
    label, other = (NAMED, Order.NAME) if order is Order.NEWEST else (NEWEST, Order.NEWEST)
    return _page_button(0, search, label, other)


def _page_button(page: int, search: str, label: str, order: Order) -> ActionButton:
    """The order is in the action, as the words of the custom id are the search."""
    return ActionButton("style", "newest" if order is Order.NEWEST else "page", page, words=search, label=label)


def _title(catalogue: Catalogue, search: str, page: int, last: int) -> str:
    wanted = f" for {quote(search, WORDS_MAX)}" if search else ""
    pages = f", page {page + 1} of {last + 1}" if last else ""
    newest = ", newest first" if catalogue.order is Order.NEWEST else ""
    return f"### Styles of {PROVIDER.label}\n-# {count(len(catalogue.styles), 'style')}{wanted}{newest}{pages}"


def _gallery(shown: Sequence[Style], title: str, page_buttons: Sequence[ActionButton]) -> Layout:
    view = SafeLayout(COLOUR)
    view.add_text(title)
    for style in shown:
        view.add_line()
        view.box.add_item(_described(style))
        if style.retired_at is None:
            use = ActionButton("style", "use", style.id, label="Use this style", style=discord.ButtonStyle.success)
            view.add_row(use)
    view.add_rows(page_buttons)
    return view


def _described(style: Style) -> discord.ui.Item[Layout]:
    """Its words, beside its picture if it has one."""
    return beside("\n".join(_lines(style)), style.preview_url, f"An example of the style {style.name}")


def _lines(style: Style) -> list[str]:
    defaults = (("denoise", style.denoise), ("guidance", style.guidance), ("steps", style.steps))
    given = [say_setting(name, value) for name, value in defaults if value is not None]
    marks = [
        *([f"added {day(style.created_at)}"] if style.created_at is not None else []),
        "🌍 public" if style.is_public else "🔒 only for this server's key",
        *(["✍️ adds its own wording to your prompt"] if style.has_template else []),
    ]
    return [
        quote(style.name, 80),
        *([cite(style.description, DESCRIPTION_MAX)] if style.description else []),
        *([f"⚠️ retired: {style.provider.label} no longer offers it"] if style.retired_at is not None else []),
        f"-# Draws with {', '.join(given)}" if given else "-# Draws with the usual settings",
        f"-# {' · '.join(marks)}",
    ]
