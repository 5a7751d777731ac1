"""Which posts messages are, read from the ids of their cards."""

from collections.abc import Iterable, Mapping
from typing import Any

from bot.records.post import PostKind
from bot.records.post_names import SUBJECTS, component_id

PostName = tuple[PostKind, int]
"""The kind of a post, and the row that it is about."""
KINDS = {component_id(kind, 0): kind for kind in PostKind}


def post_in(components: Iterable[Mapping[str, Any]]) -> PostName | None:
    """The post that a message with these components is; None for answers, and for what others wrote."""
    for part in components:
        given = part.get("id") or 0
        subject_id = given % SUBJECTS
        kind = KINDS.get(given - subject_id)
        if kind is not None:
            return kind, subject_id
    return None
