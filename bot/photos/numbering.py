"""The number of a ballot's entry, drawn into a corner of the copy that is shown."""

from typing import Final

from PIL import Image, ImageDraw, ImageFont

LEAST_PX: Final = 24
"""Height of the digits on a small picture; on a larger one they take a share of its shorter side."""
SHARE: Final = 9

_PLATE: Final = "#16181d"
_RIM: Final = "white"


def draw_number(picture: Image.Image, number: int) -> Image.Image:
    """The picture with its number in the top left corner, white on a dark plate with a white rim. RGB only."""
    size = max(LEAST_PX, min(picture.size) // SHARE)
    rim, inset = max(2, size // 12), size // 3
    marked = picture.copy()
    pen = ImageDraw.Draw(marked)
    font = ImageFont.load_default(size)
    width = max(round(pen.textlength(str(number), font=font)), size // 2) + 2 * inset
    plate = (inset, inset, inset + width, inset + size + inset)
    pen.rounded_rectangle(plate, radius=inset, fill=_PLATE, outline=_RIM, width=rim)
    middle = ((plate[0] + plate[2]) / 2, (plate[1] + plate[3]) / 2)
    pen.text(middle, str(number), fill=_RIM, font=font, anchor="mm")
    return marked
