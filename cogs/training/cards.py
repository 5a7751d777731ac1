"""Cards that are posted or shown: training status and outcome, jobs, a paused key."""

from collections.abc import Sequence

import discord

from bot.records.job import TimelineEntry
from bot.records.key import ProviderName
from bot.records.training import Training, TrainingStatus
from bot.text import bare, code, quote
from bot.training.service import TrainingView
from cogs.likeness.cards import claim_button
from cogs.ui.buttons import ActionButton
from cogs.ui.layout import Layout, SafeLayout, card
from cogs.ui.words import ago, count, moment, roughly

STATUS_WORDS = {
    TrainingStatus.QUEUED: "waiting",
    TrainingStatus.SUBMITTING: "being handed over",
    TrainingStatus.SUBMITTED: "handed over, being prepared",
    TrainingStatus.TRAINING: "training",
    TrainingStatus.READY: "ready",
    TrainingStatus.FAILED: "not finished",
    TrainingStatus.CANCELLED: "cancelled before it was sent; nothing was paid",
}
ICONS = {TrainingStatus.READY: "✅", TrainingStatus.FAILED: "❌", TrainingStatus.CANCELLED: "✖️"}
NOT_KNOWN = {
    ProviderName.APIFRAME: "Apiframe says that it takes 15–25 minutes.",
    ProviderName.AUROUS: "It is ready in seconds.",
}
"""Source: Apiframe /docs/loras, Aurous Labs /characters."""


def training_status_card(view: TrainingView) -> SafeLayout:
    training = view.training
    making = "Making the character" if training.provider is ProviderName.AUROUS else "Training"
    title = f"### {making} {quote(training.name, 40)} for <@{training.user_id}>"
    buttons = [ActionButton("training", "cancel", training.id, label="Cancel")] if view.can_cancel else []
    text = "\n".join([title, *progress_lines(view), _number(training)])
    return card(text, colour=discord.Colour.blurple(), buttons=buttons)


def cancelled_card(view: TrainingView, viewer_id: int) -> Layout:
    """For whoever pressed Cancel: its member, or an admin."""
    training = view.training
    text = f"{quote(training.name, 40)} was cancelled before it was sent. Nothing was paid."
    buttons = []
    if training.user_id != viewer_id:
        text += f" <@{training.user_id}> is told."
    elif view.photos_left:
        text += " Your photos are back on their board for the rest of their time."
        buttons.append(ActionButton("set", "show", training.dataset_id, label="Show the board"))
    return card(text, colour=discord.Colour.dark_grey(), buttons=buttons)


def progress_lines(view: TrainingView) -> list[str]:
    """Where it is, since when, and when it is usually ready."""
    return [status_line(view), *([] if view.training.status.is_terminal else [_time_line(view)])]


def _time_line(view: TrainingView) -> str:
    training, takes = view.training, view.usual
    began = training.submitted_at or training.submitting_at
    if training.status is TrainingStatus.QUEUED or began is None:
        usual = NOT_KNOWN[training.provider] if takes is None else f"Once it starts, it usually takes {roughly(takes)}."
        return f"Ordered {ago(training.created_at)}. {usual}"
    if takes is None:
        return f"Started {ago(began)}. {NOT_KNOWN[training.provider]}"
    return f"Started {ago(began)}, usually ready about {moment(began + takes)} ({ago(began + takes)})."


def status_line(view: TrainingView) -> str:
    training = view.training
    if training.status is TrainingStatus.QUEUED:
        if view.key is None or view.key.retired_at is not None or view.key.paused_at is not None:
            return "⏸️ Waiting for a working API key. An admin can set one with `/keys set`."
        if view.place is not None:
            return f"⏳ Waiting: place **{view.place}** in the queue."
    if any(entry.what == "late" for entry in view.timeline) and not training.status.is_terminal:
        return "⏳ Taking longer than 2 hours. It is still being watched."
    icon = ICONS.get(training.status, "⏳")
    return f"{icon} {STATUS_WORDS[training.status].capitalize()}."


def training_ready_card(view: TrainingView) -> SafeLayout:
    training, lora = view.training, view.lora
    version = f" v{lora.version}" if lora is not None and lora.version > 1 else ""
    lines = [
        f"# {quote(training.name, 40)}{version} is ready",
        f"<@{training.user_id}>, {_made_from(training)}",
        _photos_now(training),
    ]
    if version:
        lines.append("It is a LoRA of its own: nobody it is not shared with can use it, and the version before stays.")
    if lora is not None and lora.trigger_word:
        lines.append(f"-# Its trigger word {code(lora.trigger_word)} is put into your prompts by itself.")
    if view.has_sample:
        lines.append("A first picture follows by itself. The next one is yours: say what it should show.")
    text = "\n".join([*lines, _number(training)])
    buttons = []
    if training.lora_id is not None:
        label = f"Make the {'next' if view.has_sample else 'first'} picture"
        style = discord.ButtonStyle.success
        buttons.append(ActionButton("order", "imagine", training.lora_id, label=label, style=style))
        buttons.append(claim_button("lora", training.lora_id))
    return card(text, colour=discord.Colour.green(), buttons=buttons)


def _made_from(training: Training) -> str:
    photos = count(training.photo_count, "photo")
    if training.provider is ProviderName.AUROUS:
        return f"your character has been made from {photos}."
    return f"your LoRA has been trained from {photos}."


def _photos_now(training: Training) -> str:
    if training.provider is ProviderName.AUROUS:
        return (
            f"The photos have been deleted here; {training.provider.label} keeps them as the character's reference. "
            "`/loras archive` asks to have it deleted there."
        )
    return "The photos have been deleted here."


def training_failed_card(view: TrainingView) -> SafeLayout:
    training = view.training
    reason = training.error or "no reason is known."
    what = "made" if training.provider is ProviderName.AUROUS else "trained"
    text = f"### {quote(training.name, 40)} was not {what}\n<@{training.user_id}>, {reason}"
    buttons = []
    if view.photos_left and training.event_id is None:
        text += "\nYour photos are still here; one press starts them again."
        buttons.append(
            ActionButton("training", "retry", training.id, label="Start again", style=discord.ButtonStyle.primary)
        )
    return card(f"{text}\n{_number(training)}", colour=discord.Colour.red(), buttons=buttons)


def _number(training: Training) -> str:
    """Under which `/jobs` and admins know it."""
    return f"-# Training #{training.id}"


def timeline_line(entries: Sequence[TimelineEntry]) -> str:
    """Details are letter by letter as they are, ids of providers among them."""
    steps = [
        f"{entry.what} {moment(entry.at)}{f' ({code(bare(entry.detail), 90)})' if entry.detail else ''}"
        for entry in entries
    ]
    return "-# " + " → ".join(steps) if steps else "-# –"
