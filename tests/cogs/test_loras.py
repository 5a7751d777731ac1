"""/loras: list, show, rename, note, archive, newer versions, and what the suggestions hold."""

from typing import Any

import pytest
from simcord.components import walk_components
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.datasets.ages import TOO_YOUNG
from bot.records.dataset import Gender
from bot.sandbox.rehearsal.faults import Fault
from bot.storage.jobs import loras
from cogs.loras.cards import PAGE
from cogs.training.commands import SAME_SUBJECT
from tests.cogs.simulated_guild import (
    THUMBNAIL,
    Stage,
    answer_to,
    board_of,
    buttons_of,
    fields_of,
    photos,
    pictures_in,
    settled,
    text_of,
    tree_of,
)
from tests.fakes.waiting import eventually


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
    assert "**Foxy**" in answer_to(await trained.use(trained.ben, "loras list"))
    assert "Foxy" not in answer_to(await trained.use(trained.cleo, "loras list"))


async def test_one_lora_shows_trigger_word_owner_and_uses(trained: Stage) -> None:
    await trained.use(trained.ben, "imagine", prompt="x", lora="Foxy")
    lora = await trained.lora(trained.ben)
    shown = await trained.use(trained.ben, "loras show", lora=f"lora-{lora.id}")
    text = answer_to(shown)
    assert f"Trigger word `{lora.trigger_word}`" in text
    assert f"Owner {trained.ben.mention} · used for 1 order of pictures" in text
    offered = ["Make a picture", "Share", "Rename", "Note", "New version", "Archive"]
    assert list(buttons_of(board_of(shown))) == offered


COMMANDS = ["imagine", *(f"loras {name}" for name in ("show", "share", "transfer", "rename", "note", "archive"))]


@pytest.mark.parametrize("command", COMMANDS)
async def test_suggestions_hold_only_my_loras(trained: Stage, command: str) -> None:
    assert await names_offered(trained, "ben", command) == ["Foxy"]
    assert await names_offered(trained, "ben", command, "fx") == ["Foxy"]
    assert await names_offered(trained, "ben", command, "rex") == []
    assert await names_offered(trained, "cleo", command) == []


async def test_an_admin_is_offered_all_loras_to_see_and_archive_but_none_to_use_or_give_away(trained: Stage) -> None:
    for command in ("loras show", "loras archive", "loras rename", "loras share"):
        assert await names_offered(trained, "ada", command) == ["Foxy"]
    for command in ("imagine", "loras transfer"):
        assert await names_offered(trained, "ada", command) == []
    shown = board_of(await trained.use(trained.ada, "loras show", lora="Foxy"))
    assert list(buttons_of(shown)) == ["Rename", "Note", "Archive", "I am in this"]


@pytest.mark.parametrize("member", ["ben", "ada"])
async def test_archiving_asks_first_then_the_provider_deletes_it_and_nobody_can_use_it(
    trained: Stage, member: str
) -> None:
    actor, lora = getattr(trained, member), await trained.lora(trained.ben)
    asked = await trained.use(actor, "loras archive", lora=f"lora-{lora.id}")
    assert "Archive **Foxy**? Apiframe is asked to delete it. This cannot be undone." in answer_to(asked)
    assert trained.world.provider.loras[lora.remote_id].status == "READY"
    done = await actor.click(board_of(asked), label="Archive for good")
    assert "**Foxy** is archived; nobody can use it any more. Apiframe is asked to delete it" in answer_to(done)
    await eventually(lambda: trained.world.provider.loras[lora.remote_id].status == "ARCHIVED")
    assert await names_offered(trained, "ben", "imagine") == []
    assert "You have no such LoRA here." in answer_to(
        await trained.use(trained.ben, "imagine", prompt="x", lora="Foxy")
    )


async def test_another_member_may_not_archive_it(trained: Stage) -> None:
    lora = await trained.lora(trained.ben)
    answered = answer_to(await trained.use(trained.cleo, "loras archive", lora=f"lora-{lora.id}"))
    assert "You have no such LoRA here." in answered
    assert trained.world.provider.loras[lora.remote_id].status == "READY"


async def test_an_admin_who_is_demoted_before_confirming_may_not_archive(trained: Stage) -> None:
    lora = await trained.lora(trained.ben)
    asked = board_of(await trained.use(trained.ada, "loras archive", lora=f"lora-{lora.id}"))
    trained.world.env.backend.get_guild(trained.world.guild.id).members[trained.ada.id].role_ids.clear()
    refused = answer_to(await trained.ada.click(asked, label="Archive for good"))
    assert "You have no such LoRA here." in refused
    assert trained.world.provider.loras[lora.remote_id].status == "READY"


async def test_an_archived_loras_old_button_is_refused_kindly(trained: Stage) -> None:
    lora = await trained.lora(trained.ben)
    card = board_of(await trained.use(trained.ben, "loras show", lora="Foxy"))
    asked = board_of(await trained.use(trained.ben, "loras archive", lora=f"lora-{lora.id}"))
    await trained.ben.click(asked, label="Archive for good")
    pressed = await trained.ben.click(card, label="Make a picture")
    assert answer_to(pressed) == "This LoRA has been archived and cannot be used any more."


async def test_a_provider_that_is_down_is_asked_later_and_the_lora_is_archived_at_once(trained: Stage) -> None:
    lora = await trained.lora(trained.ben)
    trained.world.provider.faults.next("DELETE /v2/loras/{id}", *[Fault.answer(503)] * 5)
    asked = board_of(await trained.use(trained.ben, "loras archive", lora=f"lora-{lora.id}"))
    assert "is archived; nobody can use it any more" in answer_to(
        await trained.ben.click(asked, label="Archive for good")
    )
    assert await names_offered(trained, "ben", "imagine") == []
    assert trained.world.provider.loras[lora.remote_id].status == "READY"


async def test_the_card_of_a_lora_makes_a_picture_and_asks_before_archiving(trained: Stage) -> None:
    card = board_of(await trained.use(trained.ben, "loras show", lora="Foxy"))
    assert (await trained.ben.click(card, label="Make a picture")).modal is not None
    asked = await trained.ben.click(card, label="Archive")
    assert "Archive **Foxy**?" in answer_to(asked)
    assert "LoRA #1" in text_of(card)


async def test_a_new_name_and_a_note_are_taken_as_options_and_as_forms(trained: Stage) -> None:
    named = await trained.use(trained.ben, "loras rename", lora="Foxy", name="The fox")
    assert answer_to(named) == "**Foxy** is called **The fox** now."
    noted = await trained.use(trained.ben, "loras note", lora="The fox", note="best @everyone in snow")
    assert answer_to(noted) == "The note of **The fox** is saved."
    card = board_of(await trained.use(trained.ben, "loras show", lora="The fox"))
    assert "Note: “best \\@\u200beveryone in snow”" in text_of(card)
    form = await trained.ben.click(card, label="Rename")
    assert answer_to(await trained.submit_fields(trained.ben, form, "Foxy")) == "**The fox** is called **Foxy** now."
    form = await trained.ben.click(card, label="Note")
    assert answer_to(await trained.submit_fields(trained.ben, form, "")) == "The note of **Foxy** is gone."
    assert "Note:" not in answer_to(await trained.use(trained.ben, "loras show", lora="Foxy"))


@pytest.mark.parametrize("command", ["loras rename", "loras note"])
async def test_without_the_option_a_form_opens(trained: Stage, command: str) -> None:
    assert (await trained.use(trained.ben, command, lora="Foxy")).modal is not None


@pytest.mark.parametrize(
    "press", ["lora:share", "lora:rename", "lora:note", "training:version", "lora:archive", "order:imagine"]
)
async def test_a_foreign_buttons_press_is_like_one_on_nothing(trained: Stage, press: str) -> None:
    lora = await trained.lora(trained.ben)
    answers = {
        answer_to(await trained.press_id(trained.cleo, f"dr:{press}:{lora_id}")) for lora_id in (lora.id, 987_654_321)
    }
    assert len(answers) == 1
    assert "You have no such LoRA here." in answers.pop()


async def test_a_long_list_has_pages(trained: Stage) -> None:
    for number in range(PAGE):
        await trained.give_lora(trained.ben, f"Fox {number}")
    first = board_of(await trained.use(trained.ben, "loras list"))
    assert f"**Fox {PAGE - 1}**" in text_of(first)
    assert "**Foxy**" not in text_of(first)
    assert f"{PAGE + 1} LoRAs, page 1 of 2" in text_of(first)
    assert list(buttons_of(first)) == ["Use", "Show", "Older"]
    second = board_of(await trained.ben.click(first, label="Older"))
    assert "**Foxy**" in text_of(second)
    assert list(buttons_of(second)) == ["Use", "Show", "Newer"]


async def test_the_list_has_a_picture_of_each_lora_and_its_buttons_work_after_a_restart(trained: Stage) -> None:
    await trained.use(trained.ben, "imagine", prompt="in snow", lora="Foxy")
    await trained.posted("Pictures #1 · AI-generated")
    await settled(trained)
    shown = board_of(await trained.use(trained.ben, "loras list"))
    [thumbnail] = [part for part in walk_components(tree_of(shown)) if part.get("type") == THUMBNAIL]
    assert thumbnail["description"] == "AI-generated picture made with Foxy"
    await trained.restart()
    assert "### **Foxy**" in answer_to(await trained.ben.click(shown, label="Show"))
    opened = await trained.ben.click(shown, label="Use")
    assert opened.modal is not None
    assert opened.modal["title"] == "A picture of Foxy"
    for action in ("lora:show", "order:imagine"):
        refused = await trained.press_id(trained.cleo, f"dr:{action}:{(await trained.lora(trained.ben)).id}")
        assert "You have no such LoRA here." in answer_to(refused)


async def test_a_page_button_shows_whoever_presses_their_own_list(trained: Stage) -> None:
    assert "Foxy" not in text_of(board_of(await trained.press_id(trained.cleo, "dr:lora:page:1")))


async def test_a_lora_that_the_provider_lost_is_marked_and_offers_no_picture(trained: Stage) -> None:
    lora = await trained.lora(trained.ben)
    database = trained.world.darkroom.database

    async def transaction(connection: AsyncConnection) -> None:
        await loras.note_missing(connection, lora.id, now=lora.created_at)

    trained.world.provider.loras.clear()
    await database.write(transaction)
    assert "⚠️ missing at Apiframe" in answer_to(await trained.use(trained.ben, "loras list"))
    card = board_of(await trained.use(trained.ben, "loras show", lora="Foxy"))
    assert "⚠️ Apiframe no longer has it since" in text_of(card)
    assert "Make a picture" not in buttons_of(card)


async def test_the_card_shows_the_pictures_made_with_it(trained: Stage) -> None:
    await trained.use(trained.ben, "imagine", prompt="in a forest", lora="Foxy")
    await trained.posted("Pictures #1 · AI-generated")
    card = board_of(await trained.use(trained.ben, "loras show", lora="Foxy"))
    assert pictures_in(card) == ["AI-generated picture 1 of 1 made with Foxy"]
    assert [attachment.filename for attachment in card.attachments] == ["preview-1.jpg"]


async def test_a_newer_version_takes_the_options_of_train_and_asks_nothing_twice(trained: Stage) -> None:
    """Mutant: a form that does not know what has been said asks for gender and ethnicity again."""
    assert await trained.ben.autocomplete(trained.channel, "train", "version_of", "") != []
    assert await trained.cleo.autocomplete(trained.channel, "train", "version_of", "") == []
    said: dict[str, Any] = {"gender": "female", "ethnicity": "Mixed", "age": "25", "steps": 2000, "rank": 48}
    form = await trained.use(trained.ben, "train", version_of="Foxy", **said)
    assert "It costs this server 257 Apiframe credits and usually takes 30–50 minutes." in str(form.modal)
    await trained.submit_fields(trained.ben, form, photos(1), None, None, True)
    ids = {"guild_id": trained.world.guild.id, "user_id": trained.ben.id}
    dataset = await trained.world.darkroom.services.datasets.open_dataset(**ids)
    assert dataset.previous_lora_id == (await trained.lora(trained.ben)).id
    assert (dataset.gender, dataset.ethnicity, dataset.age) == (Gender.FEMALE, "Mixed", "25")
    assert (dataset.steps, dataset.rank) == (2000, 48)


async def test_a_newer_version_asks_only_what_is_missing_and_fills_in_the_rest(trained: Stage) -> None:
    form = await trained.use(trained.ben, "train", version_of="Foxy", ethnicity="Mixed", age="25")
    assert "'value': 'Mixed'" in str(form.modal)
    await trained.submit_fields(trained.ben, form, ["male"], "Mixed", photos(1), None, True)
    ids = {"guild_id": trained.world.guild.id, "user_id": trained.ben.id}
    dataset = await trained.world.darkroom.services.datasets.open_dataset(**ids)
    assert (dataset.gender, dataset.ethnicity, dataset.age) == (Gender.MALE, "Mixed", "25")


async def test_a_newer_version_is_refused_before_its_form_opens(trained: Stage) -> None:
    """Mutant: the form opens before the order is checked."""
    both = await trained.use(trained.ben, "train", version_of="Foxy", subject="object")
    assert answer_to(both) == SAME_SUBJECT
    assert answer_to(await trained.use(trained.ben, "train", version_of="Foxy", age="17")) == TOO_YOUNG
    assert "no such LoRA" in answer_to(await trained.use(trained.cleo, "train", version_of="Foxy"))
    card = board_of(await trained.use(trained.ben, "loras show", lora="Foxy"))
    await trained.use(trained.ada, "budget set", who="member", trainings=0)
    for refused in (
        await trained.use(trained.ben, "train", version_of="Foxy"),
        await trained.ben.click(card, label="New version"),
    ):
        assert refused.modal is None
        assert "trainings" in answer_to(refused)


async def test_a_newer_version_is_trained_from_the_card_and_shows_its_lineage(trained: Stage) -> None:
    card = board_of(await trained.use(trained.ben, "loras show", lora="Foxy"))
    form = await trained.ben.click(card, label="New version")
    gender, ethnicity, first, second, box = fields_of(form)
    values: dict[str, Any] = {
        gender: ["female"],
        ethnicity: "Mixed",
        first: photos(10),
        second: photos(5, first=11),
        box: True,
    }
    board = board_of(await trained.ben.submit_modal(form, values))
    assert "a newer version" in text_of(board)
    await trained.start(trained.ben, board)
    ready = await trained.posted("**Foxy** v2 is ready")
    assert "nobody it is not shared with can use it" in text_of(ready)
    assert await names_offered(trained, "ben", "imagine") == ["Foxy · v2", "Foxy"]
    shown = answer_to(await trained.use(trained.ben, "loras show", lora="Foxy"))
    assert "### **Foxy** v2" in shown
    assert "Versions: v1 → **v2**" in shown
    assert "for 257 credits" in shown
