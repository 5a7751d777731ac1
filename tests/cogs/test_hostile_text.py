"""What people type or name their files never comes alive in a message: no ping, no link, no formatting."""

from typing import Any

import pytest

from bot.photos.checks import display_name
from bot.sandbox.apiframe.state import JobFault, TrainingFault
from tests.cogs.hostile_texts import MARK, SAMPLES
from tests.cogs.markdown import alive, live_text
from tests.cogs.simulated_guild import Stage, answer_to, board_of, photo, photos, text_of


def assert_harmless(text: str) -> None:
    assert "`" not in live_text(text), text
    assert alive(text) == [], text
    assert MARK in text, "the sample should be shown"


async def test_datasets_and_photos_with_hostile_names_are_shown_harmlessly(keyed: Stage) -> None:
    for name in (sample for sample in SAMPLES if len(sample) <= 40):
        files = [(f"{name}.jpg", photo(1)), (f"{name}.gif", b"GIF89a, or so it says"), (f"{name}.jpg", photo(1))]
        board = board_of(await keyed.send_form(keyed.ben, name, files))
        assert_harmless(text_of(board))
        assert_harmless(answer_to(await keyed.use(keyed.ben, "dataset discard")))


@pytest.mark.parametrize("sample", SAMPLES)
def test_a_hostile_file_name_keeps_no_backtick_line_or_direction_mark(sample: str) -> None:
    assert not set("`\n\r\u202e\u2066") & set(display_name(f"{sample}.jpg"))


async def test_hostile_names_stay_harmless_from_training_to_archive(keyed: Stage) -> None:
    name = f"x` @everyone {MARK}"
    board = board_of(await keyed.send_form(keyed.ben, name, photos(15)))
    assert_harmless(answer_to(await keyed.start(keyed.ben, board)))
    ready = await keyed.posted("is ready")
    assert_harmless(text_of(ready))
    for message in keyed.posts():
        assert_harmless(text_of(message))
    commands: list[tuple[str, dict[str, Any]]] = [
        ("loras list", {}),
        ("loras show", {"lora": "lora-1"}),
        ("loras archive", {"lora": "lora-1"}),
        ("jobs", {}),
        ("imagine", {"prompt": "x", "lora": "lora-1"}),
    ]
    for command, options in commands:
        assert_harmless(answer_to(await keyed.use(keyed.ben, command, **options)))
    opened = await keyed.ben.click(ready, label="Make the first picture")
    assert opened.modal is not None
    assert len(opened.modal["title"]) <= 45


async def test_hostile_prompts_are_posted_harmlessly(keyed: Stage) -> None:
    await keyed.give_lora(keyed.ben)
    prompts = [" ".join(SAMPLES)[:1900], f"{MARK} " + "a" * 1890, f"x` {MARK} @everyone"]
    for number, prompt in enumerate(prompts, start=1):
        accepted = answer_to(await keyed.use(keyed.ben, "imagine", prompt=prompt, lora="Foxy"))
        assert f"Accepted #{number}" in accepted
    for number in range(1, len(prompts) + 1):
        assert_harmless(text_of(await keyed.posted(f"Pictures #{number} ·")))
    assert_harmless(answer_to(await keyed.use(keyed.ben, "jobs")))


async def test_hostile_prompts_and_reasons_stay_harmless_on_every_card_of_a_result(keyed: Stage) -> None:
    guild, services = keyed.world.guild, keyed.world.darkroom.services
    gallery, reports = guild.create_text_channel("gallery"), guild.create_text_channel("reports")
    await services.guilds.choose_gallery(guild.id, gallery.id)
    await services.guilds.choose_reports(guild.id, reports.id)
    await keyed.give_lora(keyed.ben)
    await keyed.use(keyed.ben, "imagine", prompt=" ".join(SAMPLES)[:1900], lora="Foxy")
    posted = await keyed.posted("Pictures #1 ·")
    assert_harmless(answer_to(await keyed.ben.click(posted, label="Settings")))
    await keyed.more(keyed.ben, posted, "To gallery")
    assert_harmless(text_of(await keyed.posted("Picture 1 of #1", gallery)))
    opened = await keyed.more(keyed.ben, posted, "Report")
    await keyed.submit_fields(keyed.ben, opened, " ".join(SAMPLES)[:500])
    assert_harmless(text_of(await keyed.posted("Pictures #1 were reported", reports)))


HOSTILE_REASON = f"[{MARK}](https://evil.example) @everyone `{MARK}` <@&1> # {MARK}"


async def test_what_the_provider_says_of_a_failed_training_is_shown_harmlessly(keyed: Stage) -> None:
    keyed.world.provider.faults.failure_text = HOSTILE_REASON
    keyed.world.provider.faults.trainings.append(TrainingFault.FAIL_BEFORE_CHARGE)
    await keyed.start(keyed.ben, board_of(await keyed.send_form(keyed.ben, "Foxy", photos(15))))
    assert_harmless(text_of(await keyed.posted("was not trained")))
    assert_harmless(answer_to(await keyed.use(keyed.ben, "jobs")))


async def test_what_the_provider_says_of_failed_pictures_is_shown_harmlessly(keyed: Stage) -> None:
    await keyed.give_lora(keyed.ben)
    keyed.world.provider.faults.failure_text = HOSTILE_REASON
    keyed.world.provider.faults.jobs.append(JobFault.FAIL)
    await keyed.use(keyed.ben, "imagine", prompt="x", lora="Foxy")
    assert_harmless(text_of(await keyed.posted("No pictures this time")))


async def test_typed_lora_names_are_not_repeated(keyed: Stage) -> None:
    for sample in SAMPLES:
        assert MARK not in answer_to(await keyed.use(keyed.ben, "loras show", lora=sample))
