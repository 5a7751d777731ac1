"""The small forms behind an event's settings: times, numbers, prompts, and what to look for."""

import math
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import discord

from bot.datasets.rules import RANK, RANK_LEAST, RANK_MOST, STEPS, STEPS_LEAST, STEPS_MOST
from bot.errors import UserError
from bot.events.packs import PROMPTS_MAX, check_pack
from bot.events.planning.drafts import LABELS, NAME_MAX, PHOTO_CAP_MAX, PICTURES_EACH_MAX, RULES_MAX, THEME_MAX
from bot.events.planning.timetables import ZONE_MAX, timed_stages, zone_of
from bot.records.event import Event, EventMode, Repeat
from cogs.events.host.pages import Page
from cogs.events.host.settings import show_settings
from cogs.events.texts import REPEAT_WORDS, stage_name
from cogs.ui.replies import Interaction, actor_of
from cogs.ui.views import SafeModal, paragraph

PROMPTS_LENGTH = 4000
"""Characters of a text field (Discord /docs/components/reference)."""
SEARCH_MAX = 40

Store = Callable[..., Awaitable[None]]
"""Takes the interaction, and what changes by name."""


@dataclass(frozen=True, slots=True)
class Number:
    """One field of the numbers; when `is_open` is set, it may be left empty."""

    field: str
    label: str
    hint: str
    modes: frozenset[EventMode]
    is_open: bool = False


WITH_PHOTOS = frozenset(mode for mode in EventMode if mode.trains)
WITH_ENTRANTS = WITH_PHOTOS | {EventMode.CLUB}
NUMBERS = (
    Number("photo_cap", LABELS["photo_cap"], f"1 to {PHOTO_CAP_MAX}.", WITH_PHOTOS),
    Number("pictures_each", LABELS["pictures_each"], f"0 to {PICTURES_EACH_MAX}.", WITH_ENTRANTS),
    Number("entrants_min", LABELS["entrants_min"], "With fewer the event waits instead of going on.", WITH_ENTRANTS),
    Number("entrants_max", LABELS["entrants_max"], "Leave empty for no limit.", WITH_ENTRANTS, is_open=True),
    Number("budget", LABELS["budget"], "Never is more spent. Empty: no limit.", frozenset(EventMode), is_open=True),
)
EFFORT = (
    Number("steps", "Steps", f"How long it trains: {STEPS_LEAST} to {STEPS_MOST}. Empty: {STEPS}.", WITH_PHOTOS, True),
    Number("rank", "Rank", f"How much it can hold: {RANK_LEAST} to {RANK_MOST}. Empty: {RANK}.", WITH_PHOTOS, True),
)


class WordsForm(SafeModal):
    """Name, theme and rules."""

    command = "event"
    thinking = False

    def __init__(self, event: Event, store: Store) -> None:
        super().__init__("Name, theme and rules")
        self.store = store
        self.name = self.add_field("Name", _short(event.name, required=True, most=NAME_MAX))
        self.theme = self.add_field("Theme", paragraph(default=event.theme or None, max_length=THEME_MAX))
        rules = paragraph(default=event.rules or None, required=False, max_length=RULES_MAX)
        self.rules = self.add_field("Rules", rules, "Leave empty for none.")

    async def submit(self, interaction: Interaction) -> None:
        await self.store(interaction, name=self.name.value, theme=self.theme.value, rules=self.rules.value)


class TimesForm(SafeModal):
    """Hours of each stage."""

    command = "event"
    thinking = False

    def __init__(self, event: Event, store: Store) -> None:
        super().__init__("How long everything lasts")
        self.event, self.store = event, store
        self.inputs = {
            stage: _short(f"{event.hours.get(stage, 0.0):g}", required=True) for stage in timed_stages(event.mode)
        }
        for stage, field in self.inputs.items():
            name = f"Hours for the {stage_name(event, stage)}"
            self.add_field(name, field, "0 leaves it out; 0.5 is 30 min.")

    async def submit(self, interaction: Interaction) -> None:
        hours = {stage: parse_hours(field.value) for stage, field in self.inputs.items()}
        await self.store(interaction, hours={**self.event.hours, **hours})


ONCE = "once"


class OpeningForm(SafeModal):
    """Day and time by the clocks of a time zone, and whether it comes back."""

    command = "event"
    thinking = False

    def __init__(self, event: Event) -> None:
        super().__init__("When it opens by itself")
        self.event_id = event.id
        at = None if event.opens_at is None else event.opens_at.astimezone(zone_of(event.opens_zone))
        chosen = ONCE if event.repeats is None else event.repeats.value
        words = {ONCE: "Only once"} | {each.value: REPEAT_WORDS[each] for each in Repeat}
        repeats = discord.ui.Select[SafeModal](
            options=[
                discord.SelectOption(label=label, value=value, default=value == chosen)
                for value, label in words.items()
            ]
        )
        day = _short("" if at is None else f"{at:%Y-%m-%d}", required=False)
        self.day = self.add_field("Day", day, "Such as 2026-12-24. Empty: you open it yourself.")
        self.time = self.add_field(
            "Time", _short("" if at is None else f"{at:%H:%M}", required=False), "Such as 19:30."
        )
        zone = _short(event.opens_zone or "UTC", required=False, most=ZONE_MAX)
        self.zone = self.add_field(
            "Time zone", zone, "Such as Europe/Berlin. The answer shows the time by your own clock."
        )
        self.repeats = self.add_field("Repeat", repeats, "The next one is planned when this one opens, set as it is.")

    async def submit(self, interaction: Interaction) -> None:
        openings, actor = interaction.client.services.openings, actor_of(interaction)
        zone = self.zone.value.strip() or None
        value = self.repeats.values[0]
        repeats = None if value == ONCE else Repeat(value)
        day, time = self.day.value, self.time.value
        await openings.plan(self.event_id, actor, day, time, zone=zone, repeats=repeats)
        await show_settings(interaction, self.event_id)


class NumbersForm(SafeModal):
    command = "event"
    thinking = False

    def __init__(
        self, event: Event, store: Store, title: str = "Numbers and budget", numbers: Sequence[Number] = NUMBERS
    ) -> None:
        super().__init__(title)
        self.store = store
        self.numbers = [each for each in numbers if event.mode in each.modes]
        self.inputs: dict[str, discord.ui.TextInput[SafeModal]] = {}
        for each in self.numbers:
            value = getattr(event, each.field)
            field = _short("" if value is None else str(value), required=not each.is_open)
            self.inputs[each.field] = self.add_field(each.label, field, each.hint)

    async def submit(self, interaction: Interaction) -> None:
        changes: dict[str, Any] = {
            each.field: parse_number(each, self.inputs[each.field].value) for each in self.numbers
        }
        await self.store(interaction, **changes)


class PromptsForm(SafeModal):
    command = "event"
    thinking = False

    def __init__(self, event: Event, store: Store) -> None:
        super().__init__("Own prompts")
        self.store = store
        field = paragraph(
            placeholder="{trigger} on a beach\n{trigger} in the rain",
            default="\n".join(event.pack)[:PROMPTS_LENGTH] or None,
            max_length=PROMPTS_LENGTH,
        )
        hint = f"One on each line, up to {PROMPTS_MAX}. " + "{trigger} is where the LoRA's trigger word goes."
        self.prompts = self.add_field("Prompts", field, hint)

    async def submit(self, interaction: Interaction) -> None:
        await self.store(interaction, pack=check_pack(self.prompts.value.splitlines()))


class FindForm(SafeModal):
    """Which styles and LoRAs the selects offer: one select holds 25 only."""

    command = "event"
    thinking = False

    def __init__(self, event_id: int) -> None:
        super().__init__("Find a style or a LoRA")
        self.event_id = event_id
        hint = "A few letters of the name; leave it empty to see the first ones."
        self.search = self.add_field("Look for", _short("", required=False, most=SEARCH_MAX), hint)

    async def submit(self, interaction: Interaction) -> None:
        await show_settings(interaction, self.event_id, Page.PICTURES, self.search.value.strip())


def _short(text: str, *, required: bool, most: int = 12) -> discord.ui.TextInput[SafeModal]:
    return discord.ui.TextInput(default=text or None, required=required, max_length=most)


def parse_hours(text: str) -> float:
    """UserError when it is no number of hours; a decimal comma is fine."""
    try:
        hours = float(text.strip().replace(",", "."))
    except ValueError:
        hours = math.nan
    if not math.isfinite(hours) or hours < 0:
        raise UserError("Please write each time as a number of hours, such as `2` or `0.5`. Nothing was changed.")
    return hours


def parse_number(number: Number, text: str) -> int | None:
    """UserError when it is no whole number."""
    text = text.strip()
    if not text and number.is_open:
        return None
    if not (text.isascii() and text.isdigit()):
        empty = " or leave it empty" if number.is_open else ""
        raise UserError(f"**{number.label}** takes a whole number{empty}. Nothing was changed.")
    return int(text)
