"""The form that begins an event. What was typed is not lost when something in it does not fit."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, TypeVar

import discord

from bot.errors import UserError
from bot.events.planning.drafts import NAME_MAX, RULES_MAX, THEME_MAX, EventDraft
from bot.records.dataset import SubjectKind, Upload
from bot.records.event import EventMode
from cogs.events.host.banner import give_banner
from cogs.events.host.settings import show_settings
from cogs.events.texts import KIND_MEANING, KIND_WORDS, MODE_MEANING, MODE_WORDS
from cogs.ui.choices import FleetingButton
from cogs.ui.replies import Interaction, actor_of, channel_of, check_event_host, open_form
from cogs.ui.views import FORM_SECONDS, SafeModal, SafeView, paragraph

FORM_MODES = (EventMode.SHARED, EventMode.PERSONAL, EventMode.CLUB)

Word = TypeVar("Word", bound=StrEnum)


class CreateForm(SafeModal):
    """`draft` fills the fields; `banner` is the picture that was attached to the command."""

    command = "event"

    def __init__(self, draft: EventDraft | None = None, banner: Upload | None = None) -> None:
        super().__init__("A new event")
        self.banner = banner
        name = discord.ui.TextInput[Any](
            placeholder="Mascot weekend",
            default=None if draft is None else draft.name,
            min_length=1,
            max_length=NAME_MAX,
        )
        theme = paragraph(default=None if draft is None else draft.theme, max_length=THEME_MAX)
        mode = _select(MODE_WORDS, MODE_MEANING, FORM_MODES, None if draft is None else draft.mode)
        kind = _select(KIND_WORDS, KIND_MEANING, tuple(KIND_WORDS), None if draft is None else draft.subject_kind)
        rules = paragraph(default=None if draft is None else draft.rules, required=False, max_length=RULES_MAX)
        self.name = self.add_field("Name", name)
        self.theme = self.add_field("Theme", theme, "What it is about.")
        self.mode = self.add_field("What comes out of it", mode)
        self.kind = self.add_field("What the photos show", kind, "For a picture club it does not matter.")
        self.rules = self.add_field("Rules", rules, "Leave empty for none.")

    async def submit(self, interaction: Interaction) -> None:
        check_event_host(interaction)
        draft = EventDraft(
            name=self.name.value,
            theme=self.theme.value,
            rules=self.rules.value,
            mode=EventMode(self.mode.values[0]),
            subject_kind=SubjectKind(self.kind.values[0]),
        )
        events = interaction.client.services.events
        try:
            event = await events.create(draft, actor_of(interaction), channel_of(interaction))
        except UserError as error:
            await self._offer_again(interaction, str(error), draft)
            return
        await show_settings(interaction, event.id)
        if self.banner is not None:
            await give_banner(interaction, event.id, self.banner)

    async def _offer_again(self, interaction: Interaction, why: str, draft: EventDraft) -> None:
        """A button that opens the form once more, with everything that was typed."""

        async def open_again(pressed: Interaction) -> None:
            await open_form(pressed, CreateForm(draft, self.banner))

        again = FleetingButton("Back to the form", open_again, style=discord.ButtonStyle.primary)
        await interaction.followup.send(why, view=SafeView(again, seconds=FORM_SECONDS), ephemeral=True)


def _select(
    words: Mapping[Word, str], meaning: Mapping[Word, str], among: tuple[Word, ...], chosen: Word | None
) -> discord.ui.Select[SafeModal]:
    return discord.ui.Select(
        options=[
            discord.SelectOption(
                label=words[each][:1].upper() + words[each][1:],
                value=each.value,
                description=meaning[each],
                default=each is chosen,
            )
            for each in among
        ]
    )
