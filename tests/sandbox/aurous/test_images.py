from typing import Any

import pytest

from bot.sandbox.aurous.records import ImageFault
from bot.sandbox.aurous.server import RehearsalAurous
from tests.sandbox.apiframe.raw_client import ManualClock
from tests.sandbox.aurous.raw_client import INK, KEY, OTHER_KEY, POOR_KEY, AurousCaller

EVERYTHING = {
    "prompt": "a lake",
    "negative_prompt": "fog",
    "lora_id": INK,
    "size": "2k_16_9",
    "steps": 30,
    "guidance_scale": 7.5,
    "cfg_rescale": 0.7,
    "denoise_strength": 0.6,
    "seed": 42,
    "count": 2,
    "enhance_prompt": True,
    "webhook_url": "https://example.com/hook",
}


async def test_order_is_echoed_as_documented(aurous: AurousCaller) -> None:
    said = await aurous.call("POST", "/v1/images", EVERYTHING)
    image = said.body

    assert (said.status, image["object"], image["status"]) == (201, "inference", "pending")
    assert (image["width"], image["height"], image["size_preset"]) == (2720, 1536, "2k_16_9")
    assert image["cost"] == {"amount": 4, "breakdown": {"base": 2, "enhance": 2}, "currency": "credit"}
    assert [lora["name"] for lora in image["loras"]] == ["Ink & Paper"]
    assert (image["seed"], image["image_count"], image["inference_type"]) == (42, 2, "t2i")
    assert (image["created_at"], image["completed_at"], image["output_urls"]) == ("2026-04-25T12:00:00Z", None, [])
    assert image["creation_request_id"] == said.headers["Aurous-Request-Id"]
    assert image["aurous_version"] == "2026-05-15"


@pytest.mark.parametrize(
    ("change", "code", "param"),
    [
        ({"prompt": None}, "invalid_format", "prompt"),
        ({"prompt": ""}, "value_out_of_range", "prompt"),
        ({"prompt": " \n"}, "invalid_format", "prompt"),
        ({"prompt": "x" * 4001}, "value_out_of_range", "prompt"),
        ({"negative_prompt": ""}, "value_out_of_range", "negative_prompt"),
        ({"steps": 0}, "value_out_of_range", "steps"),
        ({"steps": 30.5}, "invalid_format", "steps"),
        ({"steps": True}, "invalid_format", "steps"),
        ({"guidance_scale": 0.05}, "value_out_of_range", "guidance_scale"),
        ({"guidance_scale": 30.1}, "value_out_of_range", "guidance_scale"),
        ({"cfg_rescale": 1.1}, "value_out_of_range", "cfg_rescale"),
        ({"denoise_strength": "0.5"}, "invalid_format", "denoise_strength"),
        ({"seed": -2}, "value_out_of_range", "seed"),
        ({"count": 5}, "value_out_of_range", "count"),
        ({"enhance_prompt": "yes"}, "invalid_format", "enhance_prompt"),
        ({"size": "hd_square"}, "invalid_format", "size"),
        ({"size": ["2k_1_1"]}, "invalid_format", "size"),
        ({"size": "2k_1_1", "width": 2048}, "parameter_invalid_combination", "size"),
        ({"width": 2048}, "missing_field", "height"),
        ({"height": 2048}, "missing_field", "width"),
        ({"width": 1023, "height": 2048}, "value_out_of_range", "width"),
        ({"width": 2048, "height": 4097}, "value_out_of_range", "height"),
        ({"reference_image_urls": "file_1"}, "invalid_format", "reference_image_urls"),
        ({"reference_image_urls": ["file_1"] * 7}, "value_out_of_range", "reference_image_urls"),
        ({"reference_image_urls": ["http://example.com/a.png"]}, "invalid_format", "reference_image_urls"),
        ({"reference_image_urls": ["https://10.0.0.1/a.png"]}, "invalid_format", "reference_image_urls"),
        ({"reference_image_urls": ["https://127.0.0.1/a.png"]}, "invalid_format", "reference_image_urls"),
        ({"reference_image_urls": ["https://[::1/a.png"]}, "invalid_format", "reference_image_urls"),
        ({"character_id": "char_1", "reference_image_urls": ["file_1"]}, "mutually_exclusive_input", "character_id"),
        ({"webhook_url": "http://example.com/hook"}, "invalid_format", "webhook_url"),
        ({"webhook_url": "https://"}, "invalid_format", "webhook_url"),
        ({"webhook_url": "https://example.com/" + "x" * 2048}, "value_out_of_range", "webhook_url"),
        ({"loras": [{"lora": INK, "weight": 1}]}, "invalid_request", "loras"),
        ({"metadata": {}}, "invalid_request", "metadata"),
    ],
)
async def test_wrong_order_and_its_estimate_are_refused_alike(
    aurous_server: RehearsalAurous, aurous: AurousCaller, change: dict[str, Any], code: str, param: str
) -> None:
    body = {"prompt": "a lake", **change}
    for path in ("/v1/images", "/v1/images/estimate"):
        said = await aurous.call("POST", path, body)
        assert (said.code, said.body["error"]["param"]) == ((400, code), param)
    assert aurous_server.ledger == []


async def test_body_has_to_be_an_object_with_a_prompt(aurous: AurousCaller) -> None:
    assert (await aurous.call("POST", "/v1/images", {})).code == (400, "missing_field")
    assert (await aurous.call("POST", "/v1/images", [1])).code == (400, "invalid_format")
    assert (await aurous.call("POST", "/v1/images", data=b'{"prompt"')).code == (400, "invalid_format")


async def test_things_that_are_not_there_are_not_found(aurous: AurousCaller) -> None:
    for field in ({"lora_id": "lora_0"}, {"character_id": "char_0"}, {"reference_image_urls": ["file_0"]}):
        assert (await aurous.order(**field)).code == (404, "resource_not_found")


async def test_own_sides_are_snapped_to_the_nearest_32(aurous: AurousCaller) -> None:
    image = (await aurous.order(width=1040, height=4090)).body

    assert (image["width"], image["height"], image["size_preset"]) == (1056, 4096, None)


async def test_left_out_size_is_the_documented_square(aurous: AurousCaller) -> None:
    image = (await aurous.order()).body

    assert (image["width"], image["height"], image["loras"], image["image_count"]) == (2048, 2048, None, 1)


async def test_estimate_costs_nothing_and_equals_what_is_held(
    aurous_server: RehearsalAurous, aurous: AurousCaller
) -> None:
    aurous_server.faults.answers.image_base = 1.5
    order = {"prompt": "a lake", "count": 3, "enhance_prompt": True}
    estimate = (await aurous.call("POST", "/v1/images/estimate", order)).body
    free = await aurous.balance()
    image = (await aurous.order(count=3, enhance_prompt=True)).body

    assert estimate["estimated_cost"] == {"amount": 9, "breakdown": {"base": 4.5, "enhance": 4.5}}
    assert (estimate["object"], estimate["currency"]) == ("estimate", "credit")
    assert free == (100, 0, 100)
    assert image["cost"]["amount"] == 9
    assert await aurous.balance() == (100, 9, 91)


async def test_picture_is_held_then_charged_when_it_succeeds(
    aurous_server: RehearsalAurous, aurous: AurousCaller, clock: ManualClock
) -> None:
    image_id = (await aurous.order(count=2)).body["id"]
    seen = []
    for seconds in (0, 2, 8):
        clock.pass_s(seconds)
        image = await aurous.image(image_id)
        seen.append((image["status"], len(image["output_urls"]), await aurous.balance()))

    assert seen == [
        ("pending", 0, (100, 2, 98)),
        ("processing", 0, (100, 2, 98)),
        ("succeeded", 2, (98, 0, 98)),
    ]
    assert (image["completed_at"], image["duration_ms"]) == ("2026-04-25T12:00:10Z", 8000)
    assert [(entry.what, entry.credits) for entry in aurous_server.ledger] == [("image hold", 2), ("image charge", 2)]
    assert (aurous_server.charged(KEY), aurous_server.charged(OTHER_KEY)) == (2, 0)


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        (ImageFault.FAIL, "failed"),
        (ImageFault.CANCELLED, "cancelled"),
        (ImageFault.EXPIRED, "expired"),
        (ImageFault.MODERATION_REJECTED, "moderation_rejected"),
    ],
)
async def test_picture_that_does_not_succeed_gives_its_credits_back(
    aurous_server: RehearsalAurous, aurous: AurousCaller, clock: ManualClock, fault: ImageFault, status: str
) -> None:
    aurous_server.faults.images.append(fault)
    image_id = (await aurous.order()).body["id"]
    clock.pass_s(10)
    image = await aurous.image(image_id)

    assert (image["status"], image["output_urls"], image["cost"]["amount"]) == (status, [], 0)
    assert image["error_message"] == (None if status == "cancelled" else aurous_server.faults.failure_text)
    assert await aurous.balance() == (100, 0, 100)
    assert [entry.what for entry in aurous_server.ledger] == ["image hold", "image release"]
    assert (await aurous.call("GET", f"/v1/images/{image_id}/output/0")).code == (422, "output_not_available")


async def test_partial_picture_order_is_charged_for_what_was_made(
    aurous_server: RehearsalAurous, aurous: AurousCaller, clock: ManualClock
) -> None:
    aurous_server.faults.images.append(ImageFault.PARTIAL)
    image_id = (await aurous.order(count=3, enhance_prompt=True)).body["id"]
    clock.pass_s(10)
    image = await aurous.image(image_id)

    assert (len(image["output_urls"]), image["image_count"], image["cost"]["amount"]) == (2, 2, 4)
    assert await aurous.balance() == (96, 0, 96)


async def test_order_beyond_the_balance_is_refused(aurous: AurousCaller) -> None:
    poor = aurous.as_key(POOR_KEY)
    refused = await poor.order(enhance_prompt=True)

    assert (refused.code, refused.body["error"]["type"]) == ((402, "balance_too_low"), "invalid_request")
    assert (await poor.order()).status == 201
    assert (await poor.order()).code == (402, "balance_too_low")


async def test_exempt_team_is_neither_charged_nor_stopped(
    aurous_server: RehearsalAurous, aurous: AurousCaller, clock: ManualClock
) -> None:
    aurous_server.faults.answers.billing_mode = "exempt"
    image_id = (await aurous.as_key(POOR_KEY).order(count=4)).body["id"]
    clock.pass_s(10)

    assert (await aurous.as_key(POOR_KEY).image(image_id))["status"] == "succeeded"
    assert await aurous.as_key(POOR_KEY).balance() == (1, 0, 1)


async def test_refusals_that_a_test_asks_for(aurous_server: RehearsalAurous, aurous: AurousCaller) -> None:
    faults, file_id = aurous_server.faults, (await aurous.upload()).body["id"]
    faults.blocked_words.add("dragon")
    faults.blocked_references.add(file_id)
    faults.answers.images_at_once = 1
    aurous_server.style(INK).is_text_only = True
    refused = [
        await aurous.order(prompt="A Dragon"),
        await aurous.order(reference_image_urls=[file_id]),
        await aurous.order(lora_id=INK, reference_image_urls=[file_id]),
    ]

    assert [said.code for said in refused] == [
        (422, "prompt_blocked"),
        (422, "reference_blocked"),
        (400, "unsupported_lora_for_mode"),
    ]
    assert (await aurous.order()).status == 201
    assert (await aurous.order()).code == (429, "concurrency_limit_exceeded")


async def test_style_is_picked_by_the_prompt_unless_references_lead(aurous: AurousCaller) -> None:
    file_id = (await aurous.upload()).body["id"]
    picked = (await aurous.order(prompt="my cat in film noir")).body
    led = (await aurous.order(prompt="my cat in film noir", reference_image_urls=[file_id])).body

    assert [lora["name"] for lora in picked["loras"]] == ["Film Noir"]
    assert (led["loras"], led["inference_type"], led["reference_image_urls"]) == (None, "i2i", [file_id])


async def test_other_first_words_and_unknown_fields_can_be_shown(
    aurous_server: RehearsalAurous, aurous: AurousCaller
) -> None:
    aurous_server.faults.answers.first_status = "queued"
    aurous_server.faults.answers.extra_fields = True
    image = (await aurous.order()).body

    assert (image["status"], image["shiny_new_field"]) == ("queued", {"nested": [1]})


async def test_cancelling_gives_the_credits_back_once_and_not_after_the_end(
    aurous_server: RehearsalAurous, aurous: AurousCaller, clock: ManualClock
) -> None:
    first, second = [(await aurous.order()).body["id"] for _ in "ab"]
    cancelled = [await aurous.call("POST", f"/v1/images/{first}/cancel") for _ in "ab"]
    clock.pass_s(10)
    late = await aurous.call("POST", f"/v1/images/{second}/cancel")

    assert [(said.status, said.body["status"]) for said in cancelled] == [(200, "cancelled")] * 2
    assert (late.code, late.body["error"]["type"]) == ((400, "generation_not_cancellable"), "invalid_request")
    assert await aurous.balance() == (99, 0, 99)
    assert (await aurous.image(first))["status"] == "cancelled"
    assert (await aurous.as_key(OTHER_KEY).call("POST", f"/v1/images/{first}/cancel")).status == 404


async def test_held_pictures_wait_until_they_are_let_go(
    aurous_server: RehearsalAurous, aurous: AurousCaller, clock: ManualClock
) -> None:
    aurous_server.faults.hold_images = True
    image_id = (await aurous.order()).body["id"]
    clock.pass_s(1000)
    held = await aurous.image(image_id)
    aurous_server.faults.hold_images = False

    assert (held["status"], (await aurous.image(image_id))["status"]) == ("pending", "succeeded")
