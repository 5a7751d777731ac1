"""Answers to interactions: private sentences, cards and forms, and the sentence for an error."""

import contextlib
import io
import logging
import secrets
from collections.abc import AsyncIterator, Sequence

import discord
from discord import app_commands

from bot.client import DarkroomBot
from bot.command_mentions import clickable
from bot.errors import NoKey, NotAllowed, StorageTrouble, UserError
from bot.records.guild import Actor, Channel
from cogs.ui.sight import sight_of

log = logging.getLogger(__name__)

Interaction = discord.Interaction[DarkroomBot]
File = tuple[str, bytes]
"""Name and content of an attachment."""

ADMINS_ONLY = "You need the **Manage Server** permission for this."
HOSTS_ONLY = (
    "To host an event here you need the **Manage Server** permission, or the role for hosts that admins choose in "
    "`/settings`."
)
ALREADY_ANSWERED = 40060
CONTENT_MAX = 2000
"""Characters of a message's content (Discord /docs/resources/message)."""
BAD_REQUEST = 400
UPLOAD_MAX = 20_000_000
"""Bytes of files in one message. A whole request takes 25 MiB (Discord /docs/resources/message)."""
TOO_LARGE = (40005, 50045)
MODERATES = "moderates"
"""Set in the extras of an interaction of a member who has the moderators' role."""
HOSTS = "hosts events"
"""Set in the extras of an interaction of a member who has the role for hosts of events."""
FOR_EVERYBODY = "for everybody"
"""Set in the extras of a press that a blocked member may make, too."""
IS_BLOCKED = "is blocked"
"""Set in the extras of such a press when the member who makes it is blocked."""
DEFERRED = "deferred"
"""Set in an interaction's extras when Discord took a defer although its answer was lost."""
INTERACTION_GONE = (10062, 10015, 50027)
"""Unknown interaction, unknown webhook (its token), invalid token (Discord /docs/topics/opcodes-and-status-codes)."""


def guild_of(interaction: Interaction) -> int:
    """The guild this was used in; every command is for guilds only, so there is one."""
    if interaction.guild_id is None:
        raise UserError("This works only inside a server.")
    return interaction.guild_id


def channel_of(interaction: Interaction) -> Channel:
    """Where it is used. Of a private thread the channel is left out: more people read that."""
    channel = interaction.channel
    if channel is None or interaction.channel_id is None:
        raise UserError("This works only inside a channel.")
    parent_id = channel.parent_id if isinstance(channel, discord.Thread) and not channel.is_private() else None
    is_age_restricted = not isinstance(channel, discord.DMChannel | discord.GroupChannel) and channel.is_nsfw()
    return Channel(interaction.channel_id, parent_id, is_age_restricted)


def is_admin(interaction: Interaction) -> bool:
    """Manage Server, or the owner."""
    owner = interaction.guild is not None and interaction.guild.owner_id == interaction.user.id
    return owner or interaction.permissions.manage_guild


def is_moderator(interaction: Interaction) -> bool:
    """An admin, or a member with the moderators' role."""
    return is_admin(interaction) or MODERATES in interaction.extras


def is_event_host(interaction: Interaction) -> bool:
    """An admin, or a member with the role for hosts."""
    return is_admin(interaction) or HOSTS in interaction.extras


def check_event_host(interaction: Interaction) -> None:
    """NotAllowed for everybody else."""
    if not is_event_host(interaction):
        raise NotAllowed(HOSTS_ONLY)


def check_admin(interaction: Interaction) -> None:
    """NotAllowed for everybody else."""
    if not is_admin(interaction):
        raise NotAllowed(ADMINS_ONLY)


def actor_of(interaction: Interaction) -> Actor:
    roles = interaction.user.roles if isinstance(interaction.user, discord.Member) else []
    return Actor(
        guild_id=guild_of(interaction),
        user_id=interaction.user.id,
        role_ids=frozenset(role.id for role in roles),
        is_admin=is_admin(interaction),
        is_moderator=is_moderator(interaction),
        is_event_host=is_event_host(interaction),
        sight=sight_of(interaction),
    )


async def defer(interaction: Interaction, *, thinking: bool = True) -> None:
    """Acknowledge within 3 seconds, unless it is. An answer that our own repeated call gave counts as given."""
    if is_answered(interaction):
        return
    try:
        await interaction.response.defer(ephemeral=True, thinking=thinking)
    except discord.HTTPException as error:
        if error.code != ALREADY_ANSWERED:
            raise
        # discord.py now believes that nothing was answered, while the member sees "thinking".
        interaction.extras[DEFERRED] = True


def is_answered(interaction: Interaction) -> bool:
    return interaction.response.is_done() or DEFERRED in interaction.extras


async def say(interaction: Interaction, text: str) -> None:
    """Send one private sentence, as the first answer or as a further one; commands in it can be pressed."""
    text = clickable(text, CONTENT_MAX - len(text))
    if is_answered(interaction):
        await interaction.followup.send(text, ephemeral=True)
    else:
        await interaction.response.send_message(text, ephemeral=True)


async def show(interaction: Interaction, view: discord.ui.LayoutView, files: Sequence[File] = ()) -> None:
    """A private card: answers the interaction, or fills in the answer it is still waiting for.

    Discord may refuse an edit that uploads files for a gallery; then the card comes as a further message.
    """
    if is_answered(interaction):
        try:
            await interaction.edit_original_response(view=view, attachments=attached(files))
        except discord.HTTPException as error:
            if not files or error.status != BAD_REQUEST or is_too_large(error):
                raise
            log.warning("Discord refused to put files into an answer (%s); they come as a further message", error.code)
            await interaction.followup.send(view=view, files=attached(files), ephemeral=True)
    else:
        async with _shown_once(interaction, view):
            await interaction.response.send_message(view=view, files=attached(files), ephemeral=True)


def is_too_large(error: discord.HTTPException) -> bool:
    """Whether Discord refused a message because of the size of its files."""
    return error.status == 413 or error.code in TOO_LARGE


def attached(files: Sequence[File]) -> list[discord.File]:
    """For one try: a File can be sent only once (Rapptz/discord.py#4022)."""
    return [discord.File(io.BytesIO(data), filename=name) for name, data in files]


async def ask(interaction: Interaction, text: str, view: discord.ui.View) -> None:
    """A private question with buttons, as the first answer or as a further one."""
    text = clickable(text, CONTENT_MAX - len(text))
    if is_answered(interaction):
        await interaction.followup.send(text, view=view, ephemeral=True)
        return
    async with _shown_once(interaction, view):
        await interaction.response.send_message(text, view=view, ephemeral=True)


async def replace(interaction: Interaction, view: discord.ui.LayoutView) -> None:
    """Put another card in the place of the one whose button was pressed; its files go."""
    async with _shown_once(interaction, view):
        await interaction.response.edit_message(view=view, attachments=[])


async def open_form(interaction: Interaction, form: discord.ui.Modal) -> None:
    """The bot listens to the form before it is shown: its answer may be lost, and the form sent back at once."""
    interaction.client.remember(form)
    try:
        await interaction.response.send_modal(form)
    except discord.HTTPException as error:
        if error.code != ALREADY_ANSWERED:
            form.stop()
            raise


@contextlib.asynccontextmanager
async def _shown_once(interaction: Interaction, view: discord.ui.View | discord.ui.LayoutView) -> AsyncIterator[None]:
    """An answer that got a 5xx although Discord took it: discord.py repeats it, is refused, and forgets the view."""
    try:
        yield
    except discord.HTTPException as error:
        if error.code != ALREADY_ANSWERED:
            raise
        interaction.client.remember(view)


async def show_error(interaction: Interaction, error: Exception) -> None:
    """Answer the person: expected errors with their sentence, others with a number that is in the log."""
    cause = error.original if isinstance(error, app_commands.CommandInvokeError) else error
    if isinstance(cause, discord.HTTPException) and cause.code in (ALREADY_ANSWERED, *INTERACTION_GONE):
        # discord.py repeats an answer that got a 5xx; when Discord had taken the first one, the second is refused.
        log.info("An answer was given already or came too late for its interaction (%s)", cause.code)
        return
    if isinstance(cause, NoKey) and is_admin(interaction):
        sentence = cause.for_admin
    elif isinstance(cause, UserError | StorageTrouble):
        sentence = str(cause)
    elif isinstance(cause, app_commands.CheckFailure):
        sentence = ADMINS_ONLY
    else:
        incident = secrets.token_hex(3)
        log.error("Incident %s", incident, exc_info=cause)
        sentence = f"Something went wrong on our side, and nothing was lost. If it happens again, mention `{incident}`."
    try:
        await say(interaction, sentence)
    except discord.HTTPException as failure:
        log.info("An error could not be shown: %s", failure.code)
