"""Sharing a LoRA and handing it over, as people do it: options, menus, and the buttons of an offer."""

from collections.abc import Callable
from typing import Any

import discord
import pytest
import simcord
from simcord.components import walk_components
from simcord.results import InteractionResult

from bot.records.guild import Actor
from bot.records.lora import Lora
from bot.records.post import PostKind
from tests.cogs.events.event_actions import open_event
from tests.cogs.simulated_guild import Message, Stage, answer_to, board_of, buttons_of, text_of, tree_of, until

FORBIDDEN = 50013
STRINGS, MENTIONABLES = 3, 7
"""Types of selects (Discord /docs/components/reference)."""
SELECTS = {STRINGS, MENTIONABLES}


@pytest.fixture
async def trained(keyed: Stage) -> Stage:
    """Ben has a LoRA called Foxy."""
    await keyed.give_lora(keyed.ben, "Foxy")
    return keyed


async def offered_to(stage: Stage, member: simcord.MemberActor, command: str = "imagine") -> list[str]:
    return [choice["name"] for choice in await member.autocomplete(stage.channel, command, "lora", "")]


async def share_with(stage: Stage, target: object) -> InteractionResult:
    options: dict[str, Any] = {"lora": "Foxy", "with": target}
    return await stage.use(stage.ben, "loras share", **options)


async def hand_over(stage: Stage, to: object) -> str:
    return answer_to(await stage.use(stage.ben, "loras transfer", lora="Foxy", to=to))


def selects_of(message: Message) -> dict[int, dict[str, Any]]:
    """By type."""
    return {part["type"]: part for part in walk_components(tree_of(message)) if part.get("type") in SELECTS}


def select_of(message: Message, kind: int) -> str:
    return str(selects_of(message)[kind]["custom_id"])


def option_values(message: Message) -> list[str]:
    return [option["value"] for option in selects_of(message)[STRINGS]["options"]]


async def private_offer(stage: Stage) -> discord.Message:
    """The offer as Cleo finds it in a private message."""

    def found() -> list[discord.Message]:
        return [message for message in stage.cleo.user.dm_channel.history() if "### A LoRA for you" in text_of(message)]

    await until(found)
    return found()[0]


async def offer_to_cleo(stage: Stage) -> discord.Message:
    await hand_over(stage, stage.cleo)
    return await stage.post_of(PostKind.LORA_OFFER, 1)


async def owner_of(stage: Stage, lora: Lora) -> int:
    found = await stage.world.darkroom.services.loras.get(lora.id)
    assert found is not None
    return found.owner_id


async def test_a_lora_shared_with_a_member_is_theirs_to_use_and_not_to_change(trained: Stage) -> None:
    shared = board_of(await share_with(trained, trained.cleo))
    assert f"1. {trained.cleo.mention}" in text_of(shared)
    assert "They cannot see the photos" in text_of(shared)
    assert await offered_to(trained, trained.cleo) == ["Foxy"]
    assert await offered_to(trained, trained.cleo, "loras rename") == []
    assert f"shared by {trained.ben.mention}" in answer_to(await trained.use(trained.cleo, "loras list"))
    card = board_of(await trained.use(trained.cleo, "loras show", lora="Foxy"))
    assert list(buttons_of(card)) == ["Make a picture", "I am in this"]
    assert "shared with you" in text_of(card)
    assert "Shared with" not in text_of(card)
    refused = answer_to(await trained.use(trained.cleo, "loras archive", lora="Foxy"))
    assert refused == "Only its owner and this server's admins may do that."


async def test_a_shared_roles_members_may_use_it_as_long_as_they_have_the_role(trained: Stage) -> None:
    guild = trained.world.guild
    role = guild.create_role("Painters")
    dora = guild.add_member(trained.world.env.create_user("Dora"), roles=[role])
    await share_with(trained, role)
    assert await offered_to(trained, dora) == ["Foxy"]
    assert await offered_to(trained, trained.cleo) == []
    trained.world.env.backend.get_guild(guild.id).members[dora.id].role_ids.clear()
    assert await offered_to(trained, dora) == []


async def test_the_panel_shares_with_everyone_and_takes_back(trained: Stage) -> None:
    panel = board_of(await trained.use(trained.ben, "loras share", lora="Foxy"))
    assert "Nobody yet." in text_of(panel)
    panel = board_of(await trained.ben.click(panel, label="Everyone here"))
    assert "1. everyone here" in text_of(panel)
    assert await offered_to(trained, trained.cleo) == ["Foxy"]
    panel = board_of(await trained.ben.select(panel, [trained.cleo], custom_id=select_of(panel, MENTIONABLES)))
    assert f"2. {trained.cleo.mention}" in text_of(panel)
    take_back = select_of(panel, STRINGS)
    panel = board_of(await trained.ben.select(panel, option_values(panel), custom_id=take_back))
    assert "Nobody yet." in text_of(panel)
    assert await offered_to(trained, trained.cleo) == []


async def test_a_lora_is_shared_with_the_entrants_of_an_event_and_taken_back(trained: Stage) -> None:
    event = await open_event(trained)
    await trained.world.darkroom.services.contributions.join(event.id, Actor(trained.world.guild.id, trained.cleo.id))
    panel = board_of(await trained.use(trained.ben, "loras share", lora="Foxy"))
    panel = board_of(await trained.ben.select(panel, [str(event.id)], custom_id=select_of(panel, STRINGS)))
    assert "1. everybody in **Mascot days**" in text_of(panel)
    assert await offered_to(trained, trained.cleo) == ["Foxy"]
    assert await offered_to(trained, trained.ada) == []
    panel = board_of(await trained.ben.select(panel, option_values(panel), custom_id=select_of(panel, STRINGS)))
    assert "Nobody yet." in text_of(panel)
    assert await offered_to(trained, trained.cleo) == []
    offered = await trained.ben.autocomplete(trained.channel, "loras share", "event", "masc")
    assert [choice["name"] for choice in offered] == ["Mascot days"]
    shared = answer_to(await trained.use(trained.ben, "loras share", lora="Foxy", event="Mascot days"))
    assert "everybody in **Mascot days**" in shared


async def test_an_admin_can_only_take_back(trained: Stage) -> None:
    await trained.use(trained.ben, "loras share", lora="Foxy", everyone=True)
    card = board_of(await trained.use(trained.ada, "loras show", lora="Foxy"))
    assert "Shared with everyone here" in text_of(card)
    panel = board_of(await trained.ada.click(card, label="Shares"))
    assert buttons_of(panel) == {}
    await trained.ada.select(panel, option_values(panel), custom_id=select_of(panel, STRINGS))
    assert await offered_to(trained, trained.cleo) == []
    refused = answer_to(await trained.use(trained.ada, "loras share", lora="Foxy", everyone=True))
    assert refused == "Only its owner may do that."


async def test_a_lora_is_shared_with_members_only(trained: Stage) -> None:
    stranger = trained.world.env.create_user("Eve")
    answered = answer_to(await share_with(trained, stranger))
    assert "members and roles of this server" in answered


async def test_a_share_is_worth_nothing_in_another_server(trained: Stage) -> None:
    guild = trained.world.env.create_guild(name="Other club")
    cleo = guild.add_member(trained.cleo.user)
    channel = guild.create_text_channel("darkroom")
    await trained.use(trained.ben, "loras share", lora="Foxy", everyone=True)
    assert await cleo.autocomplete(channel, "imagine", "lora", "") == []
    lora = await trained.lora(trained.ben)
    pressed = await trained.press_id(cleo, f"dr:lora:share:{lora.id}", channel)
    assert "You have no such LoRA here." in answer_to(pressed)


async def test_an_offer_is_asked_in_the_channel_and_accepted_by_its_receiver(trained: Stage) -> None:
    lora = await trained.lora(trained.ben)
    asked = await hand_over(trained, trained.cleo)
    assert f"**Foxy** is offered to {trained.cleo.mention}" in asked
    message = await trained.post_of(PostKind.LORA_OFFER, 1)
    assert trained.cleo.mention in text_of(message)
    assert list(buttons_of(message)) == ["Accept", "Decline", "I am in this"]
    bodies = [body for path, body in trained.sent_messages() if path.startswith("/channels/") and "nonce" in body]
    assert [body["allowed_mentions"] for body in bodies] == [{"users": [trained.cleo.id], "parse": []}]
    accepted = answer_to(await trained.cleo.click(message, label="Accept"))
    assert "**Foxy** is yours now." in accepted
    assert await owner_of(trained, lora) == trained.cleo.id
    told = await trained.post_of(PostKind.LORA_OFFER_ANSWERED, 1)
    assert f"{trained.ben.mention}, that is the answer to your offer." in text_of(told)
    await until(lambda: "accepted and owns it now" in text_of(trained.posts()[0]))
    assert buttons_of(trained.posts()[0]) == {}


async def test_declining_changes_nothing_and_the_next_offer_has_to_wait(trained: Stage) -> None:
    lora = await trained.lora(trained.ben)
    message = await offer_to_cleo(trained)
    assert "You declined." in answer_to(await trained.cleo.click(message, label="Decline"))
    refused = await hand_over(trained, trained.cleo)
    assert f"You have asked {trained.cleo.mention} something less than a day ago. You can ask again <t:" in refused
    assert await owner_of(trained, lora) == trained.ben.id


async def test_withdrawing_changes_nothing(trained: Stage) -> None:
    lora = await trained.lora(trained.ben)
    given = board_of(await trained.use(trained.ben, "loras transfer", lora="Foxy", to=trained.cleo))
    accept = buttons_of(await trained.post_of(PostKind.LORA_OFFER, 1))["Accept"]
    card = board_of(await trained.use(trained.ben, "loras show", lora="Foxy"))
    assert f"Offered to {trained.cleo.mention}" in text_of(card)
    assert "Withdraw the offer" in buttons_of(card)
    assert "The offer is withdrawn." in answer_to(await trained.ben.click(given, label="Withdraw the offer"))
    assert "This offer is over" in answer_to(await trained.press_id(trained.cleo, accept))
    assert await owner_of(trained, lora) == trained.ben.id


@pytest.mark.parametrize("label", ["Accept", "Decline"])
@pytest.mark.parametrize("member", ["ben", "ada"])
async def test_an_offer_is_not_for_anybody_else(trained: Stage, member: str, label: str) -> None:
    lora = await trained.lora(trained.ben)
    message = await offer_to_cleo(trained)
    pressed = answer_to(await getattr(trained, member).click(message, label=label))
    assert pressed == "This offer is for somebody else, or it is not here any more."
    assert await owner_of(trained, lora) == trained.ben.id


async def test_an_offers_buttons_work_after_a_restart_and_only_once(trained: Stage) -> None:
    lora = await trained.lora(trained.ben)
    message = await offer_to_cleo(trained)
    accept = buttons_of(message)["Accept"]
    await trained.restart()
    assert "is yours now" in answer_to(await trained.cleo.click(message, label="Accept"))
    await trained.restart()
    assert "accepted already" in answer_to(await trained.press_id(trained.cleo, accept))
    assert await owner_of(trained, lora) == trained.cleo.id


async def test_an_offer_of_an_archived_lora_is_over(trained: Stage) -> None:
    accept = buttons_of(await offer_to_cleo(trained))["Accept"]
    asked = board_of(await trained.use(trained.ben, "loras archive", lora="Foxy"))
    await trained.ben.click(asked, label="Archive for good")
    assert "the LoRA has been archived" in answer_to(await trained.press_id(trained.cleo, accept))


async def test_a_forged_button_of_another_server_finds_no_offer(trained: Stage) -> None:
    lora = await trained.lora(trained.ben)
    message = await offer_to_cleo(trained)
    guild = trained.world.env.create_guild(name="Other club")
    cleo = guild.add_member(trained.cleo.user)
    channel = guild.create_text_channel("darkroom")
    pressed = await trained.press_id(cleo, buttons_of(message)["Accept"], channel)
    assert "it is not here any more" in answer_to(pressed)
    assert await owner_of(trained, lora) == trained.ben.id


async def test_an_offer_that_no_channel_takes_is_answered_in_a_private_message(trained: Stage) -> None:
    lora = await trained.lora(trained.ben)
    path = f"/channels/{trained.channel.id}/messages"
    trained.world.env.inject_error("POST", path, status=403, code=FORBIDDEN, times=None)
    await hand_over(trained, trained.cleo)
    dm = await private_offer(trained)
    assert "**Foxy** is yours now." in answer_to(await trained.cleo.user.click(dm, label="Accept"))
    assert await owner_of(trained, lora) == trained.cleo.id


async def test_somebody_who_left_the_server_cannot_accept_privately(trained: Stage) -> None:
    lora = await trained.lora(trained.ben)
    path = f"/channels/{trained.channel.id}/messages"
    trained.world.env.inject_error("POST", path, status=403, code=FORBIDDEN, times=None)
    await hand_over(trained, trained.cleo)
    dm = await private_offer(trained)
    trained.world.env.backend.get_guild(trained.world.guild.id).members.pop(trained.cleo.id)
    answered = answer_to(await trained.cleo.user.click(dm, label="Accept"))
    assert "You are not a member of that server any more" in answered
    assert await owner_of(trained, lora) == trained.ben.id


@pytest.mark.parametrize("receiver", ["bot", "stranger", "self"])
async def test_bots_strangers_and_oneself_are_offered_nothing(trained: Stage, receiver: str) -> None:
    env, guild = trained.world.env, trained.world.guild
    made: dict[str, Callable[[], object]] = {
        "bot": lambda: guild.add_member(env.create_user("Robot", bot=True)),
        "stranger": lambda: env.create_user("Eve"),
        "self": lambda: trained.ben,
    }
    said = await hand_over(trained, made[receiver]())
    assert "yours already" in said if receiver == "self" else "to a member of this server" in said
    assert trained.posts() == []
