import asyncio
from pathlib import Path

import aiohttp
import pytest

from bot.sandbox.apiframe.server import RehearsalApiframe
from bot.sandbox.apiframe.state import RehearsalTimings, TrainingFault, make_trigger_word
from bot.sandbox.rehearsal.faults import Fault
from tests.fakes.waiting import HANG_S
from tests.providers.sample_orders import API_KEY, make_jpeg
from tests.sandbox.apiframe.raw_client import (
    UNKNOWN_ID,
    Caller,
    ManualClock,
    Receiver,
    credits_by_what,
    make_form,
)


@pytest.mark.parametrize(
    ("key", "status", "text"), [("", 401, "API key is required"), ("afk_x", 401, "Invalid API key")]
)
async def test_keys_are_asked_for(
    server: RehearsalApiframe, session: aiohttp.ClientSession, key: str, status: int, text: str
) -> None:
    stranger = Caller(session, server.base_url, key)

    assert await stranger.call("GET", "/v2/me") == (status, {"error": text})
    assert await stranger.create() == (status, {"error": text})


async def test_switched_off_key_is_forbidden(server: RehearsalApiframe, caller: Caller) -> None:
    server.faults.inactive_keys.add(API_KEY)

    assert await caller.call("GET", "/v2/me") == (403, {"error": "API key is inactive"})


async def test_models_need_no_key(server: RehearsalApiframe, session: aiohttp.ClientSession) -> None:
    stranger = Caller(session, server.base_url, "")

    status, answer = await stranger.call("GET", "/v2/models?modality=image")
    assert (status, answer["models"][0]["id"]) == (200, "flux-lora")
    assert await stranger.call("GET", "/v2/models?modality=video") == (200, {"models": []})
    assert (await stranger.call("GET", "/v2/models?modality=smell"))[0] == 400


async def test_unknown_routes_and_methods_answer_in_json(caller: Caller) -> None:
    assert await caller.call("GET", "/v3/loras") == (404, {"error": "Not Found"})
    assert await caller.call("PUT", "/v2/loras") == (405, {"error": "Method Not Allowed"})


async def test_created_lora_answers_with_three_fields_and_takes_two_credits(
    server: RehearsalApiframe, caller: Caller
) -> None:
    status, created = await caller.create(18)

    assert status == 202
    assert created == {"id": next(iter(server.loras)), "status": "PENDING", "imageCount": 18}
    assert credits_by_what(server) == {"create": 2}
    assert server.lora_names() == ["Rex"]


async def test_lora_moves_on_with_time_and_pays_when_training_begins(
    server: RehearsalApiframe, caller: Caller, clock: ManualClock
) -> None:
    _, created = await caller.create()
    seen = []
    for seconds in (0, 10, 20, 99, 1):
        clock.pass_s(seconds)
        _, lora = await caller.call("GET", f"/v2/loras/{created['id']}")
        seen.append((lora["status"], lora["isReady"], server.credits_of(API_KEY)))

    assert seen == [
        ("PENDING", False, 998),
        ("UPLOADING", False, 998),
        ("TRAINING", False, 743),
        ("TRAINING", False, 743),
        ("READY", True, 743),
    ]
    assert lora["triggerWord"] == make_trigger_word(1)
    assert lora["completedAt"] == "2026-04-25T12:02:10.000Z"


def test_trigger_words_have_five_and_six_letters_by_turns() -> None:
    assert [len(make_trigger_word(number)) for number in range(4)] == [5, 6, 5, 6]


@pytest.mark.parametrize(
    ("photos", "fields", "path"),
    [
        (14, {}, "images"),
        (31, {}, "images"),
        (15, {"name": ""}, "name"),
        (15, {"name": "x" * 61}, "name"),
        (15, {"subjectKind": "pet"}, "subjectKind"),
        (15, {"gender": "other"}, "gender"),
        (15, {"ethnicity": "x" * 41}, "ethnicity"),
        (15, {"age": "x" * 41}, "age"),
        (15, {"steps": "499"}, "steps"),
        (15, {"steps": "many"}, "steps"),
        (15, {"loraRank": "65"}, "loraRank"),
        (15, {"webhookUrl": "ftp://x"}, "webhookUrl"),
        (15, {"webhookEvents": '["completed"]'}, "webhookEvents"),
        (15, {"colour": "red"}, "colour"),
    ],
)
async def test_wrong_training_is_refused_by_path_and_leaves_nothing(
    server: RehearsalApiframe, caller: Caller, tmp_path: Path, photos: int, fields: dict[str, str], path: str
) -> None:
    status, answer = await caller.create(photos, **fields)

    assert (status, list(answer["details"])) == (400, [path])
    assert (server.ledger, list((tmp_path / "loras").iterdir())) == ([], [])


async def test_photos_are_judged_by_their_bytes_and_size(caller: Caller) -> None:
    _, animated = await caller.call("POST", "/v2/loras", data=make_form(15, body=b"GIF89a..............."))
    _, large = await caller.call("POST", "/v2/loras", data=make_form(15, body=make_jpeg(1, 10 * 2**20 + 1)))

    assert animated["details"]["images.0"] == ["Unsupported image type"]
    assert large["details"]["images.14"] == ["Too big: expected at most 10 MB"]
    assert large["details"]["images"] == ["Too big: expected at most 100 MB in total"]


async def test_body_that_is_no_form_is_refused(caller: Caller) -> None:
    broken = {"Content-Type": "multipart/form-data; boundary=x"}

    assert (await caller.call("POST", "/v2/loras", json={}))[0] == 400
    assert (await caller.call("POST", "/v2/loras", data=b"--y\r\nnonsense", headers=broken))[0] == 400


async def test_style_needs_no_gender(caller: Caller) -> None:
    form = make_form(15, {"subjectKind": "style", "gender": "", "ethnicity": ""})

    assert (await caller.call("POST", "/v2/loras", data=form))[0] == 202


async def test_cap_counts_what_is_in_flight_per_team(
    server: RehearsalApiframe, caller: Caller, session: aiohttp.ClientSession, clock: ManualClock
) -> None:
    server.faults.answers.retry_after_at_cap = "30"
    for _ in range(10):
        assert (await caller.create())[0] == 202

    assert (await caller.create())[0] == 429
    assert (await Caller(session, server.base_url, "afk_other").create())[0] == 202
    clock.pass_s(500)
    assert (await caller.create())[0] == 202


async def test_empty_account_gets_both_numbers(server: RehearsalApiframe, session: aiohttp.ClientSession) -> None:
    status, answer = await Caller(session, server.base_url, "afk_poor").create()

    assert status == 402
    assert answer == {"error": "Insufficient credits", "creditsRequired": 2, "creditsAvailable": 1}


async def test_training_that_cannot_be_paid_fails_and_returns_the_fee(
    server: RehearsalApiframe, session: aiohttp.ClientSession, clock: ManualClock
) -> None:
    thin = Caller(session, server.base_url, "afk_thin")
    _, created = await thin.create()
    clock.pass_s(60)

    _, lora = await thin.call("GET", f"/v2/loras/{created['id']}")

    assert lora["status"] == "FAILED"
    assert server.credits_of("afk_thin") == 100


@pytest.mark.parametrize(
    ("fault", "refund_fee", "left"),
    [
        (TrainingFault.FAIL_BEFORE_CHARGE, False, 1000),
        (TrainingFault.FAIL_AFTER_CHARGE, True, 1000),
        (TrainingFault.FAIL_AFTER_CHARGE, False, 998),
    ],
)
async def test_failed_training_is_refunded(
    server: RehearsalApiframe,
    caller: Caller,
    clock: ManualClock,
    fault: TrainingFault,
    refund_fee: bool,
    left: int,
) -> None:
    server.faults.trainings.append(fault)
    server.faults.refund_create_fee = refund_fee
    _, created = await caller.create()
    clock.pass_s(500)

    _, lora = await caller.call("GET", f"/v2/loras/{created['id']}")

    assert (lora["status"], lora["error"]) == ("FAILED", server.faults.failure_text)
    assert server.credits_of(API_KEY) == left


async def test_held_training_waits_until_it_is_let_go(
    server: RehearsalApiframe, caller: Caller, clock: ManualClock
) -> None:
    server.faults.hold_trainings = True
    _, created = await caller.create()
    clock.pass_s(500)

    assert (await caller.call("GET", f"/v2/loras/{created['id']}"))[1]["status"] == "PENDING"
    server.faults.hold_trainings = False
    assert (await caller.call("GET", f"/v2/loras/{created['id']}"))[1]["status"] == "READY"


async def test_list_is_newest_first_paged_and_hides_archived(caller: Caller) -> None:
    ids = [(await caller.create(name=f"Rex {number}"))[1]["id"] for number in range(4)]
    assert (await caller.call("DELETE", f"/v2/loras/{ids[2]}")) == (204, None)
    assert (await caller.call("DELETE", f"/v2/loras/{ids[2]}")) == (204, None)

    _, first = await caller.call("GET", "/v2/loras?limit=2")
    _, second = await caller.call("GET", f"/v2/loras?limit=2&cursor={first['nextCursor']}")
    _, everything = await caller.call("GET", "/v2/loras?includeArchived=true")

    assert [item["id"] for item in first["items"]] == [ids[3], ids[1]]
    assert ([item["id"] for item in second["items"]], second["nextCursor"]) == ([ids[0]], None)
    assert [item["id"] for item in everything["items"]] == ids[::-1]


@pytest.mark.parametrize(
    "path",
    [
        "/v2/loras?limit=0",
        "/v2/loras?limit=101",
        "/v2/loras?limit=x",
        "/v2/loras?includeArchived=1",
        f"/v2/loras?cursor={UNKNOWN_ID}",
        "/v2/loras/lora_1",
        "/v2/jobs/job_1",
    ],
)
async def test_malformed_queries_are_refused(caller: Caller, path: str) -> None:
    status, answer = await caller.call("GET", path)

    assert status == 400
    assert answer["details"]


async def test_requests_are_on_record_with_what_they_meant_to_answer(server: RehearsalApiframe, caller: Caller) -> None:
    server.faults.next("POST /v2/loras", Fault.reset_after_accept())
    with pytest.raises(aiohttp.ClientError):
        await caller.create()
    await caller.call("GET", "/v2/me")

    assert [(seen.method, seen.path, seen.status) for seen in server.requests] == [
        ("POST", "/v2/loras", 202),
        ("GET", "/v2/me", 200),
    ]


async def test_hanging_answer_comes_when_it_is_released(server: RehearsalApiframe, caller: Caller) -> None:
    server.faults.next("GET /v2/me", Fault.hang())
    asking = asyncio.create_task(caller.call("GET", "/v2/me"))
    async with asyncio.timeout(HANG_S):
        while not server.requests:
            await asyncio.wait({asking}, timeout=0.01)
    assert not asking.done()

    server.release()

    assert (await asking)[0] == 200


async def test_server_on_the_real_clock_moves_on_by_itself(tmp_path: Path, receiver: Receiver) -> None:
    server = RehearsalApiframe(tmp_path, {API_KEY: 300}, RehearsalTimings(0.01, 0.01, 0.01, 0.01, 0.01))
    await server.start()
    try:
        async with aiohttp.ClientSession() as session:
            await Caller(session, server.base_url).create(webhookUrl=receiver.url)
            await receiver.wait_for(1)
    finally:
        await server.close()

    assert receiver.bodies[0]["status"] == "READY"
