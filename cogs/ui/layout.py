"""The pieces that every card is made of."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import discord

from bot.command_mentions import clickable
from cogs.ui.buttons import ActionButton
from cogs.ui.words import TEXT_MAX

Text = discord.ui.TextDisplay
TEXT_DISPLAY = discord.ComponentType.text_display.value


BUTTONS_A_ROW = 5
"""Discord /docs/components/reference."""
PANEL_SECONDS = 900
SHEET_FILE = "contact-sheet.jpg"
"""The file of every sheet of members' photos, and of no made picture."""


class Layout(discord.ui.LayoutView):
    """A card in which commands can be pressed, as far as its texts have room for that."""

    def to_components(self) -> list[dict[str, Any]]:
        components: list[dict[str, Any]] = super().to_components()  # type: ignore[no-untyped-call]
        texts = [part for part in _parts(components) if part["type"] == TEXT_DISPLAY]
        room = TEXT_MAX - sum(len(text["content"]) for text in texts)
        for text in texts:
            before = len(text["content"])
            text["content"] = clickable(text["content"], room)
            room -= len(text["content"]) - before
        return components


def _parts(components: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """These components and all that are inside them."""
    for component in components:
        yield component
        yield from _parts(component.get("components", []))


class SafeLayout(Layout):
    """One coloured box. What only the bot's memory knows in it works for `seconds`; its errors are answered."""

    def __init__(self, colour: discord.Colour | None = None, *, seconds: float | None = None) -> None:
        super().__init__(timeout=seconds)
        self.box: discord.ui.Container[Any] = discord.ui.Container(accent_colour=colour)
        self.add_item(self.box)

    def add_text(self, text: str) -> None:
        self.box.add_item(Text(text))

    def add_line(self) -> None:
        """Between two parts of a card."""
        self.box.add_item(discord.ui.Separator[Any]())

    def add_gallery(self, pictures: Iterable[tuple[str, str]]) -> None:
        """(attachment name, alt text) of each; nothing without pictures."""
        items = [discord.MediaGalleryItem(f"attachment://{name}", description=alt) for name, alt in pictures]
        if items:
            self.box.add_item(discord.ui.MediaGallery(*items))

    def add_linked_gallery(self, urls: Iterable[str], alt: str) -> None:
        """Pictures that Discord has already, by their addresses there."""
        items = [discord.MediaGalleryItem(url, description=alt) for url in urls]
        if items:
            self.box.add_item(discord.ui.MediaGallery(*items))

    def add_row(self, *items: discord.ui.Item[Any]) -> None:
        self.box.add_item(discord.ui.ActionRow(*items))

    def add_rows(self, buttons: Sequence[ActionButton], each: int = BUTTONS_A_ROW) -> None:
        for start in range(0, len(buttons), each):
            self.add_row(*buttons[start : start + each])

    async def interaction_check(self, interaction: discord.Interaction[Any], /) -> bool:
        await interaction.client.admit(interaction)
        return True

    async def on_error(
        self, interaction: discord.Interaction[Any], error: Exception, item: discord.ui.Item[Any], /
    ) -> None:
        await interaction.client.show_error(interaction, error)


def shown_media(components: Iterable[discord.Component]) -> Iterator[discord.UnfurledMediaItem]:
    """What the components of a message show: pictures of galleries, thumbnails and files, in their order."""
    for part in components:
        if isinstance(part, discord.components.MediaGalleryComponent):
            yield from (item.media for item in part.items)
        elif isinstance(part, discord.components.FileComponent | discord.components.ThumbnailComponent):
            yield part.media
        elif isinstance(part, discord.components.SectionComponent):
            yield from shown_media([part.accessory])
        elif isinstance(part, discord.components.Container):
            yield from shown_media(part.children)


def card(*texts: str, colour: discord.Colour, buttons: Sequence[ActionButton] = ()) -> SafeLayout:
    view = SafeLayout(colour)
    for text in texts:
        view.add_text(text)
    view.add_rows(buttons)
    return view
