"""The dataset board: every photo by name with what we say of it, the contact sheet, the price, the buttons."""

from collections.abc import Sequence
from datetime import timedelta

import discord

from bot.clock import Timings
from bot.datasets.rules import STEPS, Board, can_be_kept_for, consent_sentence, kept_for, usual_time
from bot.keys.service import Funds
from bot.photos import checks
from bot.photos.coach import about_set
from bot.records.dataset import Dataset, DatasetStatus, Photo, SubjectKind, Verdict
from bot.text import lasting, quote
from cogs.ui.buttons import ActionButton
from cogs.ui.layout import SHEET_FILE, Layout, SafeLayout
from cogs.ui.words import SUBJECT_WORDS, TEXT_MAX, clip, count, meter, when

LIST_MAX = 2600
"""Characters for the photo lists at most; fewer where the rest of the board needs more than the other 1,400."""
NAMES_A_LINE = 3
WEEK = timedelta(days=7)
ASKED_OF_PERSON = (
    "One more thing: to train a person, the provider needs gender and ethnicity. Press **About the person**; it is "
    "deleted with the photos."
)
MARKS = {Verdict.REFUSED: "❌", Verdict.ADVISED: "⚠️", Verdict.ACCEPTED: "✅"}
ACCENTS = {True: discord.Colour.green(), False: discord.Colour.gold()}


def board_card(
    board: Board, funds: Funds, timings: Timings, *, is_admin: bool, has_sheet: bool, notes: Sequence[str] = ()
) -> Layout:
    """`notes`: on those who are asked later, or get no private questions.

    The server's balance is shown to its admins only.
    """
    view = SafeLayout(ACCENTS[board.can_start and funds.trouble is None])
    head = "\n".join([_head(board, funds), *notes])
    money = "\n".join([*_money(board, funds, is_admin=is_admin), *_small_print(board, timings)])
    view.add_text(head)
    if has_sheet:
        view.add_gallery([(SHEET_FILE, sheet_alt(board.photos))])
    if board.photos:
        view.add_text(photo_list(board.photos, min(LIST_MAX, TEXT_MAX - len(head) - len(money))))
    view.add_line()
    view.add_text(money)
    if board.dataset.status is DatasetStatus.OPEN:
        view.add_rows(_buttons(board, timings))
    return view


def sheet_alt(photos: Sequence[Photo]) -> str:
    return f"Contact sheet of {count(len(photos), 'photo')}, numbered as in the list below."


def photo_list(photos: tuple[Photo, ...], limit: int = LIST_MAX) -> str:
    """Refused and advised photos first, each with its reasons; then the good ones. At most `limit` characters."""
    numbered = [
        (number, photo) for number, photo in enumerate(photos, start=1) if not checks.is_waiting(photo.findings)
    ]
    waiting = [
        f"{number}. {quote(photo.name, 40)}"
        for number, photo in enumerate(photos, start=1)
        if checks.is_waiting(photo.findings)
    ]
    lines: list[str] = []
    for verdict, title in ((Verdict.REFUSED, "**Will not be sent**"), (Verdict.ADVISED, "**Usable, with advice**")):
        chosen = [(number, photo) for number, photo in numbered if photo.verdict is verdict]
        if chosen:
            lines.append(title)
            lines += [_reasoned(number, photo) for number, photo in chosen]
    if waiting:
        lines += ["**Waiting for a yes**", *_named("⏳", waiting)]
    good = [(number, photo) for number, photo in numbered if photo.verdict is Verdict.ACCEPTED]
    if good:
        lines.append("**Good**")
        plain = [f"{number}. {quote(photo.name, 40)}" for number, photo in good if not photo.findings]
        lines += _named(MARKS[Verdict.ACCEPTED], plain)
        lines += [_reasoned(number, photo) for number, photo in good if photo.findings]
    return clip(lines, limit, "…and {} more; `/dataset show` lists them once these are solved.")


def _head(board: Board, funds: Funds) -> str:
    usable, dataset = len(board.usable), board.dataset
    lines = [
        f"## {quote(dataset.name, 40)}",
        *_what_is_made(board),
        f"**{usable} of {board.limits.words} usable photos** {meter(usable, board.limits.most)}",
    ]
    if dataset.status is not DatasetStatus.OPEN:
        lines.append(f"This dataset has been {dataset.status.value}.")
    elif board.missing:
        lines.append(_what_is_missing(board))
    elif board.lacks_person:
        lines.append("The photos are enough.")
    elif funds.trouble is None:
        lines.append("Ready to start.")
    else:
        lines.append("The photos are fine; what is missing is named below.")
    lines += _advice(board)
    if board.lacks_person and dataset.status is DatasetStatus.OPEN:
        lines.append(ASKED_OF_PERSON)
    else:
        lines += said_of_person(dataset)
    if board.asked:
        names = ", ".join(f"<@{user_id}>" for user_id in board.asked)
        lines.append(f"Asked: {names}. The photos that they may be seen in are not sent before they say yes.")
    return "\n".join(lines)


def _advice(board: Board) -> list[str]:
    """What the photos lack as a set, where that matters: the same coach speaks on the panels of events."""
    if board.dataset.status is not DatasetStatus.OPEN or board.dataset.subject_kind is SubjectKind.CHARACTER:
        return []
    found = [f"💡 {each.sentence}" for each in about_set(board.usable)]
    return found or ([] if board.missing else ["💡 This is a good set: enough photos, and they differ well."])


def _what_is_missing(board: Board) -> str:
    """Photos that wait for a yes need not be added once more."""
    waiting = sum(checks.is_waiting(photo.findings) for photo in board.photos)
    if not waiting:
        return f"Please add {count(board.missing, 'more photo')}."
    here = f"{count(waiting, 'photo')} {'waits' if waiting == 1 else 'wait'} for a yes"
    more = board.missing - waiting
    return f"{here}; please add {count(more, 'more photo')}." if more > 0 else f"{here}; then this can start."


def _what_is_made(board: Board) -> list[str]:
    dataset = board.dataset
    if dataset.subject_kind is not SubjectKind.CHARACTER:
        version = ", a newer version" if dataset.previous_lora_id is not None else ""
        chosen = "" if dataset.steps == STEPS else f", with the {dataset.steps} steps you chose"
        what = SUBJECT_WORDS[dataset.subject_kind]
        return [f"A LoRA of {what}{version}. Training it usually takes {usual_time(dataset.steps)}{chosen}."]
    provider = dataset.subject_kind.provider.label
    return [
        f"A character. Nothing is trained: {provider} keeps the photos themselves as the reference.",
        "It is ready in seconds and costs nothing to make; each picture with it costs as usual.",
    ]


def _money(board: Board, funds: Funds, *, is_admin: bool) -> list[str]:
    provider = board.dataset.subject_kind.provider.label
    if funds.trouble is not None:
        lines = [f"**Not yet:** {funds.to_admin if is_admin else funds.trouble}"]
        if board.dataset.subject_kind is SubjectKind.CHARACTER:
            lines.append("Or discard this and send `/train` with another subject to train a LoRA.")
        return lines
    price = f"{funds.price} of this server's {provider} credits" if funds.price else f"nothing at {provider}"
    balance = "balance not known just now" if funds.balance is None else f"balance {funds.balance} credits"
    lines = [f"**Cost:** {price} · {balance}" if is_admin else f"**Cost:** {price}"]
    if funds.balance is not None and funds.balance < funds.price:
        lines.append(f"The server does not have that many left. Ask an admin to top up the {provider} account.")
    return lines


def _small_print(board: Board, timings: Timings) -> list[str]:
    if board.dataset.status is not DatasetStatus.OPEN:
        return []
    provider, lines = board.dataset.subject_kind.provider.label, []
    if any(photo.file for photo in board.photos):
        lines.append("-# Place and camera data removed from every photo.")
        if board.dataset.subject_kind is not SubjectKind.CHARACTER:
            lines[0] += f" {provider} captions the photos itself; you need not describe them."
    kept = kept_for(board.dataset, timings)
    lines.append(f"-# {consent_sentence(board.dataset.subject_kind, kept)}")
    if board.photos:
        ceiling = "" if timings.photos_kept_longest >= WEEK else f"; {ceiling_words(timings)}"
        lines.append(f"-# Kept until {when(board.dataset.created_at + kept)} at the latest{ceiling}.")
    return lines


def ceiling_words(timings: Timings) -> str:
    """Said where the operator allows less than a week."""
    return f"whoever runs this bot allows {lasting(max(timings.photos_kept, timings.photos_kept_longest))} at most"


def _buttons(board: Board, timings: Timings) -> list[ActionButton]:
    dataset_id, usable = board.dataset.id, len(board.usable)
    photos = count(usable, "photo") if not board.missing else f"{usable} of {board.limits.least}"
    start = ActionButton(
        "set",
        "start",
        dataset_id,
        label=f"Start training ({photos})",
        style=discord.ButtonStyle.success,
        disabled=not board.can_start,
    )
    buttons = [
        start,
        ActionButton("set", "add", dataset_id, label="Add photos"),
        ActionButton("set", "remove", dataset_id, label="Remove photos", disabled=not board.photos),
        ActionButton("set", "name", dataset_id, label="Who is in them?", disabled=not board.photos),
        ActionButton("set", "discard", dataset_id, label="Discard", style=discord.ButtonStyle.danger),
    ]
    longer = can_be_kept_for(board.dataset, timings)
    if longer is not None and board.photos:
        buttons.insert(-1, ActionButton("set", "keep", dataset_id, label=f"Keep for {lasting(longer)}"))
    if board.dataset.subject_kind is SubjectKind.PERSON:
        style = discord.ButtonStyle.primary if board.lacks_person else discord.ButtonStyle.secondary
        buttons.insert(1, ActionButton("set", "person", dataset_id, label="About the person", style=style))
    return buttons


def said_of_person(dataset: Dataset) -> list[str]:
    """One line with what has been said of the person in the photos; none before that."""
    if dataset.gender is None or not dataset.ethnicity:
        return []
    said = [dataset.gender.value, quote(dataset.ethnicity, 40), *([quote(dataset.age, 40)] if dataset.age else [])]
    return [f"About the person: {', '.join(said)}. Only you see this; it is deleted with the photos."]


def _named(mark: str, names: Sequence[str]) -> list[str]:
    return [f"{mark} {' · '.join(names[start : start + NAMES_A_LINE])}" for start in range(0, len(names), NAMES_A_LINE)]


def _reasoned(number: int, photo: Photo) -> str:
    reasons = " ".join(checks.explain(finding) for finding in photo.findings)
    return f"{MARKS[photo.verdict]} {number}. {quote(photo.name, 40)}: {reasons}"
