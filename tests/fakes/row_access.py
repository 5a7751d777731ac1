"""The services, and what tests read in the database and change in it behind the bot's back."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.records.generation import Generation
from bot.records.job import SubjectTable
from bot.records.post import Post, PostKind
from bot.records.training import Training
from bot.services import Services
from bot.storage import tables
from bot.storage.jobs import generations, posts, timeline, trainings
from bot.storage.rows import build


class RowAccess(Services):
    """The services, with a look at their rows."""

    # Python 3.11: what a frozen dataclass with slots defines here raises TypeError in a subclass.
    __setattr__ = object.__setattr__

    async def training(self, training_id: int) -> Training:
        async with self.database.read() as connection:
            training = await trainings.get(connection, training_id)
        assert training is not None
        return training

    async def generation(self, generation_id: int) -> Generation:
        async with self.database.read() as connection:
            generation = await generations.get(connection, generation_id)
        assert generation is not None
        return generation

    async def post(self, post_id: int) -> Post:
        async with self.database.read() as connection:
            post = await posts.get(connection, post_id)
        assert post is not None
        return post

    async def posts_of(self, kind: PostKind) -> list[Post]:
        async with self.database.read() as connection:
            rows = await connection.execute(sa.select(tables.posts).where(tables.posts.c.kind == kind))
            return [build(Post, row) for row in rows]

    async def words(self, job: Training | Generation) -> list[str]:
        """What the job's timeline says happened, in order."""
        subject = SubjectTable.TRAINING if isinstance(job, Training) else SubjectTable.GENERATION
        async with self.database.read() as connection:
            return [entry.what for entry in await timeline.of(connection, subject, job.id)]

    async def change(self, table: sa.Table, row_id: int, **values: Any) -> None:
        async def transaction(connection: AsyncConnection) -> None:
            await connection.execute(sa.update(table).where(table.c.id == row_id).values(**values))

        await self.database.write(transaction)

    async def scalars(self, statement: sa.Select[Any]) -> list[Any]:
        async with self.database.read() as connection:
            return list((await connection.execute(statement)).scalars())

    async def everything(self) -> dict[str, list[dict[str, Any]]]:
        """Every row of every table."""
        async with self.database.read() as connection:
            return {
                table.name: [dict(row) for row in (await connection.execute(in_order(table))).mappings()]
                for table in tables.metadata.sorted_tables
            }


def in_order(table: sa.Table) -> sa.Select[Any]:
    return sa.select(table).order_by(*table.primary_key)
