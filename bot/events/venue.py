"""What an event needs of Discord besides posts. Implemented in cogs/venue.py."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from bot.records.event import Event


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the readiness card. `fix` says what to do when it is not ok; optional things never stop an event."""

    what: str
    is_ok: bool
    fix: str = ""
    is_optional: bool = False


class Venue(Protocol):
    """Every method raises bot.outbox.NotNow when Discord cannot say."""

    async def check(self, event: Event) -> Sequence[Check]:
        """Permissions in the channel, thread creation, the calendar, the upload limit; the last three are optional."""
        ...

    async def open_thread(self, event: Event, message_id: int) -> int | None:
        """A thread from the panel's message, which can have one only; its id. None when the bot may not."""
        ...

    async def put_on_calendar(self, event: Event) -> int | None:
        """Discord's scheduled event, found again when it was made before; None when the bot may not."""
        ...

    async def end_on_calendar(self, event: Event) -> None:
        """Complete or cancel it; nothing happens when it is gone."""
        ...
