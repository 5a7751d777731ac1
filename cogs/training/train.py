"""/train and the dataset board: photos in, one press starts the training."""

from discord import app_commands
from discord.ext import commands

from bot.client import DarkroomBot
from bot.datasets.rules import DatasetOrder, check_order
from bot.errors import NoKey
from bot.records.dataset import Gender, SubjectKind
from cogs.training.forms import TrainModal
from cogs.ui.replies import Interaction, guild_of, open_form
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


class TrainCog(commands.Cog):
    def __init__(self, bot: DarkroomBot) -> None:
        self.bot = bot

    @app_commands.command(description="Train a LoRA from 15 to 30 photos, or make an instant character from 1 to 6")
    @app_commands.describe(
        subject="What the photos show; a pet, object or place if you leave it out",
        gender="For a person; the provider needs it",
        ethnicity="For a person; the provider needs it",
        age="For a person, if you like: 25, early 30s …",
        steps="How long to train: 500 to 3000, 1000 if you leave it out",
        rank="How much the LoRA can hold: 8 to 64, 32 if you leave it out",
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
    ) -> None:
        order = DatasetOrder(
            name="",
            subject_kind=subject_of(subject, gender or ethnicity or age),
            gender=Gender(gender) if gender else None,
            ethnicity=ethnicity,
            age=age,
            steps=steps,
            rank=rank,
        )
        check_order(order)
        if order.subject_kind is SubjectKind.CHARACTER:
            await self._check_character_key(guild_of(interaction))
        await open_form(interaction, TrainModal(order))

    @train.autocomplete("ethnicity")
    async def suggest_ethnicity(self, interaction: Interaction, current: str) -> list[app_commands.Choice[str]]:
        typed = current.strip().casefold()
        return [app_commands.Choice(name=name, value=name) for name in ETHNICITIES if typed in name.casefold()]

    async def _check_character_key(self, guild_id: int) -> None:
        """Before anybody uploads photos that could go nowhere."""
        try:
            await self.bot.services.keys.current(guild_id, SubjectKind.CHARACTER.provider)
        except NoKey as error:
            raise NoKey(f"{error} Or pick another `subject` to train a LoRA instead.") from error


def subject_of(subject: str | None, about_a_person: str | None) -> SubjectKind:
    """What is trained when the option was left out: a person if something about one was said, else a thing."""
    if subject is not None:
        return SubjectKind(subject)
    return SubjectKind.PERSON if about_a_person else SubjectKind.OBJECT


async def setup(bot: DarkroomBot) -> None:
    await bot.add_cog(TrainCog(bot))
