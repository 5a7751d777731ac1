"""/dataset and the message menu: more photos for an open dataset, the board again, discard."""

import discord
from discord import app_commands
from discord.ext import commands

from bot.client import DarkroomBot
from bot.errors import UserError
from bot.text import quote
from cogs.training.forms import PhotosModal, show_board, take_photos, uploads_in, uploads_of
from cogs.ui.replies import Interaction, defer, guild_of, open_form, say

PHOTO_OPTIONS = ("photo", *(f"photo{number}" for number in range(2, 11)))


class DatasetCog(commands.GroupCog, group_name="dataset", group_description="The photos you are collecting"):
    def __init__(self, bot: DarkroomBot) -> None:
        self.bot = bot
        self.menu = app_commands.ContextMenu(name="Add photos to my dataset", callback=self.add_from_message)

    async def cog_load(self) -> None:
        self.bot.tree.add_command(self.menu)

    async def cog_unload(self) -> None:
        self.bot.tree.remove_command(self.menu.name, type=self.menu.type)

    @app_commands.command(description="Add up to ten photos to your newest open dataset")
    @app_commands.describe(
        consent="These are photos of me or taken with permission, everyone is 18 or older",
        **dict.fromkeys(PHOTO_OPTIONS, "A photo: JPEG, PNG, WebP or HEIC"),
    )
    async def add(
        self,
        interaction: Interaction,
        consent: bool,
        photo: discord.Attachment,
        photo2: discord.Attachment | None = None,
        photo3: discord.Attachment | None = None,
        photo4: discord.Attachment | None = None,
        photo5: discord.Attachment | None = None,
        photo6: discord.Attachment | None = None,
        photo7: discord.Attachment | None = None,
        photo8: discord.Attachment | None = None,
        photo9: discord.Attachment | None = None,
        photo10: discord.Attachment | None = None,
    ) -> None:
        await defer(interaction)
        given = (photo, photo2, photo3, photo4, photo5, photo6, photo7, photo8, photo9, photo10)
        dataset = await self.bot.services.datasets.open_dataset(
            guild_id=guild_of(interaction), user_id=interaction.user.id
        )
        uploads = uploads_of([attachment for attachment in given if attachment is not None])
        await take_photos(interaction, dataset, uploads, agreed=consent)

    @app_commands.command(description="Show the board of your newest open dataset")
    async def show(self, interaction: Interaction) -> None:
        await defer(interaction)
        service = self.bot.services.datasets
        dataset = await service.open_dataset(guild_id=guild_of(interaction), user_id=interaction.user.id)
        board = await service.board(dataset.id, guild_id=dataset.guild_id, user_id=dataset.user_id)
        await show_board(interaction, board)

    @app_commands.command(description="Delete your newest open dataset and its photos")
    async def discard(self, interaction: Interaction) -> None:
        service = self.bot.services.datasets
        dataset = await service.open_dataset(guild_id=guild_of(interaction), user_id=interaction.user.id)
        await service.discard(dataset.id, guild_id=dataset.guild_id, user_id=dataset.user_id)
        await say(interaction, f"{quote(dataset.name, 40)} was discarded and its photos are deleted.")

    async def add_from_message(self, interaction: Interaction, message: discord.Message) -> None:
        uploads = uploads_in(message, message.attachments)
        if not uploads:
            raise UserError("There are no photos in this. Pick a message with photos, or use `/dataset add`.")
        dataset = await self.bot.services.datasets.open_dataset(
            guild_id=guild_of(interaction), user_id=interaction.user.id
        )
        await open_form(interaction, PhotosModal(dataset, uploads))


async def setup(bot: DarkroomBot) -> None:
    await bot.add_cog(DatasetCog(bot))
