"""Small files that claim or hold far too many pixels: refused within milliseconds and megabytes.

Each is examined in a process of its own, so that the peak of its memory can be read.
"""

import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fakes.waiting import HANG_S
from tests.photos.sample_photos import chunk, claim_jpeg_size, claim_webp_size, encode, flat_png, noise

MAX_REFUSAL_MS = 20
"""Of processor time, so that a machine that is busy with other tests does not change the answer."""
MAX_EXTRA_MB = 8

PROBE = """
import resource, sys, time
from pathlib import Path
from PIL import Image
from bot.photos.prepare import examine
Image.preinit()
for warm_up in sys.argv[2:]:
    examine(Path(warm_up), Path(sys.argv[1] + ".jpg"))
def peak_kb():
    fields = dict(line.split(":") for line in Path("/proc/self/status").read_text().splitlines())
    return int(fields["VmHWM"].split()[0])
Path("/proc/self/clear_refs").write_text("5")
before_kb, started = peak_kb(), time.process_time()
measured = examine(Path(sys.argv[1]), Path(sys.argv[1] + ".jpg"))
print(measured.findings[0].code, (time.process_time() - started) * 1000, (peak_kb() - before_kb) / 1024)
"""


def heic_of(width: int, height: int) -> bytes:
    """The sample HEIC with other sides in its spatial extents box."""
    content = (Path(__file__).parents[1] / "samples/photo.heic").read_bytes()
    at = content.index(b"ispe") + 8
    return content[:at] + struct.pack(">II", width, height) + content[at + 8 :]


BOMBS: dict[str, tuple[Callable[[], bytes], str]] = {
    "png-178-mp": (lambda: flat_png(13_370, 13_370), "too_many_pixels"),
    "png-400-mp": (lambda: flat_png(20_000, 20_000, grey_bits=1), "too_many_pixels"),
    "png-61-mp-16-bit": (lambda: flat_png(7_900, 7_800, grey_bits=16), "too_many_pixels"),
    "png-65535-wide": (lambda: flat_png(65_535, 900), "too_small"),
    "png-2-gigapixels-claimed": (lambda: flat_png(300, 300)[:16] + b"\x00\x01\x00\x00" * 2, "too_many_pixels"),
    "jpeg-178-mp": (lambda: claim_jpeg_size(encode(noise(), "JPEG"), 13_370, 13_370), "too_many_pixels"),
    "jpeg-61-mp": (lambda: claim_jpeg_size(encode(noise(), "JPEG"), 7_900, 7_800), "too_many_pixels"),
    "jpeg-65535-wide": (lambda: claim_jpeg_size(encode(noise(), "JPEG"), 65_535, 900), "too_small"),
    "jpeg-progressive-4-gigapixels": (
        lambda: claim_jpeg_size(encode(noise(), "JPEG", progressive=True), 65_535, 65_535),
        "too_many_pixels",
    ),
    "webp-268-mp": (
        lambda: claim_webp_size(encode(noise(), "WEBP", icc_profile=b"profile"), 16_384, 16_384),
        "too_many_pixels",
    ),
    "webp-25-mp": (
        lambda: claim_webp_size(encode(noise(), "WEBP", icc_profile=b"profile"), 5_000, 5_000),
        "too_many_pixels",
    ),
    "heic-100-mp": (lambda: heic_of(10_000, 10_000), "too_many_pixels"),
    "animated-png-of-large-frames": (
        lambda: flat_png(7_000, 7_000, before_data=chunk(b"acTL", struct.pack(">II", 900, 0))),
        "animated",
    ),
}


@pytest.mark.parametrize("name", list(BOMBS))
def test_a_bomb_is_refused_quickly_and_in_little_memory(tmp_path: Path, name: str) -> None:
    make, expected = BOMBS[name]
    bomb, small = tmp_path / "bomb", tmp_path / "small"
    bomb.write_bytes(make())
    small.write_bytes(encode(noise(300, 200), "JPEG"))
    ran = subprocess.run(
        [sys.executable, "-c", PROBE, str(bomb), str(small)], capture_output=True, text=True, check=True, timeout=HANG_S
    )
    code, took_ms, extra_mb = ran.stdout.split()
    assert code == expected
    assert float(took_ms) <= MAX_REFUSAL_MS
    assert float(extra_mb) <= MAX_EXTRA_MB
