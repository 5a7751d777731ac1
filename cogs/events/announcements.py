"""Announcements of an event, each posted once."""

from collections.abc import Callable, Mapping, Sequence

import discord

from bot.datasets.rules import STEPS, usual_time
from bot.events.lifecycle import RUN_OFF, is_in_first_stage, part_of
from bot.events.views import EventView
from bot.records.dataset import SubjectKind
from bot.records.event import Announcement, AnnouncementKind, EventMode, EventStatus
from bot.records.guild import PlaceKind
from bot.records.lora import Lora
from cogs.events.details import Detail, number, numbers, read
from cogs.events.host.told import not_opened, taken_back
from cogs.events.member.ballot import joined, voting_buttons
from cogs.events.panel import PAUSE_WORDS, adopting_buttons, deadline, what_it_is, winners_text
from cogs.events.texts import event_name
from cogs.likeness.cards import CLAIM, claim_button
from cogs.loras.cards import name_of
from cogs.ui.buttons import ActionButton
from cogs.ui.layout import SafeLayout
from cogs.ui.words import MADE_BY_AI, clip, count, member

LIST_MAX = 2500
"""Characters for a list of members or LoRAs."""
COLOURS = {
    AnnouncementKind.PAUSED: discord.Colour.orange(),
    AnnouncementKind.TAKEN_BACK: discord.Colour.orange(),
    AnnouncementKind.NOT_OPENED: discord.Colour.orange(),
    AnnouncementKind.NOT_TRAINED: discord.Colour.orange(),
    AnnouncementKind.CANCELLED: discord.Colour.dark_grey(),
    AnnouncementKind.WINNER: discord.Colour.gold(),
}
WITHHELD = {
    EventMode.PERSONAL: " Everybody gets their own privately; the vote shows one of each member, without names.",
    EventMode.BAKEOFF: " Nobody sees them before the vote, so that nobody knows which is which.",
}
LAST_CALLS: Mapping[str, str] = {
    EventStatus.COLLECTING: "Photos can be given",
    EventStatus.SHOWING: "Pictures can be made and entered",
    EventStatus.VOTING: "Votes can be given and changed",
    RUN_OFF: "Votes in the run-off can be given and changed",
}
SHARED_PLACE = "Equal votes share a place."
RUN_OFF_DECIDED = "A run-off was held for the first place; the votes of both are added up here."


def announcement_card(
    view: EventView,
    announcement: Announcement,
    files: Sequence[tuple[str, str]] = (),
    claimable: Sequence[int] = (),
    plot: Sequence[tuple[str, str]] = (),
    *,
    is_private: bool = False,
) -> SafeLayout:
    """`files` and `plot` are (attachment name, alt text), `claimable` sets among the files that a LoRA made.

    The plot stands alone: pictures that share a gallery are cropped to squares.

    `is_private`: in a private message buttons of a server do not work.
    """
    detail = read(announcement.detail)
    text = (
        WRITERS[announcement.what](view) if announcement.what in WRITERS else DETAILED[announcement.what](view, detail)
    )
    if announcement.what in AT_THE_PANEL:
        text += _link(view)
    layout = SafeLayout(COLOURS.get(announcement.what, discord.Colour.blurple()))
    layout.add_text(text)
    if files:
        layout.add_gallery(files)
        layout.add_text(MADE_BY_AI)
    layout.add_gallery(plot)
    if not is_private:
        many = len(claimable) > 1
        layout.add_rows([claim_button("set", each, f"{CLAIM}: #{each}" if many else CLAIM) for each in claimable])
        layout.add_rows(voting_buttons(view.event) if announcement.what is AnnouncementKind.RUN_OFF else [])
        layout.add_rows(adopting_buttons(view) if announcement.what is AnnouncementKind.WINNER else [])
    lora_id = number(detail, "lora_id")
    if announcement.what is AnnouncementKind.TAKEN_BACK and lora_id and not is_private:
        button = ActionButton("lora", "archive", lora_id, label="Archive it", style=discord.ButtonStyle.danger)
        layout.add_row(button)
    return layout


def _link(view: EventView) -> str:
    """A line that leads to the panel, when that stands in a channel."""
    post = view.panel_post
    place = post.places[post.place_index] if post is not None and post.message_id else None
    if post is None or place is None or place.kind is not PlaceKind.CHANNEL:
        return ""
    return f"\n[To the event](https://discord.com/channels/{post.guild_id}/{place.id}/{post.message_id})"


def _opened(view: EventView) -> str:
    ends = view.event.stage_ends_at
    until = f"\nThe first part ends {deadline(ends)}." if ends is not None and is_in_first_stage(view.event) else ""
    return f"### {event_name(view.event)} is open\n{what_it_is(view.event)}{until}"


def _closing_soon(view: EventView, detail: Detail) -> str:
    """Of the part that it was written in; of the present one it says when that ends by now."""
    ends, now_ends = number(detail, "ends"), view.event.stage_ends_at
    if now_ends is not None and part_of(view.event) == detail.get("stage"):
        ends = int(now_ends.timestamp())
    when = f" <t:{ends}:F> (<t:{ends}:R>)" if ends else ""
    usual = EventStatus.SHOWING if view.event.mode is EventMode.CLUB else EventStatus.COLLECTING
    part = next((each for each in LAST_CALLS if each == detail.get("stage")), usual)
    what = LAST_CALLS[usual if part == EventStatus.COLLECTING else part]
    return f"### {event_name(view.event)}: last call\nThis part ends{when}. {what} until then."


def _chosen(view: EventView, detail: Detail) -> str:
    by = detail.get("by")
    given = {str(user): photos for user, photos in by.items()} if isinstance(by, dict) else {}
    lines = [f"{member(int(user))}: {count(int(photos), 'photo')}" for user, photos in given.items() if user.isdigit()]
    total = count(number(detail, "photos"), "photo")
    head = f"### {event_name(view.event)}: the photos are chosen\nThe LoRA is trained from {total}. They came from:"
    return f"{head}\n{clip(lines, LIST_MAX, '…and {} more')}\nThank you! All other photos have been deleted."


def _training(view: EventView) -> str:
    is_character = view.event.subject_kind is SubjectKind.CHARACTER
    takes = "a few seconds" if is_character else usual_time(view.event.steps or STEPS)
    return f"### {event_name(view.event)}: training has begun\nIt usually takes {takes}."


def _loras_ready(view: EventView, detail: Detail) -> str:
    wanted = set(numbers(detail, "lora_ids"))
    lines = [_lora_line(lora) for lora in view.loras if lora.id in wanted]
    is_one = view.event.mode is EventMode.SHARED
    head = "the LoRA is ready" if is_one else "the LoRAs are ready"
    who = (
        "Everyone who took part can make pictures with it"
        if is_one
        else "Each belongs to the member who gave the photos"
    )
    return f"### {event_name(view.event)}: {head}\n{clip(lines, LIST_MAX, '…and {} more')}\n{who}."


def _lora_line(lora: Lora) -> str:
    return f"• {name_of(lora)} of <@{lora.owner_id}>"


def _not_trained(view: EventView, detail: Detail) -> str:
    names = [member(user_id) for user_id in numbers(detail, "user_ids")]
    why = {
        "budget": "The event's budget did not reach for a LoRA for everyone. This time it was not enough for:",
        "photos": "It takes 15 usable photos to train a LoRA. There were fewer of these members:",
    }.get(str(detail.get("why")), "No LoRA was trained for:")
    return f"### {event_name(view.event)}\n{why}\n{clip(names, LIST_MAX, '…and {} more')}\nNothing was charged for it."


def _pack_done(view: EventView, detail: Detail) -> str:
    left = number(detail, "left")
    rest = f" The budget did not reach for {count(left, 'more picture')}." if left else ""
    made = f"{count(view.pictures, 'picture')} made so far.{rest}{WITHHELD.get(view.event.mode, '')}"
    return f"### {event_name(view.event)}: the pictures are here\n{made}"


def _paused(view: EventView, detail: Detail) -> str:
    more = "`/event status` shows where it stands and what you can do."
    return f"### {event_name(view.event)} is paused\n{_reason(detail)}\nUntil then no deadline counts. {more}"


def _resumed(view: EventView) -> str:
    ends = view.event.stage_ends_at
    until = "" if ends is None else f"\nThis part now ends {deadline(ends)}."
    return f"### {event_name(view.event)} goes on{until}"


def _reason(detail: Detail) -> str:
    known = {reason.value: words for reason, words in PAUSE_WORDS.items()}
    return known.get(str(detail.get("why")), "It waits for its host.")


def _no_ballot(view: EventView, detail: Detail) -> str:
    if number(detail, "entries") == 1:
        return f"### {event_name(view.event)}: no vote this time\nThere is one entry only, so it wins unopposed."
    return f"### {event_name(view.event)}: no vote this time\nNobody entered a picture."


def _run_off(view: EventView, detail: Detail) -> str:
    ends = view.event.stage_ends_at
    until = "" if ends is None else f"\nIt ends {deadline(ends)}."
    who = joined(numbers(detail, "numbers"))
    again = "Everybody votes once more, between these alone; earlier votes do not decide it."
    return f"### {event_name(view.event)}: a run-off\n{who} are tied for the first place. {again}{until}"


def _winner(view: EventView) -> str:
    winners = view.winners
    if not winners:
        thanks = "Nobody voted this time, so there is no winner. Thank you for taking part!"
        return f"### {event_name(view.event)} is over\n{thanks}"
    is_alone = len(winners) == 1 and winners[0].votes == 0
    places = [each.place for each in winners]
    lines = ["Unopposed:" if is_alone else "", winners_text(winners)]
    lines.append(RUN_OFF_DECIDED if view.event.runoff_ids else "")
    lines.append(SHARED_PLACE if len(places) != len(set(places)) else "")
    if view.event.mode is not EventMode.BAKEOFF:
        lines.append("Congratulations!")
    return "\n".join([f"### 🏆 {event_name(view.event)}", *filter(None, lines)])


def _cancelled(view: EventView, detail: Detail) -> str:
    trainings, pictures = number(detail, "trainings"), number(detail, "pictures")
    made = " and ".join(
        [
            *([count(trainings, "training")] if trainings else []),
            *([count(pictures, "order") + " of pictures"] if pictures else []),
        ]
    )
    paid = f"{count(number(detail, 'spent'), 'credit')} for {made}" if made else "nothing"
    why = "It had waited for too long" if detail.get("by") == "abandoned" else "The host cancelled it"
    return (
        f"### {event_name(view.event)} is cancelled\n{why}. Nothing more is spent. Paid so far: {paid}.\n"
        "Photos that were given for it are deleted. LoRAs and pictures that are ready stay with their owners."
    )


WRITERS: Mapping[AnnouncementKind, Callable[[EventView], str]] = {
    AnnouncementKind.OPENED: _opened,
    AnnouncementKind.TRAINING: _training,
    AnnouncementKind.RESUMED: _resumed,
    AnnouncementKind.WINNER: _winner,
}
DETAILED: Mapping[AnnouncementKind, Callable[[EventView, Detail], str]] = {
    AnnouncementKind.CLOSING_SOON: _closing_soon,
    AnnouncementKind.CHOSEN: _chosen,
    AnnouncementKind.LORAS_READY: _loras_ready,
    AnnouncementKind.NOT_TRAINED: _not_trained,
    AnnouncementKind.PACK_DONE: _pack_done,
    AnnouncementKind.PAUSED: _paused,
    AnnouncementKind.NO_BALLOT: _no_ballot,
    AnnouncementKind.RUN_OFF: _run_off,
    AnnouncementKind.CANCELLED: _cancelled,
    AnnouncementKind.TAKEN_BACK: taken_back,
    AnnouncementKind.NOT_OPENED: not_opened,
}
AT_THE_PANEL = frozenset(
    {AnnouncementKind.CLOSING_SOON, AnnouncementKind.LORAS_READY, AnnouncementKind.PACK_DONE, AnnouncementKind.RESUMED}
)
"""Those after which a member can do something there."""
