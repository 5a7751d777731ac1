"""Examining photos: every refusal, every remark, and what the prepared JPEG holds."""

import io
import math
import random
import struct
import zlib
from pathlib import Path

import pytest
from PIL import Image, ImageChops, ImageCms, ImageDraw, ImageEnhance, ImageFilter, ImageStat

from bot.photos import checks
from bot.photos.checks import Code, hamming_distance, verdict_of
from bot.photos.intake import Received, Spool
from bot.photos.pool import PhotoPool
from bot.photos.prepare import PREPARED_BYTES, Measured, examine
from bot.records.dataset import Verdict
from tests.photos.hostile import beside, block, samples, with_profile
from tests.photos.leaving import leaks
from tests.photos.sample_photos import (
    chunk,
    encode,
    flat_png,
    noise,
    segment,
    with_chunks,
    with_extra_scans,
    with_segments,
)

# Pillow warns about broken EXIF; prepare.py silences that, pytest's own filters bring it back.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:PIL")

HEIC = Path(__file__).parents[1] / "samples/photo.heic"
PHOTO = encode(noise(), "JPEG", quality=90)


def look_at(content: bytes, folder: Path) -> Measured:
    source, target = folder / "received", folder / "prepared.jpg"
    target.unlink(missing_ok=True)
    source.write_bytes(content)
    measured = examine(source, target)
    assert target.exists() == (verdict_of(measured.findings) is not Verdict.REFUSED)
    return measured


def codes(measured: Measured) -> list[str]:
    return [finding.code for finding in measured.findings]


def prepared(folder: Path) -> Image.Image:
    with Image.open(folder / "prepared.jpg") as image:
        image.load()
    return image


def colour_at(folder: Path, x: int, y: int) -> tuple[int, ...]:
    found = prepared(folder).getpixel((x, y))
    assert isinstance(found, tuple)
    return found


def is_close(found: tuple[int, ...], wanted: tuple[int, ...], slack: int = 12) -> bool:
    return all(abs(a - b) <= slack for a, b in zip(found, wanted, strict=True))


def test_a_good_photo_is_accepted_and_measured(tmp_path: Path) -> None:
    measured = look_at(PHOTO, tmp_path)
    assert measured.findings == ()
    assert (measured.width, measured.height) == (800, 600)
    assert measured.size == (tmp_path / "prepared.jpg").stat().st_size
    assert measured.dhash is not None
    assert -(2**63) <= measured.dhash < 2**63


def wall(subject_px: int = 0) -> Image.Image:
    """A wall in soft light, with a colourful square before it."""
    picture = Image.linear_gradient("L").resize((1600, 1200)).point(lambda value: 100 + value // 3).convert("RGB")
    if subject_px:
        at = (800 - subject_px // 2, 600 - subject_px // 2)
        picture.paste(noise(subject_px, subject_px, seed=2), at)
    return picture


def measured_detail(picture: Image.Image, folder: Path) -> float:
    detail = look_at(encode(picture, "JPEG"), folder).detail
    assert detail is not None
    return detail


def test_sharpness_and_brightness_are_told_as_measured(tmp_path: Path) -> None:
    grey = look_at(encode(Image.new("RGB", (800, 600), (90, 90, 90)), "PNG"), tmp_path)
    assert grey.brightness == pytest.approx(90)
    assert (grey.sharpness, grey.detail) == (0.0, 0.0)
    sharp = look_at(PHOTO, tmp_path)
    soft = look_at(encode(noise().filter(ImageFilter.GaussianBlur(4)), "JPEG"), tmp_path)
    assert sharp.sharpness is not None
    assert soft.sharpness is not None
    assert sharp.sharpness > 4 * soft.sharpness
    assert sharp.brightness == pytest.approx(soft.brightness, abs=3)


def test_detail_is_the_share_of_the_frame_that_is_filled(tmp_path: Path) -> None:
    shares = [measured_detail(wall(side), tmp_path) for side in (0, 400, 800)]
    assert shares[0] == 0.0
    assert 0.05 < shares[1] < 0.25 < shares[2] < 0.6
    assert measured_detail(noise(1600, 1200), tmp_path) == 1.0


def test_detail_neither_grows_with_the_size_nor_with_a_little_grain(tmp_path: Path) -> None:
    picture = wall(400)
    once = measured_detail(picture, tmp_path)
    assert measured_detail(picture.resize((800, 600)), tmp_path) == pytest.approx(once, abs=0.1)
    grain = Image.effect_noise(picture.size, 40).convert("RGB")
    assert measured_detail(Image.blend(picture, grain, 0.2), tmp_path) == pytest.approx(once, abs=0.1)


def test_a_refused_photo_is_not_measured(tmp_path: Path) -> None:
    refused = look_at(encode(noise(256, 255), "JPEG"), tmp_path)
    assert (refused.sharpness, refused.brightness, refused.detail) == (None, None, None)


async def test_the_measurements_reach_whoever_stores_the_photo(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool")
    name = spool.new_name()
    spool.path(name).write_bytes(PHOTO)
    wanted = look_at(PHOTO, tmp_path)
    pool = PhotoPool(spool, workers=1)
    examined = await pool.examine(Received(name, "0" * 64, len(PHOTO), "image/jpeg"), "photo.jpg")
    pool.close()
    assert wanted.detail is not None
    assert (examined.sharpness, examined.brightness, examined.detail) == (
        wanted.sharpness,
        wanted.brightness,
        wanted.detail,
    )


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA", "P", "1"])
def test_every_ordinary_mode_becomes_an_rgb_jpeg(tmp_path: Path, kind: str, mode: str) -> None:
    if kind == "JPEG" and mode in {"RGBA", "P", "1"}:
        mode = "L"
    if kind == "WEBP" and mode in {"P", "1"}:
        mode = "RGBA"
    measured = look_at(encode(noise().convert(mode), kind), tmp_path)
    assert verdict_of(measured.findings) is Verdict.ACCEPTED
    image = prepared(tmp_path)
    assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (800, 600))


@pytest.mark.parametrize(
    ("content", "code", "detail"),
    [
        (b"", Code.EMPTY, ""),
        (b"hello, I am text", Code.NOT_AN_IMAGE, ""),
        (bytes(1000), Code.NOT_AN_IMAGE, ""),
        (encode(noise(), "GIF"), Code.WRONG_TYPE, "gif"),
        (encode(noise(), "TIFF"), Code.WRONG_TYPE, "tiff"),
        (encode(noise(), "BMP"), Code.WRONG_TYPE, "bmp"),
        (encode(noise(), "PDF"), Code.WRONG_TYPE, "pdf"),
        (b"FUJIFILMCCD-RAW 0201FF389501", Code.WRONG_TYPE, "raw"),
        (b"PK\x03\x04" + bytes(100), Code.WRONG_TYPE, "zip"),
        (b"<!doctype html><p>sign in</p>", Code.WRONG_TYPE, "html"),
        (b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom", Code.WRONG_TYPE, "mp4"),
        (encode(noise(256, 255), "JPEG"), Code.TOO_SMALL, ""),
        (encode(noise(255, 256), "PNG"), Code.TOO_SMALL, ""),
        (b"\xff\xd8\xff" + bytes(25_000_000), Code.TOO_LARGE, ""),
    ],
)
def test_what_is_no_photo_is_refused_by_what_it_is(tmp_path: Path, content: bytes, code: Code, detail: str) -> None:
    measured = look_at(content, tmp_path)
    assert [(finding.code, finding.detail) for finding in measured.findings] == [(code, detail)]


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP"])
def test_animations_are_refused(tmp_path: Path, kind: str) -> None:
    content = encode(noise(), kind, save_all=True, append_images=[noise(seed=2)], duration=100, loop=0)
    assert codes(look_at(content, tmp_path)) == [Code.ANIMATED]


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", pytest.param("HEIC", marks=pytest.mark.process)])
def test_a_truncated_file_is_damaged(tmp_path: Path, kind: str, share: float) -> None:
    content = HEIC.read_bytes() if kind == "HEIC" else encode(noise(), kind)
    assert codes(look_at(content[: int(len(content) * share)], tmp_path)) == [Code.DAMAGED]


@pytest.mark.parametrize("count", [2, 4, *(pytest.param(count, marks=pytest.mark.process) for count in (12, 40))])
def test_a_bare_beginning_is_refused(tmp_path: Path, count: int) -> None:
    for content in (PHOTO, encode(noise(), "PNG"), encode(noise(), "WEBP"), HEIC.read_bytes()):
        assert codes(look_at(content[:count], tmp_path))[0] in {Code.DAMAGED, Code.NOT_AN_IMAGE, Code.WRONG_TYPE}


def test_a_blurry_photo_is_named(tmp_path: Path) -> None:
    soft = noise(1600, 1200).filter(ImageFilter.GaussianBlur(14))
    assert codes(look_at(encode(soft, "JPEG"), tmp_path)) == [Code.BLURRY]


def test_a_sharp_subject_before_a_soft_background_is_not_blurry(tmp_path: Path) -> None:
    picture = noise(1600, 1200).filter(ImageFilter.GaussianBlur(14))
    picture.paste(noise(400, 400, seed=2), (600, 400))
    assert codes(look_at(encode(picture, "JPEG"), tmp_path)) == []


def test_dark_and_pale_photos_are_named(tmp_path: Path) -> None:
    dark = ImageEnhance.Brightness(noise()).enhance(0.2)
    pale = Image.blend(noise(), Image.new("RGB", (800, 600), "white"), 0.85)
    assert codes(look_at(encode(dark, "JPEG"), tmp_path)) == [Code.DARK]
    assert codes(look_at(encode(pale, "JPEG"), tmp_path)) == [Code.BRIGHT]


def test_a_small_photo_is_taken_with_advice(tmp_path: Path) -> None:
    assert codes(look_at(encode(noise(400, 300), "JPEG"), tmp_path)) == [Code.SMALL]


def test_a_photo_over_ten_megabytes_is_sent_as_a_smaller_copy(tmp_path: Path) -> None:
    picture = Image.frombytes("RGB", (2000, 1800), random.Random(1).randbytes(2000 * 1800 * 3))
    content = encode(picture, "PNG")
    assert 10_000_000 < len(content) < checks.MAX_INTAKE_BYTES
    measured = look_at(content, tmp_path)
    assert codes(measured) == [Code.SHRUNK]
    assert measured.size < PREPARED_BYTES


def test_thirty_of_the_heaviest_photos_fit_together(tmp_path: Path) -> None:
    heaviest = Image.frombytes("RGB", (2048, 2048), random.Random(1).randbytes(2048 * 2048 * 3))
    measured = look_at(encode(heaviest, "JPEG", quality=95), tmp_path)
    assert measured.size * checks.MAX_PHOTOS <= checks.MAX_TOTAL_BYTES


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
@pytest.mark.parametrize(
    ("sides", "sent"),
    [
        ((2048, 1536), (2048, 1536)),
        ((2560, 1920), (2048, 1536)),
        ((3072, 2304), (1536, 1152)),
        ((4000, 3000), (2000, 1500)),
        ((4200, 3150), (2048, 1536)),
        ((4000, 900), (2048, 461)),
    ],
)
def test_a_large_photo_is_halved_or_else_reduced_to_2048_pixels(
    tmp_path: Path, kind: str, sides: tuple[int, int], sent: tuple[int, int]
) -> None:
    measured = look_at(encode(noise(*sides), kind), tmp_path)
    assert (measured.width, measured.height) == prepared(tmp_path).size == sent


@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA", "P", "I;16"])
def test_halving_keeps_the_picture_in_every_mode(tmp_path: Path, mode: str) -> None:
    picture = noise(3601, 3201).convert("L" if mode == "I;16" else mode)
    if mode == "I;16":
        picture = picture.convert("I").point(lambda value: value * 257).convert("I;16")
    look_at(encode(picture, "PNG"), tmp_path)
    shown = noise(3601, 3201).convert("L" if mode in {"L", "I;16"} else "RGB").convert("RGB")
    found, wanted = prepared(tmp_path), shown.resize((1801, 1601), Image.Resampling.BOX)
    assert found.size == wanted.size
    assert max(ImageStat.Stat(ImageChops.difference(found, wanted)).mean) < (12 if mode == "P" else 5)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_every_orientation_comes_out_upright(tmp_path: Path, kind: str, orientation: int) -> None:
    upright = Image.new("RGB", (600, 400), "white")
    ImageDraw.Draw(upright).rectangle((0, 0, 200, 130), fill="red")
    undo = {
        1: None,
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    look_at(encode(upright.transpose(undo) if undo is not None else upright, kind, exif=exif), tmp_path)
    assert prepared(tmp_path).size == (600, 400)
    assert is_close(colour_at(tmp_path, 100, 60), (255, 0, 0))
    assert is_close(colour_at(tmp_path, 500, 60), (255, 255, 255))
    assert is_close(colour_at(tmp_path, 100, 340), (255, 255, 255))


@pytest.mark.process
def test_nothing_but_pixels_leaves(tmp_path: Path) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for sample, content in samples().items():
        whole = with_profile(beside(content, block(content, b"secret remark")), profile)
        look_at(whole, tmp_path)
        assert leaks((tmp_path / "prepared.jpg").read_bytes()) == [], sample


def test_broken_exif_does_not_cost_the_photo(tmp_path: Path) -> None:
    for exif in (
        b"Exif\x00\x00garbage",
        b"Exif\x00\x00MM\x00*\xff\xff\xff\xff",
        b"Exif\x00\x00II*\x00\x08\x00\x00\x00\xff",
    ):
        assert codes(look_at(encode(noise(), "JPEG", exif=exif), tmp_path)) == []


def wide_gamut_profile() -> bytes:
    """A matrix profile with Display P3 primaries and gamma 2.2, assembled by hand (ICC.1:2010, section 8.3)."""

    def fixed(value: float) -> bytes:
        return struct.pack(">i", round(value * 65536))

    def xyz(x: float, y: float, z: float) -> bytes:
        return b"XYZ \x00\x00\x00\x00" + fixed(x) + fixed(y) + fixed(z)

    text = b"desc\x00\x00\x00\x00" + struct.pack(">I", 8) + b"wide P3\x00" + bytes(79)
    tags = {
        b"desc": text,
        b"cprt": b"text\x00\x00\x00\x00none\x00\x00\x00\x00",
        b"wtpt": xyz(0.9642, 1.0, 0.8249),
        b"rXYZ": xyz(0.5151, 0.2412, -0.0011),
        b"gXYZ": xyz(0.2919, 0.6922, 0.0419),
        b"bXYZ": xyz(0.1572, 0.0666, 0.7841),
    }
    curve = b"curv\x00\x00\x00\x00" + struct.pack(">IH", 1, round(2.2 * 256)) + b"\x00\x00"
    tags |= {b"rTRC": curve, b"gTRC": curve, b"bTRC": curve}
    offset = 128 + 4 + 12 * len(tags)
    table, data = struct.pack(">I", len(tags)), b""
    for name, body in tags.items():
        table += name + struct.pack(">II", offset + len(data), len(body))
        data += body + bytes(-len(body) % 4)
    size = offset + len(data)
    head = struct.pack(">I4sI4s4s4s", size, b"\x00" * 4, 0x02400000, b"mntr", b"RGB ", b"XYZ ")
    head += struct.pack(">6H", 2024, 1, 1, 0, 0, 0) + b"acsp" + bytes(28) + fixed(0.9642) + fixed(1) + fixed(0.8249)
    return head.ljust(128, b"\x00") + table + data


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_wide_gamut_photo_keeps_its_colours_in_srgb(tmp_path: Path, kind: str) -> None:
    inside = (180, 90, 60)
    options = {"quality": 95} if kind != "PNG" else {}
    content = encode(Image.new("RGB", (600, 600), inside), kind, icc_profile=wide_gamut_profile(), **options)
    look_at(content, tmp_path)
    red, green, blue = colour_at(tmp_path, 300, 300)
    # The same light needs more red and less green and blue in the smaller space.
    assert red > inside[0] + 6
    assert green < inside[1]
    assert blue < inside[2] + 2
    assert math.isclose(sum((red, green, blue)) / 3, sum(inside) / 3, abs_tol=12)


@pytest.mark.parametrize("profile", [b"nonsense", b"\x00" * 200, wide_gamut_profile()[:200]])
def test_an_unusable_profile_is_ignored(tmp_path: Path, profile: bytes) -> None:
    look_at(encode(Image.new("RGB", (600, 600), (180, 90, 60)), "JPEG", quality=95, icc_profile=profile), tmp_path)
    assert is_close(colour_at(tmp_path, 300, 300), (180, 90, 60), 3)


def test_a_profile_of_another_mode_is_ignored(tmp_path: Path) -> None:
    look_at(encode(Image.new("L", (600, 600), 120), "JPEG", icc_profile=wide_gamut_profile()), tmp_path)
    assert is_close(colour_at(tmp_path, 300, 300), (120, 120, 120), 3)


def test_cmyk_becomes_the_colour_that_was_meant(tmp_path: Path) -> None:
    ink = Image.new("CMYK", (600, 600), (0, 255, 255, 0))
    measured = look_at(encode(ink, "JPEG"), tmp_path)
    assert [(finding.code, finding.detail) for finding in measured.findings][-1] == (Code.CONVERTED, "CMYK")
    red, green, blue = colour_at(tmp_path, 300, 300)
    assert red > 220
    assert max(green, blue) < 60


def test_sixteen_bit_grey_keeps_its_brightness(tmp_path: Path) -> None:
    ramp = Image.frombytes("I;16", (512, 512), b"".join(struct.pack("<H", x * 128) for x in range(512)) * 512)
    measured = look_at(encode(ramp, "PNG"), tmp_path)
    assert [(finding.code, finding.detail) for finding in measured.findings][-1] == (Code.CONVERTED, "16-bit")
    for x in (40, 256, 480):
        assert is_close(colour_at(tmp_path, x, 256), (x // 2,) * 3, 3)


def test_transparent_parts_become_white(tmp_path: Path) -> None:
    picture = Image.new("RGBA", (3000, 2000), (200, 30, 30, 255))
    ImageDraw.Draw(picture).rectangle((0, 0, 1500, 2000), fill=(0, 0, 0, 0))
    look_at(encode(picture, "PNG"), tmp_path)
    assert is_close(colour_at(tmp_path, 300, 700), (255, 255, 255), 4)
    assert is_close(colour_at(tmp_path, 1700, 1300), (200, 30, 30), 6)


@pytest.mark.process
def test_a_heic_photo_becomes_an_upright_jpeg(tmp_path: Path) -> None:
    measured = look_at(HEIC.read_bytes(), tmp_path)
    assert ("converted", "HEIC") in [(finding.code, finding.detail) for finding in measured.findings]
    assert prepared(tmp_path).size == (640, 480)
    sky = ImageStat.Stat(prepared(tmp_path).crop((0, 0, 400, 100))).mean
    meadow = ImageStat.Stat(prepared(tmp_path).crop((0, 360, 640, 480))).mean
    assert sky[2] > sky[1] > sky[0]
    assert meadow[1] > meadow[0] > meadow[2]


def test_a_photo_of_several_frames_as_phones_write_them_is_no_animation(tmp_path: Path) -> None:
    content = encode(noise(), "MPO", save_all=True, append_images=[noise(seed=2)])
    assert codes(look_at(content, tmp_path)) == []


def test_the_hash_survives_a_re_encode_and_tells_photos_apart(tmp_path: Path) -> None:
    photos = [noise(seed=seed).filter(ImageFilter.GaussianBlur(30)) for seed in range(4)]
    found = []
    for photo in photos:
        first = look_at(encode(photo, "JPEG", quality=92), tmp_path).dhash
        again = look_at(encode(photo.resize((500, 375)), "WEBP", quality=40), tmp_path).dhash
        assert first is not None
        assert again is not None
        assert hamming_distance(first, again) <= checks.NEAR_DUPLICATE_BITS
        found.append(first)
    for index, one in enumerate(found):
        assert all(hamming_distance(one, other) > checks.NEAR_DUPLICATE_BITS for other in found[index + 1 :])


def test_a_jpeg_of_a_thousand_scans_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    ordinary = encode(noise(), "JPEG", progressive=True)
    assert codes(look_at(ordinary, tmp_path)) == []
    assert codes(look_at(with_extra_scans(ordinary, 1000), tmp_path)) == [Code.DAMAGED]


@pytest.mark.parametrize("kind", [b"zTXt", b"iTXt", b"iCCP"])
def test_what_stands_beside_the_pixels_of_a_png_never_costs_the_photo(tmp_path: Path, kind: bytes) -> None:
    bomb = chunk(kind, b"k\x00\x00" + zlib.compress(bytes(1_100_000)))
    measured = look_at(flat_png(600, 600, before_data=bomb * 40), tmp_path)
    assert verdict_of(measured.findings) is not Verdict.REFUSED


def test_a_large_profile_of_a_png_is_kept_to(tmp_path: Path) -> None:
    profile = wide_gamut_profile()
    padded = struct.pack(">I", 1_500_000) + profile[4:] + bytes(1_500_000 - len(profile))
    plain = encode(Image.new("RGB", (600, 600), (180, 90, 60)), "PNG")
    measured = look_at(with_chunks(plain, chunk(b"iCCP", b"p\x00\x00" + zlib.compress(padded))), tmp_path)
    assert Code.COLOURS not in codes(measured)
    assert colour_at(tmp_path, 300, 300)[0] > 186


@pytest.mark.parametrize("progressive", [False, True])
def test_a_motion_photo_is_a_photo(tmp_path: Path, progressive: bool) -> None:
    photo = encode(noise(), "JPEG", quality=90, progressive=progressive)
    first = look_at(photo, tmp_path)
    video = b"\x00\x00\x00\x18ftypmp42" + random.Random(1).randbytes(2_000_000) + b"\xff\xda" * 200_000
    assert look_at(photo + video, tmp_path) == first
    assert first.findings == ()


def test_a_broken_index_of_further_pictures_does_not_decide(tmp_path: Path) -> None:
    """As phones write it for depth and HDR, with the further pictures cut off."""
    whole = encode(noise(), "MPO", save_all=True, append_images=[noise(seed=2)])
    assert codes(look_at(whole[: whole.rindex(b"\xff\xd8") + 50], tmp_path)) == []
    assert codes(look_at(with_segments(PHOTO, segment(0xE2, b"MPF\x00broken")), tmp_path)) == []


@pytest.mark.parametrize("code", [0xE0, 0xE1, 0xE2, 0xED, 0xEE])
def test_a_broken_segment_beside_the_picture_does_not_decide(tmp_path: Path, code: int) -> None:
    names = (b"", b"JFIF\x00", b"Adobe", b"ICC_PROFILE\x00", b"Photoshop 3.0\x008BIM\x03", b"Exif\x00\x00MM")
    broken = b"".join(segment(code, name) for name in names)
    measured = look_at(with_segments(PHOTO, broken), tmp_path)
    assert set(codes(measured)) <= {Code.COLOURS}


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("sides", [(800, 600), (795, 597), (3200, 2400)])
def test_a_jpeg_with_all_its_rows_needs_no_end(tmp_path: Path, sides: tuple[int, int], progressive: bool) -> None:
    photo = encode(noise(*sides), "JPEG", quality=90, progressive=progressive)
    whole = look_at(photo, tmp_path)
    assert whole.findings == ()
    for missing in (1, 2):
        assert look_at(photo[:-missing], tmp_path) == whole
    for missing in (40, 4000):
        assert codes(look_at(photo[:-missing], tmp_path)) == [Code.DAMAGED]


def test_a_png_with_all_its_rows_needs_no_end(tmp_path: Path) -> None:
    photo = encode(noise(), "PNG")
    assert codes(look_at(photo[:-12], tmp_path)) == codes(look_at(photo[:-16], tmp_path)) == []
    assert codes(look_at(photo[:-200], tmp_path)) == [Code.DAMAGED]


def test_a_disk_that_fails_is_not_blamed_on_the_photo(tmp_path: Path) -> None:
    source = tmp_path / "received"
    with pytest.raises(FileNotFoundError):
        examine(source, tmp_path / "out.jpg")
    source.write_bytes(PHOTO)
    with pytest.raises(FileNotFoundError):
        examine(source, tmp_path / "missing" / "out.jpg")


def test_the_prepared_file_decodes_with_a_plain_reader(tmp_path: Path) -> None:
    look_at(encode(noise(3000, 2500), "PNG"), tmp_path)
    image = Image.open(io.BytesIO((tmp_path / "prepared.jpg").read_bytes()))
    image.load()
    assert (image.format, image.mode, max(image.size)) == ("JPEG", "RGB", 2048)
