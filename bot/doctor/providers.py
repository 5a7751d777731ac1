"""Both providers: whether they answer, and whether they accept each stored key."""

import asyncio
from collections.abc import Sequence

from bot.doctor.asking import why_not
from bot.doctor.findings import Finding, fail, ok, warn
from bot.errors import KeyRejected, ProviderError, SealError
from bot.keys.secrets import open_key
from bot.providers.transport import Lost, NotSent, Request, Transport
from bot.records.key import ApiKeyRow, ProviderName
from bot.resources import Connect
from bot.storage.money.keys import SealedKey
from bot.storage.sealing import Sealer

REACH_S = 8.0
KEYS_S = 14.0
"""For all keys of a provider together."""
AT_ONCE = 8


async def provider(
    transport: Transport,
    which: ProviderName,
    address: str,
    stored: Sequence[SealedKey],
    sealer: Sealer | None,
    connect: Connect,
) -> Sequence[Finding]:
    """A line about the provider, and one about each key, which costs nothing."""
    name = which.label
    opened: list[tuple[ApiKeyRow, str]] = []
    closed: list[Finding] = []
    for each in stored:
        try:
            if sealer is not None:
                opened.append((each.row, open_key(sealer, each)))
        except SealError:
            what_to_do = "Give Darkroom the earlier master key, too, or let an admin there run `/keys set`."
            closed.append(fail(name, f"{_of(each.row)} cannot be opened with the present master key.", what_to_do))
    try:
        await transport.send(Request("GET", f"{address}/", read_timeout_s=REACH_S, deadline_s=REACH_S))
    except (NotSent, Lost) as error:
        words, what_to_do = why_not(error)
        return [fail(name, f"{address}: {words}", what_to_do), *closed]
    kept = f"stored keys: {len(stored)}" if stored else "no key is stored yet; `/keys set` in a server takes one"
    return [ok(name, f"{address} answers; {kept}."), *closed, *await _ask_all(which, opened, connect)]


async def _ask_all(which: ProviderName, opened: Sequence[tuple[ApiKeyRow, str]], connect: Connect) -> Sequence[Finding]:
    turn = asyncio.Semaphore(AT_ONCE)

    async def ask(row: ApiKeyRow, api_key: str) -> Finding:
        async with turn:
            return await _ask(row, api_key, connect)

    tasks = [asyncio.create_task(ask(row, api_key)) for row, api_key in opened]
    if not tasks:
        return []
    done, late = await asyncio.wait(tasks, timeout=KEYS_S)
    for task in late:
        task.cancel()
    await asyncio.gather(*late, return_exceptions=True)
    found = [task.result() for task in tasks if task in done]
    if late:
        found.append(warn(which.label, f"{len(late)} keys were not looked at in time.", "Run `doctor` again."))
    return found


async def _ask(row: ApiKeyRow, api_key: str, connect: Connect) -> Finding:
    name, key = row.provider.label, _of(row)
    try:
        await connect(row.provider, api_key).account()
    except KeyRejected:
        return fail(
            name, f"{key} is not accepted.", f"Let an admin there check it in the {name} dashboard and run `/keys set`."
        )
    except ProviderError as error:
        return fail(name, f"{key} could not be tried ({type(error).__name__}).", "Run `doctor` again in some minutes.")
    if row.paused_at is not None:
        return ok(name, f"{key} was paused and is accepted again; Darkroom goes on with it by itself.")
    return ok(name, f"{key} is accepted.")


def _of(row: ApiKeyRow) -> str:
    return f"The key of server {row.guild_id} (…{row.last4})"
