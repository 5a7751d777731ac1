"""The main job: photos, a LoRA, its first picture, styles."""

from playwright.async_api import Page

from bot.sandbox.samples.photos import GOOD, TRICKY
from bot.sandbox.world import World
from tests.screenshots.page_actions import STEP_MS, keep, press, send, submit


async def play_job(page: Page, world: World) -> None:
    await send(page, "/train")
    await page.locator(".select-trigger").last.click()
    await page.get_by_role("option", name="A pet, object or place").click()
    await page.locator("[id^=modal-input-]").first.fill("Foxy")
    uploads = page.locator("input.upload-input")
    for index, files in enumerate((GOOD[:10], [*GOOD[10:17], *TRICKY[:3]])):
        await uploads.nth(index).set_input_files(files)
    await page.locator("input[type=checkbox]").last.check()
    await submit(page)
    start = page.get_by_role("button", name="Start training")
    await start.wait_for(timeout=STEP_MS)
    await keep(page, "board")
    await press(page, "Start training")
    await press(page, "Make the next picture")
    await page.locator("[id^=modal-input-]").first.fill("Foxy on a boat, soft light")
    await submit(page)
    await page.get_by_text("Pictures #2 · AI-generated").last.wait_for(timeout=STEP_MS)
    await keep(page, "pictures")
    await send(page, "/styles")
    below = page.get_by_role("button", name="Use this style").last
    await below.wait_for(timeout=STEP_MS)
    await below.scroll_into_view_if_needed()
    await keep(page, "styles")
