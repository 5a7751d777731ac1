"""A campaign of kills: sweeps every point that the bot passes, mixes in random moments and faults, keeps the count."""

import asyncio
import itertools
import random
import re
from collections import Counter
from collections.abc import Callable, Collection, Coroutine, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.sandbox.apiframe.server import RehearsalApiframe
from bot.sandbox.rehearsal.faults import Fault as ProviderFault
from tests.wire.discord import faults
from tests.wire.discord.faults import Rule
from tests.wire.kills.event_people import Party
from tests.wire.kills.ledger import Verdict
from tests.wire.kills.persistent_member import Member
from tests.wire.kills.rig import KILLED_FOR_S, TIMINGS, Kill, Rig, open_rig

KILLS_A_RIG = 40
AIMS_A_LIFE = 5
"""A life ends at whichever of so many points it passes first; the rest of its way is left to later ones."""
MISSES_MAX = 2
"""After so many lives in which a point was not passed, it is left to the first life of a new installation."""
LIFE_S = 30.0
"""A life in which nothing happens any more."""
PAID_ROUTES = ("POST /v2/loras", "POST /v2/images/generate")
PROVIDER_FAULTS: dict[str, Callable[[], ProviderFault]] = {
    "reset after accept": ProviderFault.reset_after_accept,
    "reset before": ProviderFault.reset_before,
    "half a body": ProviderFault.half_body,
    "502 after accept": lambda: ProviderFault.answer(502, accepted=True),
    "503": lambda: ProviderFault.answer(503),
    "wrong schema": ProviderFault.wrong_schema,
}


@dataclass(frozen=True, slots=True)
class Scene:
    """`work` is what people do in a rig until it ends; `aim` finds the points that are swept one by one."""

    work: Callable[[Rig], Sequence[Coroutine[Any, Any, None]]]
    aim: re.Pattern[str]


class Campaign:
    """Two lines of rigs at the same time: in one Discord remembers nonces, in the other it forgets them at once."""

    def __init__(self, folder: Path, seed: int, kills: int, scene: Scene) -> None:
        self.verdict = Verdict()
        self.kills = 0
        self.points: set[str] = set()
        self.points_hit: set[str] = set()
        self.fired: Counter[str] = Counter()
        self._misses: Counter[str] = Counter()
        self._folder = folder
        self._random = random.Random(seed)
        self._planned = kills
        self._scene = scene
        self._begun = 0

    @property
    def aims(self) -> set[str]:
        """The points of interest that are known so far."""
        return {point for point in self.points if self._scene.aim.search(point)}

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._run_line("remembering", is_forgetful=False))
            group.create_task(self._run_line("forgetful", is_forgetful=True))

    async def _run_line(self, name: str, *, is_forgetful: bool) -> None:
        number = 0
        while self._begun < self._planned:
            number += 1
            timings = TIMINGS | ({"nonce_memory": 0.0} if is_forgetful else {})
            async with open_rig(self._folder / f"{name}-{number}", timings=timings) as rig:
                await self._run_rig(rig, is_forgetful=is_forgetful)

    async def _run_rig(self, rig: Rig, *, is_forgetful: bool) -> None:
        if is_forgetful:
            rig.standin.messages.nonce_memory_seconds = 0.0
        await self._open(rig)
        rules = add_discord_faults(rig, self._random.randrange(2**32), is_forgetful=is_forgetful)
        provider_faults = ProviderFaults(rig.provider)
        work = [asyncio.create_task(each) for each in self._scene.work(rig)]
        while rig.kills < KILLS_A_RIG and self._begun < self._planned:
            provider_faults.queue_one()
            await self._kill_once(rig)
        verdict = await rig.finish(work)
        self.kills += rig.kills
        self.verdict.add(verdict)
        self.fired.update({name: rule.fired for name, rule in rules.items()})
        self.fired.update(provider_faults.fired())

    async def _open(self, rig: Rig) -> None:
        """Points that only a new installation passes are tried here."""
        for point in sorted(self.aims - self.points_hit):
            if self._misses[point] >= MISSES_MAX:
                self._begun += 1
                is_saved = await rig.furnish(Kill((point,)), with_samples=True)
                self._take_over(rig)
                if is_saved:
                    self._begun -= 1
                    return
        await rig.furnish(with_samples=True)
        self._take_over(rig)

    async def _kill_once(self, rig: Rig) -> None:
        self._begun += 1
        kill = self._choose()
        if not await rig.live(kill, seconds=LIFE_S):
            self._misses.update(kill.at)
        self._take_over(rig)

    def _choose(self) -> Kill:
        todo = [point for point in self.aims - self.points_hit if self._misses[point] < MISSES_MAX]
        if todo:
            return Kill(self._some(todo))
        match self._random.randrange(3):
            case 0:
                return Kill(after_s=self._random.uniform(0.0, 0.8))
            case 1 if self.aims - self.points_hit:
                return Kill(self._some(self.aims - self.points_hit))
            case _:
                return Kill(self._some(self.points_hit or self.points, 1), nth=self._random.randint(1, 3))

    def _some(self, points: Collection[str], most: int = AIMS_A_LIFE) -> tuple[str, ...]:
        return tuple(self._random.sample(sorted(points), min(most, len(points))))

    def _take_over(self, rig: Rig) -> None:
        self.points |= rig.points
        self.points_hit |= rig.points_hit


class ProviderFaults:
    """Faults of the paid calls, one at a time for each route, and how many were met."""

    def __init__(self, provider: RehearsalApiframe) -> None:
        self._provider = provider
        # By turns: after five orders in a row that did not arrive the bot rightly gives up.
        self._turns = itertools.cycle(itertools.product(PROVIDER_FAULTS, PAID_ROUTES))
        self._queued: list[tuple[str, str, ProviderFault]] = []

    def queue_one(self) -> None:
        name, route = next(self._turns)
        if self._provider.faults.routes._waiting[route]:
            return
        fault = PROVIDER_FAULTS[name]()
        self._provider.faults.next(route, fault)
        self._queued.append((route, name, fault))

    def fired(self) -> Counter[str]:
        waiting = [id(fault) for queue in self._provider.faults.routes._waiting.values() for fault in queue]
        return Counter(name for _, name, fault in self._queued if id(fault) not in waiting)


def add_discord_faults(rig: Rig, seed: int, *, is_forgetful: bool) -> dict[str, Rule]:
    """A message that was stored although the answer says otherwise; the library repeats a 502 by itself within a
    second, so that one needs a Discord that remembers."""
    rig.standin.faults = faults.Faults(seed)
    messages = "/channels/*/messages"

    def add(name: str, pattern: str, fault: faults.Fault, share: float) -> tuple[str, Rule]:
        return name, rig.standin.faults.add("POST", pattern, fault, times=None, share=share)

    rules = [
        add("Discord: stored, then reset", messages, faults.reset().committed(), 0.06),
        add("Discord: 503", messages, faults.server_error(503), 0.04),
        add("Discord: answered, then 502", "/interactions/*", faults.server_error(502).committed(), 0.02),
    ]
    if not is_forgetful:
        rules.append(add("Discord: stored, then 502", messages, faults.server_error(502).committed(), 0.06))
    return dict(rules)


async def one_round(folder: Path, mutant: str | None, killed_at: str, drain_s: float = KILLED_FOR_S) -> Verdict:
    """The books after one member's training and picture, with one kill at this point."""
    async with open_rig(folder, members=1, mutant=mutant) as rig:
        await rig.furnish(with_samples=True)
        work = [asyncio.create_task(rig.round(rig.members[0], "Rex"))]
        assert await rig.live(Kill((killed_at,)), passes=10_000)
        return await rig.finish(work, drain_s)


async def _train_on(rig: Rig, member: Member) -> None:
    rounds = 0
    while not rig.is_ending:
        rounds += 1
        await rig.round(member, f"{member.person.name} {rounds}")


async def _celebrate_on(rig: Rig) -> None:
    held = 0
    while not rig.is_ending:
        held += 1
        await Party(rig, f"Fox days {held:02}", rig.host, rig.members).hold()


TRAININGS = Scene(lambda rig: [_train_on(rig, member) for member in rig.members], re.compile(""))
"""Every member trains a LoRA and makes a picture with it, again and again; every point is swept."""
PARTIES = Scene(
    lambda rig: [_celebrate_on(rig)],
    re.compile(r"^write bot\.events\b"),
)
"""One event after another, for everybody; what only events write is swept."""
