"""T25: addresses that lead into the operator's network, in every spelling, wherever an address is taken from others."""

import contextlib
import itertools
import random
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any

import pytest
from aiohttp.abc import ResolveResult
from pydantic import ValidationError
from yarl import URL

from bot.config import Settings
from bot.errors import FetchError, ProviderError, UserError
from bot.generation.order import PictureOrder
from bot.network.resolver import GuardedResolver
from bot.photos.hosts import TrustedHosts
from bot.providers.aurous import calls
from bot.records.dataset import SubjectKind, Upload
from bot.records.generation import GenerationSettings
from bot.records.key import ProviderName
from bot.sandbox.apiframe.images import ImageRoutes as ApiframeImages
from bot.sandbox.aurous.context import Context as AurousContext
from bot.sandbox.aurous.images import ImageRoutes as AurousImages
from bot.sandbox.rehearsal.faults import Fault
from tests.fakes.rows import ANNA, GUILD
from tests.fakes.sockets import WatchedSockets, watch_sockets
from tests.fakes.studio import AUROUS_KEY, Studio
from tests.generation.picture_orders import add_style, place, set_aurous_key
from tests.providers.sample_orders import make_photos, make_training_order
from tests.trust.row import Row, Score
from tests.trust.studios import fresh_studio

OUTSIDE = "162.159.129.233"
"""Where the trusted names lead as long as nobody lies."""
TRUTH = (OUTSIDE, 443)
LIES = (["127.0.0.1"], ["10.0.0.7"], [OUTSIDE, "10.0.0.7"], ["::1"], ["::ffff:169.254.169.254"], ["fe80::1"], [OUTSIDE])
NUMBERS = (
    "127.0.0.1",
    "127.1",
    "127.0.1",
    "2130706433",
    "017700000001",
    "0177.0.0.1",
    "0x7f.0.0.1",
    "0x7f000001",
    "0x7F.1",
    "127.0.0.1.",
    "127.000.000.001",
    "0.0.0.0",  # noqa: S104 an address to refuse
    "0",
    "10.0.0.7",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "169.254.169.254",
    "2852039166",
    "0xa9fea9fe",
    "224.0.0.1",
    "255.255.255.255",
    "[::1]",
    "[::]",
    "[0:0:0:0:0:0:0:1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::ffff:169.254.169.254]",
    "[64:ff9b::7f00:1]",
    "[2002:7f00:1::]",
    "[fe80::1]",
    "[fe80::1%25eth0]",
    "[fd00::1]",
    "①②⑦.⓪.⓪.①",
    "127。0。0。1",
)
NAMES = (
    "localhost",
    "LOCALHOST.",
    "inside.example",
    "metadata.google.internal",
    "127.0.0.1.nip.example",
    "cdn.discordapp.com.inside.example",
    "evilapiframe.ai",
    "bücher.example",
    "ⓛocalhost",
    "cdn.discordapp.com.",
    "cdn.discordapp.com:8443",
    "user:password@cdn.discordapp.com",
    "cdn.discordapp.com@10.0.0.7",
    "cdn.discordapp.com%40@10.0.0.7",
    "10.0.0.7#@cdn.discordapp.com",
    "10.0.0.7\\@cdn.discordapp.com",
    "10.0.0.7?.discordapp.com",
)
WHOLE = (
    "http://cdn.discordapp.com/photo.png",
    "file:///etc/passwd",
    "gopher://10.0.0.7:6379/_INFO",
    "ftp://10.0.0.7/photo.png",
    "data:image/png;base64,iVBORw0KGgo=",
    "//10.0.0.7/photo.png",
    "https:10.0.0.7/photo.png",
    "https:///10.0.0.7/photo.png",
    "http://10.0.0.7:6379/photo.png",
)
CHANGING = tuple(f"https://host-{number}.apiframe.ai/photo.png" for number in range(len(LIES)))
"""Trusted names that lead to one of LIES each."""
SPELLINGS = (*(f"https://{host}/photo.png" for host in (*NUMBERS, *NAMES)), *WHOLE, *CHANGING)
PICTURES_EACH = 4

Urls = Sequence[str]


def look_up(name: str) -> Sequence[str]:
    """Whatever is not of a trusted host leads inside, too."""
    name = name.rstrip(".").lower()
    number = name.removeprefix("host-").removesuffix(".apiframe.ai")
    if number.isdigit():
        return LIES[int(number)]
    return [OUTSIDE] if name in {"cdn.discordapp.com", "media.discordapp.net"} else ["10.0.0.7"]


async def give_photos(studio: Studio, urls: Urls) -> None:
    board = await studio.datasets.board(await studio.dataset(count=0), guild_id=GUILD, user_id=ANNA)
    photos = await studio.datasets.examine(board.dataset, [Upload("photo.png", url, 1000) for url in urls])
    assert all(photo.file is None for photo in photos)


async def give_references(studio: Studio, urls: Urls) -> None:
    for url in urls:
        with contextlib.suppress(UserError):
            await studio.orders._references.take_in([Upload("photo.png", url, 1000)])


async def follow_redirects(studio: Studio, urls: Urls) -> None:
    """From a place that may be fetched from, at the first step or the third."""
    start = f"{studio.server.base_url}/images/photo.png"
    for number, url in enumerate(url for url in urls if url.isascii()):
        steps = [start] * (number % 3) + [url]
        faults = [Fault.answer(302, headers={"Location": step}) for step in steps]
        studio.server.faults.next("GET /images/{name}", *faults)
        with contextlib.suppress(FetchError):
            await studio.opened.fetcher.fetch(start, limit=1000, into=studio.spool)


async def order_of_apiframe(studio: Studio, urls: Urls) -> None:
    lora, results = await studio.lora(), _results(urls)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ApiframeImages, "urls", lambda _self, job: results[job.id])
        await _order(studio, len(urls), lambda: studio.order(lora, count=PICTURES_EACH))


async def order_of_aurous(studio: Studio, urls: Urls) -> None:
    await set_aurous_key(studio)
    style_id, results = await add_style(studio), _results(urls)
    order = PictureOrder("a fox", GenerationSettings(count=PICTURES_EACH), style_id=style_id)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(AurousImages, "output_urls", lambda _self, image: results[image.id])
        await _order(studio, len(urls), lambda: place(studio, order))


def _results(urls: Urls) -> dict[str, list[str]]:
    """For each job another few, by its id."""
    left = _portions(urls)
    return defaultdict(lambda: next(left))


def _portions(urls: Urls) -> Iterator[list[str]]:
    return (list(urls[first : first + PICTURES_EACH]) for first in range(0, len(urls), PICTURES_EACH))


async def _order(studio: Studio, count: int, order: Callable[[], Awaitable[object]]) -> None:
    """Ask for so many pictures, and again for those that do not come."""
    for _ in range(0, count, PICTURES_EACH):
        await order()
    await studio.settle()
    for _ in range(3):
        await studio.outlast(studio.timings.picture_doubted)


async def send_photos(studio: Studio, urls: Urls) -> None:
    """The places that an answer names to send a character's photos to."""
    photos = make_photos(studio.folder, 1)
    order = make_training_order(photos, subject_kind=SubjectKind.CHARACTER)
    client = studio.opened.connect(ProviderName.AUROUS, AUROUS_KEY)
    for url in urls:
        with pytest.MonkeyPatch.context() as patch, contextlib.suppress(ProviderError):
            patch.setattr(AurousContext, "passing_url", lambda *_, url=url: url)
            await client.submit_training(order)


async def read_settings(_studio: Studio, urls: Urls) -> None:
    """What the operator sets is judged by its words alone."""
    for name, url in itertools.product(("public_url", "apiframe_url", "aurous_url", "proxy", "trusted_hosts"), urls):
        with contextlib.suppress(ValidationError):
            Settings.model_validate({f"darkroom_{name}": url.removesuffix("/photo.png")})


FIELDS: dict[str, Callable[[Studio, Urls], Awaitable[None]]] = {
    "photos": give_photos,
    "reference pictures": give_references,
    "redirects": follow_redirects,
    "pictures of Apiframe": order_of_apiframe,
    "pictures of Aurous Labs": order_of_aurous,
    "places to send photos to": send_photos,
    "settings": read_settings,
}


async def lead_inside(rounds: int, seed: int) -> Score:
    score, dice = Score(), random.Random(seed)
    for _ in range(rounds):
        async with fresh_studio(extra_hosts=()) as studio:
            await studio.set_key()
            servers = {
                (url.host or "", url.port or 0) for url in map(URL, (studio.server.base_url, studio.aurous.base_url))
            }
            for name, give in FIELDS.items():
                urls = dice.sample(SPELLINGS, len(SPELLINGS))
                with watch_sockets(WatchedSockets(look_up, servers)) as sockets:
                    await give(studio, urls)
                score.tried += len(urls)
                score.fired[name] += len(urls)
                score.fired["a trusted name that tells the truth"] += TRUTH in sockets.elsewhere
                score.bad[f"{name}: connections"] += sum(place != TRUTH for place in sockets.elsewhere)
    return score


def look_at_names_only(patch: pytest.MonkeyPatch) -> None:
    """Where a trusted name leads is never looked at."""

    async def resolve(self: GuardedResolver, host: str, port: int = 0, family: Any = 0) -> list[ResolveResult]:
        return await self._inner.resolve(host, port, family)

    patch.setattr(GuardedResolver, "resolve", resolve)


def trust_redirects(patch: pytest.MonkeyPatch) -> None:
    """Only the first address is looked at."""
    patch.setattr(TrustedHosts, "check_url", lambda *_: None)
    patch.setattr(TrustedHosts, "refusal", lambda *_: "")


def send_photos_anywhere(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(calls, "is_same_server", lambda *_: True)


ROW = Row(
    "T25",
    f"{len(SPELLINGS)} addresses that lead inside, in every field",
    "0 connections to what is not allowed",
    (1, 8),
    (*FIELDS, "a trusted name that tells the truth"),
    lead_inside,
    (look_at_names_only, trust_redirects, send_photos_anywhere),
)
