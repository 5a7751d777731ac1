"""The private question to a member who was named as seen in photos, and the list of all such questions."""

from collections.abc import Sequence
from datetime import timedelta

import discord

from bot.events.photos.consent_texts import depicted_sentence
from bot.events.photos.depictions import NOTHING_TO_ANSWER, DepictionView
from bot.records.event import Depiction, DepictionStatus, Event
from bot.text import quote
from cogs.events.texts import event_name
from cogs.training.board import sheet_alt
from cogs.ui.buttons import ActionButton
from cogs.ui.layout import SHEET_FILE, Layout, SafeLayout, card
from cogs.ui.words import ago

LISTED = 8
"""Questions on one card; each takes four of the 40 components (Discord /docs/components/reference)."""
ANSWERS = {
    DepictionStatus.PENDING: "not answered yet, so they are not used.",
    DepictionStatus.CONFIRMED: "you said yes.",
    DepictionStatus.VETOED: "you said no, and they are gone.",
}


def depiction_card(view: DepictionView, guild_name: str) -> SafeLayout:
    """`guild_name`: in a private message nothing else tells where this comes from. A yes can be changed to no later."""
    depiction, what, maker = view.depiction, _what(view), f"<@{view.depiction.named_by}>"
    where = f"{what if view.event is not None else f'{what} that {maker} makes'} in {quote(guild_name)}"
    if depiction.status is DepictionStatus.VETOED:
        text = f"### Removed\nYou said no, so these photos of {where} are gone. Nobody is told that it was you."
        return card(text, colour=discord.Colour.dark_grey())
    if depiction.status is DepictionStatus.CONFIRMED:
        text = f"### Thank you\nYou said yes to photos of {where}. You can still change your mind."
        return card(text, colour=discord.Colour.green(), buttons=_answers(depiction))
    layout = SafeLayout(discord.Colour.blurple())
    does = "gave photos to" if view.event is not None else "makes"
    layout.add_text(
        f"### May these photos be used?\n{maker} {does} {what} in {quote(guild_name)} and says that you can be seen in "
        f"these photos.\n> {view.sentence}"
    )
    layout.add_text(
        "They are not used before you say yes. If you say no, they are deleted at once, "
        "and nobody is told that it was you."
    )
    layout.add_gallery([(SHEET_FILE, sheet_alt(view.photos))] if view.photos else [])
    layout.add_row(*_answers(depiction))
    return layout


def gone_card() -> SafeLayout:
    """In place of a question whose photos are not here any more."""
    return card(f"### These photos are gone\n{NOTHING_TO_ANSWER}", colour=discord.Colour.dark_grey())


def _what(view: DepictionView) -> str:
    if view.event is not None:
        return f"the event {event_name(view.event)}"
    return "a LoRA" if view.dataset is None else f"the LoRA {quote(view.dataset.name, 40)}"


def seen_card(event: Event, depictions: Sequence[Depiction], kept: timedelta) -> Layout:
    """For the named member alone: unanswered questions first, then the newest."""
    title = f"### Photos of you in {event_name(event)}"
    if not depictions:
        return card(f"{title}\nNobody has named you as seen in photos here.", colour=discord.Colour.blurple())
    ordered = sorted(depictions, key=lambda each: each.status is not DepictionStatus.PENDING)
    layout = SafeLayout(discord.Colour.blurple())
    more = len(ordered) - LISTED
    rest = f"\n{more} more come up here once these are answered." if more > 0 else ""
    layout.add_text(f"{title}\n> {depicted_sentence(event, kept)}\nOnly you see this.{rest}")
    for depiction in ordered[:LISTED]:
        layout.add_text(f"Given by <@{depiction.named_by}> {ago(depiction.created_at)}: {ANSWERS[depiction.status]}")
        if depiction.status is not DepictionStatus.VETOED:
            layout.add_row(*_answers(depiction))
    return layout


def _answers(depiction: Depiction) -> list[ActionButton]:
    no = ActionButton("depict", "no", depiction.id, label="No, remove them", style=discord.ButtonStyle.danger)
    if depiction.status is DepictionStatus.CONFIRMED:
        return [no]
    yes = ActionButton("depict", "yes", depiction.id, label="Yes, that is fine", style=discord.ButtonStyle.success)
    return [yes, no]
