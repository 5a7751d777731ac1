"""T20: members of two servers give photos to their events at once, faster than photos can be judged."""

import asyncio
import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from statistics import mean
from types import SimpleNamespace
from typing import Any, cast

import discord
import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.datasets.queue import FairQueue
from bot.photos.intake import Received
from bot.records.dataset import Photo, Upload
from bot.records.event import Event
from bot.records.guild import Actor
from bot.storage.money.slots import SlotQueue, waiting
from bot.training import service as trainings
from cogs.events.member import giving
from cogs.events.member.giving import FILES_EACH, GiveForm
from cogs.training.cards import status_line
from cogs.ui import replies, views
from cogs.ui.replies import Interaction
from tests.events.photo_givers import open_event, photos_of
from tests.fakes.attachments import Attachments, open_attachments
from tests.fakes.rows import GUILD, OTHER_GUILD
from tests.fakes.studio import Studio
from tests.photos.sample_photos import encode, noise
from tests.trust.photos.temporary import temporary_files_counted
from tests.trust.row import Row, Score
from tests.trust.studios import fresh_studio

ANSWER_WITHIN = timedelta(seconds=3)
JUDGING = timedelta(milliseconds=250)
"""What a photo takes of the simulated time, as on a slow machine."""
PHOTOS = 12
FIRST_MEMBER, HOG = 5000, 4999


async def stampede(members: int, seed: int) -> Score:
    score, dice = Score(), random.Random(seed)
    with temporary_files_counted(score):
        async with fresh_studio() as studio, open_attachments() as attachments:
            crowd = Crowd(studio, attachments, score, dice)
            await crowd.open_events()
            await crowd.give_all(members)
            await crowd.check(members)
            await queue_for_training(score, studio, dice)
    return score


async def nobody_is_refused(_: Interaction) -> None:
    return None


@dataclass
class Pressed:
    """What of an interaction the form asks for; it notes when it was answered."""

    studio: Studio
    user_id: int
    guild_id: int
    opened_at: datetime
    answered_at: datetime | None = None
    cards: list[discord.ui.LayoutView] = field(default_factory=list)
    guild: None = None
    channel: None = None
    permissions: discord.Permissions = field(default_factory=discord.Permissions)
    extras: dict[str, Any] = field(default_factory=dict)

    @property
    def client(self) -> SimpleNamespace:
        return SimpleNamespace(services=self.studio, admit=nobody_is_refused)

    @property
    def user(self) -> SimpleNamespace:
        return SimpleNamespace(id=self.user_id)

    @property
    def response(self) -> "Pressed":
        return self

    def is_done(self) -> bool:
        return self.answered_at is not None

    async def defer(self, **_: Any) -> None:
        self.answered_at = self.studio.clock.now()

    async def edit_original_response(self, *, view: discord.ui.LayoutView, attachments: list[discord.File]) -> None:
        self.cards.append(view)


@dataclass(slots=True)
class Turn:
    """`asked_at` and `begun_at` count the turns that had begun before."""

    member: int
    guild_id: int
    asked_at: int
    begun_at: int | None = None
    is_alone: bool = True


class Crowd:
    def __init__(self, studio: Studio, attachments: Attachments, score: Score, dice: random.Random) -> None:
        self.studio, self.attachments, self.score, self.dice = studio, attachments, score, dice
        self.events: dict[int, Event] = {}
        self.turns: list[Turn] = []
        self.begun: list[int] = []
        self._base = [encode(noise(300, 260, seed), "JPEG", quality=40) for seed in range(PHOTOS)]

    async def open_events(self) -> None:
        for guild_id in (GUILD, OTHER_GUILD):
            self.events[guild_id] = await open_event(self.studio, guild_id=guild_id, photo_cap=PHOTOS)
        examine, give = self.studio.opened.pool.examine, self.studio.contributions.give

        async def judged(received: Received, name: str) -> Photo:
            photo = await examine(received, name)
            self.studio.clock.advance(JUDGING)
            return photo

        async def begun(event_id: int, uploads: list[Upload], actor: Actor, **how: Any) -> Any:
            turn = next(each for each in self.turns if each.member == actor.user_id and each.begun_at is None)
            turn.begun_at = len(self.begun)
            self.begun.append(actor.user_id)
            return await give(event_id, uploads, actor, **how)

        self.studio.opened.pool.examine = judged  # type: ignore[method-assign]
        self.studio.contributions.give = begun  # type: ignore[method-assign, assignment]

    async def give_all(self, members: int) -> None:
        """One sends six forms in one moment; the others come one after the other, before those are worked on."""
        start = self.studio.clock.now()
        people = [(FIRST_MEMBER + number, OTHER_GUILD if number % 5 == 0 else GUILD) for number in range(members)]
        self.dice.shuffle(people)

        async def come(number: int, member: int, guild_id: int) -> None:
            await self.studio.clock.wait(asyncio.Event(), start + JUDGING * PHOTOS * number / 3)
            photos = self._photos_of(member)
            for form in (photos[:FILES_EACH], photos[FILES_EACH:]):
                await self._send(member, guild_id, form)

        hogs = self._photos_of(HOG)
        await asyncio.gather(
            *(self._send(HOG, GUILD, hogs[at : at + 2]) for at in range(0, PHOTOS, 2)),
            *(come(number, *person) for number, person in enumerate(people)),
        )

    def _photos_of(self, member: int) -> list[Upload]:
        """The same pictures as files of their own."""
        return [
            self.attachments.add(f"photo-{number}.jpg", content + f"member {member}".encode())
            for number, content in enumerate(self._base)
        ]

    async def _send(self, member: int, guild_id: int, photos: list[Upload]) -> None:
        own = await self.studio.contributions.mine(self.events[guild_id].id, Actor(guild_id, member))
        form = GiveForm(own, self.studio.timings.event_photos_kept)
        files = [SimpleNamespace(title=None, filename=each.name, url=each.url, size=each.size) for each in photos]
        form.uploads[0]._values = cast("list[discord.Attachment]", files)
        assert form.consent is not None
        form.consent._value = True
        pressed = Pressed(self.studio, member, guild_id, self.studio.clock.now())
        waiting = {turn.member for turn in self.turns if turn.begun_at is None}
        self.turns.append(Turn(member, guild_id, len(self.begun), is_alone=member not in waiting))
        await form.on_submit(cast("Interaction", pressed))
        answered_at = pressed.answered_at or self.studio.clock.now()
        self.score.tried += 1
        self.score.fired["forms sent"] += 1
        self.score.bad["answered later than Discord waits"] += answered_at - pressed.opened_at > ANSWER_WITHIN
        self.score.bad["no card at the end"] += len(pressed.cards) != 1

    async def check(self, members: int) -> None:
        waits: dict[int, list[int]] = {GUILD: [], OTHER_GUILD: []}
        for turn in self.turns:
            assert turn.begun_at is not None
            between = Counter(self.begun[turn.asked_at : turn.begun_at])
            waits[turn.guild_id].append(turn.begun_at - turn.asked_at)
            self.score.fired["waited for others"] += len(between) > 1
            if turn.is_alone:
                del between[turn.member]
                self.score.bad["somebody went twice before a member's turn"] += max(between.values(), default=0) > 1
        average = mean(wait for each in waits.values() for wait in each)
        self.score.bad["a server waited more than twice as long"] += sum(mean(w) > 2 * average for w in waits.values())
        stored = sum([len(await photos_of(self.studio, event)) for event in self.events.values()])
        self.score.bad["photos that were not judged"] += stored != PHOTOS * (members + 1)


async def queue_for_training(score: Score, studio: Studio, dice: random.Random) -> None:
    """More trainings than the key has slots. One member has several, so the others go before: as they are shown."""
    await studio.set_key()
    one = FIRST_MEMBER
    alone = list(range(FIRST_MEMBER + 1, FIRST_MEMBER + 31))
    later = [*alone[7:], one]
    dice.shuffle(later)
    jobs = [await studio.begin(user_id=user_id) for user_id in (one, one, one, *alone[:7], one, *later)]
    await studio.settle()
    while places := await _places(score, studio, [job.id for job in jobs]):
        for job in jobs:
            request_id = (await studio.training(job.id)).request_id
            if request_id is not None and job.user_id != one:
                studio.finish_at_provider(request_id)
        await studio.pass_time(studio.timings.poll)
        started = {job.id for job in jobs if job.id in places and (await studio.training(job.id)).request_id}
        score.tried += len(started)
        score.bad["nobody begins"] += not started
        score.bad["not begun in the order of the places"] += {places[each] for each in started} != set(
            range(1, len(started) + 1)
        )
        if not started:
            return


async def _places(score: Score, studio: Studio, trainings: list[int]) -> dict[int, int]:
    """Of those that wait, each as its member sees it."""
    places = {}
    for training_id in trainings:
        view = await studio.trainings.view(training_id)
        if view is not None and view.place is not None:
            places[training_id] = view.place
            score.bad["a place that is not shown"] += f"place **{view.place}** in the queue" not in status_line(view)
    score.bad["a place twice, or left out"] += sorted(places.values()) != list(range(1, len(places) + 1))
    score.fired["a place in the queue shown"] += len(places)
    return places


def first_come_first_served(patch: pytest.MonkeyPatch) -> None:
    """One line for everybody: who sends six forms at once has six turns before the next member."""
    take, give_back = FairQueue._take, FairQueue._give_back
    patch.setattr(FairQueue, "_take", lambda self, _member: take(self, 0))
    patch.setattr(FairQueue, "_give_back", lambda self, _member: give_back(self, 0))


def answer_when_it_is_done(patch: pytest.MonkeyPatch) -> None:
    order = giving.take_order

    async def later(_: Interaction) -> None:
        return None

    async def take_order(interaction: Interaction, given: giving.GiveOrder) -> None:
        async with interaction.client.services.contributions.queue(interaction.user.id):
            await replies.defer(interaction)
        await order(interaction, given)

    patch.setattr(views, "defer", later)
    patch.setattr(giving, "take_order", take_order)


def show_the_place_by_age(patch: pytest.MonkeyPatch) -> None:
    async def place(connection: AsyncConnection, job_id: int, key_id: int, queue: SlotQueue) -> int | None:
        ids = [job.job_id for job in await waiting(connection, queue, key_id)]
        return ids.index(job_id) + 1 if job_id in ids else None

    patch.setattr(trainings, "place_of", place)


ROW = Row(
    "T20",
    "stampede at two events",
    "no answer after 3 s, turns one by one, the place shown holds",
    (8, 500),
    ("forms sent", "waited for others", "a place in the queue shown"),
    stampede,
    (first_come_first_served, answer_when_it_is_done, show_the_place_by_age),
)
