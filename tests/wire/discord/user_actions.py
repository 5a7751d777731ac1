"""What people do in Discord: run commands, press buttons, fill in modals, write messages."""

import asyncio
import math
from collections.abc import Awaitable, Iterable, Mapping, Sequence
from typing import Any

from tests.fakes.waiting import HANG_S
from tests.wire.discord.answers import Json, SentFile
from tests.wire.discord.commands import CHAT_INPUT, MESSAGE_MENU, OptionForm
from tests.wire.discord.components import BUTTON, LINK_STYLE, SELECTS, find_pressable
from tests.wire.discord.endpoint import Endpoint
from tests.wire.discord.interactions import InteractionHandle, InteractionKind
from tests.wire.discord.messages import StoredMessage
from tests.wire.discord.modals import Filling, NotSubmittable, Upload, fill_modal
from tests.wire.discord.state import State
from tests.wire.discord.watch import now_s
from tests.wire.discord.world import Channel, Guild, Permit, Person


class People:
    """Every action goes over the gateway, or to the `endpoint` when there is one; the handle tells what the bot did."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.endpoint: Endpoint | None = None

    async def slash(
        self, user: Person, channel: Channel, command: str, options: Mapping[str, Any] | None = None
    ) -> InteractionHandle:
        """`command` is its full name ("keys set"); an attachment option takes bytes or (name, bytes)."""
        name, *path = command.split()
        definition = self.state.commands.usable(name, CHAT_INPUT, user, channel)
        self._must_see(user, channel)
        filled = OptionForm(self.state.files, channel).fill(definition, path, options or {})
        data = self._command_data(definition, channel) | {"options": filled.options}
        data |= {"resolved": filled.resolved} if filled.resolved else {}
        handle = self.state.interactions.open(InteractionKind.COMMAND, user, channel)
        return await self._dispatch(handle, data)

    async def autocomplete(
        self, user: Person, channel: Channel, command: str, options: Mapping[str, Any], focused: str
    ) -> InteractionHandle:
        """`options` holds what is typed so far, the focused option's beginning included."""
        name, *path = command.split()
        definition = self.state.commands.usable(name, CHAT_INPUT, user, channel)
        filled = OptionForm(self.state.files, channel, focused).fill(definition, path, options)
        handle = self.state.interactions.open(InteractionKind.AUTOCOMPLETE, user, channel)
        return await self._dispatch(handle, self._command_data(definition, channel) | {"options": filled.options})

    async def context_menu(self, message: StoredMessage, name: str, *, user: Person | None = None) -> InteractionHandle:
        """A message command on `message`, by its author unless said otherwise."""
        who = user or message.author
        definition = self.state.commands.usable(name, MESSAGE_MENU, who, message.channel)
        target = self.state.messages.payload(message)
        data = self._command_data(definition, message.channel) | {"target_id": str(message.id)}
        data["resolved"] = {"messages": {str(message.id): target}}
        handle = self.state.interactions.open(InteractionKind.COMMAND, who, message.channel)
        return await self._dispatch(handle, data)

    async def click(self, message: StoredMessage, target: str, *, user: Person | None = None) -> InteractionHandle:
        """Press a button by label (or its beginning) or custom id; by the person the message answers by default."""
        button = find_pressable(message.components, target, {BUTTON})
        if button.get("disabled") or button.get("style") == LINK_STYLE:
            raise NotSubmittable(f"{target!r} is switched off or only a link")
        return await self._use(message, button, {}, user)

    async def select(
        self, message: StoredMessage, target: str, values: Sequence[str], *, user: Person | None = None
    ) -> InteractionHandle:
        """Choose in a string select, by the options' labels or values; `target` is its custom id or placeholder."""
        menu = find_pressable(message.components, target, SELECTS)
        by_name = {option["label"]: option["value"] for option in menu.get("options") or []}
        by_name |= {value: value for value in by_name.values()}
        if menu.get("disabled") or any(value not in by_name for value in values):
            raise NotSubmittable(f"{target!r} offers {list(by_name)}, not {list(values)}")
        if not menu.get("min_values", 1) <= len(values) <= menu.get("max_values", 1):
            raise NotSubmittable(f"{target!r} does not take {len(values)} values")
        return await self._use(message, menu, {"values": [by_name[value] for value in values]}, user)

    async def submit_modal(
        self, handle: InteractionHandle, values: Mapping[str, Filling], *, user: Person | None = None
    ) -> InteractionHandle:
        """Fill in the modal that answered `handle`: text by str, files by (name, bytes) or a list, checkbox by bool."""
        modal = handle.modal
        if modal is None:
            raise AssertionError("the bot did not answer with a modal")
        filled = fill_modal(modal, values, self.state.files, handle.channel.id)
        data: Json = {"custom_id": modal["custom_id"], "components": filled.components}
        if filled.attachments:
            data["resolved"] = {"attachments": filled.attachments}
        made = self.state.interactions.open(
            InteractionKind.MODAL_SUBMIT, user or handle.user, handle.channel, handle.source
        )
        made.metadata["triggering_interaction_metadata"] = handle.metadata
        return await self._dispatch(made, data)

    def write(self, user: Person, channel: Channel, content: str = "", files: Iterable[Upload] = ()) -> StoredMessage:
        """A person's own message, with files if given."""
        sent = [SentFile(index, name, content_) for index, (name, content_) in enumerate(files)]
        message = self.state.messages.create(channel, user, {"content": content}, sent)
        self.state.announce_message("MESSAGE_CREATE", message)
        return message

    async def burst(self, acts: Iterable[Awaitable[InteractionHandle]], seconds: float = HANG_S) -> list[float]:
        """Dispatch all at once; each one's seconds until the first answer, infinite when none came in time."""
        handles = await asyncio.gather(*acts)
        ends_at = now_s() + seconds
        for handle in handles:
            try:
                await handle.responded(max(0.0, ends_at - now_s()))
            except AssertionError:
                continue
        return [handle.latency_seconds if handle.callback else math.inf for handle in handles]

    def take_from_bot(self, channel: Channel, *permits: Permit, announce: bool = True) -> None:
        """The bot loses permissions in this channel; without `announce` it learns of it only by being refused."""
        bits = 0
        for permit in permits:
            bits |= permit
        channel.denied[self.state.world.bot.id] = channel.denied.get(self.state.world.bot.id, 0) | bits
        if announce:
            self.state.announce_channel("CHANNEL_UPDATE", channel)

    def delete_channel(self, channel: Channel) -> None:
        channel.is_deleted = True
        self.state.announce_channel("THREAD_DELETE" if channel.is_thread else "CHANNEL_DELETE", channel)

    def archive(self, thread: Channel, *, lock: bool = True) -> None:
        """A locked archived thread takes no more messages (50083); an unlocked one wakes up when written to."""
        thread.is_archived, thread.is_locked = True, lock
        self.state.announce_channel("THREAD_UPDATE", thread)

    def give_back_to_bot(self, channel: Channel) -> None:
        channel.denied.pop(self.state.world.bot.id, None)
        self.state.announce_channel("CHANNEL_UPDATE", channel)

    def invite_bot(self, guild: Guild) -> None:
        """Announce a guild that was added, or that had removed the bot, while it runs."""
        guild.has_bot = True
        payload = guild.payload(self.state.world.bot)
        del payload["unavailable"]  # by its absence discord.py tells a new guild from one that came back
        self.state.dispatch("GUILD_CREATE", payload, guild.id)

    def remove_bot(self, guild: Guild) -> None:
        guild.has_bot = False
        self.state.dispatch("GUILD_DELETE", {"id": str(guild.id)}, guild.id)

    async def _use(self, message: StoredMessage, part: Json, more: Json, user: Person | None) -> InteractionHandle:
        who = user or self._addressee(message)
        if message.is_deleted:
            raise LookupError("the message was deleted")
        if message.is_ephemeral and message.interaction and message.interaction["user"]["id"] != str(who.id):
            raise LookupError("an ephemeral message is seen by one person only")
        data = {"custom_id": part["custom_id"], "component_type": part["type"], "id": part["id"]} | more
        handle = self.state.interactions.open(InteractionKind.COMPONENT, who, message.channel, message)
        return await self._dispatch(handle, data)

    def _addressee(self, message: StoredMessage) -> Person:
        if message.interaction is not None:
            return self.state.world.people[int(message.interaction["user"]["id"])]
        if message.channel.recipient is not None:
            return message.channel.recipient
        raise TypeError("say which user= acts: the message answers nobody in particular")

    def _must_see(self, user: Person, channel: Channel) -> None:
        guild = channel.guild
        if guild is not None and not guild.permissions_of(user.id, channel) & Permit.VIEW_CHANNEL:
            raise NotSubmittable(f"{user.name} is not in {guild.name}")

    def _command_data(self, definition: Json, channel: Channel) -> Json:
        data = {"id": definition["id"], "name": definition["name"], "type": definition["type"]}
        return data | ({"guild_id": str(channel.guild.id)} if "guild_id" in definition and channel.guild else {})

    async def _dispatch(self, handle: InteractionHandle, data: Json) -> InteractionHandle:
        message = self.state.messages.payload(handle.source) if handle.source else None
        guild_id = handle.channel.guild.id if handle.channel.guild else None
        handle.dispatched_at = now_s()
        envelope = self.state.interactions.envelope(handle, data, message)
        if self.endpoint is not None:
            await self.endpoint.deliver(envelope)
            return handle
        self.state.dispatch("INTERACTION_CREATE", envelope, guild_id)
        await asyncio.sleep(0)
        return handle
