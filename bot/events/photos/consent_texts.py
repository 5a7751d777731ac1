"""The consent sentences of events; each consent is stored with its sentence. Pure.

`kept`: how long after the time for giving and choosing photos they are deleted at the latest.
"""

from datetime import timedelta

from bot.datasets.naming import CAN_SAY_NO, SEEN_IN_THEM
from bot.datasets.rules import PERMISSION
from bot.records.dataset import SubjectKind
from bot.records.event import Event, EventMode
from bot.text import lasting, quote


def consent_sentence(event: Event, kept: timedelta) -> str:
    """The consent that a member gives before any photo is downloaded."""
    return f"{PERMISSION}{_use(event, kept)} I can withdraw at any time: {_AFTERWARDS}"


def depicted_sentence(event: Event, kept: timedelta) -> str:
    """The consent of a member who was named as seen in photos."""
    return f"{SEEN_IN_THEM} {_use(event, kept)} {CAN_SAY_NO}"


_AFTERWARDS = "the photos are then deleted here at once, and what was trained on them is not used any more."


def _use(event: Event, kept: timedelta) -> str:
    provider, name = event.subject_kind.provider.label, quote(event.name, 60)
    made = "character" if event.subject_kind is SubjectKind.CHARACTER else "LoRA"
    if event.subject_kind is SubjectKind.CHARACTER:
        purpose = f"They may be sent to {provider}, which keeps them, to make a character for the event {name}."
    else:
        purpose = f"They may be sent to {provider} to train a LoRA for the event {name}."
    choice = " Its hosts may look at them to choose the best ones." if event.mode is EventMode.SHARED else ""
    return (
        f"{purpose}{choice} Darkroom deletes them here when the {made} is ready, and {lasting(kept)} after the time "
        "for giving and choosing photos at the latest. The pictures made from them may be shown in the event and its "
        "yearbook."
    )
