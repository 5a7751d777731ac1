"""What is measured on a prepared photo: sharpness, brightness, detail, and the hash that finds its twins."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from PIL import Image, ImageChops, ImageFilter, ImageStat

MEASURE_SIDE_PX: Final = 1000
NEAR_PX: Final = 1024
TILES: Final = 4
"""Sharpness is taken from the sharpest of TILES x TILES tiles: a soft background does not make a portrait blurry."""
DETAIL_SIDE_PX: Final = 256
"""Detail is looked for with the long side at this size, where grain and the finest texture are gone."""
DETAIL_CELLS: Final = 8
DETAIL_ABOVE: Final = 4
"""Mean distance from the neighbourhood, in grey levels, from which on a cell holds detail. With 4 the twenty sandbox
photos lie between 0.25 and 1.0; a subject before a plain or softly blurred wall at 0.12 to 0.19."""

_LAPLACIAN: Final = ImageFilter.Kernel((3, 3), (0, 1, 0, 1, -4, 1, 0, 1, 0), scale=1, offset=128)


@dataclass(frozen=True, slots=True)
class Measurements:
    """`sharpness` is the variance of the Laplacian in the sharpest tile, `brightness` the mean grey (0 to 255),
    `detail` the share of the frame that holds detail (0 to 1), `dhash` a 64-bit difference hash as a signed integer.
    """

    sharpness: float
    brightness: float
    detail: float
    dhash: int


def measure(picture: Image.Image) -> Measurements:
    grey = picture.convert("L")
    small = _reduce(grey)
    return Measurements(
        _measure_sharpness(small), ImageStat.Stat(small).mean[0], _measure_detail(small), _hash_differences(grey)
    )


def _reduce(grey: Image.Image) -> Image.Image:
    """The long side at MEASURE_SIDE_PX, or a whole half when that comes close enough."""
    if MEASURE_SIDE_PX <= max(grey.size) // 2 <= NEAR_PX:
        return grey.reduce(2)
    small = grey.copy()
    small.thumbnail((MEASURE_SIDE_PX, MEASURE_SIDE_PX), Image.Resampling.BOX)
    return small


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
