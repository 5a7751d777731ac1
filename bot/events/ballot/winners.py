"""What won a bake-off becomes the default of its LoRA."""

from dataclasses import dataclass, replace

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.errors import NotFound
from bot.events import lookup
from bot.loras.access import find
from bot.loras.rights import Right
from bot.records.event import Candidate, EventMode, EventStatus
from bot.records.guild import Actor
from bot.records.lora import Lora
from bot.resources import Service
from bot.storage.events import ballots
from bot.storage.jobs import loras

NOT_HERE = "This has won no bake-off here, or the LoRA is gone. Nothing was changed."


@dataclass(frozen=True, slots=True)
class Adopted:
    """The LoRA as it is now, and what of it won."""

    lora: Lora
    candidate: Candidate


class WinnerService(Service):
    async def adopt(self, honour_id: int, actor: Actor) -> Adopted:
        """Make the winner the default strength, or version, of its LoRA; for its owner and admins. May be repeated."""
        now = self._clock.now()

        async def transaction(connection: AsyncConnection) -> Adopted:
            candidate = await _winner(connection, honour_id, actor)
            lora = await find(connection, candidate.lora_id, actor, Right.CHANGE)
            await loras.choose(connection, lora.id, candidate.strength, now=now)
            strength = lora.strength if candidate.strength is None else candidate.strength
            return Adopted(replace(lora, strength=strength, chosen_at=now), candidate)

        return await self._database.write(transaction)


async def _winner(connection: AsyncConnection, honour_id: int, actor: Actor) -> Candidate:
    honour = await ballots.get_honour(connection, honour_id)
    if honour is None or honour.place != 1:
        raise NotFound(NOT_HERE)
    event = await lookup.find(connection, honour.event_id, actor)
    if event.mode is EventMode.BAKEOFF and event.status is EventStatus.FINISHED:
        for candidate in event.candidates:
            if candidate.label == honour.label:
                return candidate
    raise NotFound(NOT_HERE)
