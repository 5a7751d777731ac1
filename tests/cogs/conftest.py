"""The stage every test of the commands plays on. After each test, all that the bot has sent is looked through."""

import json
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.sandbox.world import REHEARSAL_KEY, World, open_world
from tests.cogs.simulated_guild import TIMINGS, Stage, shorten_timings

EPHEMERAL = 1 << 6
MESSAGE, DEFERRED_MESSAGE = 4, 5


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
        assert world.env.errors == []


@pytest.fixture
async def keyed(stage: Stage) -> Stage:
    """The stage with a working API key."""
    await stage.set_key()
    return stage


def check_mentions(stage: Stage) -> None:
    """Nobody but one member can be pinged by any message, and only in the channel or privately by the bot."""
    members = {stage.ada.id, stage.ben.id, stage.cleo.id}
    for path, body in stage.sent_messages():
        allowed = body["allowed_mentions"]
        assert allowed["parse"] == [], path
        assert not allowed.get("roles"), path
        users = allowed.get("users", [])
        assert len(users) <= (1 if path.startswith("/channels/") else 0), path
        assert set(users) <= members, path


def check_privacy(world: World) -> None:
    """Every answer to an interaction is for the person who acted."""
    for request in world.env.http_requests:
        if request.method != "POST" or not isinstance(request.json, dict):
            continue
        if request.path.endswith("/callback") and request.json["type"] in {MESSAGE, DEFERRED_MESSAGE}:
            assert request.json["data"]["flags"] & EPHEMERAL, request
        elif request.path.startswith("/webhooks/"):
            assert request.json["flags"] & EPHEMERAL, request


def check_secrets(world: World) -> None:
    said = json.dumps([request.json for request in world.env.http_requests], default=str)
    assert REHEARSAL_KEY not in said
