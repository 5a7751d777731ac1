"""Photos that are taken back when the details of their training have been forgotten."""

import functools

import pytest
import sqlalchemy as sa

from bot.records.dataset import ConsentKind
from bot.records.event import EventStatus
from bot.records.key import ProviderName
from bot.storage import tables
from bot.storage.jobs import datasets
from bot.storage.rows import insert_row
from tests.events.photo_givers import member, open_event
from tests.fakes.clock import NOON
from tests.fakes.events import add_entrants, change_event
from tests.fakes.rows import ANNA, BEN, GUILD, add_dataset, add_lora
from tests.fakes.studio import Studio


async def retired(studio: Studio) -> list[bool]:
    return [since is not None for since in await studio.scalars(sa.select(tables.loras.c.retiring_since))]


@pytest.mark.parametrize("how", ["withdrawn", "erased"])
async def test_a_lora_of_an_event_is_retired_with_an_entrant_whose_photos_it_was_trained_on(
    studio: Studio, how: str
) -> None:
    """Mutant: without the training's row nothing is known to have been trained on them."""
    event = await open_event(studio)
    await add_entrants(studio.database, event, BEN, photos_chosen=3)
    await add_lora(studio.database, 1, event_id=event.id, dataset_id=event.dataset_id)
    await add_lora(studio.database, 2)
    await change_event(studio.database, event, status=EventStatus.FINISHED, ended_at=studio.clock.now())
    if how == "withdrawn":
        await studio.depictions.withdraw(event.id, member(BEN))
    else:
        await studio.privacy.forget_member(guild_id=GUILD, user_id=BEN)
    assert await retired(studio) == [True, False]


@pytest.mark.parametrize("kind", [ConsentKind.AUTHOR, ConsentKind.DEPICTED])
async def test_a_lora_of_somebody_else_is_retired_with_who_took_its_photos_or_is_in_them(
    studio: Studio, kind: ConsentKind
) -> None:
    dataset_id = await add_dataset(studio.database, user_id=ANNA)
    await add_lora(studio.database, 1, dataset_id=dataset_id)
    await add_lora(studio.database, 2)
    dataset = await studio.database.fetch(datasets.get, dataset_id)
    assert dataset is not None
    agreed = functools.partial(datasets.record_consent, dataset=dataset, user_id=BEN, kind=kind)
    now = studio.clock.now()
    await studio.database.write(functools.partial(agreed, policy_version="1", photo_hashes=("a",), now=now))
    await studio.privacy.forget_member(guild_id=GUILD, user_id=BEN)
    assert await retired(studio) == [True, False]


async def test_the_author_of_a_picture_that_an_order_started_from_takes_no_lora_along(studio: Studio) -> None:
    """Mutant: their yes names no dataset, as a LoRA that was imported has none."""
    await add_lora(studio.database)
    proof = {"kind": ConsentKind.AUTHOR, "provider": ProviderName.APIFRAME, "policy_version": "1"}
    given = {"guild_id": GUILD, "user_id": BEN, "generation_id": 1, "photo_hashes": ("a",), "given_at": NOON}
    await studio.database.write(lambda connection: insert_row(connection, tables.consents, **proof, **given))
    await studio.privacy.forget_member(guild_id=GUILD, user_id=BEN)
    assert await retired(studio) == [False]
    assert await studio.scalars(sa.select(tables.consents.c.withdrawn_at)) == [studio.clock.now()]
