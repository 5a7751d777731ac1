"""Which posts messages are, read from the ids of their cards."""

import contextlib
import sqlite3
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from bot.records.post import PostKind
from bot.records.post_names import FIRST_ID, KIND_CODES, OF_A_KIND, component_id

PostName = tuple[PostKind, int]
"""The kind of a post, and the row that it is about."""
KINDS = list(KIND_CODES)


def id_in(components: Iterable[Mapping[str, Any]]) -> int | None:
    """The id of the card; None for answers, and for what others wrote."""
    given = (part.get("id") or 0 for part in components)
    return next((each for each in given if each >= FIRST_ID), None)


def kind_in(components: Iterable[Mapping[str, Any]]) -> PostKind | None:
    """The kind of the post that a message with these components is."""
    found = id_in(components)
    return None if found is None else KINDS[(found - FIRST_ID) // OF_A_KIND]


def card_ids(database: Path) -> dict[PostName, int]:
    """The id of every post's card, in every version of its message. `database` is a bot's SQLite file."""
    with contextlib.closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        rows = connection.execute("SELECT kind, subject_id, nonce FROM posts").fetchall()
    return {(PostKind(kind), subject_id): component_id(nonce) for kind, subject_id, nonce in rows}
