"""An event in the middle of its life with somebody in every role, for walking through all that each of them may do."""

import itertools
from dataclasses import dataclass, field

import simcord
import sqlalchemy as sa
from simcord.results import InteractionResult, ResponseMessage
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.events.photos.depictions import name_members
from bot.records.dataset import SubjectKind, Upload
from bot.records.event import Event, EventMode, EventStatus
from bot.records.guild import Actor
from bot.records.lora import Audience
from bot.storage import tables
from bot.storage.events.tables import depictions, events
from bot.storage.jobs import datasets, sharing
from tests.cogs.simulated_guild import ACTION_ROW, BUTTON, Stage, board_of
from tests.events.ballot.ballots import World as BallotWorld
from tests.fakes.attachments import make_photo
from tests.fakes.rows import ADMIN, GUILD, OTHER_GUILD, add_dataset, photo
from tests.fakes.studio import Studio

S = EventStatus
HOST, MODERATOR, ENTRANT, FRIEND, MEMBER = 411, 412, 413, 414, 416
DEPICTED = 415_415_415_415_415_415
"""As long as Discord's own, so that no time of day contains it: tests look for it in everything that is shown."""
OTHER_ADMIN, EVENT_HOST = 417, 418
NUMBERS = itertools.count(1)

ROLES = {
    "member": Actor(GUILD, MEMBER),
    "entrant": Actor(GUILD, ENTRANT),
    "depicted": Actor(GUILD, DEPICTED),
    "moderator": Actor(GUILD, MODERATOR),
    "host": Actor(GUILD, HOST),
    "admin": Actor(GUILD, ADMIN, is_admin=True, is_moderator=True),
    "event host": Actor(GUILD, EVENT_HOST, is_event_host=True),
    "stranger": Actor(OTHER_GUILD, 999),
    "event host elsewhere": Actor(OTHER_GUILD, EVENT_HOST, is_event_host=True),
    "other admin": Actor(OTHER_GUILD, OTHER_ADMIN, is_admin=True, is_moderator=True),
    "host elsewhere": Actor(OTHER_GUILD, HOST, is_admin=True, is_moderator=True),
    "entrant elsewhere": Actor(OTHER_GUILD, ENTRANT),
    "depicted elsewhere": Actor(OTHER_GUILD, DEPICTED),
}


@dataclass(eq=False)
class Hands:
    """Press buttons that are old or forged, many of them on one message of each member's own."""

    stage: Stage
    _carriers: dict[simcord.MemberActor, ResponseMessage] = field(default_factory=dict)

    async def press(
        self, member: simcord.MemberActor, custom_id: str, channel: simcord.ChannelHandle | None = None
    ) -> InteractionResult:
        if member not in self._carriers:
            self._carriers[member] = board_of(await self.stage.use(member, "about", channel))
        carrier = self._carriers[member]
        stored = self.stage.world.env.backend.get_message(carrier.channel_id, carrier.id)
        button = {"type": BUTTON, "style": 2, "label": "Old", "custom_id": custom_id, "disabled": False}
        stored.components = [{"type": ACTION_ROW, "components": [button]}]
        return await member.click(carrier, custom_id=custom_id)


@dataclass(frozen=True, slots=True)
class EventWithRoles:
    """An event in which the entrant has given a photo that shows the depicted, made a picture, and entered it."""

    studio: Studio
    event: Event
    photo_id: int
    depiction_id: int
    lora_id: int
    picture_id: int
    entry_id: int
    upload: Upload

    @property
    def id(self) -> int:
        return self.event.id


async def make_event_with_roles(studio: Studio, status: EventStatus, upload: Upload) -> EventWithRoles:
    world = BallotWorld(studio.database, studio.spool, studio.clock, numbers=NUMBERS)
    event = await world.event(
        S.DRAFT if status is S.DRAFT else S.SHOWING,
        name=f"Days number {next(NUMBERS)}",
        mode=EventMode.SHARED,
        subject_kind=SubjectKind.OBJECT,
        host_id=HOST,
        moderator_ids={MODERATOR},
        entrants_min=1,
        pack=("{trigger} at sea",),
        opened_at=None if status is S.DRAFT else studio.clock.now(),
    )
    dataset_id = await add_dataset(
        studio.database, user_id=HOST, event_id=event.id, subject_kind=SubjectKind.OBJECT, name=event.name
    )
    await studio.change(events, event.id, dataset_id=dataset_id)
    await world.join(event, ENTRANT, FRIEND)
    photo_id, depiction_id = await _give(studio, event, dataset_id)
    lora_id = await _lora(studio, event)
    await _picture(world, event, FRIEND, lora_id)
    picture_id = await _picture(world, event, ENTRANT, lora_id)
    entry_id = 0
    if status in {S.VOTING, S.FINISHED}:
        await world.ballots.open_ballot(event)
        entry_id = await world.entry_of(event, ENTRANT)
    if status is not S.DRAFT:
        event = await world.move(event, status)
    return EventWithRoles(studio, event, photo_id, depiction_id, lora_id, picture_id, entry_id, upload)


async def _give(studio: Studio, event: Event, dataset_id: int) -> tuple[int, int]:
    """A photo of the entrant's that shows the depicted: its id, and the question's."""
    file, content, now = studio.spool.new_name(".jpg"), make_photo(1), studio.clock.now()
    studio.spool.path(file).write_bytes(content)

    async def transaction(connection: AsyncConnection) -> tuple[int, int]:
        dataset = await datasets.get(connection, dataset_id)
        assert dataset is not None
        consent_id = await datasets.record_consent(
            connection,
            dataset=dataset,
            policy_version="1",
            photo_hashes=[f"{1:064x}"],
            now=now,
            user_id=ENTRANT,
        )
        given = photo(1, file=file, size=len(content), contributor_id=ENTRANT, consent_id=consent_id)
        photo_id = await datasets.add_photo(connection, dataset_id, given)
        await name_members(connection, event, consent_id, [DEPICTED], giver_id=ENTRANT, now=now)
        named = sa.select(depictions.c.id).where(depictions.c.consent_id == consent_id)
        return photo_id, int((await connection.execute(named)).scalar_one())

    return await studio.database.write(transaction)


async def _picture(world: BallotWorld, event: Event, user_id: int, lora_id: int) -> int:
    """With its file."""
    (picture_id,) = await world.picture(event, user_id, lora_id=lora_id)
    (row,) = await world.rows(sa.select(tables.pictures.c.file).where(tables.pictures.c.id == picture_id))
    world.spool.path(row.file).write_bytes(make_photo(user_id))
    return picture_id


async def _lora(studio: Studio, event: Event) -> int:
    """The event's, of its host, shared with the entrants."""
    lora = await studio.lora(user_id=HOST)
    await studio.change(tables.loras, lora.id, event_id=event.id)

    async def transaction(connection: AsyncConnection) -> None:
        await sharing.share(connection, lora, Audience.EVENT, event.id, by=HOST, now=studio.clock.now())

    await studio.database.write(transaction)
    return lora.id
