"""The rehearsal Aurous Labs' picture addresses: outputs, style previews and a character's poses."""

import asyncio
from pathlib import Path

from aiohttp import web

from bot.sandbox.aurous.context import Context
from bot.sandbox.aurous.pictures import write_image, write_preview, write_reference
from bot.sandbox.aurous.records import ImageFault, RehearsalImage
from bot.sandbox.aurous.refusals import Refusal, not_found
from bot.sandbox.aurous.state import own
from bot.sandbox.aurous.switches import OutputMode
from bot.sandbox.rehearsal.server import Routes

CONTENT_TYPES = {".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".png": "image/png", ".webp": "image/webp"}


class OutputRoutes(Routes[Context]):
    """Source: Aurous Labs /images-proxy. Outputs open with their token or with a key of their team."""

    def table(self) -> list[web.RouteDef]:
        return [
            web.get("/v1/images/{id}/output/{number}", self.output, allow_head=False),
            web.get("/outputs/{id}/{number}", self.delivered, allow_head=False),
            web.get("/previews/{name}.jpg", self.preview, allow_head=False),
            web.get("/v1/characters/{id}/refs/{number}", self.pose, allow_head=False),
        ]

    async def output(self, request: web.Request) -> web.StreamResponse:
        image = self._allowed(request)
        if image.status != "succeeded":
            raise Refusal(422, "output_not_available", f"The generation is {image.status}.")
        number = _number(request)
        if self._is_expired(image) or (image.fault is ImageFault.ONE_GONE and number == image.count - 1):
            raise Refusal(410, "output_expired", "The output has expired.")
        if number >= image.count:
            raise not_found("output")
        if self._context.faults.answers.output_mode is OutputMode.REDIRECT:
            location = self._context.token_url(f"/outputs/{image.id}/{number}")
            return web.Response(status=302, headers={"Location": location})
        return await self._send_output(image, number)

    async def delivered(self, request: web.Request) -> web.StreamResponse:
        """The address that a redirect names: a store that asks for no key."""
        image = self._context.world.images.get(request.match_info["id"])
        if image is None or request.query.get("token") != self._context.sign(request.path):
            raise not_found("output")
        return await self._send_output(image, _number(request))

    def _allowed(self, request: web.Request) -> RehearsalImage:
        """401 without anything that opens it and 404 for a wrong token are assumed."""
        image_id, token = request.match_info["id"], request.query.get("token")
        if token is None:
            found = own(self._context.world.images, image_id, self._context.authorize(request).team)
        else:
            found = self._context.world.images.get(image_id) if token == self._context.sign(request.path) else None
        if found is None:
            raise not_found("generation")
        return found

    def _is_expired(self, image: RehearsalImage) -> bool:
        life = self._context.faults.answers.output_life
        is_over = image.completed_at is not None and self._context.now() >= image.completed_at + life
        return is_over or image.fault is ImageFault.GONE

    async def _send_output(self, image: RehearsalImage, number: int) -> web.Response:
        answers = self._context.faults.answers
        path = self._context.folder / "images" / f"{image.id}-{number}.{answers.output_format}"
        await asyncio.to_thread(write_image, image, number, path, answers.picture_side_cap_px)
        return await _send(path)

    async def preview(self, request: web.Request) -> web.Response:
        """No key is asked for, as at the real CDN."""
        style = next((style for style in self._context.world.styles if style.id == request.match_info["name"]), None)
        if style is None:
            raise not_found("preview")
        path = self._context.preview_file(style.id)
        await asyncio.to_thread(write_preview, style, path)
        return await _send(path)

    async def pose(self, request: web.Request) -> web.Response:
        character = self._context.world.characters.get(request.match_info["id"])
        number = _number(request)
        is_open = request.query.get("token") == self._context.sign(request.path)
        if character is None or not is_open or number >= len(character.refs):
            raise not_found("reference")
        reference = character.refs[number]
        await asyncio.to_thread(write_reference, reference)
        return await _send(reference.path)


def _number(request: web.Request) -> int:
    text = request.match_info["number"]
    if not (text.isascii() and text.isdigit() and len(text) <= 3):
        raise not_found("output")
    return int(text)


async def _send(path: Path) -> web.Response:
    return web.Response(body=await asyncio.to_thread(path.read_bytes), content_type=CONTENT_TYPES[path.suffix])
