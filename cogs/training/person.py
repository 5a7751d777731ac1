"""What the provider needs to know of a person: the fields, and the form that the board opens for them."""

from typing import Any, ClassVar

import discord

from bot.datasets.rules import Board, DatasetOrder
from bot.records.dataset import Dataset, Gender
from cogs.training.intake import show_board
from cogs.ui.replies import Interaction, guild_of
from cogs.ui.views import SafeModal

ETHNICITY_MAX = 40
AGE_MAX = 40
WHY_ASKED = "The provider needs it to train a person. Deleted with the photos."


class PersonModal(SafeModal):
    """What the provider needs to know of a person; the board comes back with it."""

    command: ClassVar[str | None] = "train"
    thinking = False

    def __init__(self, dataset: Dataset) -> None:
        super().__init__("About the person in the photos")
        self.dataset_id = dataset.id
        self.gender, self.ethnicity = ask_about_person(self, WHY_ASKED, dataset)
        age = discord.ui.TextInput[Any](
            placeholder="25, early 30s …", required=False, max_length=AGE_MAX, default=dataset.age
        )
        self.age = self.add_field("Age", age, "If you like; everyone has to be 18 or older.")

    async def submit(self, interaction: Interaction) -> None:
        await show_board(interaction, await self.store(interaction))

    async def store(self, interaction: Interaction) -> Board:
        return await interaction.client.services.datasets.describe_person(
            self.dataset_id,
            Gender(self.gender.values[0]),
            self.ethnicity.value,
            self.age.value,
            guild_id=guild_of(interaction),
            user_id=interaction.user.id,
        )


def ask_about_person(
    form: SafeModal, why: str, said: Dataset | DatasetOrder | None = None
) -> tuple[discord.ui.Select[Any], discord.ui.TextInput[Any]]:
    """The fields for gender and ethnicity, filled with what was `said` before."""
    gender_before, ethnicity_before = (None, None) if said is None else (said.gender, said.ethnicity)
    genders = [
        discord.SelectOption(label=gender.value, value=gender.value, default=gender is gender_before)
        for gender in Gender
    ]
    ethnicity = discord.ui.TextInput[Any](
        placeholder="White, Black, East Asian, Mixed …",
        min_length=1,
        max_length=ETHNICITY_MAX,
        default=ethnicity_before,
    )
    gender = form.add_field("Gender", discord.ui.Select[Any](options=genders), why)
    return gender, form.add_field("Ethnicity", ethnicity, why)
