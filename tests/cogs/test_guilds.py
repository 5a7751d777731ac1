"""Which servers count as left when the bot connects: keys and photos of those are erased."""

import pytest
import sqlalchemy as sa

import bot.client
from bot.client import DarkroomBot
from bot.errors import StorageTrouble
from bot.records.key import ProviderName
from bot.sandbox.world import REHEARSAL_KEY
from bot.storage import meta, tables
from tests.cogs.simulated_guild import Stage

ELSEWHERE = 987654321987654321
ASKED = f"/guilds/{ELSEWHERE}"


@pytest.fixture(autouse=True)
def ask_again_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bot.client, "ASKED_AGAIN_S", 0)


@pytest.fixture
async def connected(keyed: Stage) -> DarkroomBot:
    """The bot, and a key of a server that it is no member of."""
    await keyed.world.darkroom.services.keys.set(ELSEWHERE, ProviderName.APIFRAME, REHEARSAL_KEY, set_by=keyed.ada.id)
    bot = keyed.world.darkroom.gateway.bot
    assert bot is not None
    await bot.on_ready()
    return bot


async def has_key(stage: Stage, guild_id: int = ELSEWHERE) -> bool:
    return await stage.world.darkroom.services.keys.status(guild_id, ProviderName.APIFRAME) is not None


async def test_a_server_with_the_commands_alone_keeps_its_key(keyed: Stage, connected: DarkroomBot) -> None:
    for _ in range(3):
        await connected.on_ready()
    assert await has_key(keyed)
    assert await has_key(keyed, keyed.world.guild.id)


async def test_a_server_that_removed_the_bot_while_it_was_away_is_left(keyed: Stage, connected: DarkroomBot) -> None:
    await connected.services.guilds.note_joined({ELSEWHERE})
    await connected.on_ready()
    assert not await has_key(keyed)
    assert await has_key(keyed, keyed.world.guild.id)


async def test_a_server_that_was_left_and_keeps_the_commands_may_set_a_key_again(
    keyed: Stage, connected: DarkroomBot
) -> None:
    await connected.services.guilds.note_joined({ELSEWHERE})
    await connected.on_ready()
    await connected.services.keys.set(ELSEWHERE, ProviderName.APIFRAME, REHEARSAL_KEY, set_by=keyed.ada.id)
    await connected.on_ready()
    assert await has_key(keyed)


@pytest.mark.parametrize(("status", "code"), [(403, 0), (404, 0), (500, 0), (401, 0), (403, 20012)])
async def test_an_odd_answer_is_not_taken_for_a_leave(
    keyed: Stage, connected: DarkroomBot, status: int, code: int
) -> None:
    await connected.services.guilds.note_joined({ELSEWHERE})
    keyed.world.env.inject_error("GET", ASKED, status=status, code=code, times=None)
    await connected.on_ready()
    assert await has_key(keyed)


@pytest.mark.parametrize(("status", "code"), [(403, 50001), (404, 10004)])
async def test_one_such_answer_is_asked_again(keyed: Stage, connected: DarkroomBot, status: int, code: int) -> None:
    await connected.services.guilds.note_joined({ELSEWHERE})
    keyed.world.env.inject_error("GET", ASKED, status=status, code=code, times=1)
    keyed.world.env.inject_error("GET", ASKED, status=403, code=0, times=1)
    await connected.on_ready()
    assert await has_key(keyed)
    keyed.world.env.inject_error("GET", ASKED, status=status, code=code, times=2)
    await connected.on_ready()
    assert not await has_key(keyed)


async def forget_who_was_joined(stage: Stage) -> None:
    """As it is at the first start after an update from a version that did not note it."""
    forget = sa.delete(tables.meta).where(tables.meta.c.key == meta.JOINED)
    await stage.world.darkroom.services.database.write(lambda connection: connection.execute(forget))


@pytest.mark.parametrize(("status", "code"), [(403, 50001), (404, 10004), (500, 0)])
async def test_at_the_first_start_after_an_update_no_server_counts_as_left(
    keyed: Stage, connected: DarkroomBot, status: int, code: int
) -> None:
    """Mutant: whoever was not noted counts as a server that the bot was in. Its keys and photos are erased."""
    await forget_who_was_joined(keyed)
    keyed.world.env.inject_error("GET", ASKED, status=status, code=code, times=None)
    for _ in range(2):
        await connected.on_ready()
    assert await has_key(keyed)
    assert await has_key(keyed, keyed.world.guild.id)


async def test_a_server_that_is_left_after_the_first_start_counts(keyed: Stage, connected: DarkroomBot) -> None:
    await forget_who_was_joined(keyed)
    await connected.on_ready()
    here = keyed.world.guild.id
    assert await connected.services.guilds.missing(set()) == [here]
    await connected.services.guilds.leave(here)
    assert not await has_key(keyed, here)
    assert await connected.services.guilds.missing(set()) == []


@pytest.mark.parametrize("is_storage", [True, False])
async def test_what_an_event_cannot_store_is_one_line_and_every_other_error_has_its_traceback(
    connected: DarkroomBot, caplog: pytest.LogCaptureFixture, is_storage: bool
) -> None:
    error = StorageTrouble("Darkroom is stopping, so this was not stored.") if is_storage else ValueError("a mistake")
    try:
        raise error
    except (StorageTrouble, ValueError):
        await DarkroomBot.on_error(connected, "on_ready")
    assert str(error) in caplog.text
    assert ("Traceback" in caplog.text) is not is_storage
