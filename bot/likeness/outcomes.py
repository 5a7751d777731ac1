"""Retiring a LoRA that somebody says they are in."""

from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.records.guild import NOBODY
from bot.records.likeness import LikenessClaim, LikenessStatus
from bot.records.removal import RemovalReason
from bot.storage.events import events
from bot.storage.events.depictions import retire_and_announce
from bot.storage.jobs import loras
from bot.storage.people import likeness


async def retire(connection: AsyncConnection, claim: LikenessClaim, *, now: datetime, kept_for: timedelta) -> None:
    """Nobody may use it any more and it is to go at its provider, so what others have claimed is decided as well.

    Whoever made this claim gets the receipt, unless they were erased.
    """
    for other in await likeness.open_of(connection, claim.lora_id):
        await likeness.end(connection, other, LikenessStatus.RETIRED, now=now, kept_for=kept_for)
    lora = await loras.get(connection, claim.lora_id)
    if lora is None:
        return
    why, user_id = RemovalReason.LIKENESS, max(claim.user_id, NOBODY)
    event = None if lora.event_id is None else await events.get(connection, lora.event_id)
    if event is None:
        await loras.retire(connection, lora, why, user_id=user_id, now=now)
    else:
        await retire_and_announce(connection, event, lora, now, why=why, user_id=user_id)
