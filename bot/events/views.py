"""Reads everything that the card of an event shows."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.events import lifecycle
from bot.events.budget import Affordable
from bot.events.photos import coach
from bot.events.photos.choosing import waiting_among
from bot.events.planning.estimate import entrants_reckoned, estimate
from bot.providers.base import Prices
from bot.records.ballot import Honour
from bot.records.dataset import Photo
from bot.records.event import DepictionStatus, Entrant, Event, EventMode, EventStatus
from bot.records.key import ProviderName
from bot.records.lora import Lora
from bot.records.post import Post, PostKind
from bot.records.training import TrainingStatus
from bot.storage import guilds
from bot.storage.events import ballots, depictions, entrants
from bot.storage.events import counts as event_counts
from bot.storage.jobs import loras, posts
from bot.storage.money import spends


@dataclass(frozen=True, slots=True)
class UncountedPhotos:
    """Why photos do not count: each is in one of the first three, `alike` are usable ones that look like another one.

    Of photos of one member that look alike one is trained on, unless there are too few others.
    """

    waiting: int = 0
    refused: int = 0
    dropped: int = 0
    alike: int = 0


@dataclass(frozen=True, slots=True)
class EventView:
    """`spent` is in credits, reserved ones included. `affordable` is None once nothing more can be ordered.

    `covered`, `pending` and `vetoed` count how often members were named as seen in photos, by their answer. `advice`
    has sentences for a shared subject while photos can still be given or chosen. `expected` is what the event will
    take in all, in credits, when `entrants_expected` members take part. `news_role_id`: the role that is mentioned
    about events here.
    """

    event: Event
    is_closing: bool
    entrants: tuple[Entrant, ...]
    photos: int
    usable_photos: int
    uncounted: UncountedPhotos
    spent: int
    expected: int
    entrants_expected: int
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
    news_role_id: int | None


async def load(
    connection: AsyncConnection,
    event: Event,
    affordable: Affordable | None,
    prices: Mapping[ProviderName, Prices],
    now: datetime,
) -> EventView:
    taking_part = tuple(await entrants.of_event(connection, event.id))
    given = await event_counts.photo_counts(connection, event.id)
    answers = await event_counts.depictions_by_status(connection, event.id)
    honours = await ballots.honours_of(connection, event.id)
    guild = await guilds.get(connection, event.guild_id)
    photos = await _photos_to_judge(connection, event)
    blocked = waiting_among(photos or (), await depictions.pending_submissions(connection, event.id))
    return EventView(
        event=event,
        is_closing=lifecycle.is_closing(event, now),
        entrants=taking_part,
        photos=given.given,
        usable_photos=given.usable,
        uncounted=UncountedPhotos(
            given.waiting, given.refused, given.dropped, coach.alike_count(photos, blocked) if photos else 0
        ),
        spent=await spends.total(connection, event.id),
        expected=estimate(event, prices, len(taking_part)),
        entrants_expected=entrants_reckoned(event, len(taking_part)),
        affordable=affordable,
        trainings=await event_counts.trainings_by_status(connection, event.id),
        loras=tuple(await loras.of_event(connection, event.id)),
        pictures=await event_counts.picture_count(connection, event.id),
        covered=answers.get(DepictionStatus.CONFIRMED, 0),
        pending=answers.get(DepictionStatus.PENDING, 0),
        vetoed=answers.get(DepictionStatus.VETOED, 0),
        advice=() if photos is None else _advice(photos, len(taking_part), blocked),
        entries=await event_counts.entry_count(connection, event.id),
        votes=await event_counts.vote_count(connection, event.id),
        winners=tuple(honours) if event.status is EventStatus.FINISHED else (),
        panel_post=await posts.find(connection, PostKind.EVENT_PANEL, event.id),
        news_role_id=None if guild is None else guild.news_role_id,
    )


async def _photos_to_judge(connection: AsyncConnection, event: Event) -> list[Photo] | None:
    """The newest of a shared subject; None when nothing is to be said about photos (any more)."""
    if event.mode is not EventMode.SHARED or event.dataset_id is None or not event.status.takes_photos:
        return None
    return await event_counts.newest_photos(connection, event, limit=coach.LOOKED_AT)


def _advice(photos: Sequence[Photo], entrant_count: int, blocked: Collection[int]) -> tuple[str, ...]:
    return tuple(each.sentence for each in coach.advice(photos, entrant_count, blocked))
