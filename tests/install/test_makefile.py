"""`make run` installs what running needs and no more, beside what developers install."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.meta.sources import ROOT


def planned(folder: Path, target: str) -> str:
    """What make would do in a clone with nothing but what is in this folder."""
    for name in ("Makefile", "requirements.lock", "requirements-dev.lock"):
        if not (folder / name).exists():
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


@pytest.mark.process
@pytest.mark.skipif(shutil.which("make") is None, reason="there is no make here")
@pytest.mark.parametrize(("filled_by", "is_installed"), [(sys.version_info[:2], False), ((2, 7), True)])
def test_packages_of_another_python_are_installed_anew(
    tmp_path: Path, filled_by: tuple[int, int], *, is_installed: bool
) -> None:
    """Mutant: the stamp does not say which Python. After an update of that, `make run` finds none in its folder."""
    planned(tmp_path, "run")
    (tmp_path / ".venv-run").mkdir()
    (tmp_path / ".venv-run" / ".installed-{}.{}".format(*filled_by)).touch()
    assert ("Installing" in planned(tmp_path, "run")) == is_installed


def test_what_runs_has_every_extra_that_a_setting_can_ask_for() -> None:
    """Mutant: an image in which DARKROOM_SENTRY_DSN finds no sentry-sdk."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    extras = project["project"]["optional-dependencies"]
    asked_for = {name: packages for name, packages in extras.items() if name not in {"sandbox", "dev"}}
    locked = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    wanted = [re.split(r"[\[>=]", package)[0] for packages in asked_for.values() for package in packages]
    assert [name for name in wanted if f"\n{name}==" not in f"\n{locked}"] == []
    [line] = [line for line in (ROOT / "Makefile").read_text().splitlines() if line.endswith("-o requirements.lock")]
    assert set(re.findall(r"--extra (\w+)", line)) == set(asked_for)


def test_the_two_locks_agree_on_every_package_that_both_have() -> None:
    def pins(name: str) -> dict[str, str]:
        text = (ROOT / name).read_text(encoding="utf-8")
        return dict(re.findall(r"^([a-z0-9-]+)==([^ ;]+)", text, re.MULTILINE))

    small, large = pins("requirements.lock"), pins("requirements-dev.lock")
    assert {name: large.get(name) for name in small} == small
