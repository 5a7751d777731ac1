"""From a received file to the JPEG that is sent: header checks, one decode, upright, sRGB, nothing but pixels.

Blocking; `PhotoPool` runs it in threads. Pillow's process-wide limits are set here, when the module is imported.
"""

import io
import mmap
import struct
import threading
import warnings
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

from PIL import Image, ImageChops, ImageCms, ImageFilter, ImageStat, PngImagePlugin

from bot.errors import FileDamaged
from bot.photos import heic
from bot.photos.checks import (
    ALLOWED_TYPES,
    MAX_INTAKE_BYTES,
    MAX_PHOTOS,
    MAX_PIXELS,
    MAX_TOTAL_BYTES,
    Code,
    Measures,
    judge,
    judge_sides,
    sent_size,
)
from bot.photos.filetypes import has_deep_channels, identify, loops, read_dimensions
from bot.photos.jpeg import encode_jpeg
from bot.records.dataset import Finding

PREPARED_BYTES: Final = MAX_TOTAL_BYTES // MAX_PHOTOS
"""Cap on one prepared photo, so that even thirty of the largest stay within what the provider takes together."""
MEASURE_SIDE_PX: Final = 1000
TILES: Final = 4
"""Sharpness is taken from the sharpest of TILES x TILES tiles: a soft background does not make a portrait blurry."""
DETAIL_SIDE_PX: Final = 256
"""Detail is looked for with the long side at this size, where grain and the finest texture are gone."""
DETAIL_CELLS: Final = 8
DETAIL_ABOVE: Final = 4
"""Mean distance from the neighbourhood, in grey levels, from which on a cell holds detail. With 4 the twenty sandbox
photos lie between 0.25 and 1.0; a subject before a plain or softly blurred wall at 0.12 to 0.19."""
LARGE_PIXELS: Final = 16_000_000
MAX_JPEG_SCANS: Final = 100
"""Cameras write up to about 15 scans; every further one costs a pass over the whole picture."""

_HEAD_BYTES: Final = 32_768
_PILLOW_FORMATS: Final = {"jpeg": "JPEG", "png": "PNG", "webp": "WEBP"}
_ORIENTATION_TAG: Final = 0x0112
_UPRIGHT: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_LAPLACIAN: Final = ImageFilter.Kernel((3, 3), (0, 1, 0, 1, -4, 1, 0, 1, 0), scale=1, offset=128)
_PROFILE_MODES: Final = {"RGB ": "RGB", "CMYK": "CMYK", "GRAY": "L"}
# What Pillow, its plugins and the HEIC process raise for bytes they do not like.
_BROKEN: Final = (
    OSError, SyntaxError, ValueError, TypeError, KeyError, IndexError, AttributeError, AssertionError, ArithmeticError,
    EOFError, RuntimeError, MemoryError, struct.error, zlib.error, ImageCms.PyCMSError,
)  # fmt: skip

_one_large_picture = threading.Lock()
"""Above LARGE_PIXELS one decode at a time in the whole process: at 60 megapixels a PNG needs about half a gigabyte."""

Image.MAX_IMAGE_PIXELS = MAX_PIXELS
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")
warnings.filterwarnings("error", category=Image.DecompressionBombWarning)
PngImagePlugin.MAX_TEXT_MEMORY = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Measured:
    """What `examine` found. The target exists only when no finding refuses the photo.

    `size` in bytes, `width` and `height` in pixels are the prepared JPEG's, 0 when refused. `dhash` is a 64-bit
    difference hash as a signed integer (-2**63 to 2**63 - 1, what a BIGINT holds), None when refused.
    Plain measurements, None when refused: `sharpness` is the variance of the Laplacian in the sharpest tile,
    `brightness` the mean grey (0 to 255), `detail` the share of the frame that holds detail (0 to 1).
    """

    findings: tuple[Finding, ...]
    size: int = 0
    width: int = 0
    height: int = 0
    dhash: int | None = None
    sharpness: float | None = None
    brightness: float | None = None
    detail: float | None = None


def examine(source: Path, target: Path) -> Measured:
    """Judge the file and, unless it is refused, write the JPEG that is sent to `target`.

    Never raises for what the file holds; OSError is raised when the disk itself fails.
    """
    with source.open("rb") as file:
        head = file.read(_HEAD_BYTES)
        original_size = source.stat().st_size
        refusal = _judge_head(head, original_size)
        if refusal is None and identify(head) == "jpeg":
            refusal = _judge_scans(file.fileno())
    if refusal is not None:
        return Measured((refusal,))
    try:
        outcome = _decode(source, head, original_size)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        return Measured((Finding(Code.TOO_MANY_PIXELS),))
    except _BROKEN:
        return Measured((Finding(Code.DAMAGED),))
    if isinstance(outcome, Measured):
        return outcome
    jpeg, measured = outcome
    target.write_bytes(jpeg)
    return measured


def _judge_head(head: bytes, original_size: int) -> Finding | None:
    """The tier before any decoder sees the file."""
    if not original_size:
        return Finding(Code.EMPTY)
    if original_size > MAX_INTAKE_BYTES:
        return Finding(Code.TOO_LARGE)
    kind = identify(head)
    if kind is None:
        return Finding(Code.NOT_AN_IMAGE)
    if kind not in ALLOWED_TYPES:
        return Finding(Code.ANIMATED) if loops(head) else Finding(Code.WRONG_TYPE, kind)
    if kind == "heic" and not heic.CAN_LIMIT:
        return Finding(Code.NO_HEIC)
    sides = read_dimensions(head)
    return None if sides is None else judge_sides(*sides, kind)


def _judge_scans(descriptor: int) -> Finding | None:
    with mmap.mmap(descriptor, 0, access=mmap.ACCESS_READ) as content:
        at = scans = 0
        while scans <= MAX_JPEG_SCANS:
            at = content.find(b"\xff\xda", at) + 2
            if at < 2:
                return None
            scans += 1
    return Finding(Code.DAMAGED)


def _decode(source: Path, head: bytes, original_size: int) -> Measured | tuple[bytes, Measured]:
    kind = identify(head) or ""
    with ExitStack() as held:
        if kind == "heic":
            _wait_when_large(held, read_dimensions(head))
            image, (width, height) = heic.decode_heic(source)
        else:
            image = held.enter_context(Image.open(source, formats=[_PILLOW_FORMATS[kind]]))
            width, height = image.size
        if refusal := judge_sides(width, height, kind):
            return Measured((refusal,))
        if kind in {"png", "webp"} and getattr(image, "is_animated", False):
            return Measured((Finding(Code.ANIMATED),))
        if kind != "heic":
            _wait_when_large(held, image.size)
        converted = _describe_conversion(kind, head, image.mode)
        picture = _render(image)
    jpeg = encode_jpeg(picture, PREPARED_BYTES)
    return jpeg, _measure(picture, (width, height), original_size, converted, len(jpeg))


def _measure(
    picture: Image.Image, original: tuple[int, int], original_size: int, converted: str, sent_bytes: int
) -> Measured:
    grey = picture.convert("L")
    small = grey.copy()
    small.thumbnail((MEASURE_SIDE_PX, MEASURE_SIDE_PX), Image.Resampling.BOX)
    sharpness, brightness = _measure_sharpness(small), ImageStat.Stat(grey).mean[0]
    findings = judge(Measures(sharpness, brightness, *original, original_size, converted))
    dhash, detail = _hash_differences(grey), _measure_detail(small)
    return Measured(findings, sent_bytes, *picture.size, dhash, sharpness, brightness, detail)


def _wait_when_large(held: ExitStack, sides: tuple[int, int] | None) -> None:
    if sides is not None and sides[0] * sides[1] > LARGE_PIXELS:
        held.enter_context(_one_large_picture)


def _describe_conversion(kind: str, head: bytes, mode: str) -> str:
    if kind == "heic":
        return "HEIC"
    if mode == "CMYK":
        return "CMYK"
    return "16-bit" if has_deep_channels(head) else ""


def _render(image: Image.Image) -> Image.Image:
    """Upright, sRGB, at the size that is sent, bare of metadata. Shrinks as early as the format allows."""
    orientation, profile = _read_orientation(image), image.info.get("icc_profile")
    size = sent_size(*image.size)
    image.draft(None, size)
    image.load()
    plain = _flatten(image)
    if plain.size != size:
        plain = plain.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)
    plain = _convert_to_srgb(plain, profile)
    if orientation in _UPRIGHT:
        plain = plain.transpose(_UPRIGHT[orientation])
    plain.info = {}
    return plain


def _read_orientation(image: Image.Image) -> int:
    """1 (upright) when the EXIF block is unreadable: that is no reason to refuse a photo."""
    try:
        return int(image.getexif().get(_ORIENTATION_TAG, 1))
    except _BROKEN:
        return 1


def _flatten(image: Image.Image) -> Image.Image:
    """Mode L, RGB or CMYK: 16-bit grey is scaled (a plain convert clips it to white), transparency is laid on white."""
    if image.mode.startswith(("I", "F")):
        return image.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    if image.has_transparency_data:
        return _lay_on_white(image)
    return image if image.mode in {"L", "RGB", "CMYK"} else image.convert("RGB")


def _lay_on_white(image: Image.Image) -> Image.Image:
    """Band by band: a whole second and third copy of a 60-megapixel picture would not fit a small machine."""
    flat = Image.new("RGB", image.size, "white")
    band_height = max(1, 4_000_000 // image.width)
    for top in range(0, image.height, band_height):
        band = image.crop((0, top, image.width, min(top + band_height, image.height))).convert("RGBA")
        flat.paste(band, (0, top), band)
    return flat


def _convert_to_srgb(image: Image.Image, profile: object) -> Image.Image:
    """Through the embedded profile when it is usable, else by the plain rule for the mode."""
    if isinstance(profile, bytes) and profile:
        try:
            embedded = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            if _PROFILE_MODES.get(embedded.profile.xcolor_space) == image.mode:
                srgb = ImageCms.createProfile("sRGB")
                converted = ImageCms.profileToProfile(image, embedded, srgb, outputMode="RGB")
                return converted or image
        except _BROKEN:
            return image.convert("RGB")
    return image.convert("RGB")


def _measure_sharpness(small: Image.Image) -> float:
    """Variance of the Laplacian in the sharpest tile of the grey picture, its long side at MEASURE_SIDE_PX at most."""
    # Pillow leaves the outermost pixels as they were.
    edges = small.filter(_LAPLACIAN).crop((1, 1, small.width - 1, small.height - 1))
    columns = [edges.width * step // TILES for step in range(TILES + 1)]
    rows = [edges.height * step // TILES for step in range(TILES + 1)]
    return max(
        ImageStat.Stat(edges.crop((left, top, right, bottom))).var[0]
        for top, bottom in pairwise(rows)
        for left, right in pairwise(columns)
    )


def _measure_detail(small: Image.Image) -> float:
    """Share of DETAIL_CELLS x DETAIL_CELLS cells that stand out from their own blurred copy, 0 to 1: low for a subject
    before a plain wall, high for a wide scene. It says nothing of what is seen.
    """
    tiny = small.copy()
    tiny.thumbnail((DETAIL_SIDE_PX, DETAIL_SIDE_PX), Image.Resampling.BOX)
    contrast = ImageChops.difference(tiny, tiny.filter(ImageFilter.BoxBlur(4)))
    cells = contrast.resize((DETAIL_CELLS, DETAIL_CELLS), Image.Resampling.BOX).tobytes()
    return sum(cell >= DETAIL_ABOVE for cell in cells) / len(cells)


def _hash_differences(grey: Image.Image) -> int:
    """dHash: whether each of 8 x 8 cells is darker than its right neighbour; 64 bits, read as a signed integer."""
    cells = grey.resize((9, 8), Image.Resampling.BOX).tobytes()
    bits = 0
    for row in range(8):
        for column in range(8):
            at = row * 9 + column
            bits = bits << 1 | (cells[at] < cells[at + 1])
    return int.from_bytes(bits.to_bytes(8, "big"), "big", signed=True)


def shrink(picture: Path, limit: int) -> bytes:
    """A JPEG of at most `limit` bytes, as large and as good as that allows; FileDamaged. Blocking."""
    with _open_made(picture) as image:
        return encode_jpeg(_flatten(image), limit)


def check_whole(picture: Path) -> None:
    """FileDamaged unless every row of a PNG, JPEG or WebP of at most MAX_PIXELS can be decoded. Blocking."""
    with _open_made(picture) as image:
        image.load()


@contextmanager
def _open_made(picture: Path) -> Iterator[Image.Image]:
    try:
        with ExitStack() as held:
            image = held.enter_context(Image.open(picture, formats=list(_PILLOW_FORMATS.values())))
            _wait_when_large(held, image.size)
            yield image
    except FileNotFoundError:
        raise
    except (*_BROKEN, Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise FileDamaged("The picture does not decode whole.") from error
