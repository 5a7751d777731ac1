"""The route of galleries of finished events: read only, without cookies, scripts or anything from elsewhere."""

import re
from collections.abc import Awaitable, Callable

from bot.web.server import NOTHING_HERE, HttpRequest, HttpResponse, Route

PREFIX = "/events/"

_PATH = re.compile(PREFIX + r"(?P<token>[A-Za-z0-9_-]{43})/(?:(?P<picture>[0-9]{1,18})\.jpg)?")
_NO_TOKEN = "-" * 43


class GalleryRoutes:
    """`read_page` gets a token, `read_picture` a token and a picture's id; None when nothing is shown there.

    What is not there, has ended or never was gets one and the same answer, for which the same is looked up.
    """

    def __init__(
        self,
        read_page: Callable[[str], Awaitable[str | None]],
        read_picture: Callable[[str, int], Awaitable[bytes | None]],
        style_hash: str,
    ) -> None:
        self._read_page = read_page
        self._read_picture = read_picture
        self._headers = {
            "Content-Security-Policy": (
                f"default-src 'none'; img-src 'self'; style-src 'sha256-{style_hash}'; "
                "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
            ),
            "Cross-Origin-Resource-Policy": "same-origin",
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
            "X-Robots-Tag": "noindex, nofollow, noarchive",
        }

    def routes(self) -> list[Route]:
        return [Route("GET", PREFIX, self.handle)]

    async def handle(self, request: HttpRequest) -> HttpResponse:
        match = _PATH.fullmatch(request.path)
        token = _NO_TOKEN if match is None else match["token"]
        if match is not None and match["picture"] is not None:
            copy = await self._read_picture(token, int(match["picture"]))
            return NOTHING_HERE if copy is None else HttpResponse(200, copy, "image/jpeg", self._headers)
        page = await self._read_page(token)
        return NOTHING_HERE if page is None else HttpResponse(200, page, "text/html", self._headers)
