"""Erasure: what is gone after a word, and that no table was forgotten."""

import json
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.errors import NoKey
from bot.records.event import AnnouncementKind
from bot.records.job import LaneName
from bot.records.post import PostKind
from bot.records.training import TrainingStatus
from bot.storage import policy_tables, tables
from bot.storage.columns import CANDIDATES, DOUBT, FINDINGS, HOURS, PLACES, SETTINGS, UPLOADS, Json
from bot.storage.events import tables as event_tables
from bot.storage.people import erasure, mentions
from tests.fakes.attachments import open_attachments
from tests.fakes.clock import NOON
from tests.fakes.events import add_event
from tests.fakes.member_history import live_through_everything
from tests.fakes.one_of_each import add_one_of_each
from tests.fakes.rows import ANNA, BEN, CHANNEL, GUILD, OTHER_GUILD, add_lora
from tests.fakes.studio import KEY, OTHER_KEY, PROVIDER, TRAINS_IN, Studio

CANARY = "Wilhelmina"


async def test_after_a_word_nothing_of_a_member_is_left_but_the_proof_of_consent(studio: Studio) -> None:
    await studio.set_key()
    await live_through_everything(studio, ANNA, GUILD, CANARY)
    assert CANARY in str(await studio.everything())
    assert studio.files()
    assert await studio.privacy.forget_member(guild_id=GUILD, user_id=ANNA) == 2
    left = await studio.everything()
    consents, receipts = left.pop("consents"), left.pop("removals")
    assert CANARY not in str(receipts)
    assert CANARY not in str(left)
    for name, rows in left.items():
        assert ANNA not in {value for row in rows for value in row.values()}, name
        if name not in {"api_keys", "guilds", "meta", "spends", "moderation_log"}:
            assert rows == [], name
    assert studio.files() == []
    assert {row["user_id"] for row in consents} <= {ANNA}
    await studio.pass_time(timedelta(days=1))
    assert studio.files() == []
    assert PostKind.TRAINING_READY in studio.poster.kinds()


async def test_consents_stay_as_the_proof_they_are(studio: Studio) -> None:
    dataset_id = await studio.dataset(count=0)
    board = await studio.datasets.board(dataset_id, guild_id=GUILD, user_id=ANNA)
    async with open_attachments() as attachments:
        await studio.datasets.take_in(board.dataset, attachments.add_photos(1))
    before = (await studio.everything())["consents"]
    await studio.privacy.forget_member(guild_id=GUILD, user_id=ANNA)
    await studio.guilds.leave(GUILD)
    assert (await studio.everything())["consents"] == before != []


async def test_other_members_and_the_same_member_elsewhere_keep_everything(studio: Studio) -> None:
    await studio.set_key()
    await studio.set_key(OTHER_KEY, guild_id=OTHER_GUILD)
    for user_id, guild_id, name in ((BEN, GUILD, "Bens"), (ANNA, OTHER_GUILD, "Elsewhere")):
        await live_through_everything(studio, user_id, guild_id, name)
    studio.server.faults.hold_trainings = True
    await studio.settle()
    before, files = await studio.everything(), studio.files()
    await studio.privacy.forget_member(guild_id=GUILD, user_id=ANNA)
    assert await studio.everything() == before
    assert studio.files() == files


async def test_a_step_under_way_brings_nothing_of_an_erased_member_back(studio: Studio) -> None:
    await studio.set_key()
    await studio.begin()
    await studio.settle()
    studio.clock.advance(TRAINS_IN)
    [claim] = await studio.claim(LaneName.TRAININGS)
    await studio.privacy.forget_member(guild_id=GUILD, user_id=ANNA)
    await studio.step(LaneName.TRAININGS, claim)
    await studio.settle()
    left = await studio.everything()
    assert left["trainings"] == left["loras"] == left["timeline"] == []
    assert [row["kind"] for row in left["posts"]] == [PostKind.RECEIPT]


async def test_pictures_that_arrive_for_an_erased_member_do_not_stay_on_the_disk(studio: Studio) -> None:
    await studio.set_key()
    await studio.order(await studio.lora())
    await studio.settle()
    studio.clock.advance(timedelta(seconds=20))
    await studio.work(LaneName.GENERATIONS)
    [claim] = await studio.claim(LaneName.GENERATIONS)
    await studio.privacy.forget_member(guild_id=GUILD, user_id=ANNA)
    await studio.step(LaneName.GENERATIONS, claim)
    assert studio.files() == []


async def test_holdings_count_what_there_is_of_one_member_in_one_guild(studio: Studio) -> None:
    await studio.set_key()
    await live_through_everything(studio, ANNA, GUILD, CANARY)
    await live_through_everything(studio, BEN, GUILD, "Ben")
    held = await studio.privacy.holdings(guild_id=GUILD, user_id=ANNA)
    rows = await studio.everything()
    mine = {row["id"] for row in rows["datasets"] if row["user_id"] == ANNA}
    assert (held.datasets, held.trainings, held.generations) == (len(mine), 4, 2) == (6, 4, 2)
    assert held.loras == sum(row["owner_id"] == ANNA for row in rows["loras"])
    assert held.photos_on_disk == sum(bool(row["file"]) and row["dataset_id"] in mine for row in rows["photos"]) > 0
    await studio.privacy.forget_member(guild_id=GUILD, user_id=ANNA)
    nothing = await studio.privacy.holdings(guild_id=GUILD, user_id=ANNA)
    assert (nothing.datasets, nothing.photos_on_disk, nothing.trainings, nothing.loras) == (0, 0, 0, 0)


async def test_leaving_a_guild_deletes_its_keys_and_photos_at_once_and_nobody_elses(studio: Studio) -> None:
    await studio.set_key()
    await studio.set_key(OTHER_KEY, guild_id=OTHER_GUILD)
    await studio.dataset()
    await studio.dataset(user_id=BEN)
    await studio.dataset(guild_id=OTHER_GUILD)
    await studio.guilds.leave(GUILD)
    with pytest.raises(NoKey):
        await studio.keys.current(GUILD, PROVIDER)
    assert {row["guild_id"] for row in (await studio.everything())["api_keys"]} == {OTHER_GUILD}
    assert len(studio.files()) == 15
    assert (await studio.keys.current(OTHER_GUILD, PROVIDER)).last4 == OTHER_KEY[-4:]
    assert KEY not in str(await studio.everything())


async def test_what_waits_in_a_guild_that_is_left_ends_and_its_member_is_told(studio: Studio) -> None:
    await studio.set_key()
    training = await studio.start(await studio.dataset())
    await studio.guilds.leave(GUILD)
    await studio.settle()
    assert (await studio.training(training.id)).status is TrainingStatus.FAILED
    assert PostKind.TRAINING_FAILED in studio.poster.kinds()
    assert studio.charges("create") == 0


SOMEBODY = 987654321012345678


async def scene_that_names(studio: Studio, *, is_everything: bool = False) -> None:
    """Ben and an event have rows in many tables; Anna's id stands in every text and JSON of them, and in columns."""
    await studio.set_key()
    await studio.guilds.choose_gallery(GUILD, 77)
    await live_through_everything(studio, SOMEBODY, GUILD, "Rex")
    await live_through_everything(studio, BEN, GUILD, f"Rex <@{SOMEBODY}>")
    if is_everything:
        await fill_all_tables(studio)
    event = await add_event(studio.database, host_id=SOMEBODY, moderator_ids=frozenset({SOMEBODY, BEN}))
    address = {"token": "t" * 43, "token_hash": "h" * 64, "opened_at": NOON, "ends_at": NOON}
    rows: dict[sa.Table, dict[str, Any]] = {
        event_tables.galleries: {"event_id": event.id, **address},
        event_tables.announcements: {"event_id": event.id, "what": AnnouncementKind.CHOSEN, "once": "chosen"},
        tables.lora_offers: {"channel_id": CHANNEL, "lora_id": 1, "from_id": SOMEBODY, "to_id": BEN, "status": "open"},
        tables.lora_shares: {"lora_id": 2, "audience": "member", "audience_id": SOMEBODY, "granted_by": BEN},
    }
    at = {"at": NOON, "created_at": NOON, "granted_at": NOON, "detail": json.dumps({"by": {SOMEBODY: 3, BEN: 2}})}

    async def transaction(connection: AsyncConnection) -> None:
        for table, values in rows.items():
            more = {name: value for name, value in at.items() if name in table.c}
            await connection.execute(sa.insert(table).values(guild_id=GUILD, **(more | values)))
        for table in (tables.api_keys, policy_tables.limits):
            await connection.execute(sa.update(table).values(set_by=SOMEBODY))
        for table, column in named_in_words():
            value: Any = with_name_at_end(column)
            if column is event_tables.announcements.c.detail:
                continue
            if isinstance(column.type, Json):
                value = sa.literal(JSON_WITH_NAMES.get(column.type, [SOMEBODY, BEN]), sa.JSON)
            await connection.execute(sa.update(table).values({column.name: value}))

    await studio.database.write(transaction)


def with_name_at_end(column: sa.Column[Any]) -> sa.ColumnElement[Any]:
    """What stands there, shortened where the column has no more room."""
    name, most = f" by {SOMEBODY}", getattr(column.type, "length", None)
    kept = column if most is None else sa.func.substr(column, 1, most - len(name))
    return sa.cast(kept, sa.Text).concat(name)


JSON_WITH_NAMES: dict[Any, Any] = {
    PLACES: [["channel", CHANNEL], ["user", SOMEBODY]],
    SETTINGS: {"count": 1, "negative": f"like <@{SOMEBODY}>"},
    FINDINGS: [["small", f"by {SOMEBODY}"]],
    HOURS: {"collecting": 1.0},
    DOUBT: ["2026-01-01T00:00:00+00:00", 1],
    CANDIDATES: [],
    UPLOADS: [[f"by {SOMEBODY}", f"https://cdn.invalid/{SOMEBODY}/1.png", 1]],
}
NAMES_NOBODY = {"pictures", "reference_pictures", "galleries"}
"""Their words are files, addresses of the provider's and of the bot's own."""


def named_in_words() -> list[tuple[sa.Table, sa.Column[Any]]]:
    """Every column that can hold a text, except tokens that have to be unlike each other and the proofs."""
    unlike = {
        "token",
        "token_hash",
        "nonce",
        "marker",
        "webhook_token",
        "idempotency_key",
        "endpoint_token",
        "once",
        "account",
    }
    unlike |= {"status", "lease_owner", "last4", "sha256", "remote_id", "request_id"}
    left_out = {*erasure.KEPT_FOR_PROOF, *erasure.NAMELESS}
    found = [(table, each) for table in tables.metadata.sorted_tables for each in mentions.wordy_columns(table)]
    return [
        (table, each) for table, each in found if table not in left_out and each.name not in unlike | {"file", "banner"}
    ]


async def fill_all_tables(studio: Studio) -> None:
    """A row of every table about the member, and one that they have to do with; no table is empty."""
    await studio.database.write(lambda connection: connection.execute(sa.delete(tables.remembered)))
    await add_one_of_each(studio.database, SOMEBODY, BEN, tag="a" * 50)
    await add_one_of_each(studio.database, BEN, SOMEBODY, tag="b" * 60)
    style = {"provider": PROVIDER, "remote_id": "s", "name": f"by {SOMEBODY}", "description": "", "has_template": False}
    insert = sa.insert(tables.styles).values(guild_id=GUILD, is_public=True, **style)
    await studio.database.write(lambda connection: connection.execute(insert))


async def raw_rows(studio: Studio) -> dict[str, str]:
    """Every column of every row of every table as the database holds it, texts and JSON as they are written."""
    async with studio.database.read() as connection:
        return {
            table.name: str(
                [
                    tuple(row)
                    for row in await connection.execute(
                        sa.select(*(sa.cast(each, sa.Text) for each in table.c if each.name != "sealed"))
                    )
                ]
            )
            for table in tables.metadata.sorted_tables
            if table not in erasure.NAMELESS
        }


async def test_nothing_but_the_proofs_holds_the_members_id_in_any_column_text_or_json(studio: Studio) -> None:
    """Mutant: without taking it out of texts and JSON, or with a table left out, it is found there."""
    await scene_that_names(studio, is_everything=True)
    before = await raw_rows(studio)
    assert [name for name, rows in before.items() if rows == "[]"] == []
    assert {name for name, rows in before.items() if str(SOMEBODY) not in rows} <= NAMES_NOBODY
    await studio.privacy.forget_member(guild_id=GUILD, user_id=SOMEBODY)
    after = await raw_rows(studio)
    assert {name for name, rows in after.items() if str(SOMEBODY) in rows} <= {"consents", "removals"}


async def test_what_comes_after_an_erasure_brings_the_id_back_nowhere(studio: Studio) -> None:
    await studio.set_key()
    await live_through_everything(studio, SOMEBODY, GUILD, "Rex")
    await studio.privacy.forget_member(guild_id=GUILD, user_id=SOMEBODY)
    for _ in range(8):
        await studio.pass_time(timedelta(minutes=10))
    assert PostKind.RECEIPT in studio.poster.kinds()
    after = await raw_rows(studio)
    assert {name for name, rows in after.items() if str(SOMEBODY) in rows} == {"removals"}


async def test_who_is_left_in_lists_and_counts_stays_there(studio: Studio) -> None:
    await scene_that_names(studio)
    await studio.privacy.forget_member(guild_id=GUILD, user_id=SOMEBODY)
    left = await studio.everything()
    [event] = left["events"]
    assert event["moderator_ids"] == frozenset({BEN})
    assert json.loads(left["announcements"][0]["detail"]) == {"by": {"0": 3, str(BEN): 2}}
    assert {row["set_by"] for row in left["api_keys"]} == {0}
    assert all(BEN in row.values() for row in left["generations"])


@pytest.mark.parametrize("text", ["19876543210123456789", "f987654321012345678", "9876543210123456780"])
async def test_a_longer_number_with_the_same_digits_stays(studio: Studio, text: str) -> None:
    lora_id = await add_lora(studio.database, owner_id=BEN, note=f"{text} of {SOMEBODY}")
    await studio.privacy.forget_member(guild_id=GUILD, user_id=SOMEBODY)
    assert [row["note"] for row in (await studio.everything())["loras"] if row["id"] == lora_id] == [f"{text} of 0"]


PERSON_COLUMNS = {
    "user_id",
    "owner_id",
    "set_by",
    "guild_id",
    "granted_by",
    "audience_id",
    "from_id",
    "to_id",
    "reporter_id",
    "host_id",
    "banner_by",
    "named_by",
    "voter_id",
    "contributor_id",
    "blocked_by",
    "member_id",
}


def reached_by_erasure() -> set[str]:
    """Tables named for erasure, and those that go with their rows: by foreign key, or by the subject they name."""
    named = {*erasure.MEMBER_COLUMNS, *erasure.ANONYMISED, *erasure.KEPT_FOR_PROOF, *erasure.GUILD_ONLY}
    cascading = {
        table
        for table in tables.metadata.sorted_tables
        for key in table.foreign_keys
        if key.column.table in named and key.ondelete == "CASCADE"
    }
    return {table.name for table in named | cascading} | {tables.timeline.name}


def test_every_table_that_knows_a_member_or_guild_is_named_for_erasure() -> None:
    knowing = {table.name for table in tables.metadata.sorted_tables if PERSON_COLUMNS & set(table.c.keys())}
    assert knowing <= reached_by_erasure()
    nameless = {table.name for table in erasure.NAMELESS}
    assert {table.name for table in tables.metadata.sorted_tables} - reached_by_erasure() == nameless == {"meta"}


def test_every_snowflake_column_is_one_the_check_above_knows() -> None:
    """A new column that names a person under another name has to be added to the list."""
    channels = {"channel_id", "parent_id", "gallery_channel_id", "reports_channel_id", "thread_id"}
    elsewhere = {
        "id",
        "message_id",
        "banner_id",
        "dhash",
        "calendar_id",
        "pinned_id",
        "jury_role_id",
        "role_id",
        "moderator_role_id",
        "host_role_id",
        "winner_role_id",
        "news_role_id",
        "log_channel_id",
    } | channels
    events = {"event_id", "consent_id", "picture_id", "entry_id"}
    lineage = {"previous_id", "previous_lora_id", "origin_id"}
    jobs = {"dataset_id", "training_id", "lora_id", "key_id", "generation_id", "subject_id", "style_id", "sample_of"}
    references = jobs | lineage | events
    for table in tables.metadata.sorted_tables:
        big = {column.name for column in table.c if isinstance(column.type, sa.BigInteger)}
        assert big <= PERSON_COLUMNS | elsewhere | references, table.name


def test_the_member_columns_name_the_member() -> None:
    for table, columns in erasure.MEMBER_COLUMNS.items():
        assert {column.name for column in columns} == (PERSON_COLUMNS - {"guild_id"}) & set(table.c.keys())
        assert {column.table for column in columns} == {table}
        assert "guild_id" in table.c
