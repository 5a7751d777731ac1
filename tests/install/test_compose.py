"""compose.yaml agrees with the image, the settings and the way Darkroom stops. Read as text: it is short and flat."""

import re

from bot.config import Settings
from bot.process.supervision import STOP_S
from tests.meta.sources import ROOT

COMPOSE = (ROOT / "compose.yaml").read_text(encoding="utf-8")
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")


def value(name: str) -> str:
    (found,) = re.findall(rf"^ +{name}: (.+)$", COMPOSE, re.MULTILINE)
    return str(found)


def items(name: str) -> list[str]:
    section = re.search(rf"^( +){name}:\n((?:\1  .*\n)+)", COMPOSE, re.MULTILINE)
    assert section is not None
    return [line.strip().removeprefix("- ") for line in section[2].splitlines() if not line.strip().startswith("#")]


def test_what_the_environment_file_must_not_change_is_as_in_the_image() -> None:
    """`.env.example` names a folder and an address of a machine, which mean something else in a container."""
    kept = dict(item.split(": ") for item in items("environment"))
    assert sorted(kept) == ["DARKROOM_DATA_DIR", "DARKROOM_LISTEN"]
    assert {name.lower() for name in kept} <= set(Settings.model_fields)
    for name, text in kept.items():
        assert f"{name}={text}" in DOCKERFILE.replace(" \\\n", "\n")
    assert items("volumes") == [f"data:{kept['DARKROOM_DATA_DIR']}"]


def test_the_listener_is_open_to_this_machine_alone() -> None:
    (published,) = items("ports")
    host, outside, inside = published.split(":")
    assert (host, inside) == ("127.0.0.1", outside)
    assert f"EXPOSE {inside}" in DOCKERFILE


def test_it_is_stopped_after_darkroom_has_ended() -> None:
    assert int(value("stop_grace_period").removesuffix("s")) > STOP_S


def test_it_has_no_privileges_and_comes_back() -> None:
    assert (value("read_only"), items("cap_drop"), items("tmpfs")) == ("true", ["ALL"], ["/tmp"])  # noqa: S108
    assert items("security_opt") == ["no-new-privileges:true"]
    assert (value("restart"), value("init")) == ("unless-stopped", "true")
