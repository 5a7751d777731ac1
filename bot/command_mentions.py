"""Commands in texts as mentions that can be pressed. Pure, but for the ids that Discord gave at the last login."""

import re
from collections.abc import Mapping

SPAN = re.compile(r"`/([a-z]+(?: [a-z]+)?)`")
_ids: dict[str, int] = {}
"""The id of each command by its whole name, that of the group for its subcommands."""


def learn(ids: Mapping[str, int]) -> None:
    """From now on these commands are mentioned, and no others. One process is one application of Discord."""
    _ids.clear()
    _ids.update(ids)


def clickable(text: str, room: int | None = None) -> str:
    """The text with each command in a code span (`/train`) as its mention; what has no id stays as it is.

    A mention is longer than its span: when more than `room` more characters were needed, nothing is changed.
    """
    changed = SPAN.sub(_mention, text)
    return text if room is not None and len(changed) - len(text) > room else changed


def _mention(span: re.Match[str]) -> str:
    command_id = _ids.get(span[1])
    return span[0] if command_id is None else f"</{span[1]}:{command_id}>"
