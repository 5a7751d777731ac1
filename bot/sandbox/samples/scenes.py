"""The sample photos' twenty places with their light, and where the little fox is in them."""

from dataclasses import dataclass
from typing import Final

from bot.sandbox.samples.scenery import (
    Colour,
    Paint,
    disc,
    dots,
    grid,
    hills,
    planks,
    rays,
    shelves,
    towers,
    trees,
    waves,
    window,
)

WIDE: Final = (1280, 960)
TALL: Final = (1200, 1500)


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
