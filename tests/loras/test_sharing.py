"""Sharing and handing over: who can use it when, who is told, and that an offer is answered once, by its receiver."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from bot.errors import NotAllowed, NotFound, UserError
from bot.loras.rights import Right
from bot.loras.sharing import SHARES_MAX
from bot.records.event import EventStatus
from bot.records.guild import Actor, Channel, Place, PlaceKind
from bot.records.lora import Audience, Lora, Offer, OfferStatus
from bot.records.post import PostKind, PostStatus
from tests.fakes.events import add_event
from tests.fakes.rows import ADMIN, ANNA, BEN, CHANNEL, GUILD, OTHER_GUILD
from tests.fakes.studio import Studio

CLEO, ROLE = 403, 500
OWNER, RECEIVER = Actor(GUILD, ANNA), Actor(GUILD, BEN)


@pytest.fixture
async def lora(studio: Studio) -> Lora:
    await studio.set_key()
    return await studio.lora()


@pytest.fixture
async def offer(studio: Studio, lora: Lora) -> Offer:
    """Anna offers her LoRA to Ben."""
    return (await studio.sharing.offer(lora.id, BEN, OWNER, Channel(CHANNEL))).offer


async def owner_of(studio: Studio, lora: Lora) -> int:
    found = await studio.loras.get(lora.id)
    assert found is not None
    return found.owner_id


async def status_of(studio: Studio, offer: Offer) -> OfferStatus:
    view = await studio.sharing.view(offer.id)
    assert view is not None
    return view.offer.status


async def can_use(studio: Studio, actor: Actor) -> bool:
    return bool(await studio.loras.usable_by(actor))


@pytest.mark.parametrize(
    ("audience", "audience_id", "reached"),
    [
        (Audience.MEMBER, BEN, {BEN}),
        (Audience.ROLE, ROLE, {CLEO}),
        (Audience.GUILD, None, {BEN, CLEO, ADMIN}),
    ],
)
async def test_a_share_reaches_its_audience_until_it_is_taken_back(
    studio: Studio, lora: Lora, audience: Audience, audience_id: int | None, reached: set[int]
) -> None:
    people = [Actor(GUILD, BEN), Actor(GUILD, CLEO, frozenset({ROLE})), Actor(GUILD, ADMIN, is_admin=True)]
    shared = await studio.sharing.share(lora.id, audience, audience_id, OWNER)
    assert {actor.user_id for actor in people if await can_use(studio, actor)} == reached
    assert not await can_use(studio, Actor(OTHER_GUILD, BEN, frozenset({ROLE})))
    left = await studio.sharing.take_back(lora.id, [share.id for share in shared.shares], OWNER)
    assert left.shares == ()
    assert [await can_use(studio, actor) for actor in people] == [False] * 3


async def test_a_share_with_an_event_reaches_its_entrants_as_long_as_they_are_in(studio: Studio, lora: Lora) -> None:
    event = await add_event(studio.database, status=EventStatus.COLLECTING, opened_at=studio.clock.now())
    await studio.contributions.join(event.id, RECEIVER)
    shared = await studio.sharing.share(lora.id, Audience.EVENT, event.id, OWNER)
    assert shared.events == {event.id: event.name}
    assert await can_use(studio, RECEIVER)
    assert not await can_use(studio, Actor(GUILD, CLEO))
    assert (await studio.loras.get_for(lora.id, RECEIVER)).id == lora.id
    assert (await studio.loras.view(lora.id, RECEIVER)).may == {Right.USE, Right.SEE}
    await studio.depictions.withdraw(event.id, RECEIVER)
    assert not await can_use(studio, RECEIVER)
    with pytest.raises(NotFound):
        await studio.loras.get_for(lora.id, RECEIVER)


@pytest.mark.parametrize("elsewhere", [{"guild_id": OTHER_GUILD}, {"status": EventStatus.DRAFT}])
async def test_only_a_running_event_of_the_same_server_can_be_shared_with(
    studio: Studio, lora: Lora, elsewhere: dict[str, Any]
) -> None:
    event = await add_event(studio.database, **elsewhere)
    with pytest.raises(NotFound, match="not running here"):
        await studio.sharing.share(lora.id, Audience.EVENT, event.id, OWNER)


async def test_sharing_twice_is_sharing_once(studio: Studio, lora: Lora) -> None:
    for _ in range(2):
        shared = await studio.sharing.share(lora.id, Audience.GUILD, None, OWNER)
    assert len(shared.shares) == 1


async def test_only_the_owner_shares_and_admins_may_take_back(studio: Studio, lora: Lora) -> None:
    admin = Actor(GUILD, ADMIN, is_admin=True)
    with pytest.raises(NotAllowed, match="Only its owner"):
        await studio.sharing.share(lora.id, Audience.MEMBER, ADMIN, admin)
    shared = await studio.sharing.share(lora.id, Audience.MEMBER, BEN, OWNER)
    for attempt in (
        studio.sharing.share(lora.id, Audience.MEMBER, CLEO, RECEIVER),
        studio.sharing.take_back(lora.id, [shared.shares[0].id], RECEIVER),
        studio.sharing.of(lora.id, RECEIVER),
    ):
        with pytest.raises(NotAllowed):
            await attempt
    assert (await studio.sharing.take_back(lora.id, [shared.shares[0].id], admin)).shares == ()


@pytest.mark.parametrize("actor", [Actor(OTHER_GUILD, ANNA, is_admin=True), Actor(GUILD, CLEO)])
async def test_sharing_what_one_cannot_see_is_like_sharing_nothing(studio: Studio, lora: Lora, actor: Actor) -> None:
    sentences = set()
    for lora_id in (lora.id, lora.id + 1000):
        for attempt in (
            studio.sharing.share(lora_id, Audience.GUILD, None, actor),
            studio.sharing.take_back(lora_id, [1], actor),
            studio.sharing.offer(lora_id, BEN, actor, Channel(CHANNEL)),
        ):
            with pytest.raises(NotFound) as refused:
                await attempt
            sentences.add(str(refused.value))
    assert len(sentences) == 1


async def test_a_share_of_another_lora_cannot_be_taken_back_through_mine(studio: Studio, lora: Lora) -> None:
    bens = await studio.lora(user_id=BEN)
    shared = await studio.sharing.share(bens.id, Audience.GUILD, None, RECEIVER)
    await studio.sharing.take_back(lora.id, [shared.shares[0].id], OWNER)
    assert await can_use(studio, Actor(GUILD, CLEO))


async def test_a_lora_is_shared_with_so_many_at_most_and_never_with_its_owner(studio: Studio, lora: Lora) -> None:
    with pytest.raises(UserError, match="This LoRA is yours already"):
        await studio.sharing.share(lora.id, Audience.MEMBER, ANNA, OWNER)
    for number in range(SHARES_MAX):
        await studio.sharing.share(lora.id, Audience.MEMBER, 1000 + number, OWNER)
    with pytest.raises(UserError, match=str(SHARES_MAX)):
        await studio.sharing.share(lora.id, Audience.GUILD, None, OWNER)
    assert len((await studio.sharing.of(lora.id, OWNER)).shares) == SHARES_MAX


async def test_an_offer_is_posted_for_its_receiver_and_changes_nothing(
    studio: Studio, lora: Lora, offer: Offer
) -> None:
    (post,) = await studio.posts_of(PostKind.LORA_OFFER)
    assert (post.user_id, post.guild_id, post.subject_id) == (BEN, GUILD, offer.id)
    assert post.places == (Place(PlaceKind.CHANNEL, CHANNEL), Place(PlaceKind.USER, BEN))
    assert await owner_of(studio, lora) == ANNA
    assert not await can_use(studio, RECEIVER)


async def test_accepting_makes_the_receiver_owner_ends_shares_and_tells_the_giver_once(
    studio: Studio, lora: Lora, offer: Offer
) -> None:
    await studio.sharing.share(lora.id, Audience.GUILD, None, OWNER)
    await studio.settle()
    assert (await studio.sharing.accept(offer.id, user_id=BEN, guild_id=GUILD)).owner_id == BEN
    assert not await can_use(studio, OWNER)
    assert not await can_use(studio, Actor(GUILD, CLEO))
    assert await can_use(studio, RECEIVER)
    await studio.settle()
    (answer,) = await studio.posts_of(PostKind.LORA_OFFER_ANSWERED)
    assert (answer.user_id, answer.status) == (ANNA, PostStatus.POSTED)
    (asked,) = await studio.posts_of(PostKind.LORA_OFFER)
    assert (asked.status, asked.revision) == (PostStatus.POSTED, 1)
    with pytest.raises(UserError, match="accepted already"):
        await studio.sharing.accept(offer.id, user_id=BEN, guild_id=GUILD)


async def test_declining_changes_nothing_and_tells_the_giver(studio: Studio, lora: Lora, offer: Offer) -> None:
    await studio.sharing.decline(offer.id, user_id=BEN, guild_id=GUILD)
    assert await owner_of(studio, lora) == ANNA
    assert [post.user_id for post in await studio.posts_of(PostKind.LORA_OFFER_ANSWERED)] == [ANNA]
    with pytest.raises(UserError, match="declined already"):
        await studio.sharing.accept(offer.id, user_id=BEN, guild_id=GUILD)


@pytest.mark.both
async def test_two_presses_at_the_same_moment_count_once(studio: Studio, lora: Lora, offer: Offer) -> None:
    answers = await asyncio.gather(
        studio.sharing.accept(offer.id, user_id=BEN, guild_id=GUILD),
        studio.sharing.accept(offer.id, user_id=BEN, guild_id=GUILD),
        studio.sharing.decline(offer.id, user_id=BEN, guild_id=GUILD),
        studio.sharing.withdraw(offer.id, user_id=ANNA, guild_id=GUILD),
        return_exceptions=True,
    )
    assert sum(not isinstance(answer, BaseException) for answer in answers) == 1
    assert all(isinstance(answer, UserError) for answer in answers if isinstance(answer, BaseException))
    was_accepted = await status_of(studio, offer) is OfferStatus.ACCEPTED
    assert await owner_of(studio, lora) == (BEN if was_accepted else ANNA)


@pytest.mark.parametrize("user_id", [ANNA, CLEO, ADMIN])
async def test_nobody_but_the_receiver_answers_an_offer(studio: Studio, lora: Lora, offer: Offer, user_id: int) -> None:
    sentences = set()
    for offer_id in (offer.id, offer.id + 1000):
        for answer in (studio.sharing.accept, studio.sharing.decline):
            with pytest.raises(NotFound) as refused:
                await answer(offer_id, user_id=user_id, guild_id=GUILD)
            sentences.add(str(refused.value))
    assert len(sentences) == 1
    assert await owner_of(studio, lora) == ANNA


async def test_an_offer_is_answered_in_its_own_guild_or_privately(studio: Studio, lora: Lora, offer: Offer) -> None:
    with pytest.raises(NotFound):
        await studio.sharing.accept(offer.id, user_id=BEN, guild_id=OTHER_GUILD)
    await studio.sharing.accept(offer.id, user_id=BEN, guild_id=None)
    assert await owner_of(studio, lora) == BEN


async def test_only_the_giver_withdraws(studio: Studio, offer: Offer) -> None:
    with pytest.raises(NotFound):
        await studio.sharing.withdraw(offer.id, user_id=BEN, guild_id=GUILD)
    await studio.sharing.withdraw(offer.id, user_id=ANNA, guild_id=GUILD)
    with pytest.raises(UserError, match="withdrawn"):
        await studio.sharing.accept(offer.id, user_id=BEN, guild_id=GUILD)
    assert await studio.posts_of(PostKind.LORA_OFFER_ANSWERED) == []


async def test_an_offer_dies_with_the_lora_that_is_archived(studio: Studio, lora: Lora, offer: Offer) -> None:
    await studio.sharing.share(lora.id, Audience.GUILD, None, OWNER)
    await studio.loras.archive(lora.id, OWNER)
    assert await status_of(studio, offer) is OfferStatus.WITHDRAWN
    with pytest.raises(UserError, match="archived"):
        await studio.sharing.accept(offer.id, user_id=BEN, guild_id=GUILD)
    assert not await can_use(studio, Actor(GUILD, CLEO))


async def test_accepting_while_it_is_archived_leaves_one_outcome(studio: Studio, lora: Lora, offer: Offer) -> None:
    await asyncio.gather(
        studio.loras.archive(lora.id, OWNER),
        studio.sharing.accept(offer.id, user_id=BEN, guild_id=GUILD),
        return_exceptions=True,
    )
    found = await studio.loras.get(lora.id)
    assert found is not None
    assert found.archived_at is not None or found.owner_id == BEN
    expected = OfferStatus.ACCEPTED if found.owner_id == BEN else OfferStatus.WITHDRAWN
    assert await status_of(studio, offer) is expected


async def test_an_offer_ends_after_a_week(studio: Studio, lora: Lora, offer: Offer) -> None:
    studio.clock.advance(timedelta(days=7))
    view = await studio.sharing.view(offer.id)
    assert view is not None
    assert view.is_open
    studio.clock.advance(timedelta(seconds=1))
    view = await studio.sharing.view(offer.id)
    assert view is not None
    assert not view.is_open
    with pytest.raises(UserError, match="not answered in time"):
        await studio.sharing.accept(offer.id, user_id=BEN, guild_id=GUILD)
    assert await owner_of(studio, lora) == ANNA


async def test_a_newer_offer_takes_the_place_of_an_open_one(studio: Studio, lora: Lora, offer: Offer) -> None:
    newer = (await studio.sharing.offer(lora.id, CLEO, OWNER, Channel(CHANNEL))).offer
    with pytest.raises(UserError, match="withdrawn"):
        await studio.sharing.accept(offer.id, user_id=BEN, guild_id=GUILD)
    await studio.sharing.accept(newer.id, user_id=CLEO, guild_id=GUILD)
    assert await owner_of(studio, lora) == CLEO


@pytest.mark.parametrize("erased", [ANNA, BEN])
async def test_an_offer_dies_with_either_member_who_is_erased(
    studio: Studio, lora: Lora, offer: Offer, erased: int
) -> None:
    await studio.privacy.forget_member(guild_id=GUILD, user_id=erased)
    assert await studio.sharing.view(offer.id) is None
    with pytest.raises(NotFound):
        await studio.sharing.accept(offer.id, user_id=BEN, guild_id=GUILD)


async def test_a_lora_is_not_offered_to_its_owner(studio: Studio, lora: Lora) -> None:
    with pytest.raises(UserError, match="This LoRA is yours already"):
        await studio.sharing.offer(lora.id, ANNA, OWNER, Channel(CHANNEL))
    assert await studio.posts_of(PostKind.LORA_OFFER) == []


async def test_an_admin_cannot_give_away_what_is_not_theirs(studio: Studio, lora: Lora) -> None:
    with pytest.raises(NotAllowed):
        await studio.sharing.offer(lora.id, BEN, Actor(GUILD, ADMIN, is_admin=True), Channel(CHANNEL))
