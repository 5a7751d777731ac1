"""What a member does with Darkroom, as a person would: again, when nothing came back, until it is accepted."""

import contextlib
import io
import random
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

from PIL import Image

from tests.wire.discord.interactions import InteractionHandle
from tests.wire.discord.messages import StoredMessage
from tests.wire.discord.modals import Filling
from tests.wire.discord.standin import DiscordStandin
from tests.wire.discord.world import Channel, Person

ACCEPTED = re.compile(r"Accepted #(\d+)")
CONSENT = "Everyone in the photos agrees and is 18+"
TRIES = 100


def small_photos(count: int = 15, side: int = 256, first: int = 0) -> list[tuple[str, bytes]]:
    """Distinct photos just large enough to be accepted; bright noise that compresses quickly."""
    photos = []
    for number in range(first, first + count):
        rng = random.Random(number)
        tiny = Image.frombytes("RGB", (12, 12), rng.randbytes(12 * 12 * 3))
        buffer = io.BytesIO()
        tiny.resize((side, side), Image.Resampling.NEAREST).save(buffer, "JPEG", quality=70)
        photos.append((f"photo-{number:02}.jpg", buffer.getvalue()))
    return photos


@dataclass(eq=False)
class Member:
    """Actions that a killed bot left unanswered are done again; `tries` counts all of them."""

    standin: DiscordStandin
    person: Person
    channel: Channel
    photos: list[tuple[str, bytes]]
    life: Callable[[], int] = lambda: 0
    """The number of the bot's present life; it changes when the bot is killed."""
    tries: int = 0
    succeeded_at_try: int = 0
    acted_in: int = 0
    """The life that got the last action."""
    heard: str = "nothing"
    """What the last answer said."""
    unanswered: list[str] = field(default_factory=list)
    """What a living bot left without an answer."""

    def succeeded(self) -> None:
        """What they wanted came about; the next thing may take as many tries again."""
        self.succeeded_at_try = self.tries

    async def train(self, name: str) -> int:
        """The number of the training that was accepted under this name."""
        while True:
            board = await self._board(name)
            if board is not None:
                number = await self.start(board)
                self.succeeded()
                return number

    async def imagine(self, ready: StoredMessage, prompt: str) -> tuple[int, str]:
        """The number of the pictures that were accepted, and the prompt of the try that was."""
        while True:
            tag = f"{prompt} try{self.tries}"
            opened = await self.act(partial(self.standin.click, ready, "Make the", user=self.person))
            message = await self.read(await self.submit(opened, {"Prompt": tag}))
            if message is not None and (found := ACCEPTED.search(message.text)):
                self.succeeded()
                return int(found[1]), tag

    async def fill_in(self, name: str) -> InteractionHandle | None:
        """/train and its form; the submitted form's interaction once it was acknowledged."""
        opened = await self.act(partial(self.standin.slash, self.person, self.channel, "train", {"subject": "object"}))
        return await self.submit(
            opened, {"Name": name, "Photos": self.photos[:10], "More photos (2)": self.photos[10:], CONSENT: True}
        )

    async def start(self, board: StoredMessage) -> int:
        """Press until the board says that it was accepted; pressing twice starts once."""
        while True:
            await self.until_connected()
            if found := ACCEPTED.search(board.text):
                return int(found[1])
            await self.act(partial(self.standin.click, board, "Start training", user=self.person))

    async def _board(self, name: str) -> StoredMessage | None:
        board = await self.read(await self.fill_in(name))
        return board if board is not None and self.offers(board, "Start training") else None

    @staticmethod
    def offers(message: StoredMessage, label: str) -> bool:
        return any(each.startswith(label) for each in message.labels)

    async def submit(self, opened: InteractionHandle | None, values: Mapping[str, Filling]) -> InteractionHandle | None:
        """A form belongs to the life that opened it; after that one nobody answers, and it has to be opened again."""
        opened_in = self.acted_in
        await self.until_connected()
        if opened is None or opened.modal is None or self.life() != opened_in:
            return None
        return await self.act(partial(self.standin.submit_modal, opened, values))

    async def act(self, action: Callable[[], Awaitable[InteractionHandle]]) -> InteractionHandle | None:
        """Do it when a bot is there, and wait for its answer; None when there was none."""
        self.tries += 1
        if self.tries > self.succeeded_at_try + TRIES:
            raise AssertionError(f"{self.person.name} gave up after {TRIES} tries; heard last: {self.heard}")
        await self.until_connected()
        self.acted_in = self.life()
        handle = await action()
        if not await self.is_there(lambda: handle.callback is not None):
            self.unanswered.append(f"{self.person.name} got no answer to {handle.kind.name} in life {self.acted_in}")
        if handle.original_message is not None:
            self.heard = handle.original_message.text
        return handle if handle.callback is not None else None

    async def read(self, handle: InteractionHandle | None) -> StoredMessage | None:
        """The message that answers it, once it no longer says "thinking"; None when a kill came before it."""
        message = None if handle is None else handle.original_message
        if message is None:
            return None
        if not await self.is_there(lambda: not message.is_loading):
            self.unanswered.append(f"{self.person.name} was left waiting in life {self.acted_in}")
        return None if message.is_loading else message

    async def is_there(self, predicate: Callable[[], object]) -> bool:
        """False when a bot that is alive leaves it open; one that died meanwhile is excused."""
        with contextlib.suppress(AssertionError):
            await self._until(lambda: predicate() or self.life() != self.acted_in, "an answer")
        return bool(predicate()) or self.life() != self.acted_in

    async def until_connected(self) -> None:
        await self._until(lambda: self.standin.gateway.connected, "a bot at the gateway")

    async def _until(self, predicate: Callable[[], object], what: str) -> None:
        await self.standin.until(predicate, f"{what} for {self.person.name}")
