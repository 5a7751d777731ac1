"""Cards that are posted or shown: training status and outcome, pictures, LoRAs, jobs, a paused key."""

from collections.abc import Sequence

import discord

from bot.generation.service import GenerationView
from bot.loras import LoraView
from bot.models import ApiKeyRow, Lora, Post, PostKind, TimelineEntry, TrainingStatus
from bot.quoting import quote
from bot.training.service import TrainingView
from cogs.ui.views import ActionButton
from cogs.ui.words import ago, clip, count, moment

Layout = discord.ui.LayoutView
Text = discord.ui.TextDisplay

STATUS_WORDS = {
    TrainingStatus.QUEUED: "waiting",
    TrainingStatus.SUBMITTING: "being handed over",
    TrainingStatus.SUBMITTED: "handed over, being prepared",
    TrainingStatus.TRAINING: "training (usually 15–25 minutes)",
    TrainingStatus.READY: "ready",
    TrainingStatus.FAILED: "not finished",
    TrainingStatus.CANCELLED: "cancelled",
}


def footer(post: Post) -> str:
    """The card's last line. It names the post, so that an interrupted post can be found again in the channel."""
    kind = {
        PostKind.TRAINING_STATUS: "Training #{} · status",
        PostKind.TRAINING_READY: "Training #{} · ready",
        PostKind.TRAINING_FAILED: "Training #{} · not finished",
        PostKind.PICTURES: "Pictures #{} · AI-generated",
        PostKind.PICTURES_FAILED: "Pictures #{} · not made",
        PostKind.KEY_PAUSED: "Key #{} · paused",
    }[post.kind]
    return f"-# {kind.format(post.subject_id)}"


def card(*texts: str, colour: discord.Colour, buttons: Sequence[ActionButton] = ()) -> Layout:
    view = Layout(timeout=None)
    box: discord.ui.Container[Layout] = discord.ui.Container(accent_colour=colour)
    for text in texts:
        box.add_item(Text(text))
    if buttons:
        row: discord.ui.ActionRow[Layout] = discord.ui.ActionRow()
        for button in buttons:
            row.add_item(button)
        box.add_item(row)
    view.add_item(box)
    return view


def training_status_card(view: TrainingView, last_line: str) -> Layout:
    training = view.training
    title = f"### Training {quote(training.name, 40)} for <@{training.user_id}>"
    return card(f"{title}\n{status_line(view)}\n{last_line}", colour=discord.Colour.blurple())


def status_line(view: TrainingView) -> str:
    training = view.training
    if training.status is TrainingStatus.QUEUED:
        if view.key is None or view.key.retired_at is not None or view.key.paused_at is not None:
            return "⏸️ Waiting for a working API key. An admin can set one with `/keys set`."
        if view.place is not None:
            return f"⏳ Waiting: place **{view.place}** in the queue."
    if any(entry.what == "late" for entry in view.timeline) and not training.status.is_terminal:
        return "⏳ Taking longer than 2 hours. It is still being watched."
    icon = {TrainingStatus.READY: "✅", TrainingStatus.FAILED: "❌"}.get(training.status, "⏳")
    return f"{icon} {STATUS_WORDS[training.status].capitalize()}."


def training_ready_card(view: TrainingView, last_line: str) -> Layout:
    training, lora = view.training, view.lora
    trigger = f"Its trigger word is {quote(lora.trigger_word)}." if lora and lora.trigger_word else ""
    text = (
        f"### {quote(training.name, 40)} is ready\n<@{training.user_id}>, your LoRA has been trained from "
        f"{count(training.photo_count, 'photo')}. {trigger}\nThe photos have been deleted here.\n{last_line}"
    )
    buttons = []
    if training.lora_id is not None:
        buttons.append(
            ActionButton(
                "lora", "imagine", training.lora_id, label="Make the first picture", style=discord.ButtonStyle.success
            )
        )
    return card(text, colour=discord.Colour.green(), buttons=buttons)


def training_failed_card(view: TrainingView, last_line: str) -> Layout:
    training = view.training
    reason = training.error or "no reason is known."
    text = f"### {quote(training.name, 40)} was not trained\n<@{training.user_id}>, {reason}"
    buttons = []
    if view.photos_left:
        text += "\nYour photos are still here; one press starts them again."
        buttons.append(
            ActionButton("job", "retry", training.id, label="Start again", style=discord.ButtonStyle.primary)
        )
    return card(f"{text}\n{last_line}", colour=discord.Colour.red(), buttons=buttons)


def pictures_card(
    view: GenerationView, last_line: str, files: Sequence[str], links: Sequence[str], note: str = ""
) -> Layout:
    """`files` are attachment names to show, `links` stand in for pictures that are too large to attach."""
    generation, layout = view.generation, Layout(timeout=None)
    box: discord.ui.Container[Layout] = discord.ui.Container(accent_colour=discord.Colour.purple())
    layout.add_item(box)
    name = quote(view.lora.name, 40) if view.lora else "a LoRA"
    box.add_item(Text(f"### {name} for <@{generation.user_id}>\n{quote(generation.prompt, 600)}"))
    if files:
        gallery: discord.ui.MediaGallery[Layout] = discord.ui.MediaGallery()
        for number, file in enumerate(files, start=1):
            gallery.add_item(media=f"attachment://{file}", description=alt_text(view, number))
        box.add_item(gallery)
    extra = [f"[Picture {number}, full quality]({link})" for number, link in enumerate(links, start=1)]
    lines = [settings_line(view), *([note] if note else []), *extra, last_line]
    box.add_item(Text("\n".join(lines)))
    if view.lora is not None and view.lora.archived_at is None:
        row: discord.ui.ActionRow[Layout] = discord.ui.ActionRow()
        row.add_item(ActionButton("lora", "imagine", view.lora.id, label="Make another"))
        box.add_item(row)
    return layout


def alt_text(view: GenerationView, number: int) -> str:
    """At most 1,024 characters (Discord /docs/resources/message, attachment description)."""
    prompt = " ".join(view.generation.prompt.split())
    return f"AI-generated picture {number} of {len(view.pictures)}: {prompt}"[:1000]


def settings_line(view: GenerationView) -> str:
    settings = view.generation.settings
    parts = [f"seed `{settings.seed}`", settings.aspect, settings.format]
    for label, value in (("strength", settings.strength), ("guidance", settings.guidance), ("steps", settings.steps)):
        if value is not None:
            parts.append(f"{label} {value:g}")
    if view.generation.cost is not None:
        parts.append(count(view.generation.cost, "credit"))
    return " · ".join(parts)


def pictures_failed_card(view: GenerationView, last_line: str) -> Layout:
    generation = view.generation
    text = f"### No pictures this time\n<@{generation.user_id}>, {generation.error}\n{quote(generation.prompt, 600)}"
    return card(f"{text}\n{last_line}", colour=discord.Colour.red())


def key_paused_card(key: ApiKeyRow, guild_name: str, last_line: str) -> Layout:
    text = (
        f"### The {key.provider.label} key of {quote(guild_name)} is paused\n"
        f"{key.provider.label} does not accept the key ending in `{key.last4}` any more. "
        "Trainings wait and nothing is lost. "
        f"Please check it in your {key.provider.label} dashboard, then run `/keys set` in the server.\n{last_line}"
    )
    return card(text, colour=discord.Colour.red())


def loras_card(loras: Sequence[Lora], title: str) -> Layout:
    lines = [
        f"• {quote(lora.name, 40)} · {lora.subject_kind.value} · trigger {quote(lora.trigger_word or '–')} · "
        f"<@{lora.owner_id}> · {ago(lora.created_at)}"
        for lora in loras
    ]
    text = clip(lines, 3500, "…and {} more.") or "None yet. `/train` makes the first one."
    return card(f"### {title}\n{text}", colour=discord.Colour.blurple())


def lora_card(view: LoraView) -> Layout:
    lora = view.lora
    text = (
        f"### {quote(lora.name, 40)}\n"
        f"Trigger word {quote(lora.trigger_word or '–')} (put in for you)\n"
        f"{lora.subject_kind.value} · trained {ago(lora.created_at)} at {lora.provider.label}\n"
        f"Owner <@{lora.owner_id}> · used for {count(view.uses, 'picture set')}\n-# LoRA #{lora.id}"
    )
    buttons = [
        ActionButton("lora", "imagine", lora.id, label="Make a picture", style=discord.ButtonStyle.success),
        ActionButton("lora", "archive", lora.id, label="Archive", style=discord.ButtonStyle.danger),
    ]
    return card(text, colour=discord.Colour.blurple(), buttons=buttons)


def jobs_card(trainings: Sequence[TrainingView], generations: Sequence[GenerationView], kept: Sequence[Post]) -> Layout:
    lines: list[str] = []
    for training in trainings:
        lines.append(f"**Training #{training.training.id}** {quote(training.training.name, 40)}")
        lines += [status_line(training), timeline_line(training.timeline)]
    for generation in generations:
        lines.append(f"**Pictures #{generation.generation.id}** {quote(generation.generation.prompt, 60)}")
        lines.append(timeline_line(generation.timeline))
    text = clip(lines, 3300, "…and older ones.") or "Nothing yet. `/train` and `/imagine` start something."
    buttons = [
        ActionButton("job", "fetch", post.id, label=f"Fetch #{post.subject_id}", style=discord.ButtonStyle.primary)
        for post in kept[:5]
    ]
    if kept:
        kept_are = "is" if len(kept) == 1 else "are"
        text = f"{count(len(kept), 'result')} could not be posted and {kept_are} kept for you.\n{text}"
    return card(f"### Your jobs\n{text}", colour=discord.Colour.blurple(), buttons=buttons)


def timeline_line(entries: Sequence[TimelineEntry]) -> str:
    steps = [
        f"{entry.what} {moment(entry.at)}{f' ({quote(entry.detail, 90)})' if entry.detail else ''}" for entry in entries
    ]
    return "-# " + " → ".join(steps) if steps else "-# –"
