"""Buttons after a restart, in other hands, and with ids of other servers: never a leak, never a second effect."""

import asyncio
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import discord
import pytest
import simcord
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.events.lifecycle import TIMED
from bot.records.event import Event, EventStatus
from bot.records.guild import Actor, Channel
from bot.storage.columns import due
from bot.storage.events import tables as event_tables
from bot.storage.jobs import sharing
from cogs import EXTENSIONS
from tests.cogs.events.event_actions import give, move, open_event, question_to
from tests.cogs.events.event_with_roles import Hands
from tests.cogs.simulated_guild import Stage, answer_to, board_of, buttons_of, fields_of, photo, photos, text_of, until
from tests.events.ballot.ballots import World as BallotWorld
from tests.fakes.clock import NOON
from tests.fakes.events import plan_event

UNKNOWN = 987_654_321
OTHER_VERSION = "This button is from another version of the bot. `/jobs` shows where everything is."


@dataclass(frozen=True, slots=True)
class Neighbour:
    """Another guild with the same bot, in which Ben is, too; Cleo is there alone."""

    channel: simcord.ChannelHandle
    ben: simcord.MemberActor
    cleo: simcord.MemberActor
    ada: simcord.MemberActor


@pytest.fixture
async def neighbour(keyed: Stage) -> Neighbour:
    guild = keyed.world.env.create_guild(name="Other club")
    admins = guild.create_role("Admins", permissions=discord.Permissions(manage_guild=True))
    ada = guild.add_member(keyed.ada.user, roles=[admins])
    ben, cleo = (guild.add_member(member.user) for member in (keyed.ben, keyed.cleo))
    await keyed.set_key(guild)
    return Neighbour(guild.create_text_channel("darkroom"), ben, cleo, ada)


async def test_the_board_starts_after_a_restart(keyed: Stage) -> None:
    board = board_of(await keyed.send_form(keyed.ben, "Foxy", photos(15)))
    await keyed.restart()
    assert "Accepted #1" in answer_to(await keyed.start(keyed.ben, board))
    ready = await keyed.posted("**Foxy** is ready")
    await keyed.restart()
    assert (await keyed.ben.click(ready, label="Make the first picture")).modal is not None


async def test_a_form_opened_before_a_restart_is_answered_kindly(keyed: Stage) -> None:
    """Mutant: without the answer Discord shows its "interaction failed"."""
    opened = await keyed.use(keyed.ben, "train", subject="object")
    await keyed.restart()
    answer = await keyed.ben.submit_modal(opened, {fields_of(opened)[0]: "Foxy"})
    assert "open it again" in answer_to(answer)


async def test_a_question_asked_before_a_restart_is_answered_kindly(keyed: Stage) -> None:
    asked = await keyed.use(keyed.ben, "privacy erase")
    await keyed.restart()
    assert asked.response is not None
    assert "open it again" in answer_to(await keyed.ben.click(asked.response, label="Erase my data here"))


async def test_a_button_pressed_before_the_library_knows_of_it_is_answered_kindly(
    keyed: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Discord shows a message before it tells the bot so. Mutant: asking a turn later whether the button is known."""
    asked = await keyed.use(keyed.ben, "privacy erase")
    assert asked.response is not None
    store = keyed.world.env.bot._connection._view_store
    views, dispatch_view = dict(store._views), store.dispatch_view
    store._views.clear()

    def learn_of_it_late(*press: Any) -> None:
        dispatch_view(*press)
        asyncio.get_running_loop().call_soon(store._views.update, views)

    monkeypatch.setattr(store, "dispatch_view", learn_of_it_late)
    assert "open it again" in answer_to(await keyed.ben.click(asked.response, label="Erase my data here"))


@pytest.mark.parametrize("label", ["Add photos", "Remove photos", "Discard"])
async def test_every_other_button_of_the_board_works_after_a_restart(keyed: Stage, label: str) -> None:
    board = board_of(await keyed.send_form(keyed.ben, "Foxy", photos(2)))
    await keyed.restart()
    pressed = await keyed.ben.click(board, label=label)
    assert pressed.modal is not None or answer_to(pressed)


async def test_a_training_under_way_during_a_restart_is_announced_once(keyed: Stage) -> None:
    keyed.world.provider.faults.hold_trainings = True
    board = board_of(await keyed.send_form(keyed.ben, "Foxy", photos(15)))
    await keyed.start(keyed.ben, board)
    await until(lambda: keyed.world.provider.loras)
    await keyed.restart()
    keyed.world.provider.faults.hold_trainings = False
    await keyed.posted("**Foxy** is ready")
    assert sum("is ready" in text_of(message) for message in keyed.posts()) == 1
    assert keyed.charges() == ["create", "training"]


async def test_the_ready_button_is_only_for_its_member(keyed: Stage) -> None:
    ready = await keyed.train(keyed.ben)
    for other in (keyed.cleo, keyed.ada):
        pressed = await other.click(ready, label="Make the first picture")
        assert pressed.modal is None
        assert answer_to(pressed) == (
            "You have no such LoRA here. If it is somebody else's, they can share it with you by `/loras share`; "
            "`/loras list` shows yours."
        )


async def test_nobody_else_can_start_a_failed_training_again(keyed: Stage) -> None:
    board = board_of(await keyed.send_form(keyed.ben, "Foxy", photos(15)))
    keyed.world.provider.faults.hold_trainings = True
    await keyed.start(keyed.ben, board)
    await until(lambda: keyed.world.provider.loras)
    pressed = await keyed.press_id(keyed.cleo, "dr:training:retry:1")
    assert answer_to(pressed) == "There is no such training of yours here. `/jobs` shows what you have."


OPEN_TO_OTHERS = {
    *("approval", "pic", "report", "style", "event", "host", "depict", "entry", "ask", "limit", "me", "claim"),
    *("takedown", "left", "welcome", "bakeoff", "gallery"),
}
"""Buttons that others than the owner of the row may press, too; a style, an event or a limit belongs to the guild."""
FOR_ADMINS = {
    *(("lora", action) for action in ("archive", "rename", "note", "share", "show", "plain")),
    ("training", "version"),
    ("training", "cancel"),
    ("order", "cancel"),
}
"""An admin sees all LoRAs of the guild, keeps order among them, and ends orders that wait."""


async def everything_of_ben(stage: Stage) -> None:
    """A LoRA offered to somebody, a started training and an open dataset, so that every kind of row 1 is Ben's."""
    await stage.train(stage.ben)
    await stage.use(stage.ben, "imagine", prompt="x", lora="Foxy")
    await stage.posted("Pictures #1 · AI-generated")
    await stage.send_form(stage.ben, "Rex", photos(15))
    await offer_to_nobody_here(stage)


async def offer_to_nobody_here(stage: Stage) -> None:
    async def transaction(connection: AsyncConnection) -> None:
        await sharing.insert_offer(
            connection,
            guild_id=stage.world.guild.id,
            channel_id=stage.channel.id,
            lora_id=1,
            from_id=stage.ben.id,
            to_id=UNKNOWN,
            created_at=datetime.now(UTC),
        )

    await stage.world.darkroom.database.write(transaction)


async def test_foreign_ids_in_buttons_are_answered_like_ids_that_do_not_exist(
    keyed: Stage, neighbour: Neighbour
) -> None:
    await everything_of_ben(keyed)
    ledger, hands = keyed.charges(), Hands(keyed)
    rows = {"set": 2, "training": 1, "job": 1, "lora": 1, "offer": 1, "order": 1}
    assert {area for area, _ in keyed.presses()} - OPEN_TO_OTHERS == set(rows)
    strangers = [(keyed.cleo, keyed.channel), (keyed.ada, keyed.channel), (neighbour.ben, neighbour.channel)]
    assert len(keyed.presses()) >= 9
    for area, action in keyed.presses():
        if area in OPEN_TO_OTHERS:
            continue
        for member, channel in strangers:
            if member is keyed.ada and (area, action) in FOR_ADMINS:
                continue
            nothing = await seen(hands, member, f"dr:{area}:{action}:{UNKNOWN}", channel)
            assert await seen(hands, member, f"dr:{area}:{action}:{rows[area]}", channel) == nothing, (area, action)
    assert keyed.charges() == ledger
    assert "15 of 15–30 usable photos" in answer_to(await keyed.use(keyed.ben, "dataset show"))
    assert (await keyed.lora(keyed.ben)).archived_at is None


async def test_limits_are_decided_by_admins_and_for_the_server_of_the_press(keyed: Stage, neighbour: Neighbour) -> None:
    """Mutants: a press that does not look at the permission; one that takes the server from anywhere else."""
    hands, service, guild_id = Hands(keyed), keyed.world.darkroom.services.limits, keyed.world.guild.id
    await keyed.use(keyed.ada, "budget set", who="member", credits=77, trainings=3)
    before, elsewhere = await service.of_guild(guild_id), neighbour.channel.guild
    assert elsewhere is not None
    for _, action in presses_in(keyed, "limit"):
        for member, channel in ((keyed.ben, keyed.channel), (neighbour.ben, neighbour.channel)):
            pressed = await hands.press(member, f"dr:limit:{action}:0", channel)
            assert pressed.modal is None
            assert answer_to(pressed) == "You need the **Manage Server** permission for this."
        pressed = await hands.press(neighbour.ada, f"dr:limit:{action}:0", neighbour.channel)
        if pressed.modal is not None:
            await keyed.submit_fields(neighbour.ada, pressed, "55", "")
            assert [limit.credits for limit in await service.of_guild(elsewhere.id)] == [55]
    assert await service.of_guild(guild_id) == before


def presses_in(stage: Stage, *areas: str) -> list[tuple[str, str]]:
    found = [(area, action) for area, action in stage.presses() if area in areas]
    assert {area for area, _ in found} == set(areas)
    return found


async def an_event_of_ben(stage: Stage) -> Event:
    """Ben has given a photo that shows Cleo, so that there is a question, too."""
    event = await open_event(stage)
    await give(stage, stage.ben, event, photos(1), seen=[stage.cleo])
    return event


async def test_buttons_of_events_answer_in_another_server_like_buttons_of_nothing(
    keyed: Stage, neighbour: Neighbour
) -> None:
    """Also for its host and for whoever is named in it, who are in both servers."""
    hands = Hands(keyed)
    event = await an_event_of_ben(keyed)
    before = await rows_of_events(keyed)
    for area, action in presses_in(keyed, "event", "host", "depict"):
        nothing = await seen(hands, neighbour.ada, f"dr:{area}:{action}:{UNKNOWN}", neighbour.channel)
        assert nothing.endswith(".")
        for member in (neighbour.cleo, neighbour.ada):
            custom_id = f"dr:{area}:{action}:{1 if area == 'depict' else event.id}"
            assert await seen(hands, member, custom_id, neighbour.channel) == nothing
    assert await rows_of_events(keyed) == before


async def test_pictures_of_events_are_entered_by_nobody_from_another_server(keyed: Stage, neighbour: Neighbour) -> None:
    """Mutant: without its look at the guild the button tells which numbers are pictures of other servers' events."""
    hands = Hands(keyed)
    services = keyed.world.darkroom.services
    world = BallotWorld(services.database, services.pool._spool)
    event = await world.event(guild_id=keyed.world.guild.id)
    (picture_id,) = await world.picture(event, keyed.ben.id)
    for action, row_id in (("choose", 1), ("enter", picture_id)):
        nothing = await seen(hands, neighbour.ben, f"dr:entry:{action}:{UNKNOWN}", neighbour.channel)
        assert await seen(hands, neighbour.ben, f"dr:entry:{action}:{row_id}", neighbour.channel) == nothing


async def test_buttons_of_a_draft_answer_others_like_buttons_of_nothing(keyed: Stage) -> None:
    hands = Hands(keyed)
    ada = Actor(keyed.world.guild.id, keyed.ada.id, is_admin=True)
    service, channel = keyed.world.darkroom.services.events, Channel(keyed.channel.id)
    event = await plan_event(service, ada, channel, name="Hidden days")
    for area, action in presses_in(keyed, "event", "host"):
        nothing = await seen(hands, keyed.ben, f"dr:{area}:{action}:{UNKNOWN}", keyed.channel)
        assert await seen(hands, keyed.ben, f"dr:{area}:{action}:{event.id}", keyed.channel) == nothing


@pytest.mark.parametrize("who", ["ben", "cleo"])
async def test_members_run_no_event_whatever_they_press(keyed: Stage, who: str) -> None:
    """Only how it stands is shown, without a button."""
    hands = Hands(keyed)
    event = await an_event_of_ben(keyed)
    member = keyed.ben if who == "ben" else keyed.cleo
    before = await rows_of_events(keyed)
    for _, action in presses_in(keyed, "host"):
        pressed = await hands.press(member, f"dr:host:{action}:{event.id}")
        assert pressed.modal is None, action
        assert "went wrong" not in answer_to(pressed)
        if action == "status":
            assert buttons_of(board_of(pressed)) == {}
        else:
            assert answer_to(pressed).strip().startswith("Only "), action
    assert await rows_of_events(keyed) == before


@pytest.mark.parametrize("status", [EventStatus.COLLECTING, EventStatus.VOTING, EventStatus.FINISHED])
async def test_every_button_of_an_event_is_answered_privately_in_every_stage(keyed: Stage, status: EventStatus) -> None:
    """For a plain member and for a moderator of the event; nothing goes wrong, and sentences are whole."""
    hands = Hands(keyed)
    event = await an_event_of_ben(keyed)
    services = keyed.world.darkroom.services
    ada = Actor(keyed.world.guild.id, keyed.ada.id, is_admin=True)
    await services.events.change(event.id, ada, moderator_ids=frozenset({keyed.ben.id}))
    if status is not EventStatus.COLLECTING:
        await move(keyed, event, status)
    closing = [f"end{stage}" for stage in TIMED]
    changing = {("host", action) for action in (*closing, "extend", "cancel")}
    for area, action in sorted(presses_in(keyed, "event", "host", "depict"), key=lambda press: press in changing):
        for member in (keyed.cleo, keyed.ben):
            pressed = await hands.press(member, f"dr:{area}:{action}:{1 if area == 'depict' else event.id}")
            text = pressed.modal["title"] if pressed.modal else answer_to(pressed)
            assert "went wrong" not in text, (area, action)
            if member is keyed.ben and area == "host":
                assert "Only " not in text, action


BY_ITSELF = {"calendar_id", "pinned_id", *(column.name for column in due())}
"""What the bot writes down while it posts what nobody pressed for, and when it looks again."""


async def rows_of_events(stage: Stage) -> list[tuple[object, ...]]:
    """What people have said and decided about events."""
    async with stage.world.darkroom.database.read() as connection:
        return [
            tuple(getattr(row, column.name) for column in table.c if column.name not in BY_ITSELF)
            for table in (
                event_tables.events,
                event_tables.entrants,
                event_tables.depictions,
                event_tables.announcements,
            )
            for row in await connection.execute(sa.select(table).order_by(table.c.id))
        ]


REFUSALS = re.compile(r"(?:\d+ )?(?:refused|said no|vetoed)", re.IGNORECASE)


async def test_nobody_is_told_who_said_no(keyed: Stage) -> None:
    """Whatever the others press afterwards, and whatever is posted: not the giver, not the host, not the other one."""
    hands = Hands(keyed)
    event = await open_event(keyed)
    await give(keyed, keyed.ben, event, photos(1), seen=[keyed.cleo, keyed.ada])
    await give(keyed, keyed.ben, event, photos(1, first=2))
    asked = await question_to(keyed.cleo)
    await keyed.cleo.user.click(asked, label="No, remove them")
    await until(lambda: "are gone" in text_of(keyed.cleo.user.dm_channel.history()[0]))
    for member in (keyed.ben, keyed.ada):
        keyed.world.env.http_requests.clear()
        for area, action in presses_in(keyed, "event", "host"):
            if action not in {"cancel", "open"} and not action.startswith("end"):
                await hands.press(member, f"dr:{area}:{action}:{event.id}")
        await keyed.use(member, "event status")
        await keyed.use(member, "privacy show")
        said = [json.dumps(request.json, ensure_ascii=False) for request in keyed.world.env.http_requests]
        assert any("Photos of **Mascot days**" in text for text in said) == (member is keyed.ada)
        assert not [text for text in said if str(keyed.cleo.id) in text]
        told = {match[0].lower() for text in said for match in REFUSALS.finditer(text)}
        assert told == ({"1 said no"} if member is keyed.ada else set()), "the host alone sees how many, not who"


TALLY = re.compile(r"\d+ votes?\b")


async def test_no_votes_and_no_names_are_told_before_the_ballot_closes(keyed: Stage) -> None:
    """Neither to voters nor to the host; the entry of each is marked for themselves alone."""
    hands = Hands(keyed)
    services, guild_id = keyed.world.darkroom.services, keyed.world.guild.id
    world = BallotWorld(services.database, services.pool._spool)
    event = await world.event(guild_id=guild_id, channel_id=keyed.channel.id, host_id=keyed.ada.id, opened_at=NOON)
    await world.join(event, keyed.ben.id, keyed.cleo.id)
    for member in (keyed.ben, keyed.cleo):
        (picture_id,) = await world.picture(event, member.id)
        found = await services.pictures.find_by_picture(picture_id)
        assert found is not None
        path = found[0].view.files[0]
        assert path is not None
        path.write_bytes(photo(member.id % 50))
    await services.ballots.open_ballot(event)
    await world.move(event, EventStatus.VOTING, stage_ends_at=datetime.now(UTC) + timedelta(hours=1))
    entry_id = await world.entry_of(event, keyed.cleo.id)
    for user_id in (keyed.ben.id, keyed.ada.id):
        await services.ballots.vote(event.id, entry_id, Actor(guild_id, user_id))
    keyed.world.env.http_requests.clear()
    for member in (keyed.ben, keyed.cleo, keyed.ada):
        for area, action in presses_in(keyed, "event", "host"):
            if action not in {"cancel", "open"} and not action.startswith("end"):
                await hands.press(member, f"dr:{area}:{action}:{event.id}")
        await keyed.use(member, "event status")
        await keyed.use(member, "event fame")
    said = [json.dumps(request.json, ensure_ascii=False) for request in keyed.world.env.http_requests]
    assert any("Your own entry" in text for text in said)
    assert not [text for text in said if TALLY.search(text)]
    ballots = [text for text in said if "The ballot of" in text]
    assert ballots
    assert not [text for text in ballots for member in (keyed.ben, keyed.cleo) if f"<@{member.id}>" in text]


async def seen(hands: Hands, member: simcord.MemberActor, custom_id: str, channel: simcord.ChannelHandle) -> str:
    """All that somebody learns from pressing, up to the end of the form that it may open."""
    pressed = await hands.press(member, custom_id, channel)
    if pressed.modal is None:
        return answer_to(pressed)
    files = [photos(1), [], []]
    values = dict(zip(fields_of(pressed), [*files, True], strict=True))
    return f"form {pressed.modal['title']}: {answer_to(await member.submit_modal(pressed, values))}"


@pytest.mark.parametrize("command", ["imagine", "loras show", "loras archive"])
async def test_foreign_loras_are_answered_like_loras_that_do_not_exist(
    keyed: Stage, neighbour: Neighbour, command: str
) -> None:
    lora = await keyed.give_lora(keyed.ben)
    options = {"prompt": "x"} if command == "imagine" else {}
    for member, channel in (
        (keyed.cleo, keyed.channel),
        (neighbour.ben, neighbour.channel),
        (neighbour.ada, neighbour.channel),
    ):
        answers = [
            answer_to(await member.slash(channel, command, lora=value, **options))
            for value in (f"lora-{lora.id}", f"lora-{UNKNOWN}", "Foxy")
        ]
        assert len(set(answers)) == 1
        assert "You have no such LoRA here." in answers[0]
        assert await member.autocomplete(channel, command, "lora", "") == []


async def test_what_i_have_here_is_shown_nowhere_else(keyed: Stage, neighbour: Neighbour) -> None:
    await everything_of_ben(keyed)
    for command in ("loras list", "jobs", "privacy show", "dataset show"):
        text = answer_to(await neighbour.ben.slash(neighbour.channel, command))
        assert "Foxy" not in text
        assert "Rex" not in text
    assert "• 0 trainings and 0 LoRAs" in answer_to(await neighbour.ben.slash(neighbour.channel, "privacy show"))


async def test_erasing_in_one_guild_leaves_the_other_alone(keyed: Stage, neighbour: Neighbour) -> None:
    await keyed.give_lora(keyed.ben)
    asked = board_of(await neighbour.ben.slash(neighbour.channel, "privacy erase"))
    await neighbour.ben.click(asked, label="Erase my data here")
    assert "**Foxy**" in answer_to(await keyed.use(keyed.ben, "loras list"))


async def test_an_admin_of_another_guild_cannot_touch_this_guilds_key(keyed: Stage, neighbour: Neighbour) -> None:
    await neighbour.ada.slash(neighbour.channel, "keys remove", provider="apiframe")
    assert "No trouble so far." in answer_to(await keyed.use(keyed.ada, "keys status"))


@pytest.mark.parametrize("custom_id", ["dr:set:start:0", "dr:set:start:999999999999999999", "dr:job:fetch:0"])
async def test_numbers_out_of_the_blue_are_answered_kindly(keyed: Stage, custom_id: str) -> None:
    text = answer_to(await keyed.press_id(keyed.ben, custom_id))
    assert "went wrong" not in text


async def test_a_button_this_version_does_not_know_is_answered(keyed: Stage) -> None:
    text = answer_to(await keyed.press_id(keyed.ben, "dr:someday:later:1"))
    assert text == OTHER_VERSION


async def test_two_members_boards_do_not_mix(keyed: Stage) -> None:
    bens = board_of(await keyed.send_form(keyed.ben, "Foxy", photos(15)))
    cleos = board_of(await keyed.send_form(keyed.cleo, "Rex", photos(15, first=20)))
    assert set(buttons_of(bens).values()).isdisjoint(buttons_of(cleos).values())
    await keyed.start(keyed.cleo, cleos)
    await keyed.posted("**Rex** is ready")
    assert "15 of 15–30 usable photos" in answer_to(await keyed.use(keyed.ben, "dataset show"))


async def test_every_extension_can_be_taken_out_without_harm_to_the_buttons_of_the_others(keyed: Stage) -> None:
    """Mutant: the class of all buttons registered by one extension."""
    bot, before = keyed.world.darkroom.gateway.bot, keyed.presses()
    assert bot is not None
    for extension in EXTENSIONS:
        await bot.unload_extension(extension)
        left = {area for area, _ in keyed.presses()}
        assert keyed.presses() == [(area, action) for area, action in before if area in left]
        gone = {area for area, _ in before} - left
        pressed = [] if extension == "cogs.about" else [*gone, min(left)]
        for area in pressed:
            action = next(action for each, action in before if each == area)
            answered = await keyed.press_id(keyed.cleo, f"dr:{area}:{action}:{UNKNOWN}")
            assert (answer_to(answered) == OTHER_VERSION) is (area in gone), (extension, area)
        await bot.load_extension(extension)
    assert keyed.presses() == before


async def test_a_second_table_for_an_area_is_refused_at_the_start(keyed: Stage) -> None:
    """Two actions of one name in a table are two arguments of one name, which Python refuses."""
    bot = keyed.world.darkroom.gateway.bot
    assert bot is not None
    with pytest.raises(ValueError, match="two tables"):
        bot.add_buttons("set")
