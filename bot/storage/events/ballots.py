"""SQL of ballots: entries, votes and honours."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.records.ballot import Entry, Honour, Vote
from bot.records.event import Event, EventMode, EventStatus
from bot.records.generation import Generation, GenerationStatus, Picture
from bot.records.lora import Lora
from bot.storage.events.entrants import taking_part
from bot.storage.events.tables import entries, events, honours, runoff_votes, votes
from bot.storage.jobs import pictures as picture_rows
from bot.storage.rows import build, columns_of, fetch_all, fetch_first, has_row, insert_record, insert_row
from bot.storage.tables import generations, loras, pictures

CANDIDATE_EVERY = 100
"""In a bake-off `pack_index` is the candidate's number times this, plus the prompt's."""
HALL_MAX = 100
"""Most honours that are shown."""


@dataclass(frozen=True, slots=True)
class Nominee:
    """A member's picture of an event. `is_usable`: no LoRA that is retired or archived made it."""

    picture: Picture
    is_usable: bool


@dataclass(frozen=True, slots=True)
class EntryDraft:
    user_id: int
    picture_ids: tuple[int, ...]
    label: str | None = None


@dataclass(frozen=True, slots=True)
class StandingEntry:
    """An entry that can be voted for, with those of its pictures that are there."""

    entry: Entry
    pictures: tuple[Picture, ...]


async def lock(connection: AsyncConnection, event_id: int) -> Event | None:
    """The event, whose ballot nobody else changes until this transaction ends."""
    return await fetch_first(connection, Event, sa.select(events).where(events.c.id == event_id).with_for_update())


def _shown(event: Event) -> sa.Select[Any]:
    """Finished pictures of the event that were not deleted."""
    made = pictures.join(generations).outerjoin(loras, loras.c.id == generations.c.lora_id)
    is_there = sa.and_(generations.c.status == GenerationStatus.READY, generations.c.deleted_at.is_(None))
    return sa.select(pictures).select_from(made).where(generations.c.event_id == event.id, is_there)


def _own(event: Event) -> sa.Select[Any]:
    """Those that can be entered: a personal LoRA's pack is its owner's, a shared one's nobody's."""
    shown = _shown(event)
    return shown if event.mode is EventMode.PERSONAL else shown.where(generations.c.pack_index.is_(None))


async def blind_event(connection: AsyncConnection, generation: Generation) -> Event | None:
    """The event in whose vote the set may stand, or what it was made from, until the votes are counted."""
    for step in (generation, *await picture_rows.lineage(connection, generation)):
        event = await _event_of(connection, step)
        if event is not None and not event.status.is_terminal and _may_stand(event, step):
            return event
    return None


async def is_voting(connection: AsyncConnection, guild_id: int) -> bool:
    """Whether the votes of one of the guild's events are not counted yet."""
    return await has_row(connection, sa.select(events.c.id).where(_votes_in(guild_id)))


async def is_voted_on(connection: AsyncConnection, lora: Lora) -> bool:
    """Whether pictures that this LoRA made may stand in a vote that is not counted yet."""
    made = sa.select(generations.c.id).join(events, events.c.id == generations.c.event_id)
    return await has_row(connection, made.where(_votes_in(lora.guild_id), generations.c.lora_id == lora.id))


def _votes_in(guild_id: int) -> sa.ColumnElement[bool]:
    return sa.and_(events.c.guild_id == guild_id, events.c.status == EventStatus.VOTING)


async def stands_in(connection: AsyncConnection, generation: Generation) -> tuple[Event, Entry] | None:
    """The event in whose ballot a picture of this set is shown, or was, with its entry."""
    event = await _event_of(connection, generation)
    if event is None or event.status not in {EventStatus.VOTING, EventStatus.FINISHED}:
        return None
    found = (
        (event, one.entry)
        for one in await standing(connection, event)
        if generation.id in {picture.generation_id for picture in one.pictures}
    )
    return next(found, None)


async def _event_of(connection: AsyncConnection, generation: Generation) -> Event | None:
    its = sa.select(events).where(events.c.id == generation.event_id)
    return None if generation.event_id is None else await fetch_first(connection, Event, its)


def _may_stand(event: Event, generation: Generation) -> bool:
    """In a bake-off the pack is what members vote for; else as `_own` says."""
    return event.mode in {EventMode.PERSONAL, EventMode.BAKEOFF} or generation.pack_index is None


def _is_usable() -> sa.ColumnElement[bool]:
    lora = sa.and_(loras.c.id.is_not(None), loras.c.retiring_since.is_(None), loras.c.archived_at.is_(None))
    return sa.or_(generations.c.lora_id.is_(None), lora)


NEWEST = (generations.c.finished_at.desc(), generations.c.id.desc(), pictures.c.position)


async def nominees(connection: AsyncConnection, event: Event, user_id: int) -> list[Nominee]:
    """What this member could enter, newest order first."""
    own = _own(event).add_columns(_is_usable().label("is_usable")).where(generations.c.user_id == user_id)
    rows = await connection.execute(own.order_by(*NEWEST))
    return [Nominee(build(Picture, row), row.is_usable) for row in rows]


async def newest_of_each(connection: AsyncConnection, event: Event) -> dict[int, int]:
    """For every member with usable pictures in the event: the first one of their newest order."""
    rank = sa.func.row_number().over(partition_by=generations.c.user_id, order_by=NEWEST)
    ranked = (
        _own(event)
        .with_only_columns(generations.c.user_id, pictures.c.id.label("picture_id"), rank.label("rank"))
        .where(_is_usable())
        .subquery()
    )
    rows = await connection.execute(sa.select(ranked).where(ranked.c.rank == 1))
    return {row.user_id: row.picture_id for row in rows}


async def pictures_of_candidates(connection: AsyncConnection, event: Event) -> dict[int, tuple[int, ...]]:
    """For every candidate of a bake-off that has pictures: theirs, in the order of the prompts."""
    rows = await connection.execute(
        _shown(event)
        .add_columns(generations.c.pack_index)
        .where(generations.c.pack_index.is_not(None))
        .order_by(generations.c.pack_index, generations.c.id, pictures.c.position)
    )
    found: dict[int, tuple[int, ...]] = {}
    for row in rows:
        candidate = row.pack_index // CANDIDATE_EVERY
        found[candidate] = (*found.get(candidate, ()), row.id)
    return found


async def standing_pictures(
    connection: AsyncConnection, event: Event, picture_ids: Collection[int]
) -> dict[int, Picture]:
    """Those that may be shown in the ballot.

    When consent to a LoRA was taken back, its pictures are not; only a shared event's are, because its LoRA never is
    of a person and one member who leaves must not end what everybody else made.
    """
    shown = _shown(event).where(pictures.c.id.in_(picture_ids))
    if event.mode is not EventMode.SHARED:
        shown = shown.where(loras.c.retiring_since.is_(None))
    return {row.id: build(Picture, row) for row in await connection.execute(shown)}


async def entries_of(connection: AsyncConnection, event_id: int) -> list[Entry]:
    its = sa.select(entries).where(entries.c.event_id == event_id)
    return await fetch_all(connection, Entry, its.order_by(entries.c.position, entries.c.id))


async def standing(connection: AsyncConnection, event: Event, entry_id: int | None = None) -> list[StandingEntry]:
    """The numbered entries (or this one) whose owner still takes part and whose pictures are not all gone."""
    numbered = sa.select(entries).where(entries.c.event_id == event.id, entries.c.position.is_not(None))
    if entry_id is not None:
        numbered = numbered.where(entries.c.id == entry_id)
    if event.mode is not EventMode.BAKEOFF:
        numbered = numbered.where(entries.c.user_id.in_(taking_part(event.id)))
    found = await fetch_all(connection, Entry, numbered.order_by(entries.c.position))
    shown = await standing_pictures(connection, event, {one for entry in found for one in entry.picture_ids})
    there = {entry: tuple(shown[one] for one in entry.picture_ids if one in shown) for entry in found}
    return [StandingEntry(entry, its_pictures) for entry, its_pictures in there.items() if its_pictures]


async def nominate(connection: AsyncConnection, event: Event, user_id: int, picture_id: int, *, now: datetime) -> Entry:
    """The member's only entry, instead of what they entered before."""
    await connection.execute(sa.delete(entries).where(entries.c.event_id == event.id, entries.c.user_id == user_id))
    entered = {"event_id": event.id, "guild_id": event.guild_id, "user_id": user_id, "created_at": now}
    return await insert_record(connection, Entry, entries, picture_ids=[picture_id], **entered)


async def number(connection: AsyncConnection, event: Event, drafts: Sequence[EntryDraft], *, now: datetime) -> None:
    """Give the entries their positions in this order. Ids are given anew, too: in a button they tell nothing."""
    await connection.execute(sa.delete(entries).where(entries.c.event_id == event.id))
    for position, draft in enumerate(drafts, start=1):
        numbered = {"event_id": event.id, "guild_id": event.guild_id, "position": position, "created_at": now}
        await insert_row(connection, entries, **numbered, **columns_of(draft))


async def votes_of(connection: AsyncConnection, event_id: int, *, is_runoff: bool = False) -> list[Vote]:
    """Those of the first vote, or of the run-off."""
    cast = runoff_votes if is_runoff else votes
    return await fetch_all(connection, Vote, sa.select(cast).where(cast.c.event_id == event_id).order_by(cast.c.id))


async def vote_of(connection: AsyncConnection, event: Event, voter_id: int) -> Vote | None:
    """The member's in the vote that is open, or was the last one."""
    cast = _newest_votes(event)
    theirs = sa.select(cast).where(cast.c.event_id == event.id, cast.c.voter_id == voter_id)
    return await fetch_first(connection, Vote, theirs)


async def put_vote(
    connection: AsyncConnection, event: Event, entry: Entry, voter_id: int, *, is_jury: bool, now: datetime
) -> Vote:
    """The member's only one in the vote that is open, instead of their earlier one. The caller holds the event's
    lock.
    """
    cast = _newest_votes(event)
    await connection.execute(sa.delete(cast).where(cast.c.event_id == event.id, cast.c.voter_id == voter_id))
    chosen = {"event_id": event.id, "guild_id": event.guild_id, "entry_id": entry.id}
    return await insert_record(connection, Vote, cast, voter_id=voter_id, is_jury=is_jury, cast_at=now, **chosen)


def _newest_votes(event: Event) -> sa.Table:
    return runoff_votes if event.runoff_ids else votes


async def add_honour(
    connection: AsyncConnection, event: Event, won: StandingEntry, *, place: int, vote_count: int, now: datetime
) -> None:
    await insert_row(
        connection,
        honours,
        event_id=event.id,
        guild_id=event.guild_id,
        user_id=won.entry.user_id,
        event_name=event.name,
        place=place,
        votes=vote_count,
        picture_id=won.pictures[0].id,
        label=won.entry.label,
        awarded_at=now,
        entry_id=won.entry.id,
    )


async def forget_honours(connection: AsyncConnection, event_id: int) -> None:
    """They were counted too early: the voting goes on."""
    await connection.execute(sa.delete(honours).where(honours.c.event_id == event_id))


async def get_honour(connection: AsyncConnection, honour_id: int) -> Honour | None:
    return await fetch_first(connection, Honour, sa.select(honours).where(honours.c.id == honour_id))


async def honours_of(connection: AsyncConnection, event_id: int) -> list[Honour]:
    """Best first."""
    its = sa.select(honours).where(honours.c.event_id == event_id)
    return await fetch_all(connection, Honour, its.order_by(honours.c.place, honours.c.entry_id))


VOTING_IS_OVER = events.c.status != EventStatus.VOTING
"""Until then its host can give it more time, so that what was counted must not be seen."""


async def hall(connection: AsyncConnection, guild_id: int) -> list[Honour]:
    """The newest event first, in it the best."""
    here = sa.select(honours).join(events).where(honours.c.guild_id == guild_id, VOTING_IS_OVER)
    newest_first = (honours.c.awarded_at.desc(), honours.c.event_id.desc(), honours.c.place, honours.c.entry_id)
    return await fetch_all(connection, Honour, here.order_by(*newest_first).limit(HALL_MAX))


async def newest_honour(connection: AsyncConnection, guild_id: int) -> datetime | None:
    """When a member of this guild was given a place last; None when nobody was."""
    newest: datetime | None = await connection.scalar(
        sa.select(sa.func.max(honours.c.awarded_at)).where(*_won(guild_id))
    )
    return newest


async def won_between(
    connection: AsyncConnection, guild_id: int, start: datetime, end: datetime
) -> list[tuple[int, tuple[int, int, int], int]]:
    """Members with their first, second and third places of that time and all votes for them."""
    first, second, third = (sa.func.sum(sa.case((honours.c.place == place, 1), else_=0)) for place in (1, 2, 3))
    won = (
        first.label("first"),
        second.label("second"),
        third.label("third"),
        sa.func.sum(honours.c.votes).label("votes"),
    )
    rows = await connection.execute(
        sa.select(honours.c.user_id, *won)
        .where(*_won(guild_id), honours.c.awarded_at >= start, honours.c.awarded_at < end)
        .group_by(honours.c.user_id)
    )
    return [(row.user_id, (row.first, row.second, row.third), row.votes) for row in rows]


def _won(guild_id: int) -> list[sa.ColumnElement[bool]]:
    """Honours of members: those of bake-offs are of settings, not of people."""
    counted = sa.select(events.c.id).where(events.c.guild_id == guild_id, VOTING_IS_OVER)
    return [honours.c.guild_id == guild_id, honours.c.label.is_(None), honours.c.event_id.in_(counted)]


async def first_places(connection: AsyncConnection, guild_id: int) -> list[tuple[int, int]]:
    """Members with the number of ballots they won, most first. Bake-offs are won by settings, not by people."""
    won = sa.func.count().label("won")
    rows = await connection.execute(
        sa.select(honours.c.user_id, won)
        .join(events)
        .where(honours.c.guild_id == guild_id, VOTING_IS_OVER, honours.c.place == 1, honours.c.label.is_(None))
        .group_by(honours.c.user_id)
        .order_by(won.desc(), sa.func.min(honours.c.awarded_at), honours.c.user_id)
        .limit(HALL_MAX)
    )
    return [(row.user_id, row.won) for row in rows]
