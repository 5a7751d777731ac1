"""What is to go at a provider is asked for until it has answered, whatever happens meanwhile."""

from datetime import timedelta

import pytest

from bot.generation.order import PictureOrder
from bot.providers.aurous.client import Aurous
from bot.providers.base import PhotoFile
from bot.records.dataset import SubjectKind
from bot.records.doubt import ANSWERS
from bot.records.generation import GenerationSettings
from bot.records.guild import Actor, Channel
from bot.records.job import LaneName
from bot.records.key import ProviderName
from bot.records.removal import RemovalAnswer, RemovalKind, RemovalReason, RemovalStatus
from bot.records.training import TrainingStatus
from bot.sandbox.apiframe.state import TrainingFault
from bot.sandbox.rehearsal.faults import Fault
from bot.storage.people import removals
from tests.events.lives.event_faults import Killed, MortalWrites, outage
from tests.fakes.rows import ADMIN, ANNA, BEN, CHANNEL, GUILD, OTHER_GUILD
from tests.fakes.studio import AUROUS_KEY, KEY, NEXT_KEY, OTHER_KEY, PROVIDER, TRAINS_IN, Studio
from tests.fakes.unlimited import set_unlimited_key
from tests.generation.picture_orders import reference
from tests.removals.erasing import DAY, ended, erase, rows_of, status, took, wait

pytestmark = pytest.mark.both

DELETE, CREATE = "DELETE /v2/loras/{id}", "POST /v2/loras"
A, K = RemovalAnswer, RemovalKind


async def test_the_provider_is_asked_for_the_members_loras_alone_and_its_answer_is_kept(keyed: Studio) -> None:
    mine, theirs = await keyed.lora(), await keyed.lora(user_id=BEN)
    assert await erase(keyed) == 1
    asked_at = keyed.clock.now()
    await keyed.settle()
    assert (status(keyed, mine), status(keyed, theirs)) == ("ARCHIVED", "READY")
    [receipt] = await rows_of(keyed)
    assert (receipt.kind, receipt.why, receipt.answer) == (K.LORA, RemovalReason.ERASED, A.REMOVED)
    assert (receipt.user_id, receipt.remote_id) == (ANNA, mine.remote_id)
    assert receipt.asked_at == receipt.answered_at == asked_at


@pytest.mark.parametrize(
    "fault",
    [Fault.answer(503), Fault.reset_before(), Fault.rate_limited("30"), Fault.edge_page()],
    ids=["503", "reset", "429", "a page in between"],
)
async def test_what_is_no_answer_of_the_provider_ends_nothing(keyed: Studio, fault: Fault) -> None:
    lora = await keyed.lora()
    keyed.server.faults.next(DELETE, *[fault] * 6)
    await erase(keyed)
    await keyed.settle()
    assert await ended(keyed) == []
    await wait(keyed, timedelta(hours=3))
    assert status(keyed, lora) == "ARCHIVED"
    assert await ended(keyed) == [(K.LORA, A.REMOVED)]


async def test_an_outage_of_days_is_outlasted_with_a_look_an_hour(keyed: Studio) -> None:
    lora = await keyed.lora()
    with outage(keyed):
        await erase(keyed)
        await wait(keyed, 2 * DAY, timedelta(minutes=30))
        [waiting] = await rows_of(keyed)
        assert 40 <= waiting.attempt <= 70
    await wait(keyed, timedelta(hours=2))
    assert status(keyed, lora) == "ARCHIVED"


async def test_one_answer_that_it_is_not_there_is_not_believed(keyed: Studio) -> None:
    """Mutant: with the first 404 taken for an answer, the LoRA would stay."""
    lora = await keyed.lora()
    keyed.server.faults.next(DELETE, Fault.answer(404))
    await erase(keyed)
    await keyed.settle()
    assert await ended(keyed) == []
    await keyed.outlast(keyed.timings.job_doubted)
    assert status(keyed, lora) == "ARCHIVED"
    assert await ended(keyed) == [(K.LORA, A.REMOVED)]


async def test_what_is_said_not_to_be_there_all_over_four_minutes_is_gone(keyed: Studio) -> None:
    lora = await keyed.lora()
    del keyed.server.loras[lora.remote_id]
    await erase(keyed)
    await keyed.settle()
    await keyed.outlast(keyed.timings.job_doubted)
    assert await ended(keyed) == [(K.LORA, A.NOT_THERE)]
    assert sum(seen.method == "DELETE" for seen in keyed.server.requests) == ANSWERS


async def test_another_key_of_the_same_team_goes_on_with_it(keyed: Studio) -> None:
    lora = await keyed.lora()
    with outage(keyed):
        await erase(keyed)
        await keyed.settle()
    keyed.server.faults.inactive_keys.add(KEY)
    await keyed.set_key(NEXT_KEY)
    await keyed.settle()
    assert status(keyed, lora) == "ARCHIVED"


async def test_a_key_of_another_team_cannot_answer_for_it_and_the_old_one_is_kept_until_it_has(keyed: Studio) -> None:
    """Mutant: asked under whichever key the server has now, five times 404 would be taken for gone."""
    lora = await keyed.lora()
    with outage(keyed):
        await erase(keyed)
        await keyed.settle()
    keyed.server.faults.next(DELETE, *[Fault.answer(503)] * 3)
    await keyed.set_key(OTHER_KEY)
    await wait(keyed, timedelta(hours=3))
    assert status(keyed, lora) == "ARCHIVED"
    assert await ended(keyed) == [(K.LORA, A.REMOVED)]
    assert [row["last4"] for row in (await keyed.everything())["api_keys"]] == [OTHER_KEY[-4:]]


async def test_a_key_that_is_out_of_use_is_kept_for_removals_for_seven_days_and_no_longer(keyed: Studio) -> None:
    lora = await keyed.lora()
    with outage(keyed):
        await erase(keyed)
        await keyed.keys.remove(GUILD, PROVIDER)
        await wait(keyed, timedelta(days=6, hours=23), timedelta(hours=1))
        assert len((await keyed.everything())["api_keys"]) == 1
        await wait(keyed, timedelta(hours=2), timedelta(hours=1))
        assert (await keyed.everything())["api_keys"] == []
    await wait(keyed, DAY, timedelta(hours=1))
    assert await ended(keyed) == []
    await keyed.set_key()
    await keyed.settle()
    assert status(keyed, lora) == "ARCHIVED"


async def test_a_server_that_removes_the_bot_has_its_key_kept_until_its_removals_are_through(keyed: Studio) -> None:
    lora = await keyed.lora()
    keyed.server.faults.next(DELETE, *[Fault.answer(503)] * 3)
    await erase(keyed)
    await keyed.guilds.leave(GUILD)
    assert len((await keyed.everything())["api_keys"]) == 1
    assert await keyed.keys.status(GUILD, PROVIDER) is None
    await wait(keyed, timedelta(hours=3))
    assert status(keyed, lora) == "ARCHIVED"
    assert (await keyed.everything())["api_keys"] == []


async def test_the_key_of_a_server_that_removed_the_bot_is_kept_for_seven_days_at_the_most(keyed: Studio) -> None:
    await keyed.lora()
    await keyed.set_key(NEXT_KEY, guild_id=OTHER_GUILD)
    with outage(keyed):
        await erase(keyed)
        await keyed.guilds.leave(GUILD)
        await keyed.guilds.leave(OTHER_GUILD)
        assert [row["guild_id"] for row in (await keyed.everything())["api_keys"]] == [GUILD]
        await wait(keyed, timedelta(days=6, hours=23), timedelta(hours=1))
        assert len((await keyed.everything())["api_keys"]) == 1
        await wait(keyed, timedelta(hours=2), timedelta(hours=1))
        assert (await keyed.everything())["api_keys"] == []


async def test_what_waits_in_a_server_that_removed_the_bot_is_never_sent_under_the_kept_key(keyed: Studio) -> None:
    lora = await keyed.lora(user_id=BEN)
    await keyed.lora()
    keyed.server.faults.next(DELETE, *[Fault.answer(503)] * 3)
    await erase(keyed)
    await keyed.order(lora)
    await keyed.start(await keyed.dataset(user_id=BEN), user_id=BEN)
    await keyed.guilds.leave(GUILD)
    await wait(keyed, timedelta(hours=1))
    assert (keyed.charges("create"), keyed.charges("generate")) == (0, 0)


async def test_a_paused_key_asks_again_when_it_works(keyed: Studio) -> None:
    lora = await keyed.lora()
    keyed.server.faults.inactive_keys.add(KEY)
    await erase(keyed)
    await wait(keyed, timedelta(hours=3))
    assert await ended(keyed) == []
    keyed.server.faults.inactive_keys.clear()
    await keyed.keys.resume((await keyed.everything())["api_keys"][0]["id"])
    await keyed.settle()
    assert status(keyed, lora) == "ARCHIVED"


async def test_another_servers_key_is_never_used_for_it(keyed: Studio) -> None:
    lora = await keyed.lora()
    await keyed.set_key(NEXT_KEY, guild_id=OTHER_GUILD)
    await keyed.keys.remove(GUILD, PROVIDER)
    await keyed.settle()
    await erase(keyed)
    await wait(keyed, timedelta(hours=3))
    assert status(keyed, lora) == "READY"
    assert [each.status for each in await rows_of(keyed)] == [RemovalStatus.WAITING]


# Trainings under way


async def test_a_training_under_way_is_removed_when_it_has_ended_and_settles_what_it_took(keyed: Studio) -> None:
    """Mutants: a DELETE while it trains; an erasure that closes the spend as reserved."""
    training = await keyed.begin()
    await keyed.settle()
    request_id = (await keyed.training(training.id)).request_id
    assert request_id is not None
    assert await erase(keyed) == 1
    await keyed.pass_time(timedelta(minutes=10))
    assert keyed.server.loras[request_id].status == "TRAINING"
    assert await took(keyed) == [(257, 1, False)]
    await wait(keyed, TRAINS_IN)
    assert keyed.server.loras[request_id].status == "ARCHIVED"
    assert await ended(keyed) == [(K.LORA, A.REMOVED)]
    assert await took(keyed) == [(257, 1, True)]
    assert (await keyed.everything())["loras"] == []


async def test_a_training_that_fails_at_the_provider_gives_back_what_was_reserved(keyed: Studio) -> None:
    keyed.server.faults.trainings.append(TrainingFault.FAIL_AFTER_CHARGE)
    await keyed.begin()
    await keyed.settle()
    await erase(keyed)
    await wait(keyed, timedelta(minutes=40))
    assert await took(keyed) == [(0, 0, True)]
    assert {lora.status for lora in keyed.server.loras.values()} == {"ARCHIVED"}


async def test_an_order_whose_answer_was_lost_is_found_by_its_marker_and_removed(keyed: Studio) -> None:
    keyed.server.faults.next(CREATE, Fault.reset_after_accept())
    training = await keyed.begin()
    await keyed.settle()
    assert (await keyed.training(training.id)).status is TrainingStatus.SUBMITTING
    await erase(keyed)
    await wait(keyed, TRAINS_IN + timedelta(minutes=20))
    assert [lora.status for lora in keyed.server.loras.values()] == ["ARCHIVED"]
    assert await ended(keyed) == [(K.LORA, A.REMOVED)]
    assert await took(keyed) == [(257, 1, True)]


async def test_an_order_that_never_arrived_is_looked_for_and_gives_back_what_was_reserved(keyed: Studio) -> None:
    keyed.server.faults.next(CREATE, Fault.reset_before())
    await keyed.begin()
    await keyed.settle()
    await erase(keyed)
    await wait(keyed, keyed.timings.training_deadline - timedelta(minutes=10))
    assert await ended(keyed) == []
    await wait(keyed, timedelta(minutes=30))
    assert await ended(keyed) == [(K.TRAINING, A.NEVER_MADE)]
    assert await took(keyed) == [(0, 0, True)]
    assert keyed.charges("create") == 0


async def test_what_was_never_sent_costs_nothing_and_leaves_nothing_to_remove(keyed: Studio) -> None:
    await keyed.begin()
    assert await erase(keyed) == 0
    await wait(keyed, timedelta(hours=1))
    assert await took(keyed) == [(0, 0, True)]
    assert keyed.server.loras == {}


async def test_a_character_goes_the_same_way(studio: Studio) -> None:
    await set_unlimited_key(studio, GUILD, ProviderName.AUROUS, AUROUS_KEY, set_by=ADMIN)
    kind = SubjectKind.CHARACTER
    await studio.start(await studio.dataset(count=3, subject_kind=kind, gender=None, ethnicity=None, age=None))
    await studio.settle()
    studio.aurous.faults.next("DELETE /v1/characters/{id}", *[Fault.answer(500)] * 3)
    await erase(studio)
    await wait(studio, timedelta(hours=1))
    assert [character.status for character in studio.aurous.characters.values()] == ["deleted"]
    assert await ended(studio) == [(K.CHARACTER, A.REMOVED)]


# Orders of pictures


async def test_pictures_under_way_settle_what_they_took(keyed: Studio) -> None:
    lora = await keyed.lora()
    await keyed.order(lora, count=2)
    await keyed.settle()
    assert await erase(keyed) == 2
    assert await took(keyed) == [(4, 0, False)]
    await wait(keyed, timedelta(minutes=1), timedelta(seconds=20))
    assert await took(keyed) == [(4, 0, True)]
    assert set(await ended(keyed)) == {(K.LORA, A.REMOVED), (K.PICTURES, A.NO_CALL)}
    assert keyed.files() == []


async def test_a_reference_picture_is_removed_where_that_can_be_asked(studio: Studio) -> None:
    await set_unlimited_key(studio, GUILD, ProviderName.AUROUS, AUROUS_KEY, set_by=ADMIN)
    order = PictureOrder("a fox", GenerationSettings(), provider=ProviderName.AUROUS, references=(reference(studio),))
    await studio.orders.accept(order, Actor(GUILD, ANNA), channel=Channel(CHANNEL))
    await studio.settle()
    assert len(studio.aurous.files) == 1
    await erase(studio)
    await wait(studio, timedelta(minutes=20))
    assert studio.aurous.files == {}
    assert (K.UPLOAD, A.REMOVED) in await ended(studio)


async def test_a_reference_picture_that_arrives_after_the_erasure_is_removed_too(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mutant: noted in a row that is gone, nobody would know of it."""
    await set_unlimited_key(studio, GUILD, ProviderName.AUROUS, AUROUS_KEY, set_by=ADMIN)
    upload = Aurous.upload_picture

    async def erased_meanwhile(self: Aurous, picture: PhotoFile, upload_key: str) -> str:
        remote_id = await upload(self, picture, upload_key)
        await erase(studio)
        return remote_id

    monkeypatch.setattr(Aurous, "upload_picture", erased_meanwhile)
    order = PictureOrder("a fox", GenerationSettings(), provider=ProviderName.AUROUS, references=(reference(studio),))
    await studio.orders.accept(order, Actor(GUILD, ANNA), channel=Channel(CHANNEL))
    await wait(studio, timedelta(minutes=20))
    assert studio.aurous.files == {}
    assert await ended(studio) == [(K.UPLOAD, A.REMOVED)]


# Deaths


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("state", ["ready", "under way", "lost"])
async def test_a_lane_that_dies_at_every_write_still_removes_everything_and_says_so_once(
    keyed: Studio, monkeypatch: pytest.MonkeyPatch, state: str, after: bool
) -> None:
    if state == "ready":
        await keyed.lora()
    else:
        if state == "lost":
            keyed.server.faults.next(CREATE, Fault.reset_after_accept())
        await keyed.begin()
        await keyed.settle()
    await erase(keyed)
    writes = MortalWrites(keyed.database, after=after)
    monkeypatch.setattr(keyed.database, "write", writes)
    for _ in range(60):
        keyed.clock.advance(timedelta(minutes=1))
        for claim in await keyed.claim(LaneName.REMOVALS):
            writes.die_at(1)
            with pytest.raises(Killed):
                await keyed.lanes[LaneName.REMOVALS][1](claim)
            writes.die_at(None)
            await keyed.lanes[LaneName.REMOVALS][0].release_all()
        await keyed.settle()
    assert writes.deaths > 0
    assert [lora.status for lora in keyed.server.loras.values()] == ["ARCHIVED"]
    assert await ended(keyed) == [(K.LORA, A.REMOVED)]
    assert len(keyed.poster.kinds()) == len(set(keyed.poster.kinds()))


async def test_an_erasure_that_dies_has_erased_nothing_or_asks_for_everything(
    keyed: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    lora = await keyed.lora()
    for after in (False, True):
        writes = MortalWrites(keyed.database, after=after)
        monkeypatch.setattr(keyed.database, "write", writes)
        writes.die_at(2)
        with pytest.raises(Killed):
            await erase(keyed)
        monkeypatch.undo()
        async with keyed.database.read() as connection:
            left = await removals.of_person(connection, ANNA)
        assert (len((await keyed.everything())["loras"]), len(left)) == ((0, 1) if after else (1, 0))
    await keyed.settle()
    assert status(keyed, lora) == "ARCHIVED"


async def test_two_workers_on_one_row_store_one_answer(keyed: Studio) -> None:
    await keyed.lora()
    await erase(keyed)
    [slow] = await keyed.claim(LaneName.REMOVALS, "slow")
    keyed.clock.advance(keyed.timings.lease)
    [quick] = await keyed.claim(LaneName.REMOVALS, "quick")
    await keyed.step(LaneName.REMOVALS, quick)
    await keyed.step(LaneName.REMOVALS, slow)
    assert await ended(keyed) == [(K.LORA, A.REMOVED)]


# Others that want something gone


async def test_archiving_goes_the_same_way(keyed: Studio) -> None:
    lora = await keyed.lora()
    keyed.server.faults.next(DELETE, *[Fault.answer(503)] * 3)
    await keyed.loras.archive(lora.id, Actor(GUILD, ANNA))
    await wait(keyed, timedelta(hours=1))
    assert status(keyed, lora) == "ARCHIVED"
    [receipt] = await rows_of(keyed)
    assert (receipt.why, receipt.user_id, receipt.answer) == (RemovalReason.ARCHIVED, ANNA, A.REMOVED)


async def test_a_receipt_is_kept_for_a_year(keyed: Studio) -> None:
    await keyed.lora()
    await erase(keyed)
    await keyed.settle()
    await keyed.pass_time(keyed.timings.receipts_kept - DAY)
    assert len(await rows_of(keyed)) == 1
    await keyed.pass_time(2 * DAY)
    assert await rows_of(keyed) == []
