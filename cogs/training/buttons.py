"""The buttons of the dataset board, of a training that waits or failed, and the one that trains a newer version."""

import discord

from bot.client import DarkroomBot
from bot.datasets.keeping import NO_LONGER
from bot.datasets.rules import Board, DatasetOrder, can_be_kept_for, consent_sentence
from bot.errors import UserError
from bot.loras.rights import Right
from bot.records.key import ProviderName
from bot.text import lasting, quote
from cogs.training.cards import cancelled_card
from cogs.training.forms import PhotosModal, VersionModal
from cogs.training.intake import show_board
from cogs.training.naming import naming_card
from cogs.training.person import PersonModal
from cogs.training.removal import removal_card
from cogs.ui.access import obeying
from cogs.ui.layout import card
from cogs.ui.replies import Interaction, actor_of, ask, channel_of, defer, guild_of, open_form, replace, show
from cogs.ui.views import ConfirmView
from cogs.ui.words import count, when


async def press_start(interaction: Interaction, dataset_id: int) -> None:
    training = await interaction.client.services.trainings.start(
        dataset_id, actor_of(interaction), channel=channel_of(interaction)
    )
    made = "made" if training.provider is ProviderName.AUROUS else "trained"
    text = (
        f"### Accepted #{training.id} · training\n"
        f"{quote(training.name, 40)} will be {made} from {count(training.photo_count, 'photo')}. "
        "This job is safe now, even if the bot restarts.\n"
        "Its progress is shown in this channel, and you are told there when it is ready. `/jobs` shows it any time."
    )
    await replace(interaction, card(text, colour=discord.Colour.green()))


async def press_show(interaction: Interaction, dataset_id: int) -> None:
    await defer(interaction, thinking=False)
    await show_board(interaction, await _board(interaction, dataset_id))


async def press_add(interaction: Interaction, dataset_id: int) -> None:
    board = await _board(interaction, dataset_id)
    await open_form(interaction, PhotosModal(board.dataset))


async def press_remove(interaction: Interaction, dataset_id: int) -> None:
    await replace(interaction, removal_card(await _board(interaction, dataset_id)))


async def press_name(interaction: Interaction, dataset_id: int) -> None:
    await replace(interaction, naming_card(await _board(interaction, dataset_id)))


async def press_person(interaction: Interaction, dataset_id: int) -> None:
    board = await _board(interaction, dataset_id)
    await open_form(interaction, PersonModal(board.dataset))


async def press_keep(interaction: Interaction, dataset_id: int) -> None:
    board, timings = await _board(interaction, dataset_id), interaction.client.services.timings
    longest = can_be_kept_for(board.dataset, timings)
    if longest is None:
        raise UserError(NO_LONGER)

    async def agree(answered: Interaction) -> None:
        kept = await answered.client.services.datasets.keep_open(
            dataset_id, guild_id=guild_of(answered), user_id=answered.user.id
        )
        await show_board(answered, kept)

    text = (
        f"Keep {quote(board.dataset.name, 40)} open until {when(board.dataset.created_at + longest)}? Then please "
        f"agree once more:\n> {consent_sentence(board.dataset.subject_kind, longest)}"
    )
    label = f"I agree, keep it {lasting(longest)}"
    await ask(interaction, text, ConfirmView(label, agree, style=discord.ButtonStyle.success))


async def press_discard(interaction: Interaction, dataset_id: int) -> None:
    dataset = await interaction.client.services.datasets.discard(
        dataset_id, guild_id=guild_of(interaction), user_id=interaction.user.id
    )
    text = f"{quote(dataset.name, 40)} was discarded and its photos are deleted. Nothing was sent anywhere."
    await replace(interaction, card(text, colour=discord.Colour.dark_grey()))


async def press_retry(interaction: Interaction, training_id: int) -> None:
    await defer(interaction)
    training = await interaction.client.services.trainings.retry(
        training_id, actor_of(interaction), channel=channel_of(interaction)
    )
    text = f"### Accepted #{training.id} · training\nThe same photos are on their way again."
    await show(interaction, card(text, colour=discord.Colour.green()))


async def press_cancel(interaction: Interaction, training_id: int) -> None:
    await defer(interaction)
    view = await interaction.client.services.trainings.cancel(training_id, actor_of(interaction))
    await show(interaction, cancelled_card(view, interaction.user.id))


async def press_version(interaction: Interaction, lora_id: int) -> None:
    services, actor = interaction.client.services, actor_of(interaction)
    lora = await services.loras.get_for(lora_id, actor, Right.SHARE)
    kind = lora.subject_kind
    outlook = await services.outlooks.ask(actor, kind.provider)
    await open_form(interaction, VersionModal(lora, outlook, DatasetOrder("", kind)))


async def _board(interaction: Interaction, dataset_id: int) -> Board:
    return await interaction.client.services.datasets.board(
        dataset_id, guild_id=guild_of(interaction), user_id=interaction.user.id
    )


async def setup(bot: DarkroomBot) -> None:
    bot.add_buttons(
        "set",
        show=press_show,
        remove=press_remove,
        name=press_name,
        discard=press_discard,
        **obeying("train", start=press_start, add=press_add, person=press_person, keep=press_keep),
    )
    bot.add_buttons("training", cancel=press_cancel, **obeying("train", retry=press_retry, version=press_version))


async def teardown(bot: DarkroomBot) -> None:
    bot.remove_buttons("set", "training")
