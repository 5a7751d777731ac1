"""Who wants no private questions finds them under /me, and whoever asks is told so."""

import pytest

from bot.errors import NotFound
from bot.records.job import LaneName
from bot.records.post import PostKind
from tests.events.photo_givers import CLEO
from tests.fakes.rows import ANNA, BEN, GUILD, OTHER_GUILD
from tests.fakes.studio import Studio
from tests.questions.asking import DAY, EVERY, Ask, Asker


async def kinds_for(studio: Studio, user_id: int = BEN) -> list[PostKind]:
    return [question.kind for question in (await studio.questions.inbox(GUILD, user_id)).questions]


@pytest.mark.parametrize("ask", EVERY)
async def test_nothing_is_sent_to_who_is_muted_and_it_waits_in_their_inbox(
    studio: Studio, asker: Asker, ask: Ask
) -> None:
    """Mutant: an offer that is posted past the rule reaches the channel."""
    await studio.questions.mute(GUILD, BEN)
    await ask(asker)
    await studio.pass_time(DAY, LaneName.POSTS)
    assert asker.sent() == 0
    assert len(await kinds_for(studio)) == 1
    assert await kinds_for(studio, ANNA) == []


async def test_it_is_answered_there_as_elsewhere(studio: Studio, asker: Asker) -> None:
    await studio.questions.mute(GUILD, BEN)
    offer = await asker.offer()
    assert await kinds_for(studio) == [PostKind.LORA_OFFER]
    assert (await studio.sharing.accept(offer.id, user_id=BEN, guild_id=GUILD)).owner_id == BEN
    await studio.settle()
    assert await kinds_for(studio) == []
    assert PostKind.LORA_OFFER_ANSWERED in studio.poster.kinds()


async def test_the_asker_is_told_without_blame(studio: Studio, asker: Asker) -> None:
    await studio.questions.mute(GUILD, BEN)
    asked = await asker.name(BEN, CLEO)
    [note] = await studio.questions.notes(PostKind.DEPICTION, asked)
    assert note == f"<@{BEN}> gets no private questions; they find this under `/me` and can answer there."


async def test_what_is_on_its_way_when_they_mute_is_not_sent(studio: Studio, asker: Asker) -> None:
    await asker.offer()
    await asker.name()
    await studio.questions.mute(GUILD, BEN)
    await studio.pass_time(DAY, LaneName.POSTS)
    assert asker.sent() == 1
    assert await kinds_for(studio) == [PostKind.LORA_OFFER, PostKind.DEPICTION]


async def test_muting_twice_is_muting_once_and_it_ends(studio: Studio, asker: Asker) -> None:
    for _ in range(2):
        await studio.questions.mute(GUILD, BEN)
    assert (await studio.questions.inbox(GUILD, BEN)).is_muted
    assert not (await studio.questions.inbox(OTHER_GUILD, BEN)).is_muted
    for _ in range(2):
        await studio.questions.unmute(GUILD, BEN)
    await asker.offer()
    assert asker.sent() == 1


async def test_nobody_finds_the_questions_of_others(studio: Studio, asker: Asker) -> None:
    await asker.offer()
    [question] = (await studio.questions.inbox(GUILD, BEN)).questions
    assert await studio.questions.get_for(question.id, GUILD, BEN) == question
    for guild_id, user_id in ((GUILD, ANNA), (GUILD, CLEO), (OTHER_GUILD, BEN)):
        with pytest.raises(NotFound, match="for somebody else"):
            await studio.questions.get_for(question.id, guild_id, user_id)


async def test_an_erased_member_is_not_muted_any_more(studio: Studio, asker: Asker) -> None:
    await studio.questions.mute(GUILD, BEN)
    await asker.offer()
    await studio.privacy.forget_member(guild_id=GUILD, user_id=BEN)
    left = await studio.everything()
    assert left["mutes"] == left["questions"] == left["lora_offers"] == []
