"""The two commands as an operator starts them: what they print, and their exit codes."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.meta.sources import ROOT

pytestmark = [pytest.mark.process, pytest.mark.sqlite]


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {"PYTHONPATH": str(ROOT), "DARKROOM_DATA_DIR": str(folder), "DARKROOM_FREE_DISK": "0"}
    command = [sys.executable, "-m", "bot", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_what_went_well_is_printed_and_what_did_not_is_one_sentence_and_exit_code_one(database_file: Path) -> None:
    folder = database_file.parent
    saved = run(folder, "backup", "monday.backup")
    assert (saved.returncode, saved.stderr) == (0, "")
    assert saved.stdout.startswith("The backup is in monday.backup: ")
    again = run(folder, "backup", "monday.backup")
    assert (again.returncode, again.stdout) == (1, "")
    assert again.stderr == "monday.backup is there already. Give the backup another name.\n"
    refused = run(folder, "restore", "monday.backup")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.count("\n") == 1
    restored = run(folder, "restore", "monday.backup", "--force")
    assert (restored.returncode, restored.stderr) == (0, "")
    assert "restore number 1 of this database" in restored.stdout
