"""What a host reads: readiness, status, the hall of fame, a bake-off's candidates, within Discord's limits."""

from dataclasses import replace
from datetime import timedelta

import discord
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import UserError
from bot.events.ballot.bakeoff import candidates_of, lineage, parse_prompts, parse_strengths
from bot.events.ballot.service import WinCount
from bot.events.lifecycle import PATHS, TIMED
from bot.events.planning.timetables import TIMETABLES, timetable_of
from bot.ports import ReadinessCheck
from bot.records.event import Event, EventMode, EventStatus, PauseReason
from bot.records.training import TrainingStatus
from cogs.events.host.status import close_question, fame_card, readiness_card, status_card
from cogs.events.panel import panel_card
from cogs.events.texts import CLOSING_WORDS, MODE_WORDS, PAUSE_WORDS, STATUS_WORDS, hours_words
from cogs.ui.buttons import ActionButton
from cogs.ui.choices import kept
from tests.cogs.events.shown_events import a_lora, a_view, an_honour, collecting
from tests.fakes.clock import NOON
from tests.fakes.events import make_event

COMPONENTS_MAX, TEXT_MAX = 40, 4000
"""Of one message (Discord /docs/components/reference)."""
PASSED = ReadinessCheck("Posting", is_ok=True)
BROKEN = ReadinessCheck("API key", is_ok=False, fix="Run `/keys set`.")
OPTIONAL = ReadinessCheck("A thread", is_ok=False, fix="Allow **Create Public Threads**.", is_optional=True)


def said_by(card: discord.ui.LayoutView) -> str:
    parts = [item.content for item in card.walk_children() if isinstance(item, discord.ui.TextDisplay)]
    assert card.content_length() <= TEXT_MAX
    assert card.total_children_count <= COMPONENTS_MAX
    return "\n".join(parts)


def labels_on(card: discord.ui.LayoutView) -> list[str]:
    return [str(item.item.label) for item in card.walk_children() if isinstance(item, ActionButton)]


def test_only_a_needed_red_line_keeps_it_from_opening() -> None:
    ready = readiness_card(make_event(), [PASSED, OPTIONAL])
    assert "### **Mascot days** is ready" in said_by(ready)
    assert "⚠️ A thread (not needed to open): Allow **Create Public Threads**." in said_by(ready)
    assert labels_on(ready) == ["Open now", "Check again", "Settings"]
    broken = readiness_card(make_event(), [PASSED, BROKEN])
    assert "❌ API key: **please fix this.** Run `/keys set`." in said_by(broken)
    assert labels_on(broken) == ["Check again", "Settings"]


def test_the_counts_are_named_and_vetoes_are_for_those_who_run_it() -> None:
    view = a_view(collecting(budget=1000), trainings={TrainingStatus.READY: 2, TrainingStatus.FAILED: 1})
    text = said_by(status_card(view, may_run=True))
    assert "2 take part" in text
    assert "17 usable of 20" in text
    assert "**Asked because photos show them:** 3 said yes, 1 not answered yet, 4 said no" in text
    assert "2 ready, 1 not finished" in text
    assert "257 credits spent of 1000 credits; it still buys 2 more trainings, 40 pictures" in text
    seen = status_card(view, may_run=False)
    assert "said no" not in said_by(seen)
    assert labels_on(seen) == []


@pytest.mark.parametrize(
    ("event", "labels"),
    [
        (collecting(), ["Close now", "+24 h", "Photos", "Settings", "Cancel"]),
        (collecting(mode=EventMode.PERSONAL), ["Close now", "+24 h", "Settings", "Cancel"]),
        (collecting(paused_at=NOON, paused_why=PauseReason.NO_KEY), ["+24 h", "Photos", "Settings", "Cancel"]),
        (make_event(status=EventStatus.TRAINING, opened_at=NOON), ["Settings", "Cancel"]),
        (
            make_event(
                status=EventStatus.TRAINING, opened_at=NOON, paused_at=NOON, paused_why=PauseReason.TRAINING_FAILED
            ),
            ["Try again", "Settings", "Cancel"],
        ),
        (collecting(status=EventStatus.VOTING), ["Close now", "+24 h", "Settings", "Cancel"]),
        (make_event(status=EventStatus.FINISHED, opened_at=NOON), ["Plan one like it"]),
        (make_event(status=EventStatus.CANCELLED, opened_at=NOON), ["Plan one like it"]),
    ],
)
def test_the_buttons_are_what_can_be_done_now(event: Event, labels: list[str]) -> None:
    assert labels_on(status_card(a_view(event), may_run=True)) == labels


@pytest.mark.parametrize("status", sorted(TIMED))
def test_what_is_closing_says_so_and_offers_neither_an_end_nor_more_time(status: EventStatus) -> None:
    view = a_view(collecting(status=status), is_closing=True)
    text = said_by(status_card(view, may_run=True))
    assert f"⏳ **Closing.** {CLOSING_WORDS[status]}" in text
    assert "until" not in text.lower()
    assert labels_on(status_card(view, may_run=True)) == ["Look again"]
    assert labels_on(status_card(view, may_run=False)) == []
    panel = said_by(panel_card(view))
    assert f"⏳ **Closing.** {CLOSING_WORDS[status]}" in panel
    assert "<t:" not in panel


@pytest.mark.parametrize("status", sorted(TIMED))
def test_closing_is_asked_with_what_it_means(status: EventStatus) -> None:
    question = close_question(collecting(status=status))
    assert "### Close this part of **Mascot days**?" in said_by(question)
    assert "This cannot be undone." in said_by(question)
    assert labels_on(question) == ["Yes, close it", "Not yet"]


@pytest.mark.parametrize("why", list(PauseReason))
def test_a_pause_says_why_in_words_and_never_with_its_code(why: PauseReason) -> None:
    text = said_by(status_card(a_view(collecting(paused_at=NOON, paused_why=why)), may_run=True))
    assert f"It waits** since <t:{int(NOON.timestamp())}:R>" in text
    assert PAUSE_WORDS[why] in text
    assert why.value not in text


@pytest.mark.parametrize("mode", list(EventMode))
def test_every_stage_of_every_mode_has_words(mode: EventMode) -> None:
    for status in (*PATHS[mode], EventStatus.CANCELLED):
        text = said_by(status_card(a_view(make_event(mode=mode, status=status)), may_run=False))
        assert MODE_WORDS[mode] in text
        assert STATUS_WORDS[status] in text or mode is EventMode.CLUB


def test_winners_stand_on_the_card_and_a_bakeoff_names_what_won() -> None:
    event = make_event(status=EventStatus.FINISHED, opened_at=NOON)
    assert "🥇 <@501> · 5 votes" in said_by(status_card(a_view(event, winners=(an_honour(),)), may_run=False))
    won = an_honour(label="strength 0.8", votes=1)
    assert "🥇 place 1 · **strength 0.8** · 1 vote" in said_by(
        status_card(a_view(event, winners=(won,)), may_run=False)
    )


def test_the_hall_of_fame_has_a_heading_for_each_event() -> None:
    honours = [an_honour(1), an_honour(2), an_honour(1, event_id=6, event_name="Owls")]
    text = said_by(fame_card(honours, [WinCount(401, 2)]))
    assert "<@401> · 2 wins" in text
    assert text.count("**Mascot days**") == 1
    assert text.index("🥈 <@502>") < text.index("**Owls**")
    assert "…and" in said_by(fame_card([an_honour(number, event_id=number) for number in range(200)]))


@given(st.text(max_size=60), st.text(max_size=300), st.integers(0, 10**6))
def test_whatever_is_written_in_it_a_card_keeps_discords_limits(name: str, text: str, number: int) -> None:
    event = collecting(name=name or "x", theme=text, budget=number + 1)
    honours = tuple(an_honour(place, label=text[:100] or None, votes=number) for place in range(1, 40))
    said_by(status_card(a_view(event, winners=honours, advice=(text,) * 5, photos=number), may_run=True, said=text))
    said_by(readiness_card(event, [ReadinessCheck(text, is_ok=False, fix=text)] * 20))


@given(st.sampled_from(list(TIMETABLES)), st.sampled_from([EventMode.SHARED, EventMode.PERSONAL, EventMode.CLUB]))
def test_a_ready_timetable_is_known_again(key: str, mode: EventMode) -> None:
    event = make_event(mode=mode, hours=dict(TIMETABLES[key].hours))
    assert timetable_of(event) == key
    assert timetable_of(replace(event, hours={**event.hours, EventStatus.VOTING: 3.0})) is None


def test_hours_read_as_people_say_them() -> None:
    hours = {EventStatus.COLLECTING: 0.25, EventStatus.SHOWING: 48.0, EventStatus.VOTING: 1.5}
    assert hours_words(make_event(), hours) == "15 min photos, 2 days pictures, 1.5 h vote"
    assert hours_words(make_event(mode=EventMode.CLUB), hours) == "15 min pictures, 1.5 h vote"
    assert hours_words(make_event(), {}) == "no time at all"


def test_a_stage_tells_when_it_ends_in_everybodys_own_time() -> None:
    ends_at = NOON + timedelta(hours=5)
    text = said_by(status_card(a_view(collecting(stage_ends_at=ends_at)), may_run=False))
    assert f"until <t:{int(ends_at.timestamp())}:D> <t:{int(ends_at.timestamp())}:t>" in text


def test_what_a_select_does_not_show_stays_chosen() -> None:
    assert kept((1, 2, 3), offered=[2, 4], values=["4"]) == (1, 3, 4)
    assert kept((), offered=[2], values=[]) == ()


def test_prompts_and_strengths_are_read_as_written() -> None:
    assert parse_prompts(" a fox | | an owl, flying ") == ("a fox", "an owl, flying")
    assert parse_strengths("0.6, 0.8 1.0,0.60") == (0.6, 0.8, 1.0)


@pytest.mark.parametrize("written", ["strong", "2", "0", "0.05", "nan", "inf"])
def test_strengths_outside_the_range_are_refused(written: str) -> None:
    with pytest.raises(UserError, match="Strengths are numbers"):
        parse_strengths(written)


def test_versions_are_compared_with_every_strength() -> None:
    first, second = a_lora(1), a_lora(2, version=2, previous_id=1)
    labels = [each.label for each in candidates_of([first, second], (0.5, 1.0))]
    assert labels == [
        "version 1, strength 0.5",
        "version 1, strength 1",
        "version 2, strength 0.5",
        "version 2, strength 1",
    ]
    assert [each.label for each in candidates_of([first, second], ())] == ["version 1", "version 2"]
    with pytest.raises(UserError, match="nothing to compare"):
        candidates_of([first], ())


def test_a_loras_versions_are_found_from_any_of_them() -> None:
    first, second, third = a_lora(1), a_lora(2, version=2, previous_id=1), a_lora(3, version=3, previous_id=2)
    stranger = a_lora(9)
    for chosen in (first, second, third):
        assert lineage(chosen, [third, stranger, first, second]) == [first, second, third]
    assert lineage(stranger, [first, second]) == [stranger]
