"""The settings of an event: limits, defaults of each kind, what can still be changed. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from bot.datasets.ages import mentions_minor
from bot.datasets.rules import check_effort, photo_limits
from bot.errors import UserError
from bot.events.lifecycle import PATHS, TIMED
from bot.events.packs import READY_PACKS, check_pack
from bot.records.dataset import SubjectKind
from bot.records.event import Candidate, Event, EventMode, EventStatus

S = EventStatus

NAME_MAX, THEME_MAX, RULES_MAX = 60, 1000, 1000
PHOTO_CAP_MAX = 30
PICTURES_EACH_MAX = 20
ENTRANTS_MAX = 500
BUDGET_MAX = 1_000_000
LABELS = MappingProxyType(
    {
        "photo_cap": "Photos per member",
        "pictures_each": "Own pictures per member",
        "entrants_min": "Fewest members",
        "entrants_max": "Most members",
        "budget": "Budget in credits",
    }
)
"""What hosts call each number: in the form, and when it is refused."""
HOURS_MAX = 336.0
CANDIDATES_MAX, LABEL_MAX = 8, 100
MODERATORS_MAX, ROLES_MAX, THINGS_MAX = 25, 25, 25
"""As many as one select shows (Discord /docs/components/reference)."""
LIVE_MAX = 10
"""Events of a guild that can be live at once."""

LIVE_FIELDS = frozenset(
    {
        "photo_cap",
        "pictures_each",
        "entrants_min",
        "entrants_max",
        "budget",
        "role_ids",
        "moderator_ids",
        "hours",
        "wants_thread",
        "wants_calendar",
        "winner_role_id",
        "passes_role",
    }
)
"""Fields that can be changed until the event is over."""
UNTIL: Mapping[str, frozenset[EventStatus]] = {
    "pack": frozenset({S.COLLECTING, S.REVIEWING, S.TRAINING}),
    "style_ids": frozenset({S.COLLECTING}),
    "lora_ids": frozenset({S.COLLECTING}),
    "on_tie": frozenset({S.COLLECTING, S.REVIEWING, S.TRAINING, S.SHOWING}),
    "jury_role_id": frozenset({S.COLLECTING, S.REVIEWING, S.TRAINING, S.SHOWING}),
}
"""Fields that can be changed only in these live stages, so that all entrants have the same event."""
WORDS = frozenset({"name", "theme", "rules"})
"""Fields that can be changed until somebody takes part: they are what that member agreed to."""
DRAFT_FIELDS = frozenset({"mode", "subject_kind", "candidates", "steps", "rank"})
"""Fields that are fixed once the event is open."""

SHARED_KINDS = frozenset({SubjectKind.OBJECT, SubjectKind.STYLE})

USUAL_PACK = READY_PACKS["postcards"]
USUAL_HOURS: dict[EventStatus, float] = {S.COLLECTING: 72.0, S.REVIEWING: 12.0, S.SHOWING: 24.0, S.VOTING: 48.0}
BAKEOFF_HOURS: dict[EventStatus, float] = {S.SHOWING: 1.0}
"""Short, because members have nothing to do while its pictures are made."""


COPIED = (
    "guild_id",
    "channel_id",
    "host_id",
    "name",
    "theme",
    "rules",
    "mode",
    "subject_kind",
    "photo_cap",
    "pictures_each",
    "entrants_min",
    "entrants_max",
    "budget",
    "role_ids",
    "moderator_ids",
    "jury_role_id",
    "on_tie",
    "winner_role_id",
    "passes_role",
    "pack",
    "style_ids",
    "lora_ids",
    "candidates",
    "hours",
    "wants_thread",
    "wants_calendar",
    "banner",
    "banner_by",
    "steps",
    "rank",
)
"""Columns that an event has in common with one that is planned as it was."""


@dataclass(frozen=True, slots=True)
class EventDraft:
    """What the host enters first; all other fields begin with a default."""

    name: str
    theme: str
    rules: str
    mode: EventMode
    subject_kind: SubjectKind
    candidates: tuple[Candidate, ...] = ()
    lora_ids: tuple[int, ...] = ()


def beginnings(draft: EventDraft) -> dict[str, Any]:
    """The first columns of an event of this kind, except place and host. UserError when a text is too long."""
    name, theme, rules = " ".join(draft.name.split()), draft.theme.strip(), draft.rules.strip()
    _check_texts(name, theme, rules)
    trains_each = draft.mode is EventMode.PERSONAL
    most = min(PHOTO_CAP_MAX, photo_limits(draft.subject_kind).most)
    return {
        "name": name,
        "theme": theme,
        "rules": rules,
        "mode": draft.mode,
        "subject_kind": draft.subject_kind,
        "photo_cap": most if trains_each else 10,
        "pictures_each": 0 if draft.mode is EventMode.BAKEOFF else 3,
        "entrants_min": 1 if draft.mode is EventMode.BAKEOFF else 2,
        "role_ids": frozenset[int](),
        "moderator_ids": frozenset[int](),
        "pack": () if draft.mode is EventMode.CLUB else USUAL_PACK.prompts,
        "style_ids": (),
        "lora_ids": draft.lora_ids,
        "candidates": draft.candidates,
        "hours": hours_of(draft.mode, USUAL_HOURS | (BAKEOFF_HOURS if draft.mode is EventMode.BAKEOFF else {})),
        "wants_thread": True,
        "wants_calendar": False,
    }


def copied(event: Event) -> dict[str, Any]:
    """The columns of a draft that is planned as this event was."""
    return {name: getattr(event, name) for name in COPIED}


def hours_of(mode: EventMode, hours: Mapping[EventStatus, float]) -> dict[EventStatus, float]:
    """The hours of those stages that this kind of event has."""
    return {stage: float(hours[stage]) for stage in PATHS[mode] if stage in TIMED and stage in hours}


def texts_of(changes: Mapping[str, Any]) -> list[str]:
    """What of the changes somebody has written."""
    return [*(str(changes[name]) for name in ("name", "theme", "rules") if name in changes), *changes.get("pack", ())]


def tidied(event: Event, changes: Mapping[str, Any]) -> dict[str, Any]:
    """The changes as they are stored: texts trimmed, hours of other stages kept. UserError for an invalid pack."""
    values = dict(changes)
    if "name" in values:
        values["name"] = " ".join(str(values["name"]).split())
    for field in ("theme", "rules"):
        if field in values:
            values[field] = str(values[field]).strip()
    if "pack" in values:
        values["pack"] = check_pack(values["pack"]) if values["pack"] else ()
    for field in ("style_ids", "lora_ids"):
        if field in values:
            values[field] = tuple(dict.fromkeys(values[field]))
    mode = values.get("mode", event.mode)
    if "hours" in values or "mode" in values:
        known = USUAL_HOURS if "mode" in values else {}
        values["hours"] = hours_of(mode, {**known, **event.hours, **values.get("hours", {})})
    return values


def check_changeable(event: Event, fields: frozenset[str], *, is_taken_up: bool) -> None:
    """UserError when one of these fields is fixed in the event's present stage. `is_taken_up`: somebody has joined."""
    unknown = fields - LIVE_FIELDS - WORDS - DRAFT_FIELDS - UNTIL.keys()
    if unknown:
        raise TypeError(f"an event has no changeable {sorted(unknown)}")
    if event.status is S.DRAFT:
        return
    if fields & DRAFT_FIELDS:
        raise UserError("This was fixed when the event was opened. Cancel it and create another one instead.")
    if fields & WORDS and (is_taken_up or event.status is S.VOTING):
        raise UserError("Somebody takes part already, so name, theme and rules stay what they said yes to.")
    for field in sorted(fields & UNTIL.keys()):
        if event.status not in UNTIL[field]:
            raise UserError("It is too late to change this: it would not be the same event for everybody.")


def check_event(event: Event) -> None:
    """UserError with one sentence about the first field that is not within its limits."""
    _check_texts(event.name, event.theme, event.rules)
    _check_kind(event)
    _check_numbers(event)
    _check_sizes(event)
    check_effort(event.steps, event.rank)
    for hours in event.hours.values():
        if not 0 <= hours <= HOURS_MAX:
            raise UserError(
                f"A stage takes 0 to {HOURS_MAX:.0f} hours, which is two weeks. Please pick a number there."
            )


def _check_texts(name: str, theme: str, rules: str) -> None:
    if not 1 <= len(name) <= NAME_MAX:
        raise UserError(f"The name takes 1 to {NAME_MAX} characters. Please pick another one.")
    for label, text, most in (("theme", theme, THEME_MAX), ("rules", rules, RULES_MAX)):
        if len(text) > most:
            raise UserError(f"The {label} text takes up to {most} characters. Please shorten it.")


def _check_kind(event: Event) -> None:
    if event.mode is EventMode.SHARED and event.subject_kind not in SHARED_KINDS:
        raise UserError(
            "One LoRA for everybody can be of an object or a style. "
            "For people and characters, pick the kind of event where everyone trains their own."
        )
    if event.subject_kind is SubjectKind.PERSON and any(map(mentions_minor, (event.name, event.theme, *event.pack))):
        raise UserError(
            "An event can train on photos of people who are 18 or older. Please change its name, theme or prompts."
        )
    limits = photo_limits(event.subject_kind)
    if event.mode is EventMode.PERSONAL and event.photo_cap < limits.least:
        raise UserError(
            f"Everyone needs {limits.least} photos for a LoRA of their own. Please allow at least so many per person."
        )


def _check_numbers(event: Event) -> None:
    ranges = (
        ("photo_cap", event.photo_cap, 1, PHOTO_CAP_MAX),
        ("pictures_each", event.pictures_each, 0, PICTURES_EACH_MAX),
        ("entrants_min", event.entrants_min, 1, ENTRANTS_MAX),
        ("entrants_max", event.entrants_max, 2, ENTRANTS_MAX),
        ("budget", event.budget, 1, BUDGET_MAX),
    )
    for number, value, least, most in ranges:
        if value is not None and not least <= value <= most:
            raise UserError(f"**{LABELS[number]}** can be {least:,} to {most:,}. Please pick a number there.")
    if event.entrants_max is not None and event.entrants_max < event.entrants_min:
        raise UserError(
            f"**{LABELS['entrants_max']}** is below **{LABELS['entrants_min']}**. Please swap or change them."
        )


def _check_sizes(event: Event) -> None:
    lists = (
        ("roles", event.role_ids, ROLES_MAX),
        ("moderators", event.moderator_ids, MODERATORS_MAX),
        ("styles", event.style_ids, THINGS_MAX),
        ("LoRAs", event.lora_ids, THINGS_MAX),
        ("versions or settings", event.candidates, CANDIDATES_MAX),
    )
    for label, chosen, most in lists:
        if len(chosen) > most:
            raise UserError(f"An event takes up to {most} {label}. Please leave some out.")
    if any(not 1 <= len(candidate.label) <= LABEL_MAX for candidate in event.candidates):
        raise UserError(f"What a version or setting is called takes 1 to {LABEL_MAX} characters. Please shorten it.")
