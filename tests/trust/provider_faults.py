"""T06: everything that a provider may answer, at each of its routes, in any order."""

import contextlib
import random
from collections import Counter, deque
from collections.abc import Callable
from datetime import timedelta

import pytest

from bot.errors import UserError
from bot.generation.order import PictureOrder
from bot.providers import calls
from bot.records.generation import Generation, GenerationSettings
from bot.records.job import LaneName
from bot.records.post import PostKind
from bot.records.training import Training
from bot.sandbox.rehearsal.faults import Fault
from tests.fakes.rows import ANNA
from tests.fakes.studio import Studio
from tests.generation.picture_orders import add_style, place, set_aurous_key
from tests.trust.row import Row, Score
from tests.trust.studios import fresh_studio

ANSWERS: dict[str, Callable[[], Fault]] = {
    "500": lambda: Fault.answer(500),
    "502": lambda: Fault.answer(502),
    "502 after the order was taken": lambda: Fault.answer(502, accepted=True),
    "503": lambda: Fault.answer(503),
    "503, come back later": lambda: Fault.answer(503, headers={"Retry-After": "30"}),
    "504": lambda: Fault.answer(504),
    "429": lambda: Fault.rate_limited("20"),
    "429 without a time": Fault.rate_limited,
    "401": lambda: Fault.answer(401),
    "402": lambda: Fault.answer(402),
    "403": lambda: Fault.answer(403),
    "404": lambda: Fault.answer(404),
    "410": lambda: Fault.answer(410),
    "a page of an edge": Fault.edge_page,
    "308 to nowhere": lambda: Fault.answer(308, headers={"Location": "/elsewhere"}),
    "connection closed before": Fault.reset_before,
    "connection closed after the order was taken": Fault.reset_after_accept,
    "half an answer": Fault.half_body,
    "not whole JSON": Fault.garbage_json,
    "a web page": Fault.html_200,
    "another schema": Fault.wrong_schema,
}
APIFRAME = (
    "POST /v2/loras",
    "GET /v2/loras",
    "GET /v2/loras/{id}",
    "GET /v2/me",
    "POST /v2/images/generate",
    "GET /v2/jobs/{id}",
    "GET /images/{name}",
)
AUROUS = ("POST /v1/images", "GET /v1/images/{id}", "GET /v1/images/{id}/output/{number}", "GET /v1/balance")
ENDS = (PostKind.TRAINING_READY, PostKind.TRAINING_FAILED, PostKind.PICTURES, PostKind.PICTURES_FAILED)
FAULTS_EACH = 12
A_DAY_LATER = timedelta(hours=30)


async def try_answers(seeds: int, seed: int) -> Score:
    score = Score()
    for number in range(seeds):
        # The route that an answer waits at may not be asked in this life; then it is among the next ones.
        rarest = sorted(sorted(ANSWERS), key=lambda name: score.fired[name])
        await _one_life(score, random.Random(seed + number), rarest[:FAULTS_EACH])
    return score


async def _one_life(score: Score, dice: random.Random, names: list[str]) -> None:
    """A training, pictures of its kind and pictures in a style, while both providers answer as they like."""
    async with fresh_studio() as studio:
        await studio.set_key()
        await set_aurous_key(studio)
        lora, style_id = await studio.lora(), await add_style(studio)
        dice.shuffle(names)
        queued: list[tuple[str, Fault, deque[Fault]]] = []
        for name in names:
            server, route = dice.choice(
                [(studio.server, route) for route in APIFRAME] + [(studio.aurous, route) for route in AUROUS]
            )
            fault = ANSWERS[name]()
            server.faults.next(route, fault)
            queued.append((name, fault, server.faults.routes._waiting[route]))
        training = await studio.begin()
        orders = [PictureOrder("a fox", GenerationSettings(count=2), lora.id), PictureOrder("a fox", style_id=style_id)]
        accepted = []
        for order in orders:
            # What is said of the balance may refuse an order before it is stored.
            with contextlib.suppress(UserError):
                accepted.append((await place(studio, order, user_id=ANNA)).generation)
        for wait in (timedelta(seconds=5),) * 6 + (timedelta(minutes=2),) * 10 + (timedelta(minutes=30),) * 4:
            await studio.pass_time(wait)
        await studio.pass_time(A_DAY_LATER)
        await studio.settle()
        met = [name for name, fault, waiting in queued if not any(each is fault for each in waiting)]
        score.tried += len(met)
        score.fired.update(met)
        await _check(score, studio, training, accepted)


async def _check(score: Score, studio: Studio, training: Training, orders: list[Generation]) -> None:
    ended: list[Training | Generation] = [
        await studio.training(training.id),
        *[await studio.generation(each.id) for each in orders],
    ]
    score.bad["not ended after a day"] += sum(not job.status.is_terminal for job in ended)
    failed = [job for job in ended if job.status.is_terminal and job.status.value != "ready"]
    score.bad["failed without a reason"] += sum(not job.error for job in failed)
    score.bad["paid twice"] += max(0, studio.charges("create") - 1) + max(0, studio.charges("images") - 1)
    posts = Counter([(post.subject_table, post.subject_id) for kind in ENDS for post in await studio.posts_of(kind)])
    score.bad["told more or less than once"] += len(ended) - len(posts) + sum(count - 1 for count in posts.values())
    score.bad["still due although all has ended"] += len(await studio.claim(LaneName.TRAININGS))
    score.bad["still due although all has ended"] += len(await studio.claim(LaneName.GENERATIONS))


def send_again_without_looking(patch: pytest.MonkeyPatch) -> None:
    """An order whose answer is lost is sent again at once, as a free read is."""
    patch.setattr(calls.Calls, "submit", calls.Calls.ask)


ROW = Row(
    "T06",
    "any answer of a provider, at any route",
    "all end with a reason, paid at most once, told once",
    (6, 400),
    tuple(sorted(ANSWERS)),
    try_answers,
    (send_again_without_looking,),
)
