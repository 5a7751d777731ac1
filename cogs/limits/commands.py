"""/budget: what a server and its members may spend each month, what is left, and every job as a table."""

import discord
from discord import app_commands
from discord.ext import commands

from bot.client import DarkroomBot
from bot.records.limit import LimitKind
from cogs.limits.cards import changed_card, overview_card, rest_card
from cogs.ui.choices import value_of
from cogs.ui.news_role import warning
from cogs.ui.replies import Interaction, actor_of, attached, defer, guild_of, is_admin, say, show

WHO = [
    app_commands.Choice(name="the whole server", value=LimitKind.SERVER.value),
    app_commands.Choice(name="each member", value=LimitKind.MEMBER.value),
    app_commands.Choice(name="a role", value=LimitKind.ROLE.value),
]
MOST = 10_000_000
Number = app_commands.Range[int, 0, MOST]


class BudgetCog(commands.GroupCog, group_name="budget", group_description="What may be spent here each month"):
    def __init__(self, bot: DarkroomBot) -> None:
        self.bot = bot

    @app_commands.command(name="set", description="Limit what may be spent each month (admins only)")
    @app_commands.describe(
        who="Whose spending is limited",
        role="Which role, with who: a role",
        credits_="Credits a month; leave it out for no limit",
        trainings="Trainings a month; leave it out for no limit",
        pictures="Pictures a month; leave it out for no limit",
    )
    @app_commands.rename(credits_="credits")
    @app_commands.choices(who=WHO)
    @app_commands.check(is_admin)
    async def set_limit(
        self,
        interaction: Interaction,
        who: str,
        role: discord.Role | None = None,
        credits_: Number | None = None,
        trainings: Number | None = None,
        pictures: Number | None = None,
    ) -> None:
        await defer(interaction)
        services, role_id = self.bot.services, None if role is None else role.id
        limit = await services.limits.set(
            actor_of(interaction),
            LimitKind(value_of(WHO, who)),
            role_id,
            credits_=credits_,
            trainings=trainings,
            pictures=pictures,
        )
        chosen = await services.guilds.get(guild_of(interaction))
        await show(interaction, changed_card(limit, warning(role_id, chosen.news_role_id if chosen else None)))

    @app_commands.command(description="Take a limit away (admins only)")
    @app_commands.describe(who="Whose limit", role="Which role, with who: a role")
    @app_commands.choices(who=WHO)
    @app_commands.check(is_admin)
    async def clear(self, interaction: Interaction, who: str, role: discord.Role | None = None) -> None:
        await defer(interaction)
        whose = LimitKind(value_of(WHO, who))
        await self.bot.services.limits.clear(actor_of(interaction), whose, None if role is None else role.id)
        await say(interaction, "That limit is gone. `/budget show` lists those that are left.")

    @app_commands.command(name="show", description="What you have left this month; for admins the whole server, too")
    async def show_budget(self, interaction: Interaction) -> None:
        await defer(interaction)
        services = self.bot.services.limits
        await show(interaction, rest_card(await services.rest_of(actor_of(interaction))))
        if is_admin(interaction):
            if interaction.guild is not None:
                await self._keep_roles(interaction.guild)
            seen = await services.overview(guild_of(interaction))
            await interaction.followup.send(view=overview_card(seen), ephemeral=True)

    @app_commands.command(description="Every job and what it took, as a table for a spreadsheet (admins only)")
    @app_commands.check(is_admin)
    async def export(self, interaction: Interaction) -> None:
        await defer(interaction)
        table = await self.bot.services.limits.export(guild_of(interaction))
        files = attached([("budget.csv", table.encode())])
        await interaction.followup.send("Every job that cost credits, oldest first.", files=files, ephemeral=True)

    @commands.Cog.listener()
    async def on_guild_role_delete(self, role: discord.Role) -> None:
        await self._keep_roles(role.guild)

    async def _keep_roles(self, guild: discord.Guild) -> None:
        await self.bot.services.limits.keep_roles(guild.id, {role.id for role in guild.roles})


async def setup(bot: DarkroomBot) -> None:
    await bot.add_cog(BudgetCog(bot))
