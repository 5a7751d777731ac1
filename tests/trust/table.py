"""How the scores of `make trust` are shown: one line for a row, below it how often each fault was tried."""

from collections.abc import Sequence
from dataclasses import dataclass

from tests.trust.row import Row, Score

HEADINGS = ("row", "fault", "bar", "reached", "tried", "seed", "seconds")


@dataclass(frozen=True, slots=True)
class Line:
    """`score` is None when the row broke down, for the reason in `failures`."""

    row: Row
    score: Score | None
    failures: tuple[str, ...]
    seed: int
    seconds: float


def render(lines: Sequence[Line]) -> str:
    cells = [
        (
            line.row.id,
            line.row.fault,
            line.row.bar,
            "NO" if line.failures else "yes",
            f"{line.score.tried:,}" if line.score else "-",
            str(line.seed),
            f"{line.seconds:.0f}",
        )
        for line in lines
    ]
    widths = [max(map(len, column)) for column in zip(HEADINGS, *cells, strict=True)]
    shown = ["  ".join(text.ljust(width) for text, width in zip(HEADINGS, widths, strict=True)).rstrip()]
    for line, texts in zip(lines, cells, strict=True):
        shown.append("  ".join(text.ljust(width) for text, width in zip(texts, widths, strict=True)).rstrip())
        if line.score:
            fired = ", ".join(f"{name} {count:,}" for name, count in sorted(line.score.fired.items()))
            shown.append(f"      {fired}")
        shown += [f"      FAILED: {failure}" for failure in line.failures]
    return "\n".join(shown) + "\n"
