"""T16: Discord does not take the answer to an interaction any more; what was ordered comes as a channel message."""

import asyncio
import itertools
import random
import tempfile
from pathlib import Path

import pytest

from bot.records.post import PostKind
from tests.fakes.waiting import HANG_S
from tests.trust.row import Row, Score
from tests.trust.studios import MEMORY_DISK
from tests.wire.discord import faults
from tests.wire.discord.messages import StoredMessage
from tests.wire.discord.openapi import SPEC_VARIABLE
from tests.wire.discord.pings import pinged
from tests.wire.kills.bot_process import alive
from tests.wire.kills.ledger import posts_in
from tests.wire.kills.persistent_member import CONSENT, Member
from tests.wire.kills.rig import KILLED_FOR_S, Rig, open_rig

MUTANT: str | None = None
"""Which safeguard the bot lacks; a process of its own cannot be patched from here."""
PATIENCE_S = KILLED_FOR_S
BOARD_CODES = (50027, 10015)
"""Invalid webhook token, unknown webhook: the 15 minutes of the interaction are over."""
PRESS_CODES = (10062, 40060)
"""Unknown interaction: its 3 seconds are over; already acknowledged."""


async def answer_too_late(trainings: int, seed: int) -> Score:
    """A member trains so often, and of every training one answer on the way is refused."""
    score, dice = Score(), random.Random(seed)
    codes = list(itertools.islice(itertools.cycle((*BOARD_CODES, *PRESS_CODES)), trainings))
    dice.shuffle(codes)
    with tempfile.TemporaryDirectory(dir=MEMORY_DISK) as name, pytest.MonkeyPatch.context() as patch:
        patch.delenv(SPEC_VARIABLE, raising=False)
        async with open_rig(Path(name) / "rig", members=1, mutant=MUTANT) as rig, alive(rig.settings) as life:
            await rig.save_key()
            for number, code in enumerate(codes, start=1):
                try:
                    await _train(rig, rig.members[0], number, code)
                except (AssertionError, TimeoutError):
                    score.bad["lost"] += 1
                    break
                score.tried += 1
                score.fired[str(code)] += 1
            score.bad["ended by itself"] += life.code is not None
            _check(score, rig)
    return score


async def _train(rig: Rig, member: Member, number: int, code: int) -> None:
    if code in BOARD_CODES:
        refused = rig.standin.faults.add("PATCH", "/webhooks/*", faults.refused(code))
        await member.fill_in(f"Rex {number}")
        await rig.standin.until(lambda: refused.fired, "the refused board", PATIENCE_S)
        board = await _settled(rig, member)
        await member.start(board)
    else:
        board = await _board(rig, member, f"Rex {number}")
        refused = rig.standin.faults.add("POST", "/interactions/*", faults.refused(code))
        await rig.standin.click(board, "Start training", user=member.person)
        await rig.standin.until(lambda: refused.fired, "the refused answer", PATIENCE_S)
    await rig.post(PostKind.TRAINING_READY, number, PATIENCE_S)
    member.succeeded()


async def _board(rig: Rig, member: Member, name: str) -> StoredMessage:
    opened = await rig.standin.slash(member.person, rig.channel, "train", {"subject": "object"})
    await opened.responded()
    photos = {"Photos": member.photos[:10], "More photos (2)": member.photos[10:]}
    return await (await rig.standin.submit_modal(opened, {"Name": name, **photos, CONSENT: True})).settled()


async def _settled(rig: Rig, member: Member) -> StoredMessage:
    async with asyncio.timeout(HANG_S):
        return await (await rig.standin.slash(member.person, rig.channel, "dataset show")).settled()


def _check(score: Score, rig: Rig) -> None:
    score.bad["posted twice"] += sum(count - 1 for count in posts_in(rig.messages).values())
    owners = {f"user:{member.person.id}" for member in rig.members}
    score.bad["pinged somebody else"] += sum(not pinged(message) <= owners for message in rig.messages)
    log = (rig.folder / "bot.log").read_text(errors="replace")
    score.bad["unhandled"] += log.count("Incident ") + log.count("Traceback")


def answer_before_storing(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("tests.trust.expired_interactions.MUTANT", "answer before storing")
    patch.setattr("tests.trust.expired_interactions.PATIENCE_S", 10.0)


ROW = Row(
    "T16",
    "answers that Discord does not take any more",
    "all come as channel messages, 0 unhandled, owner alone pinged",
    (4, 48),
    tuple(str(code) for code in (*BOARD_CODES, *PRESS_CODES)),
    answer_too_late,
    (answer_before_storing,),
    starts_process=True,
)
