"""A file host on loopback, as Discord's CDN is to the bot."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from aiohttp import web

from bot.records.dataset import Upload
from tests.photos.sample_photos import encode, noise


@dataclass
class Attachments:
    """`statuses`: answers with this status for a path; everything else is 200 with the stored bytes."""

    base_url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    statuses: dict[str, int] = field(default_factory=dict)
    asked_for: list[str] = field(default_factory=list)

    def add(self, name: str, content: bytes, *, status: int = 200, size: int | None = None) -> Upload:
        """`size` is what the upload claims to have, by default the truth."""
        path = f"{len(self.files)}/{name}"
        self.files[path], self.statuses[path] = content, status
        return Upload(name, f"{self.base_url}/{path}", len(content) if size is None else size)

    def add_photos(self, count: int, *, first: int = 1) -> list[Upload]:
        """Good photos, each unlike the others."""
        return [self.add(f"photo-{number}.jpg", make_photo(number)) for number in range(first, first + count)]

    async def serve(self, request: web.Request) -> web.Response:
        path = request.match_info["path"]
        self.asked_for.append(path)
        return web.Response(status=self.statuses[path], body=self.files[path], content_type="image/jpeg")


def make_photo(number: int) -> bytes:
    return encode(noise(700, 525, number), "JPEG", quality=60)


@contextlib.asynccontextmanager
async def open_attachments() -> AsyncIterator[Attachments]:
    attachments = Attachments()
    app = web.Application()
    app.router.add_get("/{path:.*}", attachments.serve)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    attachments.base_url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield attachments
    finally:
        await runner.cleanup()
