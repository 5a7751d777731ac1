"""Spool, trusted hosts and the download, against a server on loopback and resolvers that lie."""

import asyncio
import hashlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult

from bot.errors import FetchError, FileGone, FileTooLarge, HostRefused
from bot.network.addresses import is_public
from bot.photos.hosts import TrustedHosts
from bot.photos.intake import PIECE_BYTES, Fetcher, Spool
from tests.fakes.old_files import make_older

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
STRICT = TrustedHosts.of(["https://api.apiframe.ai"], [])


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path / "spool")


def files_in(tmp_path: Path) -> list[str]:
    return sorted(path.name for path in (tmp_path / "spool").iterdir())


@asynccontextmanager
async def serve(**handlers: Handler) -> AsyncIterator[str]:
    """A server on loopback with a GET route for each handler; yields its base address."""
    app = web.Application()
    for name, handler in handlers.items():
        app.router.add_get(f"/{name}", handler)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    try:
        yield f"http://{host}:{port}"
    finally:
        await runner.cleanup()


class LyingResolver(AbstractResolver):
    """Answers each look-up with the next of the given addresses and keeps the last."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        self.asked.append(host)
        addresses = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in addresses
        ]

    async def close(self) -> None:
        self.answers.clear()


def test_the_spool_is_private_and_hands_out_random_names(tmp_path: Path, spool: Spool) -> None:
    assert (tmp_path / "spool").stat().st_mode & 0o777 == 0o700
    names = {spool.new_name(".jpg") for _ in range(100)}
    assert len(names) == 100
    assert all(spool.path(name).parent == tmp_path / "spool" for name in names)


@pytest.mark.parametrize("name", ["", "..", "../x", "/etc/passwd", "a.jpg", "0" * 32 + "/../x", "0" * 32 + "\n"])
def test_the_spool_opens_nothing_but_its_own_names(spool: Spool, name: str) -> None:
    with pytest.raises(ValueError, match="spool name"):
        spool.path(name)
    with pytest.raises(ValueError, match="spool name"):
        spool.free([name])


@pytest.mark.parametrize("suffix", ["jpg", "./x", ".JPG", ".a/b", ".waytoolong"])
def test_a_suffix_that_could_be_a_path_is_refused(spool: Spool, suffix: str) -> None:
    with pytest.raises(ValueError, match="suffix"):
        spool.new_name(suffix)


def test_freeing_twice_does_no_harm(tmp_path: Path, spool: Spool) -> None:
    name = spool.new_name()
    spool.path(name).write_bytes(b"x")
    spool.free([name])
    spool.free([name])
    assert files_in(tmp_path) == []


def test_a_sweep_leaves_what_is_kept_and_what_may_be_coming_in_just_now(tmp_path: Path, spool: Spool) -> None:
    kept, stray, coming = spool.new_name(".jpg"), spool.new_name(), spool.new_name()
    hour = timedelta(hours=1)
    for name in (kept, stray, "left-by-something-else", coming):
        (tmp_path / "spool" / name).write_bytes(b"x")
        if name != coming:
            make_older(tmp_path / "spool" / name, hour)
    make_older(tmp_path / "spool" / coming, hour - timedelta(minutes=1))
    assert spool.sweep({kept}, age=hour) == 2
    assert files_in(tmp_path) == sorted([kept, coming])
    assert spool.sweep({kept}, age=timedelta(0)) == 1


@pytest.mark.parametrize(
    "url",
    [
        "https://cdn.discordapp.com/attachments/1/2/cat.jpg?ex=1&hm=2",
        "https://media.discordapp.net/a.png",
        "https://CDN.discordapp.com:443/a.png",
        "https://cdn2.apiframe.ai/images/a.png",
        "https://cdn.apiframe.ai/a.png",
        "https://api.aurous-labs.com/v1/images/img_1/output/0?token=t",
        "https://cdn.aurous-labs.com/previews/a.png",
        "http://127.0.0.1:9000/a.png",
        "https://files.example/a.png",
        "http://files.example/a.png",
        "http://photos.example:8081/a.png",
    ],
)
def test_known_hosts_are_trusted(url: str) -> None:
    TrustedHosts.of(["http://127.0.0.1:9000/v2"], ["files.example", " photos.example:8081 ", ""]).check(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://cdn.discordapp.com/a.png",
        "https://cdn.discordapp.com:8443/a.png",
        "https://cdn.discordapp.com.evil.example/a.png",
        "https://evil.example/cdn.discordapp.com/a.png",
        "https://evilapiframe.ai/a.png",
        "https://evilaurous-labs.com/a.png",
        "https://aurous-labs.com.example/a.png",
        "http://api.aurous-labs.com/a.png",
        "https://cdn.discordapp.com@evil.example/a.png",
        "https://user:pw@cdn.discordapp.com/a.png",
        "https://evil.example#@cdn.discordapp.com/",
        "https://evil.example\\@cdn.discordapp.com/",
        "https://cdn.discordapp.com./a.png",
        "http://127.0.0.1/a.png",
        "http://127.0.0.1:9000/a.png",
        "http://2130706433/",
        "http://0x7f000001/",
        "http://0177.0.0.1/",
        "http://127.1/",
        "http://0/",
        "http://[::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[::ffff:7f00:1]/",
        "http://[fe80::1%25eth0]/",
        "http://[fd00::1]/",
        "http://169.254.169.254/latest/meta-data/",
        "http://[64:ff9b::a9fe:a9fe]/",
        "http://localhost/",
        "http://10.0.0.1/",
        "http://①②⑦.⓪.⓪.①/",
        "file:///etc/passwd",
        "gopher://127.0.0.1/",
        "ftp://cdn.discordapp.com/a.png",
        "data:image/png;base64,AAAA",
        "//cdn.discordapp.com/a.png",
        "/etc/passwd",
        "https://",
        "https://[broken/",
        "https://cdn.discordapp.com:99999/a.png",
        "",
    ],
)
async def test_every_other_address_is_refused_without_a_look_up(url: str, spool: Spool) -> None:
    resolver = LyingResolver(["127.0.0.1"])
    with pytest.raises(HostRefused):
        STRICT.check(url)
    async with Fetcher(STRICT, resolver=resolver) as fetcher:
        with pytest.raises(HostRefused):
            await fetcher.fetch(url, limit=10, into=spool)
        assert resolver.asked == []


@pytest.mark.parametrize("spelling", ["2130706433:9000", "0x7f000001:9000", "127.1:9000", "[::ffff:127.0.0.1]:9000"])
def test_a_configured_address_is_trusted_in_its_own_spelling_only(spelling: str) -> None:
    trusted = TrustedHosts.of(["http://127.0.0.1:9000"], [])
    trusted.check("http://127.0.0.1:9000/a")
    with pytest.raises(HostRefused):
        trusted.check(f"http://{spelling}/a")


def test_a_configured_port_is_the_only_one_and_without_one_every_port_is_meant() -> None:
    trusted = TrustedHosts.of(["http://one.example:9000"], ["two.example", "three.example:81"])
    for refused in ("http://one.example/", "http://one.example:9001/", "http://three.example/"):
        with pytest.raises(HostRefused):
            trusted.check(refused)
    for allowed in ("http://one.example:9000/", "http://two.example/", "http://two.example:8080/"):
        trusted.check(allowed)


def test_built_in_hosts_stay_strict_even_when_they_are_configured() -> None:
    trusted = TrustedHosts.of(["http://api.apiframe.ai:8080"], ["cdn.discordapp.com:81"])
    for refused in ("http://api.apiframe.ai:8080/", "http://cdn.discordapp.com:81/"):
        with pytest.raises(HostRefused):
            trusted.check(refused)
    assert trusted.refusal("cdn.discordapp.com", 443, "10.0.0.1")


FAKE = ["cdn.discordapp.com=198.18.0.0/15", "cdn2.apiframe.ai=fd00::/8", "*=100.64.0.0/10"]


@pytest.mark.parametrize(
    ("host", "address", "is_allowed"),
    [
        ("cdn.discordapp.com", "198.18.0.5", True),
        ("cdn.discordapp.com", "198.19.255.255", True),
        ("CDN.discordapp.com", "100.64.1.1", True),
        ("cdn.discordapp.com", "162.159.129.233", True),
        ("cdn.discordapp.com", "198.20.0.1", True),
        ("cdn.discordapp.com", "10.0.0.1", False),
        ("cdn.discordapp.com", "127.0.0.1", False),
        ("cdn.discordapp.com", "169.254.169.254", False),
        ("media.discordapp.net", "198.18.0.5", False),
        ("media.discordapp.net", "100.64.1.1", True),
        ("cdn2.apiframe.ai", "fd00::1", True),
        ("cdn2.apiframe.ai", "fe80::1", False),
    ],
)
def test_a_built_in_host_may_lead_into_a_range_that_the_operator_names(
    host: str, address: str, is_allowed: bool
) -> None:
    assert (TrustedHosts.of([], FAKE).refusal(host, 443, address) == "") is is_allowed


def test_a_range_opens_no_other_door() -> None:
    trusted = TrustedHosts.of([], FAKE)
    for refused in ("http://cdn.discordapp.com/a.png", "https://cdn.discordapp.com:81/", "https://198.18.0.5/"):
        with pytest.raises(HostRefused):
            trusted.check(refused)
    assert trusted.refusal("cdn.discordapp.com", 80, "198.18.0.5")
    assert not trusted.is_configured("cdn.discordapp.com", 443)


async def test_photos_come_from_a_fake_address_once_its_range_is_named(spool: Spool) -> None:
    resolver = LyingResolver(["198.18.0.5"])
    async with Fetcher(STRICT, resolver=resolver) as fetcher:
        with pytest.raises(HostRefused) as refused:
            await fetcher.fetch("https://cdn.discordapp.com/a.png?hm=SECRET", limit=10, into=spool)
    said = str(refused.value)
    assert said.startswith("cdn.discordapp.com leads to 198.18.0.5, which is not a public address")
    assert "DARKROOM_TRUSTED_HOSTS=cdn.discordapp.com=198.18.0.0/15" in said
    assert "SECRET" not in said
    async with Fetcher(TrustedHosts.of([], FAKE), resolver=resolver) as fetcher:
        assert fetcher._session is not None
        guard = getattr(fetcher._session.connector, "_resolver")  # noqa: B009 the very object that connections use
        assert [found["host"] for found in await guard.resolve("cdn.discordapp.com", 443)] == ["198.18.0.5"]


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",  # noqa: S104 an address to refuse
        "224.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "fe80::1",
        "fe80::1%eth0",
        "fd00::1",
        "ff0e::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "2001:db8::1",
        "not an address",
    ],
)
def test_addresses_inside_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["162.159.129.233", "2606:4700::1", "::ffff:162.159.129.233", "64:ff9b::a29f:81e9"])
def test_addresses_outside_are_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("answer", [["127.0.0.1"], ["::1"], ["162.159.129.233", "10.0.0.1"], ["::ffff:127.0.0.1"]])
async def test_a_trusted_name_that_leads_inside_is_refused_at_connect_time(answer: list[str], spool: Spool) -> None:
    async with Fetcher(STRICT, resolver=LyingResolver(answer)) as fetcher:
        with pytest.raises(HostRefused, match=r"cdn\.discordapp\.com leads to"):
            await fetcher.fetch("https://cdn.discordapp.com/a.png?hm=secret", limit=10, into=spool)


async def test_a_name_that_turns_inside_between_two_look_ups_is_refused() -> None:
    resolver = LyingResolver(["162.159.129.233"], ["127.0.0.1"])
    async with Fetcher(STRICT, resolver=resolver) as fetcher:
        assert fetcher._session is not None
        connector = fetcher._session.connector
        guard = getattr(connector, "_resolver")  # noqa: B009 the very object that connections use
        assert [found["host"] for found in await guard.resolve("cdn.discordapp.com", 443)] == ["162.159.129.233"]
        with pytest.raises(HostRefused):
            await guard.resolve("cdn.discordapp.com", 443)


async def test_a_configured_name_may_lead_inside(spool: Spool) -> None:
    async def hello(_: web.Request) -> web.Response:
        return web.Response(body=b"hello")

    async with serve(photo=hello) as base:
        named = base.replace("127.0.0.1", "photos.example")
        trusted = TrustedHosts.of([], [named.removeprefix("http://")])
        async with Fetcher(trusted, resolver=LyingResolver(["127.0.0.1"])) as fetcher:
            assert (await fetcher.fetch(f"{named}/photo", limit=10, into=spool)).size == 5


async def test_a_file_arrives_whole_with_its_hash(tmp_path: Path, spool: Spool) -> None:
    content = bytes(range(256)) * 5000
    seen: list[web.Request] = []

    async def photo(request: web.Request) -> web.Response:
        seen.append(request)
        return web.Response(body=content, content_type="image/jpeg", headers={"Set-Cookie": "a=b"})

    async with serve(photo=photo) as base, Fetcher(TrustedHosts.of([base], [])) as fetcher:
        received = await fetcher.fetch(f"{base}/photo?sig=1", limit=len(content), into=spool)
        await fetcher.fetch(f"{base}/photo", limit=len(content), into=spool)
    assert received.sha256 == hashlib.sha256(content).hexdigest()
    assert (received.size, received.content_type) == (len(content), "image/jpeg")
    assert spool.path(received.file).read_bytes() == content
    assert len(files_in(tmp_path)) == 2
    assert seen[0].query_string == "sig=1"
    assert "Cookie" not in seen[1].headers


async def test_a_declared_size_over_the_limit_is_refused_before_a_byte_is_read(tmp_path: Path, spool: Spool) -> None:
    body_sent = asyncio.Event()

    async def photo(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "1000000000"})
        await response.prepare(request)
        await asyncio.Event().wait()
        body_sent.set()
        return response

    async with serve(photo=photo) as base, Fetcher(TrustedHosts.of([base], [])) as fetcher:
        with pytest.raises(FileTooLarge):
            await fetcher.fetch(f"{base}/photo", limit=1000, into=spool)
    assert not body_sent.is_set()
    assert files_in(tmp_path) == []


async def test_a_stream_without_a_length_stops_at_the_limit(tmp_path: Path, spool: Spool) -> None:
    sent_bytes = 0

    async def endless(request: web.Request) -> web.StreamResponse:
        nonlocal sent_bytes
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(bytes(65536))
            sent_bytes += 65536

    async with serve(photo=endless) as base, Fetcher(TrustedHosts.of([base], [])) as fetcher:
        with pytest.raises(FileTooLarge):
            await fetcher.fetch(f"{base}/photo", limit=1_000_000, into=spool)
    assert sent_bytes < 20_000_000
    assert files_in(tmp_path) == []


@pytest.mark.parametrize(
    ("status", "kind"), [(404, FileGone), (403, FileGone), (410, FileGone), (500, FetchError), (206, FetchError)]
)
async def test_other_answers_are_told_apart(tmp_path: Path, spool: Spool, status: int, kind: type[FetchError]) -> None:
    async def photo(_: web.Request) -> web.Response:
        return web.Response(status=status, body=b"x")

    async with serve(photo=photo) as base, Fetcher(TrustedHosts.of([base], [])) as fetcher:
        with pytest.raises(FetchError) as caught:
            await fetcher.fetch(f"{base}/photo", limit=10, into=spool)
    assert type(caught.value) is kind
    assert files_in(tmp_path) == []


async def test_a_compressed_answer_is_refused_unopened(tmp_path: Path, spool: Spool) -> None:
    async def photo(_: web.Request) -> web.Response:
        return web.Response(body=b"x" * 100, headers={"Content-Encoding": "gzip"})

    async with serve(photo=photo) as base, Fetcher(TrustedHosts.of([base], [])) as fetcher:
        with pytest.raises(FetchError, match="compressed"):
            await fetcher.fetch(f"{base}/photo", limit=1000, into=spool)
    assert files_in(tmp_path) == []


async def test_a_broken_off_download_leaves_nothing_behind(tmp_path: Path, spool: Spool) -> None:
    async def photo(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "1000000"})
        await response.prepare(request)
        await response.write(bytes(300_000))
        assert request.transport is not None
        request.transport.abort()
        return response

    async with serve(photo=photo) as base, Fetcher(TrustedHosts.of([base], [])) as fetcher:
        with pytest.raises(FetchError):
            await fetcher.fetch(f"{base}/photo", limit=1_000_000, into=spool)
    assert files_in(tmp_path) == []


@pytest.mark.parametrize(("overall_s", "silence_s"), [(0.1, 3600), (3600, 0.1)])
async def test_a_server_that_stalls_is_given_up(
    tmp_path: Path, spool: Spool, overall_s: float, silence_s: float
) -> None:
    async def photo(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"x")
        await asyncio.Event().wait()
        return response

    async with serve(photo=photo) as base:
        trusted = TrustedHosts.of([base], [])
        async with Fetcher(trusted, overall_s=overall_s, silence_s=silence_s) as fetcher:
            with pytest.raises(FetchError, match="Timeout"):
                await fetcher.fetch(f"{base}/photo", limit=1000, into=spool)
    assert files_in(tmp_path) == []


async def test_a_cancelled_download_leaves_nothing_behind(tmp_path: Path, spool: Spool) -> None:
    started = asyncio.Event()

    async def photo(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(bytes(300_000))
        started.set()
        await asyncio.Event().wait()
        return response

    async with serve(photo=photo) as base, Fetcher(TrustedHosts.of([base], [])) as fetcher:
        task = asyncio.create_task(fetcher.fetch(f"{base}/photo", limit=1_000_000, into=spool))
        await started.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert files_in(tmp_path) == []


@pytest.mark.parametrize("hops", [1, 3])
async def test_up_to_three_redirects_are_followed(spool: Spool, hops: int) -> None:
    async def photo(request: web.Request) -> web.Response:
        left = int(request.query["left"])
        if left:
            return web.Response(status=302, headers={"Location": f"/photo?left={left - 1}"})
        return web.Response(body=b"here")

    async with serve(photo=photo) as base, Fetcher(TrustedHosts.of([base], [])) as fetcher:
        assert (await fetcher.fetch(f"{base}/photo?left={hops}", limit=10, into=spool)).size == 4
        with pytest.raises(FetchError, match="too often"):
            await fetcher.fetch(f"{base}/photo?left=4", limit=10, into=spool)


SIGNED = [
    "/photo%2Fa%7E%3A%40%27%41/b?sig=%2F%7E%3A%40%27%41%2b+c",
    "/photo/%C3%A9%c3%a9?X-Amz-Signature=a%3D%3D&X-Amz-SignedHeaders=host%3bdate",
    "/photo/a/../b//c;d=1?x=1&&y=(2)&z",
    "/photo*'!(),~?q='%22[]|^`{}",
]


@asynccontextmanager
async def note_targets(seen: list[str], redirect_to: str = "") -> AsyncIterator[str]:
    """A server that notes the target of each request as it stood on the wire; first it may redirect."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        target = (await reader.readuntil(b"\r\n\r\n")).split()[1].decode("latin-1")
        seen.append(target)
        moves = redirect_to and target == "/start%7E/at"
        head = f"302 Found\r\nLocation: {redirect_to}" if moves else "200 OK"
        writer.write(f"HTTP/1.1 {head}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        host, port = server.sockets[0].getsockname()
        yield f"http://{host}:{port}"


@pytest.mark.parametrize("target", SIGNED)
async def test_a_signed_address_is_asked_for_as_it_was_given(spool: Spool, target: str) -> None:
    seen: list[str] = []
    async with note_targets(seen) as base, Fetcher(TrustedHosts.of([base], [])) as fetcher:
        await fetcher.fetch(base + target, limit=10, into=spool)
    assert seen == [target]


@pytest.mark.parametrize(
    ("location", "asked"),
    [
        *((target, target) for target in SIGNED if ".." not in target),
        ("b%7E?x=%41", "/start%7E/b%7E?x=%41"),
        ("?x=%2F%41", "/start%7E/at?x=%2F%41"),
        ("/a b/é?x=%7E", "/a%20b/%C3%A9?x=%7E"),
    ],
)
async def test_a_redirect_leads_to_the_address_as_it_was_given(spool: Spool, location: str, asked: str) -> None:
    seen: list[str] = []
    async with note_targets(seen, location) as base, Fetcher(TrustedHosts.of([base], [])) as fetcher:
        await fetcher.fetch(f"{base}/start%7E/at", limit=10, into=spool)
    assert seen == ["/start%7E/at", asked]


async def test_a_redirect_to_a_whole_address_leads_there_as_it_was_given(spool: Spool) -> None:
    first: list[str] = []
    second: list[str] = []
    async with (
        note_targets(second) as there,
        note_targets(first, f"{there}{SIGNED[0]}") as base,
        Fetcher(TrustedHosts.of([base, there], [])) as fetcher,
    ):
        await fetcher.fetch(f"{base}/start%7E/at", limit=10, into=spool)
    assert (first, second) == (["/start%7E/at"], [SIGNED[0]])


@pytest.mark.parametrize(
    "target", ["http://169.254.169.254/", "http://127.0.0.1:1/", "file:///etc/passwd", "//evil.example/", "http://[x"]
)
async def test_a_redirect_to_a_refused_place_is_not_followed(tmp_path: Path, spool: Spool, target: str) -> None:
    async def photo(_: web.Request) -> web.Response:
        return web.Response(status=302, headers={"Location": target})

    async with serve(photo=photo) as base, Fetcher(TrustedHosts.of([base], [])) as fetcher:
        with pytest.raises(FetchError) as caught:
            await fetcher.fetch(f"{base}/photo", limit=10, into=spool)
    assert isinstance(caught.value, HostRefused) or "[" in target
    assert files_in(tmp_path) == []


async def test_the_signed_query_is_in_no_error(spool: Spool) -> None:
    async def gone(_: web.Request) -> web.Response:
        return web.Response(status=404)

    async def moved(_: web.Request) -> web.Response:
        return web.Response(status=302, headers={"Location": "http://[x?hm=SECRET"})

    async with serve(gone=gone, moved=moved) as base, Fetcher(TrustedHosts.of([base, "http://127.0.0.1:1"], [])) as it:
        for address in (f"{base}/gone", f"{base}/moved", "http://127.0.0.1:1/off", "https://evil.example/x"):
            with pytest.raises(FetchError) as caught:
                await it.fetch(f"{address}?hm=SECRET", limit=10, into=spool)
            assert "SECRET" not in str(caught.value)
            assert caught.value.__cause__ is None
            assert caught.value.__suppress_context__ or caught.value.__context__ is None


async def test_proxies_from_the_environment_are_ignored(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    async def hello(_: web.Request) -> web.Response:
        return web.Response(body=b"hello")

    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    async with serve(photo=hello) as base, Fetcher(TrustedHosts.of([base], [])) as fetcher:
        assert (await fetcher.fetch(f"{base}/photo", limit=10, into=spool)).size == 5


class Turns:
    """Counts the turns of the loop while it is entered."""

    def __init__(self) -> None:
        self.count = 0
        self._is_over = False

    def __enter__(self) -> "Turns":
        self._turn()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over = True

    def _turn(self) -> None:
        if not self._is_over:
            self.count += 1
            asyncio.get_running_loop().call_soon(self._turn)


async def test_others_get_a_turn_for_every_piece_of_a_large_file(spool: Spool) -> None:
    size = 25_000_000

    async def photo(_: web.Request) -> web.Response:
        return web.Response(body=bytes(size))

    async with serve(photo=photo) as base, Fetcher(TrustedHosts.of([base], [])) as fetcher:
        with Turns() as turns:
            received = await fetcher.fetch(f"{base}/photo", limit=size, into=spool)
    assert received.size == size
    assert turns.count > size // PIECE_BYTES
