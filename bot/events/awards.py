"""The role that the winner of an event is given, once. Nothing waits for it: who has left gets none."""

import logging
from datetime import datetime

from bot.ports import NotNow, Venue
from bot.records.ballot import AwardStatus
from bot.records.event import Event, EventStatus
from bot.storage.database import Database
from bot.storage.events import awards

log = logging.getLogger(__name__)


async def give_roles(database: Database, venue: Venue, event: Event, now: datetime) -> None:
    """Give the event's role to those who won it, and take it from earlier winners if it is to go on. May raise NotNow.

    It can be repeated: what Discord has answered is noted, and giving a role twice changes nothing.
    """
    role_id = event.winner_role_id
    if role_id is None or event.status is not EventStatus.FINISHED:
        return
    for user_id in await database.fetch(awards.to_give, event):
        is_given = await venue.set_role(event.guild_id, user_id, role_id, is_given=True)
        status = AwardStatus.GIVEN if is_given else AwardStatus.REFUSED
        if not await _note(database, event, user_id, status, now) and is_given:
            await venue.set_role(event.guild_id, user_id, role_id, is_given=False)
    if event.passes_role:
        for award in await database.fetch(awards.to_take, event):
            await venue.set_role(award.guild_id, award.user_id, award.role_id, is_given=False)
            await _note_taken(database, award.id)


async def take_back(database: Database, venue: Venue, guild_id: int, user_id: int) -> None:
    """Take what they won from a member who is erased; where Discord does not let us, the role stays."""
    for award in await database.fetch(awards.held_by, guild_id, user_id):
        try:
            await venue.set_role(guild_id, user_id, award.role_id, is_given=False)
        except NotNow as error:
            log.info("The role of an erased winner stays: %s", error)


async def _note(database: Database, event: Event, user_id: int, status: AwardStatus, now: datetime) -> bool:
    return await database.write(lambda connection: awards.note(connection, event, user_id, status, now=now))


async def _note_taken(database: Database, award_id: int) -> None:
    await database.write(lambda connection: awards.note_taken(connection, award_id))
