"""Draws the votes of a ballot and the table of a season. Blocking."""

from collections.abc import Mapping, Sequence
from typing import Final

from PIL import Image, ImageDraw

from bot.events.ballot.results import Season, VoteCount
from bot.lettering import Line
from bot.photos.jpeg import encode_jpeg

WIDTH: Final = 1200
MARGIN: Final = 56
ROW: Final = 64
TEXT: Final = 30
HEADING: Final = 44
MOST_ROWS: Final = 20
SOMEBODY: Final = "somebody who has left"
"""Of whom Discord tells no name."""
LIMIT: Final = 900_000
QUALITY: Final = 92

_PAPER: Final = "#f6f0e3"
_INK: Final = "#2e2a24"
_SOFT_INK: Final = "#7d7464"
_BAR: Final = "#8a7fc0"
_JURY: Final = "#4f4490"
_PLACES: Final = {1: "#e0b13a", 2: "#b8b8b8", 3: "#c08552"}


def draw_votes(title: str, counts: Sequence[VoteCount]) -> bytes:
    """A JPEG with a bar for each entry, the best first; the part of the jury's votes is darker."""
    shown = counts[:MOST_ROWS]
    says = f"{_counted(sum(each.votes for each in counts), 'vote')} in all"
    says += "; dark: the jury's" if any(each.jury_votes for each in counts) else ""
    page, pen, top = _page(title, says, len(shown), len(counts))
    highest = max((each.votes for each in shown), default=0) or 1
    left, room = MARGIN + 330, WIDTH - 2 * MARGIN - 330 - 150
    for index, each in enumerate(shown):
        middle = top + index * ROW + ROW // 2
        _medal(pen, each.place, middle)
        called = f"Number {each.number}" if each.label is None else each.label
        Line(called, TEXT, 250).draw(pen, (MARGIN + 60, middle), fill=_INK, anchor="lm")
        for votes, colour in ((each.votes, _BAR), (each.jury_votes, _JURY)):
            if votes:
                long = max(6, round(room * votes / highest))
                pen.rounded_rectangle((left, middle - 18, left + long, middle + 18), radius=6, fill=colour)
        where = (left + round(room * each.votes / highest) + 18, middle)
        Line(_counted(each.votes, "vote"), TEXT).draw(pen, where, fill=_INK, anchor="lm")
    return encode_jpeg(page, LIMIT, QUALITY)


def draw_season(season: Season, names: Mapping[int, str]) -> bytes:
    """A JPEG with the members' points of the year, the best first. `names` by user id."""
    shown = season.rows[:MOST_ROWS]
    page, pen, top = _page(
        f"Season {season.year}", "3, 2 and 1 points for the first three places", len(shown), len(season.rows)
    )
    place = 0
    for index, row in enumerate(shown):
        middle = top + index * ROW + ROW // 2
        if index == 0 or row.points != shown[index - 1].points or row.votes != shown[index - 1].votes:
            place = index + 1
        _medal(pen, place, middle)
        Line(names.get(row.user_id, SOMEBODY), TEXT, 480).draw(pen, (MARGIN + 60, middle), fill=_INK, anchor="lm")
        for column, (won, at) in enumerate(zip(row.places, (660, 740, 820), strict=True), start=1):
            pen.ellipse((at - 16, middle - 16, at + 16, middle + 16), fill=_PLACES[column])
            Line(str(won), 24).draw(pen, (at, middle), fill=_INK, anchor="mm")
        Line(_counted(row.points, "point"), TEXT).draw(pen, (900, middle), fill=_INK, anchor="lm")
        Line(_counted(row.votes, "vote"), 22).draw(pen, (1050, middle), fill=_SOFT_INK, anchor="lm")
    return encode_jpeg(page, LIMIT, QUALITY)


def _page(title: str, says: str, rows: int, of: int) -> tuple[Image.Image, ImageDraw.ImageDraw, int]:
    """An empty page for so many rows, its pen, and where the first row begins."""
    top = MARGIN + HEADING + 60
    page = Image.new("RGB", (WIDTH, top + rows * ROW + MARGIN), _PAPER)
    pen = ImageDraw.Draw(page)
    Line(title, HEADING, WIDTH - 2 * MARGIN).draw(pen, (MARGIN, MARGIN + HEADING - 10), fill=_INK)
    more = f" · the best {rows} of {of}" if of > rows else ""
    Line(says + more, 24).draw(pen, (MARGIN, MARGIN + HEADING + 32), fill=_SOFT_INK)
    return page, pen, top


def _medal(pen: ImageDraw.ImageDraw, place: int, middle: int) -> None:
    colour = _PLACES.get(place)
    if colour is not None:
        pen.ellipse((MARGIN, middle - 20, MARGIN + 40, middle + 20), fill=colour)
    Line(str(place), 24).draw(pen, (MARGIN + 20, middle), fill=_INK, anchor="mm")


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
