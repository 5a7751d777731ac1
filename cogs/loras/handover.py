"""Cards about a LoRA that gets another owner: by an offer, or by an admin who imported it."""

from collections.abc import Sequence

import discord

from bot.loras.sharing import OfferView
from bot.records.lora import Lora, OfferStatus
from bot.text import quote
from cogs.likeness.cards import claim_button
from cogs.loras.cards import name_of
from cogs.ui.buttons import ActionButton
from cogs.ui.layout import Layout, SafeLayout, card
from cogs.ui.words import day


def offered_card(view: OfferView, notes: Sequence[str] = ()) -> Layout:
    """For the giver: what was offered to whom, and the button that withdraws it. `notes`: how else they are asked."""
    lora = view.lora
    asked = " ".join(notes) or "They are asked in this channel."
    text = (
        f"### {name_of(lora) if lora else 'It'} is offered to <@{view.offer.to_id}>\n"
        f"{asked} They can answer until {day(view.ends_at)}. Nothing changes before they accept. "
        "Then it is theirs alone: you and those you share it with cannot use it any more."
    )
    buttons = [ActionButton("offer", "withdraw", view.offer.id, label="Withdraw the offer")]
    return card(text, colour=discord.Colour.blurple(), buttons=buttons)


def offer_card(view: OfferView, *, is_private: bool = False) -> SafeLayout:
    """For the receiver, in the channel; in a private message nothing tells of which server a claim would be."""
    offer = view.offer
    name = name_of(view.lora) if view.lora is not None else "a LoRA"
    if not view.is_open:
        return card(f"### {name}: {_outcome(view)}", colour=discord.Colour.dark_grey())
    text = (
        f"### A LoRA for you\n<@{offer.to_id}>, <@{offer.from_id}> would like to hand {name} over to you. "
        "If you accept, it is yours: you can use, share, rename and archive it, and they cannot any more.\n"
        f"You can answer until {day(view.ends_at)}."
    )
    buttons = [
        ActionButton("offer", "accept", offer.id, label="Accept", style=discord.ButtonStyle.success),
        ActionButton("offer", "decline", offer.id, label="Decline"),
        *([] if is_private else [claim_button("lora", offer.lora_id)]),
    ]
    return card(text, colour=discord.Colour.blurple(), buttons=buttons)


def offer_answered_card(view: OfferView) -> SafeLayout:
    """For the giver."""
    name = name_of(view.lora) if view.lora is not None else "your LoRA"
    text = f"### {name}: {_outcome(view)}\n<@{view.offer.from_id}>, that is the answer to your offer."
    return card(text, colour=discord.Colour.blurple())


def imported_card(lora: Lora, guild_name: str) -> SafeLayout:
    """For its new owner."""
    text = (
        f"### A LoRA for you\n<@{lora.owner_id}>, an admin of {quote(guild_name, 100)} made you the owner of "
        f"{name_of(lora)}. It was not trained here, and it cost nothing. There, `/imagine` makes pictures with it, and "
        f"`/loras show` shows what else you can do."
    )
    return card(text, colour=discord.Colour.blurple())


def _outcome(view: OfferView) -> str:
    receiver = f"<@{view.offer.to_id}>"
    return {
        OfferStatus.OPEN: f"{receiver} did not answer in time, so nothing changed",
        OfferStatus.ACCEPTED: f"{receiver} accepted and owns it now",
        OfferStatus.DECLINED: f"{receiver} declined, so nothing changed",
        OfferStatus.WITHDRAWN: "the offer was withdrawn, so nothing changed",
    }[view.offer.status]
