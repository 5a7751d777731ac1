"""The role that the winner of an event is given, once. Nothing waits for it: who has left gets none."""

import logging
from collections.abc import Sequence
from datetime import datetime

from bot.ports import NotNow, Venue
from bot.records.ballot import Award, AwardStatus
from bot.records.event import Event, EventStatus
from bot.storage.database import Database
from bot.storage.events import awards

log = logging.getLogger(__name__)


async def give_roles(database: Database, venue: Venue, event: Event, now: datetime) -> None:
    """Give the event's role to those who won it, and take it from winners from whom it has gone on. May raise NotNow.

    It can be repeated: that it is to be given is noted before Discord is asked, what Discord has answered afterwards,
    and giving a role twice changes nothing. Who was erased meanwhile loses it again, at the latest in the next step.
    """
    if event.winner_role_id is None or event.status is not EventStatus.FINISHED:
        return
    await database.write(lambda connection: awards.begin(connection, event, now=now))
    for award in await database.fetch(awards.to_give, event):
        is_given = await venue.set_role(award.guild_id, award.user_id, award.role_id, is_given=True)
        await _note(database, award.id, AwardStatus.GIVEN if is_given else AwardStatus.REFUSED, now)
    for award in await database.fetch(awards.to_take_back, event):
        await venue.set_role(award.guild_id, award.user_id, award.role_id, is_given=False)
        await _forget(database, award.id)
    for award in await database.fetch(awards.to_pass_on, event):
        await venue.set_role(award.guild_id, award.user_id, award.role_id, is_given=False)
        await _note_taken(database, award.id)


async def take_back(database: Database, venue: Venue, held: Sequence[Award]) -> None:
    """Take what they won from a member who was just erased; where Discord does not let us, the role stays.

    What Discord cannot take now is taken by the next steps of the events.
    """
    for award in held:
        try:
            await venue.set_role(award.guild_id, award.user_id, award.role_id, is_given=False)
        except NotNow as error:
            log.info("The role of an erased winner has to wait: %s", error)
        else:
            await _forget(database, award.id)


async def _note(database: Database, award_id: int, status: AwardStatus, now: datetime) -> None:
    await database.write(lambda connection: awards.note(connection, award_id, status, now=now))


async def _forget(database: Database, award_id: int) -> None:
    await database.write(lambda connection: awards.forget(connection, award_id))


async def _note_taken(database: Database, award_id: int) -> None:
    await database.write(lambda connection: awards.note_taken(connection, award_id))
