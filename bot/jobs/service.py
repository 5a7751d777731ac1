"""Webhooks about jobs: which secret may have signed one, and the row that it makes due."""

from typing import Generic

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.jobs.kind import JobKind, JobT
from bot.keys.service import KeyService
from bot.providers.base import WebhookHint, WebhookSecrets
from bot.resources import Resources, Service
from bot.storage import due


class JobService(Service, Generic[JobT]):
    def __init__(self, opened: Resources, kind: JobKind[JobT], key_service: KeyService) -> None:
        super().__init__(opened)
        self._kind: JobKind[JobT] = kind
        self._keys = key_service

    async def webhook_secrets(self, token: str) -> WebhookSecrets | None:
        """The secrets of the key that the job with this token was ordered under; None when no job has it."""
        job = await self._database.fetch(self._kind.by_webhook_token, token)
        return None if job is None else await self._keys.webhook_secrets(job.guild_id, job.provider)

    async def hint(self, token: str, hint: WebhookHint) -> bool:
        """Make the job with this token due now; False when there is none or the delivery is about another object."""
        now = self._clock.now()

        async def transaction(connection: AsyncConnection) -> bool:
            job = await self._kind.by_webhook_token(connection, token)
            if job is None or job.request_id not in {None, hint.request_id}:
                return False
            if not job.status.is_terminal:
                await due.wake(connection, self._kind.table, job.id, now=now)
            return True

        return await self._database.write(transaction)
