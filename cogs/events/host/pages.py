"""The pages of an event's settings: what each says, and what can be chosen there."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import discord

from bot.events.packs import READY_PACKS
from bot.events.planning.drafts import LABELS
from bot.events.planning.timetables import TIMETABLES, timetable_of
from bot.events.views import EventView
from bot.records.event import Event, EventMode, EventStatus
from bot.text import cite, quote
from cogs.events.texts import budget_words, effort_words, entrants_words, hours_words, opening_words
from cogs.ui.buttons import ActionButton
from cogs.ui.choices import (
    OPTIONS_MAX,
    Chosen,
    MemberChoice,
    RoleChoice,
    Select,
    StringChoice,
    kept,
    options_of,
)
from cogs.ui.news_role import warning
from cogs.ui.replies import Interaction
from cogs.ui.words import clip

PROMPT_SHOWN = 90
PACK_SHOWN = 1200

Store = Callable[..., Any]


class Page(StrEnum):
    TIMES = "times"
    PEOPLE = "people"
    PICTURES = "pictures"
    RESULT = "result"


PAGE_NAMES = {Page.TIMES: "Times", Page.PEOPLE: "People", Page.PICTURES: "Pictures and budget", Page.RESULT: "Result"}


@dataclass(frozen=True, slots=True)
class ShownPage:
    """One page of one event; styles and LoRAs by their ids, those chosen before first. `store` takes what changes."""

    view: EventView
    page: Page
    store: Store
    styles: Mapping[int, str]
    loras: Mapping[int, str]
    roles: frozenset[int]
    """Of the server; a role that is gone cannot be marked as chosen."""

    @property
    def event(self) -> Event:
        return self.view.event


@dataclass(frozen=True, slots=True)
class Content:
    text: str
    selects: Sequence[Select]
    buttons: Sequence[ActionButton]


def content_of(shown: ShownPage) -> Content:
    return {Page.TIMES: _times, Page.PEOPLE: _people, Page.PICTURES: _pictures}[shown.page](shown)


def _times(shown: ShownPage) -> Content:
    event = shown.event
    before = timetable_of(event)
    options = [
        discord.SelectOption(
            label=each.name, value=key, description=hours_words(event, each.hours), default=key == before
        )
        for key, each in TIMETABLES.items()
    ]

    async def chosen(interaction: Interaction, values: Sequence[str]) -> None:
        await shown.store(interaction, hours={**event.hours, **TIMETABLES[values[0]].hours})

    is_draft = event.status is EventStatus.DRAFT
    opens = f"**Opens:** {opening_words(event)}\n" if is_draft else ""
    text = (
        f"{opens}**How long everything lasts:** {hours_words(event, event.hours)}, and the training in between.\n"
        "You can end a stage early or give it more time whenever you like."
    )
    return Content(
        text,
        [StringChoice("Choose how long everything lasts", options, chosen, least=1)],
        [
            *([ActionButton("host", "opening", event.id, label="Opening time")] if is_draft else []),
            ActionButton("host", "words", event.id, label="Name, theme, rules"),
            ActionButton("host", "banner", event.id, label="Banner"),
            ActionButton("host", "hours", event.id, label="Own times"),
            ActionButton("host", "thread", event.id, label=f"Thread: {_on_off(event.wants_thread)}"),
            ActionButton("host", "calendar", event.id, label=f"Calendar: {_on_off(event.wants_calendar)}"),
        ],
    )


def _people(shown: ShownPage) -> Content:
    event = shown.event
    jury = [] if event.jury_role_id is None else [event.jury_role_id]

    def keep(field: str) -> Chosen:
        async def chosen(interaction: Interaction, values: Sequence[int]) -> None:
            await shown.store(interaction, **{field: frozenset(values)})

        return chosen

    async def jury_chosen(interaction: Interaction, values: Sequence[int]) -> None:
        await shown.store(interaction, jury_role_id=values[0] if values else None)

    lines = [
        f"**May take part:** {_roles(event.role_ids, 'everyone')}",
        f"**Run it together with you:** {_members(event.moderator_ids)}",
        f"**Jury:** {_roles(jury, 'none; all votes count the same')}",
    ]
    if event.mode is not EventMode.BAKEOFF:
        lines.insert(1, f"**Takes:** {entrants_words(event)}")
    if jury:
        lines.append("Half of the score comes from the jury, half from everybody else.")
        lines += warning(event.jury_role_id, shown.view.news_role_id)
    return Content(
        "\n".join(lines),
        [
            RoleChoice("Roles that may take part", event.role_ids & shown.roles, keep("role_ids")),
            MemberChoice("Members who run it with you", event.moderator_ids, keep("moderator_ids")),
            RoleChoice("The role of the jury", shown.roles.intersection(jury), jury_chosen, most=1),
        ],
        [] if event.mode is EventMode.BAKEOFF else [_numbers_button(event, "limits")],
    )


def _pictures(shown: ShownPage) -> Content:
    event = shown.event
    lines = [f"**Budget:** {budget_words(event)}{_buys(shown.view)}"]
    if event.mode.trains:
        lines.append(f"**{LABELS['photo_cap']}:** up to {event.photo_cap}")
    if event.mode is not EventMode.BAKEOFF:
        lines.append(f"**{LABELS['pictures_each']}:** {event.pictures_each or 'none'}")
    if event.mode is EventMode.CLUB:
        return _club(shown, lines)
    if event.trains_loras:
        lines.append(f"**Training:** {effort_words(event)}")
    lines.append(_pack_text(event))
    buttons = [_numbers_button(event), ActionButton("host", "prompts", event.id, label="Own prompts")]
    if event.trains_loras and event.status is EventStatus.DRAFT:
        buttons.append(ActionButton("host", "effort", event.id, label="Steps and rank"))
    return Content("\n".join(lines), [_pack_choice(shown)], buttons)


def _club(shown: ShownPage, lines: list[str]) -> Content:
    event = shown.event
    chosen_styles = [shown.styles.get(each, "a style that is gone") for each in event.style_ids]
    chosen_loras = [shown.loras.get(each, "another member's LoRA") for each in event.lora_ids]
    lines += [f"**Styles:** {_names(chosen_styles)}", f"**LoRAs:** {_names(chosen_loras)}"]
    selects: list[Select] = []
    if shown.styles:
        selects.append(_many(shown, "style_ids", event.style_ids, shown.styles, "Styles that members may use"))
    if shown.loras:
        selects.append(_many(shown, "lora_ids", event.lora_ids, shown.loras, "LoRAs that members may use"))
    if not selects:
        lines.append("There are no styles and no LoRAs that fit. Train one with `/train`, or ask an admin for a key.")
    find = ActionButton("host", "find", event.id, label="Find a style or a LoRA")
    return Content("\n".join(lines), selects, [_numbers_button(event), find])


def _many(shown: ShownPage, field: str, before: tuple[int, ...], names: Mapping[int, str], placeholder: str) -> Select:
    options = options_of(names, before)

    async def chosen(interaction: Interaction, values: Sequence[str]) -> None:
        offered = [int(option.value) for option in options]
        await shown.store(interaction, **{field: kept(before, offered, values)})

    return StringChoice(placeholder, options, chosen, most=OPTIONS_MAX)


def _pack_choice(shown: ShownPage) -> Select:
    options = [
        discord.SelectOption(
            label=pack.name,
            value=key,
            description=pack.prompts[0][:100],
            default=tuple(pack.prompts) == shown.event.pack,
        )
        for key, pack in READY_PACKS.items()
    ]

    async def chosen(interaction: Interaction, values: Sequence[str]) -> None:
        await shown.store(interaction, pack=tuple(READY_PACKS[values[0]].prompts) if values else ())

    return StringChoice("Pictures that I make with every LoRA", options, chosen)


def _pack_text(event: Event) -> str:
    if not event.pack:
        return "**Pictures that I make with every LoRA:** none"
    lines = [f"- {cite(prompt, PROMPT_SHOWN)}" for prompt in event.pack]
    return f"**Pictures that I make with every LoRA:**\n{clip(lines, PACK_SHOWN, '- …and {} more')}"


def _buys(view: EventView) -> str:
    if view.affordable is None or view.affordable.credits_left is None:
        return ""
    return f"; it buys {view.affordable.words}"


def _numbers_button(event: Event, action: str = "numbers") -> ActionButton:
    return ActionButton("host", action, event.id, label="Numbers and budget")


def _on_off(is_on: bool) -> str:
    return "on" if is_on else "off"


def _roles(ids: Sequence[int] | frozenset[int], otherwise: str) -> str:
    return ", ".join(f"<@&{each}>" for each in sorted(ids)) or otherwise


def _members(ids: frozenset[int]) -> str:
    return ", ".join(f"<@{each}>" for each in sorted(ids)) or "nobody"


def _names(names: Sequence[str]) -> str:
    shown = [quote(name, 40) for name in names[:OPTIONS_MAX]]
    left = len(names) - len(shown)
    return (", ".join(shown) + (f" and {left} more" if left else "")) or "none yet"
