"""The address to which Discord sends interactions over HTTP, signed, once an application names one."""

import json
import time
from collections import Counter

import aiohttp

from tests.fakes.signing import ApplicationKey
from tests.wire.discord.answers import Json


class Endpoint:
    """Discord shows nothing for an answer that is not a 202 without a body, or the PONG to a PING."""

    def __init__(self, url: str, key: ApplicationKey) -> None:
        self.url = url
        self.key = key
        self.delivered: list[Json] = []
        self.answers: Counter[tuple[int, str]] = Counter()
        """Status and body."""

    async def deliver(self, envelope: Json) -> tuple[int, str]:
        body = json.dumps(envelope).encode()
        headers = {**self.key.sign(body, time.time()), "Content-Type": "application/json"}
        async with (
            aiohttp.ClientSession() as session,
            session.post(self.url, data=body, headers=headers) as answer,
        ):
            said = answer.status, await answer.text()
        self.delivered.append(envelope)
        self.answers[said] += 1
        return said

    async def ping(self) -> tuple[int, str]:
        """What Discord does when somebody enters the address in the developer portal."""
        return await self.deliver({"id": "1", "application_id": "1", "type": 1, "version": 1})
