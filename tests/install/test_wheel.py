"""The wheel holds what it needs, and its program runs from any folder."""

import base64
import os
import subprocess
import zipfile
from pathlib import Path

import pytest

from bot import __version__
from tests import process_watch
from tests.fakes.waiting import HANG_S
from tests.install.wheels import build, can_build, install
from tests.meta.sources import ROOT, own_files

pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(not can_build(), reason="setuptools of requirements-dev.lock is not installed: `make setup`"),
]

LEFT_OUT = {
    "bot/README.md",
    "bot/darkroom.service",
    "cogs/README.md",
    "bot/storage/migrations/script.py.mako",
}
"""What people read in the repository, and what Alembic makes new steps of the schema from."""
FOREIGN = "raise SystemExit('a foreign module was imported')\n"
TOKEN = f"{base64.b64encode(b'123456789012345678').decode()}.not-a-real-one.0123456789"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("wheel"))


@pytest.fixture
def wheel(built: Path) -> Path:
    process_watch.note("pip wheel")
    return built


@pytest.fixture(scope="module")
def programs(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return install(built, tmp_path_factory.mktemp("installed"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Somebody's own folder, with modules of the same names in it."""
    (tmp_path / "bot.py").write_text(FOREIGN)
    (tmp_path / "cogs.py").write_text(FOREIGN)
    return tmp_path


def ask(folder: Path, *command: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """What a command says in this folder, with no more of the environment than a shell needs."""
    environment = {"PATH": os.environ["PATH"], "DARKROOM_LISTEN": "127.0.0.1:0", **variables}
    return subprocess.run(
        [*map(str, command)], cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=HANG_S
    )


def test_the_wheel_holds_every_file_of_the_program_and_no_other(wheel: Path) -> None:
    """Mutant: a pattern of package-data in pyproject.toml left out."""
    files = {path.relative_to(ROOT).as_posix() for path in own_files()}
    wanted = {name for name in files if name.startswith(("bot/", "cogs/"))} - LEFT_OUT
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert held == wanted
    assert files >= LEFT_OUT


def test_the_programs_that_need_no_settings_run_beside_foreign_modules(programs: Path, folder: Path) -> None:
    for arguments in (["version"], ["--version"]):
        answer = ask(folder, programs / "darkroom", *arguments, DARKROOM_POLL_INTERVAL="never")
        assert (answer.returncode, answer.stdout) == (0, f"darkroom {__version__}\n"), answer.stderr


def test_everything_it_needs_at_the_start_is_in_the_wheel(programs: Path, folder: Path) -> None:
    """The steps of the schema, the policy's template, the look of galleries.

    Mutant: `from bot import …` found in the working folder, as `python -m` does.
    """
    migrated = ask(folder, programs / "darkroom", "migrate")
    assert (migrated.returncode, "newest schema" in migrated.stdout) == (0, True), migrated.stderr
    assert (folder / "data/darkroom.db").exists()
    sandbox = ask(folder, programs / "darkroom", "sandbox", "no-such-scene")
    assert (sandbox.returncode, "Traceback" in sandbox.stderr) == (1, False), sandbox.stderr
    assert "no-such-scene" in sandbox.stderr


def test_the_bot_begins_to_run_and_asks_for_its_token(programs: Path, folder: Path) -> None:
    answer = ask(folder, programs / "darkroom", "run")
    assert (answer.returncode, answer.stdout) == (1, "")
    assert answer.stderr.startswith("DISCORD_TOKEN is not set.")


def test_as_a_module_it_runs_where_python_leaves_out_the_working_folder(programs: Path, folder: Path) -> None:
    """`python -m` looks into the working folder first; -P leaves that out (Python /using/cmdline)."""
    assert ask(folder, programs / "python", "-P", "-m", "bot", "version").stdout == f"darkroom {__version__}\n"
    assert "a foreign module" in ask(folder, programs / "python", "-m", "bot", "version").stderr
