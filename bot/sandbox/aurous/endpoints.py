"""The rehearsal Aurous Labs' registered webhook endpoints: create, delete, test."""

from collections.abc import Callable
from typing import Annotated, Any

from aiohttp import web
from pydantic import AfterValidator, Field

from bot.sandbox.aurous.answers import moment_text, show_endpoint
from bot.sandbox.aurous.context import Context
from bot.sandbox.aurous.events import EVENT_TYPES, WebhookEvent
from bot.sandbox.aurous.orders import NOT_BLANK, Body, WebhookUrl, check_body, parse_object
from bot.sandbox.aurous.records import RehearsalEndpoint, make_id, make_secret
from bot.sandbox.aurous.refusals import malformed, missing, not_found
from bot.sandbox.aurous.state import own
from bot.sandbox.rehearsal.server import Routes

DESCRIPTION_CAP = 500
METADATA_KEYS_MOST, METADATA_VALUE_CAP = 50, 500

Enqueue = Callable[[RehearsalEndpoint, WebhookEvent], None]


def _check_events(events: list[str]) -> list[str]:
    """`["*"]` stands for every type that there is at this moment."""
    if events == ["*"]:
        return list(EVENT_TYPES)
    if not events or not set(events) <= set(EVENT_TYPES):
        raise ValueError("has to be a list of event types")
    return events


class EndpointOrder(Body):
    """The body of POST /v1/webhook_endpoints."""

    url: WebhookUrl
    events: Annotated[list[str], AfterValidator(_check_events)]
    description: Annotated[str, Field(min_length=1, max_length=DESCRIPTION_CAP, pattern=NOT_BLANK)] | None = None
    metadata: dict[str, Annotated[str, Field(max_length=METADATA_VALUE_CAP)]] = Field({}, max_length=METADATA_KEYS_MOST)


class EndpointRoutes(Routes[Context]):
    """Source: Aurous Labs /webhooks. What a deletion answers is assumed."""

    def __init__(self, context: Context, enqueue: Enqueue) -> None:
        super().__init__(context)
        self._enqueue = enqueue

    def table(self) -> list[web.RouteDef]:
        return [
            web.post("/v1/webhook_endpoints", self.create),
            web.delete("/v1/webhook_endpoints/{id}", self.delete),
            web.post("/v1/webhook_endpoints/{id}/test", self.test),
        ]

    async def create(self, request: web.Request) -> web.Response:
        caller = self._context.authorize(request, "webhook_endpoints_post", writes=True)
        order = check_body(EndpointOrder, parse_object(await request.read()))
        now = self._context.now()
        endpoint = RehearsalEndpoint(
            id=make_id("we"),
            team=caller.team,
            url=order.url,
            events=tuple(order.events),
            secret=make_secret(),
            description=order.description,
            metadata=order.metadata,
            created_at=now,
            updated_at=now,
        )
        self._context.world.endpoints[endpoint.id] = endpoint
        return web.json_response(show_endpoint(endpoint, with_secret=True), status=201)

    async def delete(self, request: web.Request) -> web.Response:
        """Always 200."""
        caller = self._context.authorize(request, "webhook_endpoints_post", writes=True)
        endpoint_id = request.match_info["id"]
        found = own(self._context.world.endpoints, endpoint_id, caller.team)
        if found is not None:
            del self._context.world.endpoints[endpoint_id]
        return web.json_response({"id": endpoint_id, "object": "webhook_endpoint", "deleted": found is not None})

    async def test(self, request: web.Request) -> web.Response:
        caller = self._context.authorize(request, "webhooks_test", writes=True)
        endpoint = own(self._context.world.endpoints, request.match_info["id"], caller.team)
        if endpoint is None:
            raise not_found("webhook endpoint")
        event_type = parse_object(await request.read()).get("event_type")
        if event_type is None:
            raise missing("event_type")
        if event_type not in endpoint.events:
            raise malformed("event_type", "has to be one that the endpoint is subscribed to")
        now = self._context.now()
        event = WebhookEvent(event_type, _fixture(event_type, moment_text(now)), now, is_synthetic=True)
        self._enqueue(endpoint, event)
        answer = {"object": "webhook_test_fire", "endpoint_id": endpoint.id, "event_id": event.id, "enqueued": True}
        return web.json_response(answer)


def _fixture(event_type: str, at: str | None) -> dict[str, Any]:
    """The resource in a test delivery; no such object exists."""
    kind, _, outcome = event_type.partition(".")
    status = {"completed": "ready" if kind == "character" else "succeeded"}.get(outcome, outcome)
    match kind:
        case "image" | "video":
            prefix, shape = kind[:3], "inference"
        case "character":
            prefix, shape = "char", "character"
        case _:
            return {"object": kind, "created_at": at}
    return {"id": f"{prefix}_test0000000000000000000000", "object": shape, "status": status, "created_at": at}
