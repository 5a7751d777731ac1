"""/help and /about: they know what this server has set, and what to do next."""

from typing import Any

import discord
import pytest
import simcord
from simcord.components import walk_components

from bot import __version__
from bot.client import DarkroomBot
from bot.command_mentions import learn
from bot.records.event import EventStatus
from bot.records.guild import Channel
from bot.records.key import ProviderName
from bot.sandbox.world import REHEARSAL_KEY
from cogs.ui.layout import card
from tests.cogs.card_checks import TEXT_MAX
from tests.cogs.events.event_actions import admin, move, open_event
from tests.cogs.simulated_guild import TEXT_DISPLAY, Stage, answer_to, photos
from tests.fakes.events import plan_and_open
from tests.meta.command_tree import command_tree, leaves


async def test_about_names_the_version_and_the_three_steps(stage: Stage) -> None:
    text = answer_to(await stage.use(stage.ben, "about"))
    assert f"Darkroom {__version__}" in text
    for command in ("`/keys set`", "`/train`", "`/imagine`", "`/jobs`", "`/privacy show`"):
        assert command in text


async def test_help_names_every_command_to_an_admin(stage: Stage) -> None:
    """Mutant: a command is added and nobody tells of it."""
    text = answer_to(await stage.use(stage.ada, "help"))
    missing = [
        name
        for node in await command_tree()
        for name, _ in leaves(node)
        if f"`/{name}`" not in text and f"**{name}**" not in text
    ]
    assert missing == ["help"]


async def test_help_has_the_parts_of_whoever_asks(stage: Stage) -> None:
    headings = ("### For hosts", "### For moderators", "### For admins")

    async def parts(member: simcord.MemberActor) -> list[bool]:
        text = answer_to(await stage.use(member, "help"))
        return [heading in text for heading in headings]

    guilds, guild = stage.world.darkroom.services.guilds, stage.world.guild
    helpers = guild.create_role("Helpers")
    assert [await parts(stage.ada), await parts(stage.ben)] == [[True] * 3, [False] * 3]
    stage.world.env.backend.add_member_role(guild.id, stage.ben.id, helpers.id)
    await guilds.choose_moderators(guild.id, helpers.id)
    assert await parts(stage.ben) == [False, True, False]
    await guilds.choose_hosts(guild.id, helpers.id)
    assert await parts(stage.ben) == [True, True, False]
    assert await parts(stage.cleo) == [False] * 3


@pytest.mark.parametrize("command", ["help", "about"])
async def test_without_a_key_admins_are_told_to_set_one_and_members_that_an_admin_does(
    stage: Stage, command: str
) -> None:
    admin = answer_to(await stage.use(stage.ada, command))
    assert "- Store the server's API key: `/keys set`." in admin
    assert "Nothing limits" not in admin
    member = answer_to(await stage.use(stage.ben, command))
    assert "- An admin has to store the server's API key with `/keys set`" in member
    assert "- Train a LoRA" not in member
    assert "Apiframe key not set" in member


async def test_with_a_key_the_next_thing_is_what_is_missing(stage: Stage) -> None:
    keys = stage.world.darkroom.services.keys
    await keys.set(stage.world.guild.id, ProviderName.APIFRAME, REHEARSAL_KEY, set_by=stage.ada.id)
    admin = answer_to(await stage.use(stage.ada, "help"))
    assert "API key: `/keys set`. Everything" not in admin
    assert "Apiframe key ✅ · Aurous Labs key not set · limits ✅ · 0 events under way" in admin
    assert "`/settings`" in admin
    member = answer_to(await stage.use(stage.ben, "help"))
    assert "- Train a LoRA: `/train` with 15 to 30 photos." in member
    assert "`/settings`" not in member
    await stage.send_form(stage.ben, "Foxy", photos(2))
    later = answer_to(await stage.use(stage.ben, "help"))
    assert "- Your photos of **Foxy** wait: `/dataset show` opens their board." in later
    assert "- Train a LoRA" not in later


async def test_who_may_use_a_lora_is_sent_to_imagine(keyed: Stage) -> None:
    await keyed.give_lora(keyed.ben)
    assert "- Make a picture: `/imagine`. You may use 1 LoRA." in answer_to(await keyed.use(keyed.ben, "help"))
    assert "`/imagine`. You may use" not in answer_to(await keyed.use(keyed.cleo, "help"))


async def test_an_event_is_named_with_what_to_do_in_it_and_its_host_knows_where_it_is_run(keyed: Stage) -> None:
    event = await open_event(keyed, name="Fox days")
    assert "- **Fox days** in" in answer_to(await keyed.use(keyed.ben, "help"))
    assert "press **Give photos**" in answer_to(await keyed.use(keyed.ben, "about"))
    assert "You run it: `/event status`." not in answer_to(await keyed.use(keyed.ben, "help"))
    assert "You run it: `/event status`." in answer_to(await keyed.use(keyed.ada, "help"))
    await move(keyed, event, EventStatus.FINISHED)
    assert "Fox days" not in answer_to(await keyed.use(keyed.ben, "help"))


async def test_an_event_in_a_channel_that_the_member_cannot_see_is_not_named(keyed: Stage) -> None:
    """Mutant: every live event is listed."""
    guild, bot = keyed.world.guild, keyed.world.darkroom.gateway.bot
    assert bot is not None
    hidden = discord.PermissionOverwrite(view_channel=False)
    seen = discord.PermissionOverwrite(
        view_channel=True, send_messages=True, attach_files=True, read_message_history=True
    )
    overwrites: dict[Any, discord.PermissionOverwrite] = {
        guild.default_role: hidden,
        bot.user: seen,
        keyed.ada: seen,
        keyed.cleo: seen,
    }
    private = guild.create_text_channel("private", overwrites=overwrites)
    service = keyed.world.darkroom.services.events
    await plan_and_open(service, admin(keyed), Channel(private.id), wants_thread=False, wants_calendar=False)
    assert f"in <#{private.id}>" in answer_to(await keyed.use(keyed.cleo, "help", private))
    shown = answer_to(await keyed.use(keyed.ben, "help"))
    assert f"<#{private.id}>" not in shown
    assert "0 events" in shown


async def test_commands_in_cards_and_sentences_can_be_pressed_also_after_a_restart(stage: Stage) -> None:
    """Mutant: the ids are learnt from the sync alone, which a restart does without."""
    for _ in range(2):
        bot = stage.world.env.bot
        assert isinstance(bot, DarkroomBot)
        ids = {each.name: each.id for each in await bot.tree.fetch_commands()}
        shown = (await stage.use(stage.ben, "about")).response
        assert shown is not None
        text = "".join(str(part.get("content", "")) for part in walk_components(shown.components))
        assert f"</train:{ids['train']}>" in text
        assert f"</keys set:{ids['keys']}>" in text
        said = (await stage.use(stage.ben, "dataset show")).response
        assert said is not None
        assert f"Send </train:{ids['train']}> to begin one." in said.content
        await stage.world.restart()


def test_a_card_without_room_for_mentions_keeps_its_commands_as_code() -> None:
    """Mutant: the room is not counted. Discord refuses the card, and a result is not posted."""
    learn({"train": 1576943032261935104})
    full = card("`/train`" + "x" * (TEXT_MAX - 20), "`/train`", colour=discord.Colour.blurple())
    texts = [part["content"] for part in walk_components(full.to_components()) if part["type"] == TEXT_DISPLAY]
    learn({})
    assert sum(map(len, texts)) <= TEXT_MAX
    assert texts[1] == "`/train`"
