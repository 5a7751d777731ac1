"""Processes of their own: starting them, hearing from them, ending them by id, and what they take of the machine."""

import asyncio
import contextlib
import json
import sys
import time
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from tests.bench.rows import NotMeasured

ROOT = Path(__file__).resolve().parents[2]
LOG_TAIL_CHARACTERS = 400


class Child:
    """A running process; it speaks to us in lines of JSON on its standard output."""

    def __init__(self, process: Process, log: Path, started_at: float) -> None:
        self._process = process
        self._log = log
        self.started_at = started_at
        """Seconds on the monotonic clock, just before the process was made."""

    @property
    def pid(self) -> int:
        return self._process.pid

    async def says(self, seconds: float = 30.0) -> dict[str, Any]:
        """Its next line; NotMeasured with the end of its log when none comes."""
        assert self._process.stdout is not None
        try:
            async with asyncio.timeout(seconds):
                line = await self._process.stdout.readline()
        except TimeoutError:
            line = b""
        if not line:
            tail = await asyncio.to_thread(self._log.read_text, errors="replace")
            raise NotMeasured(f"a process did not report: {tail[-LOG_TAIL_CHARACTERS:].strip() or 'no word'}")
        said: dict[str, Any] = json.loads(line)
        return said

    def cpu_seconds(self) -> float:
        """CPU time of the process so far, all threads (Linux: clock_getcpuclockid(3))."""
        return time.clock_gettime((~self.pid << 3) | 2)

    def rss_mb(self) -> float:
        return read_status_mb("VmRSS", self.pid)


@contextlib.asynccontextmanager
async def started(module: str, task: dict[str, Any], log: Path) -> AsyncIterator[Child]:
    """Run `python -m tests.bench.<module> '<task as JSON>'`; it is killed and waited for at the end."""
    started_at = time.monotonic()
    # The child gets a duplicate of the log's descriptor, so ours is closed at once.
    with log.open("ab") as errors:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            f"tests.bench.{module}",
            json.dumps(task),
            stdin=DEVNULL,
            stdout=PIPE,
            stderr=errors,
            cwd=ROOT,
        )
    try:
        yield Child(process, log, started_at)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def read_status_mb(field: str, pid: int | str = "self") -> float:
    """VmRSS or VmHWM of a process in MB (10**6 bytes); Linux only."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError as error:
        raise NotMeasured("memory figures need Linux's /proc") from error
    for line in lines:
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise NotMeasured(f"the process has no {field}")


def forget_peak() -> None:
    """Let VmHWM of this process begin anew; Linux only (proc_pid_clear_refs(5))."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def report(**said: Any) -> None:
    """One line to the process that started this one."""
    sys.stdout.write(json.dumps(said) + "\n")
    sys.stdout.flush()
