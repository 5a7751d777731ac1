"""The buttons of /jobs: another page, a kept result, pictures once more."""

from collections.abc import AsyncIterator

import discord

from bot.client import DarkroomBot
from bot.errors import UserError
from bot.pictures.service import UNFINISHED
from bot.ports import PlaceRefused
from bot.records.generation import GenerationStatus
from cogs.adapters.rendering import drafts, drafts_of
from cogs.events.posts import Draft
from cogs.jobs.lists import show_everybodys, show_mine
from cogs.pictures.cards import pictures_failed_card
from cogs.ui.access import obeying
from cogs.ui.buttons import after_defer
from cogs.ui.replies import Interaction, actor_of, defer, guild_of, is_too_large, say, show
from cogs.ui.words import ONLY_YOU


async def press_fetch(interaction: Interaction, post_id: int) -> None:
    await defer(interaction)
    services = interaction.client.services
    kept = await services.outbox.kept_for(guild_id=guild_of(interaction), user_id=interaction.user.id)
    post = next((post for post in kept if post.id == post_id), None)
    if post is None:
        await say(interaction, "This result has been handed over already. `/jobs` shows what is kept for you.")
        return
    try:
        limit, seen = interaction.filesize_limit, {"is_private": False, "takes_explicit": True}  # by its member alone
        await _show_best(interaction, drafts(services, post, limit, guild_name="", **seen))
    except PlaceRefused:
        raise UserError("What was kept for you has been deleted since.") from None
    await services.outbox.hand_over(post.id)


async def press_show(interaction: Interaction, generation_id: int) -> None:
    """The member's own pictures once more, or why there are none, for them alone."""
    await defer(interaction)
    services, actor = interaction.client.services, actor_of(interaction)
    await services.pictures.owner_of(generation_id, actor.user_id)
    found = await services.pictures.see(generation_id, actor)
    if not found.generation.status.is_terminal:
        raise UserError(UNFINISHED)
    if found.generation.status is GenerationStatus.FAILED:
        await show(interaction, pictures_failed_card(found, ONLY_YOU))
    else:
        found = await services.pictures.to_edit(generation_id, actor)
        line = f"{ONLY_YOU} · AI-generated"
        await _show_best(interaction, drafts_of(services, found, line, interaction.filesize_limit))
    post = await services.outbox.result_of(generation_id, guild_id=actor.guild_id, user_id=actor.user_id)
    if post is not None:
        await services.outbox.hand_over(post.id)


async def _show_best(interaction: Interaction, versions: AsyncIterator[Draft]) -> None:
    """The best version that Discord takes."""
    async for view, files in versions:
        try:
            await show(interaction, view, files)
        except discord.HTTPException as error:
            if not files or not is_too_large(error):
                raise
        else:
            return


async def setup(bot: DarkroomBot) -> None:
    page, everybodys = after_defer(show_mine, thinking=False), after_defer(show_everybodys, thinking=False)
    presses = obeying("jobs", page=page, serverpage=everybodys, show=press_show)
    bot.add_buttons("job", fetch=press_fetch, **presses)


async def teardown(bot: DarkroomBot) -> None:
    bot.remove_buttons("job")
