"""The sandbox's sample photos: one little fox in twenty places, seven tricky files, and the places without it."""

from pathlib import Path
from typing import Final

_FOLDER: Final = Path(__file__).parent
_MASCOT: Final = _FOLDER / "mascot"

GOOD: Final = tuple(_MASCOT / f"mascot-{number:02}.jpg" for number in range(1, 21))
"""The checks have nothing to say about any of them."""

TRICKY: Final = tuple(
    _MASCOT / "tricky" / name
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

PLACES: Final = tuple(_FOLDER / "places" / f"place-{number:02}.jpg" for number in range(1, 21))
"""Where the fox was, without it."""
