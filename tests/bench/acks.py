"""Bursts of photo submissions: how long each member waits for the bot's first answer."""

import math
import tempfile
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench.environment import BotKind, Stage, set_stage, wait_ready
from tests.bench.measured_photos import small_photos
from tests.bench.processes import Child
from tests.bench.rows import Floor, NotMeasured, Row, Sample, Target, compare, percentile
from tests.bench.scale import Scale
from tests.wire.discord.answers import Json
from tests.wire.discord.components import LABEL, SELECTS
from tests.wire.discord.interactions import InteractionHandle, InteractionKind
from tests.wire.discord.modals import CHECKBOX, FILE_UPLOAD, Filling, Upload, fill_modal
from tests.wire.discord.world import Person

FILES_IN_FIELD = 10
WARM_UP = 20
DISCORD_WAITS_S = 3.0
PATIENCE_S = 15.0
"""An answer that has not come by then counts as this late."""
FLOOR_NAME = "a bot that only defers, same library, same form and photos"


@dataclass(frozen=True, slots=True)
class Burst:
    """Seconds until each first answer, and the bot's CPU seconds for the whole burst."""

    latencies_s: list[float]
    cpu_s: float

    @property
    def late(self) -> int:
        return sum(latency > DISCORD_WAITS_S for latency in self.latencies_s)

    def at(self, share: float) -> Sample:
        """A percentile in milliseconds."""
        return Sample(percentile(self.latencies_s, share) * 1000, self._cpu_ms)

    def rate(self) -> Sample:
        """Answers in a second, from the first dispatch to the last answer."""
        return Sample(len(self.latencies_s) / max(self.latencies_s), self._cpu_ms)

    @property
    def _cpu_ms(self) -> float:
        return self.cpu_s / len(self.latencies_s) * 1000


@dataclass(frozen=True, slots=True)
class Round:
    opening: Burst
    submitting: Burst


async def measure(scale: Scale) -> list[Row]:
    rows: list[Row] = []
    for size, photos_each in scale.bursts:
        photos = small_photos(photos_each)
        before = [await run_round("bare", size, photos) for _ in range(scale.long_rounds)]
        product = [await run_round("darkroom", size, photos) for _ in range(scale.long_rounds)]
        after = [await run_round("bare", size, photos) for _ in range(scale.long_rounds)]
        rows += describe(f"{size} submissions, {photos_each} photos each", before, product, after)
    return rows


def describe(what: str, before: list[Round], product: list[Round], after: list[Round]) -> list[Row]:
    def row(name: str, unit: str, pick: Callable[[Round], Sample], target: Target, note: str = "") -> Row:
        floor = Floor(FLOOR_NAME, [pick(one) for one in before], [pick(one) for one in after])
        return compare(f"{what}: {name}", unit, [pick(one) for one in product], floor, target=target, note=note)

    late = sum(one.submitting.late for one in product)
    total = sum(len(one.submitting.latencies_s) for one in product)
    note = (
        f"{late} of {total} answers came later than Discord's {DISCORD_WAITS_S:g} s (at most {PATIENCE_S:g} s are "
        "waited for); CPU is the bot's until the last answer, its work on photos included"
    )
    strict = Target(ratio_most=1.25, value_most=500.0)
    return [
        row("answered, p50", "ms", lambda one: one.submitting.at(0.5), Target()),
        row("answered, p99", "ms", lambda one: one.submitting.at(0.99), strict, note),
        row("answers", "acks/s", lambda one: one.submitting.rate(), Target(ratio_least=0.8)),
        row("/train opens its form, p99", "ms", lambda one: one.opening.at(0.99), Target()),
    ]


async def run_round(kind: BotKind, size: int, photos: list[Upload]) -> Round:
    """A fresh process each time, so that no round pays for the photos of an earlier one."""
    with tempfile.TemporaryDirectory(prefix="darkroom-bench-") as folder:
        async with set_stage(Path(folder), people=size + WARM_UP) as stage:
            if kind == "darkroom":
                async with stage.prepared() as darkroom:
                    await stage.set_key(darkroom)
            async with stage.bot(kind) as bot:
                await wait_ready(bot)
                await submit_all(stage, bot, stage.crowd[size:], [])
                return await submit_all(stage, bot, stage.crowd[:size], photos)


async def submit_all(stage: Stage, bot: Child, people: list[Person], photos: list[Upload]) -> Round:
    opened: list[InteractionHandle] = []

    async def open_form(person: Person) -> InteractionHandle:
        handle = await stage.standin.slash(person, stage.channel, "train", {"subject": "object"})
        opened.append(handle)
        return handle

    opening = await burst(stage, bot, [open_form(person) for person in people])
    filled = [(handle, fill_in(stage, handle, photos)) for handle in opened if handle.modal]
    if len(filled) < len(people):
        raise NotMeasured(f"only {len(filled)} of {len(people)} forms were opened")
    submitting = await burst(stage, bot, [submit(stage, handle, data) for handle, data in filled])
    return Round(opening, submitting)


async def burst(stage: Stage, bot: Child, acts: list[Coroutine[Any, Any, InteractionHandle]]) -> Burst:
    spent = bot.cpu_seconds()
    latencies = await stage.standin.burst(acts, PATIENCE_S)
    spent = bot.cpu_seconds() - spent
    return Burst([PATIENCE_S if math.isinf(latency) else latency for latency in latencies], spent)


def fill_in(stage: Stage, handle: InteractionHandle, photos: list[Upload]) -> Json:
    """The submission's data, made before the burst so that the stand-in has little to do during it."""
    assert handle.modal is not None
    filled = fill_modal(handle.modal, answers_to(handle.modal, photos), stage.standin.files, handle.channel.id)
    data: Json = {"custom_id": handle.modal["custom_id"], "components": filled.components}
    return data | ({"resolved": {"attachments": filled.attachments}} if filled.attachments else {})


def answers_to(modal: Json, photos: list[Upload]) -> dict[str, Filling]:
    """By the kind of each part, whatever it is called: photos fill the uploads in turn, nothing is selected."""
    left = list(photos)
    answers: dict[str, Filling] = {}
    for part in modal["components"]:
        if part["type"] != LABEL:
            continue
        kind = part["component"]["type"]
        if kind in SELECTS:
            continue
        if kind == FILE_UPLOAD:
            answers[part["label"]] = left[:FILES_IN_FIELD]
            left = left[FILES_IN_FIELD:]
        else:
            answers[part["label"]] = True if kind == CHECKBOX else "Rex"
    return answers


async def submit(stage: Stage, opened: InteractionHandle, data: Json) -> InteractionHandle:
    made = stage.standin.interactions.open(InteractionKind.MODAL_SUBMIT, opened.user, opened.channel, opened.source)
    made.metadata["triggering_interaction_metadata"] = opened.metadata
    return await stage.standin._dispatch(made, data)
