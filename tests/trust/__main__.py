"""`python -m tests.trust`: tries the fault catalogue against Darkroom and prints what each row reached."""

import argparse
import random
import sys

from tests.trust.catalogue import CATALOGUE
from tests.trust.measuring import measure_all
from tests.trust.row import Size
from tests.trust.table import render


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.trust", description=__doc__)
    parser.add_argument("--short", action="store_true", help="as few tries as inside `make test`")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6), help="to repeat a run")
    parser.add_argument("rows", nargs="*", help="rows by the beginning of their ids, as T08; all when left out")
    options = parser.parse_args()
    rows = [row for row in CATALOGUE if not options.rows or row.id.startswith(tuple(options.rows))]
    lines = measure_all(rows, Size.SHORT if options.short else Size.LONG, options.seed)
    sys.stdout.write(render(lines))
    return 1 if any(line.failures for line in lines) else 0


if __name__ == "__main__":
    sys.exit(main())
