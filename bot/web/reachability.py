"""The route for the webhook self-test's own requests, and for those of `doctor`."""

import re
from collections.abc import Awaitable, Callable

from bot.keys.reachability import PATH
from bot.web.server import HttpRequest, HttpResponse, Route
from bot.web.webhooks import REFUSED

_TOKEN = re.compile(r"[A-Za-z0-9_-]{22,64}")


def reachability_route(arrive: Callable[[str], bool], vouch: Callable[[str], Awaitable[str | None]]) -> Route:
    """Answers an unknown token as the webhook routes do; they cover its path, too, so it must be listed before them.

    `vouch` gives what is answered to a token of another process beside the same database, as `doctor` is.
    """

    async def handle(request: HttpRequest) -> HttpResponse:
        token = request.path.removeprefix(PATH)
        if not _TOKEN.fullmatch(token):
            return REFUSED
        if arrive(token):
            return HttpResponse(204)
        proof = await vouch(token)
        return REFUSED if proof is None else HttpResponse(200, proof)

    return Route("POST", PATH, handle)
