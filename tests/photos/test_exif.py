"""The few notes of a camera that matter, read from blocks that may hold anything."""

import struct
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from bot.photos.exif import Exif, read_exif, turn_upright
from tests.photos.sample_photos import noise

NOTHING = Exif(None, is_adobe_rgb=False)


def block(order: str, orientation: int, kind: int = 3) -> bytes:
    mark, sign = (b"II*\x00", "<") if order == "little" else (b"MM\x00*", ">")
    value = struct.pack(f"{sign}{ {1: 'Bxxx', 3: 'Hxx', 4: 'I'}[kind] }", orientation)
    return mark + struct.pack(f"{sign}IHHHI", 8, 1, 0x0112, kind, 1) + value + bytes(4)


@pytest.mark.parametrize("order", ["little", "big"])
@pytest.mark.parametrize("kind", [1, 3, 4])
@pytest.mark.parametrize("prefix", [b"", b"Exif\x00\x00", b"Exif\x00\x00" * 2])
def test_the_orientation_is_read_as_makers_write_it(order: str, kind: int, prefix: bytes) -> None:
    assert read_exif(prefix + block(order, 6, kind)) == Exif(6, is_adobe_rgb=False)


@pytest.mark.parametrize("colours", [{0xA001: 2}, {0xA001: 0xFFFF, 0xA005: {1: "R03"}}])
def test_adobe_rgb_is_read_where_makers_name_it(colours: dict[int, object]) -> None:
    exif = Image.Exif()
    exif[0x8769] = colours
    assert read_exif(exif.tobytes()).is_adobe_rgb
    exif[0x8769] = {0xA001: 1, 0xA005: {1: "R98"}}
    assert not read_exif(exif.tobytes()).is_adobe_rgb


def test_the_xmp_counts_when_the_exif_does_not_say() -> None:
    picture = noise(80, 60)
    assert turn_upright(picture, NOTHING, b'<x tiff:Orientation="6"/>').size == (60, 80)
    assert turn_upright(picture, Exif(1, is_adobe_rgb=False), b'<x tiff:Orientation="6"/>').size == (80, 60)
    assert turn_upright(picture, Exif(99, is_adobe_rgb=False), b"").size == (80, 60)


def test_thousands_of_entries_that_name_the_same_bytes_take_no_memory() -> None:
    entries = b"".join(struct.pack("<HHII", tag, 7, 60_000, 8) for tag in range(1000, 5000))
    flood = b"II*\x00\x08\x00\x00\x00" + struct.pack("<H", 4000) + entries + bytes(12_000)
    tracemalloc.start()
    found = read_exif(flood)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found == NOTHING
    assert peak < 2_000_000


@given(st.binary(max_size=200))
def test_any_block_can_be_read(rest: bytes) -> None:
    for start in (b"", b"II*\x00\x08\x00\x00\x00", b"MM\x00*\x00\x00\x00\x08", block("big", 6)[:14]):
        found = read_exif(start + rest)
        assert turn_upright(Image.new("L", (2, 3)), found, b"").size in {(2, 3), (3, 2)}
