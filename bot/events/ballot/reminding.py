"""Reminding those who take part in an event, privately and once each, that they have not voted."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.events.ballot.runoff import in_runoff, is_votable
from bot.events.lifecycle import can_vote, is_closing
from bot.records.event import Entrant, Event
from bot.records.guild import Place, PlaceKind
from bot.records.post import Post, PostKind, PostStatus
from bot.resources import Resources, Service
from bot.storage.events import ballots, entrants
from bot.storage.events import events as rows
from bot.storage.jobs import posts
from bot.storage.people import moderation, preferences, questions


@dataclass(frozen=True, slots=True)
class VoteReminder:
    """`ballot` is the post with the public ballot, None when it is gone."""

    event: Event
    ballot: Post | None


class ReminderService(Service):
    def __init__(self, opened: Resources) -> None:
        super().__init__(opened)
        self._members = opened.members

    async def of_entrant(self, entrant_id: int) -> VoteReminder | None:
        """What this entrant is reminded of now; None when they have voted, cannot vote, or want no such message."""
        async with self._database.read() as connection:
            entrant = await entrants.get(connection, entrant_id)
            event = None if entrant is None else await rows.get(connection, entrant.event_id)
            if entrant is None or event is None:
                return None
            is_missing = entrant in await _missing_voters(connection, event, self._clock.now())
            ballot = await posts.find(connection, PostKind.EVENT_BALLOT, event.id)
        return VoteReminder(event, ballot) if is_missing and await self._is_welcome(event, entrant.user_id) else None

    async def _is_welcome(self, event: Event, user_id: int) -> bool:
        """Whether they are still in the server, and may vote by their roles if Discord says at once which they have."""
        if not await self._members.is_member(event.guild_id, user_id):
            return False
        roles = await self._members.roles_of(event.guild_id, user_id) if event.role_ids else None
        return roles is None or not roles.isdisjoint({*event.role_ids, event.jury_role_id})


async def remind_voters(connection: AsyncConnection, event: Event, now: datetime) -> None:
    """Put a reminder for each of them into the outbox; one that was written before stays the only one."""
    for entrant in await _missing_voters(connection, event, now):
        await posts.add(
            connection,
            PostKind.VOTE_REMINDER,
            entrant.id,
            guild_id=event.guild_id,
            user_id=entrant.user_id,
            places=[Place(PlaceKind.USER, entrant.user_id)],
            now=now,
        )


async def forget_unsent(connection: AsyncConnection, event: Event) -> None:
    """Whom no reminder of the first vote has reached, as they had voted by then, can be reminded of the run-off."""
    for entrant in await entrants.of_event(connection, event.id):
        reminder = await posts.find(connection, PostKind.VOTE_REMINDER, entrant.id)
        if reminder is not None and reminder.status is PostStatus.KEPT:
            await posts.forget(connection, PostKind.VOTE_REMINDER, entrant.id)


async def _missing_voters(connection: AsyncConnection, event: Event, now: datetime) -> Sequence[Entrant]:
    """Those who take part, have an entry to vote for, have not voted, and may be written to privately."""
    if not can_vote(event) or is_closing(event, now):
        return []
    shown = [one.entry for one in await ballots.standing(connection, event) if is_votable(event, one.entry)]
    by = {entry.id: entry.user_id for entry in shown}
    cast = await ballots.votes_of(connection, event.id, is_runoff=in_runoff(event))
    voted = {vote.voter_id for vote in cast if vote.entry_id in by}
    missing = [
        each
        for each in await entrants.of_event(connection, event.id)
        if each.user_id not in voted and any(maker != each.user_id for maker in by.values())
    ]
    asked = [each.user_id for each in missing]
    left_alone = {
        *await preferences.quiet_among(connection, event.guild_id, asked),
        *await questions.muted_among(connection, event.guild_id, asked),
    }
    return [
        each
        for each in missing
        if each.user_id not in left_alone and not await moderation.is_blocked(connection, event.guild_id, each.user_id)
    ]
