"""Upkeep of keys: a guild's styles and LoRAs follow the provider, and half an answer changes nothing."""

import asyncio
from datetime import timedelta
from string import printable

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from bot.keys.steps import FRESH, URL_MAX, columns_of
from bot.providers.base import StyleReport
from bot.records.guild import Actor, Place, PlaceKind
from bot.records.job import LaneName
from bot.records.key import ApiKeyRow, ProviderName
from bot.records.lora import Style
from bot.records.post import PostKind
from bot.sandbox.apiframe.state import make_id
from bot.sandbox.rehearsal.faults import Fault
from bot.storage import tables
from bot.storage.jobs import styles as style_rows
from tests.fakes.clock import NOON
from tests.fakes.rows import ADMIN, ANNA, GUILD, OTHER_GUILD, add_lora
from tests.fakes.studio import AUROUS_KEY, OTHER_AUROUS_KEY, Studio
from tests.fakes.waiting import eventually

AUROUS = ProviderName.AUROUS
STYLES, LORAS, CHARACTERS = "GET /v1/loras", "GET /v2/loras", "GET /v1/characters"
ATTEMPTS = 3
"""How often a read is tried before it has failed."""
FIRST_PAGE = b'{"data": [{"id": "lora_first", "name": "First"}], "has_more": true, "next_cursor": "lora_first"}'
PUBLIC_URL = "http://127.0.0.1:9"


async def key_of(studio: Studio, key_id: int) -> ApiKeyRow:
    row = await studio.keys.get(key_id)
    assert row is not None
    return row


async def aurous_key(studio: Studio, api_key: str = AUROUS_KEY, *, guild_id: int = GUILD) -> int:
    return (await studio.keys.set(guild_id, AUROUS, api_key, set_by=ADMIN)).row.id


async def fetched(studio: Studio) -> int:
    """A key whose catalogue has been read."""
    key_id = await aurous_key(studio)
    await studio.settle(LaneName.KEYS)
    return key_id


async def names(studio: Studio, guild_id: int = GUILD) -> set[str]:
    """Of the styles that may be used."""
    found = await studio.styles.of_guild(Actor(guild_id, ANNA))
    return {style.name for style in found if style.retired_at is None}


async def style_called(studio: Studio, name: str) -> Style:
    return next(style for style in await studio.styles.of_guild(Actor(GUILD, ANNA)) if style.name == name)


async def missing(studio: Studio) -> list[int]:
    return await studio.scalars(sa.select(tables.loras.c.id).where(tables.loras.c.missing_since.is_not(None)))


def asked(studio: Studio, route: str) -> int:
    """How often the providers were asked for it."""
    seen = [f"{each.method} {each.path}" for each in studio.server.requests]
    return [*seen, *(f"{each.method} {each.path}" for each in studio.aurous.requests)].count(route)


async def test_a_new_key_brings_its_catalogue_at_once_and_again_every_six_hours(studio: Studio) -> None:
    key_id = await fetched(studio)
    assert await names(studio) == {style.name for style in studio.aurous.styles}
    assert (await key_of(studio, key_id)).checked_at == studio.clock.now()
    studio.aurous.add_style("Brand New")
    await studio.pass_time(studio.timings.sync - timedelta(seconds=1), LaneName.KEYS)
    assert "Brand New" not in await names(studio)
    await studio.pass_time(timedelta(seconds=1), LaneName.KEYS)
    assert "Brand New" in await names(studio)


async def test_a_style_that_is_no_longer_listed_retires_keeps_its_id_and_may_come_back(studio: Studio) -> None:
    await fetched(studio)
    before = await style_called(studio, "Neon Alley")
    studio.aurous.retire_style("neon-alley")
    await studio.pass_time(studio.timings.sync, LaneName.KEYS)
    assert (await style_called(studio, "Neon Alley")).retired_at is None
    await studio.pass_time(studio.timings.backoff_first * 2, LaneName.KEYS)
    assert (await style_called(studio, "Neon Alley")).retired_at == studio.clock.now()
    studio.aurous.style(before.remote_id).is_active = True
    await studio.pass_time(studio.timings.sync, LaneName.KEYS)
    after = await style_called(studio, "Neon Alley")
    assert (after.id, after.retired_at) == (before.id, None)


async def test_a_list_that_fails_half_way_retires_nothing_and_is_read_again_soon(studio: Studio) -> None:
    key_id = await fetched(studio)
    before = await names(studio)
    first_page = Fault.answer(200, body=FIRST_PAGE)
    studio.aurous.faults.next(STYLES, first_page, *[Fault.answer(503)] * ATTEMPTS)
    await studio.pass_time(studio.timings.sync, LaneName.KEYS)
    assert await names(studio) == before
    assert (await key_of(studio, key_id)).checked_at == studio.clock.now() - studio.timings.sync
    await studio.pass_time(studio.timings.backoff_first * 2, LaneName.KEYS)
    assert (await key_of(studio, key_id)).checked_at == studio.clock.now()
    assert (await key_of(studio, key_id)).attempt == 0


async def test_a_list_that_lacks_a_style_once_retires_nothing(studio: Studio) -> None:
    await fetched(studio)
    before = await names(studio)
    page = b'[{"id": "lora_only", "name": "Only"}]'
    studio.aurous.faults.next(STYLES, Fault.answer(200, body=page))
    await studio.pass_time(studio.timings.sync, LaneName.KEYS)
    assert await names(studio) == before
    await studio.pass_time(studio.timings.backoff_first * 2, LaneName.KEYS)
    assert await names(studio) == before


@pytest.mark.parametrize("body", [b"[]", b'{"data": [], "has_more": false, "next_cursor": null}', b"{", b'[{"id": 7}]'])
async def test_an_empty_or_unreadable_list_retires_nothing(studio: Studio, body: bytes) -> None:
    await fetched(studio)
    before = await names(studio)
    studio.aurous.faults.next(STYLES, *[Fault.answer(200, body=body)] * ATTEMPTS)
    await studio.pass_time(studio.timings.sync, LaneName.KEYS)
    assert await names(studio) == before


async def test_a_provider_that_asks_for_patience_gets_it(studio: Studio) -> None:
    studio.aurous.faults.next(STYLES, Fault.rate_limited("300"))
    await fetched(studio)
    before = asked(studio, STYLES)
    await studio.pass_time(timedelta(seconds=299), LaneName.KEYS)
    assert (await names(studio), asked(studio, STYLES)) == (set(), before)
    await studio.pass_time(timedelta(seconds=1), LaneName.KEYS)
    assert await names(studio) != set()


async def test_pauses_grow_while_the_provider_is_down(studio: Studio) -> None:
    studio.aurous.faults.next(STYLES, *[Fault.answer(503)] * ATTEMPTS * 3)
    key_id = await fetched(studio)
    for attempt in (1, 2):
        assert (await key_of(studio, key_id)).attempt == attempt
        await studio.pass_time(studio.timings.backoff_first * 2**attempt, LaneName.KEYS)
    assert (await key_of(studio, key_id)).attempt == 3


async def test_a_guild_sees_the_styles_of_its_own_key_only(studio: Studio) -> None:
    studio.aurous.make_style_private("deep-sea", OTHER_AUROUS_KEY)
    await fetched(studio)
    await aurous_key(studio, OTHER_AUROUS_KEY, guild_id=OTHER_GUILD)
    await studio.settle(LaneName.KEYS)
    assert "Deep Sea" not in await names(studio)
    assert "Deep Sea" in await names(studio, OTHER_GUILD)
    ours = {style.id for style in await studio.styles.of_guild(Actor(GUILD, ANNA))}
    theirs = {style.id for style in await studio.styles.of_guild(Actor(OTHER_GUILD, ANNA))}
    assert ours.isdisjoint(theirs)


async def test_a_lora_that_vanished_at_the_provider_is_marked_until_it_is_back(studio: Studio) -> None:
    await studio.set_key()
    kept, lost = await studio.lora(), await studio.lora()
    taken = studio.server.loras.pop(lost.remote_id)
    await studio.settle(LaneName.KEYS)
    assert await missing(studio) == [lost.id]
    studio.server.loras[taken.id] = taken
    await studio.pass_time(studio.timings.sync, LaneName.KEYS)
    assert await missing(studio) == []
    assert (await studio.loras.get_for(kept.id, Actor(GUILD, ANNA))).missing_since is None


async def test_when_it_was_first_missed_stays(studio: Studio) -> None:
    await studio.set_key()
    await studio.lora()
    lost = await add_lora(studio.database, 5, remote_id=make_id())
    await studio.settle(LaneName.KEYS)
    noticed_at = studio.clock.now()
    await studio.pass_time(studio.timings.sync, LaneName.KEYS)
    assert await studio.scalars(sa.select(tables.loras.c.missing_since).where(tables.loras.c.id == lost)) == [
        noticed_at
    ]


async def test_only_loras_in_use_of_this_guild_and_provider_are_compared(studio: Studio) -> None:
    await studio.set_key()
    await studio.lora()
    archived = await add_lora(studio.database, 5, archived_at=studio.clock.now())
    foreign = await add_lora(studio.database, 6, remote_id=make_id(), guild_id=OTHER_GUILD)
    character = await add_lora(studio.database, 7, provider=AUROUS)
    gone = await add_lora(studio.database, 8, remote_id=make_id())
    await studio.settle(LaneName.KEYS)
    assert await missing(studio) == [gone]
    assert {archived, foreign, character}.isdisjoint(await missing(studio))


async def test_a_list_of_loras_that_fails_marks_nothing(studio: Studio) -> None:
    await studio.set_key()
    await studio.lora()
    gone = await add_lora(studio.database, 5, remote_id=make_id())
    studio.server.faults.next(LORAS, *[Fault.answer(503)] * ATTEMPTS)
    await studio.settle(LaneName.KEYS)
    assert await missing(studio) == []
    await studio.pass_time(studio.timings.backoff_first * 2, LaneName.KEYS)
    assert await missing(studio) == [gone]


async def test_an_empty_list_of_loras_is_believed_only_when_one_of_them_is_really_gone(studio: Studio) -> None:
    await studio.set_key()
    lora = await studio.lora()
    nothing = b'{"success": true, "data": [], "loras": [], "nextCursor": null}'
    studio.server.faults.next(LORAS, *[Fault.answer(200, body=nothing)] * ATTEMPTS)
    await studio.settle(LaneName.KEYS)
    assert await missing(studio) == []
    studio.server.loras.clear()
    await studio.pass_time(studio.timings.sync, LaneName.KEYS)
    assert await missing(studio) == [lora.id]


async def test_a_list_that_lacks_a_lora_which_is_there_is_not_believed(studio: Studio) -> None:
    await studio.set_key()
    there = await studio.lora()
    lost = await add_lora(studio.database, 5, remote_id=make_id())
    page = b'{"items": [], "nextCursor": null}'
    studio.server.faults.next(LORAS, Fault.answer(200, body=page))
    await studio.settle(LaneName.KEYS)
    assert await missing(studio) == []
    await studio.pass_time(studio.timings.backoff_first * 2, LaneName.KEYS)
    assert await missing(studio) == [lost]
    assert (await studio.loras.get_for(there.id, Actor(GUILD, ANNA))).missing_since is None


async def test_a_lora_made_while_the_provider_is_asked_is_not_missing(studio: Studio) -> None:
    await studio.set_key()
    await studio.lora()
    studio.server.faults.next(LORAS, Fault.hang())
    looking = asyncio.create_task(studio.settle(LaneName.KEYS))
    await eventually(lambda: asked(studio, LORAS) == 1)
    made = await add_lora(studio.database, 9, remote_id=make_id())
    studio.server.faults.routes.release()
    await looking
    assert made not in await missing(studio)


async def test_the_list_of_loras_is_not_read_for_a_guild_without_any(studio: Studio) -> None:
    await studio.set_key()
    await studio.settle(LaneName.KEYS)
    assert asked(studio, LORAS) == 0


async def test_a_key_that_is_refused_is_paused_its_admin_told_and_the_provider_left_alone(studio: Studio) -> None:
    key_id = await fetched(studio)
    studio.aurous.faults.revoked_keys.add(AUROUS_KEY)
    before = await names(studio)
    await studio.pass_time(studio.timings.sync, LaneName.KEYS)
    await studio.outlast(studio.timings.key_doubted, LaneName.KEYS)
    assert (await key_of(studio, key_id)).paused_at is not None
    [post] = await studio.posts_of(PostKind.KEY_PAUSED)
    assert (post.user_id, post.places) == (ADMIN, (Place(PlaceKind.USER, ADMIN),))
    count = asked(studio, STYLES)
    await studio.sync.soon(GUILD)
    await studio.pass_time(studio.timings.sync * 3, LaneName.KEYS)
    assert (asked(studio, STYLES), await names(studio)) == (count, before)


async def test_a_key_that_cannot_be_opened_is_left_for_later(studio: Studio) -> None:
    key_id = await aurous_key(studio)
    await studio.change(tables.api_keys, key_id, sealed=b"damaged")
    await studio.settle(LaneName.KEYS)
    row = await key_of(studio, key_id)
    assert (row.checked_at, row.paused_at, asked(studio, STYLES)) == (None, None, 0)


async def test_a_catalogue_is_asked_for_again_only_when_it_is_not_fresh(studio: Studio) -> None:
    await fetched(studio)
    count = asked(studio, STYLES)
    studio.clock.advance(FRESH - timedelta(seconds=1))
    await studio.sync.soon(GUILD)
    await studio.settle(LaneName.KEYS)
    assert asked(studio, STYLES) == count
    await studio.pass_time(timedelta(seconds=1), LaneName.KEYS)
    await studio.sync.soon(OTHER_GUILD)
    await studio.settle(LaneName.KEYS)
    assert asked(studio, STYLES) == count
    await studio.sync.soon(GUILD)
    await studio.settle(LaneName.KEYS)
    assert asked(studio, STYLES) > count


async def test_nobody_hurries_a_provider_that_is_down(studio: Studio) -> None:
    studio.aurous.faults.next(STYLES, *[Fault.answer(503)] * ATTEMPTS)
    await fetched(studio)
    count = asked(studio, STYLES)
    await studio.sync.soon(GUILD)
    await studio.settle(LaneName.KEYS)
    assert asked(studio, STYLES) == count


async def test_steps_registers_the_endpoint_and_a_removed_key_takes_it_down(studio: Studio) -> None:
    studio.public_url = PUBLIC_URL
    await fetched(studio)
    assert [endpoint.url.startswith(PUBLIC_URL) for endpoint in studio.aurous.endpoints.values()] == [True]
    await studio.keys.remove(GUILD, AUROUS)
    await studio.settle(LaneName.KEYS)
    assert studio.aurous.endpoints == {}
    assert await studio.scalars(sa.select(tables.api_keys.c.id)) == []


async def test_a_removed_key_is_shredded_although_the_provider_is_down(studio: Studio) -> None:
    studio.public_url = PUBLIC_URL
    await fetched(studio)
    studio.aurous.faults.next("DELETE /v1/webhook_endpoints/{id}", *[Fault.answer(503)] * ATTEMPTS)
    await studio.keys.remove(GUILD, AUROUS)
    await studio.settle(LaneName.KEYS)
    assert await studio.scalars(sa.select(tables.api_keys.c.id)) == []


async def test_a_key_removed_during_a_comparison_changes_nothing_any_more(studio: Studio) -> None:
    await aurous_key(studio)
    studio.aurous.faults.next(STYLES, Fault.hang())
    looking = asyncio.create_task(studio.settle(LaneName.KEYS))
    await eventually(lambda: asked(studio, STYLES) == 1)
    await studio.keys.remove(GUILD, AUROUS)
    studio.aurous.release()
    await looking
    assert await names(studio) == set()
    await studio.pass_time(studio.timings.lease, LaneName.KEYS)
    assert await studio.scalars(sa.select(tables.api_keys.c.id)) == []


NUMBERS = st.none() | st.floats(allow_nan=False) | st.integers()
TEXTS = st.text(max_size=1200)
REPORTS = st.builds(
    StyleReport,
    remote_id=st.text(printable, min_size=1, max_size=100),
    name=TEXTS,
    slug=st.none() | TEXTS,
    description=TEXTS,
    preview_url=st.none() | TEXTS | st.just("https://cdn.example/a.jpg") | st.just("https://a/" + "b" * URL_MAX),
    denoise=NUMBERS,
    guidance=NUMBERS,
    steps=st.none() | st.integers(),
)


@given(st.lists(REPORTS, max_size=5))
def test_whatever_a_provider_lists_fits_into_the_columns(reports: list[StyleReport]) -> None:
    columns = columns_of(reports)
    assert set(columns) == {report.remote_id for report in reports if len(report.remote_id) <= 80}
    for style in columns.values():
        assert len(style["name"]) <= style_rows.TEXT_MAX
        assert len(style["slug"] or "") <= style_rows.TEXT_MAX
        assert style["preview_url"] is None or " " not in style["preview_url"]
        assert len(style["preview_url"] or "") <= URL_MAX
        assert style["denoise"] is None or 0 <= style["denoise"] <= 1
        assert style["guidance"] is None or 0.1 <= style["guidance"] <= 30
        assert style["steps"] is None or 1 <= style["steps"] <= 100


def test_a_good_style_is_taken_over_as_it_is() -> None:
    report = StyleReport(
        "lora_1", "Ink", "ink", "Brush and ink.", "https://cdn.example/a.jpg", 0.4, 7.5, 30, True, False, NOON
    )
    assert columns_of([report]) == {
        "lora_1": {
            "name": "Ink",
            "slug": "ink",
            "description": "Brush and ink.",
            "preview_url": "https://cdn.example/a.jpg",
            "denoise": 0.4,
            "guidance": 7.5,
            "steps": 30,
            "has_template": True,
            "is_public": False,
            "created_at": NOON,
        }
    }
