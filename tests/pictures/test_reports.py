"""Reports of pictures: once for each member and set, to the moderators and nobody else, closed by them alone."""

from dataclasses import replace

import pytest
import sqlalchemy as sa

from bot.errors import NotAllowed, NotFound, UserError
from bot.generation.access import GONE
from bot.pictures.reports import NO_SUCH_REPORT, NOBODY_TO_TELL, REASON_MAX
from bot.records.generation import Generation
from bot.records.guild import Actor, Place, PlaceKind
from bot.records.post import PostKind, PostStatus
from bot.storage import tables
from tests.fakes.rows import ADMIN, ANNA, BEN, CHANNEL, GUILD, OTHER_GUILD
from tests.fakes.studio import PROVIDER, Studio
from tests.generation.picture_orders import ready_pictures

REPORTS = Place(PlaceKind.CHANNEL, 360)
ADMINS_MESSAGES = Place(PlaceKind.USER, ADMIN)
MEMBER = Actor(GUILD, BEN)
MODERATOR = Actor(GUILD, ADMIN, is_moderator=True)
UNKNOWN = 987_654


@pytest.fixture
async def posted(studio: Studio) -> Generation:
    """Anna's picture, posted in the channel."""
    await studio.set_key()
    await studio.guilds.choose_reports(GUILD, REPORTS.id)
    return await ready_pictures(studio, await studio.lora())


async def report_ids(studio: Studio) -> list[int]:
    return await studio.scalars(sa.select(tables.picture_reports.c.id))


async def test_a_report_reaches_the_reports_channel_once(studio: Studio, posted: Generation) -> None:
    await studio.reports.report(posted.id, "this is me", MEMBER)
    await studio.settle()
    [card] = [message for message in studio.poster.messages if message.kind == PostKind.PICTURE_REPORT]
    assert card.place == REPORTS
    [report_id] = await report_ids(studio)
    view = await studio.reports.view(report_id)
    assert view is not None
    assert (view.report.reason, view.report.reporter_id) == ("this is me", BEN)
    assert view.message == (CHANNEL, studio.poster.messages[0].id)


async def test_a_member_reports_a_set_once_and_others_still_can(studio: Studio, posted: Generation) -> None:
    await studio.reports.report(posted.id, "this is me", MEMBER)
    with pytest.raises(UserError, match="You have reported these pictures already"):
        await studio.reports.report(posted.id, "again", MEMBER)
    await studio.reports.report(posted.id, "not nice", Actor(GUILD, ANNA))
    await studio.settle()
    assert studio.poster.kinds().count(PostKind.PICTURE_REPORT) == 2


@pytest.mark.parametrize("has_channel", [False, True])
async def test_without_a_channel_that_takes_it_whoever_set_the_key_is_told(
    studio: Studio, posted: Generation, has_channel: bool
) -> None:
    if not has_channel:
        await studio.guilds.choose_reports(GUILD, None)
    studio.poster.closed.add(REPORTS)
    await studio.reports.report(posted.id, "this is me", MEMBER)
    await studio.settle()
    assert studio.poster.messages[-1].place == ADMINS_MESSAGES


async def test_when_nobody_can_be_told_nothing_is_stored_and_the_member_hears_so(
    studio: Studio, posted: Generation
) -> None:
    await studio.guilds.choose_reports(GUILD, None)
    await studio.keys.remove(GUILD, PROVIDER)
    with pytest.raises(UserError, match=NOBODY_TO_TELL):
        await studio.reports.report(posted.id, "this is me", MEMBER)
    assert await report_ids(studio) == []


async def test_the_reason_is_one_line_of_limited_length(studio: Studio, posted: Generation) -> None:
    await studio.reports.report(posted.id, "a\n\nb " + "c" * 600, MEMBER)
    view = await studio.reports.view((await report_ids(studio))[0])
    assert view is not None
    assert view.report.reason.startswith("a b c")
    assert len(view.report.reason) == REASON_MAX


async def test_a_report_without_a_reason_is_asked_for_one(studio: Studio, posted: Generation) -> None:
    with pytest.raises(UserError, match="Please say what is wrong"):
        await studio.reports.report(posted.id, " \n ", MEMBER)


@pytest.mark.parametrize("actor", [Actor(OTHER_GUILD, BEN), Actor(OTHER_GUILD, ANNA, is_moderator=True)])
async def test_pictures_of_another_guild_cannot_be_reported(studio: Studio, posted: Generation, actor: Actor) -> None:
    for generation_id in (posted.id, UNKNOWN):
        for ask in (studio.reports.check(generation_id, actor), studio.reports.report(generation_id, "x", actor)):
            with pytest.raises(NotFound, match=GONE):
                await ask
    assert await report_ids(studio) == []


async def test_only_a_moderator_of_this_guild_closes_a_report(studio: Studio, posted: Generation) -> None:
    await studio.reports.report(posted.id, "this is me", MEMBER)
    [report_id] = await report_ids(studio)
    for actor in (MEMBER, Actor(GUILD, ANNA)):
        for each in (report_id, UNKNOWN):
            with pytest.raises(NotAllowed, match="Only a moderator"):
                await studio.reports.dismiss(each, actor)
    for each in (report_id, UNKNOWN):
        with pytest.raises(NotFound, match=NO_SUCH_REPORT):
            await studio.reports.dismiss(each, replace(MODERATOR, guild_id=OTHER_GUILD))
    await studio.reports.dismiss(report_id, MODERATOR)
    with pytest.raises(UserError, match="dismissed already"):
        await studio.reports.dismiss(report_id, MODERATOR)
    view = await studio.reports.view(report_id)
    assert view is not None
    assert view.report.dismissed_at == studio.clock.now()
    assert "report dismissed" in await studio.words(posted)


async def test_the_card_of_a_report_follows_what_becomes_of_it(studio: Studio, posted: Generation) -> None:
    await studio.reports.report(posted.id, "this is me", MEMBER)
    await studio.settle()
    [report_id] = await report_ids(studio)
    await studio.reports.dismiss(report_id, MODERATOR)
    await studio.settle()
    await studio.pictures.delete(posted.id, MODERATOR)
    await studio.settle()
    assert [kind for kind, _ in studio.poster.edits] == [PostKind.PICTURE_REPORT] * 2
    [post] = await studio.posts_of(PostKind.PICTURE_REPORT)
    assert post.status is PostStatus.POSTED


async def test_deleted_pictures_cannot_be_reported_any_more(studio: Studio, posted: Generation) -> None:
    await studio.pictures.delete(posted.id, Actor(GUILD, ANNA))
    with pytest.raises(NotFound, match=GONE):
        await studio.reports.report(posted.id, "this is me", MEMBER)


async def test_a_reporter_who_is_erased_is_named_nowhere(studio: Studio, posted: Generation) -> None:
    await studio.reports.report(posted.id, "this is me", MEMBER)
    await studio.settle()
    await studio.privacy.forget_member(guild_id=GUILD, user_id=BEN)
    assert await report_ids(studio) == []
    assert await studio.posts_of(PostKind.PICTURE_REPORT) == []
