"""How results reach the channel when Discord makes it hard."""

import random

from PIL import Image

from bot.photos.filetypes import identify
from bot.records.post import PostKind
from bot.sandbox.apiframe.state import JobFault
from bot.sandbox.rehearsal.faults import Fault
from cogs.adapters.rendering import SMALLER, versions
from tests.cogs.simulated_guild import Stage, answer_to, pictures_in, text_of, until
from tests.photos.sample_photos import encode, noise

CHANNEL_POSTS = "/channels/*/messages"


async def test_pictures_too_large_for_the_server_are_posted_as_smaller_copies(keyed: Stage) -> None:
    await keyed.give_lora(keyed.ben)
    keyed.world.env.inject_error("POST", CHANNEL_POSTS, status=413, code=40005, times=1)
    await keyed.use(keyed.ben, "imagine", prompt="in a forest", lora="Foxy")
    picture = await keyed.posted("Pictures #1 · AI-generated")
    assert [attachment.filename for attachment in picture.attachments] == ["darkroom-1-1.jpg"]
    assert "These are smaller copies" in text_of(picture)
    assert len(pictures_in(picture)) == 1


async def test_half_a_picture_is_posted_as_a_link_beside_its_whole_sibling(keyed: Stage) -> None:
    await keyed.give_lora(keyed.ben)
    whole = encode(noise(64, 64, 1), "PNG")
    half = whole[: len(whole) // 2]
    keyed.world.provider.faults.next("GET /images/*-1.png", *[Fault.answer(200, body=half)] * 2)
    await keyed.use(keyed.ben, "imagine", prompt="in a forest", lora="Foxy", pictures=2)
    posted = await keyed.posted("Pictures #1 · AI-generated")
    assert pictures_in(posted) == ["AI-generated picture 2 of 2: Foxy in a forest"]
    assert "Picture 1 did not arrive whole; the links work for about a day." in text_of(posted)
    assert f"[Picture 1, full quality]({keyed.world.provider.base_url}/" in text_of(posted)
    assert "[Picture 2" not in text_of(posted)
    saved = answer_to(await keyed.ben.click(posted, label="Save original"))
    assert "is here as a link only" in saved


async def test_each_picture_takes_the_best_way_out_for_itself(keyed: Stage) -> None:
    await keyed.give_lora(keyed.ben)
    await keyed.use(keyed.ben, "imagine", prompt="in a forest", lora="Foxy", pictures=4)
    await keyed.posted("Pictures #1 · AI-generated")
    services = keyed.world.darkroom.services
    found = await services.pictures.find(1)
    assert found is not None
    small, large, cut, gone = [path for path in found.view.files if path is not None]
    small.write_bytes(original := encode(noise(64, 64, 1), "PNG"))
    grain = encode(Image.frombytes("RGB", (400, 400), random.Random(1).randbytes(480_000)), "PNG")
    large.write_bytes(grain)
    cut.write_bytes(grain[:-100_000])
    gone.unlink()
    limit = 200_000
    shown = [version async for version in versions(services, found, limit)]
    files, left, note = shown[0]
    assert [(number, name) for number, (name, _) in files.items()] == [(1, "darkroom-1-1.png"), (2, "darkroom-1-2.jpg")]
    assert files[1][1] == original
    assert identify(files[2][1][:64]) == "jpeg"
    assert len(files[2][1]) <= limit
    assert [picture.position for picture in left] == [3, 4]
    assert note == f"{SMALLER} Pictures 3, 4 are too large to attach here; the links work for about a day."
    assert [(list(files), [picture.position for picture in left]) for files, left, _ in shown[1:]] == [
        ([1, 2], [3, 4]),
        ([], [1, 2, 3, 4]),
    ]
    assert shown[1][0][1][0] == "darkroom-1-1.jpg"


async def test_pictures_that_do_not_fit_at_all_are_posted_as_links(keyed: Stage) -> None:
    await keyed.give_lora(keyed.ben)
    keyed.world.env.inject_error("POST", CHANNEL_POSTS, status=413, code=40005, times=2)
    await keyed.use(keyed.ben, "imagine", prompt="in a forest", lora="Foxy")
    picture = await keyed.posted("Pictures #1 · AI-generated")
    assert picture.attachments == []
    assert f"[Picture 1, full quality]({keyed.world.provider.base_url}/" in text_of(picture)
    assert "the links work for about a day" in text_of(picture)


async def test_a_picture_that_is_gone_is_named_below_its_siblings(keyed: Stage) -> None:
    await keyed.give_lora(keyed.ben)
    keyed.world.provider.faults.jobs.append(JobFault.ONE_GONE)
    await keyed.use(keyed.ben, "imagine", prompt="in a forest", lora="Foxy", pictures=3)
    posted = await keyed.posted("Pictures #1 · AI-generated")
    assert [file.filename for file in posted.attachments] == ["darkroom-1-1.png", "darkroom-1-2.png"]
    rest = await keyed.posted("Pictures #1 · the rest")
    assert "Picture 3 of 3 is missing: the provider made it and no longer has it." in text_of(rest)
    assert rest.attachments == []


async def test_a_picture_that_is_there_a_moment_later_follows_its_siblings(keyed: Stage) -> None:
    await keyed.give_lora(keyed.ben)
    keyed.world.provider.faults.next("GET /images/*-1.png", Fault.answer(404))
    await keyed.use(keyed.ben, "imagine", prompt="in a forest", lora="Foxy", pictures=3)
    await keyed.posted("Pictures #1 · AI-generated")
    rest = await keyed.posted("Pictures #1 · the rest")
    assert [file.filename for file in rest.attachments] == ["darkroom-1-1.png"]
    assert "missing" not in text_of(rest)


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
    await keyed.more(keyed.ben, posted, "To gallery")
    shown = await keyed.post_of(PostKind.GALLERY, 1, gallery)
    assert [attachment.filename for attachment in shown.attachments] == ["darkroom-1-1.jpg"]
    assert pictures_in(shown) == ["AI-generated picture 1 of 1: Foxy in a forest"]
