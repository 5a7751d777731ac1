"""What a host sees of an event: whether it is ready to open, and how it stands."""

from collections.abc import Mapping, Sequence

import discord

from bot.events.ballot.charts import MOST_ROWS, SOMEBODY
from bot.events.ballot.results import Season
from bot.events.ballot.runoff import in_runoff
from bot.events.ballot.service import WinCount
from bot.events.lifecycle import HostCommand, commands, part_of
from bot.events.views import EventView
from bot.ports import ReadinessCheck
from bot.records.ballot import Honour
from bot.records.event import Entrant, EntrantStatus, Event, EventMode, EventStatus, OnTie
from bot.records.guild import NOBODY
from bot.text import quote
from cogs.events.texts import (
    CLOSING_WORDS,
    MEDALS,
    MODE_WORDS,
    PAUSE_WORDS,
    STATUS_WORDS,
    budget_words,
    entrants_words,
    event_name,
    expected_words,
    shown_stage,
    trainings_words,
    uncounted_words,
)
from cogs.pictures.cards import ALT_TEXT_MAX
from cogs.ui.buttons import ActionButton
from cogs.ui.layout import Layout, SafeLayout, card
from cogs.ui.words import TEXT_MAX, ago, clip, count, day, moment

LABEL_MAX = 60
CLOSE_MEANS = {
    EventStatus.COLLECTING: "Nobody can join or give anything any more; what comes next begins at once.",
    EventStatus.REVIEWING: "The photos are chosen as they are now, and the training begins at once.",
    EventStatus.SHOWING: "No more pictures are made; the vote begins once those under way are finished.",
    EventStatus.VOTING: "No more votes are taken; they are counted, and the event is over.",
}
"""What closing does in each stage that can be closed."""
SHOWN_MAX = TEXT_MAX - 400


def readiness_card(event: Event, checks: Sequence[ReadinessCheck]) -> Layout:
    """Green ticks, red lines with what to do, and the button that opens it once nothing needed is red."""
    is_ready = all(check.is_ok or check.is_optional for check in checks)
    heading = f"### {event_name(event)} is ready" if is_ready else f"### {event_name(event)} is not ready yet"
    last = "Members see it as soon as you open it." if is_ready else "Nothing is visible to members yet."
    lines = clip([check_line(check) for check in checks], SHOWN_MAX, "…and {} more.")
    buttons = [
        ActionButton("host", "check", event.id, label="Check again"),
        ActionButton("host", "settings", event.id, label="Settings"),
    ]
    if is_ready:
        buttons.insert(0, ActionButton("host", "open", event.id, label="Open now", style=discord.ButtonStyle.success))
    colour = discord.Colour.green() if is_ready else discord.Colour.red()
    return card(f"{heading}\n{lines}\n-# {last}", colour=colour, buttons=buttons)


def check_line(check: ReadinessCheck) -> str:
    if check.is_ok:
        return f"✅ {check.what}"
    if check.is_optional:
        return f"⚠️ {check.what} (not needed to open): {check.fix}"
    return f"❌ {check.what}: **please fix this.** {check.fix}"


def status_card(view: EventView, *, may_run: bool, said: str = "") -> Layout:
    """`said` is what has just happened; only those who may run it see vetoes and buttons."""
    event = view.event
    head = [*([said] if said else []), f"### {event_name(event)}", _stage_line(view)]
    advice = [f"💡 {sentence}" for sentence in view.advice]
    lines = [*head, *_numbers(view, may_run=may_run), *advice, *_winners(view.winners)]
    host = [f"host <@{event.host_id}>"] if event.host_id != NOBODY else []
    lines.append(f"-# {' · '.join([MODE_WORDS[event.mode], *host])}")
    colour = discord.Colour.orange() if event.paused_at is not None else discord.Colour.blurple()
    buttons = _host_buttons(view) if may_run else []
    return card(clip(lines, SHOWN_MAX, "…"), colour=colour, buttons=buttons)


def close_question(event: Event) -> Layout:
    """What closing means in the present stage; the answer takes the place of the question."""
    buttons = [
        ActionButton("host", f"end{part_of(event)}", event.id, label="Yes, close it", style=discord.ButtonStyle.danger),
        ActionButton("host", "status", event.id, label="Not yet"),
    ]
    text = f"### Close this part of {event_name(event)}?\n{close_means(event)} This cannot be undone."
    return card(text, colour=discord.Colour.red(), buttons=buttons)


def close_means(event: Event) -> str:
    """What closing does now."""
    if event.status is EventStatus.VOTING and event.on_tie is OnTie.RUN_OFF and not event.runoff_ids:
        return "No more votes are taken. If the first place is tied, a run-off begins; else the event is over."
    return CLOSE_MEANS[event.status]


def _stage_line(view: EventView) -> str:
    event = view.event
    stage = "Run-off" if in_runoff(event) else STATUS_WORDS[shown_stage(event)]
    if event.paused_at is not None:
        why = "" if event.paused_why is None else f"\n{PAUSE_WORDS[event.paused_why]}"
        return f"⏸️ **It waits** since {ago(event.paused_at)}; until it goes on, no time counts. {stage}.{why}"
    if view.is_closing:
        return f"⏳ **Closing.** {CLOSING_WORDS[event.status]}"
    if event.status is EventStatus.TRAINING:
        return "**Training.** It goes on as soon as every training has ended."
    if event.stage_ends_at is not None:
        return (
            f"**{stage}** until {day(event.stage_ends_at)} {moment(event.stage_ends_at)}, {ago(event.stage_ends_at)}."
        )
    return f"**{stage}.**"


def _numbers(view: EventView, *, may_run: bool) -> list[str]:
    event = view.event
    lines = []
    if event.mode is not EventMode.BAKEOFF:
        lines.append(f"**Members:** {taking_part(view.entrants)} take part ({entrants_words(event)})")
    if event.mode.trains:
        why = uncounted_words(view.uncounted)
        photos = f"**Photos:** {view.usable_photos} usable of {view.photos}"
        lines += [f"{photos} ({why})" if why else photos, *_answers(view, may_run=may_run)]
    if view.trainings:
        lines.append(f"**Trainings:** {trainings_words(view.trainings, ', ')}")
    if view.pictures:
        lines.append(f"**Pictures:** {view.pictures}")
    if event.status is EventStatus.VOTING:
        entries = "1 entry" if view.entries == 1 else f"{view.entries} entries"
        lines.append(f"**Vote:** {entries}; votes are counted at the close")
    lines += [_money(view), expected_words(view)]
    return [line for line in lines if line]


def taking_part(entrants: Sequence[Entrant]) -> int:
    return sum(entrant.status is EntrantStatus.IN for entrant in entrants)


def _answers(view: EventView, *, may_run: bool) -> list[str]:
    """Of the members who were asked because they are seen in photos; nothing when nobody was."""
    answers = [(view.covered, "said yes"), (view.pending, "not answered yet"), (view.vetoed * may_run, "said no")]
    told = [f"{number} {answer}" for number, answer in answers if number]
    return [f"**Asked because photos show them:** {', '.join(told)}"] if told else []


def _money(view: EventView) -> str:
    spent = f"**Budget:** {count(view.spent, 'credit')} spent"
    if view.event.budget is not None:
        spent += f" of {budget_words(view.event)}"
    if view.event.status.is_terminal or view.affordable is None or view.affordable.credits_left is None:
        return spent
    return f"{spent}; it still buys {view.affordable.words}"


def _winners(winners: Sequence[Honour]) -> list[str]:
    return [honour_line(honour) for honour in sorted(winners, key=lambda honour: honour.place)]


def honour_line(honour: Honour) -> str:
    label = "" if honour.label is None else f" · {quote(honour.label, LABEL_MAX)}"
    who = f"<@{honour.user_id}>" if honour.label is None else f"place {honour.place}"
    return f"{MEDALS.get(honour.place, f'{honour.place}.')} {who}{label} · {count(honour.votes, 'vote')}"


def _host_buttons(view: EventView) -> list[ActionButton]:
    """What can be done with it now."""
    event = view.event
    if event.status.is_terminal:
        return [ActionButton("host", "copy", event.id, label="Plan one like it")]
    if view.is_closing:
        return [ActionButton("host", "status", event.id, label="Look again")]
    allowed = commands(event)
    buttons = []
    if HostCommand.CLOSE in allowed:
        buttons.append(ActionButton("host", f"close{part_of(event)}", event.id, label="Close now"))
    if HostCommand.EXTEND in allowed:
        label = "Try again" if event.status is EventStatus.TRAINING else "+24 h"
        buttons.append(ActionButton("host", "extend", event.id, label=label))
    if event.mode is EventMode.SHARED and event.status.takes_photos:
        buttons.append(ActionButton("host", "photos", event.id, label="Photos"))
    return [
        *buttons,
        ActionButton("host", "settings", event.id, label="Settings"),
        ActionButton("host", "cancel", event.id, label="Cancel", style=discord.ButtonStyle.danger),
    ]


SEASON_FILE = "season.jpg"
MOST_WIN_COUNTS = 3
"""Members named at the top of the hall of fame."""


def fame_card(honours: Sequence[Honour], win_counts: Sequence[WinCount] = (), table: str = "") -> Layout:
    """The hall of fame: the season's table, who has won most often, then every event, the newest first.

    `table` is the alt text of SEASON_FILE, empty without one.
    """
    if not honours:
        text = "### Hall of fame\nEmpty so far. The winners of every event's vote come here."
        return card(text, colour=discord.Colour.gold())
    lines = [
        f"<@{win_count.user_id}> · {count(win_count.first_places, 'win')}" for win_count in win_counts[:MOST_WIN_COUNTS]
    ]
    for index, honour in enumerate(honours):
        if index == 0 or honours[index - 1].event_id != honour.event_id:
            lines.append(f"{quote(honour.event_name)} · {day(honour.awarded_at)}")
        lines.append(honour_line(honour))
    layout = SafeLayout(discord.Colour.gold())
    layout.add_text("### Hall of fame")
    layout.add_gallery([(SEASON_FILE, table)] if table else [])
    layout.add_text(clip(lines, SHOWN_MAX, "…and {} older lines."))
    return layout


def season_words(season: Season, names: Mapping[int, str]) -> str:
    """What the table shows, as its alt text."""
    rows = [f"{names.get(row.user_id, SOMEBODY)} {count(row.points, 'point')}" for row in season.rows[:MOST_ROWS]]
    return f"Table of the season {season.year}: {', '.join(rows)}"[:ALT_TEXT_MAX]
