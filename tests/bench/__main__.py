"""`python -m tests.bench`: measures speed and memory against floors of the same run, prints a table, writes JSON."""

import argparse
import asyncio
import contextlib
import json
import os
import platform
import signal
import sqlite3
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp

from bot.errors import DarkroomError
from tests.bench import acks, commits, fairness, forwarding, judging, photo_memory, photos, stampede, starts, webhooks
from tests.bench.rows import NotMeasured, Row
from tests.bench.scale import FULL, QUICK, Scale
from tests.bench.table import render
from tests.wire.discord.openapi import SPEC_VARIABLE

GROUPS: dict[str, Callable[[Scale], Awaitable[list[Row]]]] = {
    "Durable commits": commits.measure,
    "Photo tiers": photos.measure,
    "Memory of one photo": photo_memory.measure,
    "Judged without decoding": judging.measure,
    "Event loop": photos.measure_loop_delay,
    "Forwarding": forwarding.measure,
    "Webhook to message": webhooks.measure,
    "Start and memory": starts.measure,
    "Fair turns": fairness.measure,
    "Bursts": acks.measure,
    "Stampede at an event": stampede.measure,
}
TROUBLE = (NotMeasured, DarkroomError, AssertionError, LookupError, OSError, aiohttp.ClientError, sqlite3.Error)
"""What a process that died, a bot that kept silent or a missing feature of the system surface as."""


async def measure_all(scale: Scale) -> tuple[dict[str, list[Row]], dict[str, str]]:
    rows: dict[str, list[Row]] = {}
    failures: dict[str, str] = {}
    ends_at = time.monotonic() + scale.run_max_s
    for title, measure in GROUPS.items():
        begun = time.monotonic()
        try:
            async with asyncio.timeout(ends_at - begun):
                rows[title] = await measure(scale)
        except TROUBLE as error:
            failures[title] = f"{type(error).__name__}: {error}"
        sys.stderr.write(f"{title}: {time.monotonic() - begun:.0f} s\n")
    return rows, failures


async def measure_until_stopped(scale: Scale) -> tuple[dict[str, list[Row]], dict[str, str]]:
    """SIGTERM ends the run like Ctrl+C does: every process is ended and every folder removed."""
    task = asyncio.ensure_future(measure_all(scale))
    with contextlib.suppress(NotImplementedError):
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    return await task


def describe_machine() -> dict[str, Any]:
    return {
        "system": platform.platform(),
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "load_before": os.getloadavg(),
    }


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--json", type=Path, default=Path("build/bench.json"), help="where the figures are written")
    parser.add_argument("--quick", action="store_true", help="fewer rounds: about a minute")
    options = parser.parse_args()
    # Checking every request against Discord's document would be measured, too.
    os.environ.pop(SPEC_VARIABLE, None)
    machine, begun = describe_machine(), time.monotonic()
    try:
        rows, failures = asyncio.run(measure_until_stopped(QUICK if options.quick else FULL))
    except (KeyboardInterrupt, asyncio.CancelledError):
        sys.stderr.write("Stopped; nothing was written.\n")
        return 130
    result = {
        "machine": machine,
        "quick": options.quick,
        "seconds": round(time.monotonic() - begun, 1),
        "rows": [row.as_json() | {"group": title} for title, group in rows.items() for row in group],
        "not_measured": failures,
    }
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(result, indent=2, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")
    sys.stdout.write(render(rows, failures))
    sys.stdout.write(f"\n{result['seconds']} s in all; figures in {options.json}\n")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
