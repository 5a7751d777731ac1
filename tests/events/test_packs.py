"""The prompt pack: what one may hold, and that it is ordered once, fairly, and within the budget."""

import asyncio
from collections import Counter
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import UserError
from bot.events.budget import BudgetService
from bot.events.packs import PROMPT_MAX, PROMPTS_MAX, READY_PACKS, PackRunner, PackState, check_pack, fill, seed_of
from bot.generation.capabilities import SEED_MAX
from bot.records.event import Candidate, EntrantStatus, Event, EventMode, EventStatus, PauseReason
from bot.records.generation import Generation, GenerationStatus
from bot.records.lora import Lora
from bot.records.post import PostKind
from bot.sandbox.apiframe.state import JobFault
from bot.sandbox.rehearsal.faults import Fault
from bot.storage import tables
from bot.storage.jobs import remembered
from bot.storage.rows import build
from tests.events.event_spends import PICTURE, add_event_lora, total_of, without_engine
from tests.fakes.events import add_entrants, add_event, change_event
from tests.fakes.rows import ADMIN, ANNA, BEN, CHANNEL, GUILD, THREAD
from tests.fakes.studio import KEY, POOR_KEY, Studio
from tests.generation.picture_orders import add_character, finish, set_aurous_key

S = GenerationStatus
PACK = ("a postcard of {trigger}", "{trigger} in snow", "a castle")
GENERATE = "POST /v2/images/generate"
NO_BRACES = st.text(st.characters(exclude_characters="{}"), min_size=1, max_size=60)


@pytest.fixture(name="studio")
def quiet_studio(studio: Studio) -> Studio:
    return without_engine(studio)


@pytest.fixture
async def budgets(studio: Studio) -> BudgetService:
    await studio.set_key()
    return studio.budgets


@pytest.fixture
def runner(studio: Studio, budgets: BudgetService) -> PackRunner:
    return PackRunner(studio.database, budgets)


async def personal(studio: Studio, *user_ids: int, **changes: Any) -> tuple[Event, list[Lora]]:
    """A personal event in which each of these members has a LoRA."""
    event = await add_event(studio.database, **({"mode": EventMode.PERSONAL, "pack": PACK} | changes))
    await add_entrants(studio.database, event, *user_ids)
    return event, [await add_event_lora(studio, event, user_id=user_id) for user_id in user_ids]


async def ordered(studio: Studio) -> list[Generation]:
    async with studio.database.read() as connection:
        rows = await connection.execute(sa.select(tables.generations).order_by(tables.generations.c.id))
        return [build(Generation, row) for row in rows]


# What a pack may hold


@pytest.mark.parametrize("pack", READY_PACKS.values(), ids=READY_PACKS)
def test_every_ready_pack_may_be_used_as_it_is(pack: Any) -> None:
    assert check_pack(pack.prompts) == pack.prompts
    assert all("{trigger}" in prompt for prompt in pack.prompts)
    assert pack.name


def test_there_is_a_choice_of_ready_packs() -> None:
    assert len({pack.name for pack in READY_PACKS.values()}) == len(READY_PACKS) >= 4


@pytest.mark.parametrize(
    ("prompts", "words"),
    [
        ([], "at least one prompt"),
        (["  ", "\n"], "at least one prompt"),
        (["a fox"] * (PROMPTS_MAX + 1), "up to 12 prompts; these are 13"),
        (["a fox", "x" * (PROMPT_MAX + 1)], "Prompt 2 is 401 characters long; up to 400"),
        (["a {dog}"], "In prompt 1, only `{trigger}`"),
        (["{trigger} and {"], "In prompt 1"),
        (["{{trigger}}"], "In prompt 1"),
        (["{Trigger}"], "In prompt 1"),
    ],
)
def test_what_is_wrong_with_a_pack_is_said(prompts: list[str], words: str) -> None:
    with pytest.raises(UserError) as refused:
        check_pack(prompts)
    assert words in str(refused.value)


def test_stray_spaces_and_empty_lines_do_not_count() -> None:
    assert check_pack(["  a   fox ", "", "\t{trigger}\n"]) == ("a fox", "{trigger}")
    assert len(check_pack(["a fox"] * PROMPTS_MAX)) == PROMPTS_MAX
    assert check_pack(["x" * PROMPT_MAX]) == ("x" * PROMPT_MAX,)


@given(before=NO_BRACES, after=NO_BRACES, trigger=st.text(max_size=40))
def test_the_trigger_word_stands_where_the_host_put_it(before: str, after: str, trigger: str) -> None:
    assert fill(f"{before}{{trigger}}{after}", trigger) == f"{before}{trigger}{after}"
    assert fill(before, trigger) == before


@given(event_id=st.integers(1, 2**53), number=st.integers(0, 11))
def test_a_bake_offs_seed_depends_on_event_and_prompt_alone(event_id: int, number: int) -> None:
    seed = seed_of(event_id, number, None)
    assert 0 <= seed <= SEED_MAX
    assert seed == seed_of(event_id, number, None)
    assert seed != seed_of(event_id, number + 1, None)


# Ordering it


async def test_everybodys_first_comes_before_anybodys_second(studio: Studio, runner: PackRunner) -> None:
    event, (annas, bens) = await personal(studio, ANNA, BEN, thread_id=THREAD)
    assert await runner.run(event) == PackState(4, 2, None)
    assert await runner.run(event) == PackState(2, 0, None)
    assert await runner.run(event) == PackState(0, 0, None)
    made = await ordered(studio)
    assert [(each.lora_id, each.pack_index) for each in made] == [
        (lora.id, index) for index in range(3) for lora in (annas, bens)
    ]
    assert [each.prompt for each in made[::2]] == ["a postcard of TORKPN", "TORKPN in snow", "TORKPN a castle"]
    assert {(each.user_id, each.event_id, each.channel_id, each.parent_id) for each in made} == {
        (user_id, event.id, THREAD, CHANNEL) for user_id in (ANNA, BEN)
    }
    await studio.settle()
    await finish(studio)
    assert studio.poster.kinds() == [PostKind.PICTURES] * 6


async def test_who_comes_late_is_served_until_they_have_as_many(studio: Studio, runner: PackRunner) -> None:
    event, _ = await personal(studio, ANNA)
    await runner.run(event, 2)
    await add_entrants(studio.database, event, BEN)
    await add_event_lora(studio, event, user_id=BEN)
    assert await runner.run(event, 2) == PackState(2, 2, None)
    assert [each.user_id for each in await ordered(studio)] == [ANNA, ANNA, BEN, BEN]


async def test_a_pack_that_is_run_at_once_and_again_is_ordered_once(studio: Studio, budgets: BudgetService) -> None:
    """As after a crash, or with another process at work."""
    event, _ = await personal(studio, ANNA, BEN, budget=1000)
    runners = [PackRunner(studio.database, budgets) for _ in range(3)]
    await asyncio.gather(*(runner.run(event, 6) for runner in runners))
    await studio.settle()
    for runner in runners:
        assert await runner.run(event, 6) == PackState(0, 0, None)
    pairs = Counter((each.lora_id, each.pack_index) for each in await ordered(studio))
    assert len(pairs) == 6
    assert set(pairs.values()) == {1}
    assert await total_of(studio, event) == 6 * PICTURE


async def test_a_budget_that_ends_in_mid_pack_stops_quietly_and_goes_on_when_raised(
    studio: Studio, runner: PackRunner
) -> None:
    event, _ = await personal(studio, ANNA, BEN, budget=2 * PICTURE + 1)
    assert await runner.run(event) == PackState(2, 4, PauseReason.BUDGET_SPENT)
    assert await runner.run(event) == PackState(0, 4, PauseReason.BUDGET_SPENT)
    assert await total_of(studio, event) == 2 * PICTURE
    assert [each.user_id for each in await ordered(studio)] == [ANNA, BEN]
    await studio.settle()
    await finish(studio)
    assert studio.poster.kinds() == [PostKind.PICTURES] * 2
    event = await change_event(studio.database, event, budget=100)
    assert await runner.run(event) == PackState(4, 0, None)


async def test_without_a_key_or_credits_or_provider_it_says_what_it_waits_for(studio: Studio) -> None:
    event, _ = await personal(studio, ANNA)
    runner = PackRunner(studio.database, studio.budgets)
    assert await runner.run(event) == PackState(0, 3, PauseReason.NO_KEY)
    await studio.set_key(POOR_KEY)
    studio.server._world.credits["Poor"] = PICTURE - 1
    assert await runner.run(event) == PackState(0, 3, PauseReason.OUT_OF_CREDITS)
    await studio.set_key(KEY)
    studio.server.faults.next("GET /v2/me", *[Fault.answer(503)] * 3)
    assert await runner.run(event) == PackState(0, 3, PauseReason.PROVIDER_DOWN)
    assert await ordered(studio) == []
    assert await runner.run(event) == PackState(3, 0, None)


async def test_what_was_never_sent_for_want_of_credits_is_ordered_again(
    studio: Studio, budgets: BudgetService, runner: PackRunner
) -> None:
    event, _ = await personal(studio, ANNA, pack=PACK[:1], budget=PICTURE)
    await runner.run(event)
    studio.server._world.credits["Studio"] = 0
    await studio.settle()
    assert [each.status for each in await ordered(studio)] == [S.FAILED]
    assert await runner.run(event) == PackState(0, 1, PauseReason.OUT_OF_CREDITS)
    studio.server._world.credits["Studio"] = 10
    assert await runner.run(event) == PackState(1, 0, None)


@pytest.mark.parametrize(
    ("trouble", "tries"),
    [("fails at the provider", 2), ("is refused", 1), ("is lost", 1)],
)
async def test_a_picture_that_cannot_be_made_is_not_paid_for_again_and_again(
    studio: Studio, budgets: BudgetService, runner: PackRunner, trouble: str, tries: int
) -> None:
    event, _ = await personal(studio, ANNA, pack=PACK[:1], budget=PICTURE)
    if trouble == "fails at the provider":
        studio.server.faults.jobs.extend([JobFault.FAIL] * 5)
    elif trouble == "is refused":
        studio.server.faults.next(GENERATE, *[Fault.answer(409)] * 5)
    else:
        studio.server.faults.next(GENERATE, *[Fault.answer(502)] * 500)
    for _ in range(4):
        await runner.run(event)
        await studio.settle()
        for _ in range(3):
            await studio.pass_time(studio.timings.give_up / 2)
    assert [each.status for each in await ordered(studio)] == [S.FAILED] * tries
    assert await runner.run(event) == PackState(0, 0, None)


async def test_a_refused_prompt_does_not_hold_up_the_others(studio: Studio) -> None:
    await set_aurous_key(studio)
    studio.aurous.faults.blocked_words.add("rude")
    event = await add_event(studio.database, mode=EventMode.PERSONAL, pack=("something rude", "{trigger} in snow"))
    await add_entrants(studio.database, event, ANNA)
    character_id = await add_character(studio)
    await studio.change(tables.loras, character_id, event_id=event.id)
    runner = PackRunner(studio.database, studio.budgets)
    assert await runner.run(event) == PackState(1, 0, None)
    asked = len(studio.aurous.requests)
    assert await runner.run(event) == PackState(0, 0, None)
    assert len(studio.aurous.requests) == asked
    assert [(each.prompt, each.pack_index) for each in await ordered(studio)] == [("Mira in snow", 1)]


@pytest.mark.parametrize("column", ["retiring_since", "archived_at", "missing_since"])
async def test_nothing_is_made_with_a_lora_that_may_not_be_used(
    studio: Studio, runner: PackRunner, column: str
) -> None:
    event, (annas, bens) = await personal(studio, ANNA, BEN, pack=PACK[:1])
    await studio.change(tables.loras, annas.id, **{column: studio.clock.now()})
    assert await runner.run(event) == PackState(1, 0, None)
    assert [each.lora_id for each in await ordered(studio)] == [bens.id]


async def test_who_has_left_a_personal_event_gets_no_pictures(studio: Studio, runner: PackRunner) -> None:
    event, (_, bens) = await personal(studio, ANNA, BEN, pack=PACK[:1])
    await add_entrants(studio.database, event, ANNA, status=EntrantStatus.REMOVED)
    assert await runner.run(event) == PackState(1, 0, None)
    assert [each.lora_id for each in await ordered(studio)] == [bens.id]


async def test_the_hosts_lora_of_a_shared_event_needs_no_entrant(studio: Studio, runner: PackRunner) -> None:
    event = await add_event(studio.database, pack=PACK)
    await add_event_lora(studio, event, user_id=ADMIN)
    assert await runner.run(event) == PackState(3, 0, None)
    assert {each.user_id for each in await ordered(studio)} == {ADMIN}


async def test_a_pack_changes_nothing_of_what_its_owners_used_last(studio: Studio, runner: PackRunner) -> None:
    event, _ = await personal(studio, ANNA)
    await runner.run(event)
    async with studio.database.read() as connection:
        assert await remembered.get(connection, GUILD, ANNA) is None


@pytest.mark.parametrize("status", [EventStatus.CANCELLED, EventStatus.VOTING])
async def test_an_event_that_has_moved_on_meanwhile_orders_nothing(
    studio: Studio, runner: PackRunner, status: EventStatus
) -> None:
    event, _ = await personal(studio, ANNA)
    await change_event(studio.database, event, status=status)
    await runner.run(event)
    assert await ordered(studio) == []
    assert await total_of(studio, event) == 0


async def test_a_clubs_list_is_not_run(studio: Studio, runner: PackRunner) -> None:
    lora = await studio.lora()
    event = await add_event(studio.database, mode=EventMode.CLUB, lora_ids=(lora.id,), pack=PACK)
    assert await runner.run(event) == PackState(0, 0, None)


async def test_a_bake_offs_candidates_get_the_same_prompts_and_seeds(studio: Studio, runner: PackRunner) -> None:
    first, second = await studio.lora(), await studio.lora(user_id=BEN)
    candidates = (
        Candidate(first.id, 0.6, "soft"),
        Candidate(first.id, 1.0, "strong"),
        Candidate(second.id, None, "newer"),
    )
    event = await add_event(studio.database, mode=EventMode.BAKEOFF, candidates=candidates, pack=PACK[:2])
    assert await runner.run(event, 10) == PackState(6, 0, None)
    made = await ordered(studio)
    assert [each.pack_index for each in made] == [0, 100, 200, 1, 101, 201]
    assert [each.lora_id for each in made[:3]] == [first.id, first.id, second.id]
    assert [each.settings.strength for each in made[:3]] == [0.6, 1.0, None]
    seeds = [{each.settings.seed for each in made[start : start + 3]} for start in (0, 3)]
    assert seeds == [{seed_of(event.id, 0, None)}, {seed_of(event.id, 1, None)}]
    assert [each.user_id for each in made[:3]] == [ANNA, ANNA, BEN]


async def test_a_bake_off_compares_the_strengths_of_its_candidates_and_nothing_else(
    studio: Studio, runner: PackRunner
) -> None:
    """Mutant: a LoRA's default where a candidate has no strength, also one that is chosen while the pack is made."""
    old, new = await studio.lora(), await studio.lora()
    await studio.change(tables.loras, old.id, strength=0.7)
    candidates = (Candidate(old.id, None, "v1"), Candidate(new.id, None, "v2"), Candidate(old.id, 0.4, "soft v1"))
    event = await add_event(studio.database, mode=EventMode.BAKEOFF, candidates=candidates, pack=PACK[:2])
    assert await runner.run(event, 3) == PackState(3, 3, None)
    await studio.change(tables.loras, new.id, strength=0.9)
    assert await runner.run(event, 3) == PackState(3, 0, None)
    assert [each.settings.strength for each in await ordered(studio)] == [None, None, 0.4] * 2


async def test_a_pack_that_compares_nothing_is_made_as_the_lora_has_it(studio: Studio, runner: PackRunner) -> None:
    event, [lora] = await personal(studio, ANNA, pack=PACK[:1])
    await studio.change(tables.loras, lora.id, strength=0.7)
    assert await runner.run(event) == PackState(1, 0, None)
    assert [each.settings.strength for each in await ordered(studio)] == [0.7]


async def test_a_bake_off_whose_budget_ends_stays_fair(studio: Studio, runner: PackRunner) -> None:
    lora = await studio.lora()
    candidates = tuple(Candidate(lora.id, strength, str(strength)) for strength in (0.5, 0.8, 1.1))
    event = await add_event(
        studio.database, mode=EventMode.BAKEOFF, candidates=candidates, pack=PACK, budget=3 * PICTURE
    )
    assert await runner.run(event, 10) == PackState(3, 6, PauseReason.BUDGET_SPENT)
    assert [each.pack_index for each in await ordered(studio)] == [0, 100, 200]
