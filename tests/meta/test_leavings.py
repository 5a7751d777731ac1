"""A test that changes what holds for the whole process, and does not change it back, is told by name."""

import logging
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from tests.leavings import left_behind, process_state

CHANGES: dict[str, Callable[[pytest.MonkeyPatch], None]] = {
    "level of discord.http": lambda patch: patch.setattr(logging.getLogger("discord.http"), "level", logging.ERROR),
    "level of root": lambda patch: patch.setattr(logging.root, "level", logging.DEBUG),
    "log handlers": lambda patch: patch.setattr(logging.root, "handlers", []),
    "logging.disable": lambda patch: patch.setattr(logging.root.manager, "disable", logging.ERROR),
    "variable DARKROOM_KEY": lambda patch: patch.setenv("DARKROOM_KEY", "canary"),
    "variable PATH": lambda patch: patch.delenv("PATH"),
    "folder": lambda patch: patch.chdir(Path("/")),
    "import path": lambda patch: patch.syspath_prepend("/"),
    "Image.MAX_IMAGE_PIXELS": lambda patch: patch.setattr(Image, "MAX_IMAGE_PIXELS", None),
    "HEIF opener": lambda patch: patch.setattr(Image, "OPEN", {**Image.OPEN, "HEIF": None}),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_a_test_leaves_behind_is_named_without_its_value(name: str) -> None:
    """Mutant: `left_behind` compares only what was there before."""
    found = process_state()
    with pytest.MonkeyPatch.context() as patch:
        CHANGES[name](patch)
        said = left_behind(found, process_state())
    assert said == f"leaves behind for the next test: {name}"
    assert left_behind(found, process_state()) is None
