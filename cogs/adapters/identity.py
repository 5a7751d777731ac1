"""Which post a message is: the id of its card tells, which nobody reads and Discord keeps."""

import discord

from bot.client import DarkroomBot
from bot.records.post import Post
from bot.records.post_names import component_id
from cogs.adapters.pings import name_the_quiet
from cogs.ui.layout import SafeLayout


async def finish(bot: DarkroomBot, post: Post, card: SafeLayout) -> None:
    """What every card needs before its message is sent, and again before each edit, which replaces all ids."""
    card.box.id = component_id(post.nonce)
    await name_the_quiet(bot, post, card)


def is_of(message: discord.Message, post: Post) -> bool:
    """Whether the message is this post."""
    boxes = [part for part in message.components if isinstance(part, discord.components.Container)]
    return any(box.id == component_id(post.nonce) for box in boxes)
