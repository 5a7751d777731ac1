"""The link that invites the bot asks for exactly what is used."""

import base64

import discord
import pytest

from bot.errors import StartupError
from cogs.adapters import venue_checks
from cogs.adapters.invitation import ALLOWED, application_of, invitation


def token_of(first: str) -> str:
    return f"{base64.urlsafe_b64encode(first.encode()).decode().rstrip('=')}.rest.of-it"


@pytest.mark.parametrize("number", [123456789012345678, 1234567890123456789, 99999999999999999])
def test_the_id_is_read_out_of_a_token_with_and_without_padding(number: int) -> None:
    assert application_of(token_of(str(number))) == number
    assert application_of(f" {token_of(str(number))}\n") == number


@pytest.mark.parametrize(
    "token", ["", "canary", "canary.b.c", token_of("canary"), token_of("12"), "MTIz\u0661.b.c", "é.b"]
)
def test_what_is_no_bot_token_is_one_sentence_without_it(token: str) -> None:
    with pytest.raises(StartupError, match=r"^DISCORD_TOKEN is not a bot token\. [^.]*\.$") as caught:
        application_of(token)
    assert "canary" not in str(caught.value)


def test_everything_that_a_check_asks_for_is_in_the_link() -> None:
    """Mutant: a permission left out of ALLOWED."""
    names = {*venue_checks.NEEDED, *venue_checks.IN_A_THREAD, *venue_checks.FOR_A_PIN, *venue_checks.FOR_A_THREAD}
    assert [name for name in sorted(names) if not getattr(ALLOWED, name)] == []
    assert f"permissions={ALLOWED.value}" in invitation(1)
    assert not ALLOWED.is_superset(discord.Permissions(manage_roles=True))
