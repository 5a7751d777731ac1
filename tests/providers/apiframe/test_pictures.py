from dataclasses import replace

import pytest

from bot.errors import Busy, OutcomeUnknown, Refused, Unavailable
from bot.providers.apiframe.client import Apiframe
from bot.providers.base import PhotoFile, Progress
from bot.records.generation import GenerationSettings, Operation
from bot.sandbox.apiframe.server import RehearsalApiframe
from bot.sandbox.apiframe.state import TrainingFault
from bot.sandbox.rehearsal.faults import Fault
from tests.providers.calls import charged, train
from tests.providers.sample_orders import API_KEY, make_generation_order

EDITS = [Operation.UPSCALE_CLARITY, Operation.UPSCALE_TOPAZ, Operation.REMOVE_BACKGROUND]


async def test_picture_without_a_lora_is_made_from_uploaded_pictures(
    client: Apiframe, server: RehearsalApiframe, photos: list[PhotoFile]
) -> None:
    references = [await client.upload_picture(photo, "not-used") for photo in photos[:2]]
    order = make_generation_order(
        references=tuple(references), settings=GenerationSettings(aspect="16:9", enhance=True)
    )

    submitted = await client.submit_generation(order)
    report = await client.generation(submitted.request_id)

    assert (report.progress, len(report.image_urls)) == (Progress.READY, 1)
    assert report.cost == await client.estimate(order)
    assert [path.read_bytes() for path in server.jobs[report.request_id].sources] == [
        photo.path.read_bytes() for photo in photos[:2]
    ]


@pytest.mark.parametrize("operation", EDITS)
async def test_work_on_a_picture_costs_what_was_estimated_and_is_paid_once(
    client: Apiframe, server: RehearsalApiframe, photos: list[PhotoFile], operation: Operation
) -> None:
    uploaded = await client.upload_picture(photos[0], "not-used")
    order = make_generation_order("lora-1", operation=operation, references=(uploaded,))
    path = "background-remove" if operation is Operation.REMOVE_BACKGROUND else "upscale"
    server.faults.next("POST /v2/images/{operation}", Fault.reset_after_accept())

    with pytest.raises(OutcomeUnknown):
        await client.submit_generation(order)
    submitted = await client.submit_generation(order)
    report = await client.generation(submitted.request_id)

    assert (report.progress, len(report.image_urls)) == (Progress.READY, 1)
    assert report.cost == await client.estimate(order)
    assert charged(server, "images") == 1
    assert f"/v2/images/{path}" in [request.path for request in server.requests]


async def test_lora_pictures_and_clarity_are_estimated_without_asking(
    client: Apiframe, server: RehearsalApiframe
) -> None:
    pictures = make_generation_order("lora-1", settings=GenerationSettings(count=3))

    assert await client.estimate(pictures) == 6
    assert await client.estimate(replace(pictures, operation=Operation.UPSCALE_CLARITY)) == 3
    assert server.requests == []


async def test_model_that_is_not_listed_has_no_known_price(client: Apiframe, server: RehearsalApiframe) -> None:
    server.faults.next("GET /v2/models", Fault.answer(200, body=b'{"models": []}'))

    assert await client.estimate(make_generation_order()) is None


async def test_upload_is_tried_again_and_names_what_is_wrong(
    client: Apiframe, server: RehearsalApiframe, photos: list[PhotoFile]
) -> None:
    server.faults.next("POST /v2/uploads", Fault.answer(503), Fault.reset_before())
    assert (await client.upload_picture(photos[0], "not-used")).startswith(server.base_url)

    server.faults.next("POST /v2/uploads", Fault.rate_limited("3"))
    with pytest.raises(Busy):
        await client.upload_picture(photos[0], "not-used")

    server.faults.next("POST /v2/uploads", *[Fault.html_200()] * 3)
    with pytest.raises(Unavailable):
        await client.upload_picture(photos[0], "not-used")

    photos[0].path.write_bytes(b"not a picture")
    with pytest.raises(Refused):
        await client.upload_picture(photos[0], "not-used")

    photos[0].path.unlink()
    with pytest.raises(Refused):
        await client.upload_picture(photos[0], "not-used")


async def test_ids_of_usable_loras_come_from_every_page_without_the_failed_and_archived(
    client: Apiframe, server: RehearsalApiframe, photos: list[PhotoFile], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.providers.apiframe.client.PAGE_SIZE", 1)
    server.faults.trainings.extend([None, None, TrainingFault.FAIL_BEFORE_CHARGE])
    kept, archived, _ = [await train(client, photos, f"Rex {number}") for number in range(3)]
    await client.archive_lora(archived)
    server.faults.hold_trainings = True
    running = await train(client, photos, "Rex 4")

    assert [lora.request_id for lora in await client.loras()] == [running, kept]


async def test_half_a_list_of_loras_is_not_taken_for_the_whole(client: Apiframe, server: RehearsalApiframe) -> None:
    server.faults.next("GET /v2/loras", *[Fault.answer(200, body=b'{"items": [{"id": "a"}]}')] * 3)

    with pytest.raises(Unavailable):
        await client.loras()


async def test_what_apiframe_does_not_have_is_said_without_asking(client: Apiframe, server: RehearsalApiframe) -> None:
    assert await client.styles() == ()
    assert await client.register_endpoint("https://bot.example/hook") is None
    assert not await client.test_endpoint("we_1")
    await client.remove_endpoint("we_1")
    assert not await client.cancel_generation("00000000-0000-4000-8000-000000000000")
    assert server.requests == []
    assert API_KEY not in repr(client)
