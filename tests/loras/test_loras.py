"""LoRAs: who may use and archive which, finding one by a few letters, its card, versions and what they cost."""

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.datasets.rules import DatasetOrder
from bot.errors import NotAllowed, NotFound, UserError
from bot.loras.rights import Right
from bot.loras.service import NOTE_MAX, choice_value
from bot.records.dataset import Gender, SubjectKind
from bot.records.generation import Picture
from bot.records.guild import Actor
from bot.records.lora import NAME_MAX, Audience, Lora
from bot.records.post import PostKind, PostStatus
from bot.sandbox.rehearsal.faults import Fault
from bot.storage import tables
from bot.storage.jobs import generations
from bot.text import CHOICES_MAX
from tests.fakes.clock import NOON
from tests.fakes.rows import ADMIN, ANNA, BEN, CHANNEL, GUILD, OTHER_GUILD, add_generation, add_lora, add_post
from tests.fakes.studio import OTHER_KEY, TRAINS_IN, Studio

ARCHIVE = "DELETE /v2/loras/{id}"


@pytest.fixture
async def lora(studio: Studio) -> Lora:
    await studio.set_key()
    return await studio.lora()


async def test_a_member_uses_their_own_loras_and_nobody_elses(studio: Studio, lora: Lora) -> None:
    theirs = await studio.lora(user_id=BEN)
    assert [one.id for one in await studio.loras.usable_by(Actor(GUILD, ANNA))] == [lora.id]
    assert [one.id for one in await studio.loras.choices("", Actor(GUILD, BEN))] == [theirs.id]
    assert list(await studio.loras.usable_by(Actor(OTHER_GUILD, ANNA))) == []


@pytest.mark.parametrize(("guild_id", "user_id"), [(GUILD, BEN), (OTHER_GUILD, ANNA)])
async def test_a_foreign_lora_looks_exactly_like_one_that_does_not_exist(
    studio: Studio, lora: Lora, guild_id: int, user_id: int
) -> None:
    answers = set()
    for lora_id in (lora.id, lora.id + 1000):
        value = f"lora-{lora_id}"
        with pytest.raises(NotFound) as picked:
            await studio.loras.pick(value, Actor(guild_id, user_id))
        with pytest.raises(NotFound) as viewed:
            await studio.loras.view(lora_id, Actor(guild_id, user_id))
        with pytest.raises(NotFound) as got:
            await studio.loras.get_for(lora_id, Actor(guild_id, user_id))
        with pytest.raises(NotFound) as archived:
            await studio.loras.archive(lora_id, Actor(guild_id, user_id))
        with pytest.raises(NotFound) as renamed:
            await studio.loras.rename(lora_id, "Mine", Actor(guild_id, user_id))
        answers.add(tuple(str(error.value) for error in (picked, viewed, got, archived, renamed)))
    assert len(answers) == 1
    assert studio.server.loras[lora.remote_id].status == "READY"


async def test_even_an_admin_of_another_guild_cannot_archive_it(studio: Studio, lora: Lora) -> None:
    await studio.set_key(OTHER_KEY, guild_id=OTHER_GUILD)
    with pytest.raises(NotFound):
        await studio.loras.archive(lora.id, Actor(OTHER_GUILD, ANNA, is_admin=True))
    assert studio.server.loras[lora.remote_id].status == "READY"


@pytest.mark.parametrize(("user_id", "is_admin"), [(ANNA, False), (BEN, True)])
async def test_owner_and_admin_may_archive_it_and_the_provider_is_asked_to_delete_it(
    studio: Studio, lora: Lora, user_id: int, is_admin: bool
) -> None:
    actor = Actor(GUILD, user_id, is_admin=is_admin)
    offered = await studio.loras.choices("rex", actor, Right.CHANGE)
    assert [one.id for one in offered] == [lora.id]
    await studio.loras.archive(lora.id, actor)
    await studio.settle()
    assert studio.server.loras[lora.remote_id].status == "ARCHIVED"
    assert list(await studio.loras.usable_by(Actor(GUILD, ANNA))) == []
    with pytest.raises(NotFound):
        await studio.loras.archive(lora.id, actor)
    with pytest.raises(NotFound, match="archived"):
        await studio.loras.get_for(lora.id, Actor(GUILD, ANNA))


async def test_a_lora_is_archived_here_at_once_whatever_the_provider_says(studio: Studio, lora: Lora) -> None:
    studio.server.faults.next(ARCHIVE, *[Fault.answer(503)] * 3)
    await studio.loras.archive(lora.id, Actor(GUILD, ANNA))
    assert list(await studio.loras.usable_by(Actor(GUILD, ANNA))) == []
    await studio.settle()
    assert studio.server.loras[lora.remote_id].status == "READY"
    for _ in range(4):
        await studio.pass_time(studio.timings.removal_retry)
    assert studio.server.loras[lora.remote_id].status == "ARCHIVED"


async def test_a_typed_name_finds_the_only_lora_of_that_name_and_guesses_nothing(studio: Studio, lora: Lora) -> None:
    assert (await studio.loras.pick(" REX ", Actor(GUILD, ANNA))).id == lora.id
    await studio.lora()
    with pytest.raises(NotFound):
        await studio.loras.pick("Rex", Actor(GUILD, ANNA))
    assert (await studio.loras.pick(choice_value(lora), Actor(GUILD, ANNA))).id == lora.id


async def test_the_view_counts_how_often_a_lora_was_used(studio: Studio, lora: Lora) -> None:
    for _ in range(3):
        await studio.order(lora)
    assert (await studio.loras.view(lora.id, Actor(GUILD, ANNA))).uses == 3


async def test_at_most_25_are_offered_best_match_first_and_newest_among_equals(studio: Studio) -> None:
    names = ["The Rex", "Rexona", "T-Rex", "R e x", "Max", *["Filler"] * 30]
    for number, name in enumerate(names, start=1):
        await add_lora(studio.database, number, name=name)
    offered = await studio.loras.choices("rex", Actor(GUILD, ANNA))
    assert [one.name for one in offered] == ["Rexona", "The Rex", "T-Rex", "R e x"]
    everything = await studio.loras.choices("", Actor(GUILD, ANNA))
    assert [one.id for one in everything] == list(range(35, 35 - CHOICES_MAX, -1))


async def test_the_newest_version_is_the_one_that_a_typed_name_means(studio: Studio) -> None:
    first = await add_lora(studio.database, 1)
    second = await add_lora(studio.database, 2, version=2, previous_id=first)
    assert (await studio.loras.pick("rex", Actor(GUILD, ANNA))).id == second
    assert (await studio.loras.pick("Rex · v2", Actor(GUILD, ANNA))).id == second
    await add_lora(studio.database, 3, name="Rex", subject_kind=SubjectKind.CHARACTER)
    with pytest.raises(NotFound):
        await studio.loras.pick("Rex", Actor(GUILD, ANNA))
    assert (await studio.loras.pick("Rex · character", Actor(GUILD, ANNA))).is_character


async def test_a_name_and_a_note_are_trimmed_and_have_limits(studio: Studio, lora: Lora) -> None:
    anna = Actor(GUILD, ANNA)
    assert (await studio.loras.rename(lora.id, "  The \n fox ", anna)).name == "The fox"
    assert (await studio.loras.write_note(lora.id, " best with snow ", anna)).note == "best with snow"
    shown = (await studio.loras.view(lora.id, anna)).lora
    assert (shown.name, shown.note) == ("The fox", "best with snow")
    assert (await studio.loras.write_note(lora.id, "  ", anna)).note is None
    for name in ("", "   ", "x" * (NAME_MAX + 1)):
        with pytest.raises(UserError, match="40 characters"):
            await studio.loras.rename(lora.id, name, anna)
    with pytest.raises(UserError, match="300 characters"):
        await studio.loras.write_note(lora.id, "x" * (NOTE_MAX + 1), anna)
    assert (await studio.loras.get_for(lora.id, anna)).name == "The fox"


async def test_who_only_uses_a_lora_is_told_that_others_change_it(studio: Studio, lora: Lora) -> None:
    await studio.sharing.share(lora.id, Audience.GUILD, None, Actor(GUILD, ANNA))
    ben = Actor(GUILD, BEN)
    for attempt in (
        studio.loras.rename(lora.id, "Mine", ben),
        studio.loras.write_note(lora.id, "mine", ben),
        studio.loras.archive(lora.id, ben),
        studio.loras.pick(choice_value(lora), ben, Right.CHANGE),
    ):
        with pytest.raises(NotAllowed, match="Only its owner and this server's admins"):
            await attempt
    assert list(await studio.loras.choices("", ben, Right.CHANGE)) == []
    assert studio.server.loras[lora.remote_id].status == "READY"


async def test_an_admin_sees_and_changes_every_lora_of_the_guild_but_uses_only_what_is_shared(
    studio: Studio, lora: Lora
) -> None:
    admin = Actor(GUILD, ADMIN, is_admin=True)
    view = await studio.loras.view(lora.id, admin)
    assert view.may == {Right.SEE, Right.CHANGE}
    assert (await studio.loras.rename(lora.id, "Kind name", admin)).name == "Kind name"
    assert list(await studio.loras.usable_by(admin)) == []
    with pytest.raises(NotFound):
        await studio.loras.get_for(lora.id, admin)


async def test_the_card_shows_the_best_pictures_that_its_viewer_may_see(studio: Studio, lora: Lora) -> None:
    """Saved most often first, then the newest; those of others only when they were posted in a channel."""
    await studio.sharing.share(lora.id, Audience.GUILD, None, Actor(GUILD, ANNA))
    posted = await add_picture(studio, lora)
    saved = await add_picture(studio, lora, saves=2)
    await add_picture(studio, lora, saves=9, deleted_at=NOON)
    await add_picture(studio, lora, saves=8, kept=False)
    await add_picture(studio, lora, saves=7, guild_id=OTHER_GUILD)
    private = await add_picture(studio, lora, saves=5, is_posted=False)
    mine = await studio.loras.view(lora.id, Actor(GUILD, ANNA))
    assert [path.name for path in mine.previews] == [private, saved, posted]
    bens = await studio.loras.view(lora.id, Actor(GUILD, BEN))
    assert [path.name for path in bens.previews] == [saved, posted]


async def test_at_most_four_pictures_are_shown_the_newest_among_equals(studio: Studio, lora: Lora) -> None:
    files = [await add_picture(studio, lora) for _ in range(6)]
    view = await studio.loras.view(lora.id, Actor(GUILD, ANNA))
    assert [path.name for path in view.previews] == files[:1:-1]


async def test_a_newer_version_knows_the_one_before_and_what_it_cost_and_inherits_no_share(
    studio: Studio, lora: Lora
) -> None:
    anna = Actor(GUILD, ANNA)
    await studio.sharing.share(lora.id, Audience.GUILD, None, anna)
    started = await studio.start(
        await studio.dataset(name=lora.name, subject_kind=lora.subject_kind, previous_lora_id=lora.id)
    )
    await studio.settle()
    await studio.pass_time(TRAINS_IN)
    newer_id = (await studio.training(started.id)).lora_id
    assert newer_id is not None
    view = await studio.loras.view(newer_id, anna)
    assert (view.lora.version, view.lora.previous_id, view.lora.name) == (2, lora.id, lora.name)
    assert [one.id for one in view.versions] == [lora.id, newer_id]
    assert [one.id for one in (await studio.loras.view(lora.id, anna)).versions] == [lora.id, newer_id]
    assert view.shares == ()
    assert view.lora.cost == 257
    assert [one.id for one in await studio.loras.usable_by(Actor(GUILD, BEN))] == [lora.id]


@pytest.mark.parametrize(
    ("user_id", "guild_id", "kind"),
    [
        (BEN, GUILD, SubjectKind.PERSON),
        (ANNA, OTHER_GUILD, SubjectKind.PERSON),
        (ANNA, GUILD, SubjectKind.STYLE),
    ],
)
async def test_only_the_owner_begins_a_newer_version_and_of_the_same_kind(
    studio: Studio, lora: Lora, user_id: int, guild_id: int, kind: SubjectKind
) -> None:
    order = DatasetOrder("Rex", kind, Gender.FEMALE, "Mixed", previous_lora_id=lora.id)
    with pytest.raises(NotFound, match="newer version"):
        await studio.datasets.create(order, guild_id=guild_id, channel_id=CHANNEL, user_id=user_id)
    mine = DatasetOrder("Rex", lora.subject_kind, Gender.FEMALE, "Mixed", previous_lora_id=lora.id)
    made = await studio.datasets.create(mine, guild_id=GUILD, channel_id=CHANNEL, user_id=ANNA)
    assert made.previous_lora_id == lora.id


async def test_others_do_not_learn_from_which_lora_a_version_came(studio: Studio) -> None:
    first = await add_lora(studio.database, 1)
    second = await add_lora(studio.database, 2, version=2, previous_id=first)
    await studio.sharing.share(second, Audience.GUILD, None, Actor(GUILD, ANNA))
    view = await studio.loras.view(second, Actor(GUILD, BEN))
    assert (view.lora.version, view.versions, view.shares) == (2, (), ())


async def test_a_lora_outlives_the_details_of_its_training(studio: Studio, lora: Lora) -> None:
    await studio.change(tables.loras, lora.id, created_at=studio.clock.now() - timedelta(days=90))
    await studio.pass_time(timedelta(days=90))
    assert [one.id for one in await studio.loras.usable_by(Actor(GUILD, ANNA))] == [lora.id]


async def add_picture(
    studio: Studio, lora: Lora, *, saves: int = 0, kept: bool = True, is_posted: bool = True, **changes: Any
) -> str:
    """One of Anna's, with a generation of its own; its name in the spool."""
    number = len(await studio.scalars(sa.select(tables.generations.c.id))) + 1
    generation_id = await add_generation(studio.database, number, lora_id=lora.id, **changes)
    file = studio.spool.new_name(".png")

    async def transaction(connection: AsyncConnection) -> None:
        picture = Picture(0, generation_id, 0, "", file if kept else None, "image/png", 1, 0)
        await generations.add_picture(connection, picture)
        await connection.execute(
            sa.update(tables.pictures).where(tables.pictures.c.generation_id == generation_id).values(saves=saves)
        )

    await studio.database.write(transaction)
    if is_posted:
        post_id = await add_post(studio.database, generation_id, kind=PostKind.PICTURES)
        await studio.change(tables.posts, post_id, status=PostStatus.POSTED, message_id=1)
    return file
