"""Photos examined one by one in a process of their own: the verdict, whether pixels were decoded, peak memory, CPU."""

import dataclasses
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from PIL import Image, ImageFile

from bot.photos import heif, prepare
from tests.bench.processes import ROOT, forget_peak, read_status_mb
from tests.fakes.waiting import HANG_S
from tests.photos.sample_photos import encode, noise


@dataclasses.dataclass(frozen=True, slots=True)
class Look:
    """`extra_mb` is what the process took at most while it examined the photo, beyond what it had before."""

    codes: list[str]
    decodes: int
    extra_mb: float
    cpu_ms: float


def look_at_each(files: Sequence[Path]) -> list[Look]:
    """Linux only: the peak of a process is read from /proc."""
    ran = subprocess.run(
        [sys.executable, "-m", "tests.photos.one_photo", *map(str, files)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=HANG_S,
    )
    return [Look(**each) for each in json.loads(ran.stdout)]


class _Decodes:
    """Counts how often a decoder is asked for pixels."""

    def __init__(self) -> None:
        self.count = 0
        for owner, name in ((ImageFile.ImageFile, "load"), (prepare, "decode_webp"), (heif, "decode_heif")):
            setattr(owner, name, self._counted(getattr(owner, name)))

    def _counted(self, decode: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*arguments: Any) -> Any:
            self.count += 1
            return decode(*arguments)

        return counted


def _look(file: Path, target: Path, decodes: _Decodes) -> Look:
    forget_peak()
    before_mb, decoded, cpu = read_status_mb("VmHWM"), decodes.count, time.thread_time()
    codes = [finding.code for finding in prepare.examine(file, target).findings]
    cpu_ms = (time.thread_time() - cpu) * 1000
    return Look(codes, decodes.count - decoded, read_status_mb("VmHWM") - before_mb, cpu_ms)


def main() -> None:
    Image.preinit()
    decodes = _Decodes()
    with tempfile.TemporaryDirectory(prefix="darkroom-") as folder:
        warm_up, target = Path(folder) / "photo", Path(folder) / "out.jpg"
        warm_up.write_bytes(encode(noise(300, 280), "JPEG"))
        prepare.examine(warm_up, target)
        looks = [_look(Path(name), target, decodes) for name in sys.argv[1:]]
    sys.stdout.write(json.dumps([dataclasses.asdict(look) for look in looks]))


if __name__ == "__main__":
    main()
