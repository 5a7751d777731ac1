"""The pieces that every card is made of."""

from collections.abc import Sequence

import discord

from cogs.ui.buttons import ActionButton

Layout = discord.ui.LayoutView


Text = discord.ui.TextDisplay


BUTTONS_A_ROW = 5
"""Discord /docs/components/reference."""


def card(*texts: str, colour: discord.Colour, buttons: Sequence[ActionButton] = ()) -> Layout:
    view = Layout(timeout=None)
    box: discord.ui.Container[Layout] = discord.ui.Container(accent_colour=colour)
    for text in texts:
        box.add_item(Text(text))
    for start in range(0, len(buttons), BUTTONS_A_ROW):
        box.add_item(discord.ui.ActionRow(*buttons[start : start + BUTTONS_A_ROW]))
    view.add_item(box)
    return view
