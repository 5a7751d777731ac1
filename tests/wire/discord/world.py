"""The simulated community: people, guilds, roles, channels and threads, and who may do what where."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import IntEnum, IntFlag

from tests.wire.discord.answers import Json, refuse

DISCORD_EPOCH_MS = 1_420_070_400_000
DEFAULT_UPLOAD_LIMIT_BYTES = 10 * 1024 * 1024


class Permit(IntFlag):
    """Permission bits (Discord documentation, topics/permissions)."""

    ADMINISTRATOR = 1 << 3
    MANAGE_CHANNELS = 1 << 4
    MANAGE_GUILD = 1 << 5
    ADD_REACTIONS = 1 << 6
    VIEW_CHANNEL = 1 << 10
    SEND_MESSAGES = 1 << 11
    MANAGE_MESSAGES = 1 << 13
    EMBED_LINKS = 1 << 14
    ATTACH_FILES = 1 << 15
    READ_MESSAGE_HISTORY = 1 << 16
    MANAGE_ROLES = 1 << 28
    USE_APPLICATION_COMMANDS = 1 << 31
    MANAGE_THREADS = 1 << 34
    CREATE_PUBLIC_THREADS = 1 << 35
    CREATE_PRIVATE_THREADS = 1 << 36
    SEND_MESSAGES_IN_THREADS = 1 << 38
    CREATE_EVENTS = 1 << 44
    PIN_MESSAGES = 1 << 51


ALL_PERMISSIONS = (1 << 52) - 1
MEMBER_PERMISSIONS = (
    Permit.ADD_REACTIONS
    | Permit.VIEW_CHANNEL
    | Permit.SEND_MESSAGES
    | Permit.EMBED_LINKS
    | Permit.ATTACH_FILES
    | Permit.READ_MESSAGE_HISTORY
    | Permit.USE_APPLICATION_COMMANDS
    | Permit.CREATE_PUBLIC_THREADS
    | Permit.SEND_MESSAGES_IN_THREADS
)
BOT_PERMISSIONS = MEMBER_PERMISSIONS | Permit.CREATE_PRIVATE_THREADS | Permit.PIN_MESSAGES


class ChannelKind(IntEnum):
    TEXT = 0
    DM = 1
    PUBLIC_THREAD = 11
    PRIVATE_THREAD = 12


def timestamp() -> str:
    return datetime.now(UTC).isoformat()


class Snowflakes:
    """Ids that carry the time of day, as discord.py reads an interaction's age from its id."""

    def __init__(self) -> None:
        self._last = 0
        self.time_of_day: Callable[[], float] = time.time
        """Seconds since 1970."""

    def make(self) -> int:
        now = (int(self.time_of_day() * 1000) - DISCORD_EPOCH_MS) << 22
        self._last = max(self._last + 1, now)
        return self._last


@dataclass(slots=True)
class Person:
    id: int
    name: str
    is_bot: bool = False
    accepts_dms: bool = True
    upload_limit_bytes: int = DEFAULT_UPLOAD_LIMIT_BYTES
    locale: str = "en-US"

    def payload(self) -> Json:
        return {
            "id": str(self.id),
            "username": self.name,
            "global_name": self.name.title(),
            "discriminator": "0",
            "avatar": None,
            "bot": self.is_bot,
            "public_flags": 0,
            "flags": 0,
        }


@dataclass(slots=True)
class Role:
    id: int
    name: str
    permissions: int

    def payload(self) -> Json:
        return {
            "id": str(self.id),
            "name": self.name,
            "permissions": str(int(self.permissions)),
            "position": 0 if self.name == "@everyone" else 1,
            "color": 0,
            "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
            "hoist": False,
            "managed": False,
            "mentionable": False,
            "flags": 0,
        }


@dataclass(eq=False)
class Channel:
    """A text channel, thread or DM. `denied` maps a member's id to the permission bits taken from them here."""

    id: int
    name: str
    kind: ChannelKind
    guild: "Guild | None" = None
    parent: "Channel | None" = None
    recipient: Person | None = None
    owner_id: int = 0
    denied: dict[int, int] = field(default_factory=dict)
    is_archived: bool = False
    is_locked: bool = False
    is_deleted: bool = False

    @property
    def is_thread(self) -> bool:
        return self.kind in {ChannelKind.PUBLIC_THREAD, ChannelKind.PRIVATE_THREAD}

    def payload(self) -> Json:
        base: Json = {"id": str(self.id), "type": int(self.kind), "last_message_id": None, "flags": 0}
        if self.guild is None:
            recipients = [self.recipient.payload()] if self.recipient else []
            return base | {"recipients": recipients}
        base |= {"name": self.name, "guild_id": str(self.guild.id), "rate_limit_per_user": 0, "nsfw": False}
        if self.parent is not None:
            return base | self._thread_payload(self.parent)
        overwrites = [{"id": str(who), "type": 1, "allow": "0", "deny": str(bits)} for who, bits in self.denied.items()]
        return base | {"position": 0, "parent_id": None, "topic": None, "permission_overwrites": overwrites}

    def _thread_payload(self, parent: "Channel") -> Json:
        metadata = {
            "archived": self.is_archived,
            "locked": self.is_locked,
            "auto_archive_duration": 1440,
            "archive_timestamp": timestamp(),
        }
        return {
            "parent_id": str(parent.id),
            "owner_id": str(self.owner_id),
            "message_count": 0,
            "member_count": 1,
            "total_message_sent": 0,
            "thread_metadata": metadata,
        }


@dataclass(eq=False)
class Guild:
    id: int
    name: str
    owner_id: int
    roles: dict[int, Role]
    people: dict[int, Person] = field(default_factory=dict)
    members: dict[int, list[int]] = field(default_factory=dict)
    """User id -> ids of the roles they hold beyond @everyone."""
    channels: dict[int, Channel] = field(default_factory=dict)
    upload_limit_bytes: int = DEFAULT_UPLOAD_LIMIT_BYTES
    premium_tier: int = 0
    has_bot: bool = True

    def permissions_of(self, person_id: int, channel: Channel | None = None) -> int:
        if person_id not in self.members:
            return 0
        bits = int(self.roles[self.id].permissions)
        for role_id in self.members[person_id]:
            bits |= int(self.roles[role_id].permissions)
        if person_id == self.owner_id or bits & Permit.ADMINISTRATOR:
            return ALL_PERMISSIONS
        place = channel.parent if channel is not None and channel.parent is not None else channel
        return bits & ~place.denied.get(person_id, 0) if place is not None else bits

    def member_payload(self, person: Person) -> Json:
        return {
            "user": person.payload(),
            "roles": [str(role_id) for role_id in self.members[person.id]],
            "nick": None,
            "avatar": None,
            "joined_at": "2026-01-01T00:00:00+00:00",
            "premium_since": None,
            "pending": False,
            "deaf": False,
            "mute": False,
            "flags": 0,
        }

    def payload(self, bot: Person) -> Json:
        """As in GUILD_CREATE for a bot without the members intent: only its own member is inside."""
        live = [channel for channel in self.channels.values() if not channel.is_deleted]
        return self.rest_payload() | {
            "large": False,
            "unavailable": False,
            "member_count": len(self.members),
            "members": [self.member_payload(bot)],
            "channels": [channel.payload() for channel in live if not channel.is_thread],
            "threads": [channel.payload() for channel in live if channel.is_thread and not channel.is_archived],
            "voice_states": [],
            "presences": [],
            "stage_instances": [],
            "guild_scheduled_events": [],
            "soundboard_sounds": [],
            "joined_at": "2026-01-01T00:00:00+00:00",
        }

    def listed_payload(self, bot: Person) -> Json:
        """As in the list of the bot's guilds."""
        return {
            "id": str(self.id),
            "name": self.name,
            "icon": None,
            "owner": False,
            "permissions": str(int(self.permissions_of(bot.id))),
            "features": [],
        }

    def rest_payload(self) -> Json:
        return {
            "id": str(self.id),
            "name": self.name,
            "owner_id": str(self.owner_id),
            "roles": [role.payload() for role in self.roles.values()],
            "emojis": [],
            "stickers": [],
            "features": [],
            "icon": None,
            "splash": None,
            "banner": None,
            "premium_tier": self.premium_tier,
            "preferred_locale": "en-US",
            "verification_level": 0,
            "default_message_notifications": 0,
            "explicit_content_filter": 0,
            "mfa_level": 0,
            "nsfw_level": 0,
            "afk_timeout": 300,
            "system_channel_id": None,
            "system_channel_flags": 0,
        }


class World:
    """Everything that exists; the bot is in every guild unless it was removed."""

    def __init__(self, snowflakes: Snowflakes) -> None:
        self._snowflakes = snowflakes
        self.bot = Person(snowflakes.make(), "darkroom", is_bot=True)
        self.people: dict[int, Person] = {self.bot.id: self.bot}
        self.guilds: dict[int, Guild] = {}
        self.channels: dict[int, Channel] = {}

    def add_person(self, name: str) -> Person:
        person = Person(self._snowflakes.make(), name)
        self.people[person.id] = person
        return person

    def add_guild(self, name: str, bot_permissions: int = BOT_PERMISSIONS) -> Guild:
        guild_id = self._snowflakes.make()
        everyone = Role(guild_id, "@everyone", MEMBER_PERMISSIONS)
        guild = Guild(guild_id, name, self._snowflakes.make(), {guild_id: everyone})
        self.guilds[guild.id] = guild
        self.join(guild, self.bot, bot_permissions)
        return guild

    def join(self, guild: Guild, person: Person, permissions: int = 0) -> None:
        """Make `person` a member; `permissions` come as a role of their own, on top of what everyone has."""
        guild.people[person.id] = person
        guild.members[person.id] = []
        if permissions:
            role = Role(self._snowflakes.make(), f"role of {person.name}", permissions)
            guild.roles[role.id] = role
            guild.members[person.id].append(role.id)

    def add_channel(self, guild: Guild, name: str) -> Channel:
        channel = Channel(self._snowflakes.make(), name, ChannelKind.TEXT, guild=guild)
        guild.channels[channel.id] = self.channels[channel.id] = channel
        return channel

    def add_thread(self, parent: Channel, name: str, owner: Person, kind: ChannelKind, thread_id: int = 0) -> Channel:
        assert parent.guild is not None
        made_id = thread_id or self._snowflakes.make()
        thread = Channel(made_id, name, kind, guild=parent.guild, parent=parent, owner_id=owner.id)
        parent.guild.channels[thread.id] = self.channels[thread.id] = thread
        return thread

    def open_dm(self, person: Person) -> Channel:
        for channel in self.channels.values():
            if channel.recipient is person:
                return channel
        channel = Channel(self._snowflakes.make(), "", ChannelKind.DM, recipient=person)
        self.channels[channel.id] = channel
        return channel

    def find_channel(self, channel_id: int) -> Channel:
        """The channel, if the bot may see it: 10003 when it is gone, 50001 when it is out of sight."""
        channel = self.channels.get(channel_id)
        if channel is None or channel.is_deleted or (channel.parent is not None and channel.parent.is_deleted):
            raise refuse(10003)
        if channel.guild is not None and not channel.guild.has_bot:
            raise refuse(50001)
        self.require(channel, Permit.VIEW_CHANNEL)
        return channel

    def require(self, channel: Channel, *needed: Permit) -> None:
        if channel.guild is None:
            return
        bits = channel.guild.permissions_of(self.bot.id, channel)
        if not bits & Permit.VIEW_CHANNEL:
            raise refuse(50001)
        if any(not bits & permit for permit in needed):
            raise refuse(50013)

    def find_guild(self, guild_id: int) -> Guild:
        guild = self.guilds.get(guild_id)
        if guild is None or not guild.has_bot:
            raise refuse(10004)
        return guild
