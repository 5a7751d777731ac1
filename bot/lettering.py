"""Texts drawn into pictures, in whatever scripts they are: each run of letters in a typeface that has them.

The chain begins with Pillow's own typeface. The others are looked for on the machine; the image has Debian's
fonts-dejavu-core, fonts-noto-core and fonts-noto-cjk. Letters that none has are left out, never drawn as boxes.
"""

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from functools import cache, lru_cache
from typing import Final

from PIL import ImageDraw, ImageFont, features

OWN: Final = ""
"""The typeface that Pillow brings."""
SCRIPTS: Final[Mapping[str, str]] = {
    "NotoSansCJK-Regular.ttc": "中",
    "NotoSansArabic-Regular.ttf": "ع",
    "NotoSansHebrew-Regular.ttf": "ש",
    "NotoSansThai-Regular.ttf": "ก",
    "NotoSansDevanagari-Regular.ttf": "क",
    "NotoSansBengali-Regular.ttf": "ক",
    "NotoSansTamil-Regular.ttf": "க",
    "NotoSansTelugu-Regular.ttf": "క",
    "NotoSansGujarati-Regular.ttf": "ક",
    "NotoSansGurmukhi-Regular.ttf": "ਕ",
    "NotoSansKannada-Regular.ttf": "ಕ",
    "NotoSansMalayalam-Regular.ttf": "ക",
    "NotoSansSinhala-Regular.ttf": "ක",
    "NotoSansKhmer-Regular.ttf": "ក",
    "NotoSansLao-Regular.ttf": "ກ",
    "NotoSansMyanmar-Regular.ttf": "က",
    "NotoSansEthiopic-Regular.ttf": "ሀ",
    "NotoSansGeorgian-Regular.ttf": "ა",
    "NotoSansArmenian-Regular.ttf": "ա",
}
"""Typefaces by file name (https://fonts.google.com/noto), each with a letter of its script."""
FACES: Final = (
    "NotoSans-Regular.ttf",
    "DejaVuSans.ttf",
    *SCRIPTS,
    "NotoSansSymbols-Regular.ttf",
    "NotoSansSymbols2-Regular.ttf",
    "NotoSansMath-Regular.ttf",
    "Arial Unicode.ttf",
    "arial.ttf",
)
MISSING_LETTER: Final = "\U000f1234"
"""A private-use character that no typeface has; it is drawn as the box for missing letters."""
JOINERS: Final = "\u200c\u200d"
"""They shape the letters beside them in Persian and in the scripts of India."""
RIGHT_TO_LEFT: Final = frozenset({"R", "AL"})

Run = tuple[str, str]
"""A typeface and letters that it has."""


class Line:
    """One line of text, ready to be drawn."""

    def __init__(self, text: str, size: int, width: float | None = None) -> None:
        """`width` in pixels: a longer text ends in three dots."""
        self._size = size
        self.text = drawable(text)
        self._runs = _in_order(_runs(self.text))
        if width is not None and self.length > width:
            self._cut(width)

    @property
    def length(self) -> float:
        return sum(_font(face, self._size).getlength(letters) for face, letters in self._runs)

    def draw(self, pen: ImageDraw.ImageDraw, at: tuple[float, float], *, fill: str, anchor: str = "ls") -> None:
        """`anchor`: "ls", "lm" or "mm" as Pillow names them; the base line is the same for all typefaces."""
        x, y = at
        if anchor[0] == "m":
            x -= self.length / 2
        if anchor[1] == "m":
            above, below = _font(OWN, self._size).getmetrics()
            y += (above - below) / 2
        for face, letters in self._runs:
            font = _font(face, self._size)
            pen.text((x, y), letters, fill=fill, font=font, anchor="ls")
            x += font.getlength(letters)

    def _cut(self, width: float) -> None:
        clusters, least, most = _clusters(self.text), 0, len(_clusters(self.text))
        while least < most:
            middle = (least + most + 1) // 2
            self._runs = _in_order(_runs("".join(clusters[:middle]).rstrip() + "…"))
            least, most = (middle, most) if self.length <= width else (least, middle - 1)
        self.text = "".join(clusters[:least]).rstrip() + "…"
        self._runs = _in_order(_runs(self.text))


def drawable(text: str) -> str:
    """The text on one line, without what cannot be drawn here."""
    flat = "".join(" " if each.isspace() else each for each in text if each.isspace() or _is_visible(each))
    shown = "".join(_nearest(cluster) for cluster in _clusters(" ".join(flat.split())))
    return " ".join(shown.split()).strip(JOINERS + " ")


def loses_letters(text: str) -> bool:
    """Whether a letter or digit of the text cannot be drawn here, so that it is not the same name any more."""
    return any(each.isalnum() and not _nearest(each) for each in text) or not drawable(text)


def missing_scripts() -> Sequence[str]:
    """The typefaces of the chain whose script nothing on this machine draws."""
    return [name for name, letter in SCRIPTS.items() if not any(_has(face, letter) for face in _faces())]


def _clusters(text: str) -> list[str]:
    """Letters with the marks and joiners that belong to them."""
    found: list[str] = []
    for letter in text:
        if found and _belongs_to(letter, found[-1]):
            found[-1] += letter
        elif letter not in JOINERS:
            found.append(letter)
    return found


def _belongs_to(letter: str, before: str) -> bool:
    """Joiners belong to letters without capitals alone: in Latin they would be drawn."""
    if letter in JOINERS:
        return unicodedata.category(before[0]) == "Lo"
    return unicodedata.category(letter) in {"Mn", "Mc", "Me"} and not before.isspace()


def _runs(text: str) -> list[Run]:
    """As few as possible: the typeface goes on as long as it has the letters."""
    runs: list[Run] = []
    for cluster in _clusters(text):
        face = _face_of(cluster, runs[-1][0] if runs else OWN)
        if runs and runs[-1][0] == face:
            runs[-1] = (face, runs[-1][1] + cluster)
        else:
            runs.append((face, cluster))
    return runs


def _face_of(cluster: str, before: str) -> str:
    faces = [before, *_faces()]
    return next((face for face in faces if all(_has(face, each) for each in cluster)), OWN)


def _in_order(runs: Sequence[Run]) -> list[Run]:
    """From left to right as they are read: runs of Hebrew or Arabic that follow each other begin on the right.

    Within a run Raqm does it (https://pillow.readthedocs.io/en/stable/reference/features.html).
    """
    is_right = [_is_right_to_left(letters) for _, letters in runs]
    ordered: list[Run] = []
    group: list[Run] = []
    for run, right in zip(runs, is_right, strict=True):
        if right:
            group.insert(0, run)
        else:
            ordered += [*group, run]
            group = []
    ordered += group
    begins_right = next((right for right, (_, letters) in zip(is_right, runs, strict=True) if letters.strip()), False)
    return ordered[::-1] if begins_right and not all(is_right) else ordered


def _is_right_to_left(letters: str) -> bool:
    strong = (unicodedata.bidirectional(each) for each in letters)
    return next((each in RIGHT_TO_LEFT for each in strong if each in {"L", *RIGHT_TO_LEFT}), False)


def _is_visible(letter: str) -> bool:
    """Whether it is no control character, direction mark or surrogate; joiners stay with their letters."""
    if letter in JOINERS:
        return bool(features.check("raqm"))
    return unicodedata.category(letter) not in {"Cc", "Cf", "Cs", "Co", "Cn"} and not "\ufe00" <= letter <= "\ufe0f"


def _nearest(cluster: str) -> str:
    """The letter with its marks, else without them, else its nearest in ASCII, else nothing."""
    composed = unicodedata.normalize("NFC", cluster)
    for tried in (cluster, composed, composed[:1]):
        if any(all(_has(face, each) for each in tried) for face in _faces()):
            return tried
    return "".join(each for each in unicodedata.normalize("NFKD", cluster) if each.isascii() and _has(OWN, each))


@lru_cache(maxsize=20_000)
def _has(face: str, letter: str) -> bool:
    if letter == " " or letter in JOINERS:
        return True
    mask = bytes(_font(face, 16).getmask(letter))
    return mask != _missing(face) and (any(mask) or unicodedata.category(letter)[0] not in "LN")


@cache
def _missing(face: str) -> bytes:
    return bytes(_font(face, 16).getmask(MISSING_LETTER))


@cache
def _faces() -> tuple[str, ...]:
    """Pillow's own and those of FACES that this machine has."""
    return (OWN, *_found(FACES))


def _found(names: Iterable[str]) -> list[str]:
    found = []
    for name in names:
        try:
            found.append(str(ImageFont.truetype(name, 16).path))
        except OSError:
            continue
    return found


@lru_cache(maxsize=256)
def _font(face: str, size: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.truetype(face, size) if face else ImageFont.load_default(size)
    if not isinstance(font, ImageFont.FreeTypeFont):
        raise RuntimeError("Pillow was built without FreeType")  # noqa: TRY004
    return font
