"""From a signed webhook to the message in the channel, with a bot that has nothing else to do."""

import asyncio
import json
import secrets
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.records.key import ProviderName
from bot.records.training import TrainingStatus
from bot.sandbox.apiframe.answers import lora_event, sign
from bot.sandbox.apiframe.state import RehearsalLora, make_id, make_trigger_word
from bot.storage import tables
from tests.bench.environment import API_KEY, Stage, free_port, set_stage, wait_ready
from tests.bench.processes import started
from tests.bench.rows import Floor, NotMeasured, Row, Sample, Target, compare, percentile
from tests.bench.scale import Scale

WARM_UP = 10
APART_S = 0.04
"""Between deliveries: the bot sends at most 45 messages a second, and its queue is not what is measured here."""
POSTED_S = 5.0
MESSAGES = ("POST", "/channels/{channel_id}/messages")


@dataclass(frozen=True, slots=True)
class Finished:
    """A training that the provider has finished and the bot does not know about yet."""

    lora: RehearsalLora
    path: str

    @property
    def body(self) -> bytes:
        return json.dumps(lora_event(self.lora), separators=(",", ":")).encode()


async def measure(scale: Scale) -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="darkroom-bench-") as name:
        async with set_stage(Path(name), people=1) as stage, started("sink", {}, Path(name) / "sink.log") as sink:
            finished = await seed(stage, scale.deliveries + WARM_UP)
            echo = f"http://127.0.0.1:{(await sink.says())['http_port']}/"
            port = free_port()
            async with stage.bot("darkroom", listen_port=port) as bot, new_session() as session:
                await wait_ready(bot)
                base = f"http://127.0.0.1:{port}"
                before = await round_trips(session, echo, finished)
                await deliver_all(stage, session, base, finished[:WARM_UP])
                spent = bot.cpu_seconds()
                took = await deliver_all(stage, session, base, finished[WARM_UP:])
                cpu_ms = (bot.cpu_seconds() - spent) / len(took) * 1000
                after = await round_trips(session, echo, finished)
    return [
        describe("p50", 0.5, 5.0, took, cpu_ms, (before, after)),
        describe("p99", 0.99, 25.0, took, cpu_ms, (before, after)),
    ]


def describe(
    label: str, share: float, most_ms: float, took: list[float], cpu_ms: float, floors: tuple[list[float], list[float]]
) -> Row:
    before, after = ([Sample(percentile(trips, share) * 1000)] for trips in floors)
    return compare(
        f"webhook to message posted, {label}",
        "ms",
        [Sample(percentile(took, share) * 1000, cpu_ms)],
        Floor("one POST on a new connection, answered at once", before, after),
        target=Target(value_most=most_ms),
        note=f"{len(took)} trainings one by one; on the way the bot reads the LoRA from the provider"
        if share == 0.5
        else "",
    )


async def deliver_all(stage: Stage, session: aiohttp.ClientSession, base: str, finished: list[Finished]) -> list[float]:
    """Seconds from each delivery's start to the arrival of its message."""
    took = []
    for one in finished:
        await asyncio.sleep(APART_S)
        took.append(await deliver(stage, session, base + one.path, one.body))
    return took


async def deliver(stage: Stage, session: aiohttp.ClientSession, url: str, body: bytes) -> float:
    headers = {
        "Content-Type": "application/json",
        "X-Webhook-Event": "completed",
        "X-Webhook-Signature": "sha256=" + sign(body, API_KEY, "hex"),
    }
    posted = stage.standin.count(*MESSAGES)
    begun = time.monotonic()
    async with session.post(url, data=body, headers=headers) as answer:
        if answer.status != 204:
            raise NotMeasured(f"the bot answered a webhook with {answer.status}")
    await stage.standin.until(lambda: stage.standin.count(*MESSAGES) > posted, "a post", POSTED_S)
    return next(call.at for call in reversed(stage.standin.calls) if (call.method, call.route) == MESSAGES) - begun


async def round_trips(session: aiohttp.ClientSession, url: str, finished: list[Finished]) -> list[float]:
    took = []
    for one in finished:
        body = one.body
        begun = time.monotonic()
        async with session.post(url, data=body) as answer:
            await answer.read()
        took.append(time.monotonic() - begun)
    return took


def new_session() -> aiohttp.ClientSession:
    """A new connection for each request: the bot's listener takes one on each."""
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True))


async def seed(stage: Stage, count: int) -> list[Finished]:
    """Rows of trainings that were submitted, and the LoRAs that have come of them at the provider."""
    now = datetime.now(UTC)
    finished = [make_finished(number, now) for number in range(1, count + 1)]
    stage.provider.loras.update({one.lora.id: one.lora for one in finished})
    async with stage.prepared() as darkroom:
        key_id = await stage.set_key(darkroom)
        rows = [training_row(stage, key_id, one, now) for one in finished]

        async def transaction(connection: AsyncConnection) -> None:
            await connection.execute(sa.insert(tables.trainings), rows)

        await darkroom.database.write(transaction)
    return finished


def make_finished(number: int, now: datetime) -> Finished:
    lora = RehearsalLora(
        id=make_id(),
        team=f"Team of …{API_KEY[-4:]}",
        api_key=API_KEY,
        name=f"Rex {number}",
        subject_kind="object",
        gender=None,
        ethnicity=None,
        age=None,
        steps=1000,
        rank=32,
        photos=(),
        webhook_url=None,
        webhook_events=(),
        number=number,
        created_at=now,
        state_since=now,
        status="READY",
        started_at=now,
        completed_at=now,
        trigger_word=make_trigger_word(number),
    )
    return Finished(lora, f"/webhooks/{ProviderName.APIFRAME}/{secrets.token_urlsafe(24)}")


def training_row(stage: Stage, key_id: int, one: Finished, now: datetime) -> dict[str, Any]:
    return open_training(stage, key_id, one.lora.number, now) | {
        "webhook_token": one.path.rpartition("/")[2],
        "request_id": one.lora.id,
        "status": TrainingStatus.SUBMITTED,
        "submitting_at": now,
        "submitted_at": now,
    }


def open_training(stage: Stage, key_id: int, number: int, now: datetime) -> dict[str, Any]:
    """A queued training that is not due while anything is measured.

    A row whose date lies further ahead than any of the bot's own pauses (12 minutes) counts as due at once.
    """
    return {
        "guild_id": stage.guild.id,
        "channel_id": stage.channel.id,
        "user_id": stage.crowd[0].id,
        "dataset_id": number,
        "key_id": key_id,
        "provider": ProviderName.APIFRAME,
        "name": f"Rex {number}",
        "marker": f"b{number:07}",
        "webhook_token": secrets.token_urlsafe(24),
        "status": TrainingStatus.QUEUED,
        "photo_count": 20,
        "created_at": now,
        "due_at": now + timedelta(minutes=10),
    }
