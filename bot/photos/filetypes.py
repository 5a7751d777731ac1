"""What a file is by its first bytes, never by its name. No disk, no decoding."""

import re
from typing import Final, Literal

_MAGICS: Final = (
    (b"\xff\xd8\xff", "jpeg"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"FUJIFILMCCD-RAW", "raw"),  # RAF
    (b"IIU\x00", "raw"),  # RW2
    (b"IIRO", "raw"),  # ORF, in three spellings
    (b"IIRS", "raw"),
    (b"MMOR", "raw"),
    (b"IIII", "raw"),  # IIQ
    (b"II\x1a\x00\x00\x00HEAPCCDR", "raw"),  # CRW
    (b"FOVb", "raw"),  # X3F
    (b"\x00MRM", "raw"),
    (b"II*\x00", "tiff"),
    (b"MM\x00*", "tiff"),
    (b"II+\x00", "tiff"),
    (b"MM\x00+", "tiff"),
    (b"BM", "bmp"),
    (b"\xff\x0a", "jxl"),
    (b"\x00\x00\x00\x0cJXL \r\n\x87\n", "jxl"),
    (b"\x00\x00\x00\x0cjP  \r\n\x87\n", "jp2"),
    (b"8BPS", "psd"),
    (b"\x00\x00\x01\x00", "ico"),
    (b"%PDF-", "pdf"),
    (b"\x1aE\xdf\xa3", "webm"),
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),
    (b"Rar!\x1a\x07", "rar"),
    (b"7z\xbc\xaf'\x1c", "7z"),
    (b"\x1f\x8b", "gzip"),
)
_RIFF_FORMS: Final = {b"WEBP": "webp", b"AVI ": "avi"}
_HEIF_BRANDS: Final = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"})
_AVIF_BRANDS: Final = frozenset({b"avif", b"avis"})
_SEQUENCE_BRAND: Final = b"avis"
_OTHER_BRANDS: Final = {b"crx ": "raw", b"M4A ": "m4a", b"M4B ": "m4a"}
# Tags of TIFF 6.0, TIFF/EP and DNG.
_MAKE, _COMPRESSION, _SUB_IFDS, _DNG_VERSION = 0x010F, 0x0103, 0x014A, 0xC612
_RAW_COMPRESSIONS: Final = frozenset({32767, 32769, 32770, 34713, 34892, 65535})
"""ARW, NEF and SRW packed, NEF, DNG, PEF."""
_HTML_START: Final = re.compile(rb"\s*<(!doctype\s+html|html|head|body|script)\b", re.IGNORECASE)


def identify(head: bytes) -> str | None:
    """The type of a file by its first bytes (64 are enough for pictures), never by its name; None when unknown."""
    for magic, kind in _MAGICS:
        if head.startswith(magic):
            return "raw" if kind == "tiff" and _is_raw_tiff(head) else kind
    if head[:4] == b"RIFF":
        return _RIFF_FORMS.get(head[8:12])
    if head[4:8] == b"ftyp":
        return _identify_by_brands(head)
    text = head[:1024].removeprefix(b"\xef\xbb\xbf")
    if _HTML_START.match(text):
        return "html"
    return "svg" if text.lstrip()[:1] == b"<" and b"<svg" in text else None


def _identify_by_brands(head: bytes) -> str:
    """ISO base media files share one magic; the major brand, then the compatible ones, tell them apart."""
    box_end = min(int.from_bytes(head[:4], "big"), len(head))
    compatible = {head[at : at + 4] for at in range(16, box_end - 3, 4)}
    major = head[8:12]
    if major in _AVIF_BRANDS or (major in {b"mif1", b"msf1"} and compatible & _AVIF_BRANDS):
        return "avif"
    if major in _HEIF_BRANDS or major in {b"mif1", b"msf1"}:
        return "heic"
    return _OTHER_BRANDS.get(major, "mp4")


def _is_raw_tiff(head: bytes) -> bool:
    """Raw files of most makers are TIFFs with a thumbnail in front: DNG, NEF, ARW, CR2, PEF, SRW."""
    order: Literal["little", "big"] = "little" if head[:2] == b"II" else "big"
    at = int.from_bytes(head[4:8], order)
    end = at + 2 + 12 * int.from_bytes(head[at : at + 2], order)
    tags = {
        int.from_bytes(head[entry : entry + 2], order): int.from_bytes(head[entry + 8 : entry + 10], order)
        for entry in range(at + 2, min(end, len(head) - 11), 12)
    }
    is_camera = _MAKE in tags and (_SUB_IFDS in tags or tags.get(_COMPRESSION) in _RAW_COMPRESSIONS)
    return _DNG_VERSION in tags or is_camera or head[8:10] == b"CR"


def read_dimensions(head: bytes) -> tuple[int, int] | None:
    """Width and height from the first 30 bytes of a PNG or WebP; None for any other type or a broken start."""
    if head[:8] == b"\x89PNG\r\n\x1a\n" and head[12:16] == b"IHDR" and len(head) >= 24:
        return int.from_bytes(head[16:20], "big"), int.from_bytes(head[20:24], "big")
    if head[:4] != b"RIFF" or head[8:12] != b"WEBP" or len(head) < 30:
        return None
    if head[12:16] == b"VP8X":
        return int.from_bytes(head[24:27], "little") + 1, int.from_bytes(head[27:30], "little") + 1
    if head[12:16] == b"VP8L":
        bits = int.from_bytes(head[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    return int.from_bytes(head[26:28], "little") & 0x3FFF, int.from_bytes(head[28:30], "little") & 0x3FFF


def has_deep_channels(head: bytes) -> bool:
    """A PNG with 16 bits per channel."""
    return head[:8] == b"\x89PNG\r\n\x1a\n" and head[24:25] == b"\x10"


def is_animation(head: bytes) -> bool:
    """An AVIF that calls itself a sequence, or a GIF with what every looping one carries before its first frame."""
    if head.startswith(b"GIF8"):
        return b"NETSCAPE2.0" in head or b"ANIMEXTS1.0" in head
    return head[4:12] == b"ftyp" + _SEQUENCE_BRAND
