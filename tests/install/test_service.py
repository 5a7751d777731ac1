"""bot/darkroom.service: systemd takes it, it starts what is installed, and it is stopped as Darkroom stops."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bot.__main__ import COMMANDS
from bot.process.supervision import STOP_S
from tests.meta.sources import ROOT

UNIT = (ROOT / "bot/darkroom.service").read_text(encoding="utf-8")
SAID = dict(line.split("=", 1) for line in UNIT.splitlines() if "=" in line and not line.startswith("#"))


@pytest.mark.process
@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd-analyze here")
def test_systemd_has_nothing_to_say_against_it(tmp_path: Path) -> None:
    """With a program and a user that are there. Mutant: a misspelt setting."""
    file = tmp_path / "darkroom.service"
    file.write_text(UNIT.replace(SAID["ExecStart"], f"{sys.executable} run").replace("User=darkroom", "User=root"))
    checked = subprocess.run(["systemd-analyze", "verify", str(file)], capture_output=True, text=True, check=False)  # noqa: S607
    assert (checked.returncode, [line for line in checked.stderr.splitlines() if file.name in line]) == (0, [])


def test_it_runs_the_bot_from_the_folder_of_its_settings_and_data() -> None:
    program, command = SAID["ExecStart"].split()
    assert (Path(program).name, command in COMMANDS) == ("darkroom", True)
    assert SAID["WorkingDirectory"] == f"/var/lib/{SAID['StateDirectory']}"
    assert SAID["User"] not in ("root", "0")


def test_it_has_time_to_end_in_order_and_comes_back_after_a_fall() -> None:
    assert int(SAID["TimeoutStopSec"]) > STOP_S
    assert SAID.get("KillSignal", "SIGTERM") == "SIGTERM"
    assert SAID["Restart"] == "on-failure"


def test_it_may_write_nowhere_but_in_its_folder() -> None:
    assert (SAID["ProtectSystem"], SAID["ProtectHome"], SAID["CapabilityBoundingSet"]) == ("strict", "yes", "")
    assert "ReadWritePaths" not in SAID
