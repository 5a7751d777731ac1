"""The whole life of each kind of event as its people see it, with a restart of the bot at every stage."""

import re
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from bot.records.lora import Style
from bot.records.post import OF_A_SET, PostKind
from bot.sandbox.apiframe.state import JobFault
from tests.cogs.events.playthrough import Playthrough, open_playthrough
from tests.cogs.sent_checks import check_mentions, check_privacy, check_secrets
from tests.cogs.simulated_guild import answer_to, board_of, buttons_of, kind_of, photos, pictures_in, text_of, until

NUMBERED = {PostKind.TRAINING_STATUS, PostKind.TRAINING_READY, PostKind.TRAINING_FAILED, *OF_A_SET}
"""Whose numbers `/jobs`, members and moderators use."""
ROW_NUMBER = re.compile(r"(?<!<)#\d")


@pytest.fixture
async def life(tmp_path: Path, migrated_file: Path, without_pauses: None) -> AsyncIterator[Playthrough]:
    async with open_playthrough(tmp_path, migrated_file) as life:
        yield life
        await life.stage.world.env.settle()
        check_mentions(life.stage)
        check_privacy(life.stage.world)
        check_secrets(life.stage.world)
        assert life.stage.world.env.errors == []


async def check_the_end(life: Playthrough, told: Sequence[str], winner: str) -> None:
    """What is left when it is over, also after one more restart and one more day. `told`: a part of each note."""
    await life.hours_pass_while_down(24)
    await life.come_to_rest()
    announced = life.announced()
    assert [part for part, text in zip(told, announced, strict=True) if part not in text] == []
    others = [text_of(message) for message in life.messages() if kind_of(message) not in NUMBERED]
    assert [text for text in others if ROW_NUMBER.search(text)] == []
    assert None not in life.cards()
    assert len(set(life.cards())) == len(life.cards())
    panel = await life.panel("This event is over")
    assert f"🥇 {winner}" in text_of(panel)
    assert f"💳 {life.charged():g} " in text_of(panel)
    over = await life.posted(f"The ballot of **{life.name}** is over")
    assert buttons_of(over) == {}
    fame = answer_to(await life.run(life.cleo, "event fame"))
    assert f"**{life.name}**" in fame
    assert winner.partition(" ·")[0] in fame
    handed = await life.ben.click(panel, label="Yearbook")
    assert f"The yearbook of **{life.name}**" in text_of(board_of(handed))
    files = [file.filename for message in handed.followups for file in message.attachments]
    assert any(name.startswith("darkroom-yearbook-") and name.endswith(".zip") for name in files)
    assert "There is no event here" in answer_to(await life.run(life.ada, "event close"))


async def photos_of_a_shared_subject(life: Playthrough) -> None:
    """Ben's form is open when the bot dies, Cleo's answer to whether she may be seen is pending when it dies."""
    early = await life.form(life.ben, "Give photos")
    await life.restart()
    assert "Please open it again" in await life.send_photos(life.ben, early, photos(12))
    assert "12 photos received" in await life.give(life.ben, photos(12), seen=[life.cleo])
    questions = life.cleo.user.dm_channel.history
    await until(lambda: any("May these photos be used?" in text_of(each) for each in questions()))
    await life.restart()
    (question,) = questions()
    assert "may be used" in answer_to(await life.cleo.user.click(question, label="Yes, that is fine"))
    assert "8 photos received" in await life.give(life.cleo, photos(8, first=20))
    await life.panel("**20 photos**, 20 usable")


async def choice_and_training(life: Playthrough) -> None:
    """Collecting ends while the bot is off; it dies again while the LoRA is being trained."""
    await life.hours_pass(23.5)
    await life.posted("last call")
    await life.hours_pass_while_down(1)
    await life.panel("**The photos are being looked through**")
    await life.restart()
    await life.hours_pass(2)
    chosen = text_of(await life.posted("the photos are chosen"))
    assert f"{life.ben.mention}: " in chosen
    assert f"{life.cleo.mention}: " in chosen
    await life.restart()
    await life.posted("the LoRA is ready")


async def pictures_with_the_lora(life: Playthrough) -> None:
    """The pack and a picture each; Ben enters his, Cleo leaves the choice to the bot."""
    await life.restart()
    for member in (life.ben, life.cleo):
        assert any("Fox days" in name for name in await life.loras_of(member))
    assert await life.loras_of(life.dora) == []
    await life.posted("the pictures are here")
    await life.enter(life.ben, await life.make(life.ben, "at the beach"))
    await life.restart()
    await life.make(life.cleo, "on the moon")


async def test_one_lora_for_all_by_deadlines_alone(life: Playthrough) -> None:
    board = await life.plan("shared", times=("24", "2", "4", "6"), numbers=("12", "2", "2", "", "400"))
    board = await life.press(life.ada, board, "Own prompts", "{trigger} on a boat\n{trigger} in the snow")
    await life.open(board)
    await life.posted("**Fox days** is open")
    await photos_of_a_shared_subject(life)
    await choice_and_training(life)
    await pictures_with_the_lora(life)
    await life.hours_pass(4)
    number = await life.number_of(life.ben)
    await life.vote(life.cleo, number)
    await life.vote(life.ada, 3 - number)
    await life.restart()
    await life.vote(life.ada, number)
    assert "1 vote" not in text_of(await life.ballot())
    await life.hours_pass_while_down(6)
    won = await life.posted("🏆 **Fox days**")
    assert pictures_in(won)[0].endswith("at the beach")
    told = ["is open", ": last call", ": the photos are chosen", ": the LoRA is ready", ": the pictures are here", "🏆"]
    await check_the_end(life, told, f"{life.ben.mention} · 2 votes")
    assert life.charged() == 257 + 2 * 2 + 2 * 2
    (thread,) = life.stage.channel.threads
    assert won.channel.id == thread.id


async def photos_for_own_loras(life: Playthrough) -> None:
    """Ben and Cleo give enough, Ada does not."""
    panel = await life.panel()
    for number, member in enumerate((life.ben, life.cleo)):
        assert "16 photos received" in await life.give(member, photos(16, first=20 * number))
        await life.restart()
    assert "4 photos received" in await life.give(life.ada, photos(4, first=60))
    card = await life.press(life.ben, panel, "My photos")
    assert "**16 of 16** usable photos" in text_of(card)


async def pictures_with_own_loras(life: Playthrough) -> None:
    """The pack with both LoRAs; an order of Cleo's fails, so that her picture of the pack takes part."""
    assert life.ada.mention in text_of(await life.posted("It takes 15 usable photos"))
    await life.posted("the LoRAs are ready")
    await life.restart()
    for member in (life.ben, life.cleo):
        assert len([name for name in await life.loras_of(member) if "Fox days" in name]) == 1
    assert await life.loras_of(life.ada) == []
    await life.posted("the pictures are here")
    life.stage.world.provider.faults.jobs.append(JobFault.FAIL)
    assert "No pictures this time" in text_of(await life.make(life.cleo, "a castle"))
    await life.enter(life.ben, await life.make(life.ben, "at the beach"))
    await life.come_to_rest()


async def test_a_lora_for_each_closed_by_its_host(life: Playthrough) -> None:
    board = await life.plan("personal", times=("24", "0", "24", "24"), numbers=("16", "2", "1", "3", "530"))
    board = await life.press(life.ada, board, "Own prompts", "{trigger} on a boat")
    await life.open(board)
    await photos_for_own_loras(life)
    await life.close()
    await life.restart()
    await pictures_with_own_loras(life)
    await life.close()
    assert len(pictures_in(await life.ballot())) == 2
    number = await life.number_of(life.cleo)
    await life.vote(life.ada, number)
    await life.restart()
    await life.vote(life.ben, number)
    await life.restart()
    await life.close()
    await life.posted("🏆 **Fox days**")
    told = [
        "is open",
        ": training has begun",
        "It takes 15 usable photos",
        ": the LoRAs are ready",
        ": the pictures are here",
        "🏆",
    ]
    await check_the_end(life, told, f"{life.cleo.mention} · 2 votes")
    assert life.charged() == 2 * 257 + 2 * 2 + 2


async def planned_club(life: Playthrough) -> Style:
    """Open, with this style and Ada's LoRA."""
    await life.stage.give_lora(life.ada, "Owl")
    await life.stage.set_aurous_key()
    style = await life.a_style()
    board = await life.plan("club", times=("24", "24"), numbers=("2", "2", "", ""))
    board = await life.choose_by_name(board, "Styles that members may use", style.name)
    board = await life.choose_by_name(board, "LoRAs that members may use", "Owl")
    await life.open(board)
    return style


async def pictures_of_a_club(life: Playthrough, style: Style) -> None:
    """The time is over before Cleo has joined, so the event waits for her; the panel's buttons are older than that."""
    panel = await life.panel()
    await life.restart()
    assert "You take part in **Fox days**." in text_of(await life.press(life.ben, panel, "Join"))
    owl = await life.make(life.ben, "an owl at night", ["0"])
    assert "**Owl**" in text_of(owl)
    await life.enter(life.ben, owl)
    await life.hours_pass_while_down(24)
    await life.panel("⏸️ **Paused.**")
    await life.restart()
    assert "You take part in **Fox days**." in text_of(await life.press(life.cleo, panel, "Join"))
    await life.posted("**Fox days** goes on")
    styled = await life.make(life.cleo, "a fox at dawn", ["1"])
    assert style.name in text_of(styled)
    await life.come_to_rest()


async def test_a_picture_club_that_waits_for_its_second_member(life: Playthrough) -> None:
    await pictures_of_a_club(life, await planned_club(life))
    card = board_of(await life.run(life.ada, "event status"))
    await life.restart()
    question = await life.press(life.ada, card, "Close now")
    await life.restart()
    await life.press(life.ada, question, "Yes, close it")
    number = await life.number_of(life.cleo)
    await life.vote(life.ben, number)
    await life.restart()
    await life.vote(life.ada, number)
    await life.hours_pass(24)
    await life.posted("🏆 **Fox days**")
    told = ["is open", "is paused", "goes on", ": last call", "🏆"]
    await check_the_end(life, told, f"{life.cleo.mention} · 2 votes")


async def test_a_blind_bakeoff_of_strengths(life: Playthrough) -> None:
    await life.stage.give_lora(life.ada, "Owl")
    life.name = "Bake-off of Owl"
    made = await life.run(
        life.ada, "event bakeoff", lora="Owl", prompts="an owl | {trigger} at sea", strengths="0.5, 1"
    )
    await life.open(board_of(made))
    await life.posted("the pictures are here")
    await life.restart()
    await life.hours_pass_while_down(1)
    ballot = await life.ballot()
    assert len(pictures_in(ballot)) == 4
    assert "strength" not in text_of(ballot)
    for member in (life.ben, life.cleo, life.ada):
        await life.vote(member, 1)
        await life.restart()
    await life.vote(life.ada, 2)
    await life.hours_pass(48)
    won = await life.posted("🏆 **Bake-off of Owl**")
    assert "2 votes" in text_of(won)
    strength = "strength 0.5" if "🥇 **strength 0.5**" in text_of(won) else "strength 1"
    pressed = await life.ada.click(won, label=f"Make {strength} the default")
    assert f"**{strength}** is the default of **Owl** now" in answer_to(pressed)
    assert f"Made with {strength} unless" in answer_to(await life.stage.use(life.ada, "loras show", lora="Owl"))
    await check_the_end(life, ["is open", ": the pictures are here", "🏆"], f"**{strength}** · 2 votes")
    assert life.charged() == 4 * 2
