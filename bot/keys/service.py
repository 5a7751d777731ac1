"""API keys of a guild: checked with the provider, sealed, paused when refused, deleted when not needed."""

import asyncio
import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.errors import KeyRejected, NoKey, ProviderError, SealError, UserError
from bot.keys.slots import assign_all_free_slots
from bot.keys.trust import KeyTrust
from bot.process.log import redact_value
from bot.providers.base import Account, WebhookSecrets
from bot.records.job import SubjectTable
from bot.records.key import ApiKeyRow, ProviderName
from bot.resources import Resources
from bot.storage import guilds, tables
from bot.storage.due import Claim, store
from bot.storage.jobs import generations, loras, trainings
from bot.storage.money import keys as rows
from bot.storage.money import limits
from bot.storage.people import erasure, removals
from bot.storage.people.pseudonyms import fingerprint
from bot.storage.tables import api_keys

log = logging.getLogger(__name__)


FUNDS_DEADLINE_S = 5
KEY_PREFIXES = {ProviderName.APIFRAME: "afk_", ProviderName.AUROUS: "al_live_"}
"""How keys begin (Apiframe /docs/authentication, Aurous Labs /authentication); other beginnings are accepted, too."""
SHRED_LOOK = timedelta(minutes=5)
"""Time between two checks of a retired key that running jobs still need. The end of a removal wakes it by itself."""


@dataclass(frozen=True, slots=True)
class KeyStatus:
    """What /keys status shows. `balance` is in credits; None when unknown, `trouble` says why."""

    row: ApiKeyRow
    balance: int | None
    team: str | None
    trouble: str | None
    running: int
    is_first: bool = False
    """Whether this server had no key before, so that its members have been given a limit now."""


@dataclass(frozen=True, slots=True)
class Funds:
    """What a training costs and what there is to pay for it; `price` and `balance` in credits.

    `balance` is None when it is not known just now. `trouble` says why nothing can start, `to_admin` the same to those
    who can do something about it.
    """

    price: int
    balance: int | None
    trouble: str | None
    to_admin: str | None = None


class KeyService(KeyTrust):
    def __init__(self, opened: Resources) -> None:
        super().__init__(opened)
        self._prices = opened.prices

    async def set(
        self, guild_id: int, provider: ProviderName, api_key: str, *, set_by: int, slots: int | None = None
    ) -> KeyStatus:
        """Check the key with the provider and store it sealed; an earlier key is retired.

        `slots`: trainings at once, None for as many as the provider documents.

        Raises UserError when it does not look like a key or the provider refuses it.
        """
        api_key = api_key.strip()
        if not 8 <= len(api_key) <= 200 or not api_key.isascii() or not api_key.isprintable() or " " in api_key:
            raise UserError(f"That does not look like an API key. Copy it whole from your {provider.label} dashboard.")
        for other, prefix in KEY_PREFIXES.items():
            if other is not provider and api_key.startswith(prefix):
                raise UserError(
                    f"This looks like a key of {other.label}. Run `/keys set` again and choose {other.label}."
                )
        account = await self._ask(provider, api_key)
        redact_value(api_key)  # now, and not before: until the provider has taken it, it may be any word
        now = self._clock.now()

        async def transaction(connection: AsyncConnection) -> tuple[ApiKeyRow, bool]:
            is_first = await limits.begin(connection, guild_id, set_by=set_by, now=now)
            await rows.retire(connection, guild_id, provider, now=now, shred_at=now)
            key_id = await rows.insert(
                connection,
                guild_id=guild_id,
                provider=provider,
                last4=api_key[-4:],
                set_by=set_by,
                now=now,
            )
            sealed = self.secrets.seal(api_key, key_id, guild_id, provider)
            await rows.put_sealed(connection, key_id, sealed)
            team = await fingerprint(connection, f"{provider}:{account.id or api_key}")
            await rows.put_account(connection, key_id, team, slots)
            await trainings.move_queued(connection, guild_id=guild_id, provider=provider, key_id=key_id)
            await generations.move_queued(connection, guild_id=guild_id, provider=provider, key_id=key_id)
            await assign_all_free_slots(connection, key_id, clock=self._clock)
            await removals.wake(connection, guild_id, provider, now=now)
            stored = await rows.get(connection, key_id)
            assert stored is not None  # inserted two lines above
            return stored.row, is_first

        row, is_first = await self._database.write(transaction)
        return KeyStatus(row, account.credits, account.team, None, 0, is_first)

    async def status(self, guild_id: int, provider: ProviderName) -> KeyStatus | None:
        async with self._database.read() as connection:
            stored = await rows.current(connection, guild_id, provider)
            if stored is None:
                return None
            running = await trainings.open_on_key(connection, stored.row.id)
        try:
            account = await self._connect(provider, self.secrets.open(stored)).account()
        except (ProviderError, SealError) as error:
            return KeyStatus(stored.row, None, None, explain(error, provider), running)
        if stored.row.paused_at is not None and await self.resume(stored.row.id):
            stored = await self._database.fetch(rows.get, stored.row.id) or stored
        return KeyStatus(stored.row, account.credits, account.team, None, running)

    async def funds(self, guild_id: int, provider: ProviderName) -> Funds:
        """The price of a training and the guild's balance; answers within a few seconds, whatever happens."""
        price = self._prices[provider].training
        try:
            key = await self.current(guild_id, provider)
        except NoKey as error:
            return Funds(price, None, str(error), error.for_admin)
        client = await self.client(key.id)
        if client is None:
            trouble = cannot_be_opened(provider)
            return Funds(price, None, str(trouble), trouble.for_admin)
        try:
            async with asyncio.timeout(FUNDS_DEADLINE_S):
                return Funds(price, (await client.account()).credits, None)
        except (ProviderError, TimeoutError):
            return Funds(price, None, None)

    async def remove(self, guild_id: int, provider: ProviderName) -> int:
        """Take the key out of use; returns how many running jobs still need it before it is deleted.

        Raises NoKey when there is none.
        """
        now = self._clock.now()

        async def transaction(connection: AsyncConnection) -> int | None:
            key_id = await rows.retire(connection, guild_id, provider, now=now, shred_at=now)
            if key_id is None:
                return None
            await trainings.suspend_queued(connection, key_id)
            await generations.wake_waiting(connection, tables.generations.c.key_id == key_id, now=now)
            return await _jobs_on(connection, key_id)

        running = await self._database.write(transaction)
        if running is None:
            raise NoKey(f"There is no {provider.label} key to remove.")
        return running

    async def current(self, guild_id: int, provider: ProviderName) -> ApiKeyRow:
        """The guild's key for new orders. Raises NoKey, with a sentence, when there is none or it is paused."""
        return await self._database.fetch(usable_key, guild_id, provider)

    async def webhook_secrets(self, guild_id: int, provider: ProviderName) -> WebhookSecrets:
        """The secrets that may sign a delivery about one job of this guild, newest first.

        Apiframe signs with the API key. Aurous Labs signs with the secret of a registered endpoint; whether it signs
        deliveries to the address of a single order is not documented.
        """
        stored = await self._database.fetch(rows.for_signatures, guild_id, provider)
        if provider is ProviderName.AUROUS:
            return WebhookSecrets(list(filter(None, map(self.secrets.open_endpoint, stored))), may_be_unsigned=True)
        return WebhookSecrets(self.secrets.open_all(stored))

    async def share_slots(self, guild_id: int) -> None:
        """Give free slots of the guild's keys to its waiting trainings."""

        async def transaction(connection: AsyncConnection) -> None:
            for provider in ProviderName:
                stored = await rows.current(connection, guild_id, provider)
                if stored is not None:
                    await assign_all_free_slots(connection, stored.row.id, clock=self._clock)

        await self._database.write(transaction)

    async def get(self, key_id: int) -> ApiKeyRow | None:
        stored = await self._database.fetch(rows.get, key_id)
        return None if stored is None else stored.row

    async def shred(self, claim: Claim[ApiKeyRow]) -> None:
        """Delete a retired key as soon as nothing needs it: no job, and nothing that is to be removed under it."""
        now = self._clock.now()

        async def transaction(connection: AsyncConnection) -> bool:
            kept_until = await self._kept_until(connection, claim.row)
            if now < kept_until:
                looked_at = now + SHRED_LOOK if await _jobs_on(connection, claim.id) else kept_until
                await store(connection, api_keys, claim, due_at=min(looked_at, kept_until))
                return False
            await store(connection, api_keys, claim, due_at=None)
            await erasure.erase_job(connection, api_keys, SubjectTable.KEY, claim.id)
            return True

        if await self._database.write(transaction):
            await self._database.wipe_log()

    async def _kept_until(self, connection: AsyncConnection, row: ApiKeyRow) -> datetime:
        """At the latest `retired_key_kept` after it was retired for jobs, `removal_key_kept` for removals.

        That is also how long a guild that removed the bot has to say whether its LoRAs are to go.
        """
        retired_at = row.retired_at
        assert retired_at is not None  # only retired keys are shredded
        guild = await guilds.get(connection, row.guild_id)
        is_left = guild is not None and guild.left_at is not None
        if await removals.open_on_key(connection, row.id) or (is_left and await loras.may_be_there(connection, row)):
            return retired_at + self._timings.removal_key_kept
        return retired_at + (self._timings.retired_key_kept if await _jobs_on(connection, row.id) else timedelta(0))

    async def _ask(self, provider: ProviderName, api_key: str) -> Account:
        try:
            return await self._connect(provider, api_key).account()
        except ProviderError as error:
            raise UserError(explain(error, provider)) from error


def cannot_be_opened(provider: ProviderName) -> NoKey:
    what = f"The stored {provider.label} key cannot be opened."
    return NoKey(f"{what} Ask an admin to run `/keys set`.", f"{what} Run `/keys set` to set it again.")


def explain(error: ProviderError | SealError, provider: ProviderName) -> str:
    """One sentence for an admin about why the key could not be used just now."""
    if isinstance(error, SealError):
        return "The stored key cannot be opened with the present master key. Please set it again."
    if isinstance(error, KeyRejected):
        return f"{provider.label} does not accept this key. Check in your dashboard that it is active, then try again."
    return f"{provider.label} cannot be reached right now. Please try again in a few minutes."


async def usable_key(connection: AsyncConnection, guild_id: int, provider: ProviderName) -> ApiKeyRow:
    """What `KeyService.current` gives."""
    stored = await rows.current(connection, guild_id, provider)
    if stored is None:
        none = f"This server has no {provider.label} key yet."
        raise NoKey(f"{none} Ask an admin to run `/keys set`.", f"{none} Run `/keys set` to give it one.")
    if stored.row.paused_at is not None:
        refused = f"{provider.label} does not accept this server's key at the moment. Darkroom tries it again by itself"
        raise NoKey(f"{refused}; an admin can run `/keys set`.", f"{refused}; `/keys set` takes another one.")
    return stored.row


async def _jobs_on(connection: AsyncConnection, key_id: int) -> int:
    return await trainings.open_on_key(connection, key_id) + await generations.open_on_key(connection, key_id)
