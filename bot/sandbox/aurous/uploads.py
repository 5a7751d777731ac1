"""The rehearsal Aurous Labs' photos for characters: tickets, the signed address that takes the bytes, poses."""

import asyncio
import hashlib
from typing import Annotated, Any, Literal

from aiohttp import web
from pydantic import Field

from bot.sandbox.aurous.answers import moment_text
from bot.sandbox.aurous.context import Context
from bot.sandbox.aurous.files import PHOTO_CAP_BYTES, collect, judge_photo, write_photo
from bot.sandbox.aurous.orders import NOT_BLANK, Body, check_body, parse_object
from bot.sandbox.aurous.records import POSES, TICKET_LIFE, TICKET_URL_LIFE, UploadTicket, make_id
from bot.sandbox.aurous.refusals import Refusal, bad_combination
from bot.sandbox.aurous.state import own
from bot.sandbox.rehearsal.server import Caller, Routes

FILENAME_CAP = 120
TYPES = {"jpeg": "image/jpeg", "jpg": "image/jpeg", "png": "image/png", "webp": "image/webp"}


class TicketOrder(Body):
    """The body of POST /v1/characters/uploads/init."""

    filename: Annotated[str, Field(min_length=1, max_length=FILENAME_CAP, pattern=NOT_BLANK)]
    extension: Literal["jpeg", "jpg", "png", "webp"]
    content_type: Literal["image/jpeg", "image/png", "image/webp"]


class UploadRoutes(Routes[Context]):
    """Source: Aurous Labs /characters/upload-init and /upload-classify; how the address refuses is assumed."""

    def table(self) -> list[web.RouteDef]:
        return [
            web.post("/v1/characters/uploads/init", self.open_ticket),
            web.post("/v1/characters/uploads/classify", self.classify),
            web.put("/uploads/{id}", self.receive),
        ]

    async def open_ticket(self, request: web.Request) -> web.Response:
        caller = self._context.authorize(request, "characters_post", writes=True)
        order = check_body(TicketOrder, parse_object(await request.read()))
        content_type = order.content_type
        if content_type != TYPES[order.extension]:
            raise bad_combination("extension and content_type do not match.", "content_type")
        ticket_id, now = make_id("upl"), self._context.now()
        path = self._context.folder / "uploads" / f"{ticket_id}.{order.extension}"
        self._context.world.tickets[ticket_id] = UploadTicket(ticket_id, caller.team, path, content_type, now)
        answer = {
            "upload_id": ticket_id,
            "upload_url": self._context.passing_url(f"/uploads/{ticket_id}", TICKET_URL_LIFE),
            "upload_headers": {"Content-Type": content_type},
            "expires_at": moment_text(now + TICKET_URL_LIFE),
        }
        return web.json_response(answer, status=201)

    async def receive(self, request: web.Request) -> web.Response:
        """The signed address that takes the bytes; it asks for no key."""
        body = await collect(request.content.read, PHOTO_CAP_BYTES)
        ticket = self._context.world.tickets.get(request.match_info["id"])
        expires = request.query.get("expires", "")
        is_signed = request.query.get("signature") == self._context.sign(request.path, expires)
        if ticket is None or not is_signed or self._context.now().timestamp() >= int(expires):
            return web.Response(status=403, text="<Error><Code>AccessDenied</Code></Error>", content_type="text/xml")
        if request.content_type != ticket.content_type:
            text = "<Error><Code>SignatureDoesNotMatch</Code></Error>"
            return web.Response(status=403, text=text, content_type="text/xml")
        await write_photo(ticket.path, body)
        ticket.is_filled = True
        return web.Response()

    async def classify(self, request: web.Request) -> web.Response:
        """The pose is a guess that stays the same for the same bytes."""
        caller = self._context.authorize(request, "characters_post", writes=True)
        ticket = usable_ticket(self._context, caller, parse_object(await request.read()).get("upload_id"))
        digest = hashlib.sha256(await asyncio.to_thread(ticket.path.read_bytes)).digest()
        ticket.pose = POSES[digest[0] % len(POSES)]
        answer = {"upload_id": ticket.id, "pose": ticket.pose, "confidence": round(0.5 + digest[1] / 512, 2)}
        return web.json_response(answer)


def usable_ticket(context: Context, caller: Caller, ticket_id: Any) -> UploadTicket:
    """A ticket of this team that has its photo, and was not used or forgotten."""
    ticket = own(context.world.tickets, ticket_id, caller.team) if isinstance(ticket_id, str) else None
    is_usable = ticket is not None and ticket.is_filled and not ticket.is_used
    if ticket is None or not is_usable or context.now() >= ticket.created_at + TICKET_LIFE:
        raise Refusal(400, "upload_invalid", "This upload is unknown, empty, expired or used.", param="upload_id")
    return ticket


async def check_photos(tickets: list[UploadTicket]) -> None:
    """The limits of reference files, which are assumed here."""
    for ticket in tickets:
        body = await asyncio.to_thread(ticket.path.read_bytes)
        try:
            await asyncio.to_thread(judge_photo, body, "upload_ids")
        except Refusal as refusal:
            raise Refusal(400, "upload_invalid", refusal.message, param="upload_ids") from refusal
