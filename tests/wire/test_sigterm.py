"""SIGTERM in the middle of work ends the bot in order, and the next life brings everything to its end, paid once."""

import asyncio
import signal
from dataclasses import replace
from pathlib import Path

import pytest

from tests.fakes.waiting import HANG_S
from tests.wire.kills.bot_process import alive
from tests.wire.kills.rig import open_rig

POINTS = [
    "fetch photo: before",
    "pool examine: before",
    "pool examine: after",
    "pool sheet: before",
    "provider POST /v2/loras: before",
    "provider POST /v2/loras: after",
    "provider GET /v2/loras/{id}: after",
    "provider POST /v2/images/generate: before",
    "provider POST /v2/images/generate: after",
    "fetch picture: before",
    "discord POST /channels/{channel_id}/messages: before",
    "discord POST /channels/{channel_id}/messages: after",
]
"""Photos are taken in, a training is sent and runs, pictures are ordered and fetched, messages are posted."""


@pytest.mark.kill
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
@pytest.mark.parametrize("point", POINTS)
async def test_a_bot_that_is_asked_to_end_in_the_middle_of_work_ends_and_loses_nothing(
    tmp_path: Path, point: str
) -> None:
    async with open_rig(tmp_path, members=1) as rig:
        await rig.furnish()
        work = [asyncio.create_task(rig.round(rig.members[0], "Rex"))]
        async with alive(replace(rig.settings, crash_at=(point,), crash_by=signal.SIGTERM)) as life:
            assert await life.wait(HANG_S), "it did not end"
            assert life.code == 0, (tmp_path / "bot.log").read_text()[-2000:]
        rig.lives += 1
        rig.standin.gateway.close_all(4009)
        rig.standin.watch.changed()
        verdict = await rig.finish(work)
    assert verdict.is_clean, str(verdict)
    assert verdict.jobs == 2
