"""/jobs: my trainings and pictures with their timelines, and results that are kept for me."""

from discord import app_commands
from discord.ext import commands

from bot.client import DarkroomBot
from bot.errors import UserError
from bot.ports import PlaceRefused
from bot.records.post import Post
from cogs.rendering import attached, render_kept
from cogs.ui.cards import jobs_card
from cogs.ui.replies import Interaction, defer, guild_of, say, show
from cogs.ui.views import on_press


class JobsCog(commands.Cog):
    def __init__(self, bot: DarkroomBot) -> None:
        self.bot = bot

    async def cog_load(self) -> None:
        on_press("job", "fetch", self.press_fetch)

    @app_commands.command(description="Your trainings and pictures here: where each one is")
    async def jobs(self, interaction: Interaction) -> None:
        await defer(interaction)
        guild_id, user_id, services = guild_of(interaction), interaction.user.id, self.bot.services
        view = jobs_card(
            await services.trainings.of_member(guild_id=guild_id, user_id=user_id),
            await services.generations.of_member(guild_id=guild_id, user_id=user_id),
            await services.outbox.kept_for(guild_id=guild_id, user_id=user_id),
        )
        await show(interaction, view)

    async def press_fetch(self, interaction: Interaction, post_id: int) -> None:
        await defer(interaction)
        kept = await self.bot.services.outbox.kept_for(guild_id=guild_of(interaction), user_id=interaction.user.id)
        post = next((post for post in kept if post.id == post_id), None)
        if post is None:
            await say(interaction, "This result has been handed over already. `/jobs` shows what is kept for you.")
            return
        await self._hand_over(interaction, post)

    async def _hand_over(self, interaction: Interaction, post: Post) -> None:
        try:
            card, files = await render_kept(self.bot.services, post, interaction.filesize_limit)
        except PlaceRefused:
            raise UserError("What was kept for you has been deleted since.") from None
        await show(interaction, card, attached(files))
        await self.bot.services.outbox.hand_over(post.id)


async def setup(bot: DarkroomBot) -> None:
    await bot.add_cog(JobsCog(bot))
