"""All checks of `doctor`, side by side, on a database and a network that they leave as they are."""

import asyncio
from collections.abc import Awaitable, Sequence

from bot.app import connector, trusted_hosts
from bot.clock import SystemClock
from bot.config import Settings
from bot.doctor import discord, network, providers, servers, stored
from bot.doctor import settings as given
from bot.doctor.asking import within
from bot.doctor.findings import Finding, ok
from bot.process.log import redact_value
from bot.providers.transport import Transport
from bot.records.key import ProviderName
from bot.storage.sealing import Sealer
from cogs.adapters.inspection import api_address

STORED_S, CHECK_S = 8.0, 18.0
"""A check waits for the database first and for the network afterwards: under half a minute in all."""
CONNECT_S = 5.0

Check = tuple[str, Awaitable[Sequence[Finding]]]


async def examine(settings: Settings) -> Sequence[Finding]:
    """What there is to say about this installation, in about the order in which things begin to matter."""
    if settings.proxy is not None and settings.proxy.password:
        redact_value(settings.proxy.password)
    found = stored.Stored([])
    sealer: Sealer | None = None

    async def look() -> Sequence[Finding]:
        nonlocal found, sealer
        found = await stored.read(settings.database_url.get_secret_value())
        of_key, sealer = await asyncio.to_thread(given.master_key, settings, found.master_key_check)
        return [*found.findings, *of_key]

    of_database = await within(STORED_S, "database", look())
    async with Transport(
        connect_timeout_s=CONNECT_S, proxy=settings.proxy, judge_elsewhere=trusted_hosts(settings).refusal_elsewhere
    ) as transport:
        checks = [*_of_this_machine(settings, found), *_of_discord(settings, found, transport)]
        checks += [*_of_providers(settings, found, sealer, transport), *_of_network(settings, found, transport)]
        groups = await asyncio.gather(*(within(CHECK_S, name, check) for name, check in checks))
    return [*of_database, *(finding for group in groups for finding in group)]


def _of_this_machine(settings: Settings, found: stored.Stored) -> Sequence[Check]:
    return [
        ("SQLite", asyncio.to_thread(stored.sqlite_version, settings)),
        ("disk", stored.disk(settings)),
        ("settings", asyncio.to_thread(given.variables)),
        ("policy", asyncio.to_thread(given.policy, settings, found.policy)),
        ("typefaces", asyncio.to_thread(given.typefaces)),
    ]


def _of_discord(settings: Settings, found: stored.Stored, transport: Transport) -> Sequence[Check]:
    token = settings.discord_token.get_secret_value() if settings.discord_token else None
    wrong = discord.shape_of(token)
    if wrong is not None:
        return [("token", _say(wrong))]
    api = discord.DiscordApi(transport, api_address(), token or "")

    async def ask() -> Sequence[Finding]:
        said, bot_id = await discord.identity(api)
        if bot_id is None:
            return said
        more = [
            ("application", discord.application(api, settings.darkroom_public_key, settings.darkroom_public_url)),
            ("gateway", discord.gateway(api)),
            ("servers", servers.servers(api, bot_id, found.guilds)),
        ]
        groups = await asyncio.gather(*(within(CHECK_S - discord.ASK_S, name, check) for name, check in more))
        return [*said, *(finding for group in groups for finding in group)]

    return [("token", ask())]


def _of_providers(
    settings: Settings, found: stored.Stored, sealer: Sealer | None, transport: Transport
) -> Sequence[Check]:
    connect = connector(settings, transport, SystemClock())
    addresses = {
        ProviderName.APIFRAME: settings.darkroom_apiframe_url,
        ProviderName.AUROUS: settings.darkroom_aurous_url,
    }

    def ask(which: ProviderName) -> Awaitable[Sequence[Finding]]:
        keys = [key for key in found.keys if key.row.provider is which]
        return providers.provider(transport, which, addresses[which], keys, sealer, connect)

    return [(which.label, ask(which)) for which in ProviderName]


def _of_network(settings: Settings, found: stored.Stored, transport: Transport) -> Sequence[Check]:
    async def ways_in() -> Sequence[Finding]:
        host, port = settings.darkroom_listen
        if port == 0:
            said, is_running = ok("listener", "Its port is chosen at each start, so it is not looked at."), False
        else:
            said, is_running = await network.listener(host, port)
        base = settings.darkroom_public_url
        return [said, await network.public_address(base, found.identities, transport, is_running=is_running)]

    return [
        ("proxy", network.proxy(settings.proxy)),
        ("files", network.file_hosts(settings, trusted_hosts(settings), transport)),
        ("listener", ways_in()),
    ]


async def _say(finding: Finding) -> Sequence[Finding]:
    return [finding]
