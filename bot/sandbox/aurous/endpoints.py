"""The rehearsal Aurous Labs' registered webhook endpoints: create, delete, test."""

from collections.abc import Callable, Mapping
from typing import Any

from aiohttp import web

from bot.sandbox.aurous.answers import moment_text, show_endpoint
from bot.sandbox.aurous.context import VERSION, Caller, Context
from bot.sandbox.aurous.events import EVENT_TYPES, WebhookEvent, make_event
from bot.sandbox.aurous.orders import parse_object, read_text, read_webhook_url, refuse_unknown
from bot.sandbox.aurous.records import RehearsalEndpoint, make_id, make_secret
from bot.sandbox.aurous.refusals import malformed, missing, not_found, out_of_range
from bot.sandbox.aurous.state import own

CREATE_FIELDS = frozenset({"url", "events", "description", "metadata"})
DESCRIPTION_CAP = 500
METADATA_KEYS_MOST, METADATA_VALUE_CAP = 50, 500

Enqueue = Callable[[RehearsalEndpoint, WebhookEvent], None]


class EndpointRoutes:
    """Source: Aurous Labs /webhooks. What a deletion answers is assumed."""

    def __init__(self, context: Context, enqueue: Enqueue) -> None:
        self._context = context
        self._enqueue = enqueue

    def table(self) -> list[web.RouteDef]:
        return [
            web.post("/v1/webhook_endpoints", self.create),
            web.delete("/v1/webhook_endpoints/{id}", self.delete),
            web.post("/v1/webhook_endpoints/{id}/test", self.test),
        ]

    async def create(self, request: web.Request) -> web.Response:
        caller = self._context.authorize(request, "webhook_endpoints_post", writes=True)
        body = parse_object(await request.read())
        refuse_unknown(body, CREATE_FIELDS)
        now = self._context.now()
        endpoint = RehearsalEndpoint(
            id=make_id("we"),
            team=caller.team,
            url=read_webhook_url(body, "url", required=True) or "",
            events=_read_events(body),
            secret=make_secret(),
            description=read_text(body, "description", DESCRIPTION_CAP),
            metadata=_read_metadata(body),
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
        endpoint = self._own(request, self._context.authorize(request, "webhooks_test", writes=True))
        event_type = parse_object(await request.read()).get("event_type")
        if event_type is None:
            raise missing("event_type")
        if event_type not in endpoint.events:
            raise malformed("event_type", "has to be one that the endpoint is subscribed to")
        now = self._context.now()
        event = make_event(event_type, _fixture(event_type, moment_text(now)), now, VERSION, is_test=True)
        self._enqueue(endpoint, event)
        answer = {"object": "webhook_test_fire", "endpoint_id": endpoint.id, "event_id": event.id, "enqueued": True}
        return web.json_response(answer)

    def _own(self, request: web.Request, caller: Caller) -> RehearsalEndpoint:
        endpoint = own(self._context.world.endpoints, request.match_info["id"], caller.team)
        if endpoint is None:
            raise not_found("webhook endpoint")
        return endpoint


def _read_events(body: Mapping[str, Any]) -> tuple[str, ...]:
    """`["*"]` stands for every type that there is at this moment."""
    if "events" not in body:
        raise missing("events")
    events = body["events"]
    if events == ["*"]:
        return EVENT_TYPES
    if not isinstance(events, list) or not events or not all(event in EVENT_TYPES for event in events):
        raise malformed("events", "has to be a list of event types")
    return tuple(events)


def _read_metadata(body: Mapping[str, Any]) -> dict[str, str]:
    metadata = body.get("metadata", {})
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise malformed("metadata", "has to be an object of texts")
    if len(metadata) > METADATA_KEYS_MOST or any(len(value) > METADATA_VALUE_CAP for value in metadata.values()):
        raise out_of_range("metadata", f"may have {METADATA_KEYS_MOST} texts of {METADATA_VALUE_CAP} characters")
    return metadata


def _fixture(event_type: str, at: str | None) -> dict[str, Any]:
    """The resource of a test delivery, which is about nothing that exists."""
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
