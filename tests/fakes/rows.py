"""Rows with sensible defaults, for tests that begin in the middle."""

import re
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.records.dataset import Gender, Photo, SubjectKind, Verdict
from bot.records.generation import GenerationSettings
from bot.records.guild import Place, PlaceKind
from bot.records.key import ProviderName
from bot.records.post import PostKind
from bot.storage.database import Database
from bot.storage.jobs import datasets, generations, loras, posts, trainings
from bot.storage.money import keys
from tests.fakes.clock import NOON

GUILD, OTHER_GUILD = 100, 200
CHANNEL, THREAD = 300, 301
ADMIN, ANNA, BEN = 400, 401, 402


def stands_in(user_id: int, found: object) -> bool:
    """Whether an id is written in it, as a number of its own: longer ones, such as pseudonyms, may hold its digits."""
    return re.search(rf"(?<!\d){user_id}(?!\d)", repr(found)) is not None


def photo(number: int = 1, dataset_id: int = 1, **changes: Any) -> Photo:
    """A good photo unlike every other number's."""
    values: dict[str, Any] = {
        "id": number,
        "dataset_id": dataset_id,
        "name": f"photo-{number}.jpg",
        "verdict": Verdict.ACCEPTED,
        "findings": (),
        "sha256": f"{number:064x}",
        "dhash": _scattered(number),
        "size": 1000,
        "width": 800,
        "height": 600,
        "file": None,
    }
    return Photo(**(values | changes))


def _scattered(number: int) -> int:
    """A 64-bit hash far (more than 8 bits) from that of every other small number."""
    word = number * 0x9E3779B97F4A7C15 & 0xFFFFFFFFFFFFFFFF
    word ^= word >> 29
    word = word * 0xBF58476D1CE4E5B9 & 0xFFFFFFFFFFFFFFFF
    return int.from_bytes(word.to_bytes(8, "big"), "big", signed=True)


async def add_key(database: Database, **changes: Any) -> int:
    values: dict[str, Any] = {
        "guild_id": GUILD,
        "provider": ProviderName.APIFRAME,
        "last4": "abcd",
        "set_by": ADMIN,
        "now": NOON,
    }

    async def transaction(connection: AsyncConnection) -> int:
        return await keys.insert(connection, **(values | changes))

    return await database.write(transaction)


async def add_dataset(database: Database, **changes: Any) -> int:
    values: dict[str, Any] = {
        "guild_id": GUILD,
        "channel_id": CHANNEL,
        "user_id": ANNA,
        "name": "Rex",
        "subject_kind": SubjectKind.PERSON,
        "gender": Gender.FEMALE,
        "ethnicity": "Mixed",
        "age": "early 30s",
        "steps": 1000,
        "rank": 32,
        "created_at": NOON,
        "due_at": None,
    }

    async def transaction(connection: AsyncConnection) -> int:
        return (await datasets.insert(connection, **(values | changes))).id

    return await database.write(transaction)


async def add_photos(database: Database, photos: list[Photo]) -> None:
    async def transaction(connection: AsyncConnection) -> None:
        for one in photos:
            await datasets.add_photo(connection, one.dataset_id, one)

    await database.write(transaction)


async def add_training(database: Database, number: int = 1, **changes: Any) -> int:
    """`number` makes marker and webhook token unique."""
    values: dict[str, Any] = {
        "guild_id": GUILD,
        "channel_id": CHANNEL,
        "parent_id": None,
        "user_id": ANNA,
        "dataset_id": 1,
        "key_id": 1,
        "provider": ProviderName.APIFRAME,
        "name": "Rex",
        "marker": f"m{number}",
        "webhook_token": f"token-{number}",
        "photo_count": 15,
        "created_at": NOON,
        "due_at": NOON,
    }

    async def transaction(connection: AsyncConnection) -> int:
        return await trainings.insert(connection, **(values | changes))

    return await database.write(transaction)


async def add_lora(database: Database, number: int = 1, **changes: Any) -> int:
    """`number` stands for the training it came from."""
    values: dict[str, Any] = {
        "guild_id": GUILD,
        "owner_id": ANNA,
        "provider": ProviderName.APIFRAME,
        "remote_id": f"lora-{number}",
        "name": "Rex",
        "trigger_word": "TORKPN",
        "subject_kind": SubjectKind.PERSON,
        "training_id": number,
        "created_at": NOON,
    }

    async def transaction(connection: AsyncConnection) -> int:
        return await loras.insert(connection, **(values | changes))

    return await database.write(transaction)


async def add_generation(database: Database, number: int = 1, **changes: Any) -> int:
    """`number` makes idempotency key and webhook token unique."""
    values: dict[str, Any] = {
        "settings": GenerationSettings(),
        "guild_id": GUILD,
        "channel_id": CHANNEL,
        "parent_id": None,
        "user_id": ANNA,
        "lora_id": 1,
        "key_id": 1,
        "provider": ProviderName.APIFRAME,
        "prompt": "TORKPN in a forest",
        "idempotency_key": f"key-{number}",
        "webhook_token": f"pictures-{number}",
        "created_at": NOON,
        "due_at": NOON,
    }

    async def transaction(connection: AsyncConnection) -> int:
        return await generations.insert(connection, **(values | changes))

    return await database.write(transaction)


async def add_post(database: Database, subject_id: int = 1, *, now: datetime = NOON, **changes: Any) -> int:
    values: dict[str, Any] = {
        "kind": PostKind.TRAINING_READY,
        "guild_id": GUILD,
        "user_id": ANNA,
        "places": [Place(PlaceKind.CHANNEL, CHANNEL), Place(PlaceKind.USER, ANNA)],
    }
    values |= changes
    kind = values.pop("kind")

    async def transaction(connection: AsyncConnection) -> int:
        await posts.add(connection, kind, subject_id, now=now, **values)
        post = await posts.find(connection, kind, subject_id)
        assert post is not None
        return post.id

    return await database.write(transaction)
