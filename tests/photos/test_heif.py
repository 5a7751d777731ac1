"""HEIC: decoded elsewhere, so that even a crash of its decoder is only a damaged photo."""

import json
import sys
from pathlib import Path

import pillow_heif
import pytest

from bot.photos import heic
from bot.photos.checks import Code
from bot.photos.heic import decode_heic, decode_here
from bot.photos.prepare import examine

SAMPLE = Path(__file__).parents[1] / "samples/photo.heic"

pytestmark = pytest.mark.process


def test_the_decoder_that_comes_along_is_one_without_known_holes() -> None:
    """libheif 1.23.0 lies in the range of CVE-2026-84383, a write out of bounds."""
    found = tuple(int(part) for part in pillow_heif.libheif_version().split("."))
    assert found >= (1, 23, 6)


def test_both_sides_agree_on_the_picture() -> None:
    picture, sides = decode_heic(SAMPLE)
    line, pixels = decode_here(SAMPLE).split(b"\n", 1)
    assert sides == picture.size == tuple(json.loads(line)["sides"]) == (640, 480)
    assert picture.tobytes() == pixels


def test_a_file_that_crashes_the_decoder_is_only_damaged(tmp_path: Path) -> None:
    content = bytearray(SAMPLE.read_bytes())
    content[content.index(b"Exif\x00")] = 0xC5
    (tmp_path / "crash").write_bytes(content)
    assert examine(tmp_path / "crash", tmp_path / "out.jpg").findings[0].code == Code.DAMAGED


def test_a_decoder_that_never_ends_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heic, "DECODE_S", 0.001)
    with pytest.raises(ValueError, match="does not decode"):
        decode_heic(SAMPLE)


def test_the_decoder_sees_nothing_of_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    seen = tmp_path / "environment"
    spy = tmp_path / "python"
    spy.write_text(f"#!/bin/sh\n/usr/bin/env > {seen}\nexit 1\n")
    spy.chmod(0o755)
    monkeypatch.setenv("DISCORD_TOKEN", "very-secret")
    monkeypatch.setattr(sys, "executable", str(spy))
    with pytest.raises(ValueError, match="does not decode"):
        decode_heic(SAMPLE)
    assert "PYTHONPATH" in seen.read_text()
    assert "very-secret" not in seen.read_text()
