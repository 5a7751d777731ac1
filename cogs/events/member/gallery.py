"""The gallery of a finished event on the web: those who run the event open and close it, members say who is in it."""

from collections.abc import Awaitable, Callable

import discord

from bot.client import DarkroomBot
from bot.events.lifecycle import may_run
from bot.events.yearbook.gallery import NAME_MAX, GalleryService, GalleryView
from bot.records.guild import Actor
from bot.text import quote
from cogs.events.panel import deadline
from cogs.events.texts import event_name
from cogs.ui.buttons import ActionButton, after_defer
from cogs.ui.layout import Layout, card
from cogs.ui.replies import Interaction, actor_of, show
from cogs.ui.words import count

Act = Callable[[GalleryService, int, Actor, str], Awaitable[None]]

CLOSED = (
    "A gallery is a web page with pictures of this event. It has an address that nobody can guess, and a date on which "
    "it ends. At first it is empty: everybody decides about their own pictures."
)
WHO = (
    "A picture is there only when whoever made it has agreed and, if its LoRA shows people, everybody whose photos it "
    "was trained on. Where I do not know who that is, as with an imported LoRA or one that was trained long ago, the "
    "picture is not there."
)
AFTERWARDS = "If you leave the server, `/privacy erase` in a private message to me takes you out of it, too."


def gallery_button(event_id: int) -> ActionButton:
    return ActionButton("gallery", "show", event_id, label="Web gallery")


def gallery_card(view: GalleryView, *, runs: bool) -> Layout:
    event = view.event
    head = f"### {event_name(event)} on the web"
    if view.gallery is None:
        does = [ActionButton("gallery", "open", event.id, label="Open a web gallery")] if runs else []
        rest = "" if runs else "\nThere is none just now. Those who run the event can open one."
        return card(f"{head}\n{CLOSED}{rest}", colour=discord.Colour.gold(), buttons=does)
    lines = [
        head,
        f"{view.address}",
        f"It ends {deadline(view.gallery.ends_at)}. {count(view.people, 'member')} agreed, "
        f"{count(view.pictures, 'picture')} can be seen. {WHO}",
    ]
    if view.name is None:
        lines.append(f"**You are not in it.** With the button you say:\n> {view.wording}")
        does = [ActionButton("gallery", "agree", event.id, label="I agree", style=discord.ButtonStyle.success)]
    else:
        lines.append(f"**You agreed**, under the name {quote(view.name, NAME_MAX)}. {AFTERWARDS}")
        does = [ActionButton("gallery", "back", event.id, label="Take it back")]
    if runs:
        does.append(ActionButton("gallery", "close", event.id, label="Close it", style=discord.ButtonStyle.danger))
    return card("\n".join(lines), colour=discord.Colour.gold(), buttons=does)


async def show_gallery(interaction: Interaction, event_id: int) -> None:
    actor, galleries = actor_of(interaction), interaction.client.services.galleries
    view = await galleries.view(event_id, actor, interaction.user.display_name)
    await show(interaction, gallery_card(view, runs=may_run(view.event, actor)))


def _doing(act: Act) -> Callable[[Interaction, int], Awaitable[None]]:
    async def press(interaction: Interaction, event_id: int) -> None:
        await act(interaction.client.services.galleries, event_id, actor_of(interaction), interaction.user.display_name)
        await show_gallery(interaction, event_id)

    return after_defer(press, thinking=False)


async def setup(bot: DarkroomBot) -> None:
    bot.add_buttons(
        "gallery",
        show=after_defer(show_gallery),
        open=_doing(lambda galleries, event_id, actor, _: galleries.open(event_id, actor)),
        close=_doing(lambda galleries, event_id, actor, _: galleries.close(event_id, actor)),
        agree=_doing(GalleryService.agree),
        back=_doing(lambda galleries, event_id, actor, _: galleries.take_back(event_id, actor)),
    )


async def teardown(bot: DarkroomBot) -> None:
    bot.remove_buttons("gallery")
