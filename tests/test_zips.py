"""That ZIP files stay below a limit, whatever is in them."""

import random
import zipfile
from itertools import chain
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from bot.zips import (
    END_BYTES,
    Stored,
    Written,
    fits_alone,
    share_out,
    write_zip,
    written_room,
    zip_names,
)
from tests.events.yearbook.yearbooks import MADE_AT

LIMIT = 20_000


@given(st.lists(st.integers(0, LIMIT - END_BYTES - 300), max_size=30), st.integers(0, LIMIT - END_BYTES))
def test_nothing_is_lost_reordered_or_too_much(sizes: list[int], taken: int) -> None:
    files = [Stored(f"originals/{number:02}-a.png", Path(), size) for number, size in enumerate(sizes)]
    assert all(fits_alone(file.name, file.size, LIMIT) for file in files)
    parts = share_out(files, LIMIT, taken)
    assert list(chain.from_iterable(parts)) == files
    totals = [END_BYTES + sum(file.room for file in part) for part in parts]
    assert totals[0] + taken <= LIMIT or not parts[0]
    assert all(total <= LIMIT for total in totals)


def test_a_written_zip_is_as_large_as_was_planned_at_most(tmp_path: Path) -> None:
    names = [f"originals/{number:03}-{'x' * 30}.png" for number in range(60)]
    stored = []
    for number, name in enumerate(names):
        path = tmp_path / f"{number}.png"
        path.write_bytes(random.Random(number).randbytes(number))
        stored.append(Stored(name, path, number))
    text = Written("index.html", lambda: (random.Random(7).randbytes(500).hex() for _ in range(20)))

    write_zip(tmp_path / "book.zip", [text, *stored], MADE_AT)

    planned = END_BYTES + written_room(text) + sum(file.room for file in stored)
    assert planned / 2 < (tmp_path / "book.zip").stat().st_size <= planned
    with zipfile.ZipFile(tmp_path / "book.zip") as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["index.html", *names]
        assert archive.getinfo("index.html").date_time[:5] == (2026, 11, 1, 12, 30)
        assert archive.read("index.html").decode() == "".join(text.pieces())


def test_zip_files_say_how_many_they_are() -> None:
    assert zip_names("book", 1) == ["book.zip"]
    assert zip_names("book", 2) == ["book-part-1-of-2.zip", "book-part-2-of-2.zip"]
