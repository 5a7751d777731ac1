"""`make run` installs what running needs and no more, beside what developers install."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.meta.sources import ROOT


def planned(folder: Path, target: str) -> str:
    """What make would do in a fresh clone."""
    for name in ("Makefile", "requirements.lock", "requirements-dev.lock"):
        shutil.copy(ROOT / name, folder / name)
    command = ["make", "--dry-run", f"PYTHON={sys.executable}", target]
    environment = {"PATH": os.environ["PATH"]}
    answer = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=True)
    return answer.stdout


@pytest.mark.process
@pytest.mark.skipif(shutil.which("make") is None, reason="there is no make here")
@pytest.mark.parametrize(
    ("target", "lock", "folder"),
    [
        ("run", "requirements.lock", ".venv-run"),
        ("sandbox", "requirements-dev.lock", ".venv"),
        ("test", "requirements-dev.lock", ".venv"),
    ],
)
def test_each_target_installs_its_lock_into_its_own_folder(tmp_path: Path, target: str, lock: str, folder: str) -> None:
    """Mutant: `run` needs the stamp of the developers' packages, which are more than three times as much."""
    said = planned(tmp_path, target)
    assert re.findall(r"-r (\S+)", said) == [lock]
    assert set(re.findall(r"^(\S+)/bin/python -m", said, re.MULTILINE)) == {folder}
    assert f"Installing {lock} into {folder}; this takes about half a minute." in said


def test_the_two_locks_agree_on_every_package_that_both_have() -> None:
    def pins(name: str) -> dict[str, str]:
        text = (ROOT / name).read_text(encoding="utf-8")
        return dict(re.findall(r"^([a-z0-9-]+)==([^ ;]+)", text, re.MULTILINE))

    small, large = pins("requirements.lock"), pins("requirements-dev.lock")
    assert {name: large.get(name) for name in small} == small
