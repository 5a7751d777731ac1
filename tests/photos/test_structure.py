"""The walk over a file's parts: what decides, what is dropped, and where it ends."""

import contextlib
import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from bot.photos.structure.heif import read_declared
from bot.photos.structure.jpeg import MAX_SCANS, outline_jpeg
from bot.photos.structure.outline import MAX_PARTS, Colours, Outline, StructureError, TooLargeToDecode
from bot.photos.structure.png import outline_png
from bot.photos.structure.webp import outline_webp
from tests.photos.sample_photos import (
    chunk,
    claim_jpeg_size,
    encode,
    flat_png,
    noise,
    riff_chunk,
    segment,
    with_chunks,
    with_extra_scans,
    with_segments,
)

JPEG = encode(noise(320, 280), "JPEG", quality=80)
PROGRESSIVE = encode(noise(320, 280), "JPEG", progressive=True)
PNG = encode(noise(320, 280), "PNG")
WEBP = encode(noise(320, 280), "WEBP", icc_profile=b"a profile")
HEIC = (Path(__file__).parents[1] / "samples/photo.heic").read_bytes()
WALKS: dict[bytes, Callable[[bytes], Outline]] = {JPEG: outline_jpeg, PNG: outline_png, WEBP: outline_webp}


@pytest.mark.parametrize("content", WALKS)
def test_what_is_left_decodes_to_the_same_picture(content: bytes) -> None:
    found = WALKS[content](content)
    assert found.sides == (320, 280)
    assert not found.is_animated
    with Image.open(io.BytesIO(content)) as whole, Image.open(io.BytesIO(found.content)) as bare:
        assert whole.tobytes() == bare.tobytes()


@pytest.mark.parametrize("code", [0xE1, 0xE5, 0xEB, 0xED, 0xFE])
def test_segments_beside_the_picture_are_dropped_whatever_they_hold(code: int) -> None:
    crowded = with_segments(JPEG, segment(code, b"x" * 60_000) * 200)
    assert outline_jpeg(crowded).content == outline_jpeg(JPEG).content


def test_a_jpeg_ends_where_it_says_and_what_follows_is_not_looked_at() -> None:
    video = b"\x00\x00\x00\x18ftypmp42" + b"\xff\xda\x00\x02\xff\xd8" * 5000
    assert outline_jpeg(JPEG + video).content == outline_jpeg(JPEG).content


def test_a_jpeg_tells_whether_it_has_an_end() -> None:
    assert outline_jpeg(JPEG).is_ended
    assert not outline_jpeg(JPEG[:-2]).is_ended
    assert not outline_jpeg(JPEG[:-1]).is_ended


def test_fill_bytes_and_junk_between_segments_are_stepped_over() -> None:
    assert outline_jpeg(with_segments(JPEG, b"\xff" * 500_000)).content == outline_jpeg(JPEG).content
    assert outline_jpeg(with_segments(JPEG, bytes(500_000))).content == outline_jpeg(JPEG).content


@pytest.mark.parametrize("count", [MAX_PARTS, 100_000])
def test_more_segments_than_any_photo_has_are_refused(count: int) -> None:
    with pytest.raises(StructureError, match="segments"):
        outline_jpeg(with_segments(JPEG, segment(0xEB, b"") * count))


def test_segments_after_the_first_scan_count_too() -> None:
    flood = JPEG[:-2] + segment(0xFE, b"") * MAX_PARTS + b"\xff\xd9"
    with pytest.raises(StructureError, match="segments"):
        outline_jpeg(flood)


def test_tables_without_end_before_the_first_scan_are_refused() -> None:
    tables = segment(0xDB, b"".join(bytes([number % 4]) + bytes(range(1, 65)) for number in range(900)))
    with pytest.raises(StructureError, match="first scan"):
        outline_jpeg(with_segments(JPEG, tables * 2))


def test_how_many_scans_are_too_many_depends_on_the_pixels() -> None:
    assert outline_jpeg(with_extra_scans(PROGRESSIVE, MAX_SCANS - 20)).sides == (320, 280)
    with pytest.raises(StructureError, match="scans"):
        outline_jpeg(with_extra_scans(PROGRESSIVE, MAX_SCANS))
    large = claim_jpeg_size(PROGRESSIVE, 7_000, 7_000)
    assert outline_jpeg(large).sides == (7_000, 7_000)
    with pytest.raises(StructureError, match="scans"):
        outline_jpeg(with_extra_scans(large, 20))


def test_a_picture_in_several_scans_is_bounded_by_what_the_decoder_keeps() -> None:
    fine = encode(noise(320, 280), "JPEG", progressive=True, subsampling=0)
    assert outline_jpeg(claim_jpeg_size(fine, 4_900, 4_900)).sides == (4_900, 4_900)
    with pytest.raises(TooLargeToDecode):
        outline_jpeg(claim_jpeg_size(fine, 7_000, 7_000))
    assert outline_jpeg(claim_jpeg_size(JPEG, 7_000, 7_000)).sides == (7_000, 7_000)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1)])
def test_a_profile_in_several_segments_is_put_together(order: tuple[int, ...]) -> None:
    parts = [segment(0xE2, b"ICC_PROFILE\x00" + bytes([at + 1, 3]) + bytes([65 + at]) * 9) for at in range(3)]
    found = outline_jpeg(with_segments(JPEG, b"".join(parts[at] for at in order)))
    assert found.colours == Colours(b"A" * 9 + b"B" * 9 + b"C" * 9)
    assert outline_jpeg(with_segments(JPEG, parts[0] + parts[2])).colours == Colours(is_unreadable=True)


def test_the_first_exif_and_xmp_of_a_jpeg_are_kept_aside() -> None:
    blocks = (b"Exif\x00\x00first", b"Exif\x00\x00second", b"http://ns.adobe.com/xap/1.0/\x00<x/>")
    found = outline_jpeg(with_segments(JPEG, b"".join(segment(0xE1, block) for block in blocks)))
    assert (found.exif, found.xmp) == (b"Exif\x00\x00first", b"<x/>")


@pytest.mark.parametrize("kind", [b"tEXt", b"zTXt", b"iTXt", b"iCCP", b"prVt", b"eXIf", b"caBX"])
def test_chunks_beside_the_picture_never_decide(kind: bytes) -> None:
    bare = outline_png(PNG).content
    for body in (b"", b"k", b"k\x00\x00" + zlib.compress(bytes(3_000_000)), b"x" * 2_000_000):
        assert outline_png(with_chunks(PNG, chunk(kind, body))).content == bare
    assert outline_png(with_chunks(PNG, chunk(kind, b"broken")[:-1] + b"!")).content == bare


def test_pixels_in_many_small_chunks_are_taken_and_other_chunks_counted() -> None:
    start = PNG.index(b"IDAT") - 4
    length = int.from_bytes(PNG[start : start + 4])
    data = PNG[start + 8 : start + 8 + length]
    pieces = [data[at : at + 4] for at in range(0, len(data), 4)][:900]
    small = PNG[:start] + b"".join(chunk(b"IDAT", piece) for piece in pieces) + chunk(b"IDAT", data[3600:])
    assert outline_png(small + chunk(b"IEND", b"")).content == outline_png(PNG).content
    with pytest.raises(StructureError, match="chunks"):
        outline_png(with_chunks(PNG, chunk(b"prVt", b"") * (MAX_PARTS + 1)))
    with pytest.raises(StructureError, match="chunks"):
        outline_png(flat_png(300, 300, before_data=chunk(b"IDAT", b"") * 20_000))


def test_an_animated_png_is_told_by_its_number_of_frames() -> None:
    assert not outline_png(with_chunks(PNG, chunk(b"acTL", struct.pack(">II", 1, 0)))).is_animated
    assert outline_png(with_chunks(PNG, chunk(b"acTL", struct.pack(">II", 2, 0)))).is_animated


@pytest.mark.parametrize(
    ("chunks", "expected"),
    [
        (b"", Colours()),
        (chunk(b"gAMA", struct.pack(">I", 100_000)), Colours(gamma=1.0)),
        (chunk(b"sRGB", b"\x00") + chunk(b"gAMA", struct.pack(">I", 100_000)), Colours()),
        (chunk(b"iCCP", b"p\x00\x00" + zlib.compress(b"profile")) + chunk(b"sRGB", b"\x00"), Colours(b"profile")),
        (chunk(b"iCCP", b"p\x00\x00" + zlib.compress(bytes(3_000_000))), Colours(bytes(3_000_000))),
        (chunk(b"iCCP", b"p\x00\x00" + zlib.compress(bytes(5_000_000))), Colours(is_unreadable=True)),
        (chunk(b"iCCP", b"p\x00\x00nonsense"), Colours(is_unreadable=True)),
        (chunk(b"cICP", b"\x09\x10\x00\x01") + chunk(b"sRGB", b"\x00"), Colours(cicp=(9, 16))),
        (chunk(b"cICP", b"\x09\x10\x09\x00"), Colours(is_unreadable=True)),
        (chunk(b"gAMA", struct.pack(">I", 0)), Colours()),
    ],
)
def test_a_png_says_its_colours_in_the_order_of_the_standard(chunks: bytes, expected: Colours) -> None:
    assert outline_png(with_chunks(PNG, chunks)).colours == expected


def test_a_webp_that_lacks_what_stands_behind_its_pixels_is_whole() -> None:
    noted = encode(noise(320, 280), "WEBP", exif=b"Exif\x00\x00" + b"x" * 5000)
    found = outline_webp(noted[:-2000])
    assert (found.sides, found.exif) == ((320, 280), b"")
    with Image.open(io.BytesIO(found.content)) as image:
        image.load()


@pytest.mark.parametrize(
    "rest", [bytes(1_000_000), b"PK\x03\x04" + bytes(60_000), riff_chunk(b"ANMF", bytes(40)) * 2000]
)
def test_what_follows_a_webp_is_not_looked_at(rest: bytes) -> None:
    plain = encode(noise(320, 280), "WEBP", lossless=True, method=0)
    for content in (WEBP, plain):
        assert outline_webp(content + rest) == outline_webp(content)


def test_a_webp_that_does_not_say_its_size_is_walked_to_its_end() -> None:
    assert outline_webp(WEBP[:4] + bytes(4) + WEBP[8:]) == outline_webp(WEBP)


def test_a_webp_of_many_chunks_is_refused_and_a_few_more_are_not() -> None:
    body = WEBP[12:]
    few, many = (b"RIFF\x00\x00\x00\x00WEBP" + body + riff_chunk(b"abcd", b"") * count for count in (50, 2_000_000))
    assert outline_webp(few).content == outline_webp(WEBP).content
    with pytest.raises(StructureError, match="chunks"):
        outline_webp(many)


def test_a_heic_declares_its_sides_wherever_they_stand() -> None:
    assert read_declared(HEIC).sides == (480, 640)
    start = int.from_bytes(HEIC[:4])
    padding = struct.pack(">I", 200_008) + b"free" + bytes(200_000)
    assert read_declared(HEIC[:start] + padding + HEIC[start:]).sides == (480, 640)


def test_boxes_without_end_are_refused() -> None:
    with pytest.raises(StructureError, match="boxes"):
        read_declared(HEIC[: int.from_bytes(HEIC[:4])] + (struct.pack(">I", 8) + b"free") * 5000)


@given(st.binary(max_size=400))
def test_any_bytes_either_have_an_outline_or_are_refused(rest: bytes) -> None:
    for start, walk in (
        (b"\xff\xd8\xff", outline_jpeg),
        (JPEG[:400], outline_jpeg),
        (b"\x89PNG\r\n\x1a\n", outline_png),
        (PNG[:60], outline_png),
        (WEBP[:30], outline_webp),
        (HEIC[:40], read_declared),
    ):
        with contextlib.suppress(StructureError):
            found = walk(start + rest)
            assert found.sides is None or min(found.sides) >= 0


def box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", 8 + len(body)) + kind + body


def test_the_colours_of_the_picture_that_is_shown_count_and_not_those_of_its_gain_map() -> None:
    plain, hdr = (box(b"colr", b"nclx" + struct.pack(">HHHB", 1, transfer, 6, 128)) for transfer in (13, 16))
    sides = box(b"ispe", bytes(4) + struct.pack(">II", 4000, 3000))
    links = bytes(4) + struct.pack(">I", 2) + struct.pack(">HBBB", 1, 2, 1, 2) + struct.pack(">HBBB", 2, 2, 1, 3)
    for shown, transfer in ((1, 13), (2, 16)):
        meta = bytes(4) + box(b"pitm", bytes(4) + struct.pack(">H", shown))
        meta += box(b"iprp", box(b"ipco", sides + plain + hdr) + box(b"ipma", links))
        declared = read_declared(box(b"ftyp", b"heic") + box(b"mdat", bytes(90_000)) + box(b"meta", meta))
        assert (declared.sides, declared.cicp) == ((4000, 3000), (1, transfer))
