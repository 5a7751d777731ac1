"""What Discord shows of a banner: at the head of the panel, another one after an edit, with words in its place."""

import discord
import pytest
from simcord.components import walk_components

from bot.events.banner import banner_name
from bot.events.views import EventView
from bot.records.event import Event
from bot.records.post import PostKind
from bot.services import build_services
from bot.storage.events import events
from bot.storage.jobs import posts
from cogs.adapters import rendering
from cogs.adapters.kept_files import named_files
from tests.cogs.events.event_actions import admin, open_event
from tests.cogs.simulated_guild import Stage, answer_to, board_of, photo, until
from tests.events.event_hosts import HOST, Hosting
from tests.fakes.events import get_event
from tests.fakes.studio import Studio

GALLERY = 12


def shown_on(stage: Stage, message: discord.Message) -> tuple[str, str]:
    """(file name, alt text) of the only picture of the message."""
    stored = stage.world.env.backend.get_message(message.channel.id, message.id)
    [gallery] = [part for part in walk_components(stored.components) if part.get("type") == GALLERY]
    [item] = gallery["items"]
    names = {each["id"]: each["filename"] for each in stored.attachments}
    return names[item["media"]["attachment_id"]], item["description"]


async def panel(stage: Stage, event: Event) -> discord.Message:
    return await stage.posted(f"-# Event #{event.id}")


async def shows(stage: Stage, message: discord.Message, name: str) -> tuple[str, str]:
    """What is shown once it is a file of this name."""
    await until(lambda: shown_on(stage, message)[0] == name)
    return shown_on(stage, message)


async def test_the_panel_has_a_drawn_banner_that_follows_its_name(keyed: Stage) -> None:
    """Mutant: an edit that lists the files that stay alone shows a file that is not there."""
    event = await open_event(keyed)
    message = await panel(keyed, event)
    assert shown_on(keyed, message) == (banner_name(event), "Mascot days: Our mascot")
    services = keyed.world.darkroom.services
    renamed = await services.events.change(event.id, admin(keyed), name="Owl days")
    name, words = await shows(keyed, message, banner_name(renamed))
    assert words == "Owl days: Our mascot"
    again = await services.events.change(event.id, admin(keyed), budget=700)
    assert banner_name(again) == name
    await keyed.posted("of 700 credits")
    assert shown_on(keyed, message)[0] == name


async def test_a_banner_is_attached_to_the_command_and_changed_in_the_settings(keyed: Stage) -> None:
    form = await keyed.use(keyed.ada, "event create", banner=("wide.jpg", photo(1)))
    made = await keyed.submit_fields(keyed.ada, form, "Night", "Cats", ["club"], ["object"], "")
    settings = board_of(made)
    database = keyed.world.darkroom.database
    async with database.read() as connection:
        [event] = await events.of_guild(connection, keyed.world.guild.id)
    first = (await get_event(database, event.id)).banner
    assert first is not None
    opened = await keyed.ada.click(settings, label="Banner")
    await keyed.submit_fields(keyed.ada, opened, [("other.jpg", photo(2))])
    second = (await get_event(database, event.id)).banner
    assert second not in {None, first}
    opened = await keyed.ada.click(settings, label="Banner")
    await keyed.submit_fields(keyed.ada, opened, [])
    assert (await get_event(database, event.id)).banner is None


@pytest.mark.parametrize("content", [b"no picture", b""])
async def test_a_banner_that_cannot_be_used_loses_nothing_of_the_event(keyed: Stage, content: bytes) -> None:
    form = await keyed.use(keyed.ada, "event create", banner=("notes.jpg", content))
    made = await keyed.submit_fields(keyed.ada, form, "Night", "Cats", ["club"], ["object"], "")
    said = answer_to(made)
    assert "Settings of `Night`" in said
    assert "planned without its banner" in said


async def test_card_and_banner_are_of_the_same_moment(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    """Mutant: reading the event once more for the file, so that the card names another one than is sent."""
    await studio.set_key()
    event, services = await Hosting(studio).opened(), build_services(studio.opened)
    look = services.events.view

    async def and_rename(event_id: int) -> EventView | None:
        found = await look(event_id)
        await services.events.change(event_id, HOST, name=f"{'' if found is None else found.event.name}!")
        return found

    monkeypatch.setattr(services.events, "view", and_rename)
    post = await studio.database.fetch(posts.find, PostKind.EVENT_PANEL, event.id)
    assert post is not None
    async for card, files in rendering.drafts(
        services, post, 8_000_000, guild_name="", is_private=False, takes_explicit=False
    ):
        assert named_files(card) == {name for name, _ in files}
