"""`make sandbox`: the simulated Discord in the browser, with keys set, photos to upload and an event to play."""

import asyncio
import socket
import tempfile
from pathlib import Path

from bot.sandbox.event import open_sample_event
from bot.sandbox.page import keep_fresh, open_page
from bot.sandbox.samples.photos import GOOD, TRICKY
from bot.sandbox.world import REHEARSAL_KEY, REHEARSAL_KEYS, open_world


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


async def run() -> None:
    """`python -m bot sandbox`: until Ctrl+C."""
    with tempfile.TemporaryDirectory(prefix="darkroom-sandbox-") as name:
        folder = Path(name)
        async with open_world(folder, webhook_port=free_port()) as world:
            previews = await asyncio.to_thread(world.aurous.paint_previews)
            for provider, key in REHEARSAL_KEYS.items():
                await world.darkroom.services.keys.set(world.guild.id, provider, key, set_by=world.admin.id)
            await open_sample_event(world)
            viewers = [*world.members, world.admin]
            async with open_page(world.env, world.channel, viewers, previews) as page:
                _welcome(page.url)
                await keep_fresh(page, world.env)


def _welcome(url: str) -> None:
    lines = (
        "",
        "Darkroom's sandbox is ready. Open this address in a browser:",
        "",
        f"    {url}",
        "",
        f"Sample photos to upload: {GOOD[0].parent}",
        f"({len(GOOD)} good ones, and {len(TRICKY)} tricky ones in its folder “tricky”)",
        "",
        "Try: type /train, press Enter until the form opens, give it a name and the photos, tick the box, Submit.",
        "Press Start training, wait half a minute, then make a picture.",
        "Then try /styles, /train subject:a character with one photo, and the buttons below a picture.",
        "An event is open in the channel. Press Give photos as Ben, then as Cleo (ten each); as Ada close each stage",
        "early with /event status: the photos are chosen, a LoRA is trained, make a picture as Ben and as Cleo, vote.",
        "“Viewing as” switches between Ben, Cleo and Ada, the admin; Ada can try /keys status and /keys test.",
        f"Rehearsal keys are set already; Apiframe's is {REHEARSAL_KEY}.",
        "Ctrl+C ends the sandbox and deletes everything.",
        "",
    )
    print("\n".join(lines), flush=True)  # noqa: T201 - what `make sandbox` is for
