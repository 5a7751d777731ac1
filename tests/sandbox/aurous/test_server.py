import asyncio
import time
from typing import Any

import aiohttp
import pytest

from bot.sandbox.aurous.server import RehearsalAurous
from bot.sandbox.rehearsal.faults import Fault
from tests.fakes.waiting import HANG_S
from tests.sandbox.apiframe.raw_client import ManualClock
from tests.sandbox.aurous.raw_client import INK, KEY, MATE_KEY, OTHER_KEY, AurousCaller


async def test_either_header_carries_the_key(aurous: AurousCaller) -> None:
    bearer = await aurous.as_key("").call("GET", "/v1/balance", headers={"Authorization": f"Bearer {KEY}"})

    assert (bearer.status, (await aurous.call("GET", "/v1/balance")).status) == (200, 200)


async def test_keys_are_refused_by_name_of_the_trouble(aurous_server: RehearsalAurous, aurous: AurousCaller) -> None:
    aurous_server.faults.revoked_keys.add(OTHER_KEY)
    codes = [(await aurous.as_key(key).call("GET", "/v1/team")).code for key in ("", "og_unknown", OTHER_KEY)]

    assert codes == [(401, "missing_api_key"), (401, "invalid_api_key"), (401, "revoked_api_key")]


async def test_key_that_may_only_read_cannot_order(aurous_server: RehearsalAurous, aurous: AurousCaller) -> None:
    aurous_server.faults.scopes[KEY] = "read"
    refused = await aurous.order()

    assert refused.code == (403, "missing_scope")
    assert refused.body["error"]["type"] == "authentication"
    assert (await aurous.call("GET", "/v1/loras")).status == 200
    assert aurous_server.ledger == []


@pytest.mark.parametrize(
    ("version", "code"), [("2026-05-16", (400, "unknown_version")), ("yesterday", (400, "invalid_format"))]
)
async def test_versions_that_are_not_known_are_refused(
    aurous: AurousCaller, version: str, code: tuple[int, str]
) -> None:
    assert (await aurous.call("GET", "/v1/balance", headers={"Aurous-Version": version})).code == code


async def test_every_answer_names_its_version_its_request_and_what_is_left(aurous: AurousCaller) -> None:
    first, second = [await aurous.call("GET", "/v1/balance", headers={"Aurous-Version": "2026-05-15"}) for _ in "ab"]

    assert first.headers["Aurous-Version"] == "2026-05-15"
    assert first.headers["Aurous-Request-Id"] != second.headers["Aurous-Request-Id"]
    assert [said.headers["X-RateLimit-Remaining"] for said in (first, second)] == ["1199", "1198"]
    assert int(second.headers["X-RateLimit-Reset"]) > int(first.headers["X-RateLimit-Reset"]) - 1
    assert second.headers["Connection"] == "close"


async def test_errors_come_in_the_envelope_with_the_answers_own_request_id(aurous: AurousCaller) -> None:
    said = await aurous.call("GET", "/v1/videos/vid_1")

    request_id = said.headers["Aurous-Request-Id"]
    assert said.body == {
        "error": {
            "type": "not_found",
            "code": "resource_not_found",
            "message": "There is no such route.",
            "param": None,
            "doc_url": "https://docs.aurous-labs.com/errors#resource_not_found",
            "request_id": request_id,
        }
    }
    assert request_id.startswith("req_")
    assert (await aurous.call("PUT", "/v1/images")).code == (405, "invalid_request")


async def test_empty_bucket_says_when_to_come_back_and_belongs_to_the_team(
    aurous_server: RehearsalAurous, aurous: AurousCaller, clock: ManualClock
) -> None:
    aurous_server.rate_limit_scale = 0.2
    estimate = ("POST", "/v1/images/estimate", {"prompt": "x"})
    orders = [await aurous.order() for _ in range(24)]
    refused = await aurous.as_key(MATE_KEY).order()

    assert {said.status for said in orders} == {201}
    assert (refused.code, refused.body["error"]["type"]) == ((429, "too_many_requests"), "rate_limit")
    assert (refused.headers["Retry-After"], refused.headers["X-RateLimit-Remaining"]) == ("5", "0")
    assert (await aurous.call(*estimate)).status == 200
    assert (await aurous.as_key(OTHER_KEY).order()).status == 201
    clock.pass_s(5)
    assert (await aurous.order()).status == 201


async def test_catalogue_is_one_bare_array_that_is_long_enough_to_page_through(aurous: AurousCaller) -> None:
    styles = (await aurous.call("GET", "/v1/loras")).body

    assert len(styles) == 30
    assert len({style["id"] for style in styles}) == 30
    assert {"id", "name", "is_public", "created_at"} <= set.intersection(*(set(style) for style in styles))
    assert [style["slug"] for style in styles].count(None) == 2
    assert {style["has_template"] for style in styles} == {True, False}
    assert any("default_steps" not in style for style in styles)
    assert any("description" not in style for style in styles)


async def test_catalogue_can_come_in_a_list_envelope(aurous_server: RehearsalAurous, aurous: AurousCaller) -> None:
    aurous_server.faults.answers.loras_as_list = aurous_server.faults.answers.extra_fields = True
    said = (await aurous.call("GET", "/v1/loras")).body

    assert (said["object"], len(said["data"]), said["has_more"]) == ("list", 30, False)
    assert "shiny_new_field" in said["data"][0]


async def test_order_names_its_style_by_id_slug_or_uuid(aurous_server: RehearsalAurous, aurous: AurousCaller) -> None:
    style = aurous_server.style(INK)
    used = [(await aurous.order(lora_id=ref)).body["loras"][0]["id"] for ref in (style.id, INK, style.uuid)]

    assert used == [style.id] * 3
    assert (await aurous.order(lora_id="no-such-style")).code == (404, "resource_not_found")


async def test_preview_pictures_need_no_key(aurous: AurousCaller) -> None:
    styles = (await aurous.call("GET", "/v1/loras")).body
    first, second = [await aurous.as_key("").call("GET", style["preview_image_url"]) for style in styles[:2]]

    assert (first.status, first.headers["Content-Type"], first.body[:3]) == (200, "image/jpeg", b"\xff\xd8\xff")
    assert first.body != second.body
    assert (await aurous.call("GET", "/previews/lora_0.jpg")).status == 404


async def test_styles_come_and_go_and_can_be_one_teams_own(
    aurous_server: RehearsalAurous, aurous: AurousCaller
) -> None:
    aurous_server.retire_style("neon-alley")
    aurous_server.make_style_private(INK, MATE_KEY)
    new = aurous_server.add_style("Copper Plate", slug="copper-plate", mood="gold")
    seen = {
        key: {style["slug"]: style["is_public"] for style in (await aurous.as_key(key).call("GET", "/v1/loras")).body}
        for key in (KEY, OTHER_KEY)
    }

    assert "neon-alley" not in seen[KEY]
    assert (seen[KEY][INK], INK in seen[OTHER_KEY], seen[OTHER_KEY]["copper-plate"]) == (False, False, True)
    assert (await aurous.order(lora_id="neon-alley")).code == (404, "resource_not_found")
    assert (await aurous.as_key(OTHER_KEY).order(lora_id=INK)).code == (404, "resource_not_found")
    assert (await aurous.order(lora_id=new.id)).status == 201


async def test_account_shows_balance_and_team(aurous_server: RehearsalAurous, aurous: AurousCaller) -> None:
    aurous_server.faults.answers.billing_mode = "prepaid"
    balance = (await aurous.as_key(MATE_KEY).call("GET", "/v1/balance")).body
    team = (await aurous.call("GET", "/v1/team")).body

    assert balance == {
        "credits": 100,
        "held_credits": 0,
        "available_credits": 100,
        "currency": "credit",
        "billing_mode": "prepaid",
    }
    assert (team["name"], team["credits"], team["id"][:5]) == ("Studio", 100, "team_")


async def test_same_key_and_order_is_replayed_for_a_day(
    aurous_server: RehearsalAurous, aurous: AurousCaller, clock: ManualClock
) -> None:
    first = await aurous.order("k", count=2, seed=7)
    clock.pass_s(24 * 3600)
    again = await aurous.as_key(MATE_KEY).order("k", seed=7, count=2)
    clock.pass_s(1)
    later = await aurous.order("k", seed=7, count=2)

    assert (again.status, again.body) == (201, first.body)
    assert again.headers["Aurous-Idempotent-Replayed"] == "true"
    assert "Aurous-Idempotent-Replayed" not in first.headers
    assert later.body["id"] != first.body["id"]
    assert [entry.credits for entry in aurous_server.ledger if entry.what == "image hold"] == [2, 2]


async def test_key_of_another_order_or_route_is_in_use(aurous: AurousCaller) -> None:
    await aurous.order("k")

    assert (await aurous.order("k", seed=1)).code == (409, "idempotency_key_in_use")
    assert (await aurous.create_character("k")).code == (409, "idempotency_key_in_use")
    assert (await aurous.as_key(OTHER_KEY).order("k", seed=1)).status == 201
    assert (await aurous.order("x" * 257)).code == (400, "invalid_format")


async def test_refused_order_does_not_use_its_key_up(aurous: AurousCaller) -> None:
    assert (await aurous.order("k", lora_id="no-such-style")).status == 404
    assert (await aurous.order("k", size="2k_1_1")).status == 201


async def test_key_is_in_use_until_the_first_answer_has_left(
    aurous_server: RehearsalAurous, aurous: AurousCaller
) -> None:
    aurous_server.faults.next("POST /v1/images", Fault.hang())
    first = asyncio.create_task(aurous.order("k"))
    async with asyncio.timeout(HANG_S):
        while not aurous_server.images:
            await aurous.balance()

    meanwhile = await aurous.order("k")
    aurous_server.release()
    await first
    after = await aurous.order("k")

    assert meanwhile.code == (409, "idempotency_key_in_use")
    assert "Retry-After" not in meanwhile.headers
    assert (after.status, after.body["id"]) == (201, first.result().body["id"])
    assert len(aurous_server.ledger) == 1


@pytest.mark.parametrize(
    "fault", [Fault.answer(502, accepted=True), Fault.html_200(), Fault.garbage_json(), Fault.wrong_schema()]
)
async def test_order_that_was_taken_behind_a_broken_answer_is_replayed(
    aurous_server: RehearsalAurous, aurous: AurousCaller, fault: Fault
) -> None:
    aurous_server.faults.next("POST /v1/images", fault)
    broken = await aurous.order("k")
    again = await aurous.order("k")

    assert "img_" not in str(broken.body)
    assert again.body["id"] == next(iter(aurous_server.images))
    assert len(aurous_server.ledger) == 1


async def test_provoked_errors_are_worded_as_documented(aurous_server: RehearsalAurous, aurous: AurousCaller) -> None:
    faults = [Fault.answer(503), Fault.rate_limited("7"), Fault.answer(500)]
    aurous_server.faults.next("GET /v1/balance", *faults)
    said = [await aurous.call("GET", "/v1/balance") for _ in faults]

    assert [each.code for each in said] == [
        (503, "provider_unavailable"),
        (429, "too_many_requests"),
        (500, "internal_error"),
    ]
    assert said[1].headers["Retry-After"] == "7"
    assert said[0].body["error"]["request_id"] == said[0].headers["Aurous-Request-Id"]


async def test_broken_connections_and_words_can_be_rehearsed(
    aurous_server: RehearsalAurous, aurous: AurousCaller
) -> None:
    image_id = (await aurous.order()).body["id"]
    # aiohttp repeats a GET by itself when its connection breaks.
    resets = [Fault.reset_before()] * 2
    aurous_server.faults.next("GET /v1/images/{id}", Fault.unknown_status_word(), *resets)
    aurous_server.faults.next("GET /v1/balance", Fault.half_body(), Fault.slow_drip(0))

    assert (await aurous.image(image_id))["status"] == "DREAMING"
    with pytest.raises(aiohttp.ClientError):
        await aurous.image(image_id)
    with pytest.raises(aiohttp.ClientError):
        await aurous.balance()
    assert await aurous.balance() == (100, 1, 99)


async def test_order_is_taken_although_its_connection_breaks(
    aurous_server: RehearsalAurous, aurous: AurousCaller
) -> None:
    aurous_server.faults.next("POST /v1/images", Fault.reset_before(), Fault.reset_after_accept())
    for _ in range(2):
        with pytest.raises(aiohttp.ClientError):
            await aurous.order("k")
    again = await aurous.order("k")

    assert (again.status, again.headers["Aurous-Idempotent-Replayed"]) == (201, "true")
    assert len(aurous_server.ledger) == 1


async def test_requests_are_noted_with_what_became_of_them(
    aurous_server: RehearsalAurous, aurous: AurousCaller
) -> None:
    await aurous.as_key("").call("GET", "/v1/team")
    await aurous.call("GET", "/v1/team")

    noted = [(seen.method, seen.path, seen.status, seen.had_key) for seen in aurous_server.requests]
    assert noted == [("GET", "/v1/team", 401, False), ("GET", "/v1/team", 200, True)]


async def test_without_a_clock_of_its_own_it_goes_by_the_time_of_day(tmp_path: Any) -> None:
    server = RehearsalAurous(tmp_path, {KEY: 5})

    assert abs(server.team_of(KEY).created_at.timestamp() - time.time()) < 60
