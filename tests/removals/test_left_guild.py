"""A server that removes the bot: whoever set its key is asked about its LoRAs, and its members still reach theirs."""

from datetime import timedelta

import pytest

from bot.errors import NotFound
from bot.guilds import TOO_LATE
from bot.records.guild import Place, PlaceKind
from bot.records.post import PostKind
from bot.records.removal import RemovalAnswer, RemovalKind, RemovalReason
from bot.sandbox.rehearsal.faults import Fault
from cogs.removals.left import left_card
from tests.cogs.card_checks import check
from tests.events.lives.event_faults import outage
from tests.fakes.rows import ADMIN, ANNA, BEN, GUILD
from tests.fakes.studio import PROVIDER, TRAINS_IN, Studio
from tests.removals.erasing import DAY, ended, erase, rows_of, status, wait

pytestmark = pytest.mark.both

A, K = RemovalAnswer, RemovalKind


def asked(studio: Studio) -> list[Place]:
    return [each.place for each in studio.poster.messages if each.kind == PostKind.LEFT]


async def keys_left(studio: Studio) -> list[int]:
    return [row["id"] for row in (await studio.everything())["api_keys"]]


async def leave(studio: Studio) -> None:
    await studio.guilds.leave(GUILD)
    await studio.settle()


async def test_who_set_the_key_is_asked_and_a_yes_removes_every_lora_and_the_key(keyed: Studio) -> None:
    loras = [await keyed.lora(), await keyed.lora(user_id=BEN)]
    await leave(keyed)
    assert asked(keyed) == [Place(PlaceKind.USER, ADMIN)]
    [key_id] = await keys_left(keyed)
    left = await keyed.guilds.left(key_id)
    assert left is not None
    assert "Its 2 LoRAs in your Apiframe account are still there." in check(left_card(left))
    keyed.server.faults.next("DELETE /v2/loras/{id}", *[Fault.answer(503)] * 3)
    assert await keyed.guilds.remove_loras(key_id, ADMIN) == 2
    assert await keyed.guilds.remove_loras(key_id, ADMIN) == 0
    await wait(keyed, timedelta(hours=2))
    assert [status(keyed, lora) for lora in loras] == ["ARCHIVED", "ARCHIVED"]
    assert {(each.why, each.user_id) for each in await rows_of(keyed)} == {(RemovalReason.LEFT, ADMIN)}
    assert await keys_left(keyed) == []
    assert keyed.poster.kinds().count(PostKind.RECEIPT) == 1
    with pytest.raises(NotFound, match=TOO_LATE):
        await keyed.guilds.remove_loras(key_id, ADMIN)


async def test_without_an_answer_the_key_goes_after_seven_days_and_the_loras_stay(keyed: Studio) -> None:
    lora = await keyed.lora()
    await leave(keyed)
    await wait(keyed, timedelta(days=6, hours=23), timedelta(hours=1))
    assert len(await keys_left(keyed)) == 1
    await wait(keyed, timedelta(hours=2), timedelta(hours=1))
    assert await keys_left(keyed) == []
    assert status(keyed, lora) == "READY"
    assert await rows_of(keyed) == []


async def test_a_key_that_waits_for_a_removal_sleeps_until_that_has_ended(keyed: Studio) -> None:
    """Mutant: a look every 5 minutes would be 2,016 in the 7 days."""
    await keyed.lora()
    with outage(keyed):
        await erase(keyed)
        await keyed.settle()
        await keyed.keys.remove(GUILD, PROVIDER)
        await keyed.settle()
        [key] = (await keyed.everything())["api_keys"]
        assert key["due_at"] == key["retired_at"] + keyed.timings.removal_key_kept
    await wait(keyed, timedelta(hours=2))
    assert await ended(keyed) == [(K.LORA, A.REMOVED)]
    assert await keys_left(keyed) == []


async def test_a_member_who_is_erased_meanwhile_reaches_theirs_and_then_the_key_goes(keyed: Studio) -> None:
    """Mutant: with the key deleted at once, the LoRA would stay there for ever."""
    lora = await keyed.lora()
    await leave(keyed)
    await wait(keyed, 3 * DAY, timedelta(hours=1))
    with outage(keyed):
        await erase(keyed)
        await wait(keyed, DAY, timedelta(hours=1))
    await wait(keyed, timedelta(hours=2))
    assert status(keyed, lora) == "ARCHIVED"
    assert await ended(keyed) == [(K.LORA, A.REMOVED)]
    assert await keys_left(keyed) == []


async def test_after_seven_days_an_erasure_says_that_nobody_can_be_asked(keyed: Studio) -> None:
    await keyed.lora()
    await leave(keyed)
    await wait(keyed, 8 * DAY, timedelta(hours=6))
    await erase(keyed)
    await keyed.settle()
    assert [each.is_asleep for each in await rows_of(keyed)] == [True]


async def test_a_training_under_way_is_watched_to_its_end(keyed: Studio) -> None:
    await keyed.begin()
    await keyed.settle()
    await leave(keyed)
    await wait(keyed, TRAINS_IN + timedelta(minutes=10))
    await erase(keyed)
    await wait(keyed, timedelta(hours=1))
    assert [lora.status for lora in keyed.server.loras.values()] == ["ARCHIVED"]


async def test_a_key_without_loras_goes_at_once_and_nobody_is_asked(keyed: Studio) -> None:
    await leave(keyed)
    assert await keys_left(keyed) == []
    assert asked(keyed) == []


@pytest.mark.parametrize("who", ["somebody else", "the server has it again"])
async def test_nobody_else_decides_nor_when_the_server_has_it_again(keyed: Studio, who: str) -> None:
    lora = await keyed.lora()
    await leave(keyed)
    [key_id] = await keys_left(keyed)
    if who != "somebody else":
        await keyed.guilds.come_back(GUILD)
    with pytest.raises(NotFound, match=TOO_LATE):
        await keyed.guilds.remove_loras(key_id, ANNA if who == "somebody else" else ADMIN)
    await keyed.settle()
    assert status(keyed, lora) == "READY"
