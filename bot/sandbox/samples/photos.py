"""Sample photos for the sandbox: one little fox in twenty places, and seven files that are tricky on purpose.

Deterministic: the same bytes on every run with the same Pillow.
"""

import io
import math
import random
from pathlib import Path
from typing import Final

from PIL import Image, ImageChops, ImageDraw, ImageEnhance, ImageFilter, ImageOps

from bot.sandbox.samples.scenery import Colour
from bot.sandbox.samples.scenes import SCENES, Fox, Scene

OVERSAMPLE: Final = 1.5
"""Everything is drawn this much larger and reduced, for smooth edges."""
FOX_PX: Final = 1200
"""Side of the square the fox is drawn in before it is placed."""

_FUR: Final = "#e8792e"
_FUR_SHADE: Final = "#c85f1d"
_CREAM: Final = "#fff1de"
_DARK: Final = "#3b2a23"
_BLUSH: Final = "#f2a07b"
_STRANDS: Final = 2600

_ORIENTATION_TAG: Final = 0x0112
_GPS_TAG: Final = 0x8825


def write_samples(folder: Path) -> list[Path]:
    """Write the good photos into `folder` and the tricky ones into its "tricky" folder; returns all, good first."""
    tricky = folder / "tricky"
    tricky.mkdir(parents=True, exist_ok=True)
    good = []
    for number, scene in enumerate(SCENES, start=1):
        path = folder / f"mascot-{number:02}.jpg"
        path.write_bytes(_to_jpeg(_draw_photo(scene, random.Random(number))))  # noqa: S311 pictures, not secrets
        good.append(path)
    return good + _write_tricky(good, tricky)


def _write_tricky(good: list[Path], folder: Path) -> list[Path]:
    with Image.open(good[6]) as kitchen, Image.open(good[3]) as shelf, Image.open(good[0]) as meadow:
        night = ImageEnhance.Brightness(shelf).enhance(0.14)
        retake = ImageEnhance.Brightness(meadow).enhance(1.08).resize((1024, 768))
        files = {
            "blurry.jpg": _to_jpeg(kitchen.filter(ImageFilter.GaussianBlur(9))),
            "too-dark.jpg": _to_jpeg(night),
            "almost-mascot-01.jpg": _to_jpeg(retake),
            "animation.gif": _to_gif(meadow),
            "cut-off.jpg": good[1].read_bytes()[:60_000],
            "really-a-png.jpg": _to_png(meadow.transpose(Image.Transpose.FLIP_LEFT_RIGHT)),
            "sideways-with-gps.jpg": _to_sideways_jpeg(shelf),
        }
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return [folder / name for name in files]


def _to_jpeg(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=88)
    return buffer.getvalue()


def _to_png(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.resize((960, 720)).save(buffer, "PNG")
    return buffer.getvalue()


def _to_gif(picture: Image.Image) -> bytes:
    small = picture.resize((400, 300))
    buffer = io.BytesIO()
    small.save(buffer, "GIF", save_all=True, append_images=[ImageOps.mirror(small)], duration=400, loop=0)
    return buffer.getvalue()


def _to_sideways_jpeg(picture: Image.Image) -> bytes:
    """As a phone held upright stores it: turned on disk, the orientation and the place in EXIF."""
    exif = Image.Exif()
    exif[_ORIENTATION_TAG] = 6
    exif[_GPS_TAG] = {1: "N", 2: (48.0, 51.0, 29.6), 3: "E", 4: (2.0, 17.0, 40.2)}
    buffer = io.BytesIO()
    turned = ImageOps.mirror(picture).transpose(Image.Transpose.ROTATE_90)
    turned.save(buffer, "JPEG", quality=88, exif=exif)
    return buffer.getvalue()


def _draw_photo(scene: Scene, rng: random.Random) -> Image.Image:
    size = (round(scene.size[0] * OVERSAMPLE), round(scene.size[1] * OVERSAMPLE))
    sky = Image.linear_gradient("L").resize(size)
    page = ImageOps.colorize(sky, scene.sky[0], scene.sky[1])
    for paint in scene.paints:
        paint(page, rng)
    _place_fox(page, scene.fox, rng)
    page = page.resize(scene.size, Image.Resampling.HAMMING)
    page = ImageChops.multiply(page, Image.new("RGB", page.size, scene.light))
    return _add_lens(page, rng)


def _place_fox(page: Image.Image, fox: Fox, rng: random.Random) -> None:
    width, height = page.size
    side = round(height * fox.scale)
    drawn = _draw_fox(fox.pose, fox.scarf, rng).resize((side, side), Image.Resampling.HAMMING)
    if fox.mirrored:
        drawn = ImageOps.mirror(drawn)
    drawn = drawn.rotate(fox.tilt, Image.Resampling.BICUBIC)
    left, top = round(width * fox.x - side / 2), round(height * fox.y - side / 2)
    floor = top + side * (1.02 if fox.pose == "jump" else 0.93)
    shadow = Image.new("L", page.size, 0)
    spread = side * 0.3
    ellipse = (left + side / 2 - spread, floor - side * 0.05, left + side / 2 + spread, floor + side * 0.04)
    ImageDraw.Draw(shadow).ellipse(ellipse, fill=110)
    page.paste("#20242c", (0, 0), shadow.filter(ImageFilter.BoxBlur(side / 45)))
    page.paste(drawn, (left, top), drawn)


def _add_lens(page: Image.Image, rng: random.Random) -> Image.Image:
    """A little grain and darker corners, as a small camera makes them."""
    grain = Image.frombytes("L", (320, 240), rng.randbytes(320 * 240)).point(lambda value: 116 + value * 0.09)
    tiled = Image.new("L", page.size)
    for left in range(0, page.width, 320):
        for top in range(0, page.height, 240):
            tiled.paste(grain, (left, top))
    noisy = ImageChops.overlay(page, Image.merge("RGB", (tiled, tiled, tiled)))
    corners = Image.radial_gradient("L").resize(page.size).point(lambda value: 255 - max(0, value - 110) * 0.45)
    return ImageChops.multiply(noisy, Image.merge("RGB", (corners, corners, corners)))


def _draw_fox(pose: str, scarf: Colour, rng: random.Random) -> Image.Image:
    """The fox on a transparent square of FOX_PX, drawn on a grid of 100 x 100 units."""
    layer = Image.new("RGBA", (FOX_PX, FOX_PX), (0, 0, 0, 0))
    pen = _Pen(ImageDraw.Draw(layer), FOX_PX / 100)
    {"sit": _draw_sitting, "wave": _draw_waving, "jump": _draw_jumping, "sleep": _draw_sitting}[pose](pen)
    _brush_fur(layer, rng)
    _draw_scarf(pen, scarf)
    _draw_head(pen, asleep=pose == "sleep")
    return layer


class _Pen:
    """ImageDraw in units of the fox's grid."""

    def __init__(self, pen: ImageDraw.ImageDraw, unit_px: float) -> None:
        self._pen = pen
        self._unit_px = unit_px

    def blob(self, x: float, y: float, wide: float, tall: float, colour: Colour) -> None:
        """An ellipse around (x, y)."""
        u = self._unit_px
        self._pen.ellipse(((x - wide / 2) * u, (y - tall / 2) * u, (x + wide / 2) * u, (y + tall / 2) * u), fill=colour)

    def shape(self, points: tuple[tuple[float, float], ...], colour: Colour) -> None:
        self._pen.polygon([(x * self._unit_px, y * self._unit_px) for x, y in points], fill=colour)

    def stroke(self, points: tuple[tuple[float, float], ...], wide: float, colour: Colour) -> None:
        """A line with round ends."""
        u = self._unit_px
        self._pen.line([(x * u, y * u) for x, y in points], fill=colour, width=round(wide * u), joint="curve")
        for x, y in (points[0], points[-1]):
            self.blob(x, y, wide, wide, colour)

    def arc(self, x: float, y: float, wide: float, tall: float, degrees: tuple[float, float]) -> None:
        u = self._unit_px
        box = ((x - wide / 2) * u, (y - tall / 2) * u, (x + wide / 2) * u, (y + tall / 2) * u)
        self._pen.arc(box, *degrees, fill=_DARK, width=round(1.1 * u))


def _draw_tail(pen: _Pen, lift: float) -> None:
    """From the hip to the right; `lift` raises its tip."""
    path = [
        (62 + 24 * t, 84 - lift * t * t - 10 * math.sin(t * math.pi / 2)) for t in (step / 24 for step in range(25))
    ]
    for step, (x, y) in enumerate(path):
        girth = 9 + 9 * math.sin(step / 24 * math.pi * 0.8)
        pen.blob(x, y, girth, girth, _FUR_SHADE if step < 17 else _CREAM)


def _draw_torso(pen: _Pen) -> None:
    pen.blob(50, 72, 38, 42, _FUR)
    pen.blob(50, 76, 22, 30, _CREAM)


def _draw_sitting(pen: _Pen) -> None:
    _draw_tail(pen, 18)
    _draw_torso(pen)
    for x in (33, 67):
        pen.blob(x, 85, 17, 16, _FUR_SHADE)
    for x in (42, 58):
        pen.stroke(((x, 72), (x, 87)), 8, _FUR)
        pen.blob(x, 89, 11, 7, _DARK)


def _draw_waving(pen: _Pen) -> None:
    _draw_tail(pen, 30)
    _draw_torso(pen)
    for x in (38, 62):
        pen.blob(x, 89, 15, 9, _DARK)
    pen.stroke(((35, 65), (23, 58), (15, 46)), 8, _FUR)
    pen.blob(14, 44, 11, 11, _DARK)
    pen.stroke(((65, 66), (71, 77)), 8, _FUR)
    pen.blob(72, 79, 9, 9, _DARK)


def _draw_jumping(pen: _Pen) -> None:
    _draw_tail(pen, 44)
    _draw_torso(pen)
    for x, foot_x in ((40, 30), (60, 69)):
        pen.stroke(((x, 84), (foot_x, 92)), 9, _FUR_SHADE)
        pen.blob(foot_x, 93, 11, 9, _DARK)
    for x, hand_x in ((36, 17), (64, 83)):
        pen.stroke(((x, 64), (hand_x, 52)), 8, _FUR)
        pen.blob(hand_x, 51, 10, 10, _DARK)


def _draw_scarf(pen: _Pen, colour: Colour) -> None:
    pen.shape(((56, 56), (66, 57), (68, 78), (58, 79)), colour)
    for y in (66, 72):
        pen.stroke(((58, y), (66.5, y - 0.6)), 1.4, _CREAM)
    pen.blob(50, 57, 36, 13, colour)


def _draw_head(pen: _Pen, *, asleep: bool) -> None:
    for side in (-1, 1):
        pen.shape(((50 + side * 9, 22), (50 + side * 29, 30), (50 + side * 27, 4)), _FUR)
        pen.shape(((50 + side * 14, 21), (50 + side * 25, 26), (50 + side * 25, 10)), _DARK)
    pen.blob(50, 36, 58, 42, _FUR)
    for side in (-1, 1):
        pen.blob(50 + side * 15, 44, 27, 21, _CREAM)
    pen.blob(50, 46, 22, 18, _CREAM)
    for side in (-1, 1):
        pen.blob(50 + side * 20, 44, 8, 5, _BLUSH)
        _draw_eye(pen, 50 + side * 13, asleep=asleep)
    pen.blob(50, 42, 7, 5, _DARK)
    for side in (-1, 1):
        pen.arc(50 + side * 2.6, 46.4, 5.4, 5, (0, 180))


def _draw_eye(pen: _Pen, x: float, *, asleep: bool) -> None:
    if asleep:
        pen.arc(x, 35, 8, 5, (10, 170))
        return
    pen.blob(x, 35, 7.5, 9.5, _DARK)
    pen.blob(x + 1.4, 33, 2.8, 3.4, "#ffffff")
    pen.blob(x - 1.6, 37.4, 1.5, 1.7, "#ffffff")


def _brush_fur(layer: Image.Image, rng: random.Random) -> None:
    """Short strands over what is drawn so far, so that it looks soft and has detail to be sharp in."""
    strands = Image.new("RGBA", layer.size, (0, 0, 0, 0))
    pen = ImageDraw.Draw(strands)
    for _ in range(_STRANDS):
        x, y = rng.uniform(0, FOX_PX), rng.uniform(FOX_PX * 0.4, FOX_PX)
        shade = rng.choice(((255, 235, 210, 70), (90, 40, 10, 60)))
        pen.line((x, y, x + rng.uniform(-8, 8), y + rng.uniform(16, 34)), fill=shade, width=3)
    layer.paste(Image.alpha_composite(layer, strands), (0, 0), layer)
