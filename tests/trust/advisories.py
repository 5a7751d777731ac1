"""T26: the locked versions against the list of known advisories in advisories.toml."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.trust.row import Row, Score

HERE = Path(__file__).parent
LOCKS = ("requirements.lock", "requirements-dev.lock")
KNOWN: dict[str, Any] = tomllib.loads((HERE / "advisories.toml").read_text(encoding="utf-8"))
LOCKED = re.compile(r"^([A-Za-z0-9_.-]+)==([0-9][^ ;\\]*)", re.MULTILINE)


def locked_versions(lock: str) -> dict[str, str]:
    return dict(LOCKED.findall((HERE.parent.parent / lock).read_text(encoding="utf-8")))


def in_order(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version))


async def compare(_amount: int, _seed: int) -> Score:
    score = Score()
    for lock in LOCKS:
        versions = locked_versions(lock)
        for advisory in KNOWN["advisory"]:
            score.tried += 1
            name = advisory["package"]
            score.fired[name] += name in versions
            is_open = name in versions and in_order(versions[name]) < in_order(advisory["fixed"])
            score.bad[f"{name} {versions.get(name)} in {lock}: {', '.join(advisory['ids'])}"] += is_open
    return score


def lock_an_old_pillow(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("tests.trust.advisories.locked_versions", lambda _: {"aiohttp": "3.14.5", "pillow": "12.2.9"})


ROW = Row(
    "T26",
    "known weaknesses of what is locked",
    f"0 open, list of {KNOWN['checked']}",
    (1, 1),
    tuple(advisory["package"] for advisory in KNOWN["advisory"]),
    compare,
    (lock_an_old_pillow,),
)
