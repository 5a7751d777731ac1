"""The lane of API keys: their webhook endpoints, the styles and LoRAs under them, their deletion.

A key in use is compared with its provider every few hours, at once after it was set, and when a member opens a list
that is not fresh. A retired key first loses its endpoint, then it is deleted.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.engine import backoff
from bot.errors import KeyRejected, ProviderError, Unavailable
from bot.keys.endpoints import EndpointService
from bot.keys.service import KeyService
from bot.keys.trust import TRIED_AGAIN
from bot.providers.base import ProviderClient, StyleReport
from bot.providers.witness import is_there
from bot.records.key import ApiKeyRow
from bot.resources import Resources, Service
from bot.storage.due import Claim, store
from bot.storage.jobs import loras, styles
from bot.storage.money import keys
from bot.storage.tables import api_keys

log = logging.getLogger(__name__)

FRESH = timedelta(minutes=10)
"""A catalogue younger than this is not fetched again when a member opens it."""
DESCRIPTION_MAX = 1000
URL_MAX = 2048
"""Characters of a media address in a message (Discord /docs/components/reference)."""


@dataclass(frozen=True, slots=True)
class Findings:
    """What the provider has under a key.

    `there` and `missing` are our LoRAs that were stored before it was asked, so that none made meanwhile is missing.
    """

    styles: Sequence[StyleReport]
    there: Sequence[str]
    missing: Sequence[str]


class SyncService(Service):
    def __init__(self, opened: Resources, key_service: KeyService, endpoints: EndpointService) -> None:
        super().__init__(opened)
        self._keys = key_service
        self._endpoints = endpoints

    async def soon(self, guild_id: int) -> None:
        """Compare the guild's keys with their providers now, except fresh keys and those that wait after an error."""
        now = self._clock.now()
        await self._database.write(
            lambda connection: keys.make_due(connection, guild_id, now=now, checked_before=now - FRESH)
        )

    async def advance(self, claim: Claim[ApiKeyRow]) -> None:
        if claim.row.retired_at is not None:
            await self._endpoints.remove(claim.row)
            await self._keys.shred(claim)
        elif claim.row.paused_at is not None:
            await self._try_again(claim, claim.row.paused_at)
        elif claim.row.doubt is not None:
            await self._try_doubted(claim)
        else:
            await self._look(claim)

    async def _try_again(self, claim: Claim[ApiKeyRow], paused_at: datetime) -> None:
        """A key that was refused may be accepted again, without anybody having set it anew."""
        works = await self._keys.works(claim.id)
        if works:
            await self._keys.resume(claim.id)
        soon = self._clock.now() + TRIED_AGAIN[0]
        await self._rest(claim, due_at=soon if works is None else self._keys.tried_again_at(paused_at))

    async def _try_doubted(self, claim: Claim[ApiKeyRow]) -> None:
        works = await self._keys.works(claim.id)
        if works is False:
            await self._doubt(claim, KeyRejected("The account is not shown under this key."))
        elif works:
            await self._rest(claim, due_at=self._clock.now(), doubt=None)
        else:
            await self._rest(claim, due_at=self._clock.now() + self._timings.backoff_first)

    async def _doubt(self, claim: Claim[ApiKeyRow], error: KeyRejected) -> None:
        """It is asked again soon, or paused."""
        due_at = await self._keys.doubt(claim.row, error)
        await self._rest(claim, due_at=due_at or self._keys.tried_again_at(self._clock.now()))

    async def _look(self, claim: Claim[ApiKeyRow]) -> None:
        row = claim.row
        client = await self._keys.client(row.id)
        if client is None:
            await self._rest(claim, due_at=self._clock.now() + self._timings.sync)
            return
        await self._endpoints.ensure(row)
        try:
            findings = await self._ask(client, row)
        except ProviderError as error:
            if isinstance(error, KeyRejected) and await self._keys.works(row.id) is False:
                await self._doubt(claim, error)
                return
            log.info("Styles and LoRAs of key %s could not be compared: %s", row.id, error)
            wait = backoff(row.attempt, first=self._timings.backoff_first, ceiling=self._timings.backoff_max)
            due_at = self._clock.now() + max(wait, timedelta(seconds=error.retry_after or 0))
            await self._rest(claim, due_at=due_at, attempt=row.attempt + 1)
        else:
            await self._take_over(claim, findings)

    async def _ask(self, client: ProviderClient, row: ApiKeyRow) -> Findings:
        known = await self._database.fetch(loras.remote_ids, row.guild_id, row.provider)
        listed_styles = await client.styles()
        offered = await self._database.fetch(styles.offered, row.guild_id, row.provider)
        if listed_styles and row.attempt == 0 and offered - {style.remote_id for style in listed_styles}:
            raise Unavailable("a style is no longer listed; the list is read once more before it is believed")
        listed = {lora.request_id for lora in await client.loras()} if known else set[str]()
        missing = [each for each in known if each not in listed]
        noted = await self._database.fetch(loras.noted_missing, row.guild_id, row.provider)
        for each in missing:
            if each not in noted and await is_there(client, each):
                raise Unavailable("the list lacks a LoRA that is there")
        return Findings(listed_styles, [each for each in known if each in listed], missing)

    async def _take_over(self, claim: Claim[ApiKeyRow], findings: Findings) -> None:
        """Store a comparison in one transaction, so that half of one never marks anything as retired or missing."""
        row, now = claim.row, self._clock.now()

        async def transaction(connection: AsyncConnection) -> None:
            await store(connection, api_keys, claim, due_at=now + self._timings.sync, checked_at=now, attempt=0)
            if findings.styles:
                await styles.replace_all(connection, row.guild_id, row.provider, columns_of(findings.styles), now=now)
            await loras.mark_missing(connection, row.guild_id, row.provider, findings.missing, now=now)
            await loras.mark_found(connection, row.guild_id, row.provider, findings.there)

        await self._database.write(transaction)

    async def _rest(self, claim: Claim[ApiKeyRow], *, due_at: datetime, attempt: int = 0, **values: Any) -> None:
        await self._database.write(
            lambda connection: store(connection, api_keys, claim, due_at=due_at, attempt=attempt, **values)
        )


def columns_of(reports: Sequence[StyleReport]) -> Mapping[str, Mapping[str, Any]]:
    """The columns of each style, by its id at the provider. Values that do not fit are cut or left out.

    Ranges of the defaults: Aurous Labs /list-available-lora-styles.
    """
    return {
        report.remote_id: {
            "slug": report.slug if report.slug and len(report.slug) <= styles.TEXT_MAX else None,
            "name": report.name[: styles.TEXT_MAX],
            "description": report.description[:DESCRIPTION_MAX],
            "preview_url": report.preview_url if _is_showable(report.preview_url) else None,
            "denoise": _within(report.denoise, 0, 1),
            "guidance": _within(report.guidance, 0.1, 30),
            "steps": _within(report.steps, 1, 100),
            "has_template": report.has_template,
            "is_public": report.is_public,
            "created_at": report.created_at,
        }
        for report in reports
        if len(report.remote_id) <= styles.REMOTE_ID_MAX
    }


def _is_showable(url: str | None) -> bool:
    """Whether Discord can read the address; one that it cannot read makes it refuse the whole message."""
    return url is not None and len(url) <= URL_MAX and url.isascii() and url.isprintable() and " " not in url


def _within(value: float | None, low: float, high: float) -> float | None:
    return value if value is not None and low <= value <= high else None
