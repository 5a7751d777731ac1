from typing import Any

import pytest

from bot.sandbox.aurous.server import RehearsalAurous
from tests.sandbox.apiframe.raw_client import ManualClock
from tests.sandbox.aurous.raw_client import INK, OTHER_KEY, AurousCaller, make_photo

CHARACTERS = "/v1/characters"
POSES = ["portrait", "front", "side", "back", "other"]


async def test_photos_become_a_character_at_once_and_for_free(
    aurous_server: RehearsalAurous, aurous: AurousCaller
) -> None:
    photos = [make_photo(shade=shade) for shade in (10, 200)]
    ids = [await aurous.put_photo(photo) for photo in photos]
    said = await aurous.create_character(upload_ids=ids)
    character = said.body

    assert (said.status, character["status"], character["object"]) == (201, "ready", "character")
    assert (character["name"], character["attributes"], character["error_message"]) == ("Mara", None, None)
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
    assert first.body["pose"] in POSES
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
        ({"upload_ids": ["upl_1"]}, "missing_field"),
        ({"name": "", "upload_ids": ["upl_1"]}, "value_out_of_range"),
        ({"name": "x", "upload_ids": []}, "value_out_of_range"),
        ({"name": "x", "upload_ids": ["a", "a"]}, "value_out_of_range"),
        ({"name": "x", "upload_ids": list("abcdefg")}, "value_out_of_range"),
        ({"name": "x", "upload_ids": "upl_1"}, "invalid_format"),
        ({"name": "x", "upload_ids": ["upl_1"], "colour": "red"}, "invalid_request"),
    ],
)
async def test_wrong_character_is_refused(
    aurous_server: RehearsalAurous, aurous: AurousCaller, body: dict[str, Any], code: str
) -> None:
    assert (await aurous.call("POST", CHARACTERS, body)).code == (400, code)
    assert aurous_server.ledger == []


async def test_character_is_made_once_for_each_key(aurous_server: RehearsalAurous, aurous: AurousCaller) -> None:
    ids = [await aurous.put_photo()]
    first, second = [await aurous.create_character("k", upload_ids=ids) for _ in "ab"]

    assert (second.body["id"], second.headers["Aurous-Idempotent-Replayed"]) == (first.body["id"], "true")
    assert len(aurous_server.characters) == 1


async def test_character_that_waits_for_approval_is_used_after_saving(
    aurous_server: RehearsalAurous, aurous: AurousCaller
) -> None:
    character_id = await aurous.make_character()
    aurous_server.characters[character_id].status = "reviewing"
    too_early = await aurous.order(character_id=character_id)
    saved = [await aurous.call("POST", f"{CHARACTERS}/{character_id}/save") for _ in "ab"]

    assert too_early.code == (400, "character_not_ready")
    assert [(said.status, said.body["status"]) for said in saved] == [(200, "ready")] * 2
    assert (await aurous.order(character_id=character_id)).status == 201


async def test_unfinished_character_cannot_be_saved_or_used(
    aurous_server: RehearsalAurous, aurous: AurousCaller
) -> None:
    character_id = await aurous.make_character()
    aurous_server.characters[character_id].status = "synthesizing"

    assert (await aurous.call("POST", f"{CHARACTERS}/{character_id}/save")).code == (400, "invalid_request_error")
    assert (await aurous.order(character_id=character_id)).code == (400, "character_not_ready")


async def test_deleted_character_is_gone_but_its_pictures_stay(aurous: AurousCaller, clock: ManualClock) -> None:
    character_id = await aurous.make_character()
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


async def test_characters_are_listed_newest_first_and_paged(aurous: AurousCaller) -> None:
    ids = [await aurous.make_character() for _ in range(3)][::-1]
    first = (await aurous.call("GET", f"{CHARACTERS}?limit=2")).body
    rest = (await aurous.call("GET", f"{CHARACTERS}?limit=2&starting_after={first['next_cursor']}")).body

    assert ([row["id"] for row in first["data"]], first["has_more"]) == (ids[:2], True)
    assert ([row["id"] for row in rest["data"]], rest["has_more"], rest["next_cursor"]) == (ids[2:], False, None)
    assert (await aurous.as_key(OTHER_KEY).call("GET", CHARACTERS)).body["data"] == []


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("limit=0", "value_out_of_range"),
        ("limit=101", "value_out_of_range"),
        ("limit=ten", "invalid_format"),
        ("starting_after=char_0", "invalid_format"),
    ],
)
async def test_wrong_pages_are_refused(aurous: AurousCaller, query: str, code: str) -> None:
    assert (await aurous.call("GET", f"{CHARACTERS}?{query}")).code == (400, code)


async def test_other_teams_characters_do_not_exist(aurous: AurousCaller) -> None:
    character_id = await aurous.make_character()
    other = aurous.as_key(OTHER_KEY)

    assert (await other.call("GET", f"{CHARACTERS}/{character_id}")).code == (404, "resource_not_found")
    assert (await other.call("POST", f"{CHARACTERS}/{character_id}/save")).status == 404
    assert (await other.order(character_id=character_id)).code == (404, "resource_not_found")
