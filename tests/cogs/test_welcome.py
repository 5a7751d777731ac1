"""The first message to a server that has just invited the bot: to whom, once, and what its button does."""

from datetime import timedelta

import discord
import pytest
import simcord

import cogs.welcome
from bot.client import DarkroomBot
from bot.records.key import ProviderName
from bot.sandbox.world import REHEARSAL_KEY
from bot.storage.rows import count_by
from bot.storage.tables import posts
from tests.cogs.private_messages import private
from tests.cogs.simulated_guild import Message, Stage, answer_to, fields_of, text_of, until

TITLE = "### Thank you for inviting me to **Photo club**"


def bot_of(stage: Stage) -> DarkroomBot:
    bot = stage.world.darkroom.gateway.bot
    assert bot is not None
    return bot


def note_invitation(stage: Stage, inviter: simcord.MemberActor) -> None:
    backend = stage.world.env.backend
    backend.record_audit_log(
        stage.world.guild.id, discord.AuditLogAction.bot_add.value, user_id=inviter.id, target_id=backend.bot_user.id
    )


def open_system_channel(stage: Stage) -> simcord.ChannelHandle:
    channel = stage.world.guild.create_text_channel("hello")
    stage.world.guild._guild.system_channel_id = channel.id
    guild = bot_of(stage).get_guild(stage.world.guild.id)
    assert guild is not None
    guild._system_channel_id = channel.id
    return channel


async def join(stage: Stage) -> None:
    """Discord tells the bot that it is in this server now."""
    guild = bot_of(stage).get_guild(stage.world.guild.id)
    assert guild is not None
    await cogs.welcome.WelcomeCog(bot_of(stage)).on_guild_join(guild)


async def start(stage: Stage) -> None:
    """The bot has connected, and Discord has told it of all its servers."""
    await cogs.welcome.WelcomeCog(bot_of(stage)).on_ready()


def told(stage: Stage, *channels: simcord.ChannelHandle) -> list[Message]:
    places = [*channels, *(member.user.dm_channel for member in (stage.ada, stage.ben, stage.cleo))]
    return [message for place in places for message in place.history() if TITLE in text_of(message)]


async def all_is_sent(stage: Stage) -> None:
    """Every post that there was is out, or has no place."""
    counts: dict[str, int] = {}

    async def look() -> None:
        counts.clear()
        async with stage.world.darkroom.database.read() as connection:
            counts.update(await count_by(connection, posts.c.status))

    await until(lambda: not counts.get("pending") and not counts.get("sending"), look)


async def test_whoever_invited_is_told_privately_and_sets_the_key_with_the_button(stage: Stage) -> None:
    note_invitation(stage, stage.ada)
    hello = open_system_channel(stage)
    await join(stage)
    message = await private(stage.ada, TITLE)
    assert told(stage, hello) == [message]
    form = await stage.ada.user.click(message, label="Set the key")
    saved = await stage.ada.user.submit_modal(form, {fields_of(form)[0]: REHEARSAL_KEY})
    assert "### Key saved" in answer_to(saved)
    status = await stage.world.darkroom.services.keys.status(stage.world.guild.id, ProviderName.APIFRAME)
    assert status is not None
    assert status.row.set_by == stage.ada.id


async def test_without_an_audit_log_the_system_channel_is_told_and_only_admins_may_press(stage: Stage) -> None:
    hello = open_system_channel(stage)
    await join(stage)
    message = await stage.posted(TITLE, hello)
    assert "Manage Server" in answer_to(await stage.ben.click(message, label="Set the key"))
    form = await stage.ada.click(message, label="Set the key")
    saved = await stage.ada.submit_modal(form, {fields_of(form)[0]: REHEARSAL_KEY})
    assert "300 each" in str(saved.response.components if saved.response else "")


async def test_with_neither_nobody_is_told_and_a_later_start_makes_up_for_it(stage: Stage) -> None:
    await join(stage)
    await start(stage)
    assert told(stage) == []
    note_invitation(stage, stage.ben)
    await start(stage)
    await private(stage.ben, TITLE)


async def test_an_inviter_who_takes_no_messages_leaves_it_to_the_system_channel(stage: Stage) -> None:
    note_invitation(stage, stage.ada)
    hello = open_system_channel(stage)
    stage.world.env.inject_error("POST", "/users/@me/channels", status=403, code=50007, times=None)
    await join(stage)
    await stage.posted(TITLE, hello)
    assert len(told(stage, hello)) == 1


async def test_it_is_told_once_also_after_restarts_and_when_the_bot_is_invited_again(
    stage: Stage,
) -> None:
    """Mutant: `welcomed_at` is not looked at. Each start and each rejoin tells it again."""
    hello = open_system_channel(stage)
    await join(stage)
    await stage.world.restart()
    await start(stage)
    await stage.posted(TITLE, hello)
    guilds = stage.world.darkroom.services.guilds
    await guilds.leave(stage.world.guild.id)
    await join(stage)
    await start(stage)
    await all_is_sent(stage)
    assert len(told(stage, hello)) == 1


async def test_a_bot_that_died_before_it_could_greet_does_so_at_its_next_start(stage: Stage) -> None:
    hello = open_system_channel(stage)
    await stage.world.restart()
    await start(stage)
    await start(stage)
    await stage.posted(TITLE, hello)
    await all_is_sent(stage)
    assert len(told(stage, hello)) == 1


async def test_a_server_that_has_the_bot_for_long_or_has_a_key_is_told_nothing(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As at the first start after an update."""
    hello = open_system_channel(stage)
    monkeypatch.setattr(cogs.welcome, "NEW_FOR", timedelta(0))
    await start(stage)
    monkeypatch.undo()
    await stage.set_key()
    await start(stage)
    await join(stage)
    await all_is_sent(stage)
    assert told(stage, hello) == []


async def test_whoever_lost_the_right_meanwhile_can_neither_open_nor_send_the_form(stage: Stage) -> None:
    """Mutant: only who opens the form is checked, not who sends it."""
    note_invitation(stage, stage.ada)
    await join(stage)
    message = await private(stage.ada, TITLE)
    form = await stage.ada.user.click(message, label="Set the key")
    stage.world.guild._guild.members[stage.ada.id].role_ids.clear()
    sent = await stage.ada.user.submit_modal(form, {fields_of(form)[0]: REHEARSAL_KEY})
    assert "Manage Server" in answer_to(sent)
    assert "Manage Server" in answer_to(await stage.ada.user.click(message, label="Set the key"))
    assert await stage.world.darkroom.services.keys.status(stage.world.guild.id, ProviderName.APIFRAME) is None


async def test_the_button_in_a_message_of_a_server_that_removed_the_bot_says_so(stage: Stage) -> None:
    note_invitation(stage, stage.ada)
    await join(stage)
    message = await private(stage.ada, TITLE)
    await stage.world.darkroom.services.guilds.leave(stage.world.guild.id)
    assert "no longer in that server" in answer_to(await stage.ada.user.click(message, label="Set the key"))
