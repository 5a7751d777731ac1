"""/loras: list, show, archive, and what the suggestions hold."""

import pytest

from bot.sandbox.faults import Fault
from tests.cogs.stage import Stage, answer_to, board_of, buttons_of, text_of


@pytest.fixture
async def trained(keyed: Stage) -> Stage:
    """Ben has a LoRA called Foxy."""
    await keyed.give_lora(keyed.ben, "Foxy")
    return keyed


async def names_offered(stage: Stage, member: str, command: str, typed: str = "") -> list[str]:
    offered = await getattr(stage, member).autocomplete(stage.channel, command, "lora", typed)
    return [choice["name"] for choice in offered]


async def test_the_list_of_somebody_new_says_how_to_begin(stage: Stage) -> None:
    assert "None yet. `/train` makes the first one." in answer_to(await stage.use(stage.ben, "loras list"))


async def test_the_list_holds_my_loras_and_nobody_elses(trained: Stage) -> None:
    assert "`Foxy`" in answer_to(await trained.use(trained.ben, "loras list"))
    assert "Foxy" not in answer_to(await trained.use(trained.cleo, "loras list"))


async def test_one_lora_shows_trigger_word_owner_and_uses(trained: Stage) -> None:
    await trained.use(trained.ben, "imagine", prompt="x", lora="Foxy")
    lora = await trained.lora(trained.ben)
    shown = await trained.use(trained.ben, "loras show", lora=f"lora-{lora.id}")
    text = answer_to(shown)
    assert f"Trigger word `{lora.trigger_word}`" in text
    assert f"Owner {trained.ben.mention} · used for 1 picture set" in text
    assert list(buttons_of(board_of(shown))) == ["Make a picture", "Archive"]


@pytest.mark.parametrize("command", ["imagine", "loras show", "loras archive"])
async def test_suggestions_hold_only_my_loras(trained: Stage, command: str) -> None:
    assert await names_offered(trained, "ben", command) == ["Foxy"]
    assert await names_offered(trained, "ben", command, "fx") == ["Foxy"]
    assert await names_offered(trained, "ben", command, "rex") == []
    assert await names_offered(trained, "cleo", command) == []


async def test_an_admin_is_offered_all_loras_to_archive_but_none_to_use(trained: Stage) -> None:
    assert await names_offered(trained, "ada", "loras archive") == ["Foxy"]
    assert await names_offered(trained, "ada", "loras show") == []
    assert await names_offered(trained, "ada", "imagine") == []


@pytest.mark.parametrize("member", ["ben", "ada"])
async def test_archiving_asks_first_then_the_provider_deletes_it_and_nobody_can_use_it(
    trained: Stage, member: str
) -> None:
    actor, lora = getattr(trained, member), await trained.lora(trained.ben)
    asked = await trained.use(actor, "loras archive", lora=f"lora-{lora.id}")
    assert "Archive `Foxy`? Apiframe is asked to delete it. This cannot be undone." in answer_to(asked)
    assert trained.world.provider.loras[lora.request_id].status == "READY"
    done = await actor.click(board_of(asked), label="Archive for good")
    assert "`Foxy` is archived" in answer_to(done)
    assert trained.world.provider.loras[lora.request_id].status == "ARCHIVED"
    assert await names_offered(trained, "ben", "imagine") == []
    assert "You have no such LoRA here." in answer_to(
        await trained.use(trained.ben, "imagine", prompt="x", lora="Foxy")
    )


async def test_another_member_may_not_archive_it(trained: Stage) -> None:
    lora = await trained.lora(trained.ben)
    answered = answer_to(await trained.use(trained.cleo, "loras archive", lora=f"lora-{lora.id}"))
    assert "You have no such LoRA here." in answered
    assert trained.world.provider.loras[lora.request_id].status == "READY"


async def test_an_admin_who_is_demoted_before_confirming_may_not_archive(trained: Stage) -> None:
    lora = await trained.lora(trained.ben)
    asked = board_of(await trained.use(trained.ada, "loras archive", lora=f"lora-{lora.id}"))
    trained.world.env.backend.get_guild(trained.world.guild.id).members[trained.ada.id].role_ids.clear()
    refused = answer_to(await trained.ada.click(asked, label="Archive for good"))
    assert "no such LoRA here that you may archive" in refused
    assert trained.world.provider.loras[lora.request_id].status == "READY"


async def test_an_archived_loras_old_button_is_refused_kindly(trained: Stage) -> None:
    lora = await trained.lora(trained.ben)
    card = board_of(await trained.use(trained.ben, "loras show", lora="Foxy"))
    asked = board_of(await trained.use(trained.ben, "loras archive", lora=f"lora-{lora.id}"))
    await trained.ben.click(asked, label="Archive for good")
    pressed = await trained.ben.click(card, label="Make a picture")
    assert answer_to(pressed) == "This LoRA has been archived and cannot be used any more."


async def test_a_provider_that_is_down_leaves_the_lora_as_it_was(trained: Stage) -> None:
    lora = await trained.lora(trained.ben)
    trained.world.provider.faults.next("DELETE /v2/loras/{id}", *[Fault.answer(503)] * 5)
    asked = board_of(await trained.use(trained.ben, "loras archive", lora=f"lora-{lora.id}"))
    answered = answer_to(await trained.ben.click(asked, label="Archive for good"))
    assert "could not delete it just now, so it was left as it is" in answered
    assert await names_offered(trained, "ben", "imagine") == ["Foxy"]


async def test_the_card_of_a_lora_makes_a_picture_and_asks_before_archiving(trained: Stage) -> None:
    card = board_of(await trained.use(trained.ben, "loras show", lora="Foxy"))
    assert (await trained.ben.click(card, label="Make a picture")).modal is not None
    asked = await trained.ben.click(card, label="Archive")
    assert "Archive `Foxy`?" in answer_to(asked)
    assert "LoRA #1" in text_of(card)
