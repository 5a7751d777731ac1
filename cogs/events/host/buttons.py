"""The buttons of an event for those who run it: how it stands, its settings, and what can be done with it."""

from functools import partial

from bot.client import DarkroomBot, Press
from bot.events.lifecycle import CLOSABLE
from cogs.events.host.actions import (
    ask_to_cancel,
    ask_to_close,
    close_event,
    copy_event,
    extend_event,
    open_event,
    show_readiness,
    show_status,
)
from cogs.events.host.banner import press_banner
from cogs.events.host.forms import EFFORT, FindForm, NumbersForm, OpeningForm, PromptsForm, TimesForm, WordsForm
from cogs.events.host.pages import Page
from cogs.events.host.photos import show_board
from cogs.events.host.result import check_could_give
from cogs.events.host.settings import event_to_run, show_settings, storing
from cogs.events.member.yearbook import press_post
from cogs.ui.access import obeying
from cogs.ui.buttons import after_defer
from cogs.ui.replies import Interaction, open_form


async def press_cancel(interaction: Interaction, event_id: int) -> None:
    await ask_to_cancel(interaction, await event_to_run(interaction, event_id))


def _switching(field: str) -> Press:
    async def press(interaction: Interaction, event_id: int) -> None:
        event = await event_to_run(interaction, event_id)
        await storing(event_id, Page.TIMES)(interaction, **{field: not getattr(event, field)})

    return press


async def press_passrole(interaction: Interaction, event_id: int) -> None:
    event = await event_to_run(interaction, event_id)
    if event.winner_role_id is not None:
        check_could_give(interaction, event.winner_role_id)
    await storing(event_id, Page.RESULT)(interaction, passes_role=not event.passes_role)


async def press_hours(interaction: Interaction, event_id: int) -> None:
    event = await event_to_run(interaction, event_id)
    await open_form(interaction, TimesForm(event, storing(event_id, Page.TIMES)))


async def press_words(interaction: Interaction, event_id: int) -> None:
    event = await event_to_run(interaction, event_id)
    await open_form(interaction, WordsForm(event, storing(event_id, Page.TIMES)))


async def press_opening(interaction: Interaction, event_id: int) -> None:
    await open_form(interaction, OpeningForm(await event_to_run(interaction, event_id)))


def _asking_numbers(page: Page) -> Press:
    async def press(interaction: Interaction, event_id: int) -> None:
        event = await event_to_run(interaction, event_id)
        await open_form(interaction, NumbersForm(event, storing(event_id, page)))

    return press


async def press_effort(interaction: Interaction, event_id: int) -> None:
    event = await event_to_run(interaction, event_id)
    await open_form(interaction, NumbersForm(event, storing(event_id, Page.PICTURES), "Steps and rank", EFFORT))


async def press_prompts(interaction: Interaction, event_id: int) -> None:
    event = await event_to_run(interaction, event_id)
    await open_form(interaction, PromptsForm(event, storing(event_id, Page.PICTURES)))


async def press_find(interaction: Interaction, event_id: int) -> None:
    await event_to_run(interaction, event_id)
    await open_form(interaction, FindForm(event_id))


async def setup(bot: DarkroomBot) -> None:
    in_place = partial(after_defer, thinking=False)
    presses = obeying(
        "event",
        status=in_place(show_status),
        check=in_place(show_readiness),
        open=in_place(open_event),
        extend=in_place(extend_event),
        photos=in_place(show_board),
        cancel=press_cancel,
        settings=in_place(show_settings),
        times=in_place(show_settings),
        people=in_place(partial(show_settings, page=Page.PEOPLE)),
        pictures=in_place(partial(show_settings, page=Page.PICTURES)),
        result=in_place(partial(show_settings, page=Page.RESULT)),
        thread=_switching("wants_thread"),
        calendar=_switching("wants_calendar"),
        passrole=press_passrole,
        hours=press_hours,
        opening=press_opening,
        words=press_words,
        banner=press_banner,
        copy=in_place(copy_event),
        limits=_asking_numbers(Page.PEOPLE),
        numbers=_asking_numbers(Page.PICTURES),
        prompts=press_prompts,
        effort=press_effort,
        find=press_find,
        postbook=press_post,
        # On an old card the button must not end the stage that came after it.
        **{f"close{part}": in_place(partial(ask_to_close, part=part)) for part in CLOSABLE},
        **{f"end{part}": in_place(partial(close_event, part=part)) for part in CLOSABLE},
    )
    bot.add_buttons("host", **presses)


async def teardown(bot: DarkroomBot) -> None:
    bot.remove_buttons("host")
