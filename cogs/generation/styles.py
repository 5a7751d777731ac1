"""/styles: the gallery of ready-made styles."""

from discord import app_commands
from discord.ext import commands

from bot.client import DarkroomBot
from cogs.generation.style_cards import searchable, styles_card
from cogs.ui.buttons import WORDS_MAX
from cogs.ui.replies import Interaction, actor_of, defer, show


class StylesCog(commands.Cog):
    def __init__(self, bot: DarkroomBot) -> None:
        self.bot = bot

    @app_commands.command(description="Browse ready-made styles with a picture of each, and use one")
    @app_commands.describe(search="Letters of its name, or a word of its description")
    async def styles(
        self, interaction: Interaction, search: app_commands.Range[str, 1, WORDS_MAX] | None = None
    ) -> None:
        await defer(interaction)
        services, actor, text = self.bot.services, actor_of(interaction), searchable(search or "")
        catalogue = await services.styles.catalogue(text, actor)
        await services.sync.soon(actor.guild_id)
        await show(interaction, styles_card(catalogue, text, page=0))


async def setup(bot: DarkroomBot) -> None:
    await bot.add_cog(StylesCog(bot))
