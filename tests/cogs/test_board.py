"""What the board of a dataset says, whatever is in it."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from simcord.components import walk_components

from bot.clock import Timings
from bot.datasets.rules import LORA_PHOTOS, Board, judge_set
from bot.keys.service import Funds
from bot.photos.checks import Code
from bot.records.dataset import Dataset, DatasetStatus, Finding, Gender, Photo, SubjectKind, Verdict
from bot.records.event import Depiction, DepictionStatus
from cogs.training.board import board_card
from cogs.ui.words import TEXT_MAX
from tests.fakes.clock import NOON
from tests.fakes.rows import ANNA, CHANNEL, GUILD, photo

TIMINGS = Timings()
DATASET = Dataset(
    1, GUILD, CHANNEL, ANNA, "Rex", SubjectKind.OBJECT, None, None, None, 1000, 32, None, None, DatasetStatus.OPEN, NOON
)


def varied(count: int, **changes: Any) -> list[Photo]:
    """Unlike photos, in all kinds of light and from near and far."""
    return [
        photo(number, **({"brightness": 60.0 + number * 37 % 120, "detail": 0.2 + number * 7 % 16 / 20} | changes))
        for number in range(1, count + 1)
    ]


def words_of(photos: list[Photo], dataset: Dataset = DATASET, asked: int = 0, timings: Timings = TIMINGS) -> str:
    pending = tuple(
        Depiction(number, None, 1, GUILD, 1, 10**18 + number, ANNA, DepictionStatus.PENDING, False, NOON, None)
        for number in range(asked)
    )
    board = Board(dataset, judge_set(photos, LORA_PHOTOS), pending)
    card = board_card(board, Funds(257, 5000, None), timings, is_admin=False, has_sheet=False)
    parts = card.to_components()
    return "\n".join(part["content"] for part in walk_components(parts) if part.get("type") == 10)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"brightness": 120.0}, "💡 All photos have nearly the same light."),
        ({"detail": 0.5}, "💡 All photos look taken from the same distance."),
        ({"verdict": Verdict.ADVISED, "findings": (Finding(Code.BLURRY),)}, "💡 Most photos look blurry."),
    ],
)
def test_the_coach_says_what_the_set_lacks(changes: dict[str, Any], words: str) -> None:
    assert words in words_of(varied(15, **changes))
    assert words in words_of(varied(6, **changes))
    assert "💡" not in words_of(varied(4, **changes))


def test_a_good_set_is_praised_once_it_is_large_enough() -> None:
    praise = "💡 This is a good set: enough photos, and they differ well."
    assert praise in words_of(varied(15))
    assert "💡" not in words_of(varied(14))
    assert "somebody" not in words_of(varied(15))


@pytest.mark.parametrize("change", [{"status": DatasetStatus.STARTED}, {"subject_kind": SubjectKind.CHARACTER}])
def test_no_advice_where_it_comes_too_late_or_nothing_is_trained(change: dict[str, Any]) -> None:
    assert "💡" not in words_of(varied(15, detail=0.5), replace(DATASET, **change))


def test_the_fullest_board_fits_into_a_message() -> None:
    findings = (Finding(Code.BLURRY), Finding(Code.DARK), Finding(Code.SMALL), Finding(Code.SHRUNK))
    long_name = "n" * 36 + ".jpg"
    photos = [
        replace(each, name=long_name, findings=findings, verdict=Verdict.ADVISED)
        for each in varied(60, detail=0.5, brightness=20.0)
    ]
    person = replace(
        DATASET,
        name="`" * 40,
        subject_kind=SubjectKind.PERSON,
        gender=Gender.NON_BINARY,
        ethnicity="e" * 40,
        age="a" * 40,
        steps=3000,
        previous_lora_id=7,
    )
    text = words_of(photos, person, asked=10)
    assert len(text) <= TEXT_MAX
    assert "more; `/dataset show` lists them once these are solved." in text


@pytest.mark.parametrize(
    ("dataset", "timings", "words"),
    [
        (DATASET, TIMINGS, "Kept until <t:1777204800:f> at the latest."),
        (replace(DATASET, kept_hours=168), TIMINGS, "Kept until <t:1777723200:f> at the latest."),
        (
            DATASET,
            Timings(photos_kept_longest=timedelta(hours=48)),
            "at the latest; whoever runs this bot allows 48 hours at most.",
        ),
        (
            DATASET,
            Timings(photos_kept_longest=timedelta(hours=1)),
            "at the latest; whoever runs this bot allows 24 hours at most.",
        ),
    ],
)
def test_the_board_says_until_when_and_where_the_operator_allows_less(
    dataset: Dataset, timings: Timings, words: str
) -> None:
    assert words in words_of(varied(1), dataset, timings=timings)
