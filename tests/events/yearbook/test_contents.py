"""Order, fairness and file names of a yearbook."""

import re
from pathlib import Path
from unittest.mock import sentinel

from hypothesis import given
from hypothesis import strategies as st

from bot.events.yearbook.contents import ON_A_PAGE, Chapter, Original, choose_fairly, for_page, say_settings, slug
from bot.records.generation import GenerationSettings, Picture
from bot.storage.events.yearbook import YearbookPicture
from tests.events.yearbook.yearbooks import book, plate

NOWHERE = Path("nowhere.png")


def original(picture_id: int) -> Original:
    picture = Picture(picture_id, picture_id, 1, "", "x", "image/png", 1, 0)
    return Original(YearbookPicture(sentinel.generation, picture, "", "", None), NOWHERE, 1, "png")


@given(st.lists(st.integers(1, 6), min_size=1, max_size=6), st.integers(0, 20), st.data())
def test_every_member_comes_before_anyones_next_and_winners_before_all(
    sizes: list[int], most: int, data: st.DataObject
) -> None:
    ids = iter(range(1, 100))
    groups = [[original(next(ids)) for _ in range(size)] for size in sizes]
    everything = [each.shown.picture.id for group in groups for each in group]
    placed = data.draw(st.sets(st.sampled_from(everything), max_size=3))
    chosen = choose_fairly(groups, dict.fromkeys(placed, 1), most)
    assert len(chosen) == min(most, len(everything))
    assert placed <= chosen or chosen <= placed
    rest = chosen - placed
    depth = [[index for index, each in enumerate(group) if each.shown.picture.id in rest] for group in groups]
    deepest = max((index for taken in depth for index in taken), default=0)
    for group in groups:
        assert {each.shown.picture.id for each in group[:deepest]} <= chosen


@given(st.text(max_size=80))
def test_every_name_becomes_a_file_name(name: str) -> None:
    assert re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,28}[a-z0-9])?", slug(name))


def test_names_stay_recognisable_in_file_names() -> None:
    assert (slug("Zoë  Ünal!"), slug("../../etc"), slug("日本")) == ("zoe-unal", "etc", "member")


def test_a_page_shows_winners_and_different_prompts_first_in_the_order_of_the_book() -> None:
    plates = [plate(NOWHERE, number, prompt="the same") for number in range(1, 9)]
    plates += [plate(NOWHERE, 9, prompt="another"), plate(NOWHERE, 10, prompt="the same", place=1)]
    shown = for_page(Chapter("Anna", "pages/01-anna.jpg", tuple(plates)))
    assert [each.number for each in shown] == [1, 2, 3, 4, 9, 10]
    assert len(shown) == ON_A_PAGE


def test_winners_come_best_first_and_each_member_once() -> None:
    plates = [plate(NOWHERE, 1, place=2), plate(NOWHERE, 2, place=2), plate(NOWHERE, 3, maker="Ben", place=1)]
    plates.append(plate(NOWHERE, 4, maker="Ben", place=9))
    assert [each.number for each in book(*plates).winners] == [3, 1]


def test_settings_are_said_without_what_was_left_to_the_provider() -> None:
    assert say_settings(GenerationSettings(count=2, seed=3)) == ""
    assert say_settings(GenerationSettings(aspect="16:9", steps=30)) == "shape 16:9, steps 30"
