"""T31: the master key and a server's API key change while jobs are under way, and the bot dies while it seals anew."""

import base64
import itertools
import random
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncConnection

from bot import app
from bot.config import Settings
from bot.errors import SealError, StartupError
from bot.keys import service
from bot.keys.secrets import KeySecrets
from bot.records.job import LaneName
from bot.storage import tables
from bot.storage.money import keys as rows
from bot.storage.sealing import Sealer
from tests.fakes.lives import life_on
from tests.fakes.rows import GUILD, OTHER_GUILD
from tests.fakes.studio import KEY, NEXT_KEY, OTHER_KEY, PROVIDER, TRAINS_IN, Studio
from tests.trust.durability.job_books import check_paid_and_told, statuses
from tests.trust.durability.mortal_points import Killed, MortalPoints, mortal
from tests.trust.durability.order_kills import furnish_aurous, order_pictures, order_with_style
from tests.trust.row import Row, Score
from tests.trust.studios import fresh_studio

RUNS_EACH = 10
SOON = timedelta(seconds=10)
UNTIL_SHREDDED = (timedelta(minutes=6),) * 2
ROTATING = "write bot.keys.secrets KeySecrets._rotate"
SETTING = "write bot.keys.service KeyService.set"
KEYS = 3
"""At least so many are sealed anew: two servers' at Apiframe, one at Aurous Labs."""


class Installation:
    """One data folder through several changes of its keys."""

    def __init__(self, ground: Studio, points: MortalPoints, dice: random.Random, score: Score) -> None:
        self.ground, self.points, self.dice, self.score = ground, points, dice, score
        self.folder = ground.folder / "lives"
        self.masters = [bytes([number]) * 32 for number in range(1, RUNS_EACH + 2)]
        self.api_keys = itertools.cycle((NEXT_KEY, KEY))
        self.seen: set[bytes] = set()
        """Every sealed secret that was ever stored."""

    async def furnish(self) -> None:
        async with life_on(self.ground, self.folder, sealer=Sealer(self.masters[:1])) as life:
            await app.open_sealer(self._settings(self.masters[0]), life.database)
            await life.keys.secrets.bind()
            await life.set_key()
            await life.lora()
            await life.set_key(OTHER_KEY, guild_id=OTHER_GUILD)
            await furnish_aurous(life)
            [aurous] = [key for key in await self._sealed(life) if key.row.provider is not PROVIDER]
            endpoint = {
                "endpoint_id": "we_1",
                "endpoint_secret": life.keys.secrets.seal_endpoint("whsec_1", aurous.row, "we_1"),
            }
            await life.change(tables.api_keys, aurous.row.id, **endpoint)

    async def change_keys(self, number: int) -> None:
        old, new, api_key = self.masters[number], self.masters[number + 1], next(self.api_keys)
        async with life_on(self.ground, self.folder, sealer=Sealer([old])) as life:
            await self._order(life)
            await life.settle()
            await self._look(life)
        await self._rotate_and_die(new, old)
        await self._change_api_key_and_die(new, old, api_key)
        rotations = await app.rotate_keys(self._settings(new, old))
        self.score.bad["keys that could not be sealed anew"] += sum(each.trouble is not None for each in rotations)
        async with life_on(self.ground, self.folder, sealer=Sealer([new])) as life:
            await self._go_on(life, old, new, api_key)
        self._look_at_the_disk(old)

    async def _order(self, life: Studio) -> None:
        await life.begin()
        await life.begin(guild_id=OTHER_GUILD)
        await order_pictures(life)
        await order_with_style(life)

    async def _rotate_and_die(self, new: bytes, old: bytes) -> None:
        self.points.begin(f"{ROTATING}: {self.dice.choice(('before', 'after'))}", self.dice.randint(1, KEYS))
        try:
            await app.rotate_keys(self._settings(new, old))
        except Killed:
            self.score.fired["died while sealing anew"] += 1
        self.points.begin(None)

    async def _change_api_key_and_die(self, new: bytes, old: bytes, api_key: str) -> None:
        side = self.dice.choice(("before", "after"))
        try:
            async with life_on(self.ground, self.folder, sealer=Sealer([new, old])) as life:
                await self._look(life)
                await life.settle()
                self.points.begin(f"{SETTING}: {side}")
                await life.set_key(api_key)
        except Killed:
            self.score.fired["died while an API key was stored"] += 1
        self.points.begin(None)

    async def _go_on(self, life: Studio, old: bytes, new: bytes, api_key: str) -> None:
        self.score.bad["starts refused with the new master key alone"] += not await self._starts(life, new)
        self.score.bad["starts with the old master key alone"] += await self._starts(life, old)
        await self._look(life)
        if (await life.keys.current(GUILD, PROVIDER)).last4 != api_key[-4:]:
            await life.set_key(api_key)
        await life.settle(LaneName.KEYS)
        await order_pictures(life)
        for wait in (SOON, TRAINS_IN, SOON, *UNTIL_SHREDDED):
            await life.pass_time(wait)
        await self._look(life)
        kept = [key for key in await self._sealed(life) if key.row.retired_at is not None]
        self.score.bad["API keys out of use that are still stored"] += len(kept)
        self.score.bad["failed jobs"] += sum(status != "ready" for status in await statuses(life))

    async def _starts(self, life: Studio, master: bytes) -> bool:
        try:
            await app.open_sealer(self._settings(master), life.database)
        except StartupError:
            return False
        return True

    async def _look(self, life: Studio) -> None:
        """Open every secret that is stored."""
        for key in await self._sealed(life):
            self.seen |= {blob for blob in (key.sealed, key.endpoint_secret) if blob is not None}
            try:
                is_whole = bool(life.keys.secrets.open(key))
            except SealError:
                is_whole = False
            if key.row.endpoint_id is not None:
                is_whole = is_whole and life.keys.secrets.open_endpoint(key) == "whsec_1"
            self.score.bad["secrets that do not open"] += not is_whole
            self.score.fired["secrets opened"] += is_whole

    def _look_at_the_disk(self, old: bytes) -> None:
        """What the old master key opens must have left every file."""
        is_old = Sealer([old]).is_current
        left = b"".join(path.read_bytes() for path in self.folder.glob("darkroom.db*"))
        self.score.bad["old seals on the disk"] += sum(is_old(blob) and blob in left for blob in self.seen)

    async def _sealed(self, life: Studio) -> list[rows.SealedKey]:
        return await life.database.fetch(rows.all_sealed)

    def _settings(self, *masters: bytes) -> Settings:
        given = ",".join(base64.b64encode(master).decode() for master in masters)
        return Settings.model_construct(
            darkroom_data_dir=Path(self.folder),
            darkroom_apiframe_url=self.ground.server.base_url,
            darkroom_aurous_url=self.ground.aurous.base_url,
            darkroom_master_key=SecretStr(given),
        )


async def rotate_often(amount: int, seed: int) -> Score:
    score, dice = Score(), random.Random(seed)
    with mortal() as points:
        while score.tried < amount:
            async with fresh_studio() as ground:
                installation = Installation(ground, points, dice, score)
                await installation.furnish()
                for number in range(min(RUNS_EACH, amount - score.tried)):
                    await installation.change_keys(number)
                    score.tried += 1
                async with life_on(ground, installation.folder) as life:
                    await check_paid_and_told(life, score)
    return score


def seal_with_the_last_master_key(patch: pytest.MonkeyPatch) -> None:
    real = Sealer.__init__
    patch.setattr(Sealer, "__init__", lambda self, masters: real(self, masters[::-1]))


def delete_a_retired_key_at_once(patch: pytest.MonkeyPatch) -> None:
    """Jobs that were ordered under it cannot be asked for any more."""

    async def none(_connection: AsyncConnection, _key_id: int) -> int:
        return 0

    patch.setattr(service, "_jobs_on", none)


def forget_the_webhook_secret(patch: pytest.MonkeyPatch) -> None:
    real = KeySecrets._reseal

    async def reseal(
        self: KeySecrets, connection: AsyncConnection, key: rows.SealedKey, api_key: str, _secret: str | None
    ) -> bool:
        return await real(self, connection, key, api_key, None)

    patch.setattr(KeySecrets, "_reseal", reseal)


ROW = Row(
    "T31",
    "keys change while jobs are under way, and death",
    "every secret opens, no old seal is left, no job fails",
    (2, 200),
    ("died while sealing anew", "died while an API key was stored", "secrets opened"),
    rotate_often,
    (seal_with_the_last_master_key, delete_a_retired_key_at_once, forget_the_webhook_secret),
)
