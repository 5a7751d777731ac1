"""Pictures on their way: followed, fetched in time, kept for a while, and shown to nobody else."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from PIL import Image

from bot.errors import NotFound
from bot.generation import downloads
from bot.generation.order import PictureOrder
from bot.providers.base import WebhookHint
from bot.records.generation import Generation, GenerationStatus
from bot.records.guild import Actor, Channel
from bot.records.job import LaneName
from bot.records.lora import Lora
from bot.records.post import PostKind
from bot.sandbox.apiframe.state import JobFault
from bot.sandbox.rehearsal.faults import Fault
from bot.storage import tables
from tests.fakes.rows import ANNA, BEN, CHANNEL, GUILD, OTHER_GUILD
from tests.fakes.studio import KEY, Studio
from tests.generation.picture_orders import PNG, finish, made, output_routes, pictures
from tests.photos.sample_photos import encode, noise

S = GenerationStatus
JPEG, WEBP = (encode(noise(64, 64, 1), kind) for kind in ("JPEG", "WEBP"))
GENERATE = "POST /v2/images/generate"
MINUTE = timedelta(minutes=1)


async def test_the_pictures_are_on_disk_before_there_is_anything_to_post(studio: Studio, lora: Lora) -> None:
    ordered = await studio.order(lora)
    for _ in range(10):
        await studio.work(LaneName.GENERATIONS)
        studio.clock.advance(timedelta(seconds=5))
        files = await pictures(studio, ordered)
        posted = await studio.posts_of(PostKind.PICTURES)
        assert not posted or (files and all(file and studio.spool.path(file).stat().st_size for file in files))
    assert posted


async def test_an_order_nobody_could_send_for_a_day_ends_with_a_word(studio: Studio, lora: Lora) -> None:
    ordered = await studio.order(lora)
    await studio.server.close()
    for _ in range(3):
        await studio.pass_time(timedelta(hours=9))
    ended = await studio.generation(ordered.id)
    assert ended.status is S.FAILED
    assert "/imagine" in (ended.error or "")


ENDS = {
    JobFault.FAIL: "could not make the pictures",
    JobFault.CANCELLED: "could not make the pictures",
    JobFault.EXPIRED: "deleted these pictures",
}
"""The last of them is asked for again before it is believed."""


@pytest.mark.parametrize(("fault", "words"), ENDS.items())
async def test_pictures_that_will_not_come_are_explained(
    studio: Studio, lora: Lora, fault: JobFault, words: str
) -> None:
    studio.server.faults.jobs.append(fault)
    ordered = await studio.order(lora)
    await studio.settle()
    await finish(studio)
    await studio.outlast(studio.timings.picture_doubted)
    ended = await studio.generation(ordered.id)
    assert ended.status is S.FAILED
    assert words in (ended.error or "")
    assert studio.poster.kinds() == [PostKind.PICTURES_FAILED]


async def test_fewer_pictures_than_ordered_are_delivered_as_they_are(studio: Studio, lora: Lora) -> None:
    studio.server.faults.jobs.append(JobFault.PARTIAL)
    ordered = await studio.order(lora, count=3)
    await studio.settle()
    await finish(studio)
    view = await studio.generations.view(ordered.id)
    assert view is not None
    assert view.generation.status is S.READY
    assert len(view.pictures) == 2
    assert "2 of 3" in [entry.detail for entry in view.timeline]


async def test_a_broken_download_is_fetched_again_whole(studio: Studio, lora: Lora) -> None:
    ordered = await made(studio, lora, count=2)
    studio.server.faults.next("GET /images/{name}", *[Fault.answer(500)] * 2)
    await studio.settle()
    assert studio.files() == []
    await studio.pass_time(MINUTE)
    assert (await studio.generation(ordered.id)).status is S.READY
    assert len(studio.files()) == 2


async def test_an_error_page_in_place_of_a_picture_is_never_posted(studio: Studio, lora: Lora) -> None:
    ordered = await made(studio, lora)
    studio.server.faults.next("GET /images/{name}", Fault.html_200())
    await studio.settle()
    assert studio.poster.messages == []
    await studio.pass_time(MINUTE)
    assert (await studio.generation(ordered.id)).status is S.READY


HALVES = {
    "png": PNG[: len(PNG) // 2],
    "jpeg": JPEG[: len(JPEG) // 2],
    "webp": WEBP[: len(WEBP) // 2],
    "png of zeros": PNG[:100] + bytes(len(PNG)),
}


@pytest.mark.parametrize("half", HALVES.values(), ids=HALVES)
async def test_half_a_picture_is_fetched_again(studio: Studio, lora: Lora, half: bytes) -> None:
    ordered = await made(studio, lora)
    studio.server.faults.next("GET /images/{name}", Fault.answer(200, body=half), Fault.answer(200, body=PNG))
    await studio.settle()
    (file,) = await pictures(studio, ordered)
    assert file is not None
    assert studio.spool.path(file).read_bytes() == PNG
    assert studio.files() == [file]
    assert await linked(studio, ordered) == []


@pytest.mark.parametrize("half", HALVES.values(), ids=HALVES)
async def test_a_picture_that_never_comes_whole_is_a_link_beside_its_sibling(
    studio: Studio, lora: Lora, half: bytes
) -> None:
    ordered = await made(studio, lora, count=2)
    of_first, of_second = await output_routes(studio, ordered)
    studio.server.faults.next(of_first, *[Fault.answer(200, body=half)] * 2)
    studio.server.faults.next(of_second, Fault.answer(200, body=PNG))
    await studio.settle()
    first, second = await pictures(studio, ordered)
    assert (first, studio.files()) == (None, [second])
    assert await linked(studio, ordered) == ["Picture 1 did not arrive whole"]
    assert studio.poster.kinds() == [PostKind.PICTURES]


async def test_a_picture_over_the_limit_is_a_link_beside_its_sibling(
    studio: Studio, lora: Lora, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downloads, "PICTURE_MAX_BYTES", len(PNG))
    ordered = await made(studio, lora, count=2)
    answers = [Fault.answer(200, body=PNG), Fault.answer(200, body=PNG + b"x")]
    studio.server.faults.next("GET /images/{name}", *answers)
    await studio.settle()
    first, second = await pictures(studio, ordered)
    assert (second, studio.files()) == (None, [first])
    assert await linked(studio, ordered) == ["Picture 2 is too large"]
    assert studio.poster.kinds() == [PostKind.PICTURES]


async def test_a_picture_of_more_pixels_than_can_be_shown_is_a_link(
    studio: Studio, lora: Lora, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 64 * 64 - 1)
    ordered = await made(studio, lora)
    studio.server.faults.next("GET /images/{name}", *[Fault.answer(200, body=PNG)] * 2)
    await studio.settle()
    assert await pictures(studio, ordered) == [None]
    assert studio.poster.kinds() == [PostKind.PICTURES]


async def test_a_picture_at_a_host_the_operator_does_not_trust_is_a_link(studio: Studio, lora: Lora) -> None:
    ordered = await made(studio, lora)
    await studio.change(tables.generations, ordered.id, image_urls=["https://new-host.example/a.png"])
    await studio.settle()
    assert (await studio.generation(ordered.id)).status is S.READY
    assert await linked(studio, ordered) == ["Picture 1 is at a host that this bot may not fetch from"]
    assert studio.poster.kinds() == [PostKind.PICTURES]


async def linked(studio: Studio, ordered: Generation) -> list[str]:
    found = await studio.pictures.find(ordered.id)
    assert found is not None
    return found.linked


async def test_pictures_from_a_host_that_is_not_trusted_are_not_fetched(studio: Studio, lora: Lora) -> None:
    ordered = await made(studio, lora)
    await studio.change(tables.generations, ordered.id, image_urls=["http://169.254.169.254/latest/meta-data"])
    await studio.settle()
    assert (await studio.generation(ordered.id)).status is S.FAILED
    assert studio.files() == []


async def test_pictures_that_cannot_be_fetched_for_a_day_end_with_a_word(studio: Studio, lora: Lora) -> None:
    ordered = await made(studio, lora)
    await studio.server.close()
    for _ in range(4):
        await studio.pass_time(timedelta(hours=9))
    ended = await studio.generation(ordered.id)
    assert ended.status is S.FAILED
    assert "within a day" in (ended.error or "")


@pytest.mark.parametrize("trouble", ["outage", "key refused", "held"])
async def test_a_provider_that_stays_silent_for_a_day_leaves_nobody_waiting(
    studio: Studio, lora: Lora, trouble: str
) -> None:
    studio.server.faults.hold_generations = True
    ordered = await studio.order(lora)
    await studio.settle()
    if trouble == "outage":
        await studio.server.close()
    elif trouble == "key refused":
        studio.server.faults.inactive_keys.add(KEY)
    for _ in range(4):
        await studio.pass_time(timedelta(hours=9))
    ended = await studio.generation(ordered.id)
    assert ended.status is S.FAILED
    assert ended.error


async def test_polling_slows_down_and_stays_below_its_ceiling(studio: Studio, lora: Lora) -> None:
    studio.server.faults.hold_generations = True
    ordered = await studio.order(lora)
    await studio.settle()
    waits = []
    for _ in range(8):
        due_at = (await studio.generation(ordered.id)).due_at
        assert due_at is not None
        waits.append(due_at - studio.clock.now())
        await studio.pass_time(waits[-1])
    assert waits == sorted(waits)
    assert (waits[0], waits[-1]) == (studio.timings.generation_poll, studio.timings.generation_poll_max)
    studio.clock.advance(studio.timings.generation_deadline)
    await studio.settle()
    due_at = (await studio.generation(ordered.id)).due_at
    assert due_at == studio.clock.now() + studio.timings.backoff_max


async def test_pictures_are_kept_for_seven_days_and_then_leave_the_disk(studio: Studio, lora: Lora) -> None:
    """Those that were posted may stay as previews of the LoRA."""
    await studio.preferences.change(GUILD, ANNA, is_private=True)
    ordered = await studio.order(lora, count=2)
    await studio.settle()
    await finish(studio)
    finished_at = (await studio.generation(ordered.id)).finished_at
    assert finished_at is not None
    await studio.pass_time(finished_at + studio.timings.pictures_kept - studio.clock.now() - timedelta(seconds=1))
    assert len(studio.files()) == 2
    await studio.pass_time(timedelta(seconds=1))
    assert studio.files() == []
    assert await pictures(studio, ordered) == [None, None]
    assert (await studio.generation(ordered.id)).status is S.READY


async def test_a_finished_order_is_forgotten_after_thirty_days(studio: Studio, lora: Lora) -> None:
    await studio.order(lora)
    await studio.settle()
    await finish(studio)
    await studio.pass_time(studio.timings.details_kept)
    for table in (tables.generations, tables.pictures, tables.timeline, tables.posts):
        assert await studio.scalars(sa.select(table.c.id)) == []


async def test_a_hint_while_the_last_step_runs_does_not_take_the_pictures_away(studio: Studio, lora: Lora) -> None:
    await made(studio, lora)
    [claim] = await studio.claim(LaneName.GENERATIONS)
    assert await studio.generations.hint(claim.row.webhook_token, WebhookHint(claim.row.request_id, False, "hex"))
    await studio.step(LaneName.GENERATIONS, claim)
    await studio.settle()
    assert len(studio.files()) == 1
    assert studio.poster.kinds() == [PostKind.PICTURES]


async def test_a_hint_fetches_the_pictures_without_waiting_for_the_next_poll(studio: Studio, lora: Lora) -> None:
    ordered = await studio.order(lora)
    await studio.settle()
    sent = await studio.generation(ordered.id)
    studio.server.jobs[str(sent.request_id)].status = "COMPLETED"
    assert await studio.work(LaneName.GENERATIONS) == 0
    assert not await studio.generations.hint(sent.webhook_token, WebhookHint("another", False, "hex"))
    assert await studio.generations.hint(sent.webhook_token, WebhookHint(str(sent.request_id), False, "hex"))
    await studio.settle()
    assert (await studio.generation(ordered.id)).status is S.READY


@pytest.mark.parametrize(("guild_id", "user_id"), [(GUILD, BEN), (OTHER_GUILD, ANNA)])
async def test_another_member_or_guild_sees_no_pictures_and_no_difference(
    studio: Studio, lora: Lora, guild_id: int, user_id: int
) -> None:
    ordered = await studio.order(lora)
    with pytest.raises(NotFound) as hidden:
        await studio.pictures.see(ordered.id, Actor(guild_id, user_id))
    with pytest.raises(NotFound) as absent:
        await studio.pictures.see(ordered.id + 1000, Actor(guild_id, user_id))
    assert str(hidden.value) == str(absent.value)
    assert (await studio.history.of_member(Actor(guild_id, user_id), 0, 4)).entries == ()


async def test_an_order_in_a_thread_remembers_the_channel_above(studio: Studio, lora: Lora) -> None:
    accepted = await studio.orders.accept(
        PictureOrder("a fox", lora_id=lora.id), Actor(GUILD, ANNA), channel=Channel(301, CHANNEL)
    )
    ordered = accepted.generation
    await studio.settle()
    await finish(studio)
    [post] = await studio.posts_of(PostKind.PICTURES)
    assert [place.id for place in post.places] == [301, CHANNEL, ANNA]
    assert (await studio.generation(ordered.id)).parent_id == CHANNEL
