"""A member who has used everything, so that rows of theirs are in every table."""

from datetime import timedelta

from bot.records.job import LaneName
from bot.sandbox.rehearsal.faults import Fault
from tests.fakes.studio import Studio


async def live_through_everything(studio: Studio, user_id: int, guild_id: int, name: str) -> None:
    """Datasets, trainings and pictures of one member in many states, posts and timelines with them."""
    kinds = {"user_id": user_id, "guild_id": guild_id}
    await studio.dataset(**kinds, name=name)
    discarded = await studio.dataset(**kinds, name=name)
    await studio.datasets.discard(discarded, guild_id=guild_id, user_id=user_id)
    lora = await studio.trained(user_id=user_id, guild_id=guild_id)
    await studio.order(lora, name)
    await studio.pass_time(timedelta(seconds=20))
    await studio.pass_time(timedelta(seconds=20))
    failed = await studio.start(await studio.dataset(**kinds, name=name), user_id=user_id, guild_id=guild_id)
    studio.server.faults.next("POST /v2/loras", Fault.answer(400))
    await studio.settle()
    assert (await studio.training(failed.id)).error
    studio.server.faults.next("POST /v2/loras", Fault.reset_after_accept())
    await studio.start(await studio.dataset(**kinds, name=name), user_id=user_id, guild_id=guild_id)
    await studio.order(lora, name)
    await studio.settle(LaneName.TRAININGS)
    await studio.start(await studio.dataset(**kinds, name=name), user_id=user_id, guild_id=guild_id)
