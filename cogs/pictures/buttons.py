"""The buttons below made pictures. Every press is checked by the services; nothing here decides who may."""

from collections.abc import Sequence

from discord.ext import commands

from bot.client import DarkroomBot, Press
from bot.errors import NotFound
from bot.generation.access import GONE
from bot.pictures.service import PictureSet
from bot.records.generation import Operation, Picture
from bot.records.guild import Actor
from cogs.generation.prompt import PromptModal, place
from cogs.pictures.files import File, attached, batches_of
from cogs.pictures.forms import DeleteView, ReportModal
from cogs.pictures.panels import edits_card, gallery_choice_card, originals_card, settings_card
from cogs.ui.buttons import on_press
from cogs.ui.replies import Interaction, actor_of, ask, channel_of, defer, open_form, say, show

EDITS = {
    "clarity": Operation.UPSCALE_CLARITY,
    "topaz": Operation.UPSCALE_TOPAZ,
    "background": Operation.REMOVE_BACKGROUND,
}
"""What the buttons of one picture order, by their action."""


class PicturesCog(commands.Cog):
    def __init__(self, bot: DarkroomBot) -> None:
        self.bot = bot

    async def cog_load(self) -> None:
        on_press("pic", "again", self.press_again)
        on_press("pic", "vary", self.press_vary)
        on_press("pic", "settings", self.press_settings)
        on_press("pic", "save", self.press_save)
        on_press("pic", "upscale", self.press_upscale)
        on_press("pic", "cutout", self.press_cutout)
        on_press("pic", "gallery", self.press_gallery)
        on_press("pic", "galleryone", self.press_gallery_one)
        on_press("pic", "galleryall", self.press_gallery_all)
        on_press("pic", "delete", self.press_delete)
        on_press("pic", "report", self.press_report)
        for action, operation in EDITS.items():
            on_press("pic", action, self._orders(operation))
        on_press("report", "delete", self.press_report_delete)
        on_press("report", "dismiss", self.press_report_dismiss)

    async def press_again(self, interaction: Interaction, generation_id: int) -> None:
        again = self.bot.services.generations.again(
            generation_id, actor_of(interaction), channel=channel_of(interaction)
        )
        await place(interaction, again)

    async def press_vary(self, interaction: Interaction, generation_id: int) -> None:
        found = await self.bot.services.pictures.to_vary(generation_id, actor_of(interaction))
        form = PromptModal(
            lora=found.view.lora,
            style=found.view.style,
            prompt=found.generation.prompt,
            settings=found.generation.settings,
            origin_id=generation_id,
        )
        await open_form(interaction, form)

    async def press_settings(self, interaction: Interaction, generation_id: int) -> None:
        await defer(interaction)
        found = await self.bot.services.pictures.see(generation_id, await self._actor(interaction, generation_id))
        layout, files = settings_card(found)
        await show(interaction, layout, attached(files))

    async def press_save(self, interaction: Interaction, generation_id: int) -> None:
        """The original bytes, in as many answers as they need."""
        await defer(interaction)
        pictures = self.bot.services.pictures
        found = await pictures.see(generation_id, await self._actor(interaction, generation_id))
        batches, left = await batches_of(found, interaction.filesize_limit)
        first, *more = batches or [[]]
        has_links = pictures.has_live_links(found)
        layout = originals_card(found, names_of(first), left, has_links=has_links)
        await show(interaction, layout, attached(first))
        for files in more:
            layout = originals_card(found, names_of(files), [], has_links=has_links)
            await interaction.followup.send(view=layout, files=attached(files), ephemeral=True)
        await pictures.note_saves([picture for picture in found.view.pictures if picture not in left])

    async def press_upscale(self, interaction: Interaction, generation_id: int) -> None:
        await self._offer_edits(interaction, generation_id, "Upscale")

    async def press_cutout(self, interaction: Interaction, generation_id: int) -> None:
        await self._offer_edits(interaction, generation_id, "Remove background")

    async def press_gallery(self, interaction: Interaction, generation_id: int) -> None:
        await defer(interaction)
        found = await self.bot.services.pictures.to_gallery(generation_id, actor_of(interaction))
        if len(found.view.pictures) > 1:
            await show(interaction, gallery_choice_card(found))
        else:
            await self._send_to_gallery(interaction, found, found.view.pictures)

    async def press_gallery_one(self, interaction: Interaction, picture_id: int) -> None:
        await defer(interaction)
        chosen = await self.bot.services.pictures.find_by_picture(picture_id)
        if chosen is None:
            raise NotFound(GONE)
        await self._send_to_gallery(interaction, chosen[0], [chosen[1]])

    async def press_gallery_all(self, interaction: Interaction, generation_id: int) -> None:
        await defer(interaction)
        found = await self.bot.services.pictures.to_gallery(generation_id, actor_of(interaction))
        await self._send_to_gallery(interaction, found, found.view.pictures)

    async def press_delete(self, interaction: Interaction, generation_id: int) -> None:
        await self._ask_to_delete(interaction, generation_id, await self._actor(interaction, generation_id))

    async def press_report(self, interaction: Interaction, generation_id: int) -> None:
        await self.bot.services.reports.check(generation_id, actor_of(interaction))
        await open_form(interaction, ReportModal(generation_id))

    async def press_report_delete(self, interaction: Interaction, report_id: int) -> None:
        actor = actor_of(interaction)
        report = await self.bot.services.reports.for_moderator(report_id, actor)
        await self._ask_to_delete(interaction, report.generation_id, actor)

    async def press_report_dismiss(self, interaction: Interaction, report_id: int) -> None:
        await defer(interaction)
        await self.bot.services.reports.dismiss(report_id, actor_of(interaction))
        await say(interaction, "Dismissed. The pictures stay.")

    async def _offer_edits(self, interaction: Interaction, generation_id: int, what: str) -> None:
        await defer(interaction)
        actor, pictures = actor_of(interaction), self.bot.services.pictures
        found = await pictures.to_edit(generation_id, actor)
        await show(interaction, edits_card(found, what, await pictures.prices(actor)))

    def _orders(self, operation: Operation) -> Press:
        async def press(interaction: Interaction, picture_id: int) -> None:
            ordered = self.bot.services.pictures.edit(
                picture_id, operation, actor_of(interaction), channel=channel_of(interaction)
            )
            await place(interaction, ordered)

        return press

    async def _send_to_gallery(self, interaction: Interaction, found: PictureSet, chosen: Sequence[Picture]) -> None:
        actor, ids = actor_of(interaction), [picture.id for picture in chosen]
        gallery = await self.bot.services.pictures.send_to_gallery(ids, found.generation.id, actor)
        await say(
            interaction,
            f"On its way to <#{gallery.id}>. If it does not appear, an admin can check that I may post there.",
        )

    async def _ask_to_delete(self, interaction: Interaction, generation_id: int, actor: Actor) -> None:
        await self.bot.services.pictures.to_delete(generation_id, actor)
        question = (
            f"Delete pictures #{generation_id}? The message and its copy in the gallery go, and so do our files. "
            "This cannot be undone."
        )
        await ask(interaction, question, DeleteView(generation_id))

    async def _actor(self, interaction: Interaction, generation_id: int) -> Actor:
        """In a private message the bot only serves whoever ordered the pictures."""
        if interaction.guild_id is None:
            return await self.bot.services.pictures.owner_of(generation_id, interaction.user.id)
        return actor_of(interaction)


def names_of(files: Sequence[File]) -> list[str]:
    return [name for name, _ in files]


async def setup(bot: DarkroomBot) -> None:
    await bot.add_cog(PicturesCog(bot))
