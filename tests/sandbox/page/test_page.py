"""The sandbox's page in a real browser: the words of its guide are followed, and whatever happens can be seen."""

import re

import discord
import pytest
from playwright.async_api import Page

from bot.sandbox.guide import TRY_A_LORA
from bot.sandbox.world import World
from tests.sandbox.page.person import become, follow, go_to, room, see_whole

pytestmark = pytest.mark.browser


@pytest.mark.usefixtures("screen")
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
    await room(page, "● ↳ Fox days").wait_for(state="attached")
    await dm.send("a question for Cleo alone")
    await room(page, "● Private messages").wait_for(state="attached")
    await go_to(page, "● Private messages")
    await page.get_by_text("a question for Cleo alone").last.wait_for()
    await room(page, "Private messages").wait_for(state="attached")
    await become(page, "Ben")
    await page.get_by_text("No messages in this channel").wait_for()
    await go_to(page, "● ↳ Fox days")
    await page.locator("#channel-message-list").get_by_text("said in the thread").wait_for()
    assert await page.get_by_text("a question for Cleo alone").count() == 0


async def test_a_command_that_is_sent_in_a_thread_is_answered_there(page: Page, world: World) -> None:
    channel = world.env.bot.get_partial_messageable(world.channel.id, guild_id=world.guild.id)
    await (await channel.send("here")).create_thread(name="Fox days")
    await go_to(page, "↳ Fox days")
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
