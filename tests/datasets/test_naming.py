"""Members named as seen in photos of a dataset: asked privately, waited for, and obeyed."""

from datetime import timedelta

import pytest

from bot.datasets.rules import Board
from bot.errors import NotFound, UserError
from bot.records.dataset import ConsentKind, DatasetStatus
from bot.records.event import DepictionStatus
from bot.records.guild import Actor, Channel, Place, PlaceKind
from bot.records.post import PostKind
from bot.records.training import TrainingStatus
from tests.fakes.rows import ANNA, BEN, CHANNEL, GUILD
from tests.fakes.studio import TRAINS_IN, Studio

ANNA_HERE, HERE = Actor(GUILD, ANNA), Channel(CHANNEL)
CLEO = 403


async def name(studio: Studio, *user_ids: int, count: int = 15) -> Board:
    """Anna's photos, with these members in them."""
    dataset_id = await studio.dataset(count=count)
    board = await studio.datasets.name(dataset_id, user_ids, guild_id=GUILD, user_id=ANNA)
    await studio.settle()
    return board


async def board_of(studio: Studio, board: Board) -> Board:
    return await studio.datasets.board(board.dataset.id, guild_id=GUILD, user_id=ANNA)


async def say(studio: Studio, user_id: int, confirmed: bool) -> None:
    [asked] = [row for row in (await studio.everything())["depictions"] if row["user_id"] == user_id]
    await studio.depictions.answer(asked["id"], confirmed, user_id, None)
    await studio.settle()


async def test_the_photos_wait_and_the_named_member_alone_is_asked_with_the_photos(studio: Studio) -> None:
    board = await name(studio, BEN, ANNA, BEN)
    assert (len(board.usable), board.asked) == (0, (BEN,))
    assert [(each.kind, each.place) for each in studio.poster.messages] == [
        (PostKind.DEPICTION, Place(PlaceKind.USER, BEN))
    ]
    [asked] = (await studio.everything())["depictions"]
    view = await studio.depictions.depiction(asked["id"])
    assert view is not None
    assert len(view.photos) == 15
    assert "18 or older" in view.sentence


async def test_a_training_cannot_start_before_the_yes_and_does_after_it(studio: Studio) -> None:
    await studio.set_key()
    board = await name(studio, BEN)
    with pytest.raises(UserError):
        await studio.trainings.start(board.dataset.id, ANNA_HERE, channel=HERE)
    await say(studio, BEN, True)
    after = await board_of(studio, board)
    assert (len(after.usable), after.asked) == (15, ())
    training = await studio.trainings.start(board.dataset.id, ANNA_HERE, channel=HERE)
    assert training.photo_count == 15
    given = [row for row in (await studio.everything())["consents"] if row["kind"] is ConsentKind.DEPICTED]
    assert [row["user_id"] for row in given] == [BEN]


async def test_a_no_deletes_the_photos_and_nobody_else_is_asked_any_more(studio: Studio) -> None:
    board = await name(studio, BEN, CLEO)
    await say(studio, BEN, False)
    after = await board_of(studio, board)
    assert (after.photos, after.asked) == ((), ())
    assert studio.files() == []
    left = (await studio.everything())["depictions"]
    assert [(row["user_id"], row["status"]) for row in left] == [(BEN, DepictionStatus.VETOED)]


async def test_every_named_member_has_to_agree(studio: Studio) -> None:
    board = await name(studio, BEN, CLEO)
    await say(studio, BEN, True)
    after = await board_of(studio, board)
    assert (len(after.usable), after.asked) == (0, (CLEO,))


@pytest.mark.parametrize("is_ready", [True, False])
async def test_a_no_after_the_yes_retires_what_was_trained(studio: Studio, is_ready: bool) -> None:
    """Mutant: without the note in the training's timeline, the LoRA of a training under way stays in use."""
    await studio.set_key()
    board = await name(studio, BEN)
    await say(studio, BEN, True)
    training = await studio.trainings.start(board.dataset.id, ANNA_HERE, channel=HERE)
    await studio.settle()
    if is_ready:
        await studio.pass_time(TRAINS_IN)
    await say(studio, BEN, False)
    await studio.pass_time(TRAINS_IN)
    await studio.pass_time(TRAINS_IN)
    assert (await studio.training(training.id)).status is TrainingStatus.READY
    [lora] = (await studio.everything())["loras"]
    assert lora["retiring_since"] is not None
    assert studio.server.loras[lora["remote_id"]].status == "ARCHIVED"


async def test_photos_added_after_the_question_do_not_wait(studio: Studio) -> None:
    board = await name(studio, BEN, count=2)
    before = {each.consent_id for each in board.photos}
    again = await studio.datasets.name(board.dataset.id, [BEN, CLEO], guild_id=GUILD, user_id=ANNA)
    assert {each.consent_id for each in again.photos} == before
    asked = (await studio.everything())["depictions"]
    assert sorted(row["user_id"] for row in asked) == sorted([BEN, CLEO])


async def test_discarded_photos_are_asked_about_no_more(studio: Studio) -> None:
    board = await name(studio, BEN)
    await studio.datasets.discard(board.dataset.id, guild_id=GUILD, user_id=ANNA)
    await studio.pass_time(timedelta(minutes=1))
    assert (await studio.everything())["depictions"] == []
    assert (await studio.posts_of(PostKind.DEPICTION))[0].revision > 0


async def test_nobody_names_in_somebody_elses_dataset_or_in_one_that_has_begun(studio: Studio) -> None:
    await studio.set_key()
    dataset_id = await studio.dataset()
    with pytest.raises(NotFound):
        await studio.datasets.name(dataset_id, [CLEO], guild_id=GUILD, user_id=BEN)
    await studio.trainings.start(dataset_id, ANNA_HERE, channel=HERE)
    with pytest.raises(UserError, match="nobody was asked"):
        await studio.datasets.name(dataset_id, [CLEO], guild_id=GUILD, user_id=ANNA)
    assert (await studio.everything())["datasets"][0]["status"] is DatasetStatus.STARTED


@pytest.mark.parametrize("confirmed", [True, False])
async def test_who_was_named_is_forgotten_with_the_dataset(studio: Studio, confirmed: bool) -> None:
    """Mutant: without it an answered question outlives what it was about."""
    await name(studio, BEN)
    await say(studio, BEN, confirmed)
    await studio.pass_time(studio.timings.details_kept - timedelta(minutes=1))
    assert [row["user_id"] for row in (await studio.everything())["depictions"]] == [BEN]
    await studio.pass_time(timedelta(minutes=2))
    left = await studio.everything()
    assert left["datasets"] == left["depictions"] == left["questions"] == left["posts"] == []
