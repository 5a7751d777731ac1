"""What README and CHANGELOG say agrees with the code."""

import re

import pytest

from bot import __version__
from bot.config import Settings
from tests.meta.command_surface import SURFACE
from tests.meta.sources import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")


def table(heading: str) -> list[list[str]]:
    """The cells of the first table below a heading, without its header."""
    section = README.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("|")]
    assert len(rows) > 2, f"there is no table below {heading}"
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows[2:]]


def code_in(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def test_the_command_table_names_every_command_and_no_other() -> None:
    named = [code_in(cells[0])[0].removeprefix("/") for cells in table("Commands")]
    assert sorted(named) == sorted(SURFACE)


@pytest.mark.parametrize("command", ["train", "imagine"])
def test_the_command_table_names_every_option(command: str) -> None:
    cells = next(cells for cells in table("Commands") if code_in(cells[0]) == [f"/{command}"])
    listed = re.split(r", ", cells[1].rpartition(": ")[2].rstrip("."))
    assert listed == [option.rstrip("!") for option in SURFACE[command]]


def test_the_settings_table_names_every_variable_and_no_other() -> None:
    named = [code_in(cells[0])[0] for cells in table("Settings")]
    assert sorted(named) == sorted(name.upper() for name in Settings.model_fields)


def test_the_settings_table_gives_the_defaults_of_the_code() -> None:
    defaults = {code_in(cells[0])[0].lower(): cells[1] for cells in table("Settings")}
    for name, said in defaults.items():
        default = Settings.model_fields[name].default
        if default in (None, ()):
            assert re.fullmatch(r"–|unset|empty|generated|SQLite file in the data folder", said), name
        else:
            text = ":".join(map(str, default)) if isinstance(default, tuple) else str(default)
            assert code_in(said)[0].removeprefix("./") == text, name


def test_the_example_file_has_every_variable_and_no_other() -> None:
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    named = [line.partition("=")[0].lstrip("# ") for line in lines if re.match(r"(# )?[A-Z_]+=", line)]
    assert sorted(named) == sorted(name.upper() for name in Settings.model_fields)


def tree() -> dict[str, str]:
    """What the README says of each path in its tree."""
    block = README.partition("### The tree\n\n```\n")[2].partition("\n```")[0]
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


def test_every_path_in_the_developers_half_leads_somewhere() -> None:
    half = re.sub(r"```.*?```", "", README.partition("## For developers")[2], flags=re.DOTALL)
    paths = {path for path in code_in(half) if re.fullmatch(r"(bot|cogs|tests)/[\w./]*", path)}
    assert len(paths) > 20
    assert sorted(path for path in paths if not (ROOT / path).exists()) == []


def test_every_link_and_picture_in_the_readme_leads_to_a_file() -> None:
    targets = [target for target in re.findall(r"\]\(([^)]+)\)", README) if "://" not in target]
    headings = re.findall(r"^#+ (.+)$", README, re.MULTILINE)
    anchors = {"#" + re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}
    assert [target for target in targets if target not in anchors and not (ROOT / target).exists()] == []


def test_the_changelogs_newest_version_is_the_codes() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    versions = re.findall(r"^## \[?(\d+\.\d+\.\d+)", text, re.MULTILINE)
    assert versions[0] == __version__


def test_the_package_has_the_codes_version() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert f'version = "{__version__}"' in text
