"""SQL of the API keys: one current key for each guild and provider, and retired ones until their jobs end."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.process.journal import Turn, word_for
from bot.records.doubt import Doubt
from bot.records.job import LaneName
from bot.records.key import ApiKeyRow, KeyStatus, ProviderName
from bot.storage import due
from bot.storage.changes import change_state, note_change
from bot.storage.database import note_due
from bot.storage.reader import asked_once
from bot.storage.rows import build, changes_row, fetch_first, insert_row
from bot.storage.tables import api_keys, generations, trainings

ACTIVE, RETIRED = KeyStatus


@dataclass(frozen=True, slots=True)
class SealedKey:
    """A stored key with its sealed secrets."""

    row: ApiKeyRow
    sealed: bytes
    endpoint_secret: bytes | None
    """What signs deliveries to the registered webhook endpoint, sealed."""
    endpoint_token: str | None
    """The last part of that endpoint's address."""


async def _find(connection: AsyncConnection, *conditions: sa.ColumnElement[bool]) -> list[SealedKey]:
    """The newest first."""
    rows = await connection.execute(sa.select(api_keys).where(*conditions).order_by(api_keys.c.id.desc()))
    return [SealedKey(build(ApiKeyRow, row), row.sealed, row.endpoint_secret, row.endpoint_token) for row in rows]


async def _find_first(connection: AsyncConnection, *conditions: sa.ColumnElement[bool]) -> SealedKey | None:
    return next(iter(await _find(connection, *conditions)), None)


def _current(guild_id: int, provider: ProviderName) -> sa.ColumnElement[bool]:
    return sa.and_(api_keys.c.guild_id == guild_id, api_keys.c.provider == provider, api_keys.c.retired_at.is_(None))


def _is_in_use(key_id: int) -> sa.ColumnElement[bool]:
    return sa.and_(api_keys.c.id == key_id, api_keys.c.retired_at.is_(None))


async def insert(
    connection: AsyncConnection,
    *,
    guild_id: int,
    provider: ProviderName,
    last4: str,
    set_by: int,
    now: datetime,
) -> int:
    """A key whose secret is still missing: it is sealed for its row (`put_sealed`)."""
    return await insert_row(
        connection,
        api_keys,
        guild_id=guild_id,
        provider=provider,
        status=ACTIVE,
        sealed=b"",
        last4=last4,
        set_by=set_by,
        set_at=now,
        due_at=now,
    )


async def put_account(connection: AsyncConnection, key_id: int, account: str, slots: int | None) -> None:
    """`account`: the team's fingerprint; `slots`: trainings at once that the admin allows."""
    its = sa.update(api_keys).where(api_keys.c.id == key_id)
    await connection.execute(its.values(account=account, slots=slots))


def of_same_account(key_id: int | sa.BindParameter[int]) -> sa.Select[tuple[int]]:
    """Ids of this key and of all others, retired ones too, of the same team at the provider."""
    account = sa.select(api_keys.c.account).where(api_keys.c.id == key_id).scalar_subquery()
    return sa.select(api_keys.c.id).where(sa.or_(api_keys.c.id == key_id, api_keys.c.account == account))


async def slots_of(connection: AsyncConnection, key_id: int, otherwise: int) -> int:
    """Trainings at once of the key's team: the fewest that an admin of one of its servers allows, or was learnt."""
    usable = sa.and_(api_keys.c.id.in_(of_same_account(key_id)), api_keys.c.retired_at.is_(None))
    found = sa.select(sa.func.min(sa.func.coalesce(api_keys.c.slots, otherwise)), sa.func.min(api_keys.c.slots_learnt))
    allowed, learnt = (await connection.execute(found.where(usable))).one()
    return min(each for each in (allowed, learnt, otherwise if allowed is None else None) if each is not None)


async def learn_slots(connection: AsyncConnection, key_id: int, slots: int | None) -> None:
    """The provider says how many trainings at once it takes of this team; None: that is not known any more."""
    team = api_keys.c.id.in_(of_same_account(key_id))
    await connection.execute(sa.update(api_keys).where(team).values(slots_learnt=slots))


async def put_sealed(connection: AsyncConnection, key_id: int, sealed: bytes) -> None:
    await connection.execute(sa.update(api_keys).where(api_keys.c.id == key_id).values(sealed=sealed))


@asked_once
async def current(connection: AsyncConnection, guild_id: int, provider: ProviderName) -> SealedKey | None:
    return await _find_first(connection, _current(guild_id, provider))


async def get(connection: AsyncConnection, key_id: int) -> SealedKey | None:
    return await _find_first(connection, api_keys.c.id == key_id)


async def for_signatures(connection: AsyncConnection, guild_id: int, provider: ProviderName) -> list[SealedKey]:
    """Every key of the guild that may have signed a delivery: the current one and those not yet shredded."""
    return await _find(connection, api_keys.c.guild_id == guild_id, api_keys.c.provider == provider)


async def retire(
    connection: AsyncConnection, guild_id: int, provider: ProviderName, *, now: datetime, shred_at: datetime
) -> int | None:
    """Take the current key out of use; the engine shreds it at `shred_at`. Its id, or None when there was none."""
    note_due(connection, api_keys)
    current = sa.update(api_keys).where(_current(guild_id, provider))
    retired = await fetch_first(
        connection,
        ApiKeyRow,
        current.values(retired_at=now, status=RETIRED, due_at=shred_at).returning(*api_keys.c),
    )
    if retired is None:
        return None
    note_change(connection, api_keys, retired, word_for(LaneName.KEYS, RETIRED))
    return retired.id


async def retire_all(connection: AsyncConnection, guild_id: int, *, now: datetime) -> None:
    """Take all keys of the guild out of use; the engine shreds each as soon as nothing needs it."""
    note_due(connection, api_keys)
    in_use = sa.and_(api_keys.c.guild_id == guild_id, api_keys.c.retired_at.is_(None))
    retired = sa.update(api_keys).where(in_use).values(retired_at=now, status=RETIRED, due_at=now)
    await change_state(connection, retired, RETIRED)


async def pause(
    connection: AsyncConnection, key_id: int, *, reason: str, now: datetime, tried_again_at: datetime
) -> bool:
    """True when this call paused it, False when it was paused already or is gone."""
    note_due(connection, api_keys)
    paused = sa.update(api_keys).where(_is_in_use(key_id), api_keys.c.paused_at.is_(None))
    trouble = {"last_error": reason[:300], "last_error_at": now}
    retried = {"due_at": tried_again_at, "wakes": api_keys.c.wakes + 1}
    values = {"paused_at": now, "doubt": None} | trouble | retried
    return await change_state(connection, paused.values(**values), Turn.PAUSED) == 1


async def channel_of_newest_job(connection: AsyncConnection, key_id: int) -> int | None:
    """Where somebody waits for what was ordered under this key."""
    jobs = sa.union_all(
        *(
            sa.select(table.c.channel_id, table.c.created_at)
            .where(table.c.key_id == key_id, table.c.finished_at.is_(None))
            .order_by(table.c.id.desc())
            .limit(1)
            .subquery()
            .select()
            for table in (trainings, generations)
        )
    ).subquery()
    newest: int | None = await connection.scalar(sa.select(jobs.c.channel_id).order_by(jobs.c.created_at.desc()))
    return newest


async def resume(connection: AsyncConnection, key_id: int, *, now: datetime) -> bool:
    """True when this call put a paused key into use again."""
    note_due(connection, api_keys)
    paused = sa.update(api_keys).where(_is_in_use(key_id), api_keys.c.paused_at.is_not(None))
    anew = {"attempt": 0, "due_at": now, "wakes": api_keys.c.wakes + 1}
    values = {"paused_at": None, "last_error": None, "last_error_at": None} | anew
    return await change_state(connection, paused.values(**values), Turn.RESUMED) == 1


async def note_doubt(
    connection: AsyncConnection, key_id: int, doubt: Doubt | None, *, due_at: datetime | None = None
) -> None:
    """What other lanes have heard of a key; with `due_at` its own lane looks then, if it would not sooner."""
    row = api_keys.c
    values: dict[str, Any] = {"doubt": doubt}
    if due_at is not None:
        note_due(connection, api_keys)
        values |= {"due_at": sa.case((row.due_at < due_at, row.due_at), else_=due_at), "wakes": row.wakes + 1}
    await connection.execute(sa.update(api_keys).where(_is_in_use(key_id), row.paused_at.is_(None)).values(**values))


async def wake_retired(connection: AsyncConnection, guild_id: int, *, now: datetime) -> None:
    """Something that the guild's retired keys were kept for is over."""
    its = sa.and_(api_keys.c.guild_id == guild_id, api_keys.c.retired_at.is_not(None), api_keys.c.due_at.is_not(None))
    await due.make_due(connection, api_keys, its, at=now)


async def make_due(connection: AsyncConnection, guild_id: int, *, now: datetime, checked_before: datetime) -> bool:
    """Make the guild's usable keys due that were not checked since then; not those that are due or back off."""
    note_due(connection, api_keys)
    result = await connection.execute(
        sa.update(api_keys)
        .where(
            api_keys.c.guild_id == guild_id,
            api_keys.c.retired_at.is_(None),
            api_keys.c.paused_at.is_(None),
            api_keys.c.attempt == 0,
            sa.or_(api_keys.c.due_at.is_(None), api_keys.c.due_at > now),
            sa.or_(api_keys.c.checked_at.is_(None), api_keys.c.checked_at <= checked_before),
        )
        .values(due_at=now)
    )
    return result.rowcount > 0


async def all_sealed(connection: AsyncConnection) -> list[SealedKey]:
    return await _find(connection)


async def reseal(connection: AsyncConnection, old: SealedKey, *, sealed: bytes, endpoint_secret: bytes | None) -> bool:
    """Compare-and-set, so that what was set meanwhile is never overwritten."""
    is_same = sa.and_(
        api_keys.c.id == old.row.id,
        api_keys.c.sealed == old.sealed,
        api_keys.c.endpoint_secret.is_not_distinct_from(old.endpoint_secret),
    )
    resealed = sa.update(api_keys).where(is_same).values(sealed=sealed, endpoint_secret=endpoint_secret)
    return await changes_row(connection, resealed)


async def by_endpoint_token(connection: AsyncConnection, token: str) -> SealedKey | None:
    return await _find_first(connection, api_keys.c.endpoint_token == token)


async def put_endpoint(
    connection: AsyncConnection, old: ApiKeyRow, *, endpoint_id: str, url: str, token: str, secret: bytes
) -> bool:
    """False when the key was retired or has another endpoint than `old` by now; `secret` is sealed."""
    is_same = sa.and_(api_keys.c.id == old.id, api_keys.c.endpoint_id.is_not_distinct_from(old.endpoint_id))
    endpoint = {"endpoint_id": endpoint_id, "endpoint_url": url, "endpoint_token": token, "endpoint_secret": secret}
    usable = sa.update(api_keys).where(is_same, api_keys.c.retired_at.is_(None))
    return await changes_row(connection, usable.values(endpoint_heard_at=None, **endpoint))


async def drop_endpoint(connection: AsyncConnection, old: ApiKeyRow) -> None:
    await connection.execute(
        sa.update(api_keys)
        .where(api_keys.c.id == old.id, api_keys.c.endpoint_id == old.endpoint_id)
        .values(endpoint_id=None, endpoint_url=None, endpoint_token=None, endpoint_secret=None, endpoint_heard_at=None)
    )


async def note_heard(connection: AsyncConnection, token: str, *, now: datetime) -> ApiKeyRow | None:
    """Store that a verified delivery came to this endpoint; its key, None when no key has this endpoint."""
    heard = sa.update(api_keys).where(api_keys.c.endpoint_token == token).values(endpoint_heard_at=now)
    return await fetch_first(connection, ApiKeyRow, heard.returning(*api_keys.c))


async def note_heard_of_job(connection: AsyncConnection, token: str, *, now: datetime, unless_since: datetime) -> None:
    """A signed delivery came to the address of one job: its guild's key of that provider was heard of."""
    jobs = [
        sa.select(table.c.guild_id, table.c.provider).where(table.c.webhook_token == token)
        for table in (trainings, generations)
    ]
    job = (await connection.execute(sa.union_all(*jobs))).first()
    if job is None:
        return
    await connection.execute(
        sa.update(api_keys)
        .where(
            _current(job.guild_id, job.provider),
            api_keys.c.endpoint_id.is_(None),
            sa.or_(api_keys.c.endpoint_heard_at.is_(None), api_keys.c.endpoint_heard_at < unless_since),
        )
        .values(endpoint_heard_at=now)
    )


async def job_of(
    connection: AsyncConnection, table: sa.Table, guild_id: int, provider: ProviderName, request_id: str
) -> int | None:
    """The guild's training or generation, by `table`, with this id at the provider."""
    theirs = sa.and_(table.c.guild_id == guild_id, table.c.provider == provider, table.c.request_id == request_id)
    job_id: int | None = await connection.scalar(sa.select(table.c.id).where(theirs))
    return job_id
