"""What those who ask others privately are told. Pure."""

from collections.abc import Sequence
from datetime import datetime

from bot.records.question import Asked

NOT_YOURS = "This question is for somebody else, or it is not here any more."


def too_soon(to_id: int, free_at: datetime) -> str:
    """One question or offer a day from one member to another."""
    again = f"You can ask again <t:{int(free_at.timestamp())}:R>."
    return f"You have asked <@{to_id}> something less than a day ago. {again}"


def notes(asked: Sequence[Asked], now: datetime) -> list[str]:
    """A sentence for each member who is not asked at once, or who gets no private questions at all."""
    lines: dict[int, str] = {}
    for each in asked:
        if each.is_muted:
            lines[each.user_id] = (
                f"<@{each.user_id}> gets no private questions; they find this under `/me` and can answer there."
            )
        elif each.at > now:
            lines.setdefault(
                each.user_id,
                f"<@{each.user_id}> is asked <t:{int(each.at.timestamp())}:R>, because you asked them something less "
                "than a day ago.",
            )
    return list(lines.values())
