"""/budget: limits are set by admins, seen by everybody, and said before anything is paid."""

from datetime import UTC, datetime
from typing import Any

import pytest
from simcord.components import walk_components

from bot.sandbox.world import REHEARSAL_KEY
from tests.cogs.simulated_guild import Message, Stage, answer_to, board_of, photos, text_of, tree_of

NEEDS = "You need the **Manage Server** permission for this."


def labels(message: Message) -> list[str]:
    return [part["label"] for part in walk_components(tree_of(message)) if part.get("type") == 2]


async def save_key(stage: Stage) -> Message:
    opened = await stage.use(stage.ada, "keys set", provider="apiframe")
    return board_of(await stage.submit_fields(stage.ada, opened, REHEARSAL_KEY, None))


async def shown(stage: Stage) -> str:
    return text_of(board_of(await stage.use(stage.ben, "budget show")))


async def test_the_first_key_limits_each_member_and_says_so_and_the_next_key_does_not(stage: Stage) -> None:
    saved = await save_key(stage)
    assert "each member may use 300 credits a month" in text_of(saved)
    assert labels(saved) == ["300 each", "No limit", "Set limits"]
    assert "300 of 300 left" in await shown(stage)
    again = await save_key(stage)
    assert labels(again) == []
    assert "300 credits" not in text_of(again)


@pytest.mark.parametrize(
    ("label", "left"),
    [("300 each", "300 of 300 left"), ("No limit", "**Credits:** no limit; 0 credits so far this month")],
)
async def test_the_buttons_below_the_first_key_decide_it(stage: Stage, label: str, left: str) -> None:
    saved = await save_key(stage)
    chosen = board_of(await stage.ada.click(saved, label=label))
    assert "Limits a month" in text_of(chosen)
    assert left in await shown(stage)


async def test_the_form_sets_both_limits_and_an_empty_field_means_none(stage: Stage) -> None:
    saved = await save_key(stage)
    opened = await stage.ada.click(saved, label="Set limits")
    chosen = await stage.submit_fields(stage.ada, opened, "", "5,000")
    assert "The whole server: 5,000 credits" in answer_to(chosen)
    assert "no limit" in await shown(stage)


async def test_a_word_in_the_form_changes_nothing(stage: Stage) -> None:
    saved = await save_key(stage)
    opened = await stage.ada.click(saved, label="Set limits")
    assert "whole numbers" in answer_to(await stage.submit_fields(stage.ada, opened, "many", "5"))
    assert "300 of 300 left" in await shown(stage)


async def test_a_training_above_the_limit_is_refused_and_its_board_stays(keyed: Stage) -> None:
    await keyed.use(keyed.ada, "budget set", who="member", credits=256)
    board = board_of(await keyed.send_form(keyed.ben, "Rex", photos(15)))
    refused = answer_to(await keyed.start(keyed.ben, board))
    assert refused.startswith(
        "This takes 257 credits. Each member here may use 256 credits a month, and 256 are left; they renew <t:"
    )
    await keyed.use(keyed.ada, "budget set", who="member", credits=257)
    assert "Accepted #1" in answer_to(await keyed.start(keyed.ben, board))
    assert "0 of 257 left" in await shown(keyed)


async def test_admins_see_the_servers_month_and_the_table(keyed: Stage) -> None:
    await keyed.train(keyed.ben, "Rex")
    await keyed.use(keyed.ada, "budget set", who="server", credits=9000)
    answered = await keyed.use(keyed.ada, "budget show")
    whole = text_of(answered.followups[-1])
    assert "**Credits:** 257 of 9,000" in whole
    assert f"{keyed.ben.mention}: 257 credits" in whole
    today = datetime.now(UTC).day
    assert f"the most on one day: 257\n`{'·' * (today - 1)}█" in whole
    exported = await keyed.use(keyed.ada, "budget export")
    [file] = board_of(exported).attachments
    assert file.filename == "budget.csv"


@pytest.mark.parametrize(
    ("command", "options"),
    [
        ("budget set", {"who": "member", "credits": 1}),
        ("budget clear", {"who": "member"}),
        ("budget export", {}),
    ],
)
async def test_members_change_nothing(keyed: Stage, command: str, options: dict[str, Any]) -> None:
    assert answer_to(await keyed.use(keyed.ben, command, **options)) == NEEDS


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"who": "member"}, "how many `credits`, `trainings` or `pictures`"),
        ({"who": "role", "credits": 1}, "choose the `role`"),
    ],
)
async def test_what_is_missing_is_said(keyed: Stage, options: dict[str, Any], sentence: str) -> None:
    assert sentence in answer_to(await keyed.use(keyed.ada, "budget set", **options))


async def test_clearing_what_is_not_there_says_so(keyed: Stage) -> None:
    assert "There is no such limit" in answer_to(await keyed.use(keyed.ada, "budget clear", who="server"))
