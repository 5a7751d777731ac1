"""Posts that go into a channel which is not age-restricted come without explicit pictures, and not without the rest."""

import discord
import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.records.event import AnnouncementKind, EventMode, EventStatus
from bot.records.guild import Actor, Place, PlaceKind
from bot.records.moderation import ApprovalStatus, Purpose
from bot.records.post import PostKind
from bot.services import build_services
from bot.storage import tables
from bot.storage.events import events
from bot.storage.events import tables as event_tables
from bot.storage.jobs import generations, posts
from bot.storage.people import approvals
from cogs.adapters import rendering
from cogs.adapters.kept_files import named_files
from cogs.adapters.staff import NOT_HERE
from tests.events.yearbook.yearbooks import add_picture
from tests.fakes.clock import NOON
from tests.fakes.events import add_entrants, add_event, change_event
from tests.fakes.rows import ANNA, CHANNEL, GUILD
from tests.fakes.studio import Studio

MAKER = Actor(GUILD, ANNA)
NUDE, FOX = "a nude", "a fox"


async def put(connection: AsyncConnection, kind: PostKind, subject_id: int) -> None:
    places = [Place(PlaceKind.CHANNEL, CHANNEL)]
    await posts.add(connection, kind, subject_id, guild_id=GUILD, user_id=ANNA, places=places, now=NOON)


async def draft_of(
    studio: Studio, kind: PostKind, subject_id: int, *, takes_explicit: bool = False
) -> tuple[list[str], str]:
    """(names of the files, text of the card) as it would be sent now; the card shows these files alone."""
    async with studio.database.read() as connection:
        post = await posts.find(connection, kind, subject_id)
    assert post is not None
    services = build_services(studio.opened)
    async for card, files in rendering.drafts(
        services, post, 8_000_000, guild_name="", is_private=False, takes_explicit=takes_explicit
    ):
        names = [name for name, _ in files]
        assert named_files(card) == set(names)
        said = [part.content for part in card.walk_children() if isinstance(part, discord.ui.TextDisplay)]
        return names, "\n".join(said)
    pytest.fail("no draft")


async def describe(studio: Studio, prompt: str) -> None:
    """What the only picture was made of."""
    [made] = await studio.scalars(sa.select(tables.generations.c.id))
    await studio.change(tables.generations, made, prompt=prompt)


async def test_moderators_are_asked_also_where_the_picture_must_not_be_shown(studio: Studio) -> None:
    """Mutant: the copy goes into the reports channel, whatever that is."""
    event = await add_event(studio.database, mode=EventMode.CLUB)
    picture_id = await add_picture(studio, event)

    async def ask(connection: AsyncConnection) -> int:
        picture = await generations.get_picture(connection, picture_id)
        assert picture is not None
        asked = await approvals.add(connection, picture, Purpose.BALLOT, MAKER, ApprovalStatus.WAITING, now=NOON)
        await put(connection, PostKind.APPROVAL, asked)
        return asked

    asked = await studio.database.write(ask)
    copy = [f"approval-{asked}.jpg"]
    for prompt, takes_explicit, shown in ((FOX, False, copy), (NUDE, True, copy), (NUDE, False, [])):
        await describe(studio, prompt)
        names, text = await draft_of(studio, PostKind.APPROVAL, asked, takes_explicit=takes_explicit)
        assert names == shown
        assert "May this picture go" in text
        assert (NOT_HERE in text) is not bool(shown)


async def test_ballot_and_winner_are_posted_without_an_explicit_picture(studio: Studio) -> None:
    """Mutants: `_ballot_entry` without `explicit`; `_winning_pictures` without `is_explicit`."""
    event = await add_event(studio.database, mode=EventMode.CLUB)
    await add_entrants(studio.database, event, ANNA)
    await add_picture(studio, event, prompt=FOX)
    assert await studio.ballots.open_ballot(event) == 1
    event = await change_event(studio.database, event, status=EventStatus.VOTING)
    await studio.database.write(lambda connection: put(connection, PostKind.EVENT_BALLOT, event.id))
    for prompt, shown in ((FOX, [f"ballot-{event.id}-1-1.jpg"]), (NUDE, [])):
        await describe(studio, prompt)
        names, text = await draft_of(studio, PostKind.EVENT_BALLOT, event.id)
        assert names == shown
        assert "The ballot of" in text
        [entry] = await studio.ballots.entries(event.id, MAKER)
        assert [picture.file is not None for picture in entry.pictures] == [bool(shown)]
    await studio.ballots.count(event)
    event = await change_event(studio.database, event, status=EventStatus.FINISHED)
    await studio.database.write(
        lambda connection: events.announce(connection, event, AnnouncementKind.WINNER, now=NOON)
    )
    [announced] = await studio.scalars(sa.select(event_tables.announcements.c.id))
    for prompt, count in ((FOX, 1), (NUDE, 0)):
        await describe(studio, prompt)
        names, text = await draft_of(studio, PostKind.EVENT_ANNOUNCEMENT, announced)
        assert len(names) == count
        assert f"<@{ANNA}>" in text
