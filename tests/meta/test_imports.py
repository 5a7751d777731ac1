"""Arrows point down only: who may import whom, read from the sources."""

import ast
import graphlib
import re
from collections.abc import Callable, Iterator, Mapping

import pytest

from tests.meta.sources import Import, imports, module_name, modules, trees

Sources = Mapping[str, str]

LEVELS = {
    name: level
    for level, names in enumerate(
        [
            [
                "bot.errors",
                "bot.clock",
                "bot.process.log",
                "bot.process.figures",
                "bot.process.tracing",
                "bot.text",
                "bot.command_mentions",
                "bot.network.addresses",
                "bot.records",
                "bot.lettering",
                "bot.process.permissions",
                "bot.process.folders",
                "bot.zips",
            ],
            [
                "bot.process.supervision",
                "bot.process.journal",
                "bot.network.request_rate",
                "bot.network.resolver",
                "bot.network.settings",
            ],
            ["bot.providers", "bot.storage", "bot.photos"],
            ["bot.engine", "bot.ports", "bot.config", "bot.strays", "bot.policy"],
            ["bot.resources", "bot.backup"],
            ["bot.reach"],
            ["bot.limits", "bot.questions"],
            ["bot.moderation"],
            ["bot.outbox", "bot.keys", "bot.guilds"],
            ["bot.loras", "bot.web", "bot.jobs", "bot.removals"],
            ["bot.datasets", "bot.generation"],
            ["bot.training", "bot.pictures", "bot.requests", "bot.likeness"],
            ["bot.events"],
            ["bot.privacy"],
            ["bot.pauses"],
            ["bot.services"],
            ["bot.client", "bot.process.private_members"],
            ["cogs.ui", "bot.gateway"],
            ["cogs.limits", "cogs.moderation", "cogs.removals"],
            ["cogs.requests", "cogs.likeness"],
            [
                "cogs.keys",
                "cogs.permissions",
                "cogs.privacy",
                "cogs.settings",
                "cogs.about",
                "cogs.training",
                "cogs.loras",
            ],
            ["cogs.generation", "cogs.welcome"],
            ["cogs.pictures"],
            ["cogs.events"],
            ["cogs.adapters"],
            ["cogs.jobs", "cogs.questions", "cogs"],
            ["bot.process.monitoring", "bot.process.readings", "bot.process.telemetry"],
            ["bot.app"],
            ["bot.sandbox", "bot.doctor"],
            ["bot.__main__"],
        ]
    )
    for name in names
} | {"bot": -1}
"""The longest fitting name counts; `bot` itself holds the version only."""


def is_below(name: str, *packages: str) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def area(name: str) -> str:
    fitting = [package for package in LEVELS if name == package or (package != "bot" and is_below(name, package))]
    assert fitting, f"{name} has no level yet: give it one in LEVELS"
    return max(fitting, key=len)


def upward(sources: Sources) -> Iterator[str]:
    for each in imports(sources):
        if not is_below(each.target, "bot", "cogs"):
            continue
        there, here = area(each.target), area(module_name(each.path))
        if there != here and LEVELS[there] >= LEVELS[here]:
            yield str(each)


def outside(sources: Sources, library: str, *allowed: str) -> Iterator[Import]:
    for each in imports(sources):
        if is_below(each.target, library) and not is_below(module_name(each.path), *allowed):
            yield each


KNOW_DISCORD = ("cogs", "bot.client", "bot.gateway", "bot.process.private_members", "bot.sandbox")


def discord_below_the_cogs(sources: Sources) -> Iterator[str]:
    yield from map(str, outside(sources, "discord", *KNOW_DISCORD))


SENDERS = (
    "bot.providers.transport",
    "bot.web",
    "bot.photos.intake",
    "bot.network.resolver",
    "bot.network.request_rate",
    "bot.sandbox",
)
NAMES_ERRORS = ("cogs.adapters.members", "cogs.adapters.poster", "cogs.adapters.venue", "bot.gateway")


def http_elsewhere(sources: Sources) -> Iterator[str]:
    """aiohttp belongs to its five places; four more may name its error classes, nothing else."""
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
    yield from map(
        str, outside(sources, "bot.config", "bot.app", "bot.__main__", "bot.doctor", "bot.sandbox", "bot.config")
    )


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
        yield from map(str, outside(sources, library, "bot.photos", "bot.backup"))
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


def circles(sources: Sources) -> Iterator[str]:
    """Modules that need each other: which of them can be imported then depends on which comes first."""
    needs: dict[str, set[str]] = {module_name(path): set() for path in sources}
    for each in imports(sources):
        if each.target in needs:
            needs[module_name(each.path)].add(each.target)
    try:
        graphlib.TopologicalSorter(needs).prepare()
    except graphlib.CycleError as error:
        yield " -> ".join(error.args[1])


Rule = Callable[[Sources], Iterator[str]]
PLANTED: list[tuple[Rule, str, str]] = [
    (upward, "bot/storage/money/keys.py", "from bot.keys.service import KeyService"),
    (upward, "bot/keys/service.py", "import cogs.ui.words"),
    (upward, "bot/datasets/service.py", "from bot.generation.service import GenerationService"),
    (upward, "bot/training/steps.py", "from bot.events.budget import BudgetService"),
    (upward, "cogs/keys.py", "from cogs.settings import Settings"),
    (upward, "cogs/about.py", "def later() -> None:\n    from bot.app import assemble"),
    (discord_below_the_cogs, "bot/outbox.py", "import discord"),
    (discord_below_the_cogs, "bot/datasets/service.py", "from discord.ext import commands"),
    (http_elsewhere, "bot/keys/service.py", "import aiohttp"),
    (http_elsewhere, "bot/providers/apiframe/client.py", "from aiohttp import ClientSession"),
    (http_elsewhere, "cogs/adapters/poster.py", "import aiohttp\nsession = aiohttp.ClientSession()"),
    (http_elsewhere, "bot/gateway.py", "from aiohttp import ClientSession"),
    (strangers_that_know_each_other, "bot/photos/sheet.py", "from bot.storage import datasets"),
    (strangers_that_know_each_other, "bot/storage/money/keys.py", "import bot.providers.base"),
    (strangers_that_know_each_other, "bot/providers/apiframe/client.py", "from bot.photos.checks import Code"),
    (settings_readers, "bot/keys/service.py", "from bot.config import Settings"),
    (environment_readers, "bot/keys/service.py", "import os\nkey = os.environ['KEY']"),
    (what_the_engine_knows, "bot/engine.py", "from bot.providers.base import ProviderClient"),
    (processes_elsewhere, "bot/app.py", "import subprocess"),
    (processes_elsewhere, "bot/app.py", "import asyncio\nstart = asyncio.create_subprocess_exec"),
    (prints_elsewhere, "bot/keys/service.py", "print('here')"),
    (circles, "bot/storage/due.py", "from bot.storage.jobs import posts"),
]


@pytest.mark.parametrize("rule", list(dict.fromkeys(rule for rule, _, _ in PLANTED)))
def test_the_sources_keep_the_rule(rule: Rule) -> None:
    sources = {path: text for path, text in modules("bot", "cogs").items() if "/migrations/" not in path}
    assert list(rule(sources)) == []


@pytest.mark.parametrize(("rule", "path", "line"), PLANTED)
def test_the_rule_notices_a_planted_breach(rule: Rule, path: str, line: str) -> None:
    assert len(list(rule({**modules("bot", "cogs"), path: line}))) >= 1
