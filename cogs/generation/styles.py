"""/styles: the gallery of ready-made styles, and the form that orders pictures in one."""

from discord import app_commands
from discord.ext import commands

from bot.client import DarkroomBot
from cogs.generation.prompt import PromptModal
from cogs.generation.style_cards import SEARCH_MAX, StylesPageButton, searchable, styles_card
from cogs.ui.buttons import on_press
from cogs.ui.replies import Interaction, actor_of, defer, open_form, show


class StylesCog(commands.Cog):
    def __init__(self, bot: DarkroomBot) -> None:
        self.bot = bot

    async def cog_load(self) -> None:
        on_press("style", "use", self.press_use)
        self.bot.add_dynamic_items(StylesPageButton)

    @app_commands.command(description="Browse ready-made styles with a picture of each, and use one")
    @app_commands.describe(search="Letters of its name, or a word of its description")
    async def styles(
        self, interaction: Interaction, search: app_commands.Range[str, 1, SEARCH_MAX] | None = None
    ) -> None:
        await defer(interaction)
        services, actor, text = self.bot.services, actor_of(interaction), searchable(search or "")
        catalogue = await services.styles.catalogue(text, actor)
        await services.sync.soon(actor.guild_id)
        await show(interaction, styles_card(catalogue, text, page=0))

    async def press_use(self, interaction: Interaction, style_id: int) -> None:
        style = await self.bot.services.styles.get_for(style_id, actor_of(interaction))
        await open_form(interaction, PromptModal(style=style))


async def setup(bot: DarkroomBot) -> None:
    await bot.add_cog(StylesCog(bot))
