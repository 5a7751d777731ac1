"""What a form costs until the member has an answer, and who may not send one that is open."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from discord.webhook.async_ import AsyncWebhookAdapter

from bot.records.guild import Actor
from bot.storage.database import Database
from bot.storage.rows import count_rows
from bot.storage.tables import datasets
from tests.cogs.simulated_guild import Stage, answer_to, board_of, photos, text_of

BLOCKED = "The moderators of this server have blocked you"
ASKED, ANSWERED = "asked the database", "answered"
OF_MEMBERS = ("CommandTree-invoker", "discord-ui-modal-dispatch")
"""How discord.py names the tasks of commands and forms."""


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is done for members, in its order; what the engine asks meanwhile is left out."""
    done: list[str] = []

    def noting(what: str, original: Callable[..., Any]) -> Callable[..., Any]:
        def note(*args: Any, **options: Any) -> Any:
            task = asyncio.current_task()
            if task is not None and task.get_name().startswith(OF_MEMBERS):
                done.append(what)
            return original(*args, **options)

        return note

    for way in ("fetch", "read", "write"):
        monkeypatch.setattr(Database, way, noting(ASKED, getattr(Database, way)))
    answer = "create_interaction_response"
    monkeypatch.setattr(AsyncWebhookAdapter, answer, noting(ANSWERED, getattr(AsyncWebhookAdapter, answer)))
    return done


async def test_opening_a_form_asks_the_database_twice(keyed: Stage, done: list[str]) -> None:
    """Who they are here, and what stands in the way of a training. Mutant: key, limits and places one by one."""
    await keyed.use(keyed.ben, "train", subject="object")
    assert done == [ASKED, ASKED, ANSWERED]


async def test_a_form_is_acknowledged_before_the_database_is_asked(keyed: Stage, done: list[str]) -> None:
    """Mutants: `admit` or the new dataset before the acknowledgement."""
    opened = await keyed.use(keyed.ben, "train", subject="object")
    done.clear()
    await keyed.submit_fields(keyed.ben, opened, "Rex", None, None, None, True)
    assert done[:2] == [ANSWERED, ASKED]
    assert done.count(ANSWERED) == 1


async def test_a_blocked_members_open_forms_store_nothing(keyed: Stage) -> None:
    """Mutant: without `admit` in the forms a dataset is begun."""
    services, guild_id = keyed.world.darkroom.services, keyed.world.guild.id
    forms = [await keyed.use(keyed.ben, "train", subject="object") for _ in range(2)]
    await services.moderation.block(Actor(guild_id, keyed.cleo.id, is_moderator=True), keyed.ben.id)
    for opened in forms:
        sent = await keyed.submit_fields(keyed.ben, opened, "Rex", photos(2), None, None, True)
        assert answer_to(sent).startswith(BLOCKED)
    assert await services.database.fetch(count_rows, datasets) == 0


async def test_a_form_that_changes_a_card_refuses_beside_it(keyed: Stage) -> None:
    """Mutant: the refusal takes the place of the card below which the form was opened."""
    services, guild_id = keyed.world.darkroom.services, keyed.world.guild.id
    board = board_of(await keyed.send_form(keyed.ben, "Ben", photos(1), subject="person"))
    opened = await keyed.ben.click(board, label="About the person")
    await services.moderation.block(Actor(guild_id, keyed.cleo.id, is_moderator=True), keyed.ben.id)
    shown = keyed.shown_now(board)
    sent = await keyed.submit_fields(keyed.ben, opened, ["female"], "Mixed", None)
    [refusal] = sent.followups
    assert text_of(refusal).startswith(BLOCKED)
    assert refusal.ephemeral
    assert keyed.shown_now(board) == shown
    dataset = await services.datasets.open_dataset(guild_id=guild_id, user_id=keyed.ben.id)
    assert dataset.gender is None
