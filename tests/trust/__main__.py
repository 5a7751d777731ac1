"""`python -m tests.trust`: tries the fault catalogue against Darkroom and prints what each row reached."""

import argparse
import asyncio
import logging
import random
import sys
import time

from tests.trust.catalogue import CATALOGUE
from tests.trust.row import Row, Size
from tests.trust.table import Line, render


def measure(row: Row, size: Size, seed: int) -> Line:
    begun = time.monotonic()
    try:
        score = asyncio.run(row.measure(size, seed))
    except Exception as error:  # noqa: BLE001 - the other rows are measured all the same
        return Line(row, None, (f"{type(error).__name__}: {error}",), seed, time.monotonic() - begun)
    return Line(row, score, tuple(row.failures(score)), seed, time.monotonic() - begun)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.trust", description=__doc__)
    parser.add_argument("--short", action="store_true", help="as few tries as inside `make test`")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6), help="to repeat a run")
    parser.add_argument("rows", nargs="*", help="rows by the beginning of their ids, as T08; all when left out")
    options = parser.parse_args()
    rows = [row for row in CATALOGUE if not options.rows or row.id.startswith(tuple(options.rows))]
    logging.disable()
    size = Size.SHORT if options.short else Size.LONG
    lines = [measure(row, size, options.seed) for row in rows]
    sys.stdout.write(render(lines))
    return 1 if any(line.failures for line in lines) else 0


if __name__ == "__main__":
    sys.exit(main())
