"""Pictures: by /imagine and by button, posted with alt text, an AI label and the seed."""

import pytest

from bot.sandbox.apiframe_world import JobFault
from tests.cogs.stage import Stage, answer_to, buttons_of, fields_of, pictures_in, text_of, until


async def test_the_ready_button_opens_a_prompt_with_the_trigger_word_and_a_picture_is_posted(keyed: Stage) -> None:
    ready = await keyed.train(keyed.ben)
    opened = await keyed.ben.click(ready, label="Make the first picture")
    assert opened.modal is not None
    prompt = opened.modal["components"][0]["component"]["value"]
    lora = await keyed.lora(keyed.ben)
    assert prompt.startswith(f"{lora.trigger_word},")
    answered = answer_to(await keyed.ben.submit_modal(opened, {fields_of(opened)[0]: prompt}))
    assert "Accepted #1" in answered
    picture = await keyed.posted("Pictures #1 · AI-generated")
    assert [attachment.filename for attachment in picture.attachments] == ["darkroom-1-1.png"]
    assert pictures_in(picture) == [f"AI-generated picture 1 of 1: {prompt}"]
    assert "seed `" in text_of(picture)
    assert keyed.ben.mention in text_of(picture)
    assert list(buttons_of(picture)) == ["Make another"]


async def test_imagine_sends_every_option_to_the_provider_and_shows_it(keyed: Stage) -> None:
    await keyed.give_lora(keyed.ben)
    lora = await keyed.lora(keyed.ben)
    answered = await keyed.use(
        keyed.ben,
        "imagine",
        prompt="in a forest",
        lora=f"lora-{lora.id}",
        count=2,
        aspect="16:9",
        strength=0.8,
        guidance=4.5,
        steps=20,
        seed=42,
        format="jpg",
    )
    assert "Accepted #1" in answer_to(answered)
    picture = await keyed.posted("Pictures #1 · AI-generated")
    assert "seed `42` · 16:9 · jpg · strength 0.8 · guidance 4.5 · steps 20 · 4 credits" in text_of(picture)
    assert [attachment.filename for attachment in picture.attachments] == ["darkroom-1-1.jpg", "darkroom-1-2.jpg"]
    job = next(iter(keyed.world.provider.jobs.values()))
    assert job.order["prompt"] == f"{lora.trigger_word} in a forest"
    assert (job.count, job.seed) == (2, 42)


async def test_the_picture_is_posted_byte_for_byte_as_the_provider_made_it(keyed: Stage) -> None:
    await keyed.give_lora(keyed.ben)
    await keyed.use(keyed.ben, "imagine", prompt="in a forest", lora="Foxy")
    picture = await keyed.posted("Pictures #1 · AI-generated")
    made = next((keyed.world.provider._desk.folder).rglob("*.png"))
    posted = keyed.world.env.backend.cdn.get(picture.attachments[0].url)
    assert posted == made.read_bytes()


async def test_a_lora_is_also_found_by_its_name(keyed: Stage) -> None:
    await keyed.give_lora(keyed.ben, "Foxy")
    assert "`Foxy`" in answer_to(await keyed.use(keyed.ben, "imagine", prompt="x", lora="foxy"))


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


async def test_a_message_of_pictures_makes_another_for_its_member(keyed: Stage) -> None:
    await keyed.give_lora(keyed.ben)
    await keyed.use(keyed.ben, "imagine", prompt="in a forest", lora="Foxy")
    picture = await keyed.posted("Pictures #1 · AI-generated")
    opened = await keyed.ben.click(picture, label="Make another")
    await keyed.ben.submit_modal(opened, {fields_of(opened)[0]: "by the sea"})
    await keyed.posted("Pictures #2 · AI-generated")
    await until(lambda: keyed.charges().count("images") == 2)
