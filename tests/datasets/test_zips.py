"""A ZIP is taken like the photos in it: in a dataset, in an event, and never more than fits."""

import asyncio

import pytest

from bot.datasets.rules import DatasetOrder
from bot.datasets.service import HELD_MAX
from bot.errors import UserError
from bot.photos.checks import MAX_INTAKE_BYTES, MAX_ZIP_BYTES, Code
from bot.records.dataset import Dataset, Photo, SubjectKind, Upload, Verdict
from tests.fakes.attachments import Attachments, make_photo
from tests.fakes.rows import ANNA, CHANNEL, GUILD
from tests.fakes.studio import Studio
from tests.fakes.waiting import eventually
from tests.photos.zips import locked, zip_of


@pytest.fixture
async def dataset(studio: Studio) -> Dataset:
    order = DatasetOrder("Rex", SubjectKind.OBJECT)
    return await studio.datasets.create(order, guild_id=GUILD, channel_id=CHANNEL, user_id=ANNA)


def said(photos: tuple[Photo, ...]) -> list[tuple[str, list[str]]]:
    return [(photo.name, [finding.code for finding in photo.findings]) for photo in photos]


def packed(count: int, first: int = 1) -> bytes:
    return zip_of({f"trip/photo-{number}.jpg": make_photo(number) for number in range(first, first + count)})


async def test_the_photos_of_a_zip_are_judged_by_name_and_nothing_else_stays(
    studio: Studio, attachments: Attachments, dataset: Dataset
) -> None:
    files = {
        "a.jpg": make_photo(1),
        "again.jpg": make_photo(1),
        "notes.txt": b"remember the milk",
        "inner.zip": packed(1),
        "big.jpg": bytes(MAX_INTAKE_BYTES + 1),
    }
    board = await studio.datasets.take_in(dataset, [attachments.add("trip.ZIP", zip_of(files))])
    assert said(board.photos) == [
        ("a.jpg", []),
        ("again.jpg", [Code.EXACT_DUPLICATE]),
        ("notes.txt", [Code.NOT_AN_IMAGE]),
        ("inner.zip", [Code.WRONG_TYPE]),
        ("big.jpg", [Code.TOO_LARGE]),
    ]
    assert studio.files() == sorted(photo.file for photo in board.photos if photo.file)
    assert len(studio.files()) == 2


async def test_fifteen_photos_in_one_zip_can_be_trained(
    studio: Studio, attachments: Attachments, dataset: Dataset
) -> None:
    await studio.set_key()
    board = await studio.datasets.take_in(dataset, [attachments.add("trip.zip", packed(15))])
    assert board.can_start
    await studio.start(dataset.id)
    await studio.settle()
    [lora] = studio.server.loras.values()
    assert len(lora.photos) == 15


async def test_what_does_not_fit_is_left_out_and_counted(
    studio: Studio, attachments: Attachments, dataset: Dataset
) -> None:
    await studio.datasets.take_in(dataset, attachments.add_photos(2))
    files = {f"{number}.txt": b"no photo" for number in range(HELD_MAX)}
    board = await studio.datasets.take_in(dataset, [attachments.add("many.zip", zip_of(files))])
    assert len(board.photos) == HELD_MAX + 1
    assert said(board.photos)[-1] == ("many.zip", [Code.ZIP_REST])
    assert board.photos[-1].findings[0].detail == "2"
    with pytest.raises(UserError, match="holds up to 60 photos"):
        await studio.datasets.take_in(dataset, attachments.add_photos(1, first=9))


async def test_zips_and_photos_of_one_submission_share_the_places(
    studio: Studio, attachments: Attachments, dataset: Dataset
) -> None:
    small = zip_of({f"{number}.txt": b"no photo" for number in range(40)})
    uploads = [attachments.add("one.zip", small), *attachments.add_photos(2), attachments.add("two.zip", small)]
    board = await studio.datasets.take_in(dataset, uploads)
    rest = [photo.findings[0].detail for photo in board.photos if photo.findings[0:1] and photo.name == "two.zip"]
    assert rest == ["22"]
    assert len(board.photos) == HELD_MAX + 1


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (locked(zip_of({"a.jpg": b"x"})), Code.ZIP_LOCKED),
        (zip_of({}), Code.ZIP_EMPTY),
        (packed(1)[:-9], Code.DAMAGED),
    ],
)
async def test_a_zip_that_cannot_be_used_is_one_line_on_the_board(
    studio: Studio, attachments: Attachments, dataset: Dataset, content: bytes, code: Code
) -> None:
    board = await studio.datasets.take_in(dataset, [attachments.add("trip.zip", content)])
    assert said(board.photos) == [("trip.zip", [code])]
    assert board.photos[0].verdict is Verdict.REFUSED
    assert studio.files() == []


async def test_a_zip_that_is_too_large_is_not_even_fetched(
    studio: Studio, attachments: Attachments, dataset: Dataset
) -> None:
    board = await studio.datasets.take_in(dataset, [attachments.add("trip.zip", packed(1), size=MAX_ZIP_BYTES + 1)])
    assert said(board.photos) == [("trip.zip", [Code.ZIP_TOO_LARGE])]
    assert attachments.asked_for == []


async def test_only_what_is_called_a_zip_is_unpacked_and_a_photo_in_its_clothes_is_a_photo(
    studio: Studio, attachments: Attachments, dataset: Dataset
) -> None:
    uploads = [attachments.add("letter.docx", packed(1)), attachments.add("photo.zip", make_photo(3))]
    titled = attachments.add("titled.zip", packed(1, first=5))
    board = await studio.datasets.take_in(dataset, [*uploads, Upload("titled", titled.url, titled.size)])
    assert said(board.photos) == [("letter.docx", [Code.WRONG_TYPE]), ("photo.zip", []), ("photo-5.jpg", [])]


async def test_somebody_who_goes_while_a_zip_is_unpacked_leaves_no_file_behind(
    studio: Studio, attachments: Attachments, dataset: Dataset
) -> None:
    taking = asyncio.create_task(studio.datasets.take_in(dataset, [attachments.add("trip.zip", packed(12))]))
    await eventually(lambda: bool(studio.files()))
    taking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await taking
    await eventually(lambda: not studio.files())
