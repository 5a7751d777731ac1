"""Reminders of the end of a stage: the last call for everybody, and the message to who has not voted."""

import discord

from bot.events.ballot.reminding import VoteReminder
from bot.events.ballot.runoff import in_runoff
from bot.events.lifecycle import part_of
from bot.events.views import EventView
from bot.ports import PlaceRefused
from bot.records.event import Announcement, AnnouncementKind
from bot.records.post import Post, public_place
from bot.services import Services
from bot.text import quote
from cogs.events.details import read
from cogs.events.panel import deadline
from cogs.events.texts import event_name
from cogs.ui.layout import SafeLayout, card
from cogs.ui.words import message_link

NOTHING_LEFT = "there is nothing left to remind of"
TURN_OFF = "-# You get this once in an event you take part in. **No pings** under `/me` there turns it off."


def is_too_late(view: EventView, announcement: Announcement) -> bool:
    """Whether it calls for the last time in a stage, or in a vote before the run-off, that is over or waits by now."""
    if announcement.what is not AnnouncementKind.CLOSING_SOON:
        return False
    now = part_of(view.event)
    return now != read(announcement.detail).get("stage", now) or view.is_closing or view.event.paused_at is not None


async def render_vote_reminder(services: Services, post: Post, guild_name: str) -> SafeLayout:
    """PlaceRefused when they have voted since, or the voting is over."""
    reminder = await services.reminders.of_entrant(post.subject_id)
    if reminder is None:
        raise PlaceRefused(NOTHING_LEFT)
    return vote_reminder_card(reminder, guild_name)


def vote_reminder_card(reminder: VoteReminder, guild_name: str) -> SafeLayout:
    event, ballot = reminder.event, reminder.ballot
    is_again = in_runoff(event)
    what, votes = ("run-off", "votes once more") if is_again else ("vote", "has one vote")
    ends = "" if event.stage_ends_at is None else f" The {what} ends {deadline(event.stage_ends_at)}."
    place = None if ballot is None else public_place(ballot)
    link = ""
    if ballot is not None and ballot.message_id and place is not None:
        link = f"\n[To the ballot]({message_link(event.guild_id, place.id, ballot.message_id)})"
    text = (
        f"### {event_name(event)}: you have not voted{' in the run-off' * is_again} yet\n"
        f"You take part in this event in {quote(guild_name)}.{ends} "
        f"Everybody {votes}, and can change it until then.{link}"
    )
    return card(text, TURN_OFF, colour=discord.Colour.blurple())
