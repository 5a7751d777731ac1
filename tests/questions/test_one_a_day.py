"""One question or offer a day from one member to another, whatever it is about."""

import asyncio
from datetime import timedelta

import pytest

from bot.errors import UserError
from bot.records.job import LaneName
from bot.records.lora import OfferStatus
from bot.records.post import PostKind
from tests.events.photo_givers import CLEO, Giver, open_event
from tests.fakes.attachments import Attachments
from tests.fakes.rows import ANNA, BEN, GUILD
from tests.fakes.studio import Studio
from tests.questions.asking import DAY, DELAYED, EVERY, HERE, REFUSED, Ask, Asker


async def test_thirty_offers_to_one_person_are_one_ping(studio: Studio, asker: Asker) -> None:
    first = await asker.offer()
    for _ in range(29):
        with pytest.raises(UserError, match=rf"<@{BEN}> something less than a day ago. You can ask again <t:\d+:R>"):
            await asker.offer()
    assert asker.sent() == 1
    [kept] = (await studio.everything())["lora_offers"]
    assert (kept["id"], kept["status"]) == (first.id, OfferStatus.OPEN)


async def test_naming_taking_out_and_naming_again_is_one_private_message(
    studio: Studio, asker: Asker, attachments: Attachments
) -> None:
    event, giver = await open_event(studio), Giver(studio, attachments)
    for _ in range(15):
        own = await giver.give(event, 1, depicted=[BEN])
        await asker.rest()
        await studio.contributions.remove(event.id, [photo.id for photo in own.photos], giver.actor)
        await asker.rest()
    assert asker.sent() == 1
    own = await giver.give(event, 1, depicted=[BEN])
    await asker.rest()
    [note] = await studio.questions.notes(PostKind.DEPICTION, [each.id for each in own.depicted])
    tomorrow = int((studio.clock.now() + DAY).timestamp())
    assert note == f"<@{BEN}> is asked <t:{tomorrow}:R>, because you asked them something less than a day ago."
    await studio.pass_time(DAY - timedelta(minutes=1), LaneName.POSTS)
    assert asker.sent() == 1
    await studio.pass_time(timedelta(minutes=1), LaneName.POSTS)
    assert asker.sent() == 2


@pytest.mark.parametrize("before", EVERY)
@pytest.mark.parametrize("ask", REFUSED)
async def test_what_is_too_soon_is_refused_whatever_came_before(asker: Asker, before: Ask, ask: Ask) -> None:
    await before(asker)
    with pytest.raises(UserError, match="less than a day ago"):
        await ask(asker)
    assert asker.sent() == 1


@pytest.mark.parametrize("before", EVERY)
@pytest.mark.parametrize("ask", DELAYED)
async def test_questions_about_photos_that_are_here_wait_for_their_day(
    studio: Studio, asker: Asker, before: Ask, ask: Ask
) -> None:
    await before(asker)
    await ask(asker)
    assert asker.sent() == 1
    await studio.pass_time(DAY, LaneName.POSTS)
    assert asker.sent() == 2


async def test_an_accepted_offer_is_out_of_the_way(studio: Studio, asker: Asker) -> None:
    offer = await asker.offer()
    [waiting] = await asker.name()
    assert asker.sent() == 1
    await studio.sharing.accept(offer.id, user_id=BEN, guild_id=GUILD)
    await asker.rest()
    assert asker.sent() == 2, "the question that waited is sent"
    await studio.depictions.answer(waiting, True, BEN, None)
    await asker.offer()


@pytest.mark.parametrize("ending", ["declined", "withdrawn", "archived", "over"])
async def test_every_other_end_of_an_offer_counts_for_its_day(studio: Studio, asker: Asker, ending: str) -> None:
    """Mutant: when the withdrawal forgets that the message went out, the next offer pings at once."""
    offer = await asker.offer()
    match ending:
        case "declined":
            await studio.sharing.decline(offer.id, user_id=BEN, guild_id=GUILD)
        case "withdrawn":
            await studio.sharing.withdraw(offer.id, user_id=ANNA, guild_id=GUILD)
        case "archived":
            await studio.loras.archive(offer.lora_id, asker.actor)
        case _:
            await studio.sharing.offer(offer.lora_id, CLEO, asker.actor, HERE)
    with pytest.raises(UserError, match="less than a day ago"):
        await asker.offer()
    studio.clock.advance(DAY)
    await asker.offer()


async def test_an_offer_that_nobody_saw_counts_for_nothing(studio: Studio, asker: Asker) -> None:
    lora = await studio.lora()
    offered = await studio.sharing.offer(lora.id, BEN, asker.actor, HERE)
    await studio.sharing.withdraw(offered.offer.id, user_id=ANNA, guild_id=GUILD)
    await asker.offer()
    assert asker.sent() == 1


async def test_a_newer_offer_that_is_too_soon_leaves_the_earlier_one_open(studio: Studio, asker: Asker) -> None:
    """Mutant: ending the earlier one in a transaction of its own."""
    offer = await asker.offer()
    with pytest.raises(UserError, match="less than a day ago"):
        await studio.sharing.offer(offer.lora_id, BEN, asker.actor, HERE)
    await studio.sharing.accept(offer.id, user_id=BEN, guild_id=GUILD)
    found = await studio.loras.get(offer.lora_id)
    assert found is not None
    assert found.owner_id == BEN


async def test_two_offers_at_the_same_moment_are_one(studio: Studio, asker: Asker) -> None:
    loras = [await studio.lora(), await studio.lora()]
    answers = await asyncio.gather(
        *(studio.sharing.offer(lora.id, BEN, asker.actor, HERE) for lora in loras), return_exceptions=True
    )
    await asker.rest()
    assert sum(isinstance(answer, UserError) for answer in answers) == 1
    assert asker.sent() == 1


async def test_every_kind_of_question_at_the_same_moment_is_one_message(studio: Studio, asker: Asker) -> None:
    """Mutant: with a day for each kind of question, four are sent."""
    answers = await asyncio.gather(*(ask(asker) for ask in EVERY), return_exceptions=True)
    await asker.rest()
    assert asker.sent() == 1
    refused = [each for each in answers if isinstance(each, BaseException)]
    assert [type(each) for each in refused] == [UserError] * len(refused)
    waiting = len(EVERY) - len(refused) - 1
    for _ in range(waiting):
        await studio.pass_time(DAY, LaneName.POSTS)
    assert asker.sent() == waiting + 1


async def test_each_pair_has_a_day_of_its_own(studio: Studio, asker: Asker, attachments: Attachments) -> None:
    await asker.offer(BEN)
    await asker.offer(CLEO)
    await Asker(studio, attachments, BEN).offer(ANNA)
    assert asker.sent() == 3


async def test_an_offer_leaves_no_question_behind_once_either_member_is_erased(studio: Studio, asker: Asker) -> None:
    await asker.offer()
    await studio.privacy.forget_member(guild_id=GUILD, user_id=BEN)
    assert (await studio.everything())["questions"] == []
    assert (await studio.questions.inbox(GUILD, BEN)).questions == ()
