"""The buttons that open the form for a prompt, those of an accepted order, and those of the gallery of styles."""

from bot.client import DarkroomBot, Press
from bot.loras.styles import Order
from cogs.generation.cards import styles_card
from cogs.generation.forms import PromptModal
from cogs.ui.access import obeying
from cogs.ui.buttons import words_of
from cogs.ui.replies import Interaction, actor_of, defer, open_form, replace, say


async def press_imagine(interaction: Interaction, lora_id: int) -> None:
    lora = await interaction.client.services.loras.get_for(lora_id, actor_of(interaction))
    await open_form(interaction, PromptModal(lora=lora))


async def press_cancel(interaction: Interaction, generation_id: int) -> None:
    await defer(interaction)
    await say(interaction, await interaction.client.services.generations.cancel(generation_id, actor_of(interaction)))


async def press_reset(interaction: Interaction, _generation_id: int) -> None:
    await interaction.client.services.generations.forget_settings(actor_of(interaction))
    await say(interaction, "Done. Your next `/imagine` starts from the defaults again.")


async def press_use(interaction: Interaction, style_id: int) -> None:
    style = await interaction.client.services.styles.get_for(style_id, actor_of(interaction))
    await open_form(interaction, PromptModal(style=style))


def _page_by(order: Order) -> Press:
    async def press(interaction: Interaction, page: int) -> None:
        services, actor, search = interaction.client.services, actor_of(interaction), words_of(interaction)
        await services.sync.soon(actor.guild_id)
        await replace(interaction, styles_card(await services.styles.catalogue(search, actor, order), search, page))

    return press


async def setup(bot: DarkroomBot) -> None:
    bot.add_buttons("order", cancel=press_cancel, **obeying("imagine", imagine=press_imagine, reset=press_reset))
    pages = {"page": _page_by(Order.NAME), "newest": _page_by(Order.NEWEST)}
    bot.add_buttons("style", **obeying("styles", use=press_use, **pages))


async def teardown(bot: DarkroomBot) -> None:
    bot.remove_buttons("order", "style")
