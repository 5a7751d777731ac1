"""Giving photos to an event: the form, the consent, and what is done with both."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import discord

from bot.datasets.naming import NAMED_MAX
from bot.events.photos.consent_texts import consent_sentence
from bot.events.photos.rules import Contribution, asks_about_person
from bot.records.dataset import Gender, Upload
from bot.records.event import Event
from cogs.events.member.photos import show_mine
from cogs.training.forms import uploads_of
from cogs.training.intake import ask_consent
from cogs.training.person import WHY_ASKED, ask_about_person
from cogs.ui.replies import Interaction, actor_of
from cogs.ui.views import SafeModal
from cogs.ui.words import count

FILES_EACH = 10
"""Files one upload field takes (Discord /docs/components/reference)."""
UPLOADS = 2
"""Upload fields: a form has five parts (Discord /docs/components/reference), the others ask for people and consent."""
AGREED = "I agree to what is written above"


@dataclass(frozen=True, slots=True)
class GiveOrder:
    """One filled form; nothing of it has been downloaded."""

    event: Event
    uploads: Sequence[Upload]
    depicted: Sequence[int]
    gender: Gender | None = None
    ethnicity: str | None = None


class GiveForm(SafeModal):
    """Uploads, who can be seen in them, and the consent; a person's form has no room for it, so it is asked next."""

    def __init__(self, own: Contribution, kept: timedelta) -> None:
        super().__init__(f"Photos for {own.event.name}")
        self.event = own.event
        self.sentence = consent_sentence(own.event, kept)
        self.uploads = self._add_uploads(own.room)
        self.person = ask_about_person(self, WHY_ASKED) if asks_about_person(own.event) else None
        self.who = self._ask_who()
        self.consent = self._ask_consent() if self.person is None else None

    async def submit(self, interaction: Interaction) -> None:
        gender, ethnicity = self.person or (None, None)
        order = GiveOrder(
            self.event,
            uploads_of([attachment for field in self.uploads for attachment in field.values]),
            [user.id for user in self.who.values if not user.bot],
            Gender(gender.values[0]) if gender is not None else None,
            ethnicity.value if ethnicity is not None else None,
        )
        if self.consent is not None and self.consent.value:
            await take_order(interaction, order)
        else:

            async def agree(answered: Interaction) -> None:
                await take_order(answered, order)

            await ask_consent(interaction, self.sentence, agree)

    def _add_uploads(self, room: int) -> "list[discord.ui.FileUpload[SafeModal]]":
        fields: list[discord.ui.FileUpload[SafeModal]] = []
        for index in range(min(UPLOADS, max(1, -(-room // FILES_EACH)))):
            most = max(1, min(FILES_EACH, room - index * FILES_EACH))
            field = discord.ui.FileUpload[SafeModal](required=index == 0, min_values=int(index == 0), max_values=most)
            text = "Photos" if index == 0 else "More photos"
            description = f"Up to {most} here: JPEG, PNG, WebP, HEIC, or a ZIP. You can add more later."
            fields.append(self.add_field(text, field, description))
        return fields

    def _ask_who(self) -> "discord.ui.UserSelect[SafeModal]":
        who = discord.ui.UserSelect[SafeModal](required=False, min_values=0, max_values=NAMED_MAX)
        text, description = "Who else can be seen in these photos?", "They are asked privately before anything is used."
        return self.add_field(text, who, description)

    def _ask_consent(self) -> "discord.ui.Checkbox[SafeModal]":
        self.add_item(discord.ui.TextDisplay(self.sentence))
        return self.add_field(AGREED, discord.ui.Checkbox[SafeModal](default=False))


async def take_order(interaction: Interaction, order: GiveOrder) -> None:
    """Call it after the consent: downloads and checks the photos, then shows what was taken. Orders wait in a queue."""
    contributions = interaction.client.services.contributions
    async with contributions.queue(interaction.user.id):
        own = await contributions.give(
            order.event.id,
            order.uploads,
            actor_of(interaction),
            depicted=order.depicted,
            gender=order.gender,
            ethnicity=order.ethnicity,
        )
        await show_mine(interaction, own, _received(own))


def _received(own: Contribution) -> str:
    left_out = len(own.left_out)
    taken = f"Thank you! {count(own.received, 'photo')} received and checked."
    if not left_out:
        return taken
    return f"{taken} {count(left_out, 'photo')} did not fit any more and {'was' if left_out == 1 else 'were'} not kept."
