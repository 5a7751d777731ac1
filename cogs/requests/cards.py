"""The private question to the author of photos, and what became of it."""

import discord

from bot.records.question import RequestStatus
from bot.requests.service import RequestView
from bot.text import cite, quote
from cogs.ui.buttons import ActionButton
from cogs.ui.layout import SafeLayout, card
from cogs.ui.words import when

OUTCOMES = {
    RequestStatus.GRANTED: "You said yes. Thank you!",
    RequestStatus.DONE: "You said yes. Thank you!",
    RequestStatus.FAILED: "You said yes. Thank you! It could not be done in the end.",
    RequestStatus.REFUSED: "You said no. Nothing was used.",
    RequestStatus.EXPIRED: "The time to answer is over. Nothing was used.",
}


def request_card(view: RequestView, guild_name: str) -> SafeLayout:
    """For the author. The pictures are shown by Discord's own links; we have none of them."""
    request = view.request
    if request.status is not RequestStatus.ASKED:
        return card(f"### {OUTCOMES[request.status]}", colour=discord.Colour.dark_grey())
    layout = SafeLayout(discord.Colour.blurple())
    layout.add_text(
        f"### May your photos be used?\n<@{request.from_id}> in {quote(guild_name)} would like to {_purpose(view)}.\n"
        f"> {view.sentence}"
    )
    layout.add_linked_gallery([upload.url for upload in request.uploads], "One of your photos")
    layout.add_text(f"Nothing has been downloaded. You can answer until {when(view.ends_at)}; no answer is a no.")
    layout.add_row(*answer_buttons(request.id))
    return layout


def answer_buttons(request_id: int) -> list[ActionButton]:
    return [
        ActionButton("ask", "yes", request_id, label="Yes, use them", style=discord.ButtonStyle.success),
        ActionButton("ask", "no", request_id, label="No", style=discord.ButtonStyle.danger),
    ]


def asked_sentence(view: RequestView) -> str:
    """For the asker, at once."""
    return (
        f"These are <@{view.request.to_id}>'s photos, so they are asked privately whether you may use them. Nothing "
        f"has been downloaded. They can answer until {when(view.ends_at)}; no answer is a no. You are told either way."
    )


def request_answered_card(view: RequestView) -> SafeLayout:
    """For the asker."""
    request, colour = view.request, discord.Colour.dark_grey()
    author = f"<@{request.to_id}>"
    match request.status:
        case RequestStatus.DONE if request.dataset_id is not None:
            colour = discord.Colour.green()
            text = f"{author} said yes: {request.outcome} photos were added. `/dataset show` shows them."
        case RequestStatus.DONE:
            colour = discord.Colour.green()
            text = f"{author} said yes. **Accepted {request.outcome}**; `/jobs` shows where it is."
        case RequestStatus.FAILED:
            text = f"{author} said yes, but it could not be done: {request.outcome}"
        case RequestStatus.EXPIRED:
            text = f"{author} did not answer within a day, so their photos are not used."
        case _:
            text = f"{author} would rather not, so their photos are not used."
    return card(f"### The photos you asked for\n<@{request.from_id}>, {text}", colour=colour)


def _purpose(view: RequestView) -> str:
    if view.request.dataset_id is None:
        return f"make new pictures from these: {cite(view.request.prompt or '', 200)}"
    return f"train {quote(view.dataset.name, 40) if view.dataset is not None else 'a LoRA'} from these"
