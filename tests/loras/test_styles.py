"""Finding a style: by letters of its name or description, never a retired one to order in, never another guild's."""

import pytest

from bot.errors import NoKey, NotFound, UserError
from bot.loras.styles import choice_label, choice_value, pick_from
from bot.records.guild import Actor
from bot.records.job import LaneName
from bot.records.key import ProviderName
from bot.records.lora import Style
from bot.sandbox.rehearsal.faults import Fault
from bot.text import CHOICES_MAX
from tests.fakes.clock import NOON
from tests.fakes.rows import ADMIN, ANNA, GUILD, OTHER_GUILD
from tests.fakes.studio import AUROUS_KEY, Studio
from tests.fakes.unlimited import set_unlimited_key

US, THEM = Actor(GUILD, ANNA), Actor(OTHER_GUILD, ANNA)


def style(
    name: str, description: str = "", *, style_id: int = 1, slug: str | None = None, retired: bool = False
) -> Style:
    return Style(
        id=style_id,
        guild_id=GUILD,
        provider=ProviderName.AUROUS,
        remote_id=f"lora_{style_id}",
        slug=slug,
        name=name,
        description=description,
        preview_url=None,
        denoise=None,
        guidance=None,
        steps=None,
        has_template=False,
        is_public=True,
        retired_at=NOON if retired else None,
        created_at=None,
    )


@pytest.fixture
async def browsed(studio: Studio) -> Studio:
    """The guild's catalogue has been fetched; Neon Alley has retired since."""
    await set_unlimited_key(studio, GUILD, ProviderName.AUROUS, AUROUS_KEY, set_by=ADMIN)
    await studio.settle(LaneName.KEYS)
    studio.aurous.retire_style("neon-alley")
    await studio.pass_time(studio.timings.sync, LaneName.KEYS)
    await studio.pass_time(studio.timings.backoff_first * 2, LaneName.KEYS)
    return studio


async def found(studio: Studio, text: str) -> list[str]:
    return [each.name for each in await studio.styles.search(text, US)]


async def test_a_search_finds_names_first_then_descriptions(browsed: Studio) -> None:
    assert await found(browsed, "snow") == ["Snow Globe"]
    assert (await found(browsed, "light"))[:2] == ["Arctic Light", "Deep Sea"]
    assert "Ink & Paper" in await found(browsed, "BRUSH")
    assert await found(browsed, "zzz") == []


async def test_everything_is_listed_by_name_with_retired_ones_last(browsed: Studio) -> None:
    listed = [each.name for each in await browsed.styles.of_guild(US)]
    assert listed[-1] == "Neon Alley"
    assert listed[:-1] == sorted(listed[:-1], key=str.casefold)
    assert await found(browsed, "") == listed


async def test_suggestions_leave_retired_styles_out_and_ask_nobody(browsed: Studio) -> None:
    requests = len(browsed.aurous.requests)
    names = [each.name for each in await browsed.styles.choices("", US)]
    assert len(names) == CHOICES_MAX
    assert await browsed.styles.choices("neon", US) == []
    assert len(browsed.aurous.requests) == requests


async def test_a_style_is_picked_by_value_name_or_slug(browsed: Studio) -> None:
    [wanted] = await browsed.styles.choices("starlit", US)
    for value in (choice_value(wanted), "Starlit", " starlit ", "STARLIT"):
        assert await browsed.styles.pick(value, US) == wanted
    assert (await browsed.styles.pick("ink-and-paper", US)).name == "Ink & Paper"


async def test_a_retired_style_cannot_be_ordered_and_says_so(browsed: Studio) -> None:
    retired = (await browsed.styles.of_guild(US))[-1]
    for value in (choice_value(retired), "Neon Alley"):
        with pytest.raises(UserError, match=r"no longer offers the style \*\*Neon Alley\*\*"):
            await browsed.styles.pick(value, US)


async def test_another_guilds_styles_look_like_none(browsed: Studio) -> None:
    [ours] = await browsed.styles.choices("starlit", US)
    assert await browsed.styles.of_guild(THEM) == []
    assert await browsed.styles.choices("", THEM) == []
    for value in (choice_value(ours), "Starlit", "style-999", "style-"):
        with pytest.raises(NotFound) as refused:
            await browsed.styles.pick(value, THEM)
        assert str(refused.value) == "There is no such style here. `/styles` shows what there is."
    with pytest.raises(NotFound):
        await browsed.styles.get_for(ours.id, THEM)


async def test_without_a_key_the_catalogue_says_what_an_admin_does(studio: Studio) -> None:
    with pytest.raises(NoKey, match=r"no Aurous Labs key yet\. Ask an admin to run `/keys set`"):
        await studio.styles.catalogue("", US)


async def test_a_catalogue_that_was_never_read_is_not_an_empty_one(studio: Studio) -> None:
    await set_unlimited_key(studio, GUILD, ProviderName.AUROUS, AUROUS_KEY, set_by=ADMIN)
    assert not (await studio.styles.catalogue("", US)).is_loaded
    studio.aurous.faults.next("GET /v1/loras", Fault.answer(200, body=b"[]"))
    await studio.settle(LaneName.KEYS)
    loaded = await studio.styles.catalogue("", US)
    assert (loaded.is_loaded, list(loaded.styles)) == (True, [])


def test_one_name_of_two_styles_picks_neither_but_a_retired_namesake_is_passed_over() -> None:
    ink, other, gone = style("Ink"), style("ink", style_id=2), style("Ink", style_id=3, retired=True)
    assert pick_from("Ink", [ink, other]) is None
    assert pick_from("Ink", [ink, gone]) == ink.id
    assert pick_from("Ink", [gone]) == gone.id
    assert pick_from("", [style("Ink", slug="")]) is None


def test_the_label_of_every_choice_picks_it_as_its_value_does() -> None:
    looks = [
        style("Ink & Paper ✒️"),
        style("x" * 150, style_id=2, slug="x"),
        style("Ünder the Sea", style_id=3, slug="sea"),
    ]
    for look in looks:
        for said in (choice_value(look), choice_label(look), choice_label(look).upper()):
            assert pick_from(said, looks) == look.id
    assert pick_from("ink & paper", looks) == 1
