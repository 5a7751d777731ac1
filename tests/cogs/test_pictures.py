"""The buttons below made pictures: for whom they work, after a restart too, and what everybody then sees."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import discord
import pytest
import simcord
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.records.guild import Actor
from bot.records.job import SubjectTable
from bot.records.lora import Audience
from bot.records.post import PostKind
from bot.storage import tables
from bot.storage.people import erasure
from cogs.pictures.files import batches_of
from tests.cogs.simulated_guild import (
    Stage,
    answer_to,
    board_of,
    buttons_of,
    fields_of,
    pictures_in,
    settled,
    text_of,
    until,
)

UNKNOWN = 987_654_321
RESULT = "Pictures #1 · AI-generated"
IN_FRONT = ["Again", "Vary prompt", "Settings", "Save original", "More"]
NOT_MINE = "Only whoever ordered these pictures, or a moderator, can"


async def made(stage: Stage, **options: Any) -> discord.Message:
    """Ben's pictures, posted in the channel."""
    if not await stage.world.darkroom.services.loras.usable_by(Actor(stage.world.guild.id, stage.ben.id)):
        await stage.give_lora(stage.ben)
    await stage.use(stage.ben, "imagine", prompt="in a forest", lora="Foxy", **options)
    return await stage.posted(RESULT)


def count_saves(stage: Stage, counted: list[int]) -> Callable[[], Awaitable[None]]:
    async def look() -> None:
        found = await stage.world.darkroom.services.pictures.find(1)
        assert found is not None
        counted[:] = [picture.saves for picture in found.view.pictures]

    return look


async def result(stage: Stage, **options: Any) -> discord.Message:
    message = await made(stage, **options)
    await settled(stage)
    return message


async def gallery_of(stage: Stage) -> simcord.ChannelHandle:
    channel = stage.world.guild.create_text_channel("gallery")
    await stage.world.darkroom.services.guilds.choose_gallery(stage.world.guild.id, channel.id)
    return channel


async def reports_of(stage: Stage) -> simcord.ChannelHandle:
    channel = stage.world.guild.create_text_channel("reports")
    await stage.world.darkroom.services.guilds.choose_reports(stage.world.guild.id, channel.id)
    return channel


async def test_every_result_carries_four_buttons_and_more(keyed: Stage) -> None:
    message = await result(keyed)
    assert list(buttons_of(message)) == IN_FRONT
    assert pictures_in(message) == ["AI-generated picture 1 of 1: Foxy in a forest"]


async def test_again_makes_another_set_that_says_what_it_was_made_from(keyed: Stage) -> None:
    message = await result(keyed)
    await keyed.restart()
    assert "Accepted #2" in answer_to(await keyed.ben.click(message, label="Again"))
    again = await keyed.posted("Pictures #2 · AI-generated")
    assert "Made from #1" in text_of(again)
    assert "**1 picture** · **Foxy** · made from another" in answer_to(await keyed.use(keyed.ben, "jobs"))


async def test_who_may_not_use_the_lora_can_look_but_not_order(keyed: Stage) -> None:
    message = await result(keyed)
    for label in ("Again", "Vary prompt"):
        pressed = await keyed.cleo.click(message, label=label)
        assert pressed.modal is None
        assert "made with a LoRA that is not shared with you" in answer_to(pressed)
    assert "TORKPN in a forest" in answer_to(await keyed.cleo.click(message, label="Settings"))
    assert keyed.charges().count("images") == 1


async def test_whom_the_lora_is_shared_with_can_make_another(keyed: Stage) -> None:
    message = await result(keyed)
    lora = await keyed.lora(keyed.ben)
    owner = Actor(keyed.world.guild.id, keyed.ben.id)
    await keyed.world.darkroom.services.sharing.share(lora.id, Audience.MEMBER, keyed.cleo.id, owner)
    assert "Accepted #2" in answer_to(await keyed.cleo.click(message, label="Again"))
    assert keyed.cleo.mention in text_of(await keyed.posted("Pictures #2 · AI-generated"))


async def test_vary_opens_the_prompt_as_it_was(keyed: Stage) -> None:
    message = await result(keyed)
    await keyed.restart()
    opened = await keyed.ben.click(message, label="Vary prompt")
    assert opened.modal is not None
    assert opened.modal["components"][0]["component"]["value"] == "in a forest"
    answered = await keyed.ben.submit_modal(opened, {fields_of(opened)[0]: "by the sea"})
    assert "Accepted #2" in answer_to(answered)
    varied = await keyed.posted("Pictures #2 · AI-generated")
    assert "“Foxy by the sea”" in text_of(varied)
    assert "Made from #1" in text_of(varied)


async def test_settings_tell_everything_there_is_to_know(keyed: Stage) -> None:
    message = await result(keyed, seed=42, shape="16:9", strength=0.8)
    await keyed.restart()
    text = answer_to(await keyed.cleo.click(message, label="Settings"))
    [job] = keyed.world.provider.jobs.values()
    assert "```\nTORKPN in a forest\n```" in text
    assert "seed `42` · shape 16:9 · strength 0.8" in text
    assert "**Made** at Apiframe with **Foxy**" in text
    assert "**Cost** 2 credits · estimated 2 credits" in text
    assert f"**Apiframe id** `{job.id}`" in text


async def test_a_long_prompt_comes_as_a_file_too(keyed: Stage) -> None:
    await keyed.set_aurous_key()
    prompt = "a " * 1500 + "fox"
    await keyed.use(keyed.ben, "imagine", prompt=prompt, provider="aurous", without="b" * 900)
    message = await keyed.posted(RESULT)
    await settled(keyed)
    shown = board_of(await keyed.ben.click(message, label="Settings"))
    assert len(text_of(shown)) <= 4000
    [file] = keyed.world.env.backend.get_message(shown.channel_id, shown.id).attachments
    data = keyed.world.env.backend.cdn.get(file["url"])
    assert data is not None
    assert data.decode() == f"{prompt}\n\nNot in the picture:\n{'b' * 900}"


async def test_the_original_is_given_byte_for_byte_and_counted(keyed: Stage) -> None:
    message = await result(keyed, pictures=2)
    await keyed.restart()
    shown = board_of(await keyed.cleo.click(message, label="Save original"))
    stored = keyed.world.env.backend.get_message(shown.channel_id, shown.id).attachments
    counted: list[int] = []
    found = await keyed.world.darkroom.services.pictures.find(1)
    assert found is not None
    originals = [path.read_bytes() for path in found.view.files if path is not None]
    assert [keyed.world.env.backend.cdn.get(file["url"]) for file in stored] == originals
    assert [file["filename"] for file in stored] == ["darkroom-1-1.png", "darkroom-1-2.png"]
    await until(lambda: counted and all(counted), count_saves(keyed, counted))


async def test_originals_that_do_not_fit_are_named(keyed: Stage) -> None:
    await result(keyed, pictures=2)
    found = await keyed.world.darkroom.services.pictures.find(1)
    assert found is not None
    sizes = [picture.size for picture in found.view.pictures]
    batches, left = await batches_of(found, min(sizes) - 1)
    assert (batches, list(left)) == ([], list(found.view.pictures))
    batches, left = await batches_of(found, max(sizes))
    assert ([len(files) for files in batches], left) == ([2], [])


async def test_upscaling_names_its_prices_first_and_then_makes_what_was_chosen(keyed: Stage) -> None:
    message = await result(keyed, pictures=2)
    offered = board_of(await keyed.more(keyed.ben, message, "Upscale"))
    assert "• Clarity · 3 credits" in text_of(offered)
    labels = list(buttons_of(offered))
    assert [label for label in labels if "Clarity" in label] == [
        "Picture 1 · Clarity · 3 credits",
        "Picture 2 · Clarity · 3 credits",
    ]
    assert [
        label.startswith(f"Picture {number} · Topaz · ") for number, label in zip((1, 2), labels[1::2], strict=True)
    ]
    assert len(keyed.charges()) == 1
    await keyed.restart()
    pressed = await keyed.ben.click(offered, label="Picture 2 · Clarity · 3 credits")
    assert "Accepted #2" in answer_to(pressed)
    larger = await keyed.posted("Pictures #2 · AI-generated")
    assert "Upscaled with Clarity" in text_of(larger)
    assert "Made from picture 2 of #1" in text_of(larger)
    assert pictures_in(larger) == ["AI-generated picture 1 of 1, upscaled with clarity: Foxy in a forest"]
    assert list(buttons_of(larger)) == IN_FRONT[2:]
    await settled(keyed)
    behind = await keyed.behind_more(keyed.cleo, larger)
    assert behind == ["Upscale", "Remove background", "Report", "I am in this"]


async def test_a_removed_background_stays_transparent(keyed: Stage) -> None:
    message = await result(keyed)
    offered = board_of(await keyed.more(keyed.cleo, message, "Remove background"))
    [label] = buttons_of(offered)
    assert label.startswith("Remove background · ")
    await keyed.cleo.click(offered, label=label)
    cut = await keyed.posted("Pictures #2 · AI-generated")
    assert "Background removed for" in text_of(cut)
    [attachment] = cut.attachments
    data = keyed.world.env.backend.cdn.get(attachment.url)
    found = await keyed.world.darkroom.services.pictures.find(2)
    assert found is not None
    [path] = found.view.files
    assert path is not None
    assert data == path.read_bytes()
    assert attachment.filename == "darkroom-2-1.png"


@pytest.mark.parametrize("action", ["upscale", "cutout"])
async def test_without_an_apiframe_key_further_work_is_not_offered_and_refused_kindly(
    keyed: Stage, action: str
) -> None:
    message = await result(keyed)
    await keyed.use(keyed.ada, "keys remove", provider="apiframe")
    assert await keyed.behind_more(keyed.ben, message) == ["Delete", "Report", "I am in this"]
    assert "Ask an admin to run `/keys set`." in answer_to(await keyed.press_id(keyed.ben, f"dr:pic:{action}:1"))


async def test_more_offers_what_this_member_may_do_here_and_works_after_a_restart(keyed: Stage) -> None:
    """Mutant: with every check left out, Cleo is offered to delete, and both the gallery that is not there."""
    message = await result(keyed)
    edits, everybody = ["Upscale", "Remove background"], ["Report", "I am in this"]
    await keyed.restart()
    assert await keyed.behind_more(keyed.ben, message) == [*edits, "Delete", *everybody]
    assert await keyed.behind_more(keyed.cleo, message) == [*edits, *everybody]
    await gallery_of(keyed)
    assert await keyed.behind_more(keyed.ben, message) == [*edits, "To gallery", "Delete", *everybody]
    assert await keyed.behind_more(keyed.ada, message) == [*edits, "To gallery", "Delete", *everybody]
    assert await keyed.behind_more(keyed.cleo, message) == [*edits, *everybody]


async def test_more_keeps_i_am_in_this_for_a_blocked_member_and_nothing_else(keyed: Stage) -> None:
    """Mutant: without `pic:more` among the rights of everybody they are refused at the door."""
    message = await result(keyed)
    await keyed.world.darkroom.services.sharing.share(
        (await keyed.lora(keyed.ben)).id, Audience.GUILD, None, Actor(keyed.world.guild.id, keyed.ben.id)
    )
    await keyed.use(keyed.ada, "moderation block", member=keyed.cleo)
    assert await keyed.behind_more(keyed.cleo, message) == ["I am in this"]
    assert "Can **you** be seen" in answer_to(await keyed.more(keyed.cleo, message, "I am in this"))


async def test_more_below_pictures_that_are_gone_says_so(keyed: Stage) -> None:
    for number in (1, UNKNOWN):
        assert "not here any more" in answer_to(await keyed.press_id(keyed.ben, f"dr:pic:more:{number}"))


async def test_a_picture_goes_to_the_gallery_once_with_credit_label_and_alt_text(keyed: Stage) -> None:
    message = await result(keyed)
    told = answer_to(await keyed.press_id(keyed.ben, "dr:pic:gallery:1"))
    assert told == "This server has no gallery yet. An admin can choose a channel for it with `/settings`."
    gallery = await gallery_of(keyed)
    await keyed.restart()
    assert NOT_MINE in answer_to(await keyed.press_id(keyed.cleo, "dr:pic:gallery:1"))
    assert f"On its way to <#{gallery.id}>" in answer_to(await keyed.more(keyed.ben, message, "To gallery"))
    shown = await keyed.posted("AI-generated", gallery)
    assert f"**Foxy** by {keyed.ben.mention}" in text_of(shown)
    assert "“Foxy in a forest”" in text_of(shown)
    assert pictures_in(shown) == ["AI-generated picture 1 of 1: Foxy in a forest"]
    assert list(buttons_of(shown)) == ["Settings", "Delete", "Report", "I am in this"]
    assert "in the gallery already" in answer_to(await keyed.more(keyed.ada, message, "To gallery"))
    assert len(keyed.posts(gallery)) == 1
    assert "TORKPN in a forest" in answer_to(await keyed.cleo.click(shown, label="Settings"))


async def test_of_several_pictures_the_chosen_ones_go_to_the_gallery(keyed: Stage) -> None:
    gallery = await gallery_of(keyed)
    message = await result(keyed, pictures=2)
    choice = board_of(await keyed.more(keyed.ben, message, "To gallery"))
    assert list(buttons_of(choice)) == ["Picture 1", "Picture 2", "All of them"]
    await keyed.restart()
    await keyed.ben.click(choice, label="Picture 2")
    await keyed.posted("Picture 2 of #1", gallery)
    assert "in the gallery already" in answer_to(await keyed.ben.click(choice, label="Picture 2"))
    await keyed.ben.click(choice, label="All of them")
    await keyed.posted("Picture 1 of #1", gallery)
    assert len(keyed.posts(gallery)) == 2


async def delete(stage: Stage, member: simcord.MemberActor, message: discord.Message) -> str:
    is_front = "Delete" in buttons_of(message)
    asked = await (member.click(message, label="Delete") if is_front else stage.more(member, message, "Delete"))
    assert "Delete these pictures?" in answer_to(asked)
    return answer_to(await member.click(board_of(asked), label="Delete for good"))


@pytest.mark.parametrize("who", ["ben", "ada"])
async def test_requester_and_moderator_delete_the_message_and_its_copy_in_the_gallery(keyed: Stage, who: str) -> None:
    gallery = await gallery_of(keyed)
    message = await result(keyed)
    await keyed.more(keyed.ben, message, "To gallery")
    shown = await keyed.posted("AI-generated", gallery)
    await settled(keyed, PostKind.GALLERY)
    await keyed.restart()
    member = keyed.ben if who == "ben" else keyed.ada
    assert await delete(keyed, member, shown) == "These pictures are deleted, and so are our copies."
    assert keyed.posts() == keyed.posts(gallery) == []
    assert "🗑️ Deleted." in answer_to(await keyed.use(keyed.ben, "jobs"))


async def test_nobody_else_deletes(keyed: Stage) -> None:
    await result(keyed)
    assert NOT_MINE in answer_to(await keyed.press_id(keyed.cleo, "dr:pic:delete:1"))
    assert len(keyed.posts()) == 1


async def test_a_message_that_was_deleted_by_hand_is_told(keyed: Stage) -> None:
    message = await result(keyed)
    asked = board_of(await keyed.more(keyed.ben, message, "Delete"))
    await message.delete()
    answered = answer_to(await keyed.ben.click(asked, label="Delete for good"))
    assert answered == "These pictures are deleted, and so are our copies. A message of it was gone already."


async def test_a_message_that_may_not_be_deleted_is_told(keyed: Stage) -> None:
    message = await result(keyed)
    keyed.world.env.inject_error("DELETE", "/channels/*/messages/*", status=403, code=50013, times=None)
    assert "Discord did not let me delete a message of it" in await delete(keyed, keyed.ben, message)
    assert len(keyed.posts()) == 1
    keyed.world.env.backend.faults.clear()
    assert await delete(keyed, keyed.ben, message) == "These pictures are deleted, and so are our copies."
    assert keyed.posts() == []


async def test_a_message_that_discord_cannot_delete_now_goes_a_little_later(keyed: Stage) -> None:
    message = await result(keyed)
    keyed.world.env.inject_error("DELETE", "/channels/*/messages/*", status=503, code=0, times=1)
    assert "goes as soon as it can" in await delete(keyed, keyed.ben, message)
    await until(lambda: keyed.posts() == [])


async def report(stage: Stage, message: discord.Message, reason: str = "this is me") -> str:
    opened = await stage.more(stage.cleo, message, "Report")
    return answer_to(await stage.submit_fields(stage.cleo, opened, reason))


async def test_a_report_reaches_the_moderators_who_can_dismiss_it(keyed: Stage) -> None:
    message = await result(keyed)
    reports = await reports_of(keyed)
    await keyed.restart()
    assert await report(keyed, message) == "Thank you. The moderators are told."
    card = await keyed.posted("Pictures #1 were reported", reports)
    assert "“this is me”" in text_of(card)
    assert keyed.cleo.mention in text_of(card)
    assert f"/{keyed.world.guild.id}/{keyed.channel.id}/{message.id})" in text_of(card)
    assert "You have reported these pictures already" in await report(keyed, message)
    assert len(keyed.posts(reports)) == 1
    await keyed.restart()
    for label in ("Delete pictures", "Dismiss"):
        assert "Only a moderator" in answer_to(await keyed.cleo.click(card, label=label))
    assert answer_to(await keyed.ada.click(card, label="Dismiss")) == "Dismissed. The pictures stay."
    card = await keyed.posted("Dismissed by a moderator.", reports)
    assert buttons_of(card) == {}
    assert len(keyed.posts()) == 1


async def test_a_moderator_deletes_reported_pictures_from_the_report(keyed: Stage) -> None:
    message = await result(keyed)
    reports = await reports_of(keyed)
    await report(keyed, message)
    card = await keyed.posted("Pictures #1 were reported", reports)
    await settled(keyed, PostKind.PICTURE_REPORT)
    asked = board_of(await keyed.ada.click(card, label="Delete pictures"))
    await keyed.ada.click(asked, label="Delete for good")
    assert keyed.posts() == []
    assert buttons_of(await keyed.posted("The pictures have been deleted.", reports)) == {}


async def test_without_a_reports_channel_whoever_set_the_key_gets_the_report_privately(keyed: Stage) -> None:
    message = await result(keyed)
    await report(keyed, message)
    private = keyed.ada.user.dm_channel
    await until(lambda: any("were reported" in text_of(each) for each in private.history()))
    [card] = private.history()
    assert buttons_of(card) == {}
    assert f"/{keyed.channel.id}/{message.id})" in text_of(card)


async def test_a_result_in_a_private_message_can_be_kept_looked_at_and_deleted(keyed: Stage) -> None:
    await keyed.give_lora(keyed.ben)
    keyed.world.env.inject_error("POST", f"/channels/{keyed.channel.id}/messages", status=403, code=50013, times=None)
    await keyed.use(keyed.ben, "imagine", prompt="in a forest", lora="Foxy")
    private, ben = keyed.ben.user.dm_channel, keyed.ben.user
    await until(lambda: any(RESULT in text_of(each) for each in private.history()))
    await settled(keyed)
    await keyed.restart()
    [message] = private.history()
    assert list(buttons_of(message)) == ["Settings", "Save original", "Delete", "I am in this"]
    assert "TORKPN in a forest" in text_of(board_of(await ben.click(message, label="Settings")))
    assert "byte for byte" in text_of(board_of(await ben.click(message, label="Save original")))
    asked = board_of(await ben.click(message, label="Delete"))
    assert "are deleted" in answer_to(await ben.click(asked, label="Delete for good"))
    assert all(RESULT not in text_of(each) for each in private.history() if not each.flags.ephemeral)


PICTURE_PRESSES = ("pic:clarity", "pic:topaz", "pic:background", "pic:galleryone", "entry:enter")


def presses_about_pictures(stage: Stage) -> list[str]:
    return [f"{area}:{action}" for area, action in stage.presses() if area in {"pic", "entry"}]


async def seen(stage: Stage, member: simcord.MemberActor, press: str, row_id: int) -> str:
    pressed = await stage.press_id(member, f"dr:{press}:{row_id}")
    return f"form {pressed.modal['title']}" if pressed.modal is not None else answer_to(pressed)


async def test_a_deleted_set_is_used_by_no_stale_button(keyed: Stage) -> None:
    await gallery_of(keyed)
    message = await result(keyed)
    await delete(keyed, keyed.ben, message)
    assert len(presses_about_pictures(keyed)) == 18
    for press in presses_about_pictures(keyed):
        for member in (keyed.ben, keyed.cleo):
            if press in {"pic:delete", "pic:more"} and member is keyed.ben:
                continue
            answered = await seen(keyed, member, press, 1)
            assert "not here any more" in answered, press
    assert keyed.charges().count("images") == len(keyed.charges()) == 1


async def test_a_set_whose_details_are_gone_after_30_days_is_answered_kindly(keyed: Stage) -> None:
    await gallery_of(keyed)
    message = await result(keyed)

    async def forget(connection: AsyncConnection) -> None:
        await erasure.erase_job(connection, tables.generations, SubjectTable.GENERATION, 1)

    await keyed.world.darkroom.database.write(forget)
    for label in IN_FRONT:
        answered = answer_to(await keyed.ben.click(message, label=label))
        assert "These pictures are not here any more" in answered, label
    for press in PICTURE_PRESSES:
        assert "not here any more" in await seen(keyed, keyed.ben, press, 1)


@dataclass(frozen=True, slots=True)
class Neighbour:
    """Another guild, with a key and a gallery, in which Ben and Ada are, too."""

    channel: simcord.ChannelHandle
    ben: simcord.MemberActor
    ada: simcord.MemberActor


@pytest.fixture
async def neighbour(keyed: Stage) -> Neighbour:
    guild = keyed.world.env.create_guild(name="Other club")
    admins = guild.create_role("Admins", permissions=discord.Permissions(manage_guild=True))
    ada, ben = guild.add_member(keyed.ada.user, roles=[admins]), guild.add_member(keyed.ben.user)
    await keyed.set_key(guild)
    channel = guild.create_text_channel("darkroom")
    await keyed.world.darkroom.services.guilds.choose_gallery(guild.id, channel.id)
    return Neighbour(channel, ben, ada)


async def test_from_another_server_the_pictures_do_not_exist(keyed: Stage, neighbour: Neighbour) -> None:
    await gallery_of(keyed)
    await reports_of(keyed)
    message = await result(keyed)
    await report(keyed, message)
    before = keyed.charges()
    for press in [*presses_about_pictures(keyed), "report:delete", "report:dismiss"]:
        for member in (neighbour.ben, neighbour.ada):
            answers = set()
            for row_id in (1, UNKNOWN):
                answered = await keyed.press_id(member, f"dr:{press}:{row_id}", neighbour.channel)
                assert answered.modal is None, press
                answers.add(answer_to(answered))
            assert len(answers) == 1, press
    assert keyed.charges() == before
    assert len(keyed.posts()) == 1
    assert keyed.posts(neighbour.channel) == []
