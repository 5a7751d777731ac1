"""/jobs: where everything is, and results that no channel would take."""

import csv
import functools
import re
from datetime import UTC, datetime

import discord
import pytest
import simcord
import sqlalchemy as sa
from simcord.components import walk_components
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.generation.access import COMPARED
from bot.keys import slots
from bot.records.event import EventMode, EventStatus
from bot.records.generation import GenerationStatus
from bot.records.guild import Actor
from bot.records.key import ProviderName
from bot.records.post import PostKind
from bot.sandbox.rehearsal.faults import Fault
from bot.storage import tables
from bot.storage.events import tables as event_tables
from cogs.jobs.cards import PAGE
from tests.cogs.simulated_guild import (
    THUMBNAIL,
    Message,
    Stage,
    answer_to,
    board_of,
    buttons_of,
    photos,
    pictures_in,
    text_of,
    tree_of,
    until,
)
from tests.fakes.events import add_event
from tests.fakes.rows import add_generation


async def test_somebody_new_is_told_how_to_begin(stage: Stage) -> None:
    answered = answer_to(await stage.use(stage.ben, "jobs"))
    assert "Nothing yet. `/train` and `/imagine` start something." in answered


async def done(keyed: Stage, member: simcord.MemberActor) -> tuple[discord.Message, discord.Message]:
    """A training and a picture of the member's: the messages that tell of them."""
    ready = await keyed.train(member)
    await keyed.use(member, "imagine", prompt="in a forest", lora="Foxy")
    posted = await keyed.posted("Pictures #1 · AI-generated")
    await until_delivered(keyed)
    return ready, posted


async def test_each_job_has_a_picture_a_link_and_what_can_be_done_and_no_numbers(keyed: Stage) -> None:
    """Mutant: with `ids=True` for everybody the provider's ids are read by members."""
    ready, posted = await done(keyed, keyed.ben)
    jobs = board_of(await keyed.use(keyed.ben, "jobs"))
    text = text_of(jobs)
    assert "**1 picture** · **Foxy**\n“" in text
    assert "**Training** **Foxy**\n✅ Ready." in text
    assert "#1" not in text
    assert " → " not in text
    for message in (ready, posted):
        assert f"/{message.channel.id}/{message.id})" in text
    assert thumbnails_of(jobs) == ["AI-generated picture of this job"] * 2
    assert buttons_of(jobs) == {"Show": "dr:lora:show:1", "Use": "dr:order:imagine:1"}


async def test_pictures_are_shown_again_privately_and_loras_used_after_a_restart(keyed: Stage) -> None:
    await done(keyed, keyed.ben)
    jobs = board_of(await keyed.use(keyed.ben, "jobs"))
    await keyed.restart()
    shown = board_of(await keyed.ben.click(jobs, custom_id="dr:job:show:1"))
    assert len(pictures_in(shown)) == 1
    assert "Only you see this." in text_of(shown)
    assert (await keyed.ben.click(jobs, label="Use")).modal is not None
    assert "### **Foxy**" in answer_to(await keyed.ben.click(jobs, custom_id="dr:lora:show:1"))
    assert len(keyed.posts()) == 3


async def change_loras(values: dict[str, object], connection: AsyncConnection) -> None:
    await connection.execute(sa.update(tables.loras).values(**values))


async def test_what_cannot_be_done_with_a_lora_any_more_is_not_offered(keyed: Stage) -> None:
    await keyed.train(keyed.ben)
    nothing: dict[str, object] = dict.fromkeys(("resting_since", "retiring_since", "missing_since", "archived_at"))
    usual = nothing | {"owner_id": keyed.ben.id}
    at = datetime.now(UTC)
    for changed, offered in (
        ({}, ["Use", "Show"]),
        ({"resting_since": at}, ["Show"]),
        ({"retiring_since": at}, ["Show"]),
        ({"missing_since": at}, ["Show"]),
        ({"owner_id": keyed.cleo.id}, []),
        ({"archived_at": at}, []),
    ):
        await keyed.world.darkroom.database.write(functools.partial(change_loras, usual | changed))
        assert list(buttons_of(board_of(await keyed.use(keyed.ben, "jobs")))) == offered


async def test_a_first_picture_says_that_nobody_ordered_it(keyed: Stage) -> None:
    """Mutant: without it the list has an order that its member never sent, and 2 credits for it."""
    await keyed.world.darkroom.services.guilds.choose_samples(keyed.world.guild.id, are_made=True)
    await keyed.train(keyed.ben)
    await keyed.posted("Pictures #1 · AI-generated")
    said = "1 picture** · **Foxy** · a first picture, made by itself"
    assert said in answer_to(await keyed.use(keyed.ben, "jobs"))
    assert said.replace("picture**", "picture") in answer_to(await keyed.use(keyed.ada, "jobs", server=True))


async def test_pictures_that_are_gone_are_not_shown_again(keyed: Stage) -> None:
    await done(keyed, keyed.ben)
    jobs = board_of(await keyed.use(keyed.ben, "jobs"))
    await keyed.world.darkroom.services.pictures.delete(1, Actor(keyed.world.guild.id, keyed.ben.id))
    assert "not here any more" in answer_to(await keyed.ben.click(jobs, custom_id="dr:job:show:1"))
    again = board_of(await keyed.use(keyed.ben, "jobs"))
    assert "dr:job:show:1" not in buttons_of(again).values()
    assert thumbnails_of(again) == []


async def test_what_a_bake_off_compared_is_shown_once_the_votes_are_counted(keyed: Stage) -> None:
    """Mutant: a set without a post, as one of a bake-off is, is said to be still being made."""
    await keyed.give_lora(keyed.ben)
    await keyed.use(keyed.ben, "imagine", prompt="in a forest", lora="Foxy")
    await until_delivered(keyed)
    database, of_guild = keyed.world.darkroom.database, {"guild_id": keyed.world.guild.id, "host_id": keyed.ben.id}
    event = await add_event(database, mode=EventMode.BAKEOFF, status=EventStatus.VOTING, **of_guild)
    await change(keyed, sa.delete(tables.posts).where(tables.posts.c.kind == PostKind.PICTURES))
    await change(keyed, sa.update(tables.generations).values(event_id=event.id, pack_index=0))
    assert COMPARED in answer_to(await keyed.press_id(keyed.ben, "dr:job:show:1"))
    await change(keyed, sa.update(event_tables.events).values(status=EventStatus.FINISHED))
    jobs = board_of(await keyed.use(keyed.ben, "jobs"))
    shown = board_of(await keyed.ben.click(jobs, custom_id="dr:job:show:1"))
    assert len(pictures_in(shown)) == 1
    assert "Only you see this. · AI-generated" in text_of(shown)
    assert "not here any more" in answer_to(await keyed.press_id(keyed.cleo, "dr:job:show:1"))


@pytest.mark.parametrize(
    ("status", "said"),
    [(GenerationStatus.FETCHING, "still being made"), (GenerationStatus.FAILED, "### No pictures this time")],
)
async def test_where_no_pictures_are_it_is_said_why(keyed: Stage, status: GenerationStatus, said: str) -> None:
    await add_generation(
        keyed.world.darkroom.database, guild_id=keyed.world.guild.id, user_id=keyed.ben.id, due_at=None
    )
    await change(keyed, sa.update(tables.generations).values(status=status, error="It was refused."))
    assert said in answer_to(await keyed.press_id(keyed.ben, "dr:job:show:1"))
    assert "not here any more" in answer_to(await keyed.press_id(keyed.cleo, "dr:job:show:1"))


async def test_older_jobs_are_on_further_pages(keyed: Stage) -> None:
    lora = await keyed.give_lora(keyed.ben)
    for number in range(PAGE + 1):
        await keyed.use(keyed.ben, "imagine", prompt=f"fox number {number}", lora=f"lora-{lora.id}")
    first = board_of(await keyed.use(keyed.ben, "jobs"))
    assert "Page 1 of 2" in text_of(first)
    assert "fox number 0" not in text_of(first)
    older = board_of(await keyed.ben.click(first, label="Older"))
    assert "Page 2 of 2" in text_of(older)
    assert "fox number 0" in text_of(older)
    assert "fox number" not in answer_to(await keyed.press_id(keyed.cleo, "dr:job:page:1"))


async def test_admins_read_ids_and_the_whole_way_in_words(keyed: Stage) -> None:
    await done(keyed, keyed.ada)
    text = answer_to(await keyed.use(keyed.ada, "jobs"))
    pictures, training = text.split("**Training** **Foxy**")
    assert "#1" in pictures
    assert "#1" in training
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
    fetched = await keyed.ben.click(jobs, label="Fetch it")
    assert "Pictures #1 · AI-generated" in answer_to(fetched)
    assert len(pictures_in(board_of(fetched))) == 1
    again = await keyed.press_id(keyed.ben, buttons_of(jobs)["Fetch it"])
    assert "has been handed over already" in answer_to(again)


async def test_a_kept_result_is_not_for_others(keyed: Stage) -> None:
    await keep_a_result(keyed)
    jobs = board_of(await keyed.use(keyed.ben, "jobs"))
    taken = await keyed.press_id(keyed.cleo, buttons_of(jobs)["Fetch it"])
    assert "has been handed over already" in answer_to(taken)
    assert "Fetch it" in buttons_of(board_of(await keyed.use(keyed.ben, "jobs")))


async def test_a_waiting_order_can_be_cancelled_from_the_list(keyed: Stage) -> None:
    await keyed.give_lora(keyed.ben)
    keyed.world.provider.faults.next("GET /v2/me", *[Fault.answer(503)] * 300)
    await keyed.use(keyed.ben, "imagine", prompt="in a forest", lora="Foxy")
    jobs = board_of(await keyed.use(keyed.ben, "jobs"))
    assert list(buttons_of(jobs)) == ["Cancel"]
    assert "it cost nothing" in answer_to(await keyed.ben.click(jobs, label="Cancel"))
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
    assert "40 %" in answer_to(await keyed.use(keyed.ben, "jobs"))
    keyed.world.provider.faults.hold_generations = False
    await keyed.posted("Pictures #1 · AI-generated")
    await until(lambda: "In the making" not in text, look)
    assert "%" not in text


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
    assert list(buttons_of(jobs)) == ["Cancel"]
    cancelled = await keyed.ben.click(status, label="Cancel")
    assert "**Foxy** was cancelled before it was sent. Nothing was paid." in answer_to(cancelled)
    shown = await keyed.ben.click(board_of(cancelled), label="Show the board")
    assert "Ready to start." in text_of(board_of(shown))
    await keyed.posted("✖️ Cancelled before it was sent; nothing was paid.")
    again = await keyed.ben.click(jobs, label="Cancel")
    assert "Nothing was paid." in answer_to(again)
    started = await keyed.press_id(keyed.cleo, "dr:training:cancel:1")
    assert "offers no way to stop one" in answer_to(started)
    assert keyed.charges().count("create") == 1


async def test_a_kept_result_that_was_deleted_meanwhile_is_not_handed_over(keyed: Stage) -> None:
    await keep_a_result(keyed)
    jobs = board_of(await keyed.use(keyed.ben, "jobs"))
    guild_id = keyed.world.guild.id
    await keyed.world.darkroom.services.pictures.delete(1, Actor(guild_id, keyed.ben.id))
    assert "has been handed over already" in answer_to(await keyed.ben.click(jobs, label="Fetch it"))
    text = answer_to(await keyed.use(keyed.ben, "jobs"))
    assert "🗑️ Deleted." in text
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
    fetched = await keyed.ben.click(jobs, label="Fetch it")
    assert "These are smaller copies" in answer_to(fetched)


async def test_admins_see_who_ordered_what_and_cancel_what_waits(keyed: Stage) -> None:
    """Mutant: without the look at who asks, Cleo reads the list; with the member's sentence, Ben is blamed."""
    await keyed.give_lora(keyed.ben)
    keyed.world.provider.faults.next("GET /v2/me", *[Fault.answer(503)] * 300)
    await keyed.use(keyed.ben, "imagine", prompt="a secret", lora="Foxy")
    assert "Only an admin" in answer_to(await keyed.use(keyed.cleo, "jobs", server=True))
    assert "Only an admin" in answer_to(await keyed.press_id(keyed.cleo, "dr:job:serverpage:0"))
    assert "no such pictures of yours" in answer_to(await keyed.press_id(keyed.cleo, "dr:order:cancel:1"))
    listed = board_of(await keyed.use(keyed.ada, "jobs", server=True))
    assert f"• #1 · {keyed.ben.mention} · 1 picture · **Foxy** · 2 credits · ⏳ Waiting." in text_of(listed)
    assert "secret" not in text_of(listed)
    await keyed.restart()
    assert "it cost nothing" in answer_to(await keyed.ada.click(listed, label="Cancel pictures #1"))
    told = await keyed.posted("An admin of this server cancelled these pictures.")
    assert keyed.ben.mention in text_of(told)
    assert "too late to cancel" in answer_to(await keyed.ada.click(listed, label="Cancel pictures #1"))
    log = answer_log(await keyed.world.darkroom.services.moderation.log(admin_of(keyed)))
    assert log[-1] == ["moderated", "pictures #1, cancelled", str(keyed.ben.id)]
    assert keyed.charges() == []


async def test_admins_cancel_a_training_that_waits(keyed: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    keyed.world.provider.faults.hold_trainings = True
    monkeypatch.setattr(slots, "SLOTS", dict.fromkeys(ProviderName, 1))
    for member in (keyed.cleo, keyed.ben):
        await keyed.start(member, board_of(await keyed.send_form(member, "Foxy", photos(15))))
    await until(lambda: keyed.world.provider.loras)
    listed = board_of(await keyed.use(keyed.ada, "jobs", server=True))
    assert list(buttons_of(listed)) == ["Cancel training #2"]
    said = board_of(await keyed.ada.click(listed, label="Cancel training #2"))
    assert f"{keyed.ben.mention} is told." in text_of(said)
    assert buttons_of(said) == {}
    told = await keyed.posted("An admin of this server cancelled this training")
    assert keyed.ben.mention in text_of(told)
    assert "Accepted #3" in answer_to(await keyed.ben.click(told, label="Start again"))


async def test_jobs_of_another_server_are_in_no_list(keyed: Stage) -> None:
    await keyed.give_lora(keyed.ben)
    await keyed.use(keyed.ben, "imagine", prompt="in a forest", lora="Foxy")
    guild = keyed.world.env.create_guild(name="Other club")
    admins = guild.create_role("Admins", permissions=discord.Permissions(manage_guild=True))
    ada, channel = guild.add_member(keyed.ada.user, roles=[admins]), guild.create_text_channel("darkroom")
    assert "Nothing yet." in answer_to(await keyed.use(ada, "jobs", channel, server=True))
    stopped = answer_to(await keyed.press_id(ada, "dr:order:cancel:1", channel))
    assert stopped == answer_to(await keyed.press_id(ada, "dr:order:cancel:987654", channel))
    assert "not here any more" in answer_to(await keyed.press_id(ada, "dr:job:show:1", channel))


def admin_of(stage: Stage) -> Actor:
    return Actor(stage.world.guild.id, stage.ada.id, is_admin=True, is_moderator=True)


def answer_log(text: str) -> list[list[str]]:
    """What, about and member of each line."""
    return [row[2:5] for row in csv.reader(text.splitlines())]


def thumbnails_of(message: Message) -> list[str]:
    parts = [part for part in walk_components(tree_of(message)) if part.get("type") == THUMBNAIL]
    return [part["description"] for part in parts]


async def keep_a_result(keyed: Stage) -> None:
    """Ben's picture was made while no place would take it."""
    await keyed.give_lora(keyed.ben)
    keyed.world.env.inject_error("POST", "/channels/*/messages", status=403, code=50013, times=None)
    await keyed.use(keyed.ben, "imagine", prompt="in a forest", lora="Foxy")
    await until_kept(keyed)
    keyed.world.env.backend.faults.clear()


async def change(stage: Stage, statement: sa.Update | sa.Delete) -> None:
    await stage.world.darkroom.database.write(lambda connection: connection.execute(statement))


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
