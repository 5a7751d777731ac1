"""T02: the bot as a process is killed, aimed and anywhere; `make kill-test` does a thousand of these kills."""

import tempfile
from dataclasses import fields
from pathlib import Path

import pytest

from tests.trust.row import Row, Score
from tests.trust.studios import MEMORY_DISK
from tests.wire.discord.openapi import SPEC_VARIABLE
from tests.wire.kills.campaign import TRAININGS, Campaign, one_round
from tests.wire.kills.ledger import Verdict

AIMED = ("provider POST /v2/loras: after", "discord POST /channels/{channel_id}/messages: after")
"""Killed here a bot pays, or posts, a second time if nothing prevents it."""
MUTANT: str | None = None
"""Which safeguard the aimed kills find taken out; a process of its own cannot be patched from here."""


async def kill_often(kills: int, seed: int) -> Score:
    """The aimed kills, then a campaign of so many."""
    score = Score()
    with tempfile.TemporaryDirectory(dir=MEMORY_DISK) as name, pytest.MonkeyPatch.context() as patch:
        patch.delenv(SPEC_VARIABLE, raising=False)  # bodies are checked elsewhere; here it would cost half the time
        folder = Path(name)
        for number, point in enumerate(AIMED):
            _add(score, await one_round(folder / f"aimed-{number}", MUTANT, point))
            score.tried += 1
            score.fired["killed where it would pay or post twice"] += 1
            if score.bad.total():
                return score
        campaign = Campaign(folder, seed, kills, TRAININGS)
        await campaign.run()
        _add(score, campaign.verdict)
    score.tried += campaign.kills
    score.fired += campaign.fired
    score.fired["killed anywhere"] += campaign.kills
    return score


def _add(score: Score, verdict: Verdict) -> None:
    score.fired["jobs"] += verdict.jobs
    for field in fields(verdict):
        found = getattr(verdict, field.name)
        if isinstance(found, list):
            score.bad[field.name.replace("_", " ")] += len(found)


def forget_to_look(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("tests.trust.durability.process_kills.MUTANT", "forget to look")


def drop_nonces(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("tests.trust.durability.process_kills.MUTANT", "drop nonces")


ROW = Row(
    "T02",
    "kill -9 of the process, aimed and anywhere",
    "0 lost, paid twice, posted twice, stuck, unanswered",
    (4, 80),
    ("killed where it would pay or post twice", "killed anywhere", "jobs"),
    kill_often,
    (forget_to_look, drop_nonces),
    starts_process=True,
)
