"""The receipts: object by object what was to go at a provider, when it was asked, and what it answered."""

from collections.abc import Sequence

import discord

from bot.records.key import ProviderName
from bot.records.removal import Removal, RemovalAnswer, RemovalKind, RemovalReason
from bot.text import quote
from cogs.ui.layout import SafeLayout, card
from cogs.ui.words import clip, day, moment

LENGTH_MAX = 3000
NOTHING = "No provider was asked to remove anything of yours, as far as receipts go back."
WHAT = {
    RemovalKind.LORA: "LoRA",
    RemovalKind.CHARACTER: "Character",
    RemovalKind.TRAINING: "Training",
    RemovalKind.PICTURES: "Order of pictures",
    RemovalKind.UPLOAD: "Reference picture",
}
WHY = {
    RemovalReason.ERASED: "you erased your data",
    RemovalReason.TAKEN_BACK: "consent was taken back",
    RemovalReason.LIKENESS: "you said that you are in it",
    RemovalReason.ARCHIVED: "it was archived",
    RemovalReason.LEFT: "your server removed me and you asked for it",
}
MEANS = {
    ProviderName.APIFRAME: (
        "**What Apiframe does:** it archives a LoRA for good: nobody can use it, and it is in no list. Its "
        "documentation says that the copy at its trainer is cleaned up as far as possible; it does not confirm that."
    ),
    ProviderName.AUROUS: (
        "**What Aurous Labs does:** it hides a character for good and nobody can use it. When its data is destroyed, "
        "its documentation does not say."
    ),
}
"""Apiframe /docs/loras and OpenAPI 2.0.0; Aurous Labs /characters."""
REMOVED = {
    RemovalKind.LORA: "it has archived it (204)",
    RemovalKind.CHARACTER: "it has taken it out of use (200)",
    RemovalKind.UPLOAD: "it is not there any more (200)",
}
ANSWERS = {
    RemovalAnswer.NOT_THERE: "it has no such thing (404, asked five times)",
    RemovalAnswer.NEVER_MADE: "it never got this order",
}
NO_CALL = {
    RemovalKind.PICTURES: "it offers no way to ask for that; pictures that nobody fetched are not kept for long there",
    RemovalKind.UPLOAD: "it offers no way to ask for that; it deletes such pictures by itself within hours",
}


def receipts_card(receipts: Sequence[Removal], guild_name: str | None = None) -> SafeLayout:
    """`guild_name`: in a private message nothing else tells of which server it is."""
    if not receipts:
        return card(f"### Receipts\n{NOTHING}", colour=discord.Colour.blurple())
    waiting = sum(each.answer is None for each in receipts)
    head = (
        f"{waiting} of {len(receipts)} still to be confirmed; I go on asking where I can."
        if waiting
        else "All of it is answered."
    )
    lines = clip([_line(each) for each in receipts], LENGTH_MAX, "… and {} more")
    means = [MEANS[provider] for provider in ProviderName if any(each.provider is provider for each in receipts)]
    texts = [f"### Receipts: what the providers were asked to remove\n{head}", lines, "\n".join(means)]
    if guild_name is not None:
        texts.append(f"-# {quote(guild_name)}")
    return card(*texts, colour=discord.Colour.orange() if waiting else discord.Colour.green())


def _line(removal: Removal) -> str:
    name = f" `{removal.remote_id[:40]}`" if removal.remote_id else ""
    provider = removal.provider.label
    what = f"• **{WHAT[removal.kind]}**{name} at {provider}"
    return f"{what}, because {WHY[removal.why]} {day(removal.created_at)}: {_said(removal)}"


def _said(removal: Removal) -> str:
    asked = "" if removal.asked_at is None else f"asked {day(removal.asked_at)} {moment(removal.asked_at)}"
    match removal.answer:
        case None if removal.is_asleep:
            return (
                "**I cannot ask**: the server has no key for it any more. I ask as soon as it has one; until then "
                f"whoever has its {removal.provider.label} account can delete it there."
            )
        case None if removal.kind is RemovalKind.TRAINING:
            return "it is asked when the training has ended."
        case None:
            return f"{asked}, **not confirmed yet**." if asked else "**not asked yet**."
        case RemovalAnswer.NO_CALL:
            return f"{NO_CALL[removal.kind]}."
        case RemovalAnswer.REMOVED:
            return f"{asked}, **{REMOVED[removal.kind]}**."
    return f"{asked}, **{ANSWERS[removal.answer]}**."
