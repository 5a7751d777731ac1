"""Requests to the rehearsal Apiframe: the caller behind a key, the time, and the JSON of a refusal."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from aiohttp import web

from bot.sandbox.apiframe.answers import AnswerOddities
from bot.sandbox.apiframe.orders import BadOrder
from bot.sandbox.apiframe.state import JobFaults, NotEnoughCredits, RehearsalJob, RehearsalLora, RehearsalWorld
from bot.sandbox.rehearsal.deliveries import WebhookFaults
from bot.sandbox.rehearsal.faults import Handler, ServerFaults
from bot.sandbox.rehearsal.server import Caller, ServerContext

T = TypeVar("T", RehearsalLora, RehearsalJob)

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(slots=True)
class ApiframeWebhooks(WebhookFaults):
    variant: str = "hex"
    """How SHA-256 of the API key becomes the HMAC key: its hexadecimal text (`hex`) or its bytes (`raw`)."""
    prefix: str = "sha256="


@dataclass
class RehearsalFaults(JobFaults, ServerFaults):
    """All settings of the server. What a test sets lasts until it is unset; what it queues happens once."""

    webhooks: ApiframeWebhooks = field(default_factory=ApiframeWebhooks)
    answers: AnswerOddities = field(default_factory=AnswerOddities)
    inactive_keys: set[str] = field(default_factory=set)


class Refusal(Exception):
    """An answer of `{"error": …}`."""

    def __init__(self, status: int, text: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(text)
        self.status = status
        self.text = text
        self.headers = headers


@dataclass(frozen=True, slots=True)
class Context(ServerContext):
    world: RehearsalWorld
    faults: RehearsalFaults

    def caller(self, request: web.Request) -> Caller:
        """Source: Apiframe /docs/getting-started/authentication."""
        api_key = request.headers.get("X-API-Key")
        if not api_key:
            raise Refusal(401, "API key is required")
        if api_key not in self.team_by_key:
            raise Refusal(401, "Invalid API key")
        if api_key in self.faults.inactive_keys:
            raise Refusal(403, "API key is inactive")
        return Caller(api_key, self.team_by_key[api_key])


def id_in_path(request: web.Request) -> str:
    object_id = request.match_info["id"]
    if not _UUID.fullmatch(object_id):
        raise BadOrder({"id": ["Invalid UUID"]})
    return object_id


def page_of(
    request: web.Request, newest_first: Sequence[T], default: int, is_shown: Callable[[T], bool] = lambda _: True
) -> tuple[Sequence[T], str | None]:
    """The page that the query asks for, and the cursor of the next; a cursor is the id of the last one shown."""
    limit = _limit_in_query(request, default)
    if "cursor" in request.query:
        ids = [each.id for each in newest_first]
        if request.query["cursor"] not in ids:
            raise BadOrder({"cursor": ["Unknown cursor"]})
        newest_first = newest_first[ids.index(request.query["cursor"]) + 1 :]
    listed = [each for each in newest_first if is_shown(each)]
    page = listed[:limit]
    return page, page[-1].id if len(listed) > limit else None


def _limit_in_query(request: web.Request, default: int) -> int:
    text = request.query.get("limit", str(default))
    if not (text.isascii() and text.isdigit() and len(text) <= 3 and 1 <= int(text) <= 100):
        raise BadOrder({"limit": ["Expected a number from 1 to 100"]})
    return int(text)


def choice_in_query(request: web.Request, name: str, choices: tuple[str, ...]) -> str:
    """One of `choices`; the first when the query does not say."""
    value = request.query.get(name, choices[0])
    if value not in choices:
        raise BadOrder({name: ["Invalid option"]})
    return value


@web.middleware
async def word_refusals(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Run the handler and turn its refusals into the documented bodies (Apiframe OpenAPI 2.0.0)."""
    try:
        return await handler(request)
    except Refusal as refusal:
        return web.json_response({"error": refusal.text}, status=refusal.status, headers=refusal.headers)
    except BadOrder as error:
        return web.json_response({"error": str(error), "details": error.details}, status=400)
    except NotEnoughCredits as error:
        body = {"error": str(error), "creditsRequired": error.required, "creditsAvailable": error.available}
        return web.json_response(body, status=402)
    except web.HTTPException as error:
        return web.json_response({"error": error.reason}, status=error.status)
