"""What the places of the sample photos are painted with: hills, trees, towers, water and more."""

import math
import random
from collections.abc import Callable

from PIL import Image, ImageDraw, ImageFilter

Paint = Callable[[Image.Image, random.Random], None]
Colour = str


# Each word returns what paints it. Lengths are parts of the page unless they say otherwise.


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
