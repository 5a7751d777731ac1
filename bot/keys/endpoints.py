"""Webhook endpoints that are registered at a provider under a guild's API key."""

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from secrets import token_urlsafe

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.errors import OutcomeUnknown, ProviderError, Refused
from bot.keys.service import KeyService
from bot.process.log import redact_value
from bot.providers.base import ProviderClient, WebhookHint, WebhookSecrets
from bot.records.key import ApiKeyRow
from bot.resources import Resources, Service
from bot.storage import due as due_rows
from bot.storage import tables
from bot.storage.jobs import generations, trainings
from bot.storage.money import keys as rows

log = logging.getLogger(__name__)


TOKEN_BYTES = 24
LOST_MOST = 3
"""After so many registrations without an answer we stop: each may have left an unused endpoint at the provider."""
REMOVE_DEADLINE_S = 10
HEARD_AGAIN = timedelta(minutes=1)
"""Deliveries about single jobs are noted at most this often."""

UNSIGNED = "unsigned"
"""The variant of a hint without a signature."""


class Arrivals:
    """Lets code in this process wait for a delivery to a token."""

    def __init__(self) -> None:
        self._waiting: list[tuple[str, asyncio.Event]] = []

    @contextlib.contextmanager
    def expect(self, token: str) -> Iterator[asyncio.Event]:
        entry = (token, asyncio.Event())
        self._waiting.append(entry)
        try:
            yield entry[1]
        finally:
            self._waiting.remove(entry)

    def note(self, token: str) -> bool:
        """Wake the code that waits for this token; False when none does."""
        waiting = [event for expected, event in self._waiting if expected == token]
        for event in waiting:
            event.set()
        return bool(waiting)


class EndpointService(Service):
    """Registers, tests and removes endpoints; also a HintReceiver (bot/web/webhooks.py) for their tokens.

    The address and the secret are stored together after the provider has answered. A crash in between leaves one
    endpoint behind whose deliveries are refused; the provider switches such an endpoint off by itself.
    """

    def __init__(self, opened: Resources, keys: KeyService) -> None:
        super().__init__(opened)
        self._keys = keys
        self._public_url = opened.public_url
        self._arrivals = Arrivals()
        self._failed: Counter[int] = Counter()

    async def ensure(self, row: ApiKeyRow) -> None:
        """Like `bring_up`, for callers that try again later: trouble with the provider is only logged."""
        try:
            await self.bring_up(row)
        except ProviderError as error:
            log.info("No webhook endpoint for key %s yet: %s", row.id, type(error).__name__)

    async def bring_up(self, row: ApiKeyRow) -> None:
        """Register an endpoint at the present public address, or remove the key's endpoint when there is no address.

        Raises ProviderError when another try later may succeed. A provider that refuses the address, or whose answer
        got lost LOST_MOST times, is not asked again before the next start.
        """
        base = self._public_url()
        stored = await self._database.fetch(rows.get, row.id)
        if stored is None or stored.row.retired_at is not None or stored.row.paused_at is not None:
            return
        if base is None:
            await self.remove(stored.row)
        elif stored.endpoint_token is None or stored.row.endpoint_url != _address(base, row, stored.endpoint_token):
            await self._register(stored.row, base)

    async def remove(self, row: ApiKeyRow) -> None:
        """Remove the key's endpoint. Trouble with the provider is only logged: an unused endpoint does no harm."""
        stored = await self._database.fetch(rows.get, row.id)
        if stored is None or stored.row.endpoint_id is None:
            return
        current = stored.row
        client = await self._keys.client(row.id)
        if client is not None:
            await _take_down(client, current, stored.row.endpoint_id)
        await self._database.write(lambda connection: rows.drop_endpoint(connection, current))

    async def renew(self, row: ApiKeyRow) -> None:
        """Register the endpoint again, because the provider has forgotten it or switched it off."""
        await self.remove(row)
        await self.bring_up(row)

    async def try_out(self, row: ApiKeyRow, *, patience: timedelta) -> float | None:
        """Seconds until the provider's signed test delivery arrived; None when it did not.

        Raises ProviderError: Missing when the provider does not know the endpoint (any more).
        """
        stored = await self._database.fetch(rows.get, row.id)
        client = await self._keys.client(row.id)
        if stored is None or client is None or stored.row.endpoint_id is None or stored.endpoint_token is None:
            raise Refused("There is no endpoint under this key.")
        with self._arrivals.expect(stored.endpoint_token) as arrival:
            loop = asyncio.get_running_loop()
            started = loop.time()
            if not await client.test_endpoint(stored.row.endpoint_id):
                raise Refused("The test delivery was not taken.")
            try:
                async with asyncio.timeout(patience.total_seconds()):
                    await arrival.wait()
            except TimeoutError:
                return None
            return loop.time() - started

    async def webhook_secrets(self, token: str) -> WebhookSecrets | None:
        """The secrets that may sign deliveries to this endpoint; None when no endpoint has the token.

        Such deliveries are always signed (Aurous Labs /webhooks).
        """
        stored = await self._database.fetch(rows.by_endpoint_token, token)
        if stored is None:
            return None
        secret = self._keys.secrets.open_endpoint(stored)
        return WebhookSecrets([] if secret is None else [secret])

    async def hint(self, token: str, hint: WebhookHint) -> bool:
        """Make the guild's job that the delivery is about due now; False when no endpoint has the token.

        Every verified delivery to an endpoint is accepted, so that the provider does not send it again. A delivery to
        the address of a single job is only noted here; the service of that job handles it.
        """
        now = self._clock.now()

        async def transaction(connection: AsyncConnection) -> bool:
            key = await rows.note_heard(connection, token, now=now)
            if key is None:
                if hint.variant != UNSIGNED:
                    await rows.note_heard_of_job(connection, token, now=now, unless_since=now - HEARD_AGAIN)
                return False
            await self._wake(connection, key, hint)
            return True

        if not await self._database.write(transaction):
            return False
        # Whatever was verified shows that the address works; how a test is marked is not documented for every form.
        self._arrivals.note(token)
        return True

    async def _wake(self, connection: AsyncConnection, key: ApiKeyRow, hint: WebhookHint) -> None:
        table = tables.trainings if hint.is_training else tables.generations
        job_id = await rows.job_of(connection, table, key.guild_id, key.provider, hint.request_id)
        if job_id is None:
            return
        job = await (trainings if hint.is_training else generations).get(connection, job_id)
        if job is not None and not job.status.is_terminal:
            await due_rows.wake(connection, table, job_id, now=self._clock.now())

    async def _register(self, row: ApiKeyRow, base: str) -> None:
        client = await self._keys.client(row.id)
        if client is None or self._failed[row.id] >= LOST_MOST:
            return
        token = token_urlsafe(TOKEN_BYTES)
        url = _address(base, row, token)
        try:
            endpoint = await client.register_endpoint(url)
        except Refused as error:
            self._failed[row.id] = LOST_MOST
            log.warning("%s does not take %s for its webhooks (status %s)", row.provider.label, base, error.status)
            return
        except OutcomeUnknown:
            self._failed[row.id] += 1
            raise
        if endpoint is None:
            return
        redact_value(endpoint.secret)
        del self._failed[row.id]
        secret = self._keys.secrets.seal_endpoint(endpoint.secret, row, endpoint.endpoint_id)
        is_stored = await self._database.write(
            lambda connection: rows.put_endpoint(
                connection, row, endpoint_id=endpoint.endpoint_id, url=url, token=token, secret=secret
            )
        )
        superfluous = row.endpoint_id if is_stored else endpoint.endpoint_id
        if superfluous is not None:
            await _take_down(client, row, superfluous)


def _address(base: str, row: ApiKeyRow, token: str) -> str:
    return f"{base}/webhooks/{row.provider}/{token}"


async def _take_down(client: ProviderClient, row: ApiKeyRow, endpoint_id: str) -> None:
    try:
        async with asyncio.timeout(REMOVE_DEADLINE_S):
            await client.remove_endpoint(endpoint_id)
    except (ProviderError, TimeoutError) as error:
        log.info("A webhook endpoint stays behind at %s: %s", row.provider.label, type(error).__name__)
