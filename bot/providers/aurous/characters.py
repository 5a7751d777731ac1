"""Aurous Labs' characters: identities made from photos or from a description, without training any weights.

Source: Aurous Labs /characters/*.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import uuid4

from bot.errors import ProviderError, Refused
from bot.providers.aurous.calls import AurousCalls
from bot.providers.aurous.errors import read_trace
from bot.providers.aurous.wire import build_ticket_order, parse_character, parse_characters, parse_pose, parse_ticket
from bot.providers.base import PhotoFile, Progress, TrainingOrder, TrainingReport
from bot.providers.calls import checked_id, find_marked, of_body
from bot.providers.transport import Response

PHOTOS_MOST = 6
COVER_POSES = ("portrait", "front")
PAGE_SIZE = 100
PAGES_CAP = 50


class CharacterCalls:
    def __init__(self, calls: AurousCalls) -> None:
        self._calls = calls

    async def submit_training(self, order: TrainingOrder) -> TrainingReport:
        """A character from 1 to 6 photos; it is ready at once. Nothing is made before the last of the calls.

        The first photo is the character's cover, so the best portrait goes first.
        """
        if not 1 <= len(order.photos) <= PHOTOS_MOST:
            raise Refused(f"A character takes 1 to {PHOTOS_MOST} photos.")
        uploads = [await self._upload(photo) for photo in order.photos]
        covers = [(await self._cover_rank(upload_id), upload_id) for upload_id in uploads]
        upload_ids = [upload_id for _, upload_id in sorted(covers, key=lambda cover: cover[0])]
        body = {"name": order.name, "upload_ids": upload_ids}
        return await self._make("", body, str(uuid4()), when_lost=True)

    async def classify(self, upload_id: str) -> tuple[str, float]:
        """The pose on an uploaded photo and how sure that is, 0 to 1; free, until a character is made from it."""
        request = self._calls.request("POST", "/v1/characters/uploads/classify", json={"upload_id": upload_id})
        return await self._calls.ask(request, of_body(parse_pose))

    async def _cover_rank(self, upload_id: str) -> tuple[int, float]:
        """Small for a good cover. Not worth failing for: whatever goes wrong leaves the photo where it was."""
        try:
            pose, confidence = await self.classify(upload_id)
        except ProviderError:
            return len(COVER_POSES), 0.0
        return (COVER_POSES.index(pose), -confidence) if pose in COVER_POSES else (len(COVER_POSES), 0.0)

    async def find_training(self, marker: str, since: datetime) -> TrainingReport | None:
        path = f"/v1/characters?limit={PAGE_SIZE}"
        pages = self._calls.pages(path, "starting_after", of_body(parse_characters), PAGES_CAP)
        return await find_marked(pages, marker, since)

    async def training(self, request_id: str) -> TrainingReport:
        """A character whose pictures wait for approval is saved, which makes it ready."""
        path = f"/v1/characters/{checked_id(request_id)}"
        report = await self._calls.read(path, of_body(parse_character))
        return await self.save_character(request_id) if report.progress is Progress.PREPARING else report

    async def archive_lora(self, request_id: str) -> None:
        await self._calls.remove(f"/v1/characters/{checked_id(request_id)}")

    async def characters(self) -> list[TrainingReport]:
        """All that are not deleted, newest first."""
        path = f"/v1/characters?limit={PAGE_SIZE}"
        pages = self._calls.pages(path, "starting_after", of_body(parse_characters), PAGES_CAP)
        return [report async for page in pages for report in page]

    async def save_character(self, request_id: str) -> TrainingReport:
        """Repeating it does no harm; a character that is still being made or has failed is Refused."""
        request = self._calls.request("POST", f"/v1/characters/{checked_id(request_id)}/save")
        return await self._calls.ask(request, of_body(parse_character))

    async def update_character(
        self, request_id: str, *, name: str | None = None, attributes: Mapping[str, Any] | None = None
    ) -> TrainingReport:
        """`attributes` replaces all of them at once."""
        changes = {"name": name, "attributes": None if attributes is None else dict(attributes)}
        body = {field: value for field, value in changes.items() if value is not None}
        request = self._calls.request("PATCH", f"/v1/characters/{checked_id(request_id)}", json=body)
        return await self._calls.ask(request, of_body(parse_character))

    async def synthesize_character(
        self, name: str, attributes: Mapping[str, Any], idempotency_key: str
    ) -> TrainingReport:
        """Paid, four pictures: a character out of a description (gender, age, ethnicity, hair_color, ...)."""
        body = {"name": name, "generate": True, "attributes": dict(attributes)}
        return await self._make("", body, idempotency_key)

    async def regenerate_pose(self, request_id: str, pose: str, idempotency_key: str) -> TrainingReport:
        """Paid, one picture. `pose`: portrait, front, side, back or other."""
        return await self._make(f"/{checked_id(request_id)}/refs/regenerate", {"pose": pose}, idempotency_key)

    async def resynthesize_character(self, request_id: str, idempotency_key: str) -> TrainingReport:
        """Paid, four pictures."""
        return await self._make(f"/{checked_id(request_id)}/resynthesize", {}, idempotency_key)

    async def _make(
        self, path: str, body: Mapping[str, Any], idempotency_key: str, *, when_lost: bool = False
    ) -> TrainingReport:
        headers = {"Idempotency-Key": idempotency_key}
        request = self._calls.request("POST", f"/v1/characters{path}", headers=headers, json=body)
        return await self._calls.submit_under_key(request, _read_made, when_lost=when_lost)

    async def _upload(self, photo: PhotoFile) -> str:
        """The id of an uploaded photo; it lasts for a day."""
        body = build_ticket_order(photo)
        request = self._calls.request("POST", "/v1/characters/uploads/init", json=body)
        ticket = await self._calls.ask(request, lambda answer: parse_ticket(answer.body, self._calls.base_url))
        await self._calls.put_photo(ticket, photo)
        return ticket.upload_id


def _read_made(answer: Response) -> TrainingReport:
    return parse_character(answer.body, read_trace(answer))
