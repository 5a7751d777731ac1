"""The composition root: opens resources, builds the services, runs them, closes in reverse order."""

import contextlib
import logging
import os
import secrets
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from bot import __version__
from bot.client import DarkroomBot
from bot.clock import Clock, SystemClock, Timings
from bot.config import Settings
from bot.engine import Engine
from bot.errors import StartupError
from bot.events.yearbook.site import style_hash
from bot.gateway import Gateway
from bot.keys.secrets import Rotation
from bot.photos.hosts import TrustedHosts
from bot.photos.intake import Fetcher, Spool
from bot.photos.pool import PhotoPool
from bot.photos.room import Room
from bot.policy import policy_text, put_in_force
from bot.process.log import redact_value
from bot.process.monitoring import build_health
from bot.process.permissions import FOLDER_MODE, restrict
from bot.process.private_members import check_private_members
from bot.process.readings import Readings
from bot.process.supervision import STOP_S, Heartbeat, Supervisor, end_within
from bot.process.telemetry import reporting
from bot.providers.apiframe import client as apiframe
from bot.providers.aurous import client as aurous
from bot.providers.aurous import webhooks as aurous_webhooks
from bot.providers.aurous.limits import AurousLimits
from bot.providers.base import ProviderClient, VerifyWebhook
from bot.providers.transport import Transport
from bot.records.generation import Generation
from bot.records.key import ProviderName
from bot.records.training import Training
from bot.resources import Connect, Resources
from bot.services import Services, build_lanes, build_services
from bot.storage import meta
from bot.storage.database import Database
from bot.storage.sealing import KEY_FILE, Sealer, find_master_keys, load_master_keys
from bot.strays import Strays
from bot.web.galleries import GalleryRoutes
from bot.web.interactions import InteractionRoutes
from bot.web.metrics import MetricsRoute
from bot.web.reachability import reachability_route
from bot.web.server import WebServer
from bot.web.webhooks import WebhookRoutes
from cogs import EXTENSIONS
from cogs.adapters.invitation import invitation
from cogs.adapters.members import DiscordMembers
from cogs.adapters.poster import DiscordPoster
from cogs.adapters.venue import DiscordVenue
from cogs.ui.buttons import ActionButton
from cogs.ui.replies import show_error

log = logging.getLogger(__name__)

MEGABYTE = 1_000_000

VERIFIERS: Mapping[ProviderName, VerifyWebhook] = {
    ProviderName.APIFRAME: apiframe.verify_webhook,
    ProviderName.AUROUS: aurous_webhooks.verify_webhook,
}


@dataclass(frozen=True, slots=True)
class Darkroom:
    """All parts of one Darkroom, built but not started: only the database writer runs."""

    services: Services
    engine: Engine
    gateway: Gateway
    web: WebServer
    servers: Sequence[WebServer]
    """`web`, and that of the metrics if they have a port of their own."""
    database: Database
    supervisor: Supervisor
    heartbeat: Heartbeat
    strays: Strays

    async def run(self, token: str) -> None:
        """Serve until cancelled.

        Raises StartupError when Discord refuses the bot in a way that no further try can change, or when one of the
        parts that nothing works without has ended.
        """
        for server in self.servers:
            await server.start()
        parts = {
            "engine": self.engine.run(),
            "gateway": self.gateway.run(token),
            "event-loop": self.heartbeat.run(),
            "strays": self.strays.run(),
        }
        if self.database.writer is not None:
            parts["writer"] = self.database.writer.watch()
        await self.supervisor.run(parts)


@contextlib.asynccontextmanager
async def assemble(
    settings: Settings, *, timings: Timings | None = None, clock: Clock | None = None
) -> AsyncIterator[Darkroom]:
    """Open data folder, keys, database and sessions, in this order; close them in reverse."""
    check_private_members()
    if settings.proxy is not None and settings.proxy.password:
        redact_value(settings.proxy.password)
    clock = clock or SystemClock()
    timings = timings or timings_of(settings)
    text = policy_text(settings.darkroom_policy_file, settings.darkroom_contact, timings)
    async with contextlib.AsyncExitStack() as stack:
        database = await stack.enter_async_context(Database(settings.database_url.get_secret_value()))
        sealer = await open_sealer(settings, database)
        spool = Spool(settings.darkroom_data_dir / "spool")
        restrict(settings.darkroom_data_dir, FOLDER_MODE)
        hosts = trusted_hosts(settings)
        transport = await stack.enter_async_context(
            Transport(__version__, judge_elsewhere=hosts.refusal_elsewhere, proxy=settings.proxy)
        )
        fetcher = await stack.enter_async_context(Fetcher(hosts, proxy=settings.proxy))
        pool = PhotoPool(spool, workers=os.cpu_count() or 1)
        stack.callback(pool.close)
        poster, members, venue = DiscordPoster(), DiscordMembers(), DiscordVenue()
        opened = Resources(
            database=database,
            sealer=sealer,
            spool=spool,
            room=Room(settings.darkroom_data_dir / "spool", settings.darkroom_free_disk * MEGABYTE),
            fetcher=fetcher,
            pool=pool,
            connect=connector(settings, transport, clock),
            prices={ProviderName.APIFRAME: apiframe.PRICES, ProviderName.AUROUS: aurous.PRICES},
            transport=transport,
            webhook_url=webhook_addresses(settings),
            public_url=lambda: settings.darkroom_public_url,
            poster=poster,
            members=members,
            venue=venue,
            clock=clock,
            timings=timings,
            policy=await put_in_force(database, text, clock.now().date()),
        )
        built = _build(settings, opened, [poster, members, venue])
        await built.strays.sweep()
        await built.services.keys.secrets.bind()
        for server in built.servers:
            stack.push_async_callback(server.close)
        yield built


async def open_sealer(settings: Settings, database: Database) -> Sealer:
    """The sealer for the secrets in this database.

    Raises StartupError when the master key is not the one that the database was sealed with, or is not there.
    """
    given, data_dir = settings.darkroom_master_key, settings.darkroom_data_dir
    places = (given.get_secret_value() if given else None, settings.darkroom_master_key_file, data_dir)
    is_sealed = await database.fetch(meta.get, meta.MASTER_KEY_CHECK) is not None
    if is_sealed and find_master_keys(*places) is None:
        raise StartupError(
            f"This database was sealed with a master key, and {data_dir / KEY_FILE} is not there. Put it back there, "
            "or set DARKROOM_MASTER_KEY or DARKROOM_MASTER_KEY_FILE."
        )
    sealer = Sealer(load_master_keys(*places))

    async def transaction(connection: AsyncConnection) -> bool:
        check = await meta.get(connection, meta.MASTER_KEY_CHECK)
        if check is None:
            await meta.put(connection, meta.MASTER_KEY_CHECK, sealer.check_value())
        await meta.put_once(connection, meta.INSTALLATION, secrets.token_hex(3).encode())
        await meta.put_once(connection, meta.IDENTITIES, secrets.token_bytes(32))
        return check is None or sealer.matches(check)

    if not await database.write(transaction):
        raise StartupError(
            "The master key is not the one this database was sealed with. "
            "Set DARKROOM_MASTER_KEY or DARKROOM_MASTER_KEY_FILE to the earlier key, or put the old master.key back."
        )
    return sealer


def trusted_hosts(settings: Settings) -> TrustedHosts:
    bases = [settings.darkroom_apiframe_url, settings.darkroom_aurous_url]
    return TrustedHosts.of(bases, settings.darkroom_trusted_hosts)


def connector(settings: Settings, transport: Transport, clock: Clock) -> Connect:
    limits = AurousLimits(clock)

    def connect(provider: ProviderName, api_key: str) -> ProviderClient:
        match provider:
            case ProviderName.APIFRAME:
                return apiframe.Apiframe(transport, settings.darkroom_apiframe_url, api_key)
            case ProviderName.AUROUS:
                return aurous.Aurous(transport, settings.darkroom_aurous_url, api_key, limits)

    return connect


def webhook_addresses(settings: Settings) -> Callable[[Training | Generation], str | None]:
    def webhook_url(job: Training | Generation) -> str | None:
        base = settings.darkroom_public_url
        return None if base is None else f"{base}/webhooks/{job.provider}/{job.webhook_token}"

    return webhook_url


def _build(
    settings: Settings, opened: Resources, adapters: Sequence[DiscordPoster | DiscordMembers | DiscordVenue]
) -> Darkroom:
    services = build_services(opened)
    engine = Engine(build_lanes(opened, services), clock=opened.clock, timings=opened.timings)

    public_key = settings.darkroom_public_key

    def make_bot() -> DarkroomBot:
        proxy = None if settings.proxy is None else str(settings.proxy)
        bot = DarkroomBot(services, EXTENSIONS, show_error, ActionButton, proxy=proxy, public_key=public_key)
        for adapter in adapters:
            adapter.bot = bot

        async def say_link() -> None:
            if bot.application_id is not None:
                log.info("Invite the bot with %s", invitation(bot.application_id))

        bot.add_listener(say_link, "on_connect")
        return bot

    gateway = Gateway(make_bot)
    webhook_routes = WebhookRoutes([services.endpoints, services.trainings, services.generations], VERIFIERS)
    supervisor, heartbeat = Supervisor(), Heartbeat()
    strays = Strays(opened.spool, opened.database, opened.clock)
    health = build_health(opened, engine, gateway, supervisor, heartbeat)
    reached = services.reachability
    routes = [reachability_route(reached.arrive, reached.vouch), *webhook_routes.routes(), *health.routes()]
    routes += GalleryRoutes(services.galleries.page, services.galleries.picture, style_hash()).routes()
    if public_key is not None:
        routes += InteractionRoutes(public_key, gateway.take, opened.clock).routes()
    token = settings.darkroom_metrics_token
    readings = Readings(opened, gateway, heartbeat, webhook_routes)
    metrics = MetricsRoute(readings.read, token.get_secret_value() if token else None).routes()
    apart = settings.darkroom_metrics_listen
    web = WebServer(*settings.darkroom_listen, routes if apart else routes + metrics)
    servers = [web, *([WebServer(*apart, metrics, setting="DARKROOM_METRICS_LISTEN")] if apart else [])]
    return Darkroom(services, engine, gateway, web, servers, opened.database, supervisor, heartbeat, strays)


def timings_of(settings: Settings) -> Timings:
    longest = timedelta(hours=settings.darkroom_photos_kept_hours)
    return Timings(
        poll=_poll_pause(settings),
        photos_kept=min(Timings().photos_kept, longest),
        photos_kept_longest=longest,
        event_photos_kept=timedelta(hours=settings.darkroom_event_photos_kept_hours),
        pictures_kept=timedelta(days=settings.darkroom_pictures_kept_days),
        details_kept=timedelta(days=settings.darkroom_details_kept_days),
    )


def _poll_pause(settings: Settings) -> timedelta:
    """Time between two polls: with webhooks three times the setting, because polling is only a safety net then."""
    seconds = settings.darkroom_poll_interval
    return timedelta(seconds=seconds if settings.darkroom_public_url is None else seconds * 3)


async def run(settings: Settings) -> None:
    """Run the bot (`darkroom run`). Raises StartupError without DISCORD_TOKEN."""
    if settings.discord_token is None:
        raise StartupError(
            "DISCORD_TOKEN is not set. Put your bot token into the environment or a .env file; "
            "to try Darkroom without one, run `make sandbox` in a clone of it."
        )
    sentry = settings.darkroom_sentry_dsn
    proxy = None if settings.proxy is None else str(settings.proxy)
    async with contextlib.AsyncExitStack() as stack:
        dsn = sentry.get_secret_value() if sentry else None
        stack.enter_context(reporting(dsn, settings.otel_exporter_otlp_endpoint, proxy))
        darkroom = await stack.enter_async_context(assemble(settings))
        try:
            await darkroom.run(settings.discord_token.get_secret_value())
        finally:
            end_within(STOP_S)


async def rotate_keys(settings: Settings) -> list[Rotation]:
    """Seal all API keys with the first master key (`darkroom rotate-keys`); what became of each."""
    async with assemble(settings) as darkroom:
        rotations = await darkroom.services.keys.secrets.rotate()
        await _renew_check(settings, darkroom.database)
    return rotations


async def _renew_check(settings: Settings, database: Database) -> None:
    sealer = await open_sealer(settings, database)
    await database.write(lambda connection: meta.put(connection, meta.MASTER_KEY_CHECK, sealer.check_value()))
