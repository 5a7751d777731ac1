"""simcord's browser page with what a sandbox lacks there: thirty photos in a form, later posts, other rooms."""

import asyncio
import contextlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

import simcord
from aiohttp import BodyPartReader, web
from simcord.backend.cdn import CdnStore
from simcord.backend.errors import BackendError, SetupError
from simcord.preview._server import PreviewServer

from bot.sandbox.rooms import Room, rooms_of

FILES_MAX = 30
UPLOAD_MAX_BYTES = 26 * 1024 * 1024
"""simcord's own cap for one submission."""
PICTURES_AT_ONCE = 4
"""simcord prepares one after the other and refuses those that come while eight wait."""
REFRESH_S = 0.5
SCRIPT = Path(__file__).with_name("page.js")
BEFORE = '<link rel="stylesheet" href="/preview.css">'
"""Where the script is put into simcord's page: it has to run before simcord's own."""
BRAND, NAME = "<strong>SimCord</strong><small>Preview</small>", "<strong>Darkroom</strong><small>Sandbox</small>"


class PatientServer(PreviewServer):
    """simcord 3.2.1's server for a page that also changes by itself, with as many files as a modal of Discord takes.

    It counts ten files in one submission; Discord takes ten in each upload field. And it rejects a press that was made
    just before the page showed a new message; a person expects such a press to count. It shows one channel only; here
    each opened page shows the room that it asked for.
    """

    _STATIC_FILES: ClassVar[dict[str, str]] = {**PreviewServer._STATIC_FILES, "/page.js": "", "/rooms": ""}  # noqa: SLF001

    def __init__(self, page: simcord.Preview, port: int, members: list[simcord.MemberActor], start: int | None) -> None:
        super().__init__(page, port)
        self._members = {str(member.id): member for member in members}
        self._first = page.channel
        self._start = start
        self._rooms: dict[str, Room] = {}
        """What each opened page shows."""
        self.turn = asyncio.Lock()
        """Held by whoever acts on the page or refreshes it."""
        self._pictures = asyncio.Semaphore(PICTURES_AT_ONCE)

    async def _static(self, request: web.Request) -> web.Response:
        if request.path == "/page.js":
            text = SCRIPT.read_text(encoding="utf-8")
            return web.Response(text=text, content_type="application/javascript", headers=self._SECURITY_HEADERS)
        if request.path == "/rooms":
            return self._show_rooms(request)
        answer: web.Response = await super()._static(request)
        if request.path == "/" and answer.text is not None:
            text = answer.text.replace("<title>SimCord Preview", "<title>Darkroom's sandbox").replace(BRAND, NAME)
            answer.text = text.replace(BEFORE, f'<script src="/page.js"></script>{BEFORE}')
        return answer

    def _show_rooms(self, request: web.Request) -> web.Response:
        """Where the person may look, and the newest message that they see there."""
        if not self._authorized(request):
            raise web.HTTPUnauthorized
        rooms = self._rooms_of(request.query.get("viewer_id"))
        found = [{"id": room.id, "name": room.name, "last": str(max(room.visible(), default=0))} for room in rooms]
        return web.json_response(found, headers=self._SECURITY_HEADERS)

    def _rooms_of(self, viewer_id: str | None) -> list[Room]:
        """Of this person, the first of them for any other id."""
        member = self._members.get(viewer_id or "") or next(iter(self._members.values()))
        return rooms_of(self.preview.env, self._first, member)

    async def _pages(self, request: web.Request) -> web.Response:
        if not self._authorized(request):
            raise web.HTTPUnauthorized
        wanted = await request.json()
        rooms = self._rooms_of(wanted.get("viewer_id"))
        room = next((each for each in rooms if each.id == wanted.get("room_id")), rooms[0])
        there = room.visible()
        is_first = wanted.get("viewer_id") is None and self._start in there
        target = self._start if is_first else max(there, default=None)
        async with self.turn:
            with self._showing(room):
                page = self.preview._open_page(room.viewer.id, target)  # noqa: SLF001 - simcord opens one channel only
            self._rooms[page.id] = room
        return web.json_response(self.preview._page_payload(page), headers=self._SECURITY_HEADERS)  # noqa: SLF001

    @contextlib.contextmanager
    def _showing(self, room: Room | None) -> Iterator[None]:
        """Meanwhile simcord takes this room for the one that it shows; of no page of ours the first."""
        preview = self.preview
        channel, viewers = preview.channel, preview.viewers
        if room is not None:
            preview.channel = room.channel
            preview.viewers = tuple(room.viewer if each.id == room.viewer.id else each for each in viewers)
        try:
            yield
        finally:
            preview.channel, preview.viewers = channel, viewers

    async def _asset(self, request: web.Request) -> web.StreamResponse:
        async with self._pictures:
            answer: web.StreamResponse = await super()._asset(request)
        return answer

    async def _action(self, request: web.Request) -> web.Response:
        context = request.headers.get("X-Simcord-Context")
        if not self._authorized(request, context=context):
            raise web.HTTPUnauthorized
        is_form = request.content_type.startswith("multipart/")
        body = await self._multipart_action(request) if is_form else await request.json()
        async with self.turn:
            shown = self.preview._pages.get(context or "")  # noqa: SLF001 - simcord offers no public look at it
            if shown is not None and "published_revision" in body:
                body["published_revision"] = shown.revision
            try:
                with self._showing(self._rooms.get(context or "")):
                    result = await self.preview._action(context, body)  # noqa: SLF001
            except (SetupError, BackendError) as error:
                raise web.HTTPBadRequest(text=str(error)) from error
        return web.json_response(result, headers=self._SECURITY_HEADERS)

    async def _multipart_action(self, request: web.Request) -> dict[str, Any]:
        payload: dict[str, Any] = {}
        files: dict[str, list[tuple[str, bytes]]] = {}
        total = 0
        async for part in await request.multipart():
            if not isinstance(part, BodyPartReader):
                raise web.HTTPBadRequest(text="a form inside a form")
            blob = bytes(await part.read())
            total += len(blob)
            if total > UPLOAD_MAX_BYTES or sum(map(len, files.values())) > FILES_MAX:
                raise web.HTTPRequestEntityTooLarge(max_size=UPLOAD_MAX_BYTES, actual_size=total)
            name = part.name or ""
            if name == "payload":
                payload = json.loads(blob)
            elif name.startswith("file:"):
                files.setdefault(name.removeprefix("file:"), []).append((part.filename or "upload", blob))
        if payload.get("kind") == "run_command":
            payload["options"].update({option: uploads[0] for option, uploads in files.items()})
        else:
            payload["values"].update(files)
        return payload


class WithUploads(dict[str, tuple[str, bytes]]):
    """Pictures by their address, and every upload in the simulated Discord, which cards may show by its link."""

    def __init__(self, assets: Mapping[str, tuple[str, bytes]], uploads: CdnStore) -> None:
        super().__init__(assets)
        self._uploads = uploads

    def get(self, url: str, default: Any = None) -> Any:
        """The name and the bytes of what this address leads to."""
        data = self._uploads.get(url)
        return super().get(url, default) if data is None else (url.rpartition("/")[2], data)


def open_page(
    env: simcord.Env,
    channel: simcord.ChannelHandle,
    viewers: list[simcord.MemberActor],
    pictures: Mapping[str, bytes] | None = None,
    start: int | None = None,
) -> simcord.Preview:
    """`pictures`: JPEGs of other servers by their address; the page loads none itself.

    `start`: the message that a newly opened page begins with, by default the newest.
    """
    assets = {url: (url.rpartition("/")[2], data) for url, data in (pictures or {}).items()}
    page = env.preview(channel, viewers=viewers, layout="channel", assets=assets)
    page._server = PatientServer(page, 0, viewers, start)  # noqa: SLF001 - simcord has no public way to change its limits
    page._explicit_assets = WithUploads(assets, env.backend.cdn)  # noqa: SLF001 - nor to show what a link leads to
    return page


async def keep_fresh(page: simcord.Preview, env: simcord.Env) -> None:
    """Show what the bot posts by itself: simcord publishes only after an action in the page."""
    changed = asyncio.Event()

    def notice(event: str, _payload: Mapping[str, Any]) -> None:
        if event.startswith("MESSAGE_"):
            changed.set()

    env.backend.subscribers.append(notice)
    try:
        while True:
            await changed.wait()
            changed.clear()
            server = page._server  # noqa: SLF001 - ours, put there by `open_page`
            async with server.turn if isinstance(server, PatientServer) else contextlib.nullcontext():
                with contextlib.suppress(SetupError):  # another program acts on the same world; its end publishes, too
                    await page.refresh()
            await asyncio.sleep(REFRESH_S)
    finally:
        env.backend.subscribers.remove(notice)
