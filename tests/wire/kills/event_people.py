"""A whole event as its people live it, each step done again as long as its effect cannot be seen."""

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from bot.records.post import PostKind
from tests.fakes.posted import card_ids, id_in, kind_in
from tests.wire.discord.interactions import InteractionHandle
from tests.wire.discord.messages import StoredMessage
from tests.wire.discord.modals import Filling
from tests.wire.kills.ledger import PartyBooks, posts_in
from tests.wire.kills.persistent_member import ACCEPTED, Member
from tests.wire.kills.rig import KILLED_FOR_S, Rig

PHOTOS_EACH = 8
AGREED = "I agree to what is written above"
PROMPTS = ("{trigger} at the beach of ", "{trigger} in the snow of ")
VOTE = re.compile(r"^Vote for number \d+")
VOTED = "Your vote is for"
COLLECTING, REVIEWING = "Photos are being collected", "Photos are being looked through"
SHOWING, VOTING = "Pictures are being made", "Voting"
"""Stages as the host's card calls them."""
HEADLINES = {
    COLLECTING: "Photos are being collected",
    REVIEWING: "The photos are being looked through",
    SHOWING: "Pictures are being made",
    VOTING: "The ballot is open",
}
"""The same stages on the panel."""
CLOSING = "Closing."
"""On both, while the bot has not moved the event on."""
OVER = "This event is over"
POST_IT = "Post it for everybody"


@dataclass(eq=False)
class Party:
    """An event of one LoRA for all; `guests` give photos, make a picture each and vote, `host` ends every stage."""

    rig: Rig
    name: str
    host: Member
    guests: Sequence[Member]

    async def hold(self) -> None:
        board = await self._plan()
        await self._set_up(board)
        books = self.rig.promises.parties[self._number] = PartyBooks(self.name)
        await asyncio.gather(*(self._give(guest) for guest in self.guests))
        await self._close(COLLECTING)
        await self._close(REVIEWING)
        await self._until_panel(HEADLINES[SHOWING])
        await asyncio.gather(*(self._take_part(guest) for guest in self.guests))
        await self._close(SHOWING)
        await self._until_panel(HEADLINES[VOTING])
        await asyncio.gather(*(self._vote(guest) for guest in self.guests))
        books.votes = len(self.guests)
        await self._close(VOTING)
        await self._until_panel(OVER)
        await self._post_yearbook()

    @property
    def _panel(self) -> StoredMessage:
        return self._panels()[0]

    @property
    def _number(self) -> int:
        panel, cards = id_in(self._panel.components), card_ids(self.rig.database)
        (number,) = [number for (_, number), card in cards.items() if card == panel]
        return number

    def _panels(self) -> list[StoredMessage]:
        ours = [each for each in self.rig.messages if self.name in each.text]
        return [each for each in ours if kind_in(each.components) is PostKind.EVENT_PANEL]

    async def _plan(self) -> StoredMessage:
        """The settings of a new event; a plan whose settings were never shown is left lying."""
        form = {
            "Name": self.name,
            "Theme": "Our little fox",
            "What comes out of it": "shared",
            "What the photos show": "object",
        }
        while True:
            asked = await self._slash("event create")
            board = await self.host.read(await self.host.submit(asked, form))
            if board is not None and "Settings of" in board.text:
                self.host.succeeded()
                return board

    async def _set_up(self, board: StoredMessage) -> None:
        """From the settings to an open event whose panel can be seen."""
        prompts = "\n".join(prompt + self.name for prompt in PROMPTS)
        numbers = {"Own pictures per member": "20", "Budget in credits": "5000"}
        await self._press(board, "Pictures and budget", lambda: "Own prompts" in board.labels)
        await self._press(board, "Own prompts", lambda: f"snow of {self.name}" in board.text, {"Prompts": prompts})
        await self._press(board, "Numbers and budget", lambda: "per member:** 20" in board.text, numbers)
        await self._press(board, "Check and open", lambda: "is ready" in board.text)
        await self._press(board, "Open now", lambda: self._panels() or "Open now" not in board.labels)
        await self._until_panel(HEADLINES[COLLECTING])

    async def _press(
        self, board: StoredMessage, label: str, is_done: Callable[[], object], form: Mapping[str, Filling] | None = None
    ) -> None:
        """What a kill left half done goes on when the bot is back, so the host looks only then."""
        while True:
            await self.host.until_connected()
            if is_done():
                self.host.succeeded()
                return
            pressed = await self.host.act(partial(self.rig.standin.click, board, label, user=self.host.person))
            if form is not None:
                pressed = await self.host.submit(pressed, form)
            if pressed is not None and not await self.host.is_there(is_done):
                self.host.unanswered.append(f"{label} had no effect in life {self.host.acted_in}")

    async def _give(self, guest: Member) -> None:
        """Until the card of their photos shows that all are in."""
        photos: dict[str, Filling] = {"Photos": guest.photos[:PHOTOS_EACH], AGREED: True}
        while True:
            card = await guest.read(await self._click(guest, "My photos"))
            if card is not None and f"**{PHOTOS_EACH} of " in card.text:
                guest.succeeded()
                return
            if card is not None:
                await guest.read(await guest.submit(await self._click(guest, "Give photos"), photos))

    async def _take_part(self, guest: Member) -> None:
        """A picture of their own, accepted, posted and entered."""
        number, prompt = await self._order(guest)
        self.rig.promises.pictures[number] = prompt
        posted = await self.rig.post(PostKind.PICTURES, number, KILLED_FOR_S)
        while True:
            click = partial(self.rig.standin.click, posted, "Enter in event", user=guest.person)
            answer = await guest.read(await guest.act(click))
            if answer is not None and "Entered." in answer.text:
                guest.succeeded()
                return

    async def _order(self, guest: Member) -> tuple[int, str]:
        while True:
            prompt = f"{guest.person.name} on a boat of {self.name} try{guest.tries}"
            opened = await self._click(guest, "Make a picture")
            answer = await guest.read(await guest.submit(opened, {"Prompt": prompt}))
            if answer is not None and (found := ACCEPTED.search(answer.text)):
                guest.succeeded()
                return int(found[1]), prompt

    async def _vote(self, guest: Member) -> None:
        while not await self._try_to_vote(guest):
            continue
        guest.succeeded()

    async def _try_to_vote(self, guest: Member) -> bool:
        """For the first entry that is not their own; whether they can read that it counts."""
        pages = await guest.read(await self._click(guest, "Vote"))
        if pages is None:
            return False
        label = next((label for label in pages.labels if VOTE.match(label)), None)
        if label is not None:
            await guest.act(partial(self.rig.standin.click, pages, label, user=guest.person))
            await guest.is_there(lambda: VOTED in pages.text)
        return VOTED in pages.text

    async def _close(self, stage: str) -> None:
        """The host looks how the event stands, and ends this stage as long as it goes on."""
        while True:
            card = await self.host.read(await self._slash("event status", {"event": str(self._number)}))
            if card is not None and not any(f"**{here}" in card.text for here in (stage, CLOSING)):
                self.host.succeeded()
                return
            if card is not None:
                for label in ("Close now", "Yes, close it"):
                    if label in card.labels:
                        await self._press_in_place(card, label)
                await self.host.is_there(
                    lambda: not any(here in self._panel.text for here in (HEADLINES[stage], CLOSING))
                )

    async def _post_yearbook(self) -> None:
        """For everybody; the host asks for it until it stands there."""
        while not self._yearbooks():
            card = await self.host.read(await self._click(self.host, "Yearbook"))
            if card is not None and POST_IT in card.labels:
                await self.host.act(partial(self.rig.standin.click, card, POST_IT, user=self.host.person))
            await self.host.is_there(self._yearbooks)
        self.host.succeeded()

    def _yearbooks(self) -> int:
        card = card_ids(self.rig.database).get((PostKind.EVENT_YEARBOOK, self._number))
        return posts_in(self.rig.messages)[card]

    async def _press_in_place(self, card: StoredMessage, label: str) -> None:
        """A button whose answer takes the place of its card."""
        await self.host.act(partial(self.rig.standin.click, card, label, user=self.host.person))
        await self.host.is_there(lambda: label not in card.labels)

    async def _slash(self, command: str, options: Mapping[str, str] | None = None) -> InteractionHandle | None:
        return await self.host.act(
            partial(self.rig.standin.slash, self.host.person, self.rig.channel, command, options)
        )

    async def _click(self, guest: Member, label: str) -> InteractionHandle | None:
        return await guest.act(partial(self.rig.standin.click, self._panel, label, user=guest.person))

    async def _until_panel(self, text: str) -> None:
        await self.rig.standin.until(
            lambda: any(text in each.text for each in self._panels()), f"{text}: {self.name}", KILLED_FOR_S
        )
