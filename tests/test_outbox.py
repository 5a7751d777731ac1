"""The outbox: every post arrives once, in the first place that takes it, or is kept for its owner."""

import asyncio
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.clock import Timings
from bot.outbox import DELIVERIES, OutboxService, PostRows
from bot.photos.intake import Spool
from bot.reach import CLOSED_FOR, FAILURES
from bot.records.guild import Place, PlaceKind
from bot.records.job import SubjectTable
from bot.records.post import Post, PostKind, PostStatus
from bot.records.post_names import KIND_CODES, component_id, nonce_of
from bot.storage import meta, tables
from bot.storage.database import Database
from bot.storage.due import LeaseLost
from bot.storage.jobs import posts, timeline
from tests.fakes.clock import ManualClock
from tests.fakes.poster import FakePoster, Trouble
from tests.fakes.resources import resources
from tests.fakes.rows import ANNA, BEN, CHANNEL, GUILD, OTHER_GUILD, THREAD, add_post
from tests.fakes.waiting import HANG_S

IN_THREAD = Place(PlaceKind.CHANNEL, THREAD)
IN_CHANNEL = Place(PlaceKind.CHANNEL, CHANNEL)
PRIVATELY = Place(PlaceKind.USER, ANNA)
CHAIN = [IN_THREAD, IN_CHANNEL, PRIVATELY]
SECOND = timedelta(seconds=1)


class Posting:
    """The outbox over real rows, a fake Discord and a manual clock."""

    def __init__(self, database: Database, spool: Spool) -> None:
        self.database = database
        self.clock = ManualClock()
        self.timings = Timings()
        self.poster = FakePoster(self.clock)
        self.outbox = OutboxService(resources(database, spool, self.clock, poster=self.poster, timings=self.timings))
        self.rows = PostRows(database, self.outbox)

    async def work(self) -> int:
        now = self.clock.now()
        claims = await self.rows.claim(owner="posting", now=now, until=now + self.timings.lease, limit=100)
        for claim in claims:
            await self.outbox.advance(claim)
        return len(claims)

    async def settle(self) -> None:
        while await self.work():
            pass

    async def pass_time(self, step: timedelta) -> None:
        self.clock.advance(step)
        await self.settle()

    async def post(self, post_id: int = 1) -> Post:
        async with self.database.read() as connection:
            post = await posts.get(connection, post_id)
        assert post is not None
        return post

    async def renew(self, kind: PostKind = PostKind.TRAINING_STATUS) -> None:
        due_at = self.clock.now() + self.timings.milestone

        async def transaction(connection: AsyncConnection) -> None:
            await posts.renew(connection, kind, 1, due_at=due_at)

        await self.database.write(transaction)

    async def words(self, subject_id: int = 1) -> list[str]:
        async with self.database.read() as connection:
            return [entry.what for entry in await timeline.of(connection, SubjectTable.TRAINING, subject_id)]


@pytest.fixture
def posting(database: Database, tmp_path: Path) -> Posting:
    return Posting(database, Spool(tmp_path / "spool"))


async def test_a_post_goes_to_its_first_place_once(posting: Posting) -> None:
    await add_post(posting.database, places=CHAIN)
    await posting.settle()
    await posting.pass_time(timedelta(days=2))
    [message] = posting.poster.messages
    assert message.place == IN_THREAD
    post = await posting.post()
    assert (post.status, post.message_id, post.due_at) == (PostStatus.POSTED, message.id, None)
    assert await posting.words() == ["delivered"]


async def test_while_one_post_is_made_the_others_of_its_channel_are_sent(posting: Posting) -> None:
    """Mutant: what is made within its channel's turn keeps all others waiting."""
    begun, made = asyncio.Event(), asyncio.Event()

    async def make(post: Post) -> object:
        if post.kind is not PostKind.EVENT_YEARBOOK:
            return None
        begun.set()
        await made.wait()
        return "a book"

    posting.poster.preparing = make
    await add_post(posting.database, kind=PostKind.EVENT_YEARBOOK, places=[IN_CHANNEL])
    await add_post(posting.database, 2, places=[IN_CHANNEL])
    now = posting.clock.now()
    claims = await posting.rows.claim(owner="posting", now=now, until=now + posting.timings.lease, limit=2)
    book, other = sorted(claims, key=lambda claim: claim.id)
    making = asyncio.create_task(posting.outbox.advance(book))
    async with asyncio.timeout(HANG_S):
        await begun.wait()
        await posting.outbox.advance(other)
    assert posting.poster.kinds() == [PostKind.TRAINING_READY]
    made.set()
    await making
    assert posting.poster.kinds() == [PostKind.TRAINING_READY, PostKind.EVENT_YEARBOOK]


async def test_what_took_longer_to_make_than_a_nonce_is_known_is_looked_for_before_it_is_sent(posting: Posting) -> None:
    """Mutant: looked for only before it was made, it is posted twice."""

    async def make(post: Post) -> object:
        posting.clock.advance(posting.timings.nonce_memory)
        return "a book"

    posting.poster.preparing = make
    posting.poster.nonce_memory = posting.timings.nonce_memory
    posting.poster.trouble.append(Trouble.AFTER)
    await add_post(posting.database, kind=PostKind.EVENT_YEARBOOK, places=[IN_CHANNEL])
    await posting.work()
    due_at = (await posting.post()).due_at
    assert due_at is not None
    await posting.pass_time(due_at - posting.clock.now())
    assert posting.poster.kinds() == [PostKind.EVENT_YEARBOOK]
    assert (await posting.post()).status is PostStatus.POSTED


@pytest.mark.parametrize("closed", [1, 2])
async def test_a_post_moves_on_to_the_next_place_that_takes_it_at_once(posting: Posting, closed: int) -> None:
    posting.poster.closed.update(CHAIN[:closed])
    await add_post(posting.database, places=CHAIN)
    await posting.settle()
    assert [message.place for message in posting.poster.messages] == [CHAIN[closed]]
    assert Counter(place for _, place in posting.poster.attempts) == dict.fromkeys(CHAIN[: closed + 1], 1)


async def test_a_post_that_no_place_takes_is_kept_for_its_owner(posting: Posting) -> None:
    posting.poster.closed.update(CHAIN)
    await add_post(posting.database, places=CHAIN)
    await posting.settle()
    await posting.pass_time(timedelta(days=3))
    assert len(posting.poster.attempts) == 3
    assert await posting.words() == ["kept"]
    [kept] = await posting.outbox.kept_for(guild_id=GUILD, user_id=ANNA)
    assert kept.status is PostStatus.KEPT
    for guild_id, user_id in ((GUILD, BEN), (OTHER_GUILD, ANNA)):
        assert await posting.outbox.kept_for(guild_id=guild_id, user_id=user_id) == []
    await posting.outbox.hand_over(kept.id)
    assert await posting.outbox.kept_for(guild_id=GUILD, user_id=ANNA) == []


@pytest.mark.parametrize("is_handed_over", [False, True])
@pytest.mark.parametrize("is_too_old", [False, True])
async def test_a_kept_result_that_is_renewed_is_neither_kept_again_nor_sent(
    posting: Posting, *, is_too_old: bool, is_handed_over: bool
) -> None:
    """Mutants: `_is_with_its_member` always false; `renew` for all that counts as posted."""
    posting.poster.closed.update(CHAIN)
    await add_post(posting.database, places=CHAIN)
    await posting.settle()
    if is_too_old:
        back = sa.update(tables.posts).values(place_index=0)
        await posting.database.write(lambda connection: connection.execute(back))
    if is_handed_over:
        await posting.outbox.hand_over(1)
    posting.poster.closed.clear()
    posting.clock.advance(CLOSED_FOR)
    await posting.renew(PostKind.TRAINING_READY)
    await posting.pass_time(timedelta(hours=1))
    assert (posting.poster.messages, await posting.words()) == ([], ["kept"])
    post = await posting.post()
    assert (post.status, post.due_at) == (PostStatus.POSTED if is_handed_over else PostStatus.KEPT, None)


async def test_a_result_that_is_renewed_while_it_is_kept_is_kept_once(posting: Posting) -> None:
    posting.poster.closed.update(CHAIN)
    await add_post(posting.database, places=CHAIN)
    while (await posting.post()).place_index < len(CHAIN):
        await posting.work()
    now = posting.clock.now()
    [claim] = await posting.rows.claim(owner="posting", now=now, until=now + posting.timings.lease, limit=1)
    await posting.renew(PostKind.TRAINING_READY)
    await posting.outbox.advance(claim)
    await posting.pass_time(timedelta(hours=1))
    assert await posting.words() == ["kept"]
    assert (await posting.post()).status is PostStatus.KEPT


async def test_a_status_message_that_found_no_place_is_not_offered_as_a_result(posting: Posting) -> None:
    posting.poster.closed.update(CHAIN)
    await add_post(posting.database, kind=PostKind.TRAINING_STATUS, places=[IN_CHANNEL])
    await posting.settle()
    assert await posting.outbox.kept_for(guild_id=GUILD, user_id=ANNA) == []
    assert PostKind.TRAINING_STATUS not in DELIVERIES


@pytest.mark.parametrize("trouble", list(Trouble))
async def test_a_lost_answer_is_repeated_under_the_same_nonce_and_shows_one_message(
    posting: Posting, trouble: Trouble
) -> None:
    posting.poster.trouble.extend([trouble] * 4)
    await add_post(posting.database)
    for _ in range(10):
        await posting.pass_time(30 * SECOND)
    assert len(posting.poster.messages) == 1
    assert len({nonce for nonce, _ in posting.poster.attempts}) == 1
    assert (await posting.post()).status is PostStatus.POSTED


async def test_after_discord_has_forgotten_the_nonce_we_look_before_we_send(posting: Posting) -> None:
    posting.poster.trouble.append(Trouble.AFTER)
    await add_post(posting.database)
    await posting.settle()
    await posting.pass_time(timedelta(hours=1))
    assert posting.poster.searches == 1
    assert len(posting.poster.attempts) == len(posting.poster.messages) == 1
    assert (await posting.post()).message_id == posting.poster.messages[0].id


async def test_a_look_that_finds_nothing_is_followed_by_one_send(posting: Posting) -> None:
    posting.poster.trouble.append(Trouble.BEFORE)
    await add_post(posting.database)
    await posting.settle()
    await posting.pass_time(timedelta(hours=1))
    assert posting.poster.searches == 1
    assert len(posting.poster.messages) == 1


async def test_while_the_nonce_is_fresh_nothing_is_searched(posting: Posting) -> None:
    posting.poster.trouble.append(Trouble.AFTER)
    await add_post(posting.database)
    await posting.settle()
    await posting.pass_time(posting.timings.backoff_first * 2)
    assert posting.poster.searches == 0
    assert len(posting.poster.messages) == 1


async def test_a_crash_between_sending_and_noting_it_shows_one_message(posting: Posting) -> None:
    await add_post(posting.database)
    now = posting.clock.now()
    [claim] = await posting.rows.claim(owner="crashed", now=now, until=now + posting.timings.lease, limit=1)
    note = posting.outbox._posted

    async def crash(*_: object, **__: object) -> None:
        raise asyncio.CancelledError

    posting.outbox._posted = crash  # type: ignore[method-assign]
    with pytest.raises(asyncio.CancelledError):
        await posting.outbox.advance(claim)
    posting.outbox._posted = note  # type: ignore[method-assign]
    assert (await posting.post()).status is PostStatus.SENDING
    for step in (posting.timings.lease, timedelta(hours=2)):
        await posting.pass_time(step)
    assert len(posting.poster.messages) == 1
    assert (await posting.post()).message_id == posting.poster.messages[0].id


async def test_every_post_has_a_nonce_of_its_own_that_discord_accepts(posting: Posting) -> None:
    async def name_installation(connection: AsyncConnection) -> None:
        await meta.put(connection, meta.INSTALLATION, b"abc123")

    await posting.database.write(name_installation)
    sent = [kind for kind in PostKind if kind is not PostKind.LEFTOVER]
    for subject_id in (1, 11, 10**12):
        for kind in sent:
            await add_post(posting.database, subject_id, kind=kind)
    await posting.settle()
    nonces = [message.nonce for message in posting.poster.messages]
    assert len(nonces) == len(set(nonces)) == 3 * len(sent)
    assert all(len(nonce) <= 25 and nonce.startswith("abc123") for nonce in nonces)


def test_the_codes_in_a_nonce_are_of_one_width_and_the_longest_nonce_fits() -> None:
    assert set(KIND_CODES) == set(PostKind)
    assert len(set(KIND_CODES.values())) == len(KIND_CODES)
    assert {len(code) for code in KIND_CODES.values()} == {2}
    longest = nonce_of("abc123", PostKind.GALLERY, 2**63 - 1)
    assert longest == "abc123ga7fffffffffffffff"
    assert len(longest) == 24


def test_a_post_that_is_added_anew_has_another_nonce_each_time() -> None:
    """Mutant: for a while Discord answers the old nonce with the old message."""
    nonces = [nonce_of("abc123", PostKind.RECEIPT, 2**63 - 1)]
    for _ in range(20):
        nonces.append(nonce_of("abc123", PostKind.RECEIPT, 2**63 - 1, nonces[-1]))
    assert len(set(nonces)) == 21
    assert max(map(len, nonces)) == 25
    assert nonces[1:3] == ["abc123re7fffffffffffffffg", "abc123re7fffffffffffffffh"]
    assert nonce_of("abc123", PostKind.RECEIPT, 2**63 - 1, nonces[-1]) == nonces[1], "after 20 posts it is forgotten"


def test_the_card_of_every_post_has_an_id_that_no_other_near_it_has() -> None:
    """Mutants: with the kind or the subject left out posts are taken for each other; a small id is one of Discord's."""
    near = [1, 2, 500_000, 2**63 - 2, 2**63 - 1]
    ids = [component_id(nonce_of("abc123", kind, subject_id)) for kind in PostKind for subject_id in near]
    assert len(set(ids)) == len(ids)
    assert min(ids) >= 2**30
    assert max(ids) < 2**31


def test_a_card_keeps_its_id_when_kinds_are_added_and_when_its_post_is_added_anew() -> None:
    """Mutant: the place of a kind is that of its code in the alphabet."""
    assert list(KIND_CODES.values())[:7] == ["ts", "tr", "tf", "pi", "pl", "ps", "pf"]
    first = nonce_of("abc123", PostKind.PICTURES, 7)
    assert component_id(first) == component_id(nonce_of("abc123", PostKind.PICTURES, 7, first)) == 2**30 + 3 * 2**24 + 7


async def test_waits_between_tries_grow_and_heed_what_discord_asks_for(posting: Posting) -> None:
    await add_post(posting.database)
    waits = []
    for _ in range(FAILURES - 1):
        posting.poster.trouble.append(Trouble.BEFORE)
        await posting.settle()
        due_at = (await posting.post()).due_at
        assert due_at is not None
        waits.append(due_at - posting.clock.now())
        posting.clock.advance(waits[-1])
    for attempt, wait in enumerate(waits):
        assert 0.8 * 2**attempt <= wait / posting.timings.backoff_first <= 1.2 * 2**attempt
    posting.poster.trouble.append(Trouble.BEFORE)
    posting.poster.retry_after = timedelta(seconds=17)
    await posting.settle()
    assert (await posting.post()).due_at == posting.clock.now() + timedelta(seconds=17)


async def test_while_discord_is_away_nothing_is_tried_and_no_attempt_is_counted(posting: Posting) -> None:
    posting.poster.ready = False
    await add_post(posting.database)
    for _ in range(5):
        await posting.pass_time(timedelta(minutes=1))
    assert posting.poster.attempts == []
    assert (await posting.post()).attempt == 0
    posting.poster.ready = True
    await posting.pass_time(posting.timings.backoff_first)
    assert len(posting.poster.messages) == 1


async def test_a_post_that_cannot_be_sent_for_a_day_is_kept(posting: Posting) -> None:
    posting.poster.trouble.extend([Trouble.BEFORE] * 1000)
    await add_post(posting.database)
    await posting.settle()
    for _ in range(12):
        await posting.pass_time(timedelta(hours=2))
    assert (await posting.post()).status is PostStatus.SENDING
    await posting.pass_time(timedelta(hours=1))
    assert (await posting.post()).status is PostStatus.KEPT
    assert len(await posting.outbox.kept_for(guild_id=GUILD, user_id=ANNA)) == 1


async def look_for(posting: Posting, hours: int) -> None:
    """Let this time pass as the lane does: it looks for posts at least every minute."""
    for _ in range(hours * 4):
        posting.clock.advance(timedelta(minutes=15))
        if await posting.rows.next_due() is not None:
            await posting.settle()


async def test_posts_sleep_while_discord_is_away_and_are_sent_when_it_is_back(posting: Posting) -> None:
    await add_post(posting.database)
    posting.poster.ready = False
    assert await posting.rows.next_due() is None
    await look_for(posting, 70)
    assert posting.poster.attempts == []
    posting.poster.ready = True
    posting.rows.wake.clear()
    posting.outbox.wake()
    assert posting.rows.wake.is_set()
    assert await posting.rows.next_due() == (await posting.post()).due_at
    await posting.settle()
    assert (await posting.post()).status is PostStatus.POSTED


async def test_the_day_of_a_post_stands_still_while_discord_is_away(posting: Posting) -> None:
    posting.poster.trouble.extend([Trouble.BEFORE] * 10_000)
    await add_post(posting.database)
    await posting.settle()
    for away in (30, 40):
        await look_for(posting, 11)
        posting.poster.ready = False
        await look_for(posting, away)
        posting.poster.ready = True
        await posting.rows.next_due()
    await look_for(posting, 1)
    assert (await posting.post()).status is PostStatus.SENDING
    await look_for(posting, 2)
    assert (await posting.post()).status is PostStatus.KEPT


async def test_a_post_that_was_made_while_discord_was_away_has_its_whole_day(posting: Posting) -> None:
    posting.poster.trouble.extend([Trouble.BEFORE] * 10_000)
    posting.poster.ready = False
    await posting.rows.next_due()
    await look_for(posting, 30)
    await add_post(posting.database)
    await look_for(posting, 30)
    posting.poster.ready = True
    await look_for(posting, 23)
    assert (await posting.post()).status is PostStatus.SENDING
    posting.poster.trouble.clear()
    await look_for(posting, 1)
    assert (await posting.post()).status is PostStatus.POSTED


async def test_an_edit_that_waits_through_an_outage_is_made_once(posting: Posting) -> None:
    await add_post(posting.database, kind=PostKind.TRAINING_STATUS, places=[IN_CHANNEL])
    await posting.settle()
    posting.poster.ready = False
    await posting.rows.next_due()
    for _ in range(3):
        await posting.renew()
        await look_for(posting, 10)
    assert posting.poster.edits == []
    posting.poster.ready = True
    await look_for(posting, 1)
    assert [kind for kind, _ in posting.poster.edits] == [PostKind.TRAINING_STATUS]


async def test_who_has_kept_results_is_told_of_each_once(posting: Posting) -> None:
    posting.poster.closed.update(CHAIN)
    for subject_id in (1, 2):
        await add_post(posting.database, places=CHAIN, subject_id=subject_id)
    await posting.settle()
    assert await posting.outbox.tell(guild_id=GUILD, user_id=BEN) == 0
    assert await posting.outbox.tell(guild_id=OTHER_GUILD, user_id=ANNA) == 0
    told = await asyncio.gather(*(posting.outbox.tell(guild_id=GUILD, user_id=ANNA) for _ in range(3)))
    assert sorted(told) == [0, 0, 2]
    await add_post(posting.database, places=CHAIN, subject_id=3)
    await posting.settle()
    assert await posting.outbox.tell(guild_id=GUILD, user_id=ANNA) == 1


async def test_a_changed_status_is_shown_by_editing_the_message_that_is_there(posting: Posting) -> None:
    await add_post(posting.database, kind=PostKind.TRAINING_STATUS, places=[IN_CHANNEL])
    await posting.settle()
    await posting.renew()
    await posting.pass_time(posting.timings.milestone - SECOND)
    assert posting.poster.edits == []
    await posting.pass_time(SECOND)
    assert posting.poster.edits == [(PostKind.TRAINING_STATUS, 1)]
    assert len(posting.poster.messages) == 1
    assert (await posting.post()).due_at is None


async def test_many_changes_within_a_milestone_are_one_edit_to_the_latest(posting: Posting) -> None:
    await add_post(posting.database, kind=PostKind.TRAINING_STATUS, places=[IN_CHANNEL])
    await posting.settle()
    for _ in range(5):
        await posting.renew()
        await posting.pass_time(2 * SECOND)
    await posting.pass_time(posting.timings.milestone)
    assert posting.poster.edits == [(PostKind.TRAINING_STATUS, 5)]


@pytest.mark.parametrize("moment", ["while it is sent", "while it is edited"])
async def test_a_change_during_a_send_or_an_edit_is_shown_afterwards(posting: Posting, moment: str) -> None:
    await add_post(posting.database, kind=PostKind.TRAINING_STATUS, places=[IN_CHANNEL])
    if moment == "while it is edited":
        await posting.settle()
        await posting.renew()
        posting.clock.advance(posting.timings.milestone)
    now = posting.clock.now()
    [claim] = await posting.rows.claim(owner="posting", now=now, until=now + posting.timings.lease, limit=1)
    await posting.renew()
    await posting.outbox.advance(claim)
    shown = len(posting.poster.edits)
    await posting.pass_time(posting.timings.milestone)
    assert len(posting.poster.edits) == shown + 1
    assert posting.poster.edits[-1][1] == (await posting.post()).revision
    assert (await posting.post()).due_at is None


async def test_an_edit_that_fails_is_tried_again_and_posts_nothing_new(posting: Posting) -> None:
    await add_post(posting.database, kind=PostKind.TRAINING_STATUS, places=[IN_CHANNEL])
    await posting.settle()
    await posting.renew()
    posting.poster.trouble.extend([Trouble.BEFORE] * 3)
    for _ in range(10):
        await posting.pass_time(30 * SECOND)
    assert posting.poster.edits == [(PostKind.TRAINING_STATUS, 1)]
    assert len(posting.poster.messages) == 1


async def test_a_message_somebody_deleted_is_not_edited_again_and_again(posting: Posting) -> None:
    await add_post(posting.database, kind=PostKind.TRAINING_STATUS, places=[IN_CHANNEL])
    await posting.settle()
    posting.poster.closed.add(IN_CHANNEL)
    await posting.renew()
    await posting.pass_time(timedelta(hours=1))
    post = await posting.post()
    assert (post.status, post.due_at) == (PostStatus.POSTED, None)
    assert len(posting.poster.messages) == 1


async def test_a_post_for_a_place_refused_before_its_status_changed_is_not_sent_twice(posting: Posting) -> None:
    posting.poster.closed.add(IN_THREAD)
    await add_post(posting.database, kind=PostKind.TRAINING_STATUS, places=[IN_THREAD, IN_CHANNEL])
    await posting.work()
    await posting.renew()
    await posting.settle()
    await posting.pass_time(timedelta(hours=1))
    assert [message.place for message in posting.poster.messages] == [IN_CHANNEL]


async def test_posts_wait_their_turn_and_none_is_lost(posting: Posting) -> None:
    for subject_id in range(1, 61):
        await add_post(posting.database, subject_id)
    await posting.settle()
    assert len(posting.poster.messages) == 60


async def test_a_post_finished_by_another_worker_is_not_noted_twice(posting: Posting) -> None:
    await add_post(posting.database)
    now = posting.clock.now()
    [slow] = await posting.rows.claim(owner="slow", now=now, until=now + SECOND, limit=1)
    posting.clock.advance(SECOND)
    await posting.settle()
    with pytest.raises(LeaseLost):
        await posting.outbox.advance(slow)
    assert len(posting.poster.messages) == 1
    async with posting.database.read() as connection:
        assert (await connection.execute(sa.select(sa.func.count()).select_from(tables.timeline))).scalar() == 1


async def test_a_sent_post_wakes_its_lane(posting: Posting) -> None:
    await add_post(posting.database)
    await posting.settle()
    assert posting.rows.wake.is_set()
