"""Each scene of the sandbox opens at its moment, and the first step that its guide names can be taken there."""

import re
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.errors import StartupError
from bot.records.post import PostKind
from bot.sandbox.scenes import LORAS, MEMBERS, SCENES, actor_of, first_step, prepare
from bot.sandbox.world import REHEARSAL_KEY, open_world
from tests.cogs.simulated_guild import TIMINGS, Stage, answer_to, fields_of, shorten_timings
from tests.fakes.posted import kind_in


@pytest.fixture
async def sandbox(tmp_path: Path, migrated_file: Path, without_pauses: None) -> AsyncIterator[Stage]:
    (tmp_path / "data").mkdir()
    shutil.copy(migrated_file, tmp_path / "data" / "darkroom.db")
    async with open_world(tmp_path, timings=TIMINGS) as world:
        shorten_timings(world)
        yield Stage(world)


async def test_the_finished_event_has_a_winner_a_yearbook_and_a_place_in_the_hall_of_fame(sandbox: Stage) -> None:
    await prepare(sandbox.world, "finished-event")
    await sandbox.posted(f"<@{sandbox.cleo.id}>")
    made = await sandbox.use(sandbox.ben, "event yearbook")
    assert "yearbook" in answer_to(made).lower()
    messages = [*([made.response] if made.response else []), *made.followups]
    assert any(message.attachments for message in messages)
    assert f"<@{sandbox.cleo.id}>" in answer_to(await sandbox.use(sandbox.ben, "event fame"))
    sent = [(kind_in(body.get("components", [])), body) for _, body in sandbox.sent_messages()]
    announced = [body for kind, body in sent if kind is PostKind.EVENT_ANNOUNCEMENT]
    opened = [body["allowed_mentions"] for body in announced if " is open" in str(body)]
    assert [len(allowed["roles"]) for allowed in opened] == [1], "the role for event news"


async def test_without_a_key_ben_is_told_and_ada_sets_the_one_that_the_guide_names(sandbox: Stage) -> None:
    await prepare(sandbox.world, "no-key")
    assert "no Apiframe key" in answer_to(await sandbox.use(sandbox.ben, "imagine", prompt="a fox"))
    key = re.findall(r"write (\S+),", first_step("no-key"))
    assert key == [REHEARSAL_KEY]
    form = await sandbox.use(sandbox.ada, "keys set", provider="apiframe")
    saved = await sandbox.ada.submit_modal(form, {fields_of(form)[0]: key[0]})
    assert "### Key saved" in answer_to(saved)


async def test_the_failed_training_starts_again_by_one_press_and_goes_well(sandbox: Stage) -> None:
    await prepare(sandbox.world, "failed-training")
    failed = await sandbox.posted("was not trained")
    assert "Accepted #2" in answer_to(await sandbox.ben.click(failed, label="Start again"))
    await sandbox.posted("is ready")


async def test_the_big_server_lists_its_loras_and_finds_one_by_letters(sandbox: Stage) -> None:
    await prepare(sandbox.world, "big-server")
    assert len(sandbox.world.guild._guild.members) >= MEMBERS
    assert len(await sandbox.world.darkroom.services.loras.usable_by(actor_of(sandbox.ben))) == LORAS
    assert "Fox" in answer_to(await sandbox.use(sandbox.ben, "loras list"))
    found = await sandbox.ben.autocomplete(sandbox.channel, "imagine", "lora", "Fox 57")
    assert "Fox 57" in found[0]["name"]


@pytest.mark.parametrize("name", [each for each in SCENES if each])
def test_each_scene_says_what_to_do_first(name: str) -> None:
    assert re.search(r"As (Ben|Ada) ", first_step(name))


def test_an_unknown_scene_is_refused_with_the_names_of_those_that_there_are() -> None:
    said = "There is no scene party. There are finished-event, no-key, failed-training, big-server."
    with pytest.raises(StartupError, match=re.escape(said)):
        first_step("party")
