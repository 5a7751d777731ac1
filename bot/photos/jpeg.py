"""JPEGs that fit a limit. Blocking."""

import io
from typing import Final

from PIL import Image

QUALITIES: Final = (92, 85, 75, 60, 40)
"""Noise of 2048 x 2048 pixels at the lowest takes 1.6 MB."""


def encode_jpeg(picture: Image.Image, limit: int, best: int = QUALITIES[0]) -> bytes:
    """A JPEG of at most `limit` bytes (1,000 or more), as good as that and `best` allow, then as large."""
    while True:
        for quality in QUALITIES[QUALITIES.index(best) :]:
            buffer = io.BytesIO()
            picture.save(buffer, "JPEG", quality=quality)
            if buffer.tell() <= limit or max(picture.size) == 1:
                return buffer.getvalue()
        picture = picture.resize((max(1, picture.width * 2 // 3), max(1, picture.height * 2 // 3)))
