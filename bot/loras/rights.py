"""Who may do what with a LoRA or a character. Pure."""

from collections.abc import Collection, Iterable
from enum import StrEnum

from bot.records.guild import Actor
from bot.records.lora import Audience, Lora, Share


class Right(StrEnum):
    USE = "use"
    """Make pictures with it: the owner, and those it is shared with."""
    SEE = "see"
    """Look at its card: everyone who may use or change it."""
    CHANGE = "change"
    """Rename it, write its note, archive it, see its shares and take them back: the owner and admins."""
    SHARE = "share"
    """Share it, hand it over, make a newer version: the owner alone."""


def reaches(share: Share, actor: Actor, event_ids: Collection[int]) -> bool:
    """Whether the actor, who takes part in these events, belongs to those this share is for."""
    if share.guild_id != actor.guild_id:
        return False
    match share.audience:
        case Audience.GUILD:
            return True
        case Audience.MEMBER:
            return share.audience_id == actor.user_id
        case Audience.ROLE:
            return share.audience_id in actor.role_ids
        case Audience.EVENT:
            return share.audience_id in event_ids


def allows(right: Right, lora: Lora, shares: Iterable[Share], actor: Actor, event_ids: Collection[int]) -> bool:
    """Nothing is allowed with an archived LoRA, or in another guild. `event_ids`: those the actor takes part in."""
    if lora.guild_id != actor.guild_id or lora.archived_at is not None:
        return False
    is_owner = lora.owner_id == actor.user_id
    is_shared = any(share.lora_id == lora.id and reaches(share, actor, event_ids) for share in shares)
    match right:
        case Right.USE:
            return is_owner or is_shared
        case Right.SEE:
            return is_owner or is_shared or actor.is_admin
        case Right.CHANGE:
            return is_owner or actor.is_admin
        case Right.SHARE:
            return is_owner


def held(lora: Lora, shares: Iterable[Share], actor: Actor, event_ids: Collection[int]) -> frozenset[Right]:
    """Everything the actor may do with it."""
    shares = tuple(shares)
    return frozenset(right for right in Right if allows(right, lora, shares, actor, event_ids))
