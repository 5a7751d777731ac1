"""Small files that claim or hold far too many pixels: refused before a pixel is decoded, in a few megabytes.

Each is examined in a process of its own, so that the peak of its memory can be read; the time is measured by the bench.
"""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.fakes.waiting import HANG_S
from tests.photos.bombs import BOMBS
from tests.photos.sample_photos import encode, noise

MAX_EXTRA_MB = 8

PROBE = """
import sys
from pathlib import Path
from PIL import Image, ImageFile
from bot.photos.prepare import examine
Image.preinit()
for warm_up in sys.argv[2:]:
    examine(Path(warm_up), Path(sys.argv[1] + ".jpg"))
def peak_kb():
    fields = dict(line.split(":") for line in Path("/proc/self/status").read_text().splitlines())
    return int(fields["VmHWM"].split()[0])
Path("/proc/self/clear_refs").write_text("5")
before_kb, decoded = peak_kb(), []
ImageFile.ImageFile.load = lambda image: decoded.append(image.format)
measured = examine(Path(sys.argv[1]), Path(sys.argv[1] + ".jpg"))
print(measured.findings[0].code, len(decoded), (peak_kb() - before_kb) / 1024)
"""


@pytest.mark.process
@pytest.mark.parametrize("name", list(BOMBS))
def test_a_bomb_is_refused_before_it_is_decoded_and_in_little_memory(tmp_path: Path, name: str) -> None:
    make, expected = BOMBS[name]
    bomb, small = tmp_path / "bomb", tmp_path / "small"
    bomb.write_bytes(make())
    small.write_bytes(encode(noise(300, 200), "JPEG"))
    ran = subprocess.run(
        [sys.executable, "-c", PROBE, str(bomb), str(small)], capture_output=True, text=True, check=True, timeout=HANG_S
    )
    code, decoded, extra_mb = ran.stdout.split()
    assert (code, decoded) == (expected, "0")
    assert float(extra_mb) <= MAX_EXTRA_MB
