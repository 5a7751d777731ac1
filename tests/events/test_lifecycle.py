"""The rules of an event: every move, every deadline, who may do what, and that every event comes to an end."""

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import product
from typing import Any, ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from bot.events import lifecycle
from bot.events.lifecycle import (
    MOVES,
    PATHS,
    TIMED,
    TOO_FEW,
    Abandon,
    Advance,
    Facts,
    HostCommand,
    Pause,
    Resume,
    Stay,
    check_move,
    decide,
)
from bot.jobs.lifecycle import IllegalMove
from bot.records.dataset import SubjectKind
from bot.records.event import Event, EventMode, EventStatus, PauseReason
from bot.records.guild import Actor
from bot.records.training import TrainingStatus
from tests.fakes.clock import NOON
from tests.fakes.events import make_event
from tests.fakes.examples import in_proportion
from tests.fakes.rows import ADMIN, ANNA, BEN, GUILD, OTHER_GUILD

S = EventStatus
HOUR = timedelta(hours=1)
ABANDONED = timedelta(days=3)
KEPT = timedelta(hours=72)
ENOUGH = Facts(entrants=5, usable_photos=20)


def event(**changes: Any) -> Event:
    hours = {S.COLLECTING: 3.0, S.REVIEWING: 2.0, S.SHOWING: 1.0, S.VOTING: 4.0}
    told = {"status": S.COLLECTING, "stage_ends_at": NOON, "opened_at": NOON}
    usual = {"host_id": ANNA, "entrants_min": 2, "hours": hours}
    return make_event(**(usual | told | changes))


def paused(why: PauseReason, **changes: Any) -> Event:
    return event(paused_at=NOON, paused_why=why, **changes)


LEGAL = {
    (mode, here, there)
    for mode, path in {
        EventMode.SHARED: "draft collecting reviewing training showing voting finished",
        EventMode.PERSONAL: "draft collecting reviewing training showing voting finished",
        EventMode.CLUB: "draft collecting voting finished",
        EventMode.BAKEOFF: "draft showing voting finished",
    }.items()
    for here, there in [
        *zip(path.split(), path.split()[1:], strict=False),
        *((stage, "cancelled") for stage in path.split()[:-1]),
    ]
}


@pytest.mark.parametrize(("mode", "old", "new"), list(product(EventMode, S, S)))
def test_exactly_the_moves_of_each_kind_are_legal(mode: EventMode, old: EventStatus, new: EventStatus) -> None:
    if (mode, old, new) in LEGAL:
        check_move(mode, old, new)
    else:
        with pytest.raises(IllegalMove, match=f"{old} -> {new}"):
            check_move(mode, old, new)


@pytest.mark.parametrize("mode", EventMode)
def test_the_path_is_walked_stage_by_stage_and_ends(mode: EventMode) -> None:
    walked, here = [S.DRAFT], event(mode=mode, status=S.DRAFT)
    while not here.status.is_terminal:
        here = replace(here, status=lifecycle.next_stage(here))
        walked.append(here.status)
    assert tuple(walked) == PATHS[mode]
    with pytest.raises(IllegalMove):
        lifecycle.next_stage(here)


def test_a_stage_ends_after_its_hours_and_training_when_it_is_done() -> None:
    assert lifecycle.ends_at(event(), S.REVIEWING, NOON, hour=HOUR) == NOON + 2 * HOUR
    assert lifecycle.ends_at(event(), S.VOTING, NOON, hour=timedelta(minutes=1)) == NOON + timedelta(minutes=4)
    assert lifecycle.ends_at(event(hours={}), S.SHOWING, NOON, hour=HOUR) == NOON
    for stage in (S.TRAINING, S.FINISHED, S.CANCELLED):
        assert lifecycle.ends_at(event(), stage, NOON, hour=HOUR) is None


@pytest.mark.parametrize("stage", sorted(TIMED))
def test_before_its_deadline_a_stage_stays(stage: EventStatus) -> None:
    early = NOON - timedelta(seconds=1)
    assert decide(event(status=stage), ENOUGH, early, ABANDONED) == Stay(NOON)
    assert decide(event(status=stage), ENOUGH, NOON, ABANDONED) == Advance(lifecycle.next_stage(event(status=stage)))


def test_with_every_place_taken_collecting_goes_on() -> None:
    full = event(entrants_max=5, stage_ends_at=NOON + HOUR)
    assert decide(full, ENOUGH, NOON, ABANDONED) == Stay(NOON + HOUR)


@pytest.mark.parametrize(
    ("mode", "kind", "entrants", "photos", "expected"),
    [
        (EventMode.SHARED, SubjectKind.OBJECT, 1, 30, Pause(PauseReason.TOO_FEW_ENTRANTS)),
        (EventMode.SHARED, SubjectKind.OBJECT, 2, 14, Pause(PauseReason.TOO_FEW_PHOTOS)),
        (EventMode.SHARED, SubjectKind.OBJECT, 2, 15, Advance(S.REVIEWING)),
        (EventMode.PERSONAL, SubjectKind.PERSON, 2, 14, Pause(PauseReason.TOO_FEW_PHOTOS)),
        (EventMode.PERSONAL, SubjectKind.CHARACTER, 2, 1, Advance(S.REVIEWING)),
        (EventMode.CLUB, SubjectKind.OBJECT, 1, 0, Pause(PauseReason.TOO_FEW_ENTRANTS)),
        (EventMode.CLUB, SubjectKind.OBJECT, 2, 0, Advance(S.VOTING)),
    ],
)
def test_collecting_ends_only_with_enough_people_and_photos(
    mode: EventMode, kind: SubjectKind, entrants: int, photos: int, expected: Advance | Pause
) -> None:
    assert decide(event(mode=mode, subject_kind=kind), Facts(entrants, photos), NOON, ABANDONED) == expected


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ({}, Stay(None)),
        ({TrainingStatus.QUEUED: 1}, Stay(None)),
        ({TrainingStatus.READY: 9, TrainingStatus.TRAINING: 1}, Stay(None)),
        ({TrainingStatus.READY: 1, TrainingStatus.FAILED: 9}, Advance(S.SHOWING)),
        ({TrainingStatus.READY: 0, TrainingStatus.FAILED: 2}, Pause(PauseReason.TRAINING_FAILED)),
        ({TrainingStatus.CANCELLED: 1}, Pause(PauseReason.TRAINING_FAILED)),
    ],
)
def test_training_ends_when_all_have_and_one_came_out(counts: dict[TrainingStatus, int], expected: object) -> None:
    here = event(status=S.TRAINING, stage_ends_at=None)
    assert decide(here, replace(ENOUGH, trainings=counts), NOON, ABANDONED) == expected


@pytest.mark.parametrize("why", PauseReason)
def test_a_pause_ends_when_what_was_missing_is_there_or_as_abandoned(why: PauseReason) -> None:
    here, too_few = paused(why), Facts(1, 14)
    assert decide(here, too_few, NOON + ABANDONED - HOUR, ABANDONED) == Stay(NOON + ABANDONED)
    assert decide(here, too_few, NOON + ABANDONED, ABANDONED) == Abandon()
    expected = Resume() if why in TOO_FEW else Stay(NOON + ABANDONED)
    assert decide(here, ENOUGH, NOON, ABANDONED) == expected


def test_people_do_not_stand_in_for_photos() -> None:
    assert decide(paused(PauseReason.TOO_FEW_PHOTOS), Facts(9, 14), NOON, ABANDONED) == Stay(NOON + ABANDONED)
    assert decide(paused(PauseReason.TOO_FEW_ENTRANTS), Facts(1, 99), NOON, ABANDONED) == Stay(NOON + ABANDONED)


@pytest.mark.parametrize("status", [S.DRAFT, S.FINISHED, S.CANCELLED])
def test_what_is_not_live_is_left_alone(status: EventStatus) -> None:
    assert decide(event(status=status), ENOUGH, NOON + timedelta(days=999), ABANDONED) == Stay(None)


MINUTES = st.integers(-500, 500).map(lambda minutes: timedelta(minutes=minutes))


@given(left=MINUTES, pause=MINUTES)
def test_a_pause_moves_the_deadline_by_its_length(left: timedelta, pause: timedelta) -> None:
    here = paused(PauseReason.NO_KEY, status=S.SHOWING, stage_ends_at=NOON + left)
    assert lifecycle.resumed_end(here, NOON + pause, hour=HOUR) == NOON + left + max(pause, timedelta(0))


@given(ended=st.integers(0, 500), pause=st.integers(0, 5000))
def test_collecting_that_waited_lasts_an_hour_more(ended: int, pause: int) -> None:
    before = NOON - timedelta(minutes=ended)
    here = paused(PauseReason.TOO_FEW_ENTRANTS, stage_ends_at=before)
    now = NOON + timedelta(minutes=pause)
    assert lifecycle.resumed_end(here, now, hour=HOUR) == now + HOUR


def test_what_has_no_deadline_gets_none_by_going_on() -> None:
    here = paused(PauseReason.TRAINING_FAILED, status=S.TRAINING, stage_ends_at=None)
    assert lifecycle.resumed_end(here, NOON + HOUR, hour=HOUR) is None
    assert lifecycle.extended_end(here, NOON, 5 * HOUR) is None


def test_an_extension_adds_to_what_is_left_and_counts_from_now_when_nothing_is() -> None:
    assert lifecycle.extended_end(event(stage_ends_at=NOON + HOUR), NOON, 2 * HOUR) == NOON + 3 * HOUR
    assert lifecycle.extended_end(event(stage_ends_at=NOON - HOUR), NOON, 2 * HOUR) == NOON + 2 * HOUR
    waiting = paused(PauseReason.TOO_FEW_PHOTOS, stage_ends_at=NOON - HOUR)
    assert lifecycle.extended_end(waiting, NOON + 9 * HOUR, 2 * HOUR) == NOON + 11 * HOUR


def test_an_extension_while_the_provider_is_down_adds_to_the_pause() -> None:
    down = paused(PauseReason.PROVIDER_DOWN, status=S.SHOWING, stage_ends_at=NOON + HOUR)
    longer = replace(down, stage_ends_at=lifecycle.extended_end(down, NOON + 5 * HOUR, 2 * HOUR))
    assert lifecycle.resumed_end(longer, NOON + 6 * HOUR, hour=HOUR) == NOON + 9 * HOUR


def test_photos_are_kept_for_so_long_after_the_planned_end_of_reviewing() -> None:
    collecting = event(stage_ends_at=NOON + HOUR)
    assert lifecycle.photos_until(collecting, hour=HOUR, kept=KEPT) == NOON + 3 * HOUR + KEPT
    reviewing = event(status=S.REVIEWING, stage_ends_at=NOON + HOUR)
    assert lifecycle.photos_until(reviewing, hour=HOUR, kept=KEPT) == NOON + HOUR + KEPT
    assert lifecycle.photos_until(event(status=S.SHOWING), hour=HOUR, kept=KEPT) is None


@pytest.mark.parametrize(
    ("actor", "may"),
    [
        (Actor(GUILD, ANNA), True),
        (Actor(GUILD, BEN), True),
        (Actor(GUILD, ADMIN, is_admin=True), True),
        (Actor(GUILD, ADMIN), False),
        (Actor(GUILD, 999, is_moderator=True), False),
        (Actor(OTHER_GUILD, ANNA, is_admin=True), False),
    ],
)
def test_the_host_moderators_and_admins_of_the_guild_run_it(actor: Actor, *, may: bool) -> None:
    assert lifecycle.may_run(event(moderator_ids=frozenset({BEN})), actor) is may


MEMBER = Actor(GUILD, BEN, role_ids=frozenset({7}))


@pytest.mark.parametrize(
    ("here", "entrants", "sentence"),
    [
        (event(), 9, None),
        (event(entrants_max=10), 9, None),
        (event(entrants_max=10), 10, "All 10 places"),
        (event(role_ids=frozenset({7, 8})), 0, None),
        (event(role_ids=frozenset({9, 8})), 0, "<@&8>, <@&9>"),
        (event(status=S.DRAFT), 0, "not been opened"),
        (event(status=S.SHOWING), 0, "joining is over"),
        (event(status=S.CANCELLED), 0, "is over"),
        (event(mode=EventMode.BAKEOFF, status=S.SHOWING), 0, "can vote"),
        (paused(PauseReason.TOO_FEW_ENTRANTS), 0, None),
        (paused(PauseReason.TOO_FEW_PHOTOS, status=S.REVIEWING), 0, None),
        (paused(PauseReason.NO_KEY), 0, "paused"),
    ],
)
def test_who_cannot_join_is_told_why(here: Event, entrants: int, sentence: str | None) -> None:
    said = lifecycle.may_enter(here, MEMBER, entrants)
    assert said is None if sentence is None else sentence in str(said)


@pytest.mark.parametrize(
    ("here", "gives", "orders", "votes"),
    [
        (event(), True, False, False),
        (event(status=S.REVIEWING), False, False, False),
        (event(status=S.SHOWING), False, True, False),
        (event(status=S.VOTING), False, False, True),
        (event(status=S.FINISHED), False, False, False),
        (event(mode=EventMode.CLUB), False, True, False),
        (event(mode=EventMode.BAKEOFF, status=S.SHOWING), False, False, False),
        (paused(PauseReason.TOO_FEW_PHOTOS), True, False, False),
        (paused(PauseReason.TOO_FEW_PHOTOS, status=S.TRAINING), True, False, False),
        (paused(PauseReason.TOO_FEW_ENTRANTS, mode=EventMode.CLUB), False, False, False),
        (paused(PauseReason.NO_KEY, status=S.SHOWING), False, False, False),
        (paused(PauseReason.NO_KEY, status=S.VOTING), False, False, False),
    ],
)
def test_what_entrants_can_do_when(here: Event, *, gives: bool, orders: bool, votes: bool) -> None:
    assert (lifecycle.can_give(here), lifecycle.can_order(here), lifecycle.can_vote(here)) == (gives, orders, votes)


C = HostCommand


@pytest.mark.parametrize(
    ("here", "expected"),
    [
        (event(status=S.DRAFT), {C.OPEN, C.CHANGE, C.CANCEL}),
        (event(), {C.CHANGE, C.CLOSE, C.EXTEND, C.CANCEL}),
        (event(status=S.TRAINING), {C.CHANGE, C.CANCEL}),
        (paused(PauseReason.TOO_FEW_PHOTOS), {C.CHANGE, C.EXTEND, C.CANCEL}),
        (paused(PauseReason.TRAINING_FAILED, status=S.TRAINING), {C.CHANGE, C.EXTEND, C.CANCEL}),
        (paused(PauseReason.NO_KEY, status=S.TRAINING), {C.CHANGE, C.CANCEL}),
        (event(status=S.FINISHED), set()),
        (event(status=S.CANCELLED), set()),
    ],
)
def test_what_the_host_can_do_when(here: Event, expected: set[HostCommand]) -> None:
    assert lifecycle.commands(here) == expected
    for command in HostCommand:
        assert (lifecycle.refusal(here, command) is None) == (command in expected)


class Life(RuleBasedStateMachine):
    """An event in the hands of its host, its entrants, a provider and a clock that also runs backwards."""

    ends: ClassVar[set[EventStatus]] = set()
    """How the events of a run have ended."""

    def __init__(self) -> None:
        super().__init__()
        self.now = NOON
        self.facts = Facts(0, 0)
        self.event = event(status=S.DRAFT, stage_ends_at=None, opened_at=None)
        self.visited = [S.DRAFT]

    @precondition(lambda self: self.event.status is S.DRAFT)
    @rule(
        mode=st.sampled_from(EventMode),
        kind=st.sampled_from(SubjectKind),
        hours=st.dictionaries(st.sampled_from(sorted(TIMED)), st.integers(0, 9).map(float)),
        entrants_min=st.integers(1, 5),
    )
    def open(self, mode: EventMode, kind: SubjectKind, hours: dict[EventStatus, float], entrants_min: int) -> None:
        self.event = replace(self.event, mode=mode, subject_kind=kind, hours=hours, entrants_min=entrants_min)
        self.move(lifecycle.next_stage(self.event))

    @rule(entrants=st.integers(0, 9), photos=st.integers(0, 40))
    def people_come_and_go(self, entrants: int, photos: int) -> None:
        self.facts = replace(self.facts, entrants=entrants, usable_photos=photos)

    @precondition(lambda self: self.event.status is S.TRAINING)
    @rule(counts=st.dictionaries(st.sampled_from(TrainingStatus), st.integers(0, 3)))
    def trainings_go_on(self, counts: dict[TrainingStatus, int]) -> None:
        self.facts = replace(self.facts, trainings=counts)

    @rule(minutes=st.integers(-600, 6000))
    def time_passes(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @rule()
    def look(self) -> None:
        before, moment = self.event, self.now
        decision = decide(before, self.facts, moment, ABANDONED)
        self.obey(decision)
        if isinstance(decision, Advance) and before.status in TIMED:
            assert before.stage_ends_at is not None
            assert before.stage_ends_at <= moment, "it moved on before its time"

    @precondition(lambda self: C.CLOSE in lifecycle.commands(self.event))
    @rule()
    def close(self) -> None:
        self.event = replace(self.event, stage_ends_at=self.now)

    @precondition(lambda self: C.EXTEND in lifecycle.commands(self.event))
    @rule(hours=st.integers(1, 48))
    def extend(self, hours: int) -> None:
        ends_at = lifecycle.extended_end(self.event, self.now, hours * HOUR)
        why = self.event.paused_why
        goes_on = why is not None and not why.ends_by_itself
        self.event = replace(self.event, stage_ends_at=ends_at)
        if goes_on:
            self.event = replace(self.event, paused_at=None, paused_why=None)
        assert (ends_at is None) == (self.event.status is S.TRAINING)
        if ends_at is not None and self.event.paused_at is None:
            assert ends_at >= self.now + hours * HOUR

    @precondition(lambda self: C.CANCEL in lifecycle.commands(self.event))
    @rule(really=st.integers(0, 9))
    def cancel(self, really: int) -> None:
        if really == 0:
            self.move(S.CANCELLED)

    @precondition(lambda self: self.event.status.is_live and self.event.paused_at is None)
    @rule(why=st.sampled_from([why for why in PauseReason if why.ends_by_itself]))
    def the_provider_fails(self, why: PauseReason) -> None:
        self.obey(Pause(why))

    def obey(self, decision: lifecycle.Decision) -> None:
        match decision:
            case Stay():
                return
            case Advance(to):
                self.move(to)
            case Pause(why):
                assert self.event.paused_at is None, "it was paused twice"
                self.event = replace(self.event, paused_at=self.now, paused_why=why)
            case Resume():
                assert self.event.paused_at is not None
                ends_at = lifecycle.resumed_end(self.event, self.now, hour=HOUR)
                self.event = replace(self.event, paused_at=None, paused_why=None, stage_ends_at=ends_at)
            case Abandon():
                self.move(S.CANCELLED)

    def move(self, to: EventStatus) -> None:
        check_move(self.event.mode, self.event.status, to)
        ends_at = lifecycle.ends_at(self.event, to, self.now, hour=HOUR)
        self.event = replace(self.event, status=to, stage_ends_at=ends_at, paused_at=None, paused_why=None)
        self.facts = replace(self.facts, trainings={})
        self.visited.append(to)

    @invariant()
    def stages_come_in_their_order(self) -> None:
        path = PATHS[self.event.mode]
        stages = [stage for stage in self.visited if stage is not S.CANCELLED]
        assert tuple(stages) == path[: len(stages)]
        assert S.CANCELLED not in self.visited[:-1]

    @invariant()
    def an_end_is_an_end(self) -> None:
        if self.event.status.is_terminal:
            assert self.event.status not in MOVES[self.event.mode]
            assert decide(self.event, self.facts, self.now, ABANDONED) == Stay(None)
            assert not lifecycle.commands(self.event)

    @invariant()
    def only_timed_stages_have_a_deadline(self) -> None:
        assert (self.event.stage_ends_at is not None) == (self.event.status in TIMED)

    @invariant()
    def nothing_is_given_ordered_or_voted_twice_over(self) -> None:
        can = (lifecycle.can_give, lifecycle.can_order, lifecycle.can_vote)
        assert sum(ability(self.event) for ability in can) <= 1

    def teardown(self) -> None:
        """Nobody does anything any more: it ends all the same."""
        if not self.event.status.is_live:
            self.ends.add(self.event.status)
            return
        for _ in range(3 * len(S)):
            self.facts = replace(self.facts, trainings={TrainingStatus.FAILED: 1})
            decision = decide(self.event, self.facts, self.now, ABANDONED)
            self.obey(decision)
            if self.event.status.is_terminal:
                self.ends.add(self.event.status)
                return
            if isinstance(decision, Stay):
                assert decision.until is not None, "it waits for nobody"
                self.now = max(self.now, decision.until)
        raise AssertionError("it never ended")


def test_every_event_keeps_to_its_path_and_comes_to_an_end() -> None:
    Life.ends.clear()
    run_state_machine_as_test(Life, settings=settings(max_examples=in_proportion(200), stateful_step_count=40))
    assert not any(each.is_live for each in Life.ends)
    assert any(each.is_terminal for each in Life.ends)


@given(
    mode=st.sampled_from(EventMode),
    jump=st.integers(1, 10_000).map(lambda days: timedelta(days=days)),
)
def test_a_clock_that_jumps_far_ahead_skips_no_stage(mode: EventMode, jump: timedelta) -> None:
    now: datetime = NOON
    here = event(mode=mode, status=PATHS[mode][1])
    seen = [here.status]
    facts = replace(ENOUGH, trainings={TrainingStatus.READY: 1})
    while here.status.is_live:
        now += jump
        decision = decide(here, facts, now, ABANDONED)
        assert isinstance(decision, Advance)
        ends_at = lifecycle.ends_at(here, decision.to, now, hour=HOUR)
        here = replace(here, status=decision.to, stage_ends_at=ends_at)
        seen.append(here.status)
        if ends_at is not None:
            assert decide(here, facts, now, ABANDONED) == Stay(ends_at)
    assert tuple(seen) == PATHS[mode][1:]
