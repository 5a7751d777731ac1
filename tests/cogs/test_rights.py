"""Who moderates, and that rights are asked again when a form is sent or a choice is made."""

import re
from collections.abc import Awaitable, Callable
from typing import Any

import discord
import pytest
import simcord
from simcord.components import walk_components

from bot.records.guild import Actor
from bot.records.key import ProviderName
from bot.sandbox.world import REHEARSAL_KEY
from tests.cogs.private_messages import private
from tests.cogs.simulated_guild import Message, Stage, answer_to, board_of, photos, text_of, tree_of, until

NEEDS = "ou need the **Manage Server** permission"
ROLE_SELECT, CHANNEL_SELECT, STRING_SELECT = 6, 8, 3


def selects(message: Message, kind: int) -> list[str]:
    return [part["custom_id"] for part in walk_components(tree_of(message)) if part.get("type") == kind]


def demote(stage: Stage, role: str = "Admins", member: simcord.MemberActor | None = None) -> None:
    """The member, Ada without one, no longer has this role."""
    backend, guild = stage.world.env.backend, stage.world.guild
    backend.remove_member_role(guild.id, (member or stage.ada).id, guild.roles[role].id)


def promote(stage: Stage, member: simcord.MemberActor, role: simcord.RoleHandle) -> None:
    stage.world.env.backend.add_member_role(stage.world.guild.id, member.id, role.id)


async def made(stage: Stage) -> discord.Message:
    lora = await stage.give_lora(stage.ben)
    await stage.use(stage.ben, "imagine", lora=f"lora-{lora.id}", prompt="in a forest")
    return await stage.posted("in a forest")


async def deletes(stage: Stage, member: simcord.MemberActor, message: discord.Message) -> str:
    """By the button behind **More**; where it is not offered, by an old one."""
    if "Delete" not in await stage.behind_more(member, message):
        number = int(text_of(message).rpartition("Pictures #")[2].split(" ")[0])
        return answer_to(await stage.press_id(member, f"dr:pic:delete:{number}"))
    asked = await stage.more(member, message, "Delete")
    return answer_to(await member.click(board_of(asked), label="Delete for good"))


async def test_whoever_manages_messages_in_a_channel_is_no_moderator_of_the_server(keyed: Stage) -> None:
    """Mutant: counting Manage Messages where the button is pressed lets Cleo delete."""
    tidy = keyed.world.guild.create_role("Tidy", permissions=discord.Permissions(manage_messages=True))
    promote(keyed, keyed.cleo, tidy)
    message = await made(keyed)
    assert "Only whoever ordered these pictures, or a moderator" in await deletes(keyed, keyed.cleo, message)


async def test_the_role_chosen_in_the_settings_moderates_until_it_is_taken_back(keyed: Stage) -> None:
    wardens = keyed.world.guild.create_role("Wardens")
    promote(keyed, keyed.cleo, wardens)
    shown = board_of(await keyed.use(keyed.ada, "settings"))
    assert "**Moderators:** only admins" in text_of(shown)
    choice, *_ = selects(shown, ROLE_SELECT)
    shown = board_of(await keyed.ada.select(shown, [wardens], custom_id=choice))
    assert f"**Moderators:** <@&{wardens.id}>, and admins" in text_of(shown)
    first = await made(keyed)
    assert "These pictures are deleted" in await deletes(keyed, keyed.cleo, first)
    again = await made(keyed)
    choice, *_ = selects(shown, ROLE_SELECT)
    await keyed.ada.select(shown, [], custom_id=choice)
    assert "or a moderator" in await deletes(keyed, keyed.cleo, again)


async def test_a_moderator_who_lost_the_role_while_they_were_asked_deletes_nothing(keyed: Stage) -> None:
    wardens = keyed.world.guild.create_role("Wardens")
    promote(keyed, keyed.cleo, wardens)
    await keyed.world.darkroom.services.guilds.choose_moderators(keyed.world.guild.id, wardens.id)
    asked = board_of(await keyed.more(keyed.cleo, await made(keyed), "Delete"))
    demote(keyed, "Wardens", keyed.cleo)
    assert "or a moderator" in answer_to(await keyed.cleo.click(asked, label="Delete for good"))
    assert len(keyed.posts()) == 1


async def key_form(stage: Stage) -> str:
    """Even if Server settings, Integrations let her at the command."""
    root = stage.world.env.backend.find_command("keys", stage.world.guild.id)
    assert root is not None
    stage.world.guild.set_command_permissions(int(root["id"]), {stage.ada: True})
    opened = await stage.use(stage.ada, "keys set", provider="apiframe")
    demote(stage)
    return answer_to(await stage.submit_fields(stage.ada, opened, REHEARSAL_KEY, None))


async def limits_form(stage: Stage) -> str:
    opened = await stage.use(stage.ada, "keys set", provider="apiframe")
    saved = board_of(await stage.submit_fields(stage.ada, opened, REHEARSAL_KEY, None))
    opened = await stage.ada.click(saved, label="Set limits")
    demote(stage)
    return answer_to(await stage.submit_fields(stage.ada, opened, "7", "7"))


async def event_form(stage: Stage) -> str:
    opened = await stage.use(stage.ada, "event create")
    demote(stage)
    return answer_to(await stage.submit_fields(stage.ada, opened, "Party", "Cats", ["club"], ["object"], ""))


def choice(kind: int, number: int, values: Callable[[Stage], list[Any]]) -> Callable[[Stage], Awaitable[str]]:
    async def chosen(stage: Stage) -> str:
        shown = board_of(await stage.use(stage.ada, "settings"))
        demote(stage)
        return answer_to(
            await stage.ada.select(shown, values(stage), custom_id=selects(shown, kind)[number])
        ).removeprefix(text_of(shown))

    return chosen


LOST: dict[str, Callable[[Stage], Awaitable[str]]] = {
    "the form of /keys set": key_form,
    "the form of the first limits": limits_form,
    "the form of /event create": event_form,
    "the gallery": choice(CHANNEL_SELECT, 0, lambda stage: [stage.channel]),
    "the reports": choice(CHANNEL_SELECT, 1, lambda stage: [stage.channel]),
    "the moderators": choice(ROLE_SELECT, 0, lambda stage: [stage.world.guild.default_role]),
    "the event hosts": choice(ROLE_SELECT, 1, lambda stage: [stage.world.guild.default_role]),
    "adult content": choice(STRING_SELECT, 0, lambda _: ["1"]),
    "the approval": choice(STRING_SELECT, 1, lambda _: ["1"]),
    "the first pictures": choice(STRING_SELECT, 2, lambda _: ["1"]),
    "the pause": choice(STRING_SELECT, 3, lambda _: ["24"]),
}


@pytest.mark.parametrize("what", LOST)
async def test_who_lost_manage_server_while_it_was_open_stores_nothing(stage: Stage, what: str) -> None:
    """Mutants: without `check_admin` in `submit`, or in what a choice calls, it is stored."""
    assert NEEDS in await LOST[what](stage)
    services, guild_id = stage.world.darkroom.services, stage.world.guild.id
    key = await services.keys.status(guild_id, ProviderName.APIFRAME)
    assert (key is None) is (what != "the form of the first limits")
    assert not await services.events.choices("", Actor(guild_id, stage.ada.id, is_admin=True), runnable=True)
    assert 7 not in {limit.credits for limit in await services.limits.of_guild(guild_id)}
    chosen = await services.guilds.get(guild_id)
    assert chosen is None or chosen.gallery_channel_id is chosen.reports_channel_id is chosen.moderator_role_id is None
    assert chosen is None or chosen.host_role_id is None
    assert chosen is None or not (chosen.training_pause_h or chosen.is_adult_allowed or chosen.needs_approval)
    assert chosen is None or chosen.makes_samples is (what == "the form of the first limits")


async def chosen_moderator(stage: Stage, member: simcord.MemberActor) -> None:
    wardens = stage.world.guild.create_role("Wardens")
    promote(stage, member, wardens)
    await stage.world.darkroom.services.guilds.choose_moderators(stage.world.guild.id, wardens.id)


BLOCKED = "The moderators of this server have blocked you"


async def test_a_blocked_member_can_use_nothing_but_their_own_privacy(keyed: Stage) -> None:
    """Every door has its own mutant: take `admit` out of the tree, the buttons, the forms, the views or the cards."""
    board = board_of(await keyed.send_form(keyed.ben, "Rex", photos(15)))
    form = await keyed.use(keyed.ben, "train", subject="object")
    question = board_of(await keyed.use(keyed.ben, "privacy erase"))
    message = await made(keyed)
    asked = board_of(await keyed.more(keyed.ben, message, "Delete"))
    assert "is blocked here" in answer_to(await keyed.use(keyed.ada, "moderation block", member=keyed.ben))
    doors = [
        await keyed.use(keyed.ben, "about"),
        await keyed.use(keyed.ben, "imagine", prompt="a cat"),
        await keyed.start(keyed.ben, board),
        await keyed.submit_fields(keyed.ben, form, "Rex", photos(10), None, None, True),
        await keyed.ben.click(message, label="Again"),
        await keyed.ben.click(asked, label="Delete for good"),
        await keyed.ben.context_menu(keyed.channel, "Imagine from this picture", message),
    ]
    assert all(answer_to(each).startswith(BLOCKED) for each in doors)
    assert await keyed.ben.autocomplete(keyed.channel, "imagine", "lora", "") == []
    assert "Kept about you" in answer_to(await keyed.use(keyed.ben, "privacy show"))
    assert "are erased" in answer_to(await keyed.ben.click(question, label="Erase my data here"))
    assert answer_to(await keyed.use(keyed.ben, "about")).startswith(BLOCKED)
    await keyed.use(keyed.ada, "moderation unblock", member=keyed.ben)
    assert BLOCKED not in answer_to(await keyed.use(keyed.ben, "about"))


async def test_a_card_that_was_open_takes_no_choice_of_a_blocked_admin(keyed: Stage) -> None:
    """Mutant: without `admit` in the cards, their menus still work."""
    shown = board_of(await keyed.use(keyed.ada, "settings"))
    await keyed.world.darkroom.services.moderation.block(
        Actor(keyed.world.guild.id, keyed.cleo.id, is_moderator=True), keyed.ada.id
    )
    gallery, *_ = selects(shown, CHANNEL_SELECT)
    assert BLOCKED in answer_to(await keyed.ada.select(shown, [keyed.channel], custom_id=gallery))
    chosen = await keyed.world.darkroom.services.guilds.get(keyed.world.guild.id)
    assert chosen is None or chosen.gallery_channel_id is None


async def test_who_may_be_blocked(keyed: Stage) -> None:
    guild = keyed.world.guild
    await chosen_moderator(keyed, keyed.cleo)
    assert "Only an admin or a moderator" in answer_to(
        await keyed.use(keyed.ben, "moderation block", member=keyed.cleo)
    )
    assert "has **Manage Server**" in answer_to(await keyed.use(keyed.cleo, "moderation block", member=keyed.ada))
    assert "cannot block yourself" in answer_to(await keyed.use(keyed.ada, "moderation block", member=keyed.ada))
    assert "is blocked here" in answer_to(await keyed.use(keyed.cleo, "moderation block", member=keyed.ben))
    assert "owner of the server" in answer_to(await keyed.use(keyed.ada, "moderation block", member=guild.owner))


async def test_the_list_of_words_is_a_form_for_moderators_and_holds_at_once(keyed: Stage) -> None:
    await chosen_moderator(keyed, keyed.cleo)
    assert "Only an admin or a moderator" in answer_to(await keyed.use(keyed.ben, "moderation words"))
    opened = await keyed.use(keyed.cleo, "moderation words")
    assert "2 lines stored" in answer_to(await keyed.submit_fields(keyed.cleo, opened, "badger\nhot dog\n"))
    refused = answer_to(await keyed.use(keyed.ben, "imagine", prompt="a B4DGER"))
    assert refused == "A word in this is not used in this server. Please say it in another way."
    opened = await keyed.use(keyed.cleo, "moderation words")
    demote(keyed, "Wardens", keyed.cleo)
    assert "Only an admin or a moderator" in answer_to(await keyed.submit_fields(keyed.cleo, opened, ""))
    assert "A word in this" in answer_to(await keyed.use(keyed.ben, "imagine", prompt="a hotdog"))


async def test_adult_content_is_for_age_restricted_channels_once_it_is_allowed(
    keyed: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The simulated Discord knows no age restriction. Mutant: a channel whose age restriction is not looked at."""
    adults = keyed.world.guild.create_text_channel("adults")
    monkeypatch.setattr(discord.TextChannel, "is_nsfw", lambda channel: channel.id == adults.id)
    assert "not made in this server" in answer_to(await keyed.use(keyed.ben, "imagine", adults, prompt="a nude"))
    shown = board_of(await keyed.use(keyed.ada, "settings"))
    adult, *_ = selects(shown, STRING_SELECT)
    shown = board_of(await keyed.ada.select(shown, ["1"], custom_id=adult))
    assert "**Adult content:** only in age-restricted channels" in text_of(shown)
    assert "only in this server's age-restricted" in answer_to(await keyed.use(keyed.ben, "imagine", prompt="a nude"))
    assert "Accepted #1" in answer_to(await keyed.use(keyed.ben, "imagine", adults, prompt="a nude"))


@pytest.mark.parametrize("is_lifted", [False, True])
async def test_an_explicit_picture_is_not_posted_where_the_age_restriction_was_lifted_meanwhile(
    keyed: Stage, monkeypatch: pytest.MonkeyPatch, *, is_lifted: bool
) -> None:
    """Mutant: the channel is looked at when the picture is ordered only. Its member gets it privately."""
    adults = keyed.world.guild.create_text_channel("adults")
    restricted = {adults.id}
    monkeypatch.setattr(discord.TextChannel, "is_nsfw", lambda channel: channel.id in restricted)
    await keyed.world.darkroom.services.guilds.choose_adult(keyed.world.guild.id, is_allowed=True)
    lora = await keyed.give_lora(keyed.ben)
    assert "Accepted #1" in answer_to(
        await keyed.use(keyed.ben, "imagine", adults, lora=f"lora-{lora.id}", prompt="a nude")
    )
    if not is_lifted:
        await keyed.posted("a nude", adults)
        return
    restricted.clear()
    await private(keyed.ben, "a nude")
    assert keyed.posts(adults) == []


async def test_the_log_is_a_table_and_a_line_in_the_channel(keyed: Stage) -> None:
    channel = keyed.world.guild.create_text_channel("log")
    shown = board_of(await keyed.use(keyed.ada, "settings"))
    third = selects(shown, CHANNEL_SELECT)[2]
    shown = board_of(await keyed.ada.select(shown, [channel], custom_id=third))
    assert f"**Log:** <#{channel.id}>" in text_of(shown)
    await keyed.use(keyed.ada, "moderation block", member=keyed.ben)
    line = text_of(await keyed.posted("blocked", channel))
    assert line.startswith(f"**Moderated** by {keyed.ada.mention} · blocked · {keyed.ben.mention}")
    [file] = board_of(await keyed.use(keyed.ada, "moderation log")).attachments
    assert file.filename == "moderation.csv"
    assert "Only an admin or a moderator" in answer_to(await keyed.use(keyed.cleo, "moderation log"))


async def test_a_line_about_an_erased_member_names_them_no_more(keyed: Stage) -> None:
    channel = keyed.world.guild.create_text_channel("log")
    await keyed.world.darkroom.services.guilds.choose_log(keyed.world.guild.id, channel.id)
    await keyed.use(keyed.ada, "moderation block", member=keyed.ben)
    await keyed.posted("blocked", channel)
    question = board_of(await keyed.use(keyed.ben, "privacy erase"))
    await keyed.ben.click(question, label="Erase my data here")
    await keyed.posted("**Erased** by erased member", channel)
    await until(lambda: not any(keyed.ben.mention in text_of(line) for line in keyed.posts(channel)))
    lines = [text_of(line) for line in keyed.posts(channel)]
    [name] = {found for line in lines for found in re.findall(r"erased member \d+", line)}
    assert [name in line for line in lines if "blocked" in line or "**Erased**" in line] == [True, True]


async def test_moderators_are_asked_in_the_reports_channel_before_the_gallery(keyed: Stage) -> None:
    guild, services = keyed.world.guild, keyed.world.darkroom.services
    gallery, reports = guild.create_text_channel("gallery"), guild.create_text_channel("reports")
    await services.guilds.choose_gallery(guild.id, gallery.id)
    await services.guilds.choose_reports(guild.id, reports.id)
    shown = board_of(await keyed.use(keyed.ada, "settings"))
    shown = board_of(await keyed.ada.select(shown, ["1"], custom_id=selects(shown, STRING_SELECT)[1]))
    assert "**Approval before gallery and votes:** by a moderator" in text_of(shown)
    message = await made(keyed)
    assert "A moderator looks at it first" in answer_to(await keyed.more(keyed.ben, message, "To gallery"))
    question = await keyed.posted("May this picture go to the gallery?", reports)
    assert "Only a moderator" in answer_to(await keyed.ben.click(question, label="Approve"))
    assert "Approved" in answer_to(await keyed.ada.click(question, label="Approve"))
    await keyed.posted("AI-generated", gallery)
    assert "Approved by a moderator." in text_of(await keyed.posted("Approved by a moderator.", reports))
