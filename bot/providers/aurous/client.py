"""Aurous Labs v1 as a provider: pictures, styles, the account; characters and endpoints have their own modules."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from bot.errors import ProviderError, Refused, Unavailable
from bot.providers.aurous.calls import AurousCalls
from bot.providers.aurous.characters import CharacterCalls
from bot.providers.aurous.endpoints import EndpointCalls
from bot.providers.aurous.errors import KeyInUse, read_trace
from bot.providers.aurous.limits import AurousLimits
from bot.providers.aurous.wire import (
    build_generation,
    parse_balance,
    parse_cancelled,
    parse_estimate,
    parse_generation,
    parse_generations,
    parse_id,
    parse_styles,
    parse_team,
)
from bot.providers.base import (
    Account,
    GenerationOrder,
    GenerationReport,
    PhotoFile,
    Prices,
    Progress,
    StyleReport,
    TrainingReport,
)
from bot.providers.calls import checked_id, find_listed, of_body
from bot.providers.measuring import measured
from bot.providers.transport import Field, FilePart, Response, Transport
from bot.records.key import ProviderName

PRICES = Prices(training=0, picture=1)
"""Credits. A character from photos is free; 1 is the baseline for a picture, `estimate` tells exactly (/pricing)."""
TEAM_DEADLINE_S = 3.0
PICTURE_DEADLINE_S = 120.0
PAGE_SIZE, PAGES_CAP = 100, 50

_GONE = frozenset({Progress.ARCHIVED, Progress.FAILED})


@measured(ProviderName.AUROUS)
class Aurous(CharacterCalls, EndpointCalls):
    """Aurous Labs under one API key; implements `ProviderClient`. `limits` is shared by all clients of a process."""

    prices = PRICES

    def __init__(self, transport: Transport, base_url: str, api_key: str, limits: AurousLimits) -> None:
        super().__init__(AurousCalls(transport, base_url, api_key, limits))

    def __repr__(self) -> str:
        return f"Aurous({self._calls.base_url!r})"

    async def account(self) -> Account:
        account = await self._calls.read("/v1/balance", of_body(parse_balance))
        request = self._calls.request("GET", "/v1/team", deadline_s=TEAM_DEADLINE_S)
        try:
            name, team_id = await self._calls.ask_once(request, of_body(parse_team))
            return replace(account, team=name, id=team_id)
        except ProviderError:
            return account

    async def submit_generation(self, order: GenerationOrder) -> GenerationReport:
        """While Aurous Labs still works on the same order, it is sent again for up to 15 seconds."""
        headers = {"Idempotency-Key": order.idempotency_key}
        request = self._calls.request("POST", "/v1/images", headers=headers, json=build_generation(order))
        return await self._calls.submit_under_key(request, self._read_made)

    async def generation(self, request_id: str) -> GenerationReport:
        path = f"/v1/images/{checked_id(request_id)}"
        return await self._calls.read(path, lambda answer: parse_generation(answer.body, self._calls.base_url))

    async def find_generation(
        self, is_it: Callable[[GenerationReport], bool], since: datetime
    ) -> GenerationReport | None:
        """The list holds videos, too (Aurous Labs /list-your-generation-history)."""
        path = f"/v1/images?limit={PAGE_SIZE}"
        pages = self._calls.pages(path, "starting_after", self._read_generations, PAGES_CAP)
        return await find_listed(pages, is_it, since)

    async def cancel_generation(self, request_id: str) -> bool:
        """May be repeated. The credits that were held come back."""
        request = self._calls.request("POST", f"/v1/images/{checked_id(request_id)}/cancel")
        try:
            return await self._calls.ask(request, of_body(parse_cancelled))
        except Refused:
            return False

    async def estimate(self, order: GenerationOrder) -> int | None:
        request = self._calls.request("POST", "/v1/images/estimate", json=build_generation(order))
        return await self._calls.ask(request, of_body(parse_estimate))

    async def upload_picture(self, picture: PhotoFile, idempotency_key: str) -> str:
        """A file id, good for a day. Use a new key for each picture: the bytes are not compared (/files)."""
        form = [FilePart("file", picture), Field("purpose", "reference")]
        headers = {"Idempotency-Key": idempotency_key}
        request = self._calls.request("POST", "/v1/files", headers=headers, form=form, deadline_s=PICTURE_DEADLINE_S)
        try:
            return await self._calls.ask(request, of_body(parse_id))
        except KeyInUse as error:
            raise Unavailable(error.sentence, status=error.status) from error

    async def remove_upload(self, remote_id: str) -> bool:
        """Answered with 200 whether or not the file was there; orders that use it already go on (/files)."""
        await self._calls.remove(f"/v1/files/{checked_id(remote_id)}")
        return True

    async def styles(self) -> Sequence[StyleReport]:
        pages = self._calls.pages("/v1/loras", "starting_after", self._read_styles, PAGES_CAP)
        return tuple([style async for page in pages for style in page])

    async def loras(self) -> Sequence[TrainingReport]:
        return [report for report in await self.characters() if report.progress not in _GONE]

    def _read_made(self, answer: Response) -> GenerationReport:
        return parse_generation(answer.body, self._calls.base_url, read_trace(answer))

    def _read_generations(self, answer: Response) -> tuple[list[GenerationReport], str | None]:
        return parse_generations(answer.body, self._calls.base_url)

    def _read_styles(self, answer: Response) -> tuple[list[StyleReport], str | None]:
        return parse_styles(answer.body, self._calls.base_url)
