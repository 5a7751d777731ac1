"""What one photo may cost: about 150 MB, whatever its type, and no standstill of the other threads."""

from pathlib import Path
from typing import IO, Any

import pytest
from PIL import Image

from bot.photos.jpeg import encode_jpeg
from bot.photos.prepare import examine
from tests.photos.one_photo import look_at_each
from tests.photos.sample_photos import encode, in_every_type, noise

MAX_EXTRA_MB = 175
"""150 for the pixels, and the file."""


@pytest.mark.process
def test_a_photo_of_twelve_megapixels_takes_little_memory_in_every_type(tmp_path: Path) -> None:
    """Mutant: WebP decoded by Pillow's file class, which takes 200 MB."""
    contents = in_every_type(noise(4_032, 3_024))
    files = [tmp_path / name for name in contents]
    for file, content in zip(files, contents.values(), strict=True):
        file.write_bytes(content)
    looks = dict(zip(contents, look_at_each(files), strict=True))
    assert {name: look.codes for name, look in looks.items()} == {name: [] for name in contents}
    assert {name: look.extra_mb for name, look in looks.items() if look.extra_mb > MAX_EXTRA_MB} == {}
    assert all(look.decodes for look in looks.values())


def test_a_jpeg_is_encoded_into_a_file_so_that_other_threads_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pillow 13 gives the interpreter free while it writes to a descriptor, and keeps it while it fills a buffer."""
    source, descriptors, save = tmp_path / "photo", list[int](), Image.Image.save
    source.write_bytes(encode(noise(), "PNG"))

    def spy(image: Image.Image, file: IO[bytes], kind: str, **options: Any) -> None:
        descriptors.append(file.fileno())
        save(image, file, kind, **options)

    monkeypatch.setattr(Image.Image, "save", spy)
    measured = examine(source, tmp_path / "out.jpg")
    assert measured.size == (tmp_path / "out.jpg").stat().st_size > 0
    assert len(encode_jpeg(noise(), 40_000)) <= 40_000
    assert len(descriptors) >= 3
