"""T12: webhooks that never come, or come before the provider has answered the order."""

import json
import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from bot.jobs import service as jobs
from bot.providers.apiframe.client import verify_webhook
from bot.providers.base import WebhookHint
from bot.providers.transport import Request, Response, Transport
from bot.records.generation import GenerationStatus
from bot.records.post import PostKind
from bot.records.training import Training, TrainingStatus
from bot.storage import due, tables
from bot.web.webhooks import WebhookRoutes
from tests.fakes.rows import ANNA
from tests.fakes.studio import KEY, PROVIDER, Studio
from tests.trust.deliveries import deliver
from tests.trust.row import Row, Score
from tests.trust.studios import fresh_studio

AT_ONCE = 10
STEP = timedelta(seconds=5)
AWAY_FOR = timedelta(hours=30)
COMES: dict[str, Callable[[random.Random], bool]] = {
    "all dropped": lambda _dice: False,
    "half of them dropped": lambda dice: dice.random() < 1 / 2,
}
ORDERS = ("/v2/loras", "/v2/images/generate")
EARLIER_S = 5.0


async def drop(amount: int, seed: int) -> Score:
    """Trainings that end at the provider, which tells of some or of none; then the bot is away for 30 hours."""
    score, dice = Score(), random.Random(seed)
    for name, comes in COMES.items():
        async with fresh_studio() as studio:
            await studio.set_key()
            done = 0
            while done < amount // 3:
                trainings = await _begun(studio)
                await _finish(score, studio, trainings, name, comes, dice)
                done += len(trainings)
            score.tried += done
            await _check(score, studio)
    async with fresh_studio() as studio:
        await studio.set_key()
        for _ in range(max(amount // 3 // AT_ONCE, 1)):
            await _miss_a_day(score, studio)
        await _check(score, studio)
    return score


async def _begun(studio: Studio) -> list[Training]:
    begun = [await studio.begin(user_id=ANNA + number) for number in range(AT_ONCE)]
    await studio.settle()
    return [await studio.training(training.id) for training in begun]


async def _finish(
    score: Score,
    studio: Studio,
    trainings: list[Training],
    name: str,
    comes: Callable[[random.Random], bool],
    dice: random.Random,
) -> None:
    door = WebhookRoutes([studio.trainings, studio.generations], {PROVIDER: verify_webhook})
    await studio.pass_time(timedelta(seconds=dice.uniform(0, 60)))
    for training in trainings:
        studio.finish_at_provider(str(training.request_id))
        if comes(dice):
            body: dict[str, object] = {"id": training.request_id, "status": "READY"}
            score.bad["a signed delivery refused"] += await deliver(door, training.webhook_token, body, KEY) != 204
        else:
            score.fired[name] += 1
    ended_at = studio.clock.now()
    while studio.clock.now() < ended_at + studio.timings.poll + STEP:
        await studio.pass_time(STEP)
    score.bad[f"{name}: not there within one poll and 5 s"] += await _unready(studio, trainings)


async def _miss_a_day(score: Score, studio: Studio) -> None:
    """Nobody is there to take a webhook, nor to poll."""
    trainings = await _begun(studio)
    for training in trainings:
        studio.finish_at_provider(str(training.request_id))
    studio.clock.advance(AWAY_FOR)
    await studio.pass_time(studio.timings.poll + STEP)
    score.tried += len(trainings)
    score.fired["receiver away for 30 h"] += len(trainings)
    score.bad["lost while the receiver was away"] += await _unready(studio, trainings)


async def _unready(studio: Studio, trainings: list[Training]) -> int:
    return sum([(await studio.training(each.id)).status is not TrainingStatus.READY for each in trainings])


async def _check(score: Score, studio: Studio) -> None:
    """Each ended job is told of once, and paid for once."""
    for kind, table in ((PostKind.TRAINING_READY, tables.trainings), (PostKind.PICTURES, tables.generations)):
        rows = await studio.scalars(sa.select(table.c.id))
        told = [post.subject_id for post in await studio.posts_of(kind)]
        score.bad["lost"] += len(set(rows) - set(told))
        score.bad["told twice"] += len(told) - len(set(told))
    paid = studio.charges("create") + studio.charges("images")
    orders = len(await studio.scalars(sa.select(tables.trainings.c.id)))
    orders += len(await studio.scalars(sa.select(tables.generations.c.id)))
    score.bad["paid more or less than once"] += abs(paid - orders)


async def overtake(amount: int, seed: int) -> Score:
    """Each job ends, and its webhook comes, before the provider has answered the order for it."""
    score, dice = Score(), random.Random(seed)
    async with fresh_studio() as studio:
        await studio.set_key()
        lora = await studio.lora()
        door = WebhookRoutes([studio.trainings, studio.generations], {PROVIDER: verify_webhook})
        send = Transport.send

        async def send_overtaken(self: Transport, request: Request) -> Response:
            answer = await send(self, request)
            if request.method == "POST" and request.url.endswith(ORDERS) and answer.status < 300:
                await _overtake(score, studio, door, json.loads(answer.body), dice)
            return answer

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Transport, "send", send_overtaken)
            while score.tried < amount:
                await (studio.order(lora) if score.tried % 2 else studio.begin())
                await studio.settle()
                score.tried += 1
        score.bad["not there at once"] += await _open(studio)
        await studio.pass_time(timedelta(minutes=5))
        await _check(score, studio)
    return score


async def _overtake(
    score: Score, studio: Studio, door: WebhookRoutes, answer: dict[str, Any], dice: random.Random
) -> None:
    table = tables.trainings if "id" in answer else tables.generations
    [token] = await studio.scalars(sa.select(table.c.webhook_token).where(table.c.status == "submitting"))
    if "id" in answer:
        studio.finish_at_provider(answer["id"])
        name, told = "a training overtaken", {"id": answer["id"], "status": "READY"}
    else:
        job = studio.server.jobs[answer["jobId"]]
        job.status, job.progress, job.completed_at = "COMPLETED", 100, studio.clock.now()
        name, told = "pictures overtaken", {"event": "completed", "jobId": job.id, "status": job.status}
    answered = await deliver(door, token, told, KEY)
    score.bad["a signed delivery refused"] += answered != 204
    score.fired[name] += answered == 204
    studio.clock.advance(timedelta(seconds=dice.uniform(0, EARLIER_S)))


async def _open(studio: Studio) -> int:
    loras = sa.select(tables.trainings.c.id).where(tables.trainings.c.status != TrainingStatus.READY)
    sets = sa.select(tables.generations.c.id).where(tables.generations.c.status != GenerationStatus.READY)
    return len(await studio.scalars(loras)) + len(await studio.scalars(sets))


def wait_for_webhooks(patch: pytest.MonkeyPatch) -> None:
    """Nothing is looked at unless a webhook says so."""
    store = due.store

    async def store_without_polls(*args: Any, due_at: datetime | None, **values: Any) -> None:
        await store(*args, due_at=None if due_at is None else due_at + timedelta(days=2), **values)

    patch.setattr(due, "store", store_without_polls)


def know_only_named_rows(patch: pytest.MonkeyPatch) -> None:
    """A delivery about a row that has no id of the provider yet is refused."""
    hint = jobs.JobService.hint

    async def hint_known(self: jobs.JobService, token: str, about: WebhookHint) -> bool:  # type: ignore[type-arg]
        job = await self._database.fetch(self._kind.by_webhook_token, token)
        return job is not None and job.request_id is not None and await hint(self, token, about)

    patch.setattr(jobs.JobService, "hint", hint_known)


ROWS = (
    Row(
        "T12",
        "webhooks never come",
        "0 lost; there within one poll and 5 s",
        (30, 300),
        (*COMES, "receiver away for 30 h"),
        drop,
        (wait_for_webhooks,),
    ),
    Row(
        "T12b",
        "a webhook before the answer to its order",
        "0 lost, there at once, 0 refused",
        (30, 1000),
        ("a training overtaken", "pictures overtaken"),
        overtake,
        (know_only_named_rows,),
    ),
)
