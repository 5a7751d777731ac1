"""The main job, step by step: from a press on Start to a LoRA."""

from datetime import timedelta

import sqlalchemy as sa

from bot.models import PostKind, TrainingStatus
from bot.storage import tables
from tests.fakes.studio import TRAINS_IN, Studio


async def test_a_started_training_becomes_a_lora_and_is_paid_for_once(studio: Studio) -> None:
    await studio.set_key()
    training = await studio.begin()
    await studio.settle()
    assert (await studio.training(training.id)).status is TrainingStatus.SUBMITTED
    await studio.pass_time(TRAINS_IN)
    ended = await studio.training(training.id)
    assert ended.status is TrainingStatus.READY
    assert studio.charges("create") == studio.charges("training") == 1
