"""What `doctor` says of where Discord sends interactions."""

from typing import Any

import pytest

from bot.doctor.findings import State
from bot.doctor.interactions import interactions
from tests.doctor.installation import Installation

KEY, OTHER = "0a" * 32, "0b" * 32
HERE, ELSEWHERE = "https://bot.example.org", "https://elsewhere.example/interactions"


@pytest.mark.parametrize(
    ("endpoint", "key", "address", "state", "said", "to_do"),
    [
        (None, None, HERE, State.OK, "over the gateway", ""),
        (ELSEWHERE, None, HERE, State.FAIL, f"to {ELSEWHERE}", f"set DARKROOM_PUBLIC_KEY={KEY}"),
        (f"{HERE}/interactions", KEY, HERE, State.OK, f"to {HERE}/interactions", ""),
        ("https://BOT.example.org:443/interactions", KEY, HERE, State.OK, f"to {HERE}/interactions", ""),
        (None, KEY, HERE, State.WARN, "over the gateway", f"enter {HERE}/interactions"),
        (ELSEWHERE, KEY, HERE, State.FAIL, f"to {ELSEWHERE}, and not to {HERE}/interactions", "Enter that address"),
        (f"{HERE}/interactions/", KEY, HERE, State.FAIL, "and not to", "Enter that address"),
        (ELSEWHERE, KEY, None, State.WARN, f"to {ELSEWHERE}", "Set DARKROOM_PUBLIC_URL"),
        (None, KEY, None, State.WARN, "over the gateway", "Set DARKROOM_PUBLIC_URL"),
    ],
)
def test_where_discord_sends_them_is_held_against_what_is_set(
    endpoint: str | None, key: str | None, address: str | None, state: State, said: str, to_do: str
) -> None:
    """Mutants: an address elsewhere is fine as long as a key is set; the letters of a host are compared as they are."""
    *_, found = interactions({"interactions_endpoint_url": endpoint, "verify_key": KEY}, key, address)
    assert (found.name, found.state, said in found.words, to_do in found.what_to_do) == (
        "interactions",
        state,
        True,
        True,
    )
    assert bool(found.what_to_do) == (state is not State.OK)


@pytest.mark.parametrize(("ours", "state"), [(KEY, State.OK), (KEY.upper(), State.OK), (OTHER, State.FAIL)])
def test_the_key_that_is_set_is_held_against_the_applications(ours: str, state: State) -> None:
    about: dict[str, Any] = {"interactions_endpoint_url": f"{HERE}/interactions", "verify_key": KEY}
    found, _ = interactions(about, ours, HERE)
    assert (found.name, found.state) == ("public key", state)
    assert (KEY in found.what_to_do) == (state is State.FAIL)


async def test_both_are_asked_of_discord(installation: Installation) -> None:
    """Mutant: the settings are not handed on."""
    url = f"{installation.settings.darkroom_public_url}/interactions"
    installation.standin.application.about = {"verify_key": KEY, "interactions_endpoint_url": url}
    installation.changed["darkroom_public_key"] = KEY
    found = await installation.examine()
    assert [found[name][0].state for name in ("public key", "interactions")] == [State.OK, State.OK]
    installation.changed["darkroom_public_key"] = OTHER
    assert (await installation.only("public key")).state is State.FAIL
