"""LoRAs: who may use and archive which, and finding one by a few letters."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import NoKey, NotFound, UserError
from bot.loras import CHOICES_MAX, NO_MATCH, choice_value, rank_match
from bot.models import Lora
from bot.sandbox.faults import Fault
from bot.storage import tables
from tests.fakes.rows import ANNA, BEN, GUILD, OTHER_GUILD, add_lora
from tests.fakes.studio import OTHER_KEY, PROVIDER, Studio

ARCHIVE = "DELETE /v2/loras/{id}"


@pytest.fixture
async def lora(studio: Studio) -> Lora:
    await studio.set_key()
    return await studio.lora()


async def test_a_member_uses_their_own_loras_and_nobody_elses(studio: Studio, lora: Lora) -> None:
    theirs = await studio.lora(user_id=BEN)
    assert [one.id for one in await studio.loras.usable_by(guild_id=GUILD, user_id=ANNA)] == [lora.id]
    assert [one.id for one in await studio.loras.choices("", guild_id=GUILD, user_id=BEN)] == [theirs.id]
    assert list(await studio.loras.usable_by(guild_id=OTHER_GUILD, user_id=ANNA)) == []


@pytest.mark.parametrize(("guild_id", "user_id"), [(GUILD, BEN), (OTHER_GUILD, ANNA)])
async def test_a_foreign_lora_looks_exactly_like_one_that_does_not_exist(
    studio: Studio, lora: Lora, guild_id: int, user_id: int
) -> None:
    answers = set()
    for lora_id in (lora.id, lora.id + 1000):
        value = f"lora-{lora_id}"
        with pytest.raises(NotFound) as picked:
            await studio.loras.pick(value, guild_id=guild_id, user_id=user_id)
        with pytest.raises(NotFound) as viewed:
            await studio.loras.view(value, guild_id=guild_id, user_id=user_id)
        with pytest.raises(NotFound) as got:
            await studio.loras.get_for(lora_id, guild_id=guild_id, user_id=user_id)
        with pytest.raises(NotFound) as archived:
            await studio.loras.archive(lora_id, guild_id=guild_id, user_id=user_id, is_admin=False)
        answers.add(tuple(str(error.value) for error in (picked, viewed, got, archived)))
    assert len(answers) == 1
    assert studio.server.loras[lora.request_id].status == "READY"


async def test_even_an_admin_of_another_guild_cannot_archive_it(studio: Studio, lora: Lora) -> None:
    await studio.set_key(OTHER_KEY, guild_id=OTHER_GUILD)
    with pytest.raises(NotFound):
        await studio.loras.archive(lora.id, guild_id=OTHER_GUILD, user_id=ANNA, is_admin=True)
    assert studio.server.loras[lora.request_id].status == "READY"


@pytest.mark.parametrize(("user_id", "is_admin"), [(ANNA, False), (BEN, True)])
async def test_owner_and_admin_may_archive_it_and_the_provider_is_asked_to_delete_it(
    studio: Studio, lora: Lora, user_id: int, is_admin: bool
) -> None:
    offered = await studio.loras.archivable_choices("rex", guild_id=GUILD, user_id=user_id, is_admin=is_admin)
    assert [one.id for one in offered] == [lora.id]
    await studio.loras.archive(lora.id, guild_id=GUILD, user_id=user_id, is_admin=is_admin)
    assert studio.server.loras[lora.request_id].status == "ARCHIVED"
    assert list(await studio.loras.usable_by(guild_id=GUILD, user_id=ANNA)) == []
    with pytest.raises(UserError, match="archived already"):
        await studio.loras.archive(lora.id, guild_id=GUILD, user_id=user_id, is_admin=is_admin)
    with pytest.raises(NotFound, match="archived"):
        await studio.loras.get_for(lora.id, guild_id=GUILD, user_id=ANNA)


async def test_a_provider_that_cannot_delete_it_leaves_everything_as_it_was(studio: Studio, lora: Lora) -> None:
    studio.server.faults.next(ARCHIVE, Fault.answer(503))
    with pytest.raises(UserError, match="left as it is"):
        await studio.loras.archive(lora.id, guild_id=GUILD, user_id=ANNA, is_admin=False)
    assert (await studio.loras.get_for(lora.id, guild_id=GUILD, user_id=ANNA)).archived_at is None


async def test_a_lora_the_provider_no_longer_has_is_archived_here_all_the_same(studio: Studio, lora: Lora) -> None:
    del studio.server.loras[lora.request_id]
    await studio.loras.archive(lora.id, guild_id=GUILD, user_id=ANNA, is_admin=False)
    assert list(await studio.loras.usable_by(guild_id=GUILD, user_id=ANNA)) == []


async def test_without_a_key_nothing_is_archived(studio: Studio, lora: Lora) -> None:
    await studio.keys.remove(GUILD, PROVIDER)
    with pytest.raises(NoKey):
        await studio.loras.archive(lora.id, guild_id=GUILD, user_id=ANNA, is_admin=False)


async def test_a_typed_name_finds_the_only_lora_of_that_name_and_guesses_nothing(studio: Studio, lora: Lora) -> None:
    assert (await studio.loras.pick(" REX ", guild_id=GUILD, user_id=ANNA)).id == lora.id
    await studio.lora()
    with pytest.raises(NotFound):
        await studio.loras.pick("Rex", guild_id=GUILD, user_id=ANNA)
    assert (await studio.loras.pick(choice_value(lora), guild_id=GUILD, user_id=ANNA)).id == lora.id


async def test_the_view_counts_how_often_a_lora_was_used(studio: Studio, lora: Lora) -> None:
    for _ in range(3):
        await studio.order(lora)
    assert (await studio.loras.view(choice_value(lora), guild_id=GUILD, user_id=ANNA)).uses == 3


async def test_at_most_25_are_offered_best_match_first_and_newest_among_equals(studio: Studio) -> None:
    names = ["The Rex", "Rexona", "T-Rex", "R e x", "Max", *["Filler"] * 30]
    for number, name in enumerate(names, start=1):
        await add_lora(studio.database, number, name=name)
    offered = await studio.loras.choices("rex", guild_id=GUILD, user_id=ANNA)
    assert [one.name for one in offered] == ["Rexona", "The Rex", "T-Rex", "R e x"]
    everything = await studio.loras.choices("", guild_id=GUILD, user_id=ANNA)
    assert [one.id for one in everything] == list(range(35, 35 - CHOICES_MAX, -1))


async def test_a_lora_outlives_the_details_of_its_training(studio: Studio, lora: Lora) -> None:
    await studio.change(tables.loras, lora.id, created_at=studio.clock.now() - timedelta(days=90))
    await studio.pass_time(timedelta(days=90))
    assert [one.id for one in await studio.loras.usable_by(guild_id=GUILD, user_id=ANNA)] == [lora.id]


TEXT = st.text("abcR xé", max_size=8)


@given(TEXT, TEXT)
def test_a_beginning_ranks_first_and_letters_missing_rank_last(text: str, name: str) -> None:
    rank = rank_match(text, name)
    folded, wanted = name.casefold(), text.strip().casefold()
    assert (rank == 0) == folded.startswith(wanted)
    assert rank < NO_MATCH or not all(letter in folded for letter in wanted) or wanted not in folded
    assert rank_match(name, name.strip()) == 0
    if rank == NO_MATCH:
        assert wanted not in folded
