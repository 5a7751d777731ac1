"""The sandbox's page in a real browser, on a screen as wide as a test asks for."""

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.async_api import Page, async_playwright

from bot.records.key import ProviderName
from bot.sandbox.apiframe.state import RehearsalTimings
from bot.sandbox.page import keep_fresh, open_page
from bot.sandbox.play import welcome
from bot.sandbox.world import REHEARSAL_KEY, TIMINGS, World, open_world
from tests.sandbox.page.person import STEP_MS

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
FAST = RehearsalTimings(pending_s=0.3, uploading_s=0.3, training_s=1.0, image_queue_s=0.1, image_work_s=0.3)
DESKTOP, PHONE = (1280, 1000), (390, 844)


@pytest.fixture(params=[DESKTOP, PHONE], ids=["desktop", "phone"])
def screen(request: pytest.FixtureRequest) -> tuple[int, int]:
    """Width and height in pixels; only tests that ask for it are played on both."""
    size: tuple[int, int] = request.param
    return size


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """Stages of events end when somebody closes them, however slow the machine is."""
    async with open_world(tmp_path, timings=replace(TIMINGS, event_hour=timedelta(hours=1))) as world:
        world.provider._world.timings = FAST
        keys = world.darkroom.services.keys
        await keys.set(world.guild.id, ProviderName.APIFRAME, REHEARSAL_KEY, set_by=world.admin.id)
        yield world


@pytest.fixture
async def page(world: World, request: pytest.FixtureRequest) -> AsyncIterator[Page]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("the distribution's Chromium is not installed")
    start = await welcome(world)
    wide, high = request.getfixturevalue("screen") if "screen" in request.fixturenames else DESKTOP
    async with open_page(world.env, world.channel, [*world.members, world.admin], start=start) as preview:
        refresher = asyncio.create_task(keep_fresh(preview, world.env))
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
            page = await browser.new_page(viewport={"width": wide, "height": high})
            page.set_default_timeout(STEP_MS)
            await page.goto(preview.url)
            yield page
            await browser.close()
        refresher.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await refresher
