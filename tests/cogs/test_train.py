"""The main job: /train, the board, Start, the message that it is ready."""

from dataclasses import replace
from typing import Any

import pytest
from simcord.components import walk_components

from bot.sandbox.apiframe.state import TrainingFault
from bot.sandbox.rehearsal.faults import Fault
from bot.sandbox.world import REHEARSAL_CREDITS, REHEARSAL_KEY
from tests.cogs.simulated_guild import (
    PROVIDER_TIMINGS,
    Stage,
    answer_to,
    blurry,
    board_of,
    buttons_of,
    fields_of,
    photo,
    photos,
    pictures_in,
    text_of,
    until,
)


async def test_bare_train_opens_a_form_with_a_name_three_uploads_and_a_box(stage: Stage) -> None:
    opened = await stage.use(stage.ben, "train")
    assert opened.modal is not None
    kinds = [label["component"]["type"] for label in opened.modal["components"]]
    assert kinds == [4, 19, 19, 19, 23]
    assert [label["component"]["max_values"] for label in opened.modal["components"][1:4]] == [10, 10, 10]


async def test_the_board_names_every_photo_and_offers_its_buttons(keyed: Stage) -> None:
    board = board_of(await keyed.send_form(keyed.ben, "Foxy", photos(16)))
    text = text_of(board)
    assert "`Foxy`" in text
    assert "16 of 15–30 usable photos" in text
    assert "Ready to start." in text
    assert [f"{number}. `photo-{number}.jpg`" in text for number in range(1, 17)] == [True] * 16
    assert "**Cost:** 257 of this server's Apiframe credits\n" in text
    assert "Training it usually takes 15–25 minutes." in text
    assert "Place and camera data removed from every photo. Apiframe captions the photos itself" in text
    assert list(buttons_of(board)) == [
        "Start training (16 photos)",
        "Add photos",
        "Remove photos",
        "Who is in them?",
        "Discard",
    ]
    assert [attachment.filename for attachment in board.attachments] == ["contact-sheet.jpg"]
    assert pictures_in(board) == ["Contact sheet of 16 photos, numbered as in the list below."]


async def test_thirty_photos_go_through_one_form(keyed: Stage) -> None:
    board = board_of(await keyed.send_form(keyed.ben, "Foxy", photos(30)))
    assert "30 of 15–30 usable photos" in text_of(board)


async def test_start_is_accepted_privately_then_tracked_in_one_message_and_announced_once(keyed: Stage) -> None:
    keyed.world.provider._world.timings = replace(PROVIDER_TIMINGS, training_s=2.0)
    board = board_of(await keyed.send_form(keyed.ben, "Foxy", photos(16)))
    started = answer_to(await keyed.start(keyed.ben, board))
    assert "Accepted #1" in started
    assert "16 photos" in started
    ready = await keyed.posted("`Foxy` is ready")
    await until(lambda: "✅ Ready." in text_of(keyed.posts()[0]))
    status, announced = keyed.posts()
    assert announced.id == ready.id
    words = [text for path, text in edits_of(keyed) if path.endswith(f"/{status.id}")]
    assert any("Training (usually 15–25 minutes)" in text for text in words)
    assert "✅ Ready." in words[-1]


async def test_the_ready_message_pings_only_its_member_and_shows_the_trigger_word(keyed: Stage) -> None:
    ready = await keyed.train(keyed.ben)
    trigger = next(iter(keyed.world.provider.loras.values())).trigger_word
    assert f"Its trigger word is `{trigger}`." in text_of(ready)
    assert keyed.ben.mention in text_of(ready)
    assert list(buttons_of(ready)) == ["Make the first picture", "I am in this"]
    bodies = [body for path, body in keyed.sent_messages() if path.startswith("/channels/") and "ready" in str(body)]
    assert [body["allowed_mentions"] for body in bodies if "nonce" in body] == [{"users": [keyed.ben.id], "parse": []}]


async def test_the_provider_gets_the_photos_once_and_is_paid_once(keyed: Stage) -> None:
    await keyed.train(keyed.ben)
    assert keyed.charges() == ["create", "training"]
    assert len(next(iter(keyed.world.provider.loras.values())).photos) == 15
    assert keyed.world.provider.credits_of(REHEARSAL_KEY) == REHEARSAL_CREDITS - 257


async def test_pressing_start_twice_starts_once(keyed: Stage) -> None:
    keyed.world.provider.faults.hold_trainings = True
    board = board_of(await keyed.send_form(keyed.ben, "Foxy", photos(15)))
    custom_id = next(keyed.starts(board))
    first = await keyed.ben.click(board, custom_id=custom_id)
    second = await keyed.press_id(keyed.ben, custom_id)
    assert "Accepted #1" in answer_to(first)
    assert "Accepted #1" in answer_to(second)
    await until(lambda: keyed.world.provider.loras)
    assert len(keyed.world.provider.loras) == 1


async def test_fewer_than_fifteen_photos_cannot_start_and_the_board_says_how_many_are_missing(keyed: Stage) -> None:
    board = board_of(await keyed.send_form(keyed.ben, "Foxy", photos(4)))
    assert "Please add 11 more photos." in text_of(board)
    assert "Start training (4 of 15)" in buttons_of(board)
    forced = await keyed.press_id(keyed.ben, buttons_of(board)["Start training (4 of 15)"])
    assert "It takes 15 usable photos; there are 4. Please add 11 more." in answer_to(forced)
    assert keyed.charges() == []


async def test_without_a_ticked_box_nothing_is_downloaded_until_i_agree(keyed: Stage) -> None:
    asked = await keyed.send_form(keyed.ben, "Foxy", photos(15), consent=False)
    assert "Nothing has been downloaded yet" in answer_to(asked)
    assert list((keyed.world.darkroom.services.datasets._spool._folder).iterdir()) == []
    question = (asked.followups or [board_of(asked)])[-1]
    agreed = await keyed.ben.click(question, label="I agree, add my photos")
    assert "15 of 15–30 usable photos" in answer_to(agreed)


@pytest.mark.parametrize("given", [{"subject": "person"}, {"gender": "female"}, {"ethnicity": "Mixed"}])
async def test_a_person_without_gender_or_ethnicity_is_told_before_any_upload(
    stage: Stage, given: dict[str, Any]
) -> None:
    answered = await stage.use(stage.ben, "train", **given)
    assert answered.modal is None
    assert "`gender` and `ethnicity`" in answer_to(answered)


async def test_a_complete_person_is_sent_with_what_was_said(keyed: Stage) -> None:
    board = board_of(
        await keyed.send_form(keyed.ben, "Ben", photos(15), gender="male", ethnicity="Mixed", age="30", steps=700)
    )
    assert "A LoRA of a person. Training it usually takes 10–18 minutes, with the 700 steps you chose." in text_of(
        board
    )
    await keyed.start(keyed.ben, board)
    await until(lambda: keyed.world.provider.loras)
    lora = next(iter(keyed.world.provider.loras.values()))
    assert (lora.subject_kind, lora.gender, lora.ethnicity, lora.age, lora.steps) == (
        "person",
        "male",
        "Mixed",
        "30",
        700,
    )


async def test_ethnicity_is_suggested_and_free(stage: Stage) -> None:
    offered = await stage.ben.autocomplete(stage.channel, "train", "ethnicity", "asian")
    assert [choice["name"] for choice in offered] == ["East Asian", "South Asian", "Southeast Asian"]


async def test_each_bad_photo_is_named_with_what_to_do(keyed: Stage) -> None:
    bad = [
        ("notes.jpg", b"These are not the bytes you are looking for."),
        ("tiny.jpg", photo(50, 120)),
        ("empty.jpg", b""),
        ("cut.jpg", photo(51)[:9000]),
        ("again.jpg", photo(1)),
        ("soft.jpg", blurry()),
    ]
    text = text_of(board_of(await keyed.send_form(keyed.ben, "Foxy", photos(15) + bad)))
    assert "16 of 15–30 usable photos" in text
    for line in (
        "❌ 16. `notes.jpg`: It is not a picture. Send a JPEG, PNG, WebP or HEIC photo instead.",
        "❌ 17. `tiny.jpg`: It is too small",
        "❌ 18. `empty.jpg`: The file is empty. Send it again.",
        "❌ 19. `cut.jpg`: It does not open",
        "❌ 20. `again.jpg`: It is the same file as `1. photo-1.jpg`. Send a different photo.",
        "⚠️ 21. `soft.jpg`: It looks blurry",
    ):
        assert line in text


async def test_photos_are_removed_by_choice_and_back_shows_the_board(keyed: Stage) -> None:
    board = board_of(await keyed.send_form(keyed.ben, "Foxy", photos(16)))
    choosing = board_of(await keyed.ben.click(board, label="Remove photos"))
    assert "Which photos should go?" in text_of(choosing)
    back = board_of(await keyed.ben.click(choosing, label="Back"))
    assert "16 of 15–30 usable photos" in text_of(back)
    choosing = board_of(await keyed.ben.click(back, label="Remove photos"))
    select = next(part for part in walk_components(choosing.components) if part.get("type") == 3)
    first_two = [option["value"] for option in select["options"][:2]]
    left = board_of(await keyed.ben.select(choosing, first_two, custom_id=select["custom_id"]))
    assert "14 of 15–30 usable photos" in text_of(left)
    assert "`photo-1.jpg`" not in text_of(left)
    assert "Please add 1 more photo." in text_of(left)


async def test_add_photos_asks_for_consent_again_and_completes_the_set(keyed: Stage) -> None:
    board = board_of(await keyed.send_form(keyed.ben, "Foxy", photos(10)))
    opened = await keyed.ben.click(board, label="Add photos")
    added = await keyed.submit_fields(keyed.ben, opened, photos(5, first=11), [], [], True)
    assert "15 of 15–30 usable photos" in answer_to(added)
    assert len(fields_of(opened)) == 4


async def test_discard_deletes_the_photos_and_sends_nothing(keyed: Stage) -> None:
    board = board_of(await keyed.send_form(keyed.ben, "Foxy", photos(15)))
    spool = keyed.world.darkroom.services.datasets._spool._folder
    assert len(list(spool.iterdir())) == 15
    discarded = answer_to(await keyed.ben.click(board, label="Discard"))
    assert "`Foxy` was discarded and its photos are deleted. Nothing was sent anywhere." in discarded
    assert list(spool.iterdir()) == []
    late = await keyed.press_id(keyed.ben, "dr:set:start:1")
    assert "discarded" in answer_to(late)
    assert keyed.charges() == []


async def test_without_a_key_the_board_says_who_can_help_and_start_is_refused(stage: Stage) -> None:
    board = board_of(await stage.send_form(stage.ben, "Foxy", photos(15)))
    assert "no Apiframe key yet. Ask an admin to run `/keys set`." in text_of(board)
    assert "no Apiframe key yet" in answer_to(await stage.start(stage.ben, board))


async def test_the_balance_is_shown_to_admins_only(keyed: Stage) -> None:
    of_ben = text_of(board_of(await keyed.send_form(keyed.ben, "Foxy", photos(1))))
    of_ada = text_of(board_of(await keyed.send_form(keyed.ada, "Rex", photos(1))))
    assert f"257 of this server's Apiframe credits · balance {REHEARSAL_CREDITS} credits" in of_ada
    assert "balance" not in of_ben
    assert str(REHEARSAL_CREDITS) not in of_ben


async def test_a_member_learns_that_the_credits_are_short_but_not_by_how_much(keyed: Stage) -> None:
    keyed.world.provider._world.credits[next(iter(keyed.world.provider._world.credits))] = 211
    text = text_of(board_of(await keyed.send_form(keyed.ben, "Foxy", photos(1))))
    assert "The server does not have that many left. Ask an admin to top up the Apiframe account." in text
    assert "211" not in text


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        (1000, "takes 15–25 minutes."),
        (500, "takes 8–12 minutes, with the 500 steps you chose."),
        (3000, "takes 45–75 minutes, with the 3000 steps you chose."),
    ],
)
async def test_the_usual_time_goes_by_the_steps_and_the_rank_is_nobodys_business(
    keyed: Stage, steps: int, words: str
) -> None:
    options = {"subject": "object", "steps": steps, "rank": 16}
    text = text_of(board_of(await keyed.send_form(keyed.ben, "Foxy", [], **options)))
    assert f"A LoRA of a pet, object or place. Training it usually {words}" in text
    assert "rank" not in text
    assert "camera data" not in text


async def test_while_the_provider_is_down_the_board_comes_without_a_balance(keyed: Stage) -> None:
    keyed.world.provider.faults.next("GET /v2/me", *[Fault.answer(503)] * 3)
    board = board_of(await keyed.send_form(keyed.ada, "Foxy", photos(15)))
    assert "257 of this server's Apiframe credits · balance not known just now" in text_of(board)
    assert "Start training (15 photos)" in buttons_of(board)


async def test_a_failed_training_says_why_and_starts_again_with_one_press(keyed: Stage) -> None:
    keyed.world.provider.faults.trainings.append(TrainingFault.FAIL_BEFORE_CHARGE)
    board = board_of(await keyed.send_form(keyed.ben, "Foxy", photos(15)))
    await keyed.start(keyed.ben, board)
    failed = await keyed.posted("`Foxy` was not trained")
    assert "Apiframe could not finish the training" in text_of(failed)
    again = await keyed.ben.click(failed, label="Start again")
    assert "Accepted #2" in answer_to(again)
    await keyed.posted("`Foxy` is ready")


def edits_of(stage: Stage) -> list[tuple[str, str]]:
    """(path, text) of every edit of a channel message, in order."""
    return [
        (request.path, str(request.json))
        for request in stage.world.env.http_requests
        if request.method == "PATCH" and request.path.startswith("/channels/")
    ]


@pytest.mark.parametrize("age", ["12", "twelve", "\uff11\uff17 y/o", "teen", "1 7"])
async def test_an_age_below_18_is_refused_before_the_form_opens(stage: Stage, age: str) -> None:
    opened = await stage.use(stage.ben, "train", gender="male", ethnicity="Mixed", age=age)
    assert opened.modal is None
    assert "18 or older" in answer_to(opened)


@pytest.mark.parametrize("age", ["early 30s", "adult", "18+"])
async def test_other_ages_open_the_form(stage: Stage, age: str) -> None:
    assert (await stage.use(stage.ben, "train", gender="male", ethnicity="Mixed", age=age)).modal is not None
