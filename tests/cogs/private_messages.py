"""What a member finds in the private messages of the bot."""

import discord
import simcord
from simcord.components import walk_components

from tests.cogs.simulated_guild import MEDIA_GALLERY, text_of, tree_of, until


async def private(member: simcord.MemberActor, words: str) -> discord.Message:
    """The newest private message of the bot with these words."""

    def found() -> list[discord.Message]:
        return [each for each in member.user.dm_channel.history() if words in text_of(each)]

    await until(found)
    return found()[-1]


def shown_in(message: discord.Message) -> list[str]:
    galleries = [part for part in walk_components(tree_of(message)) if part.get("type") == MEDIA_GALLERY]
    return [item["media"]["url"] for gallery in galleries for item in gallery["items"]]
