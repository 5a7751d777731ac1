"""The ballot of an event: entering pictures, voting, counting.

Entries are anonymous: what a member can read before the count holds no names, and numbers and ids are in random order.
Votes are counted once, at the close, by bot/events/ballot/tally.py.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from secrets import SystemRandom

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.errors import NotAllowed, NotFound, UserError
from bot.events import lifecycle, lookup
from bot.events.ballot import counting, tally
from bot.events.ballot.runoff import is_votable
from bot.likeness.service import lora_of
from bot.moderation.approvals import must_wait
from bot.moderation.texts import is_explicit
from bot.records.ballot import Entry, Honour, Vote
from bot.records.event import EntrantStatus, Event, EventMode, EventStatus
from bot.records.generation import Generation, Picture
from bot.records.guild import Actor
from bot.records.moderation import Purpose
from bot.resources import Service
from bot.storage import guilds
from bot.storage.events import ballots, entrants, events
from bot.storage.events.ballots import EntryDraft, StandingEntry
from bot.storage.jobs import generations
from bot.storage.people import approvals

PLACES = 3
"""How many places get an honour."""
WITH_NUMBERS = {EventStatus.VOTING, EventStatus.FINISHED, EventStatus.CANCELLED}
"""Stages in which a member may have seen an entry's number."""

NOT_ENTERED_HERE = "In a bake-off nobody enters pictures. You can vote as soon as the voting begins."
NOT_NOW = "A picture can be entered while pictures are made for the event, before the voting begins."
NOT_TAKING_PART = "Only members who take part in this event can enter a picture."
NOT_YOURS = "Choose a finished picture of your own that you made for this event."
RETIRED = "This picture was made with a LoRA that is not used any more. Please enter another one."
NO_VOTING = "There is no voting here yet. The event's panel shows when it begins."
VOTING_OVER = "The voting is over. Thank you for wanting to take part."
PAUSED = "The event is paused just now. You can vote as soon as it goes on."
NO_ROLE = "Only members with one of this event's roles can vote."
ENTRY_GONE = "This entry is not in the ballot any more. Please choose another one."
NOT_TIED = "The run-off is between the entries that are tied. Please choose one of these."
OWN_ENTRY = "This is your own entry. Please vote for somebody else's."


@dataclass(frozen=True, slots=True)
class BallotPicture:
    """`file` is its path on disk, None for an explicit one and after our copy was deleted."""

    file: Path | None
    content_type: str


@dataclass(frozen=True, slots=True)
class BallotEntry:
    """An entry as one member sees it; `is_mine` marks their own.

    `by` is whose it is and `label` what it shows of a bake-off, both None until the votes are counted.
    """

    entry_id: int
    position: int
    pictures: tuple[BallotPicture, ...]
    is_mine: bool
    by: int | None = None
    label: str | None = None


@dataclass(frozen=True, slots=True)
class WinCount:
    """How many ballots of a guild a member has won."""

    user_id: int
    first_places: int


class BallotService(Service):
    async def nominees(self, event_id: int, actor: Actor) -> Sequence[Picture]:
        """The member's own pictures that can be entered, newest order first; UserError when none can be entered now."""
        async with self._database.read() as connection:
            event = await lookup.opened(connection, event_id, actor)
            await _check_may_enter(connection, event, actor, now=self._clock.now())
            found = await ballots.nominees(connection, event, actor.user_id)
        return [nominee.picture for nominee in found if nominee.is_usable]

    async def can_enter(self, generation: Generation) -> bool:
        """Whether whoever ordered these pictures can enter one in the event that they were made for, now."""
        async with self._database.read() as connection:
            event = None if generation.event_id is None else await events.get(connection, generation.event_id)
            if event is None:
                return False
            maker = Actor(generation.guild_id, generation.user_id)
            try:
                await _check_may_enter(connection, event, maker, now=self._clock.now())
            except UserError:
                return False
        return True

    async def enter(self, event_id: int, picture_id: int, actor: Actor) -> Entry:
        """Enter one of the member's own pictures; it replaces their earlier entry.

        Where moderators look at pictures first, it stands in the ballot once one has approved it.
        """
        now = self._clock.now()

        async def transaction(connection: AsyncConnection) -> Entry:
            event = await lookup.opened(connection, event_id, actor, locked=True)
            await _check_may_enter(connection, event, actor, now=now)
            picture = await _check_picture(connection, event, picture_id, actor)
            await must_wait(connection, picture, Purpose.BALLOT, actor, now=now)
            entry = await ballots.nominate(connection, event, actor.user_id, picture_id, now=now)
            await events.renew_panel(connection, event_id, due_at=now + self._timings.panel)
            return entry

        return await self._database.write(transaction)

    async def open_ballot(self, event: Event) -> int:
        """Give every entry a random number, also for members who entered nothing; returns how many entries there are.

        Once the voting has begun no number changes and this only counts, because members may have seen the numbers.
        """
        now = self._clock.now()

        async def transaction(connection: AsyncConnection) -> int:
            current = await ballots.lock(connection, event.id)
            if current is not None and current.status not in WITH_NUMBERS:
                drafts = await _drafts(connection, event)
                SystemRandom().shuffle(drafts)
                await ballots.number(connection, event, drafts, now=now)
            return len(await ballots.standing(connection, event))

        return await self._database.write(transaction)

    async def shown(self, event_id: int) -> Sequence[BallotEntry]:
        """The public ballot, by number, with names once the votes are counted; empty before there is one."""
        async with self._database.read() as connection:
            event = await events.get(connection, event_id)
            found = [] if event is None else await ballots.standing(connection, event)
            explicit = await _explicit(connection, found)
        shown = [self._ballot_entry(one, explicit, is_mine=False) for one in found]
        if event is None or event.status is not EventStatus.FINISHED:
            return shown
        return [
            replace(each, by=one.entry.user_id, label=one.entry.label) for each, one in zip(shown, found, strict=True)
        ]

    async def entries(self, event_id: int, actor: Actor) -> Sequence[BallotEntry]:
        """The ballot for one member, with their own entry marked; UserError when there is no voting now.

        NotAllowed for who cannot see the event's channel from where they act.
        """
        async with self._database.read() as connection:
            event = await lookup.opened(connection, event_id, actor)
            self._check_open(event)
            lookup.check_sight(event, actor)
            found = [one for one in await ballots.standing(connection, event) if is_votable(event, one.entry)]
            explicit = await _explicit(connection, found)
        return [self._ballot_entry(one, explicit, is_mine=_is_own(event, one.entry, actor)) for one in found]

    async def generation_behind(self, event_id: int, entry_id: int, actor: Actor) -> Generation:
        """The order of an entry's first picture, for a press that must not show it; NotFound when the entry is gone."""
        async with self._database.read() as connection:
            event = await lookup.opened(connection, event_id, actor)
            self._check_open(event)
            lookup.check_sight(event, actor)
            found = await ballots.standing(connection, event, entry_id)
            made = await generations.get(connection, found[0].pictures[0].generation_id) if found else None
        if made is None:
            raise NotFound(ENTRY_GONE)
        return made

    async def lora_behind(self, event_id: int, entry_id: int, actor: Actor) -> int:
        """The id of the LoRA that an entry's first picture was made with; UserError without one."""
        made = await self.generation_behind(event_id, entry_id, actor)
        return await self._database.fetch(lora_of, made)

    async def vote(self, event_id: int, entry_id: int, actor: Actor) -> Vote:
        """Store the member's one vote; it replaces an earlier one."""
        now = self._clock.now()

        async def transaction(connection: AsyncConnection) -> Vote:
            event = await lookup.opened(connection, event_id, actor, locked=True)
            self._check_open(event)
            if await counting.is_moot(connection, event):
                raise UserError(VOTING_OVER)
            _check_voter(event, actor)
            entry = await _votable(connection, event, entry_id, actor)
            is_jury = event.jury_role_id in actor.role_ids
            vote = await ballots.put_vote(connection, event, entry, actor.user_id, is_jury=is_jury, now=now)
            await ballots.forget_honours(connection, event_id)
            return vote

        return await self._database.write(transaction)

    async def my_vote(self, event_id: int, actor: Actor) -> Vote | None:
        """The member's vote; None also when its entry has left the ballot, so that they can vote again."""
        async with self._database.read() as connection:
            event = await lookup.opened(connection, event_id, actor)
            vote = await ballots.vote_of(connection, event, actor.user_id)
            if vote is None or not await ballots.standing(connection, event, vote.entry_id):
                return None
        return vote

    async def count(self, event: Event) -> tuple[Honour, ...]:
        """Count the votes and store the first places, once.

        They are counted again only when the voting was extended at the last moment and a member has voted since.
        """
        now = self._clock.now()

        async def transaction(connection: AsyncConnection) -> tuple[Honour, ...]:
            await ballots.lock(connection, event.id)
            if not await ballots.honours_of(connection, event.id):
                counted = await counting.count(connection, event)
                for won in honoured(counted.standings):
                    entry = counted.entries[won.entry_id]
                    await ballots.add_honour(connection, event, entry, place=won.place, vote_count=won.votes, now=now)
            return tuple(await ballots.honours_of(connection, event.id))

        return await self._database.write(transaction)

    async def hall_of_fame(self, guild_id: int) -> Sequence[Honour]:
        """The guild's honours: the newest event first, in it the best place first."""
        return await self._database.fetch(ballots.hall, guild_id)

    async def win_counts(self, guild_id: int) -> Sequence[WinCount]:
        """First places of each member, most first. Bake-offs do not count: settings win them, not members."""
        async with self._database.read() as connection:
            return [WinCount(*row) for row in await ballots.first_places(connection, guild_id)]

    def _check_open(self, event: Event) -> None:
        if event.status.is_terminal or (event.status is EventStatus.VOTING and _is_past_end(event, self._clock.now())):
            raise UserError(VOTING_OVER)
        if event.status is not EventStatus.VOTING:
            raise UserError(NO_VOTING)
        if event.paused_at is not None:
            raise UserError(PAUSED)

    def _ballot_entry(self, one: StandingEntry, explicit: Collection[int], *, is_mine: bool) -> BallotEntry:
        assert one.entry.position is not None  # only numbered entries stand
        pictures = tuple(
            BallotPicture(
                None if each.file is None or each.generation_id in explicit else self._spool.path(each.file),
                each.content_type,
            )
            for each in one.pictures
        )
        return BallotEntry(one.entry.id, one.entry.position, pictures, is_mine)


def honoured(standings: Sequence[tally.Standing]) -> Sequence[tally.Standing]:
    """The standings that get a place: the first three with votes, or the only entry."""
    if len(standings) == 1:
        return standings
    return [one for one in standings if one.place <= PLACES and one.votes > 0]


async def _explicit(connection: AsyncConnection, found: Sequence[StandingEntry]) -> frozenset[int]:
    """Sets in the ballot that are for age-restricted channels."""
    sets = {each.generation_id for one in found for each in one.pictures}
    made = [await generations.get(connection, each) for each in sets]
    return frozenset(each.id for each in made if each is not None and is_explicit(each.prompt))


def _is_own(event: Event, entry: Entry, actor: Actor) -> bool:
    """Whether the entry is the actor's own; in a bake-off no entry is."""
    return event.mode is not EventMode.BAKEOFF and entry.user_id == actor.user_id


def _is_past_end(event: Event, now: datetime) -> bool:
    """Whether the stage's time is over, and only the engine's next step is missing."""
    return event.paused_at is None and event.stage_ends_at is not None and event.stage_ends_at <= now


async def _check_may_enter(connection: AsyncConnection, event: Event, actor: Actor, *, now: datetime) -> None:
    if event.mode is EventMode.BAKEOFF:
        raise UserError(NOT_ENTERED_HERE)
    if event.status is not lifecycle.MAKING_STAGE[event.mode] or _is_past_end(event, now):
        raise UserError(NOT_NOW)
    entrant = await entrants.find(connection, event.id, actor.user_id)
    if entrant is None or entrant.status is not EntrantStatus.IN:
        raise NotAllowed(NOT_TAKING_PART)


async def _check_picture(connection: AsyncConnection, event: Event, picture_id: int, actor: Actor) -> Picture:
    for nominee in await ballots.nominees(connection, event, actor.user_id):
        if nominee.picture.id == picture_id:
            if not nominee.is_usable:
                raise UserError(RETIRED)
            return nominee.picture
    raise NotFound(NOT_YOURS)


def _check_voter(event: Event, actor: Actor) -> None:
    welcome = event.role_ids | ({event.jury_role_id} if event.jury_role_id is not None else set())
    if event.role_ids and welcome.isdisjoint(actor.role_ids):
        raise NotAllowed(NO_ROLE)


async def _votable(connection: AsyncConnection, event: Event, entry_id: int, actor: Actor) -> Entry:
    found = await ballots.standing(connection, event, entry_id)
    if not found:
        raise NotFound(ENTRY_GONE)
    if not is_votable(event, found[0].entry):
        raise UserError(NOT_TIED)
    if _is_own(event, found[0].entry, actor):
        raise UserError(OWN_ENTRY)
    return found[0].entry


async def _drafts(connection: AsyncConnection, event: Event) -> list[EntryDraft]:
    if event.mode is EventMode.BAKEOFF:
        made = await ballots.pictures_of_candidates(connection, event)
        return [
            EntryDraft(event.host_id, made[number], candidate.label)
            for number, candidate in enumerate(event.candidates)
            if number in made
        ]
    chosen = await ballots.newest_of_each(connection, event) | await _nominated(connection, event)
    guild = await guilds.get(connection, event.guild_id)
    if guild is not None and guild.needs_approval:
        seen = await approvals.approved(connection, event.guild_id, Purpose.BALLOT)
        chosen = {user_id: picture_id for user_id, picture_id in chosen.items() if picture_id in seen}
    taking_part = await entrants.of_event(connection, event.id)
    return [EntryDraft(one.user_id, (chosen[one.user_id],)) for one in taking_part if one.user_id in chosen]


async def _nominated(connection: AsyncConnection, event: Event) -> dict[int, int]:
    """Pictures that members entered and that can still be shown, by member."""
    entered = {entry.user_id: entry.picture_ids for entry in await ballots.entries_of(connection, event.id)}
    wanted = {one for picture_ids in entered.values() for one in picture_ids}
    shown = await ballots.standing_pictures(connection, event, wanted)
    return {user_id: picture_ids[0] for user_id, picture_ids in entered.items() if picture_ids[0] in shown}
