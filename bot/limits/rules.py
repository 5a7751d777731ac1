"""What may be spent: which limits hold for an order, what they leave, and how a refusal is said. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bot.errors import UserError
from bot.records.limit import Amount, Limit, LimitKind, Unit


@dataclass(frozen=True, slots=True)
class Month:
    """A calendar month in UTC, from `begins` up to, not including, `renews`."""

    begins: datetime
    renews: datetime


class LimitReached(UserError):
    """An order does not fit a limit of the server, its members or a role; nothing was stored."""


class ServerLimitReached(LimitReached):
    """The one limit that also holds for events."""


class TooSoon(LimitReached):
    """The member's trainings have to be further apart."""


def month_of(now: datetime) -> Month:
    begins = now.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return Month(begins, (begins + timedelta(days=32)).replace(day=1))


def server_limit(limits: Iterable[Limit]) -> Limit | None:
    return next((limit for limit in limits if limit.who is LimitKind.SERVER), None)


def largest_for_member(limits: Sequence[Limit], role_ids: frozenset[int], unit: Unit) -> Limit | None:
    """The limit that holds for a member with these roles; None when nothing limits this unit for them."""
    holding = [
        limit
        for limit in limits
        if limit.who is LimitKind.MEMBER or (limit.who is LimitKind.ROLE and limit.role_id in role_ids)
    ]
    if any(limit.of(unit) is None for limit in holding):
        return None
    return max(holding, key=lambda limit: (limit.of(unit) or 0, limit.who is LimitKind.MEMBER), default=None)


def left(limit: Limit, unit: Unit, used: Amount) -> int | None:
    """What the month still has; None when it is not limited."""
    most = limit.of(unit)
    return None if most is None else max(0, most - used.of(unit))


def check(limit: Limit, unit: Unit, used: Amount, wanted: Amount, month: Month) -> None:
    """LimitReached unless what is wanted fits into what the limit leaves."""
    rest = left(limit, unit, used)
    if rest is None or not wanted.of(unit) or wanted.of(unit) <= rest:
        return
    kind = ServerLimitReached if limit.who is LimitKind.SERVER else LimitReached
    raise kind(_refusal(limit, unit, rest, wanted.of(unit), month))


def check_pause(last: datetime | None, pause: timedelta, now: datetime) -> None:
    """TooSoon when the member's last training was ordered less than `pause` ago."""
    if last is not None and now < last + pause:
        hours = round(pause / timedelta(hours=1))
        raise TooSoon(
            f"Here, the trainings of one member start at least {hours} hour{'s' * (hours != 1)} apart. Your next one "
            f"can start {stamp(last + pause, 'R')}. Nothing was ordered."
        )


def stamp(at: datetime, style: str = "D") -> str:
    """A time that Discord shows in the reader's own zone (docs: message formatting)."""
    return f"<t:{int(at.timestamp())}:{style}>"


def counted(number: int, unit: Unit) -> str:
    word = unit.value if number != 1 else unit.value.removesuffix("s")
    return f"{number:,} {word}"


def _refusal(limit: Limit, unit: Unit, rest: int, wanted: int, month: Month) -> str:
    most = limit.of(unit) or 0
    whose = {
        LimitKind.SERVER: f"This server may use {counted(most, unit)} a month",
        LimitKind.MEMBER: f"Each member here may use {counted(most, unit)} a month",
        LimitKind.ROLE: f"With your role <@&{limit.role_id}> you may use {counted(most, unit)} a month",
    }[limit.who]
    verb = "is" if rest == 1 else "are"
    return (
        f"This takes {counted(wanted, unit)}. {whose}, and {rest:,} {verb} left; they renew {stamp(month.renews)}. "
        "Nothing was ordered."
    )
