"""Lists of jobs: what a member has ordered, and for admins what everybody has."""

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.errors import NotAllowed
from bot.records.guild import Actor
from bot.records.job import JobRef
from bot.records.post import public_place
from bot.resources import Service
from bot.storage.jobs import history
from bot.storage.money import spends

ADMINS_ONLY = "Only an admin of this server can see what everybody has ordered."


@dataclass(frozen=True, slots=True)
class JobEntry:
    """`message`: the channel and the message that tell of the job. `cost`: credits, reserved ones until it has ended;
    None when they are not known."""

    ref: JobRef
    message: tuple[int, int] | None
    cost: int | None


@dataclass(frozen=True, slots=True)
class JobPage:
    """`number` and `last` count from 0."""

    entries: tuple[JobEntry, ...]
    number: int
    last: int


class HistoryService(Service):
    async def of_member(self, actor: Actor, number: int, size: int) -> JobPage:
        """A page of the member's own jobs, newest first; one past the end is the last."""
        return await self._page(actor.guild_id, actor.user_id, number, size)

    async def of_server(self, actor: Actor, number: int, size: int) -> JobPage:
        """A page of everybody's jobs in this server; NotAllowed unless the actor is an admin."""
        if not actor.is_admin:
            raise NotAllowed(ADMINS_ONLY)
        return await self._page(actor.guild_id, None, number, size)

    async def _page(self, guild_id: int, user_id: int | None, number: int, size: int) -> JobPage:
        async with self._database.read() as connection:
            last = max(0, await history.count(connection, guild_id, user_id) - 1) // size
            number = min(number, last)
            found = await history.page(connection, guild_id, user_id, offset=number * size, limit=size)
            return JobPage(tuple([await _entry(connection, ref) for ref in found]), number, last)


async def _entry(connection: AsyncConnection, ref: JobRef) -> JobEntry:
    spend = await spends.of_job(connection, ref.subject, ref.id)
    message = None
    for post in await history.posts_of(connection, ref):
        place = public_place(post)
        if place is not None and post.message_id is not None and message is None:
            message = place.id, post.message_id
    return JobEntry(ref, message, None if spend is None else spend.credits)
