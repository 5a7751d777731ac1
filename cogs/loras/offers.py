"""The buttons of an offered LoRA: accept, decline, withdraw. They work in the channel and in a private message."""

import discord
from discord.ext import commands

from bot.client import DarkroomBot
from bot.errors import UserError
from cogs.loras.cards import name_of
from cogs.ui.buttons import on_press
from cogs.ui.replies import Interaction, defer, say


class OffersCog(commands.Cog):
    def __init__(self, bot: DarkroomBot) -> None:
        self.bot = bot

    async def cog_load(self) -> None:
        on_press("offer", "accept", self.press_accept)
        on_press("offer", "decline", self.press_decline)
        on_press("offer", "withdraw", self.press_withdraw)

    async def press_accept(self, interaction: Interaction, offer_id: int) -> None:
        await defer(interaction)
        await self._check_membership(interaction, offer_id)
        lora = await self.bot.services.sharing.accept(
            offer_id, user_id=interaction.user.id, guild_id=interaction.guild_id
        )
        await say(interaction, f"{name_of(lora)} is yours now. `/loras show` shows what you can do with it.")

    async def press_decline(self, interaction: Interaction, offer_id: int) -> None:
        await defer(interaction)
        await self.bot.services.sharing.decline(offer_id, user_id=interaction.user.id, guild_id=interaction.guild_id)
        await say(interaction, "You declined. Nothing changed, and the owner is told.")

    async def press_withdraw(self, interaction: Interaction, offer_id: int) -> None:
        await defer(interaction)
        await self.bot.services.sharing.withdraw(offer_id, user_id=interaction.user.id, guild_id=interaction.guild_id)
        await say(interaction, "The offer is withdrawn. It is still yours.")

    async def _check_membership(self, interaction: Interaction, offer_id: int) -> None:
        """In a private message Discord does not say whether somebody still is a member of the server."""
        offer = await self.bot.services.sharing.view(offer_id)
        if interaction.guild_id is not None or offer is None or offer.offer.to_id != interaction.user.id:
            return
        guild = self.bot.get_guild(offer.offer.guild_id)
        try:
            if guild is not None:
                await guild.fetch_member(interaction.user.id)
                return
        except discord.NotFound:
            pass
        raise UserError("You are not a member of that server any more, so the LoRA cannot become yours.")


async def setup(bot: DarkroomBot) -> None:
    await bot.add_cog(OffersCog(bot))
