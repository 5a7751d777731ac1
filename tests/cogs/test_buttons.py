"""Buttons after a restart, in other hands, and with ids of other servers: never a leak, never a second effect."""

from dataclasses import dataclass
from datetime import UTC, datetime

import discord
import pytest
import simcord
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.storage import sharing
from cogs.ui import views
from tests.cogs.stage import Stage, answer_to, board_of, buttons_of, fields_of, photos, text_of, until

UNKNOWN = 987_654_321


@dataclass(frozen=True, slots=True)
class Neighbour:
    """Another guild with the same bot, in which Ben is, too; Cleo is there alone."""

    channel: simcord.ChannelHandle
    ben: simcord.MemberActor
    cleo: simcord.MemberActor
    ada: simcord.MemberActor


@pytest.fixture
async def neighbour(keyed: Stage) -> Neighbour:
    guild = keyed.world.env.create_guild(name="Other club")
    admins = guild.create_role("Admins", permissions=discord.Permissions(manage_guild=True))
    ada = guild.add_member(keyed.ada.user, roles=[admins])
    ben, cleo = (guild.add_member(member.user) for member in (keyed.ben, keyed.cleo))
    await keyed.set_key(guild)
    return Neighbour(guild.create_text_channel("darkroom"), ben, cleo, ada)


async def test_the_board_starts_after_a_restart(keyed: Stage) -> None:
    board = board_of(await keyed.send_form(keyed.ben, "Foxy", photos(15)))
    await keyed.restart()
    assert "Accepted #1" in answer_to(await keyed.start(keyed.ben, board))
    ready = await keyed.posted("`Foxy` is ready")
    await keyed.restart()
    assert (await keyed.ben.click(ready, label="Make the first picture")).modal is not None


async def test_a_form_opened_before_a_restart_is_answered_kindly(keyed: Stage) -> None:
    """Mutant: without the answer Discord shows its "interaction failed"."""
    opened = await keyed.use(keyed.ben, "train")
    await keyed.restart()
    answer = await keyed.ben.submit_modal(opened, {fields_of(opened)[0]: "Foxy"})
    assert "open it again" in answer_to(answer)


async def test_a_question_asked_before_a_restart_is_answered_kindly(keyed: Stage) -> None:
    asked = await keyed.use(keyed.ben, "privacy erase")
    await keyed.restart()
    assert asked.response is not None
    assert "open it again" in answer_to(await keyed.ben.click(asked.response, label="Erase my data here"))


@pytest.mark.parametrize("label", ["Add photos", "Remove photos", "Discard"])
async def test_every_other_button_of_the_board_works_after_a_restart(keyed: Stage, label: str) -> None:
    board = board_of(await keyed.send_form(keyed.ben, "Foxy", photos(2)))
    await keyed.restart()
    pressed = await keyed.ben.click(board, label=label)
    assert pressed.modal is not None or answer_to(pressed)


async def test_a_training_under_way_during_a_restart_is_announced_once(keyed: Stage) -> None:
    keyed.world.provider.faults.hold_trainings = True
    board = board_of(await keyed.send_form(keyed.ben, "Foxy", photos(15)))
    await keyed.start(keyed.ben, board)
    await until(lambda: keyed.world.provider.loras)
    await keyed.restart()
    keyed.world.provider.faults.hold_trainings = False
    await keyed.posted("`Foxy` is ready")
    assert sum("is ready" in text_of(message) for message in keyed.posts()) == 1
    assert keyed.charges() == ["create", "training"]


async def test_the_ready_button_is_only_for_its_member(keyed: Stage) -> None:
    ready = await keyed.train(keyed.ben)
    for other in (keyed.cleo, keyed.ada):
        pressed = await other.click(ready, label="Make the first picture")
        assert pressed.modal is None
        assert answer_to(pressed) == "You have no such LoRA here. `/loras list` shows what you have."


async def test_nobody_else_can_start_a_failed_training_again(keyed: Stage) -> None:
    board = board_of(await keyed.send_form(keyed.ben, "Foxy", photos(15)))
    keyed.world.provider.faults.hold_trainings = True
    await keyed.start(keyed.ben, board)
    await until(lambda: keyed.world.provider.loras)
    pressed = await keyed.press_id(keyed.cleo, "dr:job:retry:1")
    assert answer_to(pressed) == "There is no such training of yours here. `/jobs` shows what you have."


OPEN_TO_OTHERS = {"pic", "report", "style"}
"""Buttons that others than the owner of the row may press, too; a style belongs to the whole guild."""
FOR_ADMINS = {("lora", action) for action in ("archive", "rename", "note", "share", "version")}
"""An admin sees all LoRAs of the guild and keeps order among them."""


async def everything_of_ben(stage: Stage) -> None:
    """A LoRA offered to somebody, a started training and an open dataset, so that every kind of row 1 is Ben's."""
    await stage.train(stage.ben)
    await stage.use(stage.ben, "imagine", prompt="x", lora="Foxy")
    await stage.posted("Pictures #1 · AI-generated")
    await stage.send_form(stage.ben, "Rex", photos(15))
    await offer_to_nobody_here(stage)


async def offer_to_nobody_here(stage: Stage) -> None:
    async def work(connection: AsyncConnection) -> None:
        await sharing.insert_offer(
            connection,
            guild_id=stage.world.guild.id,
            channel_id=stage.channel.id,
            lora_id=1,
            from_id=stage.ben.id,
            to_id=UNKNOWN,
            created_at=datetime.now(UTC),
        )

    await stage.world.darkroom.database.write(work)


async def test_foreign_ids_in_buttons_are_answered_like_ids_that_do_not_exist(
    keyed: Stage, neighbour: Neighbour
) -> None:
    await everything_of_ben(keyed)
    ledger = keyed.charges()
    rows = {"set": 2, "job": 1, "lora": 1, "loras": 0, "offer": 1, "order": 1}
    assert {area for area, _ in views._PRESSES} - OPEN_TO_OTHERS == set(rows)
    strangers = [(keyed.cleo, keyed.channel), (keyed.ada, keyed.channel), (neighbour.ben, neighbour.channel)]
    assert len(views._PRESSES) >= 9
    for area, action in sorted(views._PRESSES):
        if area in OPEN_TO_OTHERS:
            continue
        for member, channel in strangers:
            if member is keyed.ada and (area, action) in FOR_ADMINS:
                continue
            nothing = await seen(keyed, member, f"dr:{area}:{action}:{UNKNOWN}", channel)
            assert await seen(keyed, member, f"dr:{area}:{action}:{rows[area]}", channel) == nothing, (area, action)
    assert keyed.charges() == ledger
    assert "15 of 15–30 usable photos" in answer_to(await keyed.use(keyed.ben, "dataset show"))
    assert (await keyed.lora(keyed.ben)).archived_at is None


async def seen(stage: Stage, member: simcord.MemberActor, custom_id: str, channel: simcord.ChannelHandle) -> str:
    """All that somebody learns from pressing, up to the end of the form that it may open."""
    pressed = await stage.press_id(member, custom_id, channel)
    if pressed.modal is None:
        return answer_to(pressed)
    files = [photos(1), [], []]
    values = dict(zip(fields_of(pressed), [*files, True], strict=True))
    return f"form {pressed.modal['title']}: {answer_to(await member.submit_modal(pressed, values))}"


@pytest.mark.parametrize("command", ["imagine", "loras show", "loras archive"])
async def test_foreign_loras_are_answered_like_loras_that_do_not_exist(
    keyed: Stage, neighbour: Neighbour, command: str
) -> None:
    lora = await keyed.give_lora(keyed.ben)
    options = {"prompt": "x"} if command == "imagine" else {}
    for member, channel in (
        (keyed.cleo, keyed.channel),
        (neighbour.ben, neighbour.channel),
        (neighbour.ada, neighbour.channel),
    ):
        answers = [
            answer_to(await member.slash(channel, command, lora=value, **options))
            for value in (f"lora-{lora.id}", f"lora-{UNKNOWN}", "Foxy")
        ]
        assert len(set(answers)) == 1
        assert "You have no such LoRA here." in answers[0]
        assert await member.autocomplete(channel, command, "lora", "") == []


async def test_what_i_have_here_is_shown_nowhere_else(keyed: Stage, neighbour: Neighbour) -> None:
    await everything_of_ben(keyed)
    for command in ("loras list", "jobs", "privacy show", "dataset show"):
        text = answer_to(await neighbour.ben.slash(neighbour.channel, command))
        assert "Foxy" not in text
        assert "Rex" not in text
    assert "• 0 trainings and 0 LoRAs" in answer_to(await neighbour.ben.slash(neighbour.channel, "privacy show"))


async def test_erasing_in_one_guild_leaves_the_other_alone(keyed: Stage, neighbour: Neighbour) -> None:
    await keyed.give_lora(keyed.ben)
    asked = board_of(await neighbour.ben.slash(neighbour.channel, "privacy erase"))
    await neighbour.ben.click(asked, label="Erase my data here")
    assert "`Foxy`" in answer_to(await keyed.use(keyed.ben, "loras list"))


async def test_an_admin_of_another_guild_cannot_touch_this_guilds_key(keyed: Stage, neighbour: Neighbour) -> None:
    await neighbour.ada.slash(neighbour.channel, "keys remove", provider="apiframe")
    assert "No trouble so far." in answer_to(await keyed.use(keyed.ada, "keys status"))


@pytest.mark.parametrize("custom_id", ["dr:set:start:0", "dr:set:start:999999999999999999", "dr:job:fetch:0"])
async def test_numbers_out_of_the_blue_are_answered_kindly(keyed: Stage, custom_id: str) -> None:
    text = answer_to(await keyed.press_id(keyed.ben, custom_id))
    assert "went wrong" not in text


async def test_a_button_this_version_does_not_know_is_answered(keyed: Stage) -> None:
    text = answer_to(await keyed.press_id(keyed.ben, "dr:someday:later:1"))
    assert text == "This button is from another version of the bot. `/jobs` shows where everything is."


async def test_two_members_boards_do_not_mix(keyed: Stage) -> None:
    bens = board_of(await keyed.send_form(keyed.ben, "Foxy", photos(15)))
    cleos = board_of(await keyed.send_form(keyed.cleo, "Rex", photos(15, first=20)))
    assert set(buttons_of(bens).values()).isdisjoint(buttons_of(cleos).values())
    await keyed.start(keyed.cleo, cleos)
    await keyed.posted("`Rex` is ready")
    assert "15 of 15–30 usable photos" in answer_to(await keyed.use(keyed.ben, "dataset show"))
