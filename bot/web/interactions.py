"""The route for interactions that Discord sends over HTTP: signed, fresh, and each taken once."""

import json
import logging
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from bot.clock import Clock
from bot.web.server import HttpRequest, HttpResponse, Route
from bot.web.webhooks import REFUSED

log = logging.getLogger(__name__)

PATH = "/interactions"
BODY_BYTES = 262_144
"""Of one interaction: a form of 5 texts with 4,000 characters each, and the message that it was opened from, fit in."""
FRESH_S = 300.0
"""Seconds that may lie between Discord's signature and our clock, in either direction."""

_SIGNATURE = re.compile(r"[0-9A-Fa-f]{128}")
_TIMESTAMP = re.compile(r"[0-9]{1,12}")
_PING = 1
_PONG = HttpResponse(200, '{"type":1}', "application/json")
_TAKEN = HttpResponse(202)
"""Without a body: the answer follows by the callback route (Discord /docs/interactions/receiving-and-responding)."""
_UNREADABLE = HttpResponse(400, "This is not an interaction.")
_LATER = HttpResponse(503, "Nobody can take this just now.")

Take = Callable[[Mapping[str, Any]], bool]
"""Hands an interaction to whoever works on it, and does not wait for that; False while there is nobody."""


class InteractionRoutes:
    """`public_key` is the application's, in hexadecimal.

    Everything that is not signed by its owner gets the same 401, and nothing of it is parsed. An interaction that is
    delivered again while its signature could still be fresh is acknowledged and not worked on a second time.
    """

    def __init__(self, public_key: str, take: Take, clock: Clock) -> None:
        self._key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_key))
        self._take = take
        self._clock = clock
        self._taken: dict[str, datetime] = {}
        """When each interaction was taken, oldest first."""

    def routes(self) -> list[Route]:
        return [Route("POST", PATH, self.handle, body_bytes=BODY_BYTES)]

    async def handle(self, request: HttpRequest) -> HttpResponse:
        if not self._is_signed(request):
            return REFUSED
        interaction = _read(request.body)
        if interaction.get("type") == _PING:
            return _PONG
        interaction_id = interaction.get("id")
        return self._take_once(interaction_id, interaction) if isinstance(interaction_id, str) else _UNREADABLE

    def _is_signed(self, request: HttpRequest) -> bool:
        """Whether Discord signed the timestamp and the body as they came, a short while ago."""
        signature = request.headers.get("X-Signature-Ed25519", "")
        timestamp = request.headers.get("X-Signature-Timestamp", "")
        if not _SIGNATURE.fullmatch(signature) or not _TIMESTAMP.fullmatch(timestamp):
            return False
        try:
            self._key.verify(bytes.fromhex(signature), timestamp.encode() + request.body)
        except InvalidSignature:
            return False
        age_s = self._clock.now().timestamp() - int(timestamp)
        if abs(age_s) > FRESH_S:
            log.warning("Discord signed an interaction %.0f s ago, so it was refused: is the clock right?", age_s)
            return False
        return True

    def _take_once(self, interaction_id: str, interaction: Mapping[str, Any]) -> HttpResponse:
        self._forget()
        if interaction_id in self._taken:
            log.info("An interaction was delivered again; it is worked on already")
            return _TAKEN
        self._taken[interaction_id] = self._clock.now()
        if self._take(interaction):
            return _TAKEN
        del self._taken[interaction_id]
        return _LATER

    def _forget(self) -> None:
        """Signatures up to FRESH_S ahead of our clock are taken, too: so each id is kept for twice that."""
        now = self._clock.now()
        while self._taken:
            oldest = next(iter(self._taken))
            if (now - self._taken[oldest]).total_seconds() <= 2 * FRESH_S:
                return
            del self._taken[oldest]


def _read(body: bytes) -> Mapping[str, Any]:
    """The fields of the interaction; none when the body is no JSON object."""
    try:
        read = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return read if isinstance(read, dict) else {}
