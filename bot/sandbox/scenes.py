"""`make sandbox SCENE=…`: an interesting moment to begin at, and the first thing to do there."""

import asyncio
import functools
import itertools
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import simcord

from bot.datasets.rules import DatasetOrder
from bot.errors import StartupError
from bot.generation.order import PictureOrder
from bot.records.dataset import SubjectKind, Upload
from bot.records.event import Event, EventStatus
from bot.records.guild import Actor, Channel
from bot.records.key import ProviderName
from bot.records.lora import Audience
from bot.records.training import TrainingStatus
from bot.sandbox.apiframe.state import TrainingFault
from bot.sandbox.event import open_sample_event
from bot.sandbox.samples.photos import GOOD, PLACES
from bot.sandbox.world import REHEARSAL_KEY, REHEARSAL_KEYS, World
from bot.storage.jobs import loras

T = TypeVar("T")

LOOK_S, PREPARED_S = 0.1, 120.0
MEMBERS, LORAS = 40, 60
ROOMS = ("announcements", "pictures", "off-topic")
PROMPTS = ("riding a bicycle", "reading a book under a lamp")
CLOSED = (EventStatus.COLLECTING, EventStatus.REVIEWING, EventStatus.SHOWING, EventStatus.VOTING)
"""Stages that the host ends."""
_attachment_ids = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Scene:
    """`first`: what to do there. Without `has_keys` the server has no API key yet."""

    prepare: Callable[[World], Awaitable[object]]
    first: str = ""
    has_keys: bool = field(default=True, kw_only=True)


def first_step(name: str) -> str:
    """What to do first in this scene, for the guide. StartupError when there is none of this name."""
    scene = SCENES.get(name)
    if scene is None:
        raise StartupError(f"There is no scene {name}. There are {', '.join(filter(None, SCENES))}.")
    return scene.first


async def prepare(world: World, name: str) -> None:
    """Make this moment come."""
    scene = SCENES[name]
    if scene.has_keys:
        for provider, key in REHEARSAL_KEYS.items():
            await world.darkroom.services.keys.set(world.guild.id, provider, key, set_by=world.admin.id)
        world.provider.add_trained(REHEARSAL_KEY, "Harbour", PLACES[:15])  # for /loras import
    await scene.prepare(world)


async def nothing(_world: World) -> None:
    """There is nothing to prepare."""


async def finish_event(world: World) -> None:
    """Ben and Cleo gave photos, made a picture each and voted; everybody sees the winner."""
    event = await open_sample_event(world)
    services, host = world.darkroom.services, Actor(world.guild.id, world.admin.id, is_admin=True)
    for member, photos in zip(world.members, (GOOD[:10], GOOD[10:]), strict=True):
        await services.contributions.give(event.id, uploads(world, photos), actor_of(member))
    with world.provider.hurried():
        for stage in CLOSED:
            await reach(world, event, stage)
            if stage is EventStatus.SHOWING:
                await enter_pictures(world, event)
            if stage is EventStatus.VOTING:
                await vote(world, event)
            await services.events.close(event.id, host, stage)
        await reach(world, event, EventStatus.FINISHED)


async def enter_pictures(world: World, event: Event) -> None:
    services = world.darkroom.services
    view = await services.events.view(event.id)
    assert view is not None  # it was reached
    for member, prompt in zip(world.members, PROMPTS, strict=True):
        actor = actor_of(member)
        order = PictureOrder(f"{view.loras[0].trigger_word} {prompt}", lora_id=view.loras[0].id, event_id=event.id)
        await services.budgets.order(event, order, actor, Channel(world.channel.id))
        made = await until(functools.partial(services.ballots.nominees, event.id, actor), bool)
        await services.ballots.enter(event.id, made[0].id, actor)


async def vote(world: World, event: Event) -> None:
    """Ada and Ben like what Cleo made."""
    ballots = world.darkroom.services.ballots
    for member in (world.members[0], world.admin):
        shown = await ballots.entries(event.id, actor_of(member))
        mine = {each.entry_id for each in await ballots.entries(event.id, actor_of(world.members[1])) if each.is_mine}
        liked = next(each for each in shown if each.entry_id in mine)
        await ballots.vote(event.id, liked.entry_id, actor_of(member))


async def reach(world: World, event: Event, stage: EventStatus) -> None:
    await until(
        lambda: world.darkroom.services.events.view(event.id),
        lambda view: view is not None and view.event.status is stage,
    )


async def until(look: Callable[[], Awaitable[T]], is_there: Callable[[T], bool]) -> T:
    """Wait for what the engine does in its own time; what was seen then."""
    async with asyncio.timeout(PREPARED_S):
        while True:
            seen = await look()
            if is_there(seen):
                return seen
            await asyncio.sleep(LOOK_S)


async def fail_training(world: World) -> None:
    """Ben's training was paid for and failed; his photos are still there."""
    services, ben = world.darkroom.services, world.members[0]
    world.provider.faults.trainings.append(TrainingFault.FAIL_AFTER_CHARGE)
    order = DatasetOrder("Foxy", SubjectKind.OBJECT)
    places = {"guild_id": world.guild.id, "channel_id": world.channel.id, "user_id": ben.id}
    dataset = await services.datasets.create(order, **places)
    await services.datasets.take_in(dataset, uploads(world, GOOD))
    with world.provider.hurried():
        training = await services.trainings.start(dataset.id, actor_of(ben), channel=Channel(world.channel.id))
        await until(
            lambda: services.trainings.view(training.id),
            lambda view: view is not None and view.training.status is TrainingStatus.FAILED,
        )


async def fill_server(world: World) -> None:
    """Many channels, members and LoRAs that everybody may use."""
    for room in ROOMS:
        world.guild.create_text_channel(room)
    others = [world.guild.add_member(world.env.create_user(f"Member {number}")) for number in range(1, MEMBERS + 1)]
    owners = itertools.cycle([*world.members, *others])
    services = world.darkroom.services
    for number, owner in zip(range(1, LORAS + 1), owners, strict=False):
        made = world.provider.add_trained(REHEARSAL_KEY, f"Fox {number}", GOOD)
        values: dict[str, Any] = {
            "guild_id": world.guild.id,
            "owner_id": owner.id,
            "provider": ProviderName.APIFRAME,
            "remote_id": made.id,
            "name": made.name,
            "trigger_word": made.trigger_word,
            "subject_kind": SubjectKind.OBJECT,
            "training_id": -number,
            "created_at": made.created_at,
        }
        lora_id = await services.database.write(functools.partial(loras.insert, **values))
        await services.sharing.share(lora_id, Audience.GUILD, None, actor_of(owner))
    await open_sample_event(world)


def actor_of(member: simcord.MemberActor) -> Actor:
    return Actor(member.guild.id, member.id)


def uploads(world: World, photos: Iterable[Path]) -> list[Upload]:
    """As if somebody had sent these files to Discord."""
    found = []
    for path in photos:
        cdn, channel_id = world.env.backend.cdn, world.channel.id
        kept = cdn.store_attachment(next(_attachment_ids), channel_id, path.name, path.read_bytes(), None)
        found.append(Upload(path.name, kept["url"], kept["size"]))
    return found


SCENES = {
    "": Scene(open_sample_event),
    "finished-event": Scene(
        finish_event,
        "“Fox days” is over, and Cleo has won. As Ben type /event yearbook, press Enter, press the paper plane; then "
        "/event fame.",
    ),
    "no-key": Scene(
        nothing,
        "This server has no key yet. As Ada type /keys set, press Enter, choose Apiframe, press the paper plane, write "
        f"{REHEARSAL_KEY}, press “Submit”. Before that, send /train as Ben: it says what is missing.",
        has_keys=False,
    ),
    "failed-training": Scene(
        fail_training,
        "Ben's training was paid for and has failed. As Ben press “Start again” below the message: it goes well this "
        "time. /jobs shows both.",
    ),
    "big-server": Scene(
        fill_server,
        f"Here are {MEMBERS + 3} members and {LORAS} LoRAs. As Ben type /loras list, press Enter, press the paper "
        "plane; then send /imagine and choose a LoRA by a few letters of its name.",
    ),
}
"""By the value of SCENE; the empty one is what `make sandbox` opens without it."""
