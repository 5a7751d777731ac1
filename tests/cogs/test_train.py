"""The main job: /train, the board, Start, the message that it is ready."""

from dataclasses import replace
from typing import Any

import pytest
from simcord import MemberActor
from simcord.components import walk_components
from simcord.results import InteractionResult, ResponseMessage

from bot.datasets.service import OPEN_MAX
from bot.records.key import ProviderName
from bot.records.post import PostKind
from bot.sandbox.apiframe.state import TrainingFault
from bot.sandbox.rehearsal.faults import Fault
from bot.sandbox.world import REHEARSAL_CREDITS, REHEARSAL_KEY
from bot.storage.jobs import posts
from bot.storage.money import keys
from cogs.adapters.poster import DiscordPoster
from cogs.training.forms import ANY_GUIDE
from tests.cogs.simulated_guild import (
    PROVIDER_TIMINGS,
    File,
    Stage,
    answer_to,
    blurry,
    board_of,
    buttons_of,
    fields_of,
    photo,
    photos,
    pictures_in,
    settled,
    text_of,
    until,
)


def labels_of(opened: InteractionResult) -> list[dict[str, Any]]:
    assert opened.modal is not None
    return list(opened.modal["components"])


async def test_train_with_a_subject_opens_a_form_with_a_name_three_uploads_and_a_box(keyed: Stage) -> None:
    labels = labels_of(await keyed.use(keyed.ben, "train", subject="object"))
    assert [label["component"]["type"] for label in labels] == [4, 19, 19, 19, 23]
    assert [label["component"]["max_values"] for label in labels[1:4]] == [10, 10, 10]
    takes, guide = labels[0]["description"], labels[1]["description"]
    assert takes == "It costs this server 257 Apiframe credits and usually takes 15–25 minutes."
    assert guide.startswith("15 to 30 in all: sharp, different light, angles and places")


async def test_bare_train_asks_what_the_photos_show_and_says_what_it_takes(keyed: Stage) -> None:
    labels = labels_of(await keyed.use(keyed.ben, "train"))
    assert [label["component"]["type"] for label in labels] == [3, 4, 19, 19, 23]
    options = labels[0]["component"]["options"]
    assert [option["label"] for option in options] == ["A person", "A style", "A pet, object or place"]
    assert not any(option.get("default") for option in options)
    assert labels[0]["description"] == "It costs this server 257 Apiframe credits and usually takes 15–25 minutes."
    assert labels[2]["description"] == ANY_GUIDE
    assert labels[4]["description"] == "They are of me or taken with permission; Apiframe may train on them."


async def test_a_character_is_offered_where_it_could_be_made(keyed: Stage) -> None:
    await keyed.set_aurous_key()
    labels = labels_of(await keyed.use(keyed.ben, "train"))
    assert [option["value"] for option in labels[0]["component"]["options"]][-1] == "character"
    assert "Apiframe trains on them, or Aurous Labs keeps them" in labels[4]["description"]
    of_steps = labels_of(await keyed.use(keyed.ben, "train", steps=600))
    assert "character" not in [option["value"] for option in of_steps[0]["component"]["options"]]
    assert "usually takes 9–15 minutes" in of_steps[0]["description"]


async def send_asking_form(stage: Stage, kind: str, files: list[File], name: str = "Ben") -> ResponseMessage:
    opened = await stage.use(stage.ben, "train")
    answered = await stage.submit_fields(stage.ben, opened, [kind], name, files[:10], files[10:], True)
    return board_of(answered)


@pytest.mark.parametrize(
    ("kind", "count", "words"),
    [
        ("object", 15, "A LoRA of a pet, object or place."),
        ("style", 15, "A LoRA of a style."),
        ("character", 1, "A character. Nothing is trained"),
    ],
)
async def test_what_is_no_person_is_never_asked_for_gender(keyed: Stage, kind: str, count: int, words: str) -> None:
    await keyed.set_aurous_key()
    board = await send_asking_form(keyed, kind, photos(count))
    assert words in text_of(board)
    assert "Ready to start." in text_of(board)
    assert "About the person" not in buttons_of(board)


async def test_a_person_is_asked_for_on_the_board_and_then_trained(keyed: Stage) -> None:
    board = await send_asking_form(keyed, "person", photos(15))
    assert "the provider needs gender and ethnicity. Press **About the person**" in text_of(board)
    assert list(buttons_of(board))[:2] == ["Start training (15 photos)", "About the person"]
    too_soon = await keyed.press_id(keyed.ben, buttons_of(board)["Start training (15 photos)"])
    assert "the provider needs gender and ethnicity" in answer_to(too_soon)
    assert keyed.charges() == []
    opened = await keyed.ben.click(board, label="About the person")
    told = board_of(await keyed.submit_fields(keyed.ben, opened, ["male"], " Mixed ", "30"))
    assert "Ready to start." in text_of(told)
    assert "About the person: male, **Mixed**, **30**. Only you see this; it is deleted with the photos." in text_of(
        told
    )
    assert "Accepted #1" in answer_to(await keyed.start(keyed.ben, told))
    await until(lambda: keyed.world.provider.loras)
    [lora] = keyed.world.provider.loras.values()
    assert (lora.subject_kind, lora.gender, lora.ethnicity, lora.age) == ("person", "male", "Mixed", "30")


async def test_what_was_said_of_a_person_can_be_corrected_until_the_start(keyed: Stage) -> None:
    board = board_of(
        await keyed.send_form(
            keyed.ben, "Ben", photos(15), subject="person", gender="male", ethnicity="White", age="40"
        )
    )
    opened = await keyed.ben.click(board, label="About the person")
    fields = [label["component"] for label in labels_of(opened)]
    assert [option["value"] for option in fields[0]["options"] if option.get("default")] == ["male"]
    assert [field["value"] for field in fields[1:]] == ["White", "40"]
    told = board_of(await keyed.submit_fields(keyed.ben, opened, ["female"], "Black", ""))
    assert "About the person: female, **Black**. Only you" in text_of(told)


@pytest.mark.parametrize(
    ("ethnicity", "age", "words"),
    [("Mixed", "17", "18 or older"), ("a child", "", "18 or older"), ("  ", "", "ethnicity")],
)
async def test_what_may_not_be_said_of_a_person_is_refused_there_too(
    keyed: Stage, ethnicity: str, age: str, words: str
) -> None:
    board = await send_asking_form(keyed, "person", photos(15))
    opened = await keyed.ben.click(board, label="About the person")
    assert words in answer_to(await keyed.submit_fields(keyed.ben, opened, ["male"], ethnicity, age))
    shown = board_of(await keyed.use(keyed.ben, "dataset show"))
    assert "Press **About the person**" in text_of(shown)


async def test_about_the_person_is_nobody_elses_and_ends_with_the_start(keyed: Stage) -> None:
    board = await send_asking_form(keyed, "person", photos(15))
    custom_id = buttons_of(board)["About the person"]
    assert "not here any more" in answer_to(await keyed.press_id(keyed.cleo, custom_id))
    opened = await keyed.ben.click(board, label="About the person")
    late = await keyed.ben.click(board, label="About the person")
    await keyed.start(keyed.ben, board_of(await keyed.submit_fields(keyed.ben, opened, ["male"], "Mixed", "")))
    assert "started or discarded already" in answer_to(
        await keyed.submit_fields(keyed.ben, late, ["female"], "White", "")
    )


async def told_before_any_upload(stage: Stage, member: MemberActor, **options: Any) -> str:
    answered = await stage.use(member, "train", **options)
    assert answered.modal is None
    return answer_to(answered)


async def test_without_a_key_it_is_said_before_any_upload_and_to_an_admin_what_to_do(stage: Stage) -> None:
    said = await told_before_any_upload(stage, stage.ben)
    assert said == "This server has no Apiframe key yet. Ask an admin to run `/keys set`."
    said = await told_before_any_upload(stage, stage.ada, subject="object")
    assert said == "This server has no Apiframe key yet. Run `/keys set` to give it one."
    await stage.set_aurous_key()
    assert "Or send `/train subject:a character`" in await told_before_any_upload(stage, stage.ben)


async def test_without_allowance_it_is_said_before_any_upload(keyed: Stage) -> None:
    await keyed.use(keyed.ada, "budget set", who="member", credits=256)
    said = await told_before_any_upload(keyed, keyed.ben)
    assert "This takes 257 credits. Each member here may use 256 credits a month, and 256 are left" in said
    assert "Nothing was ordered." in said
    await keyed.use(keyed.ada, "budget set", who="member", credits=257)
    assert (await keyed.use(keyed.ben, "train")).modal is not None
    await keyed.use(keyed.ada, "budget set", who="server", trainings=0)
    assert "This server may use 0 trainings a month" in await told_before_any_upload(keyed, keyed.ben)


async def test_a_full_hand_of_datasets_is_said_before_any_upload(keyed: Stage) -> None:
    for number in range(OPEN_MAX):
        await keyed.send_form(keyed.ben, f"Rex {number}", [])
    assert f"You have {OPEN_MAX} open datasets here already" in await told_before_any_upload(keyed, keyed.ben)


async def test_when_all_places_are_taken_the_form_says_that_it_waits_its_turn(keyed: Stage) -> None:
    keyed.world.provider.faults.hold_trainings = True
    board = board_of(await keyed.send_form(keyed.ben, "Foxy", photos(15)))
    await keyed.start(keyed.ben, board)
    async with keyed.world.darkroom.database.read() as connection:
        key = await keys.current(connection, keyed.world.guild.id, ProviderName.APIFRAME)
    assert key is not None
    await keyed.world.darkroom.database.write(lambda connection: keys.put_account(connection, key.row.id, "team", 1))
    labels = labels_of(await keyed.use(keyed.cleo, "train"))
    assert labels[0]["description"].endswith("usually takes 15–25 minutes, once its turn comes.")


async def test_the_board_names_every_photo_and_offers_its_buttons(keyed: Stage) -> None:
    board = board_of(await keyed.send_form(keyed.ben, "Foxy", photos(16)))
    text = text_of(board)
    assert "**Foxy**" in text
    assert "16 of 15–30 usable photos" in text
    assert "Ready to start." in text
    assert [f"{number}. **photo-{number}.jpg**" in text for number in range(1, 17)] == [True] * 16
    assert "**Cost:** 257 of this server's Apiframe credits\n" in text
    assert "Training it usually takes 15–25 minutes." in text
    assert "Place and camera data removed from every photo. Apiframe captions the photos itself" in text
    assert list(buttons_of(board)) == [
        "Start training (16 photos)",
        "Add photos",
        "Remove photos",
        "Who is in them?",
        "Keep for 7 days",
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
    ready = await keyed.posted("**Foxy** is ready")
    await until(lambda: "✅ Ready." in text_of(keyed.posts()[0]))
    status, announced = keyed.posts()
    assert announced.id == ready.id
    words = [text for path, text in edits_of(keyed) if path.endswith(f"/{status.id}")]
    assert any("Apiframe says that it takes 15–25 minutes." in text for text in words)
    assert "✅ Ready." in words[-1]


async def test_the_ready_message_pings_only_its_member_and_shows_the_trigger_word(keyed: Stage) -> None:
    ready = await keyed.train(keyed.ben)
    trigger = next(iter(keyed.world.provider.loras.values())).trigger_word
    assert "# **Foxy** is ready\n" in text_of(ready)
    assert text_of(ready).count(str(trigger)) == 1
    assert f"-# Its trigger word `{trigger}` is put into your prompts by itself." in text_of(ready)
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
        "❌ 16. **notes.jpg**: It is not a picture. Send a JPEG, PNG, WebP or HEIC photo instead.",
        "❌ 17. **tiny.jpg**: It is too small",
        "❌ 18. **empty.jpg**: The file is empty. Send it again.",
        "❌ 19. **cut.jpg**: It does not open",
        "❌ 20. **again.jpg**: It is the same file as **1\\. photo-1.jpg**. Send a different photo.",
        "⚠️ 21. **soft.jpg**: It looks blurry",
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
    assert "**photo-1.jpg**" not in text_of(left)
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
    assert "**Foxy** was discarded and its photos are deleted. Nothing was sent anywhere." in discarded
    assert list(spool.iterdir()) == []
    late = await keyed.press_id(keyed.ben, "dr:set:start:1")
    assert "discarded" in answer_to(late)
    assert keyed.charges() == []


async def test_when_the_key_goes_meanwhile_the_board_says_who_can_help_and_start_is_refused(keyed: Stage) -> None:
    opened = await keyed.use(keyed.ben, "train", subject="object")
    await keyed.use(keyed.ada, "keys remove", provider="apiframe")
    files = photos(15)
    board = board_of(await keyed.submit_fields(keyed.ben, opened, "Foxy", files[:10], files[10:], [], True))
    assert "**Not yet:** This server has no Apiframe key yet. Ask an admin to run `/keys set`." in text_of(board)
    assert "Ready to start." not in text_of(board)
    assert "no Apiframe key yet" in answer_to(await keyed.start(keyed.ben, board))


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
    options: dict[str, Any] = {"subject": "object", "steps": steps, "rank": 16}
    text = text_of(board_of(await keyed.send_form(keyed.ben, "Foxy", [], **options)))
    assert f"A LoRA of a pet, object or place. Training it usually {words}" in text
    assert "rank" not in text
    assert "camera data" not in text


async def test_while_the_provider_is_down_the_board_comes_without_a_balance(keyed: Stage) -> None:
    keyed.world.provider.faults.next("GET /v2/me", *[Fault.answer(503)] * 3)
    board = board_of(await keyed.send_form(keyed.ada, "Foxy", photos(15)))
    assert "257 of this server's Apiframe credits · balance not known just now" in text_of(board)
    assert "Start training (15 photos)" in buttons_of(board)


async def test_a_first_picture_answers_the_news_and_pings_nobody_again(keyed: Stage) -> None:
    await keyed.world.darkroom.services.guilds.choose_samples(keyed.world.guild.id, are_made=True)
    ready = await keyed.train(keyed.ben)
    sample = await keyed.posted("Pictures #1 · AI-generated")
    assert sample.reference is not None
    assert sample.reference.message_id == ready.id
    assert "\nA first picture follows by itself." in text_of(ready)
    assert list(buttons_of(ready)) == ["Make the next picture", "I am in this"]
    assert "-# A first picture, made by itself" in text_of(sample)
    assert pictures_in(sample) == ["AI-generated picture 1 of 1: Foxy outdoors in the morning sun, sharp photo"]
    [body] = [body for _, body in keyed.sent_messages() if "Pictures #1 · AI-generated" in str(body)]
    assert body["allowed_mentions"]["parse"] == []
    assert not body["allowed_mentions"].get("users")
    assert keyed.charges().count("images") == 1


async def test_a_first_picture_that_may_not_be_a_reply_stands_where_the_news_does(keyed: Stage) -> None:
    """Mutant: without Read Message History it is refused there and goes to another place."""
    await keyed.world.darkroom.services.guilds.choose_samples(keyed.world.guild.id, are_made=True)
    await keyed.train(keyed.ben)
    await keyed.posted("Pictures #1 · AI-generated")
    await settled(keyed)
    async with keyed.world.darkroom.database.read() as connection:
        post = await posts.find(connection, PostKind.PICTURES, 1)
    assert post is not None
    poster = DiscordPoster()
    poster.bot = keyed.world.darkroom.gateway.bot
    keyed.world.env.inject_error("POST", "/channels/*/messages", status=400, code=160002)
    await poster.send(post, post.places[0])
    bodies = [body for _, body in keyed.sent_messages() if "Pictures #1 · AI-generated" in str(body)]
    assert ["message_reference" in body for body in bodies] == [True, True, False]
    assert bodies[-1]["nonce"] == bodies[0]["nonce"]
    assert not bodies[-1]["allowed_mentions"].get("users")


async def test_a_failed_training_says_why_and_starts_again_with_one_press(keyed: Stage) -> None:
    keyed.world.provider.faults.trainings.append(TrainingFault.FAIL_BEFORE_CHARGE)
    board = board_of(await keyed.send_form(keyed.ben, "Foxy", photos(15)))
    await keyed.start(keyed.ben, board)
    failed = await keyed.posted("**Foxy** was not trained")
    assert "Apiframe could not finish the training" in text_of(failed)
    again = await keyed.ben.click(failed, label="Start again")
    assert "Accepted #2" in answer_to(again)
    await keyed.posted("**Foxy** is ready")


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
async def test_other_ages_open_the_form(keyed: Stage, age: str) -> None:
    assert (await keyed.use(keyed.ben, "train", gender="male", ethnicity="Mixed", age=age)).modal is not None
