"""What the tests of storage, engine and services share: a migrated database and the studio."""

import asyncio
import functools
import gc
import os
import random
import shutil
import signal
import tempfile
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import stamina
from hypothesis import HealthCheck, settings
from sqlalchemy.dialects.postgresql.psycopg import PGDialectAsync_psycopg
from sqlalchemy.dialects.sqlite.aiosqlite import SQLiteDialect_aiosqlite
from sqlalchemy.ext.asyncio import create_async_engine

from bot import command_mentions
from bot.storage import database as storage
from bot.storage import postgres as postgres_storage
from bot.storage.database import Database, sqlite_url
from tests import leavings, process_watch
from tests.fakes.attachments import Attachments, open_attachments
from tests.fakes.examples import in_proportion
from tests.fakes.postgres import PostgresServer, running_postgres
from tests.fakes.studio import Studio, open_studio
from tests.fakes.waiting import HANG_S

# How long an example takes says how fast the machine is.
settings.register_profile("all", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("most", settings.get_profile("all"), max_examples=60)
settings.register_profile("usual", settings.get_profile("all"), max_examples=30)
settings.register_profile("quick", settings.get_profile("usual"), max_examples=10)
settings.load_profile("usual")


DATABASE = os.environ.get("DARKROOM_TEST_DATABASE") or "sqlite"
if DATABASE not in {"sqlite", "postgres", "both"}:
    raise pytest.UsageError("DARKROOM_TEST_DATABASE is sqlite, postgres or both")
POSTGRES = pytest.param("postgresql", marks=pytest.mark.process)

TESTS = Path(__file__).parent
STORIES = (
    TESTS / "events/lives",
    TESTS / "trust",
    TESTS / "cogs/events/test_whole_events.py",
    TESTS / "training/test_restored.py",
    TESTS / "training/test_slots.py",
    TESTS / "test_races.py",
)
LONGEST = ("kill", "browser")
STORY_FIXTURES = {"stage", "town"}
"""A whole bot in a simulated Discord, with one guild or with three."""
SAMPLE = {"studio": 150, "story": 80}
"""A studio has a database and both providers, a story a whole bot: their tests take most of the time."""


MEMORY_DISK = Path("/dev/shm")  # noqa: S108 - pytest makes folders of its own in it
ENOUGH_BYTES = 4 * 1024**3


def pytest_configure(config: pytest.Config) -> None:
    """Databases lie in memory where there is room: every commit of theirs waits for the disk otherwise."""
    if MEMORY_DISK.is_dir() and shutil.disk_usage(MEMORY_DISK).free >= ENOUGH_BYTES:
        tempfile.tempdir = os.environ["TMPDIR"] = str(MEMORY_DISK)
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # A shell that runs the tests in its background has them ignore Ctrl+C, and every bot would inherit that.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    # A test makes many objects and few cycles; Python would look for those every 700 objects.
    gc.set_threshold(50_000, 50, 100)
    config.pluginmanager.register(process_watch)
    config.pluginmanager.register(leavings)
    config.pluginmanager.register(FailuresAtOnce(config))


class FailuresAtOnce:
    """Names what has failed as it happens; the reports follow at the end."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        terminal = self._config.pluginmanager.get_plugin("terminalreporter")
        if report.failed and terminal is not None:
            terminal.ensure_newline()
            terminal.write_line(f"FAILED {report.nodeid}", red=True)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """With `both`, what is marked so runs on both databases; with `postgres`, all runs on that one alone."""
    if "database_url" in metafunc.fixturenames:
        of = metafunc.definition
        if DATABASE == "postgres" and not of.get_closest_marker("sqlite"):
            metafunc.parametrize("database_url", [POSTGRES], indirect=True)
        elif DATABASE == "both" and of.get_closest_marker("both"):
            metafunc.parametrize("database_url", ["sqlite", POSTGRES], indirect=True)


def pytest_itemcollected(item: pytest.Item) -> None:
    """Before -m chooses by the marks."""
    process_watch.mark(item, TESTS)
    if STORY_FIXTURES & set(getattr(item, "fixturenames", ())) or any(
        story in (item.path, *item.path.parents) for story in STORIES
    ):
        item.add_marker("story")


def pytest_addoption(parser: pytest.Parser) -> None:
    chance = "others with each seed of the run"
    parser.addoption("--sample", action="store_true", help=f"run some of the tests, {chance}")
    parser.addoption("--some-examples", action="store_true", help=f"of costly tests, some examples, {chance}")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Each worker begins with its part of the longest tests, so that none waits for one of them at the end.

    Workers take what lies side by side, and all of them must come to the same order.
    """
    chance = random.Random(config.getoption("randomly_seed", None))
    left_out = _out_of_sample(items, chance) if config.getoption("--sample") else set()
    if config.getoption("--some-examples"):
        left_out |= _examples_left_out(items, chance)
    config.hook.pytest_deselected(items=list(left_out))
    items[:] = [item for item in items if item not in left_out]
    items.sort(key=lambda item: not any(map(item.get_closest_marker, LONGEST)))
    workers = getattr(config, "workerinput", {}).get("workercount", 1)
    items[:] = [item for worker in range(workers) for item in items[worker::workers]]


def _out_of_sample(items: Sequence[pytest.Item], chance: random.Random) -> set[pytest.Item]:
    """All but one example of each test, and of those that cost most all but so many."""
    sample = [chance.choice(examples) for examples in _by_test(items)]
    chance.shuffle(sample)
    left_out = set(items) - set(sample)
    for cost, number in SAMPLE.items():
        left_out.update([item for item in sample if _cost(item) == cost][number:])
    return left_out


def _examples_left_out(items: Sequence[pytest.Item], chance: random.Random) -> set[pytest.Item]:
    """Of tests that start processes, open a studio or play a story, some examples: a share of each test's."""
    left_out: set[pytest.Item] = set()
    for examples in _by_test(items):
        if _cost(examples[0]):
            left_out.update(chance.sample(examples, len(examples) - in_proportion(len(examples))))
    return left_out


def _cost(item: pytest.Item) -> str | None:
    """What makes a test slow, the slowest first."""
    slow = (mark for mark in ("process", "story") if item.get_closest_marker(mark))
    return next(slow, "studio" if "studio" in getattr(item, "fixturenames", ()) else None)


def _by_test(items: Sequence[pytest.Item]) -> Iterable[list[pytest.Item]]:
    """The examples of each test, in the same order in all workers."""
    examples = defaultdict(list)
    for item in sorted(items, key=lambda item: item.nodeid):
        examples[item.nodeid.partition("[")[0]].append(item)
    return examples.values()


def pytest_collection_finish() -> None:
    """What is there now stays to the end: the collector need not look at it again."""
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def _compiled_statements() -> Iterator[None]:
    """SQLAlchemy compiles each statement once for all databases of the run, not once for each of them."""
    compiled: dict[Any, Any] = {}
    shared = functools.partial(create_async_engine, execution_options={"compiled_cache": compiled})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(storage, "create_async_engine", shared)
        patch.setattr(postgres_storage, "create_async_engine", shared)
        # The dialect is part of the key, and each engine has one of its own.
        for dialect in (SQLiteDialect_aiosqlite, PGDialectAsync_psycopg):
            patch.setattr(dialect, "__hash__", lambda own: hash(type(own)))
            patch.setattr(dialect, "__eq__", lambda own, other: type(own) is type(other))
        yield


@pytest.fixture(scope="session", autouse=True)
def _patient_network() -> Iterator[None]:
    """A server on this machine answers, however busy that is."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(postgres_storage.NETWORK, "connect_timeout", int(HANG_S))
        yield


@pytest.fixture(autouse=True)
def _no_command_ids() -> Iterator[None]:
    """What a bot of one test has learnt changes no text of the next."""
    yield
    command_mentions.learn({})


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database at the newest schema, made once; tests work on copies."""
    file = tmp_path_factory.mktemp("migrated") / "darkroom.db"

    async def migrate() -> None:
        async with Database(sqlite_url(file)):
            pass

    asyncio.run(migrate())
    return file


@pytest.fixture
def database_file(migrated_file: Path, tmp_path: Path) -> Path:
    file = tmp_path / "darkroom.db"
    shutil.copy(migrated_file, file)
    return file


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    with running_postgres() as server:
        yield server


@pytest.fixture
def database_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """A migrated database with nothing in it; which one is chosen above."""
    if getattr(request, "param", "sqlite") == "sqlite":
        yield sqlite_url(request.getfixturevalue("database_file"))
    else:
        with request.getfixturevalue("postgres").database() as url:
            yield url


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    async with Database(database_url) as database:
        yield database


@pytest.fixture
def without_pauses() -> Iterator[None]:
    """The provider client reads three times as in life, but without a pause between."""
    with stamina.set_testing(True, attempts=3, cap=True):
        yield


@pytest.fixture
async def studio(tmp_path: Path, database_url: str, without_pauses: None) -> AsyncIterator[Studio]:
    async with open_studio(tmp_path, database_url) as studio:
        yield studio


@pytest.fixture
async def attachments() -> AsyncIterator[Attachments]:
    async with open_attachments() as attachments:
        yield attachments
