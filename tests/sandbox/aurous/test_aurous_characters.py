import io
from typing import Any

import pytest
from PIL import Image

from bot.sandbox.aurous.records import CharacterFault
from bot.sandbox.aurous.server import RehearsalAurous
from tests.sandbox.apiframe.callers import ManualClock
from tests.sandbox.aurous.callers import INK, OTHER_KEY, POOR_KEY, AurousCaller, make_photo

CHARACTERS = "/v1/characters"
POSES = ["portrait", "front", "side", "back"]


async def test_photos_become_a_character_at_once_and_for_free(
    aurous_server: RehearsalAurous, aurous: AurousCaller
) -> None:
    photos = [make_photo(shade=shade) for shade in (10, 200)]
    ids = [await aurous.put_photo(photo) for photo in photos]
    body = {"name": "Mara", "upload_ids": ids, "client_reference_id": "row-7", "attributes": {"age": 28}}
    said = await aurous.call("POST", CHARACTERS, body)
    character = said.body

    assert (said.status, character["status"], character["object"]) == (201, "ready", "character")
    assert (character["name"], character["client_reference_id"]) == ("Mara", "row-7")
    assert (character["attributes"], character["error_message"]) == ({"age": 28}, None)
    assert [ref["pose"] for ref in character["refs"]] == ["other", "other"]
    assert [(await aurous.as_key("").call("GET", ref["url"])).body for ref in character["refs"]] == photos
    assert aurous_server.ledger == []


async def test_signed_address_sees_no_key(aurous_server: RehearsalAurous, aurous: AurousCaller) -> None:
    await aurous.put_photo()

    assert [(seen.path[:9], seen.had_key) for seen in aurous_server.requests] == [
        ("/v1/chara", True),
        ("/uploads/", False),
    ]


async def test_address_takes_its_own_type_for_a_quarter_of_an_hour(aurous: AurousCaller, clock: ManualClock) -> None:
    ticket = (await aurous.open_ticket(extension="png", content_type="image/png")).body
    url = ticket["upload_url"]

    assert ticket["upload_headers"] == {"Content-Type": "image/png"}
    assert ticket["expires_at"] == "2026-04-25T12:15:00Z"
    assert await aurous.put(url, make_photo(), {"Content-Type": "image/jpeg"}) == 403
    assert await aurous.put(url + "0", make_photo(), ticket["upload_headers"]) == 403
    clock.pass_s(15 * 60)
    assert await aurous.put(url, make_photo(), ticket["upload_headers"]) == 403


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"filename": ""}, "value_out_of_range"),
        ({"filename": "x" * 121}, "value_out_of_range"),
        ({"extension": "gif"}, "invalid_format"),
        ({"content_type": "text/plain"}, "invalid_format"),
        ({"content_type": "image/webp"}, "parameter_invalid_combination"),
    ],
)
async def test_wrong_ticket_is_refused(aurous: AurousCaller, change: dict[str, str], code: str) -> None:
    assert (await aurous.open_ticket(**change)).code == (400, code)


async def test_classified_photo_keeps_its_pose_until_it_is_used(aurous: AurousCaller) -> None:
    upload_id = await aurous.put_photo()
    first, second = [
        await aurous.call("POST", f"{CHARACTERS}/uploads/classify", {"upload_id": upload_id}) for _ in "ab"
    ]
    made = (await aurous.call("POST", CHARACTERS, {"name": "Mara", "upload_ids": [upload_id]})).body
    spent = await aurous.call("POST", f"{CHARACTERS}/uploads/classify", {"upload_id": upload_id})

    assert (first.status, first.body) == (200, second.body)
    assert first.body["pose"] in [*POSES, "other"]
    assert 0 <= first.body["confidence"] <= 1
    assert [ref["pose"] for ref in made["refs"]] == [first.body["pose"]]
    assert spent.code == (400, "upload_invalid")


async def test_uploads_that_cannot_be_used_make_no_character(aurous: AurousCaller, clock: ManualClock) -> None:
    empty = (await aurous.open_ticket()).body["upload_id"]
    foreign = await aurous.as_key(OTHER_KEY).put_photo()
    broken = await aurous.put_photo(b"no picture")
    good = await aurous.put_photo()
    for ids in ([empty], [foreign], [broken, good], ["upl_0"]):
        assert (await aurous.call("POST", CHARACTERS, {"name": "x", "upload_ids": ids})).code == (400, "upload_invalid")
    clock.pass_s(24 * 3600)
    late = await aurous.call("POST", CHARACTERS, {"name": "x", "upload_ids": [good]})

    assert late.code == (400, "upload_invalid")
    assert (await aurous.call("GET", CHARACTERS)).body["data"] == []


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"name": "x"}, "parameter_invalid_combination"),
        ({"name": "x", "upload_ids": ["upl_1"], "generate": True}, "parameter_invalid_combination"),
        ({"name": "x", "generate": False}, "parameter_invalid_combination"),
        ({"upload_ids": ["upl_1"]}, "missing_field"),
        ({"name": "", "upload_ids": ["upl_1"]}, "value_out_of_range"),
        ({"name": "x", "upload_ids": []}, "value_out_of_range"),
        ({"name": "x", "upload_ids": ["a", "a"]}, "value_out_of_range"),
        ({"name": "x", "upload_ids": list("abcdefg")}, "value_out_of_range"),
        ({"name": "x", "upload_ids": "upl_1"}, "invalid_format"),
        ({"name": "x", "generate": True}, "missing_field"),
        ({"name": "x", "generate": True, "attributes": "tall"}, "invalid_format"),
        ({"name": "x", "generate": True, "attributes": {"age": "28"}}, "invalid_format"),
        ({"name": "x", "generate": True, "attributes": {"age": 121}}, "value_out_of_range"),
        ({"name": "x", "generate": True, "attributes": {"shoe_size": 40}}, "invalid_request"),
        (
            {"name": "x", "generate": True, "client_reference_id": "x" * 257, "attributes": {"age": 1}},
            "value_out_of_range",
        ),
        ({"name": "x", "generate": True, "colour": "red"}, "invalid_request"),
    ],
)
async def test_wrong_character_is_refused(
    aurous_server: RehearsalAurous, aurous: AurousCaller, body: dict[str, Any], code: str
) -> None:
    assert (await aurous.call("POST", CHARACTERS, body)).code == (400, code)
    assert aurous_server.ledger == []


async def test_described_character_costs_four_pictures_and_has_four_poses(
    aurous: AurousCaller, clock: ManualClock
) -> None:
    made = await aurous.synthesize()
    held = await aurous.balance()
    clock.pass_s(30)
    character = (await aurous.call("GET", f"{CHARACTERS}/{made.body['id']}")).body

    assert (made.status, made.body["status"], made.body["refs"]) == (201, "synthesizing", [])
    assert (held, await aurous.balance()) == ((100, 4, 96), (96, 0, 96))
    assert (character["status"], [ref["pose"] for ref in character["refs"]]) == ("ready", POSES)
    pictures = [(await aurous.as_key("").call("GET", ref["url"])).body for ref in character["refs"]]
    assert len(set(pictures)) == 4
    with Image.open(io.BytesIO(pictures[0])) as picture:
        assert picture.size == (768, 1024)
    assert (await aurous.call("GET", character["refs"][0]["url"] + "0")).status == 404


async def test_synthesis_is_ordered_once_for_each_key(aurous_server: RehearsalAurous, aurous: AurousCaller) -> None:
    first, second = [await aurous.synthesize("k") for _ in "ab"]

    assert (second.body["id"], second.headers["Aurous-Idempotent-Replayed"]) == (first.body["id"], "true")
    assert len(aurous_server.ledger) == 1


async def test_empty_account_cannot_have_one_made(aurous: AurousCaller) -> None:
    assert (await aurous.as_key(POOR_KEY).synthesize()).code == (402, "insufficient_credits")
    assert (await aurous.as_key(POOR_KEY).call("GET", CHARACTERS)).body["data"] == []


async def test_failed_synthesis_says_so_in_a_code_gives_back_and_can_be_redone(
    aurous_server: RehearsalAurous, aurous: AurousCaller, clock: ManualClock
) -> None:
    aurous_server.faults.characters.append(CharacterFault.FAIL)
    path = f"{CHARACTERS}/{await aurous.make_character(clock)}"
    failed = (await aurous.call("GET", path)).body
    refused = [await aurous.call("POST", f"{path}/{what}") for what in ("save", "refs/regenerate")]
    redone = await aurous.call("POST", f"{path}/resynthesize", {"force_all": True})
    clock.pass_s(30)

    assert (failed["status"], failed["error_message"]) == ("failed", "synthesis_failed")
    assert [said.code for said in refused] == [(400, "invalid_request_error")] * 2
    assert (redone.status, redone.body["status"], redone.body["error_message"]) == (200, "synthesizing", None)
    assert (await aurous.call("GET", path)).body["status"] == "ready"
    assert await aurous.balance() == (96, 0, 96)


async def test_review_step_waits_for_saving(
    aurous_server: RehearsalAurous, aurous: AurousCaller, clock: ManualClock
) -> None:
    aurous_server.faults.answers.review_step = True
    character_id = await aurous.make_character(clock)
    path = f"{CHARACTERS}/{character_id}"
    waiting = (await aurous.call("GET", path)).body
    too_early = await aurous.order(character_id=character_id)
    saved = [await aurous.call("POST", f"{path}/save") for _ in "ab"]

    assert (waiting["status"], len(waiting["refs"])) == ("reviewing", 4)
    assert too_early.code == (400, "character_not_ready")
    assert [(said.status, said.body["status"]) for said in saved] == [(200, "ready")] * 2
    assert (await aurous.order(character_id=character_id)).status == 201


async def test_running_synthesis_cannot_be_saved_or_used(aurous: AurousCaller) -> None:
    character_id = (await aurous.synthesize()).body["id"]

    assert (await aurous.call("POST", f"{CHARACTERS}/{character_id}/save")).code == (400, "invalid_request_error")
    assert (await aurous.order(character_id=character_id)).code == (400, "character_not_ready")


async def test_one_pose_is_redone_for_one_credit_and_the_others_stay(aurous: AurousCaller, clock: ManualClock) -> None:
    path = f"{CHARACTERS}/{await aurous.make_character(clock)}"
    before = await _pictures(aurous, path)
    body = {"pose": "side", "prompt_override": "ignored"}
    first, second = [
        await aurous.call("POST", f"{path}/refs/regenerate", body, headers={"Idempotency-Key": "r"}) for _ in "ab"
    ]
    clock.pass_s(30)
    after = await _pictures(aurous, path)

    assert (first.status, second.headers["Aurous-Idempotent-Replayed"]) == (200, "true")
    assert [one == other for one, other in zip(before, after, strict=True)] == [True, True, False, True]
    assert await aurous.balance() == (95, 0, 95)
    assert (await aurous.call("POST", f"{path}/refs/regenerate", {"pose": "above"})).code == (
        400,
        "invalid_request_error",
    )
    assert (await aurous.call("POST", f"{path}/refs/regenerate", {"pose": ["side"]})).status == 400
    assert (await aurous.call("POST", f"{path}/resynthesize", {"force_all": 1})).status == 400


async def _pictures(aurous: AurousCaller, path: str) -> list[bytes]:
    refs = (await aurous.call("GET", path)).body["refs"]
    return [(await aurous.call("GET", ref["url"])).body for ref in refs]


async def test_character_from_photos_has_nothing_to_be_redone_from(aurous: AurousCaller) -> None:
    body = {"name": "Mara", "upload_ids": [await aurous.put_photo()]}
    path = f"{CHARACTERS}/{(await aurous.call('POST', CHARACTERS, body)).body['id']}"

    assert (await aurous.call("POST", f"{path}/resynthesize", {})).code == (400, "invalid_request_error")


async def test_attributes_are_replaced_whole_and_nothing_else_can_be_changed(
    aurous: AurousCaller, clock: ManualClock
) -> None:
    path = f"{CHARACTERS}/{await aurous.make_character(clock)}"
    changed = (await aurous.call("PATCH", path, {"attributes": {"hair_color": "red"}})).body
    named = (await aurous.call("PATCH", path, {"name": "Mara II"})).body
    refused = await aurous.call("PATCH", path, {"name": "x", "refs": [], "status": "ready"})

    assert changed["attributes"] == {"hair_color": "red"}
    assert (named["name"], named["attributes"]) == ("Mara II", {"hair_color": "red"})
    assert refused.code == (400, "invalid_request")
    assert refused.body["error"]["param"] == "refs"
    assert "status" in refused.body["error"]["message"]
    assert (await aurous.call("GET", path)).body["name"] == "Mara II"


async def test_deleted_character_is_gone_but_its_pictures_stay(aurous: AurousCaller, clock: ManualClock) -> None:
    character_id = await aurous.make_character(clock)
    path = f"{CHARACTERS}/{character_id}"
    image = (await aurous.order(character_id=character_id, lora_id=INK)).body
    deleted, again = [await aurous.call("DELETE", path) for _ in "ab"]
    clock.pass_s(10)
    (url,) = (await aurous.image(image["id"]))["output_urls"]

    assert (image["inference_type"], image["character_id"]) == ("i2i", character_id)
    assert (deleted.status, deleted.body) == (200, {"id": character_id, "object": "character", "deleted": True})
    assert again.code == (404, "resource_not_found")
    assert again.body["error"]["param"] == "character_id"
    assert (await aurous.call("GET", path)).status == 404
    assert (await aurous.call("GET", CHARACTERS)).body["data"] == []
    assert (await aurous.order(character_id=character_id)).code == (400, "character_not_ready")
    assert (await aurous.call("GET", url)).status == 200


async def test_deleting_a_running_synthesis_cancels_it_without_refund(aurous: AurousCaller, clock: ManualClock) -> None:
    path = f"{CHARACTERS}/{(await aurous.synthesize()).body['id']}"
    await aurous.call("DELETE", path)
    clock.pass_s(30)

    assert (await aurous.call("GET", path)).body["status"] == "cancelled"
    assert (await aurous.call("GET", CHARACTERS)).body["data"] == []
    assert (await aurous.call("DELETE", path)).status == 404
    assert await aurous.balance() == (96, 0, 96)


async def test_deleting_under_review_removes_the_row(
    aurous_server: RehearsalAurous, aurous: AurousCaller, clock: ManualClock
) -> None:
    aurous_server.faults.answers.review_step = True
    character_id = await aurous.make_character(clock)
    await aurous.call("DELETE", f"{CHARACTERS}/{character_id}")

    assert aurous_server.characters == {}
    assert (await aurous.order(character_id=character_id)).code == (404, "resource_not_found")


async def test_characters_are_listed_newest_first_paged_and_filtered(aurous: AurousCaller, clock: ManualClock) -> None:
    old = [await aurous.make_character(clock) for _ in range(2)]
    new = (await aurous.synthesize(name="Rex")).body["id"]
    first = (await aurous.call("GET", f"{CHARACTERS}?limit=2")).body
    rest = (await aurous.call("GET", f"{CHARACTERS}?limit=2&starting_after={first['next_cursor']}")).body
    ready = (await aurous.call("GET", f"{CHARACTERS}?status=ready")).body

    assert [row["id"] for row in first["data"]] == [new, old[1]]
    assert ([row["id"] for row in rest["data"]], rest["has_more"]) == ([old[0]], False)
    assert [row["id"] for row in ready["data"]] == old[::-1]
    assert (await aurous.call("GET", f"{CHARACTERS}?status=cancelled")).code == (400, "invalid_request")


async def test_other_teams_characters_do_not_exist(aurous: AurousCaller, clock: ManualClock) -> None:
    character_id = await aurous.make_character(clock)
    other = aurous.as_key(OTHER_KEY)

    assert (await other.call("GET", f"{CHARACTERS}/{character_id}")).code == (404, "resource_not_found")
    assert (await other.call("POST", f"{CHARACTERS}/{character_id}/save")).status == 404
    assert (await other.order(character_id=character_id)).code == (404, "resource_not_found")


async def test_making_and_redoing_share_one_small_bucket(aurous: AurousCaller) -> None:
    made = [await aurous.synthesize() for _ in range(12)]
    refused = await aurous.call("POST", f"{CHARACTERS}/{made[0].body['id']}/resynthesize", {})

    assert {said.status for said in made} == {201}
    assert (refused.code, refused.headers["Retry-After"]) == ((429, "too_many_requests"), "10")
    assert (await aurous.open_ticket()).status == 201


async def test_held_synthesis_waits_until_it_is_let_go(
    aurous_server: RehearsalAurous, aurous: AurousCaller, clock: ManualClock
) -> None:
    aurous_server.faults.hold_characters = True
    path = f"{CHARACTERS}/{await aurous.make_character(clock)}"
    held = (await aurous.call("GET", path)).body["status"]
    aurous_server.faults.hold_characters = False

    assert (held, (await aurous.call("GET", path)).body["status"]) == ("synthesizing", "ready")
