"""Contact sheets: numbered thumbnails with a mark for each verdict, readable without colour."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from PIL import Image, ImageDraw, ImageFont, ImageOps

from bot.photos.jpeg import encode_jpeg
from bot.records.dataset import Verdict

MAX_COLUMNS: Final = 6
TILE_PX: Final = 250
GAP_PX: Final = 12
CAPTION_PX: Final = 44
MAX_SHEET_BYTES: Final = 1_000_000

_PAPER: Final = "#f4f1ea"
_INK: Final = "#2b2b2b"
_EMPTY_TILE: Final = "#c9c5bd"
_MARK_COLOURS: Final = {Verdict.ACCEPTED: "#2e7d4f", Verdict.ADVISED: "#b26a00", Verdict.REFUSED: "#b3261e"}
_WAITING_COLOUR: Final = "#5c5c5c"


@dataclass(frozen=True, slots=True)
class SheetEntry:
    """`path` is a prepared JPEG, None when there is no picture to show."""

    number: int
    path: Path | None
    verdict: Verdict
    is_waiting: bool = False
    """It is refused only until somebody who is seen in it has said yes."""


def contact_sheet(entries: Sequence[SheetEntry]) -> bytes:
    """A JPEG at most 1,600 px wide and below 1 MB. Blocking; `PhotoPool.sheet` runs it in a thread."""
    columns = max(1, min(MAX_COLUMNS, len(entries)))
    rows = max(1, -(-len(entries) // columns))
    step_x, step_y = TILE_PX + GAP_PX, TILE_PX + CAPTION_PX + GAP_PX
    page = Image.new("RGB", (columns * step_x + GAP_PX, rows * step_y + GAP_PX), _PAPER)
    for index, entry in enumerate(entries):
        row, column = divmod(index, columns)
        _draw_tile(page, entry, GAP_PX + column * step_x, GAP_PX + row * step_y)
    return encode_jpeg(page, MAX_SHEET_BYTES - 1, best=85)


def _draw_tile(page: Image.Image, entry: SheetEntry, left: int, top: int) -> None:
    tile = _load_thumbnail(entry.path)
    if entry.verdict is Verdict.REFUSED:
        tile = Image.blend(tile, Image.new("RGB", tile.size, _EMPTY_TILE), 0.6)
    page.paste(tile, (left, top))
    pen = ImageDraw.Draw(page)
    if entry.path is None:
        pen.line((left + 70, top + 70, left + 180, top + 180), fill=_PAPER, width=14)
        pen.line((left + 180, top + 70, left + 70, top + 180), fill=_PAPER, width=14)
    caption_middle = top + TILE_PX + CAPTION_PX // 2 + 2
    _draw_mark(pen, entry, left + 22, caption_middle)
    font = ImageFont.load_default(30)
    pen.text((left + 52, caption_middle), str(entry.number), fill=_INK, font=font, anchor="lm")


def _load_thumbnail(path: Path | None) -> Image.Image:
    """A grey tile when there is no picture, or none any more."""
    size = (TILE_PX, TILE_PX)
    if path is not None:
        try:
            with Image.open(path, formats=["JPEG"]) as image:
                image.draft("RGB", size)
                return ImageOps.fit(image.convert("RGB"), size, Image.Resampling.LANCZOS)
        except OSError:
            return Image.new("RGB", size, _EMPTY_TILE)
    return Image.new("RGB", size, _EMPTY_TILE)


def _draw_mark(pen: ImageDraw.ImageDraw, entry: SheetEntry, x: int, y: int) -> None:
    """A tick or three dots in a disc, an exclamation mark in a triangle, a cross in a square, centred on (x, y)."""
    verdict, colour = entry.verdict, _MARK_COLOURS[entry.verdict]
    if entry.is_waiting:
        pen.ellipse((x - 18, y - 18, x + 18, y + 18), fill=_WAITING_COLOUR)
        for dot in (x - 9, x, x + 9):
            pen.ellipse((dot - 3, y - 3, dot + 3, y + 3), fill="white")
    elif verdict is Verdict.ACCEPTED:
        pen.ellipse((x - 18, y - 18, x + 18, y + 18), fill=colour)
        pen.line(((x - 9, y), (x - 2, y + 8), (x + 10, y - 8)), fill="white", width=5, joint="curve")
    elif verdict is Verdict.ADVISED:
        pen.polygon(((x, y - 20), (x + 21, y + 17), (x - 21, y + 17)), fill=colour)
        pen.line(((x, y - 9), (x, y + 5)), fill="white", width=5)
        pen.ellipse((x - 3, y + 9, x + 3, y + 15), fill="white")
    else:
        pen.rounded_rectangle((x - 17, y - 17, x + 17, y + 17), radius=5, fill=colour)
        pen.line(((x - 8, y - 8), (x + 8, y + 8)), fill="white", width=5)
        pen.line(((x + 8, y - 8), (x - 8, y + 8)), fill="white", width=5)
