"""What a file says of its colours, honoured: everything becomes sRGB."""

import io
import math
from collections.abc import Callable
from itertools import product
from typing import Final

from PIL import Image, ImageCms

from bot.photos.structure.outline import Colours

_D65: Final = (0.3127, 0.3290)
_D50: Final = (0.96422, 1.0, 0.82521)
_BT709: Final = (*_D65, 0.640, 0.330, 0.300, 0.600, 0.150, 0.060)
ADOBE_RGB: Final = Colours(gamma=2.19921875, chromaticities=(*_D65, 0.640, 0.330, 0.210, 0.710, 0.150, 0.060))
"""Adobe RGB (1998) Color Image Encoding, version 2005-05."""

# ITU-T H.273, tables 2 and 3. Those of old television differ from BT.709 by less than eyes see, and encoders write them
# for pictures that are sRGB; the same holds for the transfers 1, 6, 14 and 15.
_PRIMARIES: Final = {
    **dict.fromkeys((1, 2, 5, 6, 7), _BT709),
    9: (*_D65, 0.708, 0.292, 0.170, 0.797, 0.131, 0.046),
    11: (0.314, 0.351, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060),
    12: (*_D65, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060),
}
_SRGB_TRANSFERS: Final = frozenset({1, 2, 6, 13, 14, 15})
_HDR_TRANSFERS: Final = frozenset({16, 18})
_WHITE_NITS: Final = 203.0
"""White of a page in an HDR picture (ITU-R BT.2408)."""
_KNEE: Final = 0.6
_CURVE_POINTS: Final = 1024
_MODES: Final = {"RGB ": "RGB", "CMYK": "CMYK", "GRAY": "L"}
_UNUSABLE: Final = (OSError, ValueError, TypeError, ArithmeticError, ImageCms.PyCMSError)


def to_srgb(image: Image.Image, said: Colours) -> tuple[Image.Image, str]:
    """The picture in sRGB, and what it was taken from when its colours may be off by that: "HDR", "profile" or empty.

    `image` has mode L, RGB or CMYK. A picture that says nothing is taken by the plain rule for its mode.
    """
    profile, doubt = _profile_of(said)
    if profile:
        if (converted := _convert(image, profile)) is not None:
            return converted, doubt
        doubt = "profile"
    return image.convert("RGB"), doubt


def _profile_of(said: Colours) -> tuple[bytes, str]:
    if said.is_unreadable:
        return b"", "profile"
    if said.profile:
        return said.profile, ""
    if said.cicp is not None:
        return _profile_of_cicp(*said.cicp)
    is_plain = said.gamma is None or math.isclose(said.gamma, 2.2, rel_tol=0.03)
    if is_plain and (said.chromaticities is None or _are_alike(said.chromaticities, _BT709)):
        return b"", ""
    gamma = said.gamma
    light = _srgb_light if gamma is None else (lambda value: value**gamma)
    return _matrix_profile(said.chromaticities or _BT709, light)


def _profile_of_cicp(primaries: int, transfer: int) -> tuple[bytes, str]:
    chromaticities = _PRIMARIES.get(primaries)
    light = _srgb_light if transfer in _SRGB_TRANSFERS else _LIGHT.get(transfer)
    if chromaticities is None or light is None:
        return b"", "profile"
    if chromaticities is _BT709 and light is _srgb_light:
        return b"", ""
    profile, doubt = _matrix_profile(chromaticities, light)
    return profile, "HDR" if transfer in _HDR_TRANSFERS else doubt


def _are_alike(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return all(abs(a - b) < 0.005 for a, b in zip(one, other, strict=True))


def _convert(image: Image.Image, profile: bytes) -> Image.Image | None:
    """None when the profile is broken or not for pictures of this kind."""
    try:
        embedded = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        mode = _MODES.get(embedded.profile.xcolor_space)
        if image.mode == "L" and mode == "RGB":
            image = image.convert("RGB")
        if mode != image.mode:
            return None
        return ImageCms.profileToProfile(image, embedded, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except _UNUSABLE:
        return None


def _srgb_light(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4


def _pq_light(value: float) -> float:
    """SMPTE ST 2084, in units of white."""
    root = value ** (1 / 78.84375)
    return _soften((max(root - 0.8359375, 0.0) / (18.8515625 - 18.6875 * root)) ** (1 / 0.1593017578125) * 10_000)


def _hlg_light(value: float) -> float:
    """ITU-R BT.2100, on the reference display of 1,000 cd/m2."""
    scene = value**2 / 3 if value <= 0.5 else (math.exp((value - 0.55991073) / 0.17883277) + 0.28466892) / 12
    return _soften(scene**1.2 * 1_000)


def _soften(nits: float) -> float:
    """Up to the knee as it is; what is brighter is pressed together below 1."""
    light = nits / _WHITE_NITS
    return light if light <= _KNEE else 1 - (1 - _KNEE) * math.exp((_KNEE - light) / (1 - _KNEE))


_LIGHT: Final[dict[int, Callable[[float], float]]] = {
    4: lambda value: value**2.2,
    5: lambda value: value**2.8,
    8: lambda value: value,
    16: _pq_light,
    18: _hlg_light,
}


def _matrix_profile(chromaticities: tuple[float, ...], light: Callable[[float], float]) -> tuple[bytes, str]:
    """An ICC profile (ICC.1:2010) of three primaries and one curve; "profile" when these primaries make no colours."""
    try:
        columns = _adapted_primaries(chromaticities)
        points = [round(65535 * min(1.0, light(step / (_CURVE_POINTS - 1)))) for step in range(_CURVE_POINTS)]
    except ArithmeticError:
        return b"", "profile"
    curve = b"curv\x00\x00\x00\x00" + len(points).to_bytes(4) + b"".join(point.to_bytes(2) for point in points)
    tags = {
        b"desc": b"desc\x00\x00\x00\x00\x00\x00\x00\x02c\x00" + bytes(78),
        b"cprt": b"text\x00\x00\x00\x00none\x00",
        b"wtpt": _xyz(_D50),
        **{name + b"XYZ": _xyz(column) for name, column in zip((b"r", b"g", b"b"), columns, strict=True)},
        **{name + b"TRC": curve for name in (b"r", b"g", b"b")},
    }
    table, data = len(tags).to_bytes(4), b""
    for name, body in tags.items():
        table += name + (132 + 12 * len(tags) + len(data)).to_bytes(4) + len(body).to_bytes(4)
        data += body + bytes(-len(body) % 4)
    size = 128 + len(table) + len(data)
    head = size.to_bytes(4) + bytes(4) + b"\x02\x40\x00\x00mntrRGB XYZ " + bytes(12) + b"acsp" + bytes(28)
    return (head + _xyz(_D50)[8:]).ljust(128, b"\x00") + table + data, ""


def _xyz(values: tuple[float, ...]) -> bytes:
    return b"XYZ \x00\x00\x00\x00" + b"".join(round(value * 65536).to_bytes(4, signed=True) for value in values)


Matrix = tuple[tuple[float, ...], ...]
_BRADFORD: Final[Matrix] = ((0.8951, 0.2664, -0.1614), (-0.7502, 1.7135, 0.0367), (0.0389, -0.0685, 1.0296))


def _adapted_primaries(chromaticities: tuple[float, ...]) -> list[tuple[float, ...]]:
    """XYZ of red, green and blue at full strength under D50 (Bradford); ArithmeticError when there are none."""
    white, *primaries = (
        (x / y, 1.0, (1 - x - y) / y) for x, y in zip(chromaticities[::2], chromaticities[1::2], strict=True)
    )
    by_row = tuple(zip(*primaries, strict=True))
    strengths = _times(_inverse(by_row), white)
    cones = zip(_times(_BRADFORD, _D50), _times(_BRADFORD, white), strict=True)
    gains = [there / here for there, here in cones]
    back = _inverse(_BRADFORD)
    return [
        _times(back, tuple(g * c for g, c in zip(gains, _times(_BRADFORD, primary), strict=True)))
        for primary in (
            tuple(strength * part for part in primary) for strength, primary in zip(strengths, primaries, strict=True)
        )
    ]


def _times(matrix: Matrix, vector: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(sum(a * b for a, b in zip(row, vector, strict=True)) for row in matrix)


def _inverse(matrix: Matrix) -> Matrix:
    """Of three by three, by cofactors."""
    cofactors = [[0.0] * 3 for _ in range(3)]
    for row, column in product(range(3), range(3)):
        a, b = (each for each in range(3) if each != row)
        c, d = (each for each in range(3) if each != column)
        sign = -1 if (row + column) % 2 else 1
        cofactors[column][row] = sign * (matrix[a][c] * matrix[b][d] - matrix[a][d] * matrix[b][c])
    size = sum(matrix[0][column] * cofactors[column][0] for column in range(3))
    return tuple(tuple(each / size for each in row) for row in cofactors)
