"""What is stored about a member, and its erasure."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.events.ballot.awards import take_back
from bot.events.photos.depictions import DepictionService
from bot.keys.service import KeyService
from bot.privacy.export import ExportService
from bot.process.journal import Turn
from bot.records.ballot import Award
from bot.records.moderation import Act
from bot.resources import Resources, Service
from bot.storage.changes import note_erased
from bot.storage.events import awards, banners, events, galleries
from bot.storage.jobs import posts
from bot.storage.people import erasure, likeness, moderation_log, own_rows, questions, removals, takedowns
from bot.storage.people.pseudonyms import pseudonym


@dataclass(frozen=True, slots=True)
class Holdings:
    """How many rows and files of one member there are in one guild."""

    datasets: int
    photos_on_disk: int
    trainings: int
    loras: int
    generations: int
    previews: int
    """Pictures made for them that LoRAs keep."""
    consents: int
    events: int
    """Events they take part in, or have voted in."""
    receipts: int
    hidden: int
    """Lines of the server's books and log that are under a pseudonym since an erasure."""


class PrivacyService(Service):
    def __init__(
        self, opened: Resources, key_service: KeyService, depictions: DepictionService, exports: ExportService
    ) -> None:
        super().__init__(opened)
        self._exports = exports
        self._keys = key_service
        self._depictions = depictions
        self._venue = opened.venue

    async def guilds_of(self, user_id: int) -> list[int]:
        """Ids of the guilds in which something about this member is stored, also those they have left."""
        return await self._database.fetch(own_rows.guilds_of, user_id)

    async def holdings(self, *, guild_id: int, user_id: int) -> Holdings:
        async with self._database.read() as connection:
            hidden = await own_rows.count_hidden(connection, guild_id, user_id)
            return Holdings(**await erasure.count(connection, guild_id=guild_id, user_id=user_id), hidden=hidden)

    async def forget_member(self, *, guild_id: int, user_id: int, with_messages: bool = False) -> int:
        """Erase everything about a member in this guild, except the proof of their consents.

        What they gave to events is taken back, events they host are cancelled, roles they won are taken from them, rows
        and files are erased, and what exists of them at the providers is to go there; `with_messages`: what was posted
        of their pictures in channels, too. Returns how much of that waits for its provider's answer.
        """
        await self._depictions.take_back_all(guild_id, user_id)
        now = self._clock.now()

        async def transaction(connection: AsyncConnection) -> tuple[list[str], Sequence[Award], int]:
            await events.cancel_all(connection, guild_id, now=now, host_id=user_id)
            is_known = await erasure.has_anything(connection, guild_id, user_id)
            await moderation_log.renew_lines_of(connection, guild_id, user_id, now=now)
            await questions.forget_asker(connection, guild_id, user_id)
            await likeness.forget(connection, guild_id, user_id, now=now, kept_for=self._timings.details_kept)
            await removals.of_member(connection, guild_id, user_id, now=now)
            await takedowns.take_yearbooks_back(connection, guild_id, user_id, now=now)
            await galleries.close_hosted(connection, guild_id, user_id, now=now)
            shown = await banners.forget_given(connection, guild_id, user_id, now=now)
            left = await takedowns.shown_of(connection, guild_id, user_id) if with_messages else []
            await posts.add_leftovers(connection, left, now=now)
            held = await awards.lose(connection, guild_id, user_id, now=now)
            files = [*shown, *await erasure.erase_member(connection, guild_id=guild_id, user_id=user_id)]
            if is_known:
                note_erased(connection, guild_id, Turn.MEMBER_ERASED)
                name = await pseudonym(connection, guild_id, user_id)
                await moderation_log.note(connection, guild_id, Act.ERASED, name, "everything of a member", now=now)
            return files, held, await removals.count_waiting(connection, guild_id, user_id)

        files, held, waiting = await self._database.write(transaction)
        self._exports.outdate(user_id)
        self._spool.free(files)
        await take_back(self._database, self._venue, held)
        await self._database.wipe_log()
        await self._keys.share_slots(guild_id)
        return waiting
