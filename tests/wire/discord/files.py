"""Files behind attachment links: what people uploaded and what the bot posted, and the links' life."""

import io
import mimetypes
from dataclasses import dataclass

from PIL import Image, UnidentifiedImageError

from tests.wire.discord.answers import Json, refuse
from tests.wire.discord.world import Snowflakes

REQUEST_LIMIT_BYTES = 25 * 1024 * 1024
"""A whole message request (Discord documentation, resources/message)."""


@dataclass(eq=False)
class StoredFile:
    id: int
    channel_id: int
    name: str
    content: bytes
    content_type: str
    size_pixels: tuple[int, int] | None
    is_ephemeral: bool = False
    description: str | None = None
    is_gone: bool = False
    fetched: int = 0

    @property
    def path(self) -> str:
        return f"/attachments/{self.channel_id}/{self.id}/{self.name}"


def measure_image(content: bytes) -> tuple[int, int] | None:
    try:
        with Image.open(io.BytesIO(content)) as image:
            return image.size
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError):
        return None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        return None


class FileStore:
    """`base_url` is the CDN's address without a trailing slash, set once the server listens."""

    def __init__(self, snowflakes: Snowflakes) -> None:
        self._snowflakes = snowflakes
        self._files: dict[int, StoredFile] = {}
        self.base_url = ""

    def keep(self, name: str, content: bytes, channel_id: int, *, is_ephemeral: bool = False) -> StoredFile:
        guessed = mimetypes.guess_type(name)[0] or "application/octet-stream"
        file = StoredFile(
            self._snowflakes.make(), channel_id, name, content, guessed, measure_image(content), is_ephemeral
        )
        self._files[file.id] = file
        return file

    def find(self, file_id: int) -> StoredFile | None:
        """None when it never existed or its link has expired."""
        file = self._files.get(file_id)
        return None if file is None or file.is_gone else file

    def expire_all(self) -> None:
        """Every link made so far answers 404 from now on."""
        for file in self._files.values():
            file.is_gone = True

    def url(self, file: StoredFile) -> str:
        return f"{self.base_url}{file.path}?ex=6f000000&is=6e000000&hm={file.id:064x}&"

    def media_payload(self, file: StoredFile) -> Json:
        width, height = file.size_pixels or (None, None)
        return {
            "url": self.url(file),
            "proxy_url": self.url(file).replace("/attachments/", "/proxy/"),
            "content_type": file.content_type,
            "width": width,
            "height": height,
        }

    def payload(self, file: StoredFile) -> Json:
        described = {"description": file.description} if file.description else {}
        ephemeral = {"ephemeral": True} if file.is_ephemeral else {}
        names = {"id": str(file.id), "filename": file.name, "size": len(file.content), "flags": 0}
        return names | self.media_payload(file) | described | ephemeral


def check_sizes(sizes: list[int], limit_bytes: int, request_bytes: int) -> None:
    """413 / 40005 when one file is above `limit_bytes` or the request above Discord's cap; 30015 above ten files."""
    if request_bytes > REQUEST_LIMIT_BYTES or any(size > limit_bytes for size in sizes):
        raise refuse(40005)
    if len(sizes) > 10:
        raise refuse(30015)
