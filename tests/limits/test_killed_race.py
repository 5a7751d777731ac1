"""Two hundred orders against a limit for fifty, and a kill -9 in the middle: exactly fifty are paid."""

import asyncio
import shutil
import sys
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.records.generation import GenerationStatus
from bot.records.guild import Actor
from bot.records.job import LaneName
from bot.records.key import ProviderName
from bot.records.limit import LimitKind
from bot.storage import tables
from bot.storage.database import sqlite_url
from bot.storage.money import spends
from tests.events.event_spends import PICTURE
from tests.fakes.lives import life_on
from tests.fakes.rows import ADMIN, ANNA, GUILD, add_lora
from tests.fakes.studio import KEY, Studio, open_studio
from tests.fakes.unlimited import set_unlimited_key
from tests.fakes.waiting import eventually
from tests.limits.mortal_orders import AT_ONCE, place_all
from tests.wire.programs import killed_at_the_end

pytestmark = [pytest.mark.both, pytest.mark.process]
FITTING = 50


async def prepare(life: Studio, remote_id: str, who: LimitKind) -> int:
    """A key, a LoRA and a limit in credits; the id of the LoRA."""
    await set_unlimited_key(life, GUILD, ProviderName.APIFRAME, KEY, set_by=ADMIN)
    boss, most = Actor(GUILD, ADMIN, is_admin=True), FITTING * PICTURE + 1
    await life.limits.set(boss, who, None, credits_=most, trainings=None, pictures=None)
    return await add_lora(life.database, 1001, remote_id=remote_id, guild_id=GUILD, owner_id=ANNA)


async def finish(life: Studio) -> None:
    ended = [each for each in GenerationStatus if each.is_terminal]
    open_ones = sa.select(tables.generations.c.id).where(tables.generations.c.status.not_in(ended))
    while await life.scalars(open_ones):
        await life.pass_time(timedelta(seconds=5), LaneName.GENERATIONS)


@pytest.mark.parametrize(("killed_at", "who"), [(1, LimitKind.SERVER), (9, LimitKind.MEMBER)])
async def test_a_race_pays_exactly_what_the_limit_allows_although_the_process_is_killed(
    tmp_path: Path, migrated_file: Path, database_url: str, without_pauses: None, killed_at: int, who: LimitKind
) -> None:
    """Mutant: the limit is compared before the transaction, or what the dead has reserved is forgotten."""
    here, scratch = tmp_path / "life", tmp_path / "scratch.db"
    here.mkdir()
    shutil.copy(migrated_file, scratch)
    async with open_studio(tmp_path, sqlite_url(scratch)) as around:
        remote_id = (await around.lora()).remote_id
        async with life_on(around, here, database_url) as life:
            lora_id = await prepare(life, remote_id, who)
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.limits.mortal_orders"),
            *(database_url, str(here), around.server.base_url, str(lora_id)),
            cwd=Path(__file__).parents[2],
        )
        async with killed_at_the_end(process):
            await eventually(lambda: process.returncode is not None or around.charges("images") >= killed_at)
            assert process.returncode is None, "it has ended by itself"
        around.clock.advance(around.timings.lease)
        async with life_on(around, here, database_url) as life:
            accepted = await place_all(life.orders, lora_id)
            await finish(life)
            books = await life.database.fetch(spends.of_guild, GUILD)
        assert accepted <= FITTING < AT_ONCE
        assert around.charges("images") == len(books) == FITTING
        assert sum(each.credits for each in books) == sum(entry.credits for entry in around.server.ledger)
        assert all(each.settled_at for each in books)
