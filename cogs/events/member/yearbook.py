"""Sends a yearbook privately to the member who asked: the sheet first, then its files."""

import discord

from bot.events.lifecycle import may_run
from bot.events.yearbook.service import Yearbook
from bot.records.event import Event
from cogs.events.host.settings import view_of
from cogs.events.member.gallery import gallery_button
from cogs.events.people import people_of
from cogs.events.texts import event_name
from cogs.ui.buttons import ActionButton
from cogs.ui.layout import Layout, SafeLayout
from cogs.ui.replies import UPLOAD_MAX, Interaction, actor_of, defer, say, show
from cogs.ui.words import count

SHEET_FILE = "sheet.jpg"
FILES_MAX = 10
"""Files of one message (Discord /docs/resources/message)."""


async def send_yearbook(interaction: Interaction, event_id: int) -> None:
    """Fill in the answer that the interaction waits for; its files follow in further private messages."""
    services, actor = interaction.client.services, actor_of(interaction)
    event = await services.events.get_for(event_id, actor)
    view = await view_of(interaction, event)
    people = await people_of(
        interaction.client, interaction.guild, {event.host_id, *(each.user_id for each in view.entrants)}
    )
    names = {each.id: each.display_name for each in people}
    handles = {each.id: each.name for each in people}
    limit = min(interaction.filesize_limit, UPLOAD_MAX)
    yearbook = await services.yearbooks.make(event.id, actor, names, limit, handles)
    try:
        await _hand_out(interaction, event, yearbook, may_post=may_run(event, actor))
    finally:
        services.yearbooks.discard(yearbook)


async def press_post(interaction: Interaction, event_id: int) -> None:
    """For those who run the event: everybody who reads it gets the yearbook."""
    await defer(interaction)
    places = await interaction.client.services.yearbooks.post(event_id, actor_of(interaction))
    where = f"<#{places[0].id}>"
    await say(
        interaction,
        f"On its way to {where}. Making it can take a minute. If it does not come, let me send messages and attach "
        f"files in {where}, and press the button again.",
    )


async def _hand_out(interaction: Interaction, event: Event, yearbook: Yearbook, *, may_post: bool) -> None:
    has_web = interaction.client.services.galleries.is_offered
    card = yearbook_card(event, yearbook, may_post=may_post, has_web=has_web)
    await show(interaction, card, [(SHEET_FILE, yearbook.sheet)])
    for part in yearbook.parts:
        await interaction.followup.send(file=discord.File(part.path, filename=part.name), ephemeral=True)
    if len(yearbook.pages) <= FILES_MAX:
        pages = [discord.File(page.path, filename=page.name, description=page.alt) for page in yearbook.pages]
        await interaction.followup.send(files=pages, ephemeral=True)
    if yearbook.pdf is not None:
        await interaction.followup.send(
            file=discord.File(yearbook.pdf.path, filename=yearbook.pdf.name), ephemeral=True
        )


def public_card(event: Event, yearbook: Yearbook, *, has_web: bool) -> SafeLayout:
    """For everybody; the button brings the ZIP privately. `has_web`: there can be a gallery on the web."""
    view = SafeLayout(discord.Colour.gold())
    pictures = count(yearbook.pictures, "AI-generated picture")
    view.add_text(f"### The yearbook of {event_name(event)}\n{pictures}. The button brings you the originals, too.")
    view.add_gallery([(SHEET_FILE, yearbook.sheet_alt)])
    if yearbook.pdf is not None:
        view.box.add_item(discord.ui.File(f"attachment://{yearbook.pdf.name}"))
    book = ActionButton("event", "book", event.id, label="Yearbook", style=discord.ButtonStyle.success)
    view.add_row(book, *([gallery_button(event.id)] if has_web else []))
    return view


def yearbook_card(event: Event, yearbook: Yearbook, *, may_post: bool, has_web: bool) -> Layout:
    zips = "a ZIP" if len(yearbook.parts) == 1 else f"{len(yearbook.parts)} ZIPs"
    lines = [
        f"### The yearbook of {event_name(event)}",
        f"{count(yearbook.pictures, 'AI-generated picture')} in {zips} with the originals, credits and settings. "
        "Open `index.html` from the ZIP in a browser; it works offline.",
    ]
    if len(yearbook.parts) > 1:
        lines.append("Unpack all ZIPs into one folder.")
    if len(yearbook.pages) > FILES_MAX:
        where = "in the ZIP" if yearbook.pdf is None else "in the ZIP and in the PDF"
        lines.append(f"The {len(yearbook.pages)} members' pages are {where}.")
    if yearbook.pdf is None:
        lines.append("The pages are too many for a PDF of a size that Discord takes.")
    if yearbook.left_out:
        lines.append(f"{count(yearbook.left_out, 'older picture')} did not fit into it.")
    view = SafeLayout(discord.Colour.gold())
    view.add_text("\n".join(lines))
    view.add_gallery([(SHEET_FILE, yearbook.sheet_alt)])
    post = [ActionButton("host", "postbook", event.id, label="Post it for everybody")] if may_post else []
    view.add_rows([*post, *([gallery_button(event.id)] if has_web else [])])
    return view
