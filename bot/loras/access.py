"""Finding a LoRA or style, if the member has a right on it."""

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.errors import NotAllowed, NotFound, UserError
from bot.loras import rights
from bot.loras.rights import Right
from bot.records.guild import Actor
from bot.records.lora import Audience, Lora, Share, Style
from bot.storage.events import entrants
from bot.storage.jobs import loras, sharing, styles
from bot.text import quote

NOT_HERE = (
    "You have no such LoRA here. If it is somebody else's, they can share it with you by `/loras share`; "
    "`/loras list` shows yours."
)
ARCHIVED = "This LoRA has been archived and cannot be used any more."
REFUSALS = {
    Right.CHANGE: "Only its owner and this server's admins may do that.",
    Right.SHARE: "Only its owner may do that.",
}
NO_STYLE = "There is no such style here. `/styles` shows what there is."


async def find(connection: AsyncConnection, lora_id: int, actor: Actor, right: Right) -> Lora:
    """The LoRA, if the actor has this right on it.

    Raises NotAllowed when they may see it but not change or share it; else NotFound, so that a LoRA they may not see
    looks like one that does not exist. An admin who sees a LoRA but may not use it gets NotFound, too.
    """
    lora = await loras.get(connection, lora_id)
    if lora is None or lora.guild_id != actor.guild_id:
        raise NotFound(NOT_HERE)
    shares, event_ids = await shares_and_events(connection, lora_id, actor)
    if rights.allows(right, lora, shares, actor, event_ids):
        return lora
    if lora.archived_at is not None and lora.owner_id == actor.user_id:
        raise NotFound(ARCHIVED)
    if right in REFUSALS and rights.allows(Right.SEE, lora, shares, actor, event_ids):
        raise NotAllowed(REFUSALS[right])
    raise NotFound(NOT_HERE)


async def shares_and_events(
    connection: AsyncConnection, lora_id: int, actor: Actor
) -> tuple[list[Share], frozenset[int]]:
    """The LoRA's shares, and the events the actor takes part in if one of the shares is for an event."""
    shares = await sharing.shares_of(connection, lora_id)
    if all(share.audience is not Audience.EVENT for share in shares):
        return shares, frozenset()
    return shares, await entrants.events_of(connection, actor.guild_id, actor.user_id)


async def usable_lora(connection: AsyncConnection, lora_id: int, actor: Actor) -> Lora:
    """The LoRA or character, if this member may make pictures with it here; else UserError or NotFound."""
    lora = await find(connection, lora_id, actor, Right.USE)
    if lora.missing_since is not None:
        raise UserError(f"{lora.provider.label} no longer has {quote(lora.name, 40)}, so it cannot be used any more.")
    if lora.retiring_since is not None:
        raise UserError(
            f"{quote(lora.name, 40)} is being retired: somebody in it does not want that any more. "
            "No more pictures are made with it."
        )
    if lora.resting_since is not None:
        raise UserError(
            f"{quote(lora.name, 40)} rests: somebody says that they can be seen in it. "
            "That is decided within 72 hours; please try again then."
        )
    return lora


async def usable_style(connection: AsyncConnection, style_id: int, actor: Actor) -> Style:
    style = await styles.get(connection, style_id)
    if style is None or style.guild_id != actor.guild_id:
        raise NotFound(NO_STYLE)
    if style.retired_at is not None:
        raise UserError(
            f"{style.provider.label} no longer offers the style {quote(style.name, 40)}. `/styles` shows the others."
        )
    return style
