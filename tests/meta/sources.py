"""The repository's own files, as text and as syntax trees."""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
SKIPPED = {"__pycache__", "build", "data", "node_modules"}
KEPT_HIDDEN = {".ci", ".env.example", ".gitignore", ".dockerignore"}


def own_files(folder: Path = ROOT) -> Iterator[Path]:
    """Every file that belongs to the repository; hidden and generated ones are left out."""
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") and path.name not in KEPT_HIDDEN:
            continue
        if path.is_dir() and path.name not in SKIPPED and path.suffix != ".egg-info":
            yield from own_files(path)
        elif path.is_file():
            yield path


@cache
def own_texts() -> dict[str, str]:
    """Text by path; pictures and other binary files are left out."""
    found: dict[str, str] = {}
    for path in own_files():
        data = path.read_bytes()
        if b"\x00" not in data:
            found[path.relative_to(ROOT).as_posix()] = data.decode()
    return found


def modules(*folders: str) -> dict[str, str]:
    """Python source by path below the given top folders."""
    found = own_texts().items()
    return {name: text for name, text in found if name.endswith(".py") and name.split("/")[0] in folders}


def trees(sources: Mapping[str, str]) -> Iterator[tuple[str, ast.Module]]:
    for name, text in sources.items():
        yield name, _parse(text)


@cache
def _parse(text: str) -> ast.Module:
    return ast.parse(text)


def module_name(path: str) -> str:
    """`bot/photos/__init__.py` -> `bot.photos`."""
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


@dataclass(frozen=True, slots=True)
class Import:
    """One imported module or name: `from bot.storage import keys` gives `bot.storage.money.keys`."""

    path: str
    line: int
    target: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line} imports {self.target}"


def imports(sources: Mapping[str, str]) -> Iterator[Import]:
    """All imports, also those inside functions."""
    known = {module_name(path) for path in sources}
    for path, text in sources.items():
        for line, module, name in _imported(text):
            inner = f"{module}.{name}"
            yield Import(path, line, inner if name and inner in known else module)


@cache
def _imported(text: str) -> tuple[tuple[int, str, str], ...]:
    """(line, module, name taken out of it or nothing)."""
    found: list[tuple[int, str, str]] = []
    for node in ast.walk(_parse(text)):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name, "") for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            found += [(node.lineno, str(node.module), alias.name) for alias in node.names]
    return tuple(found)
