"""Orders and photo files for the provider and rehearsal tests."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from bot.providers.base import GenerationOrder, PhotoFile, TrainingOrder
from bot.records.dataset import Gender, SubjectKind
from bot.records.generation import GenerationSettings

API_KEY = "afk_test_0123456789abcdef"


def make_jpeg(number: int, size_bytes: int = 0) -> bytes:
    """A small JPEG whose colour depends on `number`, padded to `size_bytes` after its end marker."""
    out = io.BytesIO()
    Image.new("RGB", (96, 64), (number * 37 % 256, number * 91 % 256, 120)).save(out, "JPEG")
    return out.getvalue().ljust(size_bytes, b"\0")


def make_photos(folder: Path, count: int = 15, size_bytes: int = 0) -> list[PhotoFile]:
    photos = []
    for number in range(count):
        path = folder / f"upload-{number:02}.jpg"
        path.write_bytes(make_jpeg(number, size_bytes))
        photos.append(PhotoFile(path, f"photo-{number:02}.jpg", "image/jpeg", path.stat().st_size))
    return photos


def make_training_order(
    photos: Sequence[PhotoFile],
    *,
    name: str = "Rex ·k7f3q2",
    subject_kind: SubjectKind = SubjectKind.PERSON,
    webhook_url: str | None = None,
) -> TrainingOrder:
    return TrainingOrder(
        name=name,
        subject_kind=subject_kind,
        gender=Gender.NON_BINARY,
        ethnicity="Mixed",
        age="early 30s",
        steps=1200,
        rank=16,
        photos=photos,
        webhook_url=webhook_url,
    )


def make_generation_order(
    lora: str | None = None,
    *,
    prompt: str = "portrait in the forest",
    settings: GenerationSettings | None = None,
    idempotency_key: str = "3f0c2f8e-0000-4000-8000-000000000001",
    webhook_url: str | None = None,
    **what: Any,
) -> GenerationOrder:
    """`what`: style, character, references, operation."""
    return GenerationOrder(prompt, settings or GenerationSettings(), idempotency_key, webhook_url, lora=lora, **what)
