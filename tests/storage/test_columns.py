"""What columns hold: words and JSON in the database, and the values that come back."""

from collections.abc import Awaitable, Callable

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.records.dataset import Finding
from bot.records.event import Candidate, EventStatus
from bot.records.generation import Generation
from bot.records.lora import Lora
from bot.records.training import Training, TrainingStatus
from bot.storage import tables
from bot.storage.database import Database
from bot.storage.rows import build, fetch_first
from tests.fakes.events import add_event
from tests.fakes.rows import add_dataset, add_generation, add_photos, add_post, add_training, photo


def run(statement: sa.Executable) -> Callable[[AsyncConnection], Awaitable[None]]:
    async def transaction(connection: AsyncConnection) -> None:
        await connection.execute(statement)

    return transaction


async def kept(database: Database, table: str, column: str) -> str:
    """This column of the table's only row, as the database has it."""
    async with database.read() as connection:
        result = await connection.execute(sa.select(sa.cast(sa.column(column), sa.Text)).select_from(sa.table(table)))
        return str(result.scalar_one())


async def test_words_are_kept_as_words_and_come_back_as_members_of_their_set(either: Database) -> None:
    training_id = await add_training(either)
    assert await kept(either, "trainings", "status") == "queued"
    async with either.read() as connection:
        training = await fetch_first(connection, Training, sa.select(tables.trainings))
        generation = await fetch_first(connection, Generation, sa.select(tables.generations))
    assert training is not None
    assert (training.id, training.status) == (training_id, TrainingStatus.QUEUED)
    assert type(training.status) is TrainingStatus
    assert generation is None


async def test_a_word_that_is_not_in_the_set_is_neither_read_nor_written(either: Database) -> None:
    await add_training(either)
    await either.write(run(sa.text("UPDATE trainings SET status = 'dancing'")))
    async with either.read() as connection:
        with pytest.raises(ValueError, match="'dancing' is not a valid TrainingStatus"):
            await fetch_first(connection, Training, sa.select(tables.trainings))
    with pytest.raises(sa.exc.StatementError, match="'singing' is not a valid TrainingStatus"):
        await either.write(run(sa.update(tables.trainings).values(status="singing")))


async def test_lists_sets_and_records_are_kept_as_plain_json(either: Database) -> None:
    event = await add_event(
        either,
        role_ids=frozenset({9, 7, 8}),
        pack=("{trigger} in snow", "at sea"),
        lora_ids=(5, 3),
        candidates=(Candidate(5, 0.6, "weak"), Candidate(3, None, "plain")),
        hours={EventStatus.COLLECTING: 24.0, EventStatus.VOTING: 0.5},
    )
    assert (event.role_ids, event.pack, event.lora_ids) == (
        frozenset({7, 8, 9}),
        ("{trigger} in snow", "at sea"),
        (5, 3),
    )
    assert event.candidates == (Candidate(5, 0.6, "weak"), Candidate(3, None, "plain"))
    assert event.hours == {EventStatus.COLLECTING: 24.0, EventStatus.VOTING: 0.5}
    columns = ("role_ids", "pack", "lora_ids", "candidates", "hours")
    assert [await kept(either, "events", column) for column in columns] == [
        "[7, 8, 9]",
        '["{trigger} in snow", "at sea"]',
        "[5, 3]",
        '[[5, 0.6, "weak"], [3, null, "plain"]]',
        '{"collecting": 24.0, "voting": 0.5}',
    ]


async def test_places_findings_and_settings_are_kept_as_plain_json(either: Database) -> None:
    await add_post(either)
    await add_photos(either, [photo(1, await add_dataset(either), findings=(Finding("near_duplicate", "a.jpg"),))])
    await add_generation(either)
    assert await kept(either, "posts", "places") == '[["channel", 300], ["user", 401]]'
    assert await kept(either, "photos", "findings") == '[["near_duplicate", "a.jpg"]]'
    assert (await kept(either, "generations", "settings")).startswith('{"count": 1, "aspect": null, "format": null, ')
    assert await kept(either, "generations", "image_urls") == "[]"


async def test_a_row_without_a_column_for_a_field_is_no_record(either: Database) -> None:
    await add_training(either)
    async with either.read() as connection:
        row = (await connection.execute(sa.select(tables.trainings))).one()
    assert build(Training, row).id == row.id
    with pytest.raises(KeyError, match="owner_id"):
        build(Lora, row)
