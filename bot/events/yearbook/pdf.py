"""A PDF of a yearbook's pages. Blocking."""

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from PIL import Image

AT_ONCE: Final = 8
"""Pages in memory: Pillow decodes all that one call is given, six megabytes each."""
QUALITY: Final = 85
DOTS_PER_INCH: Final = 150
"""With it a page is as wide as A4."""


def write_pdf(target: Path, title: str, pages: Sequence[Path]) -> None:
    """`pages` are JPEGs; `title` is what a viewer calls the file."""
    for start in range(0, len(pages), AT_ONCE):
        with contextlib.ExitStack() as opened:
            first, *more = [
                opened.enter_context(Image.open(page, formats=["JPEG"])) for page in pages[start : start + AT_ONCE]
            ]
            first.save(
                target,
                "PDF",
                save_all=True,
                append_images=more,
                append=start > 0,
                title=title,
                quality=QUALITY,
                resolution=DOTS_PER_INCH,
            )
