"""Datasets: photos judged one by one and as a set, consent recorded, and everything gone when promised."""

import hashlib
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from bot.datasets.rules import CHARACTER_PHOTOS, LORA_PHOTOS, DatasetOrder, check_order, judge_set
from bot.datasets.service import HELD_MAX
from bot.errors import NotFound, UserError
from bot.photos.checks import MAX_INTAKE_BYTES, MAX_PHOTOS, MIN_PHOTOS, Code, explain
from bot.records.dataset import Dataset, DatasetStatus, Finding, Gender, Photo, SubjectKind, Upload, Verdict
from bot.records.job import LaneName
from bot.storage import tables
from tests.fakes.attachments import Attachments, make_photo
from tests.fakes.rows import ANNA, BEN, CHANNEL, GUILD, OTHER_GUILD, photo
from tests.fakes.studio import PROVIDER, Studio

PERSON = DatasetOrder("Rex", SubjectKind.PERSON, Gender.FEMALE, "Mixed", "early 30s")
THING = DatasetOrder("Mascot", SubjectKind.OBJECT)


@pytest.fixture
async def dataset(studio: Studio) -> Dataset:
    return await studio.datasets.create(PERSON, guild_id=GUILD, channel_id=CHANNEL, user_id=ANNA)


def codes(one: Photo) -> list[str]:
    return [finding.code for finding in one.findings]


# The set as a whole


def test_thirty_good_photos_are_all_sent() -> None:
    judged = judge_set([photo(number) for number in range(1, MAX_PHOTOS + 1)], LORA_PHOTOS)
    assert {one.verdict for one in judged} == {Verdict.ACCEPTED}


def test_the_thirty_first_is_named_and_takes_part_again_when_another_leaves() -> None:
    photos = [photo(number) for number in range(1, MAX_PHOTOS + 2)]
    judged = judge_set(photos, LORA_PHOTOS)
    assert [codes(one) for one in judged] == [[]] * MAX_PHOTOS + [[Code.OVER_LIMIT]]
    assert judged[-1].verdict is Verdict.REFUSED
    assert {one.verdict for one in judge_set(photos[1:], LORA_PHOTOS)} == {Verdict.ACCEPTED}


def test_refused_photos_do_not_count_towards_the_thirty() -> None:
    refused = [photo(n, verdict=Verdict.REFUSED, findings=(Finding(Code.DAMAGED),)) for n in range(100, 110)]
    judged = judge_set([*refused, *(photo(number) for number in range(1, MAX_PHOTOS + 1))], LORA_PHOTOS)
    assert sum(one.verdict is not Verdict.REFUSED for one in judged) == MAX_PHOTOS


def test_of_two_equal_files_the_second_is_refused_by_its_twins_name_until_that_leaves() -> None:
    first, second = photo(1), photo(2, sha256=photo(1).sha256)
    judged = judge_set([first, second], LORA_PHOTOS)
    assert judged[0].verdict is Verdict.ACCEPTED
    assert judged[1].findings == (Finding(Code.EXACT_DUPLICATE, f"1. {first.name}"),)
    assert judged[1].verdict is Verdict.REFUSED
    assert judge_set([second], LORA_PHOTOS)[0].verdict is Verdict.ACCEPTED


def test_a_near_duplicate_is_only_advice_on_top_of_what_was_found_before() -> None:
    dhash = photo(1).dhash
    assert dhash is not None
    blurry = (Finding(Code.BLURRY),)
    judged = judge_set(
        [photo(1), photo(2, dhash=dhash ^ 0b1011, findings=blurry, verdict=Verdict.ADVISED)], LORA_PHOTOS
    )
    assert judged[1].findings == (*blurry, Finding(Code.NEAR_DUPLICATE, "1. photo-1.jpg"))
    assert judged[1].verdict is Verdict.ADVISED


def test_photos_of_one_name_are_told_apart_by_their_numbers() -> None:
    given = [replace(photo(number), name="image0.jpg") for number in range(1, 16)]
    dhash = given[6].dhash
    assert dhash is not None
    given += [replace(given[11], id=90), replace(photo(91, dhash=dhash ^ 1), name="image0.jpg")]
    judged = judge_set(given, LORA_PHOTOS)
    assert [explain(finding) for one in judged for finding in one.findings] == [
        "It is the same file as **12\\. image0.jpg**. Send a different photo.",
        "It looks almost like **7\\. image0.jpg**. A different angle or moment teaches more.",
    ]


def test_the_number_of_a_twin_is_the_one_it_has_on_the_board_now() -> None:
    first, second, third = photo(1), photo(2), photo(3, sha256=photo(2).sha256)
    refused = photo(4, verdict=Verdict.REFUSED, findings=(Finding(Code.DAMAGED),))
    for board, number in (([first, second, third], 2), ([second, third], 1), ([refused, first, second, third], 3)):
        assert judge_set(board, LORA_PHOTOS)[-1].findings == (Finding(Code.EXACT_DUPLICATE, f"{number}. photo-2.jpg"),)


@pytest.mark.parametrize("name", ["x" * 40 + ".jpg", "photo", "日本.heic"])
def test_a_long_or_odd_name_never_hides_the_number(name: str) -> None:
    assert "**30\\. " in explain(Finding(Code.EXACT_DUPLICATE, f"30. {name}"))


PHOTOS = st.lists(st.tuples(st.integers(1, 45), st.sampled_from(["good", "refused", "blurry"])), max_size=HELD_MAX).map(
    lambda drawn: [as_photo(position, *one) for position, one in enumerate(drawn, start=1)]
)


def as_photo(position: int, number: int, kind: str) -> Photo:
    """Two photos of one number are the same file."""
    base = replace(photo(number), id=position, name=f"{position}.jpg")
    if kind == "refused":
        return replace(base, verdict=Verdict.REFUSED, findings=(Finding(Code.DAMAGED),))
    return replace(base, verdict=Verdict.ADVISED, findings=(Finding(Code.BLURRY),)) if kind == "blurry" else base


@given(PHOTOS)
def test_at_most_thirty_different_files_are_sent_and_every_refusal_is_named(
    photos: list[Photo],
) -> None:
    judged = judge_set(photos, LORA_PHOTOS)
    sent = [one for one in judged if one.verdict is not Verdict.REFUSED]
    assert len(sent) <= MAX_PHOTOS
    assert len({one.sha256 for one in sent}) == len(sent)
    assert all(one.findings for one in judged if one.verdict is not Verdict.ACCEPTED)
    assert [one.id for one in judged] == [one.id for one in photos]
    usable = {one.sha256 for one in photos if one.verdict is not Verdict.REFUSED}
    broken_first = {one.sha256 for one in photos if one.verdict is Verdict.REFUSED}
    assert len(sent) >= min(MAX_PHOTOS, len(usable - broken_first))


@given(PHOTOS)
def test_judging_again_what_lies_in_the_database_changes_nothing(photos: list[Photo]) -> None:
    before = list(photos)
    assert judge_set(photos, LORA_PHOTOS) == judge_set(tuple(photos), LORA_PHOTOS)
    assert photos == before


# What may be ordered


@pytest.mark.parametrize("told", [PERSON, replace(PERSON, gender=None), replace(PERSON, ethnicity=None)])
async def test_a_person_starts_when_gender_and_ethnicity_are_told_with_the_order_or_later(
    studio: Studio, attachments: Attachments, told: DatasetOrder
) -> None:
    await studio.set_key()
    dataset = await studio.datasets.create(told, guild_id=GUILD, channel_id=CHANNEL, user_id=ANNA)
    board = await studio.datasets.take_in(dataset, attachments.add_photos(MIN_PHOTOS))
    assert board.can_start is (told is PERSON)
    if told is not PERSON:
        with pytest.raises(UserError, match="needs gender and ethnicity"):
            await studio.start(dataset.id)
    board = await studio.datasets.describe_person(dataset.id, Gender.MALE, " Black ", "", guild_id=GUILD, user_id=ANNA)
    assert (board.dataset.gender, board.dataset.ethnicity, board.dataset.age) == (Gender.MALE, "Black", None)
    assert board.can_start


@pytest.mark.parametrize("kind", [SubjectKind.STYLE, SubjectKind.OBJECT])
def test_a_style_or_object_needs_neither(kind: SubjectKind) -> None:
    check_order(DatasetOrder("Mascot", kind))


@pytest.mark.parametrize(
    ("option", "value"), [("gender", Gender.MALE), ("ethnicity", "Mixed"), ("age", "30"), ("steps", 500), ("rank", 8)]
)
def test_a_character_refuses_by_name_what_only_a_training_takes(option: str, value: Any) -> None:
    check_order(DatasetOrder("Rex", SubjectKind.CHARACTER))
    with pytest.raises(UserError, match=f"takes no `{option}`"):
        check_order(replace(DatasetOrder("Rex", SubjectKind.CHARACTER), **{option: value}))


def test_the_seventh_photo_of_a_character_is_refused_with_how_many_can_be_sent() -> None:
    judged = judge_set([photo(number) for number in range(1, 8)], CHARACTER_PHOTOS)
    assert [codes(one) for one in judged] == [[]] * 6 + [[Code.OVER_LIMIT]]
    assert "Up to 6 photos can be sent." in explain(judged[-1].findings[0])


@given(
    steps=st.integers(0, 4000),
    rank=st.integers(0, 100),
    age=st.text("x", min_size=1, max_size=60).map("adult ".__add__),
)
def test_numbers_and_words_have_the_providers_limits(steps: int, rank: int, age: str) -> None:
    order = replace(PERSON, steps=steps, rank=rank, age=age)
    if 500 <= steps <= 3000 and 8 <= rank <= 64 and len(age) <= 40:
        check_order(order)
    else:
        with pytest.raises(UserError):
            check_order(order)


async def test_an_age_is_optional_and_words_are_trimmed(studio: Studio) -> None:
    made = await studio.datasets.create(
        replace(PERSON, name="  Rex \n the  fox ", ethnicity=" Mixed ", age=None),
        guild_id=GUILD,
        channel_id=CHANNEL,
        user_id=ANNA,
    )
    assert (made.name, made.ethnicity, made.age) == ("Rex the fox", "Mixed", None)


async def test_personal_words_about_a_thing_are_not_even_stored(studio: Studio) -> None:
    made = await studio.datasets.create(
        replace(PERSON, subject_kind=SubjectKind.STYLE), guild_id=GUILD, channel_id=CHANNEL, user_id=ANNA
    )
    assert (made.gender, made.ethnicity, made.age) == (None, None, None)


@pytest.mark.parametrize("name", ["", "   ", "x" * 41])
async def test_a_name_has_one_to_forty_characters(studio: Studio, name: str) -> None:
    with pytest.raises(UserError, match="40 characters"):
        await studio.datasets.create(replace(THING, name=name), guild_id=GUILD, channel_id=CHANNEL, user_id=ANNA)


# Taking photos in


async def test_good_photos_are_taken_in_and_can_be_started(
    studio: Studio, attachments: Attachments, dataset: Dataset
) -> None:
    board = await studio.datasets.take_in(dataset, attachments.add_photos(MIN_PHOTOS))
    assert board.can_start
    assert [one.name for one in board.photos] == [f"photo-{number}.jpg" for number in range(1, MIN_PHOTOS + 1)]
    assert sorted(one.file or "" for one in board.photos) == studio.files()


async def test_every_bad_file_is_named_and_the_good_ones_are_kept(
    studio: Studio, attachments: Attachments, dataset: Dataset
) -> None:
    uploads = [
        attachments.add("good.jpg", make_photo(1)),
        attachments.add("note.txt", b"not a picture at all"),
        attachments.add("empty.jpg", b""),
        attachments.add("gone.jpg", make_photo(2), status=404),
        attachments.add("down.jpg", make_photo(3), status=500),
        attachments.add("cut.jpg", make_photo(4)[:3000]),
        attachments.add("huge.jpg", make_photo(5), size=MAX_INTAKE_BYTES + 1),
        Upload("elsewhere.jpg", "http://169.254.169.254/photo.jpg", 1000),
        attachments.add("good again.jpg", make_photo(1)),
    ]
    board = await studio.datasets.take_in(dataset, uploads)
    expected = ["", "not_an_image", "empty", "gone", "not_fetched", "damaged", "too_large", "not_fetched"]
    assert [",".join(codes(one)) for one in board.photos] == [*expected, "exact_duplicate"]
    assert len(board.usable) == 1
    assert not any("huge" in path for path in attachments.asked_for)
    assert len(studio.files()) == 2


async def test_a_file_that_says_it_is_small_and_is_not_is_cut_off(
    studio: Studio, attachments: Attachments, dataset: Dataset
) -> None:
    liar = attachments.add("liar.jpg", bytes(MAX_INTAKE_BYTES + 1), size=1000)
    board = await studio.datasets.take_in(dataset, [liar])
    assert codes(board.photos[0]) == ["too_large"]
    assert studio.files() == []


async def test_duplicates_are_found_across_submissions(
    studio: Studio, attachments: Attachments, dataset: Dataset
) -> None:
    await studio.datasets.take_in(dataset, attachments.add_photos(3))
    board = await studio.datasets.take_in(dataset, attachments.add_photos(3, first=2))
    assert [codes(one) for one in board.photos[3:]] == [["exact_duplicate"], ["exact_duplicate"], []]
    twin, *_ = [one for one in board.photos if one.name == "photo-2.jpg"]
    after = await studio.datasets.remove(dataset.id, [twin.id], guild_id=GUILD, user_id=ANNA)
    assert Counter(one.verdict for one in after.photos) == {Verdict.ACCEPTED: 4, Verdict.REFUSED: 1}


async def test_a_removed_photo_leaves_the_disk(studio: Studio, attachments: Attachments, dataset: Dataset) -> None:
    board = await studio.datasets.take_in(dataset, attachments.add_photos(3))
    after = await studio.datasets.remove(dataset.id, [board.photos[0].id], guild_id=GUILD, user_id=ANNA)
    assert len(after.photos) == len(studio.files()) == 2
    assert board.photos[0].file not in studio.files()


async def test_a_photo_of_another_dataset_cannot_be_removed_by_its_number(studio: Studio) -> None:
    theirs = await studio.dataset(user_id=BEN, count=2)
    mine = await studio.dataset(user_id=ANNA, count=2)
    ids = await studio.scalars(sa.select(tables.photos.c.id).where(tables.photos.c.dataset_id == theirs))
    await studio.datasets.remove(mine, ids, guild_id=GUILD, user_id=ANNA)
    assert len(studio.files()) == 4


async def test_a_dataset_holds_sixty_at_most_and_downloads_nothing_beyond(
    studio: Studio, attachments: Attachments
) -> None:
    dataset_id = await studio.dataset(count=HELD_MAX - 1)
    board = await studio.datasets.board(dataset_id, guild_id=GUILD, user_id=ANNA)
    with pytest.raises(UserError, match=str(HELD_MAX)):
        await studio.datasets.take_in(board.dataset, attachments.add_photos(2))
    assert attachments.asked_for == []


async def test_each_submission_leaves_a_consent_with_the_hashes_of_exactly_its_photos(
    studio: Studio, attachments: Attachments, dataset: Dataset
) -> None:
    await studio.datasets.take_in(dataset, attachments.add_photos(2))
    await studio.datasets.take_in(
        dataset, [*attachments.add_photos(1, first=3), attachments.add("x.txt", b"no picture")]
    )
    async with studio.database.read() as connection:
        rows = (await connection.execute(sa.select(tables.consents).order_by(tables.consents.c.id))).all()
    hashes = [hashlib.sha256(make_photo(number)).hexdigest() for number in (1, 2, 3)]
    assert [row.photo_hashes for row in rows] == [tuple(hashes[:2]), tuple(hashes[2:])]
    who = {(row.guild_id, row.user_id, row.dataset_id, row.provider, row.policy_version) for row in rows}
    assert who == {(GUILD, ANNA, dataset.id, PROVIDER.value, studio.policy.version)}
    assert {row.given_at for row in rows} == {studio.clock.now()}


@pytest.mark.parametrize("moment", ["before", "meanwhile"])
async def test_photos_for_a_dataset_that_was_discarded_are_refused_and_leave_the_disk(
    studio: Studio, attachments: Attachments, dataset: Dataset, moment: str
) -> None:
    uploads = attachments.add_photos(2)
    examine = studio.datasets.examine

    async def discard_meanwhile(into: Dataset, files: list[Upload]) -> list[Photo]:
        photos = await examine(into, files)
        await studio.datasets.discard(into.id, guild_id=GUILD, user_id=ANNA)
        return photos

    if moment == "meanwhile":
        studio.datasets.examine = discard_meanwhile  # type: ignore[method-assign, assignment]
    else:
        await studio.datasets.discard(dataset.id, guild_id=GUILD, user_id=ANNA)
    with pytest.raises(UserError):
        await studio.datasets.take_in(dataset, uploads)
    assert studio.files() == []
    assert await studio.scalars(sa.select(tables.consents.c.id)) == []


async def test_the_board_has_a_contact_sheet_only_when_there_are_photos(
    studio: Studio, attachments: Attachments, dataset: Dataset
) -> None:
    empty = await studio.datasets.board(dataset.id, guild_id=GUILD, user_id=ANNA)
    assert await studio.datasets.sheet(empty.photos) is None
    board = await studio.datasets.take_in(dataset, attachments.add_photos(2))
    sheet = await studio.datasets.sheet(board.photos)
    assert sheet is not None
    assert sheet.startswith(b"\xff\xd8\xff")


# Leaving the disk


async def person_of(studio: Studio, dataset_id: int) -> tuple[object, ...]:
    columns = (tables.datasets.c.gender, tables.datasets.c.ethnicity, tables.datasets.c.age)
    async with studio.database.read() as connection:
        row = (await connection.execute(sa.select(*columns).where(tables.datasets.c.id == dataset_id))).one()
    return tuple(row)


async def test_discarding_frees_photos_and_personal_details_at_once(studio: Studio) -> None:
    dataset_id = await studio.dataset()
    await studio.datasets.discard(dataset_id, guild_id=GUILD, user_id=ANNA)
    assert studio.files() == []
    assert await person_of(studio, dataset_id) == (None, None, None)
    with pytest.raises(UserError):
        await studio.datasets.discard(dataset_id, guild_id=GUILD, user_id=ANNA)
    with pytest.raises(NotFound):
        await studio.datasets.open_dataset(guild_id=GUILD, user_id=ANNA)


async def test_an_untouched_dataset_expires_after_24_hours_and_not_before(studio: Studio) -> None:
    dataset_id = await studio.dataset()
    await studio.pass_time(studio.timings.photos_kept - timedelta(seconds=1), LaneName.DATASETS)
    assert len(studio.files()) == 15
    await studio.pass_time(timedelta(seconds=1), LaneName.DATASETS)
    assert studio.files() == []
    assert await person_of(studio, dataset_id) == (None, None, None)
    board = await studio.datasets.board(dataset_id, guild_id=GUILD, user_id=ANNA)
    assert board.dataset.status is DatasetStatus.EXPIRED
    assert not board.can_start


async def test_a_started_dataset_can_be_neither_changed_nor_discarded(studio: Studio) -> None:
    await studio.set_key()
    dataset_id = await studio.dataset()
    board = await studio.datasets.board(dataset_id, guild_id=GUILD, user_id=ANNA)
    await studio.start(dataset_id)
    with pytest.raises(UserError):
        await studio.datasets.remove(dataset_id, [board.photos[0].id], guild_id=GUILD, user_id=ANNA)
    with pytest.raises(UserError):
        await studio.datasets.discard(dataset_id, guild_id=GUILD, user_id=ANNA)
    assert len(studio.files()) == 15


@pytest.mark.parametrize(("guild_id", "user_id"), [(GUILD, BEN), (OTHER_GUILD, ANNA), (OTHER_GUILD, BEN)])
async def test_another_member_or_guild_can_do_nothing_and_learns_nothing(
    studio: Studio, attachments: Attachments, guild_id: int, user_id: int
) -> None:
    dataset_id = await studio.dataset()
    mine = (await studio.datasets.board(dataset_id, guild_id=GUILD, user_id=ANNA)).dataset
    foreign = replace(mine, guild_id=guild_id, user_id=user_id)
    answers = set()
    for target in (dataset_id, dataset_id + 1000):
        with pytest.raises(NotFound) as seen:
            await studio.datasets.board(target, guild_id=guild_id, user_id=user_id)
        with pytest.raises(NotFound) as removed:
            await studio.datasets.remove(target, [1], guild_id=guild_id, user_id=user_id)
        with pytest.raises(NotFound) as discarded:
            await studio.datasets.discard(target, guild_id=guild_id, user_id=user_id)
        with pytest.raises(NotFound) as added:
            await studio.datasets.take_in(replace(foreign, id=target), attachments.add_photos(1))
        answers |= {str(error.value) for error in (seen, removed, discarded, added)}
    assert len(answers) == 1
    assert attachments.asked_for == []
    with pytest.raises(NotFound):
        await studio.datasets.open_dataset(guild_id=guild_id, user_id=user_id)
    assert len(studio.files()) == 15
