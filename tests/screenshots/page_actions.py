"""What a person does in the sandbox's page, and keeping a picture of what they see."""

import io
import re
from pathlib import Path

from PIL import Image
from playwright.async_api import Page

HERE = Path(__file__).parent
STEP_MS = 60_000
PICTURES_MS = 40_000
"""The page fetches its pictures one after the other."""
FRAME = {"x": 256.0, "y": 50.0, "width": 740.0, "height": 1150.0}


async def keep(page: Page, name: str) -> None:
    """The messages without simcord's frame around them, in 256 colours."""
    await page.wait_for_timeout(1500)
    for _ in range(PICTURES_MS // 500):
        if await page.evaluate("[...document.images].every((each) => each.naturalWidth > 0)"):
            break
        await page.wait_for_timeout(500)
    shot = await page.screenshot(clip=FRAME)  # type: ignore[arg-type]  # a plain dict with the four numbers
    with Image.open(io.BytesIO(shot)) as image:
        image.convert("RGB").quantize(256).save(HERE / f"{name}.png", optimize=True)


async def send(page: Page, command: str) -> None:
    await page.locator("#channel-composer-input").click()
    await page.locator("#channel-composer-input").type(command)
    await page.wait_for_timeout(700)
    await page.keyboard.press("Enter")
    await page.wait_for_timeout(300)
    await page.locator("button[type=submit], button[aria-label*=Send]").last.click()


async def press(page: Page, label: str) -> None:
    """The last button whose label begins like this."""
    button = page.get_by_role("button", name=re.compile(f"^{label}")).last
    await button.wait_for(timeout=STEP_MS)
    await button.click()


async def submit(page: Page) -> None:
    await page.get_by_role("button", name=re.compile("^Submit")).click()


async def become(page: Page, name: str) -> None:
    async with page.expect_navigation():
        await page.locator("#viewer-picker").select_option(label=name)
    await page.locator("#viewer-picker option:checked", has_text=name).wait_for(state="attached")
    await page.wait_for_timeout(1500)


async def read(page: Page, text: str) -> None:
    """Wait until this was posted, and look at it."""
    found = page.locator("main, body").get_by_text(text).last
    await found.wait_for(timeout=STEP_MS)
    await found.evaluate("(element) => element.scrollIntoView({block: 'center'})")
