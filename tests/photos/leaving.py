"""What leaves Darkroom of a photo: pixels. Photos full of what must not leave, and how it is found."""

import io
import struct

from PIL import Image

SECRETS = (b"SERIAL123456", b"Sample maker", b"secret remark")
ALLOWED_SEGMENTS = {0xE0, 0xDB, 0xC0, 0xC4, 0xDA}
ALLOWED_INFO = {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
XMP = b"<x:xmpmeta><GPSLatitude>48</GPSLatitude>secret remark</x:xmpmeta>"


def personal_exif() -> Image.Exif:
    """Camera, remark, serial number and place."""
    exif = Image.Exif()
    exif[0x010F], exif[0x9286], exif[0xA431] = "Sample maker", "secret remark", "SERIAL123456"
    exif[0x8825] = {1: "N", 2: (48.0, 51.0, 29.6), 3: "E", 4: (2.0, 17.0, 40.2)}
    return exif


def leaks(jpeg: bytes) -> list[str]:
    """What a prepared JPEG holds beside its pixels."""
    found = [secret.decode() for secret in SECRETS if secret in jpeg]
    found += [f"segment {code:X}" for code in sorted(segments_of(jpeg) - ALLOWED_SEGMENTS)]
    if not jpeg.endswith(b"\xff\xd9"):
        found.append("something behind the end")
    with Image.open(io.BytesIO(jpeg)) as image:
        image.load()
        found += sorted(str(key) for key in image.info.keys() - ALLOWED_INFO)
        if image.mode != "RGB" or image.format != "JPEG" or image.getexif():
            found.append("no plain RGB JPEG")
    return found


def segments_of(jpeg: bytes) -> set[int]:
    """The marker codes up to the first scan."""
    found, at = set(), 2
    while True:
        marker, length = jpeg[at + 1], struct.unpack(">H", jpeg[at + 2 : at + 4])[0]
        found.add(marker)
        if marker == 0xDA:
            return found
        at += 2 + length
