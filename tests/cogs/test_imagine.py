"""Pictures: by /imagine and by button, posted with alt text, an AI label and the seed."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.records.generation import GenerationSettings
from bot.records.guild import Actor
from bot.records.key import ProviderName
from bot.records.lora import Style
from bot.sandbox.apiframe.state import JobFault
from bot.storage import tables
from bot.storage.jobs import styles
from cogs.generation import forms
from cogs.generation.commands import MENU_PICTURES
from cogs.training.forms import uploads_in
from tests.cogs.simulated_guild import (
    Stage,
    answer_to,
    board_of,
    buttons_of,
    fields_of,
    photo,
    photos,
    pictures_in,
    text_of,
    until,
)
from tests.fakes.clock import NOON


async def test_the_ready_button_opens_a_prompt_that_fits_and_captions_show_the_name(keyed: Stage) -> None:
    ready = await keyed.train(keyed.ben)
    opened = await keyed.ben.click(ready, label="Make the first picture")
    assert opened.modal is not None
    prompt = opened.modal["components"][0]["component"]["value"]
    lora = await keyed.lora(keyed.ben)
    assert prompt == "outdoors in the morning sun, sharp photo"
    answered = answer_to(await keyed.ben.submit_modal(opened, {fields_of(opened)[0]: prompt}))
    assert "Accepted #1" in answered
    picture = await keyed.posted("Pictures #1 · AI-generated")
    assert [attachment.filename for attachment in picture.attachments] == ["darkroom-1-1.png"]
    assert pictures_in(picture) == [f"AI-generated picture 1 of 1: Foxy {prompt}"]
    assert str(lora.trigger_word) not in text_of(picture)
    assert next(iter(keyed.world.provider.jobs.values())).order["prompt"] == f"{lora.trigger_word} {prompt}"
    assert "seed `" in text_of(picture)
    assert keyed.ben.mention in text_of(picture)


async def test_imagine_sends_every_option_to_the_provider_and_shows_it(keyed: Stage) -> None:
    await keyed.give_lora(keyed.ben)
    lora = await keyed.lora(keyed.ben)
    answered = await keyed.use(
        keyed.ben,
        "imagine",
        prompt="in a forest",
        lora=f"lora-{lora.id}",
        pictures=2,
        shape="16:9",
        strength=0.8,
        guidance=4.5,
        steps=20,
        seed=42,
        format="jpg",
    )
    assert "Accepted #1" in answer_to(answered)
    picture = await keyed.posted("Pictures #1 · AI-generated")
    assert "seed `42` · shape 16:9 · format jpg · strength 0.8 · guidance 4.5 · steps 20 · 4 credits" in text_of(
        picture
    )
    assert [attachment.filename for attachment in picture.attachments] == ["darkroom-1-1.jpg", "darkroom-1-2.jpg"]
    job = next(iter(keyed.world.provider.jobs.values()))
    assert job.order["prompt"] == f"{lora.trigger_word} in a forest"
    assert (job.count, job.seed) == (2, 42)


async def test_the_picture_is_posted_byte_for_byte_as_the_provider_made_it(keyed: Stage) -> None:
    await keyed.give_lora(keyed.ben)
    await keyed.use(keyed.ben, "imagine", prompt="in a forest", lora="Foxy")
    picture = await keyed.posted("Pictures #1 · AI-generated")
    made = next((keyed.world.provider._context.folder).rglob("*.png"))
    posted = keyed.world.env.backend.cdn.get(picture.attachments[0].url)
    assert posted == made.read_bytes()


async def test_a_lora_is_also_found_by_its_name(keyed: Stage) -> None:
    await keyed.give_lora(keyed.ben, "Foxy")
    assert "**Foxy**" in answer_to(await keyed.use(keyed.ben, "imagine", prompt="x", lora="foxy"))


async def test_a_failed_order_says_why_and_pings_only_its_member(keyed: Stage) -> None:
    await keyed.give_lora(keyed.ben)
    keyed.world.provider.faults.jobs.append(JobFault.FAIL)
    await keyed.use(keyed.ben, "imagine", prompt="in a forest", lora="Foxy")
    failed = await keyed.posted("No pictures this time")
    assert keyed.ben.mention in text_of(failed)
    assert "Apiframe could not make the pictures" in text_of(failed)
    assert failed.attachments == []


@pytest.mark.parametrize("lora", ["lora-1", "lora-999", "Nobody", "", "lora-1 OR 1=1", "💥" * 20])
async def test_a_lora_that_is_not_mine_is_answered_with_where_to_find_mine(keyed: Stage, lora: str) -> None:
    answered = answer_to(await keyed.use(keyed.ben, "imagine", prompt="x", lora=lora))
    assert answered == "You have no such LoRA here. Pick one from the list, or train one with `/train`."


async def test_without_a_key_nothing_is_ordered(keyed: Stage) -> None:
    await keyed.give_lora(keyed.ben)
    await keyed.use(keyed.ada, "keys remove", provider="apiframe")
    answered = answer_to(await keyed.use(keyed.ben, "imagine", prompt="x", lora="Foxy"))
    assert "no Apiframe key yet. Ask an admin to run `/keys set`." in answered
    assert keyed.charges() == []


async def test_a_button_of_an_earlier_version_still_opens_the_form_for_its_lora(keyed: Stage) -> None:
    lora = await keyed.give_lora(keyed.ben)
    await keyed.restart()
    opened = await keyed.press_id(keyed.ben, f"dr:order:imagine:{lora.id}")
    await keyed.ben.submit_modal(opened, {fields_of(opened)[0]: "by the sea"})
    await keyed.posted("Pictures #1 · AI-generated")
    await until(lambda: keyed.charges().count("images") == 1)
    assert keyed.charges() == ["images"]


async def used_long_ago(stage: Stage) -> None:
    """Ben's last picture, with Foxy, 16:9 and strength 0.3, was ordered two hours ago."""
    await stage.give_lora(stage.ben)
    await stage.use(stage.ben, "imagine", prompt="in a forest", lora="Foxy", shape="16:9", strength=0.3)

    async def age(connection: AsyncConnection) -> None:
        earlier = datetime.now(UTC) - timedelta(hours=2)
        await connection.execute(sa.update(tables.remembered).values(used_at=earlier))

    await stage.world.darkroom.database.write(age)


async def test_what_was_used_a_while_ago_is_said_before_anything_is_ordered(keyed: Stage) -> None:
    """Mutant: without the look at the hour the picture is paid for before its strength is told."""
    await used_long_ago(keyed)
    asked = board_of(await keyed.use(keyed.ben, "imagine", prompt="by the sea"))
    assert "you used **Foxy**, shape 16:9, strength 0.3. The same again?" in text_of(asked)
    assert await keyed.world.darkroom.services.generations.view(2) is None
    assert "Accepted #2" in answer_to(await keyed.ben.click(asked, label="The same again"))
    again = answer_to(await keyed.ben.click(asked, label="The same again"))
    assert "was used already" in again
    assert await keyed.world.darkroom.services.generations.view(3) is None
    third = answer_to(await keyed.use(keyed.ben, "imagine", prompt="in the snow"))
    assert "Accepted #3" in third
    assert "As last time: **Foxy**, shape 16:9, strength 0.3" in third


async def test_instead_of_what_was_used_a_while_ago_the_defaults_can_be_chosen(keyed: Stage) -> None:
    await used_long_ago(keyed)
    asked = board_of(await keyed.use(keyed.ben, "imagine", prompt="by the sea", lora="Foxy"))
    assert "you used shape 16:9, strength 0.3. The same again?" in text_of(asked)
    answered = answer_to(await keyed.ben.click(asked, label="Start from the defaults"))
    assert "Accepted #2 · pictures**: 1 picture with **Foxy**" in answered
    assert "As last time" not in answered
    ordered = await keyed.world.darkroom.services.generations.view(2)
    assert ordered is not None
    assert replace(ordered.generation.settings, seed=None) == GenerationSettings()


async def test_whoever_takes_nothing_over_or_lost_the_lora_is_not_asked(keyed: Stage) -> None:
    await used_long_ago(keyed)
    lora = await keyed.give_lora(keyed.ben, "Rex")
    options: dict[str, Any] = {"lora": f"lora-{lora.id}", "shape": "1:1"}
    assert "Accepted #2" in answer_to(await keyed.use(keyed.ben, "imagine", prompt="by the sea", **options))


async def test_a_question_from_before_a_restart_orders_nothing(keyed: Stage) -> None:
    await used_long_ago(keyed)
    asked = board_of(await keyed.use(keyed.ben, "imagine", prompt="by the sea"))
    await keyed.restart()
    assert "Please open it again" in answer_to(await keyed.ben.click(asked, label="The same again"))
    assert await keyed.world.darkroom.services.generations.view(2) is None


MENU = "Imagine from this picture"
PICTURE = ("fox.jpg", photo(3))


async def test_the_answer_tells_the_price_and_the_balance_to_admins_only(keyed: Stage) -> None:
    await keyed.give_lora(keyed.ben)
    await keyed.give_lora(keyed.ada, "Rex")
    of_ada = answer_to(await keyed.use(keyed.ada, "imagine", prompt="in a forest", lora="Rex", pictures=2))
    assert "Apiframe: cost 4 credits · balance 5000" in of_ada
    answered = answer_to(await keyed.use(keyed.ben, "imagine", prompt="in a forest", lora="Foxy", pictures=2))
    assert "2 pictures with **Foxy**" in answered
    assert "Apiframe: cost 4 credits" in answered
    assert "balance" not in answered


async def test_what_i_leave_out_is_as_last_time_until_i_reset_it(keyed: Stage) -> None:
    await keyed.give_lora(keyed.ben)
    first = await keyed.use(keyed.ben, "imagine", prompt="in a forest", lora="Foxy", shape="16:9", guidance=4.5)
    assert list(buttons_of(board_of(first))) == ["Cancel"]
    second = await keyed.use(keyed.ben, "imagine", prompt="by the sea")
    assert "As last time: **Foxy**, shape 16:9, guidance 4.5" in answer_to(second)
    await keyed.restart()
    reset = await keyed.ben.click(board_of(second), label="Reset my settings")
    assert "starts from the defaults" in answer_to(reset)
    third = await keyed.use(keyed.ben, "imagine", prompt="in the snow")
    assert "As last time" not in answer_to(third)
    assert "with **Foxy**" not in answer_to(third)


async def names(stage: Stage, typed: str) -> list[str]:
    return [choice["name"] for choice in await stage.ben.autocomplete(stage.channel, "imagine", "lora", typed)]


async def test_no_lora_can_be_chosen_and_is_offered_once_there_is_one_to_leave_out(keyed: Stage) -> None:
    await keyed.give_lora(keyed.ben)
    assert await names(keyed, "") == ["Foxy"]
    await keyed.use(keyed.ben, "imagine", prompt="in a forest", lora="Foxy")
    assert await names(keyed, "") == ["Foxy", "No LoRA"]
    assert await names(keyed, "fox") == ["Foxy"]
    offered = await keyed.ben.autocomplete(keyed.channel, "imagine", "lora", "no lo")
    answered = answer_to(await keyed.use(keyed.ben, "imagine", prompt="in a forest", lora=offered[0]["value"]))
    assert "Accepted #2" in answered
    assert "Foxy" not in answered


@pytest.mark.parametrize("label", ["No LoRA", "no lora", " 🚫 NO LoRA", "none"])
async def test_no_lora_may_come_as_its_label(keyed: Stage, label: str) -> None:
    await keyed.give_lora(keyed.ben)
    await keyed.use(keyed.ben, "imagine", prompt="in a forest", lora="Foxy")
    answered = answer_to(await keyed.use(keyed.ben, "imagine", prompt="in a forest", lora=label))
    assert "Accepted #2" in answered
    assert "Foxy" not in answered


@pytest.mark.parametrize("label", ["No style", "NO STYLE", "no style ✨"])
async def test_no_style_may_come_as_its_label(keyed: Stage, label: str) -> None:
    await keyed.give_lora(keyed.ben)
    answered = answer_to(await keyed.use(keyed.ben, "imagine", prompt="in a forest", lora="🦊 foxy", style=label))
    assert "Accepted #1" in answered
    assert "Foxy" in answered


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"without": "rain"}, "**Foxy** is a LoRA at Apiframe. Leave `without` out."),
        ({"shape": "21:9"}, "`shape` is one of 1:1, 16:9"),
        ({"guidance": 20.0}, "`guidance` takes a number from 1 to 10"),
        ({"width": 1024, "height": 1024}, "Leave `width` out."),
        ({"provider": "aurous"}, "Leave `provider` out."),
        ({"reference": PICTURE}, "Leave `reference` or `lora` out."),
    ],
)
async def test_what_the_lora_does_not_take_is_refused_before_money_is_spent(
    keyed: Stage, options: dict[str, Any], words: str
) -> None:
    await keyed.give_lora(keyed.ben)
    assert words in answer_to(await keyed.use(keyed.ben, "imagine", prompt="x", lora="Foxy", **options))
    assert keyed.charges() == []


async def test_pictures_without_a_lora_start_from_my_attachments(keyed: Stage) -> None:
    options: dict[str, Any] = {"reference": PICTURE, "reference_2": ("fox2.jpg", photo(4))}
    answered = answer_to(await keyed.use(keyed.ben, "imagine", prompt="a fox", width=512, height=512, **options))
    assert "Accepted #1" in answered
    await keyed.posted("Pictures #1 · AI-generated")
    [job] = keyed.world.provider.jobs.values()
    assert len(job.sources) == 2


async def test_an_attachment_that_is_no_picture_is_refused_by_name(keyed: Stage) -> None:
    options: dict[str, Any] = {"reference": ("notes.jpg", b"these are my notes")}
    answered = answer_to(await keyed.use(keyed.ben, "imagine", prompt="a fox", **options))
    assert "**notes.jpg** cannot be used: It is not a picture." in answered
    assert keyed.charges() == []


async def test_the_menu_opens_a_form_and_takes_up_to_four_pictures_of_the_message(keyed: Stage) -> None:
    await keyed.give_lora(keyed.cleo)
    await keyed.use(keyed.cleo, "imagine", prompt="in a forest", lora="Foxy")
    message = await keyed.cleo.send(keyed.channel, "look", attachments=photos(5))
    opened = await keyed.cleo.context_menu(keyed.channel, MENU, message)
    answered = answer_to(await keyed.submit_fields(keyed.cleo, opened, "a fox at dawn", ["3:2"]))
    assert "Accepted #2" in answered
    await keyed.posted("Pictures #2 · AI-generated")
    job = list(keyed.world.provider.jobs.values())[-1]
    assert (len(job.sources), job.order["model"]) == (MENU_PICTURES, "flux-2-dev")


async def test_the_menu_works_on_pictures_that_darkroom_posted(keyed: Stage) -> None:
    await keyed.give_lora(keyed.ben)
    await keyed.use(keyed.ben, "imagine", prompt="in a forest", lora="Foxy")
    picture = await keyed.posted("Pictures #1 · AI-generated")
    opened = await keyed.ben.context_menu(keyed.channel, MENU, picture)
    assert "Accepted #2" in answer_to(await keyed.submit_fields(keyed.ben, opened, "a fox at dawn", None))


async def test_the_menu_finds_pictures_in_the_gallery_of_a_forwarded_message(keyed: Stage) -> None:
    await keyed.give_lora(keyed.ben)
    await keyed.use(keyed.ben, "imagine", prompt="in a forest", lora="Foxy", pictures=2)
    posted = await keyed.posted("Pictures #1 · AI-generated")
    forwarded = await keyed.cleo.forward(posted, keyed.channel)
    opened = await keyed.cleo.context_menu(keyed.channel, MENU, forwarded)
    assert opened.modal is not None
    assert len(uploads_in(forwarded, only_pictures=True)) == 2


async def test_the_menu_passes_over_what_is_no_picture_in_a_forwarded_message(keyed: Stage) -> None:
    message = await keyed.ben.send(keyed.channel, "a film", attachments=[("film.mp4", b"x")])
    forwarded = await keyed.ben.forward(message, keyed.channel)
    answered = answer_to(await keyed.ben.context_menu(keyed.channel, MENU, forwarded))
    assert "no picture in this message" in answered


async def test_the_menu_on_a_message_without_pictures_says_so(keyed: Stage) -> None:
    message = await keyed.ben.send(keyed.channel, "hello", attachments=[("notes.txt", b"notes")])
    answered = answer_to(await keyed.ben.context_menu(keyed.channel, MENU, message))
    assert answered == "There is no picture in this message. Pick one with a picture."


async def test_the_form_asks_how_many_and_which_shape(keyed: Stage) -> None:
    ready = await keyed.train(keyed.ben)
    opened = await keyed.ben.click(ready, label="Make the first picture")
    answered = answer_to(await keyed.submit_fields(keyed.ben, opened, "by the sea", ["3"], ["2:3"]))
    assert "3 pictures" in answered
    picture = await keyed.posted("Pictures #1 · AI-generated")
    assert "2:3" in text_of(picture)
    assert len(picture.attachments) == 3


async def test_cancel_ends_my_own_order_and_nobody_elses(keyed: Stage) -> None:
    await keyed.give_lora(keyed.ben)
    keyed.world.provider.faults.hold_generations = True
    answered = await keyed.use(keyed.ben, "imagine", prompt="in a forest", lora="Foxy")
    button = buttons_of(board_of(answered))["Cancel"]
    refused = answer_to(await keyed.press_id(keyed.cleo, button))
    assert refused == "There are no such pictures of yours here. `/jobs` shows what you have."
    await until(lambda: keyed.charges() == ["images"])
    said: list[str] = []

    async def press() -> None:
        said.append(answer_to(await keyed.ben.click(board_of(answered), label="Cancel")))

    await until(lambda: "cannot stop that any more" in said[-1], press)
    assert all("being handed over" in each for each in said[:-1])
    keyed.world.provider.faults.hold_generations = False
    await keyed.posted("Pictures #1 · AI-generated")


async def test_aurous_labs_makes_pictures_without_a_lora_when_its_key_is_the_only_one(stage: Stage) -> None:
    await stage.set_aurous_key()
    options: dict[str, Any] = {"without": "rain", "shape": "21:9", "size": "2k", "enhance": True, "pictures": 2}
    answered = answer_to(await stage.use(stage.ben, "imagine", prompt="a fox", **options))
    assert "Aurous Labs: cost 4 credits" in answered
    await stage.posted("Pictures #1 · AI-generated")
    [image] = stage.world.aurous.images.values()
    assert (image.order.size_preset, image.order.negative_prompt) == ("2k_21_9", "rain")
    again = answer_to(await stage.use(stage.ben, "imagine", prompt="a fox"))
    assert "As last time: 2 pictures, shape 21:9, size 2k, without “rain”, prompt enhanced" in again


async def test_a_slow_provider_is_acknowledged_first_and_answered_then(
    keyed: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forms, "ANSWERED_AT_ONCE_S", 0.0)
    await keyed.give_lora(keyed.ben)
    assert "Accepted #1" in answer_to(await keyed.use(keyed.ben, "imagine", prompt="in a forest", lora="Foxy"))
    refused = answer_to(await keyed.use(keyed.ben, "imagine", prompt="in a forest", lora="Foxy", without="rain"))
    assert "Leave `without` out." in refused


async def first_style(stage: Stage) -> Style:
    """The first of the guild's catalogue, once it has been read from Aurous Labs."""
    await stage.set_aurous_key()
    actor, found = Actor(stage.world.guild.id, stage.ben.id), list[Style]()

    async def look() -> None:
        found[:] = await stage.world.darkroom.services.styles.choices("", actor)

    await until(lambda: found, look)
    return found[0]


async def test_a_style_is_suggested_used_and_as_last_time(stage: Stage) -> None:
    style = await first_style(stage)
    offered = await stage.ben.autocomplete(stage.channel, "imagine", "style", style.name)
    assert (offered[0]["name"], offered[0]["value"]) == (style.name, f"style-{style.id}")
    answered = answer_to(await stage.use(stage.ben, "imagine", prompt="a fox", style=offered[0]["value"]))
    assert f"1 picture with **{style.name}**" in answered
    again = answer_to(await stage.use(stage.ben, "imagine", prompt="a bear"))
    assert f"As last time: **{style.name}**" in again
    await stage.posted("Pictures #2 · AI-generated")
    assert [image.styles[0].id for image in stage.world.aurous.images.values()] == [style.remote_id] * 2


async def test_a_style_of_another_server_is_one_that_does_not_exist(stage: Stage) -> None:
    await first_style(stage)
    columns = {"lora_foreign": {"name": "Foreign", "description": "", "has_template": False, "is_public": True}}

    async def transaction(connection: AsyncConnection) -> int:
        await styles.replace_all(connection, 1, ProviderName.AUROUS, columns, now=NOON)
        return (await styles.of_guild(connection, 1))[0].id

    foreign = await stage.world.darkroom.database.write(transaction)
    for value in (f"style-{foreign}", "style-9999", "Foreign"):
        answered = answer_to(await stage.use(stage.ben, "imagine", prompt="a fox", style=value))
        assert answered == "There is no such style here. `/styles` shows what there is."
    assert await stage.ben.autocomplete(stage.channel, "imagine", "style", "Foreign") == []


async def test_the_form_of_a_style_shows_its_defaults(stage: Stage) -> None:
    style = await first_style(stage)
    form = forms.PromptModal(style=replace(style, guidance=7.5, steps=30, denoise=None)).to_dict()
    assert form["title"] == f"A picture in the style {style.name}"[:45]
    labels = {label["label"]: label for label in form["components"]}
    assert list(labels) == ["Prompt", "Pictures", "Shape"]
    assert labels["Prompt"]["description"].endswith("The style draws with guidance 7.5, steps 30.")
    assert "21:9" in [option["value"] for option in labels["Shape"]["component"]["options"]]
