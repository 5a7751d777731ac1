"""The page of an event's settings about what comes of the vote."""

from collections.abc import Sequence

import discord

from bot.errors import NotAllowed
from bot.records.event import EventMode, OnTie
from cogs.events.host.pages import Content, ShownPage
from cogs.events.texts import TIE_MEANING, TIE_WORDS
from cogs.ui.buttons import ActionButton
from cogs.ui.choices import Chosen, RoleChoice, StringChoice
from cogs.ui.replies import Interaction

NOT_YOURS_TO_GIVE = (
    "You can choose a role that you could give yourself: it takes **Manage Roles**, and a role of your own above "
    "<@&{}>. Nothing was changed."
)


def result_page(shown: ShownPage) -> Content:
    event = shown.event

    async def tie_chosen(interaction: Interaction, values: Sequence[str]) -> None:
        await shown.store(interaction, on_tie=OnTie(values[0]))

    options = [
        discord.SelectOption(label=label, value=each.value, description=TIE_MEANING[each], default=each is event.on_tie)
        for each, label in TIE_WORDS.items()
    ]
    text = f"**On a tie for the first place:** {TIE_WORDS[event.on_tie].lower()}. {TIE_MEANING[event.on_tie]}"
    tie = StringChoice("On a tie for the first place", options, tie_chosen, least=1)
    if event.mode is EventMode.BAKEOFF:
        return Content(text, [tie], [])
    role_id = event.winner_role_id
    given = "none" if role_id is None else f"<@&{role_id}>{', and earlier winners lose it' * event.passes_role}"
    passing = ActionButton("host", "passrole", event.id, label=f"Role goes on: {'on' if event.passes_role else 'off'}")
    before = shown.roles.intersection([] if role_id is None else [role_id])
    return Content(
        f"{text}\n**Role for the winner:** {given}",
        [tie, RoleChoice("The role for the winner", before, _storing_role(shown), most=1)],
        [passing],
    )


def _storing_role(shown: ShownPage) -> Chosen:
    async def chosen(interaction: Interaction, values: Sequence[int]) -> None:
        for role_id in values:
            check_could_give(interaction, role_id)
        await shown.store(interaction, winner_role_id=values[0] if values else None)

    return chosen


def check_could_give(interaction: Interaction, role_id: int) -> None:
    """NotAllowed unless Discord would let the member give this role themselves: the bot does it in their stead.

    (Discord /docs/topics/permissions#permission-hierarchy)
    """
    guild, user = interaction.guild, interaction.user
    role = None if guild is None else guild.get_role(role_id)
    if guild is not None and guild.owner_id == user.id:
        return
    may = isinstance(user, discord.Member) and user.guild_permissions.manage_roles
    if role is None or not may or not isinstance(user, discord.Member) or role >= user.top_role:
        raise NotAllowed(NOT_YOURS_TO_GIVE.format(role_id))
