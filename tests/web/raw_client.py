"""A raw HTTP client for the listener's tests: what is sent and when is up to the test."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes


async def exchange(port: int, *pieces: bytes) -> Reply | None:
    """Send the pieces, then read until the server closes; None when it closed without a reply."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        return parse(await reader.read())
    finally:
        await hang_up(writer)


async def ask(port: int, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None) -> Reply:
    lines = [f"{method} {path} HTTP/1.1", "Host: bot.example.org", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    reply = await exchange(port, "\r\n".join([*lines, "", ""]).encode() + body)
    assert reply is not None
    return reply


async def hang_up(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()


def parse(raw: bytes) -> Reply | None:
    head, found, body = raw.partition(b"\r\n\r\n")
    if not found:
        return None
    first, *rest = head.decode().split("\r\n")
    return Reply(int(first.split()[1]), dict(line.split(": ", 1) for line in rest), body)
