"""What a host does with an event: check, open, close, extend, cancel, look at it."""

import asyncio

from bot.errors import UserError
from bot.events.lifecycle import may_run
from bot.records.event import Event, EventStatus
from cogs.events.host.settings import event_to_run, show_settings, view_of
from cogs.events.host.status import close_question, readiness_card, status_card
from cogs.events.texts import event_name
from cogs.ui.choices import FleetingButton
from cogs.ui.replies import Interaction, actor_of, ask, channel_of, check_event_host, say, show
from cogs.ui.views import ConfirmView

ADDED_HOURS = 24.0
LOOKS, LOOKED_AT_S = 30, 0.5
"""How often the card of an event that is closing looks for what has come of it. After that, *Look again* does."""


def cancelled_sentence(event: Event) -> str:
    if event.status is EventStatus.DRAFT:
        return f"{event_name(event)} is gone. Nobody had seen it."
    return (
        f"{event_name(event)} is cancelled. Nothing more is spent, members are told once, and the photos are deleted. "
        "What has been paid stays listed in `/event status`."
    )


async def ask_to_cancel(interaction: Interaction, event: Event) -> None:
    async def cancel(answered: Interaction) -> None:
        await answered.client.services.events.cancel(event.id, actor_of(answered))
        await say(answered, cancelled_sentence(event))

    async def keep(answered: Interaction) -> None:
        view.stop()
        await say(answered, f"{event_name(event)} goes on as before.")

    view = ConfirmView("Yes, cancel it", cancel)
    view.add_item(FleetingButton("Keep it", keep))
    what = "It has not been opened, so nobody is told."
    if event.status is not EventStatus.DRAFT:
        what = "Nothing more is spent, everybody is told once, and the photos are deleted. LoRAs that are ready stay."
    question = f"Cancel {event_name(event)}? {what} This cannot be undone."
    await ask(interaction, question, view)


async def show_readiness(interaction: Interaction, event_id: int) -> None:
    event = await event_to_run(interaction, event_id)
    checks = await interaction.client.services.events.readiness(event.id, actor_of(interaction))
    await show(interaction, readiness_card(event, checks))


async def show_status(interaction: Interaction, event_id: int, said: str = "") -> None:
    """A draft shows its settings; everything else how it stands."""
    actor = actor_of(interaction)
    event = await interaction.client.services.events.get_for(event_id, actor)
    if event.status is EventStatus.DRAFT:
        await show_settings(interaction, event.id)
        return
    view = await view_of(interaction, event)
    await show(interaction, status_card(view, may_run=may_run(event, actor), said=said))


async def open_when_ready(interaction: Interaction, event_id: int) -> None:
    """Open it when every line is green; otherwise the host sees them first."""
    event = await event_to_run(interaction, event_id)
    if event.status is not EventStatus.DRAFT:
        raise UserError(f"{event_name(event)} has been opened already. `/event status` shows how it stands.")
    checks = await interaction.client.services.events.readiness(event.id, actor_of(interaction))
    if all(check.is_ok for check in checks):
        await open_event(interaction, event.id)
    else:
        await show(interaction, readiness_card(event, checks))


async def copy_event(interaction: Interaction, event_id: int) -> None:
    """Plan one like it, in the channel where that is asked for, and show its settings."""
    event = await event_to_run(interaction, event_id)
    check_event_host(interaction)
    events = interaction.client.services.events
    copied = await events.copy(event.id, actor_of(interaction), channel_of(interaction))
    await show_settings(interaction, copied.id)


async def open_event(interaction: Interaction, event_id: int) -> None:
    event = await interaction.client.services.events.open(event_id, actor_of(interaction))
    said = f"It is open. Its panel comes to <#{event.channel_id}> in a moment."
    await show_status(interaction, event.id, said)


async def ask_to_close(interaction: Interaction, event_id: int, part: str | None = None) -> None:
    """UserError when it cannot be closed now, or this part is over: on an old card the button means that one."""
    event = await interaction.client.services.events.closable(event_id, actor_of(interaction), part)
    await show(interaction, close_question(event))


async def close_event(interaction: Interaction, event_id: int, part: str) -> None:
    """Close that part, show that it is closing, and then what has come of it."""
    event = await interaction.client.services.events.close(event_id, actor_of(interaction), part)
    await show_status(interaction, event.id)
    for _ in range(LOOKS):
        await asyncio.sleep(LOOKED_AT_S)
        if not (await view_of(interaction, event)).is_closing:
            await show_status(interaction, event.id)
            return


async def extend_event(interaction: Interaction, event_id: int, hours: float = ADDED_HOURS) -> None:
    event = await interaction.client.services.events.extend(event_id, hours, actor_of(interaction))
    await show_status(interaction, event.id, f"It has {hours:g} h more now.")
