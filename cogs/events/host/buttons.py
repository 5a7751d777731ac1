"""The buttons of an event for those who run it: how it stands, its settings, and what can be done with it."""

from bot.client import DarkroomBot, Press
from bot.events.lifecycle import TIMED
from bot.records.event import EventStatus
from cogs.events.host.actions import ask_to_cancel, close_event, extend_event, open_event, show_readiness, show_status
from cogs.events.host.forms import FindForm, NumbersForm, PromptsForm, TimesForm
from cogs.events.host.pages import Page
from cogs.events.host.photos import show_board
from cogs.events.host.settings import event_to_run, show_settings, storing
from cogs.ui.replies import Interaction, defer, open_form


async def press_status(interaction: Interaction, event_id: int) -> None:
    await defer(interaction, thinking=False)
    await show_status(interaction, event_id)


async def press_check(interaction: Interaction, event_id: int) -> None:
    await defer(interaction, thinking=False)
    await show_readiness(interaction, event_id)


async def press_open(interaction: Interaction, event_id: int) -> None:
    await defer(interaction, thinking=False)
    await open_event(interaction, event_id)


def _closing(stage: EventStatus) -> Press:
    """On an old card the button must not end the stage that came after it."""

    async def press(interaction: Interaction, event_id: int) -> None:
        await defer(interaction, thinking=False)
        await close_event(interaction, event_id, stage)

    return press


async def press_extend(interaction: Interaction, event_id: int) -> None:
    await defer(interaction, thinking=False)
    await extend_event(interaction, event_id)


async def press_photos(interaction: Interaction, event_id: int) -> None:
    await defer(interaction, thinking=False)
    await show_board(interaction, event_id)


async def press_cancel(interaction: Interaction, event_id: int) -> None:
    await ask_to_cancel(interaction, await event_to_run(interaction, event_id))


def _turning_to(page: Page) -> Press:
    async def press(interaction: Interaction, event_id: int) -> None:
        await defer(interaction, thinking=False)
        await show_settings(interaction, event_id, page)

    return press


def _switching(field: str) -> Press:
    async def press(interaction: Interaction, event_id: int) -> None:
        event = await event_to_run(interaction, event_id)
        await storing(event_id, Page.TIMES)(interaction, **{field: not getattr(event, field)})

    return press


async def press_hours(interaction: Interaction, event_id: int) -> None:
    event = await event_to_run(interaction, event_id)
    await open_form(interaction, TimesForm(event, storing(event_id, Page.TIMES)))


def _asking_numbers(page: Page) -> Press:
    async def press(interaction: Interaction, event_id: int) -> None:
        event = await event_to_run(interaction, event_id)
        await open_form(interaction, NumbersForm(event, storing(event_id, page)))

    return press


async def press_prompts(interaction: Interaction, event_id: int) -> None:
    event = await event_to_run(interaction, event_id)
    await open_form(interaction, PromptsForm(event, storing(event_id, Page.PICTURES)))


async def press_find(interaction: Interaction, event_id: int) -> None:
    async def find(answered: Interaction, search: str) -> None:
        await defer(answered, thinking=False)
        await show_settings(answered, event_id, Page.PICTURES, search)

    await event_to_run(interaction, event_id)
    await open_form(interaction, FindForm(find))


async def setup(bot: DarkroomBot) -> None:
    bot.add_buttons(
        "host",
        status=press_status,
        check=press_check,
        open=press_open,
        extend=press_extend,
        photos=press_photos,
        cancel=press_cancel,
        settings=_turning_to(Page.TIMES),
        times=_turning_to(Page.TIMES),
        people=_turning_to(Page.PEOPLE),
        pictures=_turning_to(Page.PICTURES),
        thread=_switching("wants_thread"),
        calendar=_switching("wants_calendar"),
        hours=press_hours,
        limits=_asking_numbers(Page.PEOPLE),
        numbers=_asking_numbers(Page.PICTURES),
        prompts=press_prompts,
        find=press_find,
        **{f"close{stage}": _closing(stage) for stage in TIMED},
    )


async def teardown(bot: DarkroomBot) -> None:
    bot.remove_buttons("host")
