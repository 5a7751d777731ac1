"""What an event may be set to: every limit from both sides, and what is fixed once it is open."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import UserError
from bot.events.lifecycle import PATHS, TIMED
from bot.events.planning import drafts
from bot.events.planning.drafts import EventDraft
from bot.records.dataset import SubjectKind
from bot.records.event import Candidate, EventMode, EventStatus
from tests.fakes.events import make_event

S = EventStatus
DRAFT = make_event(hours={S.COLLECTING: 3.0, S.REVIEWING: 2.0, S.SHOWING: 1.0, S.VOTING: 4.0})


def draft(mode: EventMode = EventMode.SHARED, kind: SubjectKind = SubjectKind.OBJECT, **changes: Any) -> EventDraft:
    return replace(EventDraft("Rex", "Our dog", "Be kind", mode, kind), **changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "n" * 60},
        {"theme": "t" * 1000, "rules": "r" * 1000},
        {"photo_cap": 1},
        {"photo_cap": 30},
        {"pictures_each": 0},
        {"pictures_each": 20},
        {"entrants_min": 500},
        {"entrants_min": 2, "entrants_max": 2},
        {"entrants_max": 500},
        {"budget": 1},
        {"budget": 1_000_000},
        {"hours": {S.VOTING: 0.0, S.SHOWING: 336.0}},
        {"mode": EventMode.PERSONAL, "photo_cap": 15},
        {"mode": EventMode.PERSONAL, "subject_kind": SubjectKind.CHARACTER, "photo_cap": 1},
        {"moderator_ids": frozenset(range(25))},
        {"steps": 500, "rank": 8},
        {"steps": 3000, "rank": 64},
    ],
)
def test_everything_within_its_limits_is_taken(changes: dict[str, Any]) -> None:
    drafts.check_event(replace(DRAFT, **changes))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"name": ""}, "1 to 60 characters"),
        ({"name": "n" * 61}, "1 to 60 characters"),
        ({"theme": "t" * 1001}, "theme text takes up to 1000"),
        ({"rules": "r" * 1001}, "rules text takes up to 1000"),
        ({"photo_cap": 0}, r"\*\*Photos per member\*\* can be 1 to 30"),
        ({"photo_cap": 31}, r"\*\*Photos per member\*\* can be 1 to 30"),
        ({"pictures_each": 21}, r"\*\*Own pictures per member\*\* can be 0 to 20"),
        ({"entrants_min": 0}, r"\*\*Fewest members\*\* can be 1 to 500"),
        ({"entrants_max": 1}, r"\*\*Most members\*\* can be 2 to 500"),
        ({"entrants_min": 5, "entrants_max": 4}, r"\*\*Most members\*\* is below \*\*Fewest members\*\*"),
        ({"budget": 0}, r"\*\*Budget in credits\*\* can be 1 to 1,000,000"),
        ({"budget": 1_000_001}, r"\*\*Budget in credits\*\* can be 1 to 1,000,000"),
        ({"hours": {S.VOTING: 336.5}}, "0 to 336 hours"),
        ({"hours": {S.VOTING: -1.0}}, "0 to 336 hours"),
        ({"hours": {S.VOTING: float("nan")}}, "0 to 336 hours"),
        ({"subject_kind": SubjectKind.PERSON}, "object or a style"),
        ({"subject_kind": SubjectKind.CHARACTER}, "object or a style"),
        ({"mode": EventMode.PERSONAL, "photo_cap": 14}, "at least so many"),
        ({"role_ids": frozenset(range(26))}, "up to 25 roles"),
        ({"candidates": tuple(Candidate(1, None, "a") for _ in range(9))}, "up to 8 versions"),
        ({"candidates": (Candidate(1, None, "a" * 101),)}, "1 to 100 characters"),
        ({"steps": 499}, "`steps` takes a number from 500 to 3000"),
        ({"steps": 3001}, "`steps` takes a number from 500 to 3000"),
        ({"rank": 7}, "`rank` takes a number from 8 to 64"),
        ({"rank": 65}, "`rank` takes a number from 8 to 64"),
    ],
)
def test_each_limit_has_its_sentence(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        drafts.check_event(replace(DRAFT, **changes))


KINDS = [
    (mode, kind)
    for mode in EventMode
    for kind in SubjectKind
    if mode is not EventMode.SHARED or kind in drafts.SHARED_KINDS
]


@pytest.mark.parametrize(("mode", "kind"), KINDS)
def test_what_every_kind_of_event_begins_with_is_within_the_limits(mode: EventMode, kind: SubjectKind) -> None:
    begun = replace(DRAFT, **drafts.beginnings(draft(mode, kind, name="  Rex \n the  dog ")))
    drafts.check_event(begun)
    assert begun.name == "Rex the dog"
    assert begun.hours.keys() == set(PATHS[mode]) & TIMED
    assert (begun.pack == ()) == (mode is EventMode.CLUB)


def test_texts_are_checked_before_anything_is_stored() -> None:
    with pytest.raises(UserError, match="name takes"):
        drafts.beginnings(draft(name=" \n "))


def test_changes_are_tidied() -> None:
    changes = {"theme": "  a  ", "pack": ["  {trigger} by   the sea ", ""], "lora_ids": [3, 1, 3]}
    tidied = drafts.tidied(DRAFT, changes)
    assert tidied == {"theme": "a", "pack": ("{trigger} by the sea",), "lora_ids": (3, 1)}
    assert drafts.tidied(DRAFT, {"pack": []}) == {"pack": ()}
    with pytest.raises(UserError, match="braces"):
        drafts.tidied(DRAFT, {"pack": ["{name} by the sea"]})


@given(st.dictionaries(st.sampled_from(S), st.floats(0, 336)))
def test_hours_of_one_stage_leave_the_others_alone(hours: dict[EventStatus, float]) -> None:
    kept = drafts.tidied(DRAFT, {"hours": hours})["hours"]
    assert kept == {stage: hours.get(stage, DRAFT.hours[stage]) for stage in DRAFT.hours}


def test_another_kind_of_event_gets_the_hours_of_its_stages() -> None:
    club = drafts.tidied(DRAFT, {"mode": EventMode.CLUB})["hours"]
    assert club == {S.COLLECTING: 3.0, S.VOTING: 4.0}
    back = drafts.tidied(replace(DRAFT, hours=club, mode=EventMode.CLUB), {"mode": EventMode.SHARED})["hours"]
    assert back.keys() == DRAFT.hours.keys()


@pytest.mark.parametrize(
    ("status", "field", "may"),
    [
        (S.DRAFT, "candidates", True),
        (S.COLLECTING, "candidates", False),
        (S.COLLECTING, "name", True),
        (S.COLLECTING, "rules", True),
        (S.VOTING, "name", False),
        (S.COLLECTING, "mode", False),
        (S.VOTING, "budget", True),
        (S.TRAINING, "pack", True),
        (S.SHOWING, "pack", False),
        (S.COLLECTING, "style_ids", True),
        (S.VOTING, "style_ids", False),
        (S.SHOWING, "jury_role_id", True),
        (S.VOTING, "jury_role_id", False),
    ],
)
def test_what_shapes_the_event_is_fixed_in_time(status: EventStatus, field: str, *, may: bool) -> None:
    here = make_event(status=status)
    if may:
        drafts.check_changeable(here, frozenset({field, "photo_cap"}), is_taken_up=False)
    else:
        with pytest.raises(UserError):
            drafts.check_changeable(here, frozenset({field, "photo_cap"}), is_taken_up=False)


@pytest.mark.parametrize("field", sorted(drafts.WORDS))
def test_words_are_fixed_once_somebody_takes_part(field: str) -> None:
    with pytest.raises(UserError, match="Somebody takes part already"):
        drafts.check_changeable(make_event(status=S.COLLECTING), frozenset({field}), is_taken_up=True)
    drafts.check_changeable(make_event(status=S.COLLECTING), frozenset({"budget"}), is_taken_up=True)


@pytest.mark.parametrize("field", ["status", "id", "guild_id", "stage_ends_at", "host_id"])
def test_nothing_else_is_changed_from_outside(field: str) -> None:
    with pytest.raises(TypeError, match=field):
        drafts.check_changeable(DRAFT, frozenset({field}), is_taken_up=False)
