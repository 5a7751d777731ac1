"""Killed anywhere, any number of times: every accepted job ends in one post, and each is paid for once."""

import asyncio
import os
import random
import sys
from functools import partial
from pathlib import Path

import pytest

from bot.records.post import PostKind
from tests.wire.discord.openapi import SPEC_VARIABLE
from tests.wire.kills.campaign import PARTIES, PROVIDER_FAULTS, TRAININGS, Campaign, one_round
from tests.wire.kills.event_people import Party
from tests.wire.kills.ledger import Verdict
from tests.wire.kills.persistent_member import Member
from tests.wire.kills.rig import KILLED_FOR_S, Kill, Rig, open_rig, until

KILLS = int(os.environ.get("DARKROOM_KILLS", "60"))
EVENT_KILLS = int(os.environ.get("DARKROOM_EVENT_KILLS", "10"))
SEED = int(os.environ.get("DARKROOM_KILL_SEED", "0")) or random.SystemRandom().randrange(1, 2**31)
ENOUGH_KILLS = 150
"""From here on every kind of fault and nearly every point must have been met."""
DISCORD_FAULTS = {
    "Discord: stored, then reset",
    "Discord: stored, then 502",
    "Discord: answered, then 502",
    "Discord: 503",
}

pytestmark = [
    pytest.mark.kill,
    # What a kill cuts off at the stand-ins' web server: open files are left to the garbage collector.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning"),
]


async def count_up(campaign: Campaign, capsys: pytest.CaptureFixture[str], replay: str) -> None:
    """Run it, and print what the books say, whatever they say."""
    try:
        await campaign.run()
    finally:
        with capsys.disabled():
            books = campaign.verdict.line(campaign.kills)
            met = f"points {len(campaign.points_hit)} of {len(campaign.points)}"
            sys.stdout.write(f"\n{books}, {met}; replay: {replay}\n")
    assert campaign.verdict.is_clean, f"{campaign.verdict}\nreplay: {replay}"


@pytest.mark.timeout(max(600, KILLS * 6))
async def test_nothing_is_lost_or_paid_or_posted_twice_however_often_the_bot_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv(SPEC_VARIABLE, raising=False)  # bodies are checked elsewhere; here it would cost half the time
    campaign = Campaign(tmp_path, SEED, KILLS, TRAININGS)
    replay = f"DARKROOM_KILLS={KILLS} DARKROOM_KILL_SEED={SEED} python -m pytest tests/wire/kills/test_kill.py -k paid"
    await count_up(campaign, capsys, replay)
    missed = sorted(campaign.points - campaign.points_hit)
    assert campaign.kills >= KILLS
    if KILLS >= ENOUGH_KILLS:
        assert len(campaign.points_hit) >= 0.8 * len(campaign.points) >= 40, missed
        assert {name for name, count in campaign.fired.items() if count} >= DISCORD_FAULTS | set(PROVIDER_FAULTS)


@pytest.mark.timeout(max(300, EVENT_KILLS * 6))
async def test_an_event_keeps_photos_votes_and_budget_however_often_the_bot_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv(SPEC_VARIABLE, raising=False)
    campaign = Campaign(tmp_path, SEED, EVENT_KILLS, PARTIES)
    numbers = f"DARKROOM_EVENT_KILLS={EVENT_KILLS} DARKROOM_KILL_SEED={SEED}"
    replay = f"{numbers} python -m pytest tests/wire/kills/test_kill.py -k votes"
    await count_up(campaign, capsys, replay)
    assert campaign.kills >= EVENT_KILLS
    met = campaign.points_hit & campaign.aims
    if EVENT_KILLS >= ENOUGH_KILLS:
        assert len(met) >= 0.8 * len(campaign.aims) >= 40, sorted(campaign.aims - met)


ORDER_TAKEN = "provider POST /v2/loras: after"


async def test_the_books_show_it_when_a_bot_orders_before_it_writes(tmp_path: Path) -> None:
    verdict = await one_round(tmp_path, "submit before writing", ORDER_TAKEN)
    assert verdict.double_submitted == ["Rex"]


async def test_the_books_show_it_when_a_bot_leaves_the_rows_of_the_dead_alone(tmp_path: Path) -> None:
    verdict = await one_round(tmp_path, "keep dead leases", ORDER_TAKEN, drain_s=3)
    assert any("trainings #1" in row for row in verdict.stuck)
    assert not verdict.is_clean


async def one_event(folder: Path, mutant: str | None, killed_at: str) -> Verdict:
    """The books after one event of two members, with one kill at this point."""
    async with open_rig(folder, members=2, mutant=mutant) as rig:
        await rig.furnish()
        work = [asyncio.create_task(Party(rig, "Fox days", rig.host, rig.members).hold())]
        assert await rig.live(Kill((killed_at,)), passes=10_000)
        return await rig.finish(work)


async def test_the_books_show_it_when_a_bot_does_not_write_down_what_an_event_spends(tmp_path: Path) -> None:
    verdict = await one_event(tmp_path, "keep no accounts", ORDER_TAKEN)
    assert verdict.miscounted == ["event #1 says 0 credits, charged were 265"]


ERASING = [
    *(f"write bot.privacy.service PrivacyService.forget_member: {moment}" for moment in ("before", "inside", "after")),
    *(f"provider DELETE /v2/loras/{{id}}: {moment}" for moment in ("before", "after")),
    *(f"write bot.removals.outcomes RemovalOutcomes.end: {moment}" for moment in ("inside", "after")),
]


async def train_and_be_erased(rig: Rig, member: Member) -> None:
    """Until it is said to be erased, then until the provider has archived the LoRA and the receipt is there."""
    number = await member.train("Rex")
    await rig.post(PostKind.TRAINING_READY, number, KILLED_FOR_S)
    said = ""
    while "are erased here" not in said:
        asked = await member.read(
            await member.act(partial(rig.standin.slash, member.person, rig.channel, "privacy erase", {}))
        )
        if asked is None or not member.offers(asked, "Erase my data here"):
            continue
        pressed = await member.act(partial(rig.standin.click, asked, "Erase my data here", user=member.person))
        answer = await member.read(pressed)
        said = "" if answer is None else answer.text
    await until(lambda: all(lora.status == "ARCHIVED" for lora in rig.provider.loras.values()))
    await rig.standin.until(lambda: receipts(rig), "a receipt", KILLED_FOR_S)


def receipts(rig: Rig) -> list[str]:
    return [message.text for message in rig.messages if "### Receipts" in message.text]


@pytest.mark.parametrize("killed_at", ERASING)
async def test_an_erasure_reaches_the_provider_wherever_the_bot_is_killed(tmp_path: Path, killed_at: str) -> None:
    async with open_rig(tmp_path, members=1) as rig:
        await rig.furnish()
        work = [asyncio.create_task(train_and_be_erased(rig, rig.members[0]))]
        assert await rig.live(Kill((killed_at,)), passes=10_000)
        verdict = await rig.finish(work)
        assert [lora.status for lora in rig.provider.loras.values()] == ["ARCHIVED"]
        [receipt] = receipts(rig)
    assert verdict.stuck == []
    assert "**it has archived it (204)**" in receipt or "404" in receipt
