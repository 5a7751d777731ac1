"""What a host reads about an event: its mode, its stages, its numbers, why it waits. Pure."""

from collections.abc import Mapping

from bot.datasets.rules import RANK, STEPS, usual_time
from bot.events.planning.drafts import NAME_MAX
from bot.events.planning.timetables import timed_stages
from bot.events.views import EventView, UncountedPhotos
from bot.records.dataset import SubjectKind
from bot.records.event import Event, EventMode, EventStatus, OnTie, PauseReason, Repeat
from bot.records.training import TrainingStatus
from bot.text import quote
from cogs.training import cards as training_cards
from cogs.ui.words import count

MODE_WORDS = {
    EventMode.SHARED: "One LoRA of all photos",
    EventMode.PERSONAL: "A LoRA for everyone",
    EventMode.CLUB: "Picture club",
    EventMode.BAKEOFF: "Blind bake-off",
}
MODE_MEANING = {
    EventMode.SHARED: "Everybody gives photos of one thing; one LoRA is trained for all.",
    EventMode.PERSONAL: "Everybody gives own photos and gets an own LoRA.",
    EventMode.CLUB: "No training: members make pictures with your styles and LoRAs.",
    EventMode.BAKEOFF: "The same prompts with different settings; members vote without knowing which is which.",
}
KIND_WORDS = {
    SubjectKind.OBJECT: "a pet, an object or a place",
    SubjectKind.STYLE: "a style",
    SubjectKind.PERSON: "a person",
    SubjectKind.CHARACTER: "a character",
}
KIND_MEANING = {
    SubjectKind.OBJECT: "Also a mascot or a building.",
    SubjectKind.STYLE: "How pictures look: drawings, colours, light.",
    SubjectKind.PERSON: "Everybody of themselves; for own LoRAs only.",
    SubjectKind.CHARACTER: "From 1 to 6 photos, without training; for own LoRAs only.",
}
STATUS_WORDS = {
    EventStatus.DRAFT: "Not open yet",
    EventStatus.COLLECTING: "Photos are being collected",
    EventStatus.REVIEWING: "Photos are being looked through",
    EventStatus.TRAINING: "Training",
    EventStatus.SHOWING: "Pictures are being made",
    EventStatus.VOTING: "Voting",
    EventStatus.FINISHED: "Finished",
    EventStatus.CANCELLED: "Cancelled",
}
PAUSE_WORDS = {
    PauseReason.TOO_FEW_ENTRANTS: "Too few members take part. Extend it, or lower the minimum under **Settings**.",
    PauseReason.TOO_FEW_PHOTOS: "There are too few usable photos. Extend it, and tell members what is missing.",
    PauseReason.NO_KEY: "There is no working API key. An admin can run `/keys set`; then it goes on by itself.",
    PauseReason.PROVIDER_DOWN: "The provider cannot be reached. It goes on by itself as soon as it can.",
    PauseReason.OUT_OF_CREDITS: "The API key has too few credits. Top it up there; then it goes on by itself.",
    PauseReason.TRAINING_FAILED: "No training came to a good end. **Try again** starts them once more, or cancel it.",
    PauseReason.BUDGET_SPENT: "The budget does not pay for a training. Raise it under **Settings**, or cancel it.",
    PauseReason.SERVER_LIMIT: "This server's limit of the month is used up. It goes on next month, or when an admin "
    "raises it with `/budget set`.",
}
TRAINING_WORDS = training_cards.STATUS_WORDS | {
    TrainingStatus.SUBMITTED: "being prepared",
    TrainingStatus.TRAINING: "training",
}
TIE_WORDS = {OnTie.SHARE: "They share it", OnTie.RUN_OFF: "A run-off decides"}
TIE_MEANING = {
    OnTie.SHARE: "Entries with equally many votes win together.",
    OnTie.RUN_OFF: "A second, short vote between the tied entries; if that is tied, too, they share the place.",
}
REPEAT_WORDS = {Repeat.WEEKLY: "Every week", Repeat.MONTHLY: "Every month"}
BANNER_WORDS_MAX = 500
"""Characters; an alt text takes 1,024 (Discord /docs/components/reference)."""
MEDALS = {1: "🥇", 2: "🥈", 3: "🥉"}
CLOSING_WORDS = {
    EventStatus.COLLECTING: "This part is over. What comes next begins in a moment.",
    EventStatus.REVIEWING: "The photos are being chosen. The training begins in a moment.",
    EventStatus.SHOWING: "This part is over. The vote begins as soon as the pictures under way are finished.",
    EventStatus.VOTING: "The votes are being counted. The result is here in a moment.",
}
"""While the engine has not moved the event on."""
STAGE_NAMES = {
    EventStatus.COLLECTING: "photos",
    EventStatus.REVIEWING: "looking through",
    EventStatus.SHOWING: "pictures",
    EventStatus.VOTING: "vote",
}


def trainings_words(trainings: Mapping[TrainingStatus, int], between: str) -> str:
    """How many there are of each status."""
    order = [status for status in TrainingStatus if trainings.get(status)]
    return between.join(f"{trainings[status]} {TRAINING_WORDS[status]}" for status in order)


def shown_stage(event: Event) -> EventStatus:
    """A club collects pictures, not photos, which looks like the stage of pictures elsewhere."""
    is_club = event.mode is EventMode.CLUB and event.status is EventStatus.COLLECTING
    return EventStatus.SHOWING if is_club else event.status


def stage_name(event: Event, stage: EventStatus) -> str:
    is_club = event.mode is EventMode.CLUB and stage is EventStatus.COLLECTING
    return "pictures" if is_club else STAGE_NAMES[stage]


def hours_words(event: Event, hours: Mapping[EventStatus, float]) -> str:
    """`2 h photos, 30 min looking through`: the stages of its mode, without those that are passed through."""
    lasting = [stage for stage in timed_stages(event.mode) if hours.get(stage, 0.0) > 0]
    return ", ".join(f"{length(hours[stage])} {stage_name(event, stage)}" for stage in lasting) or "no time at all"


def length(hours: float) -> str:
    if hours < 1:
        return f"{round(hours * 60)} min"
    return f"{hours:g} h" if hours < 48 or hours % 24 else f"{round(hours / 24)} days"


def uncounted_words(uncounted: UncountedPhotos) -> str:
    """Why photos do not count, such as `10 wait for a yes · 4 look alike`; empty when all do."""
    kinds = (
        (uncounted.waiting, "waits for a yes", "wait for a yes"),
        (uncounted.alike, "looks like another", "look alike"),
        (uncounted.dropped, "left out by the host", "left out by the host"),
        (uncounted.refused, "cannot be used", "cannot be used"),
    )
    return " · ".join(f"{number} {one if number == 1 else many}" for number, one, many in kinds if number)


def expected_words(view: EventView) -> str:
    """What it will take; empty once it takes nothing more."""
    event = view.event
    price = view.expected if event.budget is None else min(view.expected, event.budget)
    if not event.status.is_live or event.status is EventStatus.VOTING or price <= view.spent:
        return ""
    who = "" if event.mode is EventMode.BAKEOFF else f", if {view.entrants_expected} take part and use all they may"
    return f"In the end about {count(price, 'credit')} of this server{who}."


def opening_words(event: Event) -> str:
    """When it opens, as every reader's own clock shows it."""
    if event.opens_at is None:
        return "when you press *Check and open*"
    seconds = int(event.opens_at.timestamp())
    again = "" if event.repeats is None else f", then {REPEAT_WORDS[event.repeats].lower()}"
    return f"by itself <t:{seconds}:F> (<t:{seconds}:R>){again}"


def event_name(event: Event) -> str:
    return quote(event.name, NAME_MAX)


def banner_words(event: Event) -> str:
    """The alt text of the picture at the head of the panel."""
    if event.banner is not None:
        return f"Banner of {event.name}"
    return f"{event.name}: {' '.join(event.theme.split())}"[:BANNER_WORDS_MAX] if event.theme.strip() else event.name


def entrants_words(event: Event) -> str:
    """From how many members to how many."""
    if event.entrants_max is None:
        return f"at least {count(event.entrants_min, 'member')}"
    return f"{event.entrants_min} to {count(event.entrants_max, 'member')}"


def effort_words(event: Event) -> str:
    """With how many steps and which rank it trains, and what that means in time; the price is the same for all."""
    steps = event.steps or STEPS
    return f"{steps} steps, rank {event.rank or RANK}; a LoRA usually takes {usual_time(steps)}"


def budget_words(event: Event) -> str:
    return "no limit" if event.budget is None else count(event.budget, "credit")
