"""A walk on which people type what is meant to do harm, in every field that takes text."""

import itertools
import random
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from simcord.enums import ComponentType, OptionType

from tests.cogs.hostile_texts import SAMPLES
from tests.cogs.simulated_guild import photo
from tests.cogs.walk.steps import Deed, Walk, begin_to_watch
from tests.cogs.walk.values import Values
from tests.cogs.walk.world import Person, Town

WRAPPERS = (
    "{}",
    "{} {}",
    "**{}**",
    "`{}",
    "{}`",
    "``` {}",
    "\n{}\n",
    "x\n> {}",
    "\u202e{}",
    "\u200b{}\u200b",
    "|| {}",
)
INJECTIONS = [sample.join(wrapper.split("{}")) for wrapper in WRAPPERS for sample in SAMPLES]
"""Mentions, links and formatting, each also broken out of what the bot may put around it."""
_STARTS = ("'", '"', "')", "`", "\\'", "%27", "1;", "x' ", "''", "]")
_MIDDLES = (
    " OR 1=1",
    " UNION SELECT sealed FROM api_keys",
    "; DROP TABLE loras",
    "; UPDATE loras SET owner_id=1",
    "; DELETE FROM consents",
    " || (SELECT last4 FROM api_keys)",
    " AND randomblob(1e9)",
    " OR name LIKE '%",
    "; ATTACH DATABASE '/tmp/x' AS x",
    "; PRAGMA writable_schema=1",
)
_ENDS = ("", "--", "#", " /*", ";--")
SQL = [f"{start}{middle}{end}" for start, middle, end in itertools.product(_STARTS, _MIDDLES, _ENDS)]
LONG, LONGEST = 300, 6000


@dataclass(eq=False)
class Payloads(Values):
    """One payload after the other for each text that is typed; `typed_into` counts them by where they went."""

    texts: Sequence[str] = ()
    typed_into: Counter[str] = field(default_factory=Counter)
    left: deque[str] = field(default_factory=deque)

    def next(self, where: str, most: int, least: int = 0) -> str:
        """One, or as many as fit into a long text, or one as often as it can stand in the longest text."""
        some = [self._one()]
        if self.rng.random() < 0.1:
            some *= LONGEST // len(some[0])
        while len(" ".join(some)) < min(most, LONG):
            some.append(self._one())
        self.typed_into[where] += len(set(some))
        return " ".join(some)[:most].ljust(least, "x")

    def _one(self) -> str:
        if not self.left:
            self.left.extend(self.rng.sample(self.texts, len(self.texts)))
        return self.left.popleft()

    def type_ahead(self, person: Person) -> str:
        return self.next("choices", 100) if self.rng.random() < 0.7 else super().type_ahead(person)

    def likely(self, option: dict[str, Any]) -> float:
        return 0.8 if option["type"] == OptionType.STRING and not option.get("choices") else super().likely(option)

    def _text(self, person: Person, option: dict[str, Any]) -> str:
        is_reference = option.get("choices") or option.get("autocomplete")
        if is_reference and self.rng.random() < 0.7:
            return super()._text(person, option)
        return self.next("options", option.get("max_length", LONGEST), option.get("min_length", 1))

    def fill_in(self, person: Person, modal: dict[str, Any], part: dict[str, Any]) -> Any:
        if part["type"] == ComponentType.TEXT_INPUT and self.rng.random() < 0.8:
            return self.next("forms", part.get("max_length") or 4000, part.get("min_length") or 1)
        return super().fill_in(person, modal, part)

    def _photo(self, person: Person) -> tuple[str, bytes]:
        return f"{self.next('names of files', 80)}.jpg", photo(self.rng.randint(1, 12))


class Typing(Walk):
    """People fill in every form that they are shown, and mostly do what needs words."""

    def _kinds(self) -> dict[Callable[[Person], Deed | None], int]:
        return {self._command: 20, self._autocomplete: 10, self._submit: 30, self._answer: 10, self._forge: 12}

    def _leaves(self, person: Person) -> list[tuple[list[str], dict[str, Any]]]:
        leaves = super()._leaves(person)
        return [*leaves, *(leaf for leaf in leaves if _strings(leaf[1]) for _ in range(3))]


def _strings(leaf: dict[str, Any]) -> list[dict[str, Any]]:
    return [option for option in leaf.get("options") or [] if option["type"] == OptionType.STRING]


async def begin_with(town: Town, seed: int, texts: Sequence[str]) -> tuple[Walk, Payloads]:
    """A walk on which these are typed, and the values that count them."""
    model = await begin_to_watch(town)
    values = Payloads(town, model, random.Random(seed), texts=texts)
    walk = Typing(town, model, seed)
    walk.values = values
    return walk, values
