"""What a person does in the sandbox's page: type, press, choose, look."""

import re
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from playwright.async_api import Locator, Page

from bot.sandbox.samples.photos import GOOD

STEP_MS = 120_000
"""A step that takes longer never ends."""


async def follow(page: Page, words: str) -> None:
    """Do what the words say, one after the other, and nothing else; a word that nobody can follow fails."""
    for step in re.split(r"[.,] (?![^“]*”)", words.rstrip(".")):
        for pattern, act in STEPS.items():
            found = re.fullmatch(pattern, step, re.IGNORECASE)
            if found is not None:
                await act(page, *found.groups())
                break
        else:
            raise AssertionError(f"Nobody can follow this: {step}")


async def type_in(page: Page, text: str) -> None:
    await page.locator("#channel-composer-input").click()
    await page.locator("#channel-composer-input").press_sequentially(text)
    await page.locator("#command-picker-listbox [role=option]").first.wait_for()


async def press_enter(page: Page) -> None:
    await page.keyboard.press("Enter")
    await page.locator(".command-chip").wait_for()


async def press_plane(page: Page) -> None:
    await page.locator("#send-message").click()


async def press(page: Page, label: str) -> None:
    await page.get_by_role("button", name=re.compile(f"^{label}")).last.click()


async def wait_for(page: Page, label: str) -> None:
    await page.get_by_role("button", name=re.compile(f"^{label}")).last.wait_for()


async def open_list(page: Page) -> None:
    await page.locator(".select-trigger").get_by_text("Please choose").click()


async def choose_option(page: Page, option: str) -> None:
    await page.get_by_role("option", name=option).click()


async def fill(page: Page, text: str) -> None:
    """Write this into the form's first field."""
    await page.locator("[id^=modal-input-]").first.fill(text)


async def choose(page: Page, other: str | None, field: str) -> None:
    photos = GOOD[10:20] if other else GOOD[:10]
    await page.locator("input.upload-input").nth(("first", "second").index(field)).set_input_files(photos)


async def tick(page: Page) -> None:
    await page.locator("input[type=checkbox]").last.check()


STEPS: dict[str, Callable[..., Awaitable[None]]] = {
    r"type (/[a-z ]+)": type_in,
    r"press Enter": press_enter,
    r"press the paper plane": press_plane,
    r"press “Please choose”": open_list,
    r"choose “(.+)”": choose_option,
    r"press “(.+)”": press,
    r"wait until “(.+)” is there": wait_for,
    r"name it (\w+)": fill,
    r"choose ten (other )?photos in the (first|second) field": choose,
    r"tick the box": tick,
}


def room(page: Page, name: str) -> Locator:
    return page.locator("#room-picker option").get_by_text(name, exact=True)


async def go_to(page: Page, name: str) -> None:
    """Open this room, once it is called so; a dot before a name says that something new is there."""
    await room(page, name).wait_for(state="attached")
    async with page.expect_navigation():
        await page.locator("#room-picker").select_option(label=name)
    await page.locator("#room-picker option:checked", has_text=name.removeprefix("● ")).wait_for(state="attached")


async def become(page: Page, name: str) -> None:
    async with page.expect_navigation():
        await page.locator("#viewer-picker").select_option(label=name)
    await page.locator("#viewer-picker option:checked", has_text=name).wait_for(state="attached")


async def read(page: Page, text: str) -> None:
    """Wait until this stands in the room that is shown, and bring it into sight."""
    found = page.locator("#channel-message-list").get_by_text(text).last
    await found.wait_for()
    await found.scroll_into_view_if_needed()


async def give(page: Page, photos: Sequence[Path]) -> None:
    """Send these photos with the form that is open, with consent."""
    await page.locator("input.upload-input").first.set_input_files(photos)
    await tick(page)
    await press(page, "Submit")


async def command(page: Page, text: str) -> None:
    """Send a command that needs no options."""
    await type_in(page, text)
    await press_enter(page)
    await press_plane(page)


async def see_whole(page: Page, alt: str) -> None:
    picture = page.get_by_alt_text(re.compile(alt)).last
    await picture.wait_for()
    handle = await picture.element_handle()
    await page.wait_for_function("image => image.complete && image.naturalWidth > 200", arg=handle)
