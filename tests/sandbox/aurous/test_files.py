import pytest

from bot.sandbox.aurous.server import RehearsalAurous
from tests.sandbox.apiframe.raw_client import ManualClock
from tests.sandbox.aurous.raw_client import KEY, AurousCaller, make_photo


async def test_uploaded_file_is_described_and_opens_without_a_key(aurous: AurousCaller) -> None:
    body = make_photo((300, 200), "PNG")
    said = await aurous.upload(body=body, metadata='{"for": "a test"}')
    file = said.body
    opened = await aurous.as_key("").call("GET", file["url"])

    assert (said.status, file["object"], file["purpose"], file["mime_type"]) == (201, "file", "reference", "image/png")
    assert (file["size_bytes"], file["width_px"], file["height_px"]) == (len(body), 300, 200)
    assert (file["metadata"], file["expires_at"]) == ({"for": "a test"}, "2026-04-26T12:00:00Z")
    assert (opened.body, opened.headers["Content-Type"]) == (body, "image/png")


async def test_address_of_a_file_lasts_an_hour(aurous: AurousCaller, clock: ManualClock) -> None:
    file = (await aurous.upload()).body

    assert (await aurous.call("GET", file["url"].replace("expires=1", "expires=2"))).status == 404
    clock.pass_s(3600)
    assert (await aurous.call("GET", file["url"])).status == 403


async def test_file_is_forgotten_after_a_day(aurous: AurousCaller, clock: ManualClock) -> None:
    file_id = (await aurous.upload()).body["id"]
    clock.pass_s(24 * 3600 - 1)
    known = await aurous.order(reference_image_urls=[file_id])
    clock.pass_s(1)

    assert known.status == 201
    assert (await aurous.order(reference_image_urls=[file_id])).code == (404, "resource_not_found")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"hello", "invalid_format"),
        (make_photo((10, 10), "GIF"), "invalid_format"),
        (make_photo((4097, 10)), "value_out_of_range"),
        (make_photo() + bytes(10 * 2**20), "value_out_of_range"),
    ],
    ids=["text", "gif", "wide", "large"],
)
async def test_pictures_are_judged_by_bytes_size_and_sides(aurous: AurousCaller, body: bytes, code: str) -> None:
    said = await aurous.upload(body=body)

    assert (said.code, said.body["error"]["param"]) == ((400, code), "file")


async def test_form_has_to_be_whole(aurous: AurousCaller) -> None:
    broken = {"Content-Type": "multipart/form-data; boundary=x"}

    assert (await aurous.upload("portrait")).body["error"]["param"] == "purpose"
    assert (await aurous.upload(metadata="[1]")).body["error"]["param"] == "metadata"
    assert (await aurous.upload(metadata="{")).body["error"]["param"] == "metadata"
    assert (await aurous.call("POST", "/v1/files", {"purpose": "reference"})).code == (400, "invalid_format")
    assert (await aurous.call("POST", "/v1/files", data=b"--y\r\nx", headers=broken)).code == (400, "invalid_format")


async def test_form_without_file_or_purpose_says_which_is_missing(aurous: AurousCaller) -> None:
    head = b'--x\r\nContent-Disposition: form-data; name="%s"\r\n\r\nreference\r\n--x--\r\n'
    for name, missing in ((b"purpose", "file"), (b"metadata", "purpose")):
        headers = {"Content-Type": "multipart/form-data; boundary=x"}
        said = await aurous.call("POST", "/v1/files", data=head % name, headers=headers)
        assert (said.code, said.body["error"]["param"]) == ((400, "missing_field"), missing)


async def test_key_is_compared_with_purpose_and_metadata_but_not_with_the_bytes(aurous: AurousCaller) -> None:
    key = {"Idempotency-Key": "k"}
    first = await aurous.upload(headers=key)
    same = await aurous.upload(body=make_photo(shade=1), headers=key)
    other = await aurous.upload("first_frame", headers=key)

    assert (same.status, same.body["id"]) == (201, first.body["id"])
    assert other.code == (409, "idempotency_key_in_use")


async def test_large_upload_with_a_wrong_key_still_hears_why(
    aurous_server: RehearsalAurous, aurous: AurousCaller
) -> None:
    large = make_photo() + bytes(8 * 2**20)
    unknown = await aurous.as_key("al_live_unknown").upload(body=large)
    aurous_server.faults.scopes[KEY] = "read"

    assert unknown.code == (401, "invalid_api_key")
    assert (await aurous.upload(body=large)).code == (403, "missing_scope")
