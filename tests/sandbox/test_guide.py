"""What the guide of the sandbox says to try: a limit, a named person, a blocked member, with the commands it names."""

import re
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.sandbox.guide import TRIES, guide
from bot.sandbox.page import open_page
from bot.sandbox.play import welcome
from bot.sandbox.samples.photos import GOOD
from bot.sandbox.world import REHEARSAL_KEYS, open_world
from tests.cogs.simulated_guild import TIMINGS, Stage, answer_to, board_of, shorten_timings, text_of

PHOTOS = [(path.name, path.read_bytes()) for path in GOOD[:2]]


@pytest.fixture
async def sandbox(tmp_path: Path, migrated_file: Path, without_pauses: None) -> AsyncIterator[Stage]:
    """With the keys that `make sandbox` sets, and their limits."""
    (tmp_path / "data").mkdir()
    shutil.copy(migrated_file, tmp_path / "data" / "darkroom.db")
    async with open_world(tmp_path, timings=TIMINGS) as world:
        shorten_timings(world)
        for provider, key in REHEARSAL_KEYS.items():
            await world.darkroom.services.keys.set(world.guild.id, provider, key, set_by=world.admin.id)
        yield Stage(world)


async def imagine(stage: Stage) -> str:
    """Ben orders a picture; what he reads."""
    return answer_to(await stage.use(stage.ben, "imagine", prompt="a fox at dawn"))


async def test_each_command_of_the_guide_is_there_for_the_admin(sandbox: Stage) -> None:
    there = sandbox.ada.available_commands(sandbox.channel)
    things = " ".join(guide("http://page").partition("Viewing as")[2].split())
    named = set(re.findall(r"(?<= )/([a-z]+(?: (?:status|set|clear|show|test|block|unblock|log)\b)?)", things))
    assert {"budget set", "budget show", "me", "moderation block", "moderation unblock"} <= named
    assert sorted(named - set(there)) == []


async def test_the_guide_is_the_first_message_with_all_that_is_printed_to_try(sandbox: Stage) -> None:
    await welcome(sandbox.world)
    said = text_of(sandbox.posts()[0])
    for title, text in TRIES.items():
        assert f"**{title}:** {text}" in said
        assert " ".join(f"{title}: {text}".split()) in " ".join(guide("http://page").split())


async def test_a_member_reaches_their_limit_with_the_second_picture(sandbox: Stage) -> None:
    assert "300 of 300 left" in answer_to(await sandbox.use(sandbox.ben, "budget show"))
    await sandbox.use(sandbox.ada, "budget set", who="member", credits=3)
    assert "Accepted #1" in await imagine(sandbox)
    await sandbox.posted("Pictures #1 · AI-generated")
    refused = await imagine(sandbox)
    assert "This takes 3 credits. Each member here may use 3 credits a month, and 0 are left; they renew" in refused
    assert "0 of 3 left" in answer_to(await sandbox.use(sandbox.ben, "budget show"))


@pytest.mark.parametrize(
    ("label", "said", "left"),
    [("Yes, that is fine", "Thank you", "2 of"), ("No, remove them", "These photos are deleted", "0 of")],
)
async def test_a_named_person_sees_the_photos_under_me_and_answers(
    sandbox: Stage, label: str, said: str, left: str
) -> None:
    await sandbox.send_form(sandbox.ben, "Foxy", PHOTOS)
    board = board_of(await sandbox.use(sandbox.ben, "dataset show"))
    opened = await sandbox.ben.click(board, label="Who is in them?")
    await sandbox.ben.select(board_of(opened), [sandbox.cleo])
    page = board_of(await sandbox.use(sandbox.cleo, "me"))
    question = board_of(await sandbox.cleo.click(page, label="Show and answer"))
    assert "May these photos be used?" in text_of(question)
    assert [file.filename for file in question.attachments] == ["contact-sheet.jpg"]
    assert said in answer_to(await sandbox.cleo.click(question, label=label))
    assert left in answer_to(await sandbox.use(sandbox.ben, "dataset show"))


async def test_the_page_shows_what_a_card_shows_by_its_link(sandbox: Stage) -> None:
    await sandbox.send_form(sandbox.ben, "Foxy", PHOTOS)
    message = await sandbox.cleo.send(sandbox.channel, "look", attachments=PHOTOS)
    opened = await sandbox.ben.context_menu(sandbox.channel, "Add photos to my dataset", message)
    await sandbox.submit_fields(sandbox.ben, opened, True)
    quiet = sandbox.world.guild.create_text_channel("quiet")
    asked = board_of(await sandbox.use(sandbox.cleo, "me", quiet))
    assert "May your photos" in answer_to(await sandbox.cleo.click(asked, label="Show and answer"))
    async with open_page(sandbox.world.env, quiet, [sandbox.cleo]) as page:
        assets = (await page.snapshot())["assets"].values()
    assert [each["available"] for each in assets if each["filename"] == "file.jpg"] == [True, True]


async def test_a_blocked_member_is_refused_until_they_are_let_in_again(sandbox: Stage) -> None:
    await sandbox.use(sandbox.ada, "moderation block", member=sandbox.ben)
    assert "have blocked you" in await imagine(sandbox)
    assert sandbox.charges() == []
    await sandbox.use(sandbox.ada, "moderation unblock", member=sandbox.ben)
    assert "Accepted #1" in await imagine(sandbox)
