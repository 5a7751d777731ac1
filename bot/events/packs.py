"""The prompt pack of an event: ready-made packs, limits, and ordering a pack for every LoRA."""

import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from bot.errors import KeyRejected, NoKey, OutOfCredits, UserError
from bot.events.budget import AlreadyOrdered, BudgetService, channel_of
from bot.generation.capabilities import SEED_MAX
from bot.generation.order import PictureOrder
from bot.limits.ledger import BudgetSpent
from bot.limits.rules import ServerLimitReached
from bot.records.event import Event, EventMode, PauseReason
from bot.records.generation import GenerationSettings
from bot.records.guild import Actor
from bot.records.key import ProviderName
from bot.records.lora import Lora
from bot.storage.database import Database
from bot.storage.events import entrants
from bot.storage.events.ballots import CANDIDATE_EVERY
from bot.storage.jobs import generations, loras

TRIGGER = "{trigger}"
PROMPTS_MAX = 12
PROMPT_MAX = 400
"""Characters."""
ORDERED_AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class Pack:
    name: str
    prompts: tuple[str, ...]


READY_PACKS: Mapping[str, Pack] = MappingProxyType(
    {
        "postcards": Pack(
            "Postcards",
            (
                "a vintage travel postcard of {trigger} by the sea at sunset, warm colours",
                "a vintage travel postcard of {trigger} in front of snowy mountains, clear sky",
                "a vintage travel postcard of {trigger} in a small old town with lanterns",
                "a vintage travel postcard of {trigger} in a field of wild flowers",
            ),
        ),
        "seasons": Pack(
            "Seasons",
            (
                "{trigger} in spring under blossoming cherry trees, soft morning light",
                "{trigger} on a bright summer day by a lake, clear colours",
                "{trigger} in autumn among golden leaves, low sun",
                "{trigger} in winter with falling snow, cosy evening light",
            ),
        ),
        "movie_posters": Pack(
            "Movie posters",
            (
                "an adventure movie poster with {trigger} on top of a cliff, dramatic sky",
                "a friendly science fiction movie poster with {trigger} among planets and stars",
                "an old black and white detective movie poster with {trigger}, rain and street lamps",
                "a cheerful animated family movie poster with {trigger}, bold bright colours",
            ),
        ),
        "yearbook": Pack(
            "Yearbook portraits",
            (
                "a classic yearbook portrait of {trigger}, plain blue backdrop, soft studio light",
                "a watercolour portrait of {trigger} on white paper, light brush strokes",
                "a yearbook portrait of {trigger} in a library, warm light",
                "a pencil drawing of {trigger} on cream paper, fine lines",
            ),
        ),
        "storybook": Pack(
            "Storybook",
            (
                "a storybook illustration of {trigger} in an enchanted forest with glowing mushrooms",
                "a storybook illustration of {trigger} sailing in a paper boat on a calm river",
                "a storybook illustration of {trigger} in a hot-air balloon above green hills",
            ),
        ),
    }
)


@dataclass(frozen=True, slots=True)
class PackState:
    """The result of a run: how many were `ordered`, how many are `left`, and why it `stopped` early.

    Pictures that were refused for a reason of their own do not count as left.
    """

    ordered: int
    left: int
    stopped: PauseReason | None


@dataclass(frozen=True, slots=True)
class MissingPicture:
    """A picture of the pack that is to be ordered; `turn` counts from 0 for each LoRA or candidate."""

    lora: Lora
    index: int
    prompt: str
    settings: GenerationSettings
    turn: int


def check_pack(prompts: Sequence[str]) -> tuple[str, ...]:
    """The prompts without extra spaces and empty lines; UserError about the first problem."""
    cleaned = tuple(" ".join(prompt.split()) for prompt in prompts if prompt.strip())
    if not cleaned:
        raise UserError("Please write at least one prompt, each on its own line.")
    if len(cleaned) > PROMPTS_MAX:
        raise UserError(f"A pack has up to {PROMPTS_MAX} prompts; these are {len(cleaned)}. Please leave some out.")
    for number, prompt in enumerate(cleaned, start=1):
        if len(prompt) > PROMPT_MAX:
            raise UserError(
                f"Prompt {number} is {len(prompt)} characters long; up to {PROMPT_MAX} are possible. Please shorten it."
            )
        if re.search(r"[{}]", prompt.replace(TRIGGER, "")):
            raise UserError(
                f"In prompt {number}, only `{TRIGGER}` may stand in braces. Please remove the other braces."
            )
    return cleaned


def fill(prompt: str, trigger: str) -> str:
    """The prompt with `trigger` (the trigger word, else the LoRA's name) in place of TRIGGER."""
    return prompt.replace(TRIGGER, trigger)


class PackRunner:
    """Orders a pack a few pictures at a time. It can be run any number of times: nothing is ordered twice."""

    def __init__(self, database: Database, budget_service: BudgetService) -> None:
        self._database = database
        self._budgets = budget_service
        self._refused: set[tuple[int, int, int]] = set()
        """(event, LoRA, number) of pictures that were refused for a reason of their own; forgotten at a restart."""

    async def run(self, event: Event, limit: int = ORDERED_AT_ONCE) -> PackState:
        """Order at most `limit` missing pictures: the first of every LoRA before the second of any."""
        missing = await self._missing(event)
        stopped: PauseReason | None = None
        ordered = refused = 0
        asked: set[ProviderName] = set()
        for each in missing:
            if ordered == limit or stopped is not None:
                break
            stopped = await self._obstacle(each, asked)
            if stopped is None:
                stopped, was_ordered = await self._order(event, each)
                ordered += was_ordered
                refused += not was_ordered and stopped is None
        return PackState(ordered, len(missing) - ordered - refused, stopped)

    async def _missing(self, event: Event) -> list[MissingPicture]:
        async with self._database.read() as connection:
            there = await generations.ordered_of_pack(connection, event.id)
            if event.mode is EventMode.BAKEOFF:
                rows = [(await loras.get(connection, each.lora_id), each.strength) for each in event.candidates]
            else:
                rows = [(lora, None) for lora in await loras.of_event(connection, event.id)]
            taking_part = {each.user_id for each in await entrants.of_event(connection, event.id)}
        found: list[MissingPicture] = []
        for number, (lora, strength) in enumerate(rows):
            if lora is None or not lora.is_usable:
                continue
            if event.mode is EventMode.PERSONAL and lora.owner_id not in taking_part:
                continue
            offset = number * CANDIDATE_EVERY if event.mode is EventMode.BAKEOFF else 0
            found += self._missing_of(event, lora, strength, offset, there)
        return sorted(found, key=lambda each: (each.turn, each.index, each.lora.id))

    def _missing_of(
        self, event: Event, lora: Lora, strength: float | None, offset: int, there: set[tuple[int, int]]
    ) -> Iterator[MissingPicture]:
        turn = sum((lora.id, offset + number) in there for number in range(len(event.pack)))
        for number, prompt in enumerate(event.pack):
            index = offset + number
            if (lora.id, index) in there or (event.id, lora.id, index) in self._refused:
                continue
            seed = seed_of(event.id, number, None if event.mode is EventMode.BAKEOFF else lora.remote_id)
            settings = GenerationSettings(strength=strength, seed=seed)
            yield MissingPicture(lora, index, fill(prompt, lora.trigger_word or lora.name), settings, turn)
            turn += 1

    async def _obstacle(self, each: MissingPicture, asked: set[ProviderName]) -> PauseReason | None:
        """Why nothing can be ordered at the picture's provider, which is asked once in a run."""
        provider = each.lora.provider
        if provider in asked:
            return None
        asked.add(provider)
        return await self._budgets.obstacle(each.lora.guild_id, provider, self._budgets.prices[provider].picture)

    async def _order(self, event: Event, each: MissingPicture) -> tuple[PauseReason | None, bool]:
        """Order one picture; returns why the run must stop, and whether it was ordered."""
        order = PictureOrder(each.prompt, each.settings, each.lora.id, pack_index=each.index)
        actor = Actor(each.lora.guild_id, each.lora.owner_id)
        try:
            await self._budgets.order(event, order, actor, channel_of(event))
        except BudgetSpent:
            return PauseReason.BUDGET_SPENT, False
        except ServerLimitReached:
            return PauseReason.SERVER_LIMIT, False
        except AlreadyOrdered:
            return None, False
        except NoKey:
            return PauseReason.NO_KEY, False
        except UserError as error:
            match error.__cause__:
                case OutOfCredits():
                    return PauseReason.OUT_OF_CREDITS, False
                case KeyRejected():
                    return PauseReason.NO_KEY, False
            self._refused.add((event.id, each.lora.id, each.index))
            return None, False
        return None, True


def seed_of(event_id: int, prompt_number: int, remote_id: str | None) -> int:
    """The seed for this prompt: always the same for a LoRA, and in a bake-off (None) for all of its candidates."""
    of_lora = "" if remote_id is None else f":{remote_id}"
    return zlib.crc32(f"{event_id}:{prompt_number}{of_lora}".encode()) % (SEED_MAX + 1)
