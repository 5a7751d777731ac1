"""The sandbox's sample photos: one little fox in twenty places, and seven files that are tricky on purpose."""

from pathlib import Path
from typing import Final

_FOLDER: Final = Path(__file__).parent / "mascot"

GOOD: Final = tuple(_FOLDER / f"mascot-{number:02}.jpg" for number in range(1, 21))
"""The checks have nothing to say about any of them."""

TRICKY: Final = tuple(
    _FOLDER / "tricky" / name
    for name in (
        "blurry.jpg",
        "too-dark.jpg",
        "almost-mascot-01.jpg",  # mascot-01 once more, a little brighter and smaller
        "animation.gif",
        "cut-off.jpg",  # the first third of mascot-02
        "really-a-png.jpg",
        "sideways-with-gps.jpg",  # turned on disk; orientation and coordinates are in EXIF
    )
)
