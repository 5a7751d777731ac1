"""Pictures of a private or an age-restricted channel: shown elsewhere to nobody who could not see them there."""

import discord
import pytest
import simcord

from bot.records.guild import Actor
from bot.records.post import PostKind, PostStatus
from bot.storage.jobs import posts
from tests.cogs.private_channels import private_channel
from tests.cogs.simulated_guild import Stage, answer_to, board_of, pictures_in, settled, until

STAYS = "so they stay there."


@pytest.fixture
async def shared(keyed: Stage) -> Stage:
    """Ben's LoRA, which everybody may use; the server has a gallery."""
    await keyed.give_lora(keyed.ben, "Foxy")
    await keyed.use(keyed.ben, "loras share", lora="Foxy", everyone=True)
    gallery = keyed.world.guild.create_text_channel("gallery")
    await keyed.world.darkroom.services.guilds.choose_gallery(keyed.world.guild.id, gallery.id)
    return keyed


def restrict(stage: Stage, channel: simcord.ChannelHandle) -> None:
    """Age-restricted, as the gateway tells it."""
    bot = stage.world.darkroom.gateway.bot
    found = None if bot is None else bot.get_channel(channel.id)
    assert isinstance(found, discord.TextChannel)
    found.nsfw = True


async def make_in(stage: Stage, channel: simcord.ChannelHandle) -> discord.Message:
    await stage.use(stage.ben, "imagine", channel, prompt="in snow", lora="Foxy")
    posted = await stage.posted("Pictures #1 · AI-generated", channel)
    await settled(stage)
    return posted


async def previews(
    stage: Stage, member: simcord.MemberActor, channel: simcord.ChannelHandle | None = None
) -> list[str]:
    return pictures_in(board_of(await stage.use(member, "loras show", channel, lora="Foxy")))


async def stays(stage: Stage, posted: discord.Message) -> None:
    """The gallery is not offered to its member, and an old button says why."""
    assert "To gallery" not in await stage.behind_more(stage.ben, posted)
    assert STAYS in answer_to(await stage.press_id(stage.ben, "dr:pic:gallery:1"))


async def test_of_a_private_channel_only_those_who_can_see_it_are_shown_previews(shared: Stage) -> None:
    """Mutant: with what was posted in any channel, Cleo sees it."""
    channel = private_channel(shared, shared.ben, shared.ada)
    posted = await make_in(shared, channel)
    assert await previews(shared, shared.cleo) == []
    assert len(await previews(shared, shared.ada)) == len(await previews(shared, shared.ben)) == 1
    forged = answer_to(await shared.press_id(shared.cleo, "dr:pic:settings:1"))
    assert "not here any more" in forged
    await stays(shared, posted)


async def test_of_an_age_restricted_channel_nothing_is_shown_in_another_one(shared: Stage) -> None:
    channel = shared.world.guild.create_text_channel("adults")
    restrict(shared, channel)
    posted = await make_in(shared, channel)
    assert await previews(shared, shared.cleo) == []
    assert len(await previews(shared, shared.cleo, channel)) == 1
    await stays(shared, posted)


async def test_a_channel_that_was_closed_on_the_way_keeps_its_pictures(shared: Stage) -> None:
    """Mutant: with the look at the press alone, what waited for Discord is in the gallery."""
    services, guild_id = shared.world.darkroom.services, shared.world.guild.id
    channel = private_channel(shared, shared.ben)
    await make_in(shared, channel)
    found = await services.pictures.find(1)
    assert found is not None
    pressed_before = Actor(guild_id, shared.ben.id)
    await services.pictures.send_to_gallery([found.view.pictures[0].id], 1, pressed_before)
    ended: list[int | None] = []

    async def look() -> None:
        async with services.database.read() as connection:
            post = await posts.find(connection, PostKind.GALLERY, found.view.pictures[0].id)
        is_over = post is not None and post.status in {PostStatus.POSTED, PostStatus.KEPT}
        ended.extend([post.message_id] if post is not None and is_over else [])

    await until(lambda: ended, look)
    assert ended == [None]


async def test_of_an_open_channel_everybody_is_shown_previews_and_the_gallery_takes_it(shared: Stage) -> None:
    posted = await make_in(shared, shared.channel)
    other = shared.world.guild.create_text_channel("other")
    assert len(await previews(shared, shared.cleo, other)) == 1
    assert "On its way to" in answer_to(await shared.more(shared.ben, posted, "To gallery"))


@pytest.mark.parametrize("kind", [discord.ChannelType.private_thread, discord.ChannelType.public_thread])
async def test_what_a_private_thread_does_not_take_is_not_posted_in_its_channel(
    shared: Stage, kind: discord.ChannelType
) -> None:
    """Mutant: with the channel as the next place, everybody there sees the pictures of the thread."""
    bot = shared.world.darkroom.gateway.bot
    found = None if bot is None else bot.get_channel(shared.channel.id)
    assert isinstance(found, discord.TextChannel)
    thread = await found.create_thread(name="hidden", type=kind)
    await thread.add_user(discord.Object(shared.ben.id))
    [handle] = shared.channel.threads
    assert "Accepted #1" in answer_to(await shared.use(shared.ben, "imagine", handle, prompt="in snow", lora="Foxy"))
    view = await shared.world.darkroom.services.generations.view(1)
    assert view is not None
    is_private = kind is discord.ChannelType.private_thread
    assert (view.generation.channel_id, view.generation.parent_id) == (
        thread.id,
        None if is_private else shared.channel.id,
    )
