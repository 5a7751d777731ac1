"""Where sockets are told to connect to, and look-ups of names that never leave the process."""

import contextlib
import socket
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

Place = tuple[str, int]


@dataclass
class WatchedSockets:
    """Connections are made to the places in `allowed` only; all others are noted in `elsewhere` and refused.

    `look_up` gives the addresses of a name.
    """

    look_up: Callable[[str], Sequence[str]]
    allowed: set[Place] = field(default_factory=set)
    elsewhere: list[Place] = field(default_factory=list)
    looked_up: list[str] = field(default_factory=list)

    def addresses_of(self, host: str) -> Sequence[str]:
        """Numbers in any spelling that the C library takes (127.1, 0x7f000001) need no look-up."""
        with contextlib.suppress(OSError):
            return [socket.inet_ntoa(socket.inet_aton(host))]
        if ":" in host:
            return [host]
        self.looked_up.append(host)
        return self.look_up(host)


@contextlib.contextmanager
def watch_sockets(sockets: WatchedSockets) -> Iterator[WatchedSockets]:
    connect = socket.socket.connect

    def connect_or_note(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and address[:2] not in sockets.allowed:
            sockets.elsewhere.append(address[:2])
            raise ConnectionRefusedError("This place is not allowed.")
        connect(self, address)

    def getaddrinfo(host: str, port: int, *_hints: int, **_more: int) -> list[tuple[Any, ...]]:
        found: list[tuple[Any, ...]] = []
        for address in sockets.addresses_of(host):
            family, rest = (socket.AF_INET6, (0, 0)) if ":" in address else (socket.AF_INET, ())
            found.append((family, socket.SOCK_STREAM, 6, "", (address, port, *rest)))
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", connect_or_note)
        patch.setattr(socket, "getaddrinfo", getaddrinfo)
        yield sockets


def free_port() -> int:
    """A port of this machine that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])
