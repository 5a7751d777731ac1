"""T10, T11 and T24: webhooks that come twice, late, in any order, before the answer, or for another guild's row."""

import asyncio
import json
import random
from collections.abc import Awaitable
from datetime import timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.jobs import service as jobs
from bot.providers.apiframe.client import verify_webhook
from bot.providers.base import WebhookHint
from bot.records.job import LaneName
from bot.records.post import PostKind
from bot.records.training import Training, TrainingStatus
from bot.sandbox.apiframe.answers import sign
from bot.storage import due, tables
from bot.web.server import HttpRequest
from bot.web.webhooks import PREFIX, WebhookRoutes
from tests.fakes.rows import ANNA, GUILD, OTHER_GUILD
from tests.fakes.studio import KEY, OTHER_KEY, PROVIDER, TRAINS_IN, Studio
from tests.trust.row import Row, Score
from tests.trust.studios import fresh_studio

KEYS = {GUILD: KEY, OTHER_GUILD: OTHER_KEY}
AT_ONCE = 10
"""Trainings under way at once; a key has no more slots."""
TIMES_MOST = 20
TOGETHER = 100
SENT_MOST = 50


async def deliver(door: WebhookRoutes, token: str, body: dict[str, object], api_key: str) -> int:
    """The last answer, as a provider sees it: what could not be taken in time is sent again."""
    raw = json.dumps(body).encode()
    headers = {"X-Webhook-Signature": sign(raw, api_key, "hex")}
    status = 503
    for _ in range(SENT_MOST):
        status = (await door.handle(HttpRequest(f"{PREFIX}{PROVIDER}/{token}", headers, raw))).status
        if status != 503:
            break
    return status


async def repeat_and_shuffle(amount: int, seed: int) -> Score:
    """Trainings that end, each told of up to 20 times: before, while and after it ends, and weeks later."""
    score, dice = Score(), random.Random(seed)
    async with fresh_studio() as studio:
        door = WebhookRoutes([studio.trainings, studio.generations], {PROVIDER: verify_webhook})
        await studio.set_key()
        while score.tried < amount:
            trainings = [await studio.begin(user_id=ANNA + number) for number in range(AT_ONCE)]
            await studio.settle()
            trainings = [await studio.training(training.id) for training in trainings]
            await _tell(score, studio, door, _shuffled(trainings, dice, ("TRAINING", "READY", "FAILED")), "too early")
            for training in trainings:
                studio.finish_at_provider(str(training.request_id))
            told = _shuffled(trainings, dice, ("TRAINING", "READY", "FAILED"))
            half = len(told) // 2
            await _tell(score, studio, door, told[:half], "in any order")
            await studio.pass_time(TRAINS_IN)
            await _tell(score, studio, door, told[half:], "again afterwards")
            await studio.pass_time(timedelta(days=dice.choice((0, 1, 20))))
            await _tell(score, studio, door, told, "weeks later")
            await _check(score, studio, trainings)
    return score


def _shuffled(trainings: list[Training], dice: random.Random, statuses: tuple[str, ...]) -> list[tuple[Training, str]]:
    told = [(training, dice.choice(statuses)) for training in trainings for _ in range(dice.randint(1, TIMES_MOST))]
    dice.shuffle(told)
    return told


async def _tell(
    score: Score, studio: Studio, door: WebhookRoutes, told: list[tuple[Training, str]], fault: str
) -> None:
    deliveries = (
        deliver(door, training.webhook_token, {"id": training.request_id, "status": status}, KEY)
        for training, status in told
    )
    score.bad["a signed delivery refused"] += sum(status != 204 for status in await asyncio.gather(*deliveries))
    await studio.settle()
    score.tried += len(told)
    score.fired[fault] += len(told)


async def _check(score: Score, studio: Studio, trainings: list[Training]) -> None:
    for training in trainings:
        stored = await studio.training(training.id)
        score.bad["not ready at the end"] += stored.status is not TrainingStatus.READY
        score.bad["ended more or less than once"] += (await studio.words(training)).count("ready") != 1
    ready = await studio.posts_of(PostKind.TRAINING_READY)
    subjects = [post.subject_id for post in ready]
    score.bad["told more or less than once"] += sum(subjects.count(each.id) != 1 for each in trainings)


async def misdirect(amount: int, seed: int) -> Score:
    """Two guilds under way; deliveries signed by one guild that name the other's row or object."""
    score, dice = Score(), random.Random(seed)
    async with fresh_studio() as studio:
        door = WebhookRoutes([studio.trainings, studio.generations], {PROVIDER: verify_webhook})
        under_way = {}
        for guild_id, api_key in KEYS.items():
            await studio.set_key(api_key, guild_id=guild_id)
            training = await studio.begin(guild_id=guild_id)
            await studio.settle()
            under_way[guild_id] = await studio.training(training.id)

        async def send() -> None:
            mine, theirs = dice.sample(sorted(KEYS), 2)
            fault, token, about, api_key = dice.choice(
                (
                    ("their row, my key", under_way[theirs].webhook_token, under_way[theirs], KEYS[mine]),
                    ("their row and my object, my key", under_way[theirs].webhook_token, under_way[mine], KEYS[mine]),
                    ("my row, their object", under_way[mine].webhook_token, under_way[theirs], KEYS[mine]),
                    ("their row, my object, their key", under_way[theirs].webhook_token, under_way[mine], KEYS[theirs]),
                )
            )
            status = await deliver(door, token, {"id": about.request_id, "status": "READY"}, api_key)
            score.tried += 1
            score.fired[fault] += 1
            score.bad["accepted"] += status != 401

        for begun in range(0, amount, TOGETHER):
            await asyncio.gather(*(send() for _ in range(min(TOGETHER, amount - begun))))
        woken = [await studio.work(LaneName.TRAININGS)]
        score.bad["a row woken"] += sum(woken)
    return score


def begin_anew(patch: pytest.MonkeyPatch) -> None:
    """A delivery about an ended job puts it back to where it waited for the provider."""

    async def hint(self: jobs.JobService, token: str, hint: WebhookHint) -> bool:  # type: ignore[type-arg]
        def again(connection: AsyncConnection) -> Awaitable[None]:
            these = tables.trainings.c.webhook_token == token
            return due.make_due(
                connection, tables.trainings, these, at=self._clock.now(), status=TrainingStatus.SUBMITTED
            )

        await self._database.write(again)
        return bool(hint)

    patch.setattr(jobs.JobService, "hint", hint)


def believe_the_delivery(patch: pytest.MonkeyPatch) -> None:
    """A hint about any object wakes the row, whoever signed it."""

    async def hint(self: jobs.JobService, token: str, hint: WebhookHint) -> bool:  # type: ignore[type-arg]
        del self, token, hint
        return True

    patch.setattr(jobs.JobService, "hint", hint)


REPEATED = Row(
    "T10 T11",
    "webhooks repeated, shuffled and late",
    "1 change and 1 message for each job",
    (150, 10_000),
    ("too early", "in any order", "again afterwards", "weeks later"),
    repeat_and_shuffle,
    (begin_anew,),
)

MISDIRECTED = Row(
    "T24",
    "webhooks for another guild's row",
    "0 accepted",
    (200, 100_000),
    (
        "their row, my key",
        "their row and my object, my key",
        "my row, their object",
        "their row, my object, their key",
    ),
    misdirect,
    (believe_the_delivery,),
)
