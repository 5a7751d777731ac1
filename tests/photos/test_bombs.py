"""Small files that claim or hold far too many pixels: refused before a pixel is decoded, in a few megabytes.

The process that examines them is watched from outside, its native libraries included; row T21 of `make trust` tries
more of them. The time is measured by the bench.
"""

from pathlib import Path

import pytest

from tests.photos.bombs import BOMBS
from tests.photos.one_photo import look_at_each

MAX_EXTRA_MB = 8.4


@pytest.mark.process
def test_a_bomb_is_refused_before_it_is_decoded_and_in_little_memory(tmp_path: Path) -> None:
    files = [tmp_path / name for name in BOMBS]
    for file, (make, _) in zip(files, BOMBS.values(), strict=True):
        file.write_bytes(make())
    looks = dict(zip(BOMBS, look_at_each(files), strict=True))
    assert {name: look.codes for name, look in looks.items()} == {name: [code] for name, (_, code) in BOMBS.items()}
    assert {name: look.decodes for name, look in looks.items() if look.decodes} == {}
    assert {name: look.extra_mb for name, look in looks.items() if look.extra_mb > MAX_EXTRA_MB} == {}
