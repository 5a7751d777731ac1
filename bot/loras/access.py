"""Which LoRA or style a member may use for a picture."""

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.errors import NotFound, UserError
from bot.records.guild import Actor
from bot.records.lora import Lora, Style
from bot.storage import loras, sharing, styles
from bot.text import quote


async def usable_lora(connection: AsyncConnection, lora_id: int, actor: Actor) -> Lora:
    """The LoRA or character, if this member may make pictures with it here; else UserError or NotFound."""
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
