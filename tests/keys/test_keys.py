"""API keys: sealed, shown by four characters, paused once, shredded in time, and of one guild only."""

import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.errors import KeyRejected, NoKey, SealError, UserError
from bot.process.log import Redactor
from bot.records.guild import Place, PlaceKind
from bot.records.job import LaneName
from bot.records.post import PostKind
from bot.sandbox.rehearsal.faults import Fault
from bot.storage import tables
from bot.storage.database import Database
from bot.storage.money import keys
from bot.storage.sealing import Sealer
from tests.fakes.rows import ADMIN, CHANNEL, GUILD, OTHER_GUILD
from tests.fakes.studio import KEY, MASTER_KEY, NEXT_KEY, OTHER_KEY, PROVIDER, TRAINS_IN, Studio

ACCOUNT = "GET /v2/me"


def raw_bytes(folder: Path) -> bytes:
    """Everything the database has on disk, its write-ahead log included."""
    return b"".join(path.read_bytes() for path in folder.glob("darkroom.db*"))


def write_log_back(file: Path) -> None:
    """What SQLite does by itself every 1,000 pages and when the database is closed."""
    with sqlite3.connect(file) as connection:
        busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    connection.close()
    assert not busy


async def key_ids(studio: Studio) -> list[int]:
    return await studio.scalars(sa.select(tables.api_keys.c.id).order_by(tables.api_keys.c.id))


async def sealed_of(database: Database, key_id: int) -> bytes:
    async with database.read() as connection:
        stored = await keys.get(connection, key_id)
    assert stored is not None
    return stored.sealed


@pytest.mark.sqlite
async def test_the_key_never_lies_open_on_disk_and_only_four_characters_are_kept(studio: Studio) -> None:
    status = await studio.keys.set(GUILD, PROVIDER, f"  {KEY}\n", set_by=ADMIN)
    assert (status.row.last4, status.balance, status.row.set_by) == (KEY[-4:], 100_000, ADMIN)
    on_disk = raw_bytes(studio.folder)
    assert status.row.last4.encode() in on_disk
    assert KEY.encode() not in on_disk
    assert KEY[4:-4].encode() not in on_disk
    assert KEY not in repr(status)
    assert KEY not in repr(await studio.keys.client(status.row.id))


async def test_a_sealed_key_opens_only_for_its_own_guild(studio: Studio) -> None:
    key_id = await studio.set_key()
    await studio.set_key(OTHER_KEY, guild_id=OTHER_GUILD)
    stolen = await sealed_of(studio.database, key_id)
    await studio.change(tables.api_keys, key_id + 1, sealed=stolen)
    assert await studio.keys.client(key_id + 1) is None
    assert (await studio.keys.webhook_secrets(OTHER_GUILD, PROVIDER)).keys == []
    status = await studio.keys.status(OTHER_GUILD, PROVIDER)
    assert status is not None
    assert "set it again" in (status.trouble or "")
    assert await studio.keys.client(key_id) is not None


async def test_a_flipped_bit_is_noticed_and_never_becomes_another_key(studio: Studio) -> None:
    key_id = await studio.set_key()
    whole = await sealed_of(studio.database, key_id)
    for position in range(0, len(whole), 7):
        damaged = bytearray(whole)
        damaged[position] ^= 1
        await studio.change(tables.api_keys, key_id, sealed=bytes(damaged))
        assert await studio.keys.client(key_id) is None


@pytest.mark.parametrize(
    "text", ["", "short", "two words in it", "schlüssel-mit-umlaut", "x" * 201, "line\nbreak-in-it"]
)
async def test_what_cannot_be_a_key_is_refused_without_being_sent_anywhere(studio: Studio, text: str) -> None:
    with pytest.raises(UserError, match="Copy it whole"):
        await studio.keys.set(GUILD, PROVIDER, text, set_by=ADMIN)
    assert studio.server.requests == []


@pytest.mark.parametrize("status", [401, 403])
async def test_a_key_the_provider_does_not_know_is_not_stored_and_not_repeated_in_the_answer(
    studio: Studio, status: int
) -> None:
    await studio.set_key()
    studio.server.faults.next(ACCOUNT, Fault.answer(status))
    with pytest.raises(UserError, match="does not accept") as refused:
        await studio.keys.set(GUILD, PROVIDER, NEXT_KEY, set_by=ADMIN)
    assert NEXT_KEY not in str(refused.value)
    assert (await studio.keys.current(GUILD, PROVIDER)).last4 == KEY[-4:]


async def test_a_provider_that_is_down_is_no_reason_to_doubt_the_key(studio: Studio) -> None:
    await studio.server.close()
    with pytest.raises(UserError, match="cannot be reached"):
        await studio.keys.set(GUILD, PROVIDER, KEY, set_by=ADMIN)


async def test_the_status_shows_balance_team_and_running_trainings(studio: Studio) -> None:
    assert await studio.keys.status(GUILD, PROVIDER) is None
    await studio.set_key()
    await studio.begin()
    await studio.settle()
    status = await studio.keys.status(GUILD, PROVIDER)
    assert status is not None
    assert (status.balance, status.team, status.running, status.trouble) == (99_998, "Studio", 1, None)


async def test_the_status_says_why_there_is_no_balance(studio: Studio) -> None:
    await studio.set_key()
    studio.server.faults.inactive_keys.add(KEY)
    refused = await studio.keys.status(GUILD, PROVIDER)
    await studio.server.close()
    unreachable = await studio.keys.status(GUILD, PROVIDER)
    assert refused is not None
    assert unreachable is not None
    assert "does not accept" in (refused.trouble or "")
    assert "cannot be reached" in (unreachable.trouble or "")


async def test_funds_tell_price_and_balance_or_what_is_in_the_way(studio: Studio) -> None:
    without = await studio.keys.funds(GUILD, PROVIDER)
    await studio.set_key()
    rich = await studio.keys.funds(GUILD, PROVIDER)
    await studio.server.close()
    blind = await studio.keys.funds(GUILD, PROVIDER)
    assert (without.price, without.balance) == (257, None)
    assert "/keys set" in (without.trouble or "")
    assert (rich.balance, rich.trouble) == (100_000, None)
    assert (blind.balance, blind.trouble) == (None, None)


async def test_one_guilds_key_serves_no_other_guild(studio: Studio) -> None:
    await studio.set_key()
    with pytest.raises(NoKey):
        await studio.keys.current(OTHER_GUILD, PROVIDER)
    assert await studio.keys.status(OTHER_GUILD, PROVIDER) is None
    assert (await studio.keys.webhook_secrets(OTHER_GUILD, PROVIDER)).keys == []
    with pytest.raises(NoKey):
        await studio.keys.remove(OTHER_GUILD, PROVIDER)
    assert (await studio.keys.current(GUILD, PROVIDER)).last4 == KEY[-4:]


async def test_a_refused_key_is_paused_once_and_its_admin_told_once(studio: Studio) -> None:
    key_id = await studio.set_key()
    for _ in range(3):
        await studio.keys.pause(key_id, KeyRejected("API key is inactive", status=403), noticed_in=CHANNEL)
    await studio.settle()
    assert studio.poster.kinds() == [PostKind.KEY_PAUSED]
    [post] = await studio.posts_of(PostKind.KEY_PAUSED)
    assert post.places == (Place(PlaceKind.USER, ADMIN), Place(PlaceKind.CHANNEL, CHANNEL))
    with pytest.raises(NoKey, match="/keys set"):
        await studio.keys.current(GUILD, PROVIDER)


@pytest.mark.parametrize("refused", [True, False])
async def test_what_was_typed_is_hidden_in_the_log_only_once_the_provider_took_it(
    studio: Studio, monkeypatch: pytest.MonkeyPatch, refused: bool
) -> None:
    redactor = Redactor()
    monkeypatch.setattr("bot.process.log._redactor", redactor)
    with pytest.raises(UserError):
        await studio.keys.set(GUILD, PROVIDER, "training", set_by=ADMIN)
    if not refused:
        studio.server.faults.next(ACCOUNT, Fault.answer(503))
        with pytest.raises(UserError):
            await studio.keys.set(GUILD, PROVIDER, "generation", set_by=ADMIN)
    assert redactor.clean("a training, a generation") == "a training, a generation"
    await studio.keys.set(GUILD, PROVIDER, KEY, set_by=ADMIN)
    assert KEY[4:] not in redactor.clean(f"x{KEY}x")


async def test_a_key_set_again_after_a_pause_is_used_and_may_be_paused_anew(studio: Studio) -> None:
    first = await studio.set_key()
    await studio.keys.pause(first, KeyRejected("no"), noticed_in=CHANNEL)
    second = await studio.set_key()
    assert (await studio.keys.current(GUILD, PROVIDER)).id == second
    await studio.keys.pause(second, KeyRejected("no"), noticed_in=CHANNEL)
    await studio.settle()
    assert studio.poster.kinds() == [PostKind.KEY_PAUSED] * 2


@pytest.mark.sqlite
async def test_a_retired_key_that_no_job_needs_is_shredded_at_once_bytes_and_all(
    studio: Studio,
) -> None:
    first = await studio.set_key()
    sealed = await sealed_of(studio.database, first)
    second = await studio.set_key(NEXT_KEY)
    await studio.settle()
    assert await key_ids(studio) == [second]
    write_log_back(studio.folder / "darkroom.db")
    assert sealed not in raw_bytes(studio.folder)


async def test_a_shredded_key_takes_the_word_about_its_pause_with_it(studio: Studio) -> None:
    key_id = await studio.set_key()
    await studio.keys.pause(key_id, KeyRejected(), noticed_in=CHANNEL)
    assert await studio.posts_of(PostKind.KEY_PAUSED)
    await studio.keys.remove(GUILD, PROVIDER)
    await studio.settle()
    assert await key_ids(studio) == []
    assert await studio.posts_of(PostKind.KEY_PAUSED) == []


async def test_a_retired_key_stays_until_its_last_training_ends(studio: Studio) -> None:
    first = await studio.set_key()
    training = await studio.begin()
    await studio.settle()
    second = await studio.set_key(NEXT_KEY)
    await studio.settle()
    assert await key_ids(studio) == [first, second]
    assert (await studio.keys.webhook_secrets(GUILD, PROVIDER)).keys == [NEXT_KEY, KEY]
    await studio.pass_time(TRAINS_IN)
    assert (await studio.training(training.id)).status.is_terminal
    await studio.pass_time(timedelta(minutes=5))
    assert await key_ids(studio) == [second]


async def test_a_retired_key_is_shredded_after_a_day_whatever_still_runs(studio: Studio) -> None:
    studio.server.faults.hold_trainings = True
    await studio.set_key()
    await studio.begin()
    await studio.settle()
    assert await studio.keys.remove(GUILD, PROVIDER) == 1
    await studio.pass_time(studio.timings.retired_key_kept - timedelta(seconds=1), LaneName.KEYS)
    assert len(await key_ids(studio)) == 1
    await studio.pass_time(timedelta(seconds=1), LaneName.KEYS)
    assert await key_ids(studio) == []


async def test_a_removed_key_is_out_of_use_at_once(studio: Studio) -> None:
    await studio.set_key()
    assert await studio.keys.remove(GUILD, PROVIDER) == 0
    with pytest.raises(NoKey):
        await studio.keys.current(GUILD, PROVIDER)
    with pytest.raises(NoKey, match="no Apiframe key"):
        await studio.keys.remove(GUILD, PROVIDER)


async def resealed(studio: Studio) -> int:
    return sum(rotation.is_resealed for rotation in await studio.keys.secrets.rotate())


async def test_after_rotation_the_new_master_key_opens_everything_and_the_old_one_nothing(studio: Studio) -> None:
    key_id = await studio.set_key()
    await studio.set_key(OTHER_KEY, guild_id=OTHER_GUILD)
    studio.keys.secrets._sealer = Sealer([b"n" * 32, MASTER_KEY])
    assert await resealed(studio) == 2
    assert await resealed(studio) == 0
    sealed, context = await sealed_of(studio.database, key_id), f"2:{key_id}:{GUILD}:{PROVIDER}"
    assert Sealer([b"n" * 32]).unseal(sealed, context=context) == KEY
    with pytest.raises(SealError):
        Sealer([MASTER_KEY]).unseal(sealed, context=context)
    studio.keys.secrets._sealer = Sealer([b"n" * 32])
    assert (await studio.keys.webhook_secrets(OTHER_GUILD, PROVIDER)).keys == [OTHER_KEY]


async def test_rotation_reaches_retired_keys_that_still_have_jobs(studio: Studio) -> None:
    await studio.set_key()
    await studio.begin()
    await studio.settle()
    await studio.set_key(NEXT_KEY)
    studio.keys.secrets._sealer = Sealer([b"n" * 32, MASTER_KEY])
    assert await resealed(studio) == 2
    studio.keys.secrets._sealer = Sealer([b"n" * 32])
    assert (await studio.keys.webhook_secrets(GUILD, PROVIDER)).keys == [NEXT_KEY, KEY]


@pytest.mark.sqlite
async def test_a_stolen_database_without_the_master_key_gives_no_key_away(studio: Studio, tmp_path: Path) -> None:
    await studio.set_key()
    copy = tmp_path / "stolen.db"
    with sqlite3.connect(studio.folder / "darkroom.db") as source, sqlite3.connect(copy) as target:
        source.backup(target)
    source.close()
    target.close()
    assert KEY.encode() not in copy.read_bytes()
    [sealed] = await studio.scalars(sa.select(tables.api_keys.c.sealed))
    with pytest.raises(SealError):
        Sealer([b"thief" + bytes(27)]).unseal(sealed, context=f"2:1:{GUILD}:{PROVIDER}")
