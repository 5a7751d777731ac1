"""The outbox: sends every post once, to the first of its places that Discord accepts."""

import logging
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.engine import backoff
from bot.ports import NotNow, PlaceRefused
from bot.reach import Act, Reach
from bot.records.guild import NOBODY, Place, PlaceKind
from bot.records.post import Post, PostKind, PostStatus
from bot.resources import Resources, Service
from bot.storage import tables
from bot.storage.database import Database
from bot.storage.due import Claim, DueRows, Pauses, mark, store
from bot.storage.events import events
from bot.storage.jobs import pictures, posts, timeline

log = logging.getLogger(__name__)

NOWHERE = Place(PlaceKind.USER, NOBODY)
TOLD = "told"
"""Timeline word of a kept result that its member knows of."""


class PostRows(DueRows[Post]):
    """The posts. None of them is due while Discord cannot be reached, until `wake`, nor while it takes no calls."""

    def __init__(self, database: Database, outbox: "OutboxService", pauses: Pauses = ()) -> None:
        super().__init__(database, tables.posts, Post, pauses)
        self._outbox = outbox

    async def next_due(self, *, is_settled: bool = True) -> datetime | None:
        if not self._outbox.look():
            return None
        due, out_until = await super().next_due(is_settled=is_settled), self._outbox.out_until
        return due if due is None or out_until is None else max(due, out_until)


class OutboxService(Service):
    def __init__(self, opened: Resources) -> None:
        super().__init__(opened)
        self._poster = opened.poster
        self._reach = Reach(opened.clock, opened.timings.backoff_first, self._recover)
        self._reached = timedelta(0)
        """How long Discord could be reached since the start, as far as the lane has looked."""
        self._looked: tuple[datetime, bool] = (opened.clock.now(), False)
        self._begun: dict[int, timedelta] = {}
        """What `_reached` was when each unsent post was first looked at."""

    def look(self) -> bool:
        """Whether Discord can be reached; the clocks of unsent posts run between two looks that say so."""
        at, was_ready = self._looked
        now, is_ready = self._clock.now(), self._poster.is_ready()
        if was_ready and is_ready:
            self._reached += max(now - at, timedelta(0))
        self._looked = (now, is_ready)
        return is_ready

    @property
    def out_until(self) -> datetime | None:
        """Until when nothing is sent although Discord seems to be reached; None when it takes calls."""
        return self._reach.out_until

    def wake(self) -> None:
        """Discord can be reached again: look for posts at once."""
        self._database.wakeups.event(tables.posts.name).set()

    async def tell(self, *, guild_id: int, user_id: int) -> int:
        """How many results are kept for this member that they were not told of; each counts once."""
        if not await self.kept_for(guild_id=guild_id, user_id=user_id):
            return 0
        now = self._clock.now()

        async def transaction(connection: AsyncConnection) -> int:
            kept = [post for post in await posts.kept_for(connection, guild_id, user_id) if post.kind in DELIVERIES]
            told = 0
            for post in kept:
                entries = await timeline.of(connection, post.subject_table, post.subject_id)
                if all(entry.what != TOLD for entry in entries):
                    await timeline.add(connection, post.subject_table, post.subject_id, TOLD, at=now)
                    told += 1
            return told

        return await self._database.write(transaction)

    async def kept_for(self, *, guild_id: int, user_id: int) -> list[Post]:
        """Posts about ended jobs that no place accepted, kept to be shown to this member."""
        kept = await self._database.fetch(posts.kept_for, guild_id, user_id)
        return [post for post in kept if post.kind in DELIVERIES]

    async def result_of(self, generation_id: int, *, guild_id: int, user_id: int) -> Post | None:
        """The post with this member's pictures, or with why there are none; None while they are made."""
        async with self._database.read() as connection:
            found = [
                await posts.find(connection, kind, generation_id)
                for kind in (PostKind.PICTURES, PostKind.PICTURES_FAILED)
            ]
        theirs = (each for each in found if each is not None and (each.guild_id, each.user_id) == (guild_id, user_id))
        return next(theirs, None)

    async def hand_over(self, post_id: int) -> None:
        """Note that a kept post has been shown to its owner."""
        await self._database.write(lambda connection: posts.hand_over(connection, post_id))

    async def advance(self, claim: Claim[Post]) -> None:
        post = claim.row
        out_until = self.out_until
        if not self.look():
            await self._store(claim, due_in=self._timings.backoff_first)
        elif out_until is not None:
            await self._store(claim, due_in=out_until - self._clock.now())
        elif await self._database.fetch(pictures.is_deleted, post):
            await self._withdraw(claim)
        elif _is_with_its_member(post):
            await self._store(claim, due_in=None)
        elif post.place_index >= len(post.places) or self._is_too_old(post):
            await self._keep(claim)
        elif post.message_id is not None:
            await self._edit(claim)
        elif await self._is_early(post):
            await self._store(claim, due_in=self._timings.backoff_first)
        else:
            await self._send(claim)

    async def _is_early(self, post: Post) -> bool:
        """Whether the message that this one answers is still to be sent."""
        before = await self._database.fetch(pictures.answered, post)
        return before is not None and before.status in {PostStatus.PENDING, PostStatus.SENDING}

    def _is_too_old(self, post: Post) -> bool:
        """Whether no place has taken it for `post_deadline`, times when Discord could not be reached left out.

        Known since the start of the process only: after it a post has that long once more.
        """
        begun = self._begun.setdefault(post.id, self._reached)
        return post.message_id is None and self._reached > begun + self._timings.post_deadline

    async def _send(self, claim: Claim[Post]) -> None:
        post, place = claim.row, claim.row.places[claim.row.place_index]
        try:
            if place == NOWHERE:
                raise PlaceRefused("its member was erased")
            message_id = await self._earlier(post, place)
            prepared = None if message_id is not None else await self._poster.prepare(post)
            if prepared is not None:
                message_id = await self._earlier(post, place)
            is_found = message_id is not None
            if message_id is None:
                async with self._reach.turn(place, post.kind, Act.SEND):
                    claim = await self._mark_sending(claim)
                    message_id = await self._poster.send(post, place, prepared)
        except PlaceRefused as error:
            log.info("Post %s was refused by its %s: %s", post.id, place.kind, error)
            await self._next_place(claim)
        except NotNow as error:
            await self._later(claim, error)
        else:
            await self._posted(claim, message_id, is_found=is_found)

    async def _earlier(self, post: Post, place: Place) -> int | None:
        """The id of the message that an interrupted try, or a life we know nothing of, has sent; None without one.

        Before `nonce_memory` is over nothing is looked for: until then the nonce keeps Discord from posting it twice.
        Preparing a post may take longer than that, so this is asked again afterwards.
        """
        since = post.sending_at or await self._database.fetch(self._database.inherited.sent_since, post)
        if since is None or self._clock.now() < since + self._timings.nonce_memory:
            return None
        async with self._reach.turn(place, post.kind, Act.OTHER):
            return await self._poster.find(replace(post, sending_at=since), place)

    async def _edit(self, claim: Claim[Post]) -> None:
        post, place = claim.row, claim.row.places[claim.row.place_index]
        try:
            async with self._reach.turn(place, post.kind, Act.EDIT):
                await self._poster.edit(post, place)
        except PlaceRefused:
            await self._store(claim, due_in=None, status=PostStatus.POSTED)
        except NotNow as error:
            await self._later(claim, error)
        else:
            await self._store(claim, due_in=None, status=PostStatus.POSTED, attempt=0)

    async def _withdraw(self, claim: Claim[Post]) -> None:
        """Remove the post's message, because what it shows has been deleted.

        A leftover that is gone, or that may not be removed, is forgotten.
        """
        is_leftover = claim.row.kind is PostKind.LEFTOVER
        try:
            await self._remove(claim.row)
        except PlaceRefused as error:
            log.info("The message of post %s cannot be deleted: %s", claim.id, error)
            is_there = claim.row.message_id is not None and not is_leftover
            status = PostStatus.POSTED if is_there else PostStatus.WITHDRAWN
        except NotNow as error:
            await self._later(claim, error)
            return
        else:
            status = PostStatus.WITHDRAWN
        if is_leftover:
            await self._database.write(lambda connection: posts.erase(connection, claim))
        else:
            await self._store(claim, due_in=None, status=status)

    async def _remove(self, post: Post) -> None:
        if post.place_index >= len(post.places) or (post.message_id is None and post.sending_at is None):
            return
        place = post.places[post.place_index]
        async with self._reach.turn(place, post.kind, Act.OTHER):
            if post.message_id is None:
                post = replace(post, message_id=await self._poster.find(post, place))
            if post.message_id is not None:
                await self._poster.remove(post, place)

    async def _mark_sending(self, claim: Claim[Post]) -> Claim[Post]:
        if claim.row.sending_at is not None:
            return claim
        now = self._clock.now()
        await self._database.write(
            lambda connection: mark(connection, tables.posts, claim, status=PostStatus.SENDING, sending_at=now)
        )
        return Claim(claim.row, claim.id, claim.owner, PostStatus.SENDING, claim.wakes, claim.due_at)

    async def _posted(self, claim: Claim[Post], message_id: int, *, is_found: bool) -> None:
        """`is_found`: the message was there. If another life has sent it, it is written anew, for rows of this one."""
        post, now, forgotten = claim.row, self._clock.now(), _forgotten(claim.row)
        is_adopted = is_found and not forgotten and self._database.inherited.is_adopted(post)
        self._begun.pop(claim.id, None)

        async def transaction(connection: AsyncConnection) -> None:
            posted = {"status": PostStatus.POSTED, "message_id": message_id, "posted_at": now, "attempt": 0}
            await store(connection, tables.posts, claim, due_at=None, **posted | forgotten)
            await self._catch_up(connection, post, now)
            if is_adopted:
                await posts.renew(connection, post.kind, post.subject_id, due_at=now)
            if post.kind in DELIVERIES:
                await timeline.add(connection, post.subject_table, post.subject_id, "delivered", at=now)
            if post.kind is PostKind.EVENT_PANEL:
                await events.wake(connection, post.subject_id, now=now)

        await self._database.write(transaction)

    async def _recover(self) -> None:
        """Discord takes calls again: what has failed meanwhile is tried at once."""
        now = self._clock.now()
        await self._database.write(lambda connection: posts.pull_in(connection, now=now))

    async def _catch_up(self, connection: AsyncConnection, post: Post, now: datetime) -> None:
        """Make the post due again when its subject changed while the message was being sent."""
        current = await posts.get(connection, post.id)
        if current is not None and current.revision != post.revision:
            await posts.renew(connection, post.kind, post.subject_id, due_at=now + self._timings.milestone)

    async def _next_place(self, claim: Claim[Post]) -> None:
        await self._store(
            claim,
            due_in=timedelta(0),
            status=PostStatus.PENDING,
            place_index=claim.row.place_index + 1,
            sending_at=None,
            attempt=0,
        )

    async def _keep(self, claim: Claim[Post]) -> None:
        post, now = claim.row, self._clock.now()
        self._begun.pop(claim.id, None)

        async def transaction(connection: AsyncConnection) -> None:
            await store(connection, tables.posts, claim, due_at=None, status=PostStatus.KEPT, **_forgotten(post))
            if post.kind in DELIVERIES:
                await timeline.add(
                    connection, post.subject_table, post.subject_id, "kept", at=now, detail="no channel would take it"
                )

        await self._database.write(transaction)

    async def _later(self, claim: Claim[Post], error: NotNow) -> None:
        attempt = claim.row.attempt
        wait = error.retry_after or backoff(
            attempt, first=self._timings.backoff_first, ceiling=self._timings.backoff_max
        )
        if self.out_until is not None:
            wait = self.out_until - self._clock.now()
        if attempt == 0:
            log.warning("Post %s has to wait: %s", claim.id, error)
        await self._store(claim, due_in=wait, attempt=attempt + 1)

    async def _store(self, claim: Claim[Post], *, due_in: timedelta | None, **values: Any) -> None:
        due_at = None if due_in is None else self._clock.now() + due_in
        if due_in is None:
            self._begun.pop(claim.id, None)

        async def transaction(connection: AsyncConnection) -> None:
            await store(connection, tables.posts, claim, due_at=due_at, **values)
            if due_in is None:
                await self._catch_up(connection, claim.row, self._clock.now())

        await self._database.write(transaction)


def _is_with_its_member(post: Post) -> bool:
    """Whether it is a result that waits for its member, or was handed over without a message, so none is sent."""
    is_kept = post.status is PostStatus.KEPT and post.kind in DELIVERIES
    return is_kept or (post.status is PostStatus.POSTED and post.message_id is None)


def _forgotten(post: Post) -> dict[str, Any]:
    """A receipt goes to a member who was erased: once it is out, their id stays in the receipt alone."""
    return {"user_id": NOBODY, "places": ()} if post.kind is PostKind.RECEIPT else {}


DELIVERIES = frozenset(
    {
        PostKind.TRAINING_READY,
        PostKind.TRAINING_FAILED,
        PostKind.PICTURES,
        PostKind.PICTURES_LATE,
        PostKind.PICTURES_FAILED,
    }
)
"""Posts about the end of a job; sending one is the last entry of the job's timeline."""
