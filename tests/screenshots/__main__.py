"""Play the main job in the sandbox's page and keep a picture of each step."""

import asyncio
import io
import re
import shutil
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.async_api import Page, async_playwright

from bot.sandbox.page import keep_fresh, open_page
from bot.sandbox.samples import write_samples
from bot.sandbox.world import REHEARSAL_KEYS, open_world

HERE = Path(__file__).parent
STEP_MS = 60_000
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


async def keep(page: Page, name: str) -> None:
    """The messages without simcord's frame around them, in 256 colours."""
    await page.wait_for_timeout(1500)
    shot = await page.screenshot(clip={"x": 256, "y": 50, "width": 740, "height": 1150})
    with Image.open(io.BytesIO(shot)) as image:
        image.convert("RGB").quantize(256).save(HERE / f"{name}.png", optimize=True)


async def send(page: Page, command: str) -> None:
    await page.locator("#channel-composer-input").click()
    await page.locator("#channel-composer-input").type(command)
    await page.wait_for_timeout(700)
    await page.keyboard.press("Enter")
    await page.wait_for_timeout(300)
    await page.locator("button[type=submit], button[aria-label*=Send]").last.click()


async def play(page: Page, photos: list[Path]) -> None:
    await send(page, "/train")
    await page.locator("[id^=modal-input-]").first.fill("Foxy")
    uploads = page.locator("input.upload-input")
    good, tricky = photos[:20], photos[20:]
    for index, files in enumerate((good[:10], good[10:18], tricky[:3])):
        await uploads.nth(index).set_input_files(files)
    await page.locator("input[type=checkbox]").last.check()
    await page.get_by_role("button", name=re.compile("^Submit")).click()
    start = page.get_by_role("button", name=re.compile("^Start training"))
    await start.wait_for(timeout=STEP_MS)
    await keep(page, "board")
    await start.click()
    first = page.get_by_role("button", name="Make the first picture")
    await first.wait_for(timeout=STEP_MS)
    await first.click()
    await page.locator("[id^=modal-input-]").first.fill("Foxy on a boat, soft light")
    await page.get_by_role("button", name=re.compile("^Submit")).click()
    await page.get_by_text("AI-generated").wait_for(timeout=STEP_MS)
    await keep(page, "pictures")
    await send(page, "/styles")
    below = page.get_by_role("button", name="Use this style").last
    await below.wait_for(timeout=STEP_MS)
    await below.scroll_into_view_if_needed()
    await keep(page, "styles")


async def main() -> None:
    chromium = shutil.which("chromium")
    if chromium is None:
        sys.exit("The screenshots need Debian's chromium: apt-get install chromium.")
    with tempfile.TemporaryDirectory() as name:
        photos = write_samples(Path(name) / "photos")
        async with open_world(Path(name)) as world:
            for provider, key in REHEARSAL_KEYS.items():
                await world.darkroom.services.keys.set(world.guild.id, provider, key, set_by=world.admin.id)
            previews = world.aurous.paint_previews()
            async with open_page(world.env, world.channel, [*world.members, world.admin], previews) as preview:
                refresher = asyncio.create_task(keep_fresh(preview, world.env))
                async with async_playwright() as playwright:
                    browser = await playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
                    page = await browser.new_page(viewport={"width": 1000, "height": 1270})
                    await page.goto(preview.url)
                    await play(page, photos)
                    await browser.close()
                refresher.cancel()


asyncio.run(main())
