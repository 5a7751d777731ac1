"""A rule-based machine of hypothesis on a migrated database of its own."""

import asyncio
import shutil
import tempfile
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from bot.storage.database import Database, sqlite_url
from tests.fakes.clock import ManualClock
from tests.fakes.examples import in_proportion

T = TypeVar("T")


class DatabaseMachine(RuleBasedStateMachine):
    """`migrated`: an empty database at the newest schema, of which each example gets a copy."""

    migrated: Path

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.folder = Path(tempfile.mkdtemp())
        shutil.copy(self.migrated, self.folder / "darkroom.db")
        self.clock = ManualClock()
        self.database = self.run(Database(sqlite_url(self.folder / "darkroom.db")).__aenter__())

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(work)

    def teardown(self) -> None:
        self.run(self.database.__aexit__())
        self.loop.close()
        shutil.rmtree(self.folder)


def run_machine(machine: type[DatabaseMachine], migrated: Path, examples: int) -> None:
    """Play it so often, as `.ci/run` does, or in proportion."""
    machine.migrated = migrated
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=in_proportion(examples),
            stateful_step_count=25,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )
