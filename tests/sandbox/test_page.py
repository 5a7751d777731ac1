"""The sandbox's page in a real browser: the words of its guide are followed, and whatever happens can be seen."""

import asyncio
import contextlib
import re
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import discord
import pytest
from playwright.async_api import Locator, Page, async_playwright

from bot.records.key import ProviderName
from bot.sandbox.apiframe.state import RehearsalTimings
from bot.sandbox.guide import TRY_A_LORA
from bot.sandbox.page import keep_fresh, open_page
from bot.sandbox.play import welcome
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
    start = await welcome(world)
    async with open_page(world.env, world.channel, [*world.members, world.admin], start=start) as preview:
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


async def test_the_words_of_the_guide_lead_to_a_lora_and_its_first_picture(page: Page) -> None:
    """Mutant: the guide says "press Enter until the form opens", as it did: it never opens."""
    loads: list[str] = []
    page.on("framenavigated", lambda frame: loads.append(frame.url))
    await page.get_by_text(TRY_A_LORA).wait_for()
    await follow(page, TRY_A_LORA)
    await page.get_by_text("Pictures #2 · AI-generated").last.wait_for()
    await see_whole(page, "^AI-generated picture 1 of 1")
    await page.wait_for_function(IS_IN_SIGHT)
    assert loads == []
    for name in ("Cleo", "Ben"):
        await become(page, name)
        await see_whole(page, "^AI-generated picture 1 of 1")


async def test_threads_and_private_messages_are_rooms_and_a_dot_says_what_is_new(page: Page, world: World) -> None:
    bot, cleo = world.env.bot, world.members[1]
    await room(page, "# darkroom").wait_for(state="attached")
    dm = await bot.create_dm(discord.Object(cleo.id))
    panel = await bot.get_partial_messageable(world.channel.id, guild_id=world.guild.id).send("here")
    thread = await panel.create_thread(name="Fox days")
    await thread.send("said in the thread")
    await become(page, "Cleo")
    await room(page, "↳ Fox days").wait_for(state="attached")
    await dm.send("a question for Cleo alone")
    await room(page, "● Private messages").wait_for(state="attached")
    await page.locator("#room-picker").select_option(label="● Private messages")
    await page.get_by_text("a question for Cleo alone").last.wait_for()
    await room(page, "Private messages").wait_for(state="attached")
    await become(page, "Ben")
    await page.get_by_text("No messages in this channel").wait_for()
    await page.locator("#room-picker").select_option(label="↳ Fox days")
    await page.locator("#channel-message-list").get_by_text("said in the thread").wait_for()
    assert await page.get_by_text("a question for Cleo alone").count() == 0


async def test_a_command_that_is_sent_in_a_thread_is_answered_there(page: Page, world: World) -> None:
    channel = world.env.bot.get_partial_messageable(world.channel.id, guild_id=world.guild.id)
    await (await channel.send("here")).create_thread(name="Fox days")
    await room(page, "↳ Fox days").wait_for(state="attached")
    await page.locator("#room-picker").select_option(label="↳ Fox days")
    await page.locator("#channel-name").get_by_text("Fox days").wait_for()
    await follow(page, "Type /about, press Enter, press the paper plane.")
    await page.locator("#channel-message-list").get_by_text("Trains a LoRA").wait_for()
    assert await page.locator("#channel-name").inner_text() == "Fox days"


async def test_times_go_on_and_a_long_channel_opens_at_its_end(page: Page, world: World) -> None:
    channel = world.env.bot.get_partial_messageable(world.channel.id, guild_id=world.guild.id)
    for number in range(60):
        await channel.send(f"message {number}")
    now = int(world.darkroom.services.keys._clock.now().timestamp())
    await channel.send(f"told <t:{now}:R>, began <t:{now - 7200}:R>, ends at <t:{now}:t>")
    await become(page, "Cleo")
    await page.locator("#channel-message-list").get_by_text("told").wait_for()
    shown = page.locator("#channel-message-list time.discord-timestamp")
    at_first = await shown.all_inner_texts()
    assert at_first[1] == "2 hours ago"
    await page.wait_for_function(
        "text => document.querySelector('#channel-message-list time.discord-timestamp').innerText !== text",
        arg=at_first[0],
    )
    assert re.fullmatch(r"\d+ seconds? ago|1 minute ago", (await shown.all_inner_texts())[0])
    assert (await shown.all_inner_texts())[1:] == at_first[1:]


async def test_the_toolbar_is_whole_on_a_phone(page: Page) -> None:
    """Mutant: the toolbar keeps the height that simcord gives it; its first row is cut off."""
    await page.set_viewport_size({"width": 390, "height": 844})
    await room(page, "# darkroom").wait_for(state="attached")
    await page.locator("#action-status").get_by_text("Viewport updated").wait_for()
    assert await page.evaluate(CUT_OFF) == []


CUT_OFF = """() => {
  const toolbar = document.getElementById("toolbar");
  const { top, bottom } = toolbar.getBoundingClientRect();
  const cut = (box) => box.height > 0 && (box.top < top || box.bottom > bottom);
  return [...toolbar.children].filter((each) => cut(each.getBoundingClientRect())).map((each) => each.outerHTML);
}"""
IS_IN_SIGHT = """() => {
  const timeline = document.getElementById("channel-timeline");
  return timeline.scrollHeight - timeline.scrollTop - timeline.clientHeight <= 2;
}"""


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


async def name_it(page: Page, name: str) -> None:
    await page.locator("[id^=modal-input-]").first.fill(name)


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
    r"name it (\w+)": name_it,
    r"choose ten (other )?photos in the (first|second) field": choose,
    r"tick the box": tick,
}


def room(page: Page, name: str) -> Locator:
    return page.locator("#room-picker option").get_by_text(name, exact=True)


async def become(page: Page, name: str) -> None:
    async with page.expect_navigation():
        await page.locator("#viewer-picker").select_option(label=name)
    await page.locator("#viewer-picker option:checked", has_text=name).wait_for(state="attached")


async def see_whole(page: Page, alt: str) -> None:
    picture = page.get_by_alt_text(re.compile(alt)).last
    await picture.wait_for()
    handle = await picture.element_handle()
    await page.wait_for_function("image => image.complete && image.naturalWidth > 200", arg=handle)
