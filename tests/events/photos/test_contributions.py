"""Taking part in an event: who may, what is kept of what they give, how it is chosen, and how it goes again."""

import asyncio
import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.datasets.naming import NAMED_MAX
from bot.errors import NotAllowed, NotFound, UserError
from bot.events.photos.consent_texts import consent_sentence
from bot.events.photos.rules import SOMEBODY_ELSES, judge_own, split_new_photos
from bot.photos.checks import Code
from bot.records.dataset import Dataset, DatasetStatus, Finding, Gender, Photo, Pick, SubjectKind, Upload, Verdict
from bot.records.event import DepictionStatus, EntrantStatus, Event, EventMode, EventStatus, PauseReason
from bot.records.guild import Actor, PlaceKind
from bot.records.job import LaneName
from bot.records.post import PostKind
from bot.storage import tables
from bot.storage.events import entrants
from bot.storage.events import photos as event_photos
from bot.storage.events import tables as event_tables
from tests.events.photo_givers import (
    CLEO,
    DAN,
    HOST,
    IN_A_DAY,
    Giver,
    asked_in,
    consents_of,
    entrant_of,
    member,
    open_event,
    photos_of,
    question_to,
    questions,
)
from tests.fakes.attachments import Attachments, make_photo
from tests.fakes.events import add_event, change_event, get_event, make_event
from tests.fakes.rows import ADMIN, ANNA, BEN, GUILD, OTHER_GUILD, photo
from tests.fakes.studio import Studio


@pytest.fixture
async def event(studio: Studio) -> Event:
    return await open_event(studio)


@pytest.mark.parametrize(
    ("kind", "effort"), [(SubjectKind.OBJECT, (2000, 48)), (SubjectKind.CHARACTER, (0, 0))], ids=["object", "character"]
)
async def test_an_entrants_own_photos_are_trained_with_the_steps_and_rank_of_the_event(
    studio: Studio, anna: Giver, kind: SubjectKind, effort: tuple[int, int]
) -> None:
    event = await open_event(studio, mode=EventMode.PERSONAL, subject_kind=kind, photo_cap=20, steps=2000, rank=48)
    own = await anna.give(event)
    assert own.dataset is not None
    assert (own.dataset.steps, own.dataset.rank) == effort


def codes(one: Photo) -> list[str]:
    return [finding.code for finding in one.findings]


# Joining


async def test_joining_twice_is_joining_once(studio: Studio, event: Event) -> None:
    first = await studio.contributions.join(event.id, member())
    assert await studio.contributions.join(event.id, member()) == first
    assert first.status is EntrantStatus.IN


@pytest.mark.both
async def test_of_many_who_join_at_once_only_so_many_get_in(studio: Studio) -> None:
    event = await open_event(studio, mode=EventMode.CLUB, entrants_max=3)
    joins = (studio.contributions.join(event.id, member(user_id)) for user_id in range(500, 510))
    results = await asyncio.gather(*joins, return_exceptions=True)
    assert sum(isinstance(result, UserError) for result in results) == 7
    async with studio.database.read() as connection:
        assert await entrants.count(connection, event.id) == 3


async def test_a_place_that_somebody_gave_up_is_free_again_and_they_may_come_back(studio: Studio) -> None:
    event = await open_event(studio, mode=EventMode.CLUB, entrants_max=2)
    for user_id in (ANNA, BEN):
        await studio.contributions.join(event.id, member(user_id))
    await studio.depictions.withdraw(event.id, member(ANNA))
    again = await studio.contributions.join(event.id, member(ANNA))
    assert (again.status, again.left_at) == (EntrantStatus.IN, None)
    with pytest.raises(UserError, match="2 places"):
        await studio.contributions.join(event.id, member(CLEO))


async def test_who_was_taken_out_by_the_host_stays_out(studio: Studio, event: Event, anna: Giver) -> None:
    entrant = await studio.contributions.join(event.id, member())
    await studio.change(event_tables.entrants, entrant.id, status=EntrantStatus.REMOVED)
    with pytest.raises(NotAllowed):
        await studio.contributions.join(event.id, member())
    with pytest.raises(NotAllowed):
        await anna.give(event)
    assert anna.attachments.asked_for == []


async def test_only_the_allowed_roles_may_give(studio: Studio, anna: Giver) -> None:
    event = await open_event(studio, role_ids=frozenset({77}))
    with pytest.raises(UserError, match="<@&77>"):
        await anna.give(event)
    anna.actor = member(ANNA, 77)
    assert len((await anna.give(event)).photos) == 1


@pytest.mark.parametrize(
    "call",
    [
        lambda studio, event_id, actor: studio.contributions.join(event_id, actor),
        lambda studio, event_id, actor: studio.contributions.give(event_id, [Upload("a.jpg", "http://x", 1)], actor),
        lambda studio, event_id, actor: studio.contributions.mine(event_id, actor),
        lambda studio, event_id, actor: studio.contributions.remove(event_id, [1], actor),
        lambda studio, event_id, actor: studio.contributions.sheet(event_id, actor),
        lambda studio, event_id, actor: studio.depictions.withdraw(event_id, actor),
        lambda studio, event_id, actor: studio.depictions.seen_in(event_id, actor),
        lambda studio, event_id, actor: studio.reviews.board(event_id, actor),
        lambda studio, event_id, actor: studio.reviews.pick(event_id, 1, Pick.PINNED, actor),
    ],
)
async def test_another_servers_event_a_draft_and_none_at_all_look_the_same(
    studio: Studio, event: Event, call: Any
) -> None:
    draft = await add_event(studio.database, status=EventStatus.DRAFT)
    elsewhere = Actor(OTHER_GUILD, ANNA, is_admin=True)
    answers = set()
    for event_id, actor in ((event.id, elsewhere), (draft.id, member()), (999, member())):
        with pytest.raises(NotFound) as refused:
            await call(studio, event_id, actor)
        answers.add(str(refused.value))
    assert len(answers) == 1


# Giving


async def test_given_photos_belong_to_their_giver_with_the_consent_for_exactly_them(
    studio: Studio, event: Event, attachments: Attachments, anna: Giver
) -> None:
    uploads = [*attachments.add_photos(2), attachments.add("x.txt", b"no picture")]
    given_ = await studio.contributions.give(event.id, uploads, anna.actor)
    consent, *others = await consents_of(studio)
    assert others == []
    assert {(one.contributor_id, one.consent_id) for one in given_.photos} == {(ANNA, consent.id)}
    assert (consent.user_id, consent.event_id, consent.dataset_id) == (ANNA, event.id, event.dataset_id)
    assert (consent.kind, consent.policy_version, consent.wording) == (
        "photos",
        studio.policy.version,
        consent_sentence(event, studio.timings.event_photos_kept),
    )
    assert consent.photo_hashes == tuple(hashlib.sha256(make_photo(number)).hexdigest() for number in (1, 2))
    assert given_.entrant is not None
    assert given_.entrant.status is EntrantStatus.IN
    assert (await studio.posts_of(PostKind.EVENT_PANEL))[0].revision > 0


async def test_what_was_measured_on_a_photo_is_kept_for_choosing(event: Event, anna: Giver) -> None:
    one = (await anna.give(event)).photos[0]
    assert None not in (one.sharpness, one.brightness, one.detail)


async def test_every_bad_file_is_named_and_only_the_good_ones_lie_in_the_spool(
    studio: Studio, event: Event, attachments: Attachments
) -> None:
    uploads = [
        attachments.add("good.jpg", make_photo(1)),
        attachments.add("note.txt", b"not a picture at all"),
        attachments.add("gone.jpg", make_photo(2), status=404),
        attachments.add("again.jpg", make_photo(1)),
    ]
    own = await studio.contributions.give(event.id, uploads, member())
    assert [",".join(codes(one)) for one in own.photos] == ["", "not_an_image", "gone", "exact_duplicate"]
    assert [one.name for one in own.usable] == ["good.jpg"]
    assert studio.files() == [own.photos[0].file]


async def test_photos_above_the_cap_are_named_and_not_kept(studio: Studio, anna: Giver) -> None:
    event = await open_event(studio, photo_cap=3)
    first = await anna.give(event, 2)
    assert (first.room, first.left_out) == (1, ())
    own = await anna.give(event, 3)
    assert [codes(one) for one in own.left_out] == [["over_limit"], ["over_limit"]]
    assert (len(own.photos), own.room, len(studio.files())) == (3, 0, 3)
    asked_for = len(anna.attachments.asked_for)
    with pytest.raises(UserError, match="3 photos already"):
        await anna.give(event)
    assert len(anna.attachments.asked_for) == asked_for


async def test_somebody_elses_file_is_refused_without_saying_whose(
    studio: Studio, event: Event, attachments: Attachments
) -> None:
    await studio.contributions.give(event.id, [attachments.add("mine.jpg", make_photo(1))], member(ANNA))
    copy = attachments.add("copy.jpg", make_photo(1))
    own = await studio.contributions.give(event.id, [copy], member(BEN))
    assert own.photos[0].findings == (Finding(Code.EXACT_DUPLICATE, SOMEBODY_ELSES),)
    assert own.usable == ()
    assert len(studio.files()) == 1
    await studio.depictions.withdraw(event.id, member(ANNA))
    again = await studio.contributions.give(event.id, [copy], member(BEN))
    assert [codes(one) for one in again.photos] == [[]]


async def test_equal_files_in_two_personal_datasets_do_not_meet(studio: Studio, attachments: Attachments) -> None:
    event = await open_event(studio, mode=EventMode.PERSONAL)
    for user_id in (ANNA, BEN):
        own = await studio.contributions.give(event.id, [attachments.add("a.jpg", make_photo(1))], member(user_id))
        assert len(own.usable) == 1


async def test_a_copy_counts_once_its_twin_has_left_and_it_is_given_again(
    studio: Studio, event: Event, attachments: Attachments
) -> None:
    uploads = [attachments.add(name, make_photo(1)) for name in ("first.jpg", "copy.jpg")]
    own = await studio.contributions.give(event.id, uploads, member())
    await studio.contributions.remove(event.id, [own.photos[0].id], member())
    again = await studio.contributions.give(event.id, [uploads[1]], member())
    assert [(one.name, one.verdict) for one in again.photos] == [("copy.jpg", Verdict.ACCEPTED)]


@pytest.mark.parametrize(
    ("mode", "status", "words"),
    [
        (EventMode.SHARED, EventStatus.REVIEWING, "time for giving"),
        (EventMode.SHARED, EventStatus.VOTING, "time for giving"),
        (EventMode.SHARED, EventStatus.CANCELLED, "time for giving"),
        (EventMode.CLUB, EventStatus.COLLECTING, "no photos"),
        (EventMode.BAKEOFF, EventStatus.SHOWING, "no photos"),
    ],
)
async def test_photos_are_taken_only_while_they_are_collected(
    studio: Studio, anna: Giver, mode: EventMode, status: EventStatus, words: str
) -> None:
    event = await open_event(studio, mode=mode, status=status)
    with pytest.raises(UserError, match=words):
        await anna.give(event)
    assert anna.attachments.asked_for == []


async def test_an_event_that_waits_for_more_photos_takes_them_and_looks_again_at_once(
    studio: Studio, event: Event, anna: Giver
) -> None:
    now = studio.clock.now()
    event = await change_event(studio.database, event, paused_at=now, paused_why=PauseReason.TOO_FEW_PHOTOS)
    assert len((await anna.give(event)).photos) == 1
    assert (await get_event(studio.database, event.id)).due_at == now


async def test_too_many_files_at_once_are_refused_before_anything_is_fetched(event: Event, anna: Giver) -> None:
    with pytest.raises(UserError, match="1 to 30"):
        await anna.give(event, 31)
    with pytest.raises(UserError, match="1 to 30"):
        await anna.give(event, 0)
    assert anna.attachments.asked_for == []


CHANGES: dict[str, Any] = {
    "moved on": {"status": EventStatus.REVIEWING},
    "cancelled": {"status": EventStatus.CANCELLED},
}


@pytest.mark.parametrize("what", [*CHANGES, "withdrew", "expired"])
async def test_when_things_changed_meanwhile_the_files_are_freed_and_it_is_said(
    studio: Studio, event: Event, anna: Giver, what: str
) -> None:
    examine = studio.datasets.examine

    async def change_meanwhile(dataset: Dataset, uploads: Sequence[Upload]) -> list[Photo]:
        photos = await examine(dataset, uploads)
        assert len(studio.files()) == 2
        if what in CHANGES:
            await change_event(studio.database, event, **CHANGES[what])
        elif what == "withdrew":
            await studio.depictions.withdraw(event.id, anna.actor)
        else:
            await studio.change(tables.datasets, dataset.id, status=DatasetStatus.EXPIRED)
        return photos

    studio.datasets.examine = change_meanwhile  # type: ignore[method-assign]
    with pytest.raises(UserError, match=r"not added|nothing was added"):
        await anna.give(event, 2, depicted=[BEN])
    assert studio.files() == []
    assert await consents_of(studio) == []
    assert await questions(studio, event) == []


async def test_members_give_in_turns(studio: Studio) -> None:
    order = []
    async with studio.contributions.queue(ANNA), studio.contributions.queue(BEN):
        order.append("both")
    assert order == ["both"]


# A personal event


PERSON: dict[str, Any] = {"gender": Gender.FEMALE, "ethnicity": " Mixed "}


async def test_each_entrant_has_a_dataset_of_their_own_that_leaves_the_disk_in_time(
    studio: Studio, anna: Giver, ben: Giver
) -> None:
    event = await open_event(
        studio, mode=EventMode.PERSONAL, subject_kind=SubjectKind.PERSON, hours={EventStatus.REVIEWING: 2.0}
    )
    await anna.give(event, **PERSON)
    await anna.give(event)
    await ben.give(event, gender=Gender.FEMALE, ethnicity="Asian")
    await ben.give(event, gender=Gender.MALE, ethnicity="Asian")
    async with studio.database.read() as connection:
        rows = (await connection.execute(sa.select(tables.datasets).order_by(tables.datasets.c.id))).all()
    assert [(row.user_id, row.event_id, row.gender, row.ethnicity) for row in rows] == [
        (ANNA, event.id, "female", "Mixed"),
        (BEN, event.id, "male", "Asian"),
    ]
    kept = IN_A_DAY + timedelta(hours=2) + studio.timings.event_photos_kept
    assert {row.due_at for row in rows} == {studio.clock.now() + kept}
    assert (await entrant_of(studio, event)).dataset_id == rows[0].id


async def test_what_is_written_about_a_person_passes_the_list_of_words(studio: Studio, anna: Giver) -> None:
    """Mutant: without `check_text` it goes to the provider with the photos."""
    await studio.moderation.set_words(Actor(GUILD, ADMIN, is_moderator=True), "badger")
    event = await open_event(studio, mode=EventMode.PERSONAL, subject_kind=SubjectKind.PERSON)
    for ethnicity in ("B4dger", "n.u.d.e"):
        with pytest.raises(UserError):
            await anna.give(event, gender=Gender.FEMALE, ethnicity=ethnicity)
    assert await studio.scalars(sa.select(tables.datasets.c.ethnicity)) == []
    assert anna.attachments.asked_for == []


async def test_the_name_of_a_file_is_not_shown_to_others_with_a_word_of_the_list(studio: Studio, anna: Giver) -> None:
    """Mutant: the host reads it in the list of photos."""
    await studio.moderation.set_words(Actor(GUILD, ADMIN, is_moderator=True), "badger")
    event = await open_event(studio)
    names = ("my b4dger.jpg", "my cat.jpg", "badgers.jpg")
    uploads = [anna.attachments.add(name, make_photo(number)) for number, name in enumerate(names)]
    await studio.contributions.give(event.id, uploads, Actor(GUILD, ANNA))
    found = await studio.scalars(sa.select(tables.photos.c.name).order_by(tables.photos.c.id))
    assert found == ["photo", "my cat.jpg", "badgers.jpg"]


@pytest.mark.parametrize("person", [{}, {"gender": Gender.MALE}, {"gender": Gender.MALE, "ethnicity": "  "}])
async def test_a_person_needs_gender_and_ethnicity_before_anything_is_fetched(
    studio: Studio, anna: Giver, person: dict[str, Any]
) -> None:
    event = await open_event(studio, mode=EventMode.PERSONAL, subject_kind=SubjectKind.PERSON)
    with pytest.raises(UserError, match=r"gender and ethnicity"):
        await anna.give(event, **person)
    assert anna.attachments.asked_for == []
    async with studio.database.read() as connection:
        assert await entrants.count(connection, event.id) == 0


async def test_personal_words_about_a_thing_are_not_even_stored(studio: Studio, anna: Giver) -> None:
    event = await open_event(studio, mode=EventMode.PERSONAL)
    await anna.give(event, **PERSON)
    assert await studio.scalars(sa.select(tables.datasets.c.gender)) == [None]


async def test_a_character_takes_no_more_photos_than_its_provider(studio: Studio, anna: Giver) -> None:
    event = await open_event(studio, mode=EventMode.PERSONAL, subject_kind=SubjectKind.CHARACTER)
    own = await anna.give(event, 8)
    assert (len(own.usable), len(own.left_out)) == (6, 2)
    assert await studio.scalars(sa.select(tables.datasets.c.steps)) == [0]


# Who can be seen


async def test_named_members_are_asked_privately_and_nowhere_else(studio: Studio, event: Event, anna: Giver) -> None:
    own = await anna.give(event, 2, depicted=[BEN, CLEO, BEN, ANNA])
    assert sorted(each.user_id for each in own.depicted) == [BEN, CLEO]
    assert {each.status for each in own.depicted} == {DepictionStatus.PENDING}
    assert sorted(await asked_in(studio)) == [(PlaceKind.USER, BEN), (PlaceKind.USER, CLEO)]
    assert {post.user_id for post in await studio.posts_of(PostKind.DEPICTION)} == {BEN, CLEO}


async def test_somebody_outside_the_server_cannot_be_named(studio: Studio, event: Event, anna: Giver) -> None:
    studio.members.gone.add((GUILD, CLEO))
    with pytest.raises(UserError, match=f"<@{CLEO}>"):
        await anna.give(event, depicted=[BEN, CLEO])
    with pytest.raises(UserError, match=str(NAMED_MAX)):
        await anna.give(event, depicted=range(600, 601 + NAMED_MAX))
    assert anna.attachments.asked_for == []
    assert await asked_in(studio) == []


async def test_nobody_is_asked_about_photos_of_which_none_was_kept(
    studio: Studio, event: Event, attachments: Attachments
) -> None:
    nothing = [attachments.add("x.txt", b"no picture")]
    await studio.contributions.give(event.id, nothing, member(), depicted=[BEN])
    assert await asked_in(studio) == []


async def test_photos_that_wait_for_an_answer_are_not_counted_as_usable(
    studio: Studio, event: Event, anna: Giver
) -> None:
    await anna.give(event, 3)
    await anna.give(event, 2, depicted=[BEN])

    async def usable() -> int:
        async with studio.database.read() as connection:
            return await event_photos.usable_of_event(connection, event.id)

    assert await usable() == 3
    question = await question_to(studio, event)
    await studio.depictions.answer(question.id, True, BEN, GUILD)
    assert await usable() == 5


async def test_usable_in_a_personal_event_is_what_the_most_generous_gave(
    studio: Studio, anna: Giver, ben: Giver
) -> None:
    event = await open_event(studio, mode=EventMode.PERSONAL)
    await anna.give(event, 4)
    await ben.give(event, 2)
    async with studio.database.read() as connection:
        assert await event_photos.usable_of_event(connection, event.id) == 4


# Seeing and removing


async def test_a_removed_photo_leaves_the_disk_and_its_question_is_dropped(
    studio: Studio, event: Event, anna: Giver
) -> None:
    kept = (await anna.give(event)).photos[0]
    own = await anna.give(event, 2, depicted=[BEN])
    with_ben = [one.id for one in own.photos if one.id != kept.id]
    await studio.contributions.remove(event.id, with_ben[:1], anna.actor)
    assert len(await questions(studio, event)) == 1
    after = await studio.contributions.remove(event.id, with_ben[1:], anna.actor)
    assert [one.id for one in after.photos] == [kept.id]
    assert after.depicted == ()
    assert studio.files() == [kept.file]
    assert await questions(studio, event) == []
    assert await asked_in(studio) == []
    assert [row.withdrawn_at is None for row in await consents_of(studio)] == [True, False]


async def test_somebody_elses_photos_cannot_be_removed_by_their_numbers(
    studio: Studio, event: Event, anna: Giver, ben: Giver
) -> None:
    theirs = await ben.give(event, 2)
    await anna.give(event)
    await studio.contributions.remove(event.id, [one.id for one in theirs.photos], anna.actor)
    assert len(studio.files()) == 3


async def test_photos_in_training_can_only_be_taken_back_as_a_whole(studio: Studio, event: Event, anna: Giver) -> None:
    own = await anna.give(event)
    assert event.dataset_id is not None
    await studio.change(tables.datasets, event.dataset_id, status=DatasetStatus.STARTED)
    with pytest.raises(UserError, match="Withdraw"):
        await studio.contributions.remove(event.id, [own.photos[0].id], anna.actor)
    assert len(studio.files()) == 1


async def test_everybody_sees_their_own_photos_only(studio: Studio, event: Event, anna: Giver, ben: Giver) -> None:
    await anna.give(event, 2)
    await ben.give(event, 1)
    own = await studio.contributions.mine(event.id, anna.actor)
    assert {one.contributor_id for one in own.photos} == {ANNA}
    sheet = await studio.contributions.sheet(event.id, anna.actor)
    assert sheet is not None
    assert sheet.startswith(b"\xff\xd8\xff")
    nothing = await studio.contributions.mine(event.id, member(CLEO))
    assert (nothing.entrant, nothing.photos) == (None, ())
    assert await studio.contributions.sheet(event.id, member(CLEO)) is None


# The host's choice


@pytest.mark.parametrize("who", [member(BEN), member(ANNA)])
async def test_only_those_who_run_the_event_see_everybodys_photos(
    studio: Studio, event: Event, anna: Giver, who: Actor
) -> None:
    own = await anna.give(event)
    for call in (studio.reviews.board, studio.reviews.sheet):
        with pytest.raises(NotAllowed):
            await call(event.id, who)
    with pytest.raises(NotAllowed):
        await studio.reviews.pick(event.id, own.photos[0].id, Pick.DROPPED, who)


async def test_a_moderator_of_the_event_and_an_admin_may_choose(studio: Studio, anna: Giver) -> None:
    event = await open_event(studio, moderator_ids=frozenset({CLEO}))
    await anna.give(event)
    for actor in (HOST, member(CLEO), Actor(GUILD, DAN, is_admin=True)):
        assert len((await studio.reviews.board(event.id, actor)).photos) == 1


async def test_pinning_dropping_and_neither_decide_what_is_chosen(studio: Studio, event: Event, anna: Giver) -> None:
    first, second = (await anna.give(event, 2)).photos
    board = await studio.reviews.pick(event.id, first.id, Pick.DROPPED, HOST)
    assert board.chosen == {second.id}
    board = await studio.reviews.pick(event.id, first.id, Pick.PINNED, HOST)
    assert board.chosen == {first.id, second.id}
    assert [one.pick for one in board.photos] == [Pick.PINNED, None]
    board = await studio.reviews.pick(event.id, first.id, None, HOST)
    assert [one.pick for one in board.photos] == [None, None]
    assert board.needed == 15
    assert board.advice


async def test_photos_waiting_for_an_answer_are_shown_and_not_chosen(studio: Studio, event: Event, anna: Giver) -> None:
    await anna.give(event, 2, depicted=[BEN])
    board = await studio.reviews.board(event.id, HOST)
    assert (len(board.photos), board.chosen) == (2, frozenset())


async def test_the_hosts_sheet_shows_photos_from_any_number_on(studio: Studio, event: Event, anna: Giver) -> None:
    await anna.give(event, 2)
    assert await studio.reviews.sheet(event.id, HOST) is not None
    assert await studio.reviews.sheet(event.id, HOST, skip=2) is None


async def test_nothing_is_chosen_elsewhere_or_later(studio: Studio, event: Event) -> None:
    personal = await open_event(studio, mode=EventMode.PERSONAL)
    later = await open_event(studio, status=EventStatus.TRAINING)
    for other in (personal, later):
        with pytest.raises(UserError):
            await studio.reviews.board(other.id, HOST)
    with pytest.raises(NotFound):
        await studio.reviews.pick(event.id, 999, Pick.PINNED, HOST)


async def reviewed(studio: Studio, givers: Sequence[Giver], each: int, **changes: Any) -> Event:
    event = await open_event(studio, photo_cap=30, **changes)
    for giver in givers:
        await giver.give(event, each)
    return await change_event(studio.database, event, status=EventStatus.REVIEWING)


async def test_settling_keeps_what_was_chosen_and_deletes_everything_else(
    studio: Studio, anna: Giver, ben: Giver
) -> None:
    event = await reviewed(studio, [anna, ben], 17)
    dropped, pinned = [one for one in await photos_of(studio, event) if one.contributor_id == ANNA][:2]
    await studio.reviews.pick(event.id, dropped.id, Pick.DROPPED, HOST)
    await studio.reviews.pick(event.id, pinned.id, Pick.PINNED, HOST)
    assert await studio.reviews.settle_shared(event) == 30
    left = await photos_of(studio, event)
    assert sorted(one.file or "" for one in left) == studio.files()
    assert Counter(one.contributor_id for one in left) == {ANNA: 15, BEN: 15}
    assert Counter(one.pick for one in left) == {Pick.CHOSEN: 29, Pick.PINNED: 1}
    assert dropped.id not in {one.id for one in left}
    assert [(await entrant_of(studio, event, user_id)).photos_chosen for user_id in (ANNA, BEN)] == [15, 15]
    assert await studio.reviews.settle_shared(event) == 30
    assert await photos_of(studio, event) == left


async def test_settling_marks_who_can_be_seen_and_drops_what_nobody_answered(
    studio: Studio, anna: Giver, ben: Giver
) -> None:
    event = await open_event(studio, photo_cap=30)
    await anna.give(event, 16, depicted=[CLEO])
    await ben.give(event, 2, depicted=[CLEO])
    confirmed, _ = await questions(studio, event)
    await studio.depictions.answer(confirmed.id, True, CLEO, GUILD)
    event = await change_event(studio.database, event, status=EventStatus.REVIEWING)
    assert await studio.reviews.settle_shared(event) == 16
    assert [(each.id, each.in_training) for each in await questions(studio, event)] == [(confirmed.id, True)]
    assert {one.contributor_id for one in await photos_of(studio, event)} == {ANNA}


async def test_what_somebody_who_was_taken_out_gave_is_not_chosen(studio: Studio, anna: Giver, ben: Giver) -> None:
    event = await reviewed(studio, [anna, ben], 15)
    await studio.change(event_tables.entrants, (await entrant_of(studio, event, BEN)).id, status=EntrantStatus.REMOVED)
    assert await studio.reviews.settle_shared(event) == 15
    assert {one.contributor_id for one in await photos_of(studio, event)} == {ANNA}
    assert len(studio.files()) == 15


async def test_a_personal_dataset_keeps_only_photos_that_everybody_in_them_agreed_to(
    studio: Studio, anna: Giver
) -> None:
    event = await open_event(studio, mode=EventMode.PERSONAL)
    await anna.give(event, 1)
    await anna.give(event, 2, depicted=[BEN])
    await anna.give(event, 3, depicted=[CLEO])
    question = await question_to(studio, event, CLEO)
    await studio.depictions.answer(question.id, True, CLEO, GUILD)
    for _ in range(2):
        await studio.reviews.settle_personal(event)
        assert len(await photos_of(studio, event)) == len(studio.files()) == 4
        assert [(each.user_id, each.in_training) for each in await questions(studio, event)] == [(CLEO, True)]


# What is kept of a submission, for any submission


def as_photos(numbers: Sequence[int], first: int) -> list[Photo]:
    """Equal numbers are equal files."""
    return [
        replace(photo(number), id=0, name=f"{place}.jpg", file=f"{place:032x}.jpg")
        for place, number in enumerate(numbers, start=first)
    ]


@given(
    new=st.lists(st.integers(1, 12), max_size=12),
    before=st.lists(st.integers(1, 12), max_size=8),
    others=st.sets(st.integers(1, 12), max_size=4),
    cap=st.integers(1, 6),
)
def test_whatever_is_given_the_cap_holds_no_file_counts_twice_and_every_photo_is_named(
    new: list[int], before: list[int], others: set[int], cap: int
) -> None:
    event = make_event(photo_cap=cap)
    elsewhere = {photo(number).sha256 for number in others}
    held = split_new_photos(event, as_photos(before, 100), [], elsewhere).kept
    given_ = as_photos(new, 1)
    split = split_new_photos(event, given_, held, elsewhere)
    assert sorted(one.name for one in (*split.kept, *split.left_out)) == sorted(one.name for one in given_)
    usable = [one for one in judge_own(event, [*held, *split.kept]) if one.verdict is not Verdict.REFUSED]
    assert len(usable) == min(cap, len({one.sha256 for one in (*held, *given_)} - elsewhere))
    assert len({one.sha256 for one in usable}) == len(usable)
    assert elsewhere.isdisjoint(one.sha256 for one in usable)
    assert {one.file for one in usable} == {one.file for one in (*held, *split.kept) if one.file is not None}
    assert all(one.findings and one.file is None for one in split.left_out)


async def test_the_panel_is_edited_by_the_panels_interval_and_not_for_every_photo(
    studio: Studio, event: Event, anna: Giver, ben: Giver
) -> None:
    await studio.settle(LaneName.POSTS)
    await asyncio.gather(anna.give(event, 2), ben.give(event, 2))
    panel = (await studio.posts_of(PostKind.EVENT_PANEL))[0]
    assert panel.due_at == studio.clock.now() + studio.timings.panel


@pytest.mark.sqlite
async def test_a_full_disk_leaves_no_file_and_no_row_behind(studio: Studio, event: Event, anna: Giver) -> None:
    async def full(connection: AsyncConnection) -> None:
        await connection.execute(
            sa.text("CREATE TRIGGER full BEFORE INSERT ON photos BEGIN SELECT RAISE(ABORT, 'disk full'); END")
        )

    await studio.database.write(full)
    with pytest.raises(sa.exc.IntegrityError, match="disk full"):
        await anna.give(event, 2)
    assert studio.files() == []
    assert await consents_of(studio) == []
