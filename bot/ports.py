"""What the services ask of Discord: posts, members, threads and calendars. Implemented in cogs/."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from bot.errors import DarkroomError
from bot.records.event import Event
from bot.records.guild import Place
from bot.records.post import Post


class Members(Protocol):
    """Who still belongs to a guild; the services themselves know only what an interaction said."""

    async def is_member(self, guild_id: int, user_id: int) -> bool: ...


class PlaceRefused(DarkroomError):
    """This place will not take the post, now or later: gone, no permission, closed to messages."""


class NotNow(DarkroomError):
    """Discord could not say whether it took the post; trying again with the same nonce is safe."""

    def __init__(self, reason: str, *, retry_after: timedelta | None = None) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class Poster(Protocol):
    """Renders a post and hands it to Discord. Raises PlaceRefused or NotNow, nothing else, when it cannot."""

    def is_ready(self) -> bool:
        """Whether Discord can be reached at all right now."""
        ...

    async def send(self, post: Post, place: Place) -> int:
        """The id of the message."""
        ...

    async def edit(self, post: Post, place: Place) -> None:
        """Show the subject's present state in the message sent earlier."""
        ...

    async def find(self, post: Post, place: Place) -> int | None:
        """The id of the message that an earlier, interrupted try left in this place; None when there is none."""
        ...

    async def remove(self, post: Post, place: Place) -> bool:
        """Delete the message sent earlier. False when it was gone already."""
        ...


@dataclass(frozen=True, slots=True)
class ReadinessCheck:
    """One line of the readiness card. `fix` says what to do when it is not ok; optional things never stop an event."""

    what: str
    is_ok: bool
    fix: str = ""
    is_optional: bool = False


class Venue(Protocol):
    """Every method raises bot.outbox.NotNow when Discord cannot say."""

    async def check(self, event: Event) -> Sequence[ReadinessCheck]:
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
