"""Cards of events keep Discord's limits and stay inert, whatever was typed and however many take part."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import discord
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.events.ballot.service import BallotEntry, BallotPicture
from bot.events.lifecycle import RUN_OFF
from bot.events.photos.coach import advice
from bot.events.photos.consent_texts import depicted_sentence
from bot.events.photos.depictions import DepictionView
from bot.events.views import EventView, UncountedPhotos
from bot.records.dataset import SubjectKind
from bot.records.event import (
    Announcement,
    AnnouncementKind,
    Candidate,
    Depiction,
    DepictionStatus,
    Event,
    EventMode,
    EventStatus,
    PauseReason,
)
from bot.records.guild import NOBODY
from bot.records.training import TrainingStatus
from cogs.events.announcements import announcement_card
from cogs.events.host.status import status_card
from cogs.events.member.ballot import FILES_MAX, ballot_card, pages_of, shown_files
from cogs.events.member.depictions import depiction_card, seen_card
from cogs.events.member.photos import leave_question, photo_list, rules_card
from cogs.events.panel import actions_of, panel_card
from cogs.ui.words import MADE_BY_AI
from tests.cogs.card_checks import check, parts_of
from tests.cogs.events.shown_events import a_lora, a_view, an_honour, collecting
from tests.cogs.markdown import alive, live_text
from tests.cogs.simulated_guild import BUTTON
from tests.fakes.clock import NOON
from tests.fakes.events import make_event
from tests.fakes.examples import in_proportion
from tests.fakes.rows import photo

S = EventStatus
GALLERY = discord.ComponentType.media_gallery.value
KEPT = timedelta(hours=72)
typed = st.text(min_size=1, max_size=1000).map(lambda text: f"@everyone ` {text}"[:1000])
SNOWFLAKE = 2**63 - 1


@st.composite
def hostile_events(draw: st.DrawFn) -> Event:
    """Any mode, stage and pause, with names as long as they may be and the largest numbers."""
    why = draw(st.none() | st.sampled_from(PauseReason))
    roles = draw(st.integers(min_value=0, max_value=25))
    return make_event(
        id=10**17,
        name=draw(typed)[:60],
        theme=draw(typed),
        rules=draw(typed),
        mode=draw(st.sampled_from(EventMode)),
        subject_kind=draw(st.sampled_from(SubjectKind)),
        status=draw(st.sampled_from(S)),
        role_ids=frozenset(range(SNOWFLAKE - roles, SNOWFLAKE)),
        jury_role_id=draw(st.none() | st.just(SNOWFLAKE)),
        entrants_max=draw(st.none() | st.just(500)),
        budget=draw(st.none() | st.just(1_000_000)),
        photo_cap=30,
        pictures_each=draw(st.sampled_from([0, 20])),
        candidates=(Candidate(1, 0.5, draw(typed)[:100]),),
        stage_ends_at=draw(st.none() | st.just(NOON)),
        paused_at=None if why is None else NOON,
        paused_why=why,
    )


def crowded(event: Event, text: str, winners: int) -> EventView:
    """Advice as bad as it gets, many winners, every status of training."""
    bad = [photo(number, contributor_id=1, dhash=0, sharpness=0.0, brightness=0.0, detail=0.0) for number in range(9)]
    return a_view(
        event,
        advice=tuple(each.sentence for each in advice(bad, 500)),
        trainings=dict.fromkeys(TrainingStatus, 500),
        loras=tuple(a_lora(number) for number in range(500)),
        winners=tuple(an_honour(1, id=number, user_id=SNOWFLAKE, label=text[:100]) for number in range(winners)),
        pictures=99_999,
        entries=500,
        photos=15_000,
    )


def entries_of(count: int, pictures: int = 1, *, mine: int = 0) -> list[BallotEntry]:
    made = tuple(BallotPicture(Path(f"{number}.png"), "image/png") for number in range(pictures))
    return [BallotEntry(100 + number, number, made, number == mine) for number in range(1, count + 1)]


def notes() -> Iterator[Announcement]:
    """Every announcement with the largest detail, none, and what nobody expects there."""
    people = list(range(SNOWFLAKE - 500, SNOWFLAKE))
    full = {
        "by": {str(user): 30 for user in people},
        "photos": 30,
        "lora_ids": list(range(500)),
        "user_ids": people,
        "why": "budget",
        "left": 500,
        "entries": 1,
        "spent": 10**6,
        "trainings": 500,
        "pictures": 500,
        "lora_id": 3,
    }
    for what in AnnouncementKind:
        for detail in (json.dumps(full), "", "[]", "not json", '{"by": 3, "lora_ids": "x", "user_ids": [null]}'):
            yield Announcement(1, 7, 100, what, detail, NOON)


def labels_of(card: discord.ui.LayoutView) -> list[str]:
    return [part["label"] for part in parts_of(card) if part["type"] == BUTTON]


def assert_inert(card: discord.ui.LayoutView) -> str:
    text = check(card)
    assert "`" not in live_text(text)
    assert alive(text) == []
    return text


@settings(max_examples=in_proportion(150))
@given(hostile_events(), typed, st.sampled_from([0, 1, 3, 200]))
async def test_the_panel_keeps_discords_limits_in_every_stage(event: Event, text: str, winners: int) -> None:
    assert_inert(panel_card(crowded(event, text, winners)))


@settings(max_examples=in_proportion(50))
@given(hostile_events(), st.integers(min_value=0, max_value=500), st.integers(min_value=1, max_value=12))
async def test_the_ballot_keeps_discords_limits_and_shows_no_more_files_than_a_message_takes(
    event: Event, count: int, pictures: int
) -> None:
    entries = entries_of(count, pictures)
    assert assert_inert(ballot_card(event, entries)).splitlines()[-1] == "-# AI-generated pictures"
    assert len(shown_files(event, entries)) <= FILES_MAX
    pages = pages_of(entries)
    assert [entry for page in pages for entry in page] == entries
    assert all(sum(min(len(each.pictures), FILES_MAX) for each in page) <= FILES_MAX for page in pages)


@settings(max_examples=in_proportion(20))
@given(hostile_events(), typed)
async def test_every_announcement_keeps_the_limits_whatever_its_detail_holds(event: Event, text: str) -> None:
    view = crowded(event, text, 200)
    for note in notes():
        for is_private in (True, False):
            card = announcement_card(view, note, [("winner-1.jpg", "alt")], is_private=is_private)
            assert assert_inert(card).splitlines()[-1] == MADE_BY_AI


@given(hostile_events(), typed)
async def test_rules_and_questions_to_members_keep_the_limits(event: Event, text: str) -> None:
    assert_inert(rules_card(event))
    assert len(leave_question(event)) <= 2000
    asked = [a_depiction(status) for status in DepictionStatus for _ in range(10)]
    assert_inert(seen_card(event, [a_depiction(each.status, id=number) for number, each in enumerate(asked)], KEPT))
    for each in asked:
        assert_inert(depiction_card(DepictionView(each, event, None, (), depicted_sentence(event, KEPT)), text))


def a_depiction(status: DepictionStatus = DepictionStatus.PENDING, **changes: Any) -> Depiction:
    values: dict[str, Any] = {
        "id": 3,
        "event_id": 7,
        "dataset_id": None,
        "guild_id": 100,
        "consent_id": 9,
        "user_id": 501,
        "named_by": 502,
        "status": status,
        "in_training": False,
        "created_at": NOON,
        "answered_at": None,
    }
    return Depiction(**(values | changes))


def test_a_long_list_of_photos_is_cut_and_says_so() -> None:
    photos = [photo(number, name="ˋ" * 200) for number in range(1, 200)]
    listed = photo_list(photos)
    assert len(listed) <= 2600
    assert "more, numbered on the sheet" in listed


async def test_the_panel_tells_a_newcomer_what_it_is_until_when_and_how_far() -> None:
    view = a_view(collecting(budget=1000, entrants_min=2, role_ids=frozenset({9})), advice=("Add some close-ups.",))
    text = check(panel_card(view))
    ends = int((NOON + timedelta(hours=2)).timestamp())
    assert "## **Mascot days**\n“Our mascot”\n**One LoRA for all.**" in text
    assert "For <@&9> · hosted by <@400>" in text
    assert f"**Photos are being collected** until <t:{ends}:F> (<t:{ends}:R>)" in text
    assert "**20 photos**, 17 usable" in text
    assert "taking part (at least 2)" in text
    assert "257 of 1000 credits spent · enough for 2 more trainings, 40 pictures" in text
    assert "💡 Add some close-ups." in text


def test_the_cards_say_why_photos_do_not_count_and_what_it_will_cost() -> None:
    view = a_view(collecting(), usable_photos=10, uncounted=UncountedPhotos(waiting=10, alike=4), spent=0)
    panel, status = check(panel_card(view)), check(status_card(view, may_run=False))
    assert "**20 photos**, 10 usable ▰▰▰▰▰▰▱▱▱▱ (it takes 15)\n-# 10 wait for a yes · 4 look alike" in panel
    assert "10 usable of 20 (10 wait for a yes · 4 look alike)" in status
    one = a_view(collecting(), uncounted=UncountedPhotos(waiting=1, refused=1, dropped=1, alike=1))
    said = "1 waits for a yes · 1 looks like another · 1 left out by the host · 1 cannot be used"
    assert said in check(panel_card(one))
    for text in (panel, status):
        assert "In the end about 400 credits of this server, if 10 take part and use all they may." in text


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"budget": 300}, "about 300 credits"),
        ({"mode": EventMode.BAKEOFF, "status": S.SHOWING}, "about 400 credits of this server."),
        ({"status": S.VOTING}, None),
        ({"status": S.FINISHED}, None),
        ({"budget": 257}, None),
    ],
)
def test_the_cost_is_never_above_the_budget_and_goes_once_nothing_more_is_taken(
    changes: dict[str, Any], said: str | None
) -> None:
    for card in (
        panel_card(a_view(collecting(**changes))),
        status_card(a_view(collecting(**changes)), may_run=False),
    ):
        assert ("In the end" in check(card)) == (said is not None)
        assert said is None or said in check(card)


def test_a_host_who_was_erased_is_named_nowhere() -> None:
    gone = a_view(collecting(host_id=NOBODY))
    for card in (panel_card(gone), status_card(gone, may_run=False)):
        assert "<@0>" not in check(card)
        assert "host" not in check(card)


async def test_a_pause_is_said_in_kind_words_and_hides_the_deadline() -> None:
    event = collecting(paused_at=NOON, paused_why=PauseReason.TOO_FEW_PHOTOS)
    text = check(panel_card(a_view(event)))
    assert "⏸️ **Paused.** There are too few usable photos so far." in text
    assert "<t:" not in text
    assert "Give photos" in labels_of(panel_card(a_view(event)))


async def test_the_panel_never_says_who_or_how_many_said_no() -> None:
    quiet = check(panel_card(a_view(collecting(), vetoed=0, pending=0)))
    assert check(panel_card(a_view(collecting(), vetoed=9, pending=9))) == quiet


@pytest.mark.parametrize(
    ("mode", "status", "expected"),
    [
        (EventMode.SHARED, S.COLLECTING, ["give", "mine", "seen", "leave", "rules"]),
        (EventMode.PERSONAL, S.REVIEWING, ["mine", "seen", "leave", "rules"]),
        (EventMode.SHARED, S.SHOWING, ["make", "enter", "seen", "leave", "rules"]),
        (EventMode.SHARED, S.VOTING, ["vote", "seen", "leave", "rules"]),
        (EventMode.PERSONAL, S.FINISHED, ["book", "seen", "leave", "rules"]),
        (EventMode.CLUB, S.COLLECTING, ["join", "make", "enter", "leave", "rules"]),
        (EventMode.BAKEOFF, S.SHOWING, ["rules"]),
        (EventMode.BAKEOFF, S.VOTING, ["vote", "rules"]),
        (EventMode.SHARED, S.CANCELLED, ["seen", "leave", "rules"]),
    ],
)
def test_the_panel_offers_what_can_be_done_now(mode: EventMode, status: EventStatus, expected: list[str]) -> None:
    assert actions_of(make_event(mode=mode, status=status)) == expected


async def test_a_paused_ballot_and_a_closed_one_take_no_votes_but_keep_their_pictures() -> None:
    entries = entries_of(3)
    voting = make_event(status=S.VOTING, stage_ends_at=NOON)
    assert labels_of(ballot_card(voting, entries)) == ["Look closely and vote"]
    paused = make_event(status=S.VOTING, paused_at=NOON, paused_why=PauseReason.NO_KEY)
    for event in (paused, make_event(status=S.FINISHED), make_event(status=S.CANCELLED)):
        card = ballot_card(event, entries)
        assert labels_of(card) == []
        assert len(shown_files(event, entries)) == 3
    assert "is over" in check(ballot_card(make_event(status=S.FINISHED), entries))


async def test_the_ballot_says_its_rule_and_no_number_of_votes() -> None:
    event = make_event(status=S.VOTING, stage_ends_at=NOON, jury_role_id=9)
    text = check(ballot_card(event, entries_of(3)))
    assert "Everybody has one vote, not for an own entry, and can change it until the close." in text
    assert "The jury's votes make half of the score" in text
    assert f"Closes <t:{int(NOON.timestamp())}:F>" in text
    assert "until then nobody sees how many there are" in text


def test_files_of_the_ballot_are_named_by_number_and_stay_the_same_when_an_entry_leaves() -> None:
    event, entries = make_event(), entries_of(10)
    names = [name for name, _ in shown_files(event, entries)]
    assert names == [f"ballot-7-{number}-1.jpg" for number in range(1, 11)]
    assert [name for name, _ in shown_files(event, entries[1:])] == names[1:]
    many = entries_of(12)
    assert shown_files(event, many)[0][0] == "ballot-7.jpg"
    assert shown_files(event, many[3:])[0][0] == "ballot-7.jpg"


async def test_the_plot_of_the_votes_stands_alone_below_the_winning_pictures() -> None:
    """Mutant: in one gallery Discord crops it to a square, and neither bars nor names can be read."""
    note = Announcement(1, 7, 100, AnnouncementKind.WINNER, "{}", NOON)
    view = a_view(make_event(status=S.FINISHED), winners=(an_honour(1),))
    won = [("winner-1.jpg", "first"), ("winner-2.jpg", "second")]
    card = announcement_card(view, note, won, [], [("votes.png", "Votes")])
    galleries = [part["items"] for part in parts_of(card) if part["type"] == GALLERY]
    shown = [[item["media"]["url"] for item in items] for items in galleries]
    assert shown == [["attachment://winner-1.jpg", "attachment://winner-2.jpg"], ["attachment://votes.png"]]


async def test_winners_that_tie_share_their_place_and_labels_are_told_after_a_bake_off() -> None:
    winners = (an_honour(1, id=1, user_id=501), an_honour(1, id=2, user_id=502))
    note = Announcement(1, 7, 100, AnnouncementKind.WINNER, "{}", NOON)
    text = check(announcement_card(a_view(make_event(status=S.FINISHED), winners=winners), note))
    assert "🥇 <@501> · 5 votes\n🥇 <@502> · 5 votes\nEqual votes share a place." in text
    blind = a_view(make_event(mode=EventMode.BAKEOFF), winners=(an_honour(label="strength 0.8"),))
    assert "🥇 **strength 0.8** · 5 votes" in check(announcement_card(blind, note))


async def test_announcements_name_whose_photos_made_it_and_what_was_paid() -> None:
    chosen = Announcement(
        1, 7, 100, AnnouncementKind.CHOSEN, json.dumps({"by": {"501": 12, "502": 1}, "photos": 13}), NOON
    )
    text = check(announcement_card(a_view(make_event()), chosen))
    assert "trained from 13 photos" in text
    assert "<@501>: 12 photos\n<@502>: 1 photo" in text
    detail = {"spent": 261, "trainings": 1, "pictures": 2, "by": "host"}
    cancelled = Announcement(1, 7, 100, AnnouncementKind.CANCELLED, json.dumps(detail), NOON)
    said = check(announcement_card(a_view(make_event()), cancelled))
    assert "261 credits for 1 training and 2 orders of pictures" in said
    nothing = Announcement(1, 7, 100, AnnouncementKind.CANCELLED, json.dumps({"spent": 0, "by": "abandoned"}), NOON)
    assert "Paid so far: nothing." in check(announcement_card(a_view(make_event()), nothing))


async def test_the_host_is_told_which_lora_rests_and_by_whom_never() -> None:
    view = a_view(make_event(), loras=(a_lora(3),))
    note = Announcement(1, 7, 100, AnnouncementKind.TAKEN_BACK, '{"lora_id": 3}', NOON)
    card = announcement_card(view, note)
    assert "**Foxy** rests" in check(card)
    assert "<@" not in check(card)
    assert labels_of(card) == ["Archive it"]
    assert labels_of(announcement_card(view, note, is_private=True)) == []


@pytest.mark.parametrize(
    ("mode", "stage", "what"),
    [
        (EventMode.SHARED, S.COLLECTING, "Photos can be given until then."),
        (EventMode.CLUB, S.COLLECTING, "Pictures can be made and entered until then."),
        (EventMode.SHARED, S.SHOWING, "Pictures can be made and entered until then."),
        (EventMode.CLUB, S.VOTING, "Votes can be given and changed until then."),
        (EventMode.CLUB, RUN_OFF, "Votes in the run-off can be given and changed until then."),
        (EventMode.PERSONAL, "of another version", "Photos can be given until then."),
    ],
)
async def test_a_last_call_is_about_the_stage_it_was_written_in(mode: EventMode, stage: str, what: str) -> None:
    seconds = int(NOON.timestamp())
    detail = json.dumps({"stage": stage, "ends": seconds})
    moved_on = a_view(make_event(mode=mode, status=S.FINISHED))
    text = check(announcement_card(moved_on, Announcement(1, 7, 100, AnnouncementKind.CLOSING_SOON, detail, NOON)))
    assert f"This part ends <t:{seconds}:F> (<t:{seconds}:R>). {what}" in text


@pytest.mark.parametrize(
    ("changes", "takes"),
    [
        ({}, "15–25 minutes"),
        ({"steps": 3000}, "45–75 minutes"),
        ({"subject_kind": SubjectKind.CHARACTER, "steps": 3000}, "a few seconds"),
    ],
)
async def test_a_training_is_said_to_take_as_long_as_the_events_steps_need(changes: dict[str, Any], takes: str) -> None:
    view = a_view(make_event(status=S.TRAINING, **changes))
    text = check(announcement_card(view, Announcement(1, 7, 100, AnnouncementKind.TRAINING, "{}", NOON)))
    assert f"It usually takes {takes}." in text


async def test_a_late_opening_names_no_end_of_a_first_part_that_is_over() -> None:
    note = Announcement(1, 7, 100, AnnouncementKind.OPENED, "{}", NOON)
    said = [check(announcement_card(a_view(collecting(status=each)), note)) for each in (S.COLLECTING, S.VOTING)]
    assert ["The first part ends" in text for text in said] == [True, False]


async def test_the_host_is_told_what_keeps_an_event_from_opening() -> None:
    draft = a_view(make_event(opens_at=NOON))
    note = Announcement(1, 7, 100, AnnouncementKind.NOT_OPENED, '{"why": ["Run `/keys set`."]}', NOON)
    text = check(announcement_card(draft, note, is_private=True))
    assert "**Mascot days** cannot open yet" in text
    assert "• Run `/keys set`.\nIt opens by itself as soon as that is done." in text
    seconds = int(NOON.timestamp())
    late = Announcement(1, 7, 100, AnnouncementKind.NOT_OPENED, json.dumps({"missed": seconds - 90_000}), NOON)
    text = check(announcement_card(draft, late, is_private=True))
    assert f"I was away at <t:{seconds - 90_000}:F>" in text
    assert f"The next one of the series opens <t:{seconds}:F>" in text
    assert "series" not in check(announcement_card(a_view(make_event()), late, is_private=True))


async def test_the_question_to_a_member_shows_its_answer() -> None:
    def card(status: DepictionStatus) -> discord.ui.LayoutView:
        event = make_event()
        view = DepictionView(a_depiction(status), event, None, (), depicted_sentence(event, KEPT))
        return depiction_card(view, "Photo club")

    asked = check(card(DepictionStatus.PENDING))
    assert "<@502> gave photos to the event **Mascot days** in **Photo club**" in asked
    assert depicted_sentence(make_event(), KEPT) in asked
    assert labels_of(card(DepictionStatus.PENDING)) == ["Yes, that is fine", "No, remove them"]
    assert labels_of(card(DepictionStatus.CONFIRMED)) == ["No, remove them"]
    assert "You said yes" in check(card(DepictionStatus.CONFIRMED))
    assert labels_of(card(DepictionStatus.VETOED)) == []
    assert "are gone" in check(card(DepictionStatus.VETOED))
