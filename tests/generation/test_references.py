"""Pictures that orders start from: taken in, uploaded once, the same in every repeat, gone from the disk in time."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from aiohttp import web

from bot.errors import NoKey, NotAllowed, UserError
from bot.generation.order import PartialOrder, PictureOrder
from bot.generation.references import UPLOAD_MAX_BYTES, UPLOAD_TRUSTED_FOR
from bot.records.dataset import Upload
from bot.records.generation import Generation, GenerationSettings, GenerationStatus, Operation, Reference
from bot.records.guild import Actor, Channel
from bot.records.job import LaneName
from bot.records.key import ProviderName
from bot.records.lora import Lora
from bot.sandbox.rehearsal.faults import Fault
from bot.storage import tables
from bot.storage.due import LeaseLost
from bot.storage.jobs import generations
from bot.strays import STRAY_AGE, Strays
from tests.fakes.old_files import make_older
from tests.fakes.rows import ANNA, BEN, CHANNEL, GUILD
from tests.fakes.studio import NEXT_KEY, PROVIDER, Studio
from tests.generation.picture_orders import finish, place, ready_pictures, reference, set_aurous_key
from tests.photos.sample_photos import encode, noise

S = GenerationStatus
GENERATE, UPLOAD = "POST /v2/images/generate", "POST /v2/uploads"
ANNA_HERE, HERE = Actor(GUILD, ANNA), Channel(CHANNEL)
MINUTE = timedelta(minutes=1)


def uploads(studio: Studio) -> int:
    return sum(seen.path == "/v2/uploads" for seen in studio.server.requests)


async def stored(studio: Studio, generation: Generation) -> list[Reference]:
    async with studio.database.read() as connection:
        return await generations.references_of(connection, generation.id)


async def from_picture(studio: Studio, **settings: Any) -> Generation:
    """A plain order at Apiframe that starts from one picture."""
    order = PictureOrder("a fox", GenerationSettings(**settings), provider=PROVIDER, references=(reference(studio),))
    return (await place(studio, order)).generation


@pytest.fixture
async def keyed(studio: Studio) -> Studio:
    await studio.set_key()
    return studio


@pytest.fixture
async def gallery() -> AsyncIterator[str]:
    """Where members' attachments lie: a good photo, a text, nothing else."""

    async def answer(request: web.Request) -> web.Response:
        if request.match_info["name"] == "fox.png":
            return web.Response(body=encode(noise(400, 400, 1), "PNG"))
        if request.match_info["name"] == "notes.txt":
            return web.Response(body=b"not a picture at all")
        raise web.HTTPNotFound

    app = web.Application()
    app.router.add_get("/{name}", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


async def test_references_are_uploaded_before_the_order_and_leave_the_disk_once_it_is_taken(keyed: Studio) -> None:
    ordered = await from_picture(keyed)
    assert len(keyed.files()) == 1
    await keyed.settle()
    [job] = keyed.server.jobs.values()
    [kept] = await stored(keyed, ordered)
    assert job.order["fluxParams"]["input_images"] == [kept.remote_id]  # type: ignore[index]
    assert (kept.file, keyed.files()) == (None, [])
    await finish(keyed)
    assert (await keyed.generation(ordered.id)).status is S.READY


async def test_aurous_labs_gets_every_reference_under_a_key_of_its_own(studio: Studio) -> None:
    await set_aurous_key(studio)
    order = PictureOrder(
        "a fox", GenerationSettings(denoise=0.4), references=(reference(studio, 1), reference(studio, 2))
    )
    await place(studio, order)
    await studio.settle()
    [image] = studio.aurous.images.values()
    assert len(set(image.order.references)) == 2
    assert image.order.denoise == 0.4
    assert studio.files() == []


async def test_a_lost_upload_to_aurous_labs_is_repeated_under_the_same_key_and_stored_once(studio: Studio) -> None:
    await set_aurous_key(studio)
    studio.aurous.faults.next("POST /v1/files", *[Fault.reset_after_accept()] * 3)
    await place(studio, PictureOrder("a fox", references=(reference(studio),)))
    await studio.settle()
    assert not studio.aurous.images
    await studio.pass_time(MINUTE)
    assert len(studio.aurous._world.files) == len(studio.aurous.images) == 1


async def test_a_repeat_of_unknown_outcome_sends_the_same_body_without_uploading_again(keyed: Studio) -> None:
    keyed.server.faults.next(GENERATE, *[Fault.reset_after_accept()] * 20)
    ordered = await from_picture(keyed)
    await keyed.settle()
    await keyed.pass_time(UPLOAD_TRUSTED_FOR + MINUTE)
    assert uploads(keyed) == 1
    assert keyed.charges("images") == len(keyed.server.jobs) == 1
    assert (await keyed.generation(ordered.id)).status is S.SUBMITTING


async def test_uploads_that_have_grown_old_before_the_order_was_sent_are_made_again(keyed: Studio) -> None:
    ordered = await from_picture(keyed)
    [claim] = await keyed.claim(LaneName.GENERATIONS)
    await keyed.change(tables.generations, ordered.id, lease_owner="another")
    with pytest.raises(LeaseLost):
        await keyed.lanes[LaneName.GENERATIONS][1](claim)
    [first] = await stored(keyed, ordered)
    await keyed.pass_time(UPLOAD_TRUSTED_FOR)
    assert uploads(keyed) == 2
    [second] = await stored(keyed, ordered)
    assert first.remote_id != second.remote_id
    [job] = keyed.server.jobs.values()
    assert job.order["fluxParams"]["input_images"] == [second.remote_id]  # type: ignore[index]


async def test_uploads_still_fresh_after_a_crash_are_used_as_they_are(keyed: Studio) -> None:
    ordered = await from_picture(keyed)
    [claim] = await keyed.claim(LaneName.GENERATIONS)
    await keyed.change(tables.generations, ordered.id, lease_owner="another")
    with pytest.raises(LeaseLost):
        await keyed.lanes[LaneName.GENERATIONS][1](claim)
    await keyed.pass_time(UPLOAD_TRUSTED_FOR - MINUTE)
    assert (await keyed.generation(ordered.id)).status is not S.QUEUED
    assert uploads(keyed) == 1


async def test_a_waiting_order_whose_key_changes_uploads_under_the_new_one(keyed: Studio) -> None:
    ordered = await from_picture(keyed)
    [claim] = await keyed.claim(LaneName.GENERATIONS)
    await keyed.change(tables.generations, ordered.id, lease_owner="another")
    with pytest.raises(LeaseLost):
        await keyed.lanes[LaneName.GENERATIONS][1](claim)
    keyed.server._world.credits["Studio"] = 100
    await keyed.set_key(NEXT_KEY)
    await keyed.pass_time(keyed.timings.lease)
    assert uploads(keyed) == 2
    assert keyed.charges("images") == 1


async def test_a_refused_upload_ends_the_order_for_nothing(keyed: Studio) -> None:
    keyed.server.faults.next(UPLOAD, Fault.answer(400, body=b'{"error": "No such type"}'))
    ordered = await from_picture(keyed)
    await keyed.settle()
    ended = await keyed.generation(ordered.id)
    assert (ended.status, keyed.charges("images"), keyed.files()) == (S.FAILED, 0, [])
    assert "No such type" in (ended.error or "")


async def test_a_sweep_keeps_the_references_of_waiting_orders_and_nothing_else(keyed: Studio) -> None:
    await from_picture(keyed)
    [waiting] = keyed.files()
    stray = keyed.spool.new_name()
    keyed.spool.path(stray).write_bytes(b"x")
    for name in keyed.files():
        make_older(keyed.spool.path(name), STRAY_AGE)
    assert await Strays(keyed.spool, keyed.database, keyed.clock).sweep() == 1
    assert keyed.files() == [waiting]


@pytest.mark.parametrize("ending", ["refused", "cancelled", "failed"])
async def test_however_an_order_ends_its_references_leave_the_disk(keyed: Studio, ending: str) -> None:
    if ending == "refused":
        with pytest.raises(UserError):
            await from_picture(keyed, negative="rain")
    else:
        ordered = await from_picture(keyed)
        if ending == "cancelled":
            await keyed.generations.cancel(ordered.id, ANNA_HERE)
        else:
            await keyed.keys.remove(GUILD, PROVIDER)
            await keyed.settle()
    assert keyed.files() == []


async def test_attachments_become_upright_stripped_references(keyed: Studio, gallery: str) -> None:
    partial = PartialOrder("a fox", frozenset(), uploads=(Upload("fox.png", f"{gallery}/fox.png", 1000),))
    accepted = await keyed.orders.order_with_defaults(partial, ANNA_HERE, channel=HERE)
    [kept] = await stored(keyed, accepted.generation)
    assert kept.content_type == "image/jpeg"
    assert kept.file is not None
    assert keyed.spool.path(kept.file).read_bytes()[:2] == b"\xff\xd8"


async def test_attachments_that_cannot_be_used_are_named_with_the_reason_and_nothing_is_kept(
    keyed: Studio, gallery: str
) -> None:
    names = ("fox.png", "notes.txt", "gone.png")
    sent = tuple(Upload(name, f"{gallery}/{name}", 1000) for name in names)
    with pytest.raises(UserError) as refused:
        await keyed.orders.order_with_defaults(
            PartialOrder("a fox", frozenset(), uploads=sent), ANNA_HERE, channel=HERE
        )
    lines = str(refused.value).splitlines()
    assert [line.split(" cannot be used: ")[0] for line in lines] == ["**notes.txt**", "**gone.png**"]
    assert "not a picture" in lines[0]
    assert keyed.files() == []


async def test_an_attachment_from_a_host_that_is_not_trusted_is_never_fetched(keyed: Studio) -> None:
    partial = PartialOrder("a fox", frozenset(), uploads=(Upload("x.png", "http://169.254.169.254/x.png", 10),))
    with pytest.raises(UserError, match="could not be fetched"):
        await keyed.orders.order_with_defaults(partial, ANNA_HERE, channel=HERE)


async def test_nothing_is_fetched_for_an_order_that_is_refused_anyway(studio: Studio, lora: Lora, gallery: str) -> None:
    sent = (Upload("gone.png", f"{gallery}/gone.png", 10),)
    partial = PartialOrder("a fox", frozenset({"lora"}), lora=lora, uploads=sent)
    with pytest.raises(UserError, match="without a trained LoRA"):
        await studio.orders.order_with_defaults(partial, ANNA_HERE, channel=HERE)


async def test_last_times_lora_does_not_keep_a_picture_from_being_imagined_from(
    studio: Studio, lora: Lora, gallery: str
) -> None:
    await place(studio, PictureOrder("a fox", GenerationSettings(aspect="16:9"), lora.id))
    sent = (Upload("fox.png", f"{gallery}/fox.png", 10),)
    accepted = await studio.orders.order_with_defaults(
        PartialOrder("a fox", frozenset(), uploads=sent), ANNA_HERE, channel=HERE
    )
    assert (accepted.lora, accepted.taken_over) == (None, ("aspect",))


async def test_again_from_references_works_while_the_uploads_are_fresh_and_says_so_later(keyed: Studio) -> None:
    first = await from_picture(keyed)
    await keyed.settle()
    await finish(keyed)
    again = (await keyed.generations.again(first.id, ANNA_HERE, channel=HERE)).generation
    await keyed.settle()
    assert uploads(keyed) == 1
    assert (await stored(keyed, again))[0].remote_id == (await stored(keyed, first))[0].remote_id
    await keyed.pass_time(UPLOAD_TRUSTED_FOR)
    with pytest.raises(UserError, match="Attach them again"):
        await keyed.generations.again(first.id, ANNA_HERE, channel=HERE)


async def test_an_order_from_earlier_uploads_that_waits_too_long_ends_with_a_word(keyed: Studio) -> None:
    first = await from_picture(keyed)
    await keyed.settle()
    again = (await keyed.generations.again(first.id, ANNA_HERE, channel=HERE)).generation
    keyed.clock.advance(UPLOAD_TRUSTED_FOR)
    await keyed.settle()
    assert "attach them again" in ((await keyed.generation(again.id)).error or "")
    assert keyed.charges("images") == 1


async def test_nobody_else_repeats_an_order_that_began_with_a_members_photos(keyed: Studio) -> None:
    first = await from_picture(keyed)
    await keyed.settle()
    await finish(keyed)
    with pytest.raises(NotAllowed, match="only they can repeat it"):
        await keyed.generations.again(first.id, Actor(GUILD, BEN), channel=HERE)


EDITS = {
    Operation.UPSCALE_CLARITY: ("clarity-upscale", 3),
    Operation.UPSCALE_TOPAZ: ("topaz-image-upscale", None),
    Operation.REMOVE_BACKGROUND: ("bria-bg-remove", None),
}


@pytest.mark.parametrize("operation", EDITS)
async def test_a_kept_picture_is_worked_on_as_a_copy_and_knows_where_it_came_from(
    studio: Studio, lora: Lora, operation: Operation
) -> None:
    first = await ready_pictures(studio, lora)
    [picture_id] = await studio.scalars(sa.select(tables.pictures.c.id))
    accepted = await studio.generations.edit(picture_id, operation, Actor(GUILD, BEN), channel=HERE)
    model, price = EDITS[operation]
    assert accepted.generation.origin_id == first.id
    assert price is None or accepted.generation.estimate == price
    assert len(studio.files()) == 2
    await studio.settle()
    await finish(studio)
    assert (await studio.generation(accepted.generation.id)).status is S.READY
    assert [job.model for job in studio.server.jobs.values()] == ["flux-lora", model]
    assert len(studio.files()) == 2


async def test_a_picture_that_is_too_large_to_send_is_sent_as_a_smaller_copy(studio: Studio, lora: Lora) -> None:
    await ready_pictures(studio, lora)
    [picture_id] = await studio.scalars(sa.select(tables.pictures.c.id))
    await studio.change(tables.pictures, picture_id, size=UPLOAD_MAX_BYTES + 1)
    accepted = await studio.generations.edit(picture_id, Operation.UPSCALE_TOPAZ, ANNA_HERE, channel=HERE)
    [kept] = await stored(studio, accepted.generation)
    assert kept.content_type == "image/jpeg"


async def test_a_picture_whose_copy_is_gone_after_its_time_is_said(studio: Studio, lora: Lora) -> None:
    await ready_pictures(studio, lora)
    await studio.pass_time(studio.timings.pictures_kept)
    [picture_id] = await studio.scalars(sa.select(tables.pictures.c.id))
    with pytest.raises(UserError, match="when its time was over"):
        await studio.generations.edit(picture_id, Operation.UPSCALE_CLARITY, ANNA_HERE, channel=HERE)
    assert await studio.scalars(sa.select(tables.pictures.c.file)) == [None]


async def test_working_on_a_picture_needs_an_apiframe_key(studio: Studio, lora: Lora) -> None:
    await ready_pictures(studio, lora)
    await studio.keys.remove(GUILD, PROVIDER)
    [picture_id] = await studio.scalars(sa.select(tables.pictures.c.id))
    with pytest.raises(NoKey, match=ProviderName.APIFRAME.label):
        await studio.generations.edit(picture_id, Operation.UPSCALE_CLARITY, ANNA_HERE, channel=HERE)
    assert len(studio.files()) == 1


async def test_what_was_made_from_another_picture_is_not_repeated_by_itself(studio: Studio, lora: Lora) -> None:
    await ready_pictures(studio, lora)
    [picture_id] = await studio.scalars(sa.select(tables.pictures.c.id))
    made = await studio.generations.edit(picture_id, Operation.UPSCALE_CLARITY, ANNA_HERE, channel=HERE)
    with pytest.raises(UserError, match="made from another picture"):
        await studio.generations.again(made.generation.id, ANNA_HERE, channel=HERE)
