from datetime import UTC, datetime, timedelta

import pytest

from bot.errors import Busy, KeyRejected, Missing, OutcomeUnknown, OutOfCredits, ProviderError, Refused, Unavailable
from bot.providers.aurous.client import Aurous
from bot.providers.aurous.limits import AurousLimits
from bot.providers.base import PhotoFile, Progress, TrainingOrder
from bot.providers.transport import Transport
from bot.records.dataset import SubjectKind
from bot.sandbox.aurous.server import RehearsalAurous
from bot.sandbox.rehearsal.faults import Fault
from tests.providers.calls import LONG_AGO
from tests.providers.sample_orders import make_generation_order, make_training_order

PUT = "PUT /uploads/{id}"
CREATE = "POST /v1/characters"
INIT = "POST /v1/characters/uploads/init"


def make_order(photos: list[PhotoFile], name: str = "Rex ·k7f3q2") -> TrainingOrder:
    return make_training_order(photos[:2], name=name, subject_kind=SubjectKind.CHARACTER)


async def test_character_from_photos_is_ready_at_once_and_free(
    aurous: Aurous, aurous_server: RehearsalAurous, photos: list[PhotoFile]
) -> None:
    report = await aurous.submit_training(make_order(photos))

    assert (report.progress, report.name, report.trigger_word) == (Progress.READY, "Rex ·k7f3q2", None)
    assert report.trace
    character = aurous_server.characters[report.request_id]
    assert [ref.path.read_bytes() for ref in character.refs] == [photo.path.read_bytes() for photo in photos[:2]]
    assert aurous_server.ledger == []
    assert [request.had_key for request in aurous_server.requests if request.method == "PUT"] == [False, False]
    assert (await aurous.training(report.request_id)).progress is Progress.READY


async def test_character_appears_in_pictures(
    aurous: Aurous, aurous_server: RehearsalAurous, photos: list[PhotoFile]
) -> None:
    character = (await aurous.submit_training(make_order(photos))).request_id

    submitted = await aurous.submit_generation(make_generation_order(character=character))

    assert aurous_server.images[submitted.request_id].character == character
    assert (await aurous.generation(submitted.request_id)).progress is Progress.READY


@pytest.mark.parametrize("count", [0, 7])
async def test_number_of_photos_is_checked_before_anything_is_sent(
    aurous: Aurous, aurous_server: RehearsalAurous, photos: list[PhotoFile], count: int
) -> None:
    with pytest.raises(Refused, match="1 to 6"):
        await aurous.submit_training(make_training_order(photos[:count]))

    assert aurous_server.requests == []


@pytest.mark.parametrize("trouble", [Fault.reset_after_accept(), Fault.answer(502), Fault.html_200()])
async def test_trouble_before_the_create_call_is_overcome(
    aurous: Aurous, aurous_server: RehearsalAurous, photos: list[PhotoFile], trouble: Fault
) -> None:
    aurous_server.faults.next(INIT, trouble, trouble)

    assert (await aurous.submit_training(make_order(photos))).progress is Progress.READY
    assert len(aurous_server.characters) == 1


@pytest.mark.parametrize("trouble", [Fault.reset_after_accept(), Fault.answer(503)])
async def test_trouble_with_a_photo_is_overcome(
    aurous: Aurous, aurous_server: RehearsalAurous, photos: list[PhotoFile], trouble: Fault
) -> None:
    aurous_server.faults.next(PUT, trouble, trouble)

    assert (await aurous.submit_training(make_order(photos))).progress is Progress.READY


@pytest.mark.parametrize(
    ("route", "status", "kind"),
    [
        ("init", 400, Refused),
        ("init", 401, KeyRejected),
        ("init", 429, Busy),
        ("init", 503, Unavailable),
        ("put", 400, Refused),
        ("put", 403, Unavailable),
        ("put", 413, Refused),
        ("put", 500, Unavailable),
        ("create", 400, Refused),
        ("create", 402, OutOfCredits),
        ("create", 429, Busy),
    ],
)
async def test_character_that_cannot_be_made_is_not_in_doubt(
    aurous: Aurous,
    aurous_server: RehearsalAurous,
    photos: list[PhotoFile],
    route: str,
    status: int,
    kind: type[ProviderError],
) -> None:
    full = {"init": INIT, "put": PUT, "create": CREATE}[route]
    aurous_server.faults.next(full, *[Fault.answer(status)] * 3)

    with pytest.raises(kind) as caught:
        await aurous.submit_training(make_order(photos))

    assert not isinstance(caught.value, OutcomeUnknown)
    assert aurous_server.characters == {}


async def test_vanished_photo_makes_no_character(
    aurous: Aurous, aurous_server: RehearsalAurous, photos: list[PhotoFile]
) -> None:
    photos[1].path.unlink()

    with pytest.raises(Refused):
        await aurous.submit_training(make_order(photos))

    assert aurous_server.characters == {}


@pytest.mark.parametrize(
    "trouble", [Fault.reset_after_accept(), Fault.half_body(), Fault.html_200(), Fault.answer(502, accepted=True)]
)
async def test_lost_create_call_is_repeated_under_its_key_and_makes_one_character(
    aurous: Aurous, aurous_server: RehearsalAurous, photos: list[PhotoFile], trouble: Fault
) -> None:
    aurous_server.faults.next(CREATE, trouble, trouble)

    report = await aurous.submit_training(make_order(photos))

    assert list(aurous_server.characters) == [report.request_id]


@pytest.mark.parametrize("then", [Fault.reset_before(), Fault.answer(429), Fault.answer(400), Fault.answer(401)])
async def test_create_call_that_stays_in_doubt_is_unknown_and_found_by_its_marker(
    aurous: Aurous, aurous_server: RehearsalAurous, photos: list[PhotoFile], then: Fault
) -> None:
    aurous_server.faults.next(CREATE, Fault.reset_after_accept(), then, then, then)

    with pytest.raises(OutcomeUnknown):
        await aurous.submit_training(make_order(photos))
    found = await aurous.find_training("·k7f3q2", LONG_AGO)

    assert found is not None
    assert list(aurous_server.characters) == [found.request_id]


async def test_marker_is_looked_for_on_every_page(
    aurous: Aurous, aurous_server: RehearsalAurous, photos: list[PhotoFile], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.providers.aurous.characters.PAGE_SIZE", 1)
    wanted = (await aurous.submit_training(make_order(photos))).request_id
    for number in range(2):
        await aurous.submit_training(make_order(photos, f"Ada ·a{number}aaaa"))

    found = await aurous.find_training("·k7f3q2", LONG_AGO)
    assert found is not None
    assert found.request_id == wanted
    assert await aurous.find_training("·zzzzzz", LONG_AGO) is None

    before = len(aurous_server.requests)
    assert await aurous.find_training("·zzzzzz", datetime.now(UTC) + timedelta(hours=1)) is None
    assert len(aurous_server.requests) == before + 1

    monkeypatch.setattr("bot.providers.aurous.characters.PAGES_CAP", 2)
    with pytest.raises(Unavailable):
        await aurous.find_training("·zzzzzz", LONG_AGO)


@pytest.mark.parametrize(("status", "progress"), [("synthesizing", Progress.RUNNING), ("failed", Progress.FAILED)])
async def test_character_that_is_not_ready_says_so(
    aurous: Aurous, aurous_server: RehearsalAurous, photos: list[PhotoFile], status: str, progress: Progress
) -> None:
    made = (await aurous.submit_training(make_order(photos))).request_id
    aurous_server.characters[made].status = status

    report = await aurous.training(made)

    assert (report.progress, bool(report.error)) == (progress, progress is Progress.FAILED)


async def test_character_that_waits_for_approval_is_saved_when_it_is_read(
    aurous: Aurous, aurous_server: RehearsalAurous, photos: list[PhotoFile]
) -> None:
    made = (await aurous.submit_training(make_order(photos))).request_id
    aurous_server.characters[made].status = "reviewing"

    assert (await aurous.training(made)).progress is Progress.READY
    assert aurous_server.characters[made].status == "ready"


async def test_character_is_removed_and_removing_it_again_does_no_harm(aurous: Aurous, photos: list[PhotoFile]) -> None:
    made = (await aurous.submit_training(make_order(photos))).request_id

    for _ in range(2):
        await aurous.archive_lora(made)
    with pytest.raises(Missing):
        await aurous.training(made)
    assert await aurous.characters() == []


async def test_ids_of_what_can_be_used_leave_out_the_failed_and_deleted(
    aurous: Aurous, aurous_server: RehearsalAurous, photos: list[PhotoFile], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.providers.aurous.characters.PAGE_SIZE", 1)
    kept, deleted, failed, running = [
        (await aurous.submit_training(make_order(photos, name))).request_id for name in "abcd"
    ]
    await aurous.archive_lora(deleted)
    aurous_server.characters[failed].status = "failed"
    aurous_server.characters[running].status = "synthesizing"

    assert {character.request_id for character in await aurous.loras()} == {kept, running}


async def test_characters_of_another_key_are_out_of_reach(
    aurous: Aurous,
    aurous_server: RehearsalAurous,
    transport: Transport,
    limits: AurousLimits,
    photos: list[PhotoFile],
) -> None:
    made = (await aurous.submit_training(make_order(photos))).request_id
    other = Aurous(transport, aurous_server.base_url, "al_live_other", limits)

    with pytest.raises(Missing):
        await other.training(made)
    await other.archive_lora(made)
    with pytest.raises(Refused):
        await other.submit_generation(make_generation_order(character=made))
    assert (await aurous.training(made)).progress is Progress.READY


async def test_the_photo_that_makes_the_best_cover_comes_first(
    aurous: Aurous, aurous_server: RehearsalAurous, photos: list[PhotoFile]
) -> None:
    """Source: Aurous Labs /characters/update-character, the first reference is the cover."""
    report = await aurous.submit_training(make_training_order(photos[:6], subject_kind=SubjectKind.CHARACTER))
    poses = [ref.pose for ref in aurous_server.characters[report.request_id].refs]
    ranks = [{"portrait": 0, "front": 1}.get(pose, 2) for pose in poses]
    assert ranks == sorted(ranks)
    assert len({ref.path for ref in aurous_server.characters[report.request_id].refs}) == 6


async def test_photos_whose_pose_is_not_told_keep_their_order(
    aurous: Aurous, aurous_server: RehearsalAurous, photos: list[PhotoFile]
) -> None:
    aurous_server.faults.next("POST /v1/characters/uploads/classify", *[Fault.answer(400)] * 2)
    report = await aurous.submit_training(make_order(photos))
    sent = [ref.path.read_bytes() for ref in aurous_server.characters[report.request_id].refs]
    assert sent == [photo.path.read_bytes() for photo in photos[:2]]
