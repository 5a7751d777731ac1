"""The web page and the credits of a yearbook; the page works from disk, without a network.

No script runs in the page, and its content security policy (https://www.w3.org/TR/CSP3/) lets nothing be loaded: the
pictures are reduced copies in data: addresses. `'self'` is left out because browsers do not agree on what it means for
a page opened from disk. Only the links to the originals leave the page, into the folder beside it.
"""

import base64
import csv
import hashlib
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from bot.events.yearbook.contents import MOST_PICTURES, Book, Plate, say_settings

COLUMNS: Final = (
    "number",
    "file",
    "member",
    "honour",
    "lora",
    "prompt",
    "seed",
    "settings",
    "provider",
    "made at (UTC)",
)
FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""Characters with which a formula begins in spreadsheets (OWASP, CSV Injection)."""


def site(book: Book, previews: Mapping[int, bytes], parts: Mapping[str, int]) -> Iterator[str]:
    """index.html piece by piece. `previews` are JPEGs by number; `parts` says in which ZIP (1, 2, ...) a file is."""
    return PAGES.get_template("site.html").generate(
        book=book,
        previews=previews,
        parts=parts,
        part_count=max(parts.values(), default=1),
        most=MOST_PICTURES,
        style_hash=style_hash(),
    )


@dataclass(frozen=True, slots=True)
class ShownPicture:
    """`id` is what its address ends in, `honour` such as "Winner", empty without one."""

    id: int
    maker: str
    honour: str


def gallery_page(title: str, theme: str, pictures: Sequence[ShownPicture], ends_at: datetime) -> str:
    """The page of a gallery on the web, whose pictures lie beside it."""
    until = f"{ends_at:%d %B %Y}"
    return PAGES.get_template("gallery.html").render(title=title, theme=theme, pictures=pictures, until=until)


def style_hash() -> str:
    """What a content security policy calls the one style of both pages."""
    style = PAGES.get_template("site.css").render()
    return _base64(hashlib.sha256(style.encode()).digest())


def credits_csv(book: Book) -> str:
    """One row for each picture. No spreadsheet takes a cell for a formula."""
    text = io.StringIO(newline="")
    rows = csv.writer(text)
    rows.writerow(COLUMNS)
    for plate in book.plates:
        rows.writerow([harmless(cell) for cell in _credits(plate)])
    return text.getvalue()


def harmless(cell: str) -> str:
    """The text on one line, with an apostrophe in front if a spreadsheet would take it for a formula."""
    flat = _printable(" ".join(cell.split()))
    return f"'{flat}" if flat.startswith(FORMULA_STARTS) else flat


def _credits(plate: Plate) -> tuple[str, ...]:
    return (
        str(plate.number),
        plate.file,
        plate.maker,
        plate.honour,
        plate.made_with,
        plate.prompt,
        "" if plate.settings.seed is None else str(plate.settings.seed),
        say_settings(plate.settings),
        plate.provider,
        f"{plate.made_at:%Y-%m-%d %H:%M}",
    )


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _cut(text: str, most: int) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= most else flat[: most - 1] + "…"


def _printable(text: str) -> str:
    """Without control characters and surrogates, which no UTF-8 file may hold."""
    return "".join(letter for letter in text if letter.isprintable() or letter == "\n")


PAGES: Final = Environment(
    loader=FileSystemLoader(Path(__file__).parent),
    autoescape=True,
    undefined=StrictUndefined,
    finalize=lambda value: _printable(value) if type(value) is str else value,
    trim_blocks=True,
)
PAGES.filters |= {"base64": _base64, "cut": _cut, "say": say_settings}
