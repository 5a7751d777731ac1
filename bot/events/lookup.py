"""Finding the event that a member means, if they may see or run it."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.errors import NotAllowed, NotFound, UserError
from bot.events.lifecycle import HostCommand, may_run, refusal
from bot.records.event import Event, EventStatus, channels_of
from bot.records.guild import Actor
from bot.storage.events import ballots, events
from bot.text import named

LABEL_JOINT = " · "
"""Between the name of an event and its stage in a list of choices."""
JUST_ENDED = timedelta(days=1)
"""For so long an event that is over comes before one that is prepared."""
NOT_HERE = "There is no such event here. Pick one from the list."
OVER = "This event is over, so nothing more is ordered for it."
NONE_HERE = "There is no event here just now. An admin or an event host can make one with `/event create`."
SEVERAL = "There are several events here. Please pick one from the list."
ELSEWHERE = "The pictures of this event are shown in <#{}>, to those who can see it. Please use this there."
NOT_YOURS = "Only the event's host, its moderators, and this server's admins and event hosts may do that."


def is_visible(event: Event, actor: Actor) -> bool:
    """Whether the actor may see the event; before it is opened only those who run it may."""
    if event.guild_id != actor.guild_id:
        return False
    return event.opened_at is not None or may_run(event, actor)


def check_sight(event: Event, actor: Actor) -> None:
    """NotAllowed for who cannot see, where they act, what is posted for the event."""
    if not any(actor.sight.sees(place.id) for place in channels_of(event)):
        raise NotAllowed(ELSEWHERE.format(event.channel_id))


async def find(connection: AsyncConnection, event_id: int, actor: Actor) -> Event:
    """An event of this guild that was opened or that the actor runs; else NotFound."""
    event = await events.get(connection, event_id)
    if event is None or not is_visible(event, actor):
        raise NotFound(NOT_HERE)
    return event


async def opened(connection: AsyncConnection, event_id: int, actor: Actor, *, locked: bool = False) -> Event:
    """An event of this guild that was opened; else NotFound. `locked`: it cannot change until the transaction ends."""
    event = await (ballots.lock if locked else events.get)(connection, event_id)
    if event is None or event.guild_id != actor.guild_id or event.opened_at is None:
        raise NotFound(NOT_HERE)
    return event


async def live(connection: AsyncConnection, event_id: int, guild_id: int) -> Event:
    """The event as it is now, for an order from its budget; UserError unless it was opened and is not over."""
    event = await events.get(connection, event_id)
    if event is None or event.guild_id != guild_id:
        raise NotFound(NOT_HERE)
    if not event.status.is_live:
        raise UserError(OVER if event.status.is_terminal else "This event has not been opened yet.")
    return event


async def run_by(connection: AsyncConnection, event_id: int, actor: Actor, command: HostCommand | None = None) -> Event:
    """The event, if the actor may run it and give this command now; else NotFound, NotAllowed or UserError.

    In a write nothing else changes the event until the transaction ends.
    """
    event = await ballots.lock(connection, event_id)
    if event is None or not is_visible(event, actor):
        raise NotFound(NOT_HERE)
    if not may_run(event, actor):
        raise NotAllowed(NOT_YOURS)
    why_not = None if command is None else refusal(event, command)
    if why_not is not None:
        raise UserError(why_not)
    return event


async def among(connection: AsyncConnection, actor: Actor, *, runnable: bool) -> list[Event]:
    """Events that the actor may see, live ones first, then the newest. `runnable`: that they run and are not over."""
    known = [event for event in await events.of_guild(connection, actor.guild_id) if is_visible(event, actor)]
    if runnable:
        known = [event for event in known if may_run(event, actor) and not event.status.is_terminal]
    return sorted(known, key=lambda event: not event.status.is_live)


def only_one(known: Sequence[Event]) -> Event:
    """The only event in the list; UserError when there are several, NotFound when there is none."""
    if len(known) > 1:
        raise UserError(SEVERAL)
    if not known:
        raise NotFound(NONE_HERE)
    return known[0]


def latest(known: Sequence[Event], actor: Actor, now: datetime) -> Event:
    """What somebody means who names no event: the live one, one that has just ended, one they prepare, the last one.

    UserError when there are several of a kind, NotFound when there is none at all.
    """
    live = [event for event in known if event.status.is_live]
    ended = {event.ended_at: event for event in known if event.opened_at is not None and event.ended_at is not None}
    over = ended[max(ended)] if ended else None
    if live or over is None:
        return only_one(live or _prepared(known, actor))
    is_recent = over.ended_at is not None and now < over.ended_at + JUST_ENDED
    return over if is_recent else only_one(_prepared(known, actor) or [over])


def _prepared(known: Sequence[Event], actor: Actor) -> list[Event]:
    return [event for event in known if event.status is EventStatus.DRAFT and may_run(event, actor)]


def pick_from(text: str, known: Sequence[Event]) -> Event:
    """The event with this choice value, else with this name or label, live ones first; UserError when several have it.

    What a label says of the event's stage may have changed since it was shown.
    """
    called = _called(text, known) or _called(text.rpartition(LABEL_JOINT)[0], known)
    for found in (
        [event for event in known if str(event.id) == text.strip()],
        [event for event in called if event.status.is_live],
        called,
    ):
        if found:
            return only_one(found)
    raise NotFound(NOT_HERE)


def _called(name: str, known: Sequence[Event]) -> list[Event]:
    return named(name, known, lambda event: [event.name])
