"""The whole bot as a process that can be killed at a named point: `python -m tests.wire.kills.killable_bot <json>`."""

import asyncio
import dataclasses
import json
import os
import signal
import sys
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Self

import discord
from discord.state import ConnectionState
from yarl import URL

import bot.gateway
import cogs.adapters.poster
from bot.app import assemble
from bot.clock import Timings
from bot.config import Settings
from bot.datasets import service as datasets
from bot.errors import StartupError
from bot.photos.hosts import TrustedHosts
from bot.photos.intake import Fetcher
from bot.process.log import LogFormat, configure_logging
from bot.process.supervision import until_stopped
from bot.providers.transport import Request, Response, Transport
from tests.wire.discord.redirect import point_discord_at
from tests.wire.kills.mutants import MUTANTS
from tests.wire.kills.points import Points, instrument


@dataclass(frozen=True, slots=True)
class VictimSettings:
    """`timings` holds seconds by the name of a `Timings` field. `crash_at` names points, `crash_nth` counts from 1."""

    folder: str
    """Holds the bot's data, its log, `points.txt` with the points it passed and `deaths.txt` with those it ended at."""
    api_url: str
    gateway_url: str
    token: str
    apiframe_url: str
    trusted_hosts: tuple[str, ...] = ("127.0.0.1",)
    listen_port: int = 0
    public_url: str | None = None
    public_key: str | None = None
    """Of the application, for interactions over HTTP."""
    timings: dict[str, float] = field(default_factory=dict)
    provider_patience_s: float | None = None
    """How long an answer of the provider and its file host is awaited; None: as in production."""
    crash_at: tuple[str, ...] = ()
    crash_nth: int = 1
    crash_after: int = 0
    """So many passes of points end it anywhere; 0: none do."""
    crash_by: int = signal.SIGKILL
    """SIGTERM: it is asked to end at the point, instead of being killed."""
    mutant: str | None = None

    @classmethod
    def from_json(cls, text: str) -> Self:
        return cls(**json.loads(text))

    def to_json(self) -> str:
        return json.dumps(dataclasses.asdict(self))


async def live(settings: VictimSettings) -> None:
    point_discord_at(settings.api_url, settings.gateway_url)
    shorten_discord_timings()
    if settings.provider_patience_s is not None:
        lose_patience(settings.provider_patience_s)
    # A member whose answer died with the bot begins anew each time, far more often than three times.
    datasets.OPEN_MAX = sys.maxsize
    points = Points(Path(settings.folder), settings.crash_at, settings.crash_nth, settings.crash_after)
    points.signal = settings.crash_by
    instrument(points)
    if settings.mutant is not None:
        MUTANTS[settings.mutant]()
    timings = Timings(**{name: timedelta(seconds=seconds) for name, seconds in settings.timings.items()})
    async with assemble(bot_settings(settings), timings=timings) as darkroom:
        await darkroom.run(settings.token)


def bot_settings(settings: VictimSettings) -> Settings:
    """Nothing is read from the environment."""
    return Settings.model_construct(
        darkroom_data_dir=Path(settings.folder) / "data",
        darkroom_listen=("127.0.0.1", settings.listen_port),
        darkroom_public_url=settings.public_url,
        darkroom_public_key=settings.public_key,
        darkroom_apiframe_url=settings.apiframe_url,
        darkroom_trusted_hosts=settings.trusted_hosts,
    )


def shorten_discord_timings() -> None:
    """Without the library's waits for more guilds (2 s) and before a repeated identify (5 s), and with short ones of
    ours after a fall and after a ban."""
    init = ConnectionState.__init__

    def init_hurried(self: ConnectionState[Any], *args: Any, **options: Any) -> None:
        init(self, *args, **options)
        self.guild_ready_timeout = 0.02

    async def identify_at_once(self: discord.Client, shard_id: int | None, *, initial: bool = False) -> None:
        return None

    ConnectionState.__init__ = init_hurried  # type: ignore[method-assign]
    discord.Client.before_identify_hook = identify_at_once  # type: ignore[method-assign]
    bot.gateway.FIRST_PAUSE_S = 0.05
    cogs.adapters.poster.BANNED_FOR = timedelta(seconds=0.5)


def lose_patience(seconds: float) -> None:
    send = Transport.send

    async def send_hurried(self: Transport, request: Request) -> Response:
        return await send(self, dataclasses.replace(request, read_timeout_s=seconds, deadline_s=2 * seconds))

    fetcher_init = Fetcher.__init__

    def init_hurried(self: Fetcher, trusted: TrustedHosts, *, proxy: URL | None) -> None:
        fetcher_init(self, trusted, proxy=proxy, silence_s=seconds)

    Transport.send = send_hurried  # type: ignore[method-assign]
    Fetcher.__init__ = init_hurried  # type: ignore[assignment,method-assign]


def main(text: str) -> int:
    settings = VictimSettings.from_json(text)
    configure_logging("INFO", LogFormat.TEXT)
    try:
        asyncio.run(until_stopped(live(settings)))
    except StartupError as error:
        print(error, file=sys.stderr)  # noqa: T201 - as `python -m bot run` says it
        return 1
    return 0


def fork_main(text: str) -> None:
    """As a forked child: standard output and error go to the end of `bot.log`."""
    log = os.open(Path(VictimSettings.from_json(text).folder) / "bot.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, 1)
    os.dup2(log, 2)
    sys.exit(main(text))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
