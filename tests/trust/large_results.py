"""T18: results that Discord does not take as they are: too large, of mixed sizes, empty, or no pictures at all."""

import random
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot.records.post import PostStatus
from cogs.adapters import rendering
from cogs.events.posts import Draft
from tests.fakes.loop import with_leaping_time
from tests.fakes.posted import id_in
from tests.photos.sample_photos import encode, noise
from tests.trust.desk import Desk, open_desk
from tests.trust.row import Row, Score

LIMIT_BYTES = 150_000
"""Of one file at the stand-in, which is less than the bot believes: every larger one is answered 413 / 40005."""
KINDS: dict[str, bytes] = {
    "small": encode(noise(64, 64, 1), "PNG"),
    "above the limit": encode(noise(400, 400, 2), "PNG"),
    "far above the limit": encode(noise(900, 900, 3), "PNG"),
    "cut off": encode(noise(400, 400, 4), "PNG")[:200_000],
    "of 0 bytes": b"",
    "a web page": b"<!doctype html><title>Just a moment...</title>" * 5000,
}
SETS_MOST = 4


async def send_large(amount: int, seed: int) -> Score:
    score = Score()
    await with_leaping_time(lambda: _send(score, amount, random.Random(seed)))
    return score


async def _send(score: Score, amount: int, dice: random.Random) -> None:
    async with open_desk() as desk:
        desk.guild.upload_limit_bytes = LIMIT_BYTES
        orders = [[name] for name in KINDS]
        orders += [dice.choices(sorted(KINDS), k=dice.randint(2, SETS_MOST)) for _ in range(amount - len(orders))]
        for names in orders:
            owner = desk.person()
            await desk.post_pictures([desk.channel(), owner], owner, [KINDS[name] for name in names])
            score.fired.update(names)
            score.fired["mixed sizes"] += len(set(names)) > 1
        async with desk.life():
            await desk.until_done()
        score.tried += len(orders)
        score.fired["answered 413"] += desk.standin.statuses()[413]
        score.bad.update(desk.misposted())
        score.bad["kept although a link fits anywhere"] += await desk.count(PostStatus.KEPT)
        score.bad["not in its channel"] += sum(message.channel.guild is None for message in desk.messages)
        score.bad["not each picture as a file or a link, once"] += _silent(desk, orders)


def _silent(desk: Desk, orders: list[list[str]]) -> int:
    """Sets with pictures that are neither there nor given as a link."""
    silent = 0
    for names, post in zip(orders, desk.owners, strict=True):
        found = [message for message in desk.messages if id_in(message.components) == post]
        links = sum(message.text.count(", full quality](") for message in found)
        silent += sum(len(message.files) for message in found) + links != len(names)
    return silent


def only_as_they_are(patch: pytest.MonkeyPatch) -> None:
    """The first version alone is tried."""
    drafts = rendering.drafts

    async def first_draft(*args: Any, **options: Any) -> AsyncIterator[Draft]:
        async for draft in drafts(*args, **options):
            yield draft
            return

    patch.setattr(rendering, "drafts", first_draft)


ROW = Row(
    "T18",
    "results too large, of mixed sizes, empty, of a wrong type",
    "100 % answered in their channel",
    (12, 300),
    (*KINDS, "mixed sizes", "answered 413"),
    send_large,
    (only_as_they_are,),
)
