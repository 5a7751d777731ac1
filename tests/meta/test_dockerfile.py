"""The image's recipe, read as text: small, locked, unprivileged, and able to be built from this tree."""

import json
import re
import shlex
from pathlib import Path

import pytest

from tests.install.image import instructions

ROOT = Path(__file__).parents[2]


def _instructions() -> list[tuple[str, str]]:
    return instructions((ROOT / "Dockerfile").read_text(encoding="utf-8"))


def _all(word: str) -> list[str]:
    return [rest for found, rest in _instructions() if found == word]


def _last_stage() -> list[tuple[str, str]]:
    steps = _instructions()
    return steps[max(at for at, (word, _) in enumerate(steps) if word == "FROM") :]


def _copied_from_the_tree() -> list[str]:
    words = [shlex.split(rest) for rest in _all("COPY")]
    return [source for parts in words if not parts[0].startswith("--from") for source in parts[:-1]]


def test_it_has_two_stages_on_the_slim_image_of_a_supported_python_by_its_digest() -> None:
    assert _all("FROM") == ["${PYTHON} AS packages", "${PYTHON}"]
    match = re.fullmatch(r"PYTHON=python:3\.(\d+)-slim@sha256:[0-9a-f]{64}", _all("ARG")[0])
    assert match is not None
    assert int(match[1]) >= 11


def test_it_runs_as_a_user_without_privileges_that_it_creates() -> None:
    users = [rest for word, rest in _last_stage() if word == "USER"]
    assert len(users) == 1
    assert users[0] not in ("root", "0")
    assert any("useradd" in rest and users[0] in shlex.split(rest) for rest in _all("RUN"))


def test_nothing_runs_as_root_after_the_user_is_set() -> None:
    words = [word for word, _ in _last_stage()]
    assert not {"RUN", "COPY"} & set(words[words.index("USER") :])


def test_everything_comes_from_the_lock_files_with_hashes_or_from_this_tree() -> None:
    installs = [each for rest in _all("RUN") for each in rest.split(" && ") if " pip " in each]
    assert len(installs) == 4
    for words in map(shlex.split, installs):
        assert "--no-deps" in words
        assert "--no-index" in words or {"--require-hashes", "-r"} <= set(words)
    assert "requirements.lock" in installs[0]


def test_the_sandbox_stays_out() -> None:
    rules = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert rules.index("bot/sandbox/") > rules.index("!bot/")


def test_everything_copied_exists_and_passes_the_ignore_file() -> None:
    sources = _copied_from_the_tree()
    assert {"bot/", "cogs/", "pyproject.toml", "requirements.lock"} <= set(sources)
    assert [source for source in sources if not (ROOT / source).exists()] == []
    rules = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert "*" in rules
    assert [source for source in sources if f"!{source}" not in rules] == []


def test_nothing_is_fetched_from_an_address() -> None:
    assert _all("ADD") == []
    assert not any("://" in rest.replace("http://127.0.0.1:", "") for _, rest in _instructions())


@pytest.mark.parametrize("word", ["ENV", "ARG"])
def test_no_secret_is_baked_in(word: str) -> None:
    names = [part.partition("=")[0] for rest in _all(word) for part in shlex.split(rest)]
    assert [name for name in names if re.search("TOKEN|KEY|SECRET|PASSWORD|DATABASE_URL", name, re.IGNORECASE)] == []


def test_data_lives_on_a_volume_that_the_settings_point_to() -> None:
    assert _all("VOLUME") == ["/data"]
    environment = dict(part.split("=", 1) for rest in _all("ENV") for part in shlex.split(rest))
    assert environment["DARKROOM_DATA_DIR"] == "/data"
    assert environment["DARKROOM_LISTEN"].endswith(f":{_all('EXPOSE')[0]}")


def test_its_health_is_asked_by_the_program_that_knows_the_settings() -> None:
    (check,) = _all("HEALTHCHECK")
    assert json.loads(check[check.index("CMD") + 3 :]) == ["darkroom", "health"]


def test_it_starts_the_bot_without_a_shell_in_between() -> None:
    assert json.loads(_all("ENTRYPOINT")[0]) == ["darkroom"]
    assert json.loads(_all("CMD")[0]) == ["run"]
