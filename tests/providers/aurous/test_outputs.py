from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.errors import FetchError, FileGone
from bot.photos.filetypes import identify
from bot.photos.hosts import TrustedHosts
from bot.photos.intake import Fetcher, Spool
from bot.providers.aurous.client import Aurous
from bot.sandbox.aurous.records import ImageFault
from bot.sandbox.aurous.server import RehearsalAurous
from bot.sandbox.aurous.switches import OutputMode
from bot.sandbox.rehearsal.faults import Fault
from tests.providers.sample_orders import make_generation_order

LIMIT_BYTES = 50_000_000


@pytest.fixture
async def fetcher(aurous_server: RehearsalAurous) -> AsyncIterator[Fetcher]:
    aurous_server.faults.answers.picture_side_cap_px = 64
    async with Fetcher(TrustedHosts.of([aurous_server.base_url], [])) as fetcher:
        yield fetcher


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path / "spool")


async def make_picture(aurous: Aurous) -> str:
    submitted = await aurous.submit_generation(make_generation_order())
    (url,) = (await aurous.generation(submitted.request_id)).image_urls
    return url


@pytest.mark.parametrize("mode", list(OutputMode))
@pytest.mark.parametrize("relative_urls", [False, True])
async def test_pictures_are_fetched_without_the_key_straight_and_by_redirect(
    aurous: Aurous,
    aurous_server: RehearsalAurous,
    fetcher: Fetcher,
    spool: Spool,
    mode: OutputMode,
    relative_urls: bool,
) -> None:
    aurous_server.faults.answers.output_mode = mode
    aurous_server.faults.answers.relative_urls = relative_urls
    url, asked = await make_picture(aurous), len(aurous_server.requests)

    received = await fetcher.fetch(url, limit=LIMIT_BYTES, into=spool)

    assert identify(spool.path(received.file).read_bytes()[:64]) == "jpeg"
    fetches = aurous_server.requests[asked:]
    assert len(fetches) == (1 if mode is OutputMode.BYTES else 2)
    assert not any(request.had_key for request in fetches)


async def test_expired_pictures_are_gone_for_good(
    aurous: Aurous, aurous_server: RehearsalAurous, fetcher: Fetcher, spool: Spool
) -> None:
    aurous_server.faults.images.append(ImageFault.GONE)
    url = await make_picture(aurous)

    with pytest.raises(FileGone):
        await fetcher.fetch(url, limit=LIMIT_BYTES, into=spool)


async def test_pictures_that_are_not_there_yet_may_be_asked_for_again(
    aurous: Aurous, aurous_server: RehearsalAurous, fetcher: Fetcher, spool: Spool
) -> None:
    url = await make_picture(aurous)
    aurous_server.faults.next("GET /v1/images/{id}/output/{number}", Fault.answer(422))

    with pytest.raises(FetchError) as caught:
        await fetcher.fetch(url, limit=LIMIT_BYTES, into=spool)

    assert type(caught.value) is FetchError
    assert "token" not in str(caught.value)
