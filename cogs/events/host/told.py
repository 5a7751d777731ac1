"""Announcements for the host of an event alone."""

from bot.events.views import EventView
from cogs.events.details import Detail, number, sentences
from cogs.events.panel import deadline
from cogs.events.texts import event_name
from cogs.loras.cards import name_of
from cogs.ui.words import clip

FIXES_MAX = 2500
"""Characters."""


def taken_back(view: EventView, detail: Detail) -> str:
    """While the LoRA is still being trained there is only the training's number; a second announcement follows then."""
    lora_id = number(detail, "lora_id")
    said = "Somebody who is in it does not want that any more."
    if not lora_id:
        head = f"### {event_name(view.event)}: training #{number(detail, 'training_id')}"
        return f"{head}\n{said} When the LoRA comes out, nobody can make pictures with it."
    names = [name_of(lora) for lora in view.loras if lora.id == lora_id]
    name = names[0] if names else f"LoRA #{lora_id}"
    return (
        f"### {event_name(view.event)}: {name} rests\n{said} Nobody can make pictures with it any more. "
        "Please archive it, so that the provider deletes it, too: `/loras archive` in the server."
    )


def not_opened(view: EventView, detail: Detail) -> str:
    missed, opens_at = number(detail, "missed"), view.event.opens_at
    if missed:
        coming = "" if opens_at is None else f" The next one of the series opens {deadline(opens_at)}."
        why = f"I was away at <t:{missed}:F>, when it was to open, and for a day after it."
        return f"### {event_name(view.event)} has not opened\n{why} `/event open` opens it now.{coming}"
    fixes = [f"• {each}" for each in sentences(detail, "why")]
    head = f"### {event_name(view.event)} cannot open yet\nIts time has come, and something is missing:"
    return f"{head}\n{clip(fixes, FIXES_MAX, '…and {} more')}\nIt opens by itself as soon as that is done."
