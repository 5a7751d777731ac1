"""Everything that goes wrong at the provider: every job ends in words its member can read, and is paid for once."""

import asyncio
import json
import random
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.records.post import PostKind
from bot.sandbox.apiframe.answers import sign
from bot.sandbox.apiframe.state import RehearsalLora
from bot.sandbox.rehearsal.deliveries import WebhookFault
from bot.sandbox.rehearsal.faults import Fault
from tests.fakes.examples import in_proportion
from tests.fakes.posted import card_ids, id_in, kind_in
from tests.fakes.waiting import HANG_S
from tests.wire.discord.messages import StoredMessage
from tests.wire.kills.bot_process import alive
from tests.wire.kills.ledger import posted_twice, posts_in
from tests.wire.kills.rig import API_KEY, TIMINGS, Rig, open_rig, until

DETAILS = json.dumps({"error": "Validation failed", "details": {"prompt": ["Too rude"]}}).encode()
CREDITS = json.dumps({"error": "Insufficient credits", "creditsRequired": 257, "creditsAvailable": 3}).encode()
FAULTS: dict[str, Callable[[], Fault]] = {
    "400": lambda: Fault.answer(400, body=DETAILS),
    "401": lambda: Fault.answer(401),
    "402": lambda: Fault.answer(402, body=CREDITS),
    "403": lambda: Fault.answer(403),
    "404": lambda: Fault.answer(404),
    "429": Fault.rate_limited,
    "429 with Retry-After": lambda: Fault.rate_limited("1"),
    "500": lambda: Fault.answer(500),
    "502": lambda: Fault.answer(502),
    "503": lambda: Fault.answer(503),
    "504": lambda: Fault.answer(504),
    "502 after accept": lambda: Fault.answer(502, accepted=True),
    "reset before": Fault.reset_before,
    "reset after accept": Fault.reset_after_accept,
    "hang": Fault.hang,
    "slow drip": lambda: Fault.slow_drip(0.002),
    "half a body": Fault.half_body,
    "garbage": Fault.garbage_json,
    "HTML": Fault.html_200,
    "a page of an edge": Fault.edge_page,
    "wrong schema": Fault.wrong_schema,
    "unknown status": Fault.unknown_status_word,
}
PATIENCE_S = 3.0
LINES = 4
PNG_MAGIC = b"\x89PNG\r\n\x1a\n"

# What a fault cuts off at the rehearsal's web server leaves its open files to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")


@dataclass(frozen=True, slots=True)
class Outcome:
    """`charges`: how often the provider took money for the order, refunds not counted."""

    is_done: bool
    charges: int


DONE, REFUSED = Outcome(True, 1), Outcome(False, 0)


def expected(**differing: Outcome) -> dict[str, Outcome]:
    """One outcome for each fault: done and charged once, unless it is named here (a digit's name begins with _)."""
    return dict.fromkeys(FAULTS, DONE) | {name.removeprefix("_"): outcome for name, outcome in differing.items()}


@asynccontextmanager
async def running(folder: Path, **more: Any) -> AsyncIterator[Rig]:
    async with open_rig(folder, members=1, **{"provider_patience_s": PATIENCE_S, **more}) as rig:
        async with alive(rig.settings) as life:
            await rig.save_key()
            yield rig
            assert life.code is None
        assert posted_twice(rig.messages) == []


async def ended(rig: Rig, number: int, *kinds: PostKind) -> StoredMessage:
    """The first post of one of these kinds about the job with this number."""
    posts = [(kind, number) for kind in kinds]

    def find() -> StoredMessage | None:
        cards = {card for post, card in card_ids(rig.database).items() if post in posts}
        return next((message for message in rig.messages if id_in(message.components) in cards), None)

    await rig.standin.until(find, f"{' or '.join(kinds)} #{number}")
    found = find()
    assert found is not None
    return found


async def train(rig: Rig, fault: str) -> Outcome:
    name = f"through {fault}"
    number = await rig.members[0].train(name)
    post = await ended(rig, number, PostKind.TRAINING_READY, PostKind.TRAINING_FAILED)
    charges = sum(
        entry.what == "create" and rig.provider.loras[entry.ref].name.startswith(f"{name} ·")
        for entry in rig.provider.ledger
    )
    is_done = "is ready" in post.text
    assert is_done or "Nothing was charged" in post.text or "dashboard" in post.text, post.text
    return Outcome(is_done, charges)


async def picture(rig: Rig, route: str, fault: str) -> Outcome:
    if not (ready := next((message for message in rig.messages if "is ready" in message.text), None)):
        ready = await ended(rig, await rig.members[0].train("Rex"), PostKind.TRAINING_READY)
    # The fault is put in place only now, so that the training has not met it.
    rig.provider.faults.next(route, FAULTS[fault]())
    number, prompt = await rig.members[0].imagine(ready, f"through {fault.replace(' ', '-')}")
    post = await ended(rig, number, PostKind.PICTURES, PostKind.PICTURES_FAILED)
    charges = sum(
        entry.what == "images" and str(rig.provider.jobs[entry.ref].order["prompt"]).endswith(prompt)
        for entry in rig.provider.ledger
    )
    is_done = "No pictures this time" not in post.text
    assert is_done == bool(post.files)
    assert all(file.content.startswith(PNG_MAGIC) for file in post.files)
    return Outcome(is_done, charges)


async def survey(folder: Path, ask: Callable[[Rig, str], Awaitable[Outcome]]) -> dict[str, Outcome]:
    """What became of one job for each fault, or for a sample of them; several bots share the work."""
    outcomes: dict[str, Outcome] = {}
    tried = random.sample(list(FAULTS), in_proportion(len(FAULTS)))

    async def run_line(number: int) -> None:
        async with running(folder / str(number)) as rig:
            for fault in tried[number::LINES]:
                outcomes[fault] = await ask(rig, fault)

    async with asyncio.TaskGroup() as group:
        for number in range(LINES):
            group.create_task(run_line(number))
    return outcomes


async def test_a_training_survives_every_answer_to_its_order(tmp_path: Path) -> None:
    async def ask(rig: Rig, fault: str) -> Outcome:
        rig.provider.faults.next("POST /v2/loras", FAULTS[fault]())
        return await train(rig, fault)

    assert (await survey(tmp_path, ask)).items() <= expected(_400=REFUSED, _402=REFUSED, _404=REFUSED).items()


async def test_a_training_survives_every_answer_while_it_is_watched(tmp_path: Path) -> None:
    async def ask(rig: Rig, fault: str) -> Outcome:
        rig.provider.faults.next("GET /v2/loras/{id}", FAULTS[fault]())
        return await train(rig, fault)

    assert (await survey(tmp_path, ask)).items() <= expected().items()


async def test_an_order_of_unknown_outcome_is_found_whatever_the_search_meets(tmp_path: Path) -> None:
    async def ask(rig: Rig, fault: str) -> Outcome:
        rig.provider.faults.next("POST /v2/loras", Fault.reset_after_accept())
        rig.provider.faults.next("GET /v2/loras", FAULTS[fault]())
        return await train(rig, fault)

    assert (await survey(tmp_path, ask)).items() <= expected().items()


@pytest.mark.parametrize(
    ("route", "differing"),
    [
        ("POST /v2/images/generate", dict.fromkeys(("_400", "_402", "_404"), REFUSED)),
        ("GET /v2/jobs/{id}", {}),
        ("GET /images/{name}", {}),
    ],
)
async def test_pictures_survive_every_answer(tmp_path: Path, route: str, differing: dict[str, Outcome]) -> None:
    async def ask(rig: Rig, fault: str) -> Outcome:
        return await picture(rig, route, fault)

    assert (await survey(tmp_path, ask)).items() <= expected(**differing).items()


@asynccontextmanager
async def called_back(folder: Path, **more: Any) -> AsyncIterator[Rig]:
    """A bot that the provider can call back, and that hardly polls."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    slow = TIMINGS | {"poll": 60.0, "generation_poll": 60.0, "generation_poll_max": 60.0}
    settings = {"listen_port": port, "public_url": f"http://127.0.0.1:{port}", "timings": slow}
    async with running(folder, **(settings | more)) as rig:
        yield rig


def statuses(rig: Rig) -> list[int | None]:
    return [delivery.status for delivery in rig.provider.deliveries]


async def test_webhooks_bring_results_long_before_the_next_poll(tmp_path: Path) -> None:
    async with called_back(tmp_path) as rig:
        await rig.round(rig.members[0], "Rex")
        assert statuses(rig) == [204, 204]


async def test_a_webhook_sent_twice_makes_one_post(tmp_path: Path) -> None:
    async with called_back(tmp_path) as rig:
        rig.provider.faults.webhooks.queue.extend([WebhookFault.DUPLICATE, WebhookFault.DUPLICATE])
        await rig.round(rig.members[0], "Rex")
        await rig.standin.until(lambda: len(statuses(rig)) == 4, "both repeats")
        assert set(statuses(rig)) == {204}
        assert len([entry for entry in rig.provider.ledger if entry.what in {"create", "images"}]) == 2


async def test_a_webhook_that_comes_long_after_the_poll_changes_nothing(tmp_path: Path) -> None:
    async with called_back(tmp_path, timings=TIMINGS) as rig:
        rig.provider.faults.webhooks.queue.extend([WebhookFault.DELAY, WebhookFault.DELAY])
        await rig.round(rig.members[0], "Rex")
        posts = posts_in(rig.messages)
        rig.provider.release()
        await until_delivered(rig, 2)
        assert set(statuses(rig)) == {204}
        assert posts_in(rig.messages) == posts


async def until_delivered(rig: Rig, count: int) -> None:
    async with asyncio.timeout(HANG_S):
        await until(lambda: len(statuses(rig)) >= count)


@pytest.mark.parametrize("fault", [WebhookFault.BAD_SIGNATURE, WebhookFault.MISSING_SIGNATURE, WebhookFault.DROP])
async def test_a_forged_or_missing_webhook_is_made_good_by_polling(tmp_path: Path, fault: WebhookFault) -> None:
    async with called_back(tmp_path, timings=TIMINGS) as rig:
        rig.provider.faults.webhooks.queue.extend([fault, fault])
        await rig.round(rig.members[0], "Rex")
        assert statuses(rig) == ([] if fault is WebhookFault.DROP else [401, 401])


async def test_a_webhook_that_overtakes_the_answer_to_the_order_is_not_forgotten(tmp_path: Path) -> None:
    async with called_back(tmp_path, provider_patience_s=10.0) as rig:
        rig.provider.faults.next("POST /v2/loras", Fault.hang())
        number = await rig.members[0].train("Rex")
        await until_delivered(rig, 1)
        rig.provider.release()
        await ended(rig, number, PostKind.TRAINING_READY)
        assert statuses(rig) == [204]


async def test_a_webhook_of_another_guild_is_refused(tmp_path: Path) -> None:
    other_key = "afk_rehearsal_other_0002"
    async with called_back(tmp_path / "one", timings=TIMINGS) as rig:
        rig.provider.faults.hold_trainings = True
        await rig.members[0].train("Rex")
        await rig.standin.until(lambda: rig.provider.loras, "the order")
        (lora,) = rig.provider.loras.values()
        own = json.dumps({"id": lora.id, "status": "READY"}).encode()
        foreign = json.dumps({"id": "7f3c2c1e-0000-4000-8000-000000000000", "status": "READY"}).encode()
        address = lora.webhook_url or ""
        deliveries = [
            (address, own, API_KEY, 204),
            (address, own, other_key, 401),
            (address, foreign, API_KEY, 401),
            (address[:-1] + ("A" if address[-1] != "A" else "B"), own, API_KEY, 401),
        ]
        await until_adopted(rig, lora)
        async with aiohttp.ClientSession() as session:
            for url, body, key, status in deliveries:
                headers = {"X-Webhook-Signature": f"sha256={sign(body, key, 'hex')}"}
                async with session.post(url, data=body, headers=headers) as answer:
                    assert answer.status == status, (url, body, key)
        assert PostKind.TRAINING_READY not in [kind_in(message.components) for message in rig.messages]


async def until_adopted(rig: Rig, lora: RehearsalLora) -> None:
    """Until the bot has looked at the LoRA, so it knows its id."""
    async with asyncio.timeout(HANG_S):
        await until(lambda: any(request.path.endswith(lora.id) for request in rig.provider.requests))
