"""The privacy policy: whose text it is, what stands in it, and since when."""

from dataclasses import fields
from datetime import date, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from bot.app import assemble
from bot.clock import Timings
from bot.config import Settings
from bot.errors import StartupError
from bot.policy import SIZE_MAX, TEMPLATE, policy_text, put_in_force
from bot.storage.database import Database
from bot.storage.tables import consents
from bot.text import lasting

DAY = date(2026, 11, 30)
SHORTER = Timings(
    photos_kept=timedelta(hours=12),
    event_photos_kept=timedelta(hours=100),
    pictures_kept=timedelta(days=4),
    details_kept=timedelta(days=60),
    left_guild_kept=timedelta(hours=1),
    receipts_kept=timedelta(days=400),
    ledger_kept=timedelta(days=500),
    retired_key_kept=timedelta(hours=20),
    removal_key_kept=timedelta(days=9),
)


def test_the_template_says_what_really_holds_here() -> None:
    text = " ".join(policy_text(None, "privacy@bot.example", SHORTER).split())
    for said in (
        "questions: privacy@bot.example.",
        "deleted at the latest 12 hours after you began",
        "those of an event 100 hours after the time for photos",
        "kept here for 4 days after they were made",
        "are kept for 60 days after their end, with",
        "is kept for 500 days for the server's books",
        "which its moderators see, says for 500 days who paid",
        "for at most 20 hours while jobs need it, and 9 days while something is to be removed",
        "at the latest after 9 days, and all else after 1 hour, but for consents",
        "are kept for 400 days after its answer",
    ):
        assert said in text
    assert "$" not in text


def test_without_a_contact_the_template_names_somebody_all_the_same() -> None:
    assert "questions: ask the admins of your server." in policy_text(None, None, Timings())


def test_no_sentence_of_the_template_is_broken_in_two_lines() -> None:
    """Discord shows every line break."""
    lines = policy_text(None, None, Timings()).splitlines()
    assert [line for line in lines if line and not line.startswith("#") and not line.endswith((".", "?"))] == []
    assert sum(line.startswith("- ") for line in lines) == TEMPLATE.read_text().count("\n- ")
    assert sum(line.startswith("#") for line in lines) == TEMPLATE.read_text().count("\n#") + 1


def test_the_operators_text_is_shown_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "policy.md"
    file.write_bytes("\ufeff# Ours\r\nCosts $photos, {nothing}. Grüße\n".encode())
    assert policy_text(file, "ignored", Timings()) == "# Ours\r\nCosts $photos, {nothing}. Grüße"


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (None, "could not be read"),
        (b"caf\xe9", "could not be read"),
        (b"", "names an empty file"),
        (b"\xef\xbb\xbf \n\t\n", "names an empty file"),
        (b"x" * (SIZE_MAX + 1), "names a file over 500 kB"),
        (("ü" * SIZE_MAX).encode(), "names a file over 500 kB"),
    ],
)
def test_a_file_that_is_no_text_is_refused_in_one_sentence(
    tmp_path: Path, content: bytes | None, complaint: str
) -> None:
    file = tmp_path / "policy.md"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(StartupError, match=rf"^DARKROOM_POLICY_FILE {complaint}[^.]*\.$"):
        policy_text(file, None, Timings())


def test_a_folder_is_refused_too(tmp_path: Path) -> None:
    with pytest.raises(StartupError, match="could not be read"):
        policy_text(tmp_path, None, Timings())


async def test_nothing_is_opened_when_the_text_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    settings = Settings(
        darkroom_data_dir=tmp_path / "data",
        darkroom_policy_file=tmp_path / "missing.md",
        discord_token=SecretStr("x"),
    )
    with pytest.raises(StartupError, match="DARKROOM_POLICY_FILE could not be read"):
        async with assemble(settings):
            pass
    assert not (tmp_path / "data").exists()


async def test_a_text_has_one_version_until_it_changes(database: Database) -> None:
    """Mutant: with the day of each start, a restart makes a new version of the same text."""
    first = await put_in_force(database, "One.", DAY)
    assert first.version.startswith("2026-11-30 ")
    assert (await put_in_force(database, "One.", DAY + timedelta(days=1))).version == first.version
    second = await put_in_force(database, "Two.", DAY + timedelta(days=2))
    assert second.version.startswith("2026-12-02 ")
    back = await put_in_force(database, "One.", DAY + timedelta(days=3))
    assert back.version == first.version.replace("2026-11-30", "2026-12-03")
    column = consents.c.policy_version.type
    assert isinstance(column, sa.String)
    assert len(back.version) <= (column.length or 0)


def test_every_time_after_which_something_is_deleted_stands_in_the_template() -> None:
    """Mutant: with one of them left out of the template, its time is missing."""
    times = {each.name: timedelta(days=200 + number) for number, each in enumerate(fields(Timings))}
    kept = {name: span for name, span in times.items() if name.endswith("_kept")}
    text = policy_text(None, None, Timings(**kept))
    assert len(kept) > 7
    assert [name for name, span in kept.items() if lasting(span) not in text] == []
