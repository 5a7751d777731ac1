"""/loras: what this member has made or may use here, and everything they can do with it."""

import discord
from discord import app_commands
from discord.ext import commands

from bot.client import DarkroomBot
from bot.errors import UserError
from bot.loras.rights import Right
from bot.loras.service import NOTE_MAX, choice_label, choice_value
from bot.records.lora import NAME_MAX, Audience, Lora
from bot.records.post import PostKind
from bot.text import quote
from cogs.loras.cards import name_of
from cogs.loras.forms import NoteModal, RenameModal, ask_to_archive, show_list, show_lora
from cogs.loras.handover import offered_card
from cogs.loras.importing import ImportPanel
from cogs.loras.panel import audience_of, share_with, show_panel
from cogs.ui.replies import Interaction, actor_of, channel_of, defer, is_admin, open_form, say, show

Choices = list[app_commands.Choice[str]]


class LorasCog(commands.GroupCog, group_name="loras", group_description="Your LoRAs and characters"):
    def __init__(self, bot: DarkroomBot) -> None:
        self.bot = bot

    @app_commands.command(name="list", description="Your LoRAs and characters here, and those shared with you")
    async def list_mine(self, interaction: Interaction) -> None:
        await defer(interaction)
        await show_list(interaction, 0)

    @app_commands.command(description="One LoRA: owner, trigger word, uses, its best pictures, and what you can do")
    @app_commands.describe(lora="Which one")
    async def show(self, interaction: Interaction, lora: str) -> None:
        await defer(interaction)
        await show_lora(interaction, await self._pick(interaction, lora, Right.SEE))

    @app_commands.command(description="Let others make pictures with your LoRA, or take that back")
    @app_commands.describe(
        lora="Which one",
        with_="A member or a role; leave it out to see and change whom it is shared with",
        everyone="Everyone in this server",
        event="Everybody in an event that is running",
    )
    @app_commands.rename(with_="with")
    async def share(
        self,
        interaction: Interaction,
        lora: str,
        with_: discord.Member | discord.User | discord.Role | None = None,
        everyone: bool = False,
        event: str | None = None,
    ) -> None:
        await defer(interaction)
        chosen = await self._pick(interaction, lora, Right.CHANGE)
        if with_ is not None:
            await share_with(interaction, chosen.id, *audience_of(with_))
        if everyone:
            await share_with(interaction, chosen.id, Audience.GUILD, None)
        if event is not None:
            picked = await self.bot.services.events.pick(event, actor_of(interaction))
            await share_with(interaction, chosen.id, Audience.EVENT, picked.id)
        await show_panel(interaction, chosen.id)

    @app_commands.command(description="Hand your LoRA over to another member, who has to accept it")
    @app_commands.describe(lora="Which one", to="Who should own it")
    async def transfer(self, interaction: Interaction, lora: str, to: discord.Member | discord.User) -> None:
        await defer(interaction)
        chosen = await self._pick(interaction, lora, Right.SHARE)
        if to.bot or not isinstance(to, discord.Member):
            raise UserError("A LoRA can be handed over to a member of this server, not to a bot. Please pick one.")
        services = self.bot.services
        offered = await services.sharing.offer(chosen.id, to.id, actor_of(interaction), channel_of(interaction))
        notes = await services.questions.notes(PostKind.LORA_OFFER, [offered.offer.id])
        await show(interaction, offered_card(offered, notes))

    @app_commands.command(description="Give your LoRA another name")
    @app_commands.describe(lora="Which one", name="The new name; leave it out to write it in a form")
    async def rename(
        self, interaction: Interaction, lora: str, name: app_commands.Range[str, 1, NAME_MAX] | None = None
    ) -> None:
        chosen = await self._pick(interaction, lora, Right.CHANGE)
        if name is None:
            await open_form(interaction, RenameModal(chosen))
            return
        renamed = await self.bot.services.loras.rename(chosen.id, name, actor_of(interaction))
        await say(interaction, f"{quote(chosen.name, NAME_MAX)} is called {name_of(renamed)} now.")

    @app_commands.command(description="Write a note that everybody sees who may use your LoRA")
    @app_commands.describe(lora="Which one", note="The note; leave it out to write it in a form")
    async def note(
        self, interaction: Interaction, lora: str, note: app_commands.Range[str, 1, NOTE_MAX] | None = None
    ) -> None:
        chosen = await self._pick(interaction, lora, Right.CHANGE)
        if note is None:
            await open_form(interaction, NoteModal(chosen))
            return
        await self.bot.services.loras.write_note(chosen.id, note, actor_of(interaction))
        await say(interaction, f"The note of {name_of(chosen)} is saved.")

    @app_commands.command(description="Archive a LoRA: the provider deletes it, and nobody can use it any more")
    @app_commands.describe(lora="Which one")
    async def archive(self, interaction: Interaction, lora: str) -> None:
        await ask_to_archive(interaction, await self._pick(interaction, lora, Right.CHANGE))

    @app_commands.command(name="import", description="Give LoRAs of your Apiframe team an owner here (admins only)")
    @app_commands.check(is_admin)
    async def import_(self, interaction: Interaction) -> None:
        await defer(interaction)
        await show(interaction, ImportPanel(await self.bot.services.imports.found(actor_of(interaction))))

    @show.autocomplete("lora")
    async def suggest_to_see(self, interaction: Interaction, current: str) -> Choices:
        return await suggest_loras(interaction, current, Right.SEE)

    @transfer.autocomplete("lora")
    async def suggest_to_hand_over(self, interaction: Interaction, current: str) -> Choices:
        return await suggest_loras(interaction, current, Right.SHARE)

    @share.autocomplete("event")
    async def suggest_events(self, interaction: Interaction, current: str) -> Choices:
        found = await self.bot.services.events.choices(current, actor_of(interaction))
        running = [event for event in found if event.status.is_live]
        return [app_commands.Choice(name=event.name, value=str(event.id)) for event in running]

    @share.autocomplete("lora")
    @rename.autocomplete("lora")
    @note.autocomplete("lora")
    @archive.autocomplete("lora")
    async def suggest_to_change(self, interaction: Interaction, current: str) -> Choices:
        return await suggest_loras(interaction, current, Right.CHANGE)

    async def _pick(self, interaction: Interaction, value: str, right: Right) -> Lora:
        return await self.bot.services.loras.pick(value, actor_of(interaction), right)


async def suggest_loras(interaction: Interaction, current: str, right: Right = Right.USE) -> Choices:
    """Choices over what this member may do this with; the value is opaque."""
    found = await interaction.client.services.loras.choices(current, actor_of(interaction), right)
    return [app_commands.Choice(name=choice_label(lora), value=choice_value(lora)) for lora in found]


async def setup(bot: DarkroomBot) -> None:
    await bot.add_cog(LorasCog(bot))
