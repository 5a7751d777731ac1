"""T17: the place of a result is closed, gone or out of sight when the result is finished."""

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import pytest

from bot import reach
from bot.outbox import OutboxService
from bot.records.post import Post, PostStatus
from bot.storage.due import Claim
from tests.fakes.loop import with_leaping_time
from tests.trust.desk import Desk, open_desk
from tests.trust.row import Row, Score
from tests.wire.discord import faults
from tests.wire.discord.world import Channel, Permit

REFUSALS = {403, 404}
UNAVAILABLE_S = 900.0
AT_MOST = timedelta(minutes=2)

Close = Callable[[Desk, Channel, Channel], None]
"""Closes a thread, or its channel, or both."""


def hide(desk: Desk, _thread: Channel, channel: Channel) -> None:
    desk.standin.take_from_bot(channel, Permit.VIEW_CHANNEL, announce=False)


def forbid(desk: Desk, _thread: Channel, channel: Channel) -> None:
    desk.standin.take_from_bot(channel, Permit.SEND_MESSAGES, Permit.SEND_MESSAGES_IN_THREADS, announce=False)


def forbid_threads(desk: Desk, _thread: Channel, channel: Channel) -> None:
    desk.standin.take_from_bot(channel, Permit.SEND_MESSAGES_IN_THREADS, announce=False)


def delete(desk: Desk, _thread: Channel, channel: Channel) -> None:
    desk.standin.delete_channel(channel)


def delete_thread(desk: Desk, thread: Channel, _channel: Channel) -> None:
    desk.standin.delete_channel(thread)


def archive(desk: Desk, thread: Channel, _channel: Channel) -> None:
    desk.standin.archive(thread)


def kick(desk: Desk, _thread: Channel, _channel: Channel) -> None:
    desk.guild.has_bot = False


FALLS_TO: dict[str, tuple[Close, str]] = {
    "50001, out of sight": (hide, "private"),
    "50013, no permission": (forbid, "private"),
    "50013, no permission in threads": (forbid_threads, "channel"),
    "10003, channel deleted": (delete, "private"),
    "10003, thread deleted": (delete_thread, "channel"),
    "50083, thread archived": (archive, "channel"),
    "the bot was removed": (kick, "private"),
}
"""What is done, and where the results have to arrive."""


async def close_places(results: int, seed: int) -> Score:
    del seed
    score = Score()
    for name, (close, falls_to) in FALLS_TO.items():
        for takes_private in (True, False):
            await with_leaping_time(
                lambda name=name, close=close, falls_to=falls_to, takes=takes_private: _one_closing(  # type: ignore[misc]
                    score, results, name, close, falls_to if takes or falls_to == "channel" else "kept"
                )
            )
    await with_leaping_time(lambda: _unavailable(score, results))
    return score


async def _one_closing(score: Score, results: int, name: str, close: Close, falls_to: str) -> None:
    async with open_desk() as desk:
        channel = desk.channel()
        thread = desk.thread(channel)
        for _ in range(results):
            owner = desk.person()
            owner.accepts_dms = falls_to != "kept"
            await desk.post([thread, channel, owner], owner)
        close(desk, thread, channel)
        async with desk.life():
            await desk.until_done(AT_MOST)
        score.tried += results
        score.fired[name] += sum(call.status in {400, *REFUSALS} for call in desk.standin.calls)
        score.fired[f"falls to {falls_to}"] += results
        arrived = Counter(_where(message.channel, channel) for message in desk.messages)
        arrived["kept"] = await desk.count(PostStatus.KEPT)
        score.bad[f"{name}: not in the next place that takes it"] += results - arrived[falls_to]
        _count_calls(score, desk, name)
        if falls_to != "kept":
            score.bad.update(desk.misposted())


def _where(place: Channel, channel: Channel) -> str:
    return "private" if place.recipient is not None else "channel" if place is channel else "thread"


def _count_calls(score: Score, desk: Desk, name: str) -> None:
    """One refusal closes a place for all its posts, for a while."""
    minutes = max(call.at for call in desk.standin.calls) // reach.CLOSED_FOR.total_seconds() + 1
    tried: Counter[str] = Counter()
    refused: Counter[str] = Counter()
    for call in desk.standin.calls:
        if call.route == "/channels/{channel_id}/messages" and call.method == "POST":
            tried[call.json["nonce"]] += 1
            refused[call.path] += call.status in REFUSALS
    score.bad[f"{name}: more than three tries"] += sum(count > 3 for count in tried.values())
    score.bad[f"{name}: refused again and again"] += sum(count > minutes for count in refused.values())


async def _unavailable(score: Score, results: int) -> None:
    """A server that Discord itself has lost for a while: its posts wait, those of others do not."""
    async with open_desk() as desk:
        lost, there = desk.channel(), desk.channel()
        for number in range(results):
            owner = desk.person()
            await desk.post([(lost, there)[number % 2], owner], owner)
        rule = desk.standin.faults.add("POST", f"/channels/{lost.id}/messages", faults.server_error(503), times=None)
        async with desk.life():
            await asyncio.sleep(UNAVAILABLE_S)
            score.bad["a server that is there waited for one that is not"] += results // 2 - len(
                desk.standin.messages.in_channel(there)
            )
            rule.stop()
            await desk.until_done()
        score.tried += results
        score.fired["the server is unavailable"] += rule.fired
        score.bad["not in the channel of a server that came back"] += (results + 1) // 2 - len(
            desk.standin.messages.in_channel(lost)
        )
        score.bad.update(desk.misposted())


def ask_for_each_post(patch: pytest.MonkeyPatch) -> None:
    """A place that has refused one result is asked for the next one as well."""

    def close(self: reach.Reach, *_what: object) -> None:
        del self

    patch.setattr(reach.Reach, "_close", close)


def try_the_same_place_again(patch: pytest.MonkeyPatch) -> None:
    """A refusal is taken for a moment's trouble."""

    async def next_place(self: OutboxService, claim: Claim[Post]) -> None:
        await self._store(claim, due_in=self._timings.backoff_first, attempt=claim.row.attempt + 1)

    patch.setattr(OutboxService, "_next_place", next_place)


ROW = Row(
    "T17",
    "the place is closed, gone or out of sight",
    "at most 3 tries, then the next place, 0 refused again",
    (6, 70),
    (*FALLS_TO, "falls to channel", "falls to private", "falls to kept", "the server is unavailable"),
    close_places,
    (ask_for_each_post, try_the_same_place_again),
)
