"""The people and the channel of the guild that the stand-in's tests play in."""

from dataclasses import dataclass

from tests.wire.discord.world import Channel, Guild, Person


@dataclass(frozen=True, slots=True)
class Community:
    guild: Guild
    photos: Channel
    host: Person
    member: Person
    guest: Person
