"""“I am in this”, as people press it: below pictures and on cards, and what the owner and moderators do then."""

from dataclasses import replace

import pytest
import simcord
from simcord.results import InteractionResult

from bot.likeness.service import ClaimView
from bot.moderation.service import BLOCKED
from bot.records.guild import Actor
from bot.records.likeness import LikenessClaim, LikenessStatus
from cogs.likeness.cards import claim_card, claim_line, decided_card
from tests.cogs.card_checks import check
from tests.cogs.events.shown_events import a_lora
from tests.cogs.private_messages import private
from tests.cogs.simulated_guild import Stage, answer_to, board_of, buttons_of, fields_of, settled, text_of, until
from tests.fakes.clock import NOON
from tests.fakes.rows import BEN, GUILD

CLAIM, SURE = "I am in this", "Yes, I am in this"
QUESTION = "Is somebody in **Foxy**?"


@pytest.fixture
async def trained(keyed: Stage) -> Stage:
    """Ben has a LoRA called Foxy that everybody may use; reports are read in the channel."""
    await keyed.give_lora(keyed.ben, "Foxy")
    await keyed.use(keyed.ben, "loras share", lora="Foxy", everyone=True)
    return keyed


async def claim_on_card(stage: Stage, member: simcord.MemberActor) -> str:
    card = board_of(await stage.use(member, "loras show", lora="Foxy"))
    return await sure(member, await member.click(card, label=CLAIM))


async def sure(member: simcord.MemberActor, asked: InteractionResult) -> str:
    assert "Can **you** be seen in what this LoRA makes?" in answer_to(asked)
    return answer_to(await member.click(board_of(asked), label=SURE))


async def keep(stage: Stage, opened: InteractionResult, member: simcord.MemberActor, reason: str) -> str:
    return answer_to(await member.submit_modal(opened, {fields_of(opened)[0]: reason}))


async def test_below_a_picture_it_stops_the_lora_and_the_owner_keeps_it_with_a_reason(trained: Stage) -> None:
    await trained.use(trained.ben, "imagine", prompt="in snow", lora="Foxy")
    posted = await trained.posted("Pictures #1 · AI-generated")
    await settled(trained)
    said = await sure(trained.cleo, await trained.more(trained.cleo, posted, CLAIM))
    assert "It rests from now on" in said
    again = answer_to(await trained.more(trained.cleo, posted, CLAIM))
    assert "You have said so already" in again
    refused = answer_to(await trained.use(trained.ben, "imagine", prompt="in rain", lora="Foxy"))
    assert "**Foxy** rests: somebody says that they can be seen in it." in refused
    assert "that they can be seen in it, so it rests." in answer_to(
        await trained.use(trained.cleo, "loras show", lora="Foxy")
    )
    question = await private(trained.ben, QUESTION)
    assert f"{trained.cleo.mention} in **{trained.world.guild.name}** says" in text_of(question)
    await trained.restart()
    opened = await trained.ben.user.click(question, label="Keep it and say why")
    assert "**Foxy** is kept." in await keep(trained, opened, trained.ben.user, "It is a drawing")  # type: ignore[arg-type]
    told = text_of(await private(trained.cleo, "You said that you are in **Foxy**"))
    assert "It is kept, and pictures can be made with it again. The reason: “It is a drawing”" in told
    assert "Accepted #2" in answer_to(await trained.use(trained.ben, "imagine", prompt="in rain", lora="Foxy"))
    await until(lambda: "**Foxy**: decided" in text_of(next(iter(trained.ben.user.dm_channel.history()))))


async def test_on_a_card_it_stops_the_lora_and_an_admin_retires_it(trained: Stage) -> None:
    assert "It rests from now on" in await claim_on_card(trained, trained.cleo)
    card = board_of(await trained.use(trained.ada, "loras show", lora="Foxy"))
    shown = board_of(await trained.ada.click(card, label="Decide the claim"))
    asked = board_of(await trained.ada.click(shown, label="Retire it"))
    assert "**Foxy** is retired" in answer_to(await trained.ada.click(asked, label="Retire for good"))
    await private(trained.cleo, "It is retired: nobody can make pictures with it any more.")
    refused = answer_to(await trained.use(trained.ben, "imagine", prompt="in rain", lora="Foxy"))
    assert "is being retired: somebody in it does not want that any more" in refused
    assert "You said that you are in **Foxy**. It is retired" in answer_to(await trained.use(trained.cleo, "me"))


async def test_moderators_decide_in_the_reports_channel(trained: Stage) -> None:
    services, guild = trained.world.darkroom.services, trained.world.guild
    await services.guilds.choose_reports(guild.id, trained.channel.id)
    await claim_on_card(trained, trained.cleo)
    posted = await trained.posted(QUESTION)
    for label in ("Retire it", "Keep it and say why"):
        refused = await trained.cleo.click(posted, label=label)
        assert "somebody else" in answer_to(refused) or "said this yourself" in answer_to(refused)
    opened = await trained.ada.click(posted, label="Keep it and say why")
    assert "is kept" in await keep(trained, opened, trained.ada, "not the same person")
    assert "decided already" in answer_to(await trained.ada.click(posted, label="Retire it"))


async def test_who_has_no_say_in_it_decides_nothing(trained: Stage) -> None:
    await claim_on_card(trained, trained.cleo)
    dora = trained.world.guild.add_member(trained.world.env.create_user("Dora"))
    for action in ("retire", "keep", "show"):
        assert "Only the owner of this LoRA and moderators" in answer_to(
            await trained.press_id(dora, f"dr:claim:{action}:1")
        )


async def test_everybody_may_say_so_below_the_message_that_it_is_ready(keyed: Stage) -> None:
    ready = await keyed.train(keyed.ben)
    assert list(buttons_of(ready)) == ["Make the first picture", CLAIM]
    assert "It rests from now on" in await sure(keyed.cleo, await keyed.cleo.click(ready, label=CLAIM))
    assert "This LoRA is yours" in answer_to(await keyed.ben.click(ready, label=CLAIM))


async def test_pictures_without_a_lora_have_no_such_button_and_a_forged_one_says_why(keyed: Stage) -> None:
    await keyed.use(keyed.ben, "imagine", prompt="a fox")
    posted = await keyed.posted("Pictures #1 · AI-generated")
    await settled(keyed)
    assert CLAIM not in await keyed.behind_more(keyed.cleo, posted)
    forged = answer_to(await keyed.press_id(keyed.cleo, "dr:claim:set:1"))
    assert "No LoRA made these pictures" in forged


async def test_numbers_of_another_server_are_answered_like_numbers_of_nothing(trained: Stage) -> None:
    await claim_on_card(trained, trained.cleo)
    guild = trained.world.env.create_guild(name="Other club")
    ben, channel = guild.add_member(trained.ben.user), guild.create_text_channel("darkroom")
    lora = await trained.lora(trained.ben)
    for action, row_id in (("lora", lora.id), ("retire", 1), ("keep", 1), ("show", 1), ("set", 1)):
        nothing = answer_to(await trained.press_id(ben, f"dr:claim:{action}:987654", channel))
        assert answer_to(await trained.press_id(ben, f"dr:claim:{action}:{row_id}", channel)) == nothing


async def test_a_blocked_member_may_say_so_below_a_picture_and_decides_nothing(trained: Stage) -> None:
    await trained.use(trained.ben, "imagine", prompt="in snow", lora="Foxy")
    posted = await trained.posted("Pictures #1 · AI-generated")
    await settled(trained)
    services, guild = trained.world.darkroom.services, trained.world.guild
    moderator = Actor(guild.id, trained.ada.id, is_moderator=True)
    for blocked in (trained.ben, trained.cleo):
        await services.moderation.block(moderator, blocked.id)
    assert "It rests from now on" in await sure(trained.cleo, await trained.more(trained.cleo, posted, CLAIM))
    assert BLOCKED in answer_to(await trained.press_id(trained.cleo, "dr:claim:keep:1"))
    question = await private(trained.ben, QUESTION)
    assert BLOCKED in answer_to(await trained.ben.user.click(question, label="Retire it"))


async def test_the_claimant_alone_does_not_read_the_name_of_a_lora_of_a_vote() -> None:
    """Mutant: with its name `/me` tells whose entry they are in; who decides has to know it."""
    claim = LikenessClaim(3, GUILD, 1, BEN, LikenessStatus.OPEN, None, 0, None, None, NOON, None)
    named = ClaimView(claim, a_lora(1), NOON)
    secret = replace(named, is_secret=True)
    for view, name in ((named, "**Foxy**"), (secret, "a LoRA of an event")):
        assert claim_line(view).startswith(f"You said that you are in {name}. It rests until")
        assert f"### You said that you are in {name}\n" in check(decided_card(view, "Foxes"))
    assert check(claim_card(secret, "Foxes")).startswith("### Is somebody in **Foxy**?\n")
