"""An event of a shared subject, from its panel to its ballot."""

from collections.abc import Sequence
from pathlib import Path

from playwright.async_api import Page

from bot.sandbox.event import open_sample_event
from bot.sandbox.samples.photos import GOOD
from bot.sandbox.world import World
from tests.screenshots.page_actions import STEP_MS, become, keep, press, read, send, submit


async def play_event(page: Page, world: World) -> None:
    await open_sample_event(world)
    for name, files in (("Ben", GOOD[:10]), ("Cleo", GOOD[10:])):
        await become(page, name)
        await give(page, files)
    await become(page, "Ada")
    await read(page, "Withdraw")
    await keep(page, "event-panel")
    for _ in ("collecting", "reviewing"):
        await send(page, "/event close")
        await press(page, "Yes, close it")
        await page.wait_for_timeout(3000)
    await read(page, "the pictures are here")
    await read(page, "the LoRA is ready")
    await keep(page, "event-ready")
    for name, prompt in (("Ben", "riding a bicycle"), ("Cleo", "reading a book")):
        await become(page, name)
        await make(page, prompt)
    await become(page, "Ada")
    await send(page, "/event close")
    await press(page, "Yes, close it")
    await become(page, "Ben")
    await read(page, "Look closely and vote")
    await keep(page, "event-ballot")


async def give(page: Page, files: Sequence[Path]) -> None:
    await press(page, "Give photos")
    await page.locator("input.upload-input").first.set_input_files(files)
    await page.locator("input[type=checkbox]").last.check()
    await submit(page)
    await page.get_by_text("Thank you!").last.wait_for(timeout=STEP_MS)


async def make(page: Page, prompt: str) -> None:
    await press(page, "Make a picture")
    await page.locator("[id^=modal-input-]").first.fill(prompt)
    await submit(page)
    await read(page, "It comes to you alone")
