"""T13: the gateway closes, asks to reconnect, ends the session or refuses to resume while jobs are under way."""

import asyncio
import random
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path

import pytest

from tests.fakes.waiting import HANG_S
from tests.trust.row import Row, Score
from tests.trust.studios import MEMORY_DISK
from tests.wire.discord.gateway import ABNORMAL, Gateway
from tests.wire.discord.openapi import SPEC_VARIABLE
from tests.wire.kills.bot_process import alive
from tests.wire.kills.campaign import TRAININGS
from tests.wire.kills.ledger import judge, open_rows
from tests.wire.kills.rig import KILLED_FOR_S, Rig, open_rig, until

MUTANT: str | None = None
"""Which safeguard the bot lacks; a process of its own cannot be patched from here."""
PATIENCE_S = KILLED_FOR_S
FINAL_CODES = (4004, 4014)


def refuse_a_resume(gateway: Gateway) -> None:
    gateway.resumes_to_refuse = 1
    gateway.close_all(ABNORMAL)


DROPS: Mapping[str, Callable[[Gateway], None]] = {
    "cut (1006)": lambda gateway: gateway.close_all(ABNORMAL),
    "closed with 4000": lambda gateway: gateway.close_all(4000),
    "session timed out (4009)": lambda gateway: gateway.close_all(4009),
    "asked to reconnect (op 7)": lambda gateway: gateway.ask_to_reconnect(),
    "session invalid, can resume (op 9)": lambda gateway: gateway.invalidate(resumable=True),
    "session invalid, cannot resume (op 9)": lambda gateway: gateway.invalidate(resumable=False),
    "resume refused": refuse_a_resume,
}


async def drop_often(drops: int, seed: int) -> Score:
    """So many drops while members train and make pictures, then a close code after which a bot has to end."""
    score, dice = Score(), random.Random(seed)
    with tempfile.TemporaryDirectory(dir=MEMORY_DISK) as name, pytest.MonkeyPatch.context() as patch:
        patch.delenv(SPEC_VARIABLE, raising=False)
        async with open_rig(Path(name) / "rig", mutant=MUTANT) as rig:
            await _live(score, rig, dice, drops)
    return score


async def _live(score: Score, rig: Rig, dice: random.Random, drops: int) -> None:
    names = [list(DROPS)[number % len(DROPS)] for number in range(drops)]
    dice.shuffle(names)
    async with alive(rig.settings) as life:
        await rig.save_key()
        work = [asyncio.create_task(each) for each in TRAININGS.work(rig)]
        try:
            async with asyncio.timeout(PATIENCE_S):
                for name in names:
                    await _drop(rig, name)
                    score.tried += 1
                    score.fired[name] += 1
                rig.is_ending = True
                await asyncio.gather(*work)
                await until(lambda: not open_rows(rig.database))
        except TimeoutError:
            score.bad["not brought to its end"] += 1
        for task in work:
            task.cancel()
        score.bad["ended by itself"] += life.code is not None
        if not score.bad.total():
            code = dice.choice(FINAL_CODES)
            rig.standin.gateway.close_all(code)
            score.bad["a final code did not end it"] += not await life.wait(HANG_S) or life.code != 1
            score.fired["final code"] += 1
    verdict = judge(rig.promises, rig.provider, rig.messages, rig.database)
    for field in fields(verdict):
        found = getattr(verdict, field.name)
        score.bad[field.name.replace("_", " ")] += len(found) if isinstance(found, list) else 0
    score.bad["unanswered"] += sum(len(member.unanswered) for member in rig.members)


async def _drop(rig: Rig, name: str) -> None:
    """Wait until the bot is back: it has resumed or identified once more."""
    gateway = rig.standin.gateway
    await gateway.wait_connected(PATIENCE_S)
    before = len(gateway.identified_at) + len(gateway.resumed_at)
    DROPS[name](gateway)
    await rig.standin.until(
        lambda: gateway.connected and len(gateway.identified_at) + len(gateway.resumed_at) > before, name, PATIENCE_S
    )


def stay_out_of_reach(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("tests.trust.gateway_drops.MUTANT", "stay out of reach")
    patch.setattr("tests.trust.gateway_drops.PATIENCE_S", 20.0)


ROW = Row(
    "T13",
    "the gateway closes, reconnects, ends the session",
    "every job proceeds, each once; final codes end the bot",
    (7, 70),
    (*DROPS, "final code"),
    drop_often,
    (stay_out_of_reach,),
    starts_process=True,
)
