"""The rooms of the sandbox: what somebody can read there, threads and private messages of the bot among it."""

from dataclasses import dataclass

import simcord
from simcord.backend.access import can_access_channel

PRIVATE = "private"
"""The room of a member's private messages."""
Viewer = simcord.MemberActor | simcord.UserHandle


@dataclass(frozen=True, slots=True)
class Room:
    """A channel, and through whose eyes simcord shows it: a private one belongs to a user, any other to a member."""

    id: str
    name: str
    channel: simcord.ChannelHandle
    viewer: Viewer

    def visible(self) -> list[int]:
        """Ids of the messages there that the viewer sees, oldest first."""
        return [message.id for message in self.channel.history(viewer=self.viewer)]


def rooms_of(env: simcord.Env, first: simcord.ChannelHandle, member: simcord.MemberActor) -> list[Room]:
    """What the member can read: `first`, the other channels of their server with their threads, private messages."""
    channels = sorted(member.guild.channels.values(), key=lambda channel: channel.id != first.id)
    rooms = []
    for channel in channels:
        for each in (channel, *channel.threads):
            if can_access_channel(env, each.id, member, history=True):
                name = f"↳ {each.name}" if each.is_thread else f"# {each.name}"
                rooms.append(Room(str(each.id), name, each, member))
    return [*rooms, Room(PRIVATE, "Private messages", member.user.dm_channel, member.user)]
