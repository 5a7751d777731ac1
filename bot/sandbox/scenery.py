"""Scenery of the sample photos: twenty places with the light, and where the little fox is in them."""

import math
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from PIL import Image, ImageDraw, ImageFilter

Paint = Callable[[Image.Image, random.Random], None]
Colour = str

WIDE: Final = (1280, 960)
TALL: Final = (1200, 1500)


# The vocabulary of SCENES: each word returns what paints it. Lengths are parts of the page unless they say otherwise.


def hills(colour: Colour, top: float, swing: float, waves: float) -> Paint:
    def paint(page: Image.Image, rng: random.Random) -> None:
        width, height = page.size
        phase = rng.uniform(0, math.tau)
        ridge = [
            (x, height * (top + swing * math.sin(phase + waves * math.tau * x / width) * math.cos(x / width * 3)))
            for x in range(0, width + 40, 40)
        ]
        ImageDraw.Draw(page).polygon([(0, height), *ridge, (width + 40, height)], fill=colour)

    return paint


def dots(
    colours: tuple[Colour, ...],
    count: int,
    radius: tuple[float, float],
    band: tuple[float, float] = (0, 1),
    blur: float = 0,
) -> Paint:
    """Discs of `radius` (thousandths of the width) between the heights `band`; blurred they are lights out of focus."""

    def paint(page: Image.Image, rng: random.Random) -> None:
        width, height = page.size
        layer = page.copy()
        pen = ImageDraw.Draw(layer)
        for _ in range(count):
            x, y = rng.uniform(0, width), rng.uniform(band[0], band[1]) * height
            r = rng.uniform(*radius) * width / 1000
            pen.ellipse((x - r, y - r, x + r, y + r), fill=rng.choice(colours))
        page.paste(layer.filter(ImageFilter.BoxBlur(blur)) if blur else layer)

    return paint


def trees(leaf: Colour, base: float, count: int, snowy: bool) -> Paint:
    def paint(page: Image.Image, rng: random.Random) -> None:
        width, height = page.size
        pen = ImageDraw.Draw(page)
        for index in range(count):
            x = width * (index + rng.uniform(0.1, 0.9)) / count
            foot, tall = height * (base + rng.uniform(-0.03, 0.03)), height * rng.uniform(0.22, 0.42)
            pen.rectangle((x - 12, foot - tall * 0.2, x + 12, foot), fill="#5b4033")
            for tier in range(3):
                reach, low = tall * (0.26 - 0.06 * tier), foot - tall * (0.14 + 0.26 * tier)
                peak, snow_line = low - tall * 0.38, low - tall * 0.25
                pen.polygon(((x - reach, low), (x + reach, low), (x, peak)), fill=leaf)
                if snowy:
                    pen.polygon(((x - reach / 3, snow_line), (x + reach / 3, snow_line), (x, peak)), fill="#f5f8fb")

    return paint


def towers(wall: Colour, window: Colour, base: float) -> Paint:
    def paint(page: Image.Image, rng: random.Random) -> None:
        width, height = page.size
        pen = ImageDraw.Draw(page)
        left = -20.0
        while left < width:
            wide, top = rng.uniform(0.09, 0.16) * width, height * rng.uniform(0.12, base - 0.25)
            pen.rectangle((left, top, left + wide, height * base), fill=wall)
            for y in range(int(top) + 40, int(height * base) - 50, 74):
                for x in range(int(left) + 30, int(left + wide) - 44, 66):
                    if rng.random() < 0.6:
                        pen.rectangle((x, y, x + 28, y + 40), fill=window)
            left += wide + rng.uniform(6, 26)

    return paint


def shelves(wood: Colour, spines: tuple[Colour, ...], base: float) -> Paint:
    def paint(page: Image.Image, rng: random.Random) -> None:
        width, height = page.size
        pen = ImageDraw.Draw(page)
        for row in range(3):
            floor = height * base * (row + 1) / 3
            x = rng.uniform(0, 40)
            while x < width:
                wide, tall = rng.uniform(34, 84), height * base * rng.uniform(0.19, 0.28)
                pen.rectangle((x, floor - tall, x + wide, floor), fill=rng.choice(spines))
                pen.line(
                    (x + wide * 0.3, floor - tall * 0.8, x + wide * 0.7, floor - tall * 0.8), fill="#f0e6d2", width=8
                )
                x += wide + (rng.uniform(50, 160) if rng.random() < 0.12 else 5)
            pen.rectangle((0, floor, width, floor + 30), fill=wood)

    return paint


def grid(colour: Colour, top: float, across: int, checked: bool) -> Paint:
    """A tiled wall or floor from the height `top` down: every other tile, or only the joints."""

    def paint(page: Image.Image, _rng: random.Random) -> None:
        width, height = page.size
        pen = ImageDraw.Draw(page)
        side = width / across
        for row in range(int(height * (1 - top) / side) + 2):
            for column in range(across):
                box = (column * side, height * top + row * side, (column + 1) * side, height * top + (row + 1) * side)
                if checked and (row + column) % 2:
                    pen.rectangle(box, fill=colour)
                elif not checked:
                    pen.rectangle(box, outline=colour, width=7)

    return paint


def planks(colour: Colour, seam: Colour, top: float, count: int) -> Paint:
    def paint(page: Image.Image, rng: random.Random) -> None:
        width, height = page.size
        pen = ImageDraw.Draw(page)
        pen.rectangle((0, height * top, width, height), fill=colour)
        for index in range(count + 1):
            y = height * (top + (1 - top) * (index / count) ** 1.4)
            pen.line((0, y, width, y), fill=seam, width=5)
            for _ in range(8):
                x = rng.uniform(0, width)
                pen.line((x, y + 14, x + rng.uniform(60, 300), y + 14 + rng.uniform(-4, 4)), fill=seam, width=2)

    return paint


def waves(colours: tuple[Colour, ...], top: float, bottom: float) -> Paint:
    def paint(page: Image.Image, rng: random.Random) -> None:
        for index in range(7):
            level = top + (bottom - top) * index / 7
            hills(colours[index % len(colours)], level, 0.006 + 0.002 * index, 5 + index)(page, rng)

    return paint


def rays(colour: Colour, x: float, y: float, count: int) -> Paint:
    def paint(page: Image.Image, _rng: random.Random) -> None:
        width, height = page.size
        pen = ImageDraw.Draw(page)
        reach = width + height
        for index in range(count):
            points = [
                (width * x + reach * math.cos(angle), height * y + reach * math.sin(angle))
                for angle in (math.tau * index / count, math.tau * (index + 0.5) / count)
            ]
            pen.polygon([(width * x, height * y), *points], fill=colour)

    return paint


def disc(colour: Colour, x: float, y: float, radius: float) -> Paint:
    def paint(page: Image.Image, _rng: random.Random) -> None:
        width, height = page.size
        r = radius * width
        ImageDraw.Draw(page).ellipse((width * x - r, height * y - r, width * x + r, height * y + r), fill=colour)

    return paint


def window(glass: Colour, frame: Colour, x: float, y: float) -> Paint:
    def paint(page: Image.Image, rng: random.Random) -> None:
        width, height = page.size
        pen = ImageDraw.Draw(page)
        left, top, wide, tall = width * x, height * y, width * 0.42, height * 0.5
        pen.rectangle((left, top, left + wide, top + tall), fill=glass, outline=frame, width=36)
        for _ in range(70):
            drop_x, drop_y = left + rng.uniform(0.1, 0.9) * wide, top + rng.uniform(0.08, 0.85) * tall
            pen.line((drop_x, drop_y, drop_x - 6, drop_y + rng.uniform(10, 40)), fill="#ffffff", width=4)
        pen.line((left + wide / 2, top, left + wide / 2, top + tall), fill=frame, width=22)
        pen.line((left, top + tall / 2, left + wide, top + tall / 2), fill=frame, width=22)

    return paint


@dataclass(frozen=True, slots=True)
class Fox:
    """`x`, `y` are its middle and `scale` its height, as parts of the page; `tilt` in degrees."""

    x: float
    y: float
    scale: float
    tilt: float = 0
    pose: str = "sit"
    scarf: Colour = "#1f8a8a"
    mirrored: bool = False


@dataclass(frozen=True, slots=True)
class Scene:
    """`sky` is a gradient from top to bottom, `light` the colour everything is multiplied with, `size` in pixels."""

    sky: tuple[Colour, Colour]
    paints: tuple[Paint, ...]
    fox: Fox
    light: Colour = "#ffffff"
    size: tuple[int, int] = WIDE


_GREENS: Final = ("#5f9e4a", "#7bb85c", "#4b8b3b")
_PETALS: Final = ("#ffffff", "#ffd54f", "#f48fb1", "#b39ddb")
_AUTUMN: Final = ("#d9772b", "#c4451c", "#e8b23a", "#8f3b1b")
_SPINES: Final = ("#8c2f39", "#2f5d8c", "#3c6e47", "#c08a2e", "#5c4a72", "#d8c9a8")
_CITY_LIGHTS: Final = ("#ffcc66", "#ff8a65", "#80deea", "#fff59d")

SCENES: Final = (
    Scene(
        ("#8ecdf5", "#e6f6ff"),
        (
            disc("#fff3b0", 0.82, 0.17, 0.07),
            hills("#9ccf7a", 0.55, 0.08, 1.2),
            hills("#6fae4e", 0.7, 0.03, 2),
            dots(_PETALS, 260, (3, 8), (0.72, 1)),
        ),
        Fox(0.38, 0.62, 0.62),
    ),
    Scene(
        ("#fbb16e", "#fde3b5"),
        (
            disc("#fff1cf", 0.3, 0.42, 0.1),
            waves(("#3a7ca5", "#4f97bd", "#2f6690"), 0.5, 0.75),
            hills("#e9cf9d", 0.8, 0.02, 1),
        ),
        Fox(0.68, 0.6, 0.66, tilt=-6, pose="wave"),
        light="#ffe6cc",
    ),
    Scene(
        ("#1c2340", "#4a3b6b"),
        (
            dots(("#ffffff",), 120, (0.8, 2.4), (0, 0.4)),
            towers("#2a2f55", "#ffd27a", 0.85),
            planks("#5a5470", "#48435c", 0.8, 5),
        ),
        Fox(0.3, 0.63, 0.58, tilt=4, scarf="#e0a526"),
        light="#d9d2ff",
    ),
    Scene(
        ("#f7efe2", "#e4d3b8"),
        (shelves("#7a5336", _SPINES, 0.72), planks("#a87c53", "#8c6542", 0.76, 4)),
        Fox(0.55, 0.6, 0.72, scarf="#8c2f39"),
        light="#fff2dd",
        size=TALL,
    ),
    Scene(
        ("#cfe4f3", "#ffffff"),
        (trees("#4f7f6b", 0.66, 6, snowy=True), hills("#e8f1f8", 0.68, 0.03, 1.4), dots(("#ffffff",), 240, (2, 6))),
        Fox(0.62, 0.64, 0.56, tilt=8, pose="jump", scarf="#c62f3d"),
        light="#eef5ff",
    ),
    Scene(
        ("#31583f", "#a5c48a"),
        (
            trees("#274c36", 0.6, 8, snowy=False),
            trees("#3a6b45", 0.74, 5, snowy=False),
            hills("#56773d", 0.74, 0.03, 1),
            dots(("#e9f3a8", "#d2e27f"), 60, (3, 9), (0.05, 0.6), blur=6),
        ),
        Fox(0.5, 0.6, 0.74, scarf="#e07a2f", mirrored=True),
        light="#f2ffe0",
        size=TALL,
    ),
    Scene(
        ("#f6d9d5", "#f3efe6"),
        (
            grid("#e5c1bb", 0, 10, checked=False),
            planks("#f2e4cf", "#d8c4a4", 0.74, 3),
            disc("#f4a340", 0.82, 0.76, 0.055),
            disc("#d94f3d", 0.9, 0.8, 0.05),
        ),
        Fox(0.36, 0.58, 0.8),
    ),
    Scene(
        ("#f09a4a", "#f8d79a"),
        (
            dots(_AUTUMN, 160, (18, 46), (0, 0.6), blur=14),
            hills("#9c6a35", 0.7, 0.02, 1.5),
            dots(_AUTUMN, 320, (5, 13), (0.7, 1)),
        ),
        Fox(0.64, 0.6, 0.7, tilt=-10, pose="wave", scarf="#2f5d8c"),
        light="#fff0d6",
    ),
    Scene(
        ("#8fb0c4", "#c9d6dc"),
        (window("#7fa3b8", "#f4efe6", 0.5, 0.06), planks("#7d5a43", "#664733", 0.72, 4)),
        Fox(0.28, 0.62, 0.72, pose="sleep", scarf="#c08a2e"),
        light="#e6eef5",
    ),
    Scene(
        ("#2b8fb3", "#0d4f75"),
        (
            rays("#3aa0c2", 0.6, -0.1, 22),
            dots(("#bfeaf5", "#8fd3e8"), 70, (4, 16)),
            dots(("#ff8a65", "#ffd54f", "#f06292"), 26, (14, 34), (0.82, 1)),
            hills("#d9c48c", 0.9, 0.02, 2),
        ),
        Fox(0.56, 0.5, 0.62, tilt=24, pose="jump", scarf="#f06292"),
        light="#cdeeff",
    ),
    Scene(
        ("#fff4d6", "#ffd9e6"),
        (rays("#ffe3a8", 0.5, 0.55, 18), dots(("#ef5da8", "#5dadec", "#ffd54f", "#6fcf97"), 130, (4, 11))),
        Fox(0.5, 0.56, 0.86, pose="wave", scarf="#5c4a9c"),
        size=TALL,
    ),
    Scene(
        ("#e9b872", "#f6dfae"),
        (hills("#d99a52", 0.52, 0.1, 0.8), hills("#c9813d", 0.68, 0.07, 1.1), hills("#e3b06a", 0.82, 0.02, 1.8)),
        Fox(0.22, 0.66, 0.44, scarf="#3c6e47"),
        light="#fff0cf",
    ),
    Scene(
        ("#e3edf7", "#b9cfe4"),
        (
            hills("#8fa9c4", 0.38, 0.16, 1.7),
            hills("#6f8eaa", 0.5, 0.12, 1.3),
            hills("#6c9a62", 0.72, 0.04, 1.1),
            dots(("#f1f1f1", "#8a8f94"), 34, (5, 17), (0.76, 1)),
        ),
        Fox(0.76, 0.62, 0.5, tilt=-4, scarf="#c62f3d", mirrored=True),
        light="#f2f7ff",
    ),
    Scene(
        ("#d8ecc9", "#bfe0a8"),
        (
            dots(_GREENS, 120, (16, 40), (0, 0.6), blur=18),
            hills("#7fb35f", 0.55, 0.02, 1),
            grid("#d64550", 0.74, 12, checked=True),
        ),
        Fox(0.62, 0.58, 0.78, scarf="#f2c230"),
        light="#fffbe8",
    ),
    Scene(
        ("#3a2350", "#7a3b6e"),
        (
            rays("#5b2f6b", 0.24, -0.15, 16),
            dots(_CITY_LIGHTS, 46, (12, 30), (0, 0.5), blur=10),
            planks("#8a5a3c", "#6c442c", 0.78, 5),
        ),
        Fox(0.5, 0.62, 0.64, tilt=-12, pose="jump", scarf="#5dadec"),
        light="#ffd9f2",
    ),
    Scene(
        ("#b7d9ee", "#f0f7fb"),
        (towers("#c9b6a2", "#6f8796", 0.74), grid("#9a938b", 0.74, 16, checked=False)),
        Fox(0.72, 0.64, 0.6, pose="wave", scarf="#8c2f39", mirrored=True),
        size=TALL,
    ),
    Scene(
        ("#dfe8e4", "#c6d6cf"),
        (disc("#f3e9d2", 0.2, 0.3, 0.15), disc("#6f9a7e", 0.86, 0.36, 0.12), planks("#c79d6d", "#ad8354", 0.68, 5)),
        Fox(0.48, 0.56, 1.0, tilt=3),
    ),
    Scene(
        ("#ffd1dc", "#fff0f3"),
        (
            dots(("#ffb7c9", "#ff9db6", "#ffe1e8"), 240, (6, 20), (0, 0.55)),
            hills("#a8cf8e", 0.75, 0.03, 1.3),
            dots(("#ffb7c9", "#ffe1e8"), 140, (3, 7), (0.75, 1)),
        ),
        Fox(0.3, 0.58, 0.68, scarf="#5c8a3a", mirrored=True),
        light="#fff2f5",
    ),
    Scene(
        ("#24394f", "#5f7f8f"),
        (
            disc("#fdf6d8", 0.74, 0.2, 0.085),
            hills("#2b4a4f", 0.55, 0.06, 2),
            waves(("#3b6470", "#4a7885", "#33586a"), 0.62, 0.88),
            planks("#6d543f", "#554030", 0.86, 3),
        ),
        Fox(0.34, 0.66, 0.52, pose="sleep", scarf="#e0a526"),
        light="#d6e6ff",
    ),
    Scene(
        ("#f4e3c3", "#e9cf9f"),
        (
            grid("#dcbf88", 0, 7, checked=True),
            disc("#3f6f8f", 0.16, 0.8, 0.13),
            disc("#efe6d4", 0.16, 0.8, 0.1),
            planks("#5f7f6a", "#4c6856", 0.9, 2),
        ),
        Fox(0.66, 0.52, 0.9, tilt=-8, pose="wave", scarf="#3c6e47"),
        light="#fff4e0",
    ),
)
