"""T05: the provider takes the order and the money, and its answer never comes, or is asked for a day later."""

import itertools
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from bot.clock import Timings
from bot.generation import submission
from bot.process import readings
from bot.providers.transport import Request, Response, Transport
from bot.records.job import LaneName
from bot.sandbox.rehearsal.faults import Fault, FaultKind
from bot.storage import backlog, tables
from tests.fakes.studio import TRAINS_IN, Studio
from tests.trust.durability.job_books import check_paid_and_told, sent, statuses
from tests.trust.durability.order_kills import (
    furnish_apiframe,
    furnish_aurous,
    order_pictures,
    order_with_style,
    send_trainings_without_a_look,
)
from tests.trust.row import Row, Score
from tests.trust.studios import fresh_studio
from tests.wire.kills.points import provider_route

LOST: dict[str, Callable[[], Fault]] = {
    "reset": Fault.reset_after_accept,
    "silence": Fault.hang,
    "half an answer": Fault.half_body,
}
TRAININGS, PICTURES, STYLED = "POST /v2/loras", "POST /v2/images/generate", "POST /v1/images"
ORDERS: dict[str, Callable[[Studio], Awaitable[object]]] = {
    TRAININGS: Studio.begin,
    PICTURES: order_pictures,
    STYLED: order_with_style,
}
A_DAY = timedelta(hours=24, seconds=1)
"""An idempotency key is forgotten by then (Aurous Labs /idempotency)."""
SILENCE_S = 0.05
SEEN_WITHIN = timedelta(seconds=60)
SOON = (timedelta(seconds=10),) * 4 + (timedelta(minutes=2),) * 3


@dataclass(frozen=True, slots=True)
class Case:
    """An order whose answer is lost in this way. `is_asked_late`: Darkroom asks again when a day has passed."""

    route: str
    name: str
    is_asked_late: bool


async def lose_answers(amount: int, seed: int) -> Score:
    score, dice = Score(), random.Random(seed)
    with pytest.MonkeyPatch.context() as patch:
        while score.tried < amount:
            async with fresh_studio() as studio:
                _lose_patience(studio, patch)
                await furnish_apiframe(studio)
                await furnish_aurous(studio)
                late = dice.randrange(len(LOST))
                cases = [
                    Case(route, name, is_asked_late=(kind + number) % len(LOST) == late)
                    for (kind, route), (number, name) in itertools.product(enumerate(ORDERS), enumerate(LOST))
                ]
                for case in dice.sample(cases, len(cases)):
                    await _lose_one(studio, case, dice, score)
                await studio.pass_time(TRAINS_IN)
                await _check(studio, score)
    return score


async def _lose_one(studio: Studio, case: Case, dice: random.Random, score: Score) -> None:
    route, name, is_asked_late = case.route, case.name, case.is_asked_late
    server = studio.aurous if route == STYLED else studio.server
    times = 1 if is_asked_late or route == TRAININGS else dice.randint(1, 2)
    server.faults.next(route, *(LOST[name]() for _ in range(times)))
    await ORDERS[route](studio)
    await studio.settle()
    score.tried += 1
    score.fired[name] += 1
    score.bad["unknown and not visible"] += not await _is_visible(studio)
    if is_asked_late:
        before = sent(studio, route)
        await studio.pass_time(A_DAY)
        score.fired["asked for a day later"] += 1
        score.bad["sent again a day later"] += sent(studio, route) - before
    else:
        await studio.pass_time(SEEN_WITHIN)
        score.bad["unknown and not visible"] += not await _is_visible(studio)
    for wait in SOON:
        await studio.pass_time(wait)


async def _is_visible(studio: Studio) -> bool:
    """Whether what nobody knows of is counted among the metrics."""
    for lane, table in ((LaneName.TRAININGS, tables.trainings), (LaneName.GENERATIONS, tables.generations)):
        unknown = await studio.scalars(sa.select(table.c.id).where(table.c.status == "submitting"))
        shown = [
            metric.value
            for metric in await readings.what_waits(studio.database, studio.clock.now())
            if (metric.name, metric.labels) == ("darkroom_open_jobs", {"lane": lane, "status": "submitting"})
        ]
        if len(unknown) != sum(shown):
            return False
    return True


async def _check(studio: Studio, score: Score) -> None:
    ends = await statuses(studio)
    score.fired["put to a person"] += ends.count("failed")
    score.fired["found"] += ends.count("ready")
    score.bad["not ended"] += len(ends) - ends.count("failed") - ends.count("ready")
    await check_paid_and_told(studio, score)


def _lose_patience(studio: Studio, patch: pytest.MonkeyPatch) -> None:
    """Silence is noticed at once; every other answer is awaited as long as in production."""
    real = Transport.send

    async def send(self: Transport, request: Request) -> Response:
        route = provider_route(request)
        server = studio.server if request.url.startswith(studio.server.base_url) else studio.aurous
        coming = server.faults.routes._waiting[route]
        if coming and coming[0].kind is FaultKind.HANG:
            request = replace(request, read_timeout_s=SILENCE_S)
        return await real(self, request)

    patch.setattr(Transport, "send", send)


def send_again_for_a_month(patch: pytest.MonkeyPatch) -> None:
    """An order is sent under a key that the provider has forgotten."""
    real, month = Timings.__init__, timedelta(days=30)

    def patient(self: Timings, **changes: timedelta) -> None:
        real(self, **({"give_up": month} | changes))

    patch.setattr(Timings, "__init__", patient)
    patch.setattr(submission, "KEY_MEMORY", month)


def show_no_unknown_trainings(patch: pytest.MonkeyPatch) -> None:
    real = backlog.open_by_status

    async def count(*given: Any, **options: Any) -> dict[str, int]:
        return {status: total for status, total in (await real(*given, **options)).items() if status != "submitting"}

    patch.setattr(backlog, "open_by_status", count)


ROW = Row(
    "T05",
    "answers that are lost, and asked for a day later",
    "0 paid twice, unknown visible within 60 s",
    (9, 360),
    (*LOST, "asked for a day later", "found", "put to a person"),
    lose_answers,
    (send_trainings_without_a_look, send_again_for_a_month, show_no_unknown_trainings),
)
