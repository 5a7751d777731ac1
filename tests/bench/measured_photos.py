"""Photos to measure with."""

from pathlib import Path

from tests.photos.sample_photos import camera_photo
from tests.wire.discord.modals import Upload

SMALL_PX = (640, 480)


def small_photos(count: int) -> list[Upload]:
    """Different photos of 640 x 480, so that no set holds a duplicate."""
    return [(f"photo-{seed}.jpg", camera_photo(seed, *SMALL_PX)) for seed in range(count)]


def write_large_photo(path: Path) -> Path:
    """One photo of 12 megapixels as a phone makes it."""
    path.write_bytes(camera_photo(1))
    return path
