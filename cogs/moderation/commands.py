"""/moderation: which words are refused, who may not use the bot here, and the log."""

from collections.abc import Sequence

import discord
from discord import app_commands
from discord.ext import commands

from bot.client import DarkroomBot
from bot.errors import NotAllowed, UserError
from cogs.ui.replies import Interaction, actor_of, attached, defer, is_admin, open_form, say
from cogs.ui.views import SafeModal, paragraph
from cogs.ui.words import count

LIST_MAX = 4000
"""Characters of a text field (Discord /docs/components/reference)."""

NOT_THE_OWNER = "The owner of the server cannot be blocked."
NOT_AN_ADMIN = "Only an admin can block a member who has **Manage Server**."
NOT_A_BOT = "Bots use no commands, so there is nothing to block. Pick a member."


class WordsModal(SafeModal):
    """The whole list, one word or phrase a line."""

    command = "moderation"

    def __init__(self, words: Sequence[str]) -> None:
        super().__init__("Words that are refused")
        field = paragraph(default="\n".join(words), required=False, max_length=LIST_MAX)
        description = "Disguises like w0rd or w-o-r-d are found, too. Longer words that only contain it pass."
        self.words = self.add_field("One word or phrase a line", field, description)

    async def submit(self, interaction: Interaction) -> None:
        kept = await interaction.client.services.moderation.set_words(actor_of(interaction), self.words.value)
        what = f"{count(len(kept), 'line')} stored" if kept else "There is no list any more"
        await say(interaction, f"{what}. It holds for everything that is written from now on.")


class ModerationCog(commands.GroupCog, group_name="moderation", group_description="For admins and moderators"):
    def __init__(self, bot: DarkroomBot) -> None:
        self.bot = bot

    @app_commands.command(description="Words and phrases that no prompt, name or event of this server may hold")
    async def words(self, interaction: Interaction) -> None:
        await open_form(interaction, WordsModal(await self.bot.services.moderation.words(actor_of(interaction))))

    @app_commands.command(description="Block a member from using this bot here; their waiting orders end")
    @app_commands.describe(member="Who should be blocked")
    async def block(self, interaction: Interaction, member: discord.User) -> None:
        await defer(interaction)
        _check_blockable(interaction, member)
        await self.bot.services.moderation.block(actor_of(interaction), member.id)
        await say(
            interaction,
            f"{member.mention} is blocked here: no commands, buttons, forms, events or votes. Orders of theirs that "
            "were not sent yet end and cost nothing; their LoRAs stay. `/moderation unblock` takes it back.",
        )

    @app_commands.command(description="Let a blocked member use this bot again")
    @app_commands.describe(member="Who should be let in again")
    async def unblock(self, interaction: Interaction, member: discord.User) -> None:
        await defer(interaction)
        await self.bot.services.moderation.unblock(actor_of(interaction), member.id)
        await say(interaction, f"{member.mention} can use everything here again.")

    @app_commands.command(description="What was paid, shared, deleted, moderated and erased here, for a spreadsheet")
    async def log(self, interaction: Interaction) -> None:
        await defer(interaction)
        table = await self.bot.services.moderation.log(actor_of(interaction))
        files = attached([("moderation.csv", table.encode())])
        await interaction.followup.send("The log of this server, oldest first.", files=files, ephemeral=True)


def _check_blockable(interaction: Interaction, member: discord.User | discord.Member) -> None:
    if member.bot:
        raise UserError(NOT_A_BOT)
    if interaction.guild is not None and interaction.guild.owner_id == member.id:
        raise NotAllowed(NOT_THE_OWNER)
    is_target_admin = isinstance(member, discord.Member) and member.guild_permissions.manage_guild
    if is_target_admin and not is_admin(interaction):
        raise NotAllowed(NOT_AN_ADMIN)


async def setup(bot: DarkroomBot) -> None:
    await bot.add_cog(ModerationCog(bot))
