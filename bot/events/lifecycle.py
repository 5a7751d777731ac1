"""The life of an event: its stages, what can be done in which, and what comes next. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise

from bot.datasets.rules import photo_limits
from bot.jobs import lifecycle as legal
from bot.jobs.lifecycle import IllegalMove
from bot.records.event import Event, EventMode, EventStatus, PauseReason
from bot.records.guild import Actor
from bot.records.training import TrainingStatus

S = EventStatus

PATHS: Mapping[EventMode, tuple[EventStatus, ...]] = {
    EventMode.SHARED: (S.DRAFT, S.COLLECTING, S.REVIEWING, S.TRAINING, S.SHOWING, S.VOTING, S.FINISHED),
    EventMode.PERSONAL: (S.DRAFT, S.COLLECTING, S.REVIEWING, S.TRAINING, S.SHOWING, S.VOTING, S.FINISHED),
    EventMode.CLUB: (S.DRAFT, S.COLLECTING, S.VOTING, S.FINISHED),
    EventMode.BAKEOFF: (S.DRAFT, S.SHOWING, S.VOTING, S.FINISHED),
}
"""A stage of zero hours ends at once, but its work is done."""

MOVES: Mapping[EventMode, Mapping[EventStatus, frozenset[EventStatus]]] = {
    mode: {here: frozenset({there, S.CANCELLED}) for here, there in pairwise(path)} for mode, path in PATHS.items()
}
"""From every stage but the last ones: to the next stage, or to the cancellation."""

TIMED = frozenset({S.COLLECTING, S.REVIEWING, S.SHOWING, S.VOTING})
"""Stages with a deadline; training ends when the last training has."""
MAKING_STAGE = {
    EventMode.SHARED: S.SHOWING,
    EventMode.PERSONAL: S.SHOWING,
    EventMode.CLUB: S.COLLECTING,
}
"""The stage in which entrants make pictures and enter one; a bake-off has none."""
RUN_OFF = "runoff"
CLOSABLE = (*sorted(TIMED), RUN_OFF)
"""The parts that `part_of` names and a host can close."""
TOO_FEW = frozenset({PauseReason.TOO_FEW_ENTRANTS, PauseReason.TOO_FEW_PHOTOS})


class HostCommand(StrEnum):
    OPEN = "open"
    CHANGE = "change"
    CLOSE = "close"
    EXTEND = "extend"
    CANCEL = "cancel"


@dataclass(frozen=True, slots=True)
class Facts:
    """What `decide` must know besides the event. `trainings` counts the newest training of each dataset.

    `usable_photos`: of the shared dataset; in a personal event, of the entrant who has the most.
    """

    entrants: int
    usable_photos: int
    trainings: Mapping[TrainingStatus, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Stay:
    """Nothing to do. Look again at `until` at the latest; None: only after a wakeup."""

    until: datetime | None


@dataclass(frozen=True, slots=True)
class Advance:
    to: EventStatus


@dataclass(frozen=True, slots=True)
class Pause:
    why: PauseReason


@dataclass(frozen=True, slots=True)
class Resume:
    """Go on: what was missing is there."""


@dataclass(frozen=True, slots=True)
class Abandon:
    """End as cancelled: it was paused for too long."""


Decision = Stay | Advance | Pause | Resume | Abandon


def check_move(mode: EventMode, old: EventStatus, new: EventStatus) -> None:
    """IllegalMove unless an event of this mode may go from `old` to `new`."""
    legal.check_move(MOVES[mode], old, new)


def next_stage(event: Event) -> EventStatus:
    """The stage after the present one; IllegalMove after the last."""
    for here, there in pairwise(PATHS[event.mode]):
        if here is event.status:
            return there
    raise IllegalMove(f"{event.mode}: nothing comes after {event.status}")


def is_in_first_stage(event: Event) -> bool:
    """Whether it is in the stage that it was opened with."""
    return event.status is PATHS[event.mode][1]


def stage_length(event: Event, stage: EventStatus, hour: timedelta) -> timedelta | None:
    """Length of a stage, None without a deadline. `hour` is the length of an event's hour (Timings.event_hour)."""
    return event.hours.get(stage, 0.0) * hour if stage in TIMED else None


def ends_at(event: Event, stage: EventStatus, now: datetime, *, hour: timedelta) -> datetime | None:
    """The deadline of a stage that begins now; None for a stage without one."""
    length = stage_length(event, stage, hour)
    return None if length is None else now + length


def extended_end(event: Event, now: datetime, more: timedelta) -> datetime | None:
    """The deadline with `more` added, at least `more` from now; None for a stage without a deadline.

    During a pause that ends by itself the deadline stands still; it moves when the event goes on.
    """
    if event.status not in TIMED:
        return None
    if event.paused_why is not None and event.paused_why.ends_by_itself and event.stage_ends_at is not None:
        return event.stage_ends_at + more
    return max(event.stage_ends_at or now, now) + more


def resumed_end(event: Event, now: datetime, *, hour: timedelta) -> datetime | None:
    """The deadline of a paused event that goes on: later by the length of the pause.

    After a wait for entrants or photos, collecting lasts at least one more hour, so that the newest entrants can take
    part.
    """
    if event.stage_ends_at is None or event.paused_at is None:
        return event.stage_ends_at
    moved = event.stage_ends_at + max(now - event.paused_at, timedelta(0))
    waited = event.status is S.COLLECTING and event.paused_why in TOO_FEW
    return max(moved, now + hour) if waited else moved


def photos_until(event: Event, *, hour: timedelta, kept: timedelta) -> datetime | None:
    """When photos leave the disk at the latest: `kept` after the planned end of reviewing.

    None in later stages: the date that was set when reviewing began stays.
    """
    if event.stage_ends_at is None or not event.status.takes_photos:
        return None
    reviewing = event.hours.get(S.REVIEWING, 0.0) * hour if event.status is S.COLLECTING else timedelta(0)
    return event.stage_ends_at + reviewing + kept


def decide(event: Event, facts: Facts, now: datetime, abandoned: timedelta) -> Decision:
    """The next step of the event: one at a time, no stage is skipped. `abandoned`: how long a pause may last."""
    if not event.status.is_live:
        return Stay(None)
    if event.paused_at is not None:
        return _decide_paused(event, event.paused_at, facts, now, abandoned)
    if event.status is S.TRAINING:
        return _decide_training(event, facts)
    if event.stage_ends_at is None or now < event.stage_ends_at:
        return Stay(event.stage_ends_at)
    missing = _missing(event, facts) if event.status is S.COLLECTING else None
    return Advance(next_stage(event)) if missing is None else Pause(missing)


def _decide_paused(
    event: Event, paused_at: datetime, facts: Facts, now: datetime, abandoned: timedelta
) -> Stay | Resume | Abandon:
    enough_people = facts.entrants >= event.entrants_min
    enough_photos = facts.usable_photos >= photos_needed(event)
    match event.paused_why:
        case PauseReason.TOO_FEW_ENTRANTS if enough_people:
            return Resume()
        case PauseReason.TOO_FEW_PHOTOS if enough_photos:
            return Resume()
    return Abandon() if now >= paused_at + abandoned else Stay(paused_at + abandoned)


def _decide_training(event: Event, facts: Facts) -> Stay | Advance | Pause:
    counted = {status for status, count in facts.trainings.items() if count}
    if not counted or any(not status.is_terminal for status in counted):
        return Stay(None)
    if TrainingStatus.READY in counted:
        return Advance(next_stage(event))
    return Pause(PauseReason.TRAINING_FAILED)


def _missing(event: Event, facts: Facts) -> PauseReason | None:
    """What collecting lacks at its end. With all places taken it does not end earlier."""
    if facts.entrants < event.entrants_min:
        return PauseReason.TOO_FEW_ENTRANTS
    return PauseReason.TOO_FEW_PHOTOS if facts.usable_photos < photos_needed(event) else None


def photos_needed(event: Event) -> int:
    """Least number of usable photos for a training; 0 in an event without training."""
    return photo_limits(event.subject_kind).least if event.mode.trains else 0


def may_run(event: Event, actor: Actor) -> bool:
    """Whether the actor is the host or a moderator of the event, or an admin or a host of all events of its guild."""
    is_chosen = actor.user_id == event.host_id or actor.user_id in event.moderator_ids
    return event.guild_id == actor.guild_id and (is_chosen or actor.is_admin or actor.is_event_host)


def may_enter(event: Event, actor: Actor, entrants: int) -> str | None:
    """Why this member cannot join now, None when they can. `entrants`: how many others take part."""
    if event.mode is EventMode.BAKEOFF:
        return "Nobody has to join this one: everyone can vote once the ballot is open."
    if event.status is S.DRAFT:
        return "This event has not been opened yet."
    if event.status.is_terminal:
        return "This event is over. Watch out for the next one."
    if event.paused_why is not None and event.paused_why not in TOO_FEW:
        return "This event is paused just now. Please try again when it goes on."
    if event.status is not S.COLLECTING and event.paused_why is None:
        return "The time for joining is over. You can still vote when the ballot opens."
    if event.role_ids and not event.role_ids & actor.role_ids:
        roles = ", ".join(f"<@&{role_id}>" for role_id in sorted(event.role_ids))
        return f"This event is for members with one of these roles: {roles}."
    if event.entrants_max is not None and entrants >= event.entrants_max:
        return f"All {event.entrants_max} places are taken. If somebody withdraws, you can join then."
    return None


def can_give(event: Event) -> bool:
    """Whether photos are taken now: while collecting, and when the event waits for entrants or photos."""
    if not event.mode.trains or not event.status.is_live:
        return False
    return event.status is S.COLLECTING if event.paused_why is None else event.paused_why in TOO_FEW


def can_order(event: Event) -> bool:
    """Whether entrants can order own pictures now; a paused event spends nothing."""
    return event.paused_at is None and event.status is MAKING_STAGE.get(event.mode)


def can_vote(event: Event) -> bool:
    return event.status is S.VOTING and event.paused_at is None


def part_of(event: Event) -> str:
    """What closing ends now: the stage, or the second vote within it."""
    return RUN_OFF if event.status is S.VOTING and event.runoff_ids else event.status.value


def is_closing(event: Event, now: datetime) -> bool:
    """Whether the present stage is over and the engine has not moved the event on yet."""
    is_over = event.stage_ends_at is not None and event.stage_ends_at <= now
    return event.status in TIMED and event.paused_at is None and is_over


def commands(event: Event) -> frozenset[HostCommand]:
    """The commands that those who run the event can give now."""
    return frozenset(command for command in HostCommand if refusal(event, command) is None)


def refusal(event: Event, command: HostCommand) -> str | None:
    """Why this command cannot be given now, None when it can."""
    if event.status.is_terminal:
        return "This event is over, so nothing of it can be changed any more."
    match command:
        case HostCommand.OPEN:
            return None if event.status is S.DRAFT else "This event has been opened already."
        case HostCommand.CLOSE:
            return _no_close(event)
        case HostCommand.EXTEND:
            return _no_extension(event)
        case HostCommand.CHANGE | HostCommand.CANCEL:
            return None


def _no_close(event: Event) -> str | None:
    if event.status is S.DRAFT:
        return "This event has not been opened yet. Use `/event cancel` if it is not wanted any more."
    if event.paused_at is not None:
        return "This event is paused, so there is nothing to close. Use `/event extend` or `/event cancel`."
    if event.status is S.TRAINING:
        return "Training ends by itself as soon as the last LoRA is ready."
    return None


def _no_extension(event: Event) -> str | None:
    if event.status is S.DRAFT:
        return "This event has not been opened yet. Change its hours with `/event status` instead."
    waits_for_host = event.paused_why is not None and not event.paused_why.ends_by_itself
    if event.status is S.TRAINING and not waits_for_host:
        return "Training has no deadline: it ends by itself as soon as the last LoRA is ready."
    return None
