"""HEIC and AVIF: decoded elsewhere, so that even a crash of the decoder is only a damaged photo."""

import ctypes
import json
import os
import signal
import struct
import subprocess
import sys
from pathlib import Path

import pillow_heif
import pytest
from PIL import Image

from bot.photos import heif, prepare
from bot.photos.checks import Code
from bot.photos.heif import decode_heif, decode_here, load_decoders
from bot.photos.prepare import examine
from tests.fakes.waiting import HANG_S
from tests.photos.sample_photos import encode, noise

SAMPLE = Path(__file__).parents[1] / "samples/photo.heic"
SIDES = (640, 480)


def test_the_decoder_that_comes_along_is_one_without_known_holes() -> None:
    """libheif 1.23.0 lies in the range of CVE-2026-84383, a write out of bounds."""
    found = tuple(int(part) for part in pillow_heif.libheif_version().split("."))
    assert found >= (1, 23, 6)


@pytest.mark.process
@pytest.mark.parametrize("kind", ["heic", "avif"])
def test_both_sides_agree_on_the_picture(tmp_path: Path, own_decoders: None, kind: str) -> None:
    load_decoders()
    content = SAMPLE.read_bytes() if kind == "heic" else encode(noise(*SIDES), "AVIF")
    (tmp_path / "photo").write_bytes(content)
    picture, sides, _ = decode_heif(tmp_path / "photo", kind, SIDES)
    line, pixels = decode_here(content, kind).split(b"\n", 1)
    assert sides == picture.size == tuple(json.loads(line)["sides"]) == SIDES
    assert picture.tobytes() == pixels


@pytest.mark.process
def test_an_avif_photo_becomes_an_upright_jpeg(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    wide = Image.new("RGB", (3200, 2400), "white")
    wide.paste((255, 0, 0), (0, 0, 800, 2400))
    (tmp_path / "photo").write_bytes(encode(wide, "AVIF", exif=exif, speed=10))
    measured = examine(tmp_path / "photo", tmp_path / "out.jpg")
    assert ("converted", "AVIF") in [(finding.code, finding.detail) for finding in measured.findings]
    with Image.open(tmp_path / "out.jpg") as image:
        assert (image.format, image.size) == ("JPEG", (1200, 1600))
        assert image.getpixel((600, 200)) == pytest.approx((255, 0, 0), abs=12)
        assert image.getpixel((600, 1000)) == pytest.approx((255, 255, 255), abs=12)
        assert not image.getexif()


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"save_all": True, "append_images": [noise(400, 300, seed=2)]}, Code.ANIMATED),
        ({"size": (255, 600)}, Code.TOO_SMALL),
    ],
)
def test_an_avif_is_judged_like_every_other_photo(tmp_path: Path, options: dict[str, object], code: Code) -> None:
    sides = options.pop("size", (400, 300))
    assert isinstance(sides, tuple)
    (tmp_path / "photo").write_bytes(encode(noise(*sides), "AVIF", **options))
    assert examine(tmp_path / "photo", tmp_path / "out.jpg").findings[0].code == code


@pytest.mark.process
@pytest.mark.parametrize("share", [0.3, 0.9, 0.99])
def test_a_cut_avif_is_damaged(tmp_path: Path, share: float) -> None:
    content = encode(noise(), "AVIF")
    (tmp_path / "photo").write_bytes(content[: int(len(content) * share)])
    assert examine(tmp_path / "photo", tmp_path / "out.jpg").findings[0].code == Code.DAMAGED


def as_interpreter(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    spy = folder / "python"
    spy.write_text(f"#!/bin/sh\n{script}\n")
    spy.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(spy))


@pytest.mark.process
def test_a_file_that_crashes_the_decoder_is_only_damaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    as_interpreter(tmp_path, "kill -SEGV $$", monkeypatch)
    assert examine(SAMPLE, tmp_path / "out.jpg").findings[0].code == Code.DAMAGED


@pytest.mark.process
def test_a_decoder_that_never_ends_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heif, "DECODE_S", 0.001)
    with pytest.raises(ValueError, match="does not decode"):
        decode_heif(SAMPLE, "heic", SIDES)


@pytest.mark.process
def test_a_decoder_that_says_too_much_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    as_interpreter(tmp_path, "exec yes", monkeypatch)
    with pytest.raises(ValueError, match="does not decode"):
        decode_heif(SAMPLE, "heic", SIDES)


@pytest.mark.process
def test_the_decoder_gets_the_file_and_nothing_else(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    seen, secret = tmp_path / "seen", tmp_path / "master.key"
    look = "/usr/bin/env; echo $(ls -A | wc -l) around; ls -l /proc/self/fd; wc -c"
    as_interpreter(tmp_path, f"({look}) > {seen}; exit 1", monkeypatch)
    monkeypatch.setenv("DISCORD_TOKEN", "very-secret")
    with secret.open("xb") as file:
        os.set_inheritable(file.fileno(), True)
        with pytest.raises(ValueError, match="does not decode"):
            decode_heif(SAMPLE, "heic", SIDES)
    said = seen.read_text()
    assert "PYTHONPATH" in said
    assert "very-secret" not in said
    assert "master.key" not in said
    assert "0 around" in said
    assert said.rstrip().endswith(str(SAMPLE.stat().st_size))


CONFINED = """
import os, pathlib, resource, signal, socket, sys, tempfile, threading
from bot.photos.confine import confine
victim = pathlib.Path(sys.argv[1])
confine(int(sys.argv[2]), 2_000_000_000)
tries = {
    "read": lambda: open("/etc/hostname"),
    "write": lambda: open(victim, "w"),
    "socket": lambda: socket.socket(),
    "fork": lambda: os.fork() or os._exit(0),
    "more": lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64)) or open("/etc/hostname"),
    "memory": lambda: bytearray(3_000_000_000),
    "remove": lambda: os.unlink(victim),
    "rename": lambda: os.rename(victim, str(victim) + "2"),
    "signal": lambda: os.kill(os.getppid(), 0),
}
for name, attempt in tries.items():
    try:
        attempt()
    except (OSError, MemoryError, ValueError):
        continue
    print(name)
"""


def run_confined(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=False, timeout=HANG_S
    )


@pytest.mark.process
def test_a_confined_process_can_neither_open_nor_start_nor_remove_anything(tmp_path: Path) -> None:
    victim = tmp_path / "photo"
    victim.touch()
    ran = run_confined(CONFINED, str(victim), "5")
    allowed = set(ran.stdout.split())
    assert ran.returncode == 0, ran.stderr
    if os.getuid() == 0:
        allowed -= {"fork", "more"}  # limits do not bind the superuser
    if not has_landlock():
        allowed -= {"remove", "rename", "signal"}
    assert allowed <= {"signal"}
    assert victim.exists()


def has_landlock() -> bool:
    return sys.platform == "linux" and bool(ctypes.CDLL(None).syscall(444, None, 0, 1) > 0)


@pytest.mark.process
def test_a_confined_process_that_only_computes_is_ended() -> None:
    ran = run_confined("from bot.photos.confine import confine\nconfine(1, 2_000_000_000)\nwhile True: pass")
    assert -ran.returncode in {signal.SIGXCPU, signal.SIGKILL}


@pytest.mark.parametrize(("sides", "waits"), [((5000, 4000), True), ((600, 480), False), (None, True)])
def test_a_large_heic_waits_its_turn_wherever_its_sides_stand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sides: tuple[int, int] | None, waits: bool
) -> None:
    """`sides` stand behind the first 200 kB here."""
    seen: list[tuple[tuple[int, int] | None, bool]] = []

    def decode(source: Path, kind: str, declared: tuple[int, int] | None) -> tuple[Image.Image, tuple[int, int], bytes]:
        seen.append((declared, prepare._one_large_picture.locked()))
        return noise(), (800, 600), b""

    monkeypatch.setattr(heif, "decode_heif", decode)
    content = SAMPLE.read_bytes()
    at, start = content.index(b"ispe"), int.from_bytes(content[:4])
    content = (
        content[:at] + b"free" + content[at + 4 :]
        if sides is None
        else content[: at + 8] + struct.pack(">II", *sides) + content[at + 16 :]
    )
    padding = struct.pack(">I", 200_008) + b"free" + bytes(200_000)
    (tmp_path / "photo").write_bytes(content[:start] + padding + content[start:])
    examine(tmp_path / "photo", tmp_path / "out.jpg")
    assert seen == [(sides, waits)]
