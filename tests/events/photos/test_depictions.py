"""The consent ledger: whoever can be seen decides, whoever gave takes back, and nobody else learns who it was."""

import json
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.errors import NotFound, UserError
from bot.events.photos.consent_texts import depicted_sentence
from bot.records.dataset import ConsentKind, DatasetStatus, Gender, SubjectKind
from bot.records.event import (
    AnnouncementKind,
    Depiction,
    DepictionStatus,
    EntrantStatus,
    Event,
    EventMode,
    EventStatus,
    PauseReason,
)
from bot.records.guild import PlaceKind
from bot.records.job import LaneName
from bot.records.lora import Lora
from bot.records.post import PostKind
from bot.records.training import TrainingStatus
from bot.storage import tables
from bot.storage.events import tables as event_tables
from bot.storage.jobs import loras
from tests.events.photo_givers import (
    CLEO,
    DAN,
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
from tests.fakes.events import change_event, get_announcements, get_event
from tests.fakes.rows import ADMIN, ANNA, BEN, GUILD, OTHER_GUILD, add_lora, add_training
from tests.fakes.studio import Studio


@pytest.fixture
async def event(studio: Studio) -> Event:
    return await open_event(studio, photo_cap=30)


async def say(studio: Studio, question: Depiction, confirmed: bool) -> DepictionStatus:
    """In a private message, where no server is known."""
    return await studio.depictions.answer(question.id, confirmed, question.user_id, None)


async def lora_of(studio: Studio, lora_id: int) -> Lora:
    async with studio.database.read() as connection:
        lora = await loras.get(connection, lora_id)
    assert lora is not None
    return lora


async def train(studio: Studio, event: Event, status: TrainingStatus, **changes: Any) -> int:
    """The event's photos are settled and in a training of this status; its id."""
    event = await change_event(studio.database, event, status=EventStatus.REVIEWING)
    await studio.reviews.settle_shared(event)
    assert event.dataset_id is not None
    training_id = await add_training(
        studio.database, user_id=ADMIN, dataset_id=event.dataset_id, event_id=event.id, due_at=None
    )
    await studio.change(tables.trainings, training_id, status=status, **changes)
    await studio.change(tables.datasets, event.dataset_id, status=DatasetStatus.STARTED)
    await change_event(studio.database, event, status=EventStatus.TRAINING)
    return training_id


async def make_lora(studio: Studio, event: Event, training_id: int) -> int:
    await studio.change(tables.trainings, training_id, status=TrainingStatus.READY)
    trained = sa.select(tables.trainings.c.dataset_id).where(tables.trainings.c.id == training_id)
    [dataset_id] = await studio.scalars(trained)
    return await add_lora(studio.database, training_id, owner_id=ADMIN, event_id=event.id, dataset_id=dataset_id)


async def taken_back(studio: Studio, event: Event) -> list[dict[str, int]]:
    """What the host has been told, in private first."""
    posts = await studio.posts_of(PostKind.EVENT_ANNOUNCEMENT)
    told = []
    for note in await get_announcements(studio.database, event.id):
        post = next((post for post in posts if post.subject_id == note.id), None)
        if note.what is AnnouncementKind.TAKEN_BACK and post is not None:
            assert (post.places[0].kind, post.places[0].id) == (PlaceKind.USER, event.host_id)
            told.append(json.loads(note.detail))
    return told


# Answering


async def test_a_yes_is_kept_with_its_sentence_and_lets_the_photos_in(
    studio: Studio, event: Event, anna: Giver
) -> None:
    await anna.give(event, 2, depicted=[BEN])
    question = await question_to(studio, event)
    assert await say(studio, question, True) is DepictionStatus.CONFIRMED
    given, agreed = await consents_of(studio)
    assert (agreed.user_id, agreed.kind, agreed.event_id) == (BEN, ConsentKind.DEPICTED, event.id)
    assert (agreed.wording, agreed.policy_version) == (
        depicted_sentence(event, studio.timings.event_photos_kept),
        studio.policy.version,
    )
    assert agreed.photo_hashes == given.photo_hashes
    answered = await question_to(studio, event)
    assert (answered.status, answered.answered_at) == (DepictionStatus.CONFIRMED, studio.clock.now())
    assert len(studio.files()) == 2


async def test_saying_yes_twice_agrees_once(studio: Studio, event: Event, anna: Giver) -> None:
    await anna.give(event, 1, depicted=[BEN])
    question = await question_to(studio, event)
    for _ in range(2):
        assert await say(studio, question, True) is DepictionStatus.CONFIRMED
    assert len(await consents_of(studio)) == 2


@pytest.mark.parametrize("after_yes", [False, True])
async def test_a_no_deletes_the_submissions_photos_at_once_and_nothing_else(
    studio: Studio, event: Event, anna: Giver, after_yes: bool
) -> None:
    kept = (await anna.give(event, 1)).photos[0]
    await anna.give(event, 2, depicted=[BEN, CLEO])
    question = await question_to(studio, event)
    if after_yes:
        await say(studio, question, True)
    assert await say(studio, question, False) is DepictionStatus.VETOED
    assert studio.files() == [kept.file]
    assert [one.id for one in await photos_of(studio, event)] == [kept.id]
    first, *withdrawn = await consents_of(studio)
    assert first.withdrawn_at is None
    assert {row.withdrawn_at for row in withdrawn} == {studio.clock.now()}
    assert [each.user_id for each in await questions(studio, event)] == [BEN]


async def test_photos_do_not_come_back_after_a_no(studio: Studio, event: Event, anna: Giver) -> None:
    await anna.give(event, 1, depicted=[BEN])
    question = await question_to(studio, event)
    for _ in range(2):
        assert await say(studio, question, False) is DepictionStatus.VETOED
    with pytest.raises(UserError, match="cannot come back"):
        await say(studio, question, True)
    assert (await question_to(studio, event)).status is DepictionStatus.VETOED
    assert studio.files() == []


@pytest.mark.parametrize(("user_id", "guild_id"), [(CLEO, GUILD), (ANNA, None), (BEN, OTHER_GUILD)])
async def test_nobody_answers_for_somebody_else_or_from_elsewhere(
    studio: Studio, event: Event, anna: Giver, user_id: int, guild_id: int | None
) -> None:
    await anna.give(event, 1, depicted=[BEN])
    question = await question_to(studio, event)
    answers = set()
    for depiction_id in (question.id, 999):
        with pytest.raises(NotFound) as refused:
            await studio.depictions.answer(depiction_id, False, user_id, guild_id)
        answers.add(str(refused.value))
    assert len(answers) == 1
    assert len(studio.files()) == 1


async def test_the_giver_and_others_see_no_trace_of_who_said_no(studio: Studio, event: Event, anna: Giver) -> None:
    await anna.give(event, 1)
    await anna.give(event, 1, depicted=[BEN, CLEO])
    seen = []
    for who in (BEN, CLEO):
        await anna.give(event, 1, depicted=[BEN, CLEO])
        await say(studio, await question_to(studio, event, who), False)
        own = await studio.contributions.mine(event.id, anna.actor)
        seen.append([(each.user_id, each.status) for each in own.depicted])
    assert seen[0] == seen[1] == [(CLEO, DepictionStatus.PENDING), (BEN, DepictionStatus.PENDING)]
    assert await studio.depictions.seen_in(event.id, anna.actor) == []


async def test_a_member_sees_where_they_were_named_newest_first(studio: Studio, event: Event, anna: Giver) -> None:
    await anna.give(event, 2, depicted=[BEN])
    await anna.give(event, 1, depicted=[CLEO, BEN])
    mine = await studio.depictions.seen_in(event.id, member(BEN))
    assert [each.user_id for each in mine] == [BEN, BEN]
    assert mine[0].id > mine[1].id
    view = await studio.depictions.depiction(mine[1].id)
    assert view is not None
    assert view.event is not None
    assert (view.event.id, view.depiction.named_by) == (event.id, ANNA)
    assert await studio.depictions.depiction(999) is None


async def test_an_answer_shows_on_the_question_and_wakes_an_event_that_waits(
    studio: Studio, event: Event, anna: Giver
) -> None:
    await anna.give(event, 1, depicted=[BEN])
    await studio.settle(LaneName.POSTS)
    before = (await studio.posts_of(PostKind.DEPICTION))[0].revision
    studio.clock.advance(timedelta(minutes=1))
    now = studio.clock.now()
    await change_event(studio.database, event, paused_at=now, paused_why=PauseReason.TOO_FEW_PHOTOS)
    await say(studio, await question_to(studio, event), True)
    post = (await studio.posts_of(PostKind.DEPICTION))[0]
    assert post.revision == before + 1
    assert (await get_event(studio.database, event.id)).due_at == now


# Withdrawing


async def test_withdrawing_takes_everything_along(studio: Studio, event: Event, anna: Giver, dan: Giver) -> None:
    await anna.give(event, 2, depicted=[BEN])
    await dan.give(event, 1)
    await add_ballot(studio, event)
    await studio.depictions.withdraw(event.id, anna.actor)
    assert {one.contributor_id for one in await photos_of(studio, event)} == {DAN}
    assert len(studio.files()) == 1
    assert await questions(studio, event) == []
    assert await asked_in(studio) == []
    assert {row.user_id for row in await consents_of(studio) if row.withdrawn_at is not None} == {ANNA}
    assert await studio.scalars(sa.select(event_tables.entries.c.user_id)) == [DAN]
    assert await studio.scalars(sa.select(event_tables.votes.c.voter_id)) == [BEN]
    entrant = await entrant_of(studio, event)
    assert (entrant.status, entrant.left_at) == (EntrantStatus.WITHDRAWN, studio.clock.now())
    with pytest.raises(NotFound):
        await studio.depictions.withdraw(event.id, anna.actor)


async def add_ballot(studio: Studio, event: Event) -> None:
    """Anna and Dan entered pictures; Anna and Ben voted for Dan's, Dan for Anna's."""

    async def transaction(connection: AsyncConnection) -> None:
        ids = []
        for user_id in (ANNA, DAN):
            values = {"event_id": event.id, "guild_id": GUILD, "user_id": user_id, "picture_ids": [1]}
            entry = sa.insert(event_tables.entries).values(**values, created_at=studio.clock.now())
            ids.append((await connection.execute(entry.returning(event_tables.entries.c.id))).scalar_one())
        for voter_id, entry_id in ((ANNA, ids[1]), (BEN, ids[1]), (DAN, ids[0])):
            values = {"event_id": event.id, "guild_id": GUILD, "entry_id": entry_id, "voter_id": voter_id}
            vote = sa.insert(event_tables.votes).values(**values, is_jury=False, cast_at=studio.clock.now())
            await connection.execute(vote)

    await studio.database.write(transaction)


async def test_a_personal_dataset_is_discarded_and_who_comes_back_begins_a_new_one(studio: Studio, anna: Giver) -> None:
    event = await open_event(studio, mode=EventMode.PERSONAL, subject_kind=SubjectKind.PERSON)
    person: dict[str, Any] = {"gender": Gender.FEMALE, "ethnicity": "Mixed"}
    await anna.give(event, 2, **person)
    first = (await entrant_of(studio, event)).dataset_id
    await studio.depictions.withdraw(event.id, anna.actor)
    columns = tables.datasets.c
    async with studio.database.read() as connection:
        row = (await connection.execute(sa.select(columns.status, columns.gender, columns.ethnicity))).one()
    assert tuple(row) == (DatasetStatus.DISCARDED, None, None)
    with pytest.raises(UserError, match="gender and ethnicity"):
        await anna.give(event, 1)
    assert len((await anna.give(event, 1, **person)).photos) == 1
    assert (await entrant_of(studio, event)).dataset_id != first


# After training


async def test_what_was_trained_on_photos_taken_back_is_retired_and_the_host_told_once(
    studio: Studio, event: Event, anna: Giver, dan: Giver
) -> None:
    await anna.give(event, 8, depicted=[BEN])
    await say(studio, await question_to(studio, event), True)
    await dan.give(event, 8)
    lora_id = await make_lora(studio, event, await train(studio, event, TrainingStatus.TRAINING))
    other = await add_lora(studio.database, 77)
    await say(studio, await question_to(studio, event), False)
    await studio.depictions.withdraw(event.id, dan.actor)
    assert (await lora_of(studio, lora_id)).retiring_since == studio.clock.now()
    assert (await lora_of(studio, other)).retiring_since is None
    assert await taken_back(studio, event) == [{"lora_id": lora_id}]
    assert studio.files() == []


async def test_a_withdrawal_of_photos_that_were_not_chosen_retires_nothing(
    studio: Studio, event: Event, anna: Giver
) -> None:
    await anna.give(event, 16)
    await studio.contributions.join(event.id, member(DAN))
    lora_id = await make_lora(studio, event, await train(studio, event, TrainingStatus.TRAINING))
    await studio.depictions.withdraw(event.id, member(DAN))
    assert (await lora_of(studio, lora_id)).retiring_since is None
    assert await taken_back(studio, event) == []


@pytest.mark.parametrize("what", ["no", "withdrawal", "erasure"])
async def test_photos_taken_back_during_the_training_retire_its_lora_when_it_comes_out(
    studio: Studio, event: Event, anna: Giver, what: str
) -> None:
    await anna.give(event, 16, depicted=[BEN])
    await say(studio, await question_to(studio, event), True)
    training_id = await train(studio, event, TrainingStatus.SUBMITTED)
    if what == "no":
        await say(studio, await question_to(studio, event), False)
    elif what == "withdrawal":
        await studio.depictions.withdraw(event.id, anna.actor)
    else:
        await studio.privacy.forget_member(guild_id=GUILD, user_id=ANNA)
    assert await studio.depictions.retire_taken_back(event) == 0
    lora_id = await make_lora(studio, event, training_id)
    assert [await studio.depictions.retire_taken_back(event) for _ in range(2)] == [1, 0]
    assert (await lora_of(studio, lora_id)).retiring_since is not None
    assert await taken_back(studio, event) == [{"lora_id": lora_id}]


async def test_a_training_that_still_waits_goes_on_with_the_others_photos(
    studio: Studio, event: Event, anna: Giver, dan: Giver
) -> None:
    await anna.give(event, 20)
    await dan.give(event, 2)
    training_id = await train(studio, event, TrainingStatus.QUEUED, photo_count=22)
    await studio.depictions.withdraw(event.id, dan.actor)
    training = await studio.training(training_id)
    assert (training.photo_count, training.due_at) == (20, None)
    lora_id = await make_lora(studio, event, training_id)
    assert await studio.depictions.retire_taken_back(event) == 0
    assert (await lora_of(studio, lora_id)).retiring_since is None


async def test_a_waiting_training_whose_photos_do_not_suffice_any_more_ends_by_itself(
    studio: Studio, event: Event, anna: Giver, dan: Giver
) -> None:
    await anna.give(event, 14)
    await dan.give(event, 2)
    training_id = await train(studio, event, TrainingStatus.QUEUED, photo_count=16)
    await studio.depictions.withdraw(event.id, dan.actor)
    await studio.settle(LaneName.TRAININGS)
    assert (await studio.training(training_id)).status is TrainingStatus.FAILED


async def test_a_training_that_may_be_sent_this_moment_counts_as_sent(
    studio: Studio, event: Event, anna: Giver, dan: Giver
) -> None:
    await anna.give(event, 20)
    await dan.give(event, 2)
    training_id = await train(studio, event, TrainingStatus.QUEUED, photo_count=22, lease_owner="somebody")
    await studio.depictions.withdraw(event.id, dan.actor)
    await make_lora(studio, event, training_id)
    assert await studio.depictions.retire_taken_back(event) == 1


async def test_an_entrants_own_lora_is_retired_and_nobody_elses(studio: Studio, anna: Giver, dan: Giver) -> None:
    event = await open_event(studio, mode=EventMode.PERSONAL, photo_cap=30)
    made = {}
    for number, giver in enumerate((anna, dan), start=1):
        await giver.give(event, 15)
        entrant = await entrant_of(studio, event, giver.actor.user_id)
        training_id = await add_training(
            studio.database, number, dataset_id=entrant.dataset_id, event_id=event.id, user_id=entrant.user_id
        )
        made[giver.actor.user_id] = await make_lora(studio, event, training_id)
        changes = {"training_id": training_id, "photos_chosen": 15, "lora_id": made[giver.actor.user_id]}
        await studio.change(event_tables.entrants, entrant.id, **changes)
    await studio.depictions.withdraw(event.id, anna.actor)
    assert (await lora_of(studio, made[ANNA])).retiring_since is not None
    assert (await lora_of(studio, made[DAN])).retiring_since is None


# Everything at once


async def test_taking_everything_back_leaves_every_event_and_says_no_everywhere(
    studio: Studio, event: Event, anna: Giver, dan: Giver
) -> None:
    ended = await open_event(studio, photo_cap=30)
    club = await open_event(studio, mode=EventMode.CLUB)
    await anna.give(event, 1)
    await anna.give(ended, 16)
    await dan.give(event, 2, depicted=[ANNA])
    await dan.give(event, 1, depicted=[BEN])
    await studio.contributions.join(club.id, anna.actor)
    lora_id = await make_lora(studio, ended, await train(studio, ended, TrainingStatus.TRAINING))
    await change_event(studio.database, ended, status=EventStatus.FINISHED)
    for _ in range(2):
        await studio.depictions.take_back_all(GUILD, ANNA)
        assert len(studio.files()) == 1
        assert await photos_of(studio, ended) == []
        assert (await lora_of(studio, lora_id)).retiring_since is not None
        for each in (event, ended, club):
            assert (await entrant_of(studio, each)).status is EntrantStatus.WITHDRAWN
        statuses = {each.user_id: each.status for each in await questions(studio, event)}
        assert statuses == {ANNA: DepictionStatus.VETOED, BEN: DepictionStatus.PENDING}


async def test_taking_back_in_one_server_leaves_the_others_alone(studio: Studio, event: Event, anna: Giver) -> None:
    await anna.give(event, 2, depicted=[BEN])
    for user_id in (ANNA, BEN):
        await studio.depictions.take_back_all(OTHER_GUILD, user_id)
    assert len(studio.files()) == 2
    assert (await question_to(studio, event)).status is DepictionStatus.PENDING
