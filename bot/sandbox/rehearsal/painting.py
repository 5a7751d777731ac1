"""Pictures for the rehearsal: a member's own photos, composed anew for each prompt and seed."""

import hashlib
import io
import random
from collections.abc import Callable, Sequence
from pathlib import Path

from PIL import Image, ImageChops, ImageDraw, ImageEnhance, ImageFilter, ImageOps, UnidentifiedImageError
from PIL.PngImagePlugin import PngInfo

Colour = tuple[int, int, int]
Palette = tuple[Colour, Colour, Colour]
"""Shadow, middle and light of one mood."""
Photo = Image.Image
Box = tuple[int, int, int, int]

SIZES_PX = {
    "1:1": (1024, 1024),
    "16:9": (1344, 756),
    "9:16": (756, 1344),
    "4:3": (1152, 864),
    "3:4": (864, 1152),
    "3:2": (1224, 816),
    "2:3": (816, 1224),
}
WORKING_EDGE_PX = 1600
PHOTOS_PER_PICTURE = 6
PROVENANCE = "Composed by the Darkroom rehearsal server from the member's own photos; no image model was used."
_EXIF_DESCRIPTION, _EXIF_SOFTWARE = 0x010E, 0x0131

PALETTES: dict[str, Palette] = {
    "night": ((12, 16, 44), (74, 84, 148), (206, 214, 244)),
    "sunset": ((52, 18, 58), (222, 98, 74), (255, 226, 170)),
    "forest": ((14, 36, 28), (82, 126, 84), (232, 238, 206)),
    "sea": ((8, 38, 60), (48, 134, 160), (226, 244, 240)),
    "snow": ((44, 58, 78), (150, 176, 200), (248, 251, 253)),
    "gold": ((44, 28, 12), (184, 132, 58), (255, 240, 204)),
    "neon": ((22, 8, 54), (214, 44, 152), (132, 246, 238)),
    "noir": ((14, 14, 16), (112, 110, 108), (240, 238, 232)),
    "spring": ((70, 38, 62), (226, 142, 158), (253, 240, 226)),
    "autumn": ((46, 22, 16), (186, 92, 44), (250, 226, 184)),
}
MOOD_WORDS: dict[str, str] = {
    "moon": "night", "space": "night", "star": "night", "blue": "night", "dream": "night",
    "sunrise": "sunset", "dusk": "sunset", "beach": "sunset", "red": "sunset", "fire": "sunset",
    "tree": "forest", "green": "forest", "jungle": "forest", "garden": "forest", "wood": "forest",
    "ocean": "sea", "water": "sea", "lake": "sea", "rain": "sea", "underwater": "sea",
    "winter": "snow", "ice": "snow", "white": "snow", "mountain": "snow", "astronaut": "snow",
    "vintage": "gold", "golden": "gold", "royal": "gold", "king": "gold", "queen": "gold", "oil": "gold",
    "cyberpunk": "neon", "city": "neon", "robot": "neon", "purple": "neon", "synthwave": "neon",
    "black": "noir", "film": "noir", "detective": "noir", "sketch": "noir",
    "flower": "spring", "pink": "spring", "cherry": "spring", "watercolor": "spring", "wedding": "spring",
    "orange": "autumn", "desert": "autumn", "western": "autumn", "coffee": "autumn", "cozy": "autumn",
}  # fmt: skip


def compose(
    photos: Sequence[Path], size: tuple[int, int], *, prompt: str, seed: int, position: int, mood: str | None = None
) -> Photo:
    """`mood`: a name of PALETTES that goes before what the prompt asks for."""
    rng = random.Random(_number(f"{prompt}|{seed}|{position}"))  # noqa: S311 - repeatable, not secret
    palette = PALETTES[mood] if mood else choose_palette(prompt, rng)
    chosen = rng.sample(list(photos), min(len(photos), PHOTOS_PER_PICTURE))
    opened = [photo for path in chosen if (photo := _open(path)) is not None] or [_empty_stage(size, palette)]
    order = random.Random(_number(f"{prompt}|{seed}")).sample(RECIPES, len(RECIPES))  # noqa: S311
    return _finish(order[position % len(order)](opened, size, palette, rng), rng)


def tint(photo: Photo, mood: str, strength: float) -> Photo:
    """Draw a picture towards a mood's colours; `strength` from 0 to 1."""
    return Image.blend(photo, _duotone(photo, PALETTES[mood]), strength)


def choose_palette(prompt: str, rng: random.Random) -> Palette:
    """The first mood the prompt names, else one that the seed picks."""
    for word in "".join(c if c.isalpha() else " " for c in prompt.lower()).split():
        for spelling in (word, word.removesuffix("s")):
            mood = MOOD_WORDS.get(spelling, spelling)
            if mood in PALETTES:
                return PALETTES[mood]
    return PALETTES[rng.choice(sorted(PALETTES))]


def shrink(size: tuple[int, int], edge_px: int | None) -> tuple[int, int]:
    """The same shape with no side above `edge_px`; None: as it is."""
    scale = min(1.0, (edge_px or max(size)) / max(size))
    return (max(1, round(size[0] * scale)), max(1, round(size[1] * scale)))


def enlarge(photo: Path, factor: float, file_format: str) -> bytes:
    """A larger copy, its longer edge at most 4096 pixels."""
    source = _open(photo) or _empty_stage((512, 512), PALETTES["noir"])
    factor = min(factor, 4096 / max(source.size))
    grown = source.resize((round(source.width * factor), round(source.height * factor)), Image.Resampling.LANCZOS)
    return encode(grown.filter(ImageFilter.UnsharpMask(2, 60)), file_format)


def cut_out(photo: Path) -> bytes:
    """A PNG whose surroundings fade to nothing around a soft oval."""
    source = _open(photo) or _empty_stage((512, 512), PALETTES["noir"])
    mask = Image.new("L", source.size, 0)
    width, height = source.size
    ImageDraw.Draw(mask).ellipse((width // 8, height // 12, width - width // 8, height - height // 12), fill=255)
    source.putalpha(mask.filter(ImageFilter.GaussianBlur(max(width, height) / 40)))
    return encode(source, "png")


def encode(picture: Photo, file_format: str) -> bytes:
    """The file's bytes with a provenance note, as a PNG text chunk or in EXIF."""
    out = io.BytesIO()
    if file_format == "png":
        note = PngInfo()
        note.add_text("Description", PROVENANCE)
        note.add_text("Software", "Darkroom rehearsal")
        picture.save(out, "PNG", pnginfo=note, compress_level=1)
        return out.getvalue()
    exif = Image.Exif()
    exif[_EXIF_DESCRIPTION] = PROVENANCE
    exif[_EXIF_SOFTWARE] = "Darkroom rehearsal"
    picture.convert("RGB").save(out, {"jpg": "JPEG", "webp": "WEBP"}[file_format], quality=90, exif=exif)
    return out.getvalue()


def _number(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode(errors="replace")).digest()[:8])


def _open(path: Path) -> Photo | None:
    try:
        with Image.open(path) as photo:
            photo.draft("RGB", (WORKING_EDGE_PX, WORKING_EDGE_PX))
            upright = ImageOps.exif_transpose(photo).convert("RGB")
    except (OSError, UnidentifiedImageError, ValueError, SyntaxError):
        return None
    upright.thumbnail((WORKING_EDGE_PX, WORKING_EDGE_PX))
    return upright


def _empty_stage(size: tuple[int, int], palette: Palette) -> Photo:
    """Light falling on a wall: what is painted when no photo can be opened."""
    glow = ImageOps.invert(Image.radial_gradient("L")).resize(size, Image.Resampling.BICUBIC)
    return ImageOps.colorize(glow, palette[0], palette[2], palette[1])


def _fit(photo: Photo, size: tuple[int, int], rng: random.Random) -> Photo:
    """Fill `size`, leaning to the upper middle, where faces are; mirrored half of the time."""
    centre = (0.5 + rng.uniform(-0.12, 0.12), 0.38 + rng.uniform(-0.08, 0.08))
    fitted = ImageOps.fit(photo, size, Image.Resampling.LANCZOS, centering=centre)
    return ImageOps.mirror(fitted) if rng.random() < 0.5 else fitted


def _duotone(photo: Photo, palette: Palette) -> Photo:
    grey = ImageOps.autocontrast(ImageOps.grayscale(photo), cutoff=1)
    return ImageOps.colorize(grey, palette[0], palette[2], palette[1])


def _grade(photo: Photo, palette: Palette, strength: float) -> Photo:
    """Split toning: the palette in shadows and lights, the photo's own colours in between."""
    toned = Image.blend(photo, _duotone(photo, palette), strength)
    return ImageEnhance.Contrast(ImageEnhance.Color(toned).enhance(1.12)).enhance(1.06)


def _portrait(photos: Sequence[Photo], size: tuple[int, int], palette: Palette, rng: random.Random) -> Photo:
    """One photo, graded, in a thin border of the mood's light."""
    border = min(size) // 28
    inner = (size[0] - 2 * border, size[1] - 2 * border)
    picture = Image.new("RGB", size, palette[2])
    picture.paste(_grade(_fit(photos[0], inner, rng), palette, 0.32), (border, border))
    return picture


def _print(photos: Sequence[Photo], size: tuple[int, int], palette: Palette, rng: random.Random) -> Photo:
    """A duotone print that bleeds to the edge."""
    return _duotone(_fit(photos[0], size, rng), palette)


def _double_exposure(photos: Sequence[Photo], size: tuple[int, int], palette: Palette, rng: random.Random) -> Photo:
    """Two photos on one frame, the second in the mood's colours."""
    first = _grade(_fit(photos[0], size, rng), palette, 0.25)
    second = _duotone(_fit(photos[-1], size, rng), palette).filter(ImageFilter.GaussianBlur(2))
    veil = ImageEnhance.Brightness(second).enhance(0.6)
    fade = Image.linear_gradient("L").rotate(rng.choice((90, 270))).resize(size)
    return Image.composite(ImageChops.screen(first, veil), first, fade)


def _medallion(photos: Sequence[Photo], size: tuple[int, int], palette: Palette, rng: random.Random) -> Photo:
    """A round window on a wall of the mood's colour, with a thin ring around it."""
    wall = _empty_stage(size, (palette[0], palette[1], palette[1]))
    across = int(min(size) * 0.78)
    left, top = (size[0] - across) // 2, (size[1] - across) // 2
    window = _grade(_fit(photos[0], (across, across), rng), palette, 0.22)
    mask = Image.new("L", (across * 2, across * 2), 0)
    ImageDraw.Draw(mask).ellipse((0, 0, across * 2, across * 2), fill=255)
    wall.paste(window, (left, top), mask.resize((across, across), Image.Resampling.LANCZOS))
    gap = across // 30
    ring: Box = (left - gap, top - gap, left + across + gap, top + across + gap)
    ImageDraw.Draw(wall).ellipse(ring, outline=palette[2], width=max(2, across // 220))
    return wall


def _contact_sheet(photos: Sequence[Photo], size: tuple[int, int], palette: Palette, rng: random.Random) -> Photo:
    """One large photo and a strip of smaller ones on paper."""
    gap = min(size) // 40
    paper = Image.new("RGB", size, palette[2])
    wide = size[0] >= size[1]
    length, breadth = size if wide else size[::-1]
    main_length, cells = int((length - 3 * gap) * 0.68), 3
    strip, cell = length - 3 * gap - main_length, (breadth - (cells + 1) * gap) // cells
    places = [((gap, gap), (main_length, breadth - 2 * gap))]
    places += [((main_length + 2 * gap, gap + n * (cell + gap)), (strip, cell)) for n in range(cells)]
    for number, (corner, extent) in enumerate(places):
        photo = photos[number % len(photos)]
        tone = _duotone if number == 2 else (lambda one, mood: _grade(one, mood, 0.24))
        fitted = tone(_fit(photo, extent if wide else extent[::-1], rng), palette)
        paper.paste(fitted, corner if wide else corner[::-1])
    return paper


def _shards(photos: Sequence[Photo], size: tuple[int, int], palette: Palette, rng: random.Random) -> Photo:
    """The same moment in slanted strips: colour and print take turns."""
    colour = _grade(_fit(photos[0], size, rng), palette, 0.2)
    other = photos[1 % len(photos)]
    printed = _duotone(_fit(other, size, rng), palette)
    mask = Image.new("L", size, 0)
    pen, (width, height) = ImageDraw.Draw(mask), size
    lines, slant = rng.choice((3, 5)), width // 5 * rng.choice((-1, 1))
    step = width / lines
    for number in range(-2, lines + 2, 2):
        left = number * step
        pen.polygon([(left + slant, 0), (left + step + slant, 0), (left + step, height), (left, height)], fill=255)
    picture = Image.composite(printed, colour, mask)
    edge = ImageDraw.Draw(picture)
    for number in range(-3, lines + 4):
        edge.line([(number * step + slant, 0), (number * step, height)], fill=palette[2], width=max(3, width // 200))
    return picture


def _finish(picture: Photo, rng: random.Random) -> Photo:
    """Fine grain and a soft fall of light to the corners."""
    noise = Image.frombytes("L", picture.size, rng.randbytes(picture.width * picture.height))
    grain = noise.point([116 + value * 24 // 255 for value in range(256)]).convert("RGB")
    grained = ImageChops.overlay(picture, grain)
    fall = ImageOps.invert(Image.radial_gradient("L")).resize(picture.size, Image.Resampling.BICUBIC)
    light = fall.point([min(255, 184 + value) for value in range(256)])
    return ImageChops.multiply(Image.blend(picture, grained, 0.35), Image.merge("RGB", (light, light, light)))


Recipe = Callable[[Sequence[Photo], tuple[int, int], Palette, random.Random], Photo]
RECIPES: tuple[Recipe, ...] = (_portrait, _print, _double_exposure, _medallion, _contact_sheet, _shards)
