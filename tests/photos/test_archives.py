"""Photos that come in a ZIP: taken one by one, and whatever a ZIP may do, bounded and said in one sentence."""

import hashlib
import stat
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from bot.photos.archives import (
    DIRECTORY_BYTES,
    ENTRIES_MAX,
    ArchiveRefused,
    is_archive,
    name_in,
    open_archive,
    photos_in,
    unpack,
)
from bot.photos.checks import MAX_INTAKE_BYTES, Code, display_name, explain
from bot.records.dataset import Finding
from tests.photos.zips import locked, with_many_names, with_name, zip_of, zip_with

PHOTO = b"\xff\xd8\xff not really" * 100


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "given.zip"


def refused(file: Path, content: bytes) -> str:
    """Why nothing of this ZIP is used."""
    file.write_bytes(content)
    with pytest.raises(ArchiveRefused) as refusal:
        open_archive(file).close()
    return refusal.value.finding.code


def first_of(file: Path, content: bytes) -> bytes | str:
    """What its first file holds, or why that is not used; nothing is left open."""
    file.write_bytes(content)
    target = file.with_name("unpacked")
    with open_archive(file) as archive:
        try:
            sha256, size = unpack(archive, photos_in(archive)[0], target)
        except ArchiveRefused as refusal:
            return refusal.finding.code
    unpacked = target.read_bytes()
    assert (sha256, size) == (hashlib.sha256(unpacked).hexdigest(), len(unpacked))
    return unpacked


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_packed_photo_comes_out_as_it_was(file: Path, method: int) -> None:
    assert first_of(file, zip_of({"a.jpg": PHOTO}, method)) == PHOTO
    assert is_archive(file)


def test_folders_and_what_systems_add_are_passed_over(file: Path) -> None:
    names = ["trip/", "trip/a.jpg", "__MACOSX/trip/._a.jpg", "trip/.DS_Store", "trip/Thumbs.db", "b.jpg"]
    file.write_bytes(zip_of({name: b"" if name.endswith("/") else PHOTO for name in names}))
    with open_archive(file) as archive:
        assert [info.filename for info in photos_in(archive)] == ["trip/a.jpg", "b.jpg"]


def test_a_zip_with_a_password_is_refused_as_a_whole(file: Path) -> None:
    assert refused(file, locked(zip_of({"a.jpg": PHOTO, "b.jpg": PHOTO}))) == Code.ZIP_LOCKED


@pytest.mark.parametrize("names", [[], ["trip/"], [".DS_Store", "__MACOSX/a.jpg"]])
def test_a_zip_without_photos_says_so(file: Path, names: list[str]) -> None:
    assert refused(file, zip_of(dict.fromkeys(names, b""))) == Code.ZIP_EMPTY


def test_a_zip_of_a_thousand_files_opens_and_one_more_is_too_many(file: Path) -> None:
    file.write_bytes(with_many_names(ENTRIES_MAX))
    open_archive(file).close()
    assert refused(file, with_many_names(ENTRIES_MAX + 1)) == Code.ZIP_FULL


def test_a_list_of_a_million_files_is_never_read_to_its_end(file: Path) -> None:
    """Mutant: without the bound `zipfile` makes an object of half a kilobyte for each of them."""
    content = with_many_names(400_000)
    tracemalloc.start()
    try:
        assert refused(file, content) == Code.ZIP_FULL
        assert tracemalloc.get_traced_memory()[1] < 4 * DIRECTORY_BYTES
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("cut", [1, 30, 200])
def test_half_a_zip_is_damaged(file: Path, cut: int) -> None:
    assert refused(file, zip_of({"a.jpg": PHOTO}, zipfile.ZIP_STORED)[:-cut]) == Code.DAMAGED


def test_an_end_that_points_before_the_beginning_is_damaged(file: Path) -> None:
    content = bytearray(zip_of({"a.jpg": PHOTO}))
    content[-6:-2] = (0xFFFFFF0).to_bytes(4, "little")
    file.write_bytes(content)
    with pytest.raises(ArchiveRefused) as refusal, open_archive(file) as archive:
        unpack(archive, photos_in(archive)[0], file.with_name("unpacked"))
    assert refusal.value.finding.code == Code.DAMAGED


def test_a_bomb_is_unpacked_no_further_than_a_photo_may_be_large(file: Path) -> None:
    """100 MB in 100 kB. Mutant: without the bound all of it lies on the disk."""
    assert first_of(file, zip_of({"a.jpg": bytes(4 * MAX_INTAKE_BYTES)})) == Code.TOO_LARGE
    assert file.with_name("unpacked").stat().st_size <= MAX_INTAKE_BYTES


def test_a_wrong_checksum_is_damaged(file: Path) -> None:
    content = zip_of({"a.jpg": PHOTO}, zipfile.ZIP_STORED)
    assert first_of(file, content.replace(PHOTO, PHOTO.replace(b"really", b"REALLY"))) == Code.DAMAGED


def test_a_size_that_lies_gives_no_more_than_it_says(file: Path) -> None:
    content = zip_of({"a.jpg": bytes(50_000)})
    lying = content.replace((50_000).to_bytes(4, "little"), (100).to_bytes(4, "little"))
    assert first_of(file, lying) == Code.DAMAGED


def test_a_link_is_no_photo(file: Path) -> None:
    linked = zip_with(b"/etc/passwd", external_attr=(stat.S_IFLNK | 0o777) << 16)
    assert first_of(file, linked) == Code.NOT_AN_IMAGE


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_rare_ways_of_packing_are_not_unpacked(file: Path, method: int) -> None:
    assert first_of(file, zip_of({"a.jpg": PHOTO}, method)) == Code.NOT_AN_IMAGE


@pytest.mark.parametrize("name", ["/etc/passwd.jpg", "../../up.jpg", "C:\\Windows\\up.jpg", "a/../../b.jpg"])
def test_a_path_in_a_zip_is_nothing_but_a_name(file: Path, name: str) -> None:
    file.write_bytes(zip_of({name: PHOTO}))
    with open_archive(file) as archive:
        shown = display_name(name_in(photos_in(archive)[0]))
    assert shown in {"passwd.jpg", "up.jpg", "b.jpg"}
    assert [each.name for each in file.parent.iterdir()] == ["given.zip"]


def test_names_in_utf8_are_read_with_and_without_the_flag(file: Path) -> None:
    for content in (
        zip_of({"фото.jpg": PHOTO}),
        with_name(zip_of({"8bytes!!.jpg": PHOTO}), b"8bytes!!", "фото".encode()),
    ):
        file.write_bytes(content)
        with open_archive(file) as archive:
            assert name_in(photos_in(archive)[0]) == "фото.jpg"


def test_a_name_in_any_other_encoding_is_no_error(file: Path) -> None:
    file.write_bytes(with_name(zip_of({"6bytes.jpg": PHOTO}), b"6bytes", "写真写".encode("shift-jis")))
    with open_archive(file) as archive:
        assert display_name(name_in(photos_in(archive)[0])).endswith(".jpg")


@pytest.mark.parametrize("code", [code for code in Code if code.startswith("zip_")])
def test_every_refusal_of_a_zip_says_what_to_do(code: Code) -> None:
    sentence = explain(Finding(code, "7"))
    assert "ZIP" in sentence
    assert sentence.count(".") == 2
