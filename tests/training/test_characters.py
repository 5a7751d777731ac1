"""Characters: the same way as a training, at the other provider: ready at once, free, the photos kept there."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from bot.datasets.rules import DatasetOrder, consent_sentence
from bot.errors import NoKey, UserError
from bot.keys.slots import MAX_CONCURRENT_CHARACTERS, SLOTS
from bot.records.dataset import DatasetStatus, SubjectKind
from bot.records.guild import Actor
from bot.records.key import ProviderName
from bot.records.lora import Audience, Lora
from bot.records.post import PostKind
from bot.records.training import Training, TrainingStatus
from bot.sandbox.rehearsal.faults import Fault
from bot.storage import tables
from tests.fakes.attachments import open_attachments
from tests.fakes.rows import ADMIN, ANNA, BEN, CHANNEL, GUILD
from tests.fakes.studio import AUROUS_KEY, Studio
from tests.fakes.unlimited import set_unlimited_key

CREATE = "POST /v1/characters"
S = TrainingStatus


@pytest.fixture
async def keyed(studio: Studio) -> Studio:
    await set_unlimited_key(studio, GUILD, ProviderName.AUROUS, AUROUS_KEY, set_by=ADMIN)
    return studio


async def begin(studio: Studio, count: int = 3, user_id: int = ANNA) -> Training:
    dataset_id = await studio.dataset(
        user_id=user_id, count=count, subject_kind=SubjectKind.CHARACTER, gender=None, ethnicity=None, age=None
    )
    return await studio.start(dataset_id, user_id=user_id)


async def made(studio: Studio) -> Lora:
    training = await begin(studio)
    await studio.settle()
    lora_id = (await studio.training(training.id)).lora_id
    assert lora_id is not None
    return await studio.loras.get_for(lora_id, Actor(GUILD, ANNA))


async def test_a_character_is_ready_without_waiting_and_costs_nothing(keyed: Studio) -> None:
    training = await begin(keyed)
    await keyed.settle()
    ended = await keyed.training(training.id)
    assert (ended.status, ended.provider) == (S.READY, ProviderName.AUROUS)
    lora = await keyed.loras.get_for(ended.lora_id or 0, Actor(GUILD, ANNA))
    assert (lora.subject_kind, lora.trigger_word, lora.cost) == (SubjectKind.CHARACTER, None, 0)
    (character,) = keyed.aurous.characters.values()
    assert lora.remote_id == character.id
    assert character.name == f"Rex ·{training.marker}"
    assert len(character.refs) == 3
    assert list(keyed.aurous.ledger) == []
    assert keyed.server.ledger == []


async def test_the_photos_leave_our_disk_when_the_provider_has_them(keyed: Studio) -> None:
    await begin(keyed)
    assert len(keyed.files()) == 3
    await keyed.settle()
    assert keyed.files() == []


async def test_the_member_is_told_as_after_a_training(keyed: Studio) -> None:
    training = await begin(keyed)
    await keyed.settle()
    await keyed.pass_time(timedelta(minutes=1))
    assert sorted(keyed.poster.kinds()) == [PostKind.TRAINING_READY, PostKind.TRAINING_STATUS]
    assert await keyed.words(training) == ["received", "checked", "submitted", "ready", "delivered"]


@pytest.mark.parametrize("fault", [Fault.answer(502, accepted=True), Fault.reset_after_accept()])
async def test_a_lost_answer_makes_one_character_all_the_same(keyed: Studio, fault: Fault) -> None:
    keyed.aurous.faults.routes.next(CREATE, *[fault] * 3)
    training = await begin(keyed)
    await keyed.settle()
    await keyed.pass_time(timedelta(minutes=2))
    assert (await keyed.training(training.id)).status is S.READY
    assert len(keyed.aurous.characters) == 1


async def test_a_refused_character_keeps_the_photos_for_another_try(keyed: Studio) -> None:
    keyed.aurous.faults.routes.next(CREATE, Fault.answer(400))
    training = await begin(keyed)
    await keyed.settle()
    ended = await keyed.training(training.id)
    assert ended.status is S.FAILED
    assert "Nothing was charged" in (ended.error or "")
    assert (await keyed.datasets.board(ended.dataset_id, guild_id=GUILD, user_id=ANNA)).can_start
    assert len(keyed.files()) == 3


async def test_without_a_key_of_aurous_labs_nothing_starts(studio: Studio) -> None:
    await studio.set_key()
    with pytest.raises(NoKey, match="no Aurous Labs key"):
        await begin(studio)
    assert (await studio.scalars(sa.select(tables.datasets.c.status))) == [DatasetStatus.OPEN]


async def test_an_empty_set_cannot_start_and_one_photo_can(keyed: Studio) -> None:
    with pytest.raises(UserError, match="It takes 1 usable photo; there are 0"):
        await begin(keyed, count=0)
    await begin(keyed, count=1)
    await keyed.settle()
    assert len(keyed.aurous.characters) == 1


async def test_only_six_of_seven_photos_are_sent(keyed: Studio) -> None:
    training = await begin(keyed, count=7)
    await keyed.settle()
    assert (await keyed.training(training.id)).photo_count == 6
    assert [len(character.refs) for character in keyed.aurous.characters.values()] == [6]


async def test_the_consent_names_the_provider_that_gets_the_photos(keyed: Studio) -> None:
    dataset = await keyed.datasets.create(
        DatasetOrder("Rex", SubjectKind.CHARACTER), guild_id=GUILD, channel_id=CHANNEL, user_id=ANNA
    )
    async with open_attachments() as attachments:
        await keyed.datasets.take_in(dataset, attachments.add_photos(1))
    async with keyed.database.read() as connection:
        (row,) = (await connection.execute(sa.select(tables.consents))).all()
    assert (row.provider, row.policy_version, row.user_id) == ("aurous", keyed.policy.version, ANNA)
    assert row.wording == consent_sentence(SubjectKind.CHARACTER, keyed.timings.photos_kept)
    assert len(row.photo_hashes) == 1


async def test_so_many_characters_are_made_at_once_and_the_others_wait(keyed: Studio) -> None:
    trainings = [await begin(keyed, count=1, user_id=user_id) for user_id in (ANNA, BEN) for _ in range(4)]
    assign_slots = [one for one in trainings if (await keyed.training(one.id)).due_at is not None]
    assert len(assign_slots) == MAX_CONCURRENT_CHARACTERS == SLOTS[ProviderName.AUROUS]
    await keyed.settle()
    assert [(await keyed.training(one.id)).status for one in trainings] == [S.READY] * 8


async def test_a_character_is_shared_and_archived_like_a_lora(keyed: Studio) -> None:
    lora = await made(keyed)
    await keyed.sharing.share(lora.id, Audience.MEMBER, BEN, Actor(GUILD, ANNA))
    assert (await keyed.loras.get_for(lora.id, Actor(GUILD, BEN))).is_character
    await keyed.loras.archive(lora.id, Actor(GUILD, ANNA))
    await keyed.settle()
    assert [character.status for character in keyed.aurous.characters.values()] == ["deleted"]
    assert list(await keyed.loras.usable_by(Actor(GUILD, BEN))) == []


async def test_erasing_a_member_asks_to_delete_their_characters(keyed: Studio) -> None:
    await made(keyed)
    assert await keyed.privacy.forget_member(guild_id=GUILD, user_id=ANNA) == 1
    await keyed.settle()
    assert [character.status for character in keyed.aurous.characters.values()] == ["deleted"]
