"""Web addresses of other people, as they were given, the operator's proxy on the way to them, and what is a host."""

import re
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import quote, urljoin, urlsplit

from yarl import URL

EVERY_ADDRESS = "::"
"""To listen on: every address of this machine, IPv4 and IPv6 alike."""

_HOST_NAME = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)(\.(?!-)[a-z0-9-]{1,63}(?<!-))*")
_NAT64 = IPv6Network("64:ff9b::/96")
_NOT_SENDABLE = re.compile(r"[^\x21-\x7e]")


def as_given(address: str) -> URL:
    """The address, to be sent as it is: signatures often cover the exact spelling of path and query.

    Only what cannot stand in a request at all (spaces, control characters, letters outside ASCII) is quoted. Raises
    ValueError for what is no web address.
    """
    sendable = _NOT_SENDABLE.sub(lambda found: quote(found[0], safe="", errors="surrogateescape"), address)
    url = URL(sendable, encoded=True)
    if url.scheme not in {"http", "https"} or not url.raw_host or not url.port:
        raise ValueError("That is not a web address.")
    return url


def redirected(address: URL, location: str) -> URL:
    """Where an answer's `Location` leads, seen from the address that was asked; ValueError as above."""
    return as_given(urljoin(str(address), location))


def is_loopback(host: str) -> bool:
    """Whether the host is this machine, judged by its name or address alone."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def is_address(host: str) -> bool:
    """Whether the host is an IP address in the usual spelling, not a name that is looked up."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def is_public(address: str) -> bool:
    """A routable unicast address, also when it is an IPv4 address in IPv6 clothes."""
    try:
        ip = ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if inner is None and ip in _NAT64:
            inner = IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None:
            ip = inner
    return ip.is_global and not ip.is_multicast


def proxy_for(url: URL, proxy: URL | None) -> URL | None:
    """The operator's proxy, unless the address is on this machine."""
    return None if is_loopback((url.raw_host or "").lower()) else proxy


def with_ascii_host(value: str) -> str:
    """The address with its host as it is written on the wire: bücher.example as xn--bcher-kva.example."""
    if value.isascii():
        return value
    try:
        parts = urlsplit(value)
        host = parts.hostname or ""
    except ValueError:
        return value
    return parts._replace(netloc=parts.netloc.lower().replace(host, ascii_host(host))).geturl()


def ascii_host(host: str) -> str:
    try:
        return host if host.isascii() else URL.build(scheme="https", host=host).raw_host or host
    except ValueError:
        return host


def is_host(host: str) -> bool:
    return len(host) <= 253 and _HOST_NAME.fullmatch(host) is not None


def is_name(host: str) -> bool:
    return is_host(host) or is_address(host)


def is_network(text: str) -> bool:
    try:
        ip_network(text)
    except ValueError:
        return False
    return True
