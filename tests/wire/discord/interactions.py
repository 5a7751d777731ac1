"""Interactions: their envelopes, their tokens' rules, and the handle a test follows one by."""

import math
import secrets
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from tests.fakes.waiting import HANG_S
from tests.wire.discord.answers import Json, refuse
from tests.wire.discord.messages import StoredMessage
from tests.wire.discord.watch import Watch, now_s
from tests.wire.discord.world import ALL_PERMISSIONS, Channel, Person, Snowflakes


class InteractionKind(IntEnum):
    COMMAND = 2
    COMPONENT = 3
    AUTOCOMPLETE = 4
    MODAL_SUBMIT = 5


class CallbackKind(IntEnum):
    MESSAGE = 4
    DEFERRED_MESSAGE = 5
    DEFERRED_UPDATE = 6
    UPDATE = 7
    CHOICES = 8
    MODAL = 9


@dataclass(frozen=True, slots=True)
class Callback:
    """The bot's first answer; `latency_seconds` runs from the dispatch to its arrival."""

    kind: CallbackKind
    data: Json
    latency_seconds: float


@dataclass(eq=False)
class InteractionHandle:
    id: int
    token: str
    kind: InteractionKind
    user: Person
    channel: Channel
    watch: Watch
    attachment_size_limit: int
    metadata: Json
    """interaction_metadata of the messages that answer it."""
    source: StoredMessage | None = None
    """The message whose component (or whose component's modal) was used."""
    dispatched_at: float = field(default_factory=now_s)
    callback: Callback | None = None
    original_message: StoredMessage | None = None
    followups: list[StoredMessage] = field(default_factory=list)
    is_expired: bool = False

    def expire(self) -> None:
        """From now on its token answers as if its life were over."""
        self.is_expired = True

    async def responded(self, seconds: float = HANG_S) -> Callback:
        await self.watch.until(lambda: self.callback is not None, f"an answer to {self.kind.name}", seconds)
        assert self.callback is not None
        return self.callback

    async def original(self, seconds: float = HANG_S) -> StoredMessage:
        """The original response, possibly still "thinking"."""
        await self.watch.until(lambda: self.original_message is not None, "an original response", seconds)
        assert self.original_message is not None
        return self.original_message

    async def settled(self, seconds: float = HANG_S) -> StoredMessage:
        """The original response once it has stopped "thinking"."""
        message = await self.original(seconds)
        await self.watch.until(lambda: not message.is_loading, "an end of the thinking", seconds)
        return message

    async def followed_up(self, count: int = 1, seconds: float = HANG_S) -> list[StoredMessage]:
        await self.watch.until(lambda: len(self.followups) >= count, f"{count} follow-ups", seconds)
        return self.followups

    @property
    def modal(self) -> Json | None:
        return self._data_of(CallbackKind.MODAL)

    @property
    def choices(self) -> list[Json]:
        return list((self._data_of(CallbackKind.CHOICES) or {}).get("choices") or [])

    def _data_of(self, kind: CallbackKind) -> Json | None:
        if self.callback is None or self.callback.kind is not kind:
            return None
        return self.callback.data

    @property
    def latency_seconds(self) -> float:
        """Infinite as long as nothing was answered."""
        return math.inf if self.callback is None else self.callback.latency_seconds


class InteractionBook:
    """All interactions by token. Lives are in seconds and may be changed at any time."""

    def __init__(self, snowflakes: Snowflakes, bot: Person, watch: Watch) -> None:
        self._snowflakes = snowflakes
        self._bot = bot
        self._watch = watch
        self._by_token: dict[str, InteractionHandle] = {}
        self.ack_seconds = HANG_S
        """Discord waits three. How quickly the bot answers is measured by the bench, for it depends on the machine."""
        self.token_life_seconds = 900.0

    def open(
        self, kind: InteractionKind, user: Person, channel: Channel, source: StoredMessage | None = None
    ) -> InteractionHandle:
        guild = channel.guild
        limit = max(user.upload_limit_bytes, guild.upload_limit_bytes if guild else 0)
        made_id = self._snowflakes.make()
        metadata: Json = {
            "id": str(made_id),
            "type": int(kind),
            "user": user.payload(),
            "authorizing_integration_owners": _owners(channel),
        }
        if kind is InteractionKind.COMPONENT and source is not None:
            metadata["interacted_message_id"] = str(source.id)
        token = "aW50ZXJhY3Rpb24" + secrets.token_urlsafe(96)
        handle = InteractionHandle(made_id, token, kind, user, channel, self._watch, limit, metadata, source)
        self._by_token[token] = handle
        return handle

    def envelope(self, handle: InteractionHandle, data: Json, message: Json | None = None) -> Json:
        """The INTERACTION_CREATE payload (Discord documentation, interactions/receiving-and-responding)."""
        channel, user, guild = handle.channel, handle.user, handle.channel.guild
        made: Json = {
            "id": str(handle.id),
            "application_id": str(self._bot.id),
            "type": int(handle.kind),
            "token": handle.token,
            "version": 1,
            "data": data,
            "channel_id": str(channel.id),
            "channel": channel.payload(),
            "locale": user.locale,
            "app_permissions": str(ALL_PERMISSIONS),
            "entitlements": [],
            "entitlement_sku_ids": [],
            "authorizing_integration_owners": _owners(channel),
            "context": 0 if guild else 1,
            "attachment_size_limit": handle.attachment_size_limit,
        }
        if message is not None:
            made["message"] = message
        if guild is None:
            return made | {"user": user.payload()}
        permissions = str(int(guild.permissions_of(user.id, channel)))
        made["channel"] |= {"permissions": permissions}
        return made | {
            "guild_id": str(guild.id),
            "guild": {"id": str(guild.id), "locale": "en-US", "features": []},
            "guild_locale": "en-US",
            "member": guild.member_payload(user) | {"permissions": permissions},
            "app_permissions": str(int(guild.permissions_of(self._bot.id, channel))),
        }

    def for_callback(self, interaction_id: int, token: str) -> InteractionHandle:
        """10062 when unknown or too late, 40060 when already answered."""
        handle = self._by_token.get(token)
        if handle is None or handle.id != interaction_id:
            raise refuse(10062)
        if handle.callback is not None:
            raise refuse(40060)
        if handle.is_expired or now_s() - handle.dispatched_at > self.ack_seconds:
            raise refuse(10062)
        return handle

    def for_webhook(self, application_id: int, token: str) -> InteractionHandle:
        """50027 when the token's life is over, 10015 when it is unknown or nothing was acknowledged yet."""
        handle = self._by_token.get(token)
        if handle is None or application_id != self._bot.id:
            raise refuse(10015)
        if handle.is_expired or now_s() - handle.dispatched_at > self.token_life_seconds:
            raise refuse(50027)
        if handle.callback is None:
            raise refuse(10015)
        return handle

    def acknowledge(self, handle: InteractionHandle, kind: CallbackKind, data: Any) -> None:
        handle.callback = Callback(kind, data or {}, now_s() - handle.dispatched_at)
        self._watch.changed()


def _owners(channel: Channel) -> Json:
    return {"0": str(channel.guild.id) if channel.guild else "0"}
