"""What Discord shows of a banner: at the head of the panel, another one after an edit, with words in its place."""

from typing import Any

import discord
import pytest
from simcord.components import walk_components

from bot.events.banner import banner_name
from bot.events.views import EventView
from bot.records.event import Event
from bot.records.post import Post, PostKind
from bot.services import build_services
from bot.storage.events import events
from bot.storage.jobs import posts
from cogs.adapters import rendering
from cogs.adapters.kept_files import named_files
from cogs.adapters.poster import DiscordPoster
from tests.cogs.events.event_actions import admin, open_event
from tests.cogs.simulated_guild import Stage, answer_to, board_of, photo, take_from_bot, until
from tests.events.event_hosts import HOST, Hosting
from tests.fakes.events import get_event
from tests.fakes.studio import Studio
from tests.fakes.waiting import eventually

GALLERY = 12


def shown_on(stage: Stage, message: discord.Message) -> tuple[str, str]:
    """(file name, alt text) of the only picture of the message."""
    stored = stage.world.env.backend.get_message(message.channel.id, message.id)
    [gallery] = [part for part in walk_components(stored.components) if part.get("type") == GALLERY]
    [item] = gallery["items"]
    names = {each["id"]: each["filename"] for each in stored.attachments}
    return names[item["media"]["attachment_id"]], item["description"]


async def panel(stage: Stage, event: Event) -> discord.Message:
    return await stage.post_of(PostKind.EVENT_PANEL, event.id)


async def post_of(stage: Stage, event: Event) -> Post:
    post = await stage.world.darkroom.database.fetch(posts.find, PostKind.EVENT_PANEL, event.id)
    assert post is not None
    return post


async def is_settled(stage: Stage, event: Event) -> bool:
    """Nothing is left to be shown."""
    return (await post_of(stage, event)).due_at is None


async def edited(stage: Stage, event: Event, **changes: Any) -> None:
    """Change the event and wait until its panel shows that."""
    await stage.world.darkroom.services.events.change(event.id, admin(stage), **changes)
    await eventually(lambda: is_settled(stage, event))


def path_of(message: discord.Message) -> str:
    return f"/channels/{message.channel.id}/messages/{message.id}"


def asked_for(stage: Stage, message: discord.Message) -> list[tuple[str, Any]]:
    """(method, files that it lists) of each request of the bot about the message itself."""
    found = [each for each in stage.world.env.http_requests if each.path == path_of(message)]
    return [(each.method, each.json["attachments"] if isinstance(each.json, dict) else None) for each in found]


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
    assert "Settings of **Night**" in said
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


async def test_an_edit_with_the_same_banner_reads_nothing_and_sends_no_file(keyed: Stage) -> None:
    """Mutant: reading the message before each edit; without Read Message History the file was sent each time."""
    event = await open_event(keyed)
    message = await panel(keyed, event)
    take_from_bot(keyed, "read_message_history")
    await edited(keyed, event, budget=700)
    post = await post_of(keyed, event)
    assert post.banner == banner_name(event)
    another_life = DiscordPoster()
    another_life.bot = keyed.world.darkroom.gateway.bot
    await another_life.edit(post, post.places[0])
    seen = asked_for(keyed, message)
    assert len(seen) >= 2
    assert all(each == ("PATCH", [{"id": post.banner_id, "filename": post.banner}]) for each in seen)
    assert shown_on(keyed, message)[0] == banner_name(event)


async def test_without_attach_files_the_panel_goes_on_and_no_file_is_sent(keyed: Stage) -> None:
    """Mutant: without the look at the permission, each edit sends the file once more to be refused."""
    event = await open_event(keyed)
    message = await panel(keyed, event)
    await edited(keyed, event, budget=700)
    take_from_bot(keyed, "attach_files")
    await keyed.world.env.settle()
    before = len(asked_for(keyed, message))
    await edited(keyed, event, name="Owl days")
    await edited(keyed, event, budget=800)
    await keyed.posted("of 800 credits")
    assert {str(each) for each in asked_for(keyed, message)[before:]} == {str(("PATCH", []))}
    stored = keyed.world.env.backend.get_message(message.channel.id, message.id)
    assert [part for part in walk_components(stored.components) if part.get("type") == GALLERY] == []
    assert stored.attachments == []


async def test_a_banner_that_discord_refuses_comes_with_the_next_edit(keyed: Stage) -> None:
    """Mutant: when the refusal counts for the whole edit, the panel keeps the old name."""
    event = await open_event(keyed)
    message = await panel(keyed, event)
    await edited(keyed, event, budget=700)
    keyed.world.env.inject_error("PATCH", path_of(message), status=403, code=50013)
    await edited(keyed, event, name="Owl days")
    await keyed.posted("Owl days")
    assert (await post_of(keyed, event)).banner is None
    await edited(keyed, event, budget=800)
    assert shown_on(keyed, message)[1] == "Owl days: Our mascot"


async def test_a_file_that_is_not_there_any_more_is_sent_anew(keyed: Stage) -> None:
    """The bot died after an edit and before it was noted which file the message has since."""
    event = await open_event(keyed)
    message = await panel(keyed, event)
    post = await post_of(keyed, event)
    services = keyed.world.darkroom.services
    await services.banners.note_posted(post.id, banner_name(event), 1)
    await edited(keyed, event, budget=700)
    await keyed.posted("of 700 credits")
    noted = await post_of(keyed, event)
    assert noted.banner_id not in {None, 1, post.banner_id}
    assert shown_on(keyed, message)[0] == noted.banner == banner_name(event)


async def test_a_new_panel_is_sent_without_its_banner_where_files_are_refused(keyed: Stage) -> None:
    """Mutant: the place counts as closed, and the panel goes to the host privately."""
    event = await open_event(keyed)
    await panel(keyed, event)
    await keyed.posted("is open")
    post, poster = await post_of(keyed, event), DiscordPoster()
    poster.bot = keyed.world.darkroom.gateway.bot
    keyed.world.env.inject_error("POST", "/channels/*/messages", status=403, code=50013)
    await poster.send(post, post.places[0])
    bodies = [body for path, body in keyed.sent_messages() if path.endswith("/messages") and post.nonce in str(body)]
    assert [len(body.get("attachments", [])) for body in bodies[-2:]] == [1, 0]
    assert GALLERY not in {part.get("type") for part in walk_components(bodies[-1]["components"])}
