import asyncio
import os
import socket
import struct
import tomllib
import tracemalloc
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from bot.providers.base import PhotoFile
from bot.providers.transport import (
    ANSWER_CAP_BYTES,
    Field,
    FilePart,
    Lost,
    NotSent,
    PhotoUnreadable,
    Request,
    Transport,
)
from tests.fakes.waiting import HANG_S
from tests.providers.sample_orders import make_photos

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[object, object, None]]


@asynccontextmanager
async def serving(script: Script) -> AsyncIterator[str]:
    """A bare TCP server on loopback that runs `script` for each connection."""
    tasks: set[asyncio.Task[None]] = set()

    async def run(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await script(reader, writer)
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(run, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def read_request(reader: asyncio.StreamReader) -> tuple[str, bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    length = next((int(line[15:]) for line in head.split("\r\n") if line.lower().startswith("content-length:")), 0)
    return head, await reader.readexactly(length)


def answering(answer: bytes, seen: list[tuple[str, bytes]] | None = None) -> Script:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            try:
                request = await read_request(reader)
            except asyncio.IncompleteReadError:
                return
            if seen is not None:
                seen.append(request)
            writer.write(answer)
            await writer.drain()

    return script


async def hang_forever(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Take nothing, say nothing: a half-open connection."""
    await asyncio.Event().wait()


async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await read_request(reader)
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    while True:
        writer.write(b"x")
        await writer.drain()
        with suppress(TimeoutError):
            async with asyncio.timeout(0.02):
                await asyncio.Event().wait()


async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await read_request(reader)
    connection: socket.socket = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def answer_half(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await read_request(reader)
    writer.write(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"id": "x"')
    await writer.drain()


async def speak_nonsense(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"220 smtp.example ready\r\n")
    await writer.drain()


def open_files_under(folder: Path) -> list[str]:
    names = []
    for entry in Path("/proc/self/fd").iterdir():
        try:
            names.append(str(entry.readlink()))
        except OSError:
            continue
    return [name for name in names if name.startswith(str(folder))]


def make_form(photos: list[PhotoFile]) -> list[Field | FilePart]:
    return [Field("name", "Rex ·k7f3q2"), *(FilePart("images", photo) for photo in photos)]


async def test_json_goes_out_with_our_own_user_agent_and_nothing_else_of_ours() -> None:
    seen: list[tuple[str, bytes]] = []
    async with serving(answering(OK, seen)) as url, Transport("1.2.3") as transport:
        answer = await transport.send(Request("POST", f"{url}/v2/x", headers={"X-API-Key": "k"}, json={"a": "ü"}))

    head, body = seen[0]
    assert (answer.status, answer.body) == (200, b"{}")
    assert body == b'{"a": "\\u00fc"}'
    assert "User-Agent: Darkroom/1.2.3\r\n" in head
    assert "Cookie" not in head


def test_default_version_is_the_projects() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]

    assert Transport()._user_agent == f"Darkroom/{project['version']}"


async def test_cookies_of_one_answer_are_not_sent_with_the_next_request() -> None:
    seen: list[tuple[str, bytes]] = []
    answer = OK.replace(b"\r\n\r\n", b"\r\nSet-Cookie: a=b\r\n\r\n")
    async with serving(answering(answer, seen)) as url, Transport() as transport:
        await transport.send(Request("GET", url))
        await transport.send(Request("GET", url))

    assert "Cookie" not in seen[1][0]


async def test_redirect_is_an_answer_and_is_not_followed() -> None:
    seen: list[tuple[str, bytes]] = []
    redirect = b"HTTP/1.1 308 Permanent Redirect\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n"
    async with serving(answering(redirect, seen)) as url, Transport() as transport:
        answer = await transport.send(Request("POST", f"{url}/v2/loras", headers={"X-API-Key": "k"}))

    assert answer.status == 308
    assert len(seen) == 1


async def test_proxy_of_the_environment_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    async with serving(answering(OK)) as url, Transport() as transport:
        assert (await transport.send(Request("GET", url))).status == 200


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
async def test_every_address_is_sent_as_it_was_given(method: str) -> None:
    target = "/v1/images?cursor=a%2Fb%7E%3A%40%27%41%2B+c&limit=2"
    seen: list[tuple[str, bytes]] = []
    async with serving(answering(OK, seen)) as url, Transport() as transport:
        await transport.send(Request(method, url + target))
    assert seen[0][0].split("\r\n")[0] == f"{method} {target} HTTP/1.1"


async def test_long_answer_is_cut_at_the_cap() -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 9000000\r\n\r\n" + b"x" * 9_000_000
    async with serving(answering(answer)) as url, Transport() as transport:
        assert len((await transport.send(Request("GET", url))).body) == ANSWER_CAP_BYTES


async def test_refused_connection_and_unknown_name_are_provably_not_sent() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        async with Transport() as transport:
            for url in (f"http://127.0.0.1:{port}/", "http://nowhere.invalid/", "http://", "no address"):
                with pytest.raises(NotSent):
                    await transport.send(Request("POST", url, json={}))


async def test_connection_that_is_not_taken_in_time_is_not_sent() -> None:
    """A listener with a full backlog never completes the handshake."""
    with socket.socket() as listener, socket.socket() as first, socket.socket() as second:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for waiting in (first, second):
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        request = Request("POST", f"http://127.0.0.1:{listener.getsockname()[1]}/", json={})
        async with Transport(connect_timeout_s=0.2) as transport:
            with pytest.raises(NotSent):
                await transport.send(request)


async def test_closed_transport_sends_nothing() -> None:
    with pytest.raises(NotSent):
        await Transport().send(Request("GET", "http://127.0.0.1:1/"))


@pytest.mark.parametrize("script", [hang_forever, drip, reset, answer_half, speak_nonsense])
async def test_trouble_after_the_connection_is_lost_within_the_deadline(script: Script) -> None:
    async with serving(script) as url, Transport() as transport, asyncio.timeout(HANG_S):
        with pytest.raises(Lost):
            await transport.send(Request("POST", url, json={"a": 1}, deadline_s=0.4))


async def test_silence_ends_at_the_read_timeout() -> None:
    async with serving(hang_forever) as url, Transport() as transport, asyncio.timeout(HANG_S):
        with pytest.raises(Lost):
            await transport.send(Request("GET", url, read_timeout_s=0.1, deadline_s=60))


@pytest.mark.parametrize("method", ["POST", "GET", "DELETE"])
async def test_no_request_is_repeated_by_itself(method: str) -> None:
    connections: list[None] = []

    async def close_at_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(None)
        await read_request(reader)

    async with serving(close_at_once) as url, Transport() as transport:
        with pytest.raises(Lost):
            await transport.send(Request(method, url))

    assert len(connections) == 1


async def test_form_is_streamed_with_its_length_and_whole_each_time(tmp_path: Path) -> None:
    seen: list[tuple[str, bytes]] = []
    photos = make_photos(tmp_path, 3, size_bytes=300_000)
    request = Request("POST", "", form=make_form(photos))
    async with serving(answering(OK, seen)) as url, Transport() as transport:
        for _ in range(2):
            await transport.send(Request("POST", url, form=request.form))
            assert open_files_under(tmp_path) == []

    for head, body in seen:
        assert "Transfer-Encoding" not in head
        assert "Rex ·k7f3q2".encode() in body
        for photo in photos:
            assert f'name="images"; filename="{photo.filename}"'.encode() in body
            assert photo.path.read_bytes() in body


async def test_photo_alone_goes_to_its_signed_address_with_the_given_headers_only(tmp_path: Path) -> None:
    seen: list[tuple[str, bytes]] = []
    photo = make_photos(tmp_path, 1, size_bytes=300_000)[0]
    async with serving(answering(OK, seen)) as url, Transport() as transport:
        for headers in ({}, {"Content-Type": "image/x-own"}):
            await transport.send(Request("PUT", f"{url}/a%2Fb?X-Sig=s%2Fs%3D", headers, file=photo))
            assert open_files_under(tmp_path) == []

    for head, body in seen:
        lines = head.split("\r\n")
        assert lines[0] == "PUT /a%2Fb?X-Sig=s%2Fs%3D HTTP/1.1"
        assert "Content-Length: 300000" in lines
        assert "Content-Disposition" not in head
        assert body == photo.path.read_bytes()
    assert "Content-Type" not in seen[0][0]
    assert "Content-Type: image/x-own" in seen[1][0]


async def test_photo_alone_that_is_missing_or_has_no_address_is_not_sent(tmp_path: Path) -> None:
    photo = make_photos(tmp_path, 1)[0]
    async with Transport() as transport:
        for address in ("http://[x", "http://127.0.0.1:99999/", "nowhere"):
            with pytest.raises(NotSent):
                await transport.send(Request("PUT", address, file=photo))
        photo.path.unlink()
        with pytest.raises(PhotoUnreadable):
            await transport.send(Request("PUT", "http://127.0.0.1:9/", file=photo))


async def test_photos_with_one_filename_are_each_sent(tmp_path: Path) -> None:
    seen: list[tuple[str, bytes]] = []
    photos = [PhotoFile(photo.path, "same.jpg", "image/jpeg", photo.size) for photo in make_photos(tmp_path, 2)]
    async with serving(answering(OK, seen)) as url, Transport() as transport:
        await transport.send(Request("POST", url, form=make_form(photos)))

    assert all(photo.path.read_bytes() in seen[0][1] for photo in photos)


async def test_missing_photo_is_found_before_anything_is_sent(tmp_path: Path) -> None:
    seen: list[tuple[str, bytes]] = []
    photos = make_photos(tmp_path, 3)
    photos[2].path.unlink()
    async with serving(answering(OK, seen)) as url, Transport() as transport:
        with pytest.raises(PhotoUnreadable):
            await transport.send(Request("POST", url, form=make_form(photos)))

    assert seen == []
    assert open_files_under(tmp_path) == []


@pytest.mark.parametrize("script", [hang_forever, reset])
async def test_files_are_closed_after_a_failed_upload(tmp_path: Path, script: Script) -> None:
    photos = make_photos(tmp_path, 4, size_bytes=2_000_000)
    async with serving(script) as url, Transport() as transport:
        with pytest.raises(Lost):
            await transport.send(Request("POST", url, form=make_form(photos), deadline_s=0.4))

    assert open_files_under(tmp_path) == []


async def test_files_are_closed_after_a_cancelled_upload(tmp_path: Path) -> None:
    connected = asyncio.Event()

    async def take_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connected.set()
        await asyncio.Event().wait()

    photos = make_photos(tmp_path, 4, size_bytes=2_000_000)
    async with serving(take_nothing) as url, Transport() as transport:
        sending = asyncio.create_task(transport.send(Request("POST", url, form=make_form(photos))))
        await connected.wait()
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending

    assert open_files_under(tmp_path) == []


async def test_a_file_that_is_slow_to_open_does_not_hold_up_the_loop(tmp_path: Path) -> None:
    """Opening a named pipe waits for its writer; on the loop, this test would stand still until its timeout."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    form = make_form([PhotoFile(pipe, "a.jpg", "image/jpeg", 1)])
    async with serving(reset) as url, Transport() as transport:
        sending = asyncio.create_task(transport.send(Request("POST", url, form=form, deadline_s=1)))
        done, _ = await asyncio.wait({sending}, timeout=0.1)
        assert not done
        await asyncio.to_thread(_open_and_close_for_writing, pipe)
        await asyncio.wait({sending})
        sending.exception()


def _open_and_close_for_writing(pipe: Path) -> None:
    pipe.open("wb").close()


async def test_forwarding_photos_needs_little_memory(tmp_path: Path) -> None:
    async def swallow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        left = int(head.partition("content-length:")[2].split("\r\n")[0])
        while left:
            left -= len(await reader.read(65536))
        writer.write(OK)
        await writer.drain()

    photos = make_photos(tmp_path, 30, size_bytes=2_000_000)
    async with serving(swallow) as url, Transport() as transport:
        tracemalloc.start()
        try:
            answer = await transport.send(Request("POST", url, form=make_form(photos)))
            _, peak_bytes = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()

    assert answer.status == 200
    assert peak_bytes <= 8_000_000


def test_repr_of_a_request_shows_no_secret() -> None:
    request = Request(
        "POST", "https://a/v2", {"X-API-Key": "afk_s"}, {"webhookUrl": "https://b/afk_s"}, [Field("age", "afk_s")]
    )

    assert "afk_s" not in repr(request)
