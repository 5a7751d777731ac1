"""Who sees a set of pictures, and who may order such pictures again."""

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.errors import NotAllowed, NotFound
from bot.records.event import EventMode, EventStatus, channels_of
from bot.records.generation import Generation
from bot.records.guild import Actor
from bot.records.post import public_place
from bot.storage.events import ballots
from bot.storage.jobs import generations, pictures, sharing

GONE = "These pictures are not here any more: they were deleted, or their time is over."
COMPARED = "Nobody sees these pictures before the votes are counted, so that nobody knows which is which."
OF_AN_EVENT = "pictures of an event"
NOT_SHARED = (
    "These pictures were made with a LoRA that is not shared with you. Its owner can share it with `/loras share`."
)


async def is_compared(connection: AsyncConnection, generation: Generation) -> bool:
    """Whether a bake-off compares the set: nobody, not even its host, sees it before the votes are counted."""
    event = await ballots.blind_event(connection, generation)
    return event is not None and event.mode is EventMode.BAKEOFF


async def secret_name(connection: AsyncConnection, generation: Generation) -> str | None:
    """What others than their maker call pictures until the votes of their event are counted; None for other pictures.

    The number of an order leads to its maker. So nothing that is reached from a ballot, or follows from it, has one.
    """
    return None if await ballots.blind_event(connection, generation) is None else OF_AN_EVENT


async def visible_generation(connection: AsyncConnection, generation_id: int, actor: Actor) -> Generation:
    """The set of pictures, if it is the actor's own or was shown in a channel that they can see; else NotFound."""
    generation = await generations.get(connection, generation_id)
    if generation is None or generation.guild_id != actor.guild_id:
        raise NotFound(GONE)
    if await is_compared(connection, generation):
        raise NotFound(COMPARED)
    if generation.deleted_at is not None:
        raise NotFound(GONE)
    if generation.user_id != actor.user_id:
        places = [public_place(post) for post in await pictures.posts_of(connection, generation_id)]
        stood = await ballots.stands_in(connection, generation)
        if stood is not None and stood[0].status is EventStatus.FINISHED:
            places += channels_of(stood[0])
        if not any(place is not None and actor.sight.sees(place.id) for place in places):
            raise NotFound(GONE)
    return generation


async def reportable_generation(connection: AsyncConnection, generation_id: int, actor: Actor) -> Generation:
    """As `visible_generation`; who sees a ballot may report what stands there, too, without learning more of it."""
    generation = await generations.get(connection, generation_id)
    stood = None if generation is None else await ballots.stands_in(connection, generation)
    if generation is None or stood is None or generation.guild_id != actor.guild_id:
        return await visible_generation(connection, generation_id, actor)
    if not any(actor.sight.sees(place.id) for place in channels_of(stood[0])):
        raise NotFound(GONE)
    return generation


async def may_repeat(connection: AsyncConnection, generation: Generation, actor: Actor) -> None:
    """NotAllowed when the set was made with a LoRA that the actor may not use."""
    if generation.lora_id is not None and generation.user_id != actor.user_id:
        usable = {lora.id for lora in await sharing.usable_by(connection, actor)}
        if generation.lora_id not in usable:
            raise NotAllowed(NOT_SHARED)
