"""The ways in and out: the proxy, where files come from, the listener, the public address."""

import asyncio
import socket
from collections.abc import Sequence

from yarl import URL

from bot.config import Settings
from bot.doctor.asking import why_not
from bot.doctor.findings import Finding, fail, ok, warn
from bot.keys.reachability import introduction, knock, proof_of, who_answered, why_not_sent
from bot.photos.hosts import DISCORD_HOSTS, TrustedHosts
from bot.providers.transport import Lost, NotSent, Request, Transport
from bot.web.probe import is_darkroom

CONNECT_S = 5.0
REACH_S = 8.0


async def proxy(given: URL | None) -> Sequence[Finding]:
    """Whether something takes connections there; what it lets through, the other checks tell."""
    if given is None:
        return []
    name, where = "proxy", f"{given.host}:{given.port}"
    try:
        async with asyncio.timeout(CONNECT_S):
            _, writer = await asyncio.open_connection(given.host, given.port)
    except (OSError, TimeoutError):
        return [fail(name, f"Nothing answers at {where}.", "Check DARKROOM_PROXY, and that the proxy runs.")]
    writer.close()
    return [ok(name, f"{where} takes connections; Discord, providers and files go through it.")]


async def file_hosts(settings: Settings, trusted: TrustedHosts, transport: Transport) -> Sequence[Finding]:
    """A line for each host that files come from: where its name leads, and whether it answers."""
    own = [each for each in settings.darkroom_trusted_hosts if "=" not in each]
    addresses = [URL(f"https://{host}/") for host in sorted(DISCORD_HOSTS)]
    addresses += [URL(f"https://{authority}/") for authority in own]
    return await asyncio.gather(*(_file_host(each, settings.proxy, trusted, transport) for each in addresses))


async def _file_host(address: URL, through: URL | None, trusted: TrustedHosts, transport: Transport) -> Finding:
    host, port = address.host or "", address.port or 443
    name = f"files from {host}"
    if through is None:
        try:
            async with asyncio.timeout(CONNECT_S):
                found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, TimeoutError):
            return fail(name, "Its name is not known here.", "Check this machine's network and resolver.")
        for *_, (numbers, *_) in found:
            if refusal := trusted.refusal(host, port, str(numbers)):
                words, _, what_to_do = refusal.partition(". ")
                return fail(name, f"{words}.", what_to_do)
    if host not in DISCORD_HOSTS:
        return ok(name, "Its name is known.")  # it may speak http as well as https
    try:
        await transport.send(Request("GET", str(address), read_timeout_s=REACH_S, deadline_s=REACH_S))
    except (NotSent, Lost) as error:
        return fail(name, *why_not(error))
    return ok(name, "It answers.")


async def listener(host: str, port: int) -> tuple[Finding, bool]:
    """The bot's own listener on this machine, and whether a Darkroom runs behind it."""
    name, where = "listener", f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    answered = await asyncio.to_thread(is_darkroom, host, port)
    if answered is None:
        return warn(name, f"Nothing answers at {where}: the bot is not running here.", "Start it with `run`."), False
    if not answered:
        other = f"What takes connections at {where} is another program, or a Darkroom that hangs."
        return fail(name, other, "Stop it, or give this one another port with DARKROOM_LISTEN."), False
    return ok(name, f"The bot runs at {where}; `health` says how it is."), True


async def public_address(base: str | None, secret: bytes | None, transport: Transport, *, is_running: bool) -> Finding:
    """Whether a request from outside reaches the Darkroom on this database. `secret`: meta.IDENTITIES."""
    name = "public address"
    if base is None:
        return ok(name, "DARKROOM_PUBLIC_URL is not set: Darkroom looks at running jobs by itself.")
    token = introduction(secret or b"")
    proof = proof_of(secret or b"", token)
    try:
        answer = await knock(transport, base, token)
    except NotSent as error:
        trouble = why_not_sent(error)
    else:
        if answer is not None and answer.status == 200 and answer.body.decode(errors="replace") == proof:
            return ok(name, f"A request to {base} reaches this Darkroom.")
        trouble = who_answered(answer)
    if not is_running:
        return warn(
            name, f"The bot is not running here, so nothing behind {base} can answer.", "Start it, and look again."
        )
    return fail(name, f"{base}: {trouble}", "")
