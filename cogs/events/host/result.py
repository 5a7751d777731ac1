"""The page of an event's settings about what comes of the vote."""

from collections.abc import Sequence

import discord

from bot.records.event import OnTie
from cogs.events.host.pages import Content, ShownPage
from cogs.events.texts import TIE_MEANING, TIE_WORDS
from cogs.ui.choices import StringChoice
from cogs.ui.replies import Interaction


def result_page(shown: ShownPage) -> Content:
    event = shown.event

    async def tie_chosen(interaction: Interaction, values: Sequence[str]) -> None:
        await shown.store(interaction, on_tie=OnTie(values[0]))

    options = [
        discord.SelectOption(label=label, value=each.value, description=TIE_MEANING[each], default=each is event.on_tie)
        for each, label in TIE_WORDS.items()
    ]
    text = f"**On a tie for the first place:** {TIE_WORDS[event.on_tie].lower()}. {TIE_MEANING[event.on_tie]}"
    return Content(text, [StringChoice("On a tie for the first place", options, tie_chosen, least=1)], [])
