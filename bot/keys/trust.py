"""Whether a key works: what its provider says again and again, not what one answer says."""

import logging
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.errors import KeyRejected, ProviderError, SealError
from bot.keys.secrets import KeySecrets
from bot.keys.slots import assign_all_free_slots
from bot.providers.base import ProviderClient
from bot.records.doubt import one_more, pause_of
from bot.records.guild import Place, PlaceKind
from bot.records.key import ApiKeyRow
from bot.records.post import PostKind
from bot.resources import Resources, Service
from bot.storage import tables
from bot.storage.jobs import generations, posts, trainings
from bot.storage.money import keys as rows
from bot.storage.people import removals

log = logging.getLogger(__name__)

TRIED_AGAIN = (timedelta(minutes=10), timedelta(hours=1), timedelta(hours=6))
"""How long after its pause a key is tried again; from then on after as long as the last of these."""


class KeyTrust(Service):
    def __init__(self, opened: Resources) -> None:
        super().__init__(opened)
        self.secrets = KeySecrets(opened)
        self._connect = opened.connect

    async def client(self, key_id: int) -> ProviderClient | None:
        """The provider under this key, retired or not; None when the key is gone or cannot be unsealed."""
        stored = await self._database.fetch(rows.get, key_id)
        if stored is None:
            return None
        try:
            return self._connect(stored.row.provider, self.secrets.open(stored))
        except SealError:
            log.error("The API key %s cannot be unsealed; it has to be set again", key_id)
            return None

    async def is_refused(self, key_id: int, error: KeyRejected, *, noticed_in: int | None = None) -> bool:
        """A call was answered with 401 or 403: whether the key does not work, as far as this can be known now.

        The account is asked as a second witness. A key is paused when both have said so all over `key_doubted`.
        """
        stored = await self._database.fetch(rows.get, key_id)
        if stored is None or stored.row.paused_at is not None:
            return True
        row = stored.row
        works = await self.works(key_id)
        if row.retired_at is not None:
            return works is False
        if works is False:
            return await self.doubt(row, error, noticed_in=noticed_in) is None
        if works and row.doubt is not None:
            await self._database.write(lambda connection: rows.note_doubt(connection, key_id, None))
        return False

    async def works(self, key_id: int) -> bool | None:
        """Whether the provider shows the account under this key; None when it cannot be asked."""
        client = await self.client(key_id)
        if client is None:
            return None
        try:
            await client.account()
        except KeyRejected:
            return False
        except ProviderError:
            return None
        return True

    async def doubt(self, row: ApiKeyRow, error: KeyRejected, *, noticed_in: int | None = None) -> datetime | None:
        """Both witnesses refuse the key once more: when to ask again, None when it is paused now."""
        now, span = self._clock.now(), self._timings.key_doubted
        doubt = one_more(row.doubt, now)
        if doubt.is_over(span, now):
            await self.pause(row.id, error, noticed_in=noticed_in)
            return None
        due_at = now + pause_of(span)
        is_new = row.doubt is None
        await self._database.write(
            lambda connection: rows.note_doubt(connection, row.id, doubt, due_at=due_at if is_new else None)
        )
        return due_at

    async def resume(self, key_id: int) -> bool:
        """A paused key works again: let what waits for it go on. False when it is not paused any more."""
        now = self._clock.now()

        async def transaction(connection: AsyncConnection) -> bool:
            if not await rows.resume(connection, key_id, now=now):
                return False
            await assign_all_free_slots(connection, key_id, clock=self._clock)
            await posts.renew(connection, PostKind.KEY_PAUSED, key_id, due_at=now)
            stored = await rows.get(connection, key_id)
            if stored is not None:
                await removals.wake(connection, stored.row.guild_id, stored.row.provider, now=now)
            return True

        return await self._database.write(transaction)

    def tried_again_at(self, paused_at: datetime) -> datetime:
        now = self._clock.now()
        return next((paused_at + step for step in TRIED_AGAIN if paused_at + step > now), now + TRIED_AGAIN[-1])

    async def pause(self, key_id: int, error: KeyRejected, *, noticed_in: int | None = None) -> None:
        """Stop using a refused key, and tell the admin who set it, once.

        When they take no messages, the channel `noticed_in` is told, or that of the key's newest job.
        """
        now = self._clock.now()

        async def transaction(connection: AsyncConnection) -> bool:
            tried_again_at = self.tried_again_at(now)
            if not await rows.pause(connection, key_id, reason=str(error), now=now, tried_again_at=tried_again_at):
                return False
            await trainings.suspend_queued(connection, key_id)
            await generations.wake_waiting(connection, tables.generations.c.key_id == key_id, now=now)
            stored = await rows.get(connection, key_id)
            if stored is not None:
                channel_id = noticed_in or await rows.channel_of_newest_job(connection, key_id)
                channels = [] if channel_id is None else [Place(PlaceKind.CHANNEL, channel_id)]
                await posts.add(
                    connection,
                    PostKind.KEY_PAUSED,
                    key_id,
                    guild_id=stored.row.guild_id,
                    user_id=stored.row.set_by,
                    places=[Place(PlaceKind.USER, stored.row.set_by), *channels],
                    now=now,
                )
                await posts.renew(connection, PostKind.KEY_PAUSED, key_id, due_at=now)
            return True

        await self._database.write(transaction)
