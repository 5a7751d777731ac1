"""Saying that one is in a LoRA, and deciding that: works in a private message, too."""

from typing import Any

import discord

from bot.client import DarkroomBot
from bot.errors import NotFound
from bot.likeness.rules import NO_CLAIM, REASON_MAX
from bot.records.guild import Actor
from bot.text import quote
from cogs.likeness.cards import QUESTION, SURE, claim_card, claimed_sentence
from cogs.ui.replies import Interaction, actor_of, ask, defer, open_form, say, show
from cogs.ui.views import ConfirmView, SafeModal, paragraph
from cogs.ui.words import ONLY_YOU

RETIRE_QUESTION = "Retire {}? Nobody can make pictures with it any more. This cannot be undone."


class KeepModal(SafeModal):
    def __init__(self, claim_id: int) -> None:
        super().__init__("Keep this LoRA")
        self.claim_id = claim_id
        field: discord.ui.TextInput[Any] = paragraph(min_length=1, max_length=REASON_MAX)
        description = "Whoever says that they are in it reads this."
        self.reason = self.add_field("Why is it kept?", field, description)

    async def submit(self, interaction: Interaction) -> None:
        actor = await _decider(interaction, self.claim_id)
        lora = await interaction.client.services.likeness.decide(self.claim_id, actor, keep=self.reason.value)
        await say(interaction, f"{quote(lora.name, 40)} is kept. They are told, with your reason.")


async def press_lora(interaction: Interaction, lora_id: int) -> None:
    await _ask_to_claim(interaction, lora_id, actor_of(interaction))


async def press_set(interaction: Interaction, generation_id: int) -> None:
    services = interaction.client.services
    if interaction.guild_id is None:
        actor = await services.pictures.owner_of(generation_id, interaction.user.id)
    else:
        actor = actor_of(interaction)
    await _ask_to_claim(interaction, await services.likeness.lora_behind(generation_id, actor), actor)


async def _ask_to_claim(interaction: Interaction, lora_id: int, actor: Actor) -> None:
    await interaction.client.services.likeness.check(lora_id, actor)

    async def claim(answered: Interaction) -> None:
        view = await answered.client.services.likeness.claim(lora_id, actor)
        await say(answered, claimed_sentence(view))

    await ask(interaction, QUESTION, ConfirmView(SURE, claim, for_everybody=True))


async def press_show(interaction: Interaction, claim_id: int) -> None:
    """Below the card of a LoRA, for its owner and the admins."""
    await defer(interaction)
    view = await interaction.client.services.likeness.to_decide(claim_id, actor_of(interaction))
    guild = interaction.guild
    card = claim_card(view, "this server" if guild is None else guild.name)
    card.add_text(ONLY_YOU)
    await show(interaction, card)


async def press_retire(interaction: Interaction, claim_id: int) -> None:
    view = await interaction.client.services.likeness.to_decide(claim_id, await _decider(interaction, claim_id))
    name = "it" if view.lora is None else quote(view.lora.name, 40)

    async def retire(answered: Interaction) -> None:
        await answered.client.services.likeness.decide(claim_id, await _decider(answered, claim_id))
        await say(answered, f"{name} is retired, and they are told. Its provider is asked to remove it, too.")

    await ask(interaction, RETIRE_QUESTION.format(name), ConfirmView("Retire for good", retire))


async def press_keep(interaction: Interaction, claim_id: int) -> None:
    await interaction.client.services.likeness.to_decide(claim_id, await _decider(interaction, claim_id))
    await open_form(interaction, KeepModal(claim_id))


async def _decider(interaction: Interaction, claim_id: int) -> Actor:
    """In a private message nothing tells who is a moderator, so there the owner alone decides."""
    if interaction.guild_id is not None:
        return actor_of(interaction)
    view = await interaction.client.services.likeness.view(claim_id)
    if view is None:
        raise NotFound(NO_CLAIM)
    return Actor(view.claim.guild_id, interaction.user.id)


async def setup(bot: DarkroomBot) -> None:
    bot.add_buttons("claim", lora=press_lora, set=press_set, show=press_show, retire=press_retire, keep=press_keep)


async def teardown(bot: DarkroomBot) -> None:
    bot.remove_buttons("claim")
