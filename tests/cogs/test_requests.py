"""Photos of somebody else's message, as people see it: the question, its pictures, the answer, what is told."""

from collections.abc import Callable

import discord
import pytest
import simcord

from bot.records.post import PostKind
from tests.cogs.private_messages import private, shown_in
from tests.cogs.simulated_guild import (
    Stage,
    answer_to,
    board_of,
    buttons_of,
    photos,
    text_of,
    tree_of,
    until,
)
from tests.fakes.posted import kind_in

ADD, IMAGINE = "Add photos to my dataset", "Imagine from this picture"


async def ask_cleo(stage: Stage, count: int = 2, *, forwarded: bool = False) -> discord.Message:
    """Ben wants photos of Cleo's message in his dataset; her question."""
    await stage.send_form(stage.ben, "Foxy", photos(2))
    message = await stage.cleo.send(stage.channel, "look", attachments=photos(count, first=3))
    target = await stage.ben.forward(message, stage.channel) if forwarded else message
    opened = await stage.ben.context_menu(stage.channel, ADD, target)
    said = answer_to(await stage.submit_fields(stage.ben, opened, True))
    assert f"{stage.cleo.mention}'s photos, so they are asked privately" in said
    return await private(stage.cleo, "May your photos be used?")


@pytest.mark.parametrize("forwarded", [False, True])
async def test_the_question_shows_the_photos_by_discords_own_links_and_a_yes_adds_them(
    keyed: Stage, forwarded: bool
) -> None:
    question = await ask_cleo(keyed, forwarded=forwarded)
    [message] = [each for each in keyed.posts() if each.content == "look"]
    assert shown_in(question) == [attachment.url for attachment in message.attachments]
    assert question.attachments == []
    text = text_of(question)
    assert f"{keyed.ben.mention} in **{keyed.world.guild.name}** would like to train **Foxy** from these." in text
    assert "everyone is 18 or older" in text
    assert list(buttons_of(question)) == ["Yes, use them", "No"]
    assert "2 of 15–30" in answer_to(await keyed.use(keyed.ben, "dataset show"))
    assert "Thank you!" in answer_to(await keyed.cleo.user.click(question, label="Yes, use them"))
    told = await private(keyed.ben, "said yes: 2 of 2 photos were added")
    assert kind_in(tree_of(told)) is PostKind.PHOTO_REQUEST_ANSWERED
    assert "4 of 15–30" in answer_to(await keyed.use(keyed.ben, "dataset show"))
    await until(lambda: "You said yes" in text_of(next(iter(keyed.cleo.user.dm_channel.history()))))


async def test_a_no_adds_nothing_and_both_see_it(keyed: Stage) -> None:
    question = await ask_cleo(keyed)
    assert "nothing is used" in answer_to(await keyed.cleo.user.click(question, label="No"))
    await private(keyed.ben, "would rather not")
    assert "2 of 15–30" in answer_to(await keyed.use(keyed.ben, "dataset show"))
    again = await keyed.press_id(keyed.cleo, buttons_of(question)["Yes, use them"])
    assert "said no already" in answer_to(again)


async def test_the_question_survives_a_restart(keyed: Stage) -> None:
    question = await ask_cleo(keyed)
    await keyed.restart()
    await keyed.cleo.user.click(question, label="Yes, use them")
    await private(keyed.ben, "said yes: 2 of 2 photos were added")
    assert "4 of 15–30" in answer_to(await keyed.use(keyed.ben, "dataset show"))


async def test_nobody_else_can_say_yes(keyed: Stage) -> None:
    question = await ask_cleo(keyed)
    for member in (keyed.ben, keyed.ada):
        forged = await keyed.press_id(member, buttons_of(question)["Yes, use them"])
        assert "for somebody else" in answer_to(forged)


async def test_pictures_from_somebody_elses_picture_wait_for_their_yes(keyed: Stage) -> None:
    message = await keyed.ben.send(keyed.channel, "look", attachments=photos(2))
    opened = await keyed.cleo.context_menu(keyed.channel, IMAGINE, message)
    said = answer_to(await keyed.submit_fields(keyed.cleo, opened, "a fox at dawn", ["3:2"]))
    assert "asked privately" in said
    question = await private(keyed.ben, "make new pictures from these: “a fox at dawn”")
    assert keyed.charges() == []
    assert keyed.world.provider.jobs == {}
    await keyed.ben.user.click(question, label="Yes, use them")
    await private(keyed.cleo, "**Accepted #1**")
    await keyed.posted("Pictures #1 · AI-generated")


async def test_a_second_question_on_the_same_day_is_refused_with_the_time(keyed: Stage) -> None:
    await ask_cleo(keyed)
    message = await keyed.cleo.send(keyed.channel, "more", attachments=photos(1, first=9))
    opened = await keyed.ben.context_menu(keyed.channel, ADD, message)
    said = answer_to(await keyed.submit_fields(keyed.ben, opened, True))
    assert "less than a day ago" in said
    assert "<t:" in said


def other_bot(stage: Stage) -> simcord.MemberActor:
    return stage.world.guild.add_member(stage.world.env.create_user("Proxy", bot=True))


@pytest.mark.parametrize("menu", [ADD, IMAGINE])
@pytest.mark.parametrize("author", [other_bot], ids=["a bot"])
async def test_photos_that_another_bot_posted_are_not_taken(
    keyed: Stage, menu: str, author: Callable[[Stage], simcord.MemberActor]
) -> None:
    await keyed.send_form(keyed.ben, "Foxy", photos(2))
    message = await author(keyed).send(keyed.channel, "look", attachments=photos(1, first=3))
    refused = await keyed.ben.context_menu(keyed.channel, menu, message)
    assert refused.modal is None
    assert "nobody can be asked" in answer_to(refused)


async def test_a_forwarded_message_whose_first_one_is_gone_is_not_taken(keyed: Stage) -> None:
    await keyed.send_form(keyed.ben, "Foxy", photos(2))
    message = await keyed.cleo.send(keyed.channel, "look", attachments=photos(1, first=3))
    forwarded = await keyed.ben.forward(message, keyed.channel)
    await keyed.cleo.delete(message)
    refused = answer_to(await keyed.ben.context_menu(keyed.channel, ADD, forwarded))
    assert "cannot ask whose photos these are" in refused


async def test_a_sheet_of_members_photos_is_no_picture_that_darkroom_made(keyed: Stage) -> None:
    """Mutant: with all that the bot shows taken as made by it, who was named sends others' photos to a provider."""
    await keyed.send_form(keyed.ben, "Foxy", photos(3))
    opened = await keyed.ben.click(board_of(await keyed.use(keyed.ben, "dataset show")), label="Who is in them?")
    await keyed.ben.select(board_of(opened), [keyed.cleo])
    page = board_of(await keyed.use(keyed.cleo, "me"))
    sheet = board_of(await keyed.cleo.click(page, label="Show and answer"))
    assert "nothing is made from it" in answer_to(await keyed.cleo.context_menu(keyed.channel, IMAGINE, sheet))
