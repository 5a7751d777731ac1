"""T30: the database is taken without the master key, or what is sealed in it is changed, moved and put back."""

import base64
import dataclasses
import random
import sqlite3
from collections.abc import Callable, Iterator

import pytest

from bot.errors import SealError
from bot.records.key import ProviderName
from bot.storage import sealing, tables
from bot.storage.money import keys
from bot.storage.sealing import KEY_BYTES, Sealer
from tests.fakes.rows import ADMIN, GUILD, OTHER_GUILD
from tests.fakes.studio import AUROUS_KEY, KEY, NEXT_KEY, OTHER_AUROUS_KEY, OTHER_KEY, Studio
from tests.trust.row import Row, Score
from tests.trust.studios import fresh_studio

API_KEYS = (
    (GUILD, ProviderName.APIFRAME, KEY),
    (GUILD, ProviderName.APIFRAME, NEXT_KEY),
    (GUILD, ProviderName.AUROUS, AUROUS_KEY),
    (OTHER_GUILD, ProviderName.APIFRAME, OTHER_KEY),
    (OTHER_GUILD, ProviderName.AUROUS, OTHER_AUROUS_KEY),
)
ADDRESSES = ("http://127.0.0.1:9", "http://127.0.0.1:10")
"""One after the other: every endpoint is registered twice, with another secret."""
GUESSES = 20
STOLEN = ("darkroom.db", "darkroom.db-wal", "backup.db")

Blobs = dict[int, list[bytes]]
"""What was ever sealed for a key, by its id: the present one is the last."""


@dataclasses.dataclass
class Vault:
    """The keys in the database, all that was ever sealed for them, and what they are in truth."""

    studio: Studio
    api_keys: Blobs = dataclasses.field(default_factory=dict)
    endpoints: Blobs = dataclasses.field(default_factory=dict)
    secrets: set[str] = dataclasses.field(default_factory=set)

    @property
    def key_ids(self) -> list[int]:
        """Of the keys in use."""
        return sorted(self.api_keys)[1:]

    async def stored(self, key_id: int) -> keys.SealedKey:
        found = await self.studio.database.fetch(keys.get, key_id)
        assert found is not None
        return found

    async def note(self, key_id: int) -> None:
        stored, secrets = await self.stored(key_id), self.studio.keys.secrets
        self.secrets.add(secrets.open(stored))
        self.api_keys.setdefault(key_id, []).append(stored.sealed)
        secret = secrets.open_endpoint(stored)
        if secret is not None and stored.endpoint_secret is not None:
            self.secrets.add(secret)
            self.endpoints.setdefault(key_id, []).append(stored.endpoint_secret)


async def steal_and_tamper(amount: int, seed: int) -> Score:
    score, dice = Score(), random.Random(seed)
    async with fresh_studio() as studio:
        vault = Vault(studio)
        await _fill(vault)
        _steal(score, vault, dice)
        changes = _changes(vault, dice)
        for number in range(amount):
            fault = sorted(changes)[number % len(changes)]
            await _tamper(score, vault, fault, *changes[fault]())
        for key_id in vault.key_ids:
            score.bad["an untouched key does not open"] += await studio.keys.client(key_id) is None
    return score


async def _fill(vault: Vault) -> None:
    studio = vault.studio
    for guild_id, provider, api_key in API_KEYS:
        row = (await studio.keys.set(guild_id, provider, api_key, set_by=ADMIN)).row
        for studio.public_url in ADDRESSES:
            await studio.endpoints.ensure(row)
            await vault.note(row.id)


def _steal(score: Score, vault: Vault, dice: random.Random) -> None:
    """Look for every secret in the files as they lie there, then try other master keys on every sealed one."""
    folder = vault.studio.folder
    with sqlite3.connect(folder / "darkroom.db") as taken, sqlite3.connect(folder / "backup.db") as backup:
        taken.backup(backup)
    for name in STOLEN:
        raw = (folder / name).read_bytes()
        score.fired[f"looked through {name}"] += bool(raw)
        score.bad[f"a secret in {name}"] += sum(spelling in raw for spelling in _spellings(vault.secrets))
    for blob in _all(vault):
        for _ in range(GUESSES):
            guess = dice.randbytes(KEY_BYTES)
            score.fired["a guessed master key"] += 1
            score.bad["opened with a guessed master key"] += _opens(Sealer([guess]), sealing._key_id(guess) + blob[4:])
    score.tried += score.fired["a guessed master key"]


def _spellings(secrets: set[str]) -> Iterator[bytes]:
    for secret in secrets:
        plain = secret.encode()
        yield from (plain, plain[::-1], plain.hex().encode(), secret.encode("utf-16-le"))
        for shift in range(3):
            yield base64.b64encode(b"\0" * shift + plain)[4:-4]


def _all(vault: Vault) -> list[bytes]:
    return [blob for blobs in (vault.api_keys, vault.endpoints) for history in blobs.values() for blob in history]


def _opens(sealer: Sealer, blob: bytes) -> bool:
    try:
        sealer.unseal(blob, context="")
    except SealError:
        return False
    return True


Change = tuple[str, int, bytes]
"""Which column of which key gets which bytes."""


def _changes(vault: Vault, dice: random.Random) -> dict[str, Callable[[], Change]]:
    columns = (("sealed", vault.api_keys), ("endpoint_secret", vault.endpoints))

    def of_itself(change: Callable[[bytes], bytes]) -> Change:
        column, blobs = dice.choice(columns)
        key_id = dice.choice(sorted(set(blobs) & set(vault.key_ids)))
        return column, key_id, change(blobs[key_id][-1])

    def of_another(is_wanted: Callable[[tuple[int, ProviderName], tuple[int, ProviderName]], bool]) -> Change:
        column, blobs = dice.choice(columns[:1])
        owners = {key_id: API_KEYS[number][:2] for number, key_id in enumerate(sorted(vault.api_keys))}
        pairs = [(to, of) for to in vault.key_ids for of in owners if to != of and is_wanted(owners[to], owners[of])]
        to, of = dice.choice(pairs)
        return column, to, dice.choice(blobs[of])

    def earlier_endpoint() -> Change:
        key_id = dice.choice(sorted(vault.endpoints))
        return "endpoint_secret", key_id, vault.endpoints[key_id][0]

    return {
        "a bit": lambda: of_itself(lambda blob: _flip(blob, dice.randrange(len(blob) * 8))),
        "cut short": lambda: of_itself(lambda blob: blob[: dice.randrange(len(blob))]),
        "something behind it": lambda: of_itself(lambda blob: blob + dice.randbytes(dice.randrange(1, 20))),
        "noise": lambda: of_itself(lambda blob: dice.randbytes(len(blob))),
        "another guild's key": lambda: of_another(lambda to, of: to[0] != of[0] and to[1] == of[1]),
        "another provider's key": lambda: of_another(lambda to, of: to[0] == of[0] and to[1] != of[1]),
        "an earlier key": lambda: of_another(lambda to, of: to == of),
        "an earlier webhook secret": earlier_endpoint,
        "a webhook secret as the key": lambda: ("sealed", *_last(dice.choice(sorted(vault.endpoints.items())))),
    }


def _flip(blob: bytes, bit: int) -> bytes:
    return blob[: bit // 8] + bytes([blob[bit // 8] ^ 1 << bit % 8]) + blob[bit // 8 + 1 :]


def _last(of_key: tuple[int, list[bytes]]) -> tuple[int, bytes]:
    return of_key[0], of_key[1][-1]


async def _tamper(score: Score, vault: Vault, fault: str, column: str, key_id: int, blob: bytes) -> None:
    studio = vault.studio
    await studio.change(tables.api_keys, key_id, **{column: blob})
    if column == "sealed":
        is_open = await studio.keys.client(key_id) is not None
    else:
        is_open = studio.keys.secrets.open_endpoint(await vault.stored(key_id)) is not None
    blobs = vault.api_keys if column == "sealed" else vault.endpoints
    await studio.change(tables.api_keys, key_id, **{column: blobs[key_id][-1]})
    score.tried += 1
    score.fired[fault] += 1
    score.bad[f"{fault}: not noticed"] += is_open


def store_as_it_is(patch: pytest.MonkeyPatch) -> None:
    """What is stored is the secret itself, behind the mark of its key."""
    patch.setattr(Sealer, "seal", lambda self, secret, *, context: self._current + bytes(28) + secret.encode())
    patch.setattr(Sealer, "unseal", lambda _self, blob, *, context: blob[32:].decode(errors="replace"))


def bind_to_nothing(patch: pytest.MonkeyPatch) -> None:
    """Every sealed secret opens wherever it is put."""
    seal, unseal = Sealer.seal, Sealer.unseal
    patch.setattr(Sealer, "seal", lambda self, secret, *, context: seal(self, secret, context=""))
    patch.setattr(Sealer, "unseal", lambda self, blob, *, context: unseal(self, blob, context=""))


ROW = Row(
    "T30",
    "a stolen database; sealed keys changed, moved and put back",
    "0 keys recovered, all tampering noticed",
    (90, 4_500),
    (
        *(f"looked through {name}" for name in STOLEN),
        "a guessed master key",
        "a bit",
        "cut short",
        "something behind it",
        "noise",
        "another guild's key",
        "another provider's key",
        "an earlier key",
        "an earlier webhook secret",
        "a webhook secret as the key",
    ),
    steal_and_tamper,
    (store_as_it_is, bind_to_nothing),
)
