"""The ballot: the public card with numbered, anonymous pictures, and the private pages on which a member votes."""

from collections.abc import Sequence
from functools import partial

import discord

from bot.events.ballot.runoff import in_runoff, rule_of
from bot.events.ballot.service import BallotEntry
from bot.events.lifecycle import can_vote
from bot.records.ballot import Vote
from bot.records.event import Event, EventMode, EventStatus
from bot.text import quote
from cogs.events.panel import deadline
from cogs.events.texts import event_name
from cogs.likeness.buttons import press_lora
from cogs.likeness.cards import CLAIM
from cogs.pictures.forms import ReportModal
from cogs.ui.buttons import ActionButton
from cogs.ui.choices import FleetingButton, page_buttons
from cogs.ui.layout import PANEL_SECONDS, SafeLayout
from cogs.ui.replies import File, Interaction, actor_of, defer, open_form, show
from cogs.ui.words import clip, count

FILES_MAX = 10
"""Files of one message, and pictures of one gallery (Discord /docs/resources/message, /docs/components/reference)."""
PAGE = 5
"""Entries on one page; each takes six of the 40 components."""
SHEET_MAX = 60
"""Entries on the contact sheet; all of them are on the pages."""
COPY_BYTES = 900_000
NAMES_MAX = 2500
"""Characters for whose entries these were, once the votes are counted."""
HIDDEN = "Votes are counted at the close; until then nobody sees how many there are."


def uses_sheet(entries: Sequence[BallotEntry]) -> bool:
    """Whether the pictures are too many for one message. The highest number counts, also when entries are gone."""
    most = max((len(entry.pictures) for entry in entries), default=0)
    return max((entry.position for entry in entries), default=0) * most > FILES_MAX


def shown_files(event: Event, entries: Sequence[BallotEntry]) -> list[tuple[str, str]]:
    """(attachment name, alt text) of what the public card shows; names tell numbers only."""
    if uses_sheet(entries):
        shown = min(len(entries), SHEET_MAX)
        return [(f"ballot-{event.id}.jpg", f"AI-generated pictures: contact sheet of {shown} numbered entries.")]
    return [
        (f"ballot-{event.id}-{entry.position}-{number}.jpg", alt_text(entry))
        for entry in entries
        for number, picture in enumerate(entry.pictures, start=1)
        if picture.file is not None
    ]


def alt_text(entry: BallotEntry) -> str:
    return f"AI-generated picture, entry number {entry.position}"


def ballot_card(event: Event, entries: Sequence[BallotEntry]) -> SafeLayout:
    layout = SafeLayout(discord.Colour.blurple())
    layout.add_text("\n".join(_ballot_lines(event, entries)))
    layout.add_gallery(shown_files(event, entries))
    layout.add_text("-# AI-generated pictures")
    layout.add_rows(voting_buttons(event))
    return layout


def voting_buttons(event: Event) -> list[ActionButton]:
    """The way to the private pages, while votes are taken."""
    style = discord.ButtonStyle.success
    vote = ActionButton("event", "vote", event.id, label="Look closely and vote", style=style)
    return [vote] if can_vote(event) else []


def _ballot_lines(event: Event, entries: Sequence[BallotEntry]) -> list[str]:
    if event.status is not EventStatus.VOTING:
        over = f"## The ballot of {event_name(event)} is over"
        thanks = "Thank you for voting. No more votes are taken."
        names = clip([_whose(entry) for entry in entries if entry.by is not None], NAMES_MAX, "…")
        return [*filter(None, (over, thanks, names))]
    shown = [] if not uses_sheet(entries) else ["Press the button to see them large."]
    closes = [] if event.stage_ends_at is None else [f"Closes {deadline(event.stage_ends_at)}."]
    if event.paused_at is not None:
        closes = ["⏸️ Paused just now; votes that were given stay."]
    if in_runoff(event):
        return [*_runoff_lines(event, entries), *closes, HIDDEN, rule_of(event)]
    what = "ways to draw the same prompts" if event.mode is EventMode.BAKEOFF else "entries"
    return [
        f"## The ballot of {event_name(event)} is open",
        " ".join([f"{len(entries)} {what}, numbered by chance and without names.", *shown]),
        *closes,
        HIDDEN,
        rule_of(event),
    ]


def _runoff_lines(event: Event, entries: Sequence[BallotEntry]) -> list[str]:
    numbers = sorted(entry.position for entry in entries if entry.entry_id in event.runoff_ids)
    said = (
        f"{joined(numbers)} are tied. Everybody votes once more, between these alone; earlier votes do not decide it."
    )
    return [f"## A run-off in {event_name(event)}", said]


def joined(numbers: Sequence[int]) -> str:
    """`Numbers 2, 3 and 5`"""
    *others, last = [str(each) for each in numbers] or ["?"]
    return f"Numbers {', '.join(others)} and {last}" if others else f"Number {last}"


def _whose(entry: BallotEntry) -> str:
    """In a bake-off what was compared, else who made it, without a ping."""
    return f"**{entry.position}** · {quote(entry.label, 60) if entry.label is not None else f'<@{entry.by}>'}"


def pages_of(entries: Sequence[BallotEntry]) -> list[list[BallotEntry]]:
    """Few enough entries and pictures on each page for one message."""
    pages: list[list[BallotEntry]] = [[]]
    for entry in entries:
        used = sum(min(len(each.pictures), FILES_MAX) for each in pages[-1])
        if pages[-1] and (len(pages[-1]) == PAGE or used + len(entry.pictures) > FILES_MAX):
            pages.append([])
        pages[-1].append(entry)
    return pages


class VotingPages(SafeLayout):
    """On a private message. `page` counts from 0; one past the end shows the last."""

    def __init__(self, event: Event, entries: Sequence[BallotEntry], vote: Vote | None, page: int) -> None:
        super().__init__(discord.Colour.blurple(), seconds=PANEL_SECONDS)
        self.event_id, pages = event.id, pages_of(entries)
        self.page = min(page, len(pages) - 1)
        self.files: list[tuple[str, BallotEntry, int]] = []
        """(attachment name, entry, which of its pictures)."""
        self.add_text("\n".join(_voting_lines(event, entries, vote)))
        for entry in pages[self.page]:
            self._add_entry(entry, is_chosen=vote is not None and vote.entry_id == entry.entry_id)
        ways = page_buttons(self.page, len(pages), self._turn, back="Back", on="More")
        if ways:
            self.add_text(f"-# Page {self.page + 1} of {len(pages)}")
            self.add_row(*ways)

    def _add_entry(self, entry: BallotEntry, *, is_chosen: bool) -> None:
        self.add_text(f"### Number {entry.position}")
        there = [number for number, picture in enumerate(entry.pictures) if picture.file is not None][:FILES_MAX]
        named = [(f"entry-{entry.position}-{number + 1}.jpg", entry, number) for number in there]
        self.add_gallery([(name, alt_text(entry)) for name, _, _ in named])
        self.files += named
        others = [(CLAIM, self._claim), ("Report", self._report)] if not entry.is_mine else []
        more = [FleetingButton(label, partial(press, entry)) for label, press in others]
        self.add_row(self._vote_button(entry, is_chosen=is_chosen), *more)

    def _vote_button(self, entry: BallotEntry, *, is_chosen: bool) -> FleetingButton:
        async def vote(interaction: Interaction) -> None:
            await defer(interaction, thinking=False)
            await interaction.client.services.ballots.vote(self.event_id, entry.entry_id, actor_of(interaction))
            await show_voting(interaction, self.event_id, self.page)

        label = f"{'Your vote:' if is_chosen else 'Vote for'} number {entry.position}"
        return FleetingButton(
            "Your own entry" if entry.is_mine else label,
            vote,
            style=discord.ButtonStyle.success if is_chosen else discord.ButtonStyle.primary,
            disabled=entry.is_mine or is_chosen,
        )

    async def _claim(self, entry: BallotEntry, interaction: Interaction) -> None:
        ballots = interaction.client.services.ballots
        lora_id = await ballots.lora_behind(self.event_id, entry.entry_id, actor_of(interaction))
        await press_lora(interaction, lora_id)

    async def _report(self, entry: BallotEntry, interaction: Interaction) -> None:
        ballots = interaction.client.services.ballots
        made = await ballots.generation_behind(self.event_id, entry.entry_id, actor_of(interaction))
        await open_form(interaction, ReportModal(made.id, f"entry number {entry.position}"))

    async def _turn(self, interaction: Interaction, page: int) -> None:
        await show_voting(interaction, self.event_id, page)


def _voting_lines(event: Event, entries: Sequence[BallotEntry], vote: Vote | None) -> list[str]:
    chosen = [entry.position for entry in entries if vote is not None and entry.entry_id == vote.entry_id]
    yours = f"Your vote is for **number {chosen[0]}**." if chosen else "You have not voted yet."
    until = "" if event.stage_ends_at is None else f" You can change it until {deadline(event.stage_ends_at)}."
    total = f"{count(len(entries), 'numbered picture')}, without names"
    if event.mode is EventMode.BAKEOFF:
        total = f"{len(entries)} ways to draw the same prompts"
    head = "The run-off" if in_runoff(event) else "The ballot"
    return [f"### {head} of {event_name(event)}", f"{total}. {yours}{until}", "-# AI-generated pictures"]


async def show_voting(interaction: Interaction, event_id: int, page: int = 0) -> None:
    services, actor = interaction.client.services, actor_of(interaction)
    event = await services.events.get_for(event_id, actor)
    entries = await services.ballots.entries(event_id, actor)
    vote = await services.ballots.my_vote(event_id, actor)
    view = VotingPages(event, entries, vote, page)
    files: list[File] = []
    for name, entry, number in view.files:
        path = entry.pictures[number].file
        assert path is not None  # only pictures that are here were named
        files.append((name, await services.pool.smaller_copy(path, COPY_BYTES, entry.position)))
    await show(interaction, view, files)
