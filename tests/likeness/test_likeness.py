"""Claims to be in a LoRA: it rests at once, one decision counts, and the claimant hears of it."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from bot.errors import NotAllowed, NotFound, UserError
from bot.generation.submission import RESTING
from bot.likeness.rules import OPEN_MAX
from bot.likeness.service import ClaimView
from bot.records.generation import GenerationStatus, Operation
from bot.records.guild import NOBODY, Actor, Channel, Place, PlaceKind
from bot.records.job import LaneName
from bot.records.likeness import LikenessStatus
from bot.records.lora import Lora
from bot.records.post import PostKind
from bot.records.removal import RemovalAnswer, RemovalReason
from bot.storage import tables
from bot.storage.people import removals
from bot.storage.question_tables import likeness_claims
from tests.fakes.events import add_event, get_announcements
from tests.fakes.rows import ADMIN, ANNA, BEN, CHANNEL, GUILD, OTHER_GUILD, stands_in
from tests.fakes.studio import Studio

CLEO, DAN = 403, 404
OWNER, CLAIMANT, OTHER = Actor(GUILD, ANNA), Actor(GUILD, BEN), Actor(GUILD, CLEO)
MODERATOR = Actor(GUILD, ADMIN, is_moderator=True)
HOURS = timedelta(hours=72)
LOG_CHANNEL = 777
S = LikenessStatus


@pytest.fixture
async def lora(studio: Studio) -> Lora:
    """Anna's."""
    await studio.set_key()
    return await studio.lora()


async def claim(studio: Studio, lora: Lora, actor: Actor = CLAIMANT) -> ClaimView:
    view = await studio.likeness.claim(lora.id, actor)
    await studio.settle()
    return view


async def statuses(studio: Studio) -> list[LikenessStatus]:
    return await studio.scalars(sa.select(likeness_claims.c.status).order_by(likeness_claims.c.id))


async def row_of(studio: Studio, lora: Lora) -> dict[str, Any]:
    return next(row for row in (await studio.everything())["loras"] if row["id"] == lora.id)


async def can_order(studio: Studio, lora: Lora) -> bool:
    try:
        await studio.order(lora)
    except UserError:
        return False
    return True


def told(studio: Studio, kind: PostKind) -> list[Place]:
    return [message.place for message in studio.poster.messages if message.kind == kind]


async def test_it_rests_at_once_and_owner_and_moderators_are_told(studio: Studio, lora: Lora) -> None:
    await claim(studio, lora)
    assert (await row_of(studio, lora))["resting_since"] == studio.clock.now()
    with pytest.raises(UserError, match="rests: somebody says that they can be seen in it"):
        await studio.order(lora)
    assert told(studio, PostKind.LIKENESS_OWNER) == [Place(PlaceKind.USER, ANNA)]
    assert told(studio, PostKind.LIKENESS_MODERATORS) == [Place(PlaceKind.USER, ADMIN)]
    assert await statuses(studio) == [S.OPEN]


@pytest.mark.parametrize("is_in_line", [True, False])
async def test_orders_that_wait_end_and_give_back(studio: Studio, lora: Lora, is_in_line: bool) -> None:
    """Mutant: without the wakeup, an order that waits for a slot waits for ever."""
    waiting = await studio.order(lora)
    if is_in_line:
        await studio.change(tables.generations, waiting.id, due_at=None)
    await claim(studio, lora)
    ended = await studio.generation(waiting.id)
    assert (ended.status, ended.error) == (GenerationStatus.FAILED, RESTING)
    [spend] = (await studio.everything())["spends"]
    assert (spend["credits"], spend["pictures"]) == (0, 0)
    assert spend["settled_at"] is not None
    assert studio.charges("images") == 0
    assert PostKind.PICTURES_FAILED in studio.poster.kinds()


async def test_an_order_that_was_sent_is_still_made(studio: Studio, lora: Lora) -> None:
    sent = await studio.order(lora)
    await studio.settle()
    await claim(studio, lora)
    await studio.pass_time(timedelta(seconds=20))
    assert (await studio.generation(sent.id)).status is GenerationStatus.READY


async def test_other_loras_go_on(studio: Studio, lora: Lora) -> None:
    other = await studio.lora()
    waiting = await studio.order(other)
    await claim(studio, lora)
    await studio.pass_time(timedelta(seconds=20))
    assert (await studio.generation(waiting.id)).status is GenerationStatus.READY


@pytest.mark.parametrize("actor", [OWNER, MODERATOR])
async def test_kept_with_a_reason_it_goes_on_and_the_claimant_hears_it(
    studio: Studio, lora: Lora, actor: Actor
) -> None:
    view = await claim(studio, lora)
    await studio.likeness.decide(view.claim.id, actor, keep="  It is\n a drawing. ")
    await studio.settle()
    assert await can_order(studio, lora)
    decided = await studio.likeness.view(view.claim.id)
    assert decided is not None
    assert (decided.claim.status, decided.claim.reason) == (S.KEPT, "It is a drawing.")
    assert told(studio, PostKind.LIKENESS_DECIDED) == [Place(PlaceKind.USER, BEN)]
    assert [kind for kind, _ in studio.poster.edits] == [PostKind.LIKENESS_OWNER, PostKind.LIKENESS_MODERATORS]


@pytest.mark.parametrize("actor", [OWNER, MODERATOR])
async def test_retired_nobody_uses_it_any_more(studio: Studio, lora: Lora, actor: Actor) -> None:
    view = await claim(studio, lora)
    await studio.likeness.decide(view.claim.id, actor)
    await studio.settle()
    assert not await can_order(studio, lora)
    row = await row_of(studio, lora)
    assert (row["retiring_since"], row["resting_since"]) == (studio.clock.now(), None)
    assert told(studio, PostKind.LIKENESS_DECIDED) == [Place(PlaceKind.USER, BEN)]
    with pytest.raises(UserError, match="retired already"):
        await studio.likeness.claim(lora.id, OTHER)


@pytest.mark.parametrize("is_decided", [True, False])
async def test_retired_it_goes_at_its_provider_and_the_claimant_gets_the_receipt(
    studio: Studio, lora: Lora, is_decided: bool
) -> None:
    """Mutant: retiring it here alone leaves it at the provider for ever."""
    view = await claim(studio, lora)
    if is_decided:
        await studio.likeness.decide(view.claim.id, MODERATOR)
    else:
        studio.clock.advance(HOURS)
    await studio.settle()
    assert studio.server.loras[lora.remote_id].status == "ARCHIVED"
    [receipt] = await studio.database.fetch(removals.of_person, BEN, GUILD)
    assert (receipt.why, receipt.answer) == (RemovalReason.LIKENESS, RemovalAnswer.REMOVED)


async def test_a_blocked_owner_decides_nothing_and_a_blocked_member_may_still_claim(studio: Studio, lora: Lora) -> None:
    for user_id in (ANNA, BEN):
        await studio.moderation.block(MODERATOR, user_id)
    view = await claim(studio, lora)
    with pytest.raises(NotAllowed, match="blocked"):
        await studio.likeness.decide(view.claim.id, OWNER, keep="It is a drawing")
    await studio.likeness.decide(view.claim.id, MODERATOR, keep="It is a drawing")
    assert await statuses(studio) == [S.KEPT]


async def test_a_reason_holds_no_word_of_the_servers_list(studio: Studio, lora: Lora) -> None:
    await studio.moderation.set_words(MODERATOR, "goblin")
    view = await claim(studio, lora)
    with pytest.raises(UserError, match="A word in this is not used"):
        await studio.likeness.decide(view.claim.id, MODERATOR, keep="Ask the g0blin")
    assert await statuses(studio) == [S.OPEN]


async def test_a_decision_is_in_the_log(studio: Studio, lora: Lora) -> None:
    view = await claim(studio, lora)
    await studio.likeness.decide(view.claim.id, MODERATOR)
    assert f'{ADMIN},moderated,"LoRA #{lora.id}, retired after a claim"' in await studio.moderation.log(MODERATOR)


@pytest.mark.parametrize(
    ("actor", "error"),
    [
        (Actor(GUILD, BEN, is_admin=True, is_moderator=True), NotAllowed),
        (OTHER, NotAllowed),
        (Actor(OTHER_GUILD, ANNA, is_admin=True, is_moderator=True), NotFound),
    ],
)
async def test_neither_the_claimant_nor_others_decide(
    studio: Studio, lora: Lora, actor: Actor, error: type[UserError]
) -> None:
    view = await claim(studio, lora)
    for keep in (None, "because"):
        with pytest.raises(error):
            await studio.likeness.decide(view.claim.id, actor, keep=keep)
    assert await statuses(studio) == [S.OPEN]


async def test_a_reason_is_needed(studio: Studio, lora: Lora) -> None:
    view = await claim(studio, lora)
    with pytest.raises(UserError, match="say why"):
        await studio.likeness.decide(view.claim.id, OWNER, keep=" \n")
    assert await statuses(studio) == [S.OPEN]


async def test_a_second_press_says_so(studio: Studio, lora: Lora) -> None:
    await claim(studio, lora)
    for attempt in (studio.likeness.check, studio.likeness.claim):
        with pytest.raises(UserError, match=r"said so already, and it rests. It is decided by <t:\d+:f>"):
            await attempt(lora.id, CLAIMANT)
    assert told(studio, PostKind.LIKENESS_OWNER) == [Place(PlaceKind.USER, ANNA)]


@pytest.mark.both
async def test_two_presses_and_two_decisions_at_the_same_moment_count_once(studio: Studio, lora: Lora) -> None:
    claims = await asyncio.gather(*(studio.likeness.claim(lora.id, CLAIMANT) for _ in range(2)), return_exceptions=True)
    assert sum(isinstance(answer, UserError) for answer in claims) == 1
    [row] = (await studio.everything())["likeness_claims"]
    decisions = await asyncio.gather(
        studio.likeness.decide(row["id"], OWNER, keep="a drawing"),
        studio.likeness.decide(row["id"], MODERATOR),
        return_exceptions=True,
    )
    assert sum(isinstance(answer, UserError) for answer in decisions) == 1
    await studio.settle()
    assert len(told(studio, PostKind.LIKENESS_DECIDED)) == 1
    is_kept = await statuses(studio) == [S.KEPT]
    assert ((await row_of(studio, lora))["retiring_since"] is None) is is_kept


async def test_without_a_decision_in_72_hours_it_is_retired(studio: Studio, lora: Lora) -> None:
    view = await claim(studio, lora)
    await studio.pass_time(HOURS - timedelta(minutes=1))
    assert await statuses(studio) == [S.OPEN]
    await studio.pass_time(timedelta(minutes=1))
    assert await statuses(studio) == [S.LAPSED]
    assert (await row_of(studio, lora))["retiring_since"] == studio.clock.now()
    assert told(studio, PostKind.LIKENESS_DECIDED) == [Place(PlaceKind.USER, BEN)]
    with pytest.raises(UserError, match="decided already"):
        await studio.likeness.decide(view.claim.id, OWNER, keep="too late")


async def test_a_process_that_dies_while_it_lapses_tells_and_notes_it_once(studio: Studio, lora: Lora) -> None:
    """Mutant: without the note, the log has no line of it."""
    await studio.guilds.choose_log(GUILD, LOG_CHANNEL)
    await claim(studio, lora)
    studio.clock.advance(HOURS)
    [dead] = await studio.claim(LaneName.LIKENESS, owner="dead")
    studio.clock.advance(studio.timings.lease * 2)
    await studio.settle()
    await studio.step(LaneName.LIKENESS, dead)
    await studio.settle()
    assert await statuses(studio) == [S.LAPSED]
    assert len(told(studio, PostKind.LIKENESS_DECIDED)) == 1
    line, retired = (await studio.moderation.log(MODERATOR)).splitlines()[1:]
    assert f'{NOBODY},deleted,"LoRA #{lora.id}, retired"' in retired
    assert line.endswith(f',{NOBODY},moderated,"LoRA #{lora.id}, retired because nobody decided on a claim",')
    assert told(studio, PostKind.LOG_LINE) == [Place(PlaceKind.CHANNEL, LOG_CHANNEL)] * 2


async def test_two_claims_that_lapse_together_retire_it_once(studio: Studio, lora: Lora) -> None:
    await claim(studio, lora)
    await claim(studio, lora, OTHER)
    await studio.pass_time(HOURS)
    assert await statuses(studio) == [S.LAPSED, S.RETIRED]
    assert (await studio.moderation.log(MODERATOR)).count("because nobody decided on a claim") == 1


async def test_a_decision_in_the_last_moment_goes_before_the_end(studio: Studio, lora: Lora) -> None:
    """Mutant: a step that looks at the status no more retires what was kept."""
    view = await claim(studio, lora)
    studio.clock.advance(HOURS)
    [step] = await studio.claim(LaneName.LIKENESS)
    await studio.likeness.decide(view.claim.id, OWNER, keep="a drawing")
    await studio.step(LaneName.LIKENESS, step)
    await studio.settle()
    assert await statuses(studio) == [S.KEPT]
    assert await can_order(studio, lora)


async def test_after_a_keep_the_same_member_is_told_why_and_may_ask_again_later(studio: Studio, lora: Lora) -> None:
    view = await claim(studio, lora)
    await studio.likeness.decide(view.claim.id, OWNER, keep="a drawing")
    with pytest.raises(UserError, match="decided to keep it: “a drawing”"):
        await studio.likeness.claim(lora.id, CLAIMANT)
    await claim(studio, lora, OTHER)
    await studio.likeness.decide(view.claim.id + 1, OWNER, keep="a drawing")
    await studio.pass_time(studio.timings.details_kept)
    await claim(studio, lora)
    assert await statuses(studio) == [S.OPEN]


async def test_it_rests_until_every_claim_is_decided(studio: Studio, lora: Lora) -> None:
    first, second = await claim(studio, lora), await claim(studio, lora, OTHER)
    await studio.likeness.decide(first.claim.id, OWNER, keep="a drawing")
    assert not await can_order(studio, lora)
    await studio.likeness.decide(second.claim.id, OWNER, keep="a drawing")
    assert await can_order(studio, lora)


async def test_what_is_retired_for_one_is_retired_for_all(studio: Studio, lora: Lora) -> None:
    first, _ = await claim(studio, lora), await claim(studio, lora, OTHER)
    await studio.likeness.decide(first.claim.id, OWNER)
    await studio.settle()
    assert await statuses(studio) == [S.RETIRED, S.RETIRED]
    assert told(studio, PostKind.LIKENESS_DECIDED) == [Place(PlaceKind.USER, BEN), Place(PlaceKind.USER, CLEO)]


async def test_one_member_cannot_stop_everything(studio: Studio, lora: Lora) -> None:
    for _ in range(OPEN_MAX):
        await claim(studio, await studio.lora())
    with pytest.raises(UserError, match="wait already"):
        await studio.likeness.claim(lora.id, CLAIMANT)
    await claim(studio, lora, OTHER)


async def test_ones_own_a_foreign_or_an_archived_lora_cannot_be_claimed(studio: Studio, lora: Lora) -> None:
    with pytest.raises(UserError, match="is yours"):
        await studio.likeness.claim(lora.id, OWNER)
    with pytest.raises(NotFound):
        await studio.likeness.claim(lora.id, Actor(OTHER_GUILD, BEN))
    await studio.loras.archive(lora.id, OWNER)
    with pytest.raises(NotFound):
        await studio.likeness.claim(lora.id, CLAIMANT)


async def test_who_becomes_the_owner_does_not_decide_their_own_claim(studio: Studio, lora: Lora) -> None:
    view = await claim(studio, lora)
    offered = await studio.sharing.offer(lora.id, BEN, OWNER, Channel(CHANNEL))
    await studio.sharing.accept(offered.offer.id, user_id=BEN, guild_id=GUILD)
    with pytest.raises(NotAllowed, match="said this yourself"):
        await studio.likeness.decide(view.claim.id, CLAIMANT, keep="mine now")


# Meanwhile


async def test_a_lora_that_is_archived_meanwhile_ends_the_claim(studio: Studio, lora: Lora) -> None:
    await claim(studio, lora)
    await studio.loras.archive(lora.id, OWNER)
    await studio.settle()
    assert await statuses(studio) == [S.GONE]
    assert told(studio, PostKind.LIKENESS_DECIDED) == [Place(PlaceKind.USER, BEN)]


async def test_an_owner_who_is_erased_ends_the_claim_and_the_claimant_hears_it(studio: Studio, lora: Lora) -> None:
    view = await claim(studio, lora)
    await studio.privacy.forget_member(guild_id=GUILD, user_id=ANNA)
    await studio.settle()
    assert await statuses(studio) == [S.GONE]
    assert told(studio, PostKind.LIKENESS_DECIDED) == [Place(PlaceKind.USER, BEN)]
    assert PostKind.LIKENESS_MODERATORS in [kind for kind, _ in studio.poster.edits]
    found = await studio.likeness.view(view.claim.id)
    assert found is not None
    assert found.lora is None


async def test_a_claimant_who_is_erased_leaves_no_id_and_it_is_decided_all_the_same(studio: Studio, lora: Lora) -> None:
    """Mutant: a claim that goes with its claimant lets the LoRA rest for ever."""
    view = await claim(studio, lora)
    await studio.privacy.forget_member(guild_id=GUILD, user_id=BEN)
    await studio.settle()
    assert not stands_in(BEN, (await studio.everything())["likeness_claims"])
    assert not stands_in(BEN, (await studio.everything())["posts"])
    assert [kind for kind, _ in studio.poster.edits] == [PostKind.LIKENESS_OWNER, PostKind.LIKENESS_MODERATORS]
    assert not await can_order(studio, lora)
    with pytest.raises(UserError, match="said so already"):
        await studio.likeness.claim(lora.id, CLAIMANT)
    with pytest.raises(NotAllowed, match="said this yourself"):
        await studio.likeness.decide(view.claim.id, Actor(GUILD, BEN, is_moderator=True))
    await studio.likeness.decide(view.claim.id, OWNER, keep="a drawing")
    await studio.settle()
    assert await can_order(studio, lora)
    assert told(studio, PostKind.LIKENESS_DECIDED) == []


async def test_a_server_that_is_erased_leaves_nothing(studio: Studio, lora: Lora) -> None:
    await claim(studio, lora)
    await studio.guilds.leave(GUILD)
    await studio.pass_time(studio.timings.left_guild_kept)
    left = await studio.everything()
    assert left["likeness_claims"] == left["posts"] == left["loras"] == []


async def test_a_decided_claim_is_forgotten_after_its_time(studio: Studio, lora: Lora) -> None:
    view = await claim(studio, lora)
    await studio.likeness.decide(view.claim.id, OWNER, keep="a drawing")
    await studio.pass_time(studio.timings.details_kept)
    left = await studio.everything()
    assert left["likeness_claims"] == left["posts"] == []


async def test_what_was_retired_meanwhile_for_another_reason_cannot_be_kept(studio: Studio, lora: Lora) -> None:
    """Mutant: without it the claimant hears that pictures can be made again."""
    view = await claim(studio, lora)
    await studio.change(tables.loras, lora.id, retiring_since=studio.clock.now())
    with pytest.raises(UserError, match="retired already"):
        await studio.likeness.decide(view.claim.id, OWNER, keep="a drawing")
    await studio.likeness.decide(view.claim.id, OWNER)
    assert await statuses(studio) == [S.RETIRED]


# Who is told


async def test_moderators_read_it_in_the_reports_channel(studio: Studio, lora: Lora) -> None:
    await studio.guilds.choose_reports(GUILD, CHANNEL)
    await claim(studio, lora)
    assert told(studio, PostKind.LIKENESS_MODERATORS) == [Place(PlaceKind.CHANNEL, CHANNEL)]


async def test_the_claimant_is_not_among_those_who_are_asked(studio: Studio, lora: Lora) -> None:
    await claim(studio, lora, MODERATOR)
    assert told(studio, PostKind.LIKENESS_OWNER) == [Place(PlaceKind.USER, ANNA)]
    assert told(studio, PostKind.LIKENESS_MODERATORS) == []


async def test_a_lora_of_an_event_that_is_retired_is_told_to_its_host(studio: Studio, lora: Lora) -> None:
    event = await add_event(studio.database)
    await studio.change(tables.loras, lora.id, event_id=event.id)
    view = await claim(studio, lora)
    await studio.likeness.decide(view.claim.id, OWNER)
    [note] = await get_announcements(studio.database, event.id)
    assert str(lora.id) in note.detail


# From pictures


async def test_below_pictures_the_lora_behind_them_is_found_through_every_edit(studio: Studio, lora: Lora) -> None:
    made = await studio.order(lora)
    await studio.pass_time(timedelta(seconds=20))
    await studio.settle()
    await studio.pass_time(timedelta(seconds=20))
    [picture] = (await studio.everything())["pictures"]
    edited = await studio.generations.edit(picture["id"], Operation.REMOVE_BACKGROUND, OWNER, channel=Channel(CHANNEL))
    assert await studio.likeness.lora_behind(made.id, CLAIMANT) == lora.id
    assert await studio.likeness.lora_behind(edited.generation.id, OWNER) == lora.id
    with pytest.raises(NotFound):
        await studio.likeness.lora_behind(made.id, Actor(OTHER_GUILD, BEN))
