"""Draws a yearbook: a page for each member, the contact sheet and reduced copies. Blocking."""

import io
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from PIL import Image, ImageDraw, ImageFilter, ImageOps

from bot.events.yearbook.contents import UNKNOWN_MEMBER, Book, Chapter, Plate, for_page
from bot.lettering import Line, drawable, loses_letters
from bot.photos.jpeg import encode_jpeg

PAGE_PX: Final = (1240, 1640)
PREVIEW_PX: Final = 640
SHEET_PX: Final = 1800

MARGIN: Final = 96
GRID_TOP, GRID_BOTTOM = 330, 1510
GAP: Final = 44
CAPTION_PX: Final = 84
MAT: Final = 14
QUALITY: Final = 85
LINES_MAX: Final = 400
"""Letters of a prompt that are used; two lines hold fewer."""
FORMATS: Final = ("JPEG", "PNG", "WEBP")

_PAPER: Final = "#f6f0e3"
_EDGE: Final = "#d9cdb4"
_INK: Final = "#2e2a24"
_SOFT_INK: Final = "#7d7464"
_ACCENT: Final = "#9a6b35"
_GOLD: Final = "#e0b13a"
_EMPTY: Final = "#d5cfc2"

Box = tuple[int, int, int, int]


def reduced_copy(picture: Path, limit: int) -> bytes:
    """A JPEG of at most `limit` bytes and PREVIEW_PX pixels; a grey one when the picture does not open."""
    return encode_jpeg(_load(picture, (PREVIEW_PX, PREVIEW_PX)), limit, QUALITY)


def draw_page(book: Book, chapter: Chapter, limit: int) -> bytes:
    """A JPEG of at most `limit` bytes with up to six of the chapter's pictures."""
    page = _blank_page()
    plates = for_page(chapter)
    _draw_heading(page, book, chapter)
    for plate, box in zip(plates, cells(len(plates)), strict=True):
        _draw_plate(page, plate, box)
    _draw_footer(page, len(chapter.plates) - len(plates))
    return encode_jpeg(page, limit, QUALITY)


def draw_sheet(book: Book, previews: Mapping[int, bytes], limit: int) -> bytes:
    """A JPEG of at most `limit` bytes with every picture of the book, numbered and credited."""
    columns = sheet_columns(len(previews))
    side = (SHEET_PX - 2 * MARGIN // 2) // columns
    tile, caption = side - max(6, side // 16), max(20, side // 7)
    rows = math.ceil(len(book.plates) / columns)
    page = Image.new("RGB", (columns * side + MARGIN, 250 + rows * (tile + caption + 8)), _PAPER)
    pen = ImageDraw.Draw(page)
    left = MARGIN // 2
    _write(pen, (left, 96), book.title, 64, width=page.width - MARGIN)
    says = f"Darkroom yearbook · {len(previews)} AI-generated pictures"
    _write(pen, (left, 170), says, 26, width=page.width - MARGIN, fill=_SOFT_INK)
    for index, plate in enumerate(book.plates):
        row, column = divmod(index, columns)
        corner = (left + column * side, 220 + row * (tile + caption + 8))
        _draw_tile(page, plate, previews[plate.number], corner, tile, caption)
    return encode_jpeg(page, limit, QUALITY)


def sheet_columns(count: int) -> int:
    return next((columns for columns, most in ((3, 6), (4, 16), (6, 48), (8, 96), (12, 216)) if count <= most), 16)


def cells(count: int) -> tuple[Box, ...]:
    """Where up to six pictures go on a page: left, top, right, bottom. A last one without a neighbour is centred."""
    columns = 1 if count <= 2 else 2
    rows = max(1, math.ceil(count / columns))
    width = (PAGE_PX[0] - 2 * MARGIN - (columns - 1) * GAP) // columns
    height = (GRID_BOTTOM - GRID_TOP - (rows - 1) * GAP) // rows
    found = []
    for index in range(count):
        row, column = divmod(index, columns)
        is_alone = columns == 2 and index == count - 1 and column == 0
        left = (PAGE_PX[0] - width) // 2 if is_alone else MARGIN + column * (width + GAP)
        top = GRID_TOP + row * (height + GAP)
        found.append((left, top, left + width, top + height))
    return tuple(found)


def _draw_heading(page: Image.Image, book: Book, chapter: Chapter) -> None:
    pen = ImageDraw.Draw(page)
    middle, width = PAGE_PX[0] // 2, PAGE_PX[0] - 2 * MARGIN
    _write(pen, (middle, 112), book.title, 32, width=width, fill=_ACCENT, anchor="mm")
    _write(pen, (middle, 194), _drawable_name(chapter.title, chapter.handle), 84, width=width, anchor="mm")
    pen.line((middle - 120, 266, middle - 22, 266), fill=_EDGE, width=3)
    pen.line((middle + 22, 266, middle + 120, 266), fill=_EDGE, width=3)
    pen.polygon(((middle, 256), (middle + 10, 266), (middle, 276), (middle - 10, 266)), fill=_ACCENT)


def _draw_footer(page: Image.Image, more: int) -> None:
    pen = ImageDraw.Draw(page)
    says = "Darkroom yearbook · AI-generated pictures"
    if more:
        says += f" · {more} more in index.html"
    _write(pen, (PAGE_PX[0] // 2, 1562), says, 22, width=PAGE_PX[0], fill=_SOFT_INK, anchor="mm")


def _blank_page() -> Image.Image:
    page = Image.new("RGB", PAGE_PX, _PAPER)
    pen = ImageDraw.Draw(page)
    width, height = PAGE_PX
    pen.rectangle((36, 36, width - 37, height - 37), outline=_EDGE, width=3)
    pen.rectangle((46, 46, width - 47, height - 47), outline=_EDGE, width=1)
    return page


def _draw_plate(page: Image.Image, plate: Plate, box: Box) -> None:
    """The picture on a white mat with its shadow, in the middle of the box; below it number and prompt."""
    left, top, right, bottom = box
    room = (right - left - 2 * MAT, bottom - top - 2 * MAT - CAPTION_PX)
    picture = _load(plate.path, room)
    width, height = picture.width + 2 * MAT, picture.height + 2 * MAT
    x = left + (right - left - width) // 2
    y = top + (bottom - top - CAPTION_PX - height) // 2
    _draw_shadow(page, (x, y, x + width, y + height))
    pen = ImageDraw.Draw(page)
    pen.rectangle((x, y, x + width - 1, y + height - 1), fill="white", outline=_EDGE)
    page.paste(picture, (x + MAT, y + MAT))
    if plate.honour:
        _draw_rosette(pen, (x + width - 20, y + 20), 38, str(plate.place))
    middle, line_top = (left + right) // 2, y + height + 26
    heading = f"No. {plate.number}" + (f" · {plate.honour}" if plate.honour else "")
    _write(pen, (middle, line_top), heading, 22, width=right - left, fill=_ACCENT, anchor="mm")
    for index, line in enumerate(_lines(plate.prompt, 20, right - left, most=2)):
        _write(pen, (middle, line_top + 28 + 24 * index), line, 20, width=right - left, fill=_SOFT_INK, anchor="mm")


def _draw_tile(
    page: Image.Image, plate: Plate, preview: bytes, corner: tuple[int, int], tile: int, caption: int
) -> None:
    left, top = corner
    with Image.open(io.BytesIO(preview), formats=["JPEG"]) as image:
        page.paste(ImageOps.fit(image.convert("RGB"), (tile, tile), Image.Resampling.LANCZOS), corner)
    pen = ImageDraw.Draw(page)
    if plate.honour:
        pen.rectangle((left, top, left + tile - 1, top + tile - 1), outline=_GOLD, width=max(3, tile // 50))
        _draw_rosette(pen, (left + tile - tile // 8, top + tile // 8), max(12, tile // 10), str(plate.place))
    size = max(12, caption * 5 // 9)
    number = str(plate.number)
    _write(pen, (left, top + tile + caption // 2), number, size, width=tile, fill=_ACCENT, anchor="lm")
    indent = round(Line(number + "0", size).length)
    where = (left + indent, top + tile + caption // 2)
    _write(pen, where, _drawable_name(plate.maker, plate.handle), size, width=tile - indent, anchor="lm")


def _draw_shadow(page: Image.Image, box: Box) -> None:
    """Draw a shadow below and around a mat; only this part of the page is changed."""
    spread = 24
    left, top, right, bottom = box
    around = (left - spread, top - spread + 8, right + spread, bottom + spread + 8)
    mask = Image.new("L", (around[2] - around[0], around[3] - around[1]), 0)
    ImageDraw.Draw(mask).rectangle((spread, spread, mask.width - spread, mask.height - spread), fill=90)
    shade = Image.new("RGB", mask.size, "#6b5a3c")
    page.paste(shade, around[:2], mask.filter(ImageFilter.GaussianBlur(10)))


def _draw_rosette(pen: ImageDraw.ImageDraw, centre: tuple[int, int], radius: int, says: str) -> None:
    x, y = centre
    points = []
    for step in range(32):
        reach, angle = radius if step % 2 else radius * 0.86, step * math.pi / 16
        points.append((x + reach * math.cos(angle), y + reach * math.sin(angle)))
    pen.polygon(points, fill=_GOLD)
    inner = round(radius * 0.68)
    pen.ellipse((x - inner, y - inner, x + inner, y + inner), fill=_PAPER)
    _write(pen, (x, y), says, round(radius * 0.95), width=2 * radius, fill=_INK, anchor="mm")


def _load(picture: Path, room: tuple[int, int]) -> Image.Image:
    """The picture in the size of the room, on white where it is transparent; grey when it cannot be opened."""
    try:
        with Image.open(picture, formats=FORMATS) as image:
            image.draft("RGB", (room[0] * 2, room[1] * 2))
            small = ImageOps.contain(image.convert("RGBA" if image.has_transparency_data else "RGB"), room)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError, Image.DecompressionBombWarning):
        return Image.new("RGB", (min(room), min(room)), _EMPTY)
    flat = Image.new("RGB", small.size, "white")
    flat.paste(small, mask=small if small.mode == "RGBA" else None)
    return flat


def _drawable_name(name: str, handle: str) -> str:
    """The name, or by what else its member is known where its letters cannot be drawn."""
    if handle and loses_letters(name):
        return f"@{handle}"
    return name if drawable(name) else UNKNOWN_MEMBER


def _write(
    pen: ImageDraw.ImageDraw,
    at: tuple[int, int],
    text: str,
    size: int,
    *,
    width: int,
    fill: str = _INK,
    anchor: str = "ls",
) -> None:
    """Write one line of at most `width` pixels; a longer text ends in three dots."""
    Line(text, size, width).draw(pen, at, fill=fill, anchor=anchor)


def _lines(text: str, size: int, width: int, *, most: int) -> Sequence[str]:
    """The text broken between words; the last line holds all the rest."""
    lines: list[str] = []
    for word in drawable(text[:LINES_MAX]).split():
        if lines and (len(lines) == most or Line(f"{lines[-1]} {word}", size).length <= width):
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines
