"""Asks a running Darkroom on this machine how it is; for `darkroom health`."""

import http.client
from dataclasses import dataclass
from ipaddress import ip_address

from bot.errors import StartupError

PATIENCE_S = 3.0


@dataclass(frozen=True, slots=True)
class Listening:
    """What answered. `is_darkroom`: it names itself so."""

    status: int
    text: str
    is_darkroom: bool


def listens(host: str, port: int) -> Listening | None:
    """What `/healthz` is answered with; None when nothing takes the connection.

    The connection is a plain one: proxies of the environment are for the world outside.
    """
    try:
        return _ask(host, port)
    except (TimeoutError, ConnectionResetError, http.client.HTTPException):
        return Listening(0, "", is_darkroom=False)
    except OSError:
        return None


def ask_health(host: str, port: int) -> str:
    """What `/healthz` says when all is well. StartupError, with what it says or why it says nothing, else."""
    try:
        answer = _ask(host, port)
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise StartupError(f"Darkroom does not answer on {host}:{port} ({reason}). Is it running?") from None
    if answer.status != 200:
        raise StartupError(f"Darkroom is not well: {answer.text}")
    return answer.text


def _ask(host: str, port: int) -> Listening:
    connection = http.client.HTTPConnection(_reachable(host), port, timeout=PATIENCE_S)
    try:
        connection.request("GET", "/healthz")
        answer = connection.getresponse()
        text = answer.read(65_536).decode(errors="replace")
    finally:
        connection.close()
    return Listening(answer.status, text, answer.headers.get("Server") == "Darkroom")


def _reachable(host: str) -> str:
    """An address of this machine when the server listens on all of them; those that take IPv6 take IPv4, too."""
    try:
        return "127.0.0.1" if ip_address(host).is_unspecified else host
    except ValueError:
        return host
