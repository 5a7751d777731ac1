"""The role for event hosts: chosen in /settings, asked again when a form is sent, gone when the role is."""

import simcord
from simcord.components import walk_components
from simcord.results import ResponseMessage

from bot.records.event import Event, EventStatus
from bot.records.guild import Actor
from tests.cogs.simulated_guild import Message, Stage, answer_to, board_of, text_of, tree_of

NEEDS = "you need the **Manage Server** permission, or the role for hosts"
FIELDS = ("Night", "Cats", ["club"], ["object"], "")


def role_choice(message: Message) -> str:
    parts = walk_components(tree_of(message))
    return next(
        str(part["custom_id"]) for part in parts if part.get("placeholder") == "Choose the role for event hosts"
    )


async def planned(stage: Stage, member: simcord.MemberActor) -> ResponseMessage:
    """The settings of an event that the member has just planned."""
    form = await stage.use(member, "event create")
    return board_of(await stage.submit_fields(member, form, *FIELDS))


async def events_of(stage: Stage, member: simcord.MemberActor, *, is_admin: bool = False) -> list[Event]:
    """What the member sees, newest first."""
    actor = Actor(stage.world.guild.id, member.id, is_admin=is_admin)
    return list(await stage.world.darkroom.services.events.choices("", actor))


async def choose_role(stage: Stage, name: str = "Hosts") -> None:
    """As Ada does in /settings; Ben has it."""
    role = stage.world.guild.create_role(name)
    stage.world.env.backend.add_member_role(stage.world.guild.id, stage.ben.id, role.id)
    shown = board_of(await stage.use(stage.ada, "settings"))
    assert "**Event hosts:** only admins" in text_of(shown)
    shown = board_of(await stage.ada.select(shown, [role], custom_id=role_choice(shown)))
    assert f"**Event hosts:** <@&{role.id}>, and admins" in text_of(shown)


def delete_role(stage: Stage, name: str = "Hosts") -> None:
    stage.world.env.backend.delete_role(stage.world.guild.id, stage.world.guild.roles[name].id)


async def test_who_has_the_role_plans_events_and_runs_those_of_others(stage: Stage) -> None:
    """Mutant: `may_run` without the role lets Ben cancel nothing of Ada's."""
    await choose_role(stage)
    await planned(stage, stage.ada)
    [hers] = await events_of(stage, stage.ada, is_admin=True)
    asked = await stage.use(stage.ben, "event cancel", event=str(hers.id))
    await stage.ben.click(board_of(asked), label="Yes, cancel it")
    [hers] = await events_of(stage, stage.ada, is_admin=True)
    assert hers.status is EventStatus.CANCELLED
    assert "Settings of **Night**" in text_of(await planned(stage, stage.ben))
    assert [each.host_id for each in await events_of(stage, stage.ben)] == [stage.ben.id]
    assert NEEDS in answer_to(await stage.use(stage.cleo, "event create"))
    assert "**Manage Server**" in answer_to(await stage.use(stage.ben, "budget clear", who="server"))


async def test_who_lost_the_role_while_the_form_was_open_plans_nothing(stage: Stage) -> None:
    """Mutant: `CreateForm` without its check stores the draft."""
    await choose_role(stage)
    form = await stage.use(stage.ben, "event create")
    guild = stage.world.guild
    stage.world.env.backend.remove_member_role(guild.id, stage.ben.id, guild.roles["Hosts"].id)
    assert NEEDS in answer_to(await stage.submit_fields(stage.ben, form, *FIELDS))
    assert await events_of(stage, stage.ada, is_admin=True) == []


async def test_once_the_role_is_deleted_admins_alone_plan_and_a_host_keeps_their_own_event(stage: Stage) -> None:
    await choose_role(stage)
    panel = await planned(stage, stage.ben)
    [his] = await events_of(stage, stage.ben)
    await planned(stage, stage.ada)
    [hers] = [each for each in await events_of(stage, stage.ada, is_admin=True) if each.id != his.id]
    delete_role(stage)
    assert NEEDS in answer_to(await stage.use(stage.ben, "event create"))
    assert "There is no such event here" in answer_to(await stage.use(stage.ben, "event cancel", event=str(hers.id)))
    assert "Settings of **Night**" in text_of(board_of(await stage.ben.click(panel, label="People")))
    assert await events_of(stage, stage.ben) == [his]
    assert "Settings of **Night**" in text_of(await planned(stage, stage.ada))
