"""WebP through Pillow's decoder alone, without the file class around it, which holds every pixel once more."""

from PIL import Image, WebPImagePlugin


def decode_webp(content: bytes) -> Image.Image:
    """The first frame at full size, in mode RGBA or RGBX; raises OSError or ValueError when it does not decode."""
    decoder = WebPImagePlugin._webp.WebPAnimDecoder(content)  # type: ignore[attr-defined]  # noqa: SLF001
    size, _loops, _background, _frames, mode = decoder.get_info()
    frame = decoder.get_next()
    if frame is None:
        raise ValueError("no frame")
    pixels, _ends_at = frame
    return Image.frombuffer(mode, size, pixels, "raw", mode, 0, 1)
