"""Whose pictures are in a yearbook, who may make it, and that its ZIP files hold what they promise."""

import csv
import io
import zipfile
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from PIL import Image
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.errors import NotAllowed, NotFound, UserError
from bot.events.yearbook.service import CHANGED, LEAST_LIMIT, Yearbook, YearbookService
from bot.photos.pool import PhotoPool
from bot.records.event import Candidate, EntrantStatus, Event, EventMode, EventStatus
from bot.records.generation import GenerationSettings, GenerationStatus
from bot.records.guild import Actor
from bot.storage import tables
from bot.storage.events.tables import entrants, entries, honours
from tests.events.yearbook.yearbooks import HOST, add_event_lora, add_picture, finished_event, noise, png
from tests.fakes.clock import NOON
from tests.fakes.events import SeesOnly, add_entrants
from tests.fakes.rows import ADMIN, ANNA, BEN, GUILD, OTHER_GUILD
from tests.fakes.studio import Studio

LIMIT = 10_000_000
NAMES = {ANNA: "Anna", BEN: "Ben", HOST: "Hosty"}
SOMEBODY = Actor(GUILD, 999)
THREAD = 4711


def service_of(studio: Studio, pool: PhotoPool) -> YearbookService:
    return YearbookService(replace(studio.opened, pool=pool))


@pytest.fixture
def pool(studio: Studio) -> PhotoPool:
    return PhotoPool(studio.spool, workers=1)


@pytest.fixture
def service(studio: Studio, pool: PhotoPool) -> YearbookService:
    return service_of(studio, pool)


async def make(service: YearbookService, event: Event, actor: Actor = SOMEBODY, limit: int = LIMIT) -> Yearbook:
    return await service.make(event.id, actor, NAMES, limit)


def unpack(yearbook: Yearbook) -> dict[str, bytes]:
    """Everything in all its ZIP files; no name comes twice."""
    found: dict[str, bytes] = {}
    for part in yearbook.parts:
        with zipfile.ZipFile(part.path) as archive:
            assert archive.testzip() is None
            for name in archive.namelist():
                assert name not in found
                found[name] = archive.read(name)
    return found


def credits_of(yearbook: Yearbook) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(unpack(yearbook)["credits.csv"].decode("utf-8-sig"))))


def links_in(page: str) -> set[str]:
    links: set[str] = set()

    class Links(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            links.update(value for name, value in attrs if name == "href" and value and not value.startswith("#"))

    Links().feed(page)
    return links


async def win(studio: Studio, event: Event, picture_ids: Sequence[int], place: int, user_id: int = ANNA) -> None:
    async def transaction(connection: AsyncConnection) -> None:
        common = {"event_id": event.id, "guild_id": GUILD, "user_id": user_id}
        made = entries.insert().values(picture_ids=list(picture_ids), created_at=NOON, **common).returning(entries.c.id)
        entry_id = (await connection.execute(made)).scalar_one()
        await connection.execute(
            honours.insert().values(
                event_name=event.name,
                place=place,
                votes=3,
                picture_id=picture_ids[0],
                awarded_at=NOON,
                entry_id=entry_id,
                **common,
            )
        )

    await studio.database.write(transaction)


async def test_the_zip_holds_originals_credits_pages_sheet_and_a_page_that_leads_to_them(
    studio: Studio, service: YearbookService
) -> None:
    event = await finished_event(studio)
    lora_id = await add_event_lora(studio, name="Rex the dog")
    await add_entrants(studio.database, event, ANNA)
    await add_entrants(studio.database, event, BEN)
    settings = GenerationSettings(seed=77, strength=0.8)
    await add_picture(studio, event, png(1), user_id=BEN, lora_id=lora_id, prompt="=1+1 TORKPN snow", settings=settings)
    await add_picture(studio, event, png(2), user_id=ANNA)

    yearbook = await make(service, event)

    files = unpack(yearbook)
    assert (files["originals/01-anna.png"], files["originals/02-ben.png"]) == (png(2), png(1))
    assert links_in(files["index.html"].decode()) == {"originals/01-anna.png", "originals/02-ben.png"}
    assert set(files) == links_in(files["index.html"].decode()) | {
        "index.html",
        "credits.csv",
        "sheet.jpg",
        "pages/01-anna.jpg",
        "pages/02-ben.jpg",
    }
    assert files["sheet.jpg"] == yearbook.sheet
    assert credits_of(yearbook)[1] == {
        "number": "2",
        "file": "originals/02-ben.png",
        "member": "Ben",
        "honour": "",
        "lora": "Rex the dog",
        "prompt": "'=1+1 Rex the dog snow",
        "seed": "77",
        "settings": "strength 0.8",
        "provider": "Apiframe",
        "made at (UTC)": "2026-11-01 12:30",
    }
    assert [part.name for part in yearbook.parts] == [f"darkroom-yearbook-{event.id}.zip"]
    assert [page.name for page in yearbook.pages] == [
        f"darkroom-yearbook-{event.id}-01-anna.jpg",
        f"darkroom-yearbook-{event.id}-02-ben.jpg",
    ]
    assert yearbook.pages[0].path.read_bytes() == files["pages/01-anna.jpg"]


Spoil = Callable[[Studio, Event], Awaitable[object]]


async def withdrawn(studio: Studio, event: Event) -> None:
    await add_entrants(studio.database, event, BEN, status=EntrantStatus.WITHDRAWN)
    await add_picture(studio, event, user_id=BEN)


async def removed(studio: Studio, event: Event) -> None:
    await add_entrants(studio.database, event, BEN, status=EntrantStatus.REMOVED)
    await add_picture(studio, event, user_id=BEN)


async def of_a_stranger(studio: Studio, event: Event) -> None:
    await add_picture(studio, event, user_id=BEN)


async def of_the_hosts_pack_in_a_personal_event(studio: Studio, event: Event) -> None:
    await add_picture(studio, event, user_id=HOST, pack_index=0)


async def with_a_retiring_lora(studio: Studio, event: Event) -> None:
    lora_id = await add_event_lora(studio, retiring_since=NOON)
    await add_picture(studio, event, lora_id=lora_id)


async def with_a_retired_and_archived_lora(studio: Studio, event: Event) -> None:
    lora_id = await add_event_lora(studio, retiring_since=NOON, archived_at=NOON)
    await add_picture(studio, event, lora_id=lora_id)


async def with_an_erased_lora(studio: Studio, event: Event) -> None:
    await add_picture(studio, event, lora_id=12345)


async def made_from_a_picture_of_a_retiring_lora(studio: Studio, event: Event) -> None:
    lora_id = await add_event_lora(studio, retiring_since=NOON)
    await add_picture(studio, event, lora_id=lora_id, event_id=None)
    origins = await studio.scalars(
        tables.generations.select()
        .with_only_columns(tables.generations.c.id)
        .where(tables.generations.c.lora_id == lora_id)
    )
    await add_picture(studio, event, origin_id=origins[0])


async def deleted(studio: Studio, event: Event) -> None:
    await add_picture(studio, event, deleted_at=NOON)


async def unfinished(studio: Studio, event: Event) -> None:
    await add_picture(studio, event, status=GenerationStatus.FETCHING)


async def of_no_event(studio: Studio, event: Event) -> None:
    await add_picture(studio, event, event_id=None)


async def of_another_guild(studio: Studio, event: Event) -> None:
    await add_picture(studio, event, guild_id=OTHER_GUILD)


async def no_longer_kept(studio: Studio, event: Event) -> None:
    await studio.change(tables.pictures, await add_picture(studio, event), file=None)


async def gone_from_disk(studio: Studio, event: Event) -> None:
    picture_id = await add_picture(studio, event)
    files = await studio.scalars(
        tables.pictures.select().with_only_columns(tables.pictures.c.file).where(tables.pictures.c.id == picture_id)
    )
    studio.spool.free(files)


async def not_a_picture(studio: Studio, event: Event) -> None:
    await add_picture(studio, event, b"<html>sorry</html>")


@pytest.mark.parametrize(
    "spoil",
    [
        withdrawn,
        removed,
        of_a_stranger,
        of_the_hosts_pack_in_a_personal_event,
        with_a_retiring_lora,
        with_a_retired_and_archived_lora,
        with_an_erased_lora,
        made_from_a_picture_of_a_retiring_lora,
        deleted,
        unfinished,
        of_no_event,
        of_another_guild,
        no_longer_kept,
        gone_from_disk,
        not_a_picture,
    ],
)
async def test_only_pictures_whose_people_agree_are_in_it(
    studio: Studio, service: YearbookService, spoil: Spoil
) -> None:
    event = await finished_event(studio)
    await add_entrants(studio.database, event, ANNA)
    await spoil(studio, event)
    with pytest.raises(UserError, match="no pictures for a yearbook"):
        await make(service, event)
    await add_picture(studio, event, png(200))

    yearbook = await make(service, event)

    originals = [data for name, data in unpack(yearbook).items() if name.startswith("originals/")]
    assert originals == [png(200)]
    assert yearbook.pictures == 1


async def test_everybodys_lora_gives_a_chapter_that_names_whose_photos_it_was_trained_on(
    studio: Studio, service: YearbookService
) -> None:
    event = await finished_event(studio, EventMode.SHARED)
    await add_entrants(studio.database, event, ANNA, photos_chosen=4)
    await add_entrants(studio.database, event, BEN, status=EntrantStatus.WITHDRAWN, photos_chosen=4)
    await add_picture(studio, event, user_id=ANNA)
    await add_picture(studio, event, user_id=HOST, pack_index=0)
    await add_picture(studio, event, user_id=HOST)

    yearbook = await make(service, event)

    assert [row["member"] for row in credits_of(yearbook)] == ["Everyone together", "Anna"]
    page = unpack(yearbook)["index.html"].decode()
    assert "Trained on photos from <bdi>Anna</bdi>." in page


async def test_a_bake_off_has_a_chapter_for_each_candidate_and_marks_the_winners_pictures(
    studio: Studio, service: YearbookService
) -> None:
    candidates = (Candidate(1, 0.6, "Soft"), Candidate(1, 1.0, "Strong"))
    event = await finished_event(studio, EventMode.BAKEOFF, candidates=candidates)
    made = [await add_picture(studio, event, user_id=HOST, pack_index=index) for index in (0, 1, 100, 101)]
    await win(studio, event, made[2:], 1, HOST)
    await win(studio, event, made[:2], 2, HOST)

    yearbook = await make(service, event)

    rows = [(row["member"], row["honour"]) for row in credits_of(yearbook)]
    assert rows == [("Soft", "2nd place")] * 2 + [("Strong", "Winner")] * 2


async def test_a_winner_whose_entry_is_gone_is_still_marked(studio: Studio, service: YearbookService) -> None:
    event = await finished_event(studio)
    await add_entrants(studio.database, event, ANNA)
    await add_picture(studio, event)
    await win(studio, event, [await add_picture(studio, event)], 1)

    async def forget(connection: AsyncConnection) -> None:
        await connection.execute(entries.delete())

    await studio.database.write(forget)
    assert [row["honour"] for row in credits_of(await make(service, event))] == ["", "Winner"]


async def test_members_nobody_knows_the_name_of_stay_apart(studio: Studio, service: YearbookService) -> None:
    event = await finished_event(studio)
    for user_id in (501, 502):
        await add_entrants(studio.database, event, user_id)
        await add_picture(studio, event, user_id=user_id)

    yearbook = await make(service, event)

    assert [row["member"] for row in credits_of(yearbook)] == ["Member", "Member"]
    assert len(yearbook.pages) == 2


MEMBER, THE_HOST, AN_ADMIN = SOMEBODY, Actor(GUILD, HOST), Actor(GUILD, ADMIN, is_admin=True)


@pytest.mark.parametrize(
    ("status", "actor", "error"),
    [
        (EventStatus.FINISHED, MEMBER, None),
        (EventStatus.FINISHED, THE_HOST, None),
        (EventStatus.VOTING, MEMBER, UserError),
        (EventStatus.VOTING, THE_HOST, UserError),
        (EventStatus.SHOWING, AN_ADMIN, UserError),
        (EventStatus.TRAINING, THE_HOST, UserError),
        (EventStatus.CANCELLED, THE_HOST, UserError),
        (EventStatus.CANCELLED, MEMBER, UserError),
        (EventStatus.DRAFT, THE_HOST, UserError),
        (EventStatus.DRAFT, MEMBER, NotFound),
        (EventStatus.FINISHED, Actor(OTHER_GUILD, HOST, is_admin=True), NotFound),
    ],
)
async def test_who_may_make_it_when(
    studio: Studio, service: YearbookService, status: EventStatus, actor: Actor, error: type[Exception] | None
) -> None:
    event = await finished_event(studio, status=status)
    await add_entrants(studio.database, event, ANNA)
    await add_picture(studio, event)
    if error is None:
        assert (await make(service, event, actor)).pictures == 1
    else:
        with pytest.raises(error):
            await make(service, event, actor)


@pytest.mark.parametrize("status", [EventStatus.SHOWING, EventStatus.VOTING])
async def test_a_bake_off_stays_blind_until_it_is_counted(
    studio: Studio, service: YearbookService, status: EventStatus
) -> None:
    event = await finished_event(studio, EventMode.BAKEOFF, status=status)
    await add_picture(studio, event, user_id=HOST, pack_index=0)
    with pytest.raises(UserError, match="once the votes are counted"):
        await make(service, event, THE_HOST)


@pytest.mark.parametrize("who", [SOMEBODY, THE_HOST, AN_ADMIN])
async def test_it_is_made_for_those_alone_who_can_see_the_event(
    studio: Studio, service: YearbookService, who: Actor
) -> None:
    """Mutant: without the look, everybody in the server gets the pictures of a private channel."""
    event = await finished_event(studio, thread_id=THREAD)
    await add_entrants(studio.database, event, ANNA)
    await add_picture(studio, event)
    with pytest.raises(NotAllowed, match=f"<#{event.channel_id}>"):
        await make(service, event, replace(who, sight=SeesOnly(THREAD + 1)))
    for seen in (THREAD, event.channel_id):
        assert (await make(service, event, replace(who, sight=SeesOnly(seen)))).pictures == 1


async def test_an_event_that_does_not_exist_is_not_found(studio: Studio, service: YearbookService) -> None:
    with pytest.raises(NotFound):
        await service.make(12345, AN_ADMIN, NAMES, LIMIT)


async def test_no_zip_is_larger_than_may_be_uploaded_and_the_page_says_where_things_are(
    studio: Studio, service: YearbookService
) -> None:
    event = await finished_event(studio)
    await add_entrants(studio.database, event, ANNA)
    contents = [noise(number, 750) for number in range(5)]
    for content in contents:
        await add_picture(studio, event, content)

    yearbook = await make(service, event, limit=LEAST_LIMIT)

    assert len(yearbook.parts) > 1
    assert all(part.path.stat().st_size <= LEAST_LIMIT for part in yearbook.parts)
    count = len(yearbook.parts)
    assert yearbook.parts[-1].name == f"darkroom-yearbook-{event.id}-part-{count}-of-{count}.zip"
    files = unpack(yearbook)
    assert [data for name, data in sorted(files.items()) if name.startswith("originals/")] == contents
    page = files["index.html"].decode()
    for number, part in enumerate(yearbook.parts, start=1):
        with zipfile.ZipFile(part.path) as archive:
            assert ("index.html" in archive.namelist()) == (number == 1)
            for name in archive.namelist():
                if name.startswith("originals/"):
                    assert f'<a href="{name}">Original</a> (in ZIP file {number})' in page


async def test_a_picture_that_no_zip_can_hold_becomes_a_smaller_copy(studio: Studio, service: YearbookService) -> None:
    event = await finished_event(studio)
    await add_entrants(studio.database, event, ANNA)
    await add_picture(studio, event, noise(1, 1200))

    yearbook = await make(service, event, limit=LEAST_LIMIT)

    assert all(part.path.stat().st_size <= LEAST_LIMIT for part in yearbook.parts)
    copy = unpack(yearbook)["originals/01-anna-smaller.jpg"]
    with Image.open(io.BytesIO(copy)) as picture:
        assert picture.width >= 600
    assert credits_of(yearbook)[0]["file"] == "originals/01-anna-smaller.jpg"


async def test_a_limit_that_cannot_be_kept_is_refused(studio: Studio, service: YearbookService) -> None:
    event = await finished_event(studio)
    with pytest.raises(ValueError, match="at least"):
        await make(service, event, limit=LEAST_LIMIT - 1)


class WhileItIsMade(PhotoPool):
    """Something happens to the studio before the first smaller copy is made."""

    def __init__(self, studio: Studio, happens: Callable[[], Awaitable[object]]) -> None:
        super().__init__(studio.spool, workers=1)
        self._happens = happens

    async def smaller_copy(self, picture: Path, limit: int, number: int | None = None) -> bytes:
        await self._happens()
        return await super().smaller_copy(picture, limit, number)


async def test_who_withdraws_while_it_is_made_is_not_in_it(studio: Studio) -> None:
    event = await finished_event(studio)
    await add_entrants(studio.database, event, ANNA)
    await add_picture(studio, event, noise(1, 1200))
    before = studio.files()

    async def withdraw() -> None:
        ids = await studio.scalars(entrants.select().with_only_columns(entrants.c.id))
        await studio.change(entrants, ids[0], status=EntrantStatus.WITHDRAWN)

    service = service_of(studio, WhileItIsMade(studio, withdraw))
    with pytest.raises(UserError, match=CHANGED):
        await make(service, event, limit=LEAST_LIMIT)
    assert studio.files() == before


async def test_a_file_that_goes_while_it_is_made_is_no_crash(studio: Studio) -> None:
    event = await finished_event(studio)
    await add_entrants(studio.database, event, ANNA)
    await add_picture(studio, event, noise(1, 1200))
    picture_id = await add_picture(studio, event)
    files = await studio.scalars(
        tables.pictures.select().with_only_columns(tables.pictures.c.file).where(tables.pictures.c.id == picture_id)
    )

    async def free() -> None:
        studio.spool.free(files)

    service = service_of(studio, WhileItIsMade(studio, free))
    with pytest.raises(UserError, match=CHANGED):
        await make(service, event, limit=LEAST_LIMIT)


async def test_nothing_is_left_on_disk_once_it_is_discarded(studio: Studio, service: YearbookService) -> None:
    event = await finished_event(studio)
    await add_entrants(studio.database, event, ANNA)
    await add_picture(studio, event)
    before = studio.files()

    yearbook = await make(service, event)

    assert len(studio.files()) == len(before) + len(yearbook.files)
    service.discard(yearbook)
    service.discard(replace(yearbook))
    assert studio.files() == before
