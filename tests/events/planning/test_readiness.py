"""The readiness card: each thing that can be missing has a line of its own with what to do, and stops what it must."""

import pytest

from bot.ports import ReadinessCheck
from bot.records.dataset import SubjectKind
from bot.records.event import Candidate, EventMode
from bot.records.key import ProviderName
from tests.events.event_hosts import HOST, Hosting
from tests.events.event_spends import TRAINING
from tests.fakes.rows import GUILD, add_lora
from tests.fakes.studio import KEY, POOR_KEY, Studio

TRAINING_FIX = f"One training takes {TRAINING} credits; the budget is {TRAINING - 1}. Raise it."


@pytest.fixture
def hosting(studio: Studio) -> Hosting:
    return Hosting(studio)


async def red(hosting: Hosting, event_id: int, *, optional: bool = False) -> dict[str, str]:
    """What is missing, with the fix."""
    checks = await hosting.service.readiness(event_id, HOST)
    missing = {check.what: check.fix for check in checks if not check.is_ok and check.is_optional is optional}
    assert all(missing.values()), "something is red and nobody says what to do"
    return missing


async def test_with_key_and_balance_an_event_is_ready(hosting: Hosting) -> None:
    await hosting.studio.set_key()
    draft = await hosting.draft()
    checks = await hosting.service.readiness(draft.id, HOST)
    assert [check.what for check in checks] == [
        "Write in the channel",
        "Threads",
        "API key of Apiframe",
        "Balance at Apiframe: enough for one training",
        "Estimate: 325 credits for 10 members; the budget is 325",
        "Prompt pack: 4",
        "Webhooks are not set up: Darkroom looks at running jobs by itself",
    ]
    assert all(check.is_ok for check in checks)


async def test_what_discord_does_not_allow_is_on_the_card(hosting: Hosting) -> None:
    await hosting.studio.set_key()
    hosting.studio.venue.checks = [
        ReadinessCheck("Write", is_ok=False, fix="Let Darkroom write."),
        ReadinessCheck("Threads", is_ok=False, fix="Let it make threads.", is_optional=True),
    ]
    draft = await hosting.draft()
    assert await red(hosting, draft.id) == {"Write": "Let Darkroom write."}
    assert await red(hosting, draft.id, optional=True) == {"Threads": "Let it make threads."}


async def test_without_a_key_nothing_is_opened(hosting: Hosting) -> None:
    missing = await red(hosting, (await hosting.draft()).id)
    assert list(missing) == ["API key of Apiframe"]
    assert "/keys set" in missing["API key of Apiframe"]


async def test_characters_need_the_key_of_their_provider(hosting: Hosting) -> None:
    await hosting.studio.set_key()
    draft = await hosting.draft(EventMode.PERSONAL, subject_kind=SubjectKind.CHARACTER)
    assert list(await red(hosting, draft.id)) == ["API key of Aurous Labs"]


async def test_the_balance_pays_for_one_training_at_least(hosting: Hosting) -> None:
    await hosting.studio.set_key(POOR_KEY)
    missing = await red(hosting, (await hosting.draft()).id)
    assert list(missing) == ["Balance at Apiframe"]
    assert "not enough credits" in missing["Balance at Apiframe"]
    assert str(TRAINING) in missing["Balance at Apiframe"]


async def test_a_provider_that_is_silent_stops_nobody(hosting: Hosting) -> None:
    await hosting.studio.set_key()
    draft = await hosting.draft()
    await hosting.studio.server.close()
    assert await red(hosting, draft.id) == {}
    assert list(await red(hosting, draft.id, optional=True)) == ["Balance at Apiframe"]


async def test_the_budget_pays_for_one_training_at_least(hosting: Hosting) -> None:
    await hosting.studio.set_key()
    draft = await hosting.service.change((await hosting.draft()).id, HOST, budget=TRAINING - 1)
    assert await red(hosting, draft.id) == {"Budget": TRAINING_FIX}
    await hosting.service.change(draft.id, HOST, budget=TRAINING)
    assert await red(hosting, draft.id) == {}
    assert "The budget of 257 ends it earlier" in (await red(hosting, draft.id, optional=True))["Budget"]


async def test_an_event_without_a_budget_says_what_it_will_take(hosting: Hosting) -> None:
    await hosting.studio.set_key()
    draft = await hosting.service.change((await hosting.draft()).id, HOST, budget=None)
    checks = await hosting.service.readiness(draft.id, HOST)
    what = "Estimate: 325 credits for 10 members; there is no budget, so nothing stops above it"
    assert what in [check.what for check in checks if check.is_ok]


async def test_without_prompts_an_event_that_trains_can_still_be_opened(hosting: Hosting) -> None:
    await hosting.studio.set_key()
    draft = await hosting.service.change((await hosting.draft()).id, HOST, pack=[])
    assert await red(hosting, draft.id) == {}
    assert list(await red(hosting, draft.id, optional=True)) == ["Prompt pack"]


async def test_a_club_needs_something_to_make_pictures_with(hosting: Hosting) -> None:
    await hosting.studio.set_key()
    draft = await hosting.draft(EventMode.CLUB)
    what = "Styles and LoRAs to make pictures with"
    assert await red(hosting, draft.id) == {what: "Choose at least one style or LoRA."}
    lora = await hosting.studio.lora()
    await hosting.service.change(draft.id, HOST, lora_ids=[lora.id], budget=1)
    assert await red(hosting, draft.id) == {}
    await hosting.service.change(draft.id, HOST, pictures_each=0)
    assert list(await red(hosting, draft.id)) == ["Own pictures per member"]
    await hosting.service.change(draft.id, HOST, pictures_each=1)
    await hosting.studio.loras.archive(lora.id, HOST)
    assert "archived" in (await red(hosting, draft.id))[what]


async def test_a_bakeoff_needs_two_to_compare_and_prompts(hosting: Hosting) -> None:
    await hosting.studio.set_key()
    lora = await hosting.studio.lora()
    draft = await hosting.draft(EventMode.BAKEOFF, candidates=(Candidate(lora.id, 0.6, "weak"),))
    what = "Versions or settings to compare"
    assert await red(hosting, draft.id) == {what: "Choose at least 2."}
    await hosting.service.change(
        draft.id, HOST, candidates=(Candidate(lora.id, 0.6, "weak"), Candidate(lora.id, 1.0, "strong")), pack=[]
    )
    assert list(await red(hosting, draft.id)) == ["Prompt pack"]
    await hosting.service.change(draft.id, HOST, pack=["{trigger} by the sea"])
    assert await red(hosting, draft.id) == {}


async def test_each_provider_of_a_club_needs_its_key(hosting: Hosting) -> None:
    await hosting.studio.set_key(KEY)
    ours = await hosting.studio.lora()
    theirs = await add_lora(hosting.studio.database, 77, provider=ProviderName.AUROUS, guild_id=GUILD)
    draft = await hosting.draft(EventMode.CLUB, lora_ids=(ours.id, theirs))
    assert list(await red(hosting, draft.id)) == ["API key of Aurous Labs"]


async def test_webhooks_that_do_not_arrive_are_said_and_stop_nobody(hosting: Hosting) -> None:
    await hosting.studio.set_key()
    hosting.studio.public_url = "http://127.0.0.1:9"
    draft = await hosting.draft()
    assert await red(hosting, draft.id) == {}
    missing = await red(hosting, draft.id, optional=True)
    assert "Nobody listens" in missing["Webhooks"]
    await hosting.service.open(draft.id, HOST)
