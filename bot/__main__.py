"""The command line: run, sandbox, migrate, doctor, health, backup, restore, rotate-keys, invite, version."""

import argparse
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from bot import __version__
from bot.errors import StartupError, StorageTrouble

if TYPE_CHECKING:
    from bot.backup.place import Place
    from bot.config import Settings

VERSION = f"darkroom {__version__}"


def main(arguments: Sequence[str] | None = None) -> int:
    """What `darkroom` and `python -m bot` do; the exit code.

    What takes long to import is imported behind the first line, so that SIGTERM ends the process from there on.
    """
    before = signal.signal(signal.SIGTERM, _end_at_once)
    try:
        return _do(**vars(_parser().parse_args(arguments)))
    except (StartupError, StorageTrouble) as error:
        print(error, file=sys.stderr)  # noqa: T201 - the operator's one sentence
        return 1
    except KeyboardInterrupt:
        return 130
    finally:
        signal.signal(signal.SIGTERM, before)


def _end_at_once(*_: object) -> None:
    """While nothing is open yet. An exception instead could get lost in an import."""
    os._exit(0)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="darkroom", description="Darkroom, a Discord bot that trains LoRAs.")
    parser.add_argument("--version", action="version", version=VERSION)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, command in COMMANDS.items():
        added = commands.add_parser(
            name, help=command.says, description=f"{command.says[0].upper()}{command.says[1:]}."
        )
        for argument, options in command.arguments.items():
            added.add_argument(argument, **options)
    commands.add_parser("version", help="say which version this is")
    return parser


def _do(command: str, **given: Any) -> int:
    if command == "version":  # whatever the settings are
        print(VERSION)  # noqa: T201
        return 0
    import asyncio

    from bot.config import load_settings
    from bot.process.log import configure_logging, redact_value
    from bot.process.supervision import until_stopped

    # What Darkroom makes is for its own user: files 0600, folders 0700.
    os.umask(0o077)
    settings = load_settings()
    configure_logging(settings.darkroom_log_level, settings.darkroom_log_format)
    if settings.discord_token is not None:
        redact_value(settings.discord_token.get_secret_value())
    asyncio.run(until_stopped(COMMANDS[command].work(settings, **given)))
    return 0


async def run(settings: "Settings") -> None:
    from bot import app

    await app.run(settings)


async def sandbox(_settings: "Settings", scene: str) -> None:
    import logging

    logging.getLogger().setLevel(logging.WARNING)
    # simcord tries discord.py out with no intents when it is imported.
    logging.getLogger("discord.state").setLevel(logging.ERROR)
    try:
        from bot.sandbox import play
    except ImportError as error:
        raise StartupError(
            "The sandbox needs packages that are not here. Run `make sandbox` in a clone of Darkroom, which installs "
            "them; beside a wheel, install its extra `sandbox`."
        ) from error
    await play.run(scene)


async def migrate(settings: "Settings") -> None:
    from bot.storage.database import Database

    async with Database(settings.database_url.get_secret_value()) as database:
        print(database.upgraded)  # noqa: T201


async def doctor(settings: "Settings", *, json: bool) -> None:
    from bot.doctor import checkup, findings
    from bot.process.supervision import STOP_S, end_within

    found = await checkup.examine(settings)
    end_within(STOP_S)  # a look-up, or a disk, may hold a thread for minutes
    if json:
        print(findings.as_json(found), flush=True)  # noqa: T201
    else:
        print(*found, sep="\n", flush=True)  # noqa: T201
    if findings.counts(found)["failed"]:
        raise StartupError(findings.summary(found))
    if not json:
        print(findings.summary(found), flush=True)  # noqa: T201


async def health(settings: "Settings") -> None:
    import asyncio

    from bot.web.probe import ask_health

    print(await asyncio.to_thread(ask_health, *settings.darkroom_listen))  # noqa: T201


async def backup(settings: "Settings", file: Path, *, with_master_key: bool) -> None:
    from datetime import UTC, datetime

    from bot.backup import saving

    lines = saving.backup(place_of(settings), file, with_master_key=with_master_key, now=datetime.now(UTC))
    print(*lines, sep="\n")  # noqa: T201


async def restore(settings: "Settings", file: Path, *, force: bool) -> None:
    from datetime import UTC, datetime

    from bot.backup import restoring

    lines = restoring.restore(place_of(settings), file, is_forced=force, now=datetime.now(UTC))
    print(*lines, sep="\n")  # noqa: T201


def place_of(settings: "Settings") -> "Place":
    from sqlalchemy.engine import make_url

    from bot.backup.place import MEGABYTE, MasterKey, Place

    given, data_dir = settings.darkroom_master_key, settings.darkroom_data_dir
    key = MasterKey(data_dir, given.get_secret_value() if given else None, settings.darkroom_master_key_file)
    url = make_url(settings.database_url.get_secret_value())
    return Place(url, data_dir, key, settings.darkroom_free_disk * MEGABYTE)


async def rotate_keys(settings: "Settings") -> None:
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


async def invite(settings: "Settings") -> None:
    from cogs.adapters.invitation import application_of, invitation

    if settings.discord_token is None:
        raise StartupError(
            "DISCORD_TOKEN is not set, and the link is made from it. Put your bot token into a .env file."
        )
    print(invitation(application_of(settings.discord_token.get_secret_value())))  # noqa: T201


class Command(NamedTuple):
    """`arguments` are what argparse's `add_argument` takes, by name; `work` gets them after the settings."""

    work: Callable[..., Awaitable[None]]
    says: str
    arguments: Mapping[str, Mapping[str, Any]] = {}


SCENE = {"nargs": "?", "default": "", "help": "where it begins, for example finished-event"}
FILE = {"type": Path, "metavar": "FILE"}
SWITCH = {"action": "store_true"}
COMMANDS = {
    "run": Command(run, "run the bot against Discord"),
    "sandbox": Command(sandbox, "try everything in the browser, without Discord or a provider", {"scene": SCENE}),
    "migrate": Command(migrate, "bring the database to the newest schema"),
    "doctor": Command(
        doctor,
        "look whether everything is set right and can be reached, and change nothing",
        {"--json": SWITCH | {"help": "print it for a machine"}},
    ),
    "health": Command(health, "ask the running bot whether all its parts work"),
    "backup": Command(
        backup,
        "write everything into one file, also while the bot runs",
        {
            "file": FILE | {"help": "a new file, for example darkroom-monday.backup"},
            "--with-master-key": SWITCH | {"help": "put the master key in, too"},
        },
    ),
    "restore": Command(
        restore,
        "put such a file back; the bot has to be stopped",
        {
            "file": FILE | {"help": "what `backup` has written"},
            "--force": SWITCH | {"help": "keep a database that is there aside, and replace it"},
        },
    ),
    "rotate-keys": Command(rotate_keys, "seal every API key with the first master key"),
    "invite": Command(invite, "print the link that invites the bot to a server, with what it may do there"),
}

if __name__ == "__main__":
    sys.exit(main())
