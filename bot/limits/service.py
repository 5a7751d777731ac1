"""Limits for people: set, clear and show them, and the ledger as a table."""

import csv
import io
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.errors import NotFound, UserError
from bot.limits import rules
from bot.limits.rules import Month, month_of
from bot.records.guild import Actor
from bot.records.job import SubjectTable
from bot.records.limit import Amount, Limit, LimitKind, Spend, Unit
from bot.resources import Service
from bot.storage import guilds
from bot.storage.money import limits, spends
from bot.storage.people import pseudonyms

SPENDERS_SHOWN = 5
COLUMNS = ("time", "member id", "job", "kind", "provider", "credits reserved", "credits taken", "state")


@dataclass(frozen=True, slots=True)
class Rest:
    """What a member has left this month: for each unit the limit that holds, None without one, and what was used."""

    month: Month
    limits: Mapping[Unit, Limit | None]
    used: Amount
    training_pause_h: int | None


@dataclass(frozen=True, slots=True)
class Overview:
    """A server's month: `limits`, what all of it took, (member, credits) of the largest, and credits day by day."""

    month: Month
    limits: tuple[Limit, ...]
    used: Amount
    spenders: tuple[tuple[int, int], ...]
    days: tuple[int, ...]
    training_pause_h: int | None


class LimitService(Service):
    async def set(
        self,
        actor: Actor,
        who: LimitKind,
        role_id: int | None,
        *,
        credits_: int | None,
        trainings: int | None,
        pictures: int | None,
    ) -> Limit:
        """Store a limit in place of the one before; what is None is not limited."""
        _check_role(who, role_id, actor.guild_id)
        if credits_ is trainings is pictures is None:
            raise UserError(
                "Please say how many `credits`, `trainings` or `pictures` a month. `/budget clear` takes a limit away."
            )
        limit = Limit(
            0, actor.guild_id, who, role_id or 0, credits_, trainings, pictures, actor.user_id, self._clock.now()
        )

        await self._database.write(lambda connection: limits.put(connection, limit))
        return limit

    async def set_credits(self, actor: Actor, wanted: Mapping[LimitKind, int | None]) -> None:
        """Change the credits of these limits, all or none; None: not limited. Trainings and pictures stay as set."""
        now = self._clock.now()

        async def transaction(connection: AsyncConnection) -> None:
            stored = {limit.who: limit for limit in await limits.of_guild(connection, actor.guild_id)}
            for who, credits_ in wanted.items():
                old = stored.get(who) or Limit(0, actor.guild_id, who, 0, None, None, None, actor.user_id, now)
                limit = replace(old, credits=credits_, set_by=actor.user_id, set_at=now)
                if any(limit.of(unit) is not None for unit in Unit):
                    await limits.put(connection, limit)
                else:
                    await limits.clear(connection, actor.guild_id, who)

        await self._database.write(transaction)

    async def keep_roles(self, guild_id: int, role_ids: Collection[int]) -> None:
        """Take the limits of all other roles away: those are gone, so that nobody could name them any more."""

        async def transaction(connection: AsyncConnection) -> None:
            for limit in await limits.of_guild(connection, guild_id):
                if limit.who is LimitKind.ROLE and limit.role_id not in role_ids:
                    await limits.clear(connection, guild_id, limit.who, limit.role_id)

        await self._database.write(transaction)

    async def clear(self, actor: Actor, who: LimitKind, role_id: int | None) -> None:
        """Take a limit away; NotFound when there is none."""
        _check_role(who, role_id, actor.guild_id)
        there = await self._database.write(
            lambda connection: limits.clear(connection, actor.guild_id, who, role_id or 0)
        )
        if not there:
            raise NotFound("There is no such limit. `/budget show` lists those that hold.")

    async def choose_training_pause(self, guild_id: int, hours: int | None) -> None:
        """How many hours lie between two trainings of one member; None takes the pause away."""
        await self._database.write(lambda connection: guilds.change(connection, guild_id, training_pause_h=hours))

    async def of_guild(self, guild_id: int) -> list[Limit]:
        return await self._database.fetch(limits.of_guild, guild_id)

    async def rest_of(self, actor: Actor) -> Rest:
        month = month_of(self._clock.now())
        async with self._database.read() as connection:
            stored = await limits.of_guild(connection, actor.guild_id)
            ids = await pseudonyms.ids_of(connection, actor.guild_id, actor.user_id)
            used = await spends.used_by_member(connection, actor.guild_id, ids, month.begins)
            guild = await guilds.get(connection, actor.guild_id)
        holding = {unit: rules.largest_for_member(stored, actor.role_ids, unit) for unit in Unit}
        return Rest(month, holding, used, None if guild is None else guild.training_pause_h)

    async def overview(self, guild_id: int) -> Overview:
        now = self._clock.now()
        month = month_of(now)
        async with self._database.read() as connection:
            stored = await limits.of_guild(connection, guild_id)
            its = await spends.of_guild(connection, guild_id, month.begins)
            largest = await spends.spenders(connection, guild_id, month.begins, limit=SPENDERS_SHOWN)
            guild = await guilds.get(connection, guild_id)
        return Overview(
            month,
            tuple(stored),
            Amount(*(sum(getattr(spend, unit) for spend in its) for unit in Unit)),
            tuple(largest),
            _by_day(its, month, now),
            None if guild is None else guild.training_pause_h,
        )

    async def export(self, guild_id: int) -> str:
        """The whole ledger of the server as CSV, oldest first. An erased member has a negative number."""
        its = await self._database.fetch(spends.of_guild, guild_id)
        table = io.StringIO()
        writer = csv.writer(table)
        writer.writerow(COLUMNS)
        writer.writerows(map(_line, its))
        return table.getvalue()


def _check_role(who: LimitKind, role_id: int | None, everyone: int) -> None:
    """`everyone`: the role that all have, whose id is the server's (Discord /docs/topics/permissions)."""
    if who is LimitKind.ROLE and role_id is None:
        raise UserError("Please choose the `role`, too.")
    if who is not LimitKind.ROLE and role_id is not None:
        raise UserError("A `role` only goes with **who: a role**. Please leave it out, or choose that.")
    if role_id == everyone:
        raise UserError("Everybody here has this role. Please choose **who: each member** without a `role`.")


def _by_day(its: list[Spend], month: Month, now: datetime) -> tuple[int, ...]:
    """Credits of each day of the month up to today."""
    days = [0] * ((now - month.begins).days + 1)
    for spend in its:
        number = (spend.created_at - month.begins).days
        if number < len(days):
            days[number] += spend.credits
    return tuple(days)


def _line(spend: Spend) -> tuple[str | int, ...]:
    is_training = spend.subject_table is SubjectTable.TRAINING
    return (
        spend.created_at.isoformat(timespec="seconds"),
        spend.user_id,
        f"{spend.subject_table} {spend.subject_id}",
        "training" if is_training else "pictures",
        spend.provider.label,
        spend.reserved,
        "" if spend.settled_at is None else spend.credits,
        _state(spend),
    )


def _state(spend: Spend) -> str:
    if spend.settled_at is None:
        return "reserved"
    took = spend.credits or spend.trainings or spend.pictures
    return "taken" if took else "given back"
