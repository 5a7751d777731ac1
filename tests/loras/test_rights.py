"""Rights over LoRAs: the rules and the SQL say the same in every world, and nothing crosses guilds."""

import asyncio
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.loras.rights import Right, allows, held
from bot.records.dataset import SubjectKind
from bot.records.event import EntrantStatus
from bot.records.guild import Actor
from bot.records.key import ProviderName
from bot.records.lora import Audience, Lora, Share
from bot.storage.database import Database, sqlite_url
from bot.storage.events import entrants
from bot.storage.jobs import loras, sharing
from tests.fakes.clock import NOON
from tests.fakes.events import add_event
from tests.fakes.examples import in_proportion
from tests.fakes.rows import add_lora

GUILDS, PEOPLE, ROLES, EVENTS = (1, 2), (11, 12, 13), (21, 22), (31, 32)


@dataclass(frozen=True)
class Planned:
    """A LoRA of a world, with its shares."""

    guild_id: int
    owner_id: int
    is_archived: bool
    shares: tuple[tuple[Audience, int | None], ...]


AUDIENCES = st.one_of(
    st.just((Audience.GUILD, None)),
    st.tuples(st.just(Audience.MEMBER), st.sampled_from(PEOPLE)),
    st.tuples(st.just(Audience.ROLE), st.sampled_from(ROLES)),
    st.tuples(st.just(Audience.EVENT), st.sampled_from(EVENTS)),
)
PLANS = st.builds(
    Planned, st.sampled_from(GUILDS), st.sampled_from(PEOPLE), st.booleans(), st.lists(AUDIENCES, max_size=3).map(tuple)
)
ACTORS = st.builds(
    Actor,
    st.sampled_from(GUILDS),
    st.sampled_from(PEOPLE),
    st.frozensets(st.sampled_from(ROLES)),
    st.booleans(),
)
TAKEN_PART_IN = st.frozensets(st.sampled_from(EVENTS))


async def take_part(database: Database, actor: Actor, event_ids: frozenset[int]) -> None:
    """The actor is in these events, and was in the others."""
    for event_id in EVENTS:
        event = await add_event(database, id=event_id, guild_id=actor.guild_id)

        async def transaction(connection: AsyncConnection, event_id: int = event.id) -> None:
            entrant = await entrants.join(
                connection, event_id=event_id, guild_id=actor.guild_id, user_id=actor.user_id, now=NOON
            )
            if event_id not in event_ids:
                await entrants.change(connection, entrant.id, status=EntrantStatus.WITHDRAWN)

        await database.write(transaction)


async def build_world(database: Database, plans: list[Planned]) -> list[Lora]:
    made = []
    for number, plan in enumerate(plans, start=1):
        archived_at = NOON if plan.is_archived else None
        lora_id = await add_lora(
            database, number, guild_id=plan.guild_id, owner_id=plan.owner_id, archived_at=archived_at
        )

        async def transaction(connection: AsyncConnection, lora_id: int = lora_id, plan: Planned = plan) -> Lora:
            lora = await loras.get(connection, lora_id)
            assert lora is not None
            for audience, audience_id in plan.shares:
                await sharing.share(connection, lora, audience, audience_id, by=plan.owner_id, now=NOON)
            return lora

        made.append(await database.write(transaction))
    return made


@contextmanager
def fresh_copy(migrated_file: Path) -> Iterator[Path]:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "world.db"
        shutil.copy(migrated_file, file)
        yield file


@settings(max_examples=in_proportion(25))
@given(plans=st.lists(PLANS, max_size=6), actor=ACTORS, event_ids=TAKEN_PART_IN)
def test_the_rules_allow_exactly_what_the_database_finds(
    migrated_file: Path, plans: list[Planned], actor: Actor, event_ids: frozenset[int]
) -> None:
    async def compare(file: Path) -> None:
        async with Database(sqlite_url(file)) as database:
            world = await build_world(database, plans)
            await take_part(database, actor, event_ids)
            async with database.read() as connection:
                found = [lora.id for lora in await sharing.usable_by(connection, actor)]
                allowed = [
                    lora.id
                    for lora in reversed(world)
                    if allows(Right.USE, lora, await sharing.shares_of(connection, lora.id), actor, event_ids)
                ]
        assert found == allowed

    with fresh_copy(migrated_file) as file:
        asyncio.run(compare(file))


def planned_lora(plan: Planned) -> tuple[Lora, list[Share]]:
    lora = Lora(
        id=1,
        guild_id=plan.guild_id,
        owner_id=plan.owner_id,
        provider=ProviderName.APIFRAME,
        remote_id="r",
        name="Rex",
        trigger_word=None,
        subject_kind=SubjectKind.OBJECT,
        training_id=1,
        version=1,
        previous_id=None,
        note=None,
        cost=None,
        created_at=NOON,
        archived_at=NOON if plan.is_archived else None,
        missing_since=None,
        retiring_since=None,
        resting_since=None,
        event_id=None,
    )
    shares = [
        Share(number, plan.guild_id, 1, audience, audience_id, plan.owner_id, NOON)
        for number, (audience, audience_id) in enumerate(plan.shares)
    ]
    return lora, shares


@given(plan=PLANS, actor=ACTORS, event_ids=TAKEN_PART_IN)
def test_nothing_is_allowed_in_another_guild_or_with_an_archived_lora(
    plan: Planned, actor: Actor, event_ids: frozenset[int]
) -> None:
    lora, shares = planned_lora(plan)
    if plan.guild_id != actor.guild_id or plan.is_archived:
        assert held(lora, shares, actor, event_ids) == frozenset()


@given(plan=PLANS, actor=ACTORS, event_ids=TAKEN_PART_IN)
def test_whoever_is_neither_owner_nor_admin_may_at_most_use_and_see(
    plan: Planned, actor: Actor, event_ids: frozenset[int]
) -> None:
    lora, shares = planned_lora(plan)
    rights = held(lora, shares, actor, event_ids)
    if actor.user_id != lora.owner_id:
        assert Right.SHARE not in rights
        assert Right.CHANGE not in rights or actor.is_admin
    assert Right.SEE in rights or not rights


def test_a_share_counts_only_for_its_own_lora_and_in_its_own_guild() -> None:
    lora, _ = planned_lora(Planned(1, 11, False, ()))
    ben = Actor(1, 12)
    assert allows(Right.USE, lora, [Share(1, 1, lora.id, Audience.GUILD, None, 11, NOON)], ben, ())
    assert not allows(Right.USE, lora, [Share(1, 1, lora.id + 1, Audience.GUILD, None, 11, NOON)], ben, ())
    assert not allows(Right.USE, lora, [Share(1, 2, lora.id, Audience.GUILD, None, 11, NOON)], ben, ())


@pytest.mark.parametrize(("role_ids", "may"), [({21}, True), ({22}, False), (set(), False)])
def test_a_shared_roles_members_may_use_but_not_change(role_ids: set[int], may: bool) -> None:
    lora, shares = planned_lora(Planned(1, 11, False, ((Audience.ROLE, 21),)))
    rights = held(lora, shares, Actor(1, 12, frozenset(role_ids)), ())
    assert rights == (frozenset({Right.USE, Right.SEE}) if may else frozenset())
