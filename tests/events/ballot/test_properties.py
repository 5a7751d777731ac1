"""Whole ballots: one vote each, none for oneself, and nothing to read that should be secret."""

import asyncio
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.errors import UserError
from bot.events.ballot.service import BallotEntry
from bot.records.event import Event
from bot.records.guild import Actor
from bot.storage.database import sqlite_url
from bot.storage.events.tables import entries, votes
from tests.events.ballot.ballots import (
    JURY,
    MEMBERS,
    World,
    open_world,
)
from tests.fakes.examples import in_proportion
from tests.fakes.rows import ANNA, GUILD


@contextmanager
def fresh_copy(file: Path) -> Iterator[Path]:
    with TemporaryDirectory() as folder:
        shutil.copy(file, Path(folder) / "world.db")
        yield Path(folder) / "world.db"


VOTERS = (*MEMBERS, 901, 902, 903)
CASTS = st.lists(st.tuples(st.sampled_from(VOTERS), st.integers(1, len(MEMBERS)), st.booleans()), max_size=15)


@settings(max_examples=in_proportion(20))
@given(casts=CASTS)
def test_each_member_has_one_vote_and_none_for_themselves(
    migrated_file: Path, casts: list[tuple[int, int, bool]]
) -> None:
    async def play(file: Path) -> None:
        async with open_world(file.parent, sqlite_url(file)) as world:
            event = await world.voting(*MEMBERS, jury_role_id=JURY)
            shown, owners = await world.ballots.shown(event.id), await world.owners(event)
            expected: dict[int, tuple[int, bool]] = {}
            for voter, position, is_jury in casts:
                actor = Actor(GUILD, voter, frozenset({JURY} if is_jury else ()))
                entry_id = shown[position - 1].entry_id
                if voter == owners[position - 1]:
                    with pytest.raises(UserError):
                        await world.ballots.vote(event.id, entry_id, actor)
                else:
                    await world.ballots.vote(event.id, entry_id, actor)
                    expected[voter] = (entry_id, is_jury)
            found = await world.rows(sa.select(votes))
            assert len(found) == len(expected)
            assert {row.voter_id: (row.entry_id, row.is_jury) for row in found} == expected
            counted = await world.ballots.count(event)
            assert sum(honour.votes for honour in counted) <= len(expected)
            assert bool(counted) == bool(expected)

    with fresh_copy(migrated_file) as file:
        asyncio.run(play(file))


async def read_as(world: World, event: Event, reader: int) -> tuple[object, ...]:
    """Everything that this member can learn of the ballot before it is counted."""
    actor = Actor(GUILD, reader, frozenset({JURY}), is_admin=True)
    return (
        await world.ballots.shown(event.id),
        await world.ballots.entries(event.id, actor),
        await world.ballots.my_vote(event.id, actor),
        await world.ballots.hall_of_fame(GUILD),
        await world.ballots.win_counts(GUILD),
    )


@settings(max_examples=in_proportion(15))
@given(
    owners=st.permutations(MEMBERS[1:]),
    casts=CASTS,
    other_casts=CASTS,
    reader=st.sampled_from((ANNA, 904)),
    position=st.integers(1, len(MEMBERS)),
)
def test_what_others_read_depends_neither_on_votes_nor_on_who_made_what(
    migrated_file: Path,
    owners: list[int],
    casts: list[tuple[int, int, bool]],
    other_casts: list[tuple[int, int, bool]],
    reader: int,
    position: int,
) -> None:
    """Two worlds with the same entries and the same own vote, but other owners of other entries and other votes."""

    async def play(file: Path) -> None:
        async with open_world(file.parent, sqlite_url(file)) as world:
            event = await world.voting(*MEMBERS, jury_role_id=JURY)
            shown, whose = await world.ballots.shown(event.id), await world.owners(event)
            if whose[position - 1] != reader:
                await world.ballots.vote(event.id, shown[position - 1].entry_id, Actor(GUILD, reader))
            await cast(world, event, casts, reader)
            before = await read_as(world, event, reader)
            swapped = dict(zip(MEMBERS[1:], owners, strict=True))
            for one, owner in zip(shown, whose, strict=True):
                await world.change(entries, one.entry_id, user_id=swapped.get(owner, owner))
            await cast(world, event, other_casts, reader)
            assert await read_as(world, event, reader) == before

    with fresh_copy(migrated_file) as file:
        asyncio.run(play(file))


async def cast(world: World, event: Event, casts: list[tuple[int, int, bool]], reader: int) -> None:
    shown: Sequence[BallotEntry] = await world.ballots.shown(event.id)
    whose = await world.owners(event)
    for voter, position, is_jury in casts:
        if voter not in (reader, whose[position - 1]):
            actor = Actor(GUILD, voter, frozenset({JURY} if is_jury else ()))
            await world.ballots.vote(event.id, shown[position - 1].entry_id, actor)
