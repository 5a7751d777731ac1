"""What goes over the REST wire: a received call, an answer, and Discord's documented errors."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

Json: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class SentFile:
    """A file part of a multipart request; `index` is the n of `files[n]`."""

    index: int
    name: str
    content: bytes


@dataclass(slots=True)
class Call:
    """One request the stand-in received. `route` is the template, None when no route matched."""

    method: str
    path: str
    route: str | None
    params: dict[str, str]
    query: dict[str, str]
    body: Any
    files: tuple[SentFile, ...]
    size: int
    at: float
    """Seconds on the event loop's clock."""
    status: int | None = None
    """What was answered; None when the connection was cut instead."""

    def number(self, name: str) -> int:
        value = self.params[name]
        if not value.isdigit():
            raise refuse(50035, f"{name} is not a snowflake")
        return int(value)

    @property
    def json(self) -> Json:
        return self.body if isinstance(self.body, dict) else {}


@dataclass(frozen=True, slots=True)
class Answer:
    """`body` None sends no body at all."""

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


Handler: TypeAlias = Callable[[Call], Answer]
RouteTable: TypeAlias = list[tuple[str, str, Handler]]

# Discord documentation, topics/opcodes-and-status-codes: JSON error codes and the status each arrives with.
ERRORS: dict[int, tuple[int, str]] = {
    0: (401, "401: Unauthorized"),
    10003: (404, "Unknown Channel"),
    10004: (404, "Unknown Guild"),
    10007: (404, "Unknown Member"),
    10008: (404, "Unknown Message"),
    10013: (404, "Unknown User"),
    10066: (404, "Unknown application command permissions"),
    10015: (404, "Unknown Webhook"),
    10062: (404, "Unknown interaction"),
    30015: (400, "Maximum number of attachments in a message reached (10)"),
    40005: (413, "Request entity too large"),
    40060: (400, "Interaction has already been acknowledged."),
    50001: (403, "Missing Access"),
    50005: (403, "Cannot edit a message authored by another user"),
    50006: (400, "Cannot send an empty message"),
    50007: (403, "Cannot send messages to this user"),
    50013: (403, "Missing Permissions"),
    50027: (401, "Invalid Webhook Token"),
    50035: (400, "Invalid Form Body"),
    50083: (400, "Thread is archived"),
}


class DiscordError(Exception):
    """An error answer: the HTTP status, Discord's code and its sentence."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message

    def answer(self) -> Answer:
        return Answer(self.status, {"message": self.message, "code": self.code})


def refuse(code: int, detail: str = "") -> DiscordError:
    status, message = ERRORS[code]
    return DiscordError(status, code, f"{message}: {detail}" if detail else message)
