"""/train, /dataset and the menu that adds the photos of a message."""

import discord
from discord import app_commands
from discord.ext import commands

from bot.client import DarkroomBot
from bot.datasets.rules import DatasetOrder, check_order
from bot.errors import NoKey, UserError
from bot.loras.rights import Right
from bot.loras.service import choice_label, choice_value
from bot.records.dataset import Gender, SubjectKind
from bot.records.key import ProviderName
from bot.records.lora import Lora
from bot.text import quote
from bot.training.outlook import Outlook
from cogs.requests.authors import author_to_ask
from cogs.training.forms import AskingTrainModal, PhotosModal, TrainModal, VersionModal, uploads_in, uploads_of
from cogs.training.intake import show_board, take_photos
from cogs.ui.choices import value_of
from cogs.ui.replies import Interaction, actor_of, defer, guild_of, open_form, say
from cogs.ui.words import SUBJECT_WORDS

CHARACTER_HINT = {SubjectKind.CHARACTER: " (instant, 1 to 6 photos)"}
SUBJECTS = [
    app_commands.Choice(name=words + CHARACTER_HINT.get(kind, ""), value=kind.value)
    for kind, words in SUBJECT_WORDS.items()
]
GENDERS = [app_commands.Choice(name=gender.value, value=gender.value) for gender in Gender]
ETHNICITIES = (
    "White",
    "Black",
    "East Asian",
    "South Asian",
    "Southeast Asian",
    "Hispanic/Latino",
    "Middle Eastern",
    "Mixed",
)
SAME_SUBJECT = "A newer version shows the same as the one before it. Please leave `subject` out."
PHOTO_OPTIONS = ("photo", *(f"photo{number}" for number in range(2, 11)))


class TrainCog(commands.Cog):
    def __init__(self, bot: DarkroomBot) -> None:
        self.bot = bot

    @app_commands.command(description="Train a LoRA from 15 to 30 photos, or make an instant character from 1 to 6")
    @app_commands.describe(
        subject="What the photos show; the form asks if you leave it out",
        gender="For a person; asked later if you leave it out",
        ethnicity="For a person; asked later if you leave it out",
        age="For a person, if you like: 25, early 30s …",
        steps="How long to train: 500 to 3000, 1000 if you leave it out",
        rank="How much the LoRA can hold: 8 to 64, 32 if you leave it out",
        version_of="Your LoRA of which this becomes a newer version; it shows the same",
    )
    @app_commands.choices(subject=SUBJECTS, gender=GENDERS)
    async def train(
        self,
        interaction: Interaction,
        subject: str | None = None,
        gender: str | None = None,
        ethnicity: app_commands.Range[str, 1, 40] | None = None,
        age: app_commands.Range[str, 1, 40] | None = None,
        steps: app_commands.Range[int, 500, 3000] | None = None,
        rank: app_commands.Range[int, 8, 64] | None = None,
        version_of: str | None = None,
    ) -> None:
        before = None if version_of is None else await self._before(interaction, version_of, subject)
        kind = subject_of(subject, gender or ethnicity or age) if before is None else before.subject_kind
        order = DatasetOrder(
            name="",
            subject_kind=kind or SubjectKind.PERSON,
            gender=Gender(value_of(GENDERS, gender)) if gender else None,
            ethnicity=ethnicity,
            age=age,
            steps=steps,
            rank=rank,
        )
        check_order(order)
        outlook = await self._outlook(interaction, order.subject_kind)
        if before is not None:
            await open_form(interaction, VersionModal(before, outlook, order))
            return
        if kind is not None:
            await open_form(interaction, TrainModal(order, outlook))
            return
        kinds: list[SubjectKind] = [each for each in SubjectKind if each is not SubjectKind.CHARACTER]
        if steps is rank is None and await self._has_key(interaction, SubjectKind.CHARACTER.provider):
            kinds.append(SubjectKind.CHARACTER)
        await open_form(interaction, AskingTrainModal(order, outlook, kinds))

    @train.autocomplete("ethnicity")
    async def suggest_ethnicity(self, interaction: Interaction, current: str) -> list[app_commands.Choice[str]]:
        typed = current.strip().casefold()
        return [app_commands.Choice(name=name, value=name) for name in ETHNICITIES if typed in name.casefold()]

    @train.autocomplete("version_of")
    async def suggest_before(self, interaction: Interaction, current: str) -> list[app_commands.Choice[str]]:
        found = await self.bot.services.loras.choices(current, actor_of(interaction), Right.SHARE)
        return [app_commands.Choice(name=choice_label(lora), value=choice_value(lora)) for lora in found]

    async def _before(self, interaction: Interaction, version_of: str, subject: str | None) -> Lora:
        """The LoRA of which a newer version is wanted."""
        if subject is not None:
            raise UserError(SAME_SUBJECT)
        return await self.bot.services.loras.pick(version_of, actor_of(interaction), Right.SHARE)

    async def _outlook(self, interaction: Interaction, kind: SubjectKind) -> Outlook:
        """Before anybody uploads photos that could go nowhere. Without a key it tells the way that is left."""
        try:
            return await self.bot.services.outlooks.ask(actor_of(interaction), kind.provider)
        except NoKey as error:
            if kind is SubjectKind.CHARACTER:
                raise error.adding("Or pick another `subject` to train a LoRA instead.") from error
            if await self._has_key(interaction, SubjectKind.CHARACTER.provider):
                raise error.adding("Or send `/train subject:a character`, which takes 1 to 6 photos.") from error
            raise

    async def _has_key(self, interaction: Interaction, provider: ProviderName) -> bool:
        try:
            await self.bot.services.keys.current(guild_of(interaction), provider)
        except NoKey:
            return False
        return True


def subject_of(subject: str | None, about_a_person: str | None) -> SubjectKind | None:
    """What is trained: what was chosen, a person if something about one was said; None: the form asks."""
    if subject is not None:
        return SubjectKind(value_of(SUBJECTS, subject))
    return SubjectKind.PERSON if about_a_person else None


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
        **dict.fromkeys(PHOTO_OPTIONS, "A photo (JPEG, PNG, WebP or HEIC), or a ZIP of photos"),
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
        uploads = uploads_in(message)
        if not uploads:
            raise UserError("There are no photos in this. Pick a message with photos, or use `/dataset add`.")
        dataset = await self.bot.services.datasets.open_dataset(
            guild_id=guild_of(interaction), user_id=interaction.user.id
        )
        await open_form(interaction, PhotosModal(dataset, uploads, await author_to_ask(interaction, message, uploads)))


async def setup(bot: DarkroomBot) -> None:
    await bot.add_cog(TrainCog(bot))
    await bot.add_cog(DatasetCog(bot))
