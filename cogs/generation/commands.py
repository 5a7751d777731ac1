"""/imagine, /styles, and the menu that opens a form with the pictures of a message."""

from dataclasses import replace

import discord
from discord import app_commands
from discord.ext import commands

from bot.client import DarkroomBot
from bot.errors import UserError
from bot.generation.capabilities import ASPECTS, FORMATS, SEED_MAX, SIZES, WIDEST, asked_for
from bot.generation.order import PartialOrder
from bot.loras.styles import Order, choice_label, choice_value
from bot.records.generation import GenerationSettings
from bot.records.key import ProviderName
from bot.text import named
from cogs.generation.cards import NAMED, NEWEST, searchable, styles_card
from cogs.generation.forms import PROMPT_MAX, PromptModal, place_partial
from cogs.loras.commands import suggest_loras
from cogs.requests.authors import author_to_ask
from cogs.training.forms import uploads_in, uploads_of
from cogs.ui.buttons import WORDS_MAX
from cogs.ui.choices import PROVIDERS, value_of
from cogs.ui.replies import Interaction, actor_of, defer, open_form, show

MENU_PICTURES = 4
CHOICES_MAX = 25
NOTHING = "none"
ORDERS = [
    app_commands.Choice(name=NAMED, value=str(Order.NAME)),
    app_commands.Choice(name=NEWEST, value=str(Order.NEWEST)),
]
NO_LORA, NO_STYLE = "No LoRA", "No style"
"""The value of the choice that takes nothing over from last time."""


class ImagineCog(commands.Cog):
    def __init__(self, bot: DarkroomBot) -> None:
        self.bot = bot
        self.menu = app_commands.ContextMenu(name="Imagine from this picture", callback=self.imagine_from)

    async def cog_load(self) -> None:
        self.bot.tree.add_command(self.menu)

    async def cog_unload(self) -> None:
        self.bot.tree.remove_command(self.menu.name, type=self.menu.type)

    @app_commands.command(description="Make pictures; what you leave out is as last time")
    @app_commands.describe(
        prompt="What should be in the picture? A trigger word is put in for you",
        lora="Which LoRA or character",
        style="Which ready-made style of Aurous Labs",
        pictures="How many: 1 to 4",
        shape="Width to height, such as 16:9",
        size="How large, at Aurous Labs",
        width="Width in pixels, together with height",
        height="Height in pixels, together with width",
        strength="How strongly a trained LoRA shows: 0.1 to 1.5, usually 1",
        guidance="How closely the prompt is followed: higher is closer",
        steps="How many times each picture is worked over: more is finer and takes longer",
        seed="The same seed and settings make the same picture again",
        format="File format, at Apiframe",
        without="What should not be in the picture, at Aurous Labs",
        enhance="Let the provider reword the prompt",
        change="How far to move away from the reference or character: 0 to 1",
        reference="A picture to start from",
        reference_2="Another picture to start from",
        provider="Who makes it, when neither LoRA nor style decides",
    )
    @app_commands.choices(
        shape=[app_commands.Choice(name=aspect, value=aspect) for aspect in (*ASPECTS, WIDEST)],
        size=[app_commands.Choice(name=size, value=size) for size in SIZES],
        format=[app_commands.Choice(name=format_, value=format_) for format_ in FORMATS],
        provider=PROVIDERS,
    )
    async def imagine(
        self,
        interaction: Interaction,
        prompt: app_commands.Range[str, 1, PROMPT_MAX],
        lora: str | None = None,
        style: str | None = None,
        pictures: app_commands.Range[int, 1, 4] | None = None,
        shape: str | None = None,
        size: str | None = None,
        width: app_commands.Range[int, 256, 4096] | None = None,
        height: app_commands.Range[int, 256, 4096] | None = None,
        strength: app_commands.Range[float, 0.1, 1.5] | None = None,
        guidance: app_commands.Range[float, 0.1, 30.0] | None = None,
        steps: app_commands.Range[int, 1, 100] | None = None,
        seed: app_commands.Range[int, 0, SEED_MAX] | None = None,
        format: str | None = None,  # noqa: A002 - the option's public name
        without: app_commands.Range[str, 1, 4000] | None = None,
        enhance: bool | None = None,
        change: app_commands.Range[float, 0.0, 1.0] | None = None,
        reference: discord.Attachment | None = None,
        reference_2: discord.Attachment | None = None,
        provider: str | None = None,
    ) -> None:
        settings = GenerationSettings(
            pictures or 1, shape, format, strength, guidance, steps, seed, without, size, width, height, enhance, change
        )
        given = {"lora": lora, "style": style, "count": pictures}
        said = {name for name, value in given.items() if value is not None} | set(asked_for(settings)) - {"count"}
        attachments = [attachment for attachment in (reference, reference_2) if attachment is not None]
        asked = None if provider is None else ProviderName(value_of(PROVIDERS, provider))
        partial = PartialOrder(
            prompt, frozenset(said), settings=settings, provider=asked, uploads=tuple(uploads_of(attachments))
        )
        services, actor = self.bot.services, actor_of(interaction)
        chosen = None if _is_nothing(lora, NO_LORA) else await services.loras.pick(str(lora), actor)
        look = None if _is_nothing(style, NO_STYLE) else await services.styles.pick(str(style), actor)
        await place_partial(interaction, replace(partial, lora=chosen, style=look))

    @imagine.autocomplete("lora")
    async def suggest(self, interaction: Interaction, current: str) -> list[app_commands.Choice[str]]:
        last = await self.bot.services.generations.last_used(actor_of(interaction))
        choices = await suggest_loras(interaction, current)
        return choices if last is None or last.lora_id is None else _with_nothing(choices, current, NO_LORA)

    @imagine.autocomplete("style")
    async def suggest_style(self, interaction: Interaction, current: str) -> list[app_commands.Choice[str]]:
        last = await self.bot.services.generations.last_used(actor_of(interaction))
        found = await self.bot.services.styles.choices(current, actor_of(interaction))
        choices = [app_commands.Choice(name=choice_label(style), value=choice_value(style)) for style in found]
        return choices if last is None or last.style_id is None else _with_nothing(choices, current, NO_STYLE)

    async def imagine_from(self, interaction: Interaction, message: discord.Message) -> None:
        """Message menu: up to four of its pictures to start from."""
        uploads = uploads_in(message, only_pictures=True)[:MENU_PICTURES]
        if not uploads:
            raise UserError("There is no picture in this message. Pick one with a picture.")
        author_id = await author_to_ask(interaction, message, uploads)
        await open_form(interaction, PromptModal(uploads=tuple(uploads), author_id=author_id))


def _is_nothing(said: str | None, label: str) -> bool:
    """Also when the label of the choice comes in place of its value: clients may send either."""
    return said is None or bool(named(said, [NOTHING, label], lambda each: [each]))


def _with_nothing(choices: list[app_commands.Choice[str]], current: str, label: str) -> list[app_commands.Choice[str]]:
    """One more choice, for not taking over what was used last time."""
    if not label.casefold().startswith(current.strip().casefold()):
        return choices
    return [*choices[: CHOICES_MAX - 1], app_commands.Choice(name=label, value=NOTHING)]


class StylesCog(commands.Cog):
    def __init__(self, bot: DarkroomBot) -> None:
        self.bot = bot

    @app_commands.command(description="Browse ready-made styles with a picture of each, and use one")
    @app_commands.describe(search="Letters of its name, or a word of its description", sort="What comes first")
    @app_commands.choices(sort=ORDERS)
    async def styles(
        self,
        interaction: Interaction,
        search: app_commands.Range[str, 1, WORDS_MAX] | None = None,
        sort: str = Order.NAME,
    ) -> None:
        await defer(interaction)
        services, actor, text = self.bot.services, actor_of(interaction), searchable(search or "")
        catalogue = await services.styles.catalogue(text, actor, Order(value_of(ORDERS, sort)))
        await services.sync.soon(actor.guild_id)
        await show(interaction, styles_card(catalogue, text, page=0))


async def setup(bot: DarkroomBot) -> None:
    await bot.add_cog(ImagineCog(bot))
    await bot.add_cog(StylesCog(bot))
