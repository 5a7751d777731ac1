"""Private answers about made pictures: settings, originals, edits of one, a choice for the gallery."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import discord

from bot.pictures.service import PictureSet
from bot.records.generation import Operation, Picture
from bot.text import code, quote
from cogs.pictures.cards import DONE, settings_parts, title
from cogs.ui.buttons import ActionButton
from cogs.ui.layout import Layout, card
from cogs.ui.words import ago, count

BLOCK_MAX = {"prompt": 2400, "negative": 600}
"""Characters shown of each; all texts of a message together may have 4,000 (Discord /docs/components/reference)."""
UPSCALES = {Operation.UPSCALE_CLARITY: ("clarity", "Clarity"), Operation.UPSCALE_TOPAZ: ("topaz", "Topaz")}
CUTOUTS = {Operation.REMOVE_BACKGROUND: ("background", "Remove background")}
EXPLAINED = {
    "Upscale": "Twice as large. Clarity invents fine details, Topaz keeps to what is there.",
    "Remove background": "What remains stands on a transparent background.",
}


def settings_card(found: PictureSet) -> tuple[Layout, list[tuple[str, bytes]]]:
    """(card, files): a prompt that is too long to be shown in full comes as a text file, too."""
    generation = found.generation
    texts = {"prompt": generation.prompt, "negative": generation.settings.negative or ""}
    lines = [f"### Settings of #{generation.id}", f"{title(found)} for <@{generation.user_id}>, {_when(found)}"]
    if texts["prompt"]:
        lines += ["**Prompt**", _block(texts["prompt"], BLOCK_MAX["prompt"])]
    if texts["negative"]:
        lines += ["**Not in the picture**", _block(texts["negative"], BLOCK_MAX["negative"])]
    lines += _facts(found)
    layout = card("\n".join(lines), colour=discord.Colour.blurple())
    if all(len(text) <= BLOCK_MAX[name] for name, text in texts.items()):
        return layout, []
    file = f"prompt-{generation.id}.txt"
    layout.add_item(discord.ui.File(f"attachment://{file}"))
    whole = "\n\nNot in the picture:\n".join(filter(None, texts.values()))
    return layout, [(file, whole.encode())]


def edits_card(found: PictureSet, what: str, prices: Mapping[Operation, int | None]) -> Layout:
    """The question before anything is paid: one button for each picture and way, with its price."""
    ways = UPSCALES if what == "Upscale" else CUTOUTS
    kept = _kept(found)
    costs = [f"{label} · {_price(prices[operation])}" for operation, (_, label) in ways.items()]
    lines = [
        f"### {what}",
        EXPLAINED[what],
        *(f"• {cost}" for cost in costs),
        "Press to order it; the result is posted here.",
    ]
    layout = card("\n".join(lines), colour=discord.Colour.blurple())
    for picture in kept:
        buttons = [
            ActionButton(
                "pic", action, picture.id, label=f"{_which(picture, kept)}{label} · {_price(prices[operation])}"
            )
            for operation, (action, label) in ways.items()
        ]
        layout.add_item(discord.ui.ActionRow(*buttons))
    return layout


def gallery_choice_card(found: PictureSet) -> Layout:
    kept = _kept(found)
    buttons = [ActionButton("pic", "galleryone", picture.id, label=f"Picture {picture.position}") for picture in kept]
    buttons.append(ActionButton("pic", "galleryall", found.generation.id, label="All of them"))
    return card("### To the gallery\nWhich picture?", colour=discord.Colour.gold(), buttons=buttons)


def originals_card(found: PictureSet, files: Sequence[str], left: Sequence[Picture], *, has_links: bool) -> Layout:
    """`left`: pictures that are not attached, because they are too large or no longer here."""
    lines = [f"### Pictures #{found.generation.id} as they were made", "-# AI-generated · byte for byte"]
    if not files:
        lines = [f"### Pictures #{found.generation.id}"]
    for picture in left:
        if has_links:
            why = "is too large to attach" if picture.size else "is here as a link only"
            lines.append(
                f"[Picture {picture.position}, full quality]({picture.url}) {why}; the link works for about a day."
            )
        elif picture.file is not None:
            lines.append(f"Picture {picture.position} is too large to attach, and the provider's link has ended.")
        elif not picture.size:
            lines.append(f"Picture {picture.position} was here as a link only, and the provider's link has ended.")
        else:
            lines.append(
                f"Our copy of picture {picture.position} was deleted when its time was over; "
                "the message keeps what it shows."
            )
    layout = card("\n".join(lines), colour=discord.Colour.blurple())
    for file in files:
        layout.add_item(discord.ui.File(f"attachment://{file}"))
    return layout


def _facts(found: PictureSet) -> list[str]:
    generation, lora, style = found.generation, found.view.lora, found.view.style
    settings = replace(generation.settings, negative=None)
    lines = [" · ".join(settings_parts(settings)) or "Every setting was left to the provider."]
    things = [quote(thing.name, 40) for thing in (lora, style) if thing is not None]
    using = f" with {' and '.join(things)}" if things else ""
    lines.append(f"**{DONE.get(generation.operation, 'Made')}** at {generation.provider.label}{using}")
    lines.append(f"**Cost** {_price(generation.cost)} · estimated {_price(generation.estimate)}")
    if found.made_from:
        earlier = "".join(f" ← #{one.id}" for one in found.lineage[1:])
        lines.append(f"**Made from** {found.made_from}{earlier}")
    if generation.request_id is not None:
        lines.append(f"**{generation.provider.label} id** {code(generation.request_id)}")
    return lines


def _when(found: PictureSet) -> str:
    return ago(found.generation.finished_at or found.generation.created_at)


def _block(text: str, limit: int) -> str:
    """A code block, cut to `limit` characters; Discord shows mentions and formatting in it as plain text."""
    inert = text.replace("`", "ˋ")
    return f"```\n{inert if len(inert) <= limit else inert[: limit - 1] + '…'}\n```"


def _price(amount: int | None) -> str:
    return "not known" if amount is None else count(amount, "credit")


def _kept(found: PictureSet) -> list[Picture]:
    return [picture for picture in found.view.pictures if picture.file is not None]


def _which(picture: Picture, kept: Sequence[Picture]) -> str:
    return f"Picture {picture.position} · " if len(kept) > 1 else ""
