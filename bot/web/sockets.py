"""The sockets of the listener: every address of its host, IPv4 and IPv6 alike."""

import errno
import socket

from bot.errors import StartupError
from bot.network.addresses import EVERY_ADDRESS

NOT_THERE = frozenset({errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT})
"""A name such as localhost may have an IPv6 address although the machine has none (bpo-30945)."""


def open_sockets(host: str, port: int, setting: str = "DARKROOM_LISTEN") -> list[socket.socket]:
    """A listening socket for each address of `host`; "::" is every address of both kinds, "0.0.0.0" IPv4 alone.

    Port 0 lets the system choose one for all of them. StartupError, with a sentence that names `setting`, when none can
    be had.
    """
    if host == EVERY_ADDRESS:
        return [_of_every_address(port, setting)]
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError:
        raise StartupError(f"{setting} names {host}, which this machine does not know.") from None
    opened: list[socket.socket] = []
    trouble = OSError(errno.EADDRNOTAVAIL, "")
    for family, _, _, _, (address, *_) in dict.fromkeys(found):
        try:
            opened.append(socket.create_server((str(address), port), family=family))
        except OSError as error:
            if error.errno not in NOT_THERE:
                close(opened)
                raise StartupError(_refusal(setting, host, port, error)) from None
            trouble = error
        else:
            port = opened[0].getsockname()[1]
    if not opened:
        raise StartupError(_refusal(setting, host, port, trouble))
    return opened


def _of_every_address(port: int, setting: str) -> socket.socket:
    try:
        if socket.has_dualstack_ipv6():
            return socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True)
    except OSError as error:
        if error.errno not in NOT_THERE:
            raise StartupError(_refusal(setting, EVERY_ADDRESS, port, error)) from None
    try:
        return socket.create_server(("0.0.0.0", port))  # noqa: S104 - what the operator asked for
    except OSError as error:
        raise StartupError(_refusal(setting, EVERY_ADDRESS, port, error)) from None


def close(opened: list[socket.socket]) -> None:
    for each in opened:
        each.close()


def _refusal(setting: str, host: str, port: int, error: OSError) -> str:
    where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    cannot = f"{setting} cannot be {where}"
    match error.errno:
        case errno.EADDRNOTAVAIL | errno.EAFNOSUPPORT:
            return f"{cannot}: this machine has no such address. :{port} listens on all that it has."
        case errno.EACCES | errno.EPERM:
            return f"{cannot}: this user may not listen there; please choose a port from 1024 on."
    return f"{cannot} ({(error.strerror or 'it cannot be used').partition(' (')[0]}); please choose another port."
