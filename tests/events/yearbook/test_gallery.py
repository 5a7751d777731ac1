"""A gallery on the web: empty until people agree, and nobody's picture stays in it a moment longer than they want."""

import functools
import io
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa
from PIL import Image

from bot.errors import NotAllowed, NotFound, UserError
from bot.events.yearbook.service import LEAST_LIMIT
from bot.records.dataset import ConsentKind, SubjectKind
from bot.records.event import EntrantStatus, Event, EventStatus
from bot.records.guild import Actor
from bot.records.job import LaneName
from bot.records.moderation import Purpose
from bot.storage import tables
from bot.storage.events import galleries as rows
from bot.storage.events import tables as event_tables
from bot.storage.events import yearbook
from bot.storage.jobs import datasets, imports, loras
from tests.events.yearbook.yearbooks import HOST, add_event_lora, add_picture, finished_event, judged, noise
from tests.fakes.clock import NOON
from tests.fakes.events import add_entrants
from tests.fakes.rows import ANNA, BEN, GUILD, OTHER_GUILD, add_dataset, add_training
from tests.fakes.studio import TRAINS_IN, Studio

THE_HOST, HER, HIM = Actor(GUILD, HOST), Actor(GUILD, ANNA), Actor(GUILD, BEN)


@pytest.fixture
async def event(studio: Studio) -> Event:
    """Anna and Ben have each made one picture."""
    studio.public_url = "https://bot.example.org"
    event = await finished_event(studio)
    for user_id in (ANNA, BEN):
        await add_entrants(studio.database, event, user_id)
        await add_picture(studio, event, noise(user_id, 64), user_id=user_id, prompt="secret words")
    return event


async def token_of(studio: Studio, event: Event) -> str:
    found = await studio.database.fetch(rows.of_event, event.id)
    assert found is not None
    return found.token


async def page(studio: Studio, event: Event) -> str:
    found = await studio.galleries.page(await token_of(studio, event))
    assert found is not None
    return found


async def opened(studio: Studio, event: Event, *agreed: Actor) -> str:
    await studio.galleries.open(event.id, THE_HOST)
    for actor in agreed:
        await studio.galleries.agree(event.id, actor, {ANNA: "Anna <b>", BEN: "Ben"}[actor.user_id])
    return await token_of(studio, event)


async def test_at_first_nobody_is_in_it(studio: Studio, event: Event) -> None:
    await opened(studio, event)
    shown = await page(studio, event)
    assert "<img" not in shown
    assert "There are no pictures here just now" in shown


async def test_only_pictures_and_names_of_those_who_agreed_are_shown(studio: Studio, event: Event) -> None:
    """Mutant: `shown` without its comparison of people with those who agreed."""
    token = await opened(studio, event, HER)
    shown = await page(studio, event)
    assert shown.count("<img") == 1
    assert "Anna &lt;b&gt;" in shown
    assert "Ben" not in shown
    assert "secret words" not in shown
    copy = await studio.galleries.picture(token, 1)
    assert copy is not None
    with Image.open(io.BytesIO(copy)) as picture:
        assert (picture.format, picture.size) == ("JPEG", (64, 64))
    assert await studio.galleries.picture(token, 2) is None
    assert await studio.galleries.picture(token, 99) is None


async def consented(studio: Studio, dataset_id: int, *said: tuple[int, ConsentKind]) -> None:
    dataset = await studio.database.fetch(datasets.get, dataset_id)
    assert dataset is not None
    for user_id, what in said:
        whose = functools.partial(datasets.record_consent, dataset=dataset, user_id=user_id, kind=what)
        await studio.database.write(functools.partial(whose, policy_version="1", photo_hashes=(), now=NOON))


async def trained(studio: Studio, kind: SubjectKind = SubjectKind.PERSON, *, depicted: int = BEN) -> int:
    """The id of Anna's LoRA, from photos that she gave and that show somebody."""
    dataset_id = await add_dataset(studio.database, user_id=ANNA)
    training_id = await add_training(studio.database, dataset_id=dataset_id)
    await consented(studio, dataset_id, (ANNA, ConsentKind.PHOTOS), (depicted, ConsentKind.DEPICTED))
    return await add_event_lora(
        studio, training_id=training_id, dataset_id=dataset_id, subject_kind=kind, owner_id=ANNA
    )


async def test_a_lora_of_people_needs_everybody_whose_photos_it_was_trained_on(studio: Studio, event: Event) -> None:
    """Mutant: without the LoRA's people her picture shows him although he has not agreed."""
    lora_id = await trained(studio)
    picture_id = await add_picture(studio, event, lora_id=lora_id)
    token = await opened(studio, event, HER)
    assert await studio.galleries.picture(token, picture_id) is None
    await studio.galleries.agree(event.id, HIM, "Ben")
    assert await studio.galleries.picture(token, picture_id) is not None
    await studio.change(tables.loras, lora_id, resting_since=NOON)
    assert await studio.galleries.picture(token, picture_id) is None
    assert (await page(studio, event)).count("<img") == 2


@pytest.mark.parametrize("kind", [SubjectKind.PERSON, SubjectKind.OBJECT])
async def test_nothing_is_shown_when_nobody_knows_any_more_whom_a_lora_shows(
    studio: Studio, event: Event, kind: SubjectKind
) -> None:
    """Mutant: without photos its owner alone is asked, or for an object nobody."""
    lora_id = await trained(studio, kind, depicted=ANNA)
    picture_id = await add_picture(studio, event, lora_id=lora_id)
    token = await opened(studio, event, HER)
    assert await studio.galleries.picture(token, picture_id) is not None
    await studio.change(tables.loras, lora_id, dataset_id=None)
    assert await studio.galleries.picture(token, picture_id) is None
    await studio.galleries.agree(event.id, HIM, "Ben")
    assert (await page(studio, event)).count("<img") == 2


async def test_whom_a_lora_shows_is_known_after_its_training_and_its_photos_are_forgotten(studio: Studio) -> None:
    """Mutant: asked of the training's row, nothing of a LoRA is shown any more after 30 days."""
    studio.public_url = "https://bot.example.org"
    await studio.set_key()
    training = await studio.begin()
    await consented(studio, training.dataset_id, (ANNA, ConsentKind.PHOTOS))
    await studio.settle()
    await studio.pass_time(TRAINS_IN)
    await studio.pass_time(studio.timings.details_kept)
    [lora_id] = await studio.scalars(sa.select(tables.loras.c.id))
    for table in (tables.trainings, tables.datasets):
        assert await studio.scalars(sa.select(table.c.id)) == []
    event = await finished_event(studio, ended_at=studio.clock.now())
    await add_entrants(studio.database, event, BEN)
    picture_id = await add_picture(studio, event, user_id=BEN, lora_id=lora_id)
    token = await opened(studio, event, HIM)
    assert await studio.galleries.picture(token, picture_id) is None
    await studio.galleries.agree(event.id, HER, "Anna")
    assert await studio.galleries.picture(token, picture_id) is not None
    await studio.privacy.forget_member(guild_id=GUILD, user_id=ANNA)
    assert await studio.galleries.picture(token, picture_id) is None


@pytest.mark.parametrize("kind", [SubjectKind.PERSON, SubjectKind.OBJECT])
async def test_what_an_imported_lora_made_is_not_shown(studio: Studio, event: Event, kind: SubjectKind) -> None:
    """Who is in it was said by an admin, of no one in particular."""
    lora_id = await add_event_lora(studio, training_id=-5, subject_kind=kind, owner_id=ANNA)
    imported = await studio.database.fetch(loras.get, lora_id)
    assert imported is not None
    said = {"user_id": ANNA, "policy_version": "1", "wording": "Everyone agreed.", "given_at": NOON}
    await studio.database.write(lambda connection: imports.record_consent(connection, imported, **said))
    picture_id = await add_picture(studio, event, lora_id=lora_id)
    token = await opened(studio, event, HER, HIM)
    assert await studio.galleries.picture(token, picture_id) is None


async def test_what_a_moderator_declined_is_neither_in_the_yearbook_nor_on_the_web(
    studio: Studio, event: Event
) -> None:
    """Mutant: `agreed` without the moderators' answers."""
    await studio.guilds.choose_gallery(GUILD, 350)
    not_to_vote, not_to_gallery, not_asked, in_vote = [await add_picture(studio, event) for _ in range(4)]
    await judged(studio, not_to_vote, Purpose.BALLOT, is_approved=False)
    await judged(studio, in_vote, Purpose.BALLOT, is_approved=True)
    for picture_id in (not_to_gallery, in_vote):
        await judged(studio, picture_id, Purpose.GALLERY, is_approved=False)
    async with studio.database.read() as connection:
        in_book = {each.picture.id for each in await yearbook.agreed(connection, event)}
    assert in_book == {1, 2, not_asked, in_vote}
    token = await opened(studio, event, HER)
    assert (await page(studio, event)).count("<img") == 3
    assert await studio.galleries.picture(token, not_to_vote) is None


async def test_an_explicit_picture_is_neither_in_the_yearbook_nor_on_the_web(studio: Studio, event: Event) -> None:
    """Mutant: `for_everybody` lets it through, and the posted yearbook shows it whatever its channel is."""
    picture_id = await add_picture(studio, event, prompt="a nude")
    token = await opened(studio, event, HER, HIM)
    assert await studio.galleries.picture(token, picture_id) is None
    assert (await page(studio, event)).count("<img") == 2
    yearbook_ = await studio.yearbooks.make_for_all(event.id, {}, LEAST_LIMIT)
    studio.yearbooks.discard(yearbook_)
    assert yearbook_.pictures == 2


async def taken_back(studio: Studio, event: Event) -> None:
    await studio.galleries.take_back(event.id, HER)


async def left(studio: Studio, event: Event) -> None:
    await studio.depictions.withdraw(event.id, HER)


async def erased(studio: Studio, event: Event) -> None:
    await studio.privacy.forget_member(guild_id=GUILD, user_id=ANNA)


async def deleted(studio: Studio, event: Event) -> None:
    [set_id] = await studio.scalars(sa.select(tables.generations.c.id).where(tables.generations.c.user_id == ANNA))
    await studio.pictures.delete(set_id, HER)


async def removed(studio: Studio, event: Event) -> None:
    whose = event_tables.entrants.c
    [entrant_id] = await studio.scalars(sa.select(whose.id).where(whose.user_id == ANNA))
    await studio.change(event_tables.entrants, entrant_id, status=EntrantStatus.REMOVED)


Change = Callable[[Studio, Event], Awaitable[None]]


@pytest.mark.parametrize("change", [taken_back, left, erased, deleted, removed])
async def test_what_somebody_takes_back_is_gone_at_once(studio: Studio, event: Event, change: Change) -> None:
    token = await opened(studio, event, HER, HIM)
    assert await studio.galleries.picture(token, 1) is not None
    await change(studio, event)
    assert await studio.galleries.picture(token, 1) is None
    shown = await page(studio, event)
    assert "Anna" not in shown
    assert "Ben" in shown


async def closed(studio: Studio, event: Event) -> None:
    await studio.galleries.close(event.id, THE_HOST)


async def host_erased(studio: Studio, event: Event) -> None:
    await studio.privacy.forget_member(guild_id=GUILD, user_id=HOST)


async def ended(studio: Studio, event: Event) -> None:
    studio.clock.advance(studio.opened.timings.gallery_open)


@pytest.mark.parametrize("change", [closed, host_erased, ended])
async def test_its_address_leads_nowhere_any_more(studio: Studio, event: Event, change: Change) -> None:
    token = await opened(studio, event, HER)
    await change(studio, event)
    assert await studio.galleries.page(token) is None
    assert await studio.galleries.picture(token, 1) is None
    with pytest.raises(UserError, match="no gallery"):
        await studio.galleries.agree(event.id, HER, "Anna")


async def test_a_new_one_has_another_address_and_nobody_in_it(studio: Studio, event: Event) -> None:
    token = await opened(studio, event, HER)
    await closed(studio, event)
    assert await opened(studio, event) != token
    assert await studio.galleries.page(token) is None
    assert "<img" not in await page(studio, event)


async def test_two_who_open_it_get_one_address(studio: Studio, event: Event) -> None:
    token = await opened(studio, event, HER)
    assert await opened(studio, event) == token
    assert (await page(studio, event)).count("<img") == 1


async def test_its_pictures_are_kept_until_it_ends_and_no_longer_than_it_is_open(studio: Studio, event: Event) -> None:
    """Mutant: `_kept_until` without the gallery, or `close` without making them due."""
    kept = studio.opened.timings.pictures_kept + timedelta(days=1)
    await studio.change(event_tables.events, event.id, ended_at=studio.clock.now())
    for generation_id in (1, 2):
        due_at = studio.clock.now() + kept
        await studio.change(tables.generations, generation_id, due_at=due_at, finished_at=studio.clock.now())
    token = await opened(studio, event, HER)
    await studio.pass_time(kept, LaneName.GENERATIONS)
    assert await studio.galleries.picture(token, 1) is not None
    await closed(studio, event)
    await studio.settle(LaneName.GENERATIONS)
    assert await studio.scalars(sa.select(tables.pictures.c.file)) == [None, None]


@pytest.mark.parametrize(
    ("status", "actor", "error"),
    [
        (EventStatus.FINISHED, HER, NotAllowed),
        (EventStatus.FINISHED, Actor(OTHER_GUILD, HOST, is_admin=True), NotFound),
        (EventStatus.VOTING, THE_HOST, UserError),
        (EventStatus.CANCELLED, THE_HOST, UserError),
    ],
)
async def test_nobody_else_opens_it_and_not_earlier(
    studio: Studio, status: EventStatus, actor: Actor, error: type[Exception]
) -> None:
    studio.public_url = "https://bot.example.org"
    event = await finished_event(studio, status=status)
    with pytest.raises(error):
        await studio.galleries.open(event.id, actor)
    assert await studio.database.fetch(rows.of_event, event.id) is None


async def test_it_ends_with_the_details_of_its_event(studio: Studio, event: Event) -> None:
    ended_at = studio.clock.now() - timedelta(days=10)
    await studio.change(event_tables.events, event.id, ended_at=ended_at)
    await studio.galleries.open(event.id, THE_HOST)
    found = await studio.database.fetch(rows.of_event, event.id)
    assert found is not None
    assert found.ends_at == ended_at + studio.opened.timings.details_kept


async def test_without_pictures_there_is_none(studio: Studio) -> None:
    studio.public_url = "https://bot.example.org"
    event = await finished_event(studio)
    with pytest.raises(UserError, match="no pictures"):
        await studio.galleries.open(event.id, THE_HOST)


async def test_without_an_address_there_is_none(studio: Studio, event: Event) -> None:
    studio.public_url = None
    with pytest.raises(UserError, match="DARKROOM_PUBLIC_URL"):
        await studio.galleries.open(event.id, THE_HOST)


async def test_a_member_sees_what_they_agree_to(studio: Studio, event: Event) -> None:
    token = await opened(studio, event)
    view = await studio.galleries.view(event.id, HER, "Anna")
    assert view.address == f"https://bot.example.org/events/{token}/"
    assert "my name Anna may be seen on a web page" in view.wording
    assert (view.name, view.people, view.pictures) == (None, 0, 0)
    await studio.galleries.agree(event.id, HER, "Anna")
    view = await studio.galleries.view(event.id, HER, "Anna")
    assert (view.name, view.people, view.pictures) == ("Anna", 1, 1)
    assert token not in repr(view.gallery)
