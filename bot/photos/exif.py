"""What matters of what a camera notes: which way up a photo is, and which colours it has."""

import re
import struct
from typing import Final

from PIL import ExifTags, Image

_IN_XMP: Final = re.compile(rb'tiff:Orientation(?:="|>)([1-8])')
_ADOBE_RGB: Final = 2
"""Not in the standard, but several makers write it."""
# What Pillow's reader raises for bytes it does not like.
_UNREADABLE: Final = (
    OSError, SyntaxError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError, EOFError, struct.error
)  # fmt: skip
_UPRIGHT: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def turn_upright(picture: Image.Image, exif: Image.Exif, xmp: bytes) -> Image.Image:
    """As the EXIF says, or else the XMP."""
    orientation = exif.get(ExifTags.Base.Orientation)
    if orientation is None and (found := _IN_XMP.search(xmp)):
        orientation = int(found[1])
    turn = _UPRIGHT.get(orientation) if isinstance(orientation, int) else None
    return picture if turn is None else picture.transpose(turn)


def read_exif(block: bytes) -> Image.Exif:
    """Empty when the block is unreadable: that is no reason to refuse a photo."""
    exif = Image.Exif()
    try:
        exif.load(block)
    except _UNREADABLE:
        return Image.Exif()
    return exif


def says_adobe_rgb(exif: Image.Exif) -> bool:
    """Cameras name it so and embed no profile (Exif 2.3, 4.6.5 with DCF 2.0: colours not calibrated, "R03")."""
    try:
        colour_space = exif.get_ifd(ExifTags.IFD.Exif).get(ExifTags.Base.ColorSpace)
        rule = exif.get_ifd(ExifTags.IFD.Interop).get(1)
    except _UNREADABLE:
        return False
    return colour_space == _ADOBE_RGB or rule == "R03"
