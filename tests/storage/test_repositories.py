"""The repositories on SQLite and on PostgreSQL: the same calls, the same rows."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.records.dataset import DatasetStatus, Finding, Verdict
from bot.records.generation import GenerationSettings, Picture
from bot.records.guild import Place, PlaceKind
from bot.records.job import SubjectTable
from bot.records.key import ProviderName
from bot.records.post import PostKind, PostStatus
from bot.records.training import Training, TrainingStatus
from bot.storage import due, meta, tables
from bot.storage.database import Database
from bot.storage.due import DueRows
from bot.storage.jobs import datasets, generations, history, loras, posts, timeline, trainings
from bot.storage.money import keys, slots
from bot.storage.people import erasure
from bot.storage.writer import Transaction
from tests.fakes.clock import NOON
from tests.fakes.rows import (
    ADMIN,
    ANNA,
    BEN,
    CHANNEL,
    GUILD,
    OTHER_GUILD,
    add_dataset,
    add_generation,
    add_key,
    add_lora,
    add_photos,
    add_post,
    add_training,
    photo,
)

HOUR = timedelta(hours=1)
LARGEST_SNOWFLAKE = 2**63 - 1


async def test_migrations_give_the_tables_of_the_code_on_either_database(either: Database) -> None:
    def differences(connection: sa.Connection) -> list[object]:
        return list(
            compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), tables.metadata)
        )

    async with either.read() as connection:
        assert await connection.run_sync(differences) == []


async def test_a_training_goes_from_insert_through_claim_to_stored(either: Database) -> None:
    await add_key(either)
    training_id = await add_training(either, user_id=LARGEST_SNOWFLAKE, parent_id=CHANNEL)
    rows = DueRows(either, tables.trainings, Training)
    [claim] = await rows.claim(owner="worker", now=NOON, until=NOON + HOUR, limit=1)
    assert claim.row.user_id == LARGEST_SNOWFLAKE
    assert claim.row.status is TrainingStatus.QUEUED

    async def transaction(connection: AsyncConnection) -> None:
        await due.mark(connection, tables.trainings, claim, balance_before=500)
        await due.store(
            connection,
            tables.trainings,
            claim,
            due_at=NOON + HOUR,
            status=TrainingStatus.SUBMITTING,
            submitting_at=NOON,
        )
        await timeline.add(connection, SubjectTable.TRAINING, training_id, "sent", at=NOON, detail="x" * 900)

    await either.write(transaction)
    async with either.read() as connection:
        stored = await trainings.get(connection, training_id)
        by_token = await trainings.by_webhook_token(connection, "token-1")
        [entry] = await timeline.of(connection, SubjectTable.TRAINING, training_id)
        assert await trainings.count_by_status(connection) == {"submitting": 1}
        assert await slots.holding(connection, slots.TRAININGS, 1) == {(GUILD, LARGEST_SNOWFLAKE): 1}
        assert await trainings.open_on_key(connection, 1) == await trainings.not_yet_charged(connection, 1) == 1
        assert await trainings.by_webhook_token(connection, "nobody's") is None
    assert stored is not None
    assert stored == by_token
    assert (stored.balance_before, stored.submitting_at, stored.due_at) == (500, NOON, NOON + HOUR)
    assert (stored.lease_owner, stored.parent_id) == (None, CHANNEL)
    assert len(entry.detail) == 300


async def test_times_come_back_as_the_same_moment_in_utc(either: Database) -> None:
    in_tokyo = datetime(2026, 4, 25, 21, 0, 0, 123456, tzinfo=timezone(9 * HOUR))
    training_id = await add_training(either, created_at=in_tokyo)
    async with either.read() as connection:
        stored = await trainings.get(connection, training_id)
    assert stored is not None
    assert stored.created_at == in_tokyo
    assert stored.created_at.tzinfo is UTC


async def test_a_time_without_a_zone_is_refused(either: Database) -> None:
    with pytest.raises(sa.exc.StatementError, match="aware"):
        await add_training(either, created_at=datetime(2026, 4, 25))  # noqa: DTZ001 - the mistake under test


async def test_waiting_trainings_are_let_through_and_held_back_again(either: Database) -> None:
    key_id = await add_key(either)
    for number, member in enumerate((ANNA, ANNA, BEN), start=1):
        await add_training(either, number, user_id=member, key_id=key_id, due_at=None)

    async def let_two_through(connection: AsyncConnection) -> None:
        await slots.assign(connection, slots.TRAININGS, [1, 3], now=NOON)

    async with either.read() as connection:
        assert [job.user_id for job in await slots.waiting(connection, slots.TRAININGS, key_id)] == [ANNA, ANNA, BEN]
    await either.write(let_two_through)
    async with either.read() as connection:
        assert await slots.waiting(connection, slots.TRAININGS, key_id) == [slots.Waiting(2, GUILD, ANNA)]
        assert await slots.holding(connection, slots.TRAININGS, key_id) == {(GUILD, ANNA): 1, (GUILD, BEN): 1}

    async def suspend_queued(connection: AsyncConnection) -> None:
        await trainings.suspend_queued(connection, key_id)

    await either.write(suspend_queued)
    async with either.read() as connection:
        assert await slots.holding(connection, slots.TRAININGS, key_id) == {}


async def test_a_guild_has_one_current_key_for_a_provider_and_any_number_of_retired_ones(either: Database) -> None:
    first = await add_key(either)
    with pytest.raises(sa.exc.IntegrityError):
        await add_key(either)

    async def retire(connection: AsyncConnection) -> int | None:
        return await keys.retire(connection, GUILD, ProviderName.APIFRAME, now=NOON, shred_at=NOON)

    assert await either.write(retire) == first
    assert await either.write(retire) is None
    second = await add_key(either)
    elsewhere = await add_key(either, guild_id=OTHER_GUILD)
    async with either.read() as connection:
        current = await keys.current(connection, GUILD, ProviderName.APIFRAME)
        signing = await keys.for_signatures(connection, GUILD, ProviderName.APIFRAME)
    assert current is not None
    assert current.row.id == second
    assert [key.row.id for key in signing] == [second, first]
    assert elsewhere not in {key.row.id for key in signing}


async def test_a_key_is_paused_once_and_only_while_it_is_current(either: Database) -> None:
    key_id = await add_key(either)

    def pause(target: int) -> Transaction[bool]:
        async def transaction(connection: AsyncConnection) -> bool:
            return await keys.pause(connection, target, reason="said no " * 100, now=NOON, tried_again_at=NOON + HOUR)

        return transaction

    assert [await either.write(pause(key_id)), await either.write(pause(key_id))] == [True, False]
    async with either.read() as connection:
        stored = await keys.get(connection, key_id)
    assert stored is not None
    assert len(stored.row.last_error or "") == 300


async def test_resealing_loses_against_a_key_that_was_set_meanwhile(either: Database) -> None:
    key_id = await add_key(either)
    async with either.read() as connection:
        stored = await keys.get(connection, key_id)
    assert stored is not None

    def reseal(old: keys.SealedKey) -> Transaction[bool]:
        async def transaction(connection: AsyncConnection) -> bool:
            return await keys.reseal(connection, old, sealed=b"resealed", endpoint_secret=None)

        return transaction

    outdated = [replace(stored, sealed=b"older"), replace(stored, endpoint_secret=b"older")]
    assert [await either.write(reseal(old)) for old in (*outdated, stored)] == [False, False, True]


async def test_an_endpoint_is_stored_on_the_key_it_was_made_for_only(either: Database) -> None:
    key_id = await add_key(either)
    async with either.read() as connection:
        stored = await keys.get(connection, key_id)
    assert stored is not None
    old = stored.row

    async def put(connection: AsyncConnection) -> bool:
        return await keys.put_endpoint(connection, old, endpoint_id="we_1", url="u", token="t", secret=b"s")

    async def drop(connection: AsyncConnection) -> None:
        await keys.drop_endpoint(connection, replace(old, endpoint_id="we_1"))

    assert [await either.write(put), await either.write(put)] == [True, False]
    async with either.read() as connection:
        found = await keys.by_endpoint_token(connection, "t")
    assert found is not None
    assert (found.row.id, found.row.endpoint_id, found.endpoint_secret) == (key_id, "we_1", b"s")
    await either.write(drop)
    async with either.read() as connection:
        assert await keys.by_endpoint_token(connection, "t") is None


async def test_a_delivery_is_noted_on_the_key_of_its_endpoint_or_of_its_jobs_guild(either: Database) -> None:
    mine, other = await add_key(either), await add_key(either, guild_id=OTHER_GUILD)
    await add_training(either)

    async def note(connection: AsyncConnection) -> None:
        assert await keys.note_heard(connection, "token-1", now=NOON) is None
        await keys.note_heard_of_job(connection, "token-1", now=NOON, unless_since=NOON)
        await keys.note_heard_of_job(connection, "token-1", now=NOON + timedelta(seconds=1), unless_since=NOON)
        await keys.note_heard_of_job(connection, "nobody's", now=NOON, unless_since=NOON)

    await either.write(note)
    async with either.read() as connection:
        rows = [await keys.get(connection, key_id) for key_id in (mine, other)]
    assert [row and row.row.endpoint_heard_at for row in rows] == [NOON, None]


async def test_photos_come_back_as_they_were_put_in(either: Database) -> None:
    dataset_id = await add_dataset(either)
    put_in = [
        photo(1, dataset_id, dhash=-(2**63), file="a.jpg"),
        photo(2, dataset_id, dhash=2**63 - 1, findings=(Finding("blurry"), Finding("near_duplicate", "photo-1.jpg"))),
        photo(3, dataset_id, dhash=None, verdict=Verdict.REFUSED, file=None),
    ]
    await add_photos(either, put_in)
    async with either.read() as connection:
        assert await datasets.photos_of(connection, dataset_id) == put_in
        assert await datasets.files_in_use(connection) == {"a.jpg"}


async def test_a_dataset_moves_only_from_the_status_it_has(either: Database) -> None:
    dataset_id = await add_dataset(either)

    async def start(connection: AsyncConnection) -> bool:
        return await datasets.move(connection, dataset_id, from_=DatasetStatus.OPEN, to=DatasetStatus.STARTED)

    assert [await either.write(start), await either.write(start)] == [True, False]
    async with either.read() as connection:
        assert await datasets.open_of(connection, GUILD, ANNA) is None


async def test_deleting_a_dataset_deletes_its_photos(either: Database) -> None:
    dataset_id = await add_dataset(either)
    await add_photos(either, [photo(1, dataset_id, file="a.jpg")])

    async def erase(connection: AsyncConnection) -> list[str]:
        return await erasure.erase_member(connection, guild_id=GUILD, user_id=ANNA)

    assert await either.write(erase) == ["a.jpg"]
    async with either.read() as connection:
        assert (await connection.execute(sa.select(sa.func.count()).select_from(tables.photos))).scalar() == 0


async def test_a_generation_comes_back_with_its_settings_and_pictures(either: Database) -> None:
    settings = GenerationSettings(count=4, aspect="16:9", format="webp", strength=1.25, guidance=3.5, steps=28, seed=7)
    generation_id = await add_generation(either, settings=settings)
    picture = Picture(1, generation_id, 1, "https://cdn.example/1.png", "f.png", "image/png", 2**31 - 1, 0)

    async def add(connection: AsyncConnection) -> None:
        await generations.add_picture(connection, picture)

    await either.write(add)
    with pytest.raises(sa.exc.IntegrityError):
        await either.write(add)
    async with either.read() as connection:
        stored = await generations.get(connection, generation_id)
        assert await generations.pictures_of(connection, generation_id) == [picture]
        assert await generations.open_on_key(connection, 1) == 1
        assert await generations.of_lora(connection, 1) == 1
        assert [one.id for one in await history.page(connection, GUILD, ANNA, offset=0, limit=10)] == [generation_id]
        assert await history.page(connection, GUILD, BEN, offset=0, limit=10) == []
    assert stored is not None
    assert stored.settings == settings

    async def forget(connection: AsyncConnection) -> list[str]:
        return await generations.forget_files(connection, generation_id)

    assert [await either.write(forget), await either.write(forget)] == [["f.png"], []]


async def test_one_idempotency_key_never_stands_in_two_rows(either: Database) -> None:
    await add_generation(either, 1)
    with pytest.raises(sa.exc.IntegrityError):
        await add_generation(either, 2, idempotency_key="key-1")


async def test_a_post_about_one_subject_exists_once_and_keeps_its_nonce(either: Database) -> None:
    async def name_installation(connection: AsyncConnection) -> None:
        await meta.put(connection, meta.INSTALLATION, b"abc123")

    await either.write(name_installation)
    first = await add_post(either, 7)
    assert await add_post(either, 7) == first
    async with either.read() as connection:
        post = await posts.find(connection, PostKind.TRAINING_READY, 7)
    assert post is not None
    assert post.places == (Place(PlaceKind.CHANNEL, CHANNEL), Place(PlaceKind.USER, ANNA))
    assert post.nonce == "abc123tr7"


async def test_a_kept_post_is_handed_over_once(either: Database) -> None:
    post_id = await add_post(either)

    async def keep(connection: AsyncConnection) -> None:
        await connection.execute(sa.update(tables.posts).values(status=PostStatus.KEPT, due_at=None))

    async def hand_over(connection: AsyncConnection) -> bool:
        return await posts.hand_over(connection, post_id)

    await either.write(keep)
    async with either.read() as connection:
        assert [post.id for post in await posts.kept_for(connection, GUILD, ANNA)] == [post_id]
        assert await posts.kept_for(connection, OTHER_GUILD, ANNA) == []
    assert [await either.write(hand_over), await either.write(hand_over)] == [True, False]


async def test_a_lora_is_archived_once_and_then_no_longer_offered(either: Database) -> None:
    lora_id = await add_lora(either)

    async def archive(connection: AsyncConnection) -> bool:
        return await loras.archive(connection, lora_id, now=NOON)

    async with either.read() as connection:
        assert [lora.id for lora in await loras.owned_by(connection, GUILD, ANNA)] == [lora_id]
    assert [await either.write(archive), await either.write(archive)] == [True, False]
    async with either.read() as connection:
        assert await loras.owned_by(connection, GUILD, ANNA) == await loras.of_guild(connection, GUILD) == []


async def test_consents_hold_who_what_where_and_when(either: Database) -> None:
    dataset_id = await add_dataset(either)

    async def record(connection: AsyncConnection) -> None:
        dataset = await datasets.get(connection, dataset_id)
        assert dataset is not None
        await datasets.record_consent(
            connection,
            dataset=dataset,
            policy_version="2026-11",
            photo_hashes=["a" * 64, "b" * 64],
            now=NOON,
        )

    await either.write(record)
    async with either.read() as connection:
        row = (await connection.execute(sa.select(tables.consents))).one()
    assert (row.guild_id, row.user_id, row.dataset_id, row.provider) == (GUILD, ANNA, dataset_id, "apiframe")
    assert (row.policy_version, row.photo_hashes, row.given_at) == ("2026-11", ("a" * 64, "b" * 64), NOON)


async def test_an_admin_is_named_only_in_the_key_they_set(either: Database) -> None:
    await add_key(either)
    async with either.read() as connection:
        stored = await keys.current(connection, GUILD, ProviderName.APIFRAME)
        counted = await erasure.count(connection, guild_id=GUILD, user_id=ADMIN)
    assert stored is not None
    assert stored.row.set_by == ADMIN
    assert set(counted.values()) == {0}
