"""House rules that a reader would otherwise have to watch over."""

import ast
import re
from collections.abc import Callable, Iterator, Mapping

import pytest

from tests.meta.sources import ROOT, imports, module_name, modules, own_texts, trees

WALL, COG_WALL = 350, 250
NAME_WALL = 85
"""Characters of a test's name."""
VAGUE = {"utils", "util", "helpers", "helper", "common", "manager", "misc"}
MOCKS = {"Mock", "MagicMock", "AsyncMock", "NonCallableMock", "NonCallableMagicMock"}
SPECS = {"spec", "spec_set", "autospec", "new", "wraps"}
LONGEST_SLEEP_S = 0.05
CLOCKS = {"perf_counter", "process_time", "monotonic"}
FORBIDDEN = [
    "".join(parts)
    for parts in (
        ("py", "pi.org"),
        ("python", "hosted.org"),
        ("npm", "js.org"),
        ("npm", "js.com"),
        ("crates", ".io"),
        ("--extra-index", "-url"),
        ("/ho", "me/"),
        ("/Us", "ers/"),
        ("/ro", "ot/"),
    )
]
"""Registry hosts and places of a developer's machine, in pieces so that this list does not name them itself."""


def unspecified_mocks(sources: Mapping[str, str]) -> Iterator[str]:
    for path, tree in trees(sources):
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call):
                continue
            name = called(node)
            is_mock = name.rpartition(".")[2] in MOCKS or name in {"patch", "mock.patch", "patch.object"}
            if is_mock and not SPECS & {keyword.arg for keyword in node.keywords} and not node.args[2:]:
                yield f"{path}:{node.lineno} mocks without a spec"


def long_sleeps(sources: Mapping[str, str]) -> Iterator[str]:
    for path, tree in trees(sources):
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call) or called(node) not in {"time.sleep", "asyncio.sleep", "sleep"}:
                continue
            given = node.args[0] if node.args else None
            seconds = given.value if isinstance(given, ast.Constant) else None
            is_long = isinstance(seconds, int | float) and seconds > LONGEST_SLEEP_S
            if called(node) != "asyncio.sleep" or is_long:
                yield f"{path}:{node.lineno} sleeps"


def held_against_the_clock(sources: Mapping[str, str]) -> Iterator[str]:
    """What has to be quick is measured by the bench; a test that says "less than" of time fails on a busy machine."""
    for path, tree in trees(sources):
        for node in ast.walk(tree):
            if isinstance(node, ast.Compare) and any(isinstance(each, ast.Lt | ast.LtE) for each in node.ops):
                if CLOCKS & {called(each).rpartition(".")[2] for each in ast.walk(node) if isinstance(each, ast.Call)}:
                    yield f"{path}:{node.lineno} holds time against a limit"
            elif isinstance(node, ast.keyword) and node.arg == "deadline" and ast.unparse(node.value) != "None":
                yield f"{path}:{node.value.lineno} gives an example a deadline"


def called(node: ast.Call) -> str:
    return ast.unparse(node.func)


def forbidden_words(texts: Mapping[str, str]) -> Iterator[str]:
    words = [re.escape(word) for word in FORBIDDEN]
    if len(ROOT.parts) > 2:
        words.append(re.escape(str(ROOT)) + r"\b")
    pattern = re.compile("|".join(words))
    for path, text in texts.items():
        for match in pattern.finditer(text):
            yield f"{path}: {match[0]}"


def unfinished(sources: Mapping[str, str]) -> Iterator[str]:
    pattern = re.compile(r"#.*\b(TO" + r"DO|FIX" + r"ME|XX" + r"X)\b")
    for path, text in sources.items():
        for number, line in enumerate(text.splitlines(), start=1):
            if pattern.search(line):
                yield f"{path}:{number} {line.strip()}"


def without_docstring(sources: Mapping[str, str]) -> Iterator[str]:
    for path, tree in trees(sources):
        if tree.body and ast.get_docstring(tree) is None:
            yield path


def too_long(sources: Mapping[str, str]) -> Iterator[str]:
    """Migrations are lists of columns, written by Alembic; they have no wall."""
    for path, text in sources.items():
        if "/migrations/versions/" in path:
            continue
        size, wall = len(text.splitlines()), COG_WALL if path.startswith("cogs/") else WALL
        if size > wall:
            yield f"{path} has {size} lines, {wall} is the wall"


def long_test_names(sources: Mapping[str, str]) -> Iterator[str]:
    for path, tree in trees(sources):
        functions = (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
        for name in (function.name for function in functions):
            if name.startswith("test_") and len(name) > NAME_WALL:
                yield f"{path}: {name} has {len(name)} characters, {NAME_WALL} is the wall"


def imported_test_modules(sources: Mapping[str, str]) -> Iterator[str]:
    """What two test modules share is in a module of its own, and not in a conftest, which pytest alone imports."""
    for found in imports(sources):
        if re.search(r"^tests\..*\b(test_\w+|conftest)$", found.target):
            yield str(found)


def answered_elsewhere(sources: Mapping[str, str]) -> Iterator[str]:
    """One door knows what to do when Discord takes an answer and says that it failed."""
    for path, text in sources.items():
        if path != "cogs/ui/replies.py":
            for match in re.finditer(r"\.response\.(send_message|send_modal|edit_message|defer)\(", text):
                yield f"{path}: {match[0]}"


def test_no_module_climbs_the_wall() -> None:
    assert list(too_long(modules("bot", "cogs"))) == []


def test_no_module_has_a_name_that_says_nothing() -> None:
    parts = {part for path in modules("bot", "cogs", "tests") for part in module_name(path).split(".")}
    assert parts & VAGUE == set()


def test_every_module_opens_with_what_it_owns() -> None:
    assert list(without_docstring(modules("bot", "cogs"))) == []


def test_interactions_are_answered_through_one_door() -> None:
    assert list(answered_elsewhere(modules("cogs"))) == []


def test_the_name_of_a_test_fits_into_a_line() -> None:
    assert list(long_test_names(modules("tests"))) == []


def test_no_test_module_is_imported_by_another() -> None:
    assert list(imported_test_modules(modules("tests"))) == []


def test_nothing_is_left_for_later_in_a_comment() -> None:
    assert list(unfinished(modules("bot", "cogs", "tests"))) == []


def test_mocks_have_a_spec() -> None:
    assert list(unspecified_mocks(modules("tests"))) == []


def test_tests_wait_for_conditions_instead_of_sleeping() -> None:
    sources = {path: text for path, text in modules("tests").items() if not path.startswith("tests/bench/")}
    assert list(long_sleeps(sources)) == []


def test_no_test_depends_on_how_fast_the_machine_is() -> None:
    sources = {path: text for path, text in modules("tests").items() if not path.startswith("tests/bench/")}
    assert list(held_against_the_clock(sources)) == []


def test_no_file_names_a_registry_or_a_developers_machine() -> None:
    assert list(forbidden_words(own_texts())) == []


Rule = Callable[[Mapping[str, str]], Iterator[str]]
PLANTED: list[tuple[Rule, str, str]] = [
    (too_long, "bot/long.py", "x = 1\n" * (WALL + 1)),
    (too_long, "cogs/long.py", "x = 1\n" * (COG_WALL + 1)),
    (without_docstring, "bot/bare.py", "x = 1\n"),
    (long_test_names, "tests/h.py", f"def test_{'x' * NAME_WALL}() -> None: ...\n"),
    (imported_test_modules, "tests/i.py", "from tests.cogs.test_about import x\n"),
    (imported_test_modules, "tests/j.py", "from tests.conftest import x\n"),
    (answered_elsewhere, "cogs/own.py", "await interaction.response.send_message('x')\n"),
    (unfinished, "bot/later.py", "x = 1  # TO" + "DO: more\n"),
    (unspecified_mocks, "tests/a.py", "from unittest.mock import Mock\nx = Mock()\n"),
    (unspecified_mocks, "tests/b.py", "x = mock.MagicMock(return_value=1)\n"),
    (unspecified_mocks, "tests/c.py", "with patch('bot.keys.service.log'):\n    x = 1\n"),
    (long_sleeps, "tests/d.py", "await asyncio.sleep(0.5)\n"),
    (long_sleeps, "tests/e.py", "time.sleep(0.01)\n"),
    (held_against_the_clock, "tests/k.py", "assert perf_counter() - started < 5\n"),
    (held_against_the_clock, "tests/l.py", "settings(max_examples=9, deadline=2000)\n"),
    (forbidden_words, "README.md", f"see https://{FORBIDDEN[0]}/project\n"),
    (forbidden_words, "bot/f.py", f'PATH = "{FORBIDDEN[6]}somebody"\n'),
]


@pytest.mark.parametrize(("rule", "path", "text"), PLANTED)
def test_the_rule_notices_a_planted_breach(rule: Rule, path: str, text: str) -> None:
    assert len(list(rule({path: text}))) == 1


def test_mocks_with_a_spec_and_short_waits_pass() -> None:
    allowed = {"tests/g.py": "Mock(spec=int)\npatch.object(a, 'b', new=c)\nawait asyncio.sleep(0.02)\n"}
    assert [*unspecified_mocks(allowed), *long_sleeps(allowed)] == []
