"""A Discord of a few lines: places that hold messages, remember nonces for a while and refuse on request."""

from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from bot.clock import Clock
from bot.ports import NotNow, PlaceRefused
from bot.records.guild import Place
from bot.records.post import Post


class Trouble(StrEnum):
    BEFORE = "before"
    """Discord was not reached."""
    AFTER = "after"
    """Discord has the message, but its answer was lost."""


@dataclass(frozen=True, slots=True)
class Message:
    id: int
    nonce: str
    place: Place
    kind: str
    sent_at: datetime


async def nothing(post: Post) -> None:
    """No post takes long to make."""


@dataclass(slots=True)
class FakePoster:
    """Implements `bot.outbox.Poster`; `trouble` holds one entry for each coming send or edit, None: all is well."""

    clock: Clock
    nonce_memory: timedelta = timedelta(minutes=3)
    ready: bool = True
    closed: set[Place] = field(default_factory=set)
    trouble: deque[Trouble | None] = field(default_factory=deque)
    retry_after: timedelta | None = None
    messages: list[Message] = field(default_factory=list)
    edits: list[tuple[str, int]] = field(default_factory=list)
    """Kind and revision of each edit."""
    attempts: list[tuple[str, Place]] = field(default_factory=list)
    """Nonce and place of each try to send, those that failed included."""
    searches: int = 0
    removed: list[Message] = field(default_factory=list)
    """Messages the bot has deleted."""
    preparing: Callable[[Post], Awaitable[object]] = nothing

    def is_ready(self) -> bool:
        return self.ready

    def kinds(self) -> list[str]:
        return [message.kind for message in self.messages]

    async def prepare(self, post: Post) -> object:
        return await self.preparing(post)

    async def send(self, post: Post, place: Place, prepared: object = None) -> int:
        self.attempts.append((post.nonce, place))
        trouble = self._enter(place)
        message = self._remembered(post, place)
        if message in self.removed:
            return 0
        if message is None:
            message = Message(1000 + len(self.messages), post.nonce, place, post.kind, self.clock.now())
            self.messages.append(message)
        if trouble is Trouble.AFTER:
            raise NotNow("the answer was lost", retry_after=self.retry_after, is_outage=True)
        return message.id

    async def edit(self, post: Post, place: Place) -> None:
        self._enter(place)
        self.edits.append((post.kind, post.revision))

    async def find(self, post: Post, place: Place) -> int | None:
        self.searches += 1
        return next((m.id for m in self.messages if m.nonce == post.nonce and m.place == place), None)

    async def remove(self, post: Post, place: Place) -> bool:
        self._enter(place)
        found = [message for message in self.messages if (message.id, message.place) == (post.message_id, place)]
        self.messages = [message for message in self.messages if message not in found]
        self.removed += found
        return bool(found)

    def _enter(self, place: Place) -> Trouble | None:
        trouble = self.trouble.popleft() if self.trouble else None
        if trouble is Trouble.BEFORE:
            raise NotNow("not reached", retry_after=self.retry_after, is_outage=True)
        if place in self.closed:
            raise PlaceRefused("closed", is_closed=True)
        return trouble

    def _remembered(self, post: Post, place: Place) -> Message | None:
        """What was sent under the nonce, also when it was deleted since: then Discord posts nothing and refuses."""
        since = self.clock.now() - self.nonce_memory
        same = (m for m in (*self.messages, *self.removed) if m.nonce == post.nonce and m.place == place)
        return next((m for m in same if m.sent_at >= since), None)
