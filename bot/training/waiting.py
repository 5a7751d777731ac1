"""What members are told while they wait: how long a training takes, and places in the queue that are true."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from statistics import median

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.records.post import PostKind
from bot.records.training import Training
from bot.storage.jobs import datasets, posts, trainings
from bot.storage.money import slots
from bot.storage.money.slots import TRAININGS

LEAST = 3
"""Trainings that say more about the next one than those of all servers, or those with other steps, do."""


def usual_length(done: Sequence[tuple[int, timedelta]], steps: int) -> timedelta | None:
    """How long a training of so many steps takes, by (steps, length) of others; None without any.

    The median of those with the same steps; of too few of them, that of all, each as long as these steps would be.
    """
    same = [length for each, length in done if each == steps]
    scaled = [length * steps / each for each, length in done if each]
    known = same if len(same) >= LEAST or not scaled else scaled
    return timedelta(seconds=median(length.total_seconds() for length in known)) if known else None


async def usual(connection: AsyncConnection, training: Training) -> timedelta | None:
    """How long this one will take, as its server's trainings did, or as all did when there are too few of those."""
    dataset = await datasets.get(connection, training.dataset_id)
    if dataset is None:
        return None
    here = await trainings.lengths(connection, training.provider, training.guild_id)
    done = here if len(here) >= LEAST else await trainings.lengths(connection, training.provider)
    return usual_length(done, dataset.steps)


async def renew_places(connection: AsyncConnection, key_id: int, *, due_at: datetime) -> None:
    """Somebody has joined or left the queue of this key's team: those in it are shown their new places."""
    waiting = await slots.waiting(connection, TRAININGS, key_id)
    if waiting:
        await posts.renew(connection, PostKind.TRAINING_STATUS, *(each.job_id for each in waiting), due_at=due_at)
