"""The sealed secrets of API keys: each is bound to its row, so that no other row and no earlier state opens it."""

import logging
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.errors import SealError
from bot.process.log import redact_value
from bot.records.key import ApiKeyRow, ProviderName
from bot.resources import Resources, Service
from bot.storage import meta
from bot.storage.money import keys as rows
from bot.storage.sealing import Sealer

log = logging.getLogger(__name__)

VERSION = b"2"
"""Of what secrets are bound to. Before it, it was the server and the provider alone."""


@dataclass(frozen=True, slots=True)
class Rotation:
    """What became of one key. `trouble` says why it was left as it is, None when it was not."""

    row: ApiKeyRow
    is_resealed: bool
    trouble: str | None = None

    def __str__(self) -> str:
        key = f"Server {self.row.guild_id}, {self.row.provider.label} key …{self.row.last4}"
        if self.trouble is not None:
            return f"{key}: left as it is. {self.trouble}"
        return f"{key}: sealed with the first master key{'' if self.is_resealed else ' already'}."


class KeySecrets(Service):
    def __init__(self, opened: Resources) -> None:
        super().__init__(opened)
        self._sealer = opened.sealer

    def seal(self, api_key: str, key_id: int, guild_id: int, provider: ProviderName) -> bytes:
        return self._sealer.seal(api_key, context=_context(key_id, guild_id, provider))

    def open(self, stored: rows.SealedKey) -> str:
        return open_key(self._sealer, stored)

    def open_all(self, stored: list[rows.SealedKey]) -> list[str]:
        """Those that can be opened."""
        opened = []
        for key in stored:
            try:
                opened.append(self.open(key))
            except SealError:
                log.error("The API key %s cannot be unsealed; it has to be set again", key.row.id)
        return opened

    def seal_endpoint(self, secret: str, row: ApiKeyRow, endpoint_id: str) -> bytes:
        return self._sealer.seal(secret, context=_endpoint_context(row, endpoint_id))

    def open_endpoint(self, stored: rows.SealedKey) -> str | None:
        """What signs deliveries to the key's endpoint; None when there is none, or it cannot be opened."""
        if stored.endpoint_secret is None or stored.row.endpoint_id is None:
            return None
        try:
            context = _endpoint_context(stored.row, stored.row.endpoint_id)
            secret = self._sealer.unseal(stored.endpoint_secret, context=context)
        except SealError:
            log.error("The webhook secret of key %s cannot be unsealed; the key has to be set again", stored.row.id)
            return None
        redact_value(secret)
        return secret

    async def rotate(self) -> list[Rotation]:
        """Seal every key with the first master key; one that cannot be opened is left as it is."""
        return [await self._rotate(key) for key in await self._database.fetch(rows.all_sealed)]

    async def _rotate(self, key: rows.SealedKey) -> Rotation:
        try:
            api_key, secret = self.open(key), self.open_endpoint(key)
        except SealError as error:
            return Rotation(key.row, is_resealed=False, trouble=str(error))
        if key.endpoint_secret is not None and secret is None:
            return Rotation(key.row, is_resealed=False, trouble="Its webhook secret cannot be opened.")
        if all(self._sealer.is_current(blob) for blob in (key.sealed, key.endpoint_secret) if blob is not None):
            return Rotation(key.row, is_resealed=False)
        is_resealed = await self._database.write(lambda connection: self._reseal(connection, key, api_key, secret))
        return Rotation(key.row, is_resealed)

    async def _reseal(self, connection: AsyncConnection, key: rows.SealedKey, api_key: str, secret: str | None) -> bool:
        row = key.row
        sealed = self.seal(api_key, row.id, row.guild_id, row.provider)
        endpoint_secret = None
        if secret is not None and row.endpoint_id is not None:
            endpoint_secret = self.seal_endpoint(secret, row, row.endpoint_id)
        return await rows.reseal(connection, key, sealed=sealed, endpoint_secret=endpoint_secret)

    async def bind(self) -> None:
        """Bind what an earlier Darkroom has sealed to its row; done once, and from then on nothing else opens."""

        async def transaction(connection: AsyncConnection) -> None:
            if await meta.get(connection, meta.SEALING) == VERSION:
                return
            for key in await rows.all_sealed(connection):
                context, secret = f"{key.row.guild_id}:{key.row.provider}", None
                try:
                    api_key = self._sealer.unseal(key.sealed, context=context)
                    if key.endpoint_secret is not None:
                        secret = self._sealer.unseal(key.endpoint_secret, context=f"{context}:endpoint")
                except SealError:
                    log.error("The API key %s cannot be unsealed; it has to be set again", key.row.id)
                else:
                    await self._reseal(connection, key, api_key, secret)
            await meta.put(connection, meta.SEALING, VERSION)

        await self._database.write(transaction)


def open_key(sealer: Sealer, stored: rows.SealedKey) -> str:
    """The API key. Raises SealError when it was sealed for another row, or with another master key."""
    row = stored.row
    api_key = sealer.unseal(stored.sealed, context=_context(row.id, row.guild_id, row.provider))
    redact_value(api_key)
    return api_key


def _context(key_id: int, guild_id: int, provider: ProviderName) -> str:
    return f"{VERSION.decode()}:{key_id}:{guild_id}:{provider}"


def _endpoint_context(row: ApiKeyRow, endpoint_id: str) -> str:
    """An endpoint is registered anew now and then: the secret of an earlier one does not open for it."""
    return f"{_context(row.id, row.guild_id, row.provider)}:endpoint:{endpoint_id}"
