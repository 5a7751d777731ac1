"""Faults to inject: what goes wrong, on which route, how often, and whether the state had already changed."""

import asyncio
import random
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Any

from aiohttp import web

from tests.wire.discord.answers import ERRORS, Answer, Call


class FaultKind(StrEnum):
    ANSWER = "answer"
    DROP = "drop"
    RESET = "reset"
    HANG = "hang"


@dataclass(frozen=True, slots=True)
class Fault:
    """`after_commit` True: the request takes effect first, then goes wrong."""

    kind: FaultKind
    answer: Answer = field(default_factory=lambda: Answer(500))
    after_commit: bool = False

    def committed(self) -> "Fault":
        return replace(self, after_commit=True)


def answer_with(status: int, body: Any = None, headers: dict[str, str] | None = None) -> Fault:
    return Fault(FaultKind.ANSWER, Answer(status, body, headers or {}))


def server_error(status: int) -> Fault:
    """500, 502, 503 or 504 as Discord's edge sends them."""
    return answer_with(status, {"message": f"{status}: Server Error", "code": 0})


def refused(code: int) -> Fault:
    """One of the documented error codes with its usual status, such as 50013, 50001, 10003, 40005 or 50083."""
    status, message = ERRORS[code]
    return answer_with(status, {"message": message, "code": code})


def rate_limited(retry_after_seconds: float, *, scope: str = "user", has_via: bool = True) -> Fault:
    """429; without `Via` it looks like a ban at Discord's edge. `scope` is user, global or shared."""
    is_global = scope == "global"
    headers = {"Retry-After": str(max(1, round(retry_after_seconds))), "X-RateLimit-Scope": scope}
    headers |= {"X-RateLimit-Global": "true"} if is_global else {}
    headers |= {"Via": "1.1 stand-in"} if has_via else {}
    body = {"message": "You are being rate limited.", "retry_after": retry_after_seconds, "global": is_global}
    return answer_with(429, body, headers)


def dropped() -> Fault:
    """The connection is closed without an answer."""
    return Fault(FaultKind.DROP)


def reset() -> Fault:
    """The connection is reset (ECONNRESET at the bot)."""
    return Fault(FaultKind.RESET)


def hang() -> Fault:
    """No answer until the bot gives up or the stand-in closes."""
    return Fault(FaultKind.HANG)


@dataclass(eq=False)
class Rule:
    """A fault on a method and path pattern; `left` None means until `stop()`, `share` is a probability."""

    method: str
    pattern: str
    fault: Fault
    left: int | None
    share: float
    when: Callable[[Call], bool] | None
    fired: int = 0

    def stop(self) -> None:
        self.left = 0

    def matches(self, call: Call) -> bool:
        if self.left == 0 or self.method not in {"*", call.method} or not fnmatchcase(call.path, self.pattern):
            return False
        return self.when is None or self.when(call)


class Faults:
    """Rules in the order they were added; the first that matches and fires is used up."""

    def __init__(self, seed: int = 0) -> None:
        self._random = random.Random(seed)
        self._closing = asyncio.Event()
        self.rules: list[Rule] = []

    def add(
        self,
        method: str,
        pattern: str,
        fault: Fault,
        *,
        times: int | None = 1,
        share: float = 1.0,
        when: Callable[[Call], bool] | None = None,
    ) -> Rule:
        """`pattern` is matched against the path below /api/v10 (or /cdn for files); `*` also spans slashes."""
        rule = Rule(method, pattern, fault, times, share, when)
        self.rules.append(rule)
        return rule

    def take(self, call: Call) -> Fault | None:
        for rule in self.rules:
            if rule.matches(call) and (rule.share >= 1.0 or self._random.random() < rule.share):
                rule.fired += 1
                if rule.left is not None:
                    rule.left -= 1
                return rule.fault
        return None

    def close(self) -> None:
        """Let every hanging request go."""
        self._closing.set()

    async def break_connection(self, request: web.Request, fault: Fault) -> None:
        if fault.kind is FaultKind.HANG:
            await self._closing.wait()
        transport = request.transport
        if transport is None:
            return
        if fault.kind is FaultKind.RESET:
            raw = transport.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            transport.abort()
        else:
            transport.close()
