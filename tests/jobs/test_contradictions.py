"""A provider that took an order and says it is not there: asked again, its list, too, before anything is said or paid.

The same for a training, a character, and pictures at both providers.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest

from bot.errors import UserError
from bot.generation.order import PictureOrder
from bot.jobs.outcomes import LOOKED_AT_AGAIN
from bot.records.dataset import SubjectKind
from bot.records.generation import Generation, GenerationStatus
from bot.records.guild import Actor, Channel
from bot.records.job import LaneName
from bot.records.key import ProviderName
from bot.records.training import Training, TrainingStatus
from bot.sandbox.rehearsal.faults import Fault
from bot.sandbox.rehearsal.server import RehearsalServer
from bot.storage import tables
from tests.fakes.rows import ADMIN, ANNA, CHANNEL, GUILD
from tests.fakes.studio import AUROUS_KEY, OTHER_KEY, TRAINS_IN, Studio
from tests.fakes.unlimited import set_unlimited_key
from tests.generation.picture_orders import add_style, place, set_aurous_key

Job = Training | Generation
MINUTE = timedelta(minutes=1)
TRIES = 3
"""How often a read is tried before it has failed."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of job at one provider: how it is ordered, by which routes it is looked at, and how it ends well."""

    order: Callable[[Studio], Awaitable[Job]]
    look: str
    listing: str
    empty: bytes
    server: Callable[[Studio], RehearsalServer]
    finish: Callable[[Studio, Job], None]


async def order_training(studio: Studio) -> Training:
    await studio.set_key()
    return await studio.begin()


async def order_pictures(studio: Studio) -> Generation:
    await studio.set_key()
    studio.server.faults.hold_generations = True
    return await studio.order(await studio.lora())


async def order_pictures_at_aurous(studio: Studio) -> Generation:
    await set_aurous_key(studio)
    studio.aurous.faults.hold_images = True
    return (await place(studio, PictureOrder("a fox", style_id=await add_style(studio)))).generation


async def order_character(studio: Studio) -> Training:
    await set_unlimited_key(studio, GUILD, ProviderName.AUROUS, AUROUS_KEY, set_by=ADMIN)
    dataset_id = await studio.dataset(
        count=3, subject_kind=SubjectKind.CHARACTER, gender=None, ethnicity=None, age=None
    )
    training = await studio.start(dataset_id)
    [claim] = await studio.claim(LaneName.TRAININGS)
    await studio.step(LaneName.TRAININGS, claim)
    for character in studio.aurous.characters.values():
        character.status = "synthesizing"
    return training


def release_pictures(studio: Studio, _: Job) -> None:
    studio.server.faults.hold_generations = studio.aurous.faults.hold_images = False


def finish_training(studio: Studio, job: Job) -> None:
    assert isinstance(job, Training)
    studio.finish_at_provider(str(job.request_id))


def finish_character(studio: Studio, _: Job) -> None:
    for character in studio.aurous.characters.values():
        character.status = "ready"


EMPTY_PAGE = b'{"object": "list", "data": [], "has_more": false, "next_cursor": null}'
KINDS = {
    "training": Kind(
        order_training,
        "GET /v2/loras/{id}",
        "GET /v2/loras",
        b'{"items": [], "nextCursor": null}',
        lambda studio: studio.server,
        finish_training,
    ),
    "pictures": Kind(
        order_pictures,
        "GET /v2/jobs/{id}",
        "GET /v2/jobs",
        b'{"jobs": [], "nextCursor": null, "hasMore": false}',
        lambda studio: studio.server,
        release_pictures,
    ),
    "character": Kind(
        order_character,
        "GET /v1/characters/{id}",
        "GET /v1/characters",
        EMPTY_PAGE,
        lambda studio: studio.aurous,
        finish_character,
    ),
    "pictures at Aurous Labs": Kind(
        order_pictures_at_aurous,
        "GET /v1/images/{id}",
        "GET /v1/images",
        EMPTY_PAGE,
        lambda studio: studio.aurous,
        release_pictures,
    ),
}


@pytest.fixture(params=KINDS.values(), ids=list(KINDS))
def kind(request: pytest.FixtureRequest) -> Kind:
    chosen = request.param
    assert isinstance(chosen, Kind)
    return chosen


async def now(studio: Studio, job: Job) -> Job:
    return await (studio.training(job.id) if isinstance(job, Training) else studio.generation(job.id))


async def under_way(studio: Studio, kind: Kind) -> Job:
    """A job that the provider has taken."""
    job = await kind.order(studio)
    await studio.settle()
    taken = await now(studio, job)
    assert taken.request_id is not None
    assert not taken.status.is_terminal
    return taken


async def look(studio: Studio, kind: Kind, job: Job, *faults: Fault, listing: tuple[Fault, ...] = ()) -> Job:
    """What we know after the next look, which meets these faults."""
    due_at = (await now(studio, job)).due_at
    assert due_at is not None
    kind.server(studio).faults.next(kind.look, *faults)
    kind.server(studio).faults.next(kind.listing, *listing)
    await studio.pass_time(max(due_at - studio.clock.now(), timedelta(0)))
    return await now(studio, job)


async def becomes_ready(studio: Studio, kind: Kind, job: Job) -> bool:
    kind.finish(studio, job)
    for _ in range(6):
        await studio.pass_time(MINUTE)
    return (await now(studio, job)).status in {TrainingStatus.READY, GenerationStatus.READY}


def nothing_listed(kind: Kind) -> tuple[Fault, ...]:
    return (Fault.answer(200, body=kind.empty),)


NOT_THERE = {
    "404": (Fault.answer(404),),
    "410": (Fault.answer(410),),
    "a page of an edge with 404": (Fault.edge_page(404),) * TRIES,
    "a page of an edge with 403": (Fault.edge_page(403),) * TRIES,
    "200 with a page": (Fault.html_200(),) * TRIES,
    "an empty 200": (Fault.answer(200, body=b""),) * TRIES,
    "an empty 404": (Fault.answer(404, body=b""),) * TRIES,
}


@pytest.mark.parametrize("faults", NOT_THERE.values(), ids=NOT_THERE)
async def test_one_odd_answer_ends_nothing(studio: Studio, kind: Kind, faults: tuple[Fault, ...]) -> None:
    job = await under_way(studio, kind)
    looked_at = await look(studio, kind, job, *faults, listing=nothing_listed(kind))
    assert looked_at.status is job.status
    assert await becomes_ready(studio, kind, job)


async def test_the_list_is_a_second_witness_and_ends_the_doubt(studio: Studio, kind: Kind) -> None:
    job = await under_way(studio, kind)
    looked_at = await look(studio, kind, job, Fault.answer(404))
    assert (looked_at.status, looked_at.doubt) == (job.status, None)


async def test_a_list_that_cannot_be_read_decides_nothing(studio: Studio, kind: Kind) -> None:
    job = await under_way(studio, kind)
    looked_at = await look(studio, kind, job, Fault.answer(404), listing=(Fault.answer(503),) * TRIES)
    assert looked_at.doubt is not None
    assert await becomes_ready(studio, kind, job)


async def test_four_times_not_there_and_then_alive_forgets_the_doubt(studio: Studio, kind: Kind) -> None:
    job = await under_way(studio, kind)
    for answers in range(1, 5):
        looked_at = await look(studio, kind, job, Fault.answer(404), listing=nothing_listed(kind))
        assert looked_at.doubt is not None
        assert looked_at.doubt.answers == answers
    assert (await look(studio, kind, job)).doubt is None
    assert (await studio.words(job)).count(LOOKED_AT_AGAIN) == 1
    assert await becomes_ready(studio, kind, job)


async def test_what_is_really_gone_is_said_within_five_minutes_and_not_before(studio: Studio, kind: Kind) -> None:
    job = await under_way(studio, kind)
    asked_at = None
    while not (looked_at := await look(studio, kind, job, Fault.answer(404), listing=nothing_listed(kind))).error:
        asked_at = asked_at or studio.clock.now()
        assert looked_at.status is job.status
    assert asked_at is not None
    assert timedelta(minutes=3) <= studio.clock.now() - asked_at <= timedelta(minutes=5)
    assert looked_at.status in {TrainingStatus.FAILED, GenerationStatus.FAILED}
    assert "does not know" in looked_at.error


async def test_a_doubt_outlives_a_process_that_ends_between_two_looks(studio: Studio, kind: Kind) -> None:
    job = await under_way(studio, kind)
    first = await look(studio, kind, job, Fault.answer(404), listing=nothing_listed(kind))
    assert first.due_at is not None
    lane = LaneName.TRAININGS if isinstance(job, Training) else LaneName.GENERATIONS
    studio.clock.advance(first.due_at - studio.clock.now())
    assert await studio.claim(lane, owner="a process that ends")
    studio.clock.advance(studio.timings.lease)
    kind.server(studio).faults.next(kind.look, Fault.answer(404))
    kind.server(studio).faults.next(kind.listing, *nothing_listed(kind))
    await studio.settle()
    second = await now(studio, job)
    assert first.doubt is not None
    assert second.doubt is not None
    assert (second.doubt.since, second.doubt.answers) == (first.doubt.since, 2)
    assert await becomes_ready(studio, kind, job)


async def test_no_second_payment_is_offered_while_the_first_may_still_become_a_lora(studio: Studio) -> None:
    kind = KINDS["training"]
    job = await under_way(studio, kind)
    await look(studio, kind, job, Fault.answer(404), listing=nothing_listed(kind))
    with pytest.raises(UserError):
        await studio.trainings.retry(job.id, Actor(GUILD, ANNA), channel=Channel(CHANNEL))
    again = await studio.start((await studio.training(job.id)).dataset_id)
    assert again.id == job.id
    await studio.pass_time(TRAINS_IN)
    assert (await now(studio, job)).status is TrainingStatus.READY
    assert studio.charges("create") == 1


async def test_under_a_key_of_another_account_a_training_is_not_gone_and_not_paid_again(studio: Studio) -> None:
    job = await under_way(studio, KINDS["training"])
    await studio.set_key(OTHER_KEY)
    assert isinstance(job, Training)
    await studio.change(tables.api_keys, job.key_id, sealed=b"damaged")
    for _ in range(8):
        await studio.pass_time(MINUTE)
    ended = await studio.training(job.id)
    assert ended.status is TrainingStatus.FAILED
    assert f"·{ended.marker}" in (ended.error or "")
    view = await studio.trainings.view(job.id)
    assert view is not None
    assert not view.photos_left


async def test_an_archived_training_is_looked_at_again_before_it_is_given_up(studio: Studio) -> None:
    job = await under_way(studio, KINDS["training"])
    lora = studio.server.loras[str(job.request_id)]
    lora.status = "ARCHIVED"
    await studio.pass_time(MINUTE)
    assert (await now(studio, job)).status is job.status
    lora.status = "READY"
    await studio.pass_time(MINUTE)
    assert (await now(studio, job)).status is TrainingStatus.READY


FINISHED_WITHOUT = {
    "pictures": b'{"id": "%s", "status": "COMPLETED", "result": {"images": []}, "error": null}',
    "pictures at Aurous Labs": b'{"id": "%s", "status": "succeeded", "output_urls": []}',
}


@pytest.mark.parametrize(("name", "body"), FINISHED_WITHOUT.items(), ids=FINISHED_WITHOUT)
@pytest.mark.parametrize("is_true", [False, True])
async def test_finished_without_pictures_is_asked_again_and_believed_in_the_end(
    studio: Studio, name: str, body: bytes, is_true: bool
) -> None:
    kind = KINDS[name]
    job = await under_way(studio, kind)
    empty = Fault.answer(200, body=body % str(job.request_id).encode())
    assert (await look(studio, kind, job, empty)).status is job.status
    if not is_true:
        assert await becomes_ready(studio, kind, job)
        return
    while not (ended := await look(studio, kind, job, empty)).error:
        assert ended.status is job.status
    assert "without any picture" in ended.error


async def test_an_odd_list_does_not_make_an_order_be_sent_and_paid_twice(studio: Studio) -> None:
    await studio.set_key()
    studio.server.faults.next("POST /v2/loras", Fault.reset_after_accept())
    studio.server.faults.next("GET /v2/loras", *nothing_listed(KINDS["training"]) * 2)
    training = await studio.begin()
    await studio.settle()
    await studio.pass_time(MINUTE)
    assert (await studio.training(training.id)).status is TrainingStatus.SUBMITTING
    await studio.pass_time(MINUTE)
    await studio.pass_time(MINUTE)
    assert (await studio.training(training.id)).status is TrainingStatus.SUBMITTED
    assert studio.charges("create") == 1
