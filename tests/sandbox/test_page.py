"""The sandbox's page in a real browser: a newcomer's first five minutes."""

import asyncio
import contextlib
import re
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Page, async_playwright

from bot.records.key import ProviderName
from bot.sandbox.apiframe.state import RehearsalTimings
from bot.sandbox.page import keep_fresh, open_page
from bot.sandbox.samples.photos import GOOD
from bot.sandbox.world import REHEARSAL_KEY, World, open_world

pytestmark = pytest.mark.browser

STEP_MS = 120_000
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
FAST = RehearsalTimings(pending_s=0.3, uploading_s=0.3, training_s=1.0, image_queue_s=0.1, image_work_s=0.3)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with open_world(tmp_path) as world:
        world.provider._world.timings = FAST
        keys = world.darkroom.services.keys
        await keys.set(world.guild.id, ProviderName.APIFRAME, REHEARSAL_KEY, set_by=world.admin.id)
        yield world


@pytest.fixture
async def page(world: World) -> AsyncIterator[Page]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("the distribution's Chromium is not installed")
    async with open_page(world.env, world.channel, [*world.members, world.admin]) as preview:
        refresher = asyncio.create_task(keep_fresh(preview, world.env))
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
            page = await browser.new_page(viewport={"width": 1000, "height": 1200})
            page.set_default_timeout(STEP_MS)
            await page.goto(preview.url)
            yield page
            await browser.close()
        refresher.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await refresher


async def test_a_newcomer_trains_a_lora_and_sees_its_first_picture_without_a_reload(page: Page) -> None:
    loads: list[str] = []
    page.on("framenavigated", lambda frame: loads.append(frame.url))
    await choose_command(page, "/train")
    await page.locator("[id^=modal-input-]").first.fill("Foxy")
    uploads = page.locator("input.upload-input")
    await uploads.nth(0).set_input_files(GOOD[:10])
    await uploads.nth(1).set_input_files(GOOD[10:16])
    await page.locator("input[type=checkbox]").last.check()
    await page.get_by_role("button", name=re.compile("^Submit")).click()
    await page.get_by_role("button", name="Start training (16 photos)").click()
    await page.get_by_role("heading", name="Accepted #1").wait_for()
    await page.get_by_role("button", name="Make the first picture").click()
    await page.get_by_role("button", name=re.compile("^Submit")).click()
    await page.get_by_text("Pictures #1 · AI-generated").last.wait_for()
    picture = page.get_by_alt_text(re.compile("^AI-generated picture 1 of 1"))
    await picture.wait_for()
    handle = await picture.element_handle()
    await page.wait_for_function("image => image.complete && image.naturalWidth > 200", arg=handle)
    assert loads == []


async def choose_command(page: Page, command: str) -> None:
    composer = page.locator("#channel-composer-input")
    await composer.click()
    await composer.press_sequentially(command)
    await page.locator("#command-picker-listbox [role=option]").first.wait_for()
    await page.keyboard.press("Enter")
    await page.locator("button[type=submit], button[aria-label*=Send]").last.click()
