"""The route for the webhook self-test's own requests."""

import re
from collections.abc import Callable

from bot.keys.reachability import PATH
from bot.web.server import HttpRequest, HttpResponse, Route
from bot.web.webhooks import REFUSED

_TOKEN = re.compile(r"[A-Za-z0-9_-]{22,64}")


class ReachabilityRoutes:
    """Answers an unknown token exactly as the webhook routes do."""

    def __init__(self, arrive: Callable[[str], bool]) -> None:
        self._arrive = arrive

    def routes(self) -> list[Route]:
        """Must be listed before the webhook routes, which cover this path, too."""
        return [Route("POST", PATH, self.handle)]

    async def handle(self, request: HttpRequest) -> HttpResponse:
        token = request.path.removeprefix(PATH)
        return HttpResponse(204) if _TOKEN.fullmatch(token) and self._arrive(token) else REFUSED
