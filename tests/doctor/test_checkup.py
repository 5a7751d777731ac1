"""`doctor` as a whole: it names what is wrong, and leaves everything as it was."""

import dataclasses
import json
import socket
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from bot.app import assemble
from bot.doctor import checkup, stored
from bot.doctor.findings import Finding, State, as_json, summary
from bot.storage.migrations import newest_revision
from tests.doctor.installation import APIFRAME_KEY, AUROUS_KEY, Installation, snapshot
from tests.fakes.postgres import PostgresServer, connect
from tests.wire.discord.world import Permit

NOT_OURS = {"SQLite", "typefaces"}
"""What depends on the machine that runs the tests."""


def bad(found: dict[str, list[Finding]]) -> list[str]:
    return [
        str(each)
        for name, of_name in found.items()
        if name not in NOT_OURS
        for each in of_name
        if each.state is not State.OK
    ]


async def test_where_all_is_well_every_line_says_so(installation: Installation) -> None:
    await installation.furnish()
    async with installation.running():
        found = await installation.examine()
    assert bad(found) == []
    assert {"database", "disk", "master key", "token", "clock", "intents", "install link", "gateway"} <= set(found)
    assert {"Apiframe", "Aurous Labs", "listener", "public address", "settings", "policy"} <= set(found)
    assert [f"…{APIFRAME_KEY[-4:]}" in each.words for each in found["Apiframe"]] == [False, True]
    text = as_json([each for of_name in found.values() for each in of_name])
    for secret in (APIFRAME_KEY, AUROUS_KEY, installation.standin.token):
        assert secret not in text


@pytest.mark.parametrize("is_running", [True, False], ids=["beside a running bot", "alone"])
async def test_nothing_changes_and_nothing_is_made(installation: Installation, *, is_running: bool) -> None:
    """Mutants: the database is opened for writing and migrated; a reader leaves -wal and -shm behind."""
    await installation.furnish()
    # What the readers of a running bot share is written to by them.
    shared = ("-shm",) if is_running else ()
    if is_running:
        async with installation.running():
            before, rows = snapshot(installation.data, without=shared), dump(installation.data)
            await installation.examine()
            assert (snapshot(installation.data, without=shared), dump(installation.data)) == (before, rows)
    else:
        before = snapshot(installation.folder)
        await installation.examine()
        assert snapshot(installation.folder) == before


def dump(data: Path) -> list[str]:
    with sqlite3.connect(f"{(data / 'darkroom.db').as_uri()}?mode=ro", uri=True) as connection:
        lines = list(connection.iterdump())
    connection.close()
    return lines


async def test_before_the_first_start_not_even_the_data_folder_is_made(installation: Installation) -> None:
    """Mutant: the master key is generated on the way."""
    before = snapshot(installation.folder)
    found = await installation.examine()
    assert snapshot(installation.folder) == before
    assert [each.state for each in (*found["database"], *found["master key"])] == [State.OK, State.OK]
    assert not installation.data.exists()


@pytest.mark.process
async def test_on_postgresql_it_reads_beside_a_running_bot_and_changes_no_row(
    installation: Installation, postgres: PostgresServer
) -> None:
    with postgres.database(template="template0") as url:
        installation.changed["darkroom_database_url"] = SecretStr(url)
        await installation.furnish()
        async with installation.running():
            before = written_rows(url)
            found = await installation.examine()
            assert written_rows(url) == before
        assert bad(found) == []
        assert found["database"][0].words.startswith("PostgreSQL ")
        assert "SQLite" not in found


def written_rows(url: str) -> Any:
    """How often the server has written a row of each table, and what is in them."""
    with connect(url) as connection:
        names = [name for (name,) in connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]
        return {name: connection.execute(f'SELECT xmin, * FROM "{name}"'.encode()).fetchall() for name in names}  # noqa: S608


async def test_five_faults_at_once_are_five_lines(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    """No check stops another one."""
    await installation.furnish()
    installation.changed |= {"discord_token": SecretStr("no-token-of-this-bot")}
    installation.changed |= {"darkroom_free_disk": 9_999_999, "darkroom_contact": None}
    installation.changed |= {"darkroom_aurous_url": f"http://127.0.0.1:{installation.port}"}
    (installation.data / "master.key").unlink()
    monkeypatch.setenv("DARKROOM_CONTAKT", "x")
    found = await installation.examine()
    assert (await the_only(found, "token")).what_to_do.startswith("Copy the bot token again")
    assert (await the_only(found, "disk")).state is State.FAIL
    assert "put the file back" in (await the_only(found, "master key")).what_to_do.lower()
    assert (await the_only(found, "settings")).what_to_do == "Did you mean DARKROOM_CONTACT?"
    assert (await the_only(found, "Aurous Labs")).state is State.FAIL
    assert found["Apiframe"][0].state is State.OK


async def the_only(found: dict[str, list[Finding]], name: str) -> Finding:
    (one,) = found[name]
    return one


async def test_a_check_that_breaks_is_one_line_and_the_others_run(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def break_down(_settings: object) -> list[Finding]:
        raise ZeroDivisionError

    monkeypatch.setattr(stored, "disk", break_down)
    found = await installation.examine()
    assert "ZeroDivisionError" in (await the_only(found, "disk")).words
    assert (await the_only(found, "token")).state is State.OK


async def test_where_nothing_answers_the_end_comes_all_the_same(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mutant: a check without a limit."""
    monkeypatch.setattr(checkup, "CHECK_S", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        nowhere = f"http://127.0.0.1:{silent.getsockname()[1]}"
        installation.changed |= {"darkroom_apiframe_url": nowhere, "darkroom_public_url": nowhere}
        found = await installation.examine()
    assert "took more than" in (await the_only(found, "Apiframe")).words


async def test_an_older_schema_is_named_and_left_alone(installation: Installation) -> None:
    """Mutant: it is migrated."""
    await installation.furnish()
    connection = sqlite3.connect(installation.data / "darkroom.db", isolation_level=None)
    connection.execute("UPDATE alembic_version SET version_num = '0001'")
    connection.close()
    found = await installation.only("database")
    assert (found.state, f"schema 0001 of {newest_revision()}" in found.words) == (State.WARN, True)
    assert "migrate" in found.what_to_do


async def test_a_file_of_another_program_is_named(installation: Installation) -> None:
    installation.data.mkdir()
    (installation.data / "darkroom.db").write_bytes(b"a diary" * 1000)
    assert (await installation.only("database")).state is State.FAIL


async def test_a_killed_bots_rows_are_read_without_repairing_its_files(installation: Installation) -> None:
    """What is still in the log after a kill -9 counts, and the next start has it as it was."""
    await installation.furnish()
    copy = installation.folder / "killed"
    copy.mkdir()
    async with assemble(installation.settings) as darkroom:
        await darkroom.services.guilds.choose_log(installation.guild.id, installation.gallery.id)
        for name in ("darkroom.db", "darkroom.db-wal", "darkroom.db-shm", "master.key"):
            (copy / name).write_bytes((installation.data / name).read_bytes())
    installation.changed["darkroom_data_dir"] = copy
    before = snapshot(copy, without=("-shm",))
    found = await installation.examine()
    assert any("channel for log" in name for name in found)
    assert snapshot(copy, without=("-shm",)) == before


async def test_half_a_copy_is_named_as_such(installation: Installation) -> None:
    await installation.furnish()
    (installation.data / "darkroom.db-wal").write_bytes(b"")
    before = snapshot(installation.data)
    assert "-wal file without its -shm file" in (await installation.only("database")).words
    assert snapshot(installation.data) == before


def test_a_line_for_people_and_the_same_for_machines() -> None:
    findings = [
        Finding("disk", State.OK, "There is room."),
        Finding("server \x1b[2J", State.FAIL, "The bot may not.", "Allow it."),
    ]
    assert [str(each) for each in findings] == [
        "ok    disk: There is room.",
        "fail  server ?[2J: The bot may not. Allow it.",
    ]
    read = json.loads(as_json(findings))
    assert (read["failed"], read["warned"]) == (1, 0)
    assert read["findings"][0] == dataclasses.asdict(findings[0])
    assert summary(findings) == "Of 2 checks 1 failed, and 0 gave a warning."
    assert summary(findings[:1]) == "All 1 checks are fine."


async def test_servers_are_told_what_they_do_not_allow(installation: Installation) -> None:
    world = installation.standin.world
    plain = world.add_guild("Plain", 0)
    world.add_guild("Closed", 0).roles.clear()
    closed = next(guild for guild in world.guilds.values() if guild.name == "Closed")
    closed.roles[closed.id] = dataclasses.replace(plain.roles[plain.id], permissions=int(Permit.VIEW_CHANNEL))
    found = await installation.examine()
    states = {name: each.state for name, (each, *_) in found.items() if name.startswith("server ")}
    assert [state for name, state in sorted(states.items())] == [State.FAIL, State.OK, State.WARN]
    closed_words = next(each.words for name, (each, *_) in found.items() if "Closed" in name)
    assert "Attach Files" in closed_words
    assert "View Channels" not in closed_words
