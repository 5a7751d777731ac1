"""What a photo of 12 megapixels costs in each type: peak memory and CPU time, each in a fresh process."""

import asyncio
import io
import tempfile
from pathlib import Path

from PIL import Image

from tests.bench.rows import Row, Sample, Target, compare
from tests.bench.scale import Scale
from tests.photos.one_photo import look_at_each
from tests.photos.sample_photos import camera_photo, in_every_type

MOST = Target(value_most=175.0)
"""About 150 MB, and the file."""


async def measure(_scale: Scale) -> list[Row]:
    return await asyncio.to_thread(_measure)


def _measure() -> list[Row]:
    with Image.open(io.BytesIO(camera_photo(1))) as photo:
        contents = in_every_type(photo.convert("RGB"))
    return [_row(name, content) for name, content in contents.items()]


def _row(name: str, content: bytes) -> Row:
    with tempfile.TemporaryDirectory(prefix="darkroom-bench-") as folder:
        file = Path(folder) / "photo"
        file.write_bytes(content)
        look = look_at_each([file])[0]
    sample = Sample(look.extra_mb, look.cpu_ms)
    return compare(f"peak memory of one photo, {name}", "MB", [sample], target=MOST)
