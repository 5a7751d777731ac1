"""A guild that removes the bot, and perhaps brings it back: what goes at once, what is kept, for how long."""

from datetime import timedelta

from bot.records.event import EventStatus
from bot.records.guild import Actor
from bot.records.key import ProviderName
from bot.records.limit import LimitKind
from bot.records.lora import Audience
from bot.storage import tables
from tests.fakes.events import add_event
from tests.fakes.member_history import live_through_everything
from tests.fakes.rows import ANNA, BEN, GUILD, OTHER_GUILD
from tests.fakes.studio import OTHER_KEY, Studio

THIRTY_DAYS = timedelta(days=30, seconds=1)


async def test_a_guild_that_comes_back_finds_its_loras_but_no_key(studio: Studio) -> None:
    await studio.set_key()
    lora = await studio.lora()
    await studio.guilds.choose_gallery(GUILD, 77)
    await studio.guilds.leave(GUILD)
    await studio.pass_time(timedelta(days=29))
    assert await studio.guilds.come_back(GUILD)
    await studio.pass_time(timedelta(days=60))
    assert [one.id for one in await studio.loras.usable_by(Actor(GUILD, ANNA))] == [lora.id]
    assert await studio.keys.status(GUILD, ProviderName.APIFRAME) is None
    choices = await studio.guilds.get(GUILD)
    assert choices is not None
    assert (choices.gallery_channel_id, choices.left_at) == (77, None)


async def test_thirty_days_after_the_bot_was_removed_only_the_proof_of_consent_is_left(studio: Studio) -> None:
    """Mutant: a guild whose row is never due keeps everything for ever."""
    await studio.set_key()
    await studio.set_key(OTHER_KEY, guild_id=OTHER_GUILD)
    await live_through_everything(studio, ANNA, GUILD, "Rex")
    await live_through_everything(studio, BEN, OTHER_GUILD, "Elsewhere")
    await studio.guilds.choose_provider(GUILD, ProviderName.AUROUS)
    await studio.guilds.leave(GUILD)
    await studio.pass_time(THIRTY_DAYS)
    for name, rows in (await studio.everything()).items():
        kept = [row for row in rows if row.get("guild_id") == GUILD]
        assert not kept or name == "consents", name
    assert await studio.loras.usable_by(Actor(OTHER_GUILD, BEN))
    assert await studio.guilds.come_back(GUILD) is False


async def test_coming_back_on_the_last_day_is_in_time(studio: Studio) -> None:
    await studio.lora()
    await studio.guilds.leave(GUILD)
    await studio.pass_time(THIRTY_DAYS - timedelta(minutes=1))
    assert await studio.guilds.come_back(GUILD)
    await studio.pass_time(THIRTY_DAYS)
    assert await studio.loras.usable_by(Actor(GUILD, ANNA))


async def test_a_guild_the_bot_was_never_in_cannot_come_back(studio: Studio) -> None:
    assert await studio.guilds.come_back(GUILD) is False
    assert await studio.guilds.get(GUILD) is None


async def test_a_choice_can_be_taken_back(studio: Studio) -> None:
    await studio.guilds.choose_reports(GUILD, 78)
    await studio.guilds.choose_reports(GUILD, None)
    choices = await studio.guilds.get(GUILD)
    assert choices is not None
    assert choices.reports_channel_id is None


async def test_guilds_with_anything_worth_protecting_are_known_until_they_are_left(studio: Studio) -> None:
    assert await studio.guilds.missing(()) == []
    await studio.lora()
    await studio.dataset(guild_id=OTHER_GUILD)
    await studio.guilds.note_joined({GUILD, OTHER_GUILD})
    assert await studio.guilds.missing(()) == sorted([GUILD, OTHER_GUILD])
    await studio.guilds.leave(GUILD)
    assert await studio.guilds.missing(()) == [OTHER_GUILD]
    assert await studio.scalars(tables.guilds.select().with_only_columns(tables.guilds.c.guild_id)) == [GUILD]


async def test_roles_that_give_rights_are_all_known(studio: Studio) -> None:
    """Mutant: a role with which a LoRA is shared is left out, and whoever wants can take it and use that LoRA."""
    lora = await studio.lora()
    await studio.guilds.choose_moderators(GUILD, 701)
    await studio.guilds.choose_hosts(GUILD, 702)
    await studio.limits.set(
        Actor(GUILD, BEN, is_admin=True), LimitKind.ROLE, 703, credits_=500, trainings=None, pictures=None
    )
    await studio.sharing.share(lora.id, Audience.ROLE, 704, Actor(GUILD, ANNA))
    await add_event(studio.database, status=EventStatus.VOTING, jury_role_id=705, role_ids=frozenset({706}))
    await add_event(studio.database, status=EventStatus.FINISHED, jury_role_id=707)
    await studio.guilds.choose_news(GUILD, 708)
    await add_event(studio.database, status=EventStatus.COLLECTING, winner_role_id=709)
    planned_at = studio.clock.now() + timedelta(days=1)
    await add_event(studio.database, status=EventStatus.DRAFT, opens_at=planned_at, role_ids=frozenset({710}))
    await add_event(studio.database, status=EventStatus.DRAFT, role_ids=frozenset({711}))
    assert await studio.guilds.roles_with_rights(GUILD) == {701, 702, 703, 704, 705, 706, 709, 710}
    assert await studio.guilds.roles_with_rights(OTHER_GUILD) == set()
