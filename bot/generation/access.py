"""Who may order with what, and who may act on which pictures. Every look at another guild's things finds nothing."""

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.errors import NotAllowed, NotFound, UserError
from bot.records.generation import Generation
from bot.records.guild import Actor
from bot.records.job import SubjectTable
from bot.records.lora import Lora, Style
from bot.records.post import PostKind, PostStatus
from bot.storage import generations, loras, pictures, posts, sharing, styles
from bot.text import quote

NOT_SHARED = (
    "These pictures were made with a LoRA that is not shared with you. Its owner can share it with `/loras share`."
)


async def usable_lora(connection: AsyncConnection, lora_id: int, actor: Actor) -> Lora:
    """The LoRA or character, if this member may make pictures with it here."""
    for lora in await sharing.usable_by(connection, actor):
        if lora.id == lora_id:
            if lora.missing_since is not None:
                raise UserError(
                    f"{lora.provider.label} no longer has {quote(lora.name, 40)}, so it cannot be used any more."
                )
            if lora.retiring_since is not None:
                raise UserError(
                    f"{quote(lora.name, 40)} is being retired: somebody in its photos took their consent back. "
                    "No more pictures are made with it."
                )
            return lora
    archived = await loras.get(connection, lora_id)
    if archived is not None and (archived.guild_id, archived.owner_id) == (actor.guild_id, actor.user_id):
        raise NotFound("This LoRA has been archived and cannot be used any more.")
    raise NotFound("You have no such LoRA here. `/loras list` shows what you have.")


async def usable_style(connection: AsyncConnection, style_id: int, actor: Actor) -> Style:
    style = await styles.get(connection, style_id)
    if style is None or style.guild_id != actor.guild_id:
        raise NotFound("There is no such style here. `/styles` shows what there is.")
    if style.retired_at is not None:
        raise UserError(
            f"{style.provider.label} no longer offers the style {quote(style.name, 40)}. `/styles` shows the others."
        )
    return style


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
