"""Pictures that a moderator approves before they are in the gallery or stand for a vote."""

import asyncio
from dataclasses import replace

import pytest
import sqlalchemy as sa

from bot.errors import NotAllowed, NotFound, UserError
from bot.moderation.approvals import DECLINED, NOBODY_LOOKS
from bot.pictures.approvals import DECIDED
from bot.pictures.service import STAYS
from bot.records.generation import Generation
from bot.records.guild import Actor, Place, PlaceKind
from bot.records.post import PostKind
from bot.storage import tables
from bot.storage.policy_tables import approvals
from tests.fakes.events import SeesOnly
from tests.fakes.rows import ADMIN, ANNA, BEN, GUILD, OTHER_GUILD
from tests.fakes.studio import Studio
from tests.generation.picture_orders import ready_pictures

GALLERY, REPORTS = Place(PlaceKind.CHANNEL, 350), Place(PlaceKind.CHANNEL, 351)
REQUESTER = Actor(GUILD, ANNA)
MODERATOR = Actor(GUILD, ADMIN, is_moderator=True)


class OnlyHere:
    """The sight of somebody in whose server no other channel is as open."""

    def sees(self, channel_id: int) -> bool:
        return True

    def may_repost(self, channel_id: int, target_id: int) -> bool:
        return channel_id == target_id


@pytest.fixture
async def made(studio: Studio) -> Generation:
    """Anna's two pictures in a server whose moderators look first."""
    await studio.set_key()
    await studio.guilds.choose_gallery(GUILD, GALLERY.id)
    await studio.guilds.choose_reports(GUILD, REPORTS.id)
    await studio.guilds.choose_approval(GUILD, is_needed=True)
    return await ready_pictures(studio, await studio.lora(), count=2)


async def pictures(studio: Studio, made: Generation) -> list[int]:
    columns = tables.pictures.c
    return await studio.scalars(
        sa.select(columns.id).where(columns.generation_id == made.id).order_by(columns.position)
    )


async def waiting(studio: Studio) -> list[int]:
    return await studio.scalars(sa.select(approvals.c.id).order_by(approvals.c.id))


async def in_gallery(studio: Studio) -> int:
    await studio.settle()
    return len(await studio.posts_of(PostKind.GALLERY))


async def test_a_channel_that_was_closed_meanwhile_keeps_its_pictures(studio: Studio, made: Generation) -> None:
    """Mutant: with the look at the request alone, the approved picture is in the gallery."""
    ids = await pictures(studio, made)
    await studio.pictures.send_to_gallery(ids[:1], made.id, REQUESTER)
    [approval_id] = await waiting(studio)
    with pytest.raises(UserError, match="so they stay there"):
        await studio.approvals.decide(approval_id, replace(MODERATOR, sight=SeesOnly(REPORTS.id)), is_approved=True)
    assert await in_gallery(studio) == 0
    opened = replace(MODERATOR, sight=SeesOnly(made.channel_id))
    await studio.approvals.decide(approval_id, opened, is_approved=True)
    assert await in_gallery(studio) == 1


async def test_a_picture_waits_until_it_is_approved_and_is_asked_about_once(studio: Studio, made: Generation) -> None:
    """Mutant: without `must_wait` it is in the gallery at once."""
    ids = await pictures(studio, made)
    assert await studio.pictures.send_to_gallery(ids[:1], made.id, REQUESTER) == (GALLERY, True)
    assert await studio.pictures.send_to_gallery(ids[:1], made.id, REQUESTER) == (GALLERY, True)
    assert await in_gallery(studio) == 0
    [asked] = await studio.posts_of(PostKind.APPROVAL)
    assert asked.places == (REPORTS,)
    [approval_id] = await waiting(studio)
    await studio.approvals.decide(approval_id, MODERATOR, is_approved=True)
    assert await in_gallery(studio) == 1
    assert (await studio.post(asked.id)).revision == 1
    with pytest.raises(UserError, match="in the gallery already"):
        await studio.pictures.send_to_gallery(ids[:1], made.id, REQUESTER)


async def test_a_declined_picture_stays_out(studio: Studio, made: Generation) -> None:
    [first, second] = await pictures(studio, made)
    await studio.pictures.send_to_gallery([first, second], made.id, REQUESTER)
    await studio.approvals.decide((await waiting(studio))[0], MODERATOR, is_approved=False)
    with pytest.raises(NotAllowed) as refused:
        await studio.pictures.send_to_gallery([first], made.id, REQUESTER)
    assert str(refused.value) == DECLINED
    assert await in_gallery(studio) == 0


async def test_what_a_moderator_sends_needs_nobody_else(studio: Studio, made: Generation) -> None:
    ids = await pictures(studio, made)
    assert await studio.pictures.send_to_gallery(ids, made.id, MODERATOR) == (GALLERY, False)
    assert await in_gallery(studio) == 2


async def test_two_moderators_at_once_decide_it_once(studio: Studio, made: Generation) -> None:
    """Mutant: without comparing the status both answers count."""
    await studio.pictures.send_to_gallery((await pictures(studio, made))[:1], made.id, REQUESTER)
    [approval_id] = await waiting(studio)
    answers = await asyncio.gather(
        *(studio.approvals.decide(approval_id, MODERATOR, is_approved=yes) for yes in (True, False)),
        return_exceptions=True,
    )
    assert [str(each) for each in answers if isinstance(each, UserError)] == [DECIDED]
    assert "moderated" in await studio.moderation.log(MODERATOR)


@pytest.mark.parametrize("actor", [Actor(GUILD, BEN), REQUESTER, Actor(OTHER_GUILD, BEN, is_moderator=True)])
async def test_only_moderators_of_this_server_decide(studio: Studio, made: Generation, actor: Actor) -> None:
    await studio.pictures.send_to_gallery((await pictures(studio, made))[:1], made.id, REQUESTER)
    with pytest.raises((NotAllowed, NotFound)):
        await studio.approvals.decide((await waiting(studio))[0], actor, is_approved=True)
    assert await in_gallery(studio) == 0


async def test_an_approved_picture_is_not_sent_to_another_gallery_that_more_can_see(
    studio: Studio, made: Generation
) -> None:
    """Mutant: the gallery was looked at when it was asked for only, and another one was chosen since."""
    await studio.pictures.send_to_gallery((await pictures(studio, made))[:1], made.id, REQUESTER)
    [approval_id] = await waiting(studio)
    with pytest.raises(UserError) as refused:
        await studio.approvals.decide(approval_id, replace(MODERATOR, sight=OnlyHere()), is_approved=True)
    assert str(refused.value) == STAYS
    assert await in_gallery(studio) == 0
    await studio.approvals.decide(approval_id, MODERATOR, is_approved=False)


async def test_without_a_channel_for_the_question_it_is_said(studio: Studio, made: Generation) -> None:
    await studio.guilds.choose_reports(GUILD, None)
    with pytest.raises(UserError) as refused:
        await studio.pictures.send_to_gallery(await pictures(studio, made), made.id, REQUESTER)
    assert str(refused.value) == NOBODY_LOOKS


async def test_a_deleted_set_is_not_approved_and_an_erased_one_is_not_asked_about(
    studio: Studio, made: Generation
) -> None:
    await studio.pictures.send_to_gallery(await pictures(studio, made), made.id, REQUESTER)
    await studio.settle()
    approval_id = (await waiting(studio))[0]
    await studio.pictures.delete(made.id, REQUESTER)
    with pytest.raises(NotFound):
        await studio.approvals.decide(approval_id, MODERATOR, is_approved=True)
    await studio.privacy.forget_member(guild_id=GUILD, user_id=ANNA)
    assert await waiting(studio) == []
    assert await studio.posts_of(PostKind.APPROVAL) == []
