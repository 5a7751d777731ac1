"""Aurous Labs' characters: identities made from photos, without training any weights.

Source: Aurous Labs /characters/*.
"""

from collections.abc import AsyncGenerator, Sequence
from datetime import datetime
from uuid import uuid4

from bot.errors import ProviderError, Refused
from bot.providers.aurous.calls import AurousCalls
from bot.providers.aurous.errors import read_trace
from bot.providers.aurous.wire import build_ticket_order, parse_character, parse_characters, parse_pose, parse_ticket
from bot.providers.base import PhotoFile, Progress, TrainingOrder, TrainingReport
from bot.providers.calls import checked_id, find_listed, of_body
from bot.providers.transport import Response

PHOTOS_MOST = 6
COVER_POSES = ("portrait", "front")
PAGE_SIZE = 100
PAGES_CAP = 50


class CharacterCalls:
    def __init__(self, calls: AurousCalls) -> None:
        self._calls = calls

    async def submit_training(self, order: TrainingOrder) -> TrainingReport:
        """A character from 1 to 6 photos; it is ready at once. Only the last of the calls makes something.

        Aurous Labs takes the first photo as the character's cover, so the best portrait is sent first.
        """
        if not 1 <= len(order.photos) <= PHOTOS_MOST:
            raise Refused(f"A character takes 1 to {PHOTOS_MOST} photos.")
        uploads = [await self._upload(photo) for photo in order.photos]
        covers = [(await self._cover_rank(upload_id), upload_id) for upload_id in uploads]
        upload_ids = [upload_id for _, upload_id in sorted(covers, key=lambda cover: cover[0])]
        body = {"name": order.name, "upload_ids": upload_ids}
        headers = {"Idempotency-Key": str(uuid4())}
        request = self._calls.request("POST", "/v1/characters", headers=headers, json=body)
        return await self._calls.submit_under_key(request, _read_made, when_lost=True)

    async def _cover_rank(self, upload_id: str) -> tuple[int, float]:
        """Small for a good cover, by the pose on the photo. Asking is free; an error leaves the photo's place as it is.

        The pose can be asked for until a character is made from the upload.
        """
        request = self._calls.request("POST", "/v1/characters/uploads/classify", json={"upload_id": upload_id})
        try:
            pose, confidence = await self._calls.ask(request, of_body(parse_pose))
        except ProviderError:
            return len(COVER_POSES), 0.0
        return (COVER_POSES.index(pose), -confidence) if pose in COVER_POSES else (len(COVER_POSES), 0.0)

    async def find_training(self, marker: str, since: datetime) -> TrainingReport | None:
        return await find_listed(self._listed(), lambda report: marker in report.name, since)

    async def listed_training(self, request_id: str, since: datetime) -> TrainingReport | None:
        return await find_listed(self._listed(), lambda report: report.request_id == request_id, since)

    async def training(self, request_id: str) -> TrainingReport:
        """A character whose pictures wait for approval is saved, which makes it ready."""
        path = f"/v1/characters/{checked_id(request_id)}"
        report = await self._calls.read(path, of_body(parse_character))
        return await self._save(request_id) if report.progress is Progress.PREPARING else report

    async def archive_lora(self, remote_id: str) -> bool:
        """The character is hidden from then on; a second call is answered with 404 (/characters)."""
        return await self._calls.remove(f"/v1/characters/{checked_id(remote_id)}")

    async def characters(self) -> list[TrainingReport]:
        """All that are not deleted, newest first."""
        return [report async for page in self._listed() for report in page]

    def _listed(self) -> AsyncGenerator[Sequence[TrainingReport], None]:
        path = f"/v1/characters?limit={PAGE_SIZE}"
        return self._calls.pages(path, "starting_after", of_body(parse_characters), PAGES_CAP)

    async def _save(self, remote_id: str) -> TrainingReport:
        """May be repeated; a character that is still being made or has failed is Refused."""
        request = self._calls.request("POST", f"/v1/characters/{checked_id(remote_id)}/save")
        return await self._calls.ask(request, of_body(parse_character))

    async def _upload(self, photo: PhotoFile) -> str:
        """The id of an uploaded photo; it lasts for a day."""
        body = build_ticket_order(photo)
        request = self._calls.request("POST", "/v1/characters/uploads/init", json=body)
        ticket = await self._calls.ask(request, lambda answer: parse_ticket(answer.body, self._calls.base_url))
        await self._calls.put_photo(ticket, photo)
        return ticket.upload_id


def _read_made(answer: Response) -> TrainingReport:
    return parse_character(answer.body, read_trace(answer))
