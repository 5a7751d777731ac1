"""How results reach the channel when Discord makes it hard."""

from tests.cogs.simulated_guild import Stage, pictures_in, text_of, until

CHANNEL_POSTS = "/channels/*/messages"


async def test_pictures_too_large_for_the_server_are_posted_as_smaller_copies(keyed: Stage) -> None:
    await keyed.give_lora(keyed.ben)
    keyed.world.env.inject_error("POST", CHANNEL_POSTS, status=413, code=40005, times=1)
    await keyed.use(keyed.ben, "imagine", prompt="in a forest", lora="Foxy")
    picture = await keyed.posted("Pictures #1 · AI-generated")
    assert [attachment.filename for attachment in picture.attachments] == ["darkroom-1-1.jpg"]
    assert "These are smaller copies" in text_of(picture)
    assert len(pictures_in(picture)) == 1


async def test_pictures_that_do_not_fit_at_all_are_posted_as_links(keyed: Stage) -> None:
    await keyed.give_lora(keyed.ben)
    keyed.world.env.inject_error("POST", CHANNEL_POSTS, status=413, code=40005, times=2)
    await keyed.use(keyed.ben, "imagine", prompt="in a forest", lora="Foxy")
    picture = await keyed.posted("Pictures #1 · AI-generated")
    assert picture.attachments == []
    assert f"[Picture 1, full quality]({keyed.world.provider.base_url}/" in text_of(picture)
    assert "the links work for about a day" in text_of(picture)


async def test_a_channel_that_takes_no_messages_leads_to_a_private_one(keyed: Stage) -> None:
    await keyed.give_lora(keyed.ben)
    keyed.world.env.inject_error("POST", f"/channels/{keyed.channel.id}/messages", status=403, code=50013, times=None)
    await keyed.use(keyed.ben, "imagine", prompt="in a forest", lora="Foxy")
    await until(lambda: any("Pictures #1" in text_of(message) for message in keyed.ben.user.dm_channel.history()))
    assert keyed.posts() == []
    refused = [
        request for request in keyed.world.env.http_requests if request.path == f"/channels/{keyed.channel.id}/messages"
    ]
    assert len(refused) == 1


async def test_a_picture_too_large_for_the_gallery_hangs_there_as_a_smaller_copy(keyed: Stage) -> None:
    guild = keyed.world.guild
    gallery = guild.create_text_channel("gallery")
    await keyed.world.darkroom.services.guilds.choose_gallery(guild.id, gallery.id)
    await keyed.give_lora(keyed.ben)
    await keyed.use(keyed.ben, "imagine", prompt="in a forest", lora="Foxy")
    posted = await keyed.posted("Pictures #1 · AI-generated")
    keyed.world.env.inject_error("POST", f"/channels/{gallery.id}/messages", status=413, code=40005, times=1)
    await keyed.ben.click(posted, label="To gallery")
    shown = await keyed.posted("Gallery picture #1 · AI-generated", gallery)
    assert [attachment.filename for attachment in shown.attachments] == ["darkroom-1-1.jpg"]
    assert pictures_in(shown) == ["AI-generated picture 1 of 1: TORKPN in a forest"]
