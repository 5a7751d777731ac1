"""The host's board: every photo of a shared subject by number, which ones are chosen, and pinning or dropping them."""

from collections.abc import Sequence

import discord

from bot.events.photos.review import HostBoard
from bot.records.dataset import Photo, Pick, Verdict
from bot.text import quote
from cogs.events.texts import event_name
from cogs.ui.buttons import ActionButton
from cogs.ui.choices import OPTIONS_MAX, Chosen, StringChoice, page_buttons
from cogs.ui.layout import PANEL_SECONDS, SHEET_FILE, SafeLayout
from cogs.ui.replies import Interaction, actor_of, defer, show
from cogs.ui.words import clip, count

NAME_SHOWN = 30
LIST_MAX = 2600
ADVICE_MAX = 900

WAITS = "⏳ waits for the yes of somebody in it"
PICK_WORDS = {Pick.PINNED: "📌 pinned", Pick.DROPPED: "🚫 dropped", Pick.CHOSEN: "✅ chosen"}


class PhotoBoard(SafeLayout):
    def __init__(self, board: HostBoard, page: int, *, has_sheet: bool) -> None:
        super().__init__(discord.Colour.blurple(), seconds=PANEL_SECONDS)
        self.event_id = board.event.id
        numbered = numbered_page(board.photos, page)
        self.add_text(board_text(board, numbered))
        if has_sheet:
            alt_text = f"The photos from number {page * OPTIONS_MAX + 1} on, with their numbers"
            self.add_gallery([(SHEET_FILE, alt_text)])
        for select in _selects(board, numbered, page):
            self.add_row(select)
        pages = -(-len(board.photos) // OPTIONS_MAX)
        ways = page_buttons(page, pages, self._turn, back="Earlier photos", on="More photos")
        self.add_row(*ways, ActionButton("host", "status", self.event_id, label="Back"))

    async def _turn(self, interaction: Interaction, page: int) -> None:
        await show_board(interaction, self.event_id, page)


def numbered_page(photos: Sequence[Photo], page: int) -> list[tuple[int, Photo]]:
    """The photos of one page with their numbers on the sheet, which begin at 1."""
    first = page * OPTIONS_MAX
    return list(enumerate(photos[first : first + OPTIONS_MAX], start=first + 1))


def board_text(board: HostBoard, numbered: Sequence[tuple[int, Photo]]) -> str:
    lines = [
        f"### Photos of {event_name(board.event)}",
        f"**{len(board.chosen)}** of {count(len(board.photos), 'photo')} are chosen so far; "
        f"a good set has {board.needed} to 30. *Pin* keeps a photo in, *Drop* leaves it out.",
        clip([f"💡 {sentence}" for sentence in board.advice], ADVICE_MAX, "…"),
        clip([_photo_line(board, number, photo) for number, photo in numbered], LIST_MAX, "…and {} more."),
    ]
    return "\n".join(line for line in lines if line)


def _photo_line(board: HostBoard, number: int, photo: Photo) -> str:
    giver = "" if photo.contributor_id is None else f" · <@{photo.contributor_id}>"
    return f"**{number}** {quote(photo.name, NAME_SHOWN)}{giver} · {state_of(board, photo)}"


def state_of(board: HostBoard, photo: Photo) -> str:
    if photo.pick in {Pick.PINNED, Pick.DROPPED}:
        return PICK_WORDS[photo.pick]
    if photo.id in board.waiting:
        return WAITS
    if photo.id in board.chosen:
        return PICK_WORDS[Pick.CHOSEN]
    return "not usable" if photo.verdict is Verdict.REFUSED else "left out"


def _selects(board: HostBoard, numbered: Sequence[tuple[int, Photo]], page: int) -> list[StringChoice]:
    usable = [(number, photo) for number, photo in numbered if photo.verdict is not Verdict.REFUSED]
    unpinned = [(number, photo) for number, photo in usable if photo.pick is not Pick.PINNED]
    undropped = [(number, photo) for number, photo in usable if photo.pick is not Pick.DROPPED]
    decided = [(number, photo) for number, photo in usable if photo.pick in {Pick.PINNED, Pick.DROPPED}]
    return [
        StringChoice(
            placeholder, _options(board, among), _changing(board.event.id, page, pick), least=1, most=OPTIONS_MAX
        )
        for placeholder, among, pick in (
            ("Pin: these are in", unpinned, Pick.PINNED),
            ("Drop: these stay out", undropped, Pick.DROPPED),
            ("Neither: let the choice decide", decided, None),
        )
        if among
    ]


def _options(board: HostBoard, among: Sequence[tuple[int, Photo]]) -> list[discord.SelectOption]:
    return [
        discord.SelectOption(
            label=f"{number}. {photo.name}"[:100], value=str(photo.id), description=state_of(board, photo)
        )
        for number, photo in among
    ]


def _changing(event_id: int, page: int, pick: Pick | None) -> Chosen:
    async def chosen(interaction: Interaction, values: Sequence[str]) -> None:
        await defer(interaction, thinking=False)
        for value in values:
            await interaction.client.services.reviews.pick(event_id, int(value), pick, actor_of(interaction))
        await show_board(interaction, event_id, page)

    return chosen


async def show_board(interaction: Interaction, event_id: int, page: int = 0) -> None:
    """Put the board in the place of the message, or fill in the answer that is waited for."""
    actor, service = actor_of(interaction), interaction.client.services.reviews
    board = await service.board(event_id, actor)
    sheet = await service.sheet(event_id, actor, skip=page * OPTIONS_MAX)
    files = [] if sheet is None else [(SHEET_FILE, sheet)]
    await show(interaction, PhotoBoard(board, page, has_sheet=sheet is not None), files)
