"""The books of all jobs of a studio: what was ordered against what was paid for and told."""

from collections import Counter

import sqlalchemy as sa

from bot.records.post import PostKind
from bot.storage import tables
from tests.fakes.studio import Studio
from tests.trust.row import Score

ENDS = (PostKind.TRAINING_READY, PostKind.TRAINING_FAILED, PostKind.PICTURES, PostKind.PICTURES_FAILED)


async def statuses(studio: Studio) -> list[str]:
    """Of all trainings and generations."""
    trainings = await studio.scalars(sa.select(tables.trainings.c.status))
    return trainings + await studio.scalars(sa.select(tables.generations.c.status))


async def check_paid_and_told(studio: Studio, score: Score) -> None:
    """No order paid for twice, each told of in one post, each post one message."""
    trainings = await studio.scalars(sa.select(tables.trainings.c.id))
    pictures = await studio.scalars(sa.select(tables.generations.c.id))
    score.bad["paid twice"] += max(0, studio.charges("create") - len(trainings))
    score.bad["paid twice"] += max(0, pictures_taken(studio) - len(pictures))
    posts = [post for kind in ENDS for post in await studio.posts_of(kind)]
    told = Counter((post.subject_table, post.subject_id) for post in posts)
    score.bad["told more or less than once"] += len(trainings) + len(pictures) - len(told)
    score.bad["told more or less than once"] += sum(count - 1 for count in told.values())
    seen = Counter(message.nonce for message in studio.poster.messages)
    score.bad["posted twice"] += sum(count - 1 for count in seen.values())


def pictures_taken(studio: Studio) -> int:
    """How many orders for pictures the providers took."""
    return len(studio.server.jobs) + len(studio.aurous.images)


def sent(studio: Studio, route: str) -> int:
    """How often an order reached this route, taken or not."""
    method, path = route.split()
    seen = (*studio.server.requests, *studio.aurous.requests)
    return sum((each.method, each.path) == (method, path) for each in seen)
