"""The sheet of all sentences that members can read, as Markdown: commands first, then every file with its texts."""

import ast
import re
from collections.abc import Iterator, Mapping
from functools import cache
from html.parser import HTMLParser
from types import MappingProxyType
from typing import Final

from tests.meta.command_tree import CHAT, Payload, leaves
from tests.meta.sources import modules, own_texts, trees
from tests.sentences.literals import Literal, literals

SILENT: Final[Mapping[str, str]] = MappingProxyType(
    {
        "bot/__main__.py": "the operator's terminal",
        "bot/app.py": "the operator's terminal",
        "bot/config.py": "the operator's terminal",
        "bot/datasets/age_words.py": "words that are looked for",
        "bot/keys/secrets.py": "the operator's terminal",
        "bot/process/log.py": "the log",
        "bot/moderation/explicit.py": "words that are looked for",
        "bot/moderation/lookalikes.py": "words that are looked for",
        "bot/process/figures.py": "metrics",
        "bot/process/readings.py": "metrics",
        "bot/process/journal.py": "the log",
        "bot/process/telemetry.py": "the operator's terminal",
        "bot/web/metrics.py": "metrics",
        "bot/photos/confine.py": "the log",
        "bot/photos/exif.py": "names of formats",
        "bot/photos/filetypes.py": "names of formats",
        "bot/photos/hosts.py": "the log",
        "bot/photos/intake.py": "the log",
        "bot/photos/structure/": "the log",
        "bot/process/private_members.py": "a list for developers",
        "bot/providers/transport.py": "the log",
        "bot/reach.py": "the log",
        "bot/network/resolver.py": "the log",
        "bot/sandbox/": "a simulated Discord and simulated providers",
        "bot/storage/": "queries",
        "bot/web/": "what programs get for an answer",
    }
)
"""Where no member reads, and who does. What is not in this list is in the sheet, new files too."""
HEARD: Final = frozenset({"bot/storage/trouble.py"})
"""What is in the sheet although its folder is silent."""
ANSWERS: Final = frozenset({"UserError", "StorageTrouble", "ProviderError"})
"""Errors whose text reaches a member; those derived from them, too."""
MARKUP: Final = re.compile(r"\{%.*?%\}", re.DOTALL)
DERIVED_MOST: Final = 5
"""Generations of errors that are looked for."""
INTRODUCTION: Final = """# What members read

Every sentence, label and word that Darkroom shows to members, hosts, moderators and admins.
Written by `make sentences`; nothing reads it back. The number before a text is its line in the source.
In braces stands what is filled in; `{one|other}` is one of the two, `(s)` is left out for one."""


def sheet(commands: list[Payload]) -> str:
    """The whole sheet; `commands` is what Discord gets."""
    areas: dict[str, list[str]] = {}
    for path, found in texts_by_file().items():
        lines = "\n".join(f"{each.line:>4}  {_in_one_line(each.text)}" for each in found)
        areas.setdefault(path.rpartition("/")[0], []).append(f"### {path}\n\n~~~text\n{lines}\n~~~")
    parts = [f"## {area}\n\n" + "\n\n".join(files) for area, files in sorted(areas.items())]
    return "\n\n".join([INTRODUCTION, _commands(commands), *parts]) + "\n"


@cache
def texts_by_file() -> dict[str, list[Literal]]:
    """Files without a text for people are left out."""
    sources = {path: text for path, text in modules("bot", "cogs").items() if is_heard(path)}
    shown = shown_errors()
    found = {path: literals(tree, shown) for path, tree in trees(sources)}
    for path, text in own_texts().items():
        if path.startswith(("bot/", "cogs/")) and path.endswith((".md", ".html")) and is_heard(path):
            found[path] = list(_page(text) if path.endswith(".html") else _lines(text))
    return {path: texts for path, texts in sorted(found.items()) if texts}


def is_heard(path: str) -> bool:
    return path in HEARD or not path.startswith(tuple(SILENT))


def shown_errors() -> set[str]:
    """Names of all errors that are derived from `ANSWERS`."""
    bases = {
        node.name: {base.id for base in node.bases if isinstance(base, ast.Name)}
        for _, tree in trees(modules("bot", "cogs"))
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    }
    found = set(ANSWERS)
    for _ in range(DERIVED_MOST):
        found |= {name for name, own in bases.items() if own & found}
    return found


def _commands(commands: list[Payload]) -> str:
    lines: list[str] = []
    for root in commands:
        for name, leaf in leaves(root):
            says = leaf.get("description", "")
            lines.append(f"/{name}: {says}" if root["type"] == CHAT else name)
            lines += [line for option in leaf.get("options", []) for line in _option(option)]
    return "## Commands and their options\n\n~~~text\n" + "\n".join(lines) + "\n~~~"


def _option(option: Payload) -> Iterator[str]:
    yield f"    {option['name']}: {option['description']}"
    choices = [choice["name"] for choice in option.get("choices", [])]
    if choices:
        yield f"        {' | '.join(choices)}"


def _in_one_line(text: str) -> str:
    return text.strip().replace("\n", " ⏎ ")


def _lines(text: str) -> Iterator[Literal]:
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            yield Literal(number, line)


def _page(text: str) -> list[Literal]:
    reader = _PageReader()
    reader.feed(MARKUP.sub(lambda found: "\n" * found[0].count("\n"), text))
    return reader.found


class _PageReader(HTMLParser):
    """What a reader sees or hears of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[Literal] = []

    def handle_data(self, data: str) -> None:
        self._add(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in {"alt", "title", "placeholder", "aria-label"} and value:
                self._add(value)

    def _add(self, text: str) -> None:
        if re.search(r"[^\W\d_]{2}", text):
            self.found.append(Literal(self.getpos()[0], " ".join(text.split())))
