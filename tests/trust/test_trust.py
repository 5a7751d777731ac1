"""Each row of the catalogue reaches its bar, and notices when its promise is broken."""

import gc
import random
from collections import Counter
from collections.abc import Callable

import pytest

from tests.trust.catalogue import CATALOGUE
from tests.trust.measuring import LONGEST, longest_first, measure
from tests.trust.row import Row, Score, Size
from tests.trust.table import Line, render

KILLS_LEAVE = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
"""What a kill cuts off at the stand-ins' web server: open files are left to the garbage collector."""

MUTANTS_LEAVE = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
"""A broken promise may cut a studio off in the middle: its connections are collected before the next test."""


def marks(row: Row) -> tuple[pytest.MarkDecorator, ...]:
    return (pytest.mark.process, KILLS_LEAVE) if row.starts_process else ()


MUTANTS = [
    pytest.param(row, mutant, id=f"{row.id}-{mutant.__name__}", marks=(pytest.mark.mutant, MUTANTS_LEAVE, *marks(row)))
    for row in CATALOGUE
    for mutant in row.mutants
]
EXAMPLE = CATALOGUE[0]


@pytest.mark.parametrize("row", [pytest.param(row, id=row.id, marks=marks(row)) for row in CATALOGUE])
def test_the_bar_is_reached(row: Row) -> None:
    line = measure(row, Size.SHORT, random.randrange(10**6))
    assert line.failures == (), f"seed {line.seed}"


@pytest.mark.parametrize(("row", "mutant"), MUTANTS)
def test_a_broken_promise_is_noticed(
    row: Row, mutant: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which statement meets a fault depends on what interleaves; so a small try may miss it, and there are three."""
    mutant(monkeypatch)
    noticed = any(measure(row, Size.SHORT, seed).failures for seed in (7, 8, 9))
    gc.collect()
    assert noticed


def test_the_longest_rows_begin_first_and_none_is_left_out() -> None:
    """Mutant: the rows begin in the order of the catalogue."""
    ordered = longest_first(CATALOGUE)
    assert [row.id for row in ordered[: len(LONGEST)]] == list(LONGEST)
    assert ordered[len(LONGEST) :] == [row for row in CATALOGUE if row.id not in LONGEST]


def test_a_fault_that_was_never_tried_fails_its_row() -> None:
    fired = Counter(dict.fromkeys(EXAMPLE.faults[1:], 1))
    assert EXAMPLE.failures(Score(fired=fired)) == [f"never tried: {EXAMPLE.faults[0]}"]


def test_what_was_counted_as_bad_fails_its_row_and_is_shown() -> None:
    score = Score(3, Counter({"accepted": 2, "late": 0}), Counter(dict.fromkeys(EXAMPLE.faults, 1)))
    failures = EXAMPLE.failures(score)
    assert failures == ["accepted: 2"]
    shown = render([Line(EXAMPLE, score, tuple(failures), 5, 1.2)])
    assert "NO" in shown.splitlines()[1]
    assert "FAILED: accepted: 2" in shown
