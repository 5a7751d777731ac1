"""A picture that comes late goes where the others of its set are, whatever has changed meanwhile."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from bot.records.event import EventMode, EventStatus
from bot.records.generation import Generation, GenerationStatus
from bot.records.guild import Actor, Place, PlaceKind
from bot.records.post import PostKind
from bot.sandbox.rehearsal.faults import Fault
from bot.storage import tables
from bot.storage.events import tables as event_tables
from bot.storage.jobs.tables import lora_previews
from tests.fakes.events import add_event
from tests.fakes.rows import ANNA, CHANNEL, GUILD
from tests.fakes.studio import Studio

P = PostKind
HERE, ALONE = Place(PlaceKind.CHANNEL, CHANNEL), Place(PlaceKind.USER, ANNA)
MAKER = Actor(GUILD, ANNA)
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)


async def begun(studio: Studio, event_id: int | None = None, pack_index: int | None = None) -> Generation:
    """Anna's two pictures: one is there, the other one is not yet."""
    await studio.set_key()
    ordered = await studio.order(await studio.lora(), count=2)
    await studio.change(tables.generations, ordered.id, event_id=event_id, pack_index=pack_index)
    studio.server.faults.next("GET /images/{name}", Fault.answer(404))
    await studio.settle()
    for _ in range(20):
        generation = await studio.generation(ordered.id)
        if generation.status is GenerationStatus.READY:
            assert generation.doubt is not None
            return generation
        await studio.pass_time(2 * SECOND)
    raise AssertionError("they are never ready")


async def end(studio: Studio, generation: Generation) -> None:
    await studio.pass_time(MINUTE)
    assert (await studio.generation(generation.id)).doubt is None


def seen(studio: Studio) -> list[tuple[str, Place]]:
    return [(message.kind, message.place) for message in studio.poster.messages]


@pytest.mark.parametrize(
    ("mode", "pack_index", "expected"),
    [
        (EventMode.CLUB, None, [(P.PICTURES, ALONE), (P.PICTURES_LATE, ALONE)]),
        (EventMode.SHARED, 0, [(P.PICTURES, HERE), (P.PICTURES_LATE, HERE)]),
        (EventMode.BAKEOFF, 0, []),
    ],
)
async def test_although_the_votes_of_its_event_are_counted_meanwhile(
    studio: Studio, mode: EventMode, pack_index: int | None, expected: list[tuple[str, Place]]
) -> None:
    """Mutant: places asked for anew, so that the rest of a secret set is posted with the name of its maker."""
    event = await add_event(studio.database, mode=mode)
    generation = await begun(studio, event.id, pack_index)
    await studio.change(event_tables.events, event.id, status=EventStatus.FINISHED)
    await end(studio, generation)
    assert seen(studio) == expected


@pytest.mark.parametrize(("was_private", "place"), [(True, ALONE), (False, HERE)])
async def test_although_its_maker_prefers_something_else_meanwhile(
    studio: Studio, was_private: bool, place: Place
) -> None:
    await studio.preferences.change(GUILD, ANNA, is_private=was_private)
    generation = await begun(studio)
    await studio.preferences.change(GUILD, ANNA, is_private=not was_private)
    await end(studio, generation)
    assert seen(studio) == [(P.PICTURES, place), (P.PICTURES_LATE, place)]


@pytest.mark.parametrize(("is_closed", "place"), [(False, HERE), (True, ALONE)])
async def test_into_the_channel_in_which_its_maker_shows_the_set(studio: Studio, is_closed: bool, place: Place) -> None:
    """Mutants: without a look at what is shown it can never be seen there; with what the channel refused, too."""
    await studio.preferences.change(GUILD, ANNA, is_private=True)
    generation = await begun(studio)
    studio.poster.closed |= {HERE} if is_closed else set()
    await studio.showing.show_here(generation.id, MAKER)
    await studio.settle()
    studio.poster.closed.clear()
    await end(studio, generation)
    shown = [] if is_closed else [(P.PICTURES_SHOWN, HERE)]
    assert seen(studio) == [(P.PICTURES, ALONE), *shown, (P.PICTURES_LATE, place)]


async def test_to_its_maker_when_the_channel_refused_the_others(studio: Studio) -> None:
    """Mutant: all places of the set from the first on."""
    studio.poster.closed.add(HERE)
    generation = await begun(studio)
    studio.poster.closed.clear()
    await end(studio, generation)
    assert seen(studio) == [(P.PICTURES, ALONE), (P.PICTURES_LATE, ALONE)]


async def test_the_channel_that_gets_only_the_late_one_gives_only_that_a_preview(studio: Studio) -> None:
    """Mutant: with the place of any of its posts, the other picture of the private set is shown to everybody, too."""
    await studio.preferences.change(GUILD, ANNA, is_private=True)
    generation = await begun(studio)
    studio.poster.closed.add(ALONE)
    await end(studio, generation)
    assert seen(studio) == [(P.PICTURES, ALONE), (P.PICTURES_LATE, HERE)]
    [position] = (await studio.generation(generation.id)).late
    made = sa.select(tables.pictures.c.file).where(tables.pictures.c.position == position)
    late = await studio.scalars(made)
    await studio.pass_time(studio.timings.pictures_kept)
    assert await studio.scalars(sa.select(lora_previews.c.file)) == late
