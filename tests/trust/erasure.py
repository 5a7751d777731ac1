"""T34: a member with jobs in every state says one word; what is left of them in rows, files and bytes on the disk."""

import random
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import pytest

from bot.photos.intake import Spool
from bot.records.generation import GenerationStatus
from bot.records.guild import Actor, Channel
from bot.records.job import LaneName
from bot.records.lora import Audience, Lora
from bot.records.post import PostKind
from bot.records.training import TrainingStatus
from bot.sandbox.rehearsal.faults import Fault
from bot.storage import tables, writer
from bot.storage.database import Database
from bot.storage.people import erasure, removals
from tests.events.ballot.ballots import World
from tests.events.lives.event_acts import name_in_photos
from tests.events.lives.event_run import begin
from tests.fakes.events import plan_and_open
from tests.fakes.member_history import live_through_everything
from tests.fakes.rows import ANNA, BEN, CHANNEL, GUILD
from tests.fakes.studio import Studio
from tests.fakes.waiting import eventually
from tests.generation.picture_orders import ready_pictures
from tests.trust.row import Row, Score
from tests.trust.studios import fresh_studio

MEMBER = 765_432_109_876_543_210
ACTOR = Actor(GUILD, MEMBER, is_admin=True)
CANARY = "Wilhelmina"
"""In everything that the member typed or that was made for them."""
KEPT_FOR_PROOF = frozenset({"consents", "removals"})
"""That photos were given freely, and that the providers have removed what was made of them."""
ASKED_WITHIN = timedelta(minutes=5)

JOBS = ("trainings", "generations")
STATES = (
    *(f"a training {status}" for status in TrainingStatus),
    *(f"pictures {status}" for status in GenerationStatus),
)


async def forget(lives: int, seed: int) -> Score:
    score = Score()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(writer, "WIPE_AGAIN_S", 0.01)
        for number in range(lives):
            async with fresh_studio() as studio:
                await _one_life(score, studio, random.Random(seed + number))
    return score


async def _one_life(score: Score, studio: Studio, dice: random.Random) -> None:
    await studio.set_key()
    await studio.guilds.choose_reports(GUILD, CHANNEL + 1)
    lora = await _live(studio, dice)
    for table in JOBS:
        for row in (await studio.everything())[table]:
            score.fired[f"{'a training' if table == 'trainings' else 'pictures'} {row['status']}"] += 1
    score.fired["the name was on the disk"] += CANARY.encode() in _raw(studio)
    score.fired["files were there"] += bool(studio.files())
    under_way = [
        (lane, claim) for lane in studio.lanes for claim in await studio.claim(lane, limit=dice.randint(0, 20))
    ]
    score.fired["steps under way"] += len(under_way)
    score.fired["removals at the provider"] += await studio.privacy.forget_member(guild_id=GUILD, user_id=MEMBER)
    score.tried += 1
    await _log_has_been_wiped(studio)
    await _look(score, studio, "at once")
    dice.shuffle(under_way)
    for lane, claim in under_way:
        await studio.step(lane, claim)
    await studio.settle()
    await _look(score, studio, "after the steps under way")
    await studio.pass_time(ASKED_WITHIN)
    score.bad["a finished LoRA that is not removed in time"] += studio.server.loras[lora.remote_id].status != "ARCHIVED"
    for _ in range(25):
        await studio.pass_time(timedelta(hours=1))
    await _look(score, studio, "a day later")
    await _look_at_provider(score, studio)


async def _live(studio: Studio, dice: random.Random) -> Lora:
    """Everything that somebody can have here, in an order of the dice's; the LoRA that is READY at the provider."""
    await live_through_everything(studio, MEMBER, GUILD, CANARY)
    lora = await studio.lora(user_id=MEMBER)
    parts: list[Callable[[Studio, Lora], Awaitable[object]]] = [
        _share, _report, _take_part, _vote, _host, _fail_pictures, _cancel,
    ]  # fmt: skip
    dice.shuffle(parts)
    for part in parts:
        await part(studio, lora)
    await _stand_in_every_state(studio, lora)
    return lora


async def _stand_in_every_state(studio: Studio, lora: Lora) -> None:
    await _begin(studio)
    await studio.settle(LaneName.TRAININGS)
    await studio.pass_time(timedelta(minutes=3), LaneName.TRAININGS)
    await studio.order(lora, CANARY)
    await studio.settle(LaneName.GENERATIONS)
    studio.server.faults.next("GET /images/{name}", *[Fault.answer(503)] * 9)
    await studio.pass_time(timedelta(seconds=10), LaneName.GENERATIONS)
    await _begin(studio)
    await studio.order(lora, CANARY)
    await studio.work(LaneName.TRAININGS, LaneName.GENERATIONS)
    studio.server.faults.next("POST /v2/loras", Fault.reset_after_accept())
    studio.server.faults.next("POST /v2/images/generate", Fault.reset_after_accept())
    await _begin(studio)
    await studio.order(lora, CANARY)
    await studio.work(LaneName.TRAININGS, LaneName.GENERATIONS)
    await _begin(studio)
    await studio.order(lora, CANARY)


async def _begin(studio: Studio) -> int:
    dataset_id = await studio.dataset(user_id=MEMBER, name=CANARY)
    return (await studio.start(dataset_id, user_id=MEMBER)).id


async def _share(studio: Studio, lora: Lora) -> None:
    await studio.sharing.share(lora.id, Audience.GUILD, None, ACTOR)
    await studio.sharing.offer(lora.id, BEN, ACTOR, Channel(CHANNEL))
    theirs = await studio.lora(user_id=BEN)
    await studio.sharing.offer(theirs.id, MEMBER, Actor(GUILD, BEN), Channel(CHANNEL))


async def _report(studio: Studio, _lora: Lora) -> None:
    theirs = await ready_pictures(studio, await studio.lora(user_id=ANNA))
    await studio.reports.report(theirs.id, CANARY, ACTOR)


async def _take_part(studio: Studio, _lora: Lora) -> None:
    """Photos of theirs that show others, photos of others that show them; they help the host, too."""
    life = await begin(studio, moderator_ids=frozenset({MEMBER}))
    await life.give(MEMBER, 12)
    await life.give(BEN, 12)
    await name_in_photos(life, MEMBER, ANNA, answer=None)
    await name_in_photos(life, BEN, MEMBER)


async def _vote(studio: Studio, _lora: Lora) -> None:
    world = World(studio.database, studio.spool, studio.clock)
    event = await world.voting(BEN, ANNA, MEMBER)
    await world.vote_for(event, MEMBER, BEN)
    await world.vote_for(event, BEN, MEMBER)


async def _host(studio: Studio, _lora: Lora) -> None:
    await plan_and_open(studio.events, ACTOR, Channel(CHANNEL))


async def _fail_pictures(studio: Studio, lora: Lora) -> None:
    studio.server.faults.next("POST /v2/images/generate", Fault.answer(400))
    await studio.order(lora, CANARY)
    await studio.settle()


async def _cancel(studio: Studio, _lora: Lora) -> None:
    await studio.change(tables.trainings, await _begin(studio), status=TrainingStatus.CANCELLED, due_at=None)


def _raw(studio: Studio) -> bytes:
    return b"".join(path.read_bytes() for path in studio.folder.glob("darkroom.db*"))


async def _log_has_been_wiped(studio: Studio) -> None:
    """A reader at that very moment puts it off."""
    wiper = studio.database.writer
    assert wiper is not None
    await wiper._queue.join()
    await eventually(lambda: wiper._wiping_again is None)


async def _look(score: Score, studio: Studio, when: str) -> None:
    known: set[str] = set()
    for table, rows in (await studio.everything()).items():
        for row in rows:
            known.update(str(value) for name, value in row.items() if name == "file" and value)
            for column, value in row.items():
                is_named = str(MEMBER) in str(value) and table not in KEPT_FOR_PROOF
                score.bad[f"{table}.{column} {when}"] += is_named or CANARY in str(value)
    score.bad[f"files of nobody {when}"] += len(set(studio.files()) - known)
    score.bad[f"the name in the bytes on the disk {when}"] += CANARY.encode() in _raw(studio)


async def _look_at_provider(score: Score, studio: Studio) -> None:
    """What is there belongs to somebody here, and the member has been told of the rest."""
    rows = await studio.everything()
    known = {row["remote_id"] for row in rows["loras"]}
    there = {each.id for each in studio.server.loras.values() if each.status not in {"ARCHIVED", "FAILED"}}
    score.bad["LoRAs of nobody at the provider"] += len(there - known)
    score.bad["removals without an answer"] += sum(row["answer"] is None for row in rows["removals"])
    score.bad["members without a receipt"] += PostKind.RECEIPT not in studio.poster.kinds()


def leave_files(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Spool, "free", lambda *_: None)


def leave_the_log(patch: pytest.MonkeyPatch) -> None:
    async def nothing(self: Database) -> None:
        del self

    patch.setattr(Database, "wipe_log", nothing)


def forget_a_table(patch: pytest.MonkeyPatch) -> None:
    kept = {table: columns for table, columns in erasure.MEMBER_COLUMNS.items() if table is not tables.remembered}
    patch.setattr(erasure, "MEMBER_COLUMNS", kept)


def ask_nobody_to_remove(patch: pytest.MonkeyPatch) -> None:
    async def nothing(*_member: object, now: datetime) -> None:
        del now

    patch.setattr(removals, "of_member", nothing)


ROW = Row(
    "T34",
    "a member with jobs in every state is erased",
    "0 rows, files and bytes left; the provider asked within 5 minutes, all removed and said so within a day",
    (1, 12),
    (*STATES, "steps under way", "the name was on the disk", "files were there", "removals at the provider"),
    forget,
    (leave_files, leave_the_log, forget_a_table, ask_nobody_to_remove),
)
