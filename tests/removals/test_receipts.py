"""What a member is told of what was to go: once, privately, when nothing can be asked for any more, and all of it."""

from datetime import timedelta

import pytest

from bot.generation.order import PictureOrder
from bot.records.generation import GenerationSettings
from bot.records.guild import Actor, Channel
from bot.records.job import LaneName
from bot.records.key import ProviderName
from bot.records.post import PostKind
from bot.records.removal import RemovalAnswer, RemovalKind, RemovalReason, RemovalStatus
from bot.removals.outcomes import RemovalOutcomes
from bot.storage.people import erasure
from cogs.removals.cards import receipts_card
from tests.cogs.card_checks import check
from tests.events.lives.event_faults import outage
from tests.fakes.rows import ADMIN, ANNA, BEN, CHANNEL, GUILD
from tests.fakes.studio import AUROUS_KEY, OTHER_KEY, PROVIDER, Studio
from tests.fakes.unlimited import set_unlimited_key
from tests.generation.picture_orders import reference
from tests.removals.erasing import DAY, ended, erase, rows_of, status, took, wait

pytestmark = pytest.mark.both

A, K = RemovalAnswer, RemovalKind


def receipts(studio: Studio) -> int:
    return studio.poster.kinds().count(PostKind.RECEIPT)


async def card_of(studio: Studio, user_id: int = ANNA) -> str:
    return check(receipts_card(await studio.removals.receipts(user_id, GUILD)))


async def test_what_was_archived_before_belongs_to_the_erasure_and_its_receipt_comes(keyed: Studio) -> None:
    """Mutant: as an archived one it would end without the receipt that the erasure has promised."""
    lora = await keyed.lora()
    with outage(keyed):
        await keyed.loras.archive(lora.id, Actor(GUILD, ANNA))
        await keyed.settle()
        assert await erase(keyed) == 1
        await wait(keyed, timedelta(hours=1))
        assert receipts(keyed) == 0
    await wait(keyed, timedelta(hours=2))
    assert [(each.why, each.answer) for each in await rows_of(keyed)] == [(RemovalReason.ERASED, A.REMOVED)]
    assert receipts(keyed) == 1


async def test_archiving_alone_sends_nothing(keyed: Studio) -> None:
    lora = await keyed.lora()
    await keyed.loras.archive(lora.id, Actor(GUILD, ANNA))
    await wait(keyed, timedelta(hours=1))
    assert await ended(keyed) == [(K.LORA, A.REMOVED)]
    assert receipts(keyed) == 0


async def test_two_members_get_a_receipt_each_with_their_own_things_alone(keyed: Studio) -> None:
    mine, bens = await keyed.lora(), await keyed.lora(user_id=BEN)
    for user_id in (ANNA, BEN):
        await erase(keyed, user_id)
    await keyed.settle()
    assert receipts(keyed) == 2
    for user_id, own, other in ((ANNA, mine, bens), (BEN, bens, mine)):
        said = await card_of(keyed, user_id)
        assert own.remote_id in said
        assert other.remote_id not in said


async def test_erasing_twice_asks_once_and_says_so_once(keyed: Studio) -> None:
    lora = await keyed.lora()
    with outage(keyed):
        assert await erase(keyed) == 1
        await keyed.settle()
        assert await erase(keyed) == 1
    await wait(keyed, timedelta(hours=2))
    assert await erase(keyed) == 0
    await keyed.settle()
    assert await ended(keyed) == [(K.LORA, A.REMOVED)]
    assert status(keyed, lora) == "ARCHIVED"
    assert receipts(keyed) == 1


# Without a key


async def test_what_nobody_can_be_asked_for_sleeps_and_says_so(keyed: Studio) -> None:
    """Mutant: asked for hourly, the row would be looked at 48 times for nothing and hold the receipt back."""
    lora = await keyed.lora()
    await keyed.keys.remove(GUILD, PROVIDER)
    await keyed.settle()
    await erase(keyed)
    await wait(keyed, 2 * DAY, timedelta(hours=1))
    [row] = await rows_of(keyed)
    assert (row.is_asleep, row.attempt, row.asked_at, status(keyed, lora)) == (True, 0, None, "READY")
    assert receipts(keyed) == 1
    said = await card_of(keyed)
    assert "**I cannot ask**: the server has no key for it any more." in said
    assert "1 of 1 still to be confirmed" in said


async def test_a_new_key_wakes_it_and_the_receipt_comes_again_with_the_answer(keyed: Studio) -> None:
    lora = await keyed.trained()
    await keyed.keys.remove(GUILD, PROVIDER)
    await keyed.settle()
    await erase(keyed)
    await keyed.settle()
    await keyed.set_key(OTHER_KEY)
    await keyed.settle()
    assert (receipts(keyed), (await rows_of(keyed))[0].is_asleep) == (1, True), "another team's key cannot answer"
    await keyed.set_key()
    await keyed.settle()
    assert status(keyed, lora) == "ARCHIVED"
    assert receipts(keyed) == 2, "also while Discord still knows the nonce of the first"
    assert "All of it is answered." in await card_of(keyed)


async def test_a_key_that_comes_while_the_row_is_looked_at_is_not_missed(keyed: Studio) -> None:
    lora = await keyed.lora()
    await keyed.keys.remove(GUILD, PROVIDER)
    await keyed.settle()
    await erase(keyed)
    [claim] = await keyed.claim(LaneName.REMOVALS)
    await keyed.set_key()
    await RemovalOutcomes(keyed.opened).sleep(claim)
    await keyed.settle()
    assert status(keyed, lora) == "ARCHIVED"


async def test_pictures_and_uploads_are_gone_by_themselves_when_nobody_can_ask(studio: Studio) -> None:
    """Mutant: asleep for ever, they would never be said to be gone and their credits stay reserved."""
    await set_unlimited_key(studio, GUILD, ProviderName.AUROUS, AUROUS_KEY, set_by=ADMIN)
    order = PictureOrder("a fox", GenerationSettings(), provider=ProviderName.AUROUS, references=(reference(studio),))
    await studio.orders.accept(order, Actor(GUILD, ANNA), channel=Channel(CHANNEL))
    await studio.settle()
    await studio.database.write(lambda c: erasure.erase_guild_secrets(c, guild_id=GUILD))
    await erase(studio)
    await wait(studio, timedelta(hours=23), timedelta(hours=1))
    assert {each.status for each in await rows_of(studio)} == {RemovalStatus.WAITING}
    await wait(studio, timedelta(hours=2), timedelta(hours=1))
    assert set(await ended(studio)) == {(K.PICTURES, A.NO_CALL), (K.UPLOAD, A.NO_CALL)}
    assert receipts(studio) == 1


# Every moment of a training


@pytest.mark.parametrize("minutes", [0, 1, 2, 19, 20, 25])
@pytest.mark.parametrize("is_claimed", [False, True], ids=["between two steps", "during a step"])
async def test_whenever_it_comes_nothing_stays_at_the_provider_and_the_books_are_closed(
    keyed: Studio, minutes: int, is_claimed: bool
) -> None:
    await keyed.begin()
    await keyed.settle()
    for _ in range(minutes):
        await keyed.pass_time(timedelta(minutes=1))
    keyed.clock.advance(timedelta(seconds=30))
    claims = await keyed.claim(LaneName.TRAININGS) if is_claimed else []
    await erase(keyed)
    for claim in claims:
        await keyed.step(LaneName.TRAININGS, claim)
    await wait(keyed, timedelta(hours=1))
    assert [lora.status for lora in keyed.server.loras.values()] == ["ARCHIVED"]
    assert await ended(keyed) == [(K.LORA, A.REMOVED)]
    assert await took(keyed) == [(257, 1, True)]
    assert receipts(keyed) == 1
    assert (await keyed.everything())["loras"] == []


async def test_a_second_erasure_takes_no_receipt_away_that_is_still_on_its_way(keyed: Studio) -> None:
    """Mutant: with the member's other messages it would be erased, and the answer would never be told."""
    await keyed.lora()
    assert await erase(keyed) == 1
    await keyed.settle(LaneName.REMOVALS)
    assert await ended(keyed) == [(K.LORA, A.REMOVED)]
    assert receipts(keyed) == 0
    await erase(keyed)
    await keyed.settle()
    assert receipts(keyed) == 1
