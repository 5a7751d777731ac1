"""Names are judged by the addresses they lead to, at the moment of connecting: a name that changes gains nothing."""

import socket
from collections.abc import Callable

from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from bot.errors import HostRefused
from bot.network.addresses import is_public

Judge = Callable[[str, int, str], str]
"""Why nothing may be sent to this host and port when its name leads to this address; empty when it may."""


def refuse_private(host: str, _port: int, address: str) -> str:
    """The judge for places that anybody may name: public addresses only."""
    if is_public(address):
        return ""
    return (
        f"{host} leads to {address}, which is not a public address, so nothing is sent to it. "
        "If your network does that on purpose, name the range: DARKROOM_TRUSTED_HOSTS=*=198.18.0.0/15, say."
    )


class GuardedResolver(AbstractResolver):
    """Raises HostRefused for a name of whose addresses `judge` refuses one.

    The proxy may be anywhere, because the operator named it; what lies behind it the proxy looks up.
    """

    def __init__(self, judge: Judge, inner: AbstractResolver, proxy: URL | None) -> None:
        self._judge = judge
        self._inner = inner
        self._proxy = None if proxy is None else (proxy.raw_host, proxy.port)

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        results = await self._inner.resolve(host, port, family)
        if (host, port) == self._proxy:
            return results
        for result in results:
            if refusal := self._judge(host, port, result["host"]):
                raise HostRefused(refusal)
        return results

    async def close(self) -> None:
        await self._inner.close()
