"""What the pages for players, operators and developers and the CHANGELOG say agrees with the code."""

import re
from itertools import dropwhile, takewhile
from pathlib import Path

import pytest

from bot import __version__
from bot.__main__ import COMMANDS
from bot.process.supervision import STOP_S
from tests import settings_table
from tests.meta.command_surface import SURFACE
from tests.meta.sources import ROOT

README, OPERATORS, DEVELOPERS, TESTS = (
    (ROOT / name).read_text(encoding="utf-8")
    for name in ("README.md", "bot/README.md", "cogs/README.md", "tests/README.md")
)


def table(page: str, heading: str) -> list[list[str]]:
    """The cells of the first table below a heading, without its header."""
    section = page.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    from_first = dropwhile(lambda line: not line.startswith("|"), section.splitlines())
    rows = list(takewhile(lambda line: line.startswith("|"), from_first))
    assert len(rows) > 2, f"there is no table below {heading}"
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows[2:]]


def code_in(text: str) -> list[str]:
    """What stands between single backticks."""
    return re.findall(r"`([^`]+)`", re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE))


def test_the_command_table_names_every_command_and_no_other() -> None:
    named = [code_in(cells[0])[0].removeprefix("/") for cells in table(README, "Commands")]
    assert sorted(named) == sorted(SURFACE)


@pytest.mark.parametrize("command", ["train", "imagine"])
def test_the_command_table_names_every_option(command: str) -> None:
    cells = next(cells for cells in table(README, "Commands") if code_in(cells[0]) == [f"/{command}"])
    listed = re.split(r", ", cells[1].rpartition(": ")[2].rstrip("."))
    assert listed == [option.rstrip("!") for option in SURFACE[command]]


def test_the_programs_table_names_every_command_of_the_program_and_no_other() -> None:
    assert sorted(code_in(cells[0])[0] for cells in table(OPERATORS, "The program")) == sorted([*COMMANDS, "version"])


def test_operators_are_told_how_long_it_takes_to_end() -> None:
    assert f"it ends in order, within {STOP_S:.0f} seconds." in OPERATORS


def test_the_settings_table_is_the_one_that_the_code_gives() -> None:
    """With every default, range and choice; `make settings` writes it."""
    assert settings_table.with_table(OPERATORS) == OPERATORS
    assert settings_table.table() in OPERATORS


def test_the_example_file_is_the_one_that_the_code_gives() -> None:
    assert (ROOT / ".env.example").read_text(encoding="utf-8") == settings_table.example()


@pytest.mark.parametrize("page", [README, OPERATORS, DEVELOPERS, TESTS], ids=["players", "operators", "code", "tests"])
def test_every_make_target_that_a_page_names_is_there(page: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"\bmake ([a-z-]+)\b", " ".join(code_in(page)))) - targets == set()


def tree() -> dict[str, str]:
    """What the developers' page says of each path in its tree."""
    block = DEVELOPERS.partition("## The tree\n\n```\n")[2].partition("\n```")[0]
    found: dict[str, str] = {}
    top = ""
    for line in block.splitlines():
        path, _, says = line.strip().partition("  ")
        if not line.startswith(" "):
            top = path
        found[path if path == top else top + path] = says.strip()
    return found


def packages() -> set[str]:
    """Every folder of source below `bot/` and `cogs/` with more in it than its subfolders."""
    found = {path.parent for top in ("bot", "cogs") for path in (ROOT / top).rglob("*.py")}
    return {f"{folder.relative_to(ROOT).as_posix()}/" for folder in found} - {"bot/storage/migrations/versions/"}


def test_the_tree_names_every_folder_and_nothing_that_is_not_there() -> None:
    said = tree()
    assert sorted(packages() - set(said)) == []
    assert [path for path in said if not (ROOT / path).exists()] == []
    assert [path for path, says in said.items() if not says and path not in {"bot/", "cogs/"}] == []


def test_every_path_on_the_developers_pages_leads_somewhere() -> None:
    said = code_in(DEVELOPERS + TESTS.partition("\n## Helpers\n")[0])
    paths = {path for path in said if re.fullmatch(r"(bot|cogs|tests)/[\w./]*", path)}
    assert len(paths) > 20
    assert sorted(path for path in paths if not (ROOT / path).exists()) == []


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("name", ["README.md", "bot/README.md", "cogs/README.md", "tests/README.md"])
def test_every_link_and_picture_of_a_page_leads_to_a_file_and_a_heading(name: str) -> None:
    page = ROOT / name
    for target in re.findall(r"\]\(([^)]+)\)", page.read_text(encoding="utf-8")):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        led_to = (page.parent / path) if path else page
        assert led_to.exists(), target
        assert not anchor or anchor in anchors(led_to), target


@pytest.mark.parametrize("heading", ["Settings", "Backup and restore", "Monitoring", "Updating", "Security"])
def test_operators_find_what_they_look_for(heading: str) -> None:
    assert f"\n## {heading}\n" in OPERATORS
    assert "\n## Contributing\n" in DEVELOPERS


def test_the_changelogs_newest_version_is_the_codes() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    versions = re.findall(r"^## \[?(\d+\.\d+\.\d+)", text, re.MULTILINE)
    assert versions[0] == __version__


def test_every_version_says_what_an_upgrade_to_it_needs() -> None:
    """Mutant: a version without the section *Upgrading to …*, the newest and what is unreleased included."""
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    parts = re.split(r"^## ", text, flags=re.MULTILINE)[1:]
    for part in parts:
        version = part.split()[0]
        named = "the next version" if version == "Unreleased" else re.escape(version)
        assert re.search(rf"^### Upgrading to {named}\n\n\S", part, re.MULTILINE), version
    assert __version__ in [part.split()[0] for part in parts]


def test_the_package_has_the_codes_version() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert f'version = "{__version__}"' in text
