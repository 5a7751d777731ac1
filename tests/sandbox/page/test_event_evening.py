"""One whole event in the sandbox's page, by pressing only what its people see: photos, a LoRA, pictures, a vote."""

import pytest
from playwright.async_api import Page

from bot.records.event import EventStatus
from bot.sandbox.event import open_sample_event
from bot.sandbox.samples.photos import GOOD
from bot.sandbox.world import World
from tests.sandbox.page.person import become, command, fill, give, go_to, press, read

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("screen")]

PROMPTS = {"Ben": "riding a bicycle", "Cleo": "reading a book"}


async def test_an_event_is_played_from_its_first_photo_to_its_yearbook(page: Page, world: World) -> None:
    event = await open_sample_event(world)
    for name, photos in (("Ben", GOOD[:10]), ("Cleo", GOOD[10:20])):
        await become(page, name)
        await press(page, "Give photos")
        await give(page, photos)
        await read(page, "Thank you!")
    await close_stage(page)
    await read(page, "Photos are being looked through")
    await close_stage(page)
    await read(page, "the pictures are here")
    for name, prompt in PROMPTS.items():
        await become(page, name)
        await press(page, "Make a picture")
        await fill(page, prompt)
        await press(page, "Submit")
        await go_to(page, "● Private messages")
        await press(page, "Enter in event")
        await read(page, "Entered.")
        await go_to(page, "# darkroom")
    await close_stage(page)
    for name in ("Ben", "Ada"):
        await become(page, name)
        await press(page, "Look closely and vote")
        await press(page, "Vote for number")
        await read(page, "Your vote is for")
    await close_stage(page)
    await read(page, "Congratulations!")
    await command(page, "/event yearbook")
    await press(page, "Post it for everybody")
    await read(page, "The yearbook of")
    played = await world.darkroom.services.events.view(event.id)
    assert played is not None
    assert played.event.status is EventStatus.FINISHED
    assert sum(each.votes for each in played.winners) == 2
    assert {each.user_id for each in played.winners} <= {member.id for member in world.members}


async def close_stage(page: Page) -> None:
    """As the host, early."""
    await become(page, "Ada")
    await command(page, "/event close")
    await press(page, "Yes, close it")
