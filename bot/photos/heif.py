"""HEIC in a process of its own, so that a crash of the native decoder costs one photo and not the bot.

One flipped bit in the type of a metadata item ended the process of pi-heif 1.4.0 with a segmentation fault.
`decode_heic` is the bot's side; `python -m bot.photos.heic FILE` is the other, which
answers with one line of JSON (`_Answer`) and the bare pixels. It gets none of the bot's environment.
"""

import base64
import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Final, TypedDict

import pillow_heif
from PIL import Image

from bot.photos.checks import judge_sides, sent_size

DECODE_S: Final = 30
MEMORY_BYTES: Final = 2_000_000_000
CAN_LIMIT: Final = importlib.util.find_spec("resource") is not None
"""Whether memory can be limited, which Windows cannot (Python /library/resource); nothing is decoded without."""


class _Answer(TypedDict):
    """`sides` of the upright original; `size` and `mode` of the pixels, already shrunk to what is sent."""

    sides: tuple[int, int]
    size: tuple[int, int]
    mode: str
    profile: str


def decode_heic(source: Path) -> tuple[Image.Image, tuple[int, int]]:
    """The picture, upright and shrunk, with its colour profile in `info`, and the sides of the original in pixels.

    When `judge_sides` refuses those sides the picture is a blank stand-in. Raises ValueError when nothing decodes.
    """
    try:
        ran = subprocess.run(  # noqa: S603 our own interpreter on our own module and a spool name
            [sys.executable, "-m", "bot.photos.heic", str(source)],
            env={"PYTHONPATH": os.pathsep.join(sys.path)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=DECODE_S,
            check=True,
        )
    except subprocess.SubprocessError as error:
        raise ValueError("this HEIC does not decode") from error
    line, _, pixels = ran.stdout.partition(b"\n")
    answer: _Answer = json.loads(line)
    (width, height), sides = answer["size"], answer["sides"]
    picture = Image.frombytes(answer["mode"], (width, height), pixels)
    picture.info["icc_profile"] = base64.b64decode(answer["profile"])
    return picture, (sides[0], sides[1])


def decode_here(source: Path) -> bytes:
    """What the child process answers."""
    pillow_heif.register_heif_opener(thumbnails=False, depth_images=False, aux_images=False, decode_threads=1)
    with Image.open(source, formats=["HEIF"]) as image:
        if judge_sides(*image.size):
            picture, sides = Image.new("L", (1, 1)), image.size
        else:
            image.load()
            plain = image.convert("RGBA" if image.has_transparency_data else "RGB")
            sides = image.size
            picture = plain.resize(sent_size(*sides), Image.Resampling.LANCZOS, reducing_gap=2.0)
        profile = base64.b64encode(image.info.get("icc_profile") or b"").decode()
    answer = _Answer(sides=sides, size=picture.size, mode=picture.mode, profile=profile)
    return json.dumps(answer).encode() + b"\n" + picture.tobytes()


def _set_limits() -> None:
    """Pillow's own pixel limit is off: `judge_sides` decides, before anything is decoded."""
    Image.MAX_IMAGE_PIXELS = None
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))


if __name__ == "__main__":
    _set_limits()
    sys.stdout.buffer.write(decode_here(Path(sys.argv[1])))
