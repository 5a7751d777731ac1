"""Posted cards of made pictures: a result with its buttons, one that failed, a copy in the gallery."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import discord

from bot.pictures.service import PictureSet
from bot.records.generation import Generation, GenerationSettings, Operation, Picture, say_setting
from bot.records.post import Post, PostKind
from bot.text import cite, quote
from cogs.likeness.cards import claim_button
from cogs.ui.buttons import ActionButton
from cogs.ui.layout import SafeLayout, card
from cogs.ui.words import MADE_BY_AI, count

PROMPT_SHOWN = 600
ALT_TEXT_MAX = 1000
"""Discord takes 1,024 characters (/docs/resources/message, attachment description)."""
MOST_FIRST = 2
"""Buttons that leave no room for another one in a row of five (Discord /docs/components/reference)."""
DONE = {
    Operation.UPSCALE_CLARITY: "Upscaled with Clarity",
    Operation.UPSCALE_TOPAZ: "Upscaled with Topaz",
    Operation.REMOVE_BACKGROUND: "Background removed",
}

LABELS: Mapping[str, str] = MappingProxyType(
    {
        "again": "Again",
        "vary": "Vary prompt",
        "settings": "Settings",
        "save": "Save original",
        "more": "More",
        "show": "Show it in the channel",
        "upscale": "Upscale",
        "cutout": "Remove background",
        "gallery": "To gallery",
        "delete": "Delete",
        "report": "Report",
    }
)
STYLES: Mapping[str, discord.ButtonStyle] = MappingProxyType(
    {
        "again": discord.ButtonStyle.primary,
        "enter": discord.ButtonStyle.success,
        "show": discord.ButtonStyle.primary,
        "delete": discord.ButtonStyle.danger,
    }
)

LAST_LINES: Mapping[PostKind, str] = MappingProxyType(
    {
        PostKind.PICTURES: "-# Pictures #{} · AI-generated",
        PostKind.PICTURES_LATE: "-# Pictures #{} · the rest · AI-generated",
        PostKind.PICTURES_SHOWN: "-# Pictures #{} · shown here · AI-generated",
        PostKind.PICTURES_FAILED: "-# Pictures #{} · not made",
    }
)


def last_line(post: Post) -> str:
    """The number under which `/jobs` and moderators know pictures, and that a machine made them."""
    return LAST_LINES[post.kind].format(post.subject_id)


def pictures_card(
    found: PictureSet,
    last_line: str,
    files: Mapping[int, str],
    links: Sequence[Picture],
    note: str = "",
    *,
    is_private: bool = False,
    can_enter: bool = False,
    can_show: bool = False,
) -> SafeLayout:
    """`files` are the attachment names of pictures by number, `links` pictures that cannot be attached.

    `is_private`: in a private message of the bot only what needs no server is offered. `can_enter`: its member can
    enter it in an event now; `can_show`: they got it privately by their own wish and can show it in the channel.
    """
    layout = SafeLayout(discord.Colour.purple())
    lines = [f"### {title(found)} for <@{found.generation.user_id}>", *_origin_lines(found)]
    layout.add_text("\n".join([*lines, *_prompt_lines(found)]))
    layout.add_gallery([(file, alt_text(found, number)) for number, file in files.items()])
    said = settings_line(found.generation)
    layout.add_text("\n".join([*filter(None, (said, note, missing_line(found))), *map(_link, links), last_line]))
    layout.add_row(*_front(found, is_private=is_private, can_enter=can_enter, can_show=can_show))
    return layout


def late_card(
    found: PictureSet,
    last_line: str,
    files: Mapping[int, str],
    links: Sequence[Picture],
    note: str = "",
    *,
    is_private: bool = False,
    can_enter: bool = False,
    can_show: bool = False,
) -> SafeLayout:
    """What came after the other pictures of a set, and what is missing; arguments as for `pictures_card`."""
    layout = SafeLayout(discord.Colour.purple() if found.view.pictures else discord.Colour.orange())
    layout.add_text(f"### The rest of pictures #{found.generation.id} for <@{found.generation.user_id}>")
    layout.add_gallery([(file, alt_text(found, number)) for number, file in files.items()])
    said = [note if found.view.pictures else "", missing_line(found)]
    layout.add_text("\n".join([*filter(None, said), *map(_link, links), last_line]))
    if found.view.pictures:
        layout.add_row(*_front(found, is_private=is_private, can_enter=can_enter, can_show=can_show))
    return layout


def _link(picture: Picture) -> str:
    return f"[Picture {picture.position}, full quality]({picture.url})"


def missing_line(found: PictureSet) -> str:
    """Which pictures of the set are not there, and whether they may still come; empty when none is missing."""
    generation = found.generation
    if generation.doubt is None:
        return generation.error or ""
    here = {picture.position for picture in found.view.pictures}
    awaited = [str(number) for number in generation.late if number not in here]
    named = f"Picture{'s' * (len(awaited) > 1)} {', '.join(awaited)} of {len(generation.image_urls)}"
    verb = "are" if len(awaited) > 1 else "is"
    return f"{named} {verb} not there yet; Darkroom keeps asking, and you are told here." if awaited else ""


def gallery_card(found: PictureSet, picture: Picture, files: Sequence[str]) -> SafeLayout:
    generation = found.generation
    layout = SafeLayout(discord.Colour.gold())
    layout.add_text("\n".join([f"### {title(found)} by <@{generation.user_id}>", *_prompt_lines(found)]))
    layout.add_gallery([(file, alt_text(found, picture.position)) for file in files])
    said = [f"Picture {picture.position} of #{generation.id}", settings_line(generation)]
    layout.add_text("\n".join([" · ".join(filter(None, said)), MADE_BY_AI]))
    layout.add_row(*(button_of(generation.id, action) for action in ("settings", "delete", "report", *_claim(found))))
    return layout


def pictures_failed_card(found: PictureSet, last_line: str) -> SafeLayout:
    generation = found.generation
    lines = ["### No pictures this time", f"<@{generation.user_id}>, {generation.error}", *_prompt_lines(found)]
    return card("\n".join([*lines, last_line]), colour=discord.Colour.red())


def title(found: PictureSet) -> str:
    """What was made with what, as the beginning of a headline."""
    if found.generation.operation is not Operation.IMAGINE:
        return DONE[found.generation.operation]
    lora, style = found.view.lora, found.view.style
    if lora is not None and style is not None:
        return f"{quote(lora.name, 40)} in the style {quote(style.name, 40)}"
    if lora is not None:
        return quote(lora.name, 40)
    return f"In the style {quote(style.name, 40)}" if style is not None else "Pictures"


def alt_text(found: PictureSet, number: int) -> str:
    """Says that a machine made it, what was done, and what was asked for."""
    words = " ".join(found.view.prompt.split())
    done = DONE.get(found.generation.operation)
    parts = [f"AI-generated picture {number} of {len(found.view.pictures)}", *([done.lower()] if done else [])]
    return f"{', '.join(parts)}{f': {words}' if words else ''}"[:ALT_TEXT_MAX]


def settings_line(generation: Generation) -> str:
    parts = settings_parts(generation.settings)
    if generation.cost is not None:
        parts.append(count(generation.cost, "credit"))
    return " · ".join(parts)


def settings_parts(settings: GenerationSettings) -> list[str]:
    """Everything that was not left to the provider, a few words each."""
    sides = None if settings.width is None else f"{settings.width} × {settings.height}"
    parts = [
        *([f"seed `{settings.seed}`"] if settings.seed is not None else []),
        *_said(settings, "aspect", "size"),
        *([sides] if sides is not None else []),
        *_said(settings, "format", "strength", "guidance", "steps", "denoise", "enhance"),
    ]
    if settings.negative is not None:
        parts.append(say_setting("negative", cite(settings.negative, 60)))
    return parts


def _said(settings: GenerationSettings, *names: str) -> list[str]:
    values = {name: getattr(settings, name) for name in names}
    return [say_setting(name, value) for name, value in values.items() if value is not None]


def _prompt_lines(found: PictureSet) -> list[str]:
    return [cite(found.view.prompt, PROMPT_SHOWN)] if found.view.prompt else []


def _origin_lines(found: PictureSet) -> list[str]:
    if found.generation.sample_of is not None:
        return ["-# A first picture, made by itself"]
    return [f"-# Made from {found.made_from}"] if found.made_from else []


def _front(found: PictureSet, *, is_private: bool, can_enter: bool, can_show: bool) -> list[ActionButton]:
    """At most four, and what else there is behind **More**, which asks what the member who presses it may do."""
    if is_private:
        first = [*(["enter"] if can_enter else []), *(["show"] if can_show else [])]
        actions = [*first, *(["settings"] if len(first) < MOST_FIRST else []), "save", "delete", *_claim(found)]
    elif found.generation.operation is not Operation.IMAGINE:
        actions = ["settings", "save", "more"]
    elif can_enter:
        actions = ["enter", "again", "vary", "save", "more"]
    else:
        actions = ["again", "vary", "settings", "save", "more"]
    return [button_of(found.generation.id, action) for action in actions]


def is_of_a_lora(found: PictureSet) -> bool:
    """Only a LoRA can show somebody again and again; other pictures can be reported."""
    return any(step.lora_id is not None for step in (found.generation, *found.lineage))


def _claim(found: PictureSet) -> list[str]:
    return ["claim"] if is_of_a_lora(found) else []


def button_of(generation_id: int, action: str) -> ActionButton:
    """The button below made pictures, or behind **More**, that stands for this action."""
    if action == "enter":
        return ActionButton("entry", "choose", generation_id, label="Enter in event", style=STYLES[action])
    if action == "claim":
        return claim_button("set", generation_id)
    style = STYLES.get(action, discord.ButtonStyle.secondary)
    return ActionButton("pic", action, generation_id, label=LABELS[action], style=style)
