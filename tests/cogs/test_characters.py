"""/train subject:character: the board tells the difference, and the character is there in seconds."""

import pytest

from tests.cogs.simulated_guild import Stage, answer_to, board_of, buttons_of, fields_of, photos, text_of


@pytest.fixture
async def ready(stage: Stage) -> Stage:
    """With a key of Aurous Labs only."""
    await stage.set_aurous_key()
    return stage


async def make(stage: Stage, count: int = 3) -> None:
    board = board_of(await stage.send_form(stage.ben, "Foxy", photos(count), subject="character"))
    await stage.start(stage.ben, board)
    await stage.posted("**Foxy** is ready")


async def test_the_form_takes_up_to_six_photos_and_says_who_keeps_them(ready: Stage) -> None:
    opened = await ready.use(ready.ben, "train", subject="character")
    assert opened.modal is not None
    labels = opened.modal["components"]
    assert [label["component"]["type"] for label in labels] == [4, 19, 23]
    assert labels[1]["component"]["max_values"] == 6
    assert "Aurous Labs gets and keeps them" in labels[2]["description"]


async def test_the_board_explains_the_difference_and_the_cost(ready: Stage) -> None:
    board = board_of(await ready.send_form(ready.ben, "Foxy", photos(1), subject="character"))
    text = text_of(board)
    assert "1 of 1–6 usable photos" in text
    assert "A character. Nothing is trained: Aurous Labs keeps the photos themselves as the reference" in text
    assert "ready in seconds and costs nothing to make; each picture with it costs as usual" in text
    assert "**Cost:** nothing at Aurous Labs\n" in text
    assert "They may be sent to Aurous Labs, which keeps them" in text
    assert next(iter(buttons_of(board))) == "Start training (1 photo)"


async def test_a_photo_too_many_is_refused_by_name_with_what_to_do(ready: Stage) -> None:
    board = board_of(await ready.send_form(ready.ben, "Foxy", photos(5), subject="character"))
    form = await ready.ben.click(board, label="Add photos")
    board = board_of(await ready.submit_fields(ready.ben, form, photos(2, first=6), True))
    assert "6 of 1–6 usable photos" in text_of(board)
    assert "❌ 7. **photo-7.jpg**: Up to 6 photos can be sent. Remove another one" in text_of(board)


async def test_a_character_is_made_announced_and_listed(ready: Stage) -> None:
    board = board_of(await ready.send_form(ready.ben, "Foxy", photos(3), subject="character"))
    started = answer_to(await ready.start(ready.ben, board))
    assert "**Foxy** will be made from 3 photos." in started
    message = text_of(await ready.posted("**Foxy** is ready"))
    assert "your character has been made from 3 photos." in message
    assert "Aurous Labs keeps them as the character's reference" in message
    assert "Making the character **Foxy**" in text_of(ready.posts()[0])
    listed = answer_to(await ready.use(ready.ben, "loras list"))
    assert "**Foxy**\ncharacter · no trigger word · yours" in listed
    assert [len(character.refs) for character in ready.world.aurous.characters.values()] == [3]
    assert ready.charges() == []


async def test_its_card_says_what_it_is_and_offers_the_same_care(ready: Stage) -> None:
    await make(ready)
    card = board_of(await ready.use(ready.ben, "loras show", lora="Foxy"))
    assert "Character · No trigger word" in text_of(card)
    assert "at Aurous Labs for 0 credits" in text_of(card)
    assert list(buttons_of(card)) == ["Make a picture", "Share", "Rename", "Note", "New version", "Archive"]
    assert len(fields_of(await ready.ben.click(card, label="New version"))) == 2
    asked = board_of(await ready.ben.click(card, label="Archive"))
    assert "Aurous Labs is asked to delete it" in answer_to(await ready.ben.click(asked, label="Archive for good"))


async def test_without_a_key_of_aurous_labs_the_way_out_is_told_before_any_upload(keyed: Stage) -> None:
    answered = await keyed.use(keyed.ben, "train", subject="character")
    assert answered.modal is None
    assert "no Aurous Labs key yet. Ask an admin to run `/keys set`" in answer_to(answered)
    assert "pick another `subject` to train a LoRA instead" in answer_to(answered)


@pytest.mark.parametrize("option", [{"gender": "female"}, {"age": "30"}, {"steps": 1000}, {"rank": 32}])
async def test_what_only_a_training_takes_is_refused_before_any_upload(
    ready: Stage, option: dict[str, str | int]
) -> None:
    options: dict[str, object] = {"subject": "character", **option}
    answered = await ready.ben.slash(ready.channel, "train", **options)
    assert answered.modal is None
    assert f"takes no `{next(iter(option))}`" in answer_to(answered)


async def test_the_board_of_a_key_that_was_removed_meanwhile_shows_the_way_out(ready: Stage) -> None:
    opened = await ready.use(ready.ben, "train", subject="character")
    await ready.use(ready.ada, "keys remove", provider="aurous")
    board = board_of(await ready.submit_fields(ready.ben, opened, "Foxy", photos(1), True))
    assert "no Aurous Labs key yet" in text_of(board)
    assert "send `/train` with another subject" in text_of(board)


async def test_more_photos_come_from_a_message_too(ready: Stage) -> None:
    await ready.send_form(ready.ben, "Foxy", photos(1), subject="character")
    added = await ready.use(ready.ben, "dataset add", consent=True, photo=photos(1, first=2)[0])
    assert "2 of 1–6 usable photos" in answer_to(added)
