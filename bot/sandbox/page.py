"""simcord's browser page, taking a modal with thirty photos instead of ten, and showing what is posted later."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import simcord
from aiohttp import BodyPartReader, web
from simcord.backend.errors import SetupError
from simcord.preview._server import PreviewServer

FILES_MAX = 30
UPLOAD_MAX_BYTES = 26 * 1024 * 1024
"""simcord's own cap for one submission."""
REFRESH_S = 0.5


class ManyFilesServer(PreviewServer):
    """simcord 3.2.1 counts ten files in one submission; Discord takes ten in each of a modal's upload fields."""

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


def open_page(env: simcord.Env, channel: simcord.ChannelHandle, viewers: list[simcord.MemberActor]) -> simcord.Preview:
    page = env.preview(channel, viewers=viewers, layout="channel")
    page._server = ManyFilesServer(page, 0)  # noqa: SLF001 - simcord has no public way to change its limits
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
            try:
                await page.refresh()
            except SetupError:
                # An action is running in the page; it publishes at its end, and so do we soon after.
                changed.set()
            await asyncio.sleep(REFRESH_S)
    finally:
        env.backend.subscribers.remove(notice)
