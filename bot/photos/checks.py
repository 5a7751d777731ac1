"""The rules for photos: what is refused, what is only advised, and the sentence for each. No disk, no decoding."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from bot.records.dataset import Finding, Verdict
from bot.text import quote

# Apiframe /docs/loras/create: 15-30 JPEG, PNG or WebP files, 10 MB each, 100 MB together. Whether "MB" is 10**6 or
# 2**20 is not documented, so the smaller one.
MIN_PHOTOS: Final = 15
MAX_PHOTOS: Final = 30
MAX_PHOTO_BYTES: Final = 10_000_000
MAX_TOTAL_BYTES: Final = 100_000_000

MAX_INTAKE_BYTES: Final = 25_000_000
"""A file above this is not even downloaded to its end."""
MAX_ZIP_BYTES: Final = MAX_TOTAL_BYTES
"""The same for a ZIP of photos."""
MAX_PIXELS: Final = 60_000_000
MAX_PIXELS_OF: Final = {"png": 32_000_000, "webp": 12_500_000}
"""Lower where nothing can be decoded at a reduced scale: a PNG takes four bytes for each pixel then, a WebP twelve,
because Pillow decodes it as if it were an animation. So either takes about 150 MB at most."""
SENT_SIDE_PX: Final = 2048
"""Long side of the copy that is sent, at most."""
MIN_SIDE_PX: Final = 256
"""Short side of the copy that is sent below this: refused."""
GOOD_SIDE_PX: Final = 512
"""Short side of the copy that is sent below this: advised."""
NEAR_DUPLICATE_BITS: Final = 8

# Measured on the twenty sandbox photos: at least 304 as they are; after a Gaussian blur of radius 2 still 16 to 34,
# of radius 4 only 4 to 8. A blur of radius 2 still trains well, so only what lies clearly below it is named.
BLURRY_BELOW: Final = 14.0
# Mean luminance of the same photos: 59 to 196. At a fifth of their light they lie at 11 to 39.
DARK_BELOW: Final = 42.0
# The brightest of them with two thirds of its contrast washed out to white lies at 235.
BRIGHT_ABOVE: Final = 232.0

MAX_NAME_LENGTH: Final = 40

_HASH_MASK: Final = (1 << 64) - 1


class Code(StrEnum):
    """Why a photo is refused, what could be better about it, or what was done to it."""

    EMPTY = "empty"
    NOT_AN_IMAGE = "not_an_image"
    WRONG_TYPE = "wrong_type"
    """`detail` is a type known to `identify`."""
    ANIMATED = "animated"
    TOO_LARGE = "too_large"
    TOO_MANY_PIXELS = "too_many_pixels"
    """`detail` is how many megapixels it may have."""
    DAMAGED = "damaged"
    TOO_SMALL = "too_small"
    EXACT_DUPLICATE = "exact_duplicate"
    """`detail` is the other photo's name."""
    OVER_LIMIT = "over_limit"
    """One more than can be sent; `detail` is how many can."""
    NO_HEIC = "no_heic"
    """The computer that the bot runs on has no safe way to decode one, nor an AVIF."""
    WAITING = "waiting"
    """Somebody who was named as seen in it has not said yes."""
    ZIP_LOCKED = "zip_locked"
    ZIP_EMPTY = "zip_empty"
    ZIP_FULL = "zip_full"
    """`detail` is how many files it may hold."""
    ZIP_TOO_LARGE = "zip_too_large"
    ZIP_REST = "zip_rest"
    """`detail` is how many of its files found no place."""
    GONE = "gone"
    NOT_FETCHED = "not_fetched"

    SHRUNK = "shrunk"
    NEAR_DUPLICATE = "near_duplicate"
    """`detail` is the other photo's name."""
    BLURRY = "blurry"
    DARK = "dark"
    BRIGHT = "bright"
    SMALL = "small"
    COLOURS = "colours"
    """What the file says of its colours could not be kept to; `detail` says why: HDR or profile."""

    CONVERTED = "converted"
    """`detail` says from what: HEIC, AVIF, CMYK or 16-bit. The photo is still accepted."""


ADVICE: Final = frozenset(
    {Code.SHRUNK, Code.NEAR_DUPLICATE, Code.BLURRY, Code.DARK, Code.BRIGHT, Code.SMALL, Code.COLOURS}
)
NOTES: Final = frozenset({Code.CONVERTED})
REFUSALS: Final = frozenset(Code) - ADVICE - NOTES

ALLOWED_TYPES: Final = frozenset({"jpeg", "png", "webp", "heic", "avif"})

_TYPE_WORDS: Final = {
    "gif": "a GIF",
    "tiff": "a TIFF picture",
    "bmp": "a BMP picture",
    "raw": "a camera's raw file",
    "jxl": "a JPEG XL picture",
    "jp2": "a JPEG 2000 picture",
    "psd": "a Photoshop file",
    "svg": "an SVG drawing",
    "ico": "an icon file",
    "pdf": "a PDF document",
    "mp4": "a video",
    "m4a": "a sound recording",
    "webm": "a video",
    "avi": "a video",
    "zip": "a ZIP archive",
    "rar": "a RAR archive",
    "7z": "a 7z archive",
    "gzip": "a compressed archive",
    "html": "a web page",
}

_COLOUR_WORDS: Final = {"HDR": "it is an HDR photo", "profile": "its colour profile cannot be used"}

_SENTENCES: Final = {
    Code.EMPTY: "The file is empty. Send it again.",
    Code.NOT_AN_IMAGE: "It is not a picture. Send a JPEG, PNG, WebP or HEIC photo instead.",
    Code.WRONG_TYPE: "It is {type}. Send a JPEG, PNG, WebP or HEIC photo instead.",
    Code.ANIMATED: "It is an animation. Send a still picture instead.",
    Code.TOO_LARGE: "It is larger than 25 MB. Send a smaller copy.",
    Code.TOO_MANY_PIXELS: "It has too many pixels. Send a copy of at most {most} megapixels.",
    Code.DAMAGED: "It does not open; part of the file is missing or broken. Send the original again.",
    Code.TOO_SMALL: "It is too small or too narrow; both sides need at least 256 pixels. Send a larger original.",
    Code.EXACT_DUPLICATE: "It is the same file as {name}. Send a different photo.",
    Code.OVER_LIMIT: "Up to {detail} photos can be sent. Remove another one if you want this one in.",
    Code.NO_HEIC: "HEIC and AVIF photos cannot be opened where I run. Send it as a JPEG instead.",
    Code.WAITING: "Somebody who can be seen in it is asked and has not said yes yet.",
    Code.ZIP_LOCKED: "It is a ZIP with a password. Send one without, or the photos themselves.",
    Code.ZIP_EMPTY: "There are no photos in this ZIP. Send one with the photos in it.",
    Code.ZIP_FULL: "This ZIP holds too many files; up to {detail} are possible. Send one with the photos alone.",
    Code.ZIP_TOO_LARGE: "This ZIP is larger than 100 MB. Send it in parts, or the photos themselves.",
    Code.ZIP_REST: "Not everything in this ZIP fits: {detail} left out. Remove some photos if you want others in.",
    Code.GONE: "Discord no longer has this file. Send it again.",
    Code.NOT_FETCHED: "It could not be fetched from Discord just now. Send it again.",
    Code.SHRUNK: "It was over 10 MB, so a smaller copy is used. You need not do anything.",
    Code.NEAR_DUPLICATE: "It looks almost like {name}. A different angle or moment teaches more.",
    Code.BLURRY: "It looks blurry. A sharper photo teaches more.",
    Code.DARK: "It is very dark. A photo in better light teaches more.",
    Code.BRIGHT: "It is very bright and pale. A photo with more contrast teaches more.",
    Code.SMALL: "It is smaller than 512 pixels on one side. A larger original teaches more.",
    Code.COLOURS: "Its colours may be off: {why}. If they are, send an ordinary JPEG.",
    Code.CONVERTED: "It was converted to an ordinary JPEG ({detail}). You need not do anything.",
}


@dataclass(frozen=True, slots=True)
class Measures:
    """What was measured on a photo that decoded.

    `sharpness` is the variance of the Laplacian in the sharpest tile at 1000 px, `brightness` the mean luminance 0-255,
    `width` and `height` the upright original in pixels, `original_size` bytes as received,
    `converted` what it was made from ("HEIC", "AVIF", "CMYK", "16-bit") or empty, `colours` why they may be off ("HDR",
    "profile") or empty.
    """

    sharpness: float
    brightness: float
    width: int
    height: int
    original_size: int
    converted: str = ""
    colours: str = ""


def explain(finding: Finding) -> str:
    """One short sentence for the person who sent the photo, with what to do about it."""
    return _SENTENCES[Code(finding.code)].format(
        type=_TYPE_WORDS.get(finding.detail, "another kind of file"),
        name=quote(display_name(finding.detail)),
        detail=finding.detail,
        most=finding.detail or _megapixels(min(MAX_PIXELS_OF.values())),
        why=_COLOUR_WORDS.get(finding.detail, "they are stored in a rare way"),
    )


def is_waiting(findings: Iterable[Finding]) -> bool:
    """Whether nothing but somebody's yes is missing."""
    return {Code(finding.code) for finding in findings} & REFUSALS == {Code.WAITING}


def verdict_of(findings: Iterable[Finding]) -> Verdict:
    codes = {Code(finding.code) for finding in findings}
    if codes & REFUSALS:
        return Verdict.REFUSED
    return Verdict.ADVISED if codes & ADVICE else Verdict.ACCEPTED


def sent_size(width: int, height: int) -> tuple[int, int]:
    """The sides of the copy that is sent: the same shape, never enlarged."""
    scale = min(1.0, SENT_SIDE_PX / max(width, height, 1))
    return max(1, round(width * scale)), max(1, round(height * scale))


def judge_sides(width: int, height: int, kind: str = "jpeg") -> Finding | None:
    """The refusal, if any, that the sides alone decide; known before anything is decoded."""
    if min(sent_size(width, height)) < MIN_SIDE_PX:
        return Finding(Code.TOO_SMALL)
    most = MAX_PIXELS_OF.get(kind, MAX_PIXELS)
    return Finding(Code.TOO_MANY_PIXELS, _megapixels(most)) if width * height > most else None


def _megapixels(pixels: int) -> str:
    return str(pixels // 1_000_000)


def judge(measures: Measures) -> tuple[Finding, ...]:
    """Everything to say about one decoded photo by itself; a refusal stands alone."""
    if refusal := judge_sides(measures.width, measures.height):
        return (refusal,)
    rules = (
        (measures.original_size > MAX_PHOTO_BYTES, Code.SHRUNK, ""),
        (min(sent_size(measures.width, measures.height)) < GOOD_SIDE_PX, Code.SMALL, ""),
        (measures.sharpness < BLURRY_BELOW, Code.BLURRY, ""),
        (measures.brightness < DARK_BELOW, Code.DARK, ""),
        (measures.brightness > BRIGHT_ABOVE, Code.BRIGHT, ""),
        (bool(measures.colours), Code.COLOURS, measures.colours),
        (bool(measures.converted), Code.CONVERTED, measures.converted),
    )
    return tuple(Finding(code, detail) for applies, code, detail in rules if applies)


def find_duplicates(photos: Sequence[tuple[str, str, int | None]]) -> dict[int, Finding]:
    """Index to finding, for (name, sha256, dhash) in the order the photos came; the later one of a pair is marked."""
    found: dict[int, Finding] = {}
    first_with: dict[str, str] = {}
    hashes: list[tuple[str, int]] = []
    for index, (name, sha256, dhash) in enumerate(photos):
        if sha256 in first_with:
            found[index] = Finding(Code.EXACT_DUPLICATE, first_with[sha256])
            continue
        first_with[sha256] = name
        if dhash is None:
            continue
        twin = next((other for other, seen in hashes if hamming_distance(dhash, seen) <= NEAR_DUPLICATE_BITS), None)
        if twin is not None:
            found[index] = Finding(Code.NEAR_DUPLICATE, twin)
        hashes.append((name, dhash))
    return found


def hamming_distance(left: int, right: int) -> int:
    """Differing bits of two 64-bit hashes, whether stored signed or unsigned."""
    return ((left ^ right) & _HASH_MASK).bit_count()


# Fillers that count as letters and yet show nothing.
_INVISIBLE_LETTERS: Final = frozenset("\u115f\u1160\u3164\uffa0")
_SAFE_PUNCTUATION: Final = frozenset(" ._-+()[]&,'!#=~…")
_MARKS_IN_A_ROW: Final = 2


def display_name(filename: str) -> str:
    """The name of a photo as it is kept and shown: one visible line, no path, at most 40 characters."""
    last_part = re.split(r"[/\\]", unicodedata.normalize("NFC", filename))[-1]
    clean = unicodedata.normalize("NFC", "".join(_visible(last_part))).strip().rstrip(" .")
    stem, dot, suffix = clean.rpartition(".")
    ending = f".{suffix}" if dot and suffix.isalnum() and len(suffix) <= 8 else ""
    stem = clean.removesuffix(ending).strip(" .") or "photo"
    room = MAX_NAME_LENGTH - len(ending)
    return (stem if len(stem) <= room else stem[: room - 1].rstrip() + "…") + ending


def _visible(text: str) -> Iterator[str]:
    """Accents only on letters and digits, and few of them."""
    marks = _MARKS_IN_A_ROW
    for character in text:
        category = unicodedata.category(character)
        if category[0] == "C" or category in {"Zl", "Zp"} or character in _INVISIBLE_LETTERS:
            continue
        marks = marks + 1 if category[0] == "M" else 0 if category[0] in "LN" else _MARKS_IN_A_ROW
        if category == "Zs":
            yield " "
        elif category[0] in "LN" or character in _SAFE_PUNCTUATION:
            yield character
        elif category[0] != "M":
            yield "_"
        elif marks <= _MARKS_IN_A_ROW:
            yield character
