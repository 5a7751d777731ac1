"""The arithmetic of the benchmarks, and what is said when something could not be measured."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.bench.fairness import FLOOD, OTHERS, TURNS, evenness, jain
from tests.bench.processes import started
from tests.bench.rows import Floor, NotMeasured, Sample, Target, compare, percentile
from tests.bench.table import render


def samples(*values: float) -> list[Sample]:
    return [Sample(value) for value in values]


def test_a_row_divides_the_median_of_the_product_by_the_median_of_both_floor_passes() -> None:
    floor = Floor("floor", samples(10, 10, 100), samples(10, 12, 10))
    row = compare("it", "ms", samples(30, 10, 20), floor, target=Target(ratio_most=1.9))
    assert (row.value, row.floor, row.ratio, row.met) == (20, 10, 2.0, False)


def test_a_target_is_met_only_when_every_bound_is_kept() -> None:
    both = Target(ratio_most=1.25, value_most=500)
    assert both.is_met(400, 1.2) is True
    assert both.is_met(600, 1.2) is False
    assert both.is_met(400, 1.3) is False
    assert Target(ratio_least=3).is_met(9, 2.9) is False
    assert Target(value_least=0.95).is_met(0.94, None) is False
    assert Target(value_least=0.95).is_met(0.95, None) is True
    assert Target().is_met(1, None) is None


@pytest.mark.parametrize(("second", "is_unsettled"), [(114, False), (116, True), (84, True)])
def test_floor_passes_that_differ_by_more_than_15_percent_are_marked(second: float, is_unsettled: bool) -> None:
    row = compare("it", "ms", samples(200), Floor("floor", samples(100), samples(second)))
    shown = render({"group": [row]}, {})
    assert row.is_unsettled is is_unsettled
    assert ("two floor passes differ" in shown) is is_unsettled


def test_the_table_names_what_could_not_be_measured() -> None:
    row = compare("it", "ms", samples(1))
    assert "NOT MEASURED Bursts: no bot" in render({"group": [row]}, {"Bursts": "no bot"})


def test_the_index_of_evenness_is_low_when_one_has_everything() -> None:
    assert jain([5] * 11) == 1
    assert jain([55] + [0] * 10) == pytest.approx(1 / 11)
    first_come = [FLOOD] * TURNS
    assert evenness(first_come) < 0.1
    assert evenness([FLOOD, *OTHERS] * (TURNS // 11)) == 1


@given(st.lists(st.floats(0, 1e6), min_size=1), st.floats(0.01, 1))
def test_a_percentile_is_a_value_that_at_least_its_share_does_not_exceed(values: list[float], share: float) -> None:
    found = percentile(values, share)
    assert found in values
    assert sum(value <= found for value in values) >= share * len(values) - 1e-9
    assert sum(value < found for value in values) < share * len(values) + 1e-9


@pytest.mark.process
async def test_a_process_that_dies_is_reported_with_the_end_of_its_log(tmp_path: Path) -> None:
    async with started("baseline", {"database": str(tmp_path / "none" / "x.db")}, tmp_path / "log") as child:
        with pytest.raises(NotMeasured, match="unable to open database"):
            await child.says()
