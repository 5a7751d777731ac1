"""What made pictures ask back: really delete them, and why they are reported."""

from collections.abc import Sequence

from bot.pictures.reports import REASON_MAX
from bot.pictures.service import Removal
from cogs.ui.replies import Interaction, actor_of, ask, say
from cogs.ui.views import ConfirmView, SafeModal, paragraph

SET = "The message and its copy in the gallery go, and so do our files."
PREVIEWS = "Their LoRA does not show them any more, and our files of them go."


async def ask_to_delete(interaction: Interaction, generation_id: int, *, is_kept: bool) -> None:
    """`is_kept`: what their LoRA keeps of them is all that is known."""

    async def delete(answered: Interaction) -> None:
        pictures = answered.client.services.pictures
        if answered.guild_id is None:
            actor = await pictures.owner_of(generation_id, answered.user.id)
        else:
            actor = actor_of(answered)
        await say(answered, removal_sentence(await pictures.delete(generation_id, actor)))

    question = f"Delete these pictures? {PREVIEWS if is_kept else SET} This cannot be undone."
    await ask(interaction, question, ConfirmView("Delete for good", delete))


class ReportModal(SafeModal):
    """`what` is called so in its title, by default by the number of the order."""

    def __init__(self, generation_id: int, what: str = "") -> None:
        super().__init__(f"Report {what or f'pictures #{generation_id}'}")
        self.generation_id = generation_id
        field = paragraph(min_length=1, max_length=REASON_MAX)
        description = "The moderators see what you write and who you are; nobody else does."
        self.reason = self.add_field("What is wrong?", field, description)

    async def submit(self, interaction: Interaction) -> None:
        reports = interaction.client.services.reports
        await reports.report(self.generation_id, self.reason.value, actor_of(interaction))
        await say(interaction, "Thank you. The moderators are told.")


def removal_sentence(outcomes: Sequence[Removal]) -> str:
    """What became of pictures and of each of their messages. It names no order: they may stand in a vote."""
    said = {
        Removal.GONE: "A message of it was gone already.",
        Removal.REFUSED: "Discord did not let me delete a message of it; somebody who manages messages there can.",
        Removal.LATER: "Discord cannot be reached just now; what is still visible goes as soon as it can.",
        Removal.UNKNOWN: "I do not know their messages any more; somebody who manages messages there can delete them.",
    }
    notes = [sentence for outcome, sentence in said.items() if outcome in outcomes]
    return " ".join(["These pictures are deleted, and so are our copies.", *notes])
