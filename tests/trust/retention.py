"""T35: ninety days pass; what is left of a member who has used everything."""

from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.clock import Timings
from bot.photos.intake import Spool
from bot.records.guild import Actor
from bot.records.post import PostKind
from bot.storage import guilds
from bot.storage.columns import metadata
from bot.storage.jobs import datasets
from bot.storage.money import spends as spends_sql
from bot.storage.policy_tables import spends
from tests.fakes.member_history import live_through_everything
from tests.fakes.rows import ANNA, CHANNEL, GUILD
from tests.fakes.studio import Studio
from tests.trust.row import Row, Score
from tests.trust.studios import fresh_studio

DAY = timedelta(days=1)
STEP = timedelta(hours=6)
STAYS = frozenset(
    {"meta", "api_keys", "guilds", "limits", "consents", "loras", "lora_previews", "shares", "styles", "remembered"}
)
"""Tables whose rows are meant to stay: settings, the member's LoRAs with their previews, and the proof of consent."""
KEPT = (
    "the proof of consent is kept",
    "the LoRA is kept",
    "the books are kept",
    "the receipt is kept",
    "the log is kept",
)
NAME = "Rex of the ninety days"


async def grow_old(days: int, _seed: int) -> Score:
    score = Score()
    async with fresh_studio() as studio:
        await studio.set_key()
        await studio.guilds.choose_log(GUILD, CHANNEL)
        await live_through_everything(studio, ANNA, GUILD, NAME)
        await _agree(studio)
        await studio.loras.archive((await studio.lora()).id, Actor(GUILD, ANNA))
        score.fired["photos and pictures were there"] += bool(studio.files())
        await _wait(studio, DAY + STEP, score)
        score.bad["photos of a training after a day"] += len(await _files(studio, "photos"))
        await _wait(studio, 8 * DAY, score)
        previews = await _files(studio, "lora_previews")
        score.bad["files after nine days"] += len(set(studio.files()).difference(previews))
        await _wait(studio, (days - 10) * DAY, score)
        left = await _rows_left(studio)
        score.fired["the proof of consent is kept"] += left.pop("consents", 0)
        score.fired["the LoRA is kept"] += left.get("loras", 0)
        score.fired["the books are kept"] += left.pop("spends", 0)
        score.fired["the receipt is kept"] += left.pop("removals", 0)
        score.fired["the log is kept"] += left.pop("moderation_log", 0)
        left["posts"] -= len(await studio.posts_of(PostKind.LOG_LINE))
        named = await studio.scalars(sa.select(spends.c.user_id).where(spends.c.user_id > 0))
        score.bad["members named in the books"] += len(named)
        for table, count in left.items():
            score.bad[f"rows of {table}"] += 0 if table in STAYS else count
        await studio.pass_time(studio.timings.ledger_kept)
        left = await _rows_left(studio)
        for table in ("spends", "removals", "moderation_log", "posts"):
            score.bad[f"rows of {table} older than a year"] += left[table]
    return score


async def _agree(studio: Studio) -> None:
    """Consent to one more set of photos, which is never trained."""
    dataset_id = await studio.dataset()
    now = studio.clock.now()

    async def transaction(connection: AsyncConnection) -> None:
        dataset = await datasets.get(connection, dataset_id)
        assert dataset is not None
        await datasets.record_consent(connection, dataset=dataset, policy_version="1", photo_hashes=["a" * 64], now=now)

    await studio.database.write(transaction)


async def _wait(studio: Studio, time: timedelta, score: Score) -> None:
    for _ in range(time // STEP):
        await studio.pass_time(STEP)
        score.tried += 1


async def _files(studio: Studio, table: str) -> list[str]:
    photos = metadata.tables[table]
    return await studio.scalars(sa.select(photos.c.file).where(photos.c.file.is_not(None)))


async def _rows_left(studio: Studio) -> dict[str, int]:
    counts = {}
    async with studio.database.read() as connection:
        for table in metadata.sorted_tables:
            counts[table.name] = int(
                (await connection.execute(sa.select(sa.func.count()).select_from(table))).scalar_one()
            )
    return counts


def keep_the_files(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Spool, "free", lambda *_: None)


def keep_details_for_a_year(patch: pytest.MonkeyPatch) -> None:
    real = Timings.__init__

    def patient(self: Timings, **changes: timedelta) -> None:
        real(self, **({"details_kept": 365 * DAY} | changes))

    patch.setattr(Timings, "__init__", patient)


def keep_names_in_the_books(patch: pytest.MonkeyPatch) -> None:
    async def take_name_out(*_job: object) -> None:
        pass

    patch.setattr(spends_sql, "take_name_out", take_name_out)


def keep_the_books(patch: pytest.MonkeyPatch) -> None:
    async def tidy_later(*_guild: object, now: datetime) -> None:
        del now

    patch.setattr(guilds, "tidy_later", tidy_later)


ROW = Row(
    "T35",
    "90 days go by",
    "photos a day, pictures a week, details 30 days; a year: receipts, log, books without names; consent stays",
    (42, 90),
    (*KEPT, "photos and pictures were there"),
    grow_old,
    (keep_the_files, keep_details_for_a_year, keep_names_in_the_books, keep_the_books),
)
