"""What the services need of Discord: posts, members, threads, calendar. Implemented in cogs/adapters/."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

from bot.errors import DarkroomError
from bot.records.event import Event
from bot.records.guild import Place
from bot.records.post import Post


class Members(Protocol):
    """Asks Discord who is still a member of a guild; an interaction tells that only about its own member."""

    async def is_member(self, guild_id: int, user_id: int) -> bool: ...

    async def roles_of(self, guild_id: int, user_id: int) -> frozenset[int] | None:
        """Their roles; None for who is no member, or when Discord does not say at once."""
        ...


class PlaceRefused(DarkroomError):
    """Discord will never accept the post in this place.

    `is_closed`: nor any other of its kind, because the place is gone or the bot lacks permission.
    """

    def __init__(self, reason: str, *, is_closed: bool = False) -> None:
        super().__init__(reason)
        self.is_closed = is_closed


class NotNow(DarkroomError):
    """Discord did not say whether it accepted the post; trying again with the same nonce is safe.

    `is_outage`: it would not have said so of any other post either.
    """

    def __init__(self, reason: str, *, retry_after: timedelta | None = None, is_outage: bool = False) -> None:
        super().__init__(reason)
        self.retry_after = retry_after
        self.is_outage = is_outage


class Poster(Protocol):
    """Renders posts and sends them to Discord. Its methods raise PlaceRefused and NotNow, nothing else."""

    def is_ready(self) -> bool:
        """Whether Discord can be reached at all right now."""
        ...

    async def prepare(self, post: Post) -> Any:
        """What takes longer to make than others can wait for this post's place; None for most posts."""
        ...

    async def send(self, post: Post, place: Place, prepared: Any = None) -> int:
        """Send the post, with what `prepare` made of it; returns the id of the message."""
        ...

    async def edit(self, post: Post, place: Place) -> None:
        """Show the subject's present state in the message that was sent."""
        ...

    async def find(self, post: Post, place: Place) -> int | None:
        """The id of the message that an earlier, interrupted try left in this place; None when there is none."""
        ...

    async def remove(self, post: Post, place: Place) -> bool:
        """Delete the message sent earlier. False when it was gone already."""
        ...


@dataclass(frozen=True, slots=True)
class ReadinessCheck:
    """One line of the readiness card.

    `fix` says what to do when it is not ok. An optional check does not keep an event from being opened.
    """

    what: str
    is_ok: bool
    fix: str = ""
    is_optional: bool = False


class Venue(Protocol):
    """Threads, pins, roles, calendar entries of events. Every method raises NotNow when Discord does not answer."""

    async def check(self, event: Event) -> Sequence[ReadinessCheck]:
        """Permissions in the channel, for thread, pin, calendar, role, the upload limit; the first alone is needed."""
        ...

    async def open_thread(self, event: Event, message_id: int) -> int | None:
        """Open a thread on the panel's message, which can have only one; its id, None without permission."""
        ...

    async def set_pinned(self, guild_id: int, channel_id: int, message_id: int, *, is_pinned: bool) -> bool:
        """Pin or unpin a message; False where the bot may not, or when all pins of the channel are taken."""
        ...

    async def set_role(self, guild_id: int, user_id: int, role_id: int, *, is_given: bool) -> bool:
        """Give or take a role; False when they have left, the role is gone, or the bot may not."""
        ...

    async def put_on_calendar(self, event: Event) -> int | None:
        """Create Discord's scheduled event, or find the one made before; its id, None without permission.

        Before the event is open, the one made before is given its present time.
        """
        ...

    async def end_on_calendar(self, event: Event) -> None:
        """Complete or cancel Discord's scheduled event; does nothing when it is gone."""
        ...
