"""What a member has given to an event: the private card, taking photos out, withdrawing, and the rules."""

import io
from collections.abc import Sequence
from typing import Any

import discord

from bot.client import DarkroomBot, fleeting_id
from bot.events.ballot.tally import rule_words
from bot.events.lifecycle import can_give
from bot.events.photos.rules import Contribution, limits_each
from bot.photos import checks
from bot.records.dataset import Photo, Verdict
from bot.records.event import EntrantStatus, Event, EventMode
from bot.text import quote
from cogs.events.panel import what_it_is
from cogs.events.texts import event_name
from cogs.training.board import SHEET_FILE
from cogs.training.removal import OPTIONS_MAX
from cogs.ui.buttons import ActionButton
from cogs.ui.layout import Layout, Text, card
from cogs.ui.replies import Interaction, actor_of, defer, say, show
from cogs.ui.views import SafeView
from cogs.ui.words import clip, count

MINE_SECONDS = 600
CONFIRM_SECONDS = 300
LIST_MAX, RULES_SHOWN = 2600, 1000
"""Characters; all texts of a message together may have 4,000 (Discord /docs/components/reference)."""
MARKS = {Verdict.REFUSED: "❌", Verdict.ADVISED: "⚠️", Verdict.ACCEPTED: "✅"}
LEAVING = (
    "Your photos are deleted now, and your entry and your vote are taken out. "
    "If a LoRA was trained on your photos already, nobody can use it any more."
)


class RemoveSelect(discord.ui.Select["MineView"]):
    def __init__(self, event_id: int, photos: Sequence[tuple[int, Photo]]) -> None:
        super().__init__(
            custom_id=fleeting_id(),
            placeholder=f"Remove some of photos {photos[0][0]} to {photos[-1][0]}",
            min_values=1,
            max_values=len(photos),
            options=[
                discord.SelectOption(
                    label=f"{number}. {photo.name}"[:100], value=str(photo.id), description=photo.verdict.value
                )
                for number, photo in photos
            ],
        )
        self.event_id = event_id

    async def callback(self, interaction: discord.Interaction[DarkroomBot]) -> Any:  # type: ignore[override]
        await defer(interaction, thinking=False)
        photo_ids = [int(value) for value in self.values]
        contributions = interaction.client.services.contributions
        own = await contributions.remove(self.event_id, photo_ids, actor_of(interaction))
        await show_mine(interaction, own, f"{count(len(photo_ids), 'photo')} removed and deleted.")


class MineView(discord.ui.LayoutView):
    """Lives for ten minutes on a private message, so only its owner can see it."""

    def __init__(self, own: Contribution, *, said: str, has_sheet: bool) -> None:
        super().__init__(timeout=MINE_SECONDS)
        box: discord.ui.Container[MineView] = discord.ui.Container(accent_colour=discord.Colour.blurple())
        self.add_item(box)
        box.add_item(Text("\n".join(_head(own, said))))
        if has_sheet:
            gallery: discord.ui.MediaGallery[MineView] = discord.ui.MediaGallery()
            alt = f"Contact sheet of {count(len(own.photos), 'photo')}, numbered as in the list below."
            gallery.add_item(media=f"attachment://{SHEET_FILE}", description=alt)
            box.add_item(gallery)
        if own.photos:
            box.add_item(Text(photo_list(own.photos)))
        numbered = list(enumerate(own.photos, start=1))
        for start in range(0, len(numbered), OPTIONS_MAX):
            options = numbered[start : start + OPTIONS_MAX]
            box.add_item(discord.ui.ActionRow(RemoveSelect(own.event.id, options)))
        box.add_item(discord.ui.ActionRow(*_buttons(own)))

    async def on_error(  # type: ignore[override]
        self, interaction: discord.Interaction[DarkroomBot], error: Exception, item: discord.ui.Item[Any], /
    ) -> None:
        await interaction.client.error_door(interaction, error)


def photo_list(photos: Sequence[Photo]) -> str:
    """By number as on the contact sheet, those that need a look first."""
    order = list(MARKS)
    numbered = sorted(enumerate(photos, start=1), key=lambda each: (order.index(each[1].verdict), each[0]))
    lines = [
        f"{MARKS[photo.verdict]} {number}. {quote(photo.name, 40)}"
        + "".join(f" {checks.explain(finding)}" for finding in photo.findings)
        for number, photo in numbered
    ]
    return clip(lines, LIST_MAX, "…and {} more, numbered on the sheet.")


def _head(own: Contribution, said: str) -> list[str]:
    most = limits_each(own.event).most
    lines = [f"### Your photos in {event_name(own.event)}", *([said] if said else [])]
    lines.append(f"**{len(own.usable)} of {most}** usable photos; {own.room or 'no'} more {_fit(own.room)}.")
    if own.depicted:
        asked = ", ".join(dict.fromkeys(f"<@{each.user_id}>" for each in own.depicted))
        lines.append(f"Asked whether they agree: {asked}. Photos with them are used once they have said yes.")
    return lines


def _fit(room: int) -> str:
    return "fits" if room == 1 else "fit"


def _buttons(own: Contribution) -> list[ActionButton]:
    event_id, buttons = own.event.id, []
    if can_give(own.event) and own.room:
        style = discord.ButtonStyle.success
        buttons.append(ActionButton("event", "give", event_id, label="Give more photos", style=style))
    if own.entrant is not None and own.entrant.status is EntrantStatus.IN:
        buttons.append(ActionButton("event", "leave", event_id, label="Withdraw", style=discord.ButtonStyle.danger))
    return [*buttons, ActionButton("event", "rules", event_id, label="Rules")]


async def show_mine(interaction: Interaction, own: Contribution, said: str = "") -> None:
    """Fill the answer of this interaction with the member's own photos."""
    sheet = await interaction.client.services.contributions.sheet(own.event.id, actor_of(interaction))
    view = MineView(own, said=said, has_sheet=sheet is not None)
    files = [] if sheet is None else [discord.File(io.BytesIO(sheet), filename=SHEET_FILE)]
    await show(interaction, view, files)


class LeaveView(SafeView):
    """Lives five minutes on a private message: what is deleted cannot come back."""

    def __init__(self, event: Event) -> None:
        super().__init__(seconds=CONFIRM_SECONDS)
        self.event = event

    @discord.ui.button(label="Withdraw for good", style=discord.ButtonStyle.danger)
    async def confirm(
        self, interaction: discord.Interaction[DarkroomBot], button: discord.ui.Button["LeaveView"]
    ) -> None:
        await defer(interaction)
        self.stop()
        await interaction.client.services.depictions.withdraw(self.event.id, actor_of(interaction))
        await say(interaction, f"You have withdrawn from {event_name(self.event)}. Your photos are deleted.")


def leave_question(event: Event) -> str:
    if event.mode is EventMode.CLUB:
        return f"Withdraw from {event_name(event)}? Your entry and your vote are taken out."
    return f"Withdraw from {event_name(event)}? {LEAVING}"


def rules_card(event: Event) -> Layout:
    lines = [f"### Rules of {event_name(event)}", what_it_is(event)]
    if event.rules.strip():
        lines.append(f"**From the host:** {quote(event.rules, RULES_SHOWN)}")
    if event.mode in {EventMode.SHARED, EventMode.PERSONAL}:
        lines.append(
            f"**Photos:** up to {limits_each(event).most} each, only with the permission of everyone in them, all 18 "
            "or older. You can take yours back at any time."
        )
    if event.mode is not EventMode.BAKEOFF:
        lines.append(f"**Pictures of your own:** {event.pictures_each or 'none'}. You choose one for the vote.")
    lines.append(f"**Vote:** {rule_words(event.jury_role_id is not None)}")
    return card("\n".join(lines), colour=discord.Colour.blurple())
