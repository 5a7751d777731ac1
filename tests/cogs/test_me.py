"""/me: the questions to a member, answered there, and the switch that keeps them from being sent."""

import pytest
import simcord
from simcord.results import ResponseMessage

from bot.records.guild import Actor
from bot.records.post import PostKind
from tests.cogs.private_messages import private
from tests.cogs.simulated_guild import (
    Stage,
    answer_to,
    board_of,
    buttons_of,
    photos,
    pictures_in,
    settled,
    text_of,
)

NOBODY = "Nobody is waiting for an answer from you."
EVENTS = "In events, whatever you choose here, pictures that may stand in a vote come to you alone until it is counted"
"""As they do: tests/events/ballot/test_secrecy.py."""


async def me(stage: Stage, member: simcord.MemberActor) -> ResponseMessage:
    return board_of(await stage.use(member, "me"))


async def mute(stage: Stage, member: simcord.MemberActor) -> None:
    muted = board_of(await member.click(await me(stage, member), label="No private questions"))
    assert "no private questions" in text_of(muted)
    assert list(buttons_of(muted))[-1] == "Ask me privately again"


async def named_by_ben(stage: Stage) -> str:
    """Ben names Cleo on his board; what it says then."""
    await stage.send_form(stage.ben, "Foxy", photos(3))
    board = board_of(await stage.use(stage.ben, "dataset show"))
    opened = await stage.ben.click(board, label="Who is in them?")
    return answer_to(await stage.ben.select(board_of(opened), [stage.cleo]))


def private_texts(member: simcord.MemberActor) -> list[str]:
    return [text_of(message) for message in member.user.dm_channel.history()]


async def test_the_page_says_what_holds_and_nobody_else_sees_it(keyed: Stage) -> None:
    page = await me(keyed, keyed.cleo)
    assert "one question a day from each of them at most" in text_of(page)
    assert NOBODY in text_of(page)
    assert EVENTS in text_of(page)
    assert list(buttons_of(page)) == ["Pictures privately first", "No pings", "No private questions"]


async def test_who_is_muted_is_shown_the_photos_there_and_answers_there(keyed: Stage) -> None:
    await mute(keyed, keyed.cleo)
    said = await named_by_ben(keyed)
    assert f"{keyed.cleo.mention} gets no private questions; they find this under `/me`" in said
    page = await me(keyed, keyed.cleo)
    assert f"{keyed.ben.mention} says that you can be seen in photos of theirs." in text_of(page)
    shown = board_of(await keyed.cleo.click(page, label="Show and answer"))
    assert "### May these photos be used?" in text_of(shown)
    assert [file.filename for file in shown.attachments] == ["contact-sheet.jpg"]
    assert "Thank you" in answer_to(await keyed.cleo.click(shown, label="Yes, that is fine"))
    assert "3 of 15–30" in answer_to(await keyed.use(keyed.ben, "dataset show"))
    assert private_texts(keyed.cleo) == []
    assert NOBODY in text_of(await me(keyed, keyed.cleo))


async def test_an_offer_to_who_is_muted_pings_nobody_and_is_accepted_there(keyed: Stage) -> None:
    await keyed.give_lora(keyed.ben)
    await mute(keyed, keyed.cleo)
    said = answer_to(await keyed.use(keyed.ben, "loras transfer", lora="Foxy", to=keyed.cleo))
    assert "gets no private questions" in said
    assert "asked in this channel" not in said
    page = await me(keyed, keyed.cleo)
    shown = board_of(await keyed.cleo.click(page, label="Show and answer"))
    assert "is yours now" in answer_to(await keyed.cleo.click(shown, label="Accept"))
    assert "accepted and owns it now" in text_of(await keyed.post_of(PostKind.LORA_OFFER_ANSWERED, 1))
    assert [text_of(message) for message in keyed.posts() if "### A LoRA for you" in text_of(message)] == []


async def test_a_request_for_photos_is_shown_there(keyed: Stage) -> None:
    await mute(keyed, keyed.cleo)
    await keyed.send_form(keyed.ben, "Foxy", photos(2))
    message = await keyed.cleo.send(keyed.channel, "look", attachments=photos(1, first=3))
    opened = await keyed.ben.context_menu(keyed.channel, "Add photos to my dataset", message)
    assert "find this under `/me`" in answer_to(await keyed.submit_fields(keyed.ben, opened, True))
    shown = board_of(await keyed.cleo.click(await me(keyed, keyed.cleo), label="Show and answer"))
    assert "nothing is used" in answer_to(await keyed.cleo.click(shown, label="No"))
    await private(keyed.ben, "would rather not")


async def test_after_unmuting_they_are_asked_privately_again(keyed: Stage) -> None:
    await mute(keyed, keyed.cleo)
    page = await me(keyed, keyed.cleo)
    open_again = board_of(await keyed.cleo.click(page, label="Ask me privately again"))
    assert list(buttons_of(open_again))[-1] == "No private questions"
    await named_by_ben(keyed)
    await private(keyed.cleo, "May these photos be used?")


async def test_the_page_works_after_a_restart(keyed: Stage) -> None:
    await mute(keyed, keyed.cleo)
    await named_by_ben(keyed)
    page = await me(keyed, keyed.cleo)
    await keyed.restart()
    shown = await keyed.cleo.click(page, label="Show and answer")
    assert "May these photos be used?" in answer_to(shown)


@pytest.mark.parametrize("member", ["ben", "ada"])
async def test_nobody_opens_the_question_of_somebody_else(keyed: Stage, member: str) -> None:
    await named_by_ben(keyed)
    forged = await keyed.press_id(getattr(keyed, member), "dr:me:show:1")
    assert answer_to(forged) == "This question is for somebody else, or it is not here any more."


async def test_a_question_that_is_over_is_not_shown(keyed: Stage) -> None:
    await mute(keyed, keyed.cleo)
    await named_by_ben(keyed)
    page = await me(keyed, keyed.cleo)
    await keyed.use(keyed.ben, "dataset discard")
    assert NOBODY in text_of(await me(keyed, keyed.cleo))
    assert "not here any more" in answer_to(await keyed.cleo.click(page, label="Show and answer"))


async def test_a_blocked_member_still_answers_what_is_asked_about_their_face_and_photos(keyed: Stage) -> None:
    """Mutants: without `me` among the rights of everybody the page is closed; without a button there it is dead."""
    await named_by_ben(keyed)
    message = await keyed.cleo.send(keyed.channel, "look", attachments=photos(1, first=3))
    opened = await keyed.ada.context_menu(keyed.channel, "Imagine from this picture", message)
    await keyed.submit_fields(keyed.ada, opened, "a fox", None)
    guild_id = keyed.world.guild.id
    moderator = Actor(guild_id, keyed.ada.id, is_moderator=True)
    await keyed.world.darkroom.services.moderation.block(moderator, keyed.cleo.id)
    muted = board_of(await keyed.cleo.click(await me(keyed, keyed.cleo), label="No private questions"))
    assert "2 open questions" in text_of(muted)
    page = await me(keyed, keyed.cleo)
    shown = board_of(await keyed.cleo.click(page, custom_id="dr:me:show:1"))
    assert [file.filename for file in shown.attachments] == ["contact-sheet.jpg"]
    assert "are deleted" in answer_to(await keyed.cleo.click(shown, label="No, remove them"))
    shown = board_of(await keyed.cleo.click(await me(keyed, keyed.cleo), label="Show and answer"))
    assert "nothing is used" in answer_to(await keyed.cleo.click(shown, label="No"))
    again = board_of(await keyed.cleo.click(await me(keyed, keyed.cleo), label="Ask me privately again"))
    assert NOBODY in text_of(again)
    assert "have blocked you" in answer_to(await keyed.use(keyed.cleo, "imagine", prompt="a fox"))


async def prefer(stage: Stage, member: simcord.MemberActor, label: str) -> ResponseMessage:
    return board_of(await member.click(await me(stage, member), label=label))


async def test_pictures_come_privately_first_and_are_shown_in_the_channel_once(keyed: Stage) -> None:
    """Mutants: with the places in their usual order everybody sees them at once; without the new kind among the
    messages of a set nobody can press a button below them."""
    await keyed.give_lora(keyed.ben)
    page = await prefer(keyed, keyed.ben, "Pictures privately first")
    assert "**privately first**" in text_of(page)
    assert EVENTS in text_of(page)
    accepted = answer_to(await keyed.use(keyed.ben, "imagine", prompt="in snow", lora="Foxy"))
    assert "Sent to you privately" in accepted
    message = await private(keyed.ben, "Pictures #1 · AI-generated")
    assert keyed.posts() == []
    await settled(keyed)
    await keyed.restart()
    forged = answer_to(await keyed.press_id(keyed.cleo, "dr:pic:show:1"))
    assert "not here any more" in forged
    said = await keyed.ben.user.click(message, label="Show it in the channel")
    assert f"On its way to <#{keyed.channel.id}>." in text_of(board_of(said))
    shown = await keyed.posted("Pictures #1 · shown here · AI-generated")
    assert len(pictures_in(shown)) == 1
    again = await keyed.ben.user.click(message, label="Show it in the channel")
    assert "shown in the channel already" in text_of(board_of(again))
    await settled(keyed, PostKind.PICTURES_SHOWN)
    assert await keyed.behind_more(keyed.cleo, shown) == ["Upscale", "Remove background", "Report", "I am in this"]
    assert len(keyed.posts()) == 1


async def test_what_was_shown_in_the_channel_goes_when_the_pictures_are_deleted(keyed: Stage) -> None:
    await keyed.give_lora(keyed.ben)
    await prefer(keyed, keyed.ben, "Pictures privately first")
    await keyed.use(keyed.ben, "imagine", prompt="in snow", lora="Foxy")
    message = await private(keyed.ben, "Pictures #1 · AI-generated")
    await settled(keyed)
    await keyed.ben.user.click(message, label="Show it in the channel")
    await keyed.posted("shown here")
    await settled(keyed, PostKind.PICTURES_SHOWN)
    asked = board_of(await keyed.ben.user.click(message, label="Delete"))
    await keyed.ben.user.click(asked, label="Delete for good")
    assert keyed.posts() == []
    assert all("Pictures #1" not in text for text in private_texts(keyed.ben) if "AI-generated" in text)


async def test_a_blocked_member_shows_nothing_in_the_channel(keyed: Stage) -> None:
    await keyed.give_lora(keyed.ben)
    await prefer(keyed, keyed.ben, "Pictures privately first")
    await keyed.use(keyed.ben, "imagine", prompt="in snow", lora="Foxy")
    message = await private(keyed.ben, "Pictures #1 · AI-generated")
    await settled(keyed)
    await keyed.use(keyed.ada, "moderation block", member=keyed.ben)
    said = await keyed.ben.user.click(message, label="Show it in the channel")
    assert "have blocked you" in text_of(board_of(said))
    assert keyed.posts() == []


async def test_who_takes_no_private_messages_gets_them_in_the_channel(keyed: Stage) -> None:
    await keyed.give_lora(keyed.ben)
    await prefer(keyed, keyed.ben, "Pictures privately first")
    keyed.world.env.inject_error("POST", "/users/@me/channels", status=403, code=50007, times=None)
    await keyed.use(keyed.ben, "imagine", prompt="in snow", lora="Foxy")
    posted = await keyed.posted("Pictures #1 · AI-generated")
    assert list(buttons_of(posted))[-1] == "More"


async def test_no_pings_holds_for_results_and_can_be_taken_back(keyed: Stage) -> None:
    await keyed.give_lora(keyed.ben)
    assert "**do not ping**" in text_of(await prefer(keyed, keyed.ben, "No pings"))
    await keyed.use(keyed.ben, "imagine", prompt="in snow", lora="Foxy")
    await keyed.posted("Pictures #1 · AI-generated")
    await prefer(keyed, keyed.ben, "Ping me again")
    await keyed.use(keyed.ben, "imagine", prompt="in rain", lora="Foxy")
    await keyed.posted("Pictures #2 · AI-generated")
    path = f"/channels/{keyed.channel.id}/messages"
    told = [body["allowed_mentions"].get("users", []) for where, body in keyed.sent_messages() if where == path]
    assert told == [[], [str(keyed.ben.id)]] or told == [[], [keyed.ben.id]]
