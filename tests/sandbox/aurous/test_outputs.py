import io
import itertools
from datetime import timedelta
from typing import Any

from PIL import Image

from bot.sandbox.aurous.records import ImageFault
from bot.sandbox.aurous.server import RehearsalAurous
from bot.sandbox.aurous.switches import OutputMode
from tests.sandbox.apiframe.raw_client import ManualClock
from tests.sandbox.aurous.raw_client import INK, OTHER_KEY, AurousCaller, make_photo


async def make_outputs(aurous: AurousCaller, clock: ManualClock, **order: Any) -> list[str]:
    image_id = (await aurous.order(**order)).body["id"]
    clock.pass_s(10)
    return list((await aurous.image(image_id))["output_urls"])


async def test_outputs_open_by_their_token_alone_and_differ(aurous: AurousCaller, clock: ManualClock) -> None:
    urls = await make_outputs(aurous, clock, count=2)
    stranger = aurous.as_key("")
    said = [await stranger.call("GET", url) for url in (*urls, urls[0])]

    assert {(each.status, each.headers["Content-Type"]) for each in said} == {(200, "image/jpeg")}
    assert said[0].body != said[1].body
    assert said[0].body == said[2].body
    bare = urls[0].partition("?")[0]
    assert (await stranger.call("GET", bare)).code == (401, "missing_api_key")
    assert (await aurous.call("GET", bare)).status == 200
    assert (await stranger.call("GET", f"{bare}?token=0")).code == (404, "resource_not_found")
    assert (await aurous.call("GET", bare.replace("/output/0", "/output/2"))).code == (404, "resource_not_found")
    assert (await aurous.call("GET", bare.replace("/output/0", "/output/x"))).code == (404, "resource_not_found")
    assert (await aurous.as_key(OTHER_KEY).call("GET", bare)).code == (404, "resource_not_found")


async def test_outputs_have_the_ordered_size(
    aurous_server: RehearsalAurous, aurous: AurousCaller, clock: ManualClock
) -> None:
    aurous_server.faults.answers.picture_side_cap_px = None
    aurous_server.faults.answers.output_format = "png"
    (url,) = await make_outputs(aurous, clock, width=1600, height=1024)

    with Image.open(io.BytesIO((await aurous.call("GET", url)).body)) as picture:
        assert (picture.format, picture.size) == ("PNG", (1600, 1024))


async def test_outputs_can_redirect_and_have_no_host(
    aurous_server: RehearsalAurous, aurous: AurousCaller, clock: ManualClock
) -> None:
    aurous_server.faults.answers.output_mode = OutputMode.REDIRECT
    aurous_server.faults.answers.relative_urls = True
    (path,) = await make_outputs(aurous, clock)
    said = await aurous.call("GET", path, allow_redirects=False)

    assert path.startswith("/v1/images/")
    assert (said.status, said.headers["Location"].startswith(f"{aurous_server.base_url}/outputs/")) == (302, True)
    assert (await aurous.as_key("").call("GET", said.headers["Location"])).status == 200
    assert (await aurous.call("GET", said.headers["Location"] + "x")).status == 404


async def test_outputs_are_gone_when_their_life_is_over(
    aurous_server: RehearsalAurous, aurous: AurousCaller, clock: ManualClock
) -> None:
    (url,) = await make_outputs(aurous, clock)
    aurous_server.faults.images.append(ImageFault.GONE)
    (gone,) = await make_outputs(aurous, clock)
    aurous_server.faults.answers.output_life = timedelta(minutes=1)

    assert (await aurous.call("GET", url)).status == 200
    assert (await aurous.call("GET", gone)).code == (410, "output_expired")
    clock.pass_s(60)
    assert (await aurous.call("GET", url)).code == (410, "output_expired")
    assert (await aurous.call("GET", url)).body["error"]["type"] == "not_found"


async def test_unfinished_picture_has_no_output(aurous: AurousCaller) -> None:
    image_id = (await aurous.order()).body["id"]

    assert (await aurous.call("GET", f"/v1/images/{image_id}/output/0")).code == (422, "output_not_available")


async def test_style_reference_and_address_each_change_the_picture(aurous: AurousCaller, clock: ManualClock) -> None:
    file_id = (await aurous.upload(body=make_photo((400, 300), shade=250))).body["id"]
    orders: list[dict[str, Any]] = [
        {},
        {"lora_id": INK},
        {"reference_image_urls": [file_id]},
        {"reference_image_urls": ["https://example.com/photo.jpg"]},
    ]
    pictures = []
    for order in orders:
        (url,) = await make_outputs(aurous, clock, seed=5, **order)
        pictures.append((await aurous.call("GET", url)).body)

    assert all(one != other for one, other in itertools.combinations(pictures, 2))


async def test_made_picture_can_be_the_next_ones_reference(aurous: AurousCaller, clock: ManualClock) -> None:
    (url,) = await make_outputs(aurous, clock)
    (built,) = await make_outputs(aurous, clock, reference_image_urls=[url])

    assert (await aurous.call("GET", built)).status == 200
