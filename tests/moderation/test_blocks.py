"""A blocked member: what of theirs waits ends and gives back, and their LoRAs stay."""

import pytest

from bot.errors import NotAllowed, NotFound, UserError
from bot.generation.order import PictureOrder
from bot.jobs.outcomes import ENDED_BY_MODERATORS
from bot.loras.rights import Right
from bot.moderation.service import MODERATORS_ONLY
from bot.records.generation import GenerationStatus
from bot.records.guild import Actor, Channel
from bot.records.job import SubjectTable
from bot.records.lora import OfferStatus
from bot.records.training import TrainingStatus
from bot.storage.jobs import sharing
from bot.storage.money import spends
from tests.fakes.rows import ADMIN, ANNA, BEN, CHANNEL, GUILD, OTHER_GUILD
from tests.fakes.studio import Studio

CLEO = 993
MODERATOR = Actor(GUILD, CLEO, is_moderator=True)
NOBODY_SPECIAL = frozenset[int]()


async def is_blocked(studio: Studio, user_id: int, guild_id: int = GUILD) -> bool:
    return (await studio.moderation.standing(guild_id, user_id, NOBODY_SPECIAL)).is_blocked


async def test_waiting_orders_end_unsent_and_give_their_credits_back(studio: Studio) -> None:
    """Mutants: without the look before the first send, both are paid for."""
    await studio.set_key()
    lora = await studio.lora()
    training, generation = await studio.begin(), await studio.order(lora)
    await studio.moderation.block(MODERATOR, ANNA)
    await studio.settle()
    assert studio.server.ledger == []
    ended, dropped = await studio.training(training.id), await studio.generation(generation.id)
    assert (ended.status, ended.error) == (TrainingStatus.FAILED, ENDED_BY_MODERATORS)
    assert (dropped.status, dropped.error) == (GenerationStatus.FAILED, ENDED_BY_MODERATORS)
    for subject, job in ((SubjectTable.TRAINING, training), (SubjectTable.GENERATION, generation)):
        spend = await studio.database.fetch(spends.of_job, subject, job.id)
        assert spend is not None
        assert (spend.credits, spend.settled_at is None) == (0, False)
    assert (await studio.loras.get_for(lora.id, Actor(GUILD, ANNA), Right.SEE)).archived_at is None


async def test_an_order_stored_at_the_moment_of_the_block_is_not_sent_either(studio: Studio) -> None:
    await studio.set_key()
    lora = await studio.lora()
    await studio.moderation.block(MODERATOR, ANNA)
    order = PictureOrder("in a forest", lora_id=lora.id)
    accepted = await studio.orders.accept(order, Actor(GUILD, ANNA), channel=Channel(CHANNEL))
    await studio.settle()
    assert studio.server.ledger == []
    assert (await studio.generation(accepted.generation.id)).status is GenerationStatus.FAILED


async def test_what_was_sent_already_is_finished_and_others_go_on(studio: Studio) -> None:
    await studio.set_key()
    sent = await studio.begin()
    await studio.settle()
    theirs = await studio.order(await studio.lora(user_id=BEN))
    await studio.moderation.block(MODERATOR, ANNA)
    await studio.settle()
    assert (await studio.training(sent.id)).status.is_in_flight
    assert (await studio.generation(theirs.id)).status is GenerationStatus.SUBMITTED


async def test_a_training_that_waits_for_a_slot_ends_too_and_its_slot_goes_on(studio: Studio) -> None:
    """Mutant: without waking it, it waits for ever."""
    await studio.set_key()
    for _ in range(10):
        await studio.begin(user_id=BEN)
    await studio.settle()
    waiting = await studio.begin()
    assert (await studio.training(waiting.id)).due_at is None
    await studio.moderation.block(MODERATOR, ANNA)
    await studio.settle()
    assert (await studio.training(waiting.id)).status is TrainingStatus.FAILED


@pytest.mark.parametrize(("giver", "taker"), [(ANNA, BEN), (BEN, ANNA)])
async def test_open_offers_from_and_to_them_end(studio: Studio, giver: int, taker: int) -> None:
    await studio.set_key()
    lora = await studio.lora(user_id=giver)
    offered = await studio.sharing.offer(lora.id, taker, Actor(GUILD, giver), Channel(CHANNEL))
    await studio.moderation.block(MODERATOR, ANNA)
    offer = await studio.database.fetch(sharing.get_offer, offered.offer.id)
    assert offer is not None
    assert offer.status is OfferStatus.WITHDRAWN


async def test_a_later_offer_is_not_accepted_in_a_private_message(studio: Studio) -> None:
    """Mutant: a private message names no server, so that no admission is asked there."""
    await studio.set_key()
    lora = await studio.lora(user_id=BEN)
    await studio.moderation.block(MODERATOR, ANNA)
    offered = await studio.sharing.offer(lora.id, ANNA, Actor(GUILD, BEN), Channel(CHANNEL))
    with pytest.raises(NotAllowed, match="blocked"):
        await studio.sharing.accept(offered.offer.id, user_id=ANNA, guild_id=None)


async def test_a_block_holds_in_its_server_until_it_is_taken_back(studio: Studio) -> None:
    await studio.moderation.block(MODERATOR, ANNA)
    assert await is_blocked(studio, ANNA)
    assert not await is_blocked(studio, BEN)
    assert not await is_blocked(studio, ANNA, OTHER_GUILD)
    with pytest.raises(UserError, match="blocked already"):
        await studio.moderation.block(MODERATOR, ANNA)
    await studio.moderation.unblock(MODERATOR, ANNA)
    assert not await is_blocked(studio, ANNA)
    with pytest.raises(NotFound):
        await studio.moderation.unblock(MODERATOR, ANNA)


async def test_an_erasure_leaves_the_block_without_the_members_id(studio: Studio) -> None:
    """Mutants: deleting the row lets whoever erases themselves back in; keeping the id keeps the member."""
    await studio.moderation.block(MODERATOR, ANNA)
    await studio.privacy.forget_member(guild_id=GUILD, user_id=ANNA)
    [block] = (await studio.everything())["blocks"]
    assert ANNA not in block.values()
    assert await is_blocked(studio, ANNA)
    await studio.moderation.unblock(MODERATOR, ANNA)
    assert not await is_blocked(studio, ANNA)


@pytest.mark.parametrize("actor", [Actor(GUILD, BEN), Actor(GUILD, ADMIN)])
async def test_only_moderators_block(studio: Studio, actor: Actor) -> None:
    for doing in (studio.moderation.block, studio.moderation.unblock):
        with pytest.raises(NotAllowed, match=MODERATORS_ONLY):
            await doing(actor, ANNA)


async def test_nobody_blocks_themselves(studio: Studio) -> None:
    with pytest.raises(UserError, match="yourself"):
        await studio.moderation.block(MODERATOR, CLEO)
