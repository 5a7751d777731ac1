"""What a member does with Darkroom, as a person would: again, when nothing came back, until it is accepted."""

import io
import random
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from PIL import Image

from tests.wire.interactions import InteractionHandle
from tests.wire.messages import StoredMessage
from tests.wire.standin import DiscordStandin
from tests.wire.world import Channel, Person

ACCEPTED = re.compile(r"Accepted #(\d+)")
CONSENT = "Everyone in the photos agrees and is 18+"
TRIES = 100
ANSWER_S = 10.0


def small_photos(count: int = 15, side: int = 256) -> list[tuple[str, bytes]]:
    """Distinct photos just large enough to be accepted; bright noise that compresses quickly."""
    photos = []
    for number in range(count):
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
    accepted_at_try: int = 0

    async def train(self, name: str) -> int:
        """The number of the training that was accepted under this name."""
        while True:
            board = await self._board(name)
            if board is not None:
                number = await self._start(board)
                self.accepted_at_try = self.tries
                return number

    async def imagine(self, ready: StoredMessage, prompt: str) -> tuple[int, str]:
        """The number of the pictures that were accepted, and the prompt of the try that was."""
        while True:
            tag = f"{prompt} try{self.tries}"
            opened = await self._act(lambda: self.standin.click(ready, "Make the first picture", user=self.person))
            if opened is None or opened.modal is None:
                continue
            answer = await self._act(lambda: self.standin.submit_modal(opened, {"Prompt": tag}))
            message = answer.original_message if answer is not None else None
            if message is not None and (found := ACCEPTED.search(message.text)):
                self.accepted_at_try = self.tries
                return int(found[1]), tag

    async def _board(self, name: str) -> StoredMessage | None:
        subject = {"subject": "object"}
        opened = await self._act(lambda: self.standin.slash(self.person, self.channel, "train", subject))
        if opened is None or opened.modal is None:
            return None
        filled = {"Name": name, "Photos": self.photos[:10], "More photos (2)": self.photos[10:], CONSENT: True}
        submitted = await self._act(lambda: self.standin.submit_modal(opened, filled))
        if submitted is None or submitted.original_message is None:
            return None
        board, life = submitted.original_message, self.life()
        await self._until(lambda: not board.is_loading or self.life() != life, "the board")
        return board if any(label.startswith("Start training") for label in board.labels) else None

    async def _start(self, board: StoredMessage) -> int:
        """Press until the board says that it was accepted; pressing twice starts once."""
        while True:
            if found := ACCEPTED.search(board.text):
                return int(found[1])
            await self._act(lambda: self.standin.click(board, "Start training", user=self.person))

    async def _act(self, action: Callable[[], Awaitable[InteractionHandle]]) -> InteractionHandle | None:
        """Do it when a bot is there, and wait for its answer; None when there was none."""
        self.tries += 1
        if self.tries > self.accepted_at_try + TRIES:
            raise AssertionError(f"{self.person.name} gave up after {TRIES} tries")
        await self._until(lambda: self.standin.gateway.connected, "a bot at the gateway")
        life = self.life()
        handle = await action()
        await self._until(lambda: handle.callback is not None or self.life() != life, "an answer")
        return handle if handle.callback is not None else None

    async def _until(self, predicate: Callable[[], object], what: str) -> None:
        await self.standin.until(predicate, f"{what} for {self.person.name}", ANSWER_S)
