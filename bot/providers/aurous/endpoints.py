"""Aurous Labs' registered webhook addresses. Source: Aurous Labs /webhooks and /register-a-webhook-endpoint."""

from bot.errors import Refused
from bot.providers.aurous.calls import AurousCalls
from bot.providers.aurous.wire import parse_endpoint
from bot.providers.base import Endpoint
from bot.providers.calls import checked_id, of_body
from bot.providers.transport import Response

TEST_EVENT = "image.completed"


class EndpointCalls:
    def __init__(self, calls: AurousCalls) -> None:
        self._calls = calls

    async def register_endpoint(self, url: str) -> Endpoint | None:
        """For all events that exist today. After OutcomeUnknown, an endpoint may exist whose secret was not read."""
        body = {"url": url, "events": ["*"], "description": "Darkroom"}
        request = self._calls.request("POST", "/v1/webhook_endpoints", json=body)
        return await self._calls.submit(request, of_body(parse_endpoint))

    async def remove_endpoint(self, endpoint_id: str) -> None:
        await self._calls.remove(f"/v1/webhook_endpoints/{checked_id(endpoint_id)}")

    async def test_endpoint(self, endpoint_id: str) -> bool:
        path = f"/v1/webhook_endpoints/{checked_id(endpoint_id)}/test"
        request = self._calls.request("POST", path, json={"event_type": TEST_EVENT})
        try:
            return await self._calls.ask_once(request, _was_taken)
        except Refused:
            return False


def _was_taken(_answer: Response) -> bool:
    """True for any 2xx; the delivery itself comes later."""
    return True
