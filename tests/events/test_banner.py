"""The picture at the head of the panel: given, taken back, shared by copies, erased."""

import contextlib
import io
import json
import zipfile
from datetime import timedelta
from itertools import pairwise

import pytest
import sqlalchemy as sa
from PIL import Image

from bot.errors import NotAllowed, UserError
from bot.events.banner import HEIGHT, MARGIN, WIDTH, banner_name, draw_banner
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


async def given(hosting: Hosting, event: Event, number: int = 1, by: Actor = HOST) -> str:
    """The spool name of a banner that its host, or somebody else, has just given."""
    async with open_attachments() as attachments:
        await hosting.studio.banners.give(event.id, private_photo(attachments, number), by)
    file = (await get_event(hosting.studio.database, event.id)).banner
    assert file is not None
    return file


def private_photo(attachments: Attachments, number: int = 1) -> Upload:
    content = encode(noise(1200, 400, number), "JPEG", exif=personal_exif())
    return attachments.add("banner.jpg", content)


async def exported(studio: Studio, reader: Actor) -> dict[str, bytes]:
    """The files of their export by name."""
    async with contextlib.aclosing(studio.exports.make(reader.user_id, {GUILD: "Foxes"}, 10_000_000)) as made:
        async for part in made:
            with zipfile.ZipFile(part.path) as archive:
                return {name: archive.read(name) for name in archive.namelist()}
    return {}


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


async def test_it_stays_when_somebody_who_only_copied_the_event_is_erased(hosting: Hosting) -> None:
    """Mutant: erasing what stands in the events of the member takes it from the first event, too."""
    event = await hosting.opened()
    file = await given(hosting, event)
    await hosting.service.copy(event.id, BOSS, HERE)
    before = await revision(hosting.studio, event)
    await hosting.studio.privacy.forget_member(guild_id=GUILD, user_id=BOSS.user_id)
    after = await get_event(hosting.studio.database, event.id)
    assert (after.banner, after.banner_by) == (file, HOST.user_id)
    assert hosting.studio.files() == [file]
    assert await revision(hosting.studio, event) == before


async def test_what_somebody_else_gave_goes_with_them_and_the_event_goes_on(hosting: Hosting) -> None:
    """Mutant: with the host in their place it stays."""
    event = await hosting.opened()
    await given(hosting, event, by=BOSS)
    copied = await hosting.service.copy(event.id, HOST, HERE)
    before = await revision(hosting.studio, event)
    await hosting.studio.privacy.forget_member(guild_id=GUILD, user_id=BOSS.user_id)
    for each in (event, copied):
        after = await get_event(hosting.studio.database, each.id)
        assert (after.status, after.banner, after.banner_by) == (each.status, None, None)
    assert hosting.studio.files() == []
    assert await revision(hosting.studio, event) > before


async def test_it_is_exported_to_who_gave_it_and_to_nobody_else(hosting: Hosting) -> None:
    event = await hosting.opened()
    file = await given(hosting, event, by=BOSS)
    picture = hosting.studio.spool.path(file).read_bytes()
    theirs, of_host = await exported(hosting.studio, BOSS), await exported(hosting.studio, HOST)
    assert theirs[f"server-{GUILD}/banners/event-{event.id}/{event.id}.jpeg"] == picture
    assert picture not in of_host.values()
    name = f"server-{GUILD}/events-you-host-or-gave-a-banner-to.json"
    [row] = json.loads(theirs[name])
    assert row.pop("File").endswith(".jpeg")
    assert row == {"Number": event.id, "Name": event.name, "Banner given by": "you"}
    [of_event] = json.loads(of_host[name])
    assert (of_event["Host"], of_event["Banner given by"]) == ("you", "another member")


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


@pytest.mark.parametrize(
    ("theme", "lines"), [("Our fox", 1), ("x" * 400, 1), ("Our little fox in " * 6, 2), ("Our fox " * 90, 2)]
)
def test_a_theme_stands_on_two_lines_when_one_is_too_short(theme: str, lines: int) -> None:
    """Mutant: on one line the words behind its end are not seen."""
    with Image.open(io.BytesIO(draw_banner("Mascot days", theme))) as drawn:
        text = drawn.convert("L").crop((MARGIN, HEIGHT // 2 + 18, WIDTH, HEIGHT - 30)).point(lambda shade: shade < 150)
    rows = [any(text.crop((0, y, text.width, y + 1)).tobytes()) for y in range(text.height)]
    assert sum(has_ink and not before for before, has_ink in pairwise([False, *rows])) == lines
