"""SQL of erasure. Every table with a user or guild id is named here; a test compares this list with the tables."""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.process.journal import Turn
from bot.records.ballot import AwardStatus
from bot.records.guild import NOBODY, Place, PlaceKind
from bot.records.job import SubjectTable
from bot.records.post import PostKind
from bot.storage import policy_tables as p
from bot.storage import question_tables as q
from bot.storage import tables as t
from bot.storage.changes import change_state, note_erased
from bot.storage.events import tables as e
from bot.storage.jobs import tables as j
from bot.storage.money import spends
from bot.storage.people import mentions
from bot.storage.people.pseudonyms import pseudonym
from bot.storage.rows import count_rows, fetch_values

MEMBER_COLUMNS: Mapping[sa.Table, tuple[sa.Column[Any], ...]] = {
    t.datasets: (t.datasets.c.user_id,),
    t.trainings: (t.trainings.c.user_id,),
    t.loras: (t.loras.c.owner_id,),
    t.lora_shares: (t.lora_shares.c.granted_by, t.lora_shares.c.audience_id),
    t.lora_offers: (t.lora_offers.c.from_id, t.lora_offers.c.to_id),
    t.generations: (t.generations.c.user_id,),
    j.lora_previews: (j.lora_previews.c.user_id,),
    t.picture_reports: (t.picture_reports.c.reporter_id,),
    p.approvals: (p.approvals.c.user_id,),
    t.remembered: (t.remembered.c.user_id,),
    t.posts: (t.posts.c.user_id,),
    e.entrants: (e.entrants.c.user_id,),
    e.depictions: (e.depictions.c.user_id, e.depictions.c.named_by),
    e.entries: (e.entries.c.user_id,),
    e.votes: (e.votes.c.voter_id,),
    e.runoff_votes: (e.runoff_votes.c.voter_id,),
    e.honours: (e.honours.c.user_id,),
    e.awards: (e.awards.c.user_id,),
    e.gallery_consents: (e.gallery_consents.c.user_id,),
    q.questions: (q.questions.c.from_id, q.questions.c.to_id),
    q.mutes: (q.mutes.c.user_id,),
    q.preferences: (q.preferences.c.user_id,),
    q.photo_requests: (q.photo_requests.c.from_id, q.photo_requests.c.to_id),
}
"""Tables whose rows about a member are erased, and the columns that name the member. An id names one thing on
Discord, so the id of a role never is a member's."""
KEPT_FOR_PROOF: Mapping[sa.Table, tuple[sa.Column[Any], ...]] = {
    t.consents: (t.consents.c.user_id,),
    p.removals: (p.removals.c.user_id,),
}
"""Discord's developer terms ask for proof that a member told us to share photos; consents are that proof. The other
one is the member's own: what was to go at the providers, and what they answered.
"""
ANONYMISED: Mapping[sa.Table, tuple[sa.Column[Any], ...]] = {
    e.events: (e.events.c.host_id, e.events.c.banner_by),
    p.spends: (p.spends.c.user_id,),
    p.blocks: (p.blocks.c.user_id, p.blocks.c.blocked_by),
    p.moderation_log: (p.moderation_log.c.user_id, p.moderation_log.c.member_id),
    t.api_keys: (t.api_keys.c.set_by,),
    p.limits: (p.limits.c.set_by,),
    q.likeness_claims: (q.likeness_claims.c.user_id,),
}
"""Rows that others depend on: the event and the key go on, what was spent stays counted and who is blocked stays
blocked, without the member's id."""
UNDER_PSEUDONYM = frozenset({p.spends, p.blocks, p.moderation_log, q.likeness_claims})
"""Those of them that still count for the member."""
EVENT_CARDS = (PostKind.EVENT_PANEL, PostKind.EVENT_BALLOT)
GUILD_ONLY = (t.api_keys, t.styles, t.guilds, p.limits, e.announcements, e.galleries)
"""Rows that belong to the guild."""
NAMELESS = (t.meta,)
"""Nobody is named in it."""


async def has_anything(connection: AsyncConnection, guild_id: int, user_id: int) -> bool:
    """Whether there is anything about this member in this guild that their erasure deletes or takes their id out of."""
    for table, columns in (*MEMBER_COLUMNS.items(), *ANONYMISED.items()):
        mine = sa.and_(table.c.guild_id == guild_id, sa.or_(*(column == user_id for column in columns)))
        if await count_rows(connection, table, mine):
            return True
    return False


async def known_guilds(connection: AsyncConnection) -> list[int]:
    """Guilds with keys, photos or LoRAs that the bot has not been told it left."""
    left = sa.select(t.guilds.c.guild_id).where(t.guilds.c.left_at.is_not(None))
    found: set[int] = set()
    for table in (t.api_keys, t.datasets, t.loras, e.events):
        statement = sa.select(table.c.guild_id).where(table.c.guild_id.not_in(left)).distinct()
        found.update(await fetch_values(connection, statement))
    return sorted(found)


async def count(connection: AsyncConnection, *, guild_id: int, user_id: int) -> dict[str, int]:
    async def rows(table: sa.Table, column: sa.ColumnElement[int]) -> int:
        return await count_rows(connection, table, table.c.guild_id == guild_id, column == user_id)

    on_disk = sa.and_(t.datasets.c.guild_id == guild_id, t.photos.c.file.is_not(None))
    given = sa.func.coalesce(t.photos.c.contributor_id, t.datasets.c.user_id) == user_id
    taken_part = sa.union(
        sa.select(e.entrants.c.event_id).where(e.entrants.c.guild_id == guild_id, e.entrants.c.user_id == user_id),
        sa.select(e.votes.c.event_id).where(e.votes.c.guild_id == guild_id, e.votes.c.voter_id == user_id),
    ).subquery()
    return {
        "datasets": await rows(t.datasets, t.datasets.c.user_id),
        "photos_on_disk": await count_rows(connection, t.photos.join(t.datasets), on_disk, given),
        "trainings": await rows(t.trainings, t.trainings.c.user_id),
        "loras": await rows(t.loras, t.loras.c.owner_id),
        "generations": await rows(t.generations, t.generations.c.user_id),
        "previews": await rows(j.lora_previews, j.lora_previews.c.user_id),
        "consents": await rows(t.consents, t.consents.c.user_id),
        "events": await count_rows(connection, taken_part),
        "receipts": await rows(p.removals, p.removals.c.user_id),
    }


async def erase_member(connection: AsyncConnection, *, guild_id: int, user_id: int) -> list[str]:
    """Delete the member's rows in this guild; the spool names of their files, for the caller to free."""
    mine = {
        table: sa.and_(table.c.guild_id == guild_id, sa.or_(*(column == user_id for column in columns)))
        for table, columns in MEMBER_COLUMNS.items()
    }
    # Once it is out, a receipt names nobody; until then it has to find its way to the member.
    mine[t.posts] = sa.and_(mine[t.posts], t.posts.c.kind != PostKind.RECEIPT)
    # Until Discord has answered, a role that is to be taken from the member has to find its way to them.
    mine[e.awards] = sa.and_(mine[e.awards], e.awards.c.status != AwardStatus.PENDING)
    files = [
        *await _files(connection, t.photos, t.datasets, mine[t.datasets]),
        *await _files(connection, t.pictures, t.generations, mine[t.generations]),
        *await _files(connection, t.reference_pictures, t.generations, mine[t.generations]),
        *await _files(connection, j.lora_previews, t.loras, sa.or_(mine[t.loras], mine[j.lora_previews])),
    ]
    await _erase_posts_about_pictures(connection, mine[t.generations])
    for table, subject in ((t.trainings, SubjectTable.TRAINING), (t.generations, SubjectTable.GENERATION)):
        await _erase_about(connection, t.timeline, subject, sa.select(table.c.id).where(mine[table]))
    requests = sa.select(q.photo_requests.c.id).where(mine[q.photo_requests])
    await _erase_about(connection, t.posts, SubjectTable.REQUEST, requests)
    files += await _erase_given_photos(connection, guild_id, user_id)
    await _leave_event_cards(connection, guild_id, user_id)
    for table, condition in mine.items():
        await connection.execute(sa.delete(table).where(condition))
    await _anonymise(connection, guild_id, user_id)
    for table in t.metadata.sorted_tables:
        if table not in {*KEPT_FOR_PROOF, *NAMELESS}:
            await mentions.take_out(connection, table, guild_id, user_id)
    return files


async def _anonymise(connection: AsyncConnection, guild_id: int, user_id: int) -> None:
    """An event without its host's id; what still counts for the member under a pseudonym."""
    for table, columns in ANONYMISED.items():
        for column in columns:
            theirs = sa.and_(table.c.guild_id == guild_id, column == user_id)
            if await count_rows(connection, table, theirs):
                name = await pseudonym(connection, guild_id, user_id) if table in UNDER_PSEUDONYM else NOBODY
                await connection.execute(sa.update(table).where(theirs).values({column.name: name}))


async def _leave_event_cards(connection: AsyncConnection, guild_id: int, user_id: int) -> None:
    """The panel and the ballot of an event that the member hosted stay in their channel and go on being edited."""
    posts = t.posts.c
    theirs = sa.and_(posts.guild_id == guild_id, posts.user_id == user_id, posts.kind.in_(EVENT_CARDS))
    for row in (await connection.execute(sa.select(posts.id, posts.places, posts.place_index).where(theirs))).all():
        places = [place for place in row.places if place != Place(PlaceKind.USER, user_id)]
        if row.place_index < len(places):
            left = sa.update(t.posts).where(posts.id == row.id).values(user_id=NOBODY, places=places)
            await connection.execute(left)


async def _erase_given_photos(connection: AsyncConnection, guild_id: int, user_id: int) -> list[str]:
    """Photos that the member gave to others' events; spool names to free."""
    here = sa.select(t.datasets.c.id).where(t.datasets.c.guild_id == guild_id)
    given = sa.delete(t.photos).where(t.photos.c.contributor_id == user_id, t.photos.c.dataset_id.in_(here))
    return await fetch_values(connection, given.returning(t.photos.c.file))


async def erase_guild_secrets(connection: AsyncConnection, *, guild_id: int, but_keys: Sequence[int] = ()) -> list[str]:
    """Delete the guild's styles, datasets and API keys, except `but_keys`; spool names for the caller to free."""
    files = await _files(connection, t.photos, t.datasets, t.datasets.c.guild_id == guild_id)
    for table in (t.datasets, t.styles):
        await connection.execute(sa.delete(table).where(table.c.guild_id == guild_id))
    its = sa.and_(t.api_keys.c.guild_id == guild_id, t.api_keys.c.id.not_in(but_keys))
    await change_state(connection, sa.delete(t.api_keys).where(its), Turn.ERASED)
    return files


async def erase_guild(connection: AsyncConnection, *, guild_id: int) -> list[str]:
    """Delete everything about the guild and its members but the proof of consent; spool names to free."""
    files = await erase_guild_secrets(connection, guild_id=guild_id)
    for holder in (t.pictures, t.reference_pictures):
        files += await _files(connection, holder, t.generations, t.generations.c.guild_id == guild_id)
    shown = sa.select(e.events.c.banner).where(e.events.c.guild_id == guild_id, e.events.c.banner.is_not(None))
    files += await fetch_values(connection, shown.distinct())
    files += await _files(connection, j.lora_previews, t.loras, t.loras.c.guild_id == guild_id)
    for table, subject in ((t.trainings, SubjectTable.TRAINING), (t.generations, SubjectTable.GENERATION)):
        ids = sa.select(table.c.id).where(table.c.guild_id == guild_id)
        await _erase_about(connection, t.timeline, subject, ids)
    kept_apart = (t.guilds, p.limits, p.spends, p.blocks, p.moderation_log, q.likeness_claims, e.events)
    for table in (*MEMBER_COLUMNS, *kept_apart):
        await connection.execute(sa.delete(table).where(table.c.guild_id == guild_id))
    note_erased(connection, guild_id)
    return files


async def _files(
    connection: AsyncConnection, holder: sa.Table, parent: sa.Table, condition: sa.ColumnElement[bool]
) -> list[str]:
    files = sa.select(holder.c.file).select_from(holder.join(parent)).where(condition)
    return await fetch_values(connection, files)


async def erase_job(connection: AsyncConnection, table: sa.Table, subject: SubjectTable, row_id: int) -> None:
    """The row has been kept long enough: delete it with its timeline and posts; what it took stays, without a name."""
    if subject is SubjectTable.GENERATION:
        await _erase_posts_about_pictures(connection, t.generations.c.id == row_id)
    for holder in (t.timeline, t.posts):
        await _erase_about(connection, holder, subject, [row_id])
    await spends.take_name_out(connection, subject, row_id)
    await change_state(connection, sa.delete(table).where(table.c.id == row_id), Turn.ERASED)


async def _erase_about(
    connection: AsyncConnection, holder: sa.Table, subject: SubjectTable, ids: sa.Select[Any] | Sequence[int]
) -> None:
    """What the timeline or the outbox, by `holder`, has about these rows of the subject's table."""
    await connection.execute(sa.delete(holder).where(holder.c.subject_table == subject, holder.c.subject_id.in_(ids)))


async def _erase_posts_about_pictures(connection: AsyncConnection, condition: sa.ColumnElement[bool]) -> None:
    """What these generations' pictures have in the gallery, among the reports and before the moderators."""
    about = {
        t.pictures: SubjectTable.PICTURE,
        t.picture_reports: SubjectTable.REPORT,
        p.approvals: SubjectTable.APPROVAL,
    }
    for table, subject in about.items():
        ids = sa.select(table.c.id).select_from(table.join(t.generations)).where(condition)
        await _erase_about(connection, t.posts, subject, ids)


async def erase_request(connection: AsyncConnection, request_id: int) -> None:
    """A request for photos with its question and the posts about it."""
    await _erase_questions(connection, PostKind.PHOTO_REQUEST, [request_id])
    await _erase_about(connection, t.posts, SubjectTable.REQUEST, [request_id])
    await connection.execute(sa.delete(q.photo_requests).where(q.photo_requests.c.id == request_id))


async def _erase_questions(
    connection: AsyncConnection, kind: PostKind, subject_ids: sa.Select[Any] | Sequence[int]
) -> None:
    its = sa.and_(q.questions.c.kind == kind, q.questions.c.subject_id.in_(subject_ids))
    await connection.execute(sa.delete(q.questions).where(its))


async def erase_claim(connection: AsyncConnection, claim_id: int) -> None:
    """A decided claim with the posts about it."""
    await _erase_about(connection, t.posts, SubjectTable.LIKENESS, [claim_id])
    await connection.execute(sa.delete(q.likeness_claims).where(q.likeness_claims.c.id == claim_id))


async def erase_event_details(connection: AsyncConnection, event_id: int) -> None:
    """Votes, entries, announcements and who was named in photos; who took part may still use the event's LoRA."""
    for table, subject in (
        (e.announcements, SubjectTable.ANNOUNCEMENT),
        (e.depictions, SubjectTable.DEPICTION),
        (e.entrants, SubjectTable.ENTRANT),
    ):
        ids = sa.select(table.c.id).where(table.c.event_id == event_id)
        await _erase_about(connection, t.posts, subject, ids)
    await _erase_questions(connection, PostKind.DEPICTION, _depictions(e.depictions.c.event_id == event_id))
    for table in (e.votes, e.runoff_votes, e.entries, e.announcements, e.depictions, e.gallery_consents, e.galleries):
        await connection.execute(sa.delete(table).where(table.c.event_id == event_id))


async def erase_dataset(connection: AsyncConnection, dataset_id: int) -> None:
    """Names and verdicts of photos that left the disk long ago, and who was named as seen in them."""
    theirs = _depictions(e.depictions.c.dataset_id == dataset_id)
    await _erase_about(connection, t.posts, SubjectTable.DEPICTION, theirs)
    await _erase_questions(connection, PostKind.DEPICTION, theirs)
    await connection.execute(sa.delete(e.depictions).where(e.depictions.c.dataset_id == dataset_id))
    await connection.execute(sa.delete(t.datasets).where(t.datasets.c.id == dataset_id))


def _depictions(condition: sa.ColumnElement[bool]) -> sa.Select[Any]:
    return sa.select(e.depictions.c.id).where(condition)
