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
    board = board_of(await keyed.send_form(keyed.ben, "Rex", photos(15)))
    await keyed.use(keyed.ada, "budget set", who="member", credits=256)
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


async def test_a_limit_of_the_server_before_the_first_key_does_not_hide_that_of_the_members(stage: Stage) -> None:
    """Mutant: whatever is set first counts as what an admin has decided for the members."""
    await stage.use(stage.ada, "budget set", who="server", credits=9000)
    assert "no limit" in await shown(stage)
    assert "each member may use 300 credits a month" in text_of(await save_key(stage))
    assert "300 of 300 left" in await shown(stage)


async def test_what_was_set_for_members_before_the_first_key_stays(stage: Stage) -> None:
    await stage.use(stage.ada, "budget set", who="member", credits=40)
    assert "300 credits" not in text_of(await save_key(stage))
    assert "40 of 40 left" in await shown(stage)


@pytest.mark.parametrize(
    ("typed", "left"), [("5.000", "5,000 of 5,000 left"), ("2 000", "2,000 of 2,000 left"), ("0", "0 of 0 left")]
)
async def test_the_form_takes_thousands_as_they_are_written_anywhere(stage: Stage, typed: str, left: str) -> None:
    opened = await stage.ada.click(await save_key(stage), label="Set limits")
    await stage.submit_fields(stage.ada, opened, typed, "")
    assert left in await shown(stage)


@pytest.mark.parametrize("typed", ["1,5", "1.50", "-3", "1e3", "٣"])
async def test_the_form_takes_no_halves(stage: Stage, typed: str) -> None:
    opened = await stage.ada.click(await save_key(stage), label="Set limits")
    assert "Nothing was changed" in answer_to(await stage.submit_fields(stage.ada, opened, typed, "7"))
    assert "300 of 300 left" in await shown(stage)


async def test_the_form_changes_credits_and_leaves_what_else_was_set(stage: Stage) -> None:
    saved = await save_key(stage)
    await stage.use(stage.ada, "budget set", who="member", credits=77, trainings=3)
    await stage.use(stage.ada, "budget set", who="server", credits=9000)
    opened = await stage.ada.click(saved, label="Set limits")
    assert opened.modal is not None
    fields = [part for part in walk_components(opened.modal["components"]) if part.get("type") == 4]
    assert [field["value"] for field in fields] == ["77", "9000"]
    chosen = answer_to(await stage.submit_fields(stage.ada, opened, "", "8000"))
    assert "Each member: 3 trainings" in chosen
    assert "The whole server: 8,000 credits" in chosen


async def test_the_role_that_all_have_is_no_role_for_a_limit(keyed: Stage) -> None:
    everyone = keyed.world.guild.default_role
    refused = await keyed.use(keyed.ada, "budget set", who="role", role=everyone, credits=5)
    assert answer_to(refused) == "Everybody here has this role. Please choose **who: each member** without a `role`."


async def test_a_role_without_a_limit_of_its_own_is_left_out(keyed: Stage) -> None:
    artists = keyed.world.guild.create_role("Artists")
    refused = await keyed.use(keyed.ada, "budget set", who="server", role=artists, credits=5)
    assert "only goes with **who: a role**" in answer_to(refused)


async def test_whoever_raises_the_limit_of_the_role_for_event_news_reads_who_may_have_it(keyed: Stage) -> None:
    news, artists = (keyed.world.guild.create_role(name) for name in ("Event news", "Artists"))
    await keyed.world.darkroom.services.guilds.choose_news(keyed.world.guild.id, news.id)
    said = [
        text_of(board_of(await keyed.use(keyed.ada, "budget set", who="role", role=role, credits=900)))
        for role in (news, artists)
    ]
    assert [
        f"Members could take {role.mention} for event news" in text
        for role, text in zip((news, artists), said, strict=True)
    ] == [True, False]


async def test_the_limit_of_a_role_goes_with_the_role(keyed: Stage) -> None:
    """Nobody could name that role any more to clear it."""
    artists, helpers = (keyed.world.guild.create_role(name) for name in ("Artists", "Helpers"))
    for role in (artists, helpers):
        await keyed.use(keyed.ada, "budget set", who="role", role=role, credits=900)
    keyed.world.env.backend.delete_role(keyed.world.guild.id, artists.id)
    answered = await keyed.use(keyed.ada, "budget show")
    whole = text_of(answered.followups[-1])
    assert f"<@&{helpers.id}>: 900 credits" in whole
    assert f"<@&{artists.id}>" not in whole
