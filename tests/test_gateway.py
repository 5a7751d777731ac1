"""What keeps the bot connected, and hands it what came another way."""

from collections.abc import Mapping
from typing import Any, cast

from bot.client import DarkroomBot
from bot.gateway import Gateway
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
