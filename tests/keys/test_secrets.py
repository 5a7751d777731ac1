"""Sealed secrets belong to their row: none of another row, of another time or of another master key opens."""

import pytest

from bot.errors import SealError
from bot.keys.secrets import VERSION, KeySecrets
from bot.records.key import ProviderName
from bot.storage import meta, tables
from bot.storage.money import keys as rows
from bot.storage.sealing import Sealer
from tests.fakes.rows import GUILD, OTHER_GUILD
from tests.fakes.studio import AUROUS_KEY, KEY, MASTER_KEY, NEXT_KEY, OTHER_KEY, PROVIDER, Studio

NEW_MASTER_KEY = b"n" * 32


async def stored(studio: Studio, key_id: int) -> rows.SealedKey:
    found = await studio.database.fetch(rows.get, key_id)
    assert found is not None
    return found


async def put(studio: Studio, key_id: int, **values: object) -> None:
    await studio.change(tables.api_keys, key_id, **values)


async def test_an_earlier_key_of_the_server_does_not_open_in_the_row_of_the_present_one(studio: Studio) -> None:
    """Mutant: secrets that are bound to server and provider, which both rows have in common."""
    first = await studio.set_key()
    earlier = (await stored(studio, first)).sealed
    second = await studio.set_key(NEXT_KEY)
    assert studio.keys.secrets.open(await stored(studio, second)) == NEXT_KEY
    await put(studio, second, sealed=earlier)
    with pytest.raises(SealError):
        studio.keys.secrets.open(await stored(studio, second))
    assert await studio.keys.client(second) is None


async def test_a_secret_does_not_open_for_another_server_or_provider(studio: Studio) -> None:
    key_id = await studio.set_key()
    for change in ({"guild_id": OTHER_GUILD}, {"provider": ProviderName.AUROUS}):
        own = await stored(studio, key_id)
        await put(studio, key_id, **change)
        with pytest.raises(SealError):
            studio.keys.secrets.open(await stored(studio, key_id))
        await put(studio, key_id, guild_id=own.row.guild_id, provider=own.row.provider)
    assert studio.keys.secrets.open(await stored(studio, key_id)) == KEY


async def test_the_secret_of_an_earlier_endpoint_does_not_open_for_the_present_one(studio: Studio) -> None:
    key_id = await studio.set_key()
    key = await stored(studio, key_id)
    secrets = studio.keys.secrets
    earlier = secrets.seal_endpoint("first secret", key.row, "we_1")
    await put(studio, key_id, endpoint_id="we_2", endpoint_secret=secrets.seal_endpoint("second", key.row, "we_2"))
    assert secrets.open_endpoint(await stored(studio, key_id)) == "second"
    await put(studio, key_id, endpoint_secret=earlier)
    assert secrets.open_endpoint(await stored(studio, key_id)) is None


async def test_rotation_goes_on_after_a_key_that_cannot_be_opened_and_names_it(studio: Studio) -> None:
    """Mutant: the first key that cannot be opened ends it, and nobody knows what became of the others."""
    damaged = await studio.set_key()
    good = await studio.set_key(OTHER_KEY, guild_id=OTHER_GUILD)
    before = (await stored(studio, damaged)).sealed[:-1] + b"!"
    await put(studio, damaged, sealed=before)
    studio.keys.secrets._sealer = Sealer([NEW_MASTER_KEY, MASTER_KEY])
    rotations = {rotation.row.id: rotation for rotation in await studio.keys.secrets.rotate()}
    assert (rotations[good].is_resealed, rotations[good].trouble) == (True, None)
    assert rotations[damaged].trouble is not None
    assert str(rotations[damaged]).startswith(f"Server {GUILD}, Apiframe key …{KEY[-4:]}: left as it is. ")
    assert str(rotations[good]) == (
        f"Server {OTHER_GUILD}, Apiframe key …{OTHER_KEY[-4:]}: sealed with the first master key."
    )
    assert (await stored(studio, damaged)).sealed == before
    studio.keys.secrets._sealer = Sealer([NEW_MASTER_KEY])
    assert studio.keys.secrets.open(await stored(studio, good)) == OTHER_KEY


async def test_a_key_whose_webhook_secret_cannot_be_opened_is_left_whole(studio: Studio) -> None:
    key_id = await studio.set_key()
    await put(studio, key_id, endpoint_id="we_1", endpoint_secret=b"damaged")
    before = await stored(studio, key_id)
    studio.keys.secrets._sealer = Sealer([NEW_MASTER_KEY, MASTER_KEY])
    (rotation,) = await studio.keys.secrets.rotate()
    assert rotation.trouble == "Its webhook secret cannot be opened."
    assert (await stored(studio, key_id)).sealed == before.sealed


async def test_a_second_rotation_has_nothing_to_do_and_says_so(studio: Studio) -> None:
    await studio.set_key()
    (rotation,) = await studio.keys.secrets.rotate()
    assert not rotation.is_resealed
    assert str(rotation).endswith("sealed with the first master key already.")


async def test_one_damaged_key_does_not_keep_the_others_from_checking_signatures(studio: Studio) -> None:
    await studio.set_key()
    await studio.begin()
    await studio.settle()
    second = await studio.set_key(NEXT_KEY)
    await put(studio, second, sealed=b"damaged")
    assert (await studio.keys.webhook_secrets(GUILD, PROVIDER)).keys == [KEY]


async def test_what_an_earlier_version_has_sealed_is_bound_once_and_opens_nowhere_else_then(studio: Studio) -> None:
    """Mutant: what was bound to server and provider opens for ever."""
    key_id = await studio.set_key()
    sealer = Sealer([MASTER_KEY])
    old = sealer.seal(AUROUS_KEY, context=f"{GUILD}:{PROVIDER}")
    old_secret = sealer.seal("secret", context=f"{GUILD}:{PROVIDER}:endpoint")
    await put(studio, key_id, sealed=old, endpoint_id="we_1", endpoint_secret=old_secret)
    secrets = KeySecrets(studio.opened)
    await secrets.bind()
    assert await studio.database.fetch(meta.get, meta.SEALING) == VERSION
    assert secrets.open(await stored(studio, key_id)) == AUROUS_KEY
    assert secrets.open_endpoint(await stored(studio, key_id)) == "secret"
    await put(studio, key_id, sealed=old)
    await secrets.bind()
    with pytest.raises(SealError):
        secrets.open(await stored(studio, key_id))
