"""Asks a running Darkroom on this machine how it is, for `health`, and whether it is there, for `doctor`."""

import http.client
from dataclasses import dataclass
from ipaddress import ip_address

from bot.errors import StartupError
from bot.web.server import SERVER

PATIENCE_S = 3.0


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    text: str
    server: str


def is_darkroom(host: str, port: int) -> bool | None:
    """Whether what takes connections there is a Darkroom; None when nothing does.

    It is asked for nothing: to tell how it is, a Darkroom writes a row.
    """
    try:
        return _ask(host, port, "/").server == SERVER
    except (TimeoutError, ConnectionResetError, http.client.HTTPException):
        return False
    except OSError:
        return None


def ask_health(host: str, port: int) -> str:
    """What `/healthz` says when all is well. StartupError, with what it says or why it says nothing, else."""
    try:
        answer = _ask(host, port, "/healthz")
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise StartupError(f"Darkroom does not answer on {host}:{port} ({reason}). Is it running?") from None
    if answer.status != 200:
        raise StartupError(f"Darkroom is not well: {answer.text}")
    return answer.text


def _ask(host: str, port: int, path: str) -> Answer:
    """The connection is a plain one: proxies of the environment are for the world outside."""
    connection = http.client.HTTPConnection(_reachable(host), port, timeout=PATIENCE_S)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        text = answer.read(65_536).decode(errors="replace")
    finally:
        connection.close()
    return Answer(answer.status, text, answer.headers.get("Server", ""))


def _reachable(host: str) -> str:
    """An address of this machine when the server listens on all of them; those that take IPv6 take IPv4, too."""
    try:
        return "127.0.0.1" if ip_address(host).is_unspecified else host
    except ValueError:
        return host
