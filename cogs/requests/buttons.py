"""The answer of the author of photos: works in a private message, too."""

from bot.client import DarkroomBot
from cogs.ui.replies import Interaction, defer, say

YES = "Thank you! They may use these photos now, and are told."
NO = "All right, nothing is used, and they are told."


async def press_yes(interaction: Interaction, request_id: int) -> None:
    await _answer(interaction, request_id, is_yes=True)


async def press_no(interaction: Interaction, request_id: int) -> None:
    await _answer(interaction, request_id, is_yes=False)


async def _answer(interaction: Interaction, request_id: int, *, is_yes: bool) -> None:
    await defer(interaction, thinking=interaction.guild_id is None)
    await interaction.client.services.requests.answer(
        request_id, is_yes=is_yes, user_id=interaction.user.id, guild_id=interaction.guild_id
    )
    await say(interaction, YES if is_yes else NO)


async def setup(bot: DarkroomBot) -> None:
    bot.add_buttons("ask", yes=press_yes, no=press_no)


async def teardown(bot: DarkroomBot) -> None:
    bot.remove_buttons("ask")
