"""A backup that is put back: the log of a server, and whoever was told, have each thing once."""

from collections import Counter
from datetime import timedelta

import pytest
import sqlalchemy as sa

from bot.records.event import AnnouncementKind, EventMode, EventStatus
from bot.records.generation import Operation
from bot.records.guild import Actor, Channel
from bot.records.lora import Audience, Lora
from bot.records.moderation import Act
from bot.records.post import PostKind, PostStatus
from bot.sandbox.rehearsal.faults import Fault
from bot.storage import tables
from bot.storage.policy_tables import moderation_log
from bot.storage.tables import lora_shares
from tests.backup.backups import MINUTE, backed_up, life_from
from tests.events.event_hosts import HOST, Hosting
from tests.events.lives.event_acts import name_in_photos, only_lora
from tests.events.lives.event_run import HOUR, EventRun, begin
from tests.fakes.rows import ANNA, BEN, CHANNEL, GUILD
from tests.fakes.studio import Studio

pytestmark = pytest.mark.sqlite

S = EventStatus
CLEO, DAN = 403, 404
LATER = timedelta(minutes=10)
"""Longer than anybody remembers a nonce."""
CLAIMS_WAIT = timedelta(hours=72)


@pytest.fixture(autouse=True)
async def _guild_has_a_log(studio: Studio) -> None:
    await studio.set_key()
    await studio.guilds.choose_samples(GUILD, are_made=False)
    await studio.guilds.choose_log(GUILD, CHANNEL)


async def lines(studio: Studio, act: Act) -> list[str]:
    """The nonces of the lines about such acts."""
    its_line = sa.select(tables.posts.c.nonce).join(moderation_log, moderation_log.c.id == tables.posts.c.subject_id)
    its = (tables.posts.c.kind == PostKind.LOG_LINE, moderation_log.c.act == act)
    return sorted(await studio.scalars(its_line.where(*its)))


def messages(studio: Studio) -> Counter[str]:
    """How often each nonce was posted."""
    return Counter(message.nonce for message in studio.poster.messages)


async def pass_minutes(studio: Studio, count: int) -> None:
    for _ in range(count):
        await studio.pass_time(MINUTE)


async def shared_event(studio: Studio) -> EventRun:
    """Anna's photos show Dan, who agreed; its training is on its way."""
    run = await begin(studio, pack=("{trigger} on a boat",), budget=400)
    await run.give(ANNA, 12)
    await run.give(BEN, 16)
    await name_in_photos(run, ANNA, DAN)
    await run.until(S.TRAINING)
    await run.pass_time(3 * MINUTE)
    return run


async def end(run: EventRun) -> None:
    while not (await run.status()).is_terminal:
        await run.pass_time(20 * MINUTE)
    await run.pass_time(LATER)


async def test_the_log_tells_of_an_event_once(studio: Studio) -> None:
    """Mutants: payments are named after the number of their job, shares after that of their line: an event that goes
    on makes both anew."""
    run = await shared_event(studio)
    file = await backed_up(studio, "training")
    await end(run)
    told = {act: await lines(studio, act) for act in Act}
    assert (len(told[Act.PAID]), len(told[Act.SHARED])) == (2, 1)
    posted = messages(studio)
    studio.clock.advance(LATER)
    async with life_from(studio, file) as life:
        await end(EventRun(life, run.event_id))
        assert {act: await lines(life, act) for act in Act} == told
    assert messages(studio) == posted
    assert set(posted.values()) == {1}


async def test_a_lora_that_is_retired_as_soon_as_it_is_there_is_told_of_once(studio: Studio) -> None:
    """Mutants: the line is named after its own number, the announcement after that of the LoRA: both are new."""
    run = await shared_event(studio)
    [depiction] = await studio.depictions.seen_in(run.event_id, Actor(GUILD, DAN))
    await studio.depictions.answer(depiction.id, False, DAN, GUILD)
    await studio.settle()
    file = await backed_up(studio, "training")
    studio.server.faults.next("DELETE /v2/loras/{id}", *[Fault.answer(503)] * 3)
    await run.until(S.SHOWING)
    await run.pass_time(MINUTE)
    told = {act: await lines(studio, act) for act in Act}
    assert (len(told[Act.SHARED]), len(told[Act.DELETED])) == (1, 1)
    assert AnnouncementKind.TAKEN_BACK in await run.notes()
    posted = len(studio.poster.messages)
    studio.clock.advance(LATER)
    async with life_from(studio, file) as life:
        again = EventRun(life, run.event_id)
        await again.until(S.SHOWING)
        await again.pass_time(MINUTE)
        assert {act: await lines(life, act) for act in Act} == told
    assert studio.poster.kinds()[posted:] == [PostKind.RECEIPT], "the first life had no answer yet"


async def test_a_club_that_opens_by_itself_shares_its_loras_once(studio: Studio) -> None:
    """Mutant: the share is named after the number of its line."""
    lora = await studio.lora()
    draft = await Hosting(studio).draft(EventMode.CLUB, lora_ids=(lora.id,))
    opens_at = studio.clock.now() + HOUR
    day, time = f"{opens_at:%Y-%m-%d}", f"{opens_at:%H:%M}"
    await studio.openings.plan(draft.id, HOST, day, time, zone=None, repeats=None)
    await studio.settle()
    file = await backed_up(studio, "planned")
    await studio.pass_time(HOUR)
    told = await lines(studio, Act.SHARED)
    assert len(told) == 1
    posted = messages(studio)
    studio.clock.advance(LATER)
    async with life_from(studio, file) as life:
        await life.pass_time(MINUTE)
        await life.pass_time(LATER)
        assert await lines(life, Act.SHARED) == told
    assert messages(studio) == posted


async def share_again(studio: Studio, lora: Lora, event_id: int) -> None:
    owner = Actor(GUILD, lora.owner_id)
    [share_id] = await studio.scalars(sa.select(lora_shares.c.id).where(lora_shares.c.lora_id == lora.id))
    await studio.sharing.take_back(lora.id, [share_id], owner)
    await studio.sharing.share(lora.id, Audience.EVENT, event_id, owner)
    await studio.pass_time(MINUTE)


async def test_what_is_shared_a_second_time_has_a_second_line_in_each_life(studio: Studio) -> None:
    """Mutant: every share is named after its LoRA, and what has the name of another line is not posted."""
    run = await shared_event(studio)
    file = await backed_up(studio, "training")
    await run.until(S.SHOWING)
    await share_again(studio, await only_lora(run), run.event_id)
    first, second = await lines(studio, Act.SHARED)
    assert messages(studio)[first] == messages(studio)[second] == 1
    studio.clock.advance(LATER)
    async with life_from(studio, file) as life:
        again = EventRun(life, run.event_id)
        await again.until(S.SHOWING)
        [told] = await lines(life, Act.SHARED)
        assert told in {first, second}
        await share_again(life, await only_lora(again), run.event_id)
        [pressed] = set(await lines(life, Act.SHARED)) - {told}
    assert pressed not in {first, second}
    assert set(messages(studio).values()) == {1}


async def test_claims_that_nobody_decides_are_told_once(studio: Studio) -> None:
    """Mutants: the line of a claim, or of a retired LoRA, is named after its own number; a retired LoRA's after its
    owner alone: the second of Anna's has no line."""
    made = [await studio.lora(), await studio.lora()]
    for lora in made:
        await studio.likeness.claim(lora.id, Actor(GUILD, BEN))
    await studio.settle()
    file = await backed_up(studio, "claimed")
    await studio.pass_time(CLAIMS_WAIT)
    await pass_minutes(studio, 20)
    told = {act: await lines(studio, act) for act in Act}
    assert [len(told[act]) for act in (Act.MODERATED, Act.DELETED)] == [2, 2]
    posted = messages(studio)
    studio.clock.advance(LATER)
    async with life_from(studio, file) as life:
        await pass_minutes(life, 20)
        assert {act: await lines(life, act) for act in Act} == told
    assert messages(studio) == posted


async def test_a_receipt_comes_once_whatever_is_answered_last(studio: Studio) -> None:
    """Mutants: it is named after what was answered last, which is the other LoRA this time; it is not looked for;
    one that was found is written anew, although nobody is known any more to whom."""
    for _ in range(2):
        await studio.lora()
    await studio.privacy.forget_member(guild_id=GUILD, user_id=ANNA)
    file = await backed_up(studio, "erased")
    studio.server.faults.next("DELETE /v2/loras/{id}", Fault.answer(503))
    await pass_minutes(studio, 40)
    assert studio.poster.kinds().count(PostKind.RECEIPT) == 1
    studio.clock.advance(LATER)
    async with life_from(studio, file) as life:
        await pass_minutes(life, 40)
        assert [post.status for post in await life.posts_of(PostKind.RECEIPT)] == [PostStatus.POSTED]
    assert studio.poster.kinds().count(PostKind.RECEIPT) == 1


async def test_who_has_pictures_of_a_retired_lora_is_asked_once_although_their_newest_are_lost(studio: Studio) -> None:
    """Mutant: the question is named after the newest order, which the backup does not have."""
    lora = await studio.lora()
    first = await studio.order(lora)
    await pass_minutes(studio, 5)
    await studio.likeness.claim(lora.id, Actor(GUILD, BEN))
    await studio.settle()
    file = await backed_up(studio, "claimed")
    made = sa.select(tables.pictures.c.id).where(tables.pictures.c.generation_id == first.id)
    picture_id = (await studio.scalars(made))[0]
    owner, here = Actor(GUILD, ANNA), Channel(CHANNEL)
    await studio.generations.edit(picture_id, Operation.UPSCALE_CLARITY, owner, channel=here)
    await pass_minutes(studio, 5)
    await studio.pass_time(CLAIMS_WAIT)
    assert studio.poster.kinds().count(PostKind.TAKEDOWN) == 1
    studio.clock.advance(LATER)
    async with life_from(studio, file) as life:
        await pass_minutes(life, 20)
    assert studio.poster.kinds().count(PostKind.TAKEDOWN) == 1
