"""The route for the webhook self-test's own requests."""

import re
from collections.abc import Callable

from bot.keys.reachability import PATH
from bot.web.server import HttpRequest, HttpResponse, Route
from bot.web.webhooks import REFUSED

_TOKEN = re.compile(r"[A-Za-z0-9_-]{22,64}")


def reachability_route(arrive: Callable[[str], bool]) -> Route:
    """Answers an unknown token as the webhook routes do; they cover its path, too, so it must be listed before them."""

    async def handle(request: HttpRequest) -> HttpResponse:
        token = request.path.removeprefix(PATH)
        return HttpResponse(204) if _TOKEN.fullmatch(token) and arrive(token) else REFUSED

    return Route("POST", PATH, handle)
