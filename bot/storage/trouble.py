"""What stands in the way of the database, in the words for the person who acted: SQLite's and PostgreSQL's errors."""

import sqlite3
from typing import Final

from sqlalchemy.exc import DBAPIError

from bot.errors import StorageTrouble

BUSY: Final = "Darkroom's storage is busy just now. Nothing was lost; please try again in a minute."
FULL: Final = "Darkroom's disk is full, so nothing was stored. Please tell whoever runs this bot, and try again later."
BROKEN: Final = "Darkroom cannot write to its disk just now, so nothing was stored. Please tell whoever runs this bot."
AWAY: Final = "Darkroom's database cannot be reached just now, so nothing was stored. Please try again in a minute."
STOPPING: Final = "Darkroom is stopping, so this was not stored. Please try again in a minute."
IN_DOUBT: Final = (
    "The connection to Darkroom's database broke while this was stored. "
    "Please look whether it is there before you try again."
)

_NO_LARGE_FILES: Final = 22
"""SQLITE_NOLFS, which sqlite3 has no name for (sqlite.org/rescode.html)."""

_OF_SQLITE: Final = {
    sqlite3.SQLITE_BUSY: BUSY,
    sqlite3.SQLITE_FULL: FULL,
    sqlite3.SQLITE_IOERR: BROKEN,
    sqlite3.SQLITE_READONLY: BROKEN,
    sqlite3.SQLITE_CANTOPEN: BROKEN,
    sqlite3.SQLITE_CORRUPT: BROKEN,
    sqlite3.SQLITE_NOTADB: BROKEN,
}
"""By primary result code (sqlite.org/rescode.html)."""

_OF_POSTGRES: Final = {
    "08": AWAY,
    "25006": BROKEN,
    "40001": BUSY,
    "40P01": BUSY,
    "53": BUSY,
    "53100": FULL,
    "55P03": BUSY,
    "57014": BUSY,
    "57P": AWAY,
    "58": BROKEN,
    "XX001": BROKEN,
    "XX002": BROKEN,
}
"""By the beginning of SQLSTATE, the longest counts (PostgreSQL manual, appendix A)."""

_OF_CONNECTIONS: Final = {"OperationalError", "InterfaceError"}
"""What a driver raises when it is not the statement that was wrong (PEP 249)."""


def told(error: Exception) -> Exception:
    """The error that a caller gets: a sentence when it is the disk's, the server's or another program's fault."""
    sentence = sentence_of(error)
    if sentence is None:
        return error
    trouble = StorageTrouble(sentence)
    trouble.__cause__ = error
    return trouble


def sentence_of(error: Exception) -> str | None:
    """None when it is the program's own fault."""
    cause = _cause(error)
    if not hasattr(cause, "sqlstate"):
        return _OF_SQLITE.get(_sqlite_code(cause))
    state: str | None = cause.sqlstate
    if state is None:
        is_lost = bool(_OF_CONNECTIONS & {kind.__name__ for kind in type(cause).__mro__})
        return AWAY if is_lost else None
    return next((_OF_POSTGRES[state[:length]] for length in (5, 3, 2) if state[:length] in _OF_POSTGRES), None)


def stops_all(error: Exception) -> bool:
    """Whether no write at all gets through for now: another program has the file, or the server is away."""
    return _sqlite_code(_cause(error)) == sqlite3.SQLITE_BUSY or sentence_of(error) == AWAY


def is_of_file_system(error: Exception) -> bool:
    """Whether SQLite met with what network disks do: no shared memory, no large files, locks that fail."""
    return _sqlite_code(_cause(error)) in {sqlite3.SQLITE_IOERR, sqlite3.SQLITE_PROTOCOL, _NO_LARGE_FILES}


def reason(error: Exception) -> str:
    return str(_cause(error)).strip().rstrip(".")


def _cause(error: Exception) -> BaseException:
    """What the driver raised."""
    return error.orig if isinstance(error, DBAPIError) and error.orig is not None else error


def _sqlite_code(cause: BaseException) -> int:
    """0 when it was not SQLite that failed."""
    return getattr(cause, "sqlite_errorcode", 0) & 0xFF
