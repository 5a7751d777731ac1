"""REST routes of channels, threads, messages, guilds and members."""

from tests.wire.discord.answers import Answer, Call, RouteTable, refuse
from tests.wire.discord.files import check_sizes
from tests.wire.discord.messages import StoredMessage
from tests.wire.discord.state import State
from tests.wire.discord.world import DEFAULT_UPLOAD_LIMIT_BYTES, Channel, ChannelKind, Permit, timestamp


class ChannelRoutes:
    def __init__(self, state: State) -> None:
        self.state = state

    def table(self) -> RouteTable:
        message = "/channels/{channel_id}/messages/{message_id}"
        return [
            ("GET", "/channels/{channel_id}", self.get_channel),
            ("PATCH", "/channels/{channel_id}", self.edit_channel),
            ("DELETE", "/channels/{channel_id}", self.delete_channel),
            ("GET", "/channels/{channel_id}/messages", self.list_messages),
            ("POST", "/channels/{channel_id}/messages", self.create_message),
            ("GET", "/channels/{channel_id}/messages/pins", self.list_pins),
            ("GET", message, self.get_message),
            ("PATCH", message, self.edit_message),
            ("DELETE", message, self.delete_message),
            ("PUT", "/channels/{channel_id}/messages/pins/{message_id}", self.pin_message),
            ("DELETE", "/channels/{channel_id}/messages/pins/{message_id}", self.pin_message),
            ("POST", "/channels/{channel_id}/typing", self.type_in_channel),
            ("POST", "/channels/{channel_id}/threads", self.create_thread),
            ("POST", message + "/threads", self.create_thread),
            ("PUT", "/channels/{channel_id}/thread-members/{user_id}", self.add_to_thread),
            ("GET", "/guilds/{guild_id}", self.get_guild),
            ("GET", "/guilds/{guild_id}/channels", self.list_channels),
            ("GET", "/guilds/{guild_id}/members/{user_id}", self.get_member),
        ]

    def get_channel(self, call: Call) -> Answer:
        return Answer(200, self._channel(call).payload())

    def edit_channel(self, call: Call) -> Answer:
        channel = self._channel(call)
        self.state.world.require(channel, Permit.MANAGE_THREADS if channel.is_thread else Permit.MANAGE_CHANNELS)
        channel.name = call.json.get("name", channel.name)
        channel.is_archived = call.json.get("archived", channel.is_archived)
        channel.is_locked = call.json.get("locked", channel.is_locked)
        self.state.announce_channel("THREAD_UPDATE" if channel.is_thread else "CHANNEL_UPDATE", channel)
        return Answer(200, channel.payload())

    def delete_channel(self, call: Call) -> Answer:
        channel = self._channel(call)
        self.state.world.require(channel, Permit.MANAGE_THREADS if channel.is_thread else Permit.MANAGE_CHANNELS)
        channel.is_deleted = True
        self.state.announce_channel("THREAD_DELETE" if channel.is_thread else "CHANNEL_DELETE", channel)
        return Answer(200, channel.payload())

    def list_messages(self, call: Call) -> Answer:
        """Newest first; without Read Message History the list is empty."""
        channel = self._channel(call)
        guild = channel.guild
        if guild and not guild.permissions_of(self.state.world.bot.id, channel) & Permit.READ_MESSAGE_HISTORY:
            return Answer(200, [])
        messages = self.state.messages.in_channel(channel)
        limit = int(call.query.get("limit", "50"))
        if not 1 <= limit <= 100:
            raise refuse(50035, "limit must be between 1 and 100")
        if "after" in call.query:
            page = [m for m in messages if m.id > int(call.query["after"])][:limit]
        else:
            before = int(call.query.get("before", 1 << 63))
            page = [m for m in messages if m.id < before][-limit:]
        return Answer(200, [self.state.messages.payload(message) for message in reversed(page)])

    def create_message(self, call: Call) -> Answer:
        channel = self._channel(call)
        self._check_may_send(channel, call)
        check_sizes([len(file.content) for file in call.files], self._limit_bytes(channel), call.size)
        bot = self.state.world.bot
        message = self.state.messages.repeated(channel, bot, call.json)
        if message is None:
            if channel.is_archived:
                channel.is_archived = False
                self.state.announce_channel("THREAD_UPDATE", channel)
            message = self.state.messages.create(channel, bot, call.json, call.files)
            self.state.announce_message("MESSAGE_CREATE", message)
        return Answer(200, self.state.messages.payload(message))

    def get_message(self, call: Call) -> Answer:
        channel = self._channel(call)
        self.state.world.require(channel, Permit.READ_MESSAGE_HISTORY)
        return Answer(200, self.state.messages.payload(self._message(call, channel)))

    def edit_message(self, call: Call) -> Answer:
        channel = self._channel(call)
        message = self._message(call, channel)
        if message.author is not self.state.world.bot:
            raise refuse(50005)
        if channel.is_archived:
            raise refuse(50083)
        check_sizes([len(file.content) for file in call.files], self._limit_bytes(channel), call.size)
        self.state.messages.edit(message, call.json, call.files)
        self.state.announce_message("MESSAGE_UPDATE", message)
        return Answer(200, self.state.messages.payload(message))

    def delete_message(self, call: Call) -> Answer:
        channel = self._channel(call)
        message = self._message(call, channel)
        if message.author is not self.state.world.bot:
            self.state.world.require(channel, Permit.MANAGE_MESSAGES)
        message.is_deleted = True
        self.state.announce_message("MESSAGE_DELETE", message)
        return Answer(204)

    def list_pins(self, call: Call) -> Answer:
        self.state.world.require(self._channel(call), Permit.READ_MESSAGE_HISTORY)
        return Answer(200, {"items": [], "has_more": False})

    def pin_message(self, call: Call) -> Answer:
        channel = self._channel(call)
        self.state.world.require(channel, Permit.PIN_MESSAGES, Permit.READ_MESSAGE_HISTORY)
        self._message(call, channel)
        return Answer(204)

    def type_in_channel(self, call: Call) -> Answer:
        self._channel(call)
        return Answer(204)

    def create_thread(self, call: Call) -> Answer:
        """A thread started from a message takes that message's id."""
        parent = self._channel(call)
        from_message = self._message(call, parent) if "message_id" in call.params else None
        default_kind = ChannelKind.PUBLIC_THREAD if from_message else ChannelKind.PRIVATE_THREAD
        kind = ChannelKind(call.json.get("type") or default_kind)
        is_private = kind is ChannelKind.PRIVATE_THREAD
        needed = Permit.CREATE_PRIVATE_THREADS if is_private else Permit.CREATE_PUBLIC_THREADS
        self.state.world.require(parent, needed)
        bot = self.state.world.bot
        thread_id = from_message.id if from_message else 0
        thread = self.state.world.add_thread(parent, call.json["name"], bot, kind, thread_id)
        self.state.announce_channel("THREAD_CREATE", thread)
        membership = {"id": str(thread.id), "user_id": str(bot.id), "join_timestamp": timestamp(), "flags": 0}
        return Answer(201, thread.payload() | {"member": membership})

    def add_to_thread(self, call: Call) -> Answer:
        thread = self._channel(call)
        if thread.is_archived:
            raise refuse(50083)
        return Answer(204)

    def get_guild(self, call: Call) -> Answer:
        return Answer(200, self.state.world.find_guild(call.number("guild_id")).rest_payload())

    def list_channels(self, call: Call) -> Answer:
        guild = self.state.world.find_guild(call.number("guild_id"))
        live = [channel for channel in guild.channels.values() if not channel.is_deleted and not channel.is_thread]
        return Answer(200, [channel.payload() for channel in live])

    def get_member(self, call: Call) -> Answer:
        guild = self.state.world.find_guild(call.number("guild_id"))
        person = guild.people.get(call.number("user_id"))
        if person is None:
            raise refuse(10007)
        return Answer(200, guild.member_payload(person))

    def _channel(self, call: Call) -> Channel:
        return self.state.world.find_channel(call.number("channel_id"))

    def _message(self, call: Call, channel: Channel) -> StoredMessage:
        return self.state.messages.find_in_history(channel, call.number("message_id"))

    def _check_may_send(self, channel: Channel, call: Call) -> None:
        if channel.recipient is not None and not channel.recipient.accepts_dms:
            raise refuse(50007)
        self.state.world.require(
            channel, Permit.SEND_MESSAGES_IN_THREADS if channel.is_thread else Permit.SEND_MESSAGES
        )
        if call.files:
            self.state.world.require(channel, Permit.ATTACH_FILES)
        if channel.is_archived and channel.is_locked:
            raise refuse(50083)

    def _limit_bytes(self, channel: Channel) -> int:
        return channel.guild.upload_limit_bytes if channel.guild else DEFAULT_UPLOAD_LIMIT_BYTES
