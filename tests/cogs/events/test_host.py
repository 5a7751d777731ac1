"""/event: planning an event, opening it, seeing how it stands, closing, extending, cancelling."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from simcord.components import walk_components
from simcord.results import InteractionResult, ResponseMessage

from bot.events.lifecycle import TIMED
from bot.events.packs import READY_PACKS
from bot.generation.order import PictureOrder
from bot.records.dataset import SubjectKind
from bot.records.event import Event, EventMode, EventStatus, PauseReason, Repeat
from bot.records.generation import GenerationSettings
from bot.records.guild import Actor, Channel
from bot.records.post import PostKind
from bot.storage.events import events
from cogs.ui.layout import shown_media
from tests.cogs.events.event_actions import private_message
from tests.cogs.simulated_guild import (
    Message,
    Stage,
    answer_to,
    board_of,
    buttons_of,
    pictures_in,
    text_of,
    tree_of,
    until,
)
from tests.fakes.rows import add_photos, photo
from tests.fakes.studio import tiny_jpeg

STRING_SELECT, USER_SELECT, ROLE_SELECT = 3, 5, 6


def selects_of(message: Message) -> dict[str, str]:
    """Custom id by placeholder."""
    kinds = {STRING_SELECT, USER_SELECT, ROLE_SELECT}
    found = [part for part in walk_components(tree_of(message)) if part.get("type") in kinds]
    return {part["placeholder"]: part["custom_id"] for part in found}


def options_of(message: Message, placeholder: str) -> dict[str, str]:
    """Value by label."""
    custom_id = selects_of(message)[placeholder]
    select = next(part for part in walk_components(tree_of(message)) if part.get("custom_id") == custom_id)
    return {option["label"]: option["value"] for option in select["options"]}


async def fill(
    stage: Stage, name: str = "Mascot weekend", mode: str = "shared", kind: str = "object"
) -> InteractionResult:
    opened = await stage.use(stage.ada, "event create")
    return await stage.submit_fields(stage.ada, opened, name, "Our fox, everywhere", [mode], [kind], "Be kind")


async def planned(stage: Stage, mode: str = "shared", kind: str = "object", **changes: Any) -> ResponseMessage:
    """The settings panel of a new event."""
    board = board_of(await fill(stage, mode=mode, kind=kind))
    if changes:
        await stage.world.darkroom.services.events.change((await newest(stage)).id, admin(stage), **changes)
    return board


async def newest(stage: Stage) -> Event:
    async with stage.world.darkroom.database.read() as connection:
        return (await events.of_guild(connection, stage.world.guild.id))[0]


def admin(stage: Stage) -> Actor:
    return Actor(stage.world.guild.id, stage.ada.id, is_admin=True)


async def move(stage: Stage, event: Event, **changes: Any) -> None:
    """Put the event into another stage, as the engine would."""

    async def transaction(connection: Any) -> None:
        await events.change(connection, event.id, expected=event.status, **changes)

    await stage.world.darkroom.database.write(transaction)


async def opened(stage: Stage, **changes: Any) -> Event:
    """An event that has just been opened."""
    await stage.set_key()
    await planned(stage, **changes)
    return await stage.world.darkroom.services.events.open((await newest(stage)).id, admin(stage))


async def press(stage: Stage, message: Message, label: str, *values: Any) -> ResponseMessage:
    """Press a button; with values, fill the form that it opens."""
    pressed = await stage.ada.click(message, custom_id=buttons_of(message)[label])
    return board_of(await stage.submit_fields(stage.ada, pressed, *values) if values else pressed)


async def choose(stage: Stage, message: Message, placeholder: str, values: Sequence[Any]) -> ResponseMessage:
    return board_of(await stage.ada.select(message, values, custom_id=selects_of(message)[placeholder]))


def add_option(stage: Stage, message: ResponseMessage, placeholder: str, value: str) -> None:
    """As an app of somebody's own would show it; the simulated Discord lets only what is shown be chosen."""
    stored = stage.world.env.backend.get_message(message.channel_id, message.id)
    for part in walk_components(stored.components):
        if part.get("placeholder") == placeholder:
            part["options"] = [*part["options"], {"label": value, "value": value}]


async def test_the_form_makes_a_draft_and_shows_its_settings(stage: Stage) -> None:
    panel = board_of(await fill(stage))
    assert "Settings of **Mascot weekend**" in text_of(panel)
    assert "“Our fox, everywhere”" in text_of(panel)
    event = await newest(stage)
    assert (event.name, event.theme, event.rules) == ("Mascot weekend", "Our fox, everywhere", "Be kind")
    assert (event.mode, event.subject_kind, event.status) == (EventMode.SHARED, SubjectKind.OBJECT, EventStatus.DRAFT)
    assert (event.host_id, event.channel_id) == (stage.ada.id, stage.channel.id)
    assert stage.posts() == []


@pytest.mark.parametrize("kind", ["person", "character"])
async def test_one_lora_for_all_is_never_of_a_person_and_nothing_typed_is_lost(stage: Stage, kind: str) -> None:
    refused = await fill(stage, name="All of us", kind=kind)
    assert "object or a style" in answer_to(refused)
    again = await stage.ada.click(board_of(refused), label="Back to the form")
    assert again.modal is not None
    shown = [label["component"] for label in again.modal["components"]]
    assert [shown[0]["value"], shown[1]["value"], shown[4]["value"]] == ["All of us", "Our fox, everywhere", "Be kind"]
    fixed = await stage.submit_fields(stage.ada, again, "All of us", "Our fox", ["personal"], [kind], "")
    assert "Settings of **All of us**" in text_of(board_of(fixed))


async def test_a_choice_that_was_not_offered_changes_nothing(stage: Stage) -> None:
    panel, before = await planned(stage), await newest(stage)
    add_option(stage, panel, "Choose how long everything lasts", "for ever")
    refused = await stage.ada.select(
        panel, ["for ever"], custom_id=selects_of(panel)["Choose how long everything lasts"]
    )
    assert "not on the list" in answer_to(refused)
    assert await newest(stage) == before


async def test_a_form_with_a_choice_that_was_not_offered_makes_nothing(stage: Stage) -> None:
    opened = await stage.use(stage.ada, "event create")
    shown = opened._interaction.modal
    assert shown is not None
    shown["components"][2]["component"]["options"].append({"label": "everything", "value": "everything"})
    refused = await stage.submit_fields(stage.ada, opened, "All", "x", ["everything"], ["object"], "")
    assert "not on the list" in answer_to(refused)
    assert await stage.world.darkroom.services.events.choices("", admin(stage)) == []


async def test_only_admins_plan_events(stage: Stage) -> None:
    assert "**Manage Server**" in answer_to(await stage.use(stage.ben, "event create"))
    assert "**Manage Server**" in answer_to(await stage.use(stage.ben, "event bakeoff", lora="Foxy", prompts="x"))


async def test_an_admin_who_is_demoted_while_writing_plans_nothing(stage: Stage) -> None:
    form = await stage.use(stage.ada, "event create")
    stage.world.env.backend.get_guild(stage.world.guild.id).members[stage.ada.id].role_ids.clear()
    refused = await stage.submit_fields(stage.ada, form, "Mine", "x", ["club"], ["object"], "")
    assert "**Manage Server**" in answer_to(refused)
    assert await stage.world.darkroom.services.events.choices("", admin(stage)) == []


async def test_times_are_chosen_or_written_and_stored_at_once(stage: Stage) -> None:
    panel = await planned(stage)
    panel = await choose(stage, panel, "Choose how long everything lasts", ["evening"])
    assert "2 h photos, 30 min looking through, 1 h pictures, 1 h vote" in text_of(panel)
    panel = await press(stage, panel, "Own times", "1,5", "0", "48", "12")
    assert "1.5 h photos, 2 days pictures, 12 h vote" in text_of(panel)
    hours = (await newest(stage)).hours
    assert [hours[stage_] for stage_ in sorted(TIMED, key=list(EventStatus).index)] == [1.5, 0, 48, 12]


@pytest.mark.parametrize("written", ["soon", "-1", "nan", "inf", "1000"])
async def test_times_that_are_none_are_refused_and_nothing_changes(stage: Stage, written: str) -> None:
    panel = await planned(stage)
    before = (await newest(stage)).hours
    form = await stage.ada.click(panel, custom_id=buttons_of(panel)["Own times"])
    assert "hours" in answer_to(await stage.submit_fields(stage.ada, form, written, "1", "1", "1"))
    assert (await newest(stage)).hours == before


async def test_the_time_of_opening_is_written_and_shown_by_everybodys_own_clock(stage: Stage) -> None:
    panel = await planned(stage)
    assert "**Opens:** when you press *Check and open*" in text_of(panel)
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    at = tomorrow.replace(hour=19, minute=30, second=0, microsecond=0)
    panel = await press(stage, panel, "Opening time", f"{at:%Y-%m-%d}", "19:30", "UTC", ["weekly"])
    seconds = int(at.timestamp())
    assert f"**Opens:** by itself <t:{seconds}:F> (<t:{seconds}:R>), then every week" in text_of(panel)
    event = await newest(stage)
    assert (event.opens_at, event.repeats, event.status) == (at, Repeat.WEEKLY, EventStatus.DRAFT)
    form = await stage.ada.click(panel, custom_id=buttons_of(panel)["Opening time"])
    assert form.modal is not None
    shown = [label["component"] for label in form.modal["components"]]
    assert [each.get("value") for each in shown[:3]] == [f"{at:%Y-%m-%d}", "19:30", "UTC"]
    refused = await stage.submit_fields(stage.ada, form, "soon", "19:30", "UTC", ["once"])
    assert "Please write the day like" in answer_to(refused)
    assert (await newest(stage)).opens_at == at
    panel = await press(stage, panel, "Opening time", "", "", "UTC", ["once"])
    assert "**Opens:** when you press *Check and open*" in text_of(panel)
    assert (await newest(stage)).opens_at is None


async def test_thread_and_calendar_are_switched(stage: Stage) -> None:
    panel = await press(stage, await planned(stage), "Thread: on")
    panel = await press(stage, panel, "Calendar: off")
    assert {"Thread: off", "Calendar: on"} <= set(buttons_of(panel))
    event = await newest(stage)
    assert (event.wants_thread, event.wants_calendar) == (False, True)


async def test_people_are_chosen_and_taken_back(stage: Stage) -> None:
    role = stage.world.guild.create_role("Artists")
    panel = await press(stage, await planned(stage), "People")
    panel = await choose(stage, panel, "Roles that may take part", [role])
    panel = await choose(stage, panel, "Members who run it with you", [stage.ben])
    panel = await choose(stage, panel, "The role of the jury", [role])
    assert f"**May take part:** <@&{role.id}>" in text_of(panel)
    assert f"**Run it together with you:** <@{stage.ben.id}>" in text_of(panel)
    assert f"**Jury:** <@&{role.id}>" in text_of(panel)
    event = await newest(stage)
    assert (event.role_ids, event.moderator_ids) == (frozenset({role.id}), frozenset({stage.ben.id}))
    assert event.jury_role_id == role.id
    panel = await choose(stage, panel, "The role of the jury", [])
    assert "**Jury:** none" in text_of(panel)
    assert (await newest(stage)).jury_role_id is None


async def test_a_jury_that_everybody_can_join_is_said(stage: Stage) -> None:
    """Mutant: the warning is about any role, or about none."""
    news, judges = (stage.world.guild.create_role(name) for name in ("Event news", "Judges"))
    await stage.world.darkroom.services.guilds.choose_news(stage.world.guild.id, news.id)
    panel = await press(stage, await planned(stage), "People")
    panel = await choose(stage, panel, "The role of the jury", [news])
    assert f"Members could take {news.mention} for event news" in text_of(panel)
    panel = await choose(stage, panel, "The role of the jury", [judges])
    assert "Members could take" not in text_of(panel)


async def test_numbers_and_budget_say_what_they_buy(stage: Stage) -> None:
    panel = await press(stage, await planned(stage), "Pictures and budget")
    panel = await press(stage, panel, "Numbers and budget", "8", "4", "3", "", "900")
    text = text_of(panel)
    assert "**Budget:** 900 credits; it buys 1 more training, " in text
    assert "**Photos per member:** up to 8" in text
    event = await newest(stage)
    assert (event.photo_cap, event.pictures_each, event.entrants_min, event.entrants_max) == (8, 4, 3, None)
    panel = await press(stage, panel, "Numbers and budget", "8", "4", "3", "20", "")
    assert "**Budget:** no limit\n" in text_of(panel)
    assert (await newest(stage)).budget is None
    assert "3 to 20 members" in text_of(await press(stage, panel, "People"))


@pytest.mark.parametrize(
    ("numbers", "said"),
    [
        (("x", "4", "3", "", ""), "**Photos per member** takes a whole number"),
        (("31", "4", "3", "", ""), "1 to 30"),
        (("5", "4", "3", "2", ""), "**Most members** is below **Fewest members**"),
        (("5", "4", "3", "", "-5"), "**Budget in credits** takes a whole number or leave it empty"),
    ],
)
async def test_numbers_out_of_range_are_refused_and_nothing_changes(
    stage: Stage, numbers: tuple[str, ...], said: str
) -> None:
    panel = await press(stage, await planned(stage), "Pictures and budget")
    before = await newest(stage)
    form = await stage.ada.click(panel, custom_id=buttons_of(panel)["Numbers and budget"])
    assert said in answer_to(await stage.submit_fields(stage.ada, form, *numbers))
    assert await newest(stage) == before


async def test_steps_and_rank_are_chosen_before_it_opens_and_say_how_long_it_takes(stage: Stage) -> None:
    panel = await press(stage, await planned(stage), "Pictures and budget")
    assert "**Training:** 1000 steps, rank 32; a LoRA usually takes 15–25 minutes" in text_of(panel)
    panel = await press(stage, panel, "Steps and rank", "2000", "")
    assert "**Training:** 2000 steps, rank 32; a LoRA usually takes 30–50 minutes" in text_of(panel)
    form, late = [await stage.ada.click(panel, custom_id=buttons_of(panel)["Steps and rank"]) for _ in range(2)]
    assert "500 to 3000" in answer_to(await stage.submit_fields(stage.ada, form, "3001", "8"))
    event = await newest(stage)
    assert (event.steps, event.rank) == (2000, None)
    await stage.set_key()
    await stage.use(stage.ada, "event open")
    assert "fixed when the event was opened" in answer_to(await stage.submit_fields(stage.ada, late, "500", "8"))


async def test_a_ready_pack_or_own_prompts_are_made_with_every_lora(stage: Stage) -> None:
    panel = await press(stage, await planned(stage), "Pictures and budget")
    panel = await choose(stage, panel, "Pictures that I make with every LoRA", ["seasons"])
    assert (await newest(stage)).pack == READY_PACKS["seasons"].prompts
    panel = await press(stage, panel, "Own prompts", "{trigger} in the rain\n\n{trigger} `@everyone`")
    assert (await newest(stage)).pack == ("{trigger} in the rain", "{trigger} `@everyone`")
    assert "- “{trigger} in the rain”\n- “{trigger} \\`\\@\u200beveryone\\`”" in text_of(panel)
    form = await stage.ada.click(panel, custom_id=buttons_of(panel)["Own prompts"])
    assert "braces" in answer_to(await stage.submit_fields(stage.ada, form, "{name} in the rain"))
    await choose(stage, panel, "Pictures that I make with every LoRA", [])
    assert (await newest(stage)).pack == ()


async def test_a_club_chooses_among_loras_and_keeps_those_out_of_sight(stage: Stage) -> None:
    fox, owl = await stage.give_lora(stage.ada, "Fox"), await stage.give_lora(stage.ada, "Owl")
    panel = await press(stage, await planned(stage, "club"), "Pictures and budget")
    assert "**LoRAs:** none yet" in text_of(panel)
    panel = await choose(stage, panel, "LoRAs that members may use", [str(fox.id)])
    assert "**LoRAs:** **Fox**" in text_of(panel)
    panel = await press(stage, panel, "Find a style or a LoRA", "ow")
    assert list(options_of(panel, "LoRAs that members may use")) == ["Fox", "Owl"]
    panel = await choose(stage, panel, "LoRAs that members may use", [str(fox.id), str(owl.id)])
    assert set((await newest(stage)).lora_ids) == {fox.id, owl.id}
    assert "Photos" not in text_of(panel).replace("Photos show", "")


async def test_the_panel_survives_a_restart_and_comes_back_with_status(stage: Stage) -> None:
    panel = await planned(stage)
    await stage.restart()
    assert "**May take part:** everyone" in text_of(await press(stage, panel, "People"))
    assert "Settings of **Mascot weekend**" in answer_to(await stage.use(stage.ada, "event status"))


async def test_others_neither_see_nor_change_a_draft(stage: Stage) -> None:
    await planned(stage)
    event = await newest(stage)
    assert "There is no event here" in answer_to(await stage.use(stage.ben, "event status"))
    assert await stage.ben.autocomplete(stage.channel, "event status", "event", "") == []
    for action in (
        "settings",
        "people",
        "thread",
        "hours",
        "numbers",
        "check",
        "open",
        "closecollecting",
        "extend",
        "cancel",
    ):
        assert "no such event" in answer_to(await stage.press_id(stage.ben, f"dr:host:{action}:{event.id}"))
    assert await newest(stage) == event


async def test_the_check_names_what_is_missing_and_how_to_fix_it(stage: Stage) -> None:
    card = await press(stage, await planned(stage, pack=()), "Check and open")
    text = text_of(card)
    assert "**Mascot weekend** is not ready yet" in text
    assert f"✅ Posting in <#{stage.channel.id}>" in text
    assert "❌ API key of Apiframe: **please fix this.**" in text
    assert "⚠️ Prompt pack (not needed to open):" in text
    assert "Open now" not in buttons_of(card)
    await stage.set_key()
    card = await press(stage, card, "Check again")
    assert "is ready" in text_of(card)
    status = await press(stage, card, "Open now")
    assert "It is open." in text_of(status)
    assert (await newest(stage)).status is EventStatus.COLLECTING


async def test_open_opens_at_once_when_every_line_is_green_and_shows_them_otherwise(stage: Stage) -> None:
    await planned(stage)
    assert "is not ready yet" in answer_to(await stage.use(stage.ada, "event open"))
    await stage.set_key()
    pack = READY_PACKS["seasons"].prompts
    await stage.world.darkroom.services.events.change((await newest(stage)).id, admin(stage), pack=pack)
    assert "It is open." in answer_to(await stage.use(stage.ada, "event open"))
    assert "has been opened already" in answer_to(await stage.use(stage.ada, "event open"))


async def test_an_event_that_became_unready_since_the_check_is_not_opened(stage: Stage) -> None:
    await stage.set_key()
    card = await press(stage, await planned(stage), "Check and open")
    await stage.use(stage.ada, "keys remove", provider="apiframe")
    refused = await stage.ada.click(card, custom_id=buttons_of(card)["Open now"])
    assert "not ready yet" in answer_to(refused)
    assert (await newest(stage)).status is EventStatus.DRAFT


async def test_members_see_how_it_stands_without_buttons_and_vetoes(stage: Stage) -> None:
    event = await opened(stage)
    shown = board_of(await stage.use(stage.ben, "event status"))
    text = text_of(shown)
    assert event.stage_ends_at is not None
    assert "**Photos are being collected** until" in text
    assert f"<t:{int(event.stage_ends_at.timestamp())}:R>" in text
    assert "0 take part (at least 2 members)" in text
    assert "said no" not in text
    assert buttons_of(shown) == {}


async def test_the_host_closes_extends_and_sees_vetoes_counted(stage: Stage) -> None:
    event = await opened(stage)
    card = board_of(await stage.use(stage.ada, "event status"))
    assert "Asked because" not in text_of(card)
    assert list(buttons_of(card)) == ["Close now", "+24 h", "Photos", "Settings", "Cancel"]
    card = await press(stage, card, "+24 h")
    later = (await newest(stage)).stage_ends_at
    assert "It has 24 h more now." in text_of(card)
    assert event.stage_ends_at is not None
    assert later is not None
    assert later > event.stage_ends_at


async def test_close_asks_once_and_shows_what_comes_next(stage: Stage) -> None:
    """Too few take part, so that the event waits; the card says only that."""
    event = await opened(stage)
    card = await press(stage, board_of(await stage.use(stage.ada, "event status")), "Close now")
    assert "### Close this part of **Mascot weekend**?" in text_of(card)
    assert (await newest(stage)).stage_ends_at == event.stage_ends_at
    kept = await press(stage, card, "Not yet")
    assert "**Photos are being collected** until" in text_of(kept)
    card = board_of(await stage.use(stage.ada, "event close"))
    after = await press(stage, card, "Yes, close it")
    await until(lambda: "⏸️ **It waits**" in stage.shown_now(after))
    assert "until it goes on, no time counts" in stage.shown_now(after)
    assert "Closing" not in stage.shown_now(after)
    again = await stage.press_id(stage.ada, f"dr:host:endcollecting:{event.id}")
    assert "This event is paused" in answer_to(again)


async def test_the_vote_is_closed_once_and_its_end_is_shown_at_once(stage: Stage) -> None:
    event = await opened(stage)
    await move(stage, event, status=EventStatus.VOTING)
    question = board_of(await stage.use(stage.ada, "event close"))
    assert "No more votes are taken" in text_of(question)
    card = await press(stage, question, "Yes, close it")
    await until(lambda: "**Finished.**" in stage.shown_now(card))
    assert "Close now" not in str(stage.world.env.backend.get_message(card.channel_id, card.id).components)
    assert "This event is over" in answer_to(await stage.press_id(stage.ada, f"dr:host:endvoting:{event.id}"))
    for member in (stage.ada, stage.cleo):
        assert "**Finished.**" in answer_to(await stage.use(member, "event status"))
    await planned(stage)
    assert "**Finished.**" in answer_to(await stage.use(stage.ada, "event status"))


async def test_a_moderator_runs_it_and_another_member_does_not(stage: Stage) -> None:
    event = await opened(stage, moderator_ids=frozenset({stage.ben.id}))
    assert "6 h more" in answer_to(await stage.use(stage.ben, "event extend", hours=6.0))
    assert "no event here" in answer_to(await stage.use(stage.cleo, "event extend", hours=6.0)).lower()
    pressed = await stage.press_id(stage.cleo, f"dr:host:closecollecting:{event.id}")
    assert "Only the event's host" in answer_to(pressed)
    offered = await stage.ben.autocomplete(stage.channel, "event close", "event", "masc")
    assert offered == [{"name": "Mascot weekend · photos are being collected", "value": str(event.id)}]
    assert await stage.cleo.autocomplete(stage.channel, "event close", "event", "") == []


async def test_cancelling_asks_once_and_keep_it_keeps_it(stage: Stage) -> None:
    await opened(stage)
    asked = await stage.use(stage.ada, "event cancel")
    assert "Cancel **Mascot weekend**?" in answer_to(asked)
    kept = await stage.ada.click(board_of(asked), label="Keep it")
    assert "goes on as before" in answer_to(kept)
    assert (await newest(stage)).status is EventStatus.COLLECTING
    asked = await stage.use(stage.ada, "event cancel")
    done = await stage.ada.click(board_of(asked), label="Yes, cancel it")
    assert "**Mascot weekend** is cancelled. Nothing more is spent" in answer_to(done)
    assert (await newest(stage)).status is EventStatus.CANCELLED


async def test_throwing_a_draft_away_says_that_nobody_had_seen_it(stage: Stage) -> None:
    panel = await planned(stage)
    asked = await stage.ada.click(panel, custom_id=buttons_of(panel)["Throw away"])
    done = await stage.ada.click(board_of(asked), label="Yes, cancel it")
    assert "Nobody had seen it" in answer_to(done)


async def test_a_waiting_event_says_why_and_what_to_do(stage: Stage) -> None:
    event = await opened(stage)
    await move(stage, event, paused_at=event.opened_at, paused_why=PauseReason.TOO_FEW_PHOTOS)
    card = board_of(await stage.use(stage.ada, "event status"))
    assert "⏸️ **It waits**" in text_of(card)
    assert "There are too few usable photos." in text_of(card)
    assert "Close now" not in buttons_of(card)
    assert "+24 h" in buttons_of(card)


async def test_a_bakeoff_compares_strengths_and_opens_its_settings(stage: Stage) -> None:
    lora = await stage.give_lora(stage.ada, "Foxy")
    panel = board_of(
        await stage.use(stage.ada, "event bakeoff", lora="Foxy", prompts="a fox | {trigger} at sea", strengths="0.5, 1")
    )
    assert "Settings of **Bake-off of Foxy**" in text_of(panel)
    event = await newest(stage)
    assert event.mode is EventMode.BAKEOFF
    assert [(each.lora_id, each.strength, each.label) for each in event.candidates] == [
        (lora.id, 0.5, "strength 0.5"),
        (lora.id, 1.0, "strength 1"),
    ]
    assert event.pack == ("a fox", "{trigger} at sea")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"prompts": "a fox", "strengths": "0.8"}, "nothing to compare yet"),
        ({"prompts": "a fox", "strengths": "strong, weak"}, "numbers from 0.1 to 1.5"),
        ({"prompts": "a fox", "strengths": "0.1 0.2 0.3 0.4 0.5 0.6 0.7 0.8 0.9"}, "at most 8"),
        ({"prompts": " | "}, "at least one prompt"),
        ({"prompts": "a {fox}"}, "braces"),
    ],
)
async def test_a_bakeoff_of_nothing_is_refused_and_leaves_no_draft(
    stage: Stage, options: dict[str, Any], said: str
) -> None:
    await stage.give_lora(stage.ada, "Foxy")
    assert said in answer_to(await stage.use(stage.ada, "event bakeoff", lora="Foxy", **options))
    assert await stage.ada.autocomplete(stage.channel, "event status", "event", "") == []


async def test_the_hall_of_fame_of_a_new_server_says_how_it_fills(stage: Stage) -> None:
    assert "Empty so far." in answer_to(await stage.use(stage.ben, "event fame"))


async def test_there_is_no_yearbook_before_the_end(stage: Stage) -> None:
    await opened(stage)
    for member in (stage.ben, stage.ada):
        assert "once the votes are counted" in answer_to(await stage.use(member, "event yearbook"))


async def give(stage: Stage, event: Event, count: int) -> None:
    """Photos of Ben and Cleo in turn, in the spool as if they had given them."""
    services = stage.world.darkroom.services
    assert event.dataset_id is not None
    spool, given = services.datasets._spool, []
    for member in (stage.ben, stage.cleo):
        await services.contributions.join(event.id, Actor(stage.world.guild.id, member.id))
    for number in range(1, count + 1):
        file = spool.new_name(".jpg")
        spool.path(file).write_bytes(tiny_jpeg(number))
        giver = (stage.ben, stage.cleo)[number % 2]
        given.append(photo(number, event.dataset_id, file=file, contributor_id=giver.id))
    await add_photos(stage.world.darkroom.database, given)


async def test_the_host_pins_and_drops_photos_by_number(stage: Stage) -> None:
    event = await opened(stage)
    await give(stage, event, 4)
    card = board_of(await stage.use(stage.ada, "event status"))
    board = await press(stage, card, "Photos")
    assert pictures_in(board) == ["The photos from number 1 on, with their numbers"]
    assert f"**1** **photo-1.jpg** · <@{stage.cleo.id}> · ✅ chosen" in text_of(board)
    pins = options_of(board, "Pin: these are in")
    assert list(pins) == [f"{number}. photo-{number}.jpg" for number in range(1, 5)]
    board = await choose(stage, board, "Pin: these are in", [pins["2. photo-2.jpg"], pins["3. photo-3.jpg"]])
    board = await choose(stage, board, "Drop: these stay out", [pins["4. photo-4.jpg"]])
    text = text_of(board)
    assert "**3** of 4 photos are chosen" in text
    assert f"**2** **photo-2.jpg** · <@{stage.ben.id}> · 📌 pinned" in text
    assert "· 🚫 dropped" in text
    assert list(options_of(board, "Pin: these are in")) == ["1. photo-1.jpg", "4. photo-4.jpg"]
    board = await choose(stage, board, "Neither: let the choice decide", [pins["4. photo-4.jpg"]])
    assert "🚫" not in text_of(board)
    assert "**Photos:** 4 usable of 4" in text_of(await press(stage, board, "Back"))


async def test_many_photos_are_paged_by_25(stage: Stage) -> None:
    event = await opened(stage, photo_cap=30)
    await give(stage, event, 51)
    board = await press(stage, board_of(await stage.use(stage.ada, "event status")), "Photos")
    assert list(buttons_of(board)) == ["More photos", "Back"]
    board = await press(stage, await press(stage, board, "More photos"), "More photos")
    assert list(options_of(board, "Pin: these are in")) == ["51. photo-51.jpg"]
    assert list(buttons_of(board)) == ["Earlier photos", "Back"]


async def test_nobody_else_sees_the_photos(stage: Stage) -> None:
    event = await opened(stage)
    await give(stage, event, 2)
    pressed = await stage.press_id(stage.ben, f"dr:host:photos:{event.id}")
    assert "Only" in answer_to(pressed)
    assert "photo-1" not in answer_to(pressed)


async def check_posting(stage: Stage, event: Event, card: Message) -> None:
    """Its host posts it for everybody, once; whoever does not run the event is not asked."""
    assert "Post it for everybody" not in buttons_of(card)
    own = board_of(await stage.use(stage.ada, "event yearbook"))
    assert "On its way to <#" in answer_to(await stage.ada.click(own, label="Post it for everybody"))
    [thread] = stage.channel.threads
    posted = await stage.post_of(PostKind.EVENT_YEARBOOK, event.id, thread)
    types = [urlsplit(each.url).path.rpartition(".")[2] for each in shown_media(posted.components)]
    assert types == ["jpg", "pdf"]
    assert pictures_in(posted) == ["Contact sheet of 1 AI-generated picture: Ben No. 1"]
    assert "Yearbook" in buttons_of(posted)
    assert "posted already" in answer_to(await stage.ada.click(own, label="Post it for everybody"))
    assert "may do that" in answer_to(await stage.press_id(stage.ben, f"dr:host:postbook:{event.id}"))


async def test_the_yearbook_comes_as_a_sheet_pages_and_a_zip_for_the_one_who_asked(stage: Stage) -> None:
    event = await opened(stage, mode=EventMode.CLUB, lora_ids=((await stage.give_lora(stage.ada, "Fox")).id,))
    services = stage.world.darkroom.services
    ben = Actor(stage.world.guild.id, stage.ben.id)
    await services.contributions.join(event.id, ben)
    order = PictureOrder("a fox", GenerationSettings(), event.lora_ids[0])
    await services.budgets.order(event, order, ben, Channel(stage.channel.id))
    await private_message(stage.ben, "a fox")
    await move(stage, await newest(stage), status=EventStatus.FINISHED, ended_at=event.opened_at, due_at=None)
    handed = await stage.use(stage.cleo, "event yearbook")
    card = board_of(handed)
    assert "The yearbook of **Mascot weekend**" in text_of(card)
    assert "1 AI-generated picture in a ZIP" in text_of(card)
    assert pictures_in(card) == ["Contact sheet of 1 AI-generated picture: Ben No. 1"]
    zips, [page], pdfs = (message.attachments for message in handed.followups)
    assert [file.filename for file in zips] == [f"darkroom-yearbook-{event.id}.zip"]
    assert [file.filename for file in pdfs] == [f"darkroom-yearbook-{event.id}.pdf"]
    assert "ben" in page.filename.lower()
    assert page.description == "Yearbook page of Ben with AI-generated pictures: No. 1 a fox"
    await check_posting(stage, event, card)
    spool = services.datasets._spool
    assert [
        *spool.path(spool.new_name()).parent.glob("*.zip"),
        *spool.path(spool.new_name()).parent.glob("*.pdf"),
    ] == []
