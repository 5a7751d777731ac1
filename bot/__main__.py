"""The command line: run, sandbox, migrate, doctor, health, rotate-keys."""

import argparse
import asyncio
import contextlib
import logging
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Sequence

from bot.config import Settings, load_settings
from bot.errors import StartupError, StorageTrouble
from bot.process.log import configure_logging, redact_value
from bot.process.supervision import STOP_S, end_within

log = logging.getLogger(__name__)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bot", description="Darkroom, a Discord bot that trains LoRAs.")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, (_, text) in COMMANDS.items():
        added = commands.add_parser(name, help=text)
        if name == "sandbox":
            added.add_argument("scene", nargs="?", default="", help="where it begins, for example finished-event")
    given = vars(parser.parse_args(arguments))
    work = COMMANDS[given.pop("command")][0]
    # What Darkroom makes is for its own user: files 0600, folders 0700.
    os.umask(0o077)
    try:
        settings = load_settings()
        configure_logging(settings.darkroom_log_level, settings.darkroom_log_format)
        if settings.discord_token is not None:
            redact_value(settings.discord_token.get_secret_value())
        asyncio.run(until_stopped(work(settings, **given)))
    except (StartupError, StorageTrouble) as error:
        print(error, file=sys.stderr)  # noqa: T201 - the operator's one sentence
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


async def until_stopped(work: Awaitable[None]) -> None:
    """Await `work`; SIGTERM cancels it, so that everything is closed in order, as with Ctrl+C."""
    task, loop = asyncio.ensure_future(work), asyncio.get_running_loop()

    def stop(*_: object) -> None:
        end_within(STOP_S)
        loop.call_soon_threadsafe(task.cancel)

    if sys.platform == "win32":  # Microsoft /cpp/c-runtime-library/reference/signal: SIGTERM is not generated
        log.info("This system cannot ask a program to end, so please stop Darkroom with Ctrl+C.")
    before = signal.signal(signal.SIGTERM, stop)
    try:
        with contextlib.suppress(asyncio.CancelledError):
            await task
    finally:
        signal.signal(signal.SIGTERM, before)


async def run(settings: Settings) -> None:
    from bot import app

    await app.run(settings)


async def sandbox(_settings: Settings, scene: str) -> None:
    logging.getLogger().setLevel(logging.WARNING)
    # simcord tries discord.py out with no intents when it is imported.
    logging.getLogger("discord.state").setLevel(logging.ERROR)
    try:
        from bot.sandbox import play
    except ImportError as error:
        raise StartupError("The sandbox needs its extra packages. Run `make sandbox`, which installs them.") from error
    await play.run(scene)


async def migrate(settings: Settings) -> None:
    from bot.storage.database import Database

    async with Database(settings.database_url.get_secret_value()):
        print("The database has the newest schema.")  # noqa: T201


async def doctor(settings: Settings) -> None:
    from bot import app

    print("Settings: fine.")  # noqa: T201
    async with app.assemble(settings) as darkroom:
        print("Data folder, database and master key: fine.")  # noqa: T201
        for line in await app.examine(settings, darkroom):
            print(line)  # noqa: T201


async def health(settings: Settings) -> None:
    from bot.web.probe import ask_health

    print(await asyncio.to_thread(ask_health, *settings.darkroom_listen))  # noqa: T201


async def rotate_keys(settings: Settings) -> None:
    from bot import app

    rotations = await app.rotate_keys(settings)
    for rotation in rotations:
        print(rotation)  # noqa: T201
    left = sum(rotation.trouble is not None for rotation in rotations)
    if left:
        raise StartupError(
            f"{left} of {len(rotations)} API keys cannot be opened and were left as they are. Ask the admins of those "
            "servers to run `/keys set` again; the others are sealed with the first master key."
        )
    print(f"All API keys are sealed with the first master key: {len(rotations)}.")  # noqa: T201


COMMANDS: dict[str, tuple[Callable[..., Awaitable[None]], str]] = {
    "run": (run, "run the bot against Discord"),
    "sandbox": (sandbox, "try everything in the browser, without Discord or a provider"),
    "migrate": (migrate, "bring the database to the newest schema"),
    "doctor": (doctor, "check settings, data folder, database, master key and what can be reached"),
    "health": (health, "ask the running bot whether all its parts work"),
    "rotate-keys": (rotate_keys, "seal every API key with the first master key"),
}

if __name__ == "__main__":
    sys.exit(main())
