"""LoRAs and styles of an event: who may add them, and who may use them there."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.loras.access import usable_lora, usable_style
from bot.records.event import Event, EventMode
from bot.records.guild import Actor
from bot.records.key import ProviderName
from bot.records.lora import Audience, Lora
from bot.storage.jobs import loras, sharing, styles


def may_use(event: Event, lora: Lora, actor: Actor) -> bool:
    """Whether an entrant makes pictures with it for the event.

    In a club with what the host has picked, else with the LoRA that was trained for all, or with their own.
    """
    if event.mode is EventMode.CLUB:
        return lora.id in event.lora_ids
    return lora.event_id == event.id and (event.mode is EventMode.SHARED or lora.owner_id == actor.user_id)


def loras_in(event: Event) -> frozenset[int]:
    return frozenset(event.lora_ids) | {candidate.lora_id for candidate in event.candidates}


async def providers_of(connection: AsyncConnection, event: Event) -> set[ProviderName]:
    """The providers that make the event's pictures; none when it trains nothing and names no LoRA or style."""
    if event.mode.trains:
        return {event.subject_kind.provider}
    found = [await loras.get(connection, lora_id) for lora_id in loras_in(event)]
    chosen = [await styles.get(connection, style_id) for style_id in event.style_ids]
    return {each.provider for each in (*found, *chosen) if each is not None}


async def check_usable(
    connection: AsyncConnection, actor: Actor, lora_ids: Collection[int], style_ids: Collection[int]
) -> None:
    """UserError when the actor may not use one of these."""
    for lora_id in sorted(lora_ids):
        await usable_lora(connection, lora_id, actor)
    for style_id in sorted(style_ids):
        await usable_style(connection, style_id, actor)


async def share_with_entrants(
    connection: AsyncConnection, event: Event, owner_id: int, *, now: datetime, known_as: str | None = None
) -> None:
    """Let the entrants of a club event use those of its LoRAs that belong to this member.

    `known_as` names, in every life of the database, what shares them, if nobody may have pressed for it.
    """
    if event.mode is not EventMode.CLUB or not event.status.is_live:
        return
    for lora_id in event.lora_ids:
        lora = await loras.get(connection, lora_id)
        if lora is not None and (lora.guild_id, lora.owner_id) == (event.guild_id, owner_id):
            name = None if known_as is None else f"shared:{known_as}:{lora_id}"
            await sharing.share(connection, lora, Audience.EVENT, event.id, by=owner_id, now=now, known_as=name)
