"""What people type, choose and press on the walk: values of every guild, some of them of things that are gone."""

import random
import re
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from simcord.enums import ComponentType, OptionType

from tests.cogs.simulated_guild import photo, presses_of
from tests.cogs.walk.reference import Model
from tests.cogs.walk.world import STEMS, Person, Town, keys_of

REMEMBERED = 400
TABLES = {"event": "events", "host": "events", "depict": "depictions"}
"""Whose rows the buttons of these areas are about; those of the others have ids that often fit, too."""


@dataclass(eq=False)
class Values:
    town: Town
    model: Model
    rng: random.Random
    offered: deque[str] = field(default_factory=lambda: deque(maxlen=REMEMBERED))
    """Choices of any autocomplete, whoever was offered them."""
    shown: deque[tuple[int, str]] = field(default_factory=lambda: deque(maxlen=REMEMBERED))
    """Custom ids of buttons, with the id of the user whose doing showed them."""

    def custom_id(self, person: Person, topic: str = "") -> str:
        """One that this person has seen, in any guild; one that anybody has seen; any action with any row."""
        presses = [press for press in presses_of(self.town.darkroom) if re.match(topic, " ".join(press))]
        own = [custom_id for seen_by, custom_id in self.shown if seen_by == person.member.id]
        kind = self.rng.random()
        if kind < 0.3 and own and not topic:
            return self.rng.choice(own)
        if kind < 0.55 and self.shown and not topic:
            return self.rng.choice(self.shown)[1]
        area, action = self.rng.choice(presses)
        like = [custom_id for _, custom_id in self.shown if custom_id.startswith(f"dr:{area}:{action}:")]
        if like and self.rng.random() < 0.3:
            return self.rng.choice(like)
        fitting = area in TABLES and self.rng.random() < 0.7
        return f"dr:{area}:{action}:{self._of_table(TABLES[area], person) if fitting else self.row_id()}"

    def _of_table(self, table: str, person: Person) -> int:
        """An id of late; half of them of the person's own guild."""
        here = [row_id for row_id, row in self.model.rows[table].items() if row["guild_id"] == person.party.guild.id]
        return self.rng.choice(here if here and self.rng.random() < 0.5 else self.model.ids[table][-15:])

    def row_id(self) -> int:
        """Of any table and guild; mostly of late, sometimes of rows that are gone."""
        ids = self.model.ids[self.rng.choice(sorted(self.model.ids))]
        return self.rng.choice(ids[-self.rng.choice([9, 30, len(ids)]) :])

    def reference(self) -> str:
        """How somebody might name a LoRA or a style: a choice of anybody, an id, a name."""
        table = self.rng.choice(["loras", "styles"])
        row_id = self.rng.choice(self.model.ids[table])
        names = [row["name"] for row in self.model.rows[table].values()]
        made_up = [f"{table[:-1]}-{row_id}", str(self.rng.choice(names)), "none", "lora-999999", "nobody's"]
        return self.rng.choice(made_up if self.rng.random() < 0.5 or not self.offered else self.offered)

    def event(self, person: Person) -> str:
        """How somebody might name an event, of any guild and in any stage."""
        row_id = self._of_table("events", person)
        names = [row["name"] for row in self.model.rows["events"].values()]
        return self.rng.choice([str(row_id), str(row_id), str(self.rng.choice(names)), "999999", "nobody's"])

    def type_ahead(self, person: Person) -> str:
        """What somebody has typed so far when choices are asked for."""
        return self.rng.choice(["", "", "s", *STEMS, self.reference(), self.event(person)])

    def likely(self, option: dict[str, Any]) -> float:
        if option.get("autocomplete"):
            return 0.6
        return 0.3 if option["type"] in {OptionType.USER, OptionType.MENTIONABLE, OptionType.BOOLEAN} else 0.08

    def value(self, person: Person, option: dict[str, Any]) -> Any:
        match OptionType(option["type"]):
            case OptionType.STRING:
                return self._text(person, option)
            case OptionType.BOOLEAN:
                return self.rng.random() < 0.5
            case OptionType.INTEGER:
                return self.rng.randint(option.get("min_value", 0), min(option.get("max_value", 9), 2000))
            case OptionType.NUMBER:
                return round(self.rng.uniform(option.get("min_value", 0), option.get("max_value", 1)), 2)
            case OptionType.ATTACHMENT:
                return self._photo(person)
            case _:
                return self._somebody(person, OptionType(option["type"]) == OptionType.MENTIONABLE)

    def _text(self, person: Person, option: dict[str, Any]) -> str:
        if option.get("choices"):
            return str(self.rng.choice(option["choices"])["value"])
        if option.get("autocomplete"):
            typed = self.event(person) if option["name"] == "event" else self.reference()
            return typed[: option.get("max_length", 6000)]
        if option["name"] == "search":
            return self.rng.choice([*STEMS, person.party.word])
        return f"{person.party.word} {self.rng.randint(1, 99)}"[: option.get("max_length", 6000)]

    def _somebody(self, person: Person, may_be_role: bool) -> Any:
        """A member, a role of this guild, or anybody at all."""
        members = [each.member for each in person.party.people]
        strangers = [each.member.user for each in self.town.people]
        return self.rng.choice([*members, *([person.party.role] if may_be_role else []), self.rng.choice(strangers)])

    def _photo(self, person: Person) -> tuple[str, bytes]:
        number = self.rng.randint(1, 12)
        return f"{person.party.word}-{number}.jpg", photo(number)

    def fill_in(self, person: Person, modal: dict[str, Any], part: dict[str, Any]) -> Any:
        match ComponentType(part["type"]):
            case ComponentType.TEXT_INPUT:
                if "API key" in modal["title"]:
                    return self.rng.choice([*keys_of(person.party.word).values(), "afk_not_a_key"])
                given = part.get("value")
                text = given if given and self.rng.random() < 0.5 else f"{person.party.word} {self.rng.randint(1, 99)}"
                return text[: part.get("max_length") or 4000]
            case ComponentType.FILE_UPLOAD:
                most = min(3, part.get("max_values", 1))
                return [self._photo(person) for _ in range(self.rng.randint(part.get("min_values", 1), most))] or None
            case ComponentType.CHECKBOX:
                return self.rng.random() < 0.7
            case _:
                return self.choose(person, part)

    def choose(self, person: Person, part: dict[str, Any]) -> list[Any]:
        least, most = part.get("min_values", 1), part.get("max_values", 1)
        match ComponentType(part["type"]):
            case ComponentType.STRING_SELECT:
                pool: list[Any] = [option["value"] for option in part["options"]]
            case ComponentType.ROLE_SELECT:
                pool = [person.party.role]
            case ComponentType.CHANNEL_SELECT:
                pool = [person.party.channel, person.party.gallery]
            case kind:
                may_be_role = kind != ComponentType.USER_SELECT
                pool = list({one.id: one for one in (self._somebody(person, may_be_role) for _ in range(4))}.values())
        return self.rng.sample(pool, min(len(pool), self.rng.randint(least, max(least, most))))
