"""Claims to be in a LoRA: the question to its owner and the moderators, and what was decided."""

import discord

from bot.likeness.rules import REASON_MAX
from bot.likeness.service import ClaimView
from bot.records.likeness import LikenessStatus
from bot.text import cite, quote
from cogs.ui.buttons import ActionButton
from cogs.ui.layout import SafeLayout, card
from cogs.ui.words import when

QUESTION = (
    "Can **you** be seen in what this LoRA makes? Then it rests at once: nobody makes pictures with it until its owner "
    "or a moderator has decided, within 72 hours at most. They are told that it was you."
)
NO_MORE = "nobody can make pictures with it any more."
CLAIM = "I am in this"
SURE = "Yes, I am in this"
IN_THE_SERVER = "Moderators find the buttons below `/loras show` in the server."
OUTCOMES = {
    LikenessStatus.OPEN: "It rests until this is decided.",
    LikenessStatus.KEPT: "It is kept, and pictures can be made with it again.",
    LikenessStatus.RETIRED: f"It is retired: {NO_MORE}",
    LikenessStatus.LAPSED: f"Nobody decided within 72 hours, so it is retired: {NO_MORE}",
    LikenessStatus.GONE: f"It is gone: {NO_MORE}",
}


def claim_button(area_action: str, row_id: int, label: str = CLAIM) -> ActionButton:
    """Below a LoRA (`lora`) or pictures (`set`)."""
    return ActionButton("claim", area_action, row_id, label=label)


def decision_buttons(claim_id: int) -> list[ActionButton]:
    return [
        ActionButton("claim", "retire", claim_id, label="Retire it", style=discord.ButtonStyle.danger),
        ActionButton("claim", "keep", claim_id, label="Keep it and say why"),
    ]


def claim_card(view: ClaimView, guild_name: str, *, can_decide: bool = True) -> SafeLayout:
    """For the owner and the moderators."""
    claim = view.claim
    if claim.status is not LikenessStatus.OPEN or view.lora is None:
        return card(f"### {_name(view)}: decided\n{outcome(view)}", colour=discord.Colour.dark_grey())
    text = (
        f"### Is somebody in {_name(view)}?\n{_who(view)} in {quote(guild_name)} says that they can be seen in what "
        f"this LoRA of <@{view.lora.owner_id}> makes. {OUTCOMES[claim.status]}\n"
        f"Please **retire** it, or **keep** it and say why. Without a decision it is retired {when(view.ends_at)}."
    )
    if not can_decide:
        text += f"\n{IN_THE_SERVER}"
    buttons = decision_buttons(claim.id) if can_decide else []
    return card(text, colour=discord.Colour.orange(), buttons=buttons)


def decided_card(view: ClaimView, guild_name: str) -> SafeLayout:
    """For the claimant."""
    head = f"### You said that you are in {_for_claimant(view)}"
    text = f"{head}\nIn {quote(guild_name)} that is decided now. {outcome(view)}"
    if view.claim.status is LikenessStatus.KEPT:
        text += "\nIf you do not agree, please talk to a moderator of the server."
    return card(text, colour=discord.Colour.blurple())


def claimed_sentence(view: ClaimView) -> str:
    """For the claimant, at once."""
    return (
        "Thank you for saying so. It rests from now on: no more pictures are made with it. Its owner or a moderator "
        f"decides by {when(view.ends_at)}; without a decision it is retired. You are told, and `/me` shows it, too."
    )


def claim_line(view: ClaimView) -> str:
    """For the claimant's own page."""
    by = f" That is by {when(view.ends_at)} at the latest." if view.claim.status is LikenessStatus.OPEN else ""
    return f"You said that you are in {_for_claimant(view)}. {outcome(view)}{by}"


def outcome(view: ClaimView) -> str:
    reason = f" The reason: {cite(view.claim.reason, REASON_MAX)}" if view.claim.reason else ""
    return f"{OUTCOMES[view.claim.status]}{reason}"


def _name(view: ClaimView) -> str:
    return quote(view.lora.name, 40) if view.lora is not None else "a LoRA"


def _for_claimant(view: ClaimView) -> str:
    return "a LoRA of an event" if view.is_secret else _name(view)


def _who(view: ClaimView) -> str:
    return f"<@{view.claim.user_id}>" if view.claim.user_id > 0 else "Somebody who has erased their data since"
