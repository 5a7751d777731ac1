"""/jobs: my trainings and pictures with their timelines, and results that are kept for me."""

import logging
from collections.abc import Sequence

import discord
from discord import app_commands
from discord.ext import commands

from bot.client import DarkroomBot
from bot.errors import UserError
from bot.generation.service import GenerationView
from bot.ports import PlaceRefused
from bot.records.generation import GenerationStatus, Operation
from bot.records.post import Post
from bot.text import quote
from bot.training.service import TrainingView
from cogs.adapters.rendering import drafts
from cogs.training.cards import progress_lines, timeline_line
from cogs.ui.buttons import ActionButton
from cogs.ui.layout import BUTTONS_A_ROW, Layout, card
from cogs.ui.replies import Interaction, defer, guild_of, is_answered, is_too_large, say, show
from cogs.ui.words import clip, count

log = logging.getLogger(__name__)

KEPT_FOR_YOU = "{} could not be posted earlier and {} kept for you. `/jobs` brings it to you."


def jobs_card(trainings: Sequence[TrainingView], generations: Sequence[GenerationView], kept: Sequence[Post]) -> Layout:
    lines: list[str] = []
    for training in trainings:
        lines.append(f"**Training #{training.training.id}** {quote(training.training.name, 40)}")
        lines += [*progress_lines(training), timeline_line(training.timeline)]
    for generation in generations:
        lines.append(_pictures_line(generation))
        lines += _making_line(generation)
        lines.append(timeline_line(generation.timeline))
    text = clip(lines, 3300, "…and older ones.") or "Nothing yet. `/train` and `/imagine` start something."
    buttons = [
        ActionButton("job", "fetch", post.id, label=f"Fetch #{post.subject_id}", style=discord.ButtonStyle.primary)
        for post in kept[:BUTTONS_A_ROW]
    ]
    unsent = [view.training.id for view in trainings if view.can_cancel][:BUTTONS_A_ROW]
    buttons += [ActionButton("training", "cancel", each, label=f"Cancel training #{each}") for each in unsent]
    waiting = [view.generation.id for view in generations if view.generation.status is GenerationStatus.QUEUED]
    buttons += [ActionButton("order", "cancel", each, label=f"Cancel #{each}") for each in waiting[:BUTTONS_A_ROW]]
    if kept:
        kept_are = "is" if len(kept) == 1 else "are"
        text = f"{count(len(kept), 'result')} could not be posted and {kept_are} kept for you.\n{text}"
    return card(f"### Your jobs\n{text}", colour=discord.Colour.blurple(), buttons=buttons)


def _making_line(view: GenerationView) -> list[str]:
    """Where it is in the queue, or how far the provider is; nothing when neither is known."""
    if view.place is not None:
        return [f"⏳ Waiting: place **{view.place}** in the queue."]
    percent = view.generation.percent
    if view.generation.status is not GenerationStatus.SUBMITTED or percent is None:
        return []
    return [f"⏳ In the making: **{percent} %**"]


def _pictures_line(view: GenerationView) -> str:
    """What it is, what it came from, and whether it was deleted."""
    generation = view.generation
    is_edit = generation.operation is not Operation.IMAGINE
    done = f"{generation.operation.value.replace('_', ' ')}: " if is_edit else ""
    origin = "" if generation.origin_id is None else f" · from #{generation.origin_id}"
    deleted = "" if generation.deleted_at is None else " · deleted"
    return f"**Pictures #{generation.id}** {done}{quote(view.prompt, 60)}{origin}{deleted}"


class JobsCog(commands.Cog):
    def __init__(self, bot: DarkroomBot) -> None:
        self.bot = bot

    @app_commands.command(description="Your trainings and pictures here: where each one is")
    async def jobs(self, interaction: Interaction) -> None:
        await defer(interaction)
        guild_id, user_id, services = guild_of(interaction), interaction.user.id, self.bot.services
        view = jobs_card(
            await services.trainings.of_member(guild_id=guild_id, user_id=user_id),
            await services.generations.of_member(guild_id=guild_id, user_id=user_id),
            await services.outbox.kept_for(guild_id=guild_id, user_id=user_id),
        )
        await show(interaction, view)
        await self.bot.services.outbox.tell(guild_id=guild_id, user_id=user_id)

    @commands.Cog.listener()
    async def on_app_command_completion(self, interaction: Interaction, _command: object) -> None:
        """Tell a member once, after something else they did, that a result is kept for them."""
        if interaction.guild_id is None or not is_answered(interaction):
            return
        told = await self.bot.services.outbox.tell(guild_id=interaction.guild_id, user_id=interaction.user.id)
        if told:
            try:
                await say(interaction, KEPT_FOR_YOU.format(count(told, "result"), "is" if told == 1 else "are"))
            except discord.HTTPException as error:
                log.info("A member could not be told of a kept result: %s", error.code)


async def press_fetch(interaction: Interaction, post_id: int) -> None:
    await defer(interaction)
    services = interaction.client.services
    kept = await services.outbox.kept_for(guild_id=guild_of(interaction), user_id=interaction.user.id)
    post = next((post for post in kept if post.id == post_id), None)
    if post is None:
        await say(interaction, "This result has been handed over already. `/jobs` shows what is kept for you.")
        return
    try:
        await _show_kept(interaction, post)
    except PlaceRefused:
        raise UserError("What was kept for you has been deleted since.") from None
    await services.outbox.hand_over(post.id)


async def _show_kept(interaction: Interaction, post: Post) -> None:
    """The best version that Discord takes."""
    services, limit = interaction.client.services, interaction.filesize_limit
    async for view, files in drafts(services, post, limit, guild_name="", is_private=False):
        try:
            await show(interaction, view, files)
        except discord.HTTPException as error:
            if not files or not is_too_large(error):
                raise
        else:
            return


async def setup(bot: DarkroomBot) -> None:
    bot.add_buttons("job", fetch=press_fetch)
    await bot.add_cog(JobsCog(bot))


async def teardown(bot: DarkroomBot) -> None:
    bot.remove_buttons("job")
