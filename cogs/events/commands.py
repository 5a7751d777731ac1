"""/event: what hosts do with events, and what everybody may look at."""

import asyncio

import discord
from discord import app_commands
from discord.ext import commands

from bot.client import DarkroomBot
from bot.events.ballot.bakeoff import bakeoff_draft, lineage, parse_prompts
from bot.events.ballot.charts import MOST_ROWS, draw_season
from bot.events.lookup import LABEL_JOINT
from bot.events.packs import check_pack
from bot.events.planning.drafts import HOURS_MAX, NAME_MAX
from bot.records.event import Event, EventStatus
from bot.text import quote
from cogs.events.host.actions import (
    ask_to_cancel,
    ask_to_close,
    extend_event,
    open_when_ready,
    show_status,
)
from cogs.events.host.create import CreateForm
from cogs.events.host.settings import show_settings
from cogs.events.host.status import SEASON_FILE, fame_card, season_words
from cogs.events.member.yearbook import send_yearbook
from cogs.events.people import drawn_names, people_of
from cogs.events.texts import STATUS_WORDS
from cogs.loras.commands import suggest_loras
from cogs.training.forms import uploads_of
from cogs.ui.replies import Interaction, actor_of, channel_of, check_event_host, defer, guild_of, open_form, say, show

Choices = list[app_commands.Choice[str]]
Hours = app_commands.Range[float, 0.1, HOURS_MAX]
PROMPTS_MAX = 2000
WHICH = "Which one; leave it out when there is only one"
WHICH_BOOK = "Which one; leave it out for the one that finished last"


class EventsCog(commands.GroupCog, group_name="event", group_description="Photo-training events of this server"):
    def __init__(self, bot: DarkroomBot) -> None:
        self.bot = bot

    @app_commands.command(description="Plan a new event here (admins and hosts); nobody sees it before you open it")
    @app_commands.describe(banner="A picture for the head of its panel; without one it is drawn")
    async def create(self, interaction: Interaction, banner: discord.Attachment | None = None) -> None:
        check_event_host(interaction)
        given = uploads_of([] if banner is None else [banner])
        await open_form(interaction, CreateForm(banner=given[0] if given else None))

    @app_commands.command(description="Compare settings or versions of a LoRA by a blind vote (admins and hosts)")
    @app_commands.describe(
        lora="Which LoRA",
        prompts="What to make with each of them; several prompts with | in between",
        strengths="Such as 0.6, 0.8, 1.0",
        versions="Compare all versions of it",
        name="What to call the event",
    )
    async def bakeoff(
        self,
        interaction: Interaction,
        lora: str,
        prompts: app_commands.Range[str, 1, PROMPTS_MAX],
        strengths: app_commands.Range[str, 1, 100] | None = None,
        versions: bool = False,
        name: app_commands.Range[str, 1, NAME_MAX] | None = None,
    ) -> None:
        check_event_host(interaction)
        await defer(interaction)
        actor, services = actor_of(interaction), self.bot.services
        chosen = await services.loras.pick(lora, actor)
        pack = check_pack(parse_prompts(prompts))
        among = lineage(chosen, await services.loras.usable_by(actor)) if versions else [chosen]
        draft = bakeoff_draft(chosen, among, strengths, name or f"Bake-off of {chosen.name}")
        event = await services.events.create(draft, actor, channel_of(interaction))
        await services.events.change(event.id, actor, pack=pack)
        await show_settings(interaction, event.id)

    @app_commands.command(name="open", description="Check whether everything is ready, and open the event for members")
    @app_commands.describe(event=WHICH)
    async def open_up(self, interaction: Interaction, event: str | None = None) -> None:
        await defer(interaction)
        await open_when_ready(interaction, (await self._pick(interaction, event)).id)

    @app_commands.command(description="End the present stage of the event now; the next one begins")
    @app_commands.describe(event=WHICH)
    async def close(self, interaction: Interaction, event: str | None = None) -> None:
        await defer(interaction)
        await ask_to_close(interaction, (await self._pick(interaction, event)).id)

    @app_commands.command(description="Give the event more time; this also helps one that waits to go on")
    @app_commands.describe(hours="How many hours more", event=WHICH)
    async def extend(self, interaction: Interaction, hours: Hours, event: str | None = None) -> None:
        await defer(interaction)
        await extend_event(interaction, (await self._pick(interaction, event)).id, hours)

    @app_commands.command(description="Cancel the event: nothing more is spent, and the photos are deleted")
    @app_commands.describe(event=WHICH)
    async def cancel(self, interaction: Interaction, event: str | None = None) -> None:
        await ask_to_cancel(interaction, await self._pick(interaction, event))

    @app_commands.command(description="Take a member out of the event; the photos they gave are deleted")
    @app_commands.describe(member="Who should not take part any more", event=WHICH)
    async def remove(self, interaction: Interaction, member: discord.User, event: str | None = None) -> None:
        await defer(interaction)
        chosen = await self._pick(interaction, event)
        await self.bot.services.events.remove_entrant(chosen.id, member.id, actor_of(interaction))
        await say(interaction, f"{member.mention} no longer takes part in {quote(chosen.name, NAME_MAX)}.")

    @app_commands.command(description="How the event stands; its host finds everything else here, too")
    @app_commands.describe(event=WHICH)
    async def status(self, interaction: Interaction, event: str | None = None) -> None:
        await defer(interaction)
        await show_status(interaction, (await self._pick_to_see(interaction, event)).id)

    @app_commands.command(description="All pictures of the event to keep: a sheet, a page for each member, a ZIP")
    @app_commands.describe(event=WHICH_BOOK)
    async def yearbook(self, interaction: Interaction, event: str | None = None) -> None:
        await defer(interaction)
        await send_yearbook(interaction, (await self._pick_finished(interaction, event)).id)

    @app_commands.command(description="Who has won the events of this server, and this year's table")
    async def fame(self, interaction: Interaction) -> None:
        await defer(interaction)
        services, guild_id = self.bot.services, guild_of(interaction)
        honours, wins = await services.ballots.hall_of_fame(guild_id), await services.ballots.win_counts(guild_id)
        season = await services.results.season(guild_id)
        if not season.rows:
            await show(interaction, fame_card(honours, wins))
            return
        names = drawn_names(
            await people_of(self.bot, interaction.guild, [row.user_id for row in season.rows[:MOST_ROWS]])
        )
        table = await asyncio.to_thread(draw_season, season, names)
        await show(interaction, fame_card(honours, wins, season_words(season, names)), [(SEASON_FILE, table)])

    @open_up.autocomplete("event")
    @close.autocomplete("event")
    @extend.autocomplete("event")
    @cancel.autocomplete("event")
    @remove.autocomplete("event")
    async def suggest_to_run(self, interaction: Interaction, current: str) -> Choices:
        return await suggest_events(interaction, current, runnable=True)

    @status.autocomplete("event")
    @yearbook.autocomplete("event")
    async def suggest_to_see(self, interaction: Interaction, current: str) -> Choices:
        return await suggest_events(interaction, current, runnable=False)

    @bakeoff.autocomplete("lora")
    async def suggest_to_compare(self, interaction: Interaction, current: str) -> Choices:
        return await suggest_loras(interaction, current)

    async def _pick(self, interaction: Interaction, event: str | None) -> Event:
        return await self.bot.services.events.pick(event, actor_of(interaction), runnable=True)

    async def _pick_to_see(self, interaction: Interaction, event: str | None) -> Event:
        events, actor = self.bot.services.events, actor_of(interaction)
        return await (events.latest(actor) if event is None else events.pick(event, actor))

    async def _pick_finished(self, interaction: Interaction, event: str | None) -> Event:
        """Without a name: the one that finished last, else the only live one."""
        events, actor = self.bot.services.events, actor_of(interaction)
        if event is None:
            for each in await events.choices("", actor):
                if each.status is EventStatus.FINISHED:
                    return each
        return await events.pick(event, actor)


async def suggest_events(interaction: Interaction, current: str, *, runnable: bool) -> Choices:
    found = await interaction.client.services.events.choices(current, actor_of(interaction), runnable=runnable)
    return [
        app_commands.Choice(name=f"{event.name}{LABEL_JOINT}{STATUS_WORDS[event.status].lower()}", value=str(event.id))
        for event in found
    ]


async def setup(bot: DarkroomBot) -> None:
    await bot.add_cog(EventsCog(bot))
