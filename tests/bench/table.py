"""How measured rows are shown: one table for people, notes below it."""

from collections.abc import Iterable, Mapping, Sequence

from tests.bench.rows import DRIFT_MAX, Row

HEADINGS = ("what", "floor", "value", "unit", "ratio", "target", "met", "cpu ms/op: floor", "value")
VERDICTS = {True: "yes", False: "NO", None: "-"}


def render(groups: Mapping[str, Sequence[Row]], failures: Mapping[str, str]) -> str:
    rows = [row for group in groups.values() for row in group]
    cells = {title: [_cells(row) for row in group] for title, group in groups.items()}
    lines = [line for shown in cells.values() for line in shown]
    widths = [max(map(len, column)) for column in zip(HEADINGS, *lines, strict=True)]
    parts = [_line(HEADINGS, widths), "  ".join("-" * width for width in widths)]
    for title, shown in cells.items():
        parts += [title, *(_line(line, widths) for line in shown)]
    parts += ["", *_notes(rows)]
    parts += [f"NOT MEASURED {title}: {reason}" for title, reason in failures.items()]
    return "\n".join(parts) + "\n"


def _cells(row: Row) -> tuple[str, ...]:
    ratio = "-" if row.ratio is None else f"{row.ratio:.2f}x" if row.ratio >= 0.1 else f"{row.ratio:.2g}x"
    return (
        f"  {row.name}",
        _number(row.floor) + ("*" if row.is_unsettled else ""),
        _number(row.value),
        row.unit,
        ratio,
        row.target,
        VERDICTS[row.met],
        _number(row.floor_cpu_ms),
        _number(row.cpu_ms),
    )


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def _line(cells: Iterable[str], widths: Sequence[int]) -> str:
    texts = list(cells)
    first = texts[0].ljust(widths[0])
    return "  ".join([first, *(text.rjust(width) for text, width in zip(texts[1:], widths[1:], strict=True))])


def _notes(rows: Sequence[Row]) -> list[str]:
    floors = {row.floor_name: None for row in rows if row.floor_name}
    notes = ["Floors, measured before and after the product: " + "; ".join(floors) + "."] if floors else []
    notes += [f"{row.name}: {row.note}" for row in rows if row.note]
    unsettled = [row for row in rows if row.is_unsettled]
    if unsettled:
        notes.append(
            f"* The two floor passes differ by more than {DRIFT_MAX:.0%}; do not rely on these ratios: "
            + "; ".join(f"{row.name} ({row.floor_drift:.0%})" for row in unsettled)
            + "."
        )
    return notes
