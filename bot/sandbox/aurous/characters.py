"""The rehearsal Aurous Labs' characters: make from photos, look, save, delete. Making from words is not rehearsed."""

from collections.abc import Mapping
from typing import Annotated, Any

from aiohttp import web
from pydantic import Field

from bot.sandbox.aurous.answers import SHINY, show_character, show_page
from bot.sandbox.aurous.context import VERSION, Context
from bot.sandbox.aurous.orders import NOT_BLANK, Body, check_body
from bot.sandbox.aurous.records import RehearsalCharacter, StoredReference, make_id
from bot.sandbox.aurous.refusals import Refusal, bad_combination, not_found, out_of_range
from bot.sandbox.aurous.state import newest_first, own
from bot.sandbox.aurous.uploads import check_photos, usable_ticket
from bot.sandbox.rehearsal.server import Caller, Routes

NAME_CAP = 120
"""Assumed."""
PHOTOS_MOST = 6


class CharacterOrder(Body):
    """The body of POST /v1/characters."""

    name: Annotated[str, Field(min_length=1, max_length=NAME_CAP, pattern=NOT_BLANK)]
    upload_ids: Annotated[list[str], Field(min_length=1, max_length=PHOTOS_MOST)]


class CharacterRoutes(Routes[Context]):
    """Source: Aurous Labs /characters and its changelog of 2026-06-19."""

    def table(self) -> list[web.RouteDef]:
        return [
            web.post("/v1/characters", self.create),
            web.get("/v1/characters", self.list_page, allow_head=False),
            web.get("/v1/characters/{id}", self.show, allow_head=False),
            web.delete("/v1/characters/{id}", self.delete),
            web.post("/v1/characters/{id}/save", self.save),
        ]

    async def create(self, request: web.Request) -> web.Response:
        caller = self._context.authorize(request, "characters_post", writes=True)

        async def work(body: dict[str, Any]) -> web.Response:
            return web.json_response(self.shown(await self._make(caller, body)), status=201)

        return await self._context.order(request, caller, work)

    async def _make(self, caller: Caller, body: Mapping[str, Any]) -> RehearsalCharacter:
        """It is ready at once, and free."""
        if "upload_ids" not in body:
            raise bad_combination("Exactly one of upload_ids and generate is needed.")
        order = check_body(CharacterOrder, body)
        ids = order.upload_ids
        if len(set(ids)) < len(ids):
            raise out_of_range("upload_ids", "has to have different items")
        await check_photos([usable_ticket(self._context, caller, each) for each in ids])
        tickets = [usable_ticket(self._context, caller, each) for each in ids]
        for ticket in tickets:
            ticket.is_used = True
        refs, now = tuple(StoredReference(ticket.pose, ticket.path) for ticket in tickets), self._context.now()
        character = RehearsalCharacter(make_id("char"), caller.team, order.name, refs, VERSION, now, now)
        self._context.world.characters[character.id] = character
        return character

    async def list_page(self, request: web.Request) -> web.Response:
        caller = self._context.authorize(request, "characters_get")
        mine = newest_first(self._context.world.characters, caller.team)
        listed = [each for each in mine if each.status != "deleted"]
        return web.json_response(show_page(listed, request.query, self.shown))

    async def show(self, request: web.Request) -> web.Response:
        return web.json_response(self.shown(self._own(request, self._context.authorize(request, "characters_get"))))

    async def delete(self, request: web.Request) -> web.Response:
        """It is hidden from now on, not removed."""
        character = self._own(request, self._context.authorize(request, "characters_post", writes=True))
        character.status = "deleted"
        return web.json_response({"id": character.id, "object": "character", "deleted": True})

    async def save(self, request: web.Request) -> web.Response:
        """A character that waits for approval becomes ready; only a test can make one wait."""
        character = self._own(request, self._context.authorize(request, "characters_post", writes=True))
        if character.status not in {"reviewing", "ready"}:
            raise Refusal(400, "invalid_request_error", f"The character is {character.status}.")
        character.status = "ready"
        return web.json_response(self.shown(character))

    def _own(self, request: web.Request, caller: Caller) -> RehearsalCharacter:
        """A deleted one is not found, although one page says that it can be read."""
        character = own(self._context.world.characters, request.match_info["id"], caller.team)
        if character is None or character.status == "deleted":
            raise not_found("character", "character_id")
        return character

    def shown(self, character: RehearsalCharacter) -> dict[str, Any]:
        paths = [f"/v1/characters/{character.id}/refs/{number}" for number in range(len(character.refs))]
        shown = show_character(character, [self._context.token_url(path) for path in paths])
        return shown | SHINY if self._context.faults.answers.extra_fields else shown
