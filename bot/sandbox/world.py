"""The sandbox: a small simulated Discord in the browser, with rehearsal providers behind the real bot."""

import asyncio
import contextlib
import contextvars
import logging
import mimetypes
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import discord
import simcord
from aiohttp import web
from simcord._clock import Clock as DiscordClock
from simcord.backend.cdn import CdnStore

from bot.app import Darkroom, assemble
from bot.clock import Clock, SystemClock, Timings
from bot.config import Settings
from bot.errors import UserError
from bot.records.key import ProviderName
from bot.sandbox.apiframe.server import RehearsalApiframe
from bot.sandbox.aurous.server import RehearsalAurous
from bot.sandbox.rehearsal.connections import close_connection

log = logging.getLogger(__name__)

REHEARSAL_KEY = "afk_rehearsal_key_of_the_sandbox"
REHEARSAL_AUROUS_KEY = "al_live_" + "5a" * 32
REHEARSAL_KEYS = {ProviderName.APIFRAME: REHEARSAL_KEY, ProviderName.AUROUS: REHEARSAL_AUROUS_KEY}
REHEARSAL_CREDITS = 5000
SETTLE_TIMEOUT_S = 60.0
TIMINGS = Timings(
    poll=timedelta(seconds=1),
    generation_poll=timedelta(seconds=0.5),
    generation_poll_max=timedelta(seconds=1),
    job_doubted=timedelta(seconds=20),
    picture_doubted=timedelta(seconds=4),
    key_doubted=timedelta(seconds=4),
    settle=timedelta(seconds=3),
    backoff_first=timedelta(seconds=1),
    backoff_max=timedelta(seconds=5),
    busy=timedelta(seconds=3),
    milestone=timedelta(seconds=1),
    panel=timedelta(seconds=1),
    event_hour=timedelta(minutes=1),
    event_retry=timedelta(seconds=5),
)


class LoopbackCdn(CdnStore):
    """simcord's attachment store, served over HTTP on loopback so that the bot downloads photos for real."""

    def __init__(self) -> None:
        super().__init__()
        self._runner: web.AppRunner | None = None
        self.host = ""

    async def start(self) -> None:
        app = web.Application()
        app.on_response_prepare.append(close_connection)
        app.router.add_get("/attachments/{channel}/{attachment}/{name}", self._serve)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.host = f"127.0.0.1:{self._runner.addresses[0][1]}"

    async def close(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    def store_attachment(
        self, attachment_id: int, channel_id: int, filename: str, data: bytes, description: str | None
    ) -> dict[str, Any]:
        attachment = super().store_attachment(attachment_id, channel_id, filename, data, description)
        kind = mimetypes.guess_extension(attachment["content_type"]) or ""
        url = f"http://{self.host}/attachments/{channel_id}/{attachment_id}/file{kind}"
        self._blobs[url] = self._blobs.pop(attachment["url"])
        return {**attachment, "url": url, "proxy_url": url}

    async def _serve(self, request: web.Request) -> web.Response:
        data = self.get(f"http://{self.host}{request.path}")
        return web.Response(status=404) if data is None else web.Response(body=data)


class LiveClock(DiscordClock):
    """simcord's clock with the time of the bot's, so that messages carry it."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock

    def now(self) -> datetime:
        return self._clock.now()


class KindEnv(simcord.Env):
    """simcord counts every error of a callback as a broken bot; ours that answer with a sentence are no such thing."""

    def _record_error(self, error: BaseException) -> None:
        cause = error.original if isinstance(error, discord.app_commands.CommandInvokeError) else error
        if not isinstance(cause, UserError | discord.app_commands.CheckFailure):
            super()._record_error(error)


class Process:
    """The running bot. It can end and begin anew on the same data, while Discord and the providers go on."""

    def __init__(self, settings: Settings, timings: Timings, clock: Clock) -> None:
        self._settings = settings
        self._timings = timings
        self._clock = clock
        self._opened = contextlib.AsyncExitStack()
        self._working = contextlib.AsyncExitStack()

    async def open(self) -> Darkroom:
        """Assembled, and not working yet."""
        built = assemble(self._settings, timings=self._timings, clock=self._clock)
        self.darkroom = await self._opened.enter_async_context(built)
        return self.darkroom

    async def work(self) -> None:
        if self._settings.darkroom_public_url is not None:
            await self.darkroom.web.start()
        await self._working.enter_async_context(_engine(self.darkroom))

    async def rest(self) -> None:
        """What is under way is broken off, as in a crash."""
        await self._working.aclose()

    async def close(self) -> None:
        await self._opened.aclose()


@dataclass(frozen=True, slots=True)
class World:
    """A guild with an admin and two members, a channel, and a bot that is connected to it."""

    env: simcord.Env
    process: Process
    provider: RehearsalApiframe
    aurous: RehearsalAurous
    guild: simcord.GuildHandle
    channel: simcord.ChannelHandle
    admin: simcord.MemberActor
    members: tuple[simcord.MemberActor, ...]

    @property
    def darkroom(self) -> Darkroom:
        return self.process.darkroom

    async def restart(self) -> None:
        """The process dies and is started again: nothing but the data folder is left of it."""
        await self.process.rest()
        await self.process.close()
        darkroom = await self.process.open()
        await self.env.restart_bot(darkroom.gateway.build())
        await self.process.work()


@contextlib.asynccontextmanager
async def open_world(
    folder: Path, *, timings: Timings = TIMINGS, clock: Clock | None = None, webhook_port: int | None = None
) -> AsyncIterator[World]:
    """Everything that the sandbox needs, on loopback only; `folder` keeps the database and the photos.

    `clock` is the bot's and Discord's, the providers keep the time of day. With `webhook_port` the providers deliver
    webhooks there; without it the bot polls.
    """
    provider = RehearsalApiframe(folder / "provider", {REHEARSAL_KEY: REHEARSAL_CREDITS})
    aurous = RehearsalAurous(folder / "aurous", {REHEARSAL_AUROUS_KEY: REHEARSAL_CREDITS})
    cdn, now = LoopbackCdn(), clock or SystemClock()
    async with contextlib.AsyncExitStack() as stack:
        for outside in (provider, aurous, cdn):
            stack.push_async_callback(outside.close)
            await outside.start()
        process = Process(sandbox_settings(folder, provider, aurous, webhook_port), timings, now)
        stack.push_async_callback(process.close)
        env = await stack.enter_async_context(_simulated_discord(await process.open(), cdn, now))
        stack.push_async_callback(process.rest)
        await process.work()
        yield _furnish(env, process, provider, aurous)


def sandbox_settings(
    folder: Path, provider: RehearsalApiframe, aurous: RehearsalAurous, webhook_port: int | None = None
) -> Settings:
    """Nothing is read from the environment, so a real token or key cannot get in here."""
    return Settings.model_construct(
        darkroom_data_dir=folder / "data",
        darkroom_listen=("127.0.0.1", webhook_port or 0),
        darkroom_public_url=None if webhook_port is None else f"http://127.0.0.1:{webhook_port}",
        darkroom_apiframe_url=provider.base_url,
        darkroom_aurous_url=aurous.base_url,
        darkroom_trusted_hosts=("127.0.0.1",),
    )


@contextlib.asynccontextmanager
async def _simulated_discord(
    darkroom: Darkroom, cdn: LoopbackCdn, clock: Clock | None = None
) -> AsyncIterator[simcord.Env]:
    env = KindEnv(darkroom.gateway.build(), settle_timeout=SETTLE_TIMEOUT_S, check_errors=False)
    env.backend.bot_user.name = "Darkroom"
    env.backend.cdn = cdn
    env.backend.clock = LiveClock(clock or SystemClock())
    await env.start()
    try:
        yield env
    finally:
        await env.shutdown()


@contextlib.asynccontextmanager
async def _engine(darkroom: Darkroom) -> AsyncIterator[None]:
    """The engine runs outside simcord's virtual time: providers and databases are real."""
    task = asyncio.create_task(darkroom.engine.run(), context=contextvars.Context())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def _furnish(env: simcord.Env, process: Process, provider: RehearsalApiframe, aurous: RehearsalAurous) -> World:
    guild = env.create_guild(name="Photo club")
    admins = guild.create_role("Admins", permissions=discord.Permissions(manage_guild=True))
    admin = guild.add_member(env.create_user("Ada"), roles=[admins])
    members = tuple(guild.add_member(env.create_user(name)) for name in ("Ben", "Cleo"))
    channel = guild.create_text_channel("darkroom")
    return World(env, process, provider, aurous, guild, channel, admin, members)
