"""Which tests start a process of their own: the marks that `make quick` goes by, held to what really happens."""

import sys
from pathlib import Path
from typing import Any

import pytest

MARKS = ("process", "browser", "kill")
FOLDERS = ("wire", "wire/kills")
"""Below tests/: all that is directly in these lives on bots in processes of their own."""
OWN_EVENT = "tests.process"
"""Raised by helpers whose process comes from a fork server, or was started by an earlier test."""
STARTS = frozenset({"subprocess.Popen", "os.posix_spawn", "os.fork", "os.exec", OWN_EVENT})
"""Audit events (Python documentation, library/audit_events)."""

_before = pytest.StashKey[int]()
_started: list[str] = []


def _note(event: str, _args: tuple[Any, ...]) -> None:
    if event in STARTS:
        _started.append(event)


sys.addaudithook(_note)


def mark(item: pytest.Item, tests: Path) -> None:
    """What is in one of the folders is marked."""
    if item.path.parent.relative_to(tests).as_posix() in FOLDERS:
        item.add_marker("process")


def misplaced(name: str, *, is_marked: bool, has_started: bool) -> str | None:
    """What is wrong with the marks of a test, None if nothing is."""
    if has_started and not is_marked:
        return f"{name} starts a process: mark it with pytest.mark.process, so that `make quick` leaves it out"
    if is_marked and not has_started:
        return f"{name} is marked although it starts no process: `make quick` should have it"
    return None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Any:
    item.stash[_before] = len(_started)
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Any:
    result = yield
    is_marked = any(item.get_closest_marker(name) for name in MARKS)
    if wrong := misplaced(item.nodeid, is_marked=is_marked, has_started=len(_started) > item.stash[_before]):
        pytest.fail(wrong, pytrace=False)
    return result
