"""Members who are erased, and what is known afterwards of what the providers were asked."""

from datetime import timedelta

from bot.records.lora import Lora
from bot.records.removal import Removal, RemovalAnswer, RemovalKind, RemovalStatus
from bot.storage.money import spends
from bot.storage.policy_tables import removals as table
from bot.storage.rows import fetch_all
from tests.fakes.rows import ANNA, GUILD
from tests.fakes.studio import Studio

DAY = timedelta(days=1)


async def rows_of(studio: Studio) -> list[Removal]:
    async with studio.database.read() as connection:
        return await fetch_all(connection, Removal, table.select().order_by(table.c.id))


async def ended(studio: Studio) -> list[tuple[RemovalKind, RemovalAnswer | None]]:
    return [(each.kind, each.answer) for each in await rows_of(studio) if each.status is RemovalStatus.ENDED]


async def erase(studio: Studio, user_id: int = ANNA) -> int:
    return await studio.privacy.forget_member(guild_id=GUILD, user_id=user_id)


async def wait(studio: Studio, span: timedelta, step: timedelta = timedelta(minutes=10)) -> None:
    while span > timedelta(0):
        await studio.pass_time(step)
        span -= step


def status(studio: Studio, lora: Lora) -> str:
    return studio.server.loras[lora.remote_id].status


async def took(studio: Studio) -> list[tuple[int, int, bool]]:
    async with studio.database.read() as connection:
        return [
            (each.credits, each.trainings, each.settled_at is not None)
            for each in await spends.of_guild(connection, GUILD)
        ]
