"""Private questions and offers from one member to another: one a day, and none to those who want none."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.errors import NotFound, UserError
from bot.questions import rules
from bot.records.guild import Place
from bot.records.post import PostKind
from bot.records.question import Question
from bot.resources import Service
from bot.storage.people import questions as rows


@dataclass(frozen=True, slots=True)
class Inbox:
    """What a member was asked and has not answered, oldest first. `is_muted`: they find it here alone."""

    is_muted: bool
    questions: tuple[Question, ...]


class QuestionService(Service):
    async def inbox(self, guild_id: int, user_id: int) -> Inbox:
        async with self._database.read() as connection:
            is_muted = await rows.is_muted(connection, guild_id, user_id)
            return Inbox(is_muted, tuple(await rows.open_to(connection, guild_id, user_id)))

    async def get_for(self, question_id: int, guild_id: int, user_id: int) -> Question:
        """One of the member's questions that are open; NotFound for any other."""
        inbox = await self.inbox(guild_id, user_id)
        for question in inbox.questions:
            if question.id == question_id:
                return question
        raise NotFound(rules.NOT_YOURS)

    async def mute(self, guild_id: int, user_id: int) -> None:
        """No private questions from now on; asking them goes on under /me."""
        now = self._clock.now()
        await self._database.write(lambda connection: rows.mute(connection, guild_id, user_id, now=now))

    async def unmute(self, guild_id: int, user_id: int) -> None:
        """Private questions from now on; those asked meanwhile stay under /me."""
        await self._database.write(lambda connection: rows.unmute(connection, guild_id, user_id))

    async def notes(self, kind: PostKind, subject_ids: Sequence[int]) -> list[str]:
        """For the asker: who of those asked about these rows is asked later, or finds it under /me."""
        asked = await self._database.fetch(rows.asked_about, kind, subject_ids)
        return rules.notes(asked, self._clock.now())


async def ask_today(
    connection: AsyncConnection,
    kind: PostKind,
    subject_id: int,
    *,
    guild_id: int,
    from_id: int,
    to_id: int,
    places: Sequence[Place],
    now: datetime,
) -> None:
    """Ask at once. UserError, which undoes the transaction, when the pair has to wait."""
    free_at = await rows.free_at(connection, guild_id, from_id=from_id, to_id=to_id, now=now)
    if free_at is not None:
        raise UserError(rules.too_soon(to_id, free_at))
    pair = {"guild_id": guild_id, "from_id": from_id, "to_id": to_id}
    await rows.ask(connection, kind, subject_id, **pair, places=places, now=now)
