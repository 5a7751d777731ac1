"""Cards about limits: what a member has left, a server's month, and what holds after the first key."""

from collections.abc import Sequence

import discord

from bot.limits.rules import counted, left, server_limit
from bot.limits.service import Overview, Rest
from bot.records.limit import Limit, LimitKind, Unit
from cogs.ui.layout import SafeLayout, card
from cogs.ui.words import count, day, member

BARS = "▁▂▃▄▅▆▇█"
NOTHING = "·"
METER = 10


def rest_card(rest: Rest) -> SafeLayout:
    """A member's own month."""
    lines = ["### Your budget"]
    for unit in Unit:
        limit = rest.limits[unit]
        if limit is None:
            lines.append(f"**{unit.value.title()}:** no limit; {counted(rest.used.of(unit), unit)} so far this month")
            continue
        most, rest_of_it = limit.of(unit) or 0, left(limit, unit, rest.used) or 0
        by_role = f", by your role <@&{limit.role_id}>" if limit.who is LimitKind.ROLE else ""
        lines.append(f"**{unit.value.title()}:** {_meter(rest_of_it, most)} {rest_of_it:,} of {most:,} left{by_role}")
    if rest.training_pause_h:
        lines.append(f"Your trainings start at least {count(rest.training_pause_h, 'hour')} apart.")
    lines.append(f"It renews {day(rest.month.renews)}. What you do in an event counts for the event, not for you.")
    return card("\n".join(lines), colour=discord.Colour.blurple())


def overview_card(seen: Overview) -> SafeLayout:
    """A server's month, for its admins."""
    view = SafeLayout(discord.Colour.blurple())
    view.add_text("\n".join(["### This server's month", *_server_lines(seen), *_day_lines(seen.days)]))
    if seen.spenders:
        spenders = [f"{member(user_id)}: {counted(spent, Unit.CREDITS)}" for user_id, spent in seen.spenders]
        view.add_line()
        view.add_text("\n".join(["**Who used most, outside events**", *spenders]))
    view.add_line()
    lines = ["**Limits a month**", *limit_lines(seen.limits)]
    if seen.training_pause_h:
        lines.append(f"The trainings of one member start at least {count(seen.training_pause_h, 'hour')} apart.")
    lines.append(
        f"Everything renews {day(seen.month.renews)}. `/budget set` changes a limit, `/budget export` gives every job."
    )
    view.add_text("\n".join(lines))
    return view


def limit_lines(limits: Sequence[Limit]) -> list[str]:
    return [f"{_whose(limit)}: {_amounts(limit)}" for limit in limits] or ["None: everybody may spend all there is."]


def changed_card(limit: Limit, warnings: Sequence[str] = ()) -> SafeLayout:
    text = (
        f"### Limit set\n{_whose(limit)}: {_amounts(limit)} each calendar month (UTC). "
        "It counts from the next order on, with what this month has taken already."
    )
    return card(text, *warnings, colour=discord.Colour.green())


def _server_lines(seen: Overview) -> list[str]:
    whole = server_limit(seen.limits)
    lines = []
    for unit in Unit:
        most = None if whole is None else whole.of(unit)
        of_them = "" if most is None else f" of {most:,}"
        lines.append(f"**{unit.value.title()}:** {seen.used.of(unit):,}{of_them}")
    return lines


def _whose(limit: Limit) -> str:
    match limit.who:
        case LimitKind.SERVER:
            return "The whole server"
        case LimitKind.MEMBER:
            return "Each member"
        case LimitKind.ROLE:
            return f"Each member with <@&{limit.role_id}>"


def _amounts(limit: Limit) -> str:
    return ", ".join(counted(most, unit) for unit in Unit if (most := limit.of(unit)) is not None)


def _meter(rest: int, most: int) -> str:
    filled = METER if most == 0 else -(-rest * METER // most)
    return "▰" * filled + "▱" * (METER - filled)


def _day_lines(days: Sequence[int]) -> list[str]:
    if not any(days):
        return []
    return [f"**Credits each day,** from the 1st on; the most on one day: {max(days):,}", f"`{_plot(days)}`"]


def _plot(days: Sequence[int]) -> str:
    """One bar for each day, in proportion to the highest; a dot when nothing was spent."""
    highest = max(days)
    return "".join(NOTHING if not each else BARS[(each * len(BARS) - 1) // highest] for each in days)
