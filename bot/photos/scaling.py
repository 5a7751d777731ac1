"""From any size to the size that is sent, the cheapest way that keeps the picture good."""

from typing import Final

from PIL import Image

from bot.photos.checks import GOOD_SIDE_PX, SENT_SIDE_PX, sent_size

ENOUGH_PX: Final = 1536
"""A long side from here to SENT_SIDE_PX is sent as it is: halving costs a tenth of resizing to exactly SENT_SIDE_PX."""
_BAND_PIXELS: Final = 1_000_000


def whole_factor(width: int, height: int) -> int:
    """By how much both sides are divided; more than enough may be left of them, but never too little."""
    longer, shorter = max(width, height), min(width, height)
    factor = -(-longer // SENT_SIDE_PX)
    if longer // max(1, factor) < ENOUGH_PX:
        factor -= 1
    return max(1, min(factor, shorter // GOOD_SIDE_PX))


def shrink_to_sent(image: Image.Image) -> Image.Image:
    """Mode L, RGB or CMYK at the size that is sent: never enlarged, transparency laid on white."""
    plain = flatten(image, whole_factor(*image.size))
    if max(plain.size) > SENT_SIDE_PX:
        return plain.resize(sent_size(*plain.size), Image.Resampling.LANCZOS, reducing_gap=2.0)
    return plain


def flatten(image: Image.Image, factor: int = 1) -> Image.Image:
    """Mode L, RGB or CMYK, both sides divided by `factor`.

    Band by band: a whole second copy of a large picture would not fit a small machine.
    """
    if image.mode in {"L", "RGB", "CMYK"} and not image.has_transparency_data:
        return image.reduce(factor) if factor > 1 else image
    small = Image.new("L" if _is_deep_grey(image) else "RGB", (-(-image.width // factor), -(-image.height // factor)))
    rows = max(1, _BAND_PIXELS // (image.width * factor)) * factor
    for top in range(0, image.height, rows):
        band = _plain(image.crop((0, top, image.width, min(top + rows, image.height))))
        small.paste(band.reduce(factor) if factor > 1 else band, (0, top // factor))
    return small


def _is_deep_grey(image: Image.Image) -> bool:
    return image.mode.startswith(("I", "F"))


def _plain(band: Image.Image) -> Image.Image:
    """16-bit grey is scaled (a plain convert clips it to white)."""
    if _is_deep_grey(band):
        return band.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    if band.has_transparency_data:
        opaque, seen = Image.new("RGB", band.size, "white"), band.convert("RGBA")
        opaque.paste(seen, (0, 0), seen)
        return opaque
    return band.convert("RGB")
