"""How far ahead the next step of a row can lie when no clock was set, and which rows wait for a deletion."""

from collections.abc import Mapping

import sqlalchemy as sa

from bot.clock import Timings
from bot.keys.trust import TRIED_AGAIN
from bot.records.event import EventStatus
from bot.records.generation import GenerationStatus
from bot.records.job import LaneName
from bot.records.post import PostStatus
from bot.records.question import RequestStatus
from bot.records.removal import RemovalStatus
from bot.records.training import TrainingStatus
from bot.storage import policy_tables, question_tables, tables
from bot.storage.due import Pauses
from bot.storage.events import tables as event_tables


def longest_pauses(timings: Timings) -> Mapping[LaneName, Pauses]:
    after_failure = max(timings.poll, timings.settle, timings.busy, timings.backoff_max * 1.2)
    trainings, generations, keys, events = (
        tables.trainings.c,
        tables.generations.c,
        tables.api_keys.c,
        event_tables.events.c,
    )
    return {
        LaneName.TRAININGS: [(trainings.status.in_(_running(TrainingStatus)), after_failure)],
        LaneName.GENERATIONS: [
            (generations.status.in_(_running(GenerationStatus)), after_failure),
            (generations.doubt.is_not(None), after_failure),
        ],
        LaneName.POSTS: [(tables.posts.c.status.in_(PostStatus), after_failure)],
        LaneName.KEYS: [
            (keys.retired_at.is_(None), max(timings.sync, TRIED_AGAIN[-1])),
            (keys.doubt.is_not(None), after_failure),
            (keys.retired_at.is_not(None), timings.removal_key_kept),
        ],
        LaneName.REMOVALS: [
            (policy_tables.removals.c.status == RemovalStatus.WAITING, max(timings.removal_retry * 1.2, timings.poll))
        ],
        LaneName.REQUESTS: [(question_tables.photo_requests.c.status == RequestStatus.GRANTED, after_failure)],
        # An event finds out again what it waits for, so an early look does no harm.
        LaneName.EVENTS: [(events.status.in_([each for each in EventStatus if each.is_live]), timings.event_retry)],
    }


def waiting_for_deletion() -> Mapping[LaneName, sa.ColumnElement[bool]]:
    """The rows whose next step deletes, retires or refuses something because of the time of day."""
    trainings, generations = tables.trainings.c, tables.generations.c
    return {
        LaneName.DATASETS: sa.true(),
        LaneName.GUILDS: sa.true(),
        LaneName.KEYS: tables.api_keys.c.retired_at.is_not(None),
        LaneName.TRAININGS: trainings.status.not_in(_running(TrainingStatus)),
        LaneName.GENERATIONS: sa.and_(
            generations.status.not_in(_running(GenerationStatus)), generations.doubt.is_(None)
        ),
        LaneName.REMOVALS: policy_tables.removals.c.status == RemovalStatus.ENDED,
        LaneName.REQUESTS: question_tables.photo_requests.c.status != RequestStatus.GRANTED,
        LaneName.LIKENESS: sa.true(),
    }


def _running(status: type[TrainingStatus | GenerationStatus]) -> list[str]:
    return [each for each in status if not each.is_terminal]
