"""From a received file to the JPEG that is sent: a walk over its parts, one decode, upright, sRGB, nothing but pixels.

Blocking; `PhotoPool` runs it in threads. Pillow's process-wide limits are set here, when the module is imported.
"""

import hashlib
import io
import mmap
import struct
import threading
import warnings
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from PIL import Image, ImageChops

from bot.errors import FileDamaged
from bot.photos import heif
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
)
from bot.photos.colours import ADOBE_RGB, to_srgb
from bot.photos.exif import read_exif, turn_upright
from bot.photos.filetypes import has_deep_channels, identify, is_animation, read_dimensions
from bot.photos.jpeg import encode_jpeg, write_jpeg
from bot.photos.measures import measure
from bot.photos.numbering import draw_number
from bot.photos.scaling import flatten, shrink_to_sent, whole_factor
from bot.photos.structure.heif import read_declared
from bot.photos.structure.jpeg import outline_jpeg
from bot.photos.structure.outline import Colours, Content, Outline, TooLargeToDecode
from bot.photos.structure.png import outline_png
from bot.photos.structure.webp import outline_webp
from bot.photos.webp import decode_webp
from bot.records.dataset import Finding

PREPARED_BYTES: Final = MAX_TOTAL_BYTES // MAX_PHOTOS
"""Cap on one prepared photo, so that even thirty of the largest stay within what the provider takes together."""
LARGE_BYTES: Final = 120_000_000
BYTES_PER_PIXEL: Final = {"jpeg": 3, "png": 4, "webp": 12, "heic": 9, "avif": 9}
"""What decoding holds in memory at most, measured; a JPEG at a reduced scale, or all coefficients of several scans."""

_HEAD_BYTES: Final = 32_768
_OUTLINES: Final = {"jpeg": outline_jpeg, "png": outline_png, "webp": outline_webp}
_DECODED_ELSEWHERE: Final = frozenset({"heic", "avif"})
_PILLOW_FORMATS: Final = {"jpeg": "JPEG", "png": "PNG", "webp": "WEBP"}
_END_OF_JPEG: Final = b"\xff\xd9"
_CHANCE_BITS: Final = hashlib.sha512(b"no photo goes on like this").digest().replace(b"\xff", b"\xfe")
# What Pillow, its plugins and the HEIC process raise for bytes they do not like.
_BROKEN: Final = (
    OSError, SyntaxError, ValueError, TypeError, KeyError, IndexError, AttributeError, AssertionError, ArithmeticError,
    EOFError, RuntimeError, MemoryError, struct.error, zlib.error,
)  # fmt: skip

_one_large_picture = threading.Lock()
"""Above LARGE_BYTES one decode at a time in the whole process."""

Image.MAX_IMAGE_PIXELS = MAX_PIXELS
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")
warnings.filterwarnings("error", category=Image.DecompressionBombWarning)


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


@dataclass(frozen=True, slots=True)
class _Decoded:
    """`picture` is upright and at the size that is sent, its colours as the file has them; `sides` the original's."""

    picture: Image.Image
    sides: tuple[int, int]
    colours: Colours
    converted: str


class _Refused(Exception):
    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.code)
        self.finding = finding


def examine(source: Path, target: Path) -> Measured:
    """Judge the file and, unless it is refused, write the JPEG that is sent to `target`.

    Never raises for what the file holds; OSError is raised when the disk itself fails.
    """
    with source.open("rb") as file:
        head, original_size = file.read(_HEAD_BYTES), source.stat().st_size
        if refusal := judge_head(head, original_size):
            return Measured((refusal,))
        content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    try:
        decoded = _decode(source, content, head)
        picture, doubt = to_srgb(decoded.picture, decoded.colours)
        seen = measure(picture)
    except _Refused as refused:
        return Measured((refused.finding,))
    except (TooLargeToDecode, Image.DecompressionBombError, Image.DecompressionBombWarning):
        return Measured((Finding(Code.TOO_MANY_PIXELS),))
    except _BROKEN:
        return Measured((Finding(Code.DAMAGED),))
    picture.info = {}
    with target.open("wb") as file:
        size = write_jpeg(picture, file, PREPARED_BYTES)
    findings = judge(Measures(seen.sharpness, seen.brightness, *decoded.sides, original_size, decoded.converted, doubt))
    return Measured(findings, size, *picture.size, seen.dhash, seen.sharpness, seen.brightness, seen.detail)


def judge_head(head: bytes, original_size: int) -> Finding | None:
    """What the first 32 kB and the size decide."""
    if not original_size:
        return Finding(Code.EMPTY)
    if original_size > MAX_INTAKE_BYTES:
        return Finding(Code.TOO_LARGE)
    kind = identify(head)
    if kind is None:
        return Finding(Code.NOT_AN_IMAGE)
    if is_animation(head):
        return Finding(Code.ANIMATED)
    if kind not in ALLOWED_TYPES:
        return Finding(Code.WRONG_TYPE, kind)
    if kind in _DECODED_ELSEWHERE and not heif.CAN_LIMIT:
        return Finding(Code.NO_HEIC)
    sides = read_dimensions(head)
    return None if sides is None else judge_sides(*sides, kind)


def outline(content: Content, kind: str) -> Outline:
    """The parts of a JPEG, PNG or WebP; raises StructureError when there is no picture, or far too many parts."""
    return _OUTLINES[kind](content)


def _decode(source: Path, content: mmap.mmap, head: bytes) -> _Decoded:
    """Closes `content`: its pages count as memory of this process."""
    kind = identify(head) or ""
    with content:
        if kind in _DECODED_ELSEWHERE:
            return _decode_elsewhere(source, content, kind)
        found = outline(content, kind)
    if found.is_animated:
        raise _Refused(Finding(Code.ANIMATED))
    _refuse_sides(found.sides, kind)
    exif = read_exif(found.exif)
    with _turn_for(found.sides, kind):
        if kind == "jpeg":
            picture, mode = _decode_jpeg(found)
        elif kind == "webp":
            picture, mode = shrink_to_sent(decode_webp(found.content)), "RGB"
        else:
            with Image.open(io.BytesIO(found.content), formats=["PNG"]) as image:
                mode = image.mode
                image.load()
                picture = shrink_to_sent(image)
    colours = ADOBE_RGB if found.colours == Colours() and exif.is_adobe_rgb else found.colours
    converted = "CMYK" if mode == "CMYK" else "16-bit" if has_deep_channels(head) else ""
    return _Decoded(turn_upright(picture, exif, found.xmp), found.sides, colours, converted)


def _decode_elsewhere(source: Path, content: Content, kind: str) -> _Decoded:
    declared = read_declared(content)
    if declared.sides is not None:
        _refuse_sides(declared.sides, kind)
    with _turn_for(declared.sides, kind):
        picture, sides, profile = heif.decode_heif(source, kind, declared.sides)
    _refuse_sides(sides, kind)
    return _Decoded(picture, sides, Colours(profile, declared.cicp), kind.upper())


def _refuse_sides(sides: tuple[int, int], kind: str) -> None:
    if refusal := judge_sides(*sides, kind):
        raise _Refused(refusal)


def _turn_for(sides: tuple[int, int] | None, kind: str) -> ExitStack:
    """A picture whose sides are not known may be large."""
    held = ExitStack()
    if sides is None or sides[0] * sides[1] * BYTES_PER_PIXEL[kind] > LARGE_BYTES:
        held.enter_context(_one_large_picture)
    return held


def _decode_jpeg(found: Outline) -> tuple[Image.Image, str]:
    """The picture at the size that is sent, and its mode; raises ValueError when rows are missing.

    A file that lacks its end has all rows when it decodes to the same picture whatever follows: a decoder that is short
    of data would take that for rows.
    """
    if found.is_ended:
        return _draft_jpeg(found.content)
    picture, mode = _draft_jpeg(found.content + _END_OF_JPEG)
    other, _ = _draft_jpeg(found.content + _CHANCE_BITS + _END_OF_JPEG)
    if ImageChops.difference(picture, other).getbbox(alpha_only=False):
        raise ValueError("rows are missing")
    return picture, mode


def _draft_jpeg(content: bytes) -> tuple[Image.Image, str]:
    with Image.open(io.BytesIO(content), formats=["JPEG"]) as image:
        factor = whole_factor(*image.size)
        image.draft(None, (image.width // factor, image.height // factor))
        image.load()
        return shrink_to_sent(image), image.mode


def shrink(picture: Path, limit: int, number: int | None = None) -> bytes:
    """A JPEG of at most `limit` bytes, as large and as good as that allows; FileDamaged. Blocking.

    `number` is drawn into its corner.
    """
    with _open_made(picture) as image:
        flat = flatten(image)
        return encode_jpeg(flat if number is None else draw_number(flat, number), limit)


def check_whole(picture: Path) -> None:
    """FileDamaged unless every row of a PNG, JPEG or WebP of at most MAX_PIXELS can be decoded. Blocking."""
    with _open_made(picture) as image:
        image.load()


@contextmanager
def _open_made(picture: Path) -> Iterator[Image.Image]:
    try:
        with ExitStack() as held:
            image = held.enter_context(Image.open(picture, formats=list(_PILLOW_FORMATS.values())))
            held.enter_context(_turn_for(image.size, "png"))
            yield image
    except FileNotFoundError:
        raise
    except (*_BROKEN, Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise FileDamaged("The picture does not decode whole.") from error
