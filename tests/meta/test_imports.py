"""Arrows point down only: who may import whom, read from the sources."""

import ast
import re
from collections.abc import Callable, Iterator, Mapping

import pytest

from tests.meta.sources import Import, imports, module_name, modules, trees

Sources = Mapping[str, str]

LEVELS = {
    "bot.errors": 0,
    "bot.records": 0,
    "bot.clock": 0,
    "bot.text": 0,
    "bot.log": 0,
    "bot.providers": 1,
    "bot.storage": 1,
    "bot.photos": 1,
    "bot.engine": 2,
    "bot.ports": 2,
    "bot.keys": 2,
    "bot.boards": 2,
    "bot.datasets": 2,
    "bot.training": 2,
    "bot.generation": 2,
    "bot.loras": 2,
    "bot.sharing": 2,
    "bot.rights": 2,
    "bot.styles": 2,
    "bot.guilds": 2,
    "bot.events": 2,
    "bot.budget": 2,
    "bot.turns": 2,
    "bot.upkeep": 2,
    "bot.endpoints": 2,
    "bot.selftest": 2,
    "bot.privacy": 2,
    "bot.outbox": 2,
    "bot.pictures": 2,
    "bot.picture_reports": 2,
    "bot.web": 3,
    "bot.services": 3,
    "bot.resources": 2,
    "bot.client": 4,
    "cogs": 5,
    "bot.config": 5,
    "bot.app": 6,
    "bot.sandbox": 7,
    "bot.__main__": 8,
    "bot": -1,
}
"""The longest fitting name counts; `bot` itself holds the version only."""


def is_below(name: str, *packages: str) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def level(name: str) -> int:
    fitting = [package for package in LEVELS if name == package or (package != "bot" and is_below(name, package))]
    assert fitting, f"{name} has no level yet: give it one in LEVELS"
    return LEVELS[max(fitting, key=len)]


def upward(sources: Sources) -> Iterator[str]:
    for each in imports(sources):
        if is_below(each.target, "bot", "cogs") and level(each.target) > level(module_name(each.path)):
            yield str(each)


def outside(sources: Sources, library: str, *allowed: str) -> Iterator[Import]:
    for each in imports(sources):
        if is_below(each.target, library) and not is_below(module_name(each.path), *allowed):
            yield each


def discord_below_the_cogs(sources: Sources) -> Iterator[str]:
    yield from map(str, outside(sources, "discord", "cogs", "bot.client", "bot.sandbox"))


SENDERS = ("bot.providers.transport", "bot.web", "bot.photos.intake", "bot.sandbox")
NAMES_ERRORS = ("cogs.adapters.poster", "cogs.adapters.venue", "bot.client")


def http_elsewhere(sources: Sources) -> Iterator[str]:
    """aiohttp belongs to its four places; three more may name its error classes, nothing else."""
    yield from map(str, outside(sources, "aiohttp", *SENDERS, *NAMES_ERRORS))
    for path, tree in trees(sources):
        if module_name(path) not in NAMES_ERRORS:
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and re.fullmatch(r"aiohttp\.\w+(?<!Error)", ast.unparse(node)):
                yield f"{path}:{node.lineno} uses {ast.unparse(node)}"
            if isinstance(node, ast.ImportFrom) and str(node.module).startswith("aiohttp"):
                yield f"{path}:{node.lineno} imports names from aiohttp"


def strangers_that_know_each_other(sources: Sources) -> Iterator[str]:
    areas = ("bot.providers", "bot.storage", "bot.photos")
    for each in imports(sources):
        own = next((area for area in areas if is_below(module_name(each.path), area)), None)
        if own is not None and is_below(each.target, *(area for area in areas if area != own)):
            yield str(each)


def settings_readers(sources: Sources) -> Iterator[str]:
    yield from map(str, outside(sources, "bot.config", "bot.app", "bot.__main__", "bot.sandbox", "bot.config"))


def environment_readers(sources: Sources) -> Iterator[str]:
    for path, tree in trees(sources):
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv", "putenv"}:
                yield f"{path}:{node.lineno} reads the environment"


def what_the_engine_knows(sources: Sources) -> Iterator[str]:
    for each in imports(sources):
        if each.path == "bot/engine.py" and is_below(each.target, "discord", "cogs", "bot.providers", "aiohttp"):
            yield str(each)


def processes_elsewhere(sources: Sources) -> Iterator[str]:
    for library in ("subprocess", "multiprocessing"):
        yield from map(str, outside(sources, library, "bot.photos"))
    for path, tree in trees(sources):
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and node.attr.startswith("create_subprocess"):
                yield f"{path}:{node.lineno} starts a process"


def prints_elsewhere(sources: Sources) -> Iterator[str]:
    for path, tree in trees(sources):
        if is_below(module_name(path), "bot.__main__", "bot.sandbox"):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print":
                yield f"{path}:{node.lineno} prints"


Rule = Callable[[Sources], Iterator[str]]
PLANTED: list[tuple[Rule, str, str]] = [
    (upward, "bot/storage/keys.py", "from bot.keys.service import KeyService"),
    (upward, "bot/keys/service.py", "import cogs.ui.words"),
    (upward, "cogs/about.py", "def later() -> None:\n    from bot.app import assemble"),
    (discord_below_the_cogs, "bot/outbox.py", "import discord"),
    (discord_below_the_cogs, "bot/datasets/service.py", "from discord.ext import commands"),
    (http_elsewhere, "bot/keys/service.py", "import aiohttp"),
    (http_elsewhere, "bot/providers/apiframe/client.py", "from aiohttp import ClientSession"),
    (http_elsewhere, "cogs/adapters/poster.py", "import aiohttp\nsession = aiohttp.ClientSession()"),
    (http_elsewhere, "bot/client.py", "from aiohttp import ClientSession"),
    (strangers_that_know_each_other, "bot/photos/sheet.py", "from bot.storage import datasets"),
    (strangers_that_know_each_other, "bot/storage/keys.py", "import bot.providers.base"),
    (strangers_that_know_each_other, "bot/providers/apiframe/client.py", "from bot.photos.checks import Code"),
    (settings_readers, "bot/keys/service.py", "from bot.config import Settings"),
    (environment_readers, "bot/keys/service.py", "import os\nkey = os.environ['KEY']"),
    (what_the_engine_knows, "bot/engine.py", "from bot.providers.base import ProviderClient"),
    (processes_elsewhere, "bot/app.py", "import subprocess"),
    (processes_elsewhere, "bot/app.py", "import asyncio\nstart = asyncio.create_subprocess_exec"),
    (prints_elsewhere, "bot/keys/service.py", "print('here')"),
]


@pytest.mark.parametrize("rule", list(dict.fromkeys(rule for rule, _, _ in PLANTED)))
def test_the_sources_keep_the_rule(rule: Rule) -> None:
    sources = {path: text for path, text in modules("bot", "cogs").items() if "/migrations/" not in path}
    assert list(rule(sources)) == []


@pytest.mark.parametrize(("rule", "path", "line"), PLANTED)
def test_the_rule_notices_a_planted_breach(rule: Rule, path: str, line: str) -> None:
    assert len(list(rule({**modules("bot", "cogs"), path: line}))) >= 1
