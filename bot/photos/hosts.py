"""Where files may come from: hosts by name, and the addresses that their names may lead to."""

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from yarl import URL

from bot.errors import HostRefused
from bot.network.addresses import as_given, is_public
from bot.network.resolver import refuse_private
from bot.photos.checks import display_name

DISCORD_HOSTS: Final = frozenset({"cdn.discordapp.com", "media.discordapp.net"})
PROVIDER_SUFFIXES: Final = (".apiframe.ai", ".aurous-labs.com")
"""Apiframe has named its file host cdn and cdn2 (Apiframe /docs/jobs/get); Aurous Labs hands out pictures at its API's
host and previews of styles at its cdn (Aurous Labs /images/retrieve-image, /list-available-lora-styles)."""
ANY_PORT: Final = 0
EVERY_BUILT_IN: Final = "*"
"""In place of a host: a range that every built-in host may lead to."""

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class TrustedHosts:
    """Where files may come from.

    Discord's CDN and the providers' hosts: https, port 443, public addresses and those of `ranges` only, whatever else
    is configured. `configured` (host, port) pairs were named by the operator and may also be http, loopback or private;
    port 0 stands for every port. `ranges` by host were named by the operator, too.
    """

    configured: frozenset[tuple[str, int]]
    ranges: Mapping[str, Sequence[Network]] = field(default_factory=dict)

    @classmethod
    def of(cls, provider_bases: Iterable[str], extra_hosts: Iterable[str]) -> "TrustedHosts":
        """From base URLs (their own port) and from "host" (every port), "host:port" or "host=range" entries."""
        entries = [entry.strip() for entry in extra_hosts if entry.strip()]
        ranges: dict[str, list[Network]] = {}
        for host, equals, text in (entry.partition("=") for entry in entries):
            if equals:
                ranges.setdefault(host.lower(), []).append(ipaddress.ip_network(text))
        bases = [URL(base) for base in provider_bases]
        extras = [URL.build(scheme="https", authority=entry) for entry in entries if "=" not in entry]
        pairs = [(url.raw_host, url.port) for url in bases]
        pairs += [(url.raw_host, url.explicit_port or ANY_PORT) for url in extras]
        configured = {(host.lower(), port or ANY_PORT) for host, port in pairs if host and not is_built_in(host)}
        return cls(frozenset(configured), ranges)

    def check(self, address: str) -> URL:
        """The address as it is sent; HostRefused unless it may be fetched. The connection itself is checked again."""
        try:
            url = as_given(address)
        except ValueError:
            raise HostRefused("That is not a web address.") from None
        self.check_url(url)
        return url

    def check_url(self, url: URL) -> None:
        host, port = (url.raw_host or "").lower(), url.port or ANY_PORT
        if url.user is not None or url.password is not None:
            raise HostRefused("Only plain web addresses can be fetched.")
        if self.is_configured(host, port):
            return
        if not (is_built_in(host) and url.scheme == "https" and port == 443):
            raise HostRefused(f"{display_name(host)} is not a host that files may come from.")

    def is_configured(self, host: str, port: int) -> bool:
        return not self.configured.isdisjoint({(host.lower(), port), (host.lower(), ANY_PORT)})

    def refusal(self, host: str, port: int, address: str) -> str:
        """Why a name that passed `check` may not lead to this address; empty when it may."""
        host = host.lower()
        if self.is_configured(host, port):
            return ""
        if is_built_in(host) and port == 443 and (is_public(address) or self._is_in_range(host, address)):
            return ""
        return (
            f"{host} leads to {display_name(address)}, which is not a public address, so nothing is fetched from it. "
            f"If your network does that on purpose, name the range: DARKROOM_TRUSTED_HOSTS={host}=198.18.0.0/15, say."
        )

    def refusal_elsewhere(self, host: str, port: int, address: str) -> str:
        """Like `refusal` for a place that a provider names to send photos to: any host, if its address is public."""
        return "" if self._is_in_range(host.lower(), address) else refuse_private(host, port, address)

    def _is_in_range(self, host: str, address: str) -> bool:
        named = (*self.ranges.get(host, ()), *self.ranges.get(EVERY_BUILT_IN, ()))
        try:
            ip = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(ip in network for network in named)


def is_built_in(host: str) -> bool:
    host = host.lower()
    return host in DISCORD_HOSTS or host.endswith(PROVIDER_SUFFIXES)
