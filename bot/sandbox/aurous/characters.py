"""The rehearsal Aurous Labs' characters: make from photos or from words, look, change, save, redo, delete."""

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from bot.sandbox.aurous.answers import SHINY, show_character, show_page
from bot.sandbox.aurous.context import VERSION, Caller, Context
from bot.sandbox.aurous.orders import parse_object, read_text, refuse_unknown
from bot.sandbox.aurous.records import POSES, RehearsalCharacter, StoredReference, make_id
from bot.sandbox.aurous.refusals import Refusal, bad_combination, malformed, missing, not_found, out_of_range
from bot.sandbox.aurous.state import newest_first, own
from bot.sandbox.aurous.uploads import ALL_POSES, check_photos, usable_ticket

NAME_CAP = 120
"""Assumed, as are the limits of attributes."""
REFERENCE_CAP = 256
ATTRIBUTE_CAP = 500
PHOTOS_MOST = 6
TEXT_ATTRIBUTES = frozenset(
    {"gender", "ethnicity", "hair_color", "hair_style", "eye_color", "body_type", "additional_details"}
)
AGE_MOST = 120
CREATE_FIELDS = frozenset({"name", "upload_ids", "generate", "attributes", "client_reference_id"})
FILTERS = ("synthesizing", "reviewing", "ready", "failed")
HIDDEN = frozenset({"deleted", "cancelled"})
REDOABLE = frozenset({"reviewing", "ready", "failed"})


class CharacterRoutes:
    """Source: Aurous Labs /characters and its changelog of 2026-06-19."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def table(self) -> list[web.RouteDef]:
        return [
            web.post("/v1/characters", self.create),
            web.get("/v1/characters", self.list_page, allow_head=False),
            web.get("/v1/characters/{id}", self.show, allow_head=False),
            web.patch("/v1/characters/{id}", self.change),
            web.delete("/v1/characters/{id}", self.delete),
            web.post("/v1/characters/{id}/save", self.save),
            web.post("/v1/characters/{id}/refs/regenerate", self.regenerate),
            web.post("/v1/characters/{id}/resynthesize", self.resynthesize),
        ]

    async def create(self, request: web.Request) -> web.Response:
        """The bucket depends on the body, so that is read first."""
        self._context.caller(request)
        said = parse_object(await request.read())
        is_synthesis = said.get("generate") is True and "upload_ids" not in said
        caller = self._context.authorize(
            request, "characters_synthesize" if is_synthesis else "characters_post", writes=True
        )

        async def work(body: dict[str, Any]) -> web.Response:
            refuse_unknown(body, CREATE_FIELDS)
            if ("upload_ids" in body) == (body.get("generate") is True):
                raise bad_combination("Exactly one of upload_ids and generate is needed.")
            make = self._synthesize if is_synthesis else self._take_photos
            return web.json_response(self.shown(await make(caller, body)), status=201)

        return await self._context.order(request, caller, work)

    async def _take_photos(self, caller: Caller, body: Mapping[str, Any]) -> RehearsalCharacter:
        ids = body["upload_ids"]
        if not isinstance(ids, list) or not all(isinstance(each, str) for each in ids):
            raise malformed("upload_ids", "has to be a list of texts")
        if not 1 <= len(set(ids)) == len(ids) <= PHOTOS_MOST:
            raise out_of_range("upload_ids", f"has to have 1 to {PHOTOS_MOST} different items")
        character = self._empty(caller, body)
        tickets = [usable_ticket(self._context, caller, each) for each in ids]
        await check_photos(tickets)
        tickets = [usable_ticket(self._context, caller, each) for each in ids]
        for ticket in tickets:
            ticket.is_used = True
        character.refs = tuple(StoredReference(ticket.pose, ticket.path) for ticket in tickets)
        self._context.world.characters[character.id] = character
        return character

    async def _synthesize(self, caller: Caller, body: Mapping[str, Any]) -> RehearsalCharacter:
        if not body.get("attributes"):
            raise missing("attributes")
        character = self._empty(caller, body)
        self._begin(character, POSES)
        self._context.world.characters[character.id] = character
        return character

    def _empty(self, caller: Caller, body: Mapping[str, Any]) -> RehearsalCharacter:
        character_id, now = make_id("char"), self._context.now()
        return RehearsalCharacter(
            id=character_id,
            team=caller.team,
            name=read_text(body, "name", NAME_CAP, required=True) or "",
            attributes=_read_attributes(body),
            client_reference_id=read_text(body, "client_reference_id", REFERENCE_CAP),
            refs=(),
            folder=self._context.folder / "characters" / character_id,
            version=VERSION,
            created_at=now,
            updated_at=now,
            state_since=now,
            status="ready",
        )

    def _begin(self, character: RehearsalCharacter, poses: tuple[str, ...]) -> None:
        """Source of the 402's code: Aurous Labs /characters/resynthesize-character."""
        world = self._context.world
        if not world.can_pay(character.team, len(poses) * self._context.faults.answers.image_base):
            raise Refusal(402, "insufficient_credits", "There are not enough credits.")
        world.begin_synthesis(character, poses, self._context.now())

    async def list_page(self, request: web.Request) -> web.Response:
        """The filter's name is assumed."""
        caller = self._context.authorize(request, "characters_get")
        wanted = request.query.get("status")
        if wanted is not None and wanted not in FILTERS:
            raise Refusal(400, "invalid_request", "There is no such status.", param="status")
        mine = newest_first(self._context.world.characters, caller.team)
        listed = [each for each in mine if each.status not in HIDDEN and wanted in {None, each.status}]
        return web.json_response(show_page(listed, request.query, self.shown, both_ways=False))

    async def show(self, request: web.Request) -> web.Response:
        return web.json_response(self.shown(self._own(request, self._context.authorize(request, "characters_get"))))

    async def change(self, request: web.Request) -> web.Response:
        """Attributes are replaced whole."""
        caller = self._context.authorize(request, "characters_post", writes=True)
        character, body = self._own(request, caller), parse_object(await request.read())
        refuse_unknown(body, frozenset({"name", "attributes"}))
        name, attributes = read_text(body, "name", NAME_CAP), _read_attributes(body)
        character.name = name or character.name
        character.attributes = attributes if "attributes" in body else character.attributes
        character.updated_at = self._context.now()
        return web.json_response(self.shown(character))

    async def delete(self, request: web.Request) -> web.Response:
        """A running synthesis is cancelled, one under review is removed, all others are hidden."""
        caller = self._context.authorize(request, "characters_post", writes=True)
        character = self._own(request, caller)
        if character.status in HIDDEN:
            raise not_found("character", "character_id")
        if character.status == "synthesizing":
            self._context.world.end_synthesis(character, "cancelled", self._context.now())
        elif character.status == "reviewing":
            del self._context.world.characters[character.id]
        else:
            character.status = "deleted"
        return web.json_response({"id": character.id, "object": "character", "deleted": True})

    async def save(self, request: web.Request) -> web.Response:
        caller = self._context.authorize(request, "characters_post", writes=True)
        character = self._own(request, caller)
        if character.status == "reviewing":
            self._context.world.end_synthesis(character, "ready", self._context.now())
        _expect(character, frozenset({"ready"}))
        return web.json_response(self.shown(character))

    async def regenerate(self, request: web.Request) -> web.Response:
        caller = self._context.authorize(request, "characters_synthesize", writes=True)

        async def work(body: dict[str, Any]) -> web.Response:
            character, pose = self._own(request, caller), body.get("pose")
            _expect(character, REDOABLE - {"failed"})
            if pose not in ALL_POSES or pose not in {ref.pose for ref in character.refs}:
                message = f"pose has to be one of {', '.join(ALL_POSES)} that the character has."
                raise Refusal(400, "invalid_request_error", message, param="pose")
            return self._redo(character, (pose,))

        return await self._context.order(request, caller, work)

    async def resynthesize(self, request: web.Request) -> web.Response:
        caller = self._context.authorize(request, "characters_synthesize", writes=True)

        async def work(body: dict[str, Any]) -> web.Response:
            character = self._own(request, caller)
            _expect(character, REDOABLE)
            if not isinstance(body.get("force_all", False), bool):
                raise malformed("force_all", "has to be true or false")
            return self._redo(character, POSES)

        return await self._context.order(request, caller, work)

    def _redo(self, character: RehearsalCharacter, poses: tuple[str, ...]) -> web.Response:
        """That it needs attributes, which a character made from photos may not have, is assumed."""
        if not character.attributes:
            raise Refusal(400, "invalid_request_error", "The character has no attributes to work from.")
        self._begin(character, poses)
        return web.json_response(self.shown(character))

    def _own(self, request: web.Request, caller: Caller) -> RehearsalCharacter:
        """One that is deleted cannot be read, although one page says otherwise; a cancelled one can."""
        character = own(self._context.world.characters, request.match_info["id"], caller.team)
        if character is None or character.status == "deleted":
            raise not_found("character", "character_id")
        return character

    def shown(self, character: RehearsalCharacter) -> dict[str, Any]:
        paths = [f"/v1/characters/{character.id}/refs/{number}" for number in range(len(character.refs))]
        urls = [f"{self._context.base_url()}{path}?token={self._context.sign(path)}" for path in paths]
        shown = show_character(character, urls)
        return shown | SHINY if self._context.faults.answers.extra_fields else shown


def _expect(character: RehearsalCharacter, statuses: frozenset[str]) -> None:
    if character.status not in statuses:
        raise Refusal(400, "invalid_request_error", f"The character is {character.status}.")


def _read_attributes(body: Mapping[str, Any]) -> dict[str, object] | None:
    value = body.get("attributes")
    if value is None:
        return None
    if not isinstance(value, dict):
        raise malformed("attributes", "has to be an object")
    refuse_unknown(value, TEXT_ATTRIBUTES | {"age"})
    for name in TEXT_ATTRIBUTES:
        read_text(value, name, ATTRIBUTE_CAP)
    age = value.get("age", 0)
    if isinstance(age, bool) or not isinstance(age, int):
        raise malformed("age", "has to be a whole number")
    if not 0 <= age <= AGE_MOST:
        raise out_of_range("age", f"has to be from 0 to {AGE_MOST}")
    return value
