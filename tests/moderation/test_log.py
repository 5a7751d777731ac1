"""The log has each paid, shared, deleted, moderated and erased thing once, and no id after an erasure."""

import csv
import io
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.datasets.rules import DatasetOrder
from bot.errors import NotAllowed, UserError
from bot.events.planning.drafts import EventDraft
from bot.records.dataset import SubjectKind
from bot.records.event import EventMode
from bot.records.guild import Actor, Channel, Place, PlaceKind
from bot.records.lora import Audience
from bot.records.moderation import Act
from bot.records.post import PostKind, PostStatus
from bot.records.removal import RemovalReason
from bot.sandbox.rehearsal.faults import Fault
from bot.storage.jobs import loras
from bot.storage.people import moderation_log
from tests.fakes.rows import ANNA, BEN, CHANNEL, GUILD, OTHER_GUILD
from tests.fakes.studio import TRAINS_IN, Studio

LOG_CHANNEL = 777
CLEO = 993
MODERATOR, ME = Actor(GUILD, CLEO, is_moderator=True), Actor(GUILD, ANNA)


async def lines(studio: Studio) -> list[tuple[str, ...]]:
    """Without the times: who, what, about, member."""
    return [tuple(line[1:]) for line in csv.reader(io.StringIO(await studio.moderation.log(MODERATOR)))][1:]


async def made(studio: Studio) -> int:
    """A set of pictures of Anna's."""
    generation = await studio.order(await studio.lora())
    await studio.settle()
    await studio.pass_time(timedelta(seconds=20))
    await studio.pass_time(timedelta(seconds=20))
    return generation.id


async def pay(studio: Studio) -> None:
    await made(studio)


async def share(studio: Studio) -> None:
    lora = await studio.lora()
    await studio.sharing.share(lora.id, Audience.MEMBER, BEN, ME)


async def share_twice(studio: Studio) -> None:
    lora = await studio.lora()
    for _ in range(2):
        await studio.sharing.share(lora.id, Audience.GUILD, None, ME)


async def share_in_an_event(studio: Studio) -> None:
    host, club = Actor(GUILD, ANNA, is_admin=True), EventMode.CLUB
    lora = await studio.lora()
    draft = EventDraft("Party", "Cats", "", club, SubjectKind.OBJECT, lora_ids=(lora.id,))
    event = await studio.events.create(draft, host, Channel(CHANNEL))
    await studio.events.open(event.id, host)


async def take_away(studio: Studio) -> None:
    lora = await studio.lora()

    async def transaction(connection: AsyncConnection) -> None:
        for _ in range(2):
            await loras.retire(connection, lora, RemovalReason.TAKEN_BACK, now=studio.clock.now())

    await studio.database.write(transaction)


async def archive_anothers(studio: Studio) -> None:
    await studio.loras.archive((await studio.lora()).id, Actor(GUILD, CLEO, is_admin=True))


async def hand_over(studio: Studio) -> None:
    offered = await studio.sharing.offer((await studio.lora()).id, BEN, ME, Channel(CHANNEL))
    await studio.sharing.accept(offered.offer.id, user_id=BEN, guild_id=GUILD)


async def discard(studio: Studio) -> None:
    order = DatasetOrder("Rex", SubjectKind.OBJECT)
    dataset = await studio.datasets.create(order, guild_id=GUILD, channel_id=CHANNEL, user_id=ANNA)
    await studio.datasets.discard(dataset.id, guild_id=GUILD, user_id=ANNA)


async def archive(studio: Studio) -> None:
    await studio.loras.archive((await studio.lora()).id, ME)


async def delete(studio: Studio) -> None:
    await studio.pictures.delete(await made(studio), MODERATOR)


async def to_gallery(studio: Studio) -> None:
    await studio.guilds.choose_gallery(GUILD, CHANNEL)
    found = await studio.pictures.see(await made(studio), ME)
    await studio.pictures.send_to_gallery([found.view.pictures[0].id], found.generation.id, ME)


PAID = (str(ANNA), "paid", "pictures #1, 2 credits of Apiframe", "")
DONE: dict[str, tuple[Callable[[Studio], Awaitable[object]], list[tuple[str, ...]]]] = {
    "paid": (pay, [PAID]),
    "shared": (share, [(str(ANNA), "shared", "LoRA #1, with a member", str(BEN))]),
    "shared twice": (share_twice, [(str(ANNA), "shared", "LoRA #1, with everyone here", "")]),
    "shared by an event": (
        share_in_an_event,
        [(str(ANNA), "shared", "LoRA #1, with everybody in an event", "")],
    ),
    "retired": (take_away, [("0", "deleted", "LoRA #1, retired", str(ANNA))]),
    "archived by an admin": (archive_anothers, [(str(CLEO), "deleted", "LoRA #1, archived", str(ANNA))]),
    "handed over": (hand_over, [(str(ANNA), "shared", "LoRA #1, handed over", str(BEN))]),
    "to the gallery": (to_gallery, [PAID, (str(ANNA), "shared", "pictures #1, to the gallery", "")]),
    "discarded": (discard, [(str(ANNA), "deleted", "dataset #1, discarded", "")]),
    "archived": (archive, [(str(ANNA), "deleted", "LoRA #1, archived", "")]),
    "deleted by a moderator": (delete, [PAID, (str(CLEO), "deleted", "pictures #1", str(ANNA))]),
    "blocked": (
        lambda studio: studio.moderation.block(MODERATOR, ANNA),
        [(str(CLEO), "moderated", "blocked", str(ANNA))],
    ),
    "words": (
        lambda studio: studio.moderation.set_words(MODERATOR, "a b\nc d"),
        [(str(CLEO), "moderated", "the list of words, 2 lines", "")],
    ),
}


@pytest.mark.parametrize("what", DONE)
async def test_each_thing_is_noted_once_and_shown_once_in_the_channel(studio: Studio, what: str) -> None:
    """Mutants: without `note` there, nothing is written; without the post, nothing is shown."""
    await studio.set_key()
    await studio.guilds.choose_log(GUILD, LOG_CHANNEL)
    doing, expected = DONE[what]
    await doing(studio)
    await studio.settle()
    assert await lines(studio) == expected
    shown = await studio.posts_of(PostKind.LOG_LINE)
    assert [post.places for post in shown] == [(Place(PlaceKind.CHANNEL, LOG_CHANNEL),)] * len(expected)
    assert {post.status for post in shown} == {PostStatus.POSTED}


async def test_what_was_not_paid_for_and_what_is_undone_is_not_noted(studio: Studio) -> None:
    """Mutant: noting it in a transaction of its own leaves an entry of something that never was."""
    await studio.set_key()
    studio.server.faults.next("POST /v2/images/generate", Fault.answer(400))
    await studio.order(await studio.lora())
    await studio.settle()

    async def undone(connection: AsyncConnection) -> None:
        await moderation_log.note(connection, GUILD, Act.SHARED, ANNA, "x", now=studio.clock.now())
        raise UserError("no")

    with pytest.raises(UserError):
        await studio.database.write(undone)
    assert await lines(studio) == []


async def test_a_second_line_of_the_same_name_is_posted_too(studio: Studio) -> None:
    """Mutant: without another name for it, what it tells of could not be stored at all."""
    await studio.guilds.choose_log(GUILD, LOG_CHANNEL)

    async def twice(connection: AsyncConnection) -> None:
        for about in ("once", "again"):
            await moderation_log.note(
                connection, GUILD, Act.SHARED, ANNA, about, now=studio.clock.now(), known_as="the same"
            )

    await studio.database.write(twice)
    await studio.settle()
    assert [about for _, _, about, _ in await lines(studio)] == ["once", "again"]
    assert studio.poster.kinds() == [PostKind.LOG_LINE] * 2


async def test_without_a_channel_nothing_is_posted_and_another_server_is_not_told(studio: Studio) -> None:
    await studio.set_key()
    await studio.guilds.choose_log(OTHER_GUILD, LOG_CHANNEL)
    await share(studio)
    assert len(await lines(studio)) == 1
    assert await studio.posts_of(PostKind.LOG_LINE) == []
    assert "shared" not in await studio.moderation.log(Actor(OTHER_GUILD, CLEO, is_moderator=True))


async def test_an_erasure_leaves_one_stable_number_in_log_and_channel(studio: Studio) -> None:
    """Mutants: without the pseudonym the id stays; without the renewal it stays in the channel."""
    await studio.set_key()
    await studio.guilds.choose_log(GUILD, LOG_CHANNEL)
    lora = await studio.lora()
    await studio.sharing.share(lora.id, Audience.MEMBER, BEN, ME)
    await studio.moderation.block(MODERATOR, ANNA)
    await studio.settle()
    await studio.privacy.forget_member(guild_id=GUILD, user_id=ANNA)
    await studio.settle()
    found = await lines(studio)
    assert all(str(ANNA) not in {who, member} for who, _, _, member in found)
    number = found[-1][0]
    assert int(number) < 0
    assert found[0][0] == found[1][3] == number
    assert found[-1] == (number, "erased", "everything of a member", "")
    edited = [post.revision for post in await studio.posts_of(PostKind.LOG_LINE)]
    assert edited == [1, 1, 0]
    await studio.moderation.unblock(MODERATOR, ANNA)
    await studio.privacy.forget_member(guild_id=GUILD, user_id=ANNA)
    assert found[-1][0] in str((await lines(studio))[-1])


async def test_only_moderators_read_it(studio: Studio) -> None:
    with pytest.raises(NotAllowed):
        await studio.moderation.log(ME)


async def test_after_a_year_an_entry_goes_with_its_line_and_younger_ones_stay(studio: Studio) -> None:
    """Mutants: a server's row that is never due; a line whose row in the outbox stays."""
    await studio.guilds.choose_log(GUILD, LOG_CHANNEL)
    await studio.moderation.block(MODERATOR, ANNA)
    await studio.pass_time(timedelta(days=200))
    await studio.moderation.unblock(MODERATOR, ANNA)
    await studio.pass_time(timedelta(days=164))
    assert [about for _, _, about, _ in await lines(studio)] == ["blocked", "unblocked"]
    await studio.pass_time(timedelta(days=2))
    assert [about for _, _, about, _ in await lines(studio)] == ["unblocked"]
    assert len(await studio.posts_of(PostKind.LOG_LINE)) == 1
    await studio.pass_time(timedelta(days=201))
    assert await lines(studio) == []
    assert await studio.posts_of(PostKind.LOG_LINE) == []


async def test_what_an_erased_members_training_took_in_the_end_is_noted_once_under_their_number(studio: Studio) -> None:
    """Mutant: settling it where it is removed, past the log."""
    await studio.set_key()
    training = await studio.begin()
    await studio.settle()
    await studio.privacy.forget_member(guild_id=GUILD, user_id=ANNA)
    for _ in range(4):
        await studio.pass_time(TRAINS_IN)
    (erased,) = [line for line in await lines(studio) if line[1] == "erased"]
    paid = [line for line in await lines(studio) if line[1] == "paid"]
    assert paid == [(erased[0], "paid", f"training #{training.id}, 257 credits of Apiframe", "")]
