"""/jobs: where everything is, and results that no channel would take."""

import re

import pytest

from bot.keys import slots
from bot.records.guild import Actor
from bot.records.key import ProviderName
from bot.sandbox.rehearsal.faults import Fault
from tests.cogs.simulated_guild import Stage, answer_to, board_of, buttons_of, photos, pictures_in, text_of, until


async def test_somebody_new_is_told_how_to_begin(stage: Stage) -> None:
    answered = answer_to(await stage.use(stage.ben, "jobs"))
    assert "Nothing yet. `/train` and `/imagine` start something." in answered


async def test_the_timeline_tells_the_whole_way_in_words(keyed: Stage) -> None:
    await keyed.train(keyed.ben)
    await keyed.use(keyed.ben, "imagine", prompt="in a forest", lora="Foxy")
    await keyed.posted("Pictures #1 · AI-generated")
    await until_delivered(keyed)
    text = answer_to(await keyed.use(keyed.ben, "jobs"))
    training, pictures = text.split("**Pictures #1**")
    assert "**Training #1** `Foxy`" in training
    assert "✅ Ready." in training
    steps = re.findall(r"(?:-# |→ )([a-z ]+?) <t:\d+:t>", training)
    assert steps == ["received", "checked", "submitted", "running", "ready", "delivered"]
    assert re.findall(r"(?:-# |→ )([a-z ]+?) <t:\d+:t>", pictures)[0] == "received"
    assert "delivered" in pictures


async def test_my_jobs_are_shown_to_nobody_else(keyed: Stage) -> None:
    await keyed.train(keyed.ben)
    assert "Foxy" not in answer_to(await keyed.use(keyed.cleo, "jobs"))


async def test_waiting_members_see_their_place_in_the_queue(keyed: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    keyed.world.provider.faults.hold_trainings = True
    monkeypatch.setattr(slots, "SLOTS", dict.fromkeys(ProviderName, 1))
    for member in (keyed.ben, keyed.cleo):
        board = board_of(await keyed.send_form(member, "Foxy", photos(15)))
        await keyed.start(member, board)
    await until(lambda: keyed.world.provider.loras)
    text = answer_to(await keyed.use(keyed.cleo, "jobs"))
    assert "⏳ Waiting: place **1** in the queue." in text


async def test_a_result_no_place_would_take_is_kept_and_fetched_once(keyed: Stage) -> None:
    await keep_a_result(keyed)
    jobs = board_of(await keyed.use(keyed.ben, "jobs"))
    assert "1 result could not be posted and is kept for you." in text_of(jobs)
    fetched = await keyed.ben.click(jobs, label="Fetch #1")
    assert "Pictures #1 · AI-generated" in answer_to(fetched)
    assert len(pictures_in(board_of(fetched))) == 1
    again = await keyed.press_id(keyed.ben, buttons_of(jobs)["Fetch #1"])
    assert "has been handed over already" in answer_to(again)


async def test_a_kept_result_is_not_for_others(keyed: Stage) -> None:
    await keep_a_result(keyed)
    jobs = board_of(await keyed.use(keyed.ben, "jobs"))
    taken = await keyed.press_id(keyed.cleo, buttons_of(jobs)["Fetch #1"])
    assert "has been handed over already" in answer_to(taken)
    assert "Fetch #1" in buttons_of(board_of(await keyed.use(keyed.ben, "jobs")))


async def test_a_waiting_order_can_be_cancelled_from_the_list(keyed: Stage) -> None:
    await keyed.give_lora(keyed.ben)
    keyed.world.provider.faults.next("GET /v2/me", *[Fault.answer(503)] * 300)
    await keyed.use(keyed.ben, "imagine", prompt="in a forest", lora="Foxy")
    jobs = board_of(await keyed.use(keyed.ben, "jobs"))
    assert list(buttons_of(jobs)) == ["Cancel #1"]
    assert "it cost nothing" in answer_to(await keyed.ben.click(jobs, label="Cancel #1"))
    assert buttons_of(board_of(await keyed.use(keyed.ben, "jobs"))) == {}
    assert keyed.charges() == []


async def test_pictures_in_the_making_show_how_far_the_provider_is(keyed: Stage) -> None:
    await keyed.give_lora(keyed.ben)
    keyed.world.provider.faults.hold_generations = True
    await keyed.use(keyed.ben, "imagine", prompt="in a forest", lora="Foxy")
    await until(lambda: keyed.world.provider.jobs)
    [job] = keyed.world.provider.jobs.values()
    job.status, job.progress = "PROCESSING", 40
    text = ""

    async def look() -> None:
        nonlocal text
        text = answer_to(await keyed.use(keyed.ben, "jobs"))

    await until(lambda: "⏳ In the making: **40 %**" in text, look)
    keyed.world.provider.faults.hold_generations = False
    await keyed.posted("Pictures #1 · AI-generated")
    await until(lambda: "In the making" not in text, look)


async def test_a_waiting_training_is_cancelled_from_its_status_message_or_the_list(
    keyed: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    keyed.world.provider.faults.hold_trainings = True
    monkeypatch.setattr(slots, "SLOTS", dict.fromkeys(ProviderName, 1))
    for member in (keyed.cleo, keyed.ben):
        await keyed.start(member, board_of(await keyed.send_form(member, "Foxy", photos(15))))
    await until(lambda: keyed.world.provider.loras)
    status = await keyed.posted("⏳ Waiting: place **1** in the queue.")
    assert "Ordered <t:" in text_of(status)
    assert "There is no such training of yours here." in answer_to(await keyed.cleo.click(status, label="Cancel"))
    jobs = board_of(await keyed.use(keyed.ben, "jobs"))
    assert list(buttons_of(jobs)) == ["Cancel training #2"]
    cancelled = await keyed.ben.click(status, label="Cancel")
    assert "`Foxy` was cancelled before it was sent. Nothing was paid." in answer_to(cancelled)
    shown = await keyed.ben.click(board_of(cancelled), label="Show the board")
    assert "Ready to start." in text_of(board_of(shown))
    await keyed.posted("✖️ Cancelled before it was sent; nothing was paid.")
    again = await keyed.ben.click(jobs, label="Cancel training #2")
    assert "Nothing was paid." in answer_to(again)
    started = await keyed.press_id(keyed.cleo, "dr:training:cancel:1")
    assert "offers no way to stop one" in answer_to(started)
    assert keyed.charges().count("create") == 1


async def test_a_kept_result_that_was_deleted_meanwhile_is_not_handed_over(keyed: Stage) -> None:
    await keep_a_result(keyed)
    jobs = board_of(await keyed.use(keyed.ben, "jobs"))
    guild_id = keyed.world.guild.id
    await keyed.world.darkroom.services.pictures.delete(1, Actor(guild_id, keyed.ben.id))
    assert "has been handed over already" in answer_to(await keyed.ben.click(jobs, label="Fetch #1"))
    text = answer_to(await keyed.use(keyed.ben, "jobs"))
    assert "`Foxy in a forest` · deleted" in text
    assert "kept for you" not in text


async def test_whoever_has_a_kept_result_is_told_once_after_any_command(keyed: Stage) -> None:
    await keep_a_result(keyed)
    sentence = "1 result could not be posted earlier and is kept for you. `/jobs` brings it to you."
    assert sentence not in answer_to(await keyed.use(keyed.cleo, "loras list"))
    assert sentence in answer_to(await keyed.use(keyed.ben, "loras list"))
    assert sentence not in answer_to(await keyed.use(keyed.ben, "loras list"))


async def test_jobs_itself_tells_of_kept_results(keyed: Stage) -> None:
    await keep_a_result(keyed)
    assert "posted earlier" not in answer_to(await keyed.use(keyed.ben, "jobs"))
    assert "posted earlier" not in answer_to(await keyed.use(keyed.ben, "loras list"))


async def test_a_kept_result_too_large_to_fetch_comes_as_a_smaller_copy(keyed: Stage) -> None:
    await keep_a_result(keyed)
    jobs = board_of(await keyed.use(keyed.ben, "jobs"))
    keyed.world.env.inject_error("PATCH", "/webhooks/*", status=413, code=40005, times=1)
    fetched = await keyed.ben.click(jobs, label="Fetch #1")
    assert "These are smaller copies" in answer_to(fetched)


async def keep_a_result(keyed: Stage) -> None:
    """Ben's picture was made while no place would take it."""
    await keyed.give_lora(keyed.ben)
    keyed.world.env.inject_error("POST", "/channels/*/messages", status=403, code=50013, times=None)
    await keyed.use(keyed.ben, "imagine", prompt="in a forest", lora="Foxy")
    await until_kept(keyed)
    keyed.world.env.backend.faults.clear()


async def until_kept(stage: Stage) -> None:
    outbox = stage.world.darkroom.services.outbox
    found: list[object] = []

    async def look() -> None:
        found.extend(await outbox.kept_for(guild_id=stage.world.guild.id, user_id=stage.ben.id))

    await until(lambda: found, look)


async def until_delivered(stage: Stage) -> None:
    generations = stage.world.darkroom.services.generations
    words: list[str] = []

    async def look() -> None:
        view = await generations.view(1)
        assert view is not None
        words[:] = [entry.what for entry in view.timeline]

    await until(lambda: "delivered" in words, look)
