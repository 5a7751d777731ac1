"""The panel of an event: the one public message that shows how far it is and what a member can do now."""

from collections.abc import Sequence
from datetime import datetime

import discord

from bot.events.ballot.runoff import in_runoff
from bot.events.lifecycle import can_give, can_order, can_vote, photos_needed
from bot.events.photos.rules import limits_each
from bot.events.views import EventView
from bot.records.ballot import Honour
from bot.records.dataset import SubjectKind
from bot.records.event import Event, EventMode, EventStatus, PauseReason
from bot.records.guild import NOBODY
from bot.text import cite, quote
from cogs.events.texts import (
    CLOSING_WORDS,
    MEDALS,
    STATUS_WORDS,
    event_name,
    expected_words,
    shown_stage,
    trainings_words,
    uncounted_words,
)
from cogs.ui.buttons import ActionButton
from cogs.ui.layout import SafeLayout
from cogs.ui.news_role import TELL_ME
from cogs.ui.words import SUBJECT_WORDS, clip, count, meter

M, S = EventMode, EventStatus

ADOPTED_MAX = 5
"""Buttons in one row; more than two seldom share the first place."""
THEME_SHOWN = 1000
ROLES_SHOWN = 10
ADVICE_MAX, WINNERS_MAX = 900, 600
"""Characters; all texts of a message together may have 4,000 (Discord /docs/components/reference)."""
COLOURS = {
    S.FINISHED: discord.Colour.gold(),
    S.CANCELLED: discord.Colour.dark_grey(),
}
STAGE_WORDS = STATUS_WORDS | {
    S.REVIEWING: "The photos are being looked through",
    S.TRAINING: "Training is under way",
    S.VOTING: "The ballot is open",
    S.FINISHED: "This event is over. Thank you for taking part!",
    S.CANCELLED: "This event was cancelled. Nothing more is spent.",
}
PAUSE_WORDS = {
    PauseReason.TOO_FEW_ENTRANTS: "Too few people take part so far. It goes on by itself once enough have joined.",
    PauseReason.TOO_FEW_PHOTOS: "There are too few usable photos so far. It goes on by itself once enough are in.",
    PauseReason.NO_KEY: "It waits for a working API key. An admin can set one with `/keys set`.",
    PauseReason.PROVIDER_DOWN: "The provider cannot be reached just now. It goes on by itself; nothing is lost.",
    PauseReason.OUT_OF_CREDITS: "The provider account has too few credits. It goes on once an admin has topped it up.",
    PauseReason.TRAINING_FAILED: "The training did not work out. The host can extend the event to try again.",
    PauseReason.BUDGET_SPENT: "The budget does not cover what comes next. The host can raise it.",
    PauseReason.SERVER_LIMIT: "This server's credits of the month are used up. It goes on when there are some again.",
}
LABELS = {
    "give": "Give photos",
    "join": "Join",
    "make": "Make a picture",
    "enter": "Enter my picture",
    "vote": "Vote",
    "mine": "My photos",
    "seen": "Photos of me",
    "book": "Yearbook",
    "rules": "Rules",
    "leave": "Withdraw",
}
WITH_PHOTOS = frozenset({S.COLLECTING, S.REVIEWING, S.TRAINING})
"""Stages in which photos of members are still here."""
MAIN_ACTIONS = frozenset({"give", "join", "make", "vote", "book"})


def panel_card(view: EventView, banner: Sequence[tuple[str, str]] = ()) -> SafeLayout:
    """`banner`: (attachment name, alt text) of the picture at its head."""
    event = view.event
    parts = [_head(event), _stage(view), _meters(view), _advice(view), winners_text(view.winners)]
    colour = discord.Colour.orange() if event.paused_at else COLOURS.get(event.status, discord.Colour.blurple())
    layout = SafeLayout(colour)
    layout.add_gallery(banner)
    layout.add_text("\n".join(filter(None, parts)))
    buttons = [_button(event, action) for action in actions_of(event)]
    buttons += [ActionButton("event", "news", event.id, label=TELL_ME)] if view.news_role_id is not None else []
    layout.add_rows(buttons)
    return layout


def actions_of(event: Event) -> list[str]:
    """What the panel offers now; every press is checked again."""
    trains = event.mode.trains
    offered = {
        "give": can_give(event),
        "join": event.mode is M.CLUB and event.status is S.COLLECTING,
        "make": can_order(event) and event.pictures_each > 0,
        "enter": can_order(event),
        "vote": can_vote(event),
        "book": event.status is S.FINISHED,
        "mine": trains and event.status in WITH_PHOTOS,
        "seen": trains,
        "leave": event.mode is not M.BAKEOFF,
        "rules": True,
    }
    return [action for action, is_offered in offered.items() if is_offered]


def _button(event: Event, action: str) -> ActionButton:
    style = discord.ButtonStyle.success if action in MAIN_ACTIONS else discord.ButtonStyle.secondary
    return ActionButton("event", action, event.id, label=LABELS[action], style=style)


def _head(event: Event) -> str:
    lines = [f"## {event_name(event)}"]
    if event.theme.strip():
        lines.append(cite(event.theme, THEME_SHOWN))
    host = [f"hosted by <@{event.host_id}>"] if event.host_id != NOBODY else []
    return "\n".join([*lines, what_it_is(event), " · ".join([_who(event), *host])])


def what_it_is(event: Event) -> str:
    """What kind of event it is, in one or two sentences for members who are new to it."""
    photos = f"up to {count(limits_each(event).most, 'photo')}"
    match event.mode:
        case EventMode.SHARED:
            return (
                f"**One LoRA for all.** Everyone gives {photos} of {_subject(event)}. "
                "One LoRA is trained from the best of them, and everyone who took part can make pictures with it."
            )
        case EventMode.PERSONAL:
            return f"**A LoRA for each.** Everyone gives {photos} of {_subject(event)} and gets an own LoRA."
        case EventMode.CLUB:
            pictures = count(event.pictures_each, "picture")
            return f"**Style club.** Nothing is trained: everyone makes up to {pictures} with what the host has picked."
        case EventMode.BAKEOFF:
            return "**Blind bake-off.** The same prompts, drawn in different ways: vote without knowing which is which."


def _subject(event: Event) -> str:
    return "themselves" if event.subject_kind is SubjectKind.PERSON else SUBJECT_WORDS[event.subject_kind]


def _who(event: Event) -> str:
    roles = [f"<@&{role_id}>" for role_id in sorted(event.role_ids)]
    if not roles:
        return "Open to everyone here"
    more = f" and {count(len(roles) - ROLES_SHOWN, 'more role')}" if len(roles) > ROLES_SHOWN else ""
    return f"For {', '.join(roles[:ROLES_SHOWN])}{more}"


def _stage(view: EventView) -> str:
    event = view.event
    if event.paused_at is not None and event.paused_why is not None:
        return f"⏸️ **Paused.** {PAUSE_WORDS[event.paused_why]} Until then no deadline counts."
    if view.is_closing:
        return f"⏳ **Closing.** {CLOSING_WORDS[event.status]}"
    words = "A run-off is open: vote once more" if in_runoff(event) else STAGE_WORDS[shown_stage(event)]
    if event.stage_ends_at is None:
        return f"**{words}**"
    return f"**{words}** until {deadline(event.stage_ends_at)}"


def deadline(at: datetime) -> str:
    """The full date and how far off it is, in every reader's own time zone."""
    seconds = int(at.timestamp())
    return f"<t:{seconds}:F> (<t:{seconds}:R>)"


def _meters(view: EventView) -> str:
    event = view.event
    lines = []
    if event.mode.trains and event.status.takes_photos:
        lines.append(_photos(view))
    if event.mode is not M.BAKEOFF:
        lines.append(f"👥 **{len(view.entrants)}** taking part{_bounds(event)}")
    if view.trainings:
        lines.append(f"🧪 Trainings: {trainings_words(view.trainings, ' · ')}")
    if view.pictures:
        lines.append(f"🖼️ **{count(view.pictures, 'picture')}** made")
    if event.status is S.VOTING:
        lines.append(
            f"🗳️ **{view.entries} {'entry' if view.entries == 1 else 'entries'}**; votes stay hidden until the close"
        )
    lines.append(_budget(view))
    return "\n".join(lines)


def _photos(view: EventView) -> str:
    photos = f"📷 **{count(view.photos, 'photo')}**, {view.usable_photos} usable"
    if view.event.mode is M.SHARED:
        needed = photos_needed(view.event)
        photos = f"{photos} {meter(view.usable_photos, needed)} (it takes {needed})"
    why = uncounted_words(view.uncounted)
    return f"{photos}\n-# {why}" if why else photos


def _bounds(event: Event) -> str:
    parts = [f"at least {event.entrants_min}"] if event.entrants_min > 1 else []
    parts += [f"at most {event.entrants_max}"] if event.entrants_max is not None else []
    return f" ({', '.join(parts)})" if parts else ""


def _budget(view: EventView) -> str:
    spent, expected = _spent(view), expected_words(view)
    return f"{spent}\n-# {expected}" if expected else spent


def _spent(view: EventView) -> str:
    if view.event.budget is None:
        return f"💳 {count(view.spent, 'credit')} spent"
    buys = view.affordable
    more = f" · enough for {buys.words}" if buys is not None and not view.event.status.is_terminal else ""
    return f"💳 {view.spent} of {count(view.event.budget, 'credit')} spent{more}"


def _advice(view: EventView) -> str:
    if view.event.status is not S.COLLECTING:
        return ""
    return clip([f"💡 {sentence}" for sentence in view.advice], ADVICE_MAX, "…")


def winners_text(winners: tuple[Honour, ...]) -> str:
    """Best first; members are named without being pinged."""
    lines = [f"{MEDALS.get(each.place, '🏅')} {winner_name(each)} · {count(each.votes, 'vote')}" for each in winners]
    return clip(lines, WINNERS_MAX, "…and {} more")


def adopting_buttons(view: EventView) -> list[ActionButton]:
    """Make what won a bake-off the default of its LoRA."""
    won = [each for each in view.winners if each.place == 1 and each.label is not None][:ADOPTED_MAX]
    if view.event.mode is not EventMode.BAKEOFF:
        return []
    return [ActionButton("bakeoff", "adopt", each.id, label=f"Make {each.label} the default"[:80]) for each in won]


def winner_name(honour: Honour) -> str:
    """In a bake-off what was compared, else who made it."""
    return quote(honour.label, 60) if honour.label is not None else f"<@{honour.user_id}>"
