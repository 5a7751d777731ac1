"""/styles: the gallery, its pages before and after a restart, and ordering in a style."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from simcord.components import walk_components
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.loras.styles import Catalogue, Order
from bot.records.guild import Actor
from bot.records.key import ProviderName
from bot.records.lora import Style
from bot.sandbox.rehearsal.faults import Fault
from bot.storage.jobs import styles
from cogs.generation.cards import PAGE, searchable, styles_card
from cogs.ui.buttons import ActionButton
from cogs.ui.words import TEXT_MAX
from tests.cogs.markdown import alive, shapes
from tests.cogs.simulated_guild import (
    BUTTON,
    TEXT_DISPLAY,
    Message,
    Stage,
    answer_to,
    board_of,
    buttons_of,
    fields_of,
    text_of,
    tree_of,
    until,
)
from tests.fakes.clock import NOON

THUMBNAIL = 11
COMPONENTS_MAX, CUSTOM_ID_MAX = 40, 100
"""Discord /docs/components/reference."""


async def catalogue_of(stage: Stage, member_id: int) -> list[Style]:
    return list(await stage.world.darkroom.services.styles.of_guild(Actor(stage.world.guild.id, member_id)))


async def wait_for_catalogue(stage: Stage) -> list[Style]:
    found: list[Style] = []

    async def look() -> None:
        found[:] = await catalogue_of(stage, stage.ben.id)

    await until(lambda: found, look)
    return found


@pytest.fixture
async def browsable(stage: Stage) -> Stage:
    """The catalogue of Aurous Labs has been fetched."""
    await stage.set_aurous_key()
    await wait_for_catalogue(stage)
    return stage


def previews_in(message: Message) -> list[str]:
    shown = [part for part in walk_components(tree_of(message)) if part.get("type") == THUMBNAIL]
    return [part["description"] for part in shown]


def uses_in(message: Message) -> list[str]:
    """The custom ids of the buttons that use a style, from top to bottom."""
    buttons = [part for part in walk_components(tree_of(message)) if part.get("type") == BUTTON]
    return [button["custom_id"] for button in buttons if button["label"] == "Use this style"]


async def test_without_a_key_one_sentence_says_what_an_admin_does(stage: Stage) -> None:
    answered = answer_to(await stage.use(stage.ben, "styles"))
    assert answered == "This server has no Aurous Labs key yet. Ask an admin to run `/keys set`."


async def test_the_gallery_shows_picture_description_defaults_and_marks_of_each_style(browsable: Stage) -> None:
    shown = board_of(await browsable.use(browsable.ben, "styles"))
    text, first = text_of(shown), (await catalogue_of(browsable, browsable.ben.id))[0]
    assert f"30 styles, page 1 of {30 // PAGE}" in text
    assert (len(previews_in(shown)), len(uses_in(shown))) == (PAGE, PAGE)
    assert previews_in(shown)[0] == f"An example of the style {first.name}"
    assert f"**{first.name}**\n“{first.description}”" in text
    assert first.denoise is not None
    assert f"-# Draws with change {first.denoise:g}" in text
    assert "🌍 public" in text


async def test_a_search_shows_what_fits_best_first(browsable: Stage) -> None:
    shown = board_of(await browsable.use(browsable.ben, "styles", search=" watercolor  "))
    assert "1 style for **watercolor**" in text_of(shown)
    assert "✍️ adds its own wording to your prompt" in text_of(shown)
    assert list(buttons_of(shown)) == ["Use this style"]
    nothing = answer_to(await browsable.use(browsable.ben, "styles", search="@everyone zzz"))
    assert "No style fits **\\@\u200beveryone zzz**. `/styles` alone shows all." in nothing


async def test_pages_turn_after_a_restart_and_the_search_stays(browsable: Stage) -> None:
    shown = board_of(await browsable.use(browsable.ben, "styles", search="in"))
    matches = [
        style.name
        for style in await browsable.world.darkroom.services.styles.search(
            "in", Actor(browsable.world.guild.id, browsable.ben.id)
        )
    ]
    assert len(matches) > PAGE
    await browsable.restart()
    turned = await browsable.ben.click(shown, label="Next")
    page = turned.response or shown
    assert all(f"**{name}**" in text_of(page) for name in matches[PAGE : PAGE * 2])
    assert "for **in**" in text_of(page)
    back = await browsable.ben.click(page, label="Previous")
    assert f"**{matches[0]}**" in text_of(back.response or page)


async def test_use_this_style_opens_a_form_and_its_order_is_made_in_that_style(browsable: Stage) -> None:
    shown = board_of(await browsable.use(browsable.ben, "styles", search="starlit"))
    opened = await browsable.ben.click(shown, label="Use this style")
    assert opened.modal is not None
    assert opened.modal["title"] == "A picture in the style Starlit"
    answered = await browsable.submit_fields(browsable.ben, opened, "a fox", *[None] * (len(fields_of(opened)) - 1))
    assert "with **Starlit**" in answer_to(answered)
    await browsable.posted("Pictures #1 · AI-generated")
    assert [image.styles[0].name for image in browsable.world.aurous.images.values()] == ["Starlit"]


async def test_a_retired_style_is_shown_as_retired_and_cannot_be_used_any_more(browsable: Stage) -> None:
    shown = board_of(await browsable.use(browsable.ben, "styles", search="starlit"))
    [style] = [style for style in await catalogue_of(browsable, browsable.ben.id) if style.name == "Starlit"]
    browsable.world.aurous.retire_style("starlit")
    await browsable.set_aurous_key()

    async def look() -> None:
        retired.extend(style for style in await catalogue_of(browsable, browsable.ben.id) if style.retired_at)

    retired: list[Style] = []
    await until(lambda: retired, look)
    pressed = answer_to(await browsable.press_id(browsable.ben, f"dr:style:use:{style.id}"))
    assert pressed == "Aurous Labs no longer offers the style **Starlit**. `/styles` shows the others."
    again = board_of(await browsable.use(browsable.ben, "styles", search="starlit"))
    assert "⚠️ retired: Aurous Labs no longer offers it" in text_of(again)
    assert (uses_in(shown), uses_in(again)) == ([f"dr:style:use:{style.id}"], [])


async def test_a_button_with_another_servers_style_finds_none(browsable: Stage) -> None:
    columns = {"lora_foreign": {"name": "Foreign", "description": "", "has_template": False, "is_public": True}}

    async def transaction(connection: AsyncConnection) -> int:
        await styles.replace_all(connection, 1, ProviderName.AUROUS, columns, now=NOON)
        return (await styles.of_guild(connection, 1))[0].id

    foreign = await browsable.world.darkroom.database.write(transaction)
    for style_id in (foreign, 999_999):
        pressed = answer_to(await browsable.press_id(browsable.ben, f"dr:style:use:{style_id}"))
        assert pressed == "There is no such style here. `/styles` shows what there is."
    assert "No style fits **Foreign**" in answer_to(await browsable.use(browsable.ben, "styles", search="Foreign"))


async def test_a_page_of_an_older_longer_list_shows_the_last_one(browsable: Stage) -> None:
    turned = await browsable.press_id(browsable.ben, "dr:style:page:9999:")
    assert turned.response is not None
    assert f"page {30 // PAGE} of {30 // PAGE}" in text_of(turned.response)


async def test_a_catalogue_on_its_way_is_shown_when_pressed_again(stage: Stage) -> None:
    stage.world.aurous.faults.next("GET /v1/loras", Fault.hang())
    await stage.set_aurous_key()
    await until(lambda: "/v1/loras" in [request.path for request in stage.world.aurous.requests])
    waiting = board_of(await stage.use(stage.ben, "styles"))
    assert "The list is being fetched from Aurous Labs" in text_of(waiting)
    stage.world.aurous.release()
    await wait_for_catalogue(stage)
    shown = await stage.ben.click(waiting, label="Show")
    assert "30 styles" in text_of(shown.response or waiting)


EVIL = st.just("**@everyone** <@1>` <#2> `")
NAMES, TEXTS = EVIL | st.text(min_size=1, max_size=120), EVIL | st.text(max_size=1000)
STYLES = st.builds(
    Style,
    id=st.integers(1, 10**12),
    guild_id=st.just(1),
    provider=st.just(ProviderName.AUROUS),
    remote_id=st.just("lora_1"),
    slug=st.none(),
    name=NAMES,
    description=TEXTS,
    preview_url=st.none() | st.just("https://cdn.example/a.jpg"),
    denoise=st.none() | st.floats(0, 1),
    guidance=st.none() | st.floats(0.1, 30),
    steps=st.none() | st.integers(1, 100),
    has_template=st.booleans(),
    is_public=st.booleans(),
    retired_at=st.none() | st.just(NOON),
    created_at=st.none() | st.just(NOON),
)


@given(st.lists(STYLES, max_size=12), TEXTS, st.integers(0, 9999), st.booleans(), st.sampled_from(Order))
def test_every_page_is_one_that_discord_takes_and_nothing_in_it_comes_alive(
    listed: list[Style], typed: str, page: int, is_loaded: bool, order: Order
) -> None:
    layout = styles_card(Catalogue(listed, is_loaded or bool(listed), order), searchable(typed), page)
    tree = layout.to_components()
    parts = list(walk_components(tree))
    assert layout.total_children_count <= COMPONENTS_MAX
    texts = [part["content"] for part in parts if part["type"] == TEXT_DISPLAY]
    assert sum(map(len, texts)) <= TEXT_MAX
    custom_ids = [part["custom_id"] for part in parts if part["type"] == BUTTON]
    assert all(len(custom_id.encode("utf-16-le")) // 2 <= CUSTOM_ID_MAX for custom_id in custom_ids)
    words = re.sub(r"added <t:\d+:D>", "", "\n".join(texts))
    assert {kind for kind, _ in shapes(words)} <= {"bold", "line", "code"}
    assert alive(words) == []


async def test_the_newest_come_first_on_every_page_after_a_restart_too(browsable: Stage) -> None:
    """Mutant: with the usual action on the page's buttons the second page is sorted by name again."""
    known = await catalogue_of(browsable, browsable.ben.id)
    newest = sorted(known, key=lambda style: style.created_at or NOON, reverse=True)
    shown = board_of(await browsable.use(browsable.ben, "styles", sort="newest"))
    assert ", newest first" in text_of(shown)
    assert uses_in(shown) == [f"dr:style:use:{style.id}" for style in newest[:PAGE]]
    await browsable.restart()
    second = board_of(await browsable.ben.click(shown, label="Next"))
    assert uses_in(second) == [f"dr:style:use:{style.id}" for style in newest[PAGE : 2 * PAGE]]
    by_name = board_of(await browsable.ben.click(second, label="By name"))
    assert uses_in(by_name) == [f"dr:style:use:{style.id}" for style in known[:PAGE]]
    again = board_of(await browsable.ben.click(by_name, label="Newest first"))
    assert uses_in(again) == uses_in(shown)


@given(st.text(max_size=100), st.integers(0, 9999))
def test_page_and_search_come_back_out_of_the_custom_id(typed: str, page: int) -> None:
    search = searchable(typed)
    button = ActionButton("style", "page", page, words=search)
    match = ActionButton.__discord_ui_compiled_template__.fullmatch(button.custom_id)
    assert match is not None
    assert (int(match["id"]), match["words"]) == (page, search)
