"""One line of a server's log."""

import discord

from bot.records.guild import NOBODY
from bot.records.moderation import LogEntry
from cogs.ui.layout import SafeLayout, card


def log_card(entry: LogEntry) -> SafeLayout:
    to = "" if entry.member_id is None else f" · {_name(entry.member_id)}"
    text = f"**{entry.act.value.title()}** by {_name(entry.user_id)} · {entry.about}{to}"
    return card(text, colour=discord.Colour.light_grey())


def _name(user_id: int) -> str:
    """Whoever was erased keeps one number, so that what they did stays together; what a rule did is the bot's."""
    if user_id == NOBODY:
        return "Darkroom"
    return f"<@{user_id}>" if user_id > 0 else f"erased member {-user_id}"
