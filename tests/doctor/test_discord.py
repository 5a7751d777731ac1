"""What `doctor` says of token, application, gateway, clock and servers."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from pydantic import SecretStr

from bot.app import assemble
from bot.doctor.discord import clock, shape_of
from bot.doctor.findings import State
from cogs.adapters.inspection import in_channel, lacking
from cogs.adapters.invitation import ALLOWED, invitation
from tests.doctor.installation import Installation
from tests.wire.discord.faults import server_error
from tests.wire.discord.world import Permit


@pytest.mark.parametrize(
    ("token", "said"),
    [
        (None, "is not set"),
        ("", "is not set"),
        ("Bot abc.def.ghi", "begins with “Bot ”"),
        ("'abc.def.ghi'", "quotes or spaces"),
        ("abc.def.ghi\n", "quotes or spaces"),
        ("abc.dé.ghi", "quotes or spaces"),
    ],
)
def test_a_token_that_was_pasted_wrongly_is_told_so_and_not_shown(token: str | None, said: str) -> None:
    found = shape_of(token)
    assert found is not None
    assert (found.state, said in found.words, bool(found.what_to_do)) == (State.FAIL, True, True)
    assert "abc" not in str(found)
    assert shape_of("abc.def.ghi") is None


@pytest.mark.parametrize(
    ("seconds", "said"), [(0, ""), (4, ""), (-4, ""), (8, "8 seconds ahead of"), (-3600, "3600 seconds behind")]
)
def test_a_clock_that_is_off_by_more_than_a_few_seconds_is_named(seconds: int, said: str) -> None:
    theirs = datetime(2026, 11, 30, 12, tzinfo=UTC)
    ours = theirs + timedelta(seconds=seconds)
    (found,) = clock(format_datetime(theirs, usegmt=True), ours, ours)
    assert found.state is (State.WARN if said else State.OK)
    assert said in found.words


def test_an_answer_without_a_date_says_nothing_of_the_clock() -> None:
    now = datetime(2026, 11, 30, tzinfo=UTC)
    assert list(clock("", now, now)) == []


async def test_who_the_bot_is_and_how_it_is_invited(installation: Installation) -> None:
    bot = installation.standin.world.bot
    found = await installation.examine()
    assert found["token"][0].words == f"The bot is {bot.name} (id {bot.id})."
    assert found["install link"][0].words == invitation(bot.id)
    assert found["intents"][0].words == "None that is privileged is needed."


async def test_what_the_portal_has_set_against_the_bot_is_named(installation: Installation) -> None:
    installation.standin.application.about = {
        "flags": (1 << 15) | (1 << 19),
        "interactions_endpoint_url": "https://elsewhere.example/",
        "bot_require_code_grant": True,
    }
    installation.standin.application.starts_left = 3
    found = await installation.examine()
    assert "server members, message content" in found["intents"][0].words
    assert "OAuth2 code grant" in found["application"][0].words
    assert [found[name][0].state for name in ("application", "interactions")] == [State.FAIL, State.FAIL]
    assert found["gateway"][0].words.startswith("Only 3 of 1000 starts are left for the next 2 hours")


@pytest.mark.parametrize(
    ("status", "said"), [(429, "asks this address to wait"), (503, "not well (status 503)"), (403, "Something between")]
)
async def test_an_odd_answer_is_no_verdict_about_the_token(installation: Installation, status: int, said: str) -> None:
    """Mutant: everything but 200 means that the token is wrong."""
    installation.standin.faults.add("GET", "/users/@me", server_error(status))
    found = await installation.only("token")
    assert (found.state, said in found.words) == (State.FAIL, True)


async def test_a_token_that_discord_refuses_is_not_asked_about_again(installation: Installation) -> None:
    installation.changed["discord_token"] = SecretStr("not-this-one")
    found = await installation.examine()
    assert found["token"][0].words == "Discord does not accept DISCORD_TOKEN."
    assert len(installation.standin.calls) == 1


async def test_a_channel_named_in_settings_in_which_the_bot_cannot_post_is_named(installation: Installation) -> None:
    """Mutant: the server's permissions alone are looked at."""
    world, guild, gallery = installation.standin.world, installation.guild, installation.gallery
    reports, log = world.add_channel(guild, "reports"), world.add_channel(guild, "log")
    await installation.furnish()
    async with assemble(installation.settings) as darkroom:
        await darkroom.services.guilds.choose_reports(guild.id, reports.id)
        await darkroom.services.guilds.choose_log(guild.id, log.id)
    reports.denied[world.bot.id] = int(Permit.ATTACH_FILES)
    log.is_deleted = True
    found = await installation.examine()
    by_channel = {name.rpartition(" ")[2]: each for name, (each, *_) in found.items() if "channel for" in name}
    assert by_channel["gallery"].words == f"The bot can post in #{gallery.name}."
    assert by_channel["reports"].words == "In #reports the bot may not: Attach Files."
    assert f"{log.id} is gone" in by_channel["log"].words


EVERYBODY, ROLE, BOT = "1", "2", "3"


def overwrite(who: str, *, allow: int = 0, deny: int = 0) -> dict[str, str]:
    return {"id": who, "allow": str(allow), "deny": str(deny)}


@pytest.mark.parametrize(
    ("overwrites", "may_send"),
    [
        ([], True),
        ([overwrite(EVERYBODY, deny=Permit.SEND_MESSAGES)], False),
        ([overwrite(ROLE, allow=Permit.SEND_MESSAGES), overwrite(EVERYBODY, deny=Permit.SEND_MESSAGES)], True),
        ([overwrite("9", deny=Permit.SEND_MESSAGES)], True),
        ([overwrite(BOT, deny=Permit.SEND_MESSAGES), overwrite(ROLE, allow=Permit.SEND_MESSAGES)], False),
        ([overwrite(BOT, allow=Permit.SEND_MESSAGES), overwrite(ROLE, deny=Permit.SEND_MESSAGES)], True),
    ],
)
def test_overwrites_count_in_discords_order(overwrites: list[dict[str, str]], *, may_send: bool) -> None:
    """Everybody, then roles, then the member, in whatever order they come."""
    granted = in_channel(ALLOWED.value, overwrites, EVERYBODY, {ROLE}, BOT)
    assert ("Send Messages" not in lacking(granted)) is may_send


def test_an_administrator_lacks_nothing_anywhere() -> None:
    everything = int(Permit.ADMINISTRATOR)
    assert in_channel(everything, [overwrite(BOT, deny=Permit.SEND_MESSAGES)], EVERYBODY, (), BOT) == everything
    assert lacking(everything) == []
