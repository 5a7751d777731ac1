"""The export of everything about a member: what is in it, what never is, and what it leaves behind."""

import contextlib
import io
import json
import zipfile
from collections.abc import Mapping
from typing import Any

import pytest
import sqlalchemy as sa

from bot.errors import UserError
from bot.privacy import export, headings
from bot.privacy.export import ExportPart
from bot.privacy.plain import plain_row
from bot.records.event import EventStatus
from bot.records.generation import GenerationSettings
from bot.records.guild import Actor
from bot.storage import policy_tables, question_tables, tables
from bot.storage.events import tables as event_tables
from bot.storage.people import erasure, own_rows, pseudonyms, questions
from bot.text import quote
from tests.fakes.clock import NOON
from tests.fakes.events import add_event
from tests.fakes.one_of_each import add_one_of_each, written
from tests.fakes.rows import ADMIN, ANNA, BEN, GUILD, OTHER_GUILD, add_dataset, add_photos, photo
from tests.fakes.studio import Studio

LIMIT = 10_000_000
HERE = {GUILD: "Foxes"}
SOMEBODY, ANOTHER = 987654321012345678, 123456789098765432


async def unpacked(
    studio: Studio, user_id: int = ANNA, guilds: Mapping[int, str] = HERE, limit: int = LIMIT
) -> tuple[dict[str, bytes], list[ExportPart]]:
    """Every file of all ZIPs by its name, and the ZIPs; none may be larger than the limit."""
    files: dict[str, bytes] = {}
    parts: list[ExportPart] = []
    async with contextlib.aclosing(studio.exports.make(user_id, guilds, limit)) as made:
        async for part in made:
            content = part.path.read_bytes()
            assert len(content) <= limit
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                assert not set(archive.namelist()) & set(files)
                files |= {name: archive.read(name) for name in archive.namelist()}
            assert not any(earlier.path.exists() for earlier in parts)
            parts.append(part)
    return files, parts


def rows_of(files: Mapping[str, bytes], table: sa.Table, guild_id: int = GUILD) -> list[dict[str, Any]]:
    name = headings.HEADINGS[table].lower().replace(" ", "-")
    content = files.get(f"server-{guild_id}/{name}.json")
    found: list[dict[str, Any]] = [] if content is None else json.loads(content)
    return found


def test_what_erasure_reaches_is_exported_and_every_field_has_a_word_or_a_reason() -> None:
    """A new table or column fails here until somebody has decided what a reader calls it."""
    exported = set(own_rows.tables_about_members())
    assert set(headings.HEADINGS) == exported
    assert exported >= {*erasure.MEMBER_COLUMNS, *erasure.ANONYMISED, *erasure.KEPT_FOR_PROOF}
    assert exported | own_rows.OF_NOBODY == set(tables.metadata.sorted_tables)
    for table in exported:
        words = [headings.word_for(column) for column in table.c]
        shown = [word for word in words if word is not None]
        assert len(shown) == len(set(shown)) > 0, table.name
        assert not any("_" in word for word in shown), table.name
    assert len(set(headings.HEADINGS.values())) == len(exported)


def test_nothing_is_named_that_is_not_there() -> None:
    names = {column.name for table in headings.HEADINGS for column in table.c}
    left_out = headings.SECRET | headings.INNER | headings.OF_OTHERS
    settings = set(GenerationSettings.__dataclass_fields__)
    assert set(headings.WORDS) <= names | settings
    assert left_out <= names
    assert not left_out & set(headings.WORDS)


async def test_every_table_and_every_field_that_is_not_left_out_is_in_it(studio: Studio) -> None:
    await add_one_of_each(studio.database, SOMEBODY, ANOTHER, tag="own")
    files, _ = await unpacked(studio, SOMEBODY)
    for table in own_rows.tables_about_members():
        [row] = rows_of(files, table)
        for column in table.c:
            word = headings.word_for(column)
            if word is not None and isinstance(column.type, sa.String):
                assert row[word] == written("own", column), column
            elif word is not None and column.name not in {"doubt", "set_by"}:
                assert word in row, column


async def test_secrets_and_other_people_are_nowhere_in_it(studio: Studio) -> None:
    """Mutant: with a secret column's name taken out of SECRET, or people's ids as they are, it is found."""
    await add_one_of_each(studio.database, SOMEBODY, ANOTHER, tag="own")
    await add_one_of_each(studio.database, ANOTHER, SOMEBODY, tag="theirs")
    await add_one_of_each(studio.database, SOMEBODY, ANOTHER, tag="elsewhere", guild_id=OTHER_GUILD)
    files, _ = await unpacked(studio, SOMEBODY)
    said = b"".join(files.values()).decode()
    assert str(ANOTHER) not in said
    assert "elsewhere" not in said
    for table in own_rows.tables_about_members():
        hidden = [each for each in table.c if isinstance(each.type, sa.String) and headings.word_for(each) is None]
        for column in hidden:
            assert written("own", column) not in said, column
    theirs = [table for table in own_rows.tables_about_members() if len(rows_of(files, table)) > 1]
    both = {name for name, columns in own_rows.NAMING.items() if len(columns) > 1}
    assert set(theirs) == both
    [shared, _] = rows_of(files, tables.lora_offers)
    assert {shared["Offered by"], shared["Offered to"]} == {"you", "another member"}


async def test_a_new_secret_column_would_have_to_be_named() -> None:
    with pytest.raises(KeyError):
        headings.word_for(sa.Column("token_of_the_future", sa.Text))


async def test_photos_and_pictures_that_are_still_here_come_as_files(studio: Studio) -> None:
    await studio.set_key()
    await studio.dataset(count=3)
    await studio.order(await studio.lora())
    for _ in range(3):
        await studio.pass_time(studio.timings.settle)
    files, [part] = await unpacked(studio)
    assert (part.name, part.of, part.left_out) == ("darkroom-export.zip", 1, 0)
    for table in (tables.photos, tables.pictures):
        kept = {row["id"]: row["file"] for row in (await studio.everything())[table.name] if row["file"]}
        shown = {row["Number"]: row["File"] for row in rows_of(files, table) if "File" in row}
        assert kept
        assert shown.keys() == kept.keys()
        for row_id, name in kept.items():
            assert files[shown[row_id]] == studio.spool.path(name).read_bytes()
            assert shown[row_id].endswith((".jpeg", ".png"))


async def test_photos_that_others_gave_to_my_event_are_theirs(studio: Studio) -> None:
    dataset_id = await add_dataset(studio.database, user_id=ANNA)
    given = {ANNA: studio.spool.new_name(), BEN: studio.spool.new_name()}
    for number, (user_id, name) in enumerate(given.items(), start=1):
        studio.spool.path(name).write_bytes(b"\xff\xd8\xff photo of %d" % user_id)
        await add_photos(studio.database, [photo(number, dataset_id, contributor_id=user_id, file=name)])
    for user_id in given:
        files, _ = await unpacked(studio, user_id)
        [row] = rows_of(files, tables.photos)
        assert row["Given by"] == "you"
        assert files[row["File"]] == b"\xff\xd8\xff photo of %d" % user_id
        assert sum(name.endswith(".jpeg") for name in files) == 1


async def add_files(studio: Studio, sizes: list[int]) -> None:
    dataset_id = await add_dataset(studio.database)
    for number, size in enumerate(sizes, start=1):
        name = studio.spool.new_name()
        studio.spool.path(name).write_bytes(b"\xff\xd8\xff" + bytes([number % 256]) * size)
        await add_photos(studio.database, [photo(number, dataset_id, file=name)])


async def test_what_is_too_large_for_one_message_comes_in_several_zips(studio: Studio) -> None:
    await add_files(studio, [6000] * 12)
    files, parts = await unpacked(studio, limit=20_000)
    assert [(part.number, part.of) for part in parts] == [(number, len(parts)) for number in range(1, len(parts) + 1)]
    assert 3 < len(parts) <= export.PARTS_MAX
    assert sum(name.endswith(".jpeg") for name in files) == 12
    assert {part.left_out for part in parts} == {0}
    assert "too large" not in files["read-me.txt"].decode()


async def test_what_fits_no_message_is_left_out_and_it_is_said_how_to_get_it(studio: Studio) -> None:
    await add_files(studio, [30_000, *[15_000] * 12])
    files, parts = await unpacked(studio, limit=20_000)
    assert len(parts) == export.PARTS_MAX
    there = sum(name.endswith(".jpeg") for name in files)
    assert {part.left_out for part in parts} == {13 - there}
    assert f"{13 - there} files are too large or too many" in files["read-me.txt"].decode()
    assert len(rows_of(files, tables.photos)) == 13


async def test_lists_longer_than_a_page_are_whole_and_go_on_in_further_files(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own_rows, "PAGE", 3)
    monkeypatch.setattr(export, "TEXT_BYTES", 2000)
    await add_files(studio, [1] * 20)
    files, _ = await unpacked(studio)
    lists = [name for name in files if name.startswith(f"server-{GUILD}/photos-you-gave")]
    numbers = [row["Number"] for name in lists for row in json.loads(files[name])]
    assert len(lists) > 1
    assert numbers == sorted(numbers, reverse=True)
    assert len(set(numbers)) == 20


@pytest.mark.parametrize("ends", ["whole", "early", "deleted"])
async def test_nothing_of_it_stays_on_the_disk(studio: Studio, ends: str) -> None:
    await add_files(studio, [6000] * 6)
    before = studio.files()
    async with contextlib.aclosing(studio.exports.make(ANNA, HERE, 20_000)) as made:
        first = await anext(made)
        assert first.path.exists()
        if ends == "whole":
            assert [part.number async for part in made][-1] == first.of
        elif ends == "deleted":
            studio.spool.free(before)
            with pytest.raises(UserError, match="was deleted while the export was made"):
                await anext(made)
    assert studio.files() == ([] if ends == "deleted" else before)


@pytest.mark.parametrize("erased", [ANNA, BEN])
async def test_what_was_read_before_an_erasure_is_not_sent_after_it(studio: Studio, erased: int) -> None:
    """Mutant: without `outdate`, the lists that were written before the erasure still go out."""
    now = studio.clock.now()
    await studio.database.write(lambda connection: questions.mute(connection, GUILD, ANNA, now=now))
    await add_dataset(studio.database, user_id=BEN)
    await add_dataset(studio.database, user_id=ANNA, guild_id=OTHER_GUILD)
    before = studio.files()
    async with contextlib.aclosing(studio.exports.make(ANNA, {GUILD: "", OTHER_GUILD: ""}, 2500)) as made:
        first = await anext(made)
        assert first.of > 1
        await studio.privacy.forget_member(guild_id=GUILD, user_id=erased)
        if erased == ANNA:
            with pytest.raises(UserError, match="was deleted while the export was made"):
                await anext(made)
        else:
            assert [part.number async for part in made] == list(range(2, first.of + 1))
    assert studio.files() == before


async def test_a_member_makes_one_at_a_time(studio: Studio) -> None:
    for user_id in (ANNA, BEN):
        await add_dataset(studio.database, user_id=user_id)
    async with contextlib.aclosing(studio.exports.make(ANNA, HERE, LIMIT)) as made:
        await anext(made)
        with pytest.raises(UserError, match="being made already"):
            await anext(studio.exports.make(ANNA, HERE, LIMIT))
        await unpacked(studio, BEN)
    await unpacked(studio, ANNA)


async def test_without_anything_it_says_so(studio: Studio) -> None:
    await add_dataset(studio.database, user_id=BEN)
    await add_dataset(studio.database, user_id=ANNA, guild_id=OTHER_GUILD)
    with pytest.raises(UserError, match="Nothing is kept about you here"):
        await unpacked(studio)
    assert studio.files() == []


async def test_all_servers_are_in_it_each_in_its_folder(studio: Studio) -> None:
    for guild_id in (GUILD, OTHER_GUILD):
        await add_dataset(studio.database, user_id=ANNA, guild_id=guild_id, name=f"Rex {guild_id}")
    meant = await studio.exports.guilds_of(ANNA)
    files, _ = await unpacked(studio, guilds=dict.fromkeys(meant, "A server"))
    for guild_id in (GUILD, OTHER_GUILD):
        [row] = rows_of(files, tables.datasets, guild_id)
        assert row["Name"] == f"Rex {guild_id}"
        assert f"server-{guild_id}: A server" in files["read-me.txt"].decode()


async def test_after_an_erasure_proofs_receipts_and_what_counts_under_a_pseudonym_are_left(studio: Studio) -> None:
    await add_one_of_each(studio.database, ANNA, BEN, tag="own")
    await studio.privacy.forget_member(guild_id=GUILD, user_id=ANNA)
    assert await studio.exports.guilds_of(ANNA) == [GUILD]
    files, _ = await unpacked(studio)
    left = {table for table in own_rows.tables_about_members() if rows_of(files, table)}
    assert left >= {tables.consents, *(table for table in erasure.KEPT_FOR_PROOF)}
    assert "spends" in {table.name for table in left}
    assert event_tables.events not in left
    async with studio.database.read() as connection:
        assert len(await pseudonyms.ids_of(connection, GUILD, ANNA)) == 2


async def test_a_consent_is_shown_with_what_was_agreed_and_when(studio: Studio) -> None:
    await add_one_of_each(studio.database, ANNA, BEN, tag="own")
    files, _ = await unpacked(studio)
    [row] = rows_of(files, tables.consents)
    assert row["What you agreed to"] == written("own", tables.consents.c.wording)
    assert row["Given at"] == NOON.isoformat(timespec="seconds")
    assert row["Provider"] == "apiframe"


@pytest.mark.parametrize(("name", "is_ours"), [("detail", True), ("error", True), ("wording", True), ("prompt", False)])
def test_sentences_of_the_bot_are_shown_without_markdown_and_what_people_wrote_as_it_is(
    name: str, *, is_ours: bool
) -> None:
    said = f"Apiframe no longer has {quote('Rex_2')}."
    shown = plain_row({name: said}, {name: "Said"}, [ANNA])
    assert shown == {"Said": "Apiframe no longer has Rex_2." if is_ours else said}


async def test_what_is_kept_under_a_pseudonym_alone_is_found_from_a_private_message(studio: Studio) -> None:
    """Mutant: when only ids are looked for, the block of an erased member is in no export."""
    moderator = Actor(GUILD, ANOTHER, is_moderator=True)
    await studio.moderation.block(moderator, ANNA)
    await studio.moderation.block(moderator, BEN)
    for user_id in (ANNA, BEN):
        await studio.privacy.forget_member(guild_id=GUILD, user_id=user_id)
    assert await studio.exports.guilds_of(ANNA) == [GUILD]
    assert await studio.exports.guilds_of(SOMEBODY) == []
    files, _ = await unpacked(studio)
    [block] = rows_of(files, policy_tables.blocks)
    assert block["Who is blocked"] == "you"


async def test_the_author_of_photos_is_not_shown_what_became_of_the_asker(studio: Studio) -> None:
    """Mutant: with every word of the table, the asker's limits and channel are in the author's export."""
    await add_one_of_each(studio.database, ANNA, BEN, tag="own")
    asker, _ = await unpacked(studio, ANNA)
    author, _ = await unpacked(studio, BEN)
    [asked], [received] = (
        rows_of(asker, question_tables.photo_requests),
        rows_of(author, question_tables.photo_requests),
    )
    assert asked["What came of it"] == written("own", question_tables.photo_requests.c.outcome)
    assert set(asked) - set(received) == {"What came of it", "Channel"}
    assert (received["Asked by"], received["Asked"]) == ("another member", "you")


async def test_what_is_left_under_a_pseudonym_alone_is_found_in_every_server(studio: Studio) -> None:
    """Mutant: looked for by the id alone, there would be nothing to export."""
    for guild_id in (GUILD, OTHER_GUILD):
        await studio.moderation.block(Actor(guild_id, ANNA, is_admin=True, is_moderator=True), BEN)
    await studio.privacy.forget_member(guild_id=GUILD, user_id=BEN)
    await studio.privacy.forget_member(guild_id=OTHER_GUILD, user_id=BEN)
    meant = await studio.exports.guilds_of(BEN)
    assert meant == await studio.privacy.guilds_of(BEN) == sorted([GUILD, OTHER_GUILD])
    assert (await studio.privacy.holdings(guild_id=GUILD, user_id=BEN)).hidden > 0
    files, _ = await unpacked(studio, BEN, guilds=dict.fromkeys(meant, "A server"))
    for guild_id in meant:
        assert len(rows_of(files, policy_tables.blocks, guild_id)) == 1
    assert await studio.privacy.guilds_of(ADMIN) == []


@pytest.mark.parametrize("is_erased", [False, True])
async def test_a_block_and_the_log_are_shown_without_the_moderator_and_the_list_of_words(
    studio: Studio, is_erased: bool
) -> None:
    """Mutants: without the pseudonym the block is missing after an erasure; as an id the moderator is named."""
    moderator = Actor(GUILD, ANOTHER, is_moderator=True)
    await studio.moderation.set_words(moderator, "wordlist secret")
    await studio.moderation.block(moderator, SOMEBODY)
    await studio.moderation.block(moderator, BEN)
    if is_erased:
        await studio.privacy.forget_member(guild_id=GUILD, user_id=SOMEBODY)
    files, _ = await unpacked(studio, SOMEBODY)
    [block] = rows_of(files, policy_tables.blocks)
    assert (block["Who is blocked"], block["Blocked by"]) == ("you", "another member")
    [noted] = [each for each in rows_of(files, policy_tables.moderation_log) if each["What it is about"] == "blocked"]
    assert (noted["Who did it"], noted["To or for whom"]) == ("another member", "you")
    said = b"".join(files.values()).decode()
    assert str(ANOTHER) not in said
    assert "wordlist" not in said


async def test_who_reported_a_picture_and_who_deleted_it_is_not_told_to_its_maker(studio: Studio) -> None:
    """Mutant: with the course of a job as it is written, the moderator's id stands in it."""
    await studio.set_key()
    generation = await studio.order(await studio.lora())
    await studio.settle()
    await studio.pass_time(studio.timings.settle)
    await studio.guilds.choose_reports(GUILD, 77)
    moderator = Actor(GUILD, ANOTHER, is_moderator=True)
    await studio.reports.report(generation.id, "Not kind", Actor(GUILD, SOMEBODY))
    [report] = (await studio.everything())["picture_reports"]
    await studio.reports.dismiss(report["id"], moderator)
    await studio.pictures.delete(generation.id, moderator)
    files, _ = await unpacked(studio)
    said = b"".join(files.values()).decode()
    assert str(ANOTHER) not in said
    assert str(SOMEBODY) not in said
    assert "Not kind" not in said
    happened = [row.get("More about it") for row in rows_of(files, tables.timeline)]
    assert happened.count("by a moderator") == 2
    theirs, _ = await unpacked(studio, SOMEBODY)
    [own] = rows_of(theirs, tables.picture_reports)
    assert own["Reason"] == "Not kind"


async def test_while_votes_are_given_nobody_finds_out_whose_entry_they_reported_or_are_in(studio: Studio) -> None:
    """Mutant: with every word of the tables, the number of the order leads to who is named beside it elsewhere."""
    await add_one_of_each(studio.database, ANNA, BEN, tag="own")
    event = await add_event(studio.database, status=EventStatus.VOTING)
    secret = {tables.picture_reports: "Number of the order", question_tables.likeness_claims: "Number of the LoRA"}
    voting, _ = await unpacked(studio)
    await studio.change(event_tables.events, event.id, status=EventStatus.FINISHED)
    counted, _ = await unpacked(studio)
    for table, word in secret.items():
        [said], [told] = rows_of(voting, table), rows_of(counted, table)
        assert set(told) - set(said) == {word}
