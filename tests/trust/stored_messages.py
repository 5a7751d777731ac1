"""T07: Discord has stored a message and its answer is lost, or the bot dies before it has noted it."""

import asyncio
import contextlib
import random
import secrets
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from bot.outbox import OutboxService
from bot.records.post import Post, PostStatus
from cogs.adapters.poster import DiscordPoster
from tests.fakes.loop import with_leaping_time
from tests.generation.picture_orders import PNG
from tests.trust.desk import OPEN, Desk, open_desk
from tests.trust.row import Row, Score
from tests.wire.discord import faults
from tests.wire.discord.answers import Call
from tests.wire.discord.faults import Fault
from tests.wire.discord.world import Channel, Person

MESSAGES = "/channels/*/messages"
STORED: dict[str, Fault] = {
    "stored, then 500": faults.server_error(500).committed(),
    "stored, then 502": faults.server_error(502).committed(),
    "stored, then 503": faults.server_error(503).committed(),
    "stored, then 504": faults.server_error(504).committed(),
    "stored, then reset": faults.reset().committed(),
    "stored, then closed": faults.dropped().committed(),
}
PATHS = ("channel", "thread", "private message", "with a picture")
CHANNELS = 20
DEATH_EVERY = 15
"""One in so many messages is stored, and the bot dies before it hears of it."""
DEAD_FOR_S = (0.0, 40.0, 600.0)
"""Discord remembers the nonce, the bot no longer trusts that it does, Discord has forgotten it."""


async def lose_answers(messages: int, seed: int) -> Score:
    score = Score()
    for path in PATHS:
        await with_leaping_time(lambda path=path: _one_path(score, messages, path, random.Random(seed)))  # type: ignore[misc]
    return score


async def _one_path(score: Score, messages: int, path: str, dice: random.Random) -> None:
    async with open_desk() as desk:
        channels = [desk.channel() for _ in range(CHANNELS)]
        if path == "thread":
            channels = [desk.thread(channel) for channel in channels]
        for number in range(messages):
            await _post(desk, path, channels[number % CHANNELS], desk.person())
        met: set[str] = set()
        for name, fault in STORED.items():
            desk.standin.faults.add("POST", MESSAGES, fault, times=None, when=_first_try(name, met, dice.random()))
        while await desk.count(*OPEN):
            score.fired["died between send and record"] += await _one_life(desk, dice)
            await asyncio.sleep(dice.choice(DEAD_FOR_S))
        score.tried += messages
        score.fired[path] += messages
        for rule, name in zip(desk.standin.faults.rules, STORED, strict=False):
            score.fired[name] += rule.fired
        score.bad.update(desk.misposted())
        score.bad["kept although its place takes it"] += await desk.count(PostStatus.KEPT)


async def _post(desk: Desk, path: str, channel: Channel, owner: Person) -> None:
    places: Sequence[Channel | Person] = [owner] if path == "private message" else [channel, owner]
    if path == "with a picture":
        await desk.post_pictures(places, owner, [PNG])
    else:
        await desk.post(places, owner)


def _first_try(name: str, met: set[str], seed: float) -> Callable[[Call], bool]:
    """Each message meets one of the faults, when it is sent for the first time."""

    def is_it(call: Call) -> bool:
        nonce = str(call.json["nonce"])
        if nonce in met or random.Random(f"{seed} {nonce}").choice(list(STORED)) != name:
            return False
        met.add(nonce)
        return True

    return is_it


async def _one_life(desk: Desk, dice: random.Random) -> bool:
    """Whether it ended in a death, with a message stored and others on their way."""
    left = dice.randint(1, 2 * DEATH_EVERY)

    def is_last(_call: Call) -> bool:
        nonlocal left
        left -= 1
        return left == 0

    death = desk.standin.faults.add("POST", MESSAGES, faults.hang().committed(), when=is_last)
    desk.standin.faults.rules.insert(0, desk.standin.faults.rules.pop())
    async with desk.life():
        done = asyncio.create_task(desk.until_done())
        dead = asyncio.create_task(desk.standin.until(lambda: death.fired, "the death"))
        await asyncio.wait({done, dead}, return_when=asyncio.FIRST_COMPLETED)
    for task in (done, dead):
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError, AssertionError):
            await task
    desk.standin.faults.rules.remove(death)
    return death.fired > 0


def take_a_new_nonce(patch: pytest.MonkeyPatch) -> None:
    """Each try goes out as another message."""
    send = DiscordPoster._send_card

    async def send_anew(self: DiscordPoster, channel: object, post: Post, *more: object) -> int:
        return await send(self, channel, replace(post, nonce=secrets.token_hex(8)), *more)  # type: ignore[arg-type]

    patch.setattr(DiscordPoster, "_send_card", send_anew)


def never_look(patch: pytest.MonkeyPatch) -> None:
    """After a death the post is sent again, however long ago it may have been sent."""

    async def earlier(self: OutboxService, *_about: object) -> None:
        del self

    patch.setattr(OutboxService, "_earlier", earlier)


ROW = Row(
    "T07",
    "Discord stores, then fails; the bot dies before it knows",
    "0 twice, 0 missing, on every path",
    (30, 1000),
    (*PATHS, *STORED, "died between send and record"),
    lose_answers,
    (take_a_new_nonce, never_look),
)
