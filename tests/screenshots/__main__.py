"""Play the main job and an event in the sandbox's page, and keep a picture of each step."""

import asyncio
import contextlib
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any

from playwright.async_api import Page, async_playwright

from bot.sandbox.page import keep_fresh, open_page
from bot.sandbox.world import REHEARSAL_KEYS, World, open_world
from tests.screenshots.event import play_event
from tests.screenshots.job import play_job

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
Play = Callable[[Page, World], Coroutine[Any, Any, None]]


@contextlib.asynccontextmanager
async def sandbox_page(chromium: str, folder: Path) -> AsyncIterator[tuple[Page, World]]:
    async with open_world(folder) as world:
        for provider, key in REHEARSAL_KEYS.items():
            await world.darkroom.services.keys.set(world.guild.id, provider, key, set_by=world.admin.id)
        previews = world.aurous.paint_previews()
        async with open_page(world.env, world.channel, [*world.members, world.admin], previews) as preview:
            refresher = asyncio.create_task(keep_fresh(preview, world.env))
            async with async_playwright() as playwright:
                browser = await playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
                page = await browser.new_page(viewport={"width": 1000, "height": 1270})
                await page.goto(preview.url)
                yield page, world
                await browser.close()
            refresher.cancel()


async def main() -> None:
    chromium = shutil.which("chromium")
    if chromium is None:
        sys.exit("The screenshots need Debian's chromium: apt-get install chromium.")
    plays: tuple[Play, ...] = (play_job, play_event)
    for play in plays:
        with tempfile.TemporaryDirectory() as name:
            async with sandbox_page(chromium, Path(name)) as (page, world):
                await play(page, world)


asyncio.run(main())
