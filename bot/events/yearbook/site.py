"""The written side of a yearbook: a web page that works alone, from disk and without a network, and the credits.

Nothing in the page runs, and its content security policy (https://www.w3.org/TR/CSP3/) lets nothing be loaded: the
pictures in it are reduced copies in data: addresses. `'self'` is left out because browsers do not agree on what it
means for a page opened from disk. Only the links to the originals leave the page, into the folder beside it.
"""

import base64
import csv
import hashlib
import io
from collections.abc import Iterator, Mapping
from html import escape
from typing import Final

from bot.events.yearbook.contents import MOST_PICTURES, Book, Chapter, Plate, say_settings

ALT_MAX: Final = 150
PROMPT_MAX: Final = 500
"""Letters of a prompt in the page; credits.csv has all of it."""
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
"""What spreadsheets take for the beginning of a formula (OWASP, CSV Injection)."""

STYLE: Final = """
:root { color-scheme: light dark; --paper: #f6f0e3; --card: #fffdf8; --ink: #2e2a24; --soft: #6d6456;
  --line: #d9cdb4; --accent: #875a27; --gold: #f2cf6b; --on-gold: #3d2d00; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #1d1a16; --card: #29251f; --ink: #f1eadc; --soft: #b5aa98; --line: #463f34; --accent: #e0b276; }
}
* { box-sizing: border-box; }
html { scroll-behavior: smooth; }
body { margin: 0; background: var(--paper); color: var(--ink); overflow-wrap: anywhere;
  font: 1rem/1.5 Georgia, "Times New Roman", serif; }
a { color: var(--accent); }
header, main, footer { max-width: 76rem; margin: 0 auto; padding: 1.25rem; }
header { text-align: center; padding-top: 3rem; }
h1 { font-size: clamp(2rem, 6vw, 3.5rem); font-weight: normal; line-height: 1.15; margin: .25rem 0 .75rem; }
h2 { font-size: 1.75rem; font-weight: normal; border-bottom: 1px solid var(--line); padding-bottom: .4rem; }
.kicker { color: var(--accent); letter-spacing: .12em; text-transform: uppercase; font-size: .85rem; margin: 0; }
.theme { white-space: pre-line; max-width: 44rem; margin: 0 auto 1rem; }
.note, footer { color: var(--soft); font-size: .9rem; }
nav ul, .winners { list-style: none; padding: 0; margin: 1.25rem 0 0; display: flex; flex-wrap: wrap;
  gap: .5rem 1.25rem; justify-content: center; }
nav a { display: inline-block; padding: .4rem 0; }
.pictures { display: grid; gap: 1.5rem; grid-template-columns: repeat(auto-fill, minmax(min(100%, 17rem), 1fr));
  align-items: start; }
figure { margin: 0; padding: .75rem; background: var(--card); border: 1px solid var(--line);
  box-shadow: 0 .3rem .9rem rgb(0 0 0 / .12); }
figure:target { outline: 3px solid var(--accent); }
figure img { display: block; width: 100%; height: auto; }
figcaption { padding-top: .6rem; }
figcaption p { margin: .3rem 0; }
.prompt { font-style: italic; }
.details { color: var(--soft); font-size: .85rem; }
.honour { background: var(--gold); color: var(--on-gold); padding: .05rem .5rem; border-radius: 1rem; }
.ai { border: 1px solid var(--line); padding: .05rem .45rem; border-radius: .25rem; }
"""
POLICY: Final = (
    "default-src 'none'; img-src data:; "
    f"style-src 'sha256-{base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()}'; "
    "base-uri 'none'; form-action 'none'"
)


def site(book: Book, previews: Mapping[int, bytes], parts: Mapping[str, int]) -> Iterator[str]:
    """index.html piece by piece. `previews` are JPEGs by number; `parts` says in which ZIP (1, 2, ...) a file is."""
    part_count = max(parts.values(), default=1)
    yield from _head(book)
    yield from _opening(book, part_count)
    yield "<main>\n"
    for index, chapter in enumerate(book.chapters, start=1):
        yield f'<section id="member-{index}">\n<h2><bdi>{_safe(chapter.title)}</bdi></h2>\n<div class="pictures">\n'
        for plate in chapter.plates:
            where = f" (in ZIP file {parts[plate.file]})" if part_count > 1 else ""
            yield from _figure(plate, previews[plate.number], where)
        yield "</div>\n</section>\n"
    yield "</main>\n<footer><p>All pictures are AI-generated. Made with Darkroom.</p></footer>\n</body>\n</html>\n"


def credits_csv(book: Book) -> str:
    """One row for each picture. Nothing in it is taken for a formula by a spreadsheet."""
    text = io.StringIO(newline="")
    rows = csv.writer(text)
    rows.writerow(COLUMNS)
    for plate in book.plates:
        rows.writerow([harmless(cell) for cell in _credits(plate)])
    return text.getvalue()


def harmless(cell: str) -> str:
    """The text on one line, with an apostrophe in front where a spreadsheet would calculate."""
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


def _head(book: Book) -> Iterator[str]:
    yield '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
    yield f'<meta http-equiv="Content-Security-Policy" content="{escape(POLICY, quote=True)}">\n'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
    yield '<meta name="referrer" content="no-referrer">\n<meta name="robots" content="noindex">\n'
    yield f"<title>{_safe(book.title)} · Yearbook</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"


def _opening(book: Book, part_count: int) -> Iterator[str]:
    yield f'<header>\n<p class="kicker">Yearbook</p>\n<h1 dir="auto">{_safe(book.title)}</h1>\n'
    if book.theme.strip():
        yield f'<p class="theme" dir="auto">{_safe(book.theme.strip())}</p>\n'
    yield f'<p class="note">{_say_count(book)}</p>\n'
    if book.photos_by:
        names = ", ".join(f"<bdi>{_safe(name)}</bdi>" for name in book.photos_by)
        yield f'<p class="note">Trained on photos from {names}.</p>\n'
    if part_count > 1:
        yield (
            f'<p class="note">The originals are spread over {part_count} ZIP files. '
            "Unpack all of them into one folder, then every link to an original works.</p>\n"
        )
    yield from _winners(book)
    yield from _contents(book.chapters)
    yield "</header>\n"


def _say_count(book: Book) -> str:
    count = len(book.plates)
    says = f"{count} AI-generated picture{'' if count == 1 else 's'}."
    return f"{says} {book.left_out} more did not fit: a yearbook holds {MOST_PICTURES}." if book.left_out else says


def _winners(book: Book) -> Iterator[str]:
    if book.winners:
        yield '<ul class="winners">\n'
        for plate in book.winners:
            yield (
                f'<li><span class="honour">{plate.honour}</span> '
                f'<a href="#picture-{plate.number}"><bdi>{_safe(plate.maker)}</bdi>, no. {plate.number}</a></li>\n'
            )
        yield "</ul>\n"


def _contents(chapters: tuple[Chapter, ...]) -> Iterator[str]:
    if len(chapters) > 1:
        yield '<nav aria-label="Members">\n<ul>\n'
        for index, chapter in enumerate(chapters, start=1):
            yield f'<li><a href="#member-{index}"><bdi>{_safe(chapter.title)}</bdi></a></li>\n'
        yield "</ul>\n</nav>\n"


def _figure(plate: Plate, preview: bytes, where: str) -> Iterator[str]:
    alt = f"AI-generated picture {plate.number} by {plate.maker}: {_cut(plate.prompt, ALT_MAX)}"
    link = escape(plate.file, quote=True)
    yield f'<figure id="picture-{plate.number}">\n<a href="{link}"><img loading="lazy" alt="{_safe(alt)}" src="'
    yield f"data:image/jpeg;base64,{base64.b64encode(preview).decode()}"
    yield '"></a>\n<figcaption>\n'
    honour = f' <span class="honour">{plate.honour}</span>' if plate.honour else ""
    yield f'<p>No. {plate.number} <span class="ai">AI-generated</span>{honour}</p>\n'
    yield f'<p class="prompt" dir="auto">{_safe(_cut(plate.prompt, PROMPT_MAX))}</p>\n'
    yield f'<p class="details" dir="auto">{_safe(" · ".join(_details(plate)))}</p>\n'
    yield f'<p class="details"><a href="{link}">Original</a>{where}</p>\n</figcaption>\n</figure>\n'


def _details(plate: Plate) -> Iterator[str]:
    if plate.made_with:
        yield plate.made_with
    if plate.settings.seed is not None:
        yield f"seed {plate.settings.seed}"
    if said := say_settings(plate.settings):
        yield _cut(said, ALT_MAX)
    yield plate.provider


def _cut(text: str, most: int) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= most else flat[: most - 1] + "…"


def _safe(text: str) -> str:
    """Text for HTML, also between quotes."""
    return escape(_printable(text), quote=True)


def _printable(text: str) -> str:
    """Without control characters and halves of pairs, which no file in UTF-8 may hold."""
    return "".join(letter for letter in text if letter.isprintable() or letter == "\n")
