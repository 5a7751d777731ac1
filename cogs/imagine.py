"""/imagine: pictures with a LoRA, and the button that opens the same as a form."""

import discord
from discord import app_commands
from discord.ext import commands

from bot.client import DarkroomBot
from bot.generation.prompt import ASPECTS, FORMATS, SEED_MAX
from bot.models import Generation, GenerationSettings, Lora
from bot.quoting import quote
from cogs.loras import suggest_loras
from cogs.ui.replies import Interaction, channel_of, guild_of, say
from cogs.ui.views import SafeModal, on_press
from cogs.ui.words import count

FORM_SECONDS = 1800


class PromptModal(SafeModal):
    """The prompt for one picture with this LoRA."""

    def __init__(self, bot: DarkroomBot, lora: Lora) -> None:
        super().__init__(bot, title=f"A picture of {lora.name}"[:45], seconds=FORM_SECONDS)
        self.lora = lora
        self.prompt: discord.ui.TextInput[PromptModal] = discord.ui.TextInput(
            style=discord.TextStyle.paragraph,
            default=f"{lora.trigger_word or lora.name}, portrait, soft light",
            min_length=1,
            max_length=1900,
        )
        self.add_item(
            discord.ui.Label(text="Prompt", description="What should be in the picture?", component=self.prompt)
        )

    async def on_submit(self, interaction: Interaction, /) -> None:  # type: ignore[override]
        generation = await interaction.client.services.generations.order(
            self.lora,
            self.prompt.value,
            GenerationSettings(),
            channel=channel_of(interaction),
            user_id=interaction.user.id,
        )
        await say(interaction, accepted(generation, self.lora))


class ImagineCog(commands.Cog):
    def __init__(self, bot: DarkroomBot) -> None:
        self.bot = bot

    async def cog_load(self) -> None:
        on_press("lora", "imagine", self.press_imagine)

    @app_commands.command(description="Make pictures with a LoRA")
    @app_commands.describe(
        prompt="What should be in the picture? The trigger word is put in for you",
        lora="Which LoRA",
        count="How many pictures: 1 to 4",
        aspect="Shape of the picture",
        strength="How strongly the LoRA shows: 0 to 1.5, 1 if you leave it out",
        guidance="How closely the prompt is followed: 1 to 10, 3.5 if you leave it out",
        steps="How carefully it is drawn: 4 to 50, 28 if you leave it out",
        seed="The same seed and settings make the same picture again",
        format="File format",
    )
    @app_commands.choices(
        aspect=[app_commands.Choice(name=aspect, value=aspect) for aspect in ASPECTS],
        format=[app_commands.Choice(name=format_, value=format_) for format_ in FORMATS],
    )
    async def imagine(
        self,
        interaction: Interaction,
        prompt: app_commands.Range[str, 1, 1900],
        lora: str,
        count: app_commands.Range[int, 1, 4] = 1,
        aspect: str = "1:1",
        strength: app_commands.Range[float, 0.0, 1.5] | None = None,
        guidance: app_commands.Range[float, 1.0, 10.0] | None = None,
        steps: app_commands.Range[int, 4, 50] | None = None,
        seed: app_commands.Range[int, 0, SEED_MAX] | None = None,
        format: str = "png",  # noqa: A002 - the option's public name
    ) -> None:
        chosen = await self.bot.services.loras.pick(lora, guild_id=guild_of(interaction), user_id=interaction.user.id)
        generation = await self.bot.services.generations.order(
            chosen,
            prompt,
            GenerationSettings(count, aspect, format, strength, guidance, steps, seed),
            channel=channel_of(interaction),
            user_id=interaction.user.id,
        )
        await say(interaction, accepted(generation, chosen))

    @imagine.autocomplete("lora")
    async def suggest(self, interaction: Interaction, current: str) -> list[app_commands.Choice[str]]:
        return await suggest_loras(interaction, current)

    async def press_imagine(self, interaction: Interaction, lora_id: int) -> None:
        lora = await self.bot.services.loras.get_for(
            lora_id, guild_id=guild_of(interaction), user_id=interaction.user.id
        )
        await interaction.response.send_modal(PromptModal(self.bot, lora))


def accepted(generation: Generation, lora: Lora) -> str:
    pictures = count(generation.settings.count, "picture")
    return (
        f"**Accepted #{generation.id}**: {pictures} with {quote(lora.name, 40)}. "
        "Posted here, usually within a minute; `/jobs` shows where it is."
    )


async def setup(bot: DarkroomBot) -> None:
    await bot.add_cog(ImagineCog(bot))
