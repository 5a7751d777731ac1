"""The Idempotency-Keys that the rehearsal Aurous Labs has seen in 24 hours, with their answers. No I/O.

Source: Aurous Labs /idempotency. Only orders that were taken are kept; a refused one is checked again.
"""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.sandbox.aurous.refusals import Refusal

WINDOW = timedelta(hours=24)


@dataclass(slots=True)
class Original:
    """The first call under a key. It is in flight until its answer is sent, and answered once `status` is set."""

    team: str
    key: str
    route: str
    canonical_body: str
    at: datetime
    is_in_flight: bool = True
    status: int = 0
    answer: bytes = b""


class Replays:
    def __init__(self) -> None:
        self._originals: dict[tuple[str, str], Original] = {}

    def claim(self, team: str, key: str, route: str, body: object, now: datetime) -> tuple[Original, bool]:
        """The first call under this key, and whether it is this one. Refused in flight and for another body."""
        canonical = json.dumps(body, sort_keys=True)
        found = self._originals.get((team, key))
        if found is None or (now - found.at > WINDOW and not found.is_in_flight):
            self._originals[team, key] = made = Original(team, key, route, canonical, now)
            return made, True
        if found.is_in_flight or (found.route, found.canonical_body) != (route, canonical):
            raise Refusal(409, "idempotency_key_in_use", "This Idempotency-Key is in use.")
        return found, False

    def forget(self, original: Original) -> None:
        self._originals.pop((original.team, original.key), None)
