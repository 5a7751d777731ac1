"""Addresses as an operator writes them into settings. Pure; errors are the rest of a sentence about the variable."""

import re
from urllib.parse import SplitResult, urlsplit

from bot.network.addresses import EVERY_ADDRESS, is_address, is_host, is_loopback, is_name


def split_listen(text: str) -> tuple[str, int]:
    """`host:port`, `[v6]:port` or `:port` (every address, as `[::]:port`) as a pair; port 0 lets the system choose."""
    host, colon, port = text.strip().rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
        well_formed = is_address(host)
    else:
        well_formed = host == "" or is_host(host.lower())
    if not (colon and well_formed and re.fullmatch(r"[0-9]{1,5}", port) and int(port) <= 65535):
        raise ValueError("must look like host:port, for example 127.0.0.1:8080.")
    return host or EVERY_ADDRESS, int(port)


def split_address(value: str, problem: str) -> SplitResult:
    """The parts of an address; ValueError with this sentence when it has none."""
    try:
        parts = urlsplit(value)
        _ = parts.hostname, parts.port
    except ValueError:
        raise ValueError(problem) from None
    return parts


def split_base(value: str) -> SplitResult:
    """The parts of a base address; ValueError with a sentence when it is none."""
    sentence = "must be an https address (http only on this machine), without user, query or fragment."
    problem = ValueError(sentence)
    parts = split_address(value, sentence)
    host, port = parts.hostname or "", parts.port
    plain = not (parts.username or parts.password or parts.query or parts.fragment or {"?", "#", "@"} & set(value))
    if not plain or port == 0 or not is_name(host) or re.search(r"\s", value):
        raise problem
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(host)):
        raise problem
    return parts
