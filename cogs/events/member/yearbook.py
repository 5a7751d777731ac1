"""Sends a yearbook privately to the member who asked: the sheet first, then its files."""

from collections.abc import Mapping

import discord

from bot.events.yearbook.service import Yearbook
from bot.records.event import Event
from bot.records.guild import NOBODY
from cogs.events.host.settings import view_of
from cogs.events.texts import event_name
from cogs.ui.layout import Layout, SafeLayout
from cogs.ui.replies import UPLOAD_MAX, Interaction, actor_of, show
from cogs.ui.words import count

SHEET_FILE = "sheet.jpg"
FILES_MAX = 10
"""Files of one message (Discord /docs/resources/message)."""
ASKED_AT_ONCE = 100
"""Members by id in one question (Discord /docs/events/gateway-events#request-guild-members)."""


async def send_yearbook(interaction: Interaction, event_id: int) -> None:
    """Fill in the answer that the interaction waits for; its files follow in further private messages."""
    services, actor = interaction.client.services, actor_of(interaction)
    event = await services.events.get_for(event_id, actor)
    view = await view_of(interaction, event)
    members = {event.host_id, *(entrant.user_id for entrant in view.entrants)} - {NOBODY}
    names = await display_names(interaction.guild, members)
    yearbook = await services.yearbooks.make(event.id, actor, names, min(interaction.filesize_limit, UPLOAD_MAX))
    try:
        await _hand_out(interaction, event, yearbook)
    finally:
        services.yearbooks.discard(yearbook)


async def display_names(guild: discord.Guild | None, members: set[int]) -> Mapping[int, str]:
    """Display names of current members by user id; without those that Discord did not answer for."""
    names: dict[int, str] = {}
    asked = sorted(members)
    for start in range(0, len(asked) if guild is not None else 0, ASKED_AT_ONCE):
        try:
            found = await _query(guild, asked[start : start + ASKED_AT_ONCE])
        except (TimeoutError, discord.DiscordException):
            break
        names |= {member.id: member.display_name for member in found}
    return names


async def _query(guild: discord.Guild | None, user_ids: list[int]) -> list[discord.Member]:
    return [] if guild is None else await guild.query_members(user_ids=user_ids, limit=ASKED_AT_ONCE, cache=False)


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
