import io
from typing import Any

import aiohttp
import pytest
from PIL import Image

from bot.sandbox.apiframe.server import RehearsalApiframe
from bot.sandbox.apiframe.state import JobFault
from tests.providers.sample_orders import API_KEY, make_jpeg
from tests.sandbox.apiframe.raw_client import UNKNOWN_ID, Caller, ManualClock, credits_by_what, make_ready_lora


async def test_team_mates_share_loras_and_credits_but_not_jobs(
    server: RehearsalApiframe, caller: Caller, session: aiohttp.ClientSession, clock: ManualClock
) -> None:
    mate, other = (Caller(session, server.base_url, key) for key in ("afk_mate", "afk_other"))
    lora = await make_ready_lora(caller, clock)
    _, job = await caller.generate(lora)

    assert (await mate.call("GET", f"/v2/loras/{lora}"))[0] == 200
    assert (await other.call("GET", f"/v2/loras/{lora}"))[0] == 404
    assert (await other.generate(lora))[0] == 404
    assert (await mate.call("GET", f"/v2/jobs/{job['jobId']}"))[0] == 404
    assert server.credits_of("afk_mate") == server.credits_of(API_KEY) == 741


async def test_job_moves_on_with_time_to_pictures_of_the_ordered_shape(
    server: RehearsalApiframe, caller: Caller, session: aiohttp.ClientSession, clock: ManualClock
) -> None:
    lora = await make_ready_lora(caller, clock)
    _, submitted = await caller.generate(lora, num_outputs=3, aspect_ratio="16:9", output_format="jpg", seed=7)
    seen = []
    for seconds in (0, 4, 6):
        clock.pass_s(seconds)
        _, job = await caller.call("GET", f"/v2/jobs/{submitted['jobId']}")
        seen.append((job["status"], job["progress"]))

    assert seen == [("QUEUED", 0), ("PROCESSING", 25), ("COMPLETED", 100)]
    assert (job["creditCost"], len(job["result"]["images"])) == (6, 3)
    pictures = set()
    for url in job["result"]["images"]:
        async with session.get(url) as answer:
            pictures.add(body := await answer.read())
            assert answer.headers["Content-Type"] == "image/jpeg"
            with Image.open(io.BytesIO(body)) as picture:
                assert (picture.format, picture.size) == ("JPEG", (1344, 756))
    assert len(pictures) == 3


@pytest.mark.parametrize(
    "change",
    [
        {"model": "midjourney"},
        {"prompt": ""},
        {"prompt": "x" * 2001},
        {"size": "large"},
        {"fluxLoraParams": None},
        {"fluxLoraParams": {"loraId": UNKNOWN_ID, "num_outputs": 5}},
        {"fluxLoraParams": {"loraId": UNKNOWN_ID, "num_outputs": True}},
        {"fluxLoraParams": {"loraId": UNKNOWN_ID, "aspect_ratio": "5:4"}},
        {"fluxLoraParams": {"loraId": UNKNOWN_ID, "output_format": "gif"}},
        {"fluxLoraParams": {"loraId": UNKNOWN_ID, "lora_strength": 1.6}},
        {"fluxLoraParams": {"loraId": UNKNOWN_ID, "negative_prompt": "x"}},
        {"fluxLoraParams": {}},
        {"webhookUrl": "x"},
        {"webhookEvents": []},
        {"webhookEvents": "completed"},
    ],
)
async def test_wrong_generation_is_refused(caller: Caller, change: dict[str, Any]) -> None:
    body = {"model": "flux-lora", "prompt": "x", "fluxLoraParams": {"loraId": UNKNOWN_ID}, **change}

    status, answer = await caller.call("POST", "/v2/images/generate", json=body)

    assert status == 400
    assert answer["details"]


async def test_lora_that_is_not_ready_or_archived_makes_no_pictures(caller: Caller, clock: ManualClock) -> None:
    _, created = await caller.create()
    assert (await caller.generate(created["id"]))[0] == 400

    lora = await make_ready_lora(caller, clock)
    await caller.call("DELETE", f"/v2/loras/{lora}")
    assert (await caller.generate(lora))[0] == 400


async def test_idempotency_key_replays_for_a_day_and_refuses_another_body(
    server: RehearsalApiframe, caller: Caller, clock: ManualClock
) -> None:
    lora = await make_ready_lora(caller, clock)
    _, first = await caller.generate(lora, key="k")
    clock.pass_s(24 * 3600)
    _, again = await caller.generate(lora, key="k")

    assert again == {"jobId": first["jobId"], "status": "COMPLETED"}
    assert (await caller.generate(lora, key="k", prompt="other"))[0] == 409
    clock.pass_s(1)
    assert (await caller.generate(lora, key="k"))[1]["jobId"] != first["jobId"]
    assert (await caller.generate(lora, key="x" * 256))[0] == 400
    assert credits_by_what(server)["images"] == 4


@pytest.mark.parametrize(
    ("fault", "status", "refund"), [(JobFault.FAIL, "FAILED", -4), (JobFault.CANCELLED, "CANCELLED", -4)]
)
async def test_failed_and_cancelled_jobs_are_refunded(
    server: RehearsalApiframe, caller: Caller, clock: ManualClock, fault: JobFault, status: str, refund: int
) -> None:
    lora = await make_ready_lora(caller, clock)
    server.faults.jobs.append(fault)
    _, submitted = await caller.generate(lora, num_outputs=2)
    clock.pass_s(20)

    _, job = await caller.call("GET", f"/v2/jobs/{submitted['jobId']}")

    assert (job["status"], job["creditCost"], job["result"]) == (status, 0, None)
    assert credits_by_what(server)["images refund"] == refund


async def test_expired_job_says_so_and_its_files_are_gone(
    server: RehearsalApiframe, caller: Caller, clock: ManualClock
) -> None:
    lora = await make_ready_lora(caller, clock)
    server.faults.jobs.append(JobFault.EXPIRED)
    _, submitted = await caller.generate(lora)
    clock.pass_s(20)

    _, job = await caller.call("GET", f"/v2/jobs/{submitted['jobId']}")

    assert (job["status"], job["expired"]) == ("COMPLETED", True)
    path = job["result"]["images"][0].removeprefix(server.base_url)
    assert await caller.call("GET", path) == (404, {"error": "File not found"})


async def test_partial_job_brings_fewer_pictures(server: RehearsalApiframe, caller: Caller, clock: ManualClock) -> None:
    lora = await make_ready_lora(caller, clock)
    server.faults.jobs.append(JobFault.PARTIAL)
    _, submitted = await caller.generate(lora, num_outputs=3)
    clock.pass_s(20)

    _, job = await caller.call("GET", f"/v2/jobs/{submitted['jobId']}")

    assert len(job["result"]["images"]) == 2


async def test_uploaded_image_can_be_enlarged_and_cut_out(
    caller: Caller, session: aiohttp.ClientSession, clock: ManualClock
) -> None:
    form = aiohttp.FormData(default_to_multipart=True)
    form.add_field("file", make_jpeg(1), filename="a.jpg", content_type="image/jpeg")
    status, uploaded = await caller.call("POST", "/v2/uploads", data=form)
    assert (status, uploaded["contentType"], uploaded["byteSize"]) == (201, "image/jpeg", len(make_jpeg(1)))
    async with session.get(uploaded["url"]) as answer:
        assert await answer.read() == make_jpeg(1)

    sizes = []
    for path, model, params in (
        ("upscale", "clarity-upscale", {"clarityUpscaleParams": {"image": uploaded["url"], "scale_factor": 4}}),
        ("background-remove", "bria-bg-remove", {"briaBgRemoveParams": {"image": uploaded["url"]}}),
    ):
        _, submitted = await caller.call("POST", f"/v2/images/{path}", json={"model": model, **params})
        clock.pass_s(20)
        _, job = await caller.call("GET", f"/v2/jobs/{submitted['jobId']}")
        async with session.get(job["result"]["images"][0]) as answer:
            with Image.open(io.BytesIO(await answer.read())) as picture:
                sizes.append((picture.size, picture.mode))

    assert sizes == [((384, 256), "RGB"), ((96, 64), "RGBA")]


async def test_edits_of_foreign_addresses_and_bad_uploads_are_refused(caller: Caller) -> None:
    foreign = {"model": "clarity-upscale", "clarityUpscaleParams": {"image": "https://example.com/a.png"}}
    form = aiohttp.FormData(default_to_multipart=True)
    form.add_field("file", b"hello", filename="a.jpg", content_type="image/jpeg")

    assert (await caller.call("POST", "/v2/images/upscale", json=foreign))[0] == 400
    assert (await caller.call("POST", "/v2/images/upscale", json={"model": "bria-bg-remove"}))[0] == 400
    assert (await caller.call("POST", "/v2/uploads", data=form))[0] == 400
