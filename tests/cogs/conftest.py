"""A simulated guild for every test of the commands; after each test all that the bot has sent is looked through."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.sandbox.world import open_world
from tests.cogs.sent_checks import check_mentions, check_plain_texts, check_privacy, check_secrets
from tests.cogs.simulated_guild import TIMINGS, Stage, shorten_timings


@pytest.fixture
async def stage(tmp_path: Path, migrated_file: Path, without_pauses: None) -> AsyncIterator[Stage]:
    """Without an API key; `stage.set_key()` stores one."""
    (tmp_path / "data").mkdir()
    shutil.copy(migrated_file, tmp_path / "data" / "darkroom.db")
    async with open_world(tmp_path, timings=TIMINGS) as world:
        shorten_timings(world)
        stage = Stage(world)
        yield stage
        await world.env.settle()
        check_mentions(stage)
        check_privacy(world)
        check_secrets(world)
        check_plain_texts(world)
        assert world.env.errors == []


@pytest.fixture
async def keyed(stage: Stage) -> Stage:
    """The stage with a working API key."""
    await stage.set_key()
    return stage
