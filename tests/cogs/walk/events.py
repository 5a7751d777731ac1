"""The events that every guild of the walk has: one in each of the stages in which something can be seen or done."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bot.generation.order import PictureOrder
from bot.loras.rights import Right
from bot.records.dataset import SubjectKind, Upload
from bot.records.event import Event, EventMode, EventStatus
from bot.services import Services
from bot.storage.events import ballots, events
from tests.cogs.simulated_guild import photo
from tests.cogs.walk.world import Party, Person, Town
from tests.fakes.events import plan_event

SKETCH = "sketch"
"""How the name of every draft begins, so that it can be looked for."""
ROOM = 6
"""Live events of a guild that leave room for those that people on the walk open."""
HOURS = {
    EventStatus.COLLECTING: 24.0,
    EventStatus.REVIEWING: 0.0,
    EventStatus.SHOWING: 24.0,
    EventStatus.VOTING: 24.0,
}
NUMBERS = itertools.count(1)
PHOTOS = 16
"""Photos of the walk that are unlike each other; drawing one takes a while."""


@dataclass(eq=False)
class EventStock:
    """Every text in it holds the canary word of its guild."""

    town: Town

    async def fill(self, party: Party) -> None:
        """Give the guild what it has lost: a draft, and an event in each of the other stages."""
        await self._make_room(party)
        known = await self._events(party)
        there = {(event.mode, event.status) for event in known}
        if not any(event.status is EventStatus.DRAFT and event.name.startswith(SKETCH) for event in known):
            await self._draft(party, EventMode.SHARED, SKETCH)
        if (EventMode.SHARED, EventStatus.COLLECTING) not in there:
            await self._collecting(party)
        if (EventMode.PERSONAL, EventStatus.SHOWING) not in there:
            await self._showing(party)
        if (EventMode.CLUB, EventStatus.COLLECTING) not in there:
            await self._club(party)
        if (EventMode.CLUB, EventStatus.VOTING) not in there:
            await self._voting(party)
        if (EventMode.CLUB, EventStatus.FINISHED) not in there:
            await self._close(await self._voting(party), party)
        await self.town.rest()

    async def _events(self, party: Party) -> Sequence[Event]:
        async with self.town.darkroom.database.read() as connection:
            found = await events.of_guild(connection, party.guild.id)
        return [event for event in found if event.guild_id == party.guild.id]

    async def _make_room(self, party: Party) -> None:
        live = [event for event in await self._events(party) if event.status.is_live]
        for event in live[ROOM:]:
            await self._services.events.cancel(event.id, party.people[0].actor)
        await self.town.rest()

    async def _draft(
        self, party: Party, mode: EventMode, what: str, kind: SubjectKind = SubjectKind.OBJECT, **changes: Any
    ) -> Event:
        admin, word = party.people[0], party.word
        words = {"name": f"{what}{next(NUMBERS)} {word}", "theme": f"theme {word}", "rules": f"rules {word}"}
        event = await plan_event(self._services.events, admin.actor, party.place, mode, kind, **words)
        plain: dict[str, Any] = {"wants_thread": False, "entrants_min": 1, "hours": HOURS}
        if mode is not EventMode.CLUB:
            plain["pack"] = (f"{{trigger}} as a {word}",)
        return await self._services.events.change(event.id, admin.actor, **(plain | changes))

    async def _open(self, event: Event, party: Party) -> Event:
        opened = await self._services.events.open(event.id, party.people[0].actor)
        await self.town.rest()
        return opened

    async def _close(self, event: Event, party: Party) -> None:
        await self._services.events.close(event.id, party.people[0].actor)
        await self.town.rest()

    async def _collecting(self, party: Party) -> None:
        """Run by the admin together with the first member; two have given photos, one of them with the other in it."""
        _, first, second = party.people
        event = await self._draft(party, EventMode.SHARED, "photos", moderator_ids=frozenset({first.member.id}))
        await self._open(event, party)
        await self._give(event, first, depicted=[second.member.id])
        await self._give(event, second)

    async def _showing(self, party: Party) -> None:
        """Two have a character of their own and one picture each."""
        event = await self._open(
            await self._draft(party, EventMode.PERSONAL, "faces", SubjectKind.CHARACTER, photo_cap=3), party
        )
        _, *members = party.people
        for person in members:
            await self._give(event, person)
        await self._close(event, party)
        view = await self._services.events.view(event.id)
        for lora in view.loras if view is not None else ():
            owner = next(person for person in members if person.member.id == lora.owner_id)
            await self._make(event, owner, lora.id)
        await self.town.rest()

    async def _club(self, party: Party) -> Event:
        """Two have joined."""
        admin, *members = party.people
        own = await self._services.loras.among(Right.SHARE, admin.actor)
        fitting = next(lora for lora in own if lora.event_id is None and lora.is_usable)
        event = await self._open(await self._draft(party, EventMode.CLUB, "club", lora_ids=(fitting.id,)), party)
        for person in members:
            await self._services.contributions.join(event.id, person.actor)
        return event

    async def _voting(self, party: Party) -> Event:
        """Two have made a picture each; the admin and the first member have voted for the second one's."""
        event = await self._club(party)
        admin, first, second = party.people
        for person in (first, second):
            await self._make(event, person, event.lora_ids[0])
        await self.town.rest()
        await self._close(event, party)
        async with self.town.darkroom.database.read() as connection:
            entered = await ballots.entries_of(connection, event.id)
        entry = next(each for each in entered if each.user_id == second.member.id)
        for person in (admin, first):
            await self._services.ballots.vote(event.id, entry.id, person.actor)
        await self.town.rest()
        return event

    async def _give(self, event: Event, person: Person, *, depicted: Sequence[int] = ()) -> None:
        number, word = next(NUMBERS), person.party.word
        name, content = f"{word}-{number}.jpg", photo(number % PHOTOS + 1)
        stored = self.town.cdn.store_attachment(number, person.party.channel.id, name, content, None)
        upload = Upload(name, stored["url"], len(content))
        await self._services.contributions.give(event.id, [upload], person.actor, depicted=depicted)
        await self.town.rest()

    async def _make(self, event: Event, person: Person, lora_id: int) -> None:
        order = PictureOrder(f"a {person.party.word} at a party", lora_id=lora_id)
        await self._services.budgets.order(event, order, person.actor, person.party.place)

    @property
    def _services(self) -> Services:
        return self.town.darkroom.services
