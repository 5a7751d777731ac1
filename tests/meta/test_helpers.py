"""The map of the tests' helpers in tests/README.md is whole, and `make quick` goes by the marks that are held true."""

import ast
import re

import pytest

from tests.meta.sources import ROOT, modules, trees
from tests.process_watch import FOLDERS, MARKS, misplaced

ROW = re.compile(r"^\| `(\S+\.py)` \| (.+) \|$", re.MULTILINE)


def first_sentences() -> dict[str, str]:
    """What each helper module says of itself in its first line."""
    return {
        path.removeprefix("tests/"): (ast.get_docstring(tree) or "").partition("\n")[0]
        for path, tree in trees(modules("tests"))
        if not re.search(r"/(test_\w+|__init__)\.py$", path)
    }


def test_the_map_has_every_helper_with_what_it_says_of_itself() -> None:
    rows = ROW.findall((ROOT / "tests/README.md").read_text(encoding="utf-8"))
    assert dict(rows) == first_sentences()
    assert [name for name, _ in rows] == sorted(first_sentences())


def test_make_quick_leaves_out_every_mark_of_a_process() -> None:
    chosen = re.search(r'^quick:.*\n.* -m "([^"]+)"', (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert chosen is not None
    assert chosen[1] == " and ".join(f"not {name}" for name in (*MARKS, "story"))


def test_the_folders_whose_tests_are_all_marked_have_tests() -> None:
    for folder in FOLDERS:
        assert list((ROOT / "tests" / folder).glob("test_*.py")), folder


@pytest.mark.parametrize(
    ("is_marked", "has_started", "said"),
    [
        (True, True, None),
        (False, False, None),
        (False, True, "mark it"),
        (True, False, "although it starts no process"),
    ],
)
def test_a_mark_that_is_missing_or_too_much_is_told(is_marked: bool, has_started: bool, said: str | None) -> None:
    wrong = misplaced("tests/x.py::test_x", is_marked=is_marked, has_started=has_started)
    assert wrong is None if said is None else said in str(wrong)
