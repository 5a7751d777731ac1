"""Sends a yearbook privately to the member who asked: the sheet first, then its files."""

import discord

from bot.events.yearbook.service import Yearbook
from bot.records.event import Event
from cogs.events.host.settings import view_of
from cogs.events.people import people_of
from cogs.events.texts import event_name
from cogs.ui.layout import Layout, SafeLayout
from cogs.ui.replies import UPLOAD_MAX, Interaction, actor_of, show
from cogs.ui.words import count

SHEET_FILE = "sheet.jpg"
FILES_MAX = 10
"""Files of one message (Discord /docs/resources/message)."""


async def send_yearbook(interaction: Interaction, event_id: int) -> None:
    """Fill in the answer that the interaction waits for; its files follow in further private messages."""
    services, actor = interaction.client.services, actor_of(interaction)
    event = await services.events.get_for(event_id, actor)
    view = await view_of(interaction, event)
    people = await people_of(interaction, {event.host_id, *(entrant.user_id for entrant in view.entrants)})
    names = {each.id: each.display_name for each in people}
    handles = {each.id: each.name for each in people}
    limit = min(interaction.filesize_limit, UPLOAD_MAX)
    yearbook = await services.yearbooks.make(event.id, actor, names, limit, handles)
    try:
        await _hand_out(interaction, event, yearbook)
    finally:
        services.yearbooks.discard(yearbook)


async def _hand_out(interaction: Interaction, event: Event, yearbook: Yearbook) -> None:
    await show(interaction, yearbook_card(event, yearbook), [(SHEET_FILE, yearbook.sheet)])
    for part in yearbook.parts:
        await interaction.followup.send(file=discord.File(part.path, filename=part.name), ephemeral=True)
    if len(yearbook.pages) <= FILES_MAX:
        pages = [discord.File(page.path, filename=page.name) for page in yearbook.pages]
        await interaction.followup.send(files=pages, ephemeral=True)


def yearbook_card(event: Event, yearbook: Yearbook) -> Layout:
    zips = "a ZIP" if len(yearbook.parts) == 1 else f"{len(yearbook.parts)} ZIPs"
    lines = [
        f"### The yearbook of {event_name(event)}",
        f"{count(yearbook.pictures, 'AI-generated picture')} in {zips} with the originals, credits and settings. "
        "Open `index.html` from the ZIP in a browser; it works offline.",
    ]
    if len(yearbook.parts) > 1:
        lines.append("Unpack all ZIPs into one folder.")
    if len(yearbook.pages) > FILES_MAX:
        lines.append(f"The {len(yearbook.pages)} members' pages are in the ZIP.")
    if yearbook.left_out:
        lines.append(f"{count(yearbook.left_out, 'older picture')} did not fit into it.")
    view = SafeLayout(discord.Colour.gold())
    view.add_text("\n".join(lines))
    view.add_gallery([(SHEET_FILE, "All pictures, AI-generated")])
    return view
