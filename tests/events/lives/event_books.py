"""The books of an event: what it says it spent, trained, told and counted, against what happened."""

from collections import Counter

import sqlalchemy as sa

from bot.records.event import AnnouncementKind
from bot.records.job import SubjectTable
from bot.records.post import PostKind
from bot.records.training import TrainingStatus
from bot.storage.events import jobs as event_jobs
from bot.storage.events.tables import announcements, entries, votes
from bot.storage.money import spends
from bot.storage.tables import generations, posts
from tests.events.lives.event_run import EventRun


async def check_books(life: EventRun) -> None:
    """What must hold at any moment, whatever went wrong before."""
    await _check_spends(life)
    await _check_trainings(life)
    await _check_posts(life)
    await _check_votes(life)


async def _check_spends(life: EventRun) -> None:
    event, studio = await life.event(), life.studio
    async with studio.database.read() as connection:
        paid = await spends.of_event(connection, life.event_id)
        begun = await event_jobs.trainings_of(connection, life.event_id)
    ordered = await studio.scalars(sa.select(generations.c.id).where(generations.c.event_id == life.event_id))
    jobs = {(SubjectTable.TRAINING, each.id) for each in begun} | {(SubjectTable.GENERATION, each) for each in ordered}
    assert {(each.subject_table, each.subject_id) for each in paid} == jobs, "what is set aside is not what was ordered"
    assert len(paid) == len(jobs), "something was paid for twice"
    assert event.budget is None or sum(each.credits for each in paid) <= event.budget


async def _check_trainings(life: EventRun) -> None:
    async with life.studio.database.read() as connection:
        begun = await event_jobs.trainings_of(connection, life.event_id)
    alive = Counter(each.dataset_id for each in begun if each.status is not TrainingStatus.FAILED)
    assert all(count == 1 for count in alive.values()), "a dataset is trained twice"


async def _check_posts(life: EventRun) -> None:
    """One post for each announcement, and of each post one message."""
    studio = life.studio
    announced = sa.select(announcements.c.id).where(
        announcements.c.event_id == life.event_id,
        sa.not_(announcements.c.once.startswith(f"{AnnouncementKind.TAKEN_BACK}:training:")),
    )
    of_notes = sa.select(posts.c.subject_id).where(posts.c.kind == PostKind.EVENT_ANNOUNCEMENT)
    assert sorted(await studio.scalars(announced)) == sorted(await studio.scalars(of_notes))
    nonces = Counter(message.nonce for message in studio.poster.messages)
    assert all(count == 1 for count in nonces.values()), f"posted twice: {nonces}"


async def _check_votes(life: EventRun) -> None:
    cast = sa.select(sa.func.count()).select_from(votes).where(votes.c.event_id == life.event_id)
    members = sa.select(sa.func.count(votes.c.voter_id.distinct())).where(votes.c.event_id == life.event_id)
    assert await life.studio.scalars(cast) == await life.studio.scalars(members)
    own = sa.select(votes.c.id).join(entries).where(entries.c.user_id == votes.c.voter_id)
    assert await life.studio.scalars(own.where(votes.c.event_id == life.event_id)) == []
