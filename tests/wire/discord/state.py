"""The truth the stand-in keeps while bots come and go, and how changes to it reach the gateway."""

from dataclasses import dataclass
from typing import Protocol

from tests.wire.discord.answers import Json
from tests.wire.discord.commands import CommandRegistry
from tests.wire.discord.files import FileStore
from tests.wire.discord.interactions import InteractionBook
from tests.wire.discord.messages import MessageStore, StoredMessage
from tests.wire.discord.watch import Watch
from tests.wire.discord.world import Channel, Snowflakes, World


class Dispatch(Protocol):
    def __call__(self, event: str, data: Json, guild_id: int | None) -> None:
        """Send an event to the shard that serves the guild (None: to shard 0)."""
        ...


@dataclass(eq=False)
class State:
    snowflakes: Snowflakes
    world: World
    files: FileStore
    messages: MessageStore
    interactions: InteractionBook
    commands: CommandRegistry
    watch: Watch
    dispatch: Dispatch

    def announce_message(self, event: str, message: StoredMessage) -> None:
        """MESSAGE_CREATE, MESSAGE_UPDATE or MESSAGE_DELETE; nothing for ephemeral messages."""
        self.watch.changed()
        if message.is_ephemeral:
            return
        guild = message.channel.guild
        data = self.messages.payload(message)
        if event == "MESSAGE_DELETE":
            data = {"id": str(message.id), "channel_id": str(message.channel.id)}
        if guild is not None:
            data["guild_id"] = str(guild.id)
            if event != "MESSAGE_DELETE" and message.author.id in guild.members:
                member = guild.member_payload(message.author)
                data["member"] = {key: part for key, part in member.items() if key != "user"}
        self.dispatch(event, data, guild.id if guild else None)

    def announce_channel(self, event: str, channel: Channel) -> None:
        self.watch.changed()
        self.dispatch(event, channel.payload(), channel.guild.id if channel.guild else None)


def make_state(dispatch: Dispatch, watch: Watch) -> State:
    snowflakes = Snowflakes()
    world = World(snowflakes)
    files = FileStore(snowflakes)
    return State(
        snowflakes=snowflakes,
        world=world,
        files=files,
        messages=MessageStore(snowflakes, files),
        interactions=InteractionBook(snowflakes, world.bot, watch),
        commands=CommandRegistry(snowflakes, world.bot.id),
        watch=watch,
        dispatch=dispatch,
    )
