"""The privacy policy that members read: the operator's own text, or a template that says what really holds here."""

import hashlib
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from string import Template
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.clock import Timings
from bot.errors import StartupError
from bot.storage import meta
from bot.storage.database import Database
from bot.text import lasting

TEMPLATE: Final = Path(__file__).with_name("policy.md")
SIZE_MAX: Final = 500_000
"""Bytes of an operator's text: a policy is no book, and it is kept in memory."""
NO_CONTACT: Final = "ask the admins of your server"
DIGEST_LENGTH: Final = 8


@dataclass(frozen=True, slots=True)
class Policy:
    """`version`: the day on which this text came into force here, and a digest of it."""

    text: str
    version: str


def policy_text(file: Path | None, contact: str | None, timings: Timings) -> str:
    """The text of `file`, else the template with the contact and the times of this installation.

    StartupError, with one sentence, when the file cannot be read or holds nothing.
    """
    if file is not None:
        return _read(file)
    template = _unwrapped(TEMPLATE.read_text(encoding="utf-8"))
    return Template(template).substitute(
        contact=contact or NO_CONTACT,
        photos=lasting(timings.photos_kept),
        kept_open=lasting(max(timings.photos_kept, timings.photos_kept_longest)),
        event_photos=lasting(timings.event_photos_kept),
        pictures=lasting(timings.pictures_kept),
        details=lasting(timings.details_kept),
        gallery=lasting(timings.gallery_open),
        receipts=lasting(timings.receipts_kept),
        ledger=lasting(timings.ledger_kept),
        left=lasting(timings.left_guild_kept),
        retired_key=lasting(timings.retired_key_kept),
        removal_key=lasting(timings.removal_key_kept),
    )


async def put_in_force(database: Database, text: str, today: date) -> Policy:
    """The policy with its version: a new one from `today` on when the text is not the one of the last start."""
    digest = hashlib.sha256(text.encode()).hexdigest()[:DIGEST_LENGTH]

    async def transaction(connection: AsyncConnection) -> str:
        kept = await meta.get(connection, meta.POLICY)
        if kept is not None and kept.decode().endswith(f" {digest}"):
            return kept.decode()
        version = f"{today.isoformat()} {digest}"
        await meta.put(connection, meta.POLICY, version.encode())
        return version

    return Policy(text, await database.write(transaction))


def _unwrapped(text: str) -> str:
    """Each paragraph and each point of a list on one line, because Discord shows every line break."""
    lines: list[str] = []
    for line in text.splitlines():
        if lines and lines[-1] and line and not line.startswith(("#", "-")) and not lines[-1].startswith("#"):
            lines[-1] += f" {line.strip()}"
        else:
            lines.append(line)
    return "\n".join(lines)


def _read(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            content = opened.read(SIZE_MAX + 1)
        if len(content) > SIZE_MAX:
            raise StartupError(f"DARKROOM_POLICY_FILE names a file over {SIZE_MAX // 1000} kB; please shorten it.")
        text = content.decode("utf-8-sig").strip()
    except (OSError, UnicodeDecodeError):
        raise StartupError(
            "DARKROOM_POLICY_FILE could not be read; it must name a UTF-8 text file that this user may open."
        ) from None
    if not text:
        raise StartupError("DARKROOM_POLICY_FILE names an empty file; write your privacy policy into it, or unset it.")
    return text
