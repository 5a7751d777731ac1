"""Logging: one stream to stderr, the job and guild on every line, and no secret in any of them."""

import copy
import json
import logging
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from enum import StrEnum
from types import TracebackType
from typing import TextIO
from urllib.parse import quote

from stamina.instrumentation import RetryDetails, set_on_retry_hooks


class LogFormat(StrEnum):
    TEXT = "text"
    JSON = "json"


class LogLevel(StrEnum):
    DEBUG = "DEBUG"
    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"


_SHORTEST_VALUE = 4
"""Shorter registered values are not hidden: ordinary words would be hidden with them."""

_HIDDEN = "[hidden]"

QUIET = {"aiosqlite": LogLevel.INFO, "alembic": LogLevel.WARNING, "discord": LogLevel.INFO, "urllib3": LogLevel.INFO}
"""Loggers that drown all others at DEBUG, every statement and every request; by name they can be had all the same."""
FLOORS = {"discord.gateway": LogLevel.INFO, "PIL": LogLevel.INFO}
"""Loggers that never go lower: the gateway shows what members type, Pillow the EXIF data."""
LEVELS_EXAMPLE = "DEBUG,aiosqlite=DEBUG"
_LOGGER = re.compile(r"[A-Za-z_][\w.]*")

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
"""Characters that move the cursor, colour a terminal or change the writing direction."""

_job: ContextVar[str | None] = ContextVar("job", default=None)
_guild: ContextVar[str | None] = ContextVar("guild", default=None)


class Redactor:
    """Replaces secrets in text: by their shape, and by value once they are registered."""

    _SHAPES = (
        # A Discord bot token: base64 user id, time, signature.
        (re.compile(r"(?<![\w-])[\w-]{20,}+\.[\w-]{5,8}\.[\w.-]{25,}+"), _HIDDEN),
        # Interaction tokens are base64 of "interaction:…".
        (re.compile(r"aW50ZXJhY3Rpb246[\w=+/-]*"), _HIDDEN),
        # Apiframe /docs/getting-started/authentication; Aurous Labs authentication page; webhook signing secrets.
        (re.compile(r"(afk_|al_live_|whsec_)[\w=+/-]+"), rf"\1{_HIDDEN}"),
        # https://discord.com/api/…/webhooks/<id>/<token>, …/interactions/<id>/<token>/callback, and our own doors.
        (re.compile(r"(/(?:webhooks|interactions)/[^/\s\"'<>?]+/)[^/\s\"'<>?,]+"), rf"\1{_HIDDEN}"),
        # The address of an event's gallery.
        (re.compile(r"(/events/)[\w-]{22,}"), rf"\1{_HIDDEN}"),
        # Discord's signed attachment links and presigned storage links: plain, escaped in JSON, or inside another link.
        (
            re.compile(
                r"((?:[?&;]|u0026|%3F|%26)(?:ex|is|hm|token|key|api_key|sig|signature|x-amz-[a-z-]+)(?:=|%3D))"
                r"[^&\s\"'<>\\;%]+",
                re.IGNORECASE,
            ),
            rf"\1{_HIDDEN}",
        ),
        # 'token': '…' in a gateway event, "X-API-Key": "…" and the like in headers, quoted and escaped at any depth.
        (
            re.compile(
                r"((?:token|x-api-key|authorization)\\*[\"']?\s*[:=,]\s*b?\\*[\"'])[^\"'\\\r\n]+", re.IGNORECASE
            ),
            rf"\1{_HIDDEN}",
        ),
        (
            re.compile(r"((?:x-api-key|authorization)\s*[:=]\s*)(?![\"'\\\s])[^\r\n\"',;}\])]+", re.IGNORECASE),
            rf"\1{_HIDDEN}",
        ),
        (re.compile(r"(\bbearer\s+)[^\s\"',;}\])]+", re.IGNORECASE), rf"\1{_HIDDEN}"),
    )

    def __init__(self) -> None:
        self._values: set[str] = set()
        self._by_start: dict[str, tuple[str, ...]] = {}
        """Values by their first _SHORTEST_VALUE characters, the longest first."""

    def __repr__(self) -> str:
        return f"Redactor(values={len(self._values)})"

    def add(self, value: str) -> None:
        """Hide `value` from now on, also where it is quoted for a URL, for JSON or by repr."""
        if len(value) < _SHORTEST_VALUE or value in self._values:
            return
        escaped = {value, quote(value, safe=""), quote(value), json.dumps(value)[1:-1], repr(value)[1:-1]}
        for each in (escaped | {json.dumps(value, ensure_ascii=False)[1:-1]}) - self._values:
            self._values.add(each)
            start = each[:_SHORTEST_VALUE]
            self._by_start[start] = tuple(sorted((*self._by_start.get(start, ()), each), key=len, reverse=True))

    def clean(self, text: str) -> str:
        text = self._hide_values(text)
        for shape, replacement in self._SHAPES:
            text = shape.sub(replacement, text)
        return text

    def _hide_values(self, text: str) -> str:
        """One pass over the text, however many values there are."""
        parts: list[str] = []
        at = shown = 0
        last = len(text) - _SHORTEST_VALUE if self._by_start else -1
        while at <= last:
            candidates = self._by_start.get(text[at : at + _SHORTEST_VALUE], ())
            found = next((value for value in candidates if text.startswith(value, at)), "")
            if found:
                parts += text[shown:at], _HIDDEN
                shown = at + len(found)
            at += len(found) or 1
        return "".join([*parts, text[shown:]])


_redactor = Redactor()


def redact_value(secret: str) -> None:
    """Hide this value in every later line. Values under four characters are ignored."""
    _redactor.add(secret)


@contextmanager
def bind(*, job: str | int | None = None, guild: int | None = None) -> Iterator[None]:
    """Show `job` and `guild` on every line logged inside; None keeps what is bound outside."""
    job_mark = _job.set(_job.get() if job is None else str(job))
    guild_mark = _guild.set(_guild.get() if guild is None else str(guild))
    try:
        yield
    finally:
        _job.reset(job_mark)
        _guild.reset(guild_mark)


def bound_job() -> str | None:
    """The job that is bound here."""
    return _job.get()


def drop_voice_warnings(record: logging.LogRecord) -> bool:
    """discord.py warns about its optional voice libraries at every start; Darkroom has no voice."""
    return "voice will NOT be supported" not in str(record.msg)


class LineHandler(logging.StreamHandler[TextIO]):
    """Standard error. Formatters only get a redacted copy of a record: message, exception and stack.

    The copy is made inside `format`, because there logging itself catches the error of a broken argument. Such a record
    is logged as a place only, without its arguments.
    """

    _plain = logging.Formatter()

    def format(self, record: logging.LogRecord) -> str:
        clean = copy.copy(record)
        clean.msg, clean.args = _redactor.clean(record.getMessage()), None
        trace = record.exc_text
        if trace is None and record.exc_info and record.exc_info[0] is not None:
            trace = self._plain.formatException(record.exc_info)
        clean.exc_info, clean.exc_text = None, trace and _redactor.clean(trace)
        clean.stack_info = record.stack_info and _redactor.clean(record.stack_info)
        return super().format(clean)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 (logging's name)
        try:
            self.stream.write(f"A log line of {record.name}, line {record.lineno}, could not be written.\n")
        except (OSError, ValueError):
            return  # standard error itself is closed


class TextFormatter(logging.Formatter):
    """`2026-11-21T01:10:42.123Z INFO bot.engine [job 7, guild 5] message`; further lines are indented.

    The indent keeps text that members typed from looking like a line of the log.
    """

    def format(self, record: logging.LogRecord) -> str:
        job, guild = _job.get(), _guild.get()
        marks = [f"{name} {value}" for name, value in (("job", job), ("guild", guild)) if value]
        parts = [_time_of(record), record.levelname, record.name, f"[{', '.join(marks)}]" if marks else ""]
        head = " ".join(part for part in parts if part)
        lines = "\n".join(part for part in (record.getMessage(), record.exc_text, record.stack_info) if part)
        return f"{head} {_visible(lines)}"


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, logger, message, and job, guild, exception, stack where there are any.

    A record's `fields` stand beside them as they are; their values are words and numbers of ours.
    """

    def format(self, record: logging.LogRecord) -> str:
        fields = {
            "time": _time_of(record),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "job": _job.get(),
            "guild": _guild.get(),
            "exception": record.exc_text,
            "stack": record.stack_info,
            **getattr(record, "fields", {}),
        }
        return json.dumps({name: value for name, value in fields.items() if value is not None})


def split_levels(text: str) -> tuple[LogLevel, dict[str, LogLevel]]:
    """`DEBUG,aiosqlite=DEBUG` as the level of all and those of named loggers. ValueError with a sentence."""
    usual, *named = (part.strip() for part in text.split(","))
    pairs = [(name.strip(), level.strip().upper()) for name, _, level in (part.partition("=") for part in named)]
    levels = {usual.upper(), *(level for _, level in pairs)}
    if not levels <= set(LogLevel) or not all(_LOGGER.fullmatch(name) for name, _ in pairs):
        raise ValueError(f"must be one of {', '.join(LogLevel)}; loggers may follow, for example {LEVELS_EXAMPLE}.")
    return LogLevel(usual.upper()), {name: LogLevel(level) for name, level in pairs}


def configure_logging(levels: str, format: LogFormat, *, stream: TextIO | None = None) -> None:  # noqa: A002
    """Make the root logger write to standard error (or `stream`) at these levels, replacing its handlers."""
    level, named = split_levels(levels)
    handler = LineHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter() if format is LogFormat.JSON else TextFormatter())
    handler.addFilter(drop_voice_warnings)
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in {*QUIET, *FLOORS, *named}:
        numbers = logging.getLevelNamesMapping()
        wanted = numbers[named.get(name, max(level, QUIET.get(name, level), key=numbers.__getitem__))]
        logging.getLogger(name).setLevel(max(wanted, numbers[FLOORS.get(name, LogLevel.DEBUG)]))
    logging.captureWarnings(True)
    sys.excepthook = log_uncaught
    set_on_retry_hooks([log_retry])


def log_retry(details: RetryDetails) -> None:
    """In the place of stamina's own line, whose words say neither what went wrong nor when it is tried again.

    What an error says of itself may quote people.
    """
    status = getattr(details.caused_by, "status", None)
    logging.getLogger("stamina").warning(
        "%s%s; try %d follows in %.1f s.",
        type(details.caused_by).__name__,
        "" if status is None else f" (status {status})",
        details.retry_num + 1,
        details.wait_for,
    )


def log_uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """The excepthook of the process: a crash is logged through the filter, too."""
    if issubclass(kind, KeyboardInterrupt):
        return
    logging.getLogger("bot").critical("Darkroom stopped unexpectedly.", exc_info=(kind, error, trace))


def _time_of(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _visible(text: str) -> str:
    return _CONTROL.sub(lambda match: repr(match[0])[1:-1], text).replace("\n", "\n    ")
