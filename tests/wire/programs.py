"""A program of Python as a process of its own that knows the stand-in, killed if it is still there at the end."""

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

from tests.wire.discord.standin import DiscordStandin

ROOT = Path(__file__).parents[2]


@contextlib.asynccontextmanager
async def running(
    program: str,
    folder: Path,
    standin: DiscordStandin,
    *arguments: str,
    token: str,
    options: tuple[str, ...],
    port: int,
    **variables: str,
) -> AsyncIterator[asyncio.subprocess.Process]:
    """`arguments` follow the addresses of the stand-in, `options` are Python's own; `folder` is its working folder."""
    inherited = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    settings = {"PYTHONPATH": str(ROOT), "DARKROOM_LISTEN": f"127.0.0.1:{port}", "DISCORD_TOKEN": token}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, *options, "-c", program, standin.api_url, standin.gateway_url, *arguments),
        cwd=folder,
        env=inherited | settings | variables,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with killed_at_the_end(process):
        yield process


@contextlib.asynccontextmanager
async def killed_at_the_end(process: asyncio.subprocess.Process) -> AsyncIterator[None]:
    try:
        yield
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
