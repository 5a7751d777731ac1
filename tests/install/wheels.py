"""Darkroom's wheel, built from the files that belong to the repository, and virtual environments that have it."""

import os
import shutil
import site
import subprocess
import sys
import venv
from importlib import metadata
from pathlib import Path

from tests.meta.sources import ROOT, own_files

BUILT_FROM = ("bot", "cogs", "pyproject.toml", "README.md", "LICENSE")
SETUPTOOLS_LEAST = 77
"""The first that knows `license = "MIT"` (pyproject.toml, build-system)."""
QUIETLY = ("--quiet", "--disable-pip-version-check", "--no-deps", "--no-index")


def can_build() -> bool:
    """Whether this environment has what builds the wheel, as requirements-dev.lock does."""
    try:
        return int(metadata.version("setuptools").partition(".")[0]) >= SETUPTOOLS_LEAST
    except metadata.PackageNotFoundError:
        return False


def copy_sources(folder: Path) -> None:
    """What the wheel is built from, without what earlier builds have left."""
    for path in own_files():
        name = path.relative_to(ROOT)
        if name.parts[0] in BUILT_FROM:
            (folder / name.parent).mkdir(parents=True, exist_ok=True)
            shutil.copy(path, folder / name)


def build(folder: Path) -> Path:
    """The wheel, built in this empty folder by the tools of this environment."""
    copy_sources(folder / "tree")
    wheels = folder / "dist"
    arguments = ("wheel", *QUIETLY, "--no-build-isolation", "--wheel-dir", str(wheels), str(folder / "tree"))
    subprocess.run([sys.executable, "-m", "pip", *arguments], check=True)
    (wheel,) = wheels.glob("*.whl")
    return wheel


def install(wheel: Path, folder: Path) -> Path:
    """A virtual environment with the wheel; all else comes from this one. Gives its folder of programs."""
    venv.create(folder, symlinks=True)
    programs = folder / "bin"
    subprocess.run(
        [sys.executable, "-m", "pip", "--python", str(programs / "python"), "install", *QUIETLY, str(wheel)], check=True
    )
    (packages,) = folder.glob("lib/python*/site-packages")
    (packages / "of-the-tests.pth").write_text(os.linesep.join(site.getsitepackages()))
    return programs
