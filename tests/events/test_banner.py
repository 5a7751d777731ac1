"""The picture at the head of the panel: given, taken back, shared by copies, erased."""

import io
from datetime import timedelta

import pytest
import sqlalchemy as sa
from PIL import Image

from bot.errors import NotAllowed, UserError
from bot.events.banner import HEIGHT, WIDTH, banner_name, draw_banner
from bot.records.dataset import Upload
from bot.records.event import Event, EventStatus
from bot.records.guild import Actor
from bot.records.post import PostKind
from bot.storage.tables import posts
from bot.strays import Strays
from tests.events.event_hosts import BOSS, HERE, HOST, Hosting
from tests.fakes.attachments import Attachments, open_attachments
from tests.fakes.events import change_event, get_event
from tests.fakes.old_files import make_older
from tests.fakes.rows import BEN, GUILD
from tests.fakes.studio import Studio
from tests.photos.leaving import leaks, personal_exif
from tests.photos.sample_photos import encode, noise

LONG = timedelta(days=1)


@pytest.fixture
async def hosting(studio: Studio) -> Hosting:
    await studio.set_key()
    return Hosting(studio)


async def given(hosting: Hosting, event: Event, number: int = 1) -> str:
    """The spool name of a banner that its host has just given."""
    async with open_attachments() as attachments:
        await hosting.studio.banners.give(event.id, private_photo(attachments, number), HOST)
    file = (await get_event(hosting.studio.database, event.id)).banner
    assert file is not None
    return file


def private_photo(attachments: Attachments, number: int = 1) -> Upload:
    content = encode(noise(1200, 400, number), "JPEG", exif=personal_exif())
    return attachments.add("banner.jpg", content)


async def revision(studio: Studio, event: Event) -> int:
    panel = sa.select(posts.c.revision).where(posts.c.kind == PostKind.EVENT_PANEL, posts.c.subject_id == event.id)
    (found,) = await studio.scalars(panel)
    return int(found)


async def test_a_banner_is_stored_and_posted_as_pixels_alone(hosting: Hosting) -> None:
    event = await hosting.opened()
    before, name = await revision(hosting.studio, event), banner_name(event)
    file = await given(hosting, event)
    assert leaks(hosting.studio.spool.path(file).read_bytes()) == []
    event = await get_event(hosting.studio.database, event.id)
    assert leaks(await hosting.studio.banners.picture(event)) == []
    assert banner_name(event) != name
    assert await revision(hosting.studio, event) > before


async def test_what_is_no_picture_is_refused_and_leaves_the_event_as_it_was(hosting: Hosting) -> None:
    event = await hosting.draft()
    async with open_attachments() as attachments:
        upload = attachments.add("notes.jpg", b"no picture at all")
        with pytest.raises(UserError, match="cannot be used"):
            await hosting.studio.banners.give(event.id, upload, HOST)
    assert await get_event(hosting.studio.database, event.id) == event
    assert hosting.studio.files() == []


async def test_only_those_who_run_it_choose_and_only_while_it_is_not_over(hosting: Hosting) -> None:
    """Mutant: without the first look the photo of a stranger is fetched."""
    event = await hosting.opened()
    async with open_attachments() as attachments:
        upload = private_photo(attachments)
        with pytest.raises(NotAllowed):
            await hosting.studio.banners.give(event.id, upload, Actor(GUILD, BEN))
        assert attachments.asked_for == []
        await change_event(hosting.studio.database, event, status=EventStatus.FINISHED)
        with pytest.raises(UserError, match="over"):
            await hosting.studio.banners.give(event.id, upload, HOST)
    assert hosting.studio.files() == []


async def test_the_file_of_a_banner_that_is_replaced_or_taken_back_leaves_the_disk(hosting: Hosting) -> None:
    event = await hosting.draft()
    await given(hosting, event, 1)
    second = await given(hosting, event, 2)
    assert hosting.studio.files() == [second]
    await hosting.studio.banners.take_back(event.id, HOST)
    assert hosting.studio.files() == []


async def test_a_copied_event_keeps_the_banner_when_the_first_one_gives_it_up(hosting: Hosting) -> None:
    """Mutant: freeing the file without a look at the other events."""
    event = await hosting.draft()
    file = await given(hosting, event)
    copied = await hosting.service.copy(event.id, BOSS, HERE)
    assert copied.banner == file
    await hosting.studio.banners.take_back(event.id, HOST)
    assert hosting.studio.files() == [file]
    await hosting.studio.banners.take_back(copied.id, BOSS)
    assert hosting.studio.files() == []


async def test_it_goes_with_its_host_also_from_copies_and_the_panel_shows_a_drawn_one(hosting: Hosting) -> None:
    event = await hosting.opened()
    await given(hosting, event)
    copied = await hosting.service.copy(event.id, BOSS, HERE)
    before = await revision(hosting.studio, event)
    await hosting.studio.privacy.forget_member(guild_id=GUILD, user_id=HOST.user_id)
    assert hosting.studio.files() == []
    for each in (event, copied):
        assert (await get_event(hosting.studio.database, each.id)).banner is None
    assert await revision(hosting.studio, event) > before


async def test_it_goes_with_the_details_of_the_event(hosting: Hosting) -> None:
    event = await hosting.draft()
    file = await given(hosting, event)
    await hosting.service.cancel(event.id, HOST)
    await hosting.studio.settle()
    assert hosting.studio.files() == [file]
    await hosting.studio.pass_time(hosting.studio.timings.details_kept + LONG)
    assert hosting.studio.files() == []


async def test_the_sweep_leaves_it_alone(hosting: Hosting) -> None:
    file = await given(hosting, await hosting.draft())
    make_older(hosting.studio.spool.path(file), LONG)
    assert await Strays(hosting.studio.spool, hosting.studio.database, hosting.studio.clock).sweep() == 0
    assert hosting.studio.files() == [file]


async def test_a_file_that_is_gone_is_replaced_by_a_drawn_one(hosting: Hosting) -> None:
    event = await hosting.draft()
    file = await given(hosting, event)
    hosting.studio.spool.path(file).unlink()
    event = await get_event(hosting.studio.database, event.id)
    assert await hosting.studio.banners.picture(event) == draw_banner(event.name, event.theme)


@pytest.mark.parametrize("name", ["Mascot days", "マスコットの日", "أيام التميمة", "🦊" * 20, "W" * 60, "\u202e"])
def test_every_name_is_drawn(name: str) -> None:
    with Image.open(io.BytesIO(draw_banner(name, "Our fox,\neverywhere " * 50))) as drawn:
        assert drawn.size == (WIDTH, HEIGHT)
    assert draw_banner(name, "") == draw_banner(name, " ")
