"""A dataset is kept as long as its member asked, never longer than the operator allows."""

from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from bot.datasets.rules import DatasetOrder, consent_sentence
from bot.errors import NotFound, UserError
from bot.records.dataset import Dataset, DatasetStatus, SubjectKind
from bot.records.job import LaneName
from bot.storage import tables
from tests.fakes.attachments import Attachments
from tests.fakes.rows import ANNA, BEN, CHANNEL, GUILD
from tests.fakes.studio import Studio

WEEK = timedelta(days=7)
SECOND = timedelta(seconds=1)


@pytest.fixture
async def dataset(studio: Studio, attachments: Attachments) -> Dataset:
    order = DatasetOrder("Rex", SubjectKind.OBJECT)
    made = await studio.datasets.create(order, guild_id=GUILD, channel_id=CHANNEL, user_id=ANNA)
    await studio.datasets.take_in(made, attachments.add_photos(2))
    return made


async def keep(studio: Studio, dataset: Dataset, *, user_id: int = ANNA) -> None:
    await studio.datasets.keep_open(dataset.id, guild_id=GUILD, user_id=user_id)


async def status(studio: Studio, dataset: Dataset) -> DatasetStatus:
    return (await studio.datasets.board(dataset.id, guild_id=GUILD, user_id=ANNA)).dataset.status


async def test_its_photos_stay_a_week_from_when_it_was_begun_and_no_second_longer(
    studio: Studio, dataset: Dataset
) -> None:
    await studio.pass_time(timedelta(hours=20), LaneName.DATASETS)
    await keep(studio, dataset)
    await keep(studio, dataset)
    await studio.pass_time(WEEK - timedelta(hours=20) - SECOND, LaneName.DATASETS)
    assert (await status(studio, dataset), len(studio.files())) == (DatasetStatus.OPEN, 2)
    await studio.pass_time(SECOND, LaneName.DATASETS)
    assert (await status(studio, dataset), studio.files()) == (DatasetStatus.EXPIRED, [])


async def test_the_proof_of_consent_names_the_week_for_all_photos_old_and_new(
    studio: Studio, attachments: Attachments, dataset: Dataset
) -> None:
    await keep(studio, dataset)
    kept = (await studio.datasets.board(dataset.id, guild_id=GUILD, user_id=ANNA)).dataset
    await studio.datasets.take_in(kept, attachments.add_photos(1, first=3))
    used = sa.select(tables.consents.c.wording).where(
        tables.consents.c.id.in_(sa.select(tables.photos.c.consent_id).distinct())
    )
    assert await studio.scalars(used) == [consent_sentence(SubjectKind.OBJECT, WEEK)] * 2
    assert "at the latest for 7 days" in consent_sentence(SubjectKind.OBJECT, WEEK)


async def test_the_operators_ceiling_holds(studio: Studio, dataset: Dataset) -> None:
    studio.datasets._timings = replace(studio.timings, photos_kept_longest=timedelta(hours=30))
    await keep(studio, dataset)
    await studio.pass_time(timedelta(hours=30), LaneName.DATASETS)
    assert studio.files() == []


@pytest.mark.parametrize("hours", [1, 24])
async def test_a_ceiling_that_is_no_higher_than_usual_gives_no_more_time(
    studio: Studio, dataset: Dataset, hours: int
) -> None:
    studio.datasets._timings = replace(studio.timings, photos_kept_longest=timedelta(hours=hours))
    with pytest.raises(UserError, match="cannot be kept any longer"):
        await keep(studio, dataset)


async def test_it_is_kept_no_longer_once_its_time_is_over_or_it_was_discarded(studio: Studio, dataset: Dataset) -> None:
    """Mutant: without a look at the time, photos whose deletion has begun would be promised for a week."""
    studio.clock.advance(studio.timings.photos_kept)
    with pytest.raises(UserError, match="time of this dataset is over"):
        await keep(studio, dataset)
    await studio.settle(LaneName.DATASETS)
    with pytest.raises(UserError, match="cannot be kept any longer"):
        await keep(studio, dataset)
    assert studio.files() == []


async def test_nobody_elses_dataset_is_kept(studio: Studio, dataset: Dataset) -> None:
    with pytest.raises(NotFound):
        await keep(studio, dataset, user_id=BEN)


async def test_photos_that_somebody_else_was_asked_about_are_kept_as_long_as_they_were_told(
    studio: Studio, dataset: Dataset
) -> None:
    await studio.datasets.name(dataset.id, [BEN], guild_id=GUILD, user_id=ANNA)
    with pytest.raises(UserError, match="Somebody else was asked"):
        await keep(studio, dataset)


async def test_somebody_who_is_named_later_is_told_the_week(studio: Studio, dataset: Dataset) -> None:
    await keep(studio, dataset)
    await studio.datasets.name(dataset.id, [BEN], guild_id=GUILD, user_id=ANNA)
    board = await studio.datasets.board(dataset.id, guild_id=GUILD, user_id=ANNA)
    view = await studio.depictions.depiction(board.questions[0])
    assert view is not None
    assert "at the latest for 7 days" in view.sentence
