"""The rehearsal Aurous Labs' picture orders: create, estimate, look, cancel."""

import zlib
from typing import Any

from aiohttp import web

from bot.sandbox.aurous.answers import SHINY, credits_number, show_cost, show_image, show_page
from bot.sandbox.aurous.context import REQUEST_ID, VERSION, Context
from bot.sandbox.aurous.orders import ImageOrder, check_body, parse_object
from bot.sandbox.aurous.records import RehearsalImage, RehearsalStyle, StoredReference, make_id
from bot.sandbox.aurous.refusals import Refusal, not_found
from bot.sandbox.aurous.state import newest_first, own
from bot.sandbox.rehearsal.server import Caller, Routes

UNCANCELLABLE = frozenset({"succeeded", "failed", "expired", "moderation_rejected"})


class ImageRoutes(Routes[Context]):
    """Source: Aurous Labs /images."""

    def table(self) -> list[web.RouteDef]:
        return [
            web.post("/v1/images", self.create),
            web.post("/v1/images/estimate", self.estimate),
            web.get("/v1/images", self.list_page, allow_head=False),
            web.get("/v1/images/{id}", self.show, allow_head=False),
            web.post("/v1/images/{id}/cancel", self.cancel),
        ]

    async def create(self, request: web.Request) -> web.Response:
        caller = self._context.authorize(request, "images_post", writes=True)

        async def work(body: dict[str, Any]) -> web.Response:
            image = self._draft(request, caller, body)
            self._take(image)
            return web.json_response(self.shown(image), status=201)

        return await self._context.order(request, caller, work)

    async def estimate(self, request: web.Request) -> web.Response:
        caller = self._context.authorize(request, "estimate_post", writes=True)
        draft = self._draft(request, caller, parse_object(await request.read()))
        cost = show_cost(draft.held - draft.held_for_enhancing, draft.held_for_enhancing)
        return web.json_response({"object": "estimate", "estimated_cost": cost, "currency": "credit"})

    async def show(self, request: web.Request) -> web.Response:
        return web.json_response(self.shown(self._own(request, self._context.authorize(request))))

    async def list_page(self, request: web.Request) -> web.Response:
        caller = self._context.authorize(request)
        mine = newest_first(self._context.world.images, caller.team)
        return web.json_response(show_page(mine, request.query, self.shown))

    async def cancel(self, request: web.Request) -> web.Response:
        image = self._own(request, self._context.authorize(request, "images_post", writes=True))
        if image.status in UNCANCELLABLE:
            raise Refusal(400, "generation_not_cancellable", f"The generation is {image.status}.")
        if image.is_live:
            self._context.world.end_image(image, "cancelled", self._context.now())
        return web.json_response(self.shown(image))

    def _own(self, request: web.Request, caller: Caller) -> RehearsalImage:
        image = own(self._context.world.images, request.match_info["id"], caller.team)
        if image is None:
            raise not_found("generation")
        return image

    def output_urls(self, image: RehearsalImage) -> list[str]:
        if image.status != "succeeded":
            return []
        urls = [self._context.token_url(f"/v1/images/{image.id}/output/{number}") for number in range(image.count)]
        is_relative = self._context.faults.answers.relative_urls
        return [url.removeprefix(self._context.base_url()) for url in urls] if is_relative else urls

    def shown(self, image: RehearsalImage) -> dict[str, Any]:
        answers = self._context.faults.answers
        shown = show_image(image, self.output_urls(image), answers.first_status)
        return shown | SHINY if answers.extra_fields else shown

    def _draft(self, request: web.Request, caller: Caller, body: dict[str, Any]) -> RehearsalImage:
        """An order whose styles, character and references are there and may be used; nothing is held for it yet."""
        order = check_body(ImageOrder, body, self._context.base_url())
        styles = () if order.style is None else (self._style(order.style, order, caller),)
        character_id, name, sources = self._subject(order, caller)
        if any(word in order.prompt.lower() for word in self._context.faults.blocked_words):
            raise Refusal(422, "prompt_blocked", "The prompt was refused.", param="prompt")
        base = self._context.faults.answers.image_base * order.count
        image_id, now = make_id("img"), self._context.now()
        return RehearsalImage(
            id=image_id,
            team=caller.team,
            order=order,
            styles=styles or self._pick_style(order, caller),
            character=character_id,
            character_name=name,
            sources=sources,
            held=base * 2 if order.enhance else base,
            held_for_enhancing=base if order.enhance else 0,
            seed=zlib.crc32(image_id.encode()) if order.seed is None else order.seed,
            request_id=request[REQUEST_ID],
            version=VERSION,
            created_at=now,
            state_since=now,
            count=order.count,
        )

    def _style(self, ref: str, order: ImageOrder, caller: Caller) -> RehearsalStyle:
        usable = [style for style in self._context.world.styles if style.is_usable_by(caller.team)]
        style = next((style for style in usable if style.answers_to(ref)), None)
        if style is None:
            raise not_found("LoRA", "lora_id")
        if style.is_text_only and (order.character or order.references):
            message = "This style makes pictures from text only."
            raise Refusal(400, "unsupported_lora_for_mode", message, param="lora_id")
        return style

    def _pick_style(self, order: ImageOrder, caller: Caller) -> tuple[RehearsalStyle, ...]:
        """The platform picks by the prompt; here, the style that the prompt names. None for references alone."""
        if order.references:
            return ()
        usable = [style for style in self._context.world.styles if style.is_usable_by(caller.team)]
        named = [style for style in usable if style.name.lower() in order.prompt.lower()]
        return tuple(named[:1])

    def _subject(self, order: ImageOrder, caller: Caller) -> tuple[str | None, str, tuple[StoredReference, ...]]:
        if order.character is None:
            return None, "", tuple(self._reference(item, caller) for item in order.references)
        character = own(self._context.world.characters, order.character, caller.team)
        if character is None:
            raise not_found("character", "character_id")
        if character.status != "ready":
            message = f"The character is {character.status}."
            raise Refusal(400, "character_not_ready", message, param="character_id")
        return character.id, character.name, character.refs

    def _reference(self, item: str, caller: Caller) -> StoredReference:
        """A file of this team, or an address; what is behind an address is imagined, not fetched."""
        if item in self._context.faults.blocked_references:
            raise Refusal(422, "reference_blocked", "A reference was refused.", param="reference_image_urls")
        if item.startswith("file_"):
            file = own(self._context.world.files, item, caller.team)
            if file is None:
                raise not_found("file", "reference_image_urls")
            return StoredReference("reference", file.path)
        name = self._context.sign(item)
        return StoredReference("reference", self._context.folder / "addresses" / f"{name}.jpg", item)

    def _take(self, image: RehearsalImage) -> None:
        world, faults = self._context.world, self._context.faults
        live = sum(other.team == image.team and other.is_live for other in world.images.values())
        if faults.answers.images_at_once is not None and live >= faults.answers.images_at_once:
            raise Refusal(429, "concurrency_limit_exceeded", "Too many generations at the same time.")
        if not world.can_pay(image.team, image.held):
            raise Refusal(402, "balance_too_low", f"This needs {credits_number(image.held)} credits.")
        image.held = world.hold(image.team, "image", image.id, image.held)
        image.fault = faults.images.popleft() if faults.images else None
        world.images[image.id] = image
