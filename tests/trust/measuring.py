"""Tries rows of the fault catalogue, as many at once as there are cores."""

import asyncio
import logging
import os
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context

from tests.trust.catalogue import CATALOGUE
from tests.trust.row import Row, Score, Size
from tests.trust.table import Line

LONGEST = ("T09", "T22", "T24", "T06", "T31")
"""Ids of the rows that take more than five minutes of the long form, the longest first."""


def measure(row: Row, size: Size, seed: int) -> Line:
    begun = time.monotonic()
    try:
        score = asyncio.run(row.measure(size, seed))
    except Exception as error:  # noqa: BLE001 - the other rows are measured all the same
        return Line(row, None, (f"{type(error).__name__}: {error}",), seed, time.monotonic() - begun)
    return Line(row, score, tuple(row.failures(score)), seed, time.monotonic() - begun)


def _measure_apart(number: int, size: Size, seed: int) -> tuple[Score | None, tuple[str, ...], float]:
    """The same for one row of the catalogue, in a process that does nothing else."""
    logging.disable()
    line = measure(CATALOGUE[number], size, seed)
    return line.score, line.failures, line.seconds


def longest_first(rows: Sequence[Row]) -> list[Row]:
    """The same rows in the order to begin them: a long one that begins last leaves the other cores idle."""
    return sorted(rows, key=lambda row: LONGEST.index(row.id) if row.id in LONGEST else len(LONGEST))


def measure_all(rows: Sequence[Row], size: Size, seed: int) -> list[Line]:
    """As many rows at once as there are cores; each is named on stderr when it has been tried."""
    cores = os.cpu_count() or 1
    with ProcessPoolExecutor(cores, mp_context=get_context("spawn"), max_tasks_per_child=1) as pool:
        tries = {pool.submit(_measure_apart, CATALOGUE.index(row), size, seed): row for row in longest_first(rows)}
        lines = []
        for tried in as_completed(tries):
            score, failures, seconds = tried.result()
            line = Line(tries[tried], score, failures, seed, seconds)
            sys.stderr.write(f"{line.row.id} {line.seconds:.0f} s {'; '.join(line.failures)}\n")
            lines.append(line)
    return sorted(lines, key=lambda line: CATALOGUE.index(line.row))
