"""JPEGs that fit a limit. Blocking."""

import tempfile
from typing import IO, Final

from PIL import Image

QUALITIES: Final = (92, 85, 75, 60, 40)
"""Noise of 2048 x 2048 pixels at the lowest takes 1.6 MB."""


def write_jpeg(picture: Image.Image, file: IO[bytes], limit: int, best: int = QUALITIES[0]) -> int:
    """Fill the file with a JPEG of at most `limit` bytes (1,000 or more) and return its size: as good as that and
    `best` allow, then as large.

    The file needs a descriptor: Pillow lets no other thread run while it encodes into memory.
    """
    while True:
        for quality in QUALITIES[QUALITIES.index(best) :]:
            file.seek(0)
            file.truncate()
            picture.save(file, "JPEG", quality=quality)
            size = file.tell()
            if size <= limit or max(picture.size) == 1:
                return size
        picture = picture.resize((max(1, picture.width * 2 // 3), max(1, picture.height * 2 // 3)))


def encode_jpeg(picture: Image.Image, limit: int, best: int = QUALITIES[0]) -> bytes:
    """What `write_jpeg` makes."""
    with tempfile.TemporaryFile() as file:
        write_jpeg(picture, file, limit, best)
        file.seek(0)
        return file.read()
