"""All temporary files of a run in one folder, in memory where that is possible, so that what is left can be counted."""

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.trust.row import Score

MEMORY_DISK = Path("/dev/shm")  # noqa: S108 - a folder of our own is made in it


@contextlib.contextmanager
def temporary_files_counted(score: Score) -> Iterator[None]:
    """Whatever is left in the folder at the end is bad."""
    parent = MEMORY_DISK if MEMORY_DISK.is_dir() else None
    with tempfile.TemporaryDirectory(dir=parent) as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(tempfile, "tempdir", folder)
        yield
        score.bad["temporary files left"] += sum(1 for _ in Path(folder).iterdir())
