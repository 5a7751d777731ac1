"""T21: small files that claim or hold far too much, and random claims of sides."""

import random
import tempfile
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import ImageFile

from bot.photos import heif, prepare
from bot.photos.checks import MAX_PIXELS
from bot.photos.prepare import examine
from bot.photos.structure.outline import Content, Outline
from tests.photos.bombs import BOMBS
from tests.photos.hostile import samples, with_sides
from tests.trust.row import Row, Score

MAX_EXTRA_BYTES = 8_000_000
CLAIMS = ("JPEG", "progressive JPEG", "PNG", "16-bit PNG", "WebP", "transparent WebP", "AVIF", "HEIC")


async def send_bombs(claims: int, seed: int) -> Score:
    """Every bomb by name, then so many photos that claim random sides, all of them too many pixels."""
    score, dice = Score(), random.Random(seed)
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        decoded: list[str] = []
        refuse_to_decode(patch, decoded)
        source, target = Path(folder) / "bomb", Path(folder) / "out.jpg"
        for name, (make, expected) in BOMBS.items():
            source.write_bytes(make())
            score.bad[f"{name} is not {expected}"] += _codes(score, source, target, name) != [expected]
            score.fired[name.partition("-")[0]] += 1
        for _ in range(claims):
            kind = dice.choice(CLAIMS)
            width = dice.randint(8_000, 16_000)
            source.write_bytes(with_sides(samples()[kind], width, dice.randint(MAX_PIXELS // width + 1, 16_000)))
            score.bad[f"{kind} is not too_many_pixels"] += _codes(score, source, target, kind) != ["too_many_pixels"]
            score.fired["random sides"] += 1
        score.bad["decoded"] += len(decoded)
        score.bad["a copy was made"] += target.exists()
    return score


def refuse_to_decode(patch: pytest.MonkeyPatch, decoded: list[str]) -> None:
    """A decoder that is asked for pixels gives none: some bombs would take the machine's memory."""

    def spy(name: str) -> Callable[..., Any]:
        def decode(*_: Any) -> None:
            decoded.append(name)
            raise ValueError("not decoded here")

        return decode

    patch.setattr(ImageFile.ImageFile, "load", spy("Pillow"))
    patch.setattr(prepare, "decode_webp", spy("WebP"))
    patch.setattr(heif, "decode_heif", spy("HEIC"))


def _codes(score: Score, source: Path, target: Path, name: str) -> list[str]:
    score.tried += 1
    tracemalloc.start()
    try:
        codes = [str(finding.code) for finding in examine(source, target).findings]
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    score.bad[f"{name} takes more than 8 MB"] += peak > MAX_EXTRA_BYTES
    return codes


def let_any_sides_pass(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(prepare, "judge_sides", lambda *_: None)


def read_the_whole_file_first(patch: pytest.MonkeyPatch) -> None:
    walk = prepare.outline

    def outline(content: Content, kind: str) -> Outline:
        return walk(content[:], kind)

    patch.setattr(prepare, "outline", outline)


ROW = Row(
    "T21",
    "image bombs",
    "all refused before decoding, 8 MB each at most",
    (60, 5_000),
    ("png", "jpeg", "webp", "heic", "avif", "animated", "random sides"),
    send_bombs,
    (let_any_sides_pass, read_the_whole_file_first),
)
