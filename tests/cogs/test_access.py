"""Server settings -> Integrations hold for the buttons and forms of a command, too."""

import itertools
from types import SimpleNamespace
from typing import Any

import pytest
from discord.http import HTTPClient

from cogs.ui.access import CHANNEL, ROLE, USER, Overwrite, Who, may_use
from tests.cogs.simulated_guild import Stage, answer_to, board_of, photos

GUILD, BEN, ARTISTS, HELPERS, HERE, THREAD = 100, 1, 7, 8, 30, 31
REFUSED = "The admins of this server do not let you use `/train` here (Server settings, Integrations)."


def who(*roles: int, has_default: bool = True) -> Who:
    return Who(GUILD, BEN, frozenset({GUILD, *roles}), frozenset({HERE, THREAD}), has_default)


def yes(kind: int, target: int) -> Overwrite:
    return Overwrite(target, kind, is_allowed=True)


def no(kind: int, target: int) -> Overwrite:
    return Overwrite(target, kind, is_allowed=False)


EVERYONE, EVERYWHERE = GUILD, GUILD - 1


@pytest.mark.parametrize(
    ("of_command", "of_app", "is_allowed"),
    [
        ([], [], True),
        ([no(ROLE, EVERYONE)], [], False),
        ([no(ROLE, EVERYONE), yes(ROLE, ARTISTS)], [], True),
        ([no(ROLE, EVERYONE), yes(ROLE, HELPERS)], [], False),
        ([no(ROLE, ARTISTS)], [], False),
        ([yes(ROLE, ARTISTS), no(USER, BEN)], [], False),
        ([no(ROLE, ARTISTS), yes(USER, BEN)], [], True),
        ([no(CHANNEL, EVERYWHERE)], [], False),
        ([no(CHANNEL, EVERYWHERE), yes(CHANNEL, HERE)], [], True),
        ([no(CHANNEL, HERE), yes(USER, BEN)], [], False),
        ([], [no(ROLE, EVERYONE)], False),
        ([yes(USER, BEN)], [no(ROLE, EVERYONE)], True),
        ([], [no(CHANNEL, EVERYWHERE)], False),
        ([yes(CHANNEL, EVERYWHERE)], [no(CHANNEL, HERE)], True),
    ],
)
def test_what_admins_chose_decides(of_command: list[Overwrite], of_app: list[Overwrite], is_allowed: bool) -> None:
    assert may_use(who(ARTISTS), of_command, of_app) is is_allowed


def test_what_a_command_asks_for_by_default_holds_until_it_is_overruled() -> None:
    nobody = who(has_default=False)
    assert not may_use(nobody, [], [])
    assert may_use(nobody, [yes(USER, BEN)], [])
    assert not may_use(nobody, [], [yes(USER, BEN)])


def choose(stage: Stage, chosen: dict[Any, bool]) -> None:
    root = stage.world.env.backend.find_command("train", stage.world.guild.id)
    assert root is not None
    stage.world.guild.set_command_permissions(int(root["id"]), chosen)


def cog_of(stage: Stage) -> Any:
    """Extensions are loaded as modules of their own, so its class is not the one that can be imported here."""
    assert stage.world.darkroom.gateway.bot is not None
    return stage.world.darkroom.gateway.bot.get_cog("PermissionsCog")


async def hear(stage: Stage) -> None:
    """What Discord's gateway says when admins have changed something; the simulated one does not."""
    await cog_of(stage).on_raw_app_command_permissions_update(SimpleNamespace(guild=stage.world.guild))


async def test_a_button_obeys_its_command_and_hears_of_a_change(keyed: Stage) -> None:
    board = board_of(await keyed.send_form(keyed.ben, "Rex", photos(15)))
    choose(keyed, {keyed.ben: False})
    await hear(keyed)
    assert answer_to(await keyed.start(keyed.ben, board)) == REFUSED
    choose(keyed, {keyed.ben: True})
    await hear(keyed)
    assert "Accepted #1" in answer_to(await keyed.start(keyed.ben, board))


async def test_an_answer_that_was_on_its_way_when_the_right_went_is_not_kept(
    keyed: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mutant: what Discord answered before the change is kept as what holds after it."""
    board = board_of(await keyed.send_form(keyed.ben, "Rex", photos(15)))
    choose(keyed, {keyed.ben: False})
    await hear(keyed)
    ask, asked = HTTPClient.get_application_command_permissions, list[object]()

    async def ask_while_it_changes(*args: Any) -> Any:
        """The first answer is from before the change, which the gateway tells before the answer is here."""
        answer = await ask(*args)
        if asked:
            return answer
        asked.append(answer)
        await hear(keyed)
        return {**answer, "permissions": [{**each, "permission": True} for each in answer["permissions"]]}

    monkeypatch.setattr(HTTPClient, "get_application_command_permissions", ask_while_it_changes)
    assert answer_to(await keyed.start(keyed.ben, board)) == REFUSED
    assert asked
    assert answer_to(await keyed.start(keyed.ben, board)) == REFUSED


async def test_a_change_that_was_missed_holds_from_the_next_session_on(keyed: Stage) -> None:
    board = board_of(await keyed.send_form(keyed.ben, "Rex", photos(15)))
    choose(keyed, {keyed.ben: False})
    await cog_of(keyed).on_ready()
    assert answer_to(await keyed.start(keyed.ben, board)) == REFUSED


async def test_a_form_that_was_open_when_the_right_went_is_refused_and_nothing_is_stored(keyed: Stage) -> None:
    opened = await keyed.use(keyed.ben, "train", subject="object")
    choose(keyed, {keyed.channel: False})
    assert answer_to(await keyed.submit_fields(keyed.ben, opened, "Rex", photos(15)[:10], None, None, True)) == REFUSED
    assert "no open dataset" in answer_to(await keyed.use(keyed.ben, "dataset show"))


async def test_discarding_stays_possible_and_admins_are_never_locked_out(keyed: Stage) -> None:
    board = board_of(await keyed.send_form(keyed.ben, "Rex", photos(15)))
    owners = board_of(await keyed.send_form(keyed.ada, "Foxy", photos(15)))
    choose(keyed, {keyed.ben: False, keyed.ada: False})
    assert "discarded" in answer_to(await keyed.ben.click(board, label="Discard"))
    assert "Accepted #1" in answer_to(await keyed.start(keyed.ada, owners))


async def test_an_outage_of_discord_lets_nobody_in_by_mistake(keyed: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    board = board_of(await keyed.send_form(keyed.ben, "Rex", photos(15)))
    await hear(keyed)

    async def away(*_: object) -> None:
        raise TimeoutError

    with monkeypatch.context() as patch:
        patch.setattr(HTTPClient, "get_application_command_permissions", away)
        assert "Discord did not say just now" in answer_to(await keyed.start(keyed.ben, board))
    assert "Accepted #1" in answer_to(await keyed.start(keyed.ben, board))


@pytest.mark.parametrize("chosen", list(itertools.product([None, True, False], repeat=3)))
async def test_it_is_decided_as_the_simulated_discord_decides_for_commands(
    stage: Stage, chosen: tuple[bool | None, ...]
) -> None:
    targets = dict(zip((stage.ben, stage.channel, stage.world.guild.default_role), chosen, strict=True))
    choose(stage, {target: allowed for target, allowed in targets.items() if allowed is not None})
    access = cog_of(stage).access
    is_shown = "train" in stage.ben.available_commands(stage.channel)
    of_command = await access._chosen(stage.world.guild.id, await access._id_of("train"))
    actor = Who(
        stage.world.guild.id,
        stage.ben.id,
        frozenset({stage.world.guild.id}),
        frozenset({stage.channel.id}),
        has_default=True,
    )
    assert may_use(actor, of_command, ()) is is_shown
