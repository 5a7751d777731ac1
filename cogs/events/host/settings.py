"""The settings panel of an event: every choice is stored at once. It comes back with `/event status`."""

from collections.abc import Mapping
from typing import Any

import discord

from bot.errors import NotAllowed, NotFound
from bot.events.lifecycle import may_run
from bot.events.views import EventView
from bot.loras.service import choice_label
from bot.records.event import Event, EventMode, EventStatus
from bot.text import cite
from cogs.events.host.pages import PAGE_NAMES, Page, ShownPage, content_of
from cogs.events.host.result import result_page
from cogs.events.texts import KIND_WORDS, MODE_MEANING, MODE_WORDS, event_name
from cogs.ui.buttons import ActionButton
from cogs.ui.choices import OPTIONS_MAX
from cogs.ui.layout import PANEL_SECONDS, SafeLayout
from cogs.ui.replies import Interaction, actor_of, defer, show

THEME_SHOWN = 200
NOT_YOURS = "Only its host, its moderators, and this server's admins and event hosts may do that."


def settings_card(shown: ShownPage) -> SafeLayout:
    """Its buttons work after any restart, its selects only as long as the bot remembers them."""
    content = result_page(shown) if shown.page is Page.RESULT else content_of(shown)
    view = SafeLayout(discord.Colour.blurple(), seconds=PANEL_SECONDS)
    view.add_text(f"{_title(shown.event)}\n{content.text}")
    for select in content.selects:
        view.add_row(select)
    view.add_rows(content.buttons)
    view.add_line()
    view.add_row(*_page_buttons(shown))
    view.add_row(*_last_buttons(shown.event))
    return view


def _title(event: Event) -> str:
    of = (
        ""
        if event.mode in {EventMode.CLUB, EventMode.BAKEOFF}
        else f" The photos show {KIND_WORDS[event.subject_kind]}."
    )
    theme = f"\n{cite(event.theme, THEME_SHOWN)}" if event.theme.strip() else ""
    return f"### Settings of {event_name(event)}\n**{MODE_WORDS[event.mode]}.** {MODE_MEANING[event.mode]}{of}{theme}"


def _page_buttons(shown: ShownPage) -> list[ActionButton]:
    return [
        ActionButton(
            "host",
            page,
            shown.event.id,
            label=name,
            style=discord.ButtonStyle.primary if page is shown.page else discord.ButtonStyle.secondary,
            disabled=page is shown.page,
        )
        for page, name in PAGE_NAMES.items()
    ]


def _last_buttons(event: Event) -> list[ActionButton]:
    if event.status is not EventStatus.DRAFT:
        return [ActionButton("host", "status", event.id, label="Back")]
    return [
        ActionButton("host", "check", event.id, label="Check and open", style=discord.ButtonStyle.success),
        ActionButton("host", "cancel", event.id, label="Throw away"),
    ]


async def show_settings(interaction: Interaction, event_id: int, page: Page = Page.TIMES, search: str = "") -> None:
    """Fill in the answer that the interaction waits for, or put the panel in the place of its message."""
    event = await event_to_run(interaction, event_id)
    view = await view_of(interaction, event)
    wants_names = event.mode is EventMode.CLUB and page is Page.PICTURES
    guild = interaction.guild
    shown = ShownPage(
        view=view,
        page=page,
        store=storing(event.id, page, search),
        styles=await _styles(interaction, event, search) if wants_names else {},
        loras=await _loras(interaction, event, search) if wants_names else {},
        roles=frozenset(role.id for role in guild.roles) if guild is not None else frozenset(),
    )
    await show(interaction, settings_card(shown))


async def event_to_run(interaction: Interaction, event_id: int) -> Event:
    """NotAllowed for those who may not run it."""
    actor = actor_of(interaction)
    event = await interaction.client.services.events.get_for(event_id, actor)
    if not may_run(event, actor):
        raise NotAllowed(NOT_YOURS)
    return event


async def view_of(interaction: Interaction, event: Event) -> EventView:
    """Everything a card of the event shows; callers have checked who may see it."""
    view = await interaction.client.services.events.view(event.id)
    if view is None:
        raise NotFound("This event is gone.")
    return view


def storing(event_id: int, page: Page, search: str = "") -> Any:
    async def store(interaction: Interaction, **changes: Any) -> None:
        await defer(interaction, thinking=False)
        await interaction.client.services.events.change(event_id, actor_of(interaction), **changes)
        await show_settings(interaction, event_id, page, search)

    return store


async def _styles(interaction: Interaction, event: Event, search: str) -> Mapping[int, str]:
    actor, styles = actor_of(interaction), interaction.client.services.styles
    before = [style for style in await styles.of_guild(actor) if style.id in event.style_ids]
    found = [style for style in await styles.choices(search, actor) if style.id not in event.style_ids]
    return {style.id: style.name for style in [*before, *found][:OPTIONS_MAX]}


async def _loras(interaction: Interaction, event: Event, search: str) -> Mapping[int, str]:
    actor, loras = actor_of(interaction), interaction.client.services.loras
    before = [lora for lora in await loras.usable_by(actor) if lora.id in event.lora_ids]
    found = [lora for lora in await loras.choices(search, actor) if lora.id not in event.lora_ids]
    return {lora.id: choice_label(lora) for lora in [*before, *found][:OPTIONS_MAX]}
