import io
from typing import Any

import aiohttp
import pytest
from PIL import Image

from bot.sandbox.apiframe.server import RehearsalApiframe
from tests.providers.sample_orders import make_jpeg
from tests.sandbox.apiframe.raw_client import Caller, ManualClock, credits_by_what

PICTURE = "https://example.com/a.png"


async def upload(caller: Caller) -> str:
    form = aiohttp.FormData(default_to_multipart=True)
    form.add_field("file", make_jpeg(1), filename="a.jpg", content_type="image/jpeg")
    _, uploaded = await caller.call("POST", "/v2/uploads", data=form)
    return str(uploaded["url"])


async def make(
    caller: Caller, session: aiohttp.ClientSession, clock: ManualClock, path: str, body: dict[str, Any]
) -> tuple[str | None, tuple[int, int]]:
    """Format and size of the one picture."""
    status, submitted = await caller.call("POST", path, json=body)
    assert status == 202
    clock.pass_s(20)
    _, job = await caller.call("GET", f"/v2/jobs/{submitted['jobId']}")
    assert job["input"] == body
    async with session.get(job["result"]["images"][0]) as answer:
        with Image.open(io.BytesIO(await answer.read())) as picture:
            return picture.format, picture.size


@pytest.mark.parametrize(
    ("params", "shape"),
    [
        (None, ("PNG", (1024, 1024))),
        ({"aspect_ratio": "21:9", "output_format": "webp"}, ("WEBP", (1564, 670))),
        ({"width": 640, "height": 512, "output_format": "jpg"}, ("JPEG", (640, 512))),
    ],
)
async def test_picture_without_a_lora_has_the_ordered_shape(
    caller: Caller,
    session: aiohttp.ClientSession,
    clock: ManualClock,
    params: dict[str, Any] | None,
    shape: tuple[str, tuple[int, int]],
) -> None:
    body = {"model": "flux-2-dev", "prompt": "a forest"} | ({} if params is None else {"fluxParams": params})

    assert await make(caller, session, clock, "/v2/images/generate", body) == shape


async def test_picture_shows_the_pictures_it_was_given(
    caller: Caller, session: aiohttp.ClientSession, clock: ManualClock
) -> None:
    pictures = []
    for params in ({"seed": 1}, {"seed": 1, "input_images": [await upload(caller)]}):
        body = {"model": "flux-2-dev", "prompt": "a forest", "fluxParams": params}
        _, submitted = await caller.call("POST", "/v2/images/generate", json=body)
        clock.pass_s(20)
        _, job = await caller.call("GET", f"/v2/jobs/{submitted['jobId']}")
        async with session.get(job["result"]["images"][0]) as answer:
            pictures.append(await answer.read())

    assert pictures[0] != pictures[1]


async def test_each_work_on_a_picture_is_charged_as_the_catalogue_says(
    server: RehearsalApiframe, caller: Caller, session: aiohttp.ClientSession, clock: ManualClock
) -> None:
    image = await upload(caller)
    orders: dict[str, tuple[str, dict[str, Any]]] = {
        "clarity-upscale": ("upscale", {"clarityUpscaleParams": {"image": image, "output_format": "webp"}}),
        "topaz-image-upscale": ("upscale", {"topazUpscaleParams": {"image": image, "upscale_factor": 4}}),
        "bria-bg-remove": ("background-remove", {"briaBgRemoveParams": {"image": image}}),
        "851-bg-remove": ("background-remove", {"lab851BgRemoveParams": {"image": image, "threshold": 0.5}}),
    }
    made = [
        await make(caller, session, clock, f"/v2/images/{path}", {"model": model, **params})
        for model, (path, params) in orders.items()
    ]
    _, listed = await caller.call("GET", "/v2/models?modality=image")

    assert made == [("WEBP", (192, 128)), ("PNG", (384, 256)), ("PNG", (96, 64)), ("PNG", (96, 64))]
    prices = {model["id"]: model["costMax"] for model in listed["models"]}
    assert credits_by_what(server)["images"] == sum(prices[model] for model in orders)


@pytest.mark.parametrize(
    "change",
    [
        {"model": "flux-3"},
        {"prompt": "x" * 2001},
        {"fluxLoraParams": {}},
        {"fluxParams": []},
        {"fluxParams": {"aspect_ratio": "wide"}},
        {"fluxParams": {"width": 100, "height": 512}},
        {"fluxParams": {"steps": 51}},
        {"fluxParams": {"guidance": 1}},
        {"fluxParams": {"prompt_upsampling": "yes"}},
        {"fluxParams": {"negative_prompt": "x"}},
        {"fluxParams": {"input_images": [PICTURE] * 11}},
        {"fluxParams": {"input_images": [PICTURE]}},
    ],
)
async def test_wrong_order_without_a_lora_is_refused(caller: Caller, change: dict[str, Any]) -> None:
    body = {"model": "flux-2-dev", "prompt": "x", **change}

    status, answer = await caller.call("POST", "/v2/images/generate", json=body)

    assert status == 400
    assert answer["details"]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("upscale", {"model": "flux-2-dev", "prompt": "x"}),
        ("upscale", {"model": "clarity-upscale", "clarityUpscaleParams": {}}),
        ("upscale", {"model": "clarity-upscale", "clarityUpscaleParams": {"image": PICTURE, "scale_factor": 3}}),
        ("upscale", {"model": "clarity-upscale", "prompt": "x", "clarityUpscaleParams": {"image": PICTURE}}),
        ("upscale", {"model": "topaz-image-upscale", "topazUpscaleParams": {"image": PICTURE, "scale_factor": 2}}),
        ("background-remove", {"model": "clarity-upscale", "clarityUpscaleParams": {"image": PICTURE}}),
        ("background-remove", {"model": "bria-bg-remove", "briaBgRemoveParams": {"image": 7}}),
    ],
)
async def test_wrong_work_on_a_picture_is_refused(caller: Caller, path: str, body: dict[str, Any]) -> None:
    status, answer = await caller.call("POST", f"/v2/images/{path}", json=body)

    assert status == 400
    assert answer["details"]
