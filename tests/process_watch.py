"""Which tests start a process of their own: the marks that `make quick` goes by, held to what really happens."""

import functools
import subprocess
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pytest

MARKS = ("process", "browser", "kill")
FOLDERS = ("wire", "wire/kills")
"""Below tests/: all that is directly in these lives on bots in processes of their own."""

_before = pytest.StashKey[int]()
_started: list[str] = []


def note(name: str) -> None:
    """Say that the running test uses a process that a helper or an earlier test has started."""
    _started.append(name)


def _watch(kind: type, name: str) -> None:
    """Note each call of this method. No audit hook: in Python 3.11 it keeps other threads from being traced."""
    original = getattr(kind, name)

    @functools.wraps(original)
    def noting(*args: Any, **kwargs: Any) -> Any:
        note(kind.__name__)
        return original(*args, **kwargs)

    setattr(kind, name, noting)


_watch(subprocess.Popen, "__init__")
_watch(BaseProcess, "start")


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
