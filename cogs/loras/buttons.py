"""The buttons of LoRAs, and of a LoRA that is offered to another member: these work in a private message, too."""

import discord

from bot.client import DarkroomBot
from bot.errors import UserError
from bot.loras.rights import Right
from bot.records.lora import Lora
from cogs.loras.cards import name_of
from cogs.loras.forms import NoteModal, RenameModal, ask_to_archive, show_list, show_lora
from cogs.loras.panel import show_panel
from cogs.ui.access import obeying
from cogs.ui.buttons import after_defer
from cogs.ui.replies import Interaction, actor_of, defer, open_form, say


async def press_show(interaction: Interaction, lora_id: int) -> None:
    lora = await interaction.client.services.loras.get_for(lora_id, actor_of(interaction), Right.SEE)
    await show_lora(interaction, lora)


async def press_rename(interaction: Interaction, lora_id: int) -> None:
    await open_form(interaction, RenameModal(await _changeable(interaction, lora_id)))


async def press_note(interaction: Interaction, lora_id: int) -> None:
    await open_form(interaction, NoteModal(await _changeable(interaction, lora_id)))


async def press_plain(interaction: Interaction, lora_id: int) -> None:
    lora = await interaction.client.services.loras.forget_default(lora_id, actor_of(interaction))
    await say(interaction, f"{name_of(lora)} has no default strength any more, and the newest version counts again.")


async def press_archive(interaction: Interaction, lora_id: int) -> None:
    await ask_to_archive(interaction, await _changeable(interaction, lora_id))


async def _changeable(interaction: Interaction, lora_id: int) -> Lora:
    return await interaction.client.services.loras.get_for(lora_id, actor_of(interaction), Right.CHANGE)


async def press_accept(interaction: Interaction, offer_id: int) -> None:
    await defer(interaction)
    await _check_membership(interaction, offer_id)
    lora = await interaction.client.services.sharing.accept(
        offer_id, user_id=interaction.user.id, guild_id=interaction.guild_id
    )
    await say(interaction, f"{name_of(lora)} is yours now. `/loras show` shows what you can do with it.")


async def press_decline(interaction: Interaction, offer_id: int) -> None:
    await defer(interaction)
    sharing = interaction.client.services.sharing
    await sharing.decline(offer_id, user_id=interaction.user.id, guild_id=interaction.guild_id)
    await say(interaction, "You declined. Nothing changed, and the owner is told.")


async def press_withdraw(interaction: Interaction, offer_id: int) -> None:
    await defer(interaction)
    sharing = interaction.client.services.sharing
    await sharing.withdraw(offer_id, user_id=interaction.user.id, guild_id=interaction.guild_id)
    await say(interaction, "The offer is withdrawn. The LoRA is still yours.")


async def _check_membership(interaction: Interaction, offer_id: int) -> None:
    """In a private message Discord does not say whether somebody still is a member of the server."""
    offer = await interaction.client.services.sharing.view(offer_id)
    if interaction.guild_id is not None or offer is None or offer.offer.to_id != interaction.user.id:
        return
    guild = interaction.client.get_guild(offer.offer.guild_id)
    try:
        if guild is not None:
            await guild.fetch_member(interaction.user.id)
            return
    except discord.NotFound:
        pass
    raise UserError("You are not a member of that server any more, so the LoRA cannot become yours.")


async def setup(bot: DarkroomBot) -> None:
    page, share = after_defer(show_list, thinking=False), after_defer(show_panel)
    looks = obeying("loras", page=page, show=after_defer(press_show))
    changes = obeying("loras", share=share, rename=press_rename, note=press_note, plain=after_defer(press_plain))
    bot.add_buttons("lora", archive=press_archive, **looks, **changes)
    bot.add_buttons("offer", accept=press_accept, decline=press_decline, withdraw=press_withdraw)


async def teardown(bot: DarkroomBot) -> None:
    bot.remove_buttons("lora", "offer")
