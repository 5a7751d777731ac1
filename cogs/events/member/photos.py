"""What a member has given to an event: the private card, taking photos out, withdrawing, and the rules."""

from collections.abc import Sequence

import discord

from bot.events.ballot.runoff import rule_of
from bot.events.lifecycle import can_give
from bot.events.photos.rules import Contribution, limits_each
from bot.photos import checks
from bot.records.dataset import Dataset, Photo
from bot.records.event import EntrantStatus, Event, EventMode
from bot.records.post import PostKind
from bot.text import cite, quote
from cogs.events.panel import what_it_is
from cogs.events.texts import event_name
from cogs.training.board import MARKS, said_of_person, sheet_alt
from cogs.training.person import PersonModal
from cogs.ui.buttons import ActionButton
from cogs.ui.choices import photo_choices
from cogs.ui.layout import PANEL_SECONDS, SHEET_FILE, Layout, SafeLayout, card
from cogs.ui.replies import Interaction, actor_of, ask, defer, say, show
from cogs.ui.views import ConfirmView
from cogs.ui.words import clip, count

LIST_MAX, RULES_SHOWN = 2600, 1000
"""Characters; all texts of a message together may have 4,000 (Discord /docs/components/reference)."""
LEAVING = (
    "Your photos are deleted now, and your entry and your vote are taken out. "
    "If a LoRA was trained on your photos already, nobody can use it any more."
)


class AboutForm(PersonModal):
    """The same for an entrant's own set; the card of their photos comes back with it."""

    command = None

    def __init__(self, event: Event, dataset: Dataset) -> None:
        super().__init__(dataset)
        self.event_id = event.id

    async def submit(self, interaction: Interaction) -> None:
        await self.store(interaction)
        own = await interaction.client.services.contributions.mine(self.event_id, actor_of(interaction))
        await show_mine(interaction, own)


class MineView(SafeLayout):
    """For the member alone, on a private message."""

    def __init__(self, own: Contribution, *, said: str, has_sheet: bool, notes: Sequence[str] = ()) -> None:
        super().__init__(discord.Colour.blurple(), seconds=PANEL_SECONDS)
        self.event = own.event
        self.add_text("\n".join([*_head(own, said), *notes]))
        if has_sheet:
            self.add_gallery([(SHEET_FILE, sheet_alt(own.photos))])
        if own.photos:
            self.add_text(photo_list(own.photos))
        for select in photo_choices("Remove some of photos {} to {}", own.photos, self._remove):
            self.add_row(select)
        self.add_row(*_buttons(own))

    async def _remove(self, interaction: Interaction, values: Sequence[str]) -> None:
        await defer(interaction, thinking=False)
        contributions = interaction.client.services.contributions
        own = await contributions.remove(self.event.id, [int(value) for value in values], actor_of(interaction))
        await show_mine(interaction, own, f"{count(len(values), 'photo')} removed and deleted.")


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
    if own.of_a_person is not None:
        lines += said_of_person(own.of_a_person)
    return lines


def _fit(room: int) -> str:
    return "fits" if room == 1 else "fit"


def _buttons(own: Contribution) -> list[ActionButton]:
    event_id, buttons = own.event.id, []
    if can_give(own.event) and own.room:
        style = discord.ButtonStyle.success
        buttons.append(ActionButton("event", "give", event_id, label="Give more photos", style=style))
    if own.of_a_person is not None:
        buttons.append(ActionButton("event", "about", event_id, label="About the person"))
    if own.entrant is not None and own.entrant.status is EntrantStatus.IN:
        buttons.append(ActionButton("event", "leave", event_id, label="Withdraw", style=discord.ButtonStyle.danger))
    return [*buttons, ActionButton("event", "rules", event_id, label="Rules")]


async def show_mine(interaction: Interaction, own: Contribution, said: str = "") -> None:
    """Fill the answer of this interaction with the member's own photos."""
    services = interaction.client.services
    sheet = await services.contributions.sheet(own.event.id, actor_of(interaction))
    notes = await services.questions.notes(PostKind.DEPICTION, [each.id for each in own.depicted])
    view = MineView(own, said=said, has_sheet=sheet is not None, notes=notes)
    files = [] if sheet is None else [(SHEET_FILE, sheet)]
    await show(interaction, view, files)


async def ask_to_leave(interaction: Interaction, event: Event) -> None:
    async def leave(answered: Interaction) -> None:
        await answered.client.services.depictions.withdraw(event.id, actor_of(answered))
        await say(answered, f"You have withdrawn from {event_name(event)}. Your photos are deleted.")

    await ask(interaction, leave_question(event), ConfirmView("Withdraw for good", leave))


def leave_question(event: Event) -> str:
    if event.mode is EventMode.CLUB:
        return f"Withdraw from {event_name(event)}? Your entry and your vote are taken out."
    return f"Withdraw from {event_name(event)}? {LEAVING}"


def rules_card(event: Event) -> Layout:
    lines = [f"### Rules of {event_name(event)}", what_it_is(event)]
    if event.rules.strip():
        lines.append(f"**From the host:** {cite(event.rules, RULES_SHOWN)}")
    if event.mode.trains:
        lines.append(
            f"**Photos:** up to {limits_each(event).most} each, only with the permission of everyone in them, all 18 "
            "or older. You can take yours back at any time."
        )
    if event.mode is not EventMode.BAKEOFF:
        lines.append(f"**Own pictures:** {event.pictures_each or 'none'}. You choose one picture for the vote.")
    lines.append(f"**Vote:** {rule_of(event)}")
    return card("\n".join(lines), colour=discord.Colour.blurple())
