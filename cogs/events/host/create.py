"""The form that begins an event. What was typed is not lost when something in it does not fit."""

from collections.abc import Awaitable, Callable, Mapping
from enum import StrEnum
from typing import TypeVar

import discord

from bot.client import DarkroomBot
from bot.errors import NotAllowed, UserError
from bot.events.drafts import NAME_MAX, RULES_MAX, THEME_MAX, EventDraft
from bot.records.dataset import SubjectKind
from bot.records.event import Event, EventMode
from cogs.events.texts import KIND_MEANING, KIND_WORDS, MODE_MEANING, MODE_WORDS
from cogs.ui.replies import Interaction, actor_of, channel_of, defer, is_admin, open_form
from cogs.ui.views import FORM_SECONDS, SafeModal, SafeView

FORM_MODES = (EventMode.SHARED, EventMode.PERSONAL, EventMode.CLUB)

Created = Callable[[Interaction, Event], Awaitable[None]]
Word = TypeVar("Word", bound=StrEnum)


class CreateForm(SafeModal):
    """`created` shows what comes next; `draft` fills the fields."""

    def __init__(self, created: Created, draft: EventDraft | None = None) -> None:
        super().__init__("A new event")
        self.created = created
        self.name: discord.ui.TextInput[SafeModal] = discord.ui.TextInput(
            placeholder="Mascot weekend",
            default=None if draft is None else draft.name,
            min_length=1,
            max_length=NAME_MAX,
        )
        self.theme = _paragraph(None if draft is None else draft.theme, THEME_MAX, required=True)
        self.mode = _select(MODE_WORDS, MODE_MEANING, FORM_MODES, None if draft is None else draft.mode)
        self.kind = _select(KIND_WORDS, KIND_MEANING, tuple(KIND_WORDS), None if draft is None else draft.subject_kind)
        self.rules = _paragraph(None if draft is None else draft.rules, RULES_MAX, required=False)
        kind_hint = "For a picture club it does not matter."
        self.add_field("Name", self.name)
        self.add_field("Theme", self.theme, "What it is about.")
        self.add_field("What comes out of it", self.mode)
        self.add_field("What the photos show", self.kind, kind_hint)
        self.add_field("Rules", self.rules, "Leave empty for none.")

    async def submit(self, interaction: Interaction) -> None:
        await defer(interaction)
        if not is_admin(interaction):
            raise NotAllowed("You need the **Manage Server** permission for this.")
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
            again = AgainView(self.created, draft)
            await interaction.followup.send(str(error), view=again, ephemeral=True)
            return
        await self.created(interaction, event)


class AgainView(SafeView):
    """Opens the form once more, with everything that was typed."""

    def __init__(self, created: Created, draft: EventDraft) -> None:
        super().__init__(seconds=FORM_SECONDS)
        self.created, self.draft = created, draft

    @discord.ui.button(label="Back to the form", style=discord.ButtonStyle.primary)
    async def again(
        self, interaction: discord.Interaction[DarkroomBot], button: discord.ui.Button["AgainView"]
    ) -> None:
        await open_form(interaction, CreateForm(self.created, self.draft))


def _paragraph(text: str | None, most: int, *, required: bool) -> discord.ui.TextInput[SafeModal]:
    return discord.ui.TextInput(style=discord.TextStyle.paragraph, default=text, required=required, max_length=most)


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
