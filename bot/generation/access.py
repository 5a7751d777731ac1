"""Who sees a set of pictures, and who may order such pictures again."""

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.errors import NotAllowed, NotFound
from bot.records.generation import Generation
from bot.records.guild import Actor
from bot.storage.jobs import generations, pictures, sharing

GONE = "These pictures are not here any more: they were deleted, or their time is over."
NOT_SHARED = (
    "These pictures were made with a LoRA that is not shared with you. Its owner can share it with `/loras share`."
)


async def visible_generation(connection: AsyncConnection, generation_id: int, actor: Actor) -> Generation:
    """The set of pictures, if it is the actor's own or was posted in a channel that they can see; else NotFound."""
    generation = await generations.get(connection, generation_id)
    if generation is None or generation.guild_id != actor.guild_id or generation.deleted_at is not None:
        raise NotFound(GONE)
    if generation.user_id != actor.user_id:
        places = map(pictures.public_place, await pictures.posts_of(connection, generation_id))
        if not any(place is not None and actor.sight.sees(place.id) for place in places):
            raise NotFound(GONE)
    return generation


async def may_repeat(connection: AsyncConnection, generation: Generation, actor: Actor) -> None:
    """NotAllowed when the set was made with a LoRA that the actor may not use."""
    if generation.lora_id is not None and generation.user_id != actor.user_id:
        usable = {lora.id for lora in await sharing.usable_by(connection, actor)}
        if generation.lora_id not in usable:
            raise NotAllowed(NOT_SHARED)
