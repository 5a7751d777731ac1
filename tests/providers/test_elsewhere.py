"""Places that a provider's answer names to send photos to: never into the operator's network."""

import logging
from pathlib import Path

import pytest

from bot.photos.hosts import TrustedHosts
from bot.providers.base import PhotoFile
from bot.providers.transport import NotSent, Request, Transport
from tests.fakes.sockets import WatchedSockets, watch_sockets

OUTSIDE, INSIDE, FAKE = "162.159.129.233", "10.0.0.7", "198.18.0.5"
NAMES = {
    "outside.example": OUTSIDE,
    "inside.example": INSIDE,
    "fake.example": FAKE,
    "mapped.example": "::ffff:10.0.0.7",
}


@pytest.fixture
def photo(tmp_path: Path) -> PhotoFile:
    path = tmp_path / "photo.jpg"
    path.write_bytes(b"\xff\xd8")
    return PhotoFile(path, "photo.jpg", "image/jpeg", 2)


async def connections(photo: PhotoFile, url: str, *, is_elsewhere: bool = True, ranges: str = "") -> list[str]:
    """Where a photo that is to be sent to this address tries to go; whatever it is, it is not sent."""
    judge = TrustedHosts.of([], [ranges]).refusal_elsewhere
    with watch_sockets(WatchedSockets(lambda name: [NAMES[name]])) as sockets:
        async with Transport(judge_elsewhere=judge) as transport:
            with pytest.raises(NotSent):
                await transport.send(Request("PUT", url, file=photo, is_elsewhere=is_elsewhere))
    return [host for host, _ in sockets.elsewhere]


@pytest.mark.parametrize(
    "host",
    [
        "inside.example",
        "mapped.example",
        "fake.example",
        "127.0.0.1:8443",
        "169.254.169.254",
        "[::1]",
        "[::ffff:169.254.169.254]",
        "0x7f.1",
        "100.64.0.1",
    ],
)
async def test_a_photo_is_sent_nowhere_inside(photo: PhotoFile, host: str, caplog: pytest.LogCaptureFixture) -> None:
    """Mutant: only the scheme of the address is looked at."""
    with caplog.at_level(logging.ERROR):
        assert await connections(photo, f"https://{host}/upload?signature=secret") == []
    assert "which is not a public address, so nothing is sent to it" in caplog.text
    assert "secret" not in caplog.text


@pytest.mark.parametrize("host", ["2130706433", "0177.0.0.1", "127.1", "10.7"])
async def test_numbers_in_other_spellings_are_no_way_inside(photo: PhotoFile, host: str) -> None:
    assert await connections(photo, f"https://{host}/upload") == []


@pytest.mark.parametrize("host", ["outside.example", OUTSIDE, f"[::ffff:{OUTSIDE}]"])
async def test_a_photo_goes_to_any_public_address(photo: PhotoFile, host: str) -> None:
    assert {each.removeprefix("::ffff:") for each in await connections(photo, f"https://{host}/upload")} == {OUTSIDE}


@pytest.mark.parametrize("ranges", ["*=198.18.0.0/15", "fake.example=198.18.0.0/15"])
async def test_a_photo_goes_into_a_range_that_the_operator_names(photo: PhotoFile, ranges: str) -> None:
    assert set(await connections(photo, "https://fake.example/upload", ranges=ranges)) == {FAKE}
    assert await connections(photo, "https://inside.example/upload", ranges=ranges) == []


async def test_the_providers_own_server_is_where_the_operator_says(photo: PhotoFile) -> None:
    assert set(await connections(photo, "https://inside.example/upload", is_elsewhere=False)) == {INSIDE}
