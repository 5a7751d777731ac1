"""Who may order with what, and who may act on which pictures. Every look at another guild's things finds nothing."""

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.errors import NotAllowed, NotFound
from bot.records.generation import Generation
from bot.records.guild import Actor
from bot.records.job import SubjectTable
from bot.records.post import PostKind, PostStatus
from bot.storage import generations, pictures, posts, sharing

NOT_SHARED = (
    "These pictures were made with a LoRA that is not shared with you. Its owner can share it with `/loras share`."
)


async def visible_generation(connection: AsyncConnection, generation_id: int, actor: Actor) -> Generation:
    """The member's own, or one whose pictures were posted for this guild to see."""
    generation = await generations.get(connection, generation_id)
    if (
        generation is None
        or generation.guild_id != actor.guild_id
        or generation.deleted_at is not None
        or not (generation.user_id == actor.user_id or await _was_posted(connection, generation_id))
    ):
        raise NotFound("These pictures are not here any more. `/jobs` shows what you have.")
    return generation


async def may_repeat(connection: AsyncConnection, generation: Generation, actor: Actor) -> None:
    """Whoever sees pictures may order such ones only with what they may use themselves."""
    if generation.lora_id is not None and generation.user_id != actor.user_id:
        usable = {lora.id for lora in await sharing.usable_by(connection, actor)}
        if generation.lora_id not in usable:
            raise NotAllowed(NOT_SHARED)


async def _was_posted(connection: AsyncConnection, generation_id: int) -> bool:
    post = await posts.find(connection, PostKind.PICTURES, SubjectTable.GENERATION, generation_id)
    return post is not None and post.status is PostStatus.POSTED and pictures.public_place(post) is not None
