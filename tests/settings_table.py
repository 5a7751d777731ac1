"""`python -m tests.settings_table`: writes .env.example and the table in bot/README.md, from bot/config.py."""

import re
import textwrap
from enum import Enum
from pathlib import Path

from bot.config import RANGES, Settings
from tests.meta.sources import ROOT

EXAMPLE = ROOT / ".env.example"
PAGE = ROOT / "bot/README.md"
HEAD = "# Copy this file to .env and fill in what you need. Empty means: the default.\n"
WIDTH = 118
"""Of a comment, without its mark."""
_TABLE = re.compile(r"(?<=\n## Settings\n)([^|]*)(?:\|.*\n)+")


def meaning(name: str) -> str:
    """What a setting is for, with its range or its choices."""
    field = Settings.model_fields[name]
    parts = [field.description or ""]
    if name in RANGES:
        least, most = RANGES[name]
        parts.append(f"From {least} to {most}.")
    if isinstance(field.annotation, type) and issubclass(field.annotation, Enum):
        *names, last = (f"`{choice.value}`" for choice in field.annotation)
        parts.append(f"{', '.join(names)} or {last}.")
    return " ".join(parts)


def default(name: str) -> str:
    """As it is written in a file, empty when nothing is set."""
    value = Settings.model_fields[name].default
    if value is None or value == ():
        return ""
    if isinstance(value, tuple):
        return ":".join(map(str, value))
    return f"./{value}" if isinstance(value, Path) else str(value)


def table() -> str:
    rows = ["| Variable | Default | Meaning |", "|---|---|---|"]
    for name in Settings.model_fields:
        said = f"`{default(name)}`" if default(name) else "–"
        rows.append(f"| `{name.upper()}` | {said} | {meaning(name)} |")
    return "".join(f"{row}\n" for row in rows)


def example() -> str:
    parts = [HEAD]
    for name in Settings.model_fields:
        lines = textwrap.wrap(meaning(name), WIDTH, break_long_words=False, break_on_hyphens=False)
        parts += ["\n", *(f"# {line}\n" for line in lines), f"{name.upper()}={default(name)}\n"]
    return "".join(parts)


def with_table(page: str) -> str:
    """The page with the first table below its heading Settings made anew."""
    return _TABLE.sub(lambda found: found[1] + table(), page, count=1)


if __name__ == "__main__":
    EXAMPLE.write_text(example(), encoding="utf-8")
    PAGE.write_text(with_table(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
