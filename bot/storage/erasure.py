"""SQL of erasure. Every table with a user or guild id is named here; a test compares this list with the tables."""

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.models import SubjectTable
from bot.storage import tables as t

MEMBER_COLUMN = {
    t.datasets: t.datasets.c.user_id,
    t.trainings: t.trainings.c.user_id,
    t.loras: t.loras.c.owner_id,
    t.generations: t.generations.c.user_id,
    t.posts: t.posts.c.user_id,
}
"""Tables whose rows about a member are erased, and the column that names the member."""
KEPT_FOR_PROOF = (t.consents,)
"""Discord's developer terms ask for proof that a member told us to share photos; these rows are that proof."""
GUILD_ONLY = (t.api_keys,)
"""Rows that belong to the guild; the admin who set the key is named in them."""


async def count(connection: AsyncConnection, *, guild_id: int, user_id: int) -> dict[str, int]:
    async def rows(table: sa.Table, column: sa.ColumnElement[int]) -> int:
        statement = sa.select(sa.func.count()).select_from(table).where(table.c.guild_id == guild_id, column == user_id)
        return int((await connection.execute(statement)).scalar_one())

    on_disk = (
        sa.select(sa.func.count())
        .select_from(t.photos.join(t.datasets))
        .where(t.datasets.c.guild_id == guild_id, t.datasets.c.user_id == user_id, t.photos.c.file.is_not(None))
    )
    return {
        "datasets": await rows(t.datasets, t.datasets.c.user_id),
        "photos_on_disk": int((await connection.execute(on_disk)).scalar_one()),
        "trainings": await rows(t.trainings, t.trainings.c.user_id),
        "loras": await rows(t.loras, t.loras.c.owner_id),
        "generations": await rows(t.generations, t.generations.c.user_id),
        "consents": await rows(t.consents, t.consents.c.user_id),
    }


async def erase_member(connection: AsyncConnection, *, guild_id: int, user_id: int) -> list[str]:
    """Delete the member's rows in this guild; the spool names of their files, for the caller to free."""
    mine = {table: sa.and_(table.c.guild_id == guild_id, column == user_id) for table, column in MEMBER_COLUMN.items()}
    files = [
        *await _files(connection, t.photos, t.datasets, mine[t.datasets]),
        *await _files(connection, t.pictures, t.generations, mine[t.generations]),
    ]
    for table, subject in ((t.trainings, SubjectTable.TRAINING), (t.generations, SubjectTable.GENERATION)):
        ids = sa.select(table.c.id).where(mine[table])
        await connection.execute(
            sa.delete(t.timeline).where(t.timeline.c.subject_table == subject, t.timeline.c.subject_id.in_(ids))
        )
    for table, condition in mine.items():
        await connection.execute(sa.delete(table).where(condition))
    return files


async def erase_guild_secrets(connection: AsyncConnection, *, guild_id: int) -> list[str]:
    """Delete the guild's API keys and datasets; the spool names of the photos, for the caller to free."""
    of_guild = t.datasets.c.guild_id == guild_id
    files = await _files(connection, t.photos, t.datasets, of_guild)
    await connection.execute(sa.delete(t.datasets).where(of_guild))
    await connection.execute(sa.delete(t.api_keys).where(t.api_keys.c.guild_id == guild_id))
    return files


async def _files(
    connection: AsyncConnection, holder: sa.Table, parent: sa.Table, condition: sa.ColumnElement[bool]
) -> list[str]:
    rows = await connection.execute(
        sa.select(holder.c.file).select_from(holder.join(parent)).where(condition, holder.c.file.is_not(None))
    )
    return [row.file for row in rows]


async def erase_job(connection: AsyncConnection, table: sa.Table, subject: SubjectTable, row_id: int) -> None:
    """The row has been kept long enough: delete it with its timeline and posts."""
    for holder in (t.timeline, t.posts):
        await connection.execute(
            sa.delete(holder).where(holder.c.subject_table == subject, holder.c.subject_id == row_id)
        )
    await connection.execute(sa.delete(table).where(table.c.id == row_id))


async def erase_dataset(connection: AsyncConnection, dataset_id: int) -> None:
    """Names and verdicts of photos that left the disk long ago."""
    await connection.execute(sa.delete(t.datasets).where(t.datasets.c.id == dataset_id))
