"""Who is in the photos: named on the board, asked in a private message that shows them, shown on the board."""

from bot.photos.checks import Code
from bot.records.dataset import Finding, Photo, Verdict
from cogs.training.board import photo_list
from tests.cogs.private_messages import private, shown_in
from tests.cogs.simulated_guild import Stage, answer_to, board_of, buttons_of, photos, text_of, until
from tests.fakes.rows import photo

QUESTION = "May these photos be used?"


async def name_cleo(stage: Stage) -> str:
    """Ben names Cleo on his board; what the board says then."""
    await stage.send_form(stage.ben, "Foxy", photos(3))
    board = board_of(await stage.use(stage.ben, "dataset show"))
    opened = await stage.ben.click(board, label="Who is in them?")
    picked = await stage.ben.select(board_of(opened), [stage.cleo])
    return answer_to(picked)


async def test_the_question_shows_the_photos_and_a_yes_counts_on_the_board(keyed: Stage) -> None:
    said = await name_cleo(keyed)
    assert f"Asked: {keyed.cleo.mention}" in said
    assert "0 of 15–30" in said
    assert "3 photos wait for a yes; please add 12 more photos." in said
    assert "**Waiting for a yes**\n⏳ 1. **photo-1.jpg** · 2. **photo-2.jpg** · 3. **photo-3.jpg**" in said
    assert "❌" not in said
    question = await private(keyed.cleo, QUESTION)
    assert [file.filename for file in question.attachments] == ["contact-sheet.jpg"]
    assert len(shown_in(question)) == 1
    assert f"{keyed.ben.mention} makes the LoRA **Foxy** in **Photo club** and says that" in text_of(question)
    assert list(buttons_of(question)) == ["Yes, that is fine", "No, remove them"]
    await keyed.cleo.user.click(question, label="Yes, that is fine")
    await until(lambda: "### Thank you" in text_of(next(iter(keyed.cleo.user.dm_channel.history()))))
    assert "3 of 15–30" in answer_to(await keyed.use(keyed.ben, "dataset show"))


async def test_a_no_takes_the_photos_out_of_the_dataset_and_out_of_the_private_message(keyed: Stage) -> None:
    await name_cleo(keyed)
    question = await private(keyed.cleo, QUESTION)
    await keyed.cleo.user.click(question, label="No, remove them")
    await until(lambda: "### Removed" in text_of(next(iter(keyed.cleo.user.dm_channel.history()))))
    assert next(iter(keyed.cleo.user.dm_channel.history())).attachments == []
    said = answer_to(await keyed.use(keyed.ben, "dataset show"))
    assert "0 of 15–30" in said
    assert keyed.cleo.mention not in said


async def test_a_discarded_dataset_takes_the_photos_out_of_the_private_message(keyed: Stage) -> None:
    await name_cleo(keyed)
    await private(keyed.cleo, QUESTION)
    await keyed.use(keyed.ben, "dataset discard")
    await until(lambda: "These photos are gone" in text_of(next(iter(keyed.cleo.user.dm_channel.history()))))
    assert next(iter(keyed.cleo.user.dm_channel.history())).attachments == []


def waiting(number: int, *more: Code) -> Photo:
    findings = tuple(Finding(code) for code in (Code.WAITING, *more))
    return photo(number, verdict=Verdict.REFUSED, findings=findings)


def test_a_photo_that_only_waits_is_not_among_those_that_will_not_be_sent() -> None:
    lines = photo_list((photo(1), waiting(2), waiting(3, Code.BLURRY), waiting(4, Code.DAMAGED))).splitlines()
    refused, yes, good = (lines.index(title) for title in ("**Will not be sent**", "**Waiting for a yes**", "**Good**"))
    assert refused < yes < good
    assert [line[:4] for line in lines[refused + 1 : yes]] == ["❌ 4."]
    assert lines[yes + 1 : good] == ["⏳ 2. **photo-2.jpg** · 3. **photo-3.jpg**"]
    assert lines[good + 1 :] == ["✅ 1. **photo-1.jpg**"]
