"""Every private member of a library that the bot uses is in the table that is checked at start, and no other."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping

import aiosqlite
import pytest

from bot.errors import StartupError
from bot.process.private_members import PRIVATE_MEMBERS, check_private_members
from tests.meta.sources import modules, trees

PRIVATE = re.compile(r"_[a-z]\w*")
UNTYPED = re.compile(r"\.(\w+)\.\w+\(.*# type: ignore\[attr-defined\]")
"""What a library's own types do not name is not public either."""


def used_of_libraries(sources: Mapping[str, str]) -> Iterator[str]:
    """Private names that are read of something else than what our own classes make."""
    classes: dict[str, list[ast.ClassDef]] = defaultdict(list)
    for _, tree in trees(sources):
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                classes[node.name].append(node)
    for node in [each for named in classes.values() for each in named]:
        bases = lineage(node.name, classes) - {node.name}
        inherited = set[str]().union(*(made_by(each) for name in bases for each in classes[name]))
        known = {"self": inherited | made_by(node), "super()": inherited}
        for each in ast.walk(node):
            if isinstance(each, ast.Attribute) and PRIVATE.fullmatch(each.attr):
                of = ast.unparse(each.value)
                if each.attr not in known.get(of, {each.attr}):
                    yield each.attr
    for line in "\n".join(sources.values()).splitlines():
        if "# noqa: SLF001" in line:
            yield from re.findall(r"\.(_[a-z]\w*)", line.partition("#")[0])
        yield from UNTYPED.findall(line)


def lineage(name: str, classes: Mapping[str, list[ast.ClassDef]]) -> set[str]:
    """The class and those of ours that it is built on, by name."""
    found, waiting = set[str](), {name}
    while waiting:
        found.add(now := waiting.pop())
        bases = [ast.unparse(base).partition("[")[0] for node in classes.get(now, []) for base in node.bases]
        waiting |= {base.rpartition(".")[2] for base in bases} & classes.keys() - found
    return found


def made_by(node: ast.ClassDef) -> set[str]:
    """Names of the methods and attributes that the class itself makes."""
    found = set[str]()
    for each in ast.walk(node):
        if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef):
            found.add(each.name)
        elif isinstance(each, ast.Attribute) and isinstance(each.ctx, ast.Store):
            found.add(each.attr)
        elif isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store):
            found.add(each.id)
    return found


def test_the_table_is_complete_and_has_nothing_that_is_not_used() -> None:
    sources = modules("bot", "cogs")
    # The sandbox needs simcord, which is pinned to one version.
    used = set(used_of_libraries({path: text for path, text in sources.items() if "/sandbox/" not in path}))
    listed = [set(member.path.split(".")) for member in PRIVATE_MEMBERS]
    assert used <= set().union(*listed)
    assert [parts for parts in listed if not parts & used] == []


@pytest.mark.parametrize(
    ("line", "used"),
    [
        ("class A(discord.Client):\n    def a(self): return self._tree\n", "_tree"),
        ("class A(discord.Client):\n    def _close(self): return super()._close()\n", "_close"),
        ("http = client._http  # noqa: SLF001\n", "_http"),
        ("Image.core.reset_stats()  # type: ignore[attr-defined]\n", "core"),
        ("class A(B): pass\nclass B:\n    def a(self): self._own = self._own\n", ""),
    ],
)
def test_a_planted_use_is_noticed(line: str, used: str) -> None:
    assert list(used_of_libraries({"bot/a.py": line})) == ([used] if used else [])


def test_what_is_installed_has_all_of_them_and_the_check_is_silent(caplog: pytest.LogCaptureFixture) -> None:
    check_private_members()
    assert caplog.records == []


def test_a_missing_one_stops_the_bot_with_its_library_version_and_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(aiosqlite.Connection, "_execute")
    sentence = r"aiosqlite \d+\.\d+\.\d+ has no `_execute`, which Darkroom needs to .*; please install .*\.$"
    with pytest.raises(StartupError, match=sentence):
        check_private_members()
