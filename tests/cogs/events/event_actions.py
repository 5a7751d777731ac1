"""What is done to an event in a simulated guild: opened, moved on, its buttons pressed, photos given to it."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import discord
import simcord
from simcord.results import InteractionResult

from bot.records.dataset import SubjectKind
from bot.records.event import Event, EventMode, EventStatus
from bot.records.guild import Actor, Channel
from bot.records.post import PostKind
from bot.storage.events import events
from tests.cogs.simulated_guild import (
    File,
    Stage,
    kind_of,
    text_of,
    until,
)
from tests.fakes.events import plan_and_open


def admin(stage: Stage) -> Actor:
    return Actor(stage.world.guild.id, stage.ada.id, is_admin=True)


async def open_event(
    stage: Stage,
    mode: EventMode = EventMode.SHARED,
    kind: SubjectKind = SubjectKind.OBJECT,
    *,
    lora_ids: Sequence[int] = (),
    **changes: Any,
) -> Event:
    plain = {"wants_thread": False, "wants_calendar": False, "entrants_min": 1, "pack": ()}
    settings = plain | changes | ({"lora_ids": lora_ids} if lora_ids else {})
    service, host = stage.world.darkroom.services.events, admin(stage)
    return await plan_and_open(service, host, Channel(stage.channel.id), mode, kind, **settings)


async def move(stage: Stage, event: Event, status: EventStatus, **changes: Any) -> None:
    """Put the event into another stage, as the engine would."""
    ends_at = datetime.now(UTC) + timedelta(hours=1)

    async def transaction(connection: Any) -> None:
        moved = await events.change(
            connection, event.id, expected=await status_of(connection), status=status, stage_ends_at=ends_at, **changes
        )
        assert moved is not None

    async def status_of(connection: Any) -> EventStatus:
        found = await events.get(connection, event.id)
        assert found is not None
        return found.status

    await stage.world.darkroom.database.write(transaction)


async def press(stage: Stage, member: simcord.MemberActor, event: Event, action: str) -> InteractionResult:
    """A button of the event, whatever the panel offers just now."""
    return await stage.press_id(member, f"dr:event:{action}:{event.id}")


def controls_of(opened: InteractionResult) -> list[str]:
    """Custom ids of the form's fields, without its text."""
    assert opened.modal is not None, f"no form was opened: {opened}"
    return [part["component"]["custom_id"] for part in opened.modal["components"] if "component" in part]


async def give(
    stage: Stage,
    member: simcord.MemberActor,
    event: Event,
    files: Sequence[File],
    *,
    seen: Sequence[simcord.MemberActor] = (),
    consent: bool = True,
) -> InteractionResult:
    """The form filled: the files in its upload fields, who is seen, the box."""
    opened = await press(stage, member, event, "give")
    *uploads, who, box = controls_of(opened)
    values: dict[str, Any] = {who: list(seen), box: consent}
    for index, field in enumerate(uploads):
        values[field] = list(files[index * 10 : index * 10 + 10])
    return await member.submit_modal(opened, values)


async def question_to(member: simcord.MemberActor) -> discord.Message:
    """The private question whether photos may be used."""
    return await _private(member, lambda message: kind_of(message) is PostKind.DEPICTION)


async def private_message(member: simcord.MemberActor, text: str) -> discord.Message:
    """Wait until the bot has sent them one that holds this text."""
    return await _private(member, lambda message: text in text_of(message))


async def _private(member: simcord.MemberActor, is_it: Callable[[discord.Message], bool]) -> discord.Message:
    def found() -> list[discord.Message]:
        return list(filter(is_it, member.user.dm_channel.history()))

    await until(found)
    return found()[0]
