"""The question to moderators whether a picture may be shown to everybody, and its two buttons."""

import discord

from bot.client import DarkroomBot
from bot.pictures.approvals import ApprovalView
from bot.records.moderation import ApprovalStatus, Purpose
from cogs.pictures.reports import WHOSE_LATER
from cogs.ui.buttons import ActionButton
from cogs.ui.layout import SafeLayout
from cogs.ui.replies import Interaction, actor_of, defer, say
from cogs.ui.words import MADE_BY_AI, message_link

WHERE = {Purpose.GALLERY: "to the gallery", Purpose.BALLOT: "into the vote of an event"}
STATES = {
    ApprovalStatus.WAITING: "It waits for a moderator.",
    ApprovalStatus.APPROVED: "Approved by a moderator.",
    ApprovalStatus.DECLINED: "Declined by a moderator.",
}


def approval_card(view: ApprovalView, note: str = "") -> SafeLayout:
    """`note`: why the picture is not shown."""
    approval, generation = view.approval, view.generation
    asks = f"<@{approval.user_id}> asks for picture {view.picture.position} of pictures #{generation.id}."
    if approval.purpose is Purpose.BALLOT:
        asks = WHOSE_LATER
    lines = [f"### May this picture go {WHERE[approval.purpose]}?", asks]
    if view.message is not None and generation.deleted_at is None:
        lines.append(f"[Look at it]({message_link(approval.guild_id, *view.message)})")
    is_open = approval.status is ApprovalStatus.WAITING and generation.deleted_at is None
    buttons = [
        ActionButton("approval", "yes", approval.id, label="Approve", style=discord.ButtonStyle.success),
        ActionButton("approval", "no", approval.id, label="Decline"),
    ]
    state = "The picture has been deleted." if generation.deleted_at is not None else STATES[approval.status]
    colour = discord.Colour.orange() if is_open else discord.Colour.dark_grey()
    layout = SafeLayout(colour)
    layout.add_text("\n".join(filter(None, [*lines, state, note])))
    shown = approval_file(view)
    if shown is not None:
        layout.add_gallery([(shown, "AI-generated picture that waits for a moderator")])
        layout.add_text(MADE_BY_AI)
    layout.add_rows(buttons if is_open else [])
    return layout


def approval_file(view: ApprovalView) -> str | None:
    """The name of the copy that the card shows: of a picture that is in no channel, until it is decided."""
    is_open = view.approval.status is ApprovalStatus.WAITING and view.generation.deleted_at is None
    return f"approval-{view.approval.id}.jpg" if is_open and view.message is None and view.picture.file else None


async def press_yes(interaction: Interaction, approval_id: int) -> None:
    await defer(interaction)
    asked = await interaction.client.services.approvals.decide(approval_id, actor_of(interaction), is_approved=True)
    await say(interaction, f"Approved: the picture goes {WHERE[asked.purpose]}.")


async def press_no(interaction: Interaction, approval_id: int) -> None:
    await defer(interaction)
    asked = await interaction.client.services.approvals.decide(approval_id, actor_of(interaction), is_approved=False)
    stays = "It stays where it was posted." if asked.purpose is Purpose.GALLERY else "Its member still has it."
    await say(interaction, f"Declined: the picture does not go {WHERE[asked.purpose]}. {stays}")


async def setup(bot: DarkroomBot) -> None:
    bot.add_buttons("approval", yes=press_yes, no=press_no)


async def teardown(bot: DarkroomBot) -> None:
    bot.remove_buttons("approval")
