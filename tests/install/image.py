"""`python -m tests.install.image [PYTHON]`: the image without Docker, built by its own commands, and a whole job in it.

The first stage of the Dockerfile is carried out in an empty folder, with PYTHON (python3.13 when none is named) in the
place of the base image's. Then the bot of that stage does the main job of tests/wire/test_main_job.py.
"""

import fnmatch
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from bot import __version__
from tests.meta.sources import ROOT, own_files

PLACES: Final = ("/venv", "/build")
"""Folders of the image that lie in the empty folder instead."""
MAIN_JOB: Final = "tests/wire/test_main_job.py"
NO_SANDBOX: Final = "The sandbox needs packages that are not here."


def instructions(text: str) -> list[tuple[str, str]]:
    """Each instruction of a Dockerfile and what follows it, on one line."""
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", " ", "\n".join(lines))
    return [(word.upper(), rest.strip()) for word, _, rest in (line.partition(" ") for line in joined.splitlines())]


def first_stage() -> list[tuple[str, str]]:
    steps = instructions((ROOT / "Dockerfile").read_text(encoding="utf-8"))
    first, second = (at for at, (word, _) in enumerate(steps) if word == "FROM")
    return steps[first + 1 : second]


def sent_to_docker() -> Iterator[Path]:
    """The files that .dockerignore lets pass, relative to the repository; the last line that fits decides."""
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    for path in own_files():
        name = path.relative_to(ROOT)
        fitting = [rule for rule in rules if _fits(name.as_posix(), rule.removeprefix("!").rstrip("/"))]
        if not fitting or fitting[-1].startswith("!"):
            yield name


def _fits(name: str, pattern: str) -> bool:
    parents = [name, *(parent.as_posix() for parent in Path(name).parents)]
    return any(fnmatch.fnmatch(each, pattern.removeprefix("**/")) for each in parents if each != ".")


def carry_out(steps: list[tuple[str, str]], folder: Path, python: Path) -> None:
    """Raises CalledProcessError when a command fails, ValueError for an instruction that is not known here."""
    tools = folder / "tools"
    subprocess.run([python, "-m", "venv", tools], check=True)
    # pip's own settings stay: they say where packages come from here.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    environment["PATH"] = f"{tools / 'bin'}:{os.environ['PATH']}"
    where = folder
    for word, rest in steps:
        if word == "WORKDIR":
            where = Path(_moved(rest, folder))
            where.mkdir(parents=True)
        elif word == "COPY":
            _copy(shlex.split(rest)[:-1], where / shlex.split(rest)[-1])
        elif word == "RUN":
            print(f"RUN {rest}", flush=True)  # noqa: T201 - it takes a minute
            subprocess.run(["/bin/sh", "-c", _moved(rest, folder)], cwd=where, env=environment, check=True)
        else:
            raise ValueError(f"the first stage has {word}, which is not carried out here")


def _moved(text: str, folder: Path) -> str:
    return re.sub(rf"(?<!\S)(?={'|'.join(PLACES)})", str(folder), text)


def _copy(sources: list[str], target: Path) -> None:
    """As Docker copies: a folder's contents, a file into a folder that ends with a slash or is the working folder."""
    for name in sent_to_docker():
        for source in sources:
            if name.as_posix() == source:
                place = target / source
            elif source.endswith("/") and name.as_posix().startswith(source):
                place = target / name.relative_to(source)
            else:
                continue
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, place)


def check_program(folder: Path) -> None:
    """The program in the image runs in an empty folder, and has no sandbox."""
    program, empty = folder / "venv/bin/darkroom", folder / "empty"
    empty.mkdir()
    said = subprocess.run([program, "version"], cwd=empty, capture_output=True, text=True, check=True).stdout
    assert said == f"darkroom {__version__}\n", said
    sandbox = subprocess.run([program, "sandbox"], cwd=empty, capture_output=True, text=True, check=False)
    assert (sandbox.returncode, sandbox.stderr.startswith(NO_SANDBOX)) == (1, True), sandbox.stderr


def main(python: str) -> int:
    found = shutil.which(python)
    if found is None:
        sys.exit(f"There is no {python} here.")
    with tempfile.TemporaryDirectory(prefix="darkroom-image-") as name:
        folder = Path(name)
        carry_out(first_stage(), folder, Path(found))
        check_program(folder)
        environment = os.environ | {"DARKROOM_TEST_PYTHON": str(folder / "venv/bin/python")}
        job = subprocess.run([sys.executable, "-m", "pytest", "-q", MAIN_JOB], cwd=ROOT, env=environment, check=False)
    return job.returncode


if __name__ == "__main__":
    sys.exit(main(*(sys.argv[1:] or ["python3.13"])))
