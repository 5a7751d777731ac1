"""What people do on the walk: commands, choices, buttons, forms and menus, with values of every guild."""

import json
import random
import re
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import simcord
from simcord.backend.errors import BackendError, SetupError
from simcord.components import walk_components
from simcord.enums import ComponentType
from simcord.interactions import command_leaves
from simcord.results import InteractionResult, ResponseMessage

from bot.records.guild import Actor
from tests.cogs.walk.reference import Model, Step
from tests.cogs.walk.stock import Stock
from tests.cogs.walk.values import Values
from tests.cogs.walk.world import Person, Town

CUSTOM_ID = re.compile(r'"(dr:[^"\\]+)"')
STOCK_EVERY = 40
Deed = tuple[str, Sequence[str], Coroutine[Any, Any, object]]
"""What is done, what was typed, and the doing itself."""


class Leak(AssertionError):
    """The walk found something that should not have happened."""


@dataclass(eq=False)
class Pocket:
    """What one person has at hand: forms they opened, answers they got, a message whose buttons can be forged."""

    forms: deque[InteractionResult] = field(default_factory=lambda: deque(maxlen=4))
    answers: deque[ResponseMessage] = field(default_factory=lambda: deque(maxlen=6))
    private: deque[ResponseMessage] = field(default_factory=lambda: deque(maxlen=4))
    """Answers in the private channel with the bot."""
    carriers: dict[bool, ResponseMessage] = field(default_factory=dict)
    """A card to forge buttons on: in the guild, and in private."""


@dataclass(eq=False)
class Walk:
    town: Town
    model: Model
    seed: int
    topic: str = ""
    """A pattern for the commands and for area and action of the buttons that are used; empty: all of them."""
    rng: random.Random = field(init=False)
    values: Values = field(init=False)
    pockets: dict[Person, Pocket] = field(default_factory=lambda: defaultdict(Pocket))
    done: int = 0
    deeds: Counter[str] = field(default_factory=Counter)
    """How often each kind of deed was done."""
    stock_at: int = 0
    """After how many steps the guilds are given again what they have lost."""

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)
        self.values = Values(self.town, self.model, self.rng)

    async def go(self, steps: int) -> None:
        """Leak with the seed and the steps before it as soon as the model objects."""
        story: deque[str] = deque(maxlen=5)
        while self.done < steps:
            if self.done >= self.stock_at:
                await self._restock()
                self.stock_at += STOCK_EVERY
            step, found = await self._step()
            if step is not None:
                self.done += 1
                self.deeds[step.kind] += 1
                story.append(str(step))
            if found:
                lines = [f"after {self.done} steps of seed {self.seed}:", *found, "which were:", *story]
                raise Leak("\n".join(lines))

    async def _restock(self) -> None:
        await Stock(self.town).fill()
        self.model.absorb()

    async def _step(self) -> tuple[Step | None, list[str]]:
        """One judged deed; None when a real client could not do it."""
        person = self.rng.choice(self.town.people)
        kinds = self._kinds()
        kind = self.rng.choices([*kinds], [*kinds.values()])[0]
        deed = kind(person)
        if deed is None:
            return None, []
        what, typed, doing = deed
        is_private = kind == self._private
        parties = [each.party for each in self.town.known_as(person.member.id)] if is_private else [person.party]
        who = Actor(0, person.member.id) if is_private else person.actor
        step = Step(who, parties, what, typed, kind.__name__.strip("_"))
        is_possible = True
        try:
            self._remember(person, await doing, is_private=is_private)
        except (BackendError, SetupError):
            is_possible = False
        await self.town.rest()
        self._overhear(person)
        return step if is_possible else None, self.model.judge(step)

    def _kinds(self) -> dict[Callable[[Person], Deed | None], int]:
        """How often each kind of deed comes up."""
        return {
            self._command: 30,
            self._autocomplete: 12,
            self._forge: 34,
            self._press: 8,
            self._submit: 10,
            self._answer: 16,
            self._menu: 2,
            self._private: 4,
            self._restart: 1,
        }

    def _remember(self, person: Person, result: object, *, is_private: bool) -> None:
        if isinstance(result, list):
            self.values.offered.extend(str(choice["value"]) for choice in result)
        if not isinstance(result, InteractionResult):
            return
        pocket = self.pockets[person]
        if result.modal is not None and not is_private:
            pocket.forms.append(result)
        shown = [message for message in (result.response, *result.followups) if message is not None]
        (pocket.private if is_private else pocket.answers).extend(shown)

    def _overhear(self, person: Person) -> None:
        for request in self.town.env.http_requests:
            found = CUSTOM_ID.findall(json.dumps(request.json, default=str))
            self.values.shown.extend((person.member.id, custom_id) for custom_id in found)

    def _command(self, person: Person) -> Deed:
        leaves = self._leaves(person)
        path, leaf = self.rng.choice(leaves)
        name, options = " ".join(path), leaf.get("options") or []
        given = {
            option["name"]: self.values.value(person, option)
            for option in options
            if option.get("required") or self.rng.random() < self.values.likely(option)
        }
        typed = [value for value in given.values() if isinstance(value, str) and person.party.word not in value]
        what = f"/{name} {_shortened(given)}"
        return what, typed, person.member.slash(person.party.channel, name, **given)

    def _autocomplete(self, person: Person) -> Deed:
        found = [
            (" ".join(path), option["name"])
            for path, leaf in self._leaves(person)
            for option in leaf.get("options") or []
            if option.get("autocomplete")
        ]
        name, option = self.rng.choice(found)
        typed = self.values.type_ahead(person)
        doing = person.member.autocomplete(person.party.channel, name, option, typed)
        return f"types {typed!r} into {option} of /{name}", [typed] if typed else [], doing

    def _forge(self, person: Person) -> Deed:
        """A button of another message, of another guild, or of none, pressed on a message of one's own."""
        custom_id = self.values.custom_id(person, self.topic)
        return f"presses {custom_id}", [], self._press_forged(person, custom_id)

    def _press(self, person: Person) -> Deed | None:
        """A button of a message in the guild's channels."""
        place = self.rng.choice([person.party.channel, person.party.gallery])
        messages = [one for one in self._messages(place) if _buttons(one.components)]
        if not messages:
            return None
        message = self.rng.choice(messages[-20:])
        custom_id = self.rng.choice(_buttons(message.components))
        shown = ResponseMessage(self.town.env, message)
        return f"presses {custom_id} where it is", [], person.member.click(shown, custom_id=custom_id)

    def _submit(self, person: Person) -> Deed | None:
        forms = self.pockets[person].forms
        if not forms:
            return None
        form = self.rng.choice(forms)
        forms.remove(form)
        modal = form.modal or {}
        values = {part["custom_id"]: self.values.fill_in(person, modal, part) for part in _fields(modal)}
        values = {name: value for name, value in values.items() if value is not None}
        return f"fills in “{modal.get('title')}”", [], person.member.submit_modal(form, values)

    def _answer(self, person: Person) -> Deed | None:
        """A button or a menu below an answer that only this person sees; options may be forged."""
        answers = list(self.pockets[person].answers)
        parts = [
            (message, part)
            for message in (answers[-1:] if self.rng.random() < 0.5 else answers)
            for part in walk_components(message.components)
            if part.get("custom_id") and not part.get("disabled")
        ]
        if not parts:
            return None
        message, part = self.rng.choice(parts)
        what, custom_id = f"uses {part['custom_id']} below an answer", part["custom_id"]
        if part["type"] == ComponentType.BUTTON:
            return f"{what} ({part.get('label')})", [], person.member.click(message, custom_id=custom_id)
        if part["type"] == ComponentType.STRING_SELECT and self.rng.random() < 0.5:
            self._forge_options(message, custom_id)
            part = next(one for one in walk_components(message.components) if one.get("custom_id") == custom_id)
        chosen = self.values.choose(person, part)
        return f"{what}: {_shortened(chosen)}", [], person.member.select(message, chosen, custom_id=custom_id)

    def _menu(self, person: Person) -> Deed | None:
        messages = self._messages(person.party.channel)
        if not messages:
            return None
        message = ResponseMessage(self.town.env, self.rng.choice(messages[-20:]))
        name = self.rng.choice(["Imagine from this picture", "Add photos to my dataset"])
        return name, [], person.member.context_menu(person.party.channel, name, message)

    def _private(self, person: Person) -> Deed:
        """In a private message to the bot: a command, a button that is there, a forged one."""
        user, pocket = person.member.user, self.pockets[person]
        there = [(message, one) for message in pocket.private for one in _buttons(message.components)]
        kind = self.rng.random()
        if kind < 0.2:
            name = self.rng.choice(["privacy show", "privacy export", "privacy erase"])
            return f"/{name} privately", [], user.slash(name)
        if kind < 0.4 and there:
            message, custom_id = self.rng.choice(there)
            return f"presses {custom_id} privately", [], user.click(message, custom_id=custom_id)
        custom_id = self.values.custom_id(person, self.topic)
        return f"presses {custom_id} privately", [], self._press_forged(person, custom_id, is_private=True)

    def _restart(self, _person: Person) -> Deed:
        env, gateway = self.town.env, self.town.darkroom.gateway
        return "sees the bot restart", [], env.restart_bot(gateway.build())

    async def _press_forged(self, person: Person, custom_id: str, *, is_private: bool = False) -> InteractionResult:
        """On a card of one's own that shows something else."""
        member, carriers = person.member, self.pockets[person].carriers
        if is_private not in carriers:
            opened = member.user.slash("privacy show") if is_private else member.slash(person.party.channel, "about")
            card = (await opened).response
            assert card is not None
            carriers[is_private] = card
        card = carriers[is_private]
        self._put_button(card, custom_id)
        return await (member.user if is_private else member).click(card, custom_id=custom_id)

    def _put_button(self, message: ResponseMessage, custom_id: str) -> None:
        button = {"type": 2, "style": 2, "label": "Old", "custom_id": custom_id, "disabled": False}
        stored = self.town.env.backend.get_message(message.channel_id, message.id)
        stored.components = [{"type": 1, "components": [button]}]

    def _forge_options(self, message: ResponseMessage, custom_id: str) -> None:
        """Ids of rows of all guilds among the options of a menu."""
        stored = self.town.env.backend.get_message(message.channel_id, message.id)
        for part in walk_components(stored.components):
            if part.get("custom_id") == custom_id:
                known = {option["value"] for option in part["options"]}
                forged = {str(self.values.row_id()) for _ in range(3)} - known
                part["options"] = [*part["options"], *({"label": value, "value": value} for value in sorted(forged))]

    def _messages(self, channel: simcord.ChannelHandle) -> list[Any]:
        kept = self.town.env.backend.messages.get(channel.id, {}).values()
        return [message for message in kept if not message.is_ephemeral]

    def _leaves(self, person: Person) -> list[tuple[list[str], dict[str, Any]]]:
        backend = self.town.env.backend
        commands = backend.visible_commands(user_id=person.member.id, channel_id=person.party.channel.id)
        leaves = [leaf for command in commands if command.get("type", 1) == 1 for leaf in command_leaves(command)]
        return [leaf for leaf in leaves if re.match(self.topic, " ".join(leaf[0]))]


async def begin_to_watch(town: Town) -> Model:
    model = Model(town)
    await model.watch()
    return model


async def begin(town: Town, seed: int) -> Walk:
    return Walk(town, await begin_to_watch(town), seed)


def _buttons(components: list[dict[str, Any]]) -> list[str]:
    found = (part for part in walk_components(components) if part.get("type") == 2 and not part.get("disabled"))
    return [part["custom_id"] for part in found if part.get("custom_id")]


def _fields(modal: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for label in modal["components"]:
        if label.get("component", {}).get("custom_id"):
            yield label["component"]


def _shortened(given: object) -> str:
    return re.sub(r"b'.{20,}?'", "b'…'", repr(given))[:300]
