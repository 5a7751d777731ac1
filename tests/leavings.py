"""What a test must not leave to the next one: what holds for the whole process is as each test has found it."""

import logging
import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageFile

State = dict[str, object]

_found = pytest.StashKey[State]()
SIGNALS = (signal.SIGINT, signal.SIGTERM)
OF_THE_RUNNER = "PYTEST_CURRENT_TEST"


def process_state() -> State:
    """What holds for the whole process now, by name."""
    umask = os.umask(0o077)
    os.umask(umask)
    loggers = [logging.root, *logging.root.manager.loggerDict.values()]
    levels = {each.name: each.level for each in loggers if isinstance(each, logging.Logger) and each.level}
    return {
        **{f"level of {name}": level for name, level in levels.items()},
        **{f"variable {name}": value for name, value in os.environ.items() if name != OF_THE_RUNNER},
        **{f"handler of {each.name}": signal.getsignal(each) for each in SIGNALS},
        "log handlers": tuple(logging.root.handlers),
        "logging.disable": logging.root.manager.disable,
        "folder": Path.cwd(),
        "umask": umask,
        "import path": tuple(sys.path),
        "sys.excepthook": sys.excepthook,
        "Image.MAX_IMAGE_PIXELS": Image.MAX_IMAGE_PIXELS,
        "ImageFile.LOAD_TRUNCATED_IMAGES": ImageFile.LOAD_TRUNCATED_IMAGES,
        "HEIF opener": "HEIF" in Image.OPEN,
    }


def left_behind(found: State, left: State) -> str | None:
    """Which of them differ, without the values, which may be secrets; None when none does."""
    names = sorted(name for name in {*found, *left} if found.get(name) != left.get(name))
    return f"leaves behind for the next test: {', '.join(names)}" if names else None


# The first to come and the last to go: outside what pytest's own plugins do around a test.
@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> Any:
    item.stash[_found] = process_state()
    return (yield)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> Any:
    result = yield
    if said := left_behind(item.stash[_found], process_state()):
        pytest.fail(f"{item.nodeid} {said}", pytrace=False)
    return result
