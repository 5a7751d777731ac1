"""SQL of LoRAs: who owns them, how versions follow each other, the best pictures made with them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.records.guild import NOBODY, Actor, Place, PlaceKind
from bot.records.key import ApiKeyRow, ProviderName
from bot.records.lora import Lora
from bot.records.moderation import Act
from bot.records.post import PostKind, PostStatus
from bot.records.removal import RemovalReason
from bot.storage.jobs import trainings
from bot.storage.jobs.generations import objected
from bot.storage.jobs.posts import about
from bot.storage.jobs.tables import lora_previews
from bot.storage.people import moderation_log, removals, takedowns
from bot.storage.rows import changes_row, fetch_all, fetch_first, fetch_values, insert_row
from bot.storage.tables import generations, loras, pictures, posts

LINEAGE_MAX = 20
"""Most versions that are followed back."""
SHOWN = (PostKind.PICTURES, PostKind.PICTURES_SHOWN)
LOOKED_AT = 100
"""Pictures among which the best that may be shown are looked for."""
NOT_ARCHIVED = loras.c.archived_at.is_(None)


async def insert(connection: AsyncConnection, **values: Any) -> int:
    return await insert_row(connection, loras, **values)


async def get(connection: AsyncConnection, lora_id: int) -> Lora | None:
    return await fetch_first(connection, Lora, sa.select(loras).where(loras.c.id == lora_id))


async def owned_by(connection: AsyncConnection, guild_id: int, owner_id: int) -> list[Lora]:
    """The member's LoRAs of this guild that are not archived, newest first."""
    own = sa.select(loras).where(loras.c.guild_id == guild_id, loras.c.owner_id == owner_id, NOT_ARCHIVED)
    return await fetch_all(connection, Lora, own.order_by(loras.c.id.desc()))


async def of_guild(connection: AsyncConnection, guild_id: int) -> list[Lora]:
    here = sa.select(loras).where(loras.c.guild_id == guild_id, NOT_ARCHIVED)
    return await fetch_all(connection, Lora, here.order_by(loras.c.id.desc()))


async def of_event(connection: AsyncConnection, event_id: int) -> list[Lora]:
    """The LoRAs that an event trained and that are not archived, oldest first; retired ones among them."""
    trained = sa.select(loras).where(loras.c.event_id == event_id, NOT_ARCHIVED)
    return await fetch_all(connection, Lora, trained.order_by(loras.c.id))


async def archive(connection: AsyncConnection, lora_id: int, *, now: datetime) -> bool:
    """Hide the LoRA for good; its previews leave the disk as strays. False when somebody was faster."""
    await _forget_previews(connection, lora_id)
    return await change(connection, lora_id, archived_at=now)


async def retire(
    connection: AsyncConnection, lora: Lora, why: RemovalReason, *, user_id: int = NOBODY, now: datetime
) -> bool:
    """Nobody may use the LoRA from now on, and it is to go at its provider; False when that had been so before.

    `user_id` gets the receipt; whoever made pictures with it is asked whether these are to go, too. Its previews go.
    """
    await removals.of_lora(connection, lora, why, user_id=user_id, now=now)
    in_use = sa.and_(loras.c.id == lora.id, loras.c.retiring_since.is_(None))
    retired = sa.update(loras).where(in_use).values(retiring_since=now, resting_since=None)
    if not await changes_row(connection, retired):
        return False
    await _forget_previews(connection, lora.id)
    what = f"LoRA #{lora.id}, retired"
    known_as = f"retired:{lora.known_as}"
    await moderation_log.note(
        connection, lora.guild_id, Act.DELETED, NOBODY, what, member_id=lora.owner_id, now=now, known_as=known_as
    )
    await takedowns.offer(connection, lora, now=now, known_as=known_as)
    return True


async def _forget_previews(connection: AsyncConnection, lora_id: int) -> None:
    await connection.execute(sa.delete(lora_previews).where(lora_previews.c.lora_id == lora_id))


async def rest(connection: AsyncConnection, lora_id: int, *, now: datetime) -> None:
    """Nobody may use the LoRA for now."""
    in_use = sa.and_(loras.c.id == lora_id, loras.c.resting_since.is_(None))
    await connection.execute(sa.update(loras).where(in_use).values(resting_since=now))


async def end_rest(connection: AsyncConnection, lora_id: int) -> None:
    await connection.execute(sa.update(loras).where(loras.c.id == lora_id).values(resting_since=None))


async def note_missing(connection: AsyncConnection, lora_id: int, *, now: datetime) -> None:
    """The provider no longer has it; the first time this was noticed stays."""
    await connection.execute(
        sa.update(loras).where(loras.c.id == lora_id, loras.c.missing_since.is_(None)).values(missing_since=now)
    )


async def remote_ids(connection: AsyncConnection, guild_id: int, provider: ProviderName) -> list[str]:
    """What the provider calls the guild's LoRAs that are not archived, newest first."""
    in_use = sa.select(loras.c.remote_id).where(_in_use(guild_id, provider))
    return await fetch_values(connection, in_use.order_by(loras.c.id.desc()))


async def still_there(connection: AsyncConnection, guild_id: int, provider: ProviderName) -> list[Lora]:
    """The guild's LoRAs at this provider that nobody wanted gone, oldest first."""
    wanted = sa.and_(_in_use(guild_id, provider), loras.c.retiring_since.is_(None), loras.c.missing_since.is_(None))
    return await fetch_all(connection, Lora, sa.select(loras).where(wanted).order_by(loras.c.id))


async def may_be_there(connection: AsyncConnection, key: ApiKeyRow) -> bool:
    """Whether there are such LoRAs under this key, or a training that may become one."""
    is_training = await trainings.open_on_key(connection, key.id) > 0
    return is_training or bool(await still_there(connection, key.guild_id, key.provider))


async def noted_missing(connection: AsyncConnection, guild_id: int, provider: ProviderName) -> set[str]:
    """Those of them of which it is known that the provider no longer has them."""
    missing = sa.and_(_in_use(guild_id, provider), loras.c.missing_since.is_not(None))
    return set(await fetch_values(connection, sa.select(loras.c.remote_id).where(missing)))


async def mark_missing(
    connection: AsyncConnection, guild_id: int, provider: ProviderName, gone: Sequence[str], *, now: datetime
) -> None:
    """The provider no longer lists these; the first time this was noticed stays."""
    found = sa.and_(_in_use(guild_id, provider), loras.c.missing_since.is_(None))
    await connection.execute(sa.update(loras).where(found, loras.c.remote_id.in_(gone)).values(missing_since=now))


async def mark_found(connection: AsyncConnection, guild_id: int, provider: ProviderName, there: Sequence[str]) -> None:
    """The provider lists these (again)."""
    missing = sa.and_(_in_use(guild_id, provider), loras.c.missing_since.is_not(None))
    await connection.execute(sa.update(loras).where(missing, loras.c.remote_id.in_(there)).values(missing_since=None))


def _in_use(guild_id: int, provider: ProviderName) -> sa.ColumnElement[bool]:
    return sa.and_(loras.c.guild_id == guild_id, loras.c.provider == provider, NOT_ARCHIVED)


async def change(connection: AsyncConnection, lora_id: int, **values: Any) -> bool:
    """Store these columns; False when it has been archived meanwhile."""
    return await changes_row(connection, sa.update(loras).where(loras.c.id == lora_id, NOT_ARCHIVED).values(**values))


async def choose(connection: AsyncConnection, lora_id: int, strength: float | None, *, now: datetime) -> bool:
    """This version, with this strength if one is given, is the default; False when it has been archived meanwhile."""
    with_strength = {} if strength is None else {"strength": strength}
    return await change(connection, lora_id, chosen_at=now, **with_strength)


async def hand_over(connection: AsyncConnection, lora_id: int, *, from_id: int, to_id: int) -> bool:
    """A new owner; False when it is not the giver's (any more) or has been archived."""
    own = sa.update(loras).where(loras.c.id == lora_id, loras.c.owner_id == from_id, NOT_ARCHIVED)
    return await changes_row(connection, own.values(owner_id=to_id))


async def lineage(connection: AsyncConnection, lora: Lora) -> list[Lora]:
    """The versions this one came from, oldest first, itself, and those made directly after it."""
    chain = [lora]
    while chain[0].previous_id is not None and len(chain) < LINEAGE_MAX:
        earlier = await get(connection, chain[0].previous_id)
        if earlier is None or earlier.guild_id != lora.guild_id:
            break
        chain.insert(0, earlier)
    later = sa.select(loras).where(loras.c.guild_id == lora.guild_id, loras.c.previous_id == lora.id)
    return chain + await fetch_all(connection, Lora, later.order_by(loras.c.id).limit(LINEAGE_MAX))


async def best_pictures(connection: AsyncConnection, lora: Lora, viewer: Actor) -> Mapping[str, str]:
    """Spool names of kept pictures made with it in its guild, and what they were to show: those saved most often first,
    then the newest.

    Somebody else's pictures, and those that an event ordered, only when they were posted in a channel that the viewer
    can see; none that is reported or declined.
    """
    of_its_set = sa.or_(*(about(kind, posts.c.subject_id == generations.c.id) for kind in SHOWN))
    rows = await connection.execute(
        sa.select(
            pictures.c.file,
            generations.c.prompt,
            generations.c.user_id,
            generations.c.pack_index,
            posts.c.places,
            posts.c.place_index,
        )
        .join(generations, generations.c.id == pictures.c.generation_id)
        .outerjoin(posts, sa.and_(of_its_set, posts.c.status == PostStatus.POSTED, posts.c.message_id > 0))
        .where(
            generations.c.lora_id == lora.id,
            generations.c.guild_id == lora.guild_id,
            generations.c.deleted_at.is_(None),
            sa.not_(objected()),
            pictures.c.file.is_not(None),
        )
        .order_by(pictures.c.saves.desc(), pictures.c.id.desc())
        .limit(LOOKED_AT)
    )
    return {
        row.file: row.prompt
        for row in rows
        if (row.user_id == viewer.user_id and row.pack_index is None)
        or (row.places is not None and _sees(viewer, row.places[row.place_index]))
    }


def _sees(viewer: Actor, place: Place) -> bool:
    return place.kind is PlaceKind.CHANNEL and viewer.sight.sees(place.id)
