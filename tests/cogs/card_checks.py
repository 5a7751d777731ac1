"""What every card has to keep: Discord's limits, and no word that comes alive."""

from typing import Any

import discord
from simcord.components import walk_components

from tests.cogs.simulated_guild import BUTTON, TEXT_DISPLAY

TEXT_MAX, COMPONENTS_MAX, LABEL_MAX, ALT_MAX, ROW_MAX = 4000, 40, 80, 1024, 5
"""Discord /docs/components/reference; the alt text /docs/resources/message."""


def parts_of(card: discord.ui.LayoutView) -> list[dict[str, Any]]:
    return list(walk_components([item.to_component_dict() for item in card.children]))


def check(card: discord.ui.LayoutView) -> str:
    """Every limit; the text of the card."""
    parts: list[dict[str, Any]] = parts_of(card)
    assert len(parts) <= COMPONENTS_MAX
    texts = [part["content"] for part in parts if part["type"] == TEXT_DISPLAY]
    assert sum(map(len, texts)) <= TEXT_MAX
    assert all(1 <= len(part["label"]) <= LABEL_MAX for part in parts if part["type"] == BUTTON)
    assert all(len(part.get("components", [])) <= ROW_MAX for part in parts if part["type"] == 1)
    ids = [part["custom_id"] for part in parts if part["type"] == BUTTON]
    assert len(ids) == len(set(ids))
    return "\n".join(texts)
