"""The listener's sockets: IPv4 and IPv6 as monitors and dual-stack hosts ask for it, and one sentence when not."""

import asyncio
import errno
import socket
from typing import Any

import pytest

from bot.errors import StartupError
from bot.network.addresses import EVERY_ADDRESS
from bot.web import sockets
from bot.web.probe import ask_health
from bot.web.server import HttpRequest, HttpResponse, Route, WebServer
from tests.fakes.waiting import HANG_S

HAS_IPV6 = socket.has_dualstack_ipv6()


def reaches(address: str, port: int) -> bool:
    try:
        socket.create_connection((address, port), timeout=HANG_S).close()
    except OSError:
        return False
    return True


@pytest.mark.skipif(not HAS_IPV6, reason="this machine has no IPv6")
@pytest.mark.parametrize(
    ("host", "v4", "v6"),
    [(EVERY_ADDRESS, True, True), ("0.0.0.0", True, False), ("127.0.0.1", True, False), ("::1", False, True)],  # noqa: S104
)
def test_each_way_of_naming_an_address_listens_where_it_says(host: str, v4: bool, v6: bool) -> None:
    """Mutant: asyncio's own sockets, which take IPv6 alone on [::]."""
    opened = sockets.open_sockets(host, 0)
    port = opened[0].getsockname()[1]
    assert (reaches("127.0.0.1", port), reaches("::1", port)) == (v4, v6)
    sockets.close(opened)


def test_where_there_is_no_ipv6_every_address_is_every_ipv4_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "has_dualstack_ipv6", lambda: False)
    opened = sockets.open_sockets(EVERY_ADDRESS, 0)
    assert reaches("127.0.0.1", opened[0].getsockname()[1])
    sockets.close(opened)


def without_ipv6(address: Any, **given: Any) -> socket.socket:
    if given.get("family") == socket.AF_INET6:
        raise OSError(errno.EADDRNOTAVAIL, "Cannot assign requested address")
    return real(address, **given)


real = socket.create_server


def test_a_name_with_an_address_that_the_machine_lacks_listens_on_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """As localhost in a container without IPv6. Mutant: the first address that cannot be had ends the start."""
    both = [
        (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("::1", 0, 0, 0)),
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 0)),
    ]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: both)
    monkeypatch.setattr(socket, "create_server", without_ipv6)
    opened = sockets.open_sockets("localhost", 0)
    assert [each.getsockname()[0] for each in opened] == ["127.0.0.1"]
    sockets.close(opened)


@pytest.mark.parametrize(
    ("code", "host", "said"),
    [
        (errno.EADDRNOTAVAIL, "192.0.2.1", "192.0.2.1:80: this machine has no such address. :80 listens on all"),
        (errno.EADDRNOTAVAIL, "2001:db8::1", "[2001:db8::1]:80: this machine has no such address."),
        (errno.EACCES, "127.0.0.1", "127.0.0.1:80: this user may not listen there; please choose a port from 1024 on."),
        (errno.EADDRINUSE, EVERY_ADDRESS, "[::]:80 (Address already in use); please choose another port."),
    ],
)
def test_what_cannot_be_had_is_said_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch, code: int, host: str, said: str
) -> None:
    def fail(*_: Any, **__: Any) -> socket.socket:
        raise OSError(code, "Address already in use (while attempting to bind on address ('::', 80))")

    monkeypatch.setattr(socket, "create_server", fail)
    with pytest.raises(StartupError) as refused:
        sockets.open_sockets(host, 80)
    assert f"DARKROOM_LISTEN cannot be {said}" in str(refused.value)


def test_a_name_that_nobody_knows_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(StartupError, match=r"names listener\.example, which this machine does not know"):
        sockets.open_sockets("listener.example", 80)


@pytest.mark.parametrize("host", [EVERY_ADDRESS, "0.0.0.0", "127.0.0.1"])  # noqa: S104
async def test_the_health_check_reaches_every_kind_of_listener(host: str) -> None:
    async def well(_request: HttpRequest) -> HttpResponse:
        return HttpResponse(200, "well")

    server = WebServer(host, 0, [Route("GET", "/healthz", well)])
    await server.start()
    assert await asyncio.to_thread(ask_health, host, server.port) == "well"
    await server.close()
