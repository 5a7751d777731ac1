"""Reads everything that the card of an event shows."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.events.budget import Affordable
from bot.events.photos import coach
from bot.records.event import DepictionStatus, Entrant, Event, EventMode, EventStatus, Honour
from bot.records.lora import Lora
from bot.records.post import Post, PostKind
from bot.records.training import TrainingStatus
from bot.storage.events import ballots, entrants
from bot.storage.events import counts as event_counts
from bot.storage.jobs import loras, posts
from bot.storage.money import spends


@dataclass(frozen=True, slots=True)
class EventView:
    """`spent` is in credits, reserved ones included. `affordable` is None once nothing more can be ordered.

    `covered`, `pending` and `vetoed` count how often members were named as seen in photos, by their answer. `advice`
    has sentences for a shared subject while photos can still be given or chosen.
    """

    event: Event
    entrants: tuple[Entrant, ...]
    photos: int
    usable_photos: int
    spent: int
    affordable: Affordable | None
    trainings: Mapping[TrainingStatus, int]
    loras: tuple[Lora, ...]
    pictures: int
    covered: int
    pending: int
    vetoed: int
    advice: tuple[str, ...]
    entries: int
    votes: int
    winners: tuple[Honour, ...]
    panel_post: Post | None


async def load(connection: AsyncConnection, event: Event, affordable: Affordable | None) -> EventView:
    taking_part = tuple(await entrants.of_event(connection, event.id))
    given = await event_counts.photo_counts(connection, event.id)
    answers = await event_counts.depictions_by_status(connection, event.id)
    honours = await ballots.honours_of(connection, event.id)
    return EventView(
        event=event,
        entrants=taking_part,
        photos=given.given,
        usable_photos=given.usable,
        spent=await spends.total(connection, event.id),
        affordable=affordable,
        trainings=await event_counts.trainings_by_status(connection, event.id),
        loras=tuple(await loras.of_event(connection, event.id)),
        pictures=await event_counts.picture_count(connection, event.id),
        covered=answers.get(DepictionStatus.CONFIRMED, 0),
        pending=answers.get(DepictionStatus.PENDING, 0),
        vetoed=answers.get(DepictionStatus.VETOED, 0),
        advice=await _advice(connection, event, len(taking_part)),
        entries=await event_counts.entry_count(connection, event.id),
        votes=await event_counts.vote_count(connection, event.id),
        winners=tuple(honours) if event.status is EventStatus.FINISHED else (),
        panel_post=await posts.find(connection, PostKind.EVENT_PANEL, event.id),
    )


async def _advice(connection: AsyncConnection, event: Event, entrant_count: int) -> tuple[str, ...]:
    if event.mode is not EventMode.SHARED or event.dataset_id is None or not event.status.takes_photos:
        return ()
    photos = await event_counts.newest_photos(connection, event.dataset_id, limit=coach.LOOKED_AT)
    return tuple(each.sentence for each in coach.advice(photos, entrant_count))
