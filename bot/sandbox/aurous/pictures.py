"""The rehearsal Aurous Labs' pictures, which show the style, character and references that they were made from."""

import secrets
import zlib
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from bot.sandbox.aurous.records import RehearsalImage, RehearsalStyle, StoredReference
from bot.sandbox.rehearsal import painting
from bot.sandbox.samples.photos import PLACES

PREVIEW_SIZE_PX = (512, 512)
POSE_SIZE_PX = (768, 1024)
DRAWING_EDGE_PX = 1344
"""Pictures are composed at most this large and then enlarged."""
STYLE_STRENGTH = 0.45
PLAIN = "Plain"


def write_image(image: RehearsalImage, position: int, path: Path, side_cap_px: int | None) -> None:
    """Paint one picture of an order into `path`, unless it is there."""
    if path.exists():
        return
    for source in image.sources:
        write_reference(source)
    style = image.styles[0] if image.styles else None
    sources = [source.path for source in image.sources] or [_place(image.seed + position)]
    size = painting.shrink((image.order.width, image.order.height), side_cap_px)
    picture = painting.compose(
        sources,
        painting.shrink(size, DRAWING_EDGE_PX),
        prompt=image.order.prompt,
        seed=image.seed,
        position=position,
        mood=style.mood if style else None,
    )
    if style:
        picture = painting.tint(picture, style.mood, STYLE_STRENGTH)
    _write_band(picture, _label(image))
    _write(picture.resize(size, Image.Resampling.BICUBIC), path)


def write_preview(style: RehearsalStyle, path: Path) -> None:
    """A square that shows what a style looks like, unless it is there."""
    if path.exists():
        return
    place = _place(style.place)
    picture = painting.compose([place], PREVIEW_SIZE_PX, prompt=style.name, seed=1, position=0, mood=style.mood)
    picture = painting.tint(picture, style.mood, STYLE_STRENGTH)
    _write_band(picture, style.name)
    _write(picture, path)


def write_reference(reference: StoredReference) -> None:
    """Paint a pose that was described in words, unless it is there."""
    if reference.path.exists():
        return
    place = _place(zlib.crc32(reference.recipe.encode()))
    picture = painting.compose([place], POSE_SIZE_PX, prompt=reference.recipe, seed=1, position=0)
    _write_band(picture, reference.pose.capitalize())
    _write(picture, reference.path)


def _label(image: RehearsalImage) -> str:
    parts = [" + ".join(style.name for style in image.styles) or PLAIN]
    if image.character:
        parts.append(image.character_name)
    elif image.sources:
        parts.append(f"{len(image.sources)} reference{'s' if len(image.sources) > 1 else ''}")
    return " · ".join(parts)


def _place(number: int) -> Path:
    """A landscape, for an order without a photo."""
    return PLACES[number % len(PLACES)]


def _write_band(picture: Image.Image, text: str) -> None:
    """A line of text on a dark band at the lower edge."""
    width, height = picture.size
    font = ImageFont.load_default(size=max(12, min(width // 26, height // 18)))
    pen = ImageDraw.Draw(picture)
    left, top, right, bottom = pen.textbbox((0, 0), text, font=font)
    pad = max(6, height // 80)
    pen.rectangle((0, height - (bottom - top) - 3 * pad, width, height), fill=(18, 18, 22))
    pen.text(((width - (right - left)) / 2 - left, height - (bottom - top) - 1.5 * pad - top), text, "white", font)


def _write(picture: Image.Image, path: Path) -> None:
    """The file appears with its whole content at once: several threads may write the same one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
    unfinished.write_bytes(painting.encode(picture, path.suffix[1:]))
    unfinished.replace(path)
