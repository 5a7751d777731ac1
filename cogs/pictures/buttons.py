"""The buttons below made pictures. Every press is checked by the services; nothing here decides who may."""

from collections.abc import Sequence

from bot.client import DarkroomBot, Press
from bot.errors import NotFound
from bot.generation.access import GONE
from bot.generation.prompt import without_trigger_word
from bot.pictures.service import PictureSet
from bot.records.generation import Operation, Picture
from bot.records.guild import Actor
from cogs.generation.forms import PromptModal, place
from cogs.pictures.files import batches_of
from cogs.pictures.forms import ReportModal, ask_to_delete
from cogs.pictures.more import press_more
from cogs.pictures.panel import edits_card, gallery_choice_card, originals_card, settings_card
from cogs.ui.access import obeying
from cogs.ui.replies import File, Interaction, actor_of, attached, channel_of, defer, open_form, say, show


async def press_again(interaction: Interaction, generation_id: int) -> None:
    again = interaction.client.services.generations.again(
        generation_id, actor_of(interaction), channel=channel_of(interaction)
    )
    await place(interaction, again)


async def press_vary(interaction: Interaction, generation_id: int) -> None:
    found = await interaction.client.services.pictures.to_vary(generation_id, actor_of(interaction))
    lora = found.view.lora
    form = PromptModal(
        lora=lora,
        style=found.view.style,
        prompt=without_trigger_word(found.generation.prompt, None if lora is None else lora.trigger_word),
        settings=found.generation.settings,
        origin_id=generation_id,
    )
    await open_form(interaction, form)


async def press_settings(interaction: Interaction, generation_id: int) -> None:
    await defer(interaction)
    found = await interaction.client.services.pictures.see(generation_id, await actor_for(interaction, generation_id))
    layout, files = settings_card(found)
    await show(interaction, layout, files)


async def press_save(interaction: Interaction, generation_id: int) -> None:
    """The original bytes, in as many answers as they need."""
    await defer(interaction)
    pictures = interaction.client.services.pictures
    found = await pictures.see(generation_id, await actor_for(interaction, generation_id))
    batches, left = await batches_of(found, interaction.filesize_limit)
    first, *more = batches or [[]]
    has_links = pictures.has_live_links(found)
    layout = originals_card(found, names_of(first), left, has_links=has_links)
    await show(interaction, layout, first)
    for files in more:
        layout = originals_card(found, names_of(files), [], has_links=has_links)
        await interaction.followup.send(view=layout, files=attached(files), ephemeral=True)
    await pictures.note_saves([picture for picture in found.view.pictures if picture not in left])


async def press_upscale(interaction: Interaction, generation_id: int) -> None:
    await _offer_edits(interaction, generation_id, "Upscale")


async def press_cutout(interaction: Interaction, generation_id: int) -> None:
    await _offer_edits(interaction, generation_id, "Remove background")


async def press_gallery(interaction: Interaction, generation_id: int) -> None:
    await defer(interaction)
    found = await interaction.client.services.pictures.to_gallery(generation_id, actor_of(interaction))
    if len(found.view.pictures) > 1:
        await show(interaction, gallery_choice_card(found))
    else:
        await _send_to_gallery(interaction, found, found.view.pictures)


async def press_gallery_one(interaction: Interaction, picture_id: int) -> None:
    await defer(interaction)
    chosen = await interaction.client.services.pictures.find_by_picture(picture_id)
    if chosen is None:
        raise NotFound(GONE)
    await _send_to_gallery(interaction, chosen[0], [chosen[1]])


async def press_gallery_all(interaction: Interaction, generation_id: int) -> None:
    await defer(interaction)
    found = await interaction.client.services.pictures.to_gallery(generation_id, actor_of(interaction))
    await _send_to_gallery(interaction, found, found.view.pictures)


async def press_show(interaction: Interaction, generation_id: int) -> None:
    """In a private message: the pictures go into the channel that they were ordered in."""
    await defer(interaction)
    actor = await actor_for(interaction, generation_id)
    place = await interaction.client.services.showing.show_here(generation_id, actor)
    await say(interaction, f"On its way to <#{place.id}>.")


async def press_delete(interaction: Interaction, generation_id: int) -> None:
    await _ask_to_delete(interaction, generation_id, await actor_for(interaction, generation_id))


async def press_report(interaction: Interaction, generation_id: int) -> None:
    await interaction.client.services.reports.check(generation_id, actor_of(interaction))
    await open_form(interaction, ReportModal(generation_id))


async def press_report_delete(interaction: Interaction, report_id: int) -> None:
    actor = actor_of(interaction)
    report = await interaction.client.services.reports.for_moderator(report_id, actor)
    await _ask_to_delete(interaction, report.generation_id, actor)


async def press_report_dismiss(interaction: Interaction, report_id: int) -> None:
    await defer(interaction)
    await interaction.client.services.reports.dismiss(report_id, actor_of(interaction))
    await say(interaction, "Dismissed. The pictures stay.")


async def _offer_edits(interaction: Interaction, generation_id: int, what: str) -> None:
    await defer(interaction)
    actor, pictures = actor_of(interaction), interaction.client.services.pictures
    found = await pictures.to_edit(generation_id, actor)
    await show(interaction, edits_card(found, what, await pictures.prices(actor)))


def _ordering(operation: Operation) -> Press:
    async def press(interaction: Interaction, picture_id: int) -> None:
        ordered = interaction.client.services.pictures.edit(
            picture_id, operation, actor_of(interaction), channel=channel_of(interaction)
        )
        await place(interaction, ordered)

    return press


async def _send_to_gallery(interaction: Interaction, found: PictureSet, chosen: Sequence[Picture]) -> None:
    actor, ids = actor_of(interaction), [picture.id for picture in chosen]
    gallery, waits = await interaction.client.services.pictures.send_to_gallery(ids, found.generation.id, actor)
    if waits:
        await say(interaction, f"A moderator looks at it first; once approved, it appears in <#{gallery.id}>.")
        return
    await say(
        interaction,
        f"On its way to <#{gallery.id}>. If it does not appear, an admin can check that I may post there.",
    )


async def _ask_to_delete(interaction: Interaction, generation_id: int, actor: Actor) -> None:
    found = await interaction.client.services.pictures.to_delete(generation_id, actor)
    await ask_to_delete(interaction, generation_id, is_kept=found is None)


async def actor_for(interaction: Interaction, generation_id: int) -> Actor:
    """In a private message the bot only serves whoever ordered the pictures."""
    if interaction.guild_id is None:
        return await interaction.client.services.pictures.owner_of(generation_id, interaction.user.id)
    return actor_of(interaction)


def names_of(files: Sequence[File]) -> list[str]:
    return [name for name, _ in files]


async def setup(bot: DarkroomBot) -> None:
    bot.add_buttons(
        "pic",
        more=press_more,
        show=press_show,
        save=press_save,
        upscale=press_upscale,
        cutout=press_cutout,
        gallery=press_gallery,
        galleryone=press_gallery_one,
        galleryall=press_gallery_all,
        delete=press_delete,
        report=press_report,
        **obeying(
            "imagine",
            again=press_again,
            vary=press_vary,
            settings=press_settings,
            clarity=_ordering(Operation.UPSCALE_CLARITY),
            topaz=_ordering(Operation.UPSCALE_TOPAZ),
            background=_ordering(Operation.REMOVE_BACKGROUND),
        ),
    )
    bot.add_buttons("report", delete=press_report_delete, dismiss=press_report_dismiss)


async def teardown(bot: DarkroomBot) -> None:
    bot.remove_buttons("pic", "report")
