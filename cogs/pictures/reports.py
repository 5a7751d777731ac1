"""Cards about reported pictures."""

import discord

from bot.pictures.reports import ReportView
from bot.text import cite
from cogs.ui.buttons import ActionButton
from cogs.ui.layout import SafeLayout, card
from cogs.ui.words import message_link

WHOSE_LATER = "Whose it is stays a secret until the votes are counted."
DELETE_THERE = "The **Delete** button is below the pictures."
DELETE_HERE = "To delete them, choose a reports channel with `/settings`; the next report comes with the button."


def report_card(view: ReportView, *, is_private: bool = False) -> SafeLayout:
    """For moderators, who alone learn who reported; in a private message the link leads to the buttons."""
    report, generation = view.report, view.generation
    why = f"by <@{report.reporter_id}>: {cite(report.reason, 500)}"
    if view.secret_name is None:
        lines = [f"### Pictures #{generation.id} were reported", f"Ordered by <@{generation.user_id}>, reported {why}"]
    else:
        lines = [f"### Report about {view.secret_name}", f"Reported {why}", WHOSE_LATER]
    if view.message is not None and generation.deleted_at is None:
        lines.append(f"[Look at them]({message_link(report.guild_id, *view.message)})")
    is_open = generation.deleted_at is None and report.dismissed_at is None
    if is_open and is_private:
        lines.append(DELETE_THERE if view.secret_name is None else DELETE_HERE)
    buttons = [
        ActionButton("report", "delete", report.id, label="Delete pictures", style=discord.ButtonStyle.danger),
        ActionButton("report", "dismiss", report.id, label="Dismiss"),
    ]
    lines.append(_state(view))
    colour = discord.Colour.red() if is_open else discord.Colour.dark_grey()
    return card("\n".join(lines), colour=colour, buttons=buttons if is_open and not is_private else [])


def _state(view: ReportView) -> str:
    if view.generation.deleted_at is not None:
        return "The pictures have been deleted."
    return "Open." if view.report.dismissed_at is None else "Dismissed by a moderator."
