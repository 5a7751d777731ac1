"""/dataset and the message menu: photos that come by other ways than the form."""

from typing import Any

from tests.cogs.simulated_guild import File, Stage, answer_to, board_of, buttons_of, fields_of, photos, text_of
from tests.photos.zips import zip_of

MENU = "Add photos to my dataset"
NO_DATASET = "You have no open dataset here. Send `/train` to begin one."


def as_options(files: list[File]) -> dict[str, Any]:
    return {"photo" if number == 1 else f"photo{number}": file for number, file in enumerate(files, start=1)}


async def test_ten_photos_are_added_at_once_with_consent(keyed: Stage) -> None:
    await keyed.send_form(keyed.ben, "Foxy", photos(5))
    added = await keyed.use(keyed.ben, "dataset add", consent=True, **as_options(photos(10, first=6)))
    assert "15 of 15–30 usable photos" in answer_to(added)


async def test_one_photo_is_enough(keyed: Stage) -> None:
    await keyed.send_form(keyed.ben, "Foxy", [])
    added = await keyed.use(keyed.ben, "dataset add", consent=True, **as_options(photos(1)))
    assert "1 of 15–30 usable photos" in answer_to(added)


async def test_without_consent_nothing_is_downloaded_until_i_agree(keyed: Stage) -> None:
    await keyed.send_form(keyed.ben, "Foxy", [])
    asked = await keyed.use(keyed.ben, "dataset add", consent=False, **as_options(photos(3)))
    assert "Nothing has been downloaded yet" in answer_to(asked)
    question = (asked.followups or [board_of(asked)])[-1]
    assert "3 of 15–30 usable photos" in answer_to(await keyed.ben.click(question, label="I agree, add my photos"))


async def test_without_an_open_dataset_everything_points_to_train(keyed: Stage) -> None:
    options = as_options(photos(1))
    assert answer_to(await keyed.use(keyed.ben, "dataset add", consent=True, **options)) == NO_DATASET
    assert answer_to(await keyed.use(keyed.ben, "dataset show")) == NO_DATASET
    assert answer_to(await keyed.use(keyed.ben, "dataset discard")) == NO_DATASET


async def test_show_brings_the_newest_board_back(keyed: Stage) -> None:
    await keyed.send_form(keyed.ben, "Rex", photos(2))
    await keyed.send_form(keyed.ben, "Foxy", photos(3))
    text = answer_to(await keyed.use(keyed.ben, "dataset show"))
    assert "**Foxy**" in text
    assert "3 of 15–30 usable photos" in text


UPLOADING_EDIT = ("PATCH", "/webhooks/*/messages/@original")


async def test_a_board_that_discord_will_not_put_into_an_answer_comes_once_as_a_further_one(keyed: Stage) -> None:
    await keyed.send_form(keyed.ben, "Foxy", photos(3))
    method, path = UPLOADING_EDIT
    keyed.world.env.inject_error(method, path, status=400, code=50035, times=None)
    shown = await keyed.use(keyed.ben, "dataset show")
    board = board_of(shown)
    assert answer_to(shown).count("3 of 15–30 usable photos") == 1
    assert [file.filename for file in board.attachments] == ["contact-sheet.jpg"]
    posted = [sent for sent in keyed.world.env.http_requests if (sent.method, sent.path.count("/")) == ("POST", 3)]
    assert sum(sent.path.startswith("/webhooks/") for sent in posted) == 1
    keyed.world.env.backend.faults.clear()
    assert "discarded" in answer_to(await keyed.ben.click(board, label="Discard"))


async def test_a_board_without_files_that_is_refused_is_not_sent_again(keyed: Stage) -> None:
    await keyed.send_form(keyed.ben, "Foxy", [])
    method, path = UPLOADING_EDIT
    keyed.world.env.inject_error(method, path, status=400, code=50035, times=1)
    shown = await keyed.use(keyed.ben, "dataset show")
    assert "0 of 15–30" not in answer_to(shown)
    assert "Something went wrong on our side" in answer_to(shown)
    keyed.world.env._errors.clear()


async def test_show_and_discard_touch_only_my_own(keyed: Stage) -> None:
    await keyed.send_form(keyed.ben, "Foxy", photos(2))
    assert answer_to(await keyed.use(keyed.cleo, "dataset show")) == NO_DATASET
    assert answer_to(await keyed.use(keyed.cleo, "dataset discard")) == NO_DATASET
    assert "2 of 15–30" in answer_to(await keyed.use(keyed.ben, "dataset show"))


async def test_discard_deletes_the_newest_dataset(keyed: Stage) -> None:
    await keyed.send_form(keyed.ben, "Foxy", photos(2))
    answered = answer_to(await keyed.use(keyed.ben, "dataset discard"))
    assert answered == "**Foxy** was discarded and its photos are deleted."
    assert answer_to(await keyed.use(keyed.ben, "dataset show")) == NO_DATASET


async def test_the_menu_asks_for_consent_and_adds_a_messages_photos(keyed: Stage) -> None:
    await keyed.send_form(keyed.ben, "Foxy", photos(2))
    message = await keyed.ben.send(keyed.channel, "look", attachments=photos(3, first=3))
    opened = await keyed.ben.context_menu(keyed.channel, MENU, message)
    assert len(fields_of(opened)) == 1
    added = await keyed.submit_fields(keyed.ben, opened, True)
    assert "5 of 15–30 usable photos" in answer_to(added)


async def test_the_menu_finds_the_photos_of_a_forwarded_message(keyed: Stage) -> None:
    await keyed.send_form(keyed.ben, "Foxy", photos(2))
    elsewhere = keyed.world.guild.create_text_channel("elsewhere")
    message = await keyed.ben.send(elsewhere, "look", attachments=photos(3, first=3))
    forwarded = await keyed.cleo.forward(message, keyed.channel)
    assert forwarded.attachments == []
    opened = await keyed.ben.context_menu(keyed.channel, MENU, forwarded)
    added = await keyed.submit_fields(keyed.ben, opened, True)
    assert "5 of 15–30 usable photos" in answer_to(added)


async def test_the_menu_on_a_forwarded_message_without_photos_says_so(keyed: Stage) -> None:
    await keyed.send_form(keyed.ben, "Foxy", photos(2))
    forwarded = await keyed.ben.forward(await keyed.cleo.send(keyed.channel, "no photos here"), keyed.channel)
    answered = answer_to(await keyed.ben.context_menu(keyed.channel, MENU, forwarded))
    assert answered == "There are no photos in this. Pick a message with photos, or use `/dataset add`."


async def test_the_menu_without_consent_asks_once_more(keyed: Stage) -> None:
    await keyed.send_form(keyed.ben, "Foxy", photos(2))
    message = await keyed.ben.send(keyed.channel, "mine", attachments=photos(1, first=3))
    opened = await keyed.ben.context_menu(keyed.channel, MENU, message)
    assert "Nothing has been downloaded yet" in answer_to(await keyed.submit_fields(keyed.ben, opened, False))


async def test_the_menu_on_a_message_without_photos_says_so(keyed: Stage) -> None:
    await keyed.send_form(keyed.ben, "Foxy", photos(2))
    message = await keyed.ben.send(keyed.channel, "no photos here")
    answered = answer_to(await keyed.ben.context_menu(keyed.channel, MENU, message))
    assert answered == "There are no photos in this. Pick a message with photos, or use `/dataset add`."


async def test_a_photo_whose_link_has_expired_is_named_with_what_to_do(keyed: Stage) -> None:
    await keyed.send_form(keyed.ben, "Foxy", photos(2))
    message = await keyed.ben.send(keyed.channel, "mine", attachments=[("gone.jpg", b"x")])
    opened = await keyed.ben.context_menu(keyed.channel, MENU, message)
    keyed.world.env.backend.cdn._blobs.clear()
    text = answer_to(await keyed.submit_fields(keyed.ben, opened, True))
    assert "**gone.jpg**: Discord no longer has this file. Send it again." in text


async def test_more_than_sixty_photos_are_refused_and_the_board_stays(keyed: Stage) -> None:
    board = board_of(await keyed.send_form(keyed.ben, "Foxy", photos(30)))
    opened = await keyed.ben.click(board, label="Add photos")
    same = photos(30)
    await keyed.submit_fields(keyed.ben, opened, same[:10], same[10:20], same[20:], True)
    more = answer_to(await keyed.use(keyed.ben, "dataset add", consent=True, **as_options(photos(1, first=31))))
    assert more == "A dataset holds up to 60 photos. Remove some first, then add these."
    shown = board_of(await keyed.use(keyed.ben, "dataset show"))
    assert "30 of 15–30 usable photos" in text_of(shown)


async def test_with_two_open_datasets_each_board_says_which_one_is_filled(keyed: Stage) -> None:
    first = board_of(await keyed.send_form(keyed.ben, "Rex", photos(1)))
    assert "/dataset add" not in text_of(first)
    second = board_of(await keyed.send_form(keyed.ben, "Foxy", photos(1)))
    assert "`/dataset add` fills this one, your newest; **Rex** is open, too." in text_of(second)
    opened = await keyed.ben.click(first, label="Add photos")
    older = answer_to(await keyed.submit_fields(keyed.ben, opened, photos(1, first=2), [], [], True))
    assert "`/dataset add` fills **Foxy**, your newest; this one takes more by **Add photos**." in older
    assert "**Foxy**" in answer_to(await keyed.use(keyed.ben, "dataset add", consent=True, **as_options(photos(1, 3))))
    await keyed.ben.click(second, label="Discard")
    assert "/dataset add" not in answer_to(await keyed.use(keyed.ben, "dataset show"))


async def test_a_zip_is_taken_by_the_form_and_by_dataset_add(keyed: Stage) -> None:
    packed = [("trip.zip", zip_of(dict(photos(10))))]
    board = board_of(await keyed.send_form(keyed.ben, "Foxy", packed))
    assert "10 of 15–30 usable photos" in text_of(board)
    more = [("more.zip", zip_of(dict(photos(5, first=11))))]
    added = answer_to(await keyed.use(keyed.ben, "dataset add", consent=True, **as_options(more)))
    assert "15 of 15–30 usable photos" in added
    assert "11. **photo-11.jpg**" in added


async def test_a_dataset_is_kept_for_a_week_once_its_member_agreed_to_that(keyed: Stage) -> None:
    board = board_of(await keyed.send_form(keyed.ben, "Foxy", photos(2)))
    assert "at the latest for 24 hours" in text_of(board)
    asked = board_of(await keyed.ben.click(board, label="Keep for 7 days"))
    assert "at the latest for 7 days" in text_of(asked)
    kept = await keyed.ben.click(asked, label="I agree, keep it 7 days")
    assert "at the latest for 7 days" in answer_to(kept)
    shown = board_of(await keyed.use(keyed.ben, "dataset show"))
    assert "at the latest for 7 days" in text_of(shown)
    assert "Keep for 7 days" not in buttons_of(shown)
    again = answer_to(await keyed.press_id(keyed.ben, buttons_of(board)["Keep for 7 days"]))
    assert again == "This dataset cannot be kept any longer. `/dataset show` says until when it is."
    assert "not here any more" in answer_to(await keyed.press_id(keyed.cleo, buttons_of(board)["Keep for 7 days"]))
