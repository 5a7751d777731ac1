"""HEIC and AVIF in a process of its own, so that a crash of the native decoder costs one photo and not the bot.

One flipped bit in the type of a metadata item ended the process of pi-heif 1.4.0 with a segmentation fault.
`decode_heif` is the bot's side; `python -m bot.photos.heif KIND CPU_S MEMORY_BYTES` is the other. It reads the file
from its standard input and answers with one line of JSON (`_Answer`) and the bare pixels. It gets none of the bot's
environment, an empty folder to work in, and before it decodes it is confined.
"""

import base64
import importlib.util
import io
import json
import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import BinaryIO, Final, TypedDict

from PIL import AvifImagePlugin, Image

from bot.photos.checks import MAX_PIXELS, SENT_SIDE_PX, judge_sides
from bot.photos.confine import confine
from bot.photos.exif import read_exif, turn_upright
from bot.photos.scaling import shrink_to_sent
from bot.photos.structure.outline import MAX_PROFILE_BYTES

DECODE_S: Final = 30
CPU_S: Final = 2
CPU_PIXELS: Final = 16_000_000
"""One second more of CPU time for each so many pixels."""
MEMORY_BYTES: Final = 150_000_000
"""Address space before any picture; an interpreter with both decoders has 64 MB."""
MEMORY_BYTES_PER_PIXEL: Final = 16
"""An ordinary HEIC or AVIF takes 7 to 8; this leaves room for ten bits and transparency."""
MAX_ANSWER_BYTES: Final = 4 * SENT_SIDE_PX**2 + 2 * MAX_PROFILE_BYTES
"""The pixels, and a colour profile in base 64."""
CAN_LIMIT: Final = importlib.util.find_spec("resource") is not None
"""Whether memory can be limited, which Windows cannot (Python /library/resource); nothing is decoded without."""

_FORMATS: Final = {"heic": "HEIF", "avif": "AVIF"}


class _Answer(TypedDict):
    """`sides` of the original; `size` and `mode` of the pixels, already shrunk to what is sent."""

    sides: tuple[int, int]
    size: tuple[int, int]
    mode: str
    profile: str


def decode_heif(source: Path, kind: str, sides: tuple[int, int] | None) -> tuple[Image.Image, tuple[int, int], bytes]:
    """The picture, upright and shrunk, the sides of the original in pixels, and its colour profile.

    `sides` are those that the file declares, if it does; they decide what decoding may cost. When `judge_sides`
    refuses the real ones the picture is a blank stand-in. Raises ValueError when nothing decodes.
    """
    pixels = MAX_PIXELS if sides is None else sides[0] * sides[1]
    limits = (CPU_S + pixels // CPU_PIXELS, MEMORY_BYTES + MEMORY_BYTES_PER_PIXEL * pixels)
    with source.open("rb") as file, tempfile.TemporaryDirectory(prefix="darkroom-") as empty:
        said = _ask([sys.executable, "-P", "-m", "bot.photos.heif", kind, *map(str, limits)], file, empty)
    line, _, data = said.partition(b"\n")
    answer: _Answer = json.loads(line)
    (width, height), (full_width, full_height) = answer["size"], answer["sides"]
    picture = Image.frombytes(answer["mode"], (width, height), data)
    return picture, (full_width, full_height), base64.b64decode(answer["profile"])


def _ask(command: list[str], file: BinaryIO, folder: str) -> bytes:
    """What the process says; it is ended when it takes too long or says too much, and then ValueError is raised."""
    with subprocess.Popen(  # noqa: S603 our own interpreter on our own module and three words of ours
        command,
        env={"PYTHONPATH": os.pathsep.join(map(os.path.abspath, sys.path))},
        cwd=folder,
        stdin=file,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as child:
        assert child.stdout is not None
        alarm = threading.Timer(DECODE_S, child.kill)
        alarm.start()
        try:
            said = child.stdout.read(MAX_ANSWER_BYTES + 1)
            if len(said) > MAX_ANSWER_BYTES:
                child.kill()
            failed = child.wait()
        finally:
            alarm.cancel()
    if failed:
        raise ValueError("this picture does not decode")
    return said


def decode_here(content: bytes, kind: str) -> bytes:
    """What the child process answers."""
    with Image.open(io.BytesIO(content), formats=[_FORMATS[kind]]) as image:
        sides, profile, exif = image.size, image.info.get("icc_profile") or b"", image.info.get("exif") or b""
        xmp = image.info.get("xmp") or b""
        if judge_sides(*sides):
            picture = Image.new("L", (1, 1))
        else:
            image.load()
            picture = turn_upright(shrink_to_sent(image), read_exif(exif), xmp)
    answer = _Answer(
        sides=sides, size=picture.size, mode=picture.mode, profile=base64.b64encode(profile).decode()
    )  # fmt: skip
    return json.dumps(answer).encode() + b"\n" + picture.tobytes()


def load_decoders() -> None:
    """In the child only. Pillow's own pixel limit is off: `judge_sides` decides, before anything is decoded."""
    import pillow_heif
    from PIL import TiffImagePlugin  # noqa: F401 - Pillow imports it when it meets EXIF, which is too late then

    Image.preinit()
    Image.MAX_IMAGE_PIXELS = None
    AvifImagePlugin.DEFAULT_MAX_THREADS = 1
    pillow_heif.register_heif_opener(thumbnails=False, depth_images=False, aux_images=False, decode_threads=1)


def _answer(kind: str, cpu_s: int, memory_bytes: int) -> None:
    load_decoders()
    content = sys.stdin.buffer.read()
    confine(cpu_s, memory_bytes)
    sys.stdout.buffer.write(decode_here(content, kind))


if __name__ == "__main__":
    _answer(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
