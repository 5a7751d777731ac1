"""What `doctor` says of the ways in and out."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator

import pytest
from pydantic import SecretStr
from yarl import URL

from bot.doctor import network
from bot.doctor.findings import State
from bot.keys.reachability import introduction, proof_of
from bot.photos.hosts import TrustedHosts
from bot.providers.transport import Transport
from tests.doctor.installation import Installation
from tests.fakes.sockets import WatchedSockets, free_port, watch_sockets


@contextlib.asynccontextmanager
async def answering(port: int, answer: bytes) -> AsyncIterator[None]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(answer)
            await writer.drain()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", port):
        yield


def said(status: int, body: str = "", server: str = "nginx") -> bytes:
    head = f"HTTP/1.1 {status} X\r\nServer: {server}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    return (head + body).encode()


async def test_without_a_bot_the_public_address_is_a_warning_and_no_fault(installation: Installation) -> None:
    await installation.furnish()
    found = await installation.examine()
    (listener,), (public,) = found["listener"], found["public address"]
    assert (listener.state, "is not running here" in listener.words) == (State.WARN, True)
    assert (public.state, "The bot is not running" in public.words) == (State.WARN, True)


async def test_a_bot_on_another_database_behind_the_address_is_not_taken_for_this_one(
    installation: Installation,
) -> None:
    """Mutant: any 200 counts as arrived."""
    await installation.furnish()
    elsewhere = free_port()
    installation.changed["darkroom_public_url"] = f"http://127.0.0.1:{elsewhere}"
    async with installation.running(), answering(elsewhere, said(200, "welcome")):
        found = await installation.only("public address")
    assert (found.state, "Something else than this Darkroom answers" in found.words) == (State.FAIL, True)


@pytest.mark.parametrize(
    ("answer", "words"),
    [(said(502), "cannot reach Darkroom (status 502)"), (said(401, "no", "Darkroom"), "Something else than this")],
)
async def test_who_answers_instead_is_told_as_keys_test_does(
    installation: Installation, answer: bytes, words: str
) -> None:
    await installation.furnish()
    elsewhere = free_port()
    installation.changed["darkroom_public_url"] = f"http://127.0.0.1:{elsewhere}"
    async with installation.running(), answering(elsewhere, answer):
        assert words in (await installation.only("public address")).words


async def test_another_program_on_the_port_is_named(installation: Installation) -> None:
    async with answering(installation.port, said(200, "hello")):
        found = await installation.only("listener")
    assert (found.state, "DARKROOM_LISTEN" in found.what_to_do) == (State.FAIL, True)


def test_only_who_knows_the_secret_is_vouched_for() -> None:
    """Mutant: every token is answered with its proof, and a stranger learns how to make one."""
    token = introduction(b"s" * 32)
    assert proof_of(b"s" * 32, token) is not None
    assert proof_of(b"t" * 32, token) is None
    assert proof_of(b"s" * 32, "A" * 64) is None
    assert proof_of(b"s" * 32, "") is None
    assert token[-32:] != proof_of(b"s" * 32, token)


async def test_a_proxy_that_is_not_there_is_named_once_and_what_goes_through_it_too(installation: Installation) -> None:
    installation.changed["darkroom_proxy"] = SecretStr(f"http://anna:canary-word@127.0.0.1:{free_port()}")
    installation.changed["darkroom_apiframe_url"] = "https://api.provider.example"
    found = await installation.examine()
    assert "Nothing answers at 127.0.0.1" in found["proxy"][0].words
    assert "The proxy does not answer." in found["Apiframe"][0].words
    assert found["token"][0].state is State.OK, "what is on this machine needs no proxy"
    assert "canary-word" not in str(found)


@pytest.mark.parametrize(
    ("status", "words"), [(407, "The proxy opens no connection to it."), (403, "The proxy opens no connection to it.")]
)
async def test_a_proxy_that_opens_no_tunnel_is_told_apart(installation: Installation, status: int, words: str) -> None:
    port = free_port()
    installation.changed["darkroom_proxy"] = SecretStr(f"http://127.0.0.1:{port}")
    installation.changed["darkroom_apiframe_url"] = "https://api.provider.example"
    async with answering(port, said(status)):
        found = await installation.examine()
    assert found["proxy"][0].state is State.OK
    assert words in found["Apiframe"][0].words
    assert "DARKROOM_PROXY" in found["Apiframe"][0].what_to_do


KNOWN = {"cdn.discordapp.com": ["198.18.0.5"], "files.example": ["10.0.0.7"]}


@pytest.fixture
def sockets() -> Iterator[WatchedSockets]:
    def look_up(host: str) -> list[str]:
        if host not in KNOWN:
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        return KNOWN[host]

    with watch_sockets(WatchedSockets(look_up)) as watched:
        yield watched


async def judged(host: str, *trusted: str) -> tuple[State, str, str]:
    async with Transport() as transport:
        hosts = TrustedHosts.of([], trusted)
        found = await network._file_host(URL(f"https://{host}/"), None, hosts, transport)
    return found.state, found.words, found.what_to_do


async def test_where_a_name_leads_decides_whether_files_may_come_from_it(
    sockets: WatchedSockets, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The address that is refused is named, and the setting that would allow it."""
    state, words, what_to_do = await judged("cdn.discordapp.com")
    assert state is State.FAIL
    assert words.startswith("cdn.discordapp.com leads to 198.18.0.5, which is not a public address")
    assert "DARKROOM_TRUSTED_HOSTS=cdn.discordapp.com=198.18.0.0/15" in what_to_do
    assert (await judged("media.discordapp.net"))[1] == "Its name is not known here."
    assert await judged("files.example", "files.example") == (State.OK, "Its name is known.", "")
    # With the range it is asked itself, and here nothing lets it through.
    assert "leads to" not in (await judged("cdn.discordapp.com", "*=198.18.0.0/15"))[1]
    assert {place[0] for place in sockets.elsewhere} == {"198.18.0.5"}
