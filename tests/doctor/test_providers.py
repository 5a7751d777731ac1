"""What `doctor` says of the providers and of each stored key."""

import base64

from pydantic import SecretStr

from bot.app import assemble
from bot.doctor.findings import State
from bot.errors import KeyRejected
from bot.records.key import ProviderName
from tests.doctor.installation import APIFRAME_KEY, Installation


async def test_without_a_key_it_says_whether_the_provider_answers(installation: Installation) -> None:
    found = await installation.examine()
    for name in ("Apiframe", "Aurous Labs"):
        assert [each.state for each in found[name]] == [State.OK]
        assert "no key is stored yet" in found[name][0].words


async def test_a_key_that_is_refused_is_named_by_its_server_and_its_last_four(installation: Installation) -> None:
    await installation.furnish()
    installation.apiframe.faults.inactive_keys.add(APIFRAME_KEY)
    provider, key = (await installation.examine())["Apiframe"]
    assert (provider.state, key.state) == (State.OK, State.FAIL)
    assert f"server {installation.guild.id} (…{APIFRAME_KEY[-4:]})" in key.words
    assert "/keys set" in key.what_to_do
    assert APIFRAME_KEY not in str(key)


async def test_a_provider_that_is_away_is_one_line_for_all_its_keys(installation: Installation) -> None:
    await installation.furnish()
    await installation.aurous.close()
    found = await installation.only("Aurous Labs")
    assert (found.state, "Nothing takes the connection" in found.words) == (State.FAIL, True)


async def test_a_key_sealed_with_another_master_key_is_named_without_asking_anybody(installation: Installation) -> None:
    """Mutant: one that cannot be opened is left out without a word."""
    await installation.furnish()
    other = base64.b64encode(b"o" * 32).decode()
    installation.changed["darkroom_master_key"] = SecretStr(other)
    found = await installation.examine()
    assert "not the one that this database was sealed with" in found["master key"][0].words
    closed = [each for each in found["Apiframe"] if "cannot be opened" in each.words]
    assert [each.state for each in closed] == [State.FAIL]
    assert other not in "".join(map(str, closed))


async def test_a_paused_key_that_works_again_is_told_so_and_stays_as_it_was(installation: Installation) -> None:
    """Mutant: looking at it ends its pause."""
    await installation.furnish()

    async with assemble(installation.settings) as darkroom:
        keys = darkroom.services.keys
        row = await keys.current(installation.guild.id, ProviderName.APIFRAME)
        await keys.pause(row.id, KeyRejected("no"))
    _, found = (await installation.examine())["Apiframe"]
    assert "was paused and is accepted again" in found.words
    async with assemble(installation.settings) as darkroom:
        stored = await darkroom.services.keys.get(row.id)
        assert stored is not None
        assert stored.paused_at is not None
