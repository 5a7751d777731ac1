"""What keeps the bot connected, and hands it what came another way."""

import asyncio
import contextlib
from collections.abc import Mapping
from typing import Any, cast

import aiohttp
import pytest

from bot.client import DarkroomBot
from bot.gateway import CHECK_NETWORK, Gateway
from bot.services import Services
from cogs.ui.buttons import ActionButton
from cogs.ui.replies import show_error

COMMAND = {"id": "1", "type": 2}


class Desk(DarkroomBot):
    """Notes what it is handed."""

    def __init__(self) -> None:
        super().__init__(cast("Services", None), (), show_error, ActionButton)
        self.taken: list[Mapping[str, Any]] = []

    def take(self, interaction: Mapping[str, Any]) -> None:
        self.taken.append(interaction)


async def test_an_interaction_over_http_is_handed_only_to_a_bot_that_is_logged_in() -> None:
    """Mutant: one without commands, or one that is closed, takes it, and the member hears nothing."""
    desk = Desk()
    gateway = Gateway(lambda: desk)
    assert not gateway.take(COMMAND)
    async with gateway.build():
        assert not gateway.take(COMMAND)
        desk.is_set_up = True
        assert gateway.take(COMMAND)
    assert not gateway.take(COMMAND)
    assert desk.taken == [COMMAND]


@pytest.mark.parametrize("error", [aiohttp.ClientConnectionError(), OSError("no route")])
async def test_without_a_network_the_log_says_what_to_look_at(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    monkeypatch.setattr("bot.gateway.PAUSE_MAX_S", 0.0)
    tries, tried_again = [], asyncio.Event()

    class Offline(Desk):
        async def start(self, token: str, *, reconnect: bool = True) -> None:
            tries.append(token)
            if len(tries) > 1:
                tried_again.set()
            raise error

    running = asyncio.create_task(Gateway(Offline).run("a token"))
    await tried_again.wait()
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running
    assert f"Discord cannot be reached: {type(error).__name__}. {CHECK_NETWORK}" in caplog.text
