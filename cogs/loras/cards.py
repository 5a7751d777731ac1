"""Cards about LoRAs and characters: the list, one of them, whom it is shared with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import discord

from bot.loras.rights import Right
from bot.loras.service import LoraView
from bot.loras.sharing import Sharing
from bot.records.dataset import SubjectKind
from bot.records.lora import Audience, Lora, Share
from bot.text import cite, code, quote
from cogs.likeness.cards import claim_button
from cogs.ui.buttons import ActionButton
from cogs.ui.layout import Layout, SafeLayout, card
from cogs.ui.thumbnails import beside
from cogs.ui.words import ago, clip, count

CLAIMS = 4
"""Claims that can be decided on one card; the others come up once these are."""
PAGE = 5
"""LoRAs on one page of the list: 6 components each, of the 40 of a message (Discord /docs/components/reference)."""
KIND_WORDS = {
    SubjectKind.PERSON: "LoRA of a person",
    SubjectKind.OBJECT: "LoRA of a pet, object or place",
    SubjectKind.STYLE: "LoRA of a style",
    SubjectKind.CHARACTER: "character",
}
NO_NAMES: Mapping[int, str] = MappingProxyType({})
SHARED_MEANS = (
    "Others can make pictures with it. They cannot see the photos it was made from, and you can take it back any time."
)


@dataclass(frozen=True, slots=True)
class LoraPage:
    """`number` and `last` count from 0; `total` is how many there are on all pages."""

    loras: Sequence[Lora]
    number: int
    last: int
    total: int


def page_of(loras: Sequence[Lora], number: int) -> LoraPage:
    """One past the end is the last."""
    last = max(0, len(loras) - 1) // PAGE
    number = min(number, last)
    return LoraPage(loras[number * PAGE : (number + 1) * PAGE], number, last, len(loras))


def name_of(lora: Lora) -> str:
    """Its name in bold, with the version from the second on."""
    return quote(lora.name, 40) + (f" v{lora.version}" if lora.version > 1 else "")


def loras_card(page: LoraPage, viewer_id: int, files: Mapping[int, str]) -> Layout:
    """`files`: attached thumbnails by the id of the LoRA."""
    if not page.loras:
        return card("### Your LoRAs\nNone yet. `/train` makes the first one.", colour=discord.Colour.blurple())
    layout = SafeLayout(discord.Colour.blurple())
    pages = f"\n-# {count(page.total, 'LoRA')}, page {page.number + 1} of {page.last + 1}" if page.last else ""
    layout.add_text(f"### Your LoRAs{pages}")
    for lora in page.loras:
        url = f"attachment://{files[lora.id]}" if lora.id in files else None
        layout.box.add_item(beside(_list_line(lora, viewer_id), url, f"AI-generated picture made with {lora.name}"))
        use = ActionButton("order", "imagine", lora.id, label="Use", style=discord.ButtonStyle.success)
        layout.add_rows([*([use] if lora.is_usable else []), ActionButton("lora", "show", lora.id, label="Show")])
    newer = ActionButton("lora", "page", page.number - 1, label="Newer") if page.number > 0 else None
    older = ActionButton("lora", "page", page.number + 1, label="Older") if page.number < page.last else None
    layout.add_rows([button for button in (newer, older) if button is not None])
    return layout


def _list_line(lora: Lora, viewer_id: int) -> str:
    trigger = f"trigger {code(lora.trigger_word, 40)}" if lora.trigger_word else "no trigger word"
    owner = "yours" if lora.owner_id == viewer_id else f"shared by <@{lora.owner_id}>"
    gone = f"⚠️ missing at {lora.provider.label}" if lora.missing_since is not None else ""
    retiring = "⚠️ being retired" if lora.retiring_since is not None else ""
    resting = "⏸️ rests" if lora.resting_since is not None else ""
    parts = [KIND_WORDS[lora.subject_kind], trigger, owner, ago(lora.created_at), gone, retiring, resting]
    return f"{name_of(lora)}\n" + " · ".join(filter(None, parts))


def lora_card(view: LoraView, viewer_id: int, previews: Sequence[str]) -> Layout:
    """`previews` are the names of attached pictures."""
    layout = SafeLayout(discord.Colour.blurple())
    layout.add_text("\n".join(_lora_lines(view, viewer_id)))
    if previews:
        made = f"of {len(previews)} made with {view.lora.name}"
        layout.add_gallery(
            [(file, f"AI-generated picture {number} {made}") for number, file in enumerate(previews, start=1)]
        )
        layout.add_text("-# AI-generated pictures made with it")
    layout.add_rows(_lora_buttons(view, viewer_id), each=4)
    return layout


def _lora_lines(view: LoraView, viewer_id: int) -> list[str]:
    lora = view.lora
    trigger = f"Trigger word {code(lora.trigger_word)} (put in for you)" if lora.trigger_word else "No trigger word"
    cost = f" for {count(lora.cost, 'credit')}" if lora.cost is not None else ""
    owner = f"Owner <@{lora.owner_id}>"
    if Right.USE in view.may and lora.owner_id != viewer_id:
        owner += " · shared with you"
    lines = [
        f"### {name_of(lora)}",
        f"{KIND_WORDS[lora.subject_kind][0].upper()}{KIND_WORDS[lora.subject_kind][1:]} · {trigger}",
        *([f"Note: {cite(lora.note, 300)}"] if lora.note else []),
        f"{owner} · used for {count(view.uses, 'order')} of pictures",
        f"Made {ago(lora.created_at)} at {lora.provider.label}{cost}",
    ]
    if len(view.versions) > 1:
        lines.append(f"Versions: {' → '.join(_version(version, lora) for version in view.versions)}")
    if lora.strength is not None:
        lines.append(f"Made with strength {lora.strength:g} unless you say otherwise")
    if lora.chosen_at is not None and len(view.versions) > 1:
        lines.append(f"Chosen version since {ago(lora.chosen_at)}")
    if Right.CHANGE in view.may:
        lines.append(f"Shared with {audiences(view.shares)}")
    if view.offer is not None:
        lines.append(f"Offered to <@{view.offer.to_id}>, who has not answered yet")
    if lora.missing_since is not None:
        lines.append(
            f"⚠️ {lora.provider.label} no longer has it since {ago(lora.missing_since)}, so it cannot be used. "
            "Archive it to clear your list."
        )
    if lora.retiring_since is not None:
        lines.append(
            f"⚠️ Somebody in it does not want that any more since {ago(lora.retiring_since)}, so no more pictures are "
            "made with it. Please archive it: then the provider deletes it, too."
        )
    elif lora.resting_since is not None:
        lines.append(
            f"⏸️ Somebody said {ago(lora.resting_since)} that they can be seen in it, so it rests. Its owner or a "
            "moderator decides within 72 hours, else it is retired."
        )
    return [*lines, f"-# LoRA #{lora.id}"]


def _version(version: Lora, shown: Lora) -> str:
    text = f"v{version.version}" if version.archived_at is None else f"v{version.version} (archived)"
    return f"**{text}**" if version.id == shown.id else text


def _lora_buttons(view: LoraView, viewer_id: int) -> list[ActionButton]:
    """Only what the viewer may do; each press is checked again."""
    lora, buttons = view.lora, []
    if Right.USE in view.may and lora.is_usable:
        style = discord.ButtonStyle.success
        buttons.append(ActionButton("order", "imagine", lora.id, label="Make a picture", style=style))
    if Right.SHARE in view.may or view.shares:
        buttons.append(ActionButton("lora", "share", lora.id, label="Share" if Right.SHARE in view.may else "Shares"))
    if Right.CHANGE in view.may:
        buttons.append(ActionButton("lora", "rename", lora.id, label="Rename"))
        buttons.append(ActionButton("lora", "note", lora.id, label="Note"))
    if Right.SHARE in view.may:
        buttons.append(ActionButton("training", "version", lora.id, label="New version"))
        if view.offer is not None:
            buttons.append(ActionButton("offer", "withdraw", view.offer.id, label="Withdraw the offer"))
    if Right.CHANGE in view.may:
        if lora.strength is not None or lora.chosen_at is not None:
            buttons.append(ActionButton("lora", "plain", lora.id, label="Forget the default"))
        buttons.append(ActionButton("lora", "archive", lora.id, label="Archive", style=discord.ButtonStyle.danger))
    if lora.owner_id != viewer_id and lora.retiring_since is None:
        buttons.append(claim_button("lora", lora.id))
    others = [claim for claim in view.claims if claim.user_id != viewer_id][:CLAIMS]
    for place, claim in enumerate(others, start=1):
        label = f"Decide claim {place}" if len(others) > 1 else "Decide the claim"
        buttons.append(ActionButton("claim", "show", claim.id, label=label))
    return buttons


def audience_word(share: Share, events: Mapping[int, str] = NO_NAMES) -> str:
    """Whom it is shared with, as a mention; messages with it have no allowed mentions. `events`: names by event id."""
    event = events.get(share.audience_id or 0)
    return {
        Audience.GUILD: "everyone here",
        Audience.ROLE: f"<@&{share.audience_id}>",
        Audience.MEMBER: f"<@{share.audience_id}>",
        Audience.EVENT: f"everybody in {quote(event, 60) if event else 'an event'}",
    }[share.audience]


def audiences(shares: Sequence[Share]) -> str:
    return ", ".join(audience_word(share) for share in shares) or "nobody"


def share_text(sharing: Sharing) -> str:
    """Numbered, so that the list to take back from can be matched with it."""
    words = [audience_word(share, sharing.events) for share in sharing.shares]
    lines = [f"{number}. {word}" for number, word in enumerate(words, start=1)] or ["Nobody yet."]
    head = f"### Sharing {name_of(sharing.lora)}\n{SHARED_MEANS}\n**Shared with**\n"
    return head + clip(lines, 2500, "…and {} more.")
