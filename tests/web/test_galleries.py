"""The route of galleries: what it answers to whom, and that its answers let nothing else in or out."""

from collections.abc import AsyncIterator

import pytest

from bot.web.galleries import GalleryRoutes
from bot.web.server import WebServer
from tests.web.raw_client import Reply, ask

TOKEN, PICTURE = "t" * 43, b"\xff\xd8\xff\x00jpeg"


class Shelf:
    """One gallery with one picture."""

    def __init__(self) -> None:
        self.looks = 0

    async def page(self, token: str) -> str | None:
        self.looks += 1
        return "<p>Gäste</p>" if token == TOKEN else None

    async def picture(self, token: str, picture_id: int) -> bytes | None:
        self.looks += 1
        return PICTURE if (token, picture_id) == (TOKEN, 7) else None


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
async def server(shelf: Shelf) -> AsyncIterator[WebServer]:
    server = WebServer("127.0.0.1", 0, GalleryRoutes(shelf.page, shelf.picture, "aGFzaA==").routes())
    await server.start()
    yield server
    await server.close()


async def test_page_and_picture_come_with_headers_that_keep_them_to_themselves(server: WebServer) -> None:
    page = await ask(server.port, "GET", f"/events/{TOKEN}/")
    picture = await ask(server.port, "GET", f"/events/{TOKEN}/7.jpg")
    assert (page.status, page.body.decode()) == (200, "<p>Gäste</p>")
    assert (picture.status, picture.body) == (200, PICTURE)
    headers = [{name.lower(): value for name, value in reply.headers.items()} for reply in (page, picture)]
    assert [each["content-type"] for each in headers] == ["text/html; charset=utf-8", "image/jpeg"]
    for each in headers:
        policy = each["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "script" not in policy
        assert "frame-ancestors 'none'" in policy
        assert each["referrer-policy"] == "no-referrer"
        assert each["x-robots-tag"] == "noindex, nofollow, noarchive"
        assert each["x-content-type-options"] == "nosniff"
        assert each["cache-control"] == "no-store"
        assert "set-cookie" not in each


@pytest.mark.parametrize(
    "path",
    [
        f"/events/{'x' * 43}/",
        f"/events/{'x' * 43}/7.jpg",
        f"/events/{TOKEN}/8.jpg",
        f"/events/{TOKEN}",
        f"/events/{TOKEN}/7.png",
        f"/events/{TOKEN}/../{TOKEN}/",
        f"/events/{TOKEN}/7.jpg/",
        f"/events/{TOKEN}/{'9' * 19}.jpg",
        f"/events/{TOKEN}%00/",
        "/events/",
        "/events/a/",
    ],
)
async def test_all_that_is_not_there_gets_one_answer_after_one_look(server: WebServer, shelf: Shelf, path: str) -> None:
    """Mutant: what has no token's shape is answered without a look."""
    reply = await ask(server.port, "GET", path)
    assert _without_date(reply) == _without_date(await ask(server.port, "GET", "/nothing"))
    assert (reply.status, shelf.looks) == (404, 1)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
async def test_it_is_for_reading_only(server: WebServer, shelf: Shelf, method: str) -> None:
    reply = await ask(server.port, method, f"/events/{TOKEN}/")
    assert (reply.status, shelf.looks) == (405, 0)


def _without_date(reply: Reply) -> Reply:
    kept = {name: value for name, value in reply.headers.items() if name.lower() != "date"}
    return Reply(reply.status, kept, reply.body)
