"""An installation with everything in order, which each test spoils in its own way."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from discord.http import Route

from bot.config import Settings
from tests.doctor.installation import Installation, open_installation
from tests.wire.discord.standin import DiscordStandin


@pytest.fixture(autouse=True)
def bare_surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No variable and no .env file of whoever runs the tests."""
    for name in [*os.environ]:
        if name.startswith("DARKROOM_") or name.lower() in Settings.model_fields:
            monkeypatch.delenv(name)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")


@pytest.fixture
async def installation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, without_pauses: None
) -> AsyncIterator[Installation]:
    standin = DiscordStandin()
    await standin.start()
    monkeypatch.setattr(Route, "BASE", standin.api_url)
    async with open_installation(tmp_path, standin, monkeypatch) as made:
        yield made
    await standin.close()
    assert standin.unknown_routes == []
