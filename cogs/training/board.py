"""The dataset board: every photo by name with what we say of it, the contact sheet, the price, the buttons."""

from collections.abc import Sequence
from datetime import timedelta

import discord

from bot.datasets.rules import Board, consent_sentence
from bot.keys.service import Funds
from bot.photos import checks
from bot.records.dataset import DatasetStatus, Photo, SubjectKind, Verdict
from bot.text import quote
from cogs.ui.buttons import ActionButton
from cogs.ui.layout import SHEET_FILE, Layout, SafeLayout
from cogs.ui.words import clip, count, meter

LIST_MAX = 2600
"""Characters for the photo lists; the rest of the board needs the other 1,400."""
NAMES_A_LINE = 3
MARKS = {Verdict.REFUSED: "❌", Verdict.ADVISED: "⚠️", Verdict.ACCEPTED: "✅"}
ACCENTS = {True: discord.Colour.green(), False: discord.Colour.gold()}


def board_card(board: Board, funds: Funds, kept: timedelta, *, has_sheet: bool, notes: Sequence[str] = ()) -> Layout:
    """`kept`: how long its photos are at most. `notes`: on those who are asked later, or get no private questions."""
    view = SafeLayout(ACCENTS[board.can_start and funds.trouble is None])
    view.add_text("\n".join([_head(board), *notes]))
    if has_sheet:
        view.add_gallery([(SHEET_FILE, sheet_alt(board.photos))])
    if board.photos:
        view.add_text(photo_list(board.photos))
    view.add_line()
    view.add_text(_money(board, funds, kept))
    if board.dataset.status is DatasetStatus.OPEN:
        view.add_row(*_buttons(board))
    return view


def sheet_alt(photos: Sequence[Photo]) -> str:
    return f"Contact sheet of {count(len(photos), 'photo')}, numbered as in the list below."


def photo_list(photos: tuple[Photo, ...]) -> str:
    """Refused and advised photos first, each with its reasons; then the good ones by name."""
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
    return clip(lines, LIST_MAX, "…and {} more; `/dataset show` lists them once these are solved.")


def _head(board: Board) -> str:
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
    else:
        lines.append("Ready to start.")
    if board.asked:
        names = ", ".join(f"<@{user_id}>" for user_id in board.asked)
        lines.append(f"Asked: {names}. The photos that they may be seen in are not sent before they say yes.")
    return "\n".join(lines)


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
        version = " · a newer version" if dataset.previous_lora_id is not None else ""
        return [f"{dataset.subject_kind.value} · {dataset.steps} steps · rank {dataset.rank}{version}"]
    provider = dataset.subject_kind.provider.label
    return [
        f"character · no weights are trained: {provider} keeps the photos themselves as the reference.",
        "It is ready in seconds and costs nothing to make; each picture with it costs as usual.",
    ]


def _money(board: Board, funds: Funds, kept: timedelta) -> str:
    provider = board.dataset.subject_kind.provider.label
    balance = "balance not known just now" if funds.balance is None else f"balance {funds.balance} credits"
    price = f"{funds.price} {provider} credits" if funds.price else f"nothing at {provider}"
    lines = [f"**Cost:** {price} · {funds.trouble or balance}"]
    if funds.trouble is not None and board.dataset.subject_kind is SubjectKind.CHARACTER:
        lines.append("Or discard this and send `/train` with another subject to train a LoRA.")
    if funds.balance is not None and funds.balance < funds.price:
        lines.append(f"That is not enough for a training. Ask an admin to top up the {provider} account.")
    if board.dataset.status is DatasetStatus.OPEN:
        lines.append(f"-# {consent_sentence(board.dataset.subject_kind, kept)}")
        lines.append(f"-# Dataset #{board.dataset.id}")
    return "\n".join(lines)


def _buttons(board: Board) -> list[ActionButton]:
    dataset_id, usable = board.dataset.id, len(board.usable)
    photos = count(usable, "photo") if board.can_start else f"{usable} of {board.limits.least}"
    return [
        ActionButton(
            "set",
            "start",
            dataset_id,
            label=f"Start training ({photos})",
            style=discord.ButtonStyle.success,
            disabled=not board.can_start,
        ),
        ActionButton("set", "add", dataset_id, label="Add photos"),
        ActionButton("set", "remove", dataset_id, label="Remove photos", disabled=not board.photos),
        ActionButton("set", "name", dataset_id, label="Who is in them?", disabled=not board.photos),
        ActionButton("set", "discard", dataset_id, label="Discard", style=discord.ButtonStyle.danger),
    ]


def _named(mark: str, names: Sequence[str]) -> list[str]:
    return [f"{mark} {' · '.join(names[start : start + NAMES_A_LINE])}" for start in range(0, len(names), NAMES_A_LINE)]


def _reasoned(number: int, photo: Photo) -> str:
    reasons = " ".join(checks.explain(finding) for finding in photo.findings)
    return f"{MARKS[photo.verdict]} {number}. {quote(photo.name, 40)}: {reasons}"
