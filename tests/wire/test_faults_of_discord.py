"""Whatever goes wrong at Discord: results arrive once, in a place their owner reads, and notify nobody else."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from tests.wire import faults
from tests.wire.answers import Call
from tests.wire.gateway import ABNORMAL
from tests.wire.interactions import CallbackKind
from tests.wire.ledger import footers
from tests.wire.lives import alive
from tests.wire.members import Member
from tests.wire.messages import StoredMessage
from tests.wire.pings import pinged
from tests.wire.rig import Rig, open_rig
from tests.wire.world import ChannelKind, Permit

MESSAGES = "/channels/*/messages"
BURST = {
    "500": faults.server_error(500),
    "502": faults.server_error(502),
    "503": faults.server_error(503),
    "504": faults.server_error(504),
    "stored, then 500": faults.server_error(500).committed(),
    "stored, then 502": faults.server_error(502).committed(),
    "stored, then 503": faults.server_error(503).committed(),
    "stored, then reset": faults.reset().committed(),
    "stored, then closed": faults.dropped().committed(),
    "429": faults.rate_limited(0.2),
    "429 for all": faults.rate_limited(0.2, scope="global"),
    "429 from the edge": faults.rate_limited(0.2, has_via=False),
}


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    """A bot that runs and has a key; one member."""
    async with open_rig(tmp_path, members=1) as made, alive(made.settings):
        await made.save_key()
        yield made


@pytest.fixture
def member(rig: Rig) -> Member:
    return rig.members[0]


async def trained(rig: Rig, member: Member) -> StoredMessage:
    number = await member.train("Rex")
    return await rig.post(f"Training #{number} · ready")


async def pictured(rig: Rig, member: Member, ready: StoredMessage) -> StoredMessage:
    number, _ = await member.imagine(ready, "at the sea")
    return await rig.post(f"Pictures #{number} · AI-generated")


def mentions(text: str) -> Callable[[Call], bool]:
    return lambda call: text in json.dumps(call.json)


def assert_each_once(rig: Rig) -> None:
    """No post stands twice, and whatever is posted notifies its owner alone."""
    posted = footers(rig.messages)
    assert [footer for footer, count in posted.items() if count > 1] == []
    owners = {f"user:{member.person.id}" for member in rig.members}
    for message in rig.messages:
        assert pinged(message) <= owners, message.text


async def test_whatever_a_channel_post_meets_it_stands_there_once(rig: Rig, member: Member) -> None:
    ready = await trained(rig, member)
    rules = {}
    numbers = []
    for position, (name, fault) in enumerate(BURST.items()):
        tag = f"fault-{position:02}"
        rules[name] = rig.standin.faults.add("POST", MESSAGES, fault, when=mentions(tag))
        numbers.append((await member.imagine(ready, f"{tag} @everyone <@{rig.host.person.id}>"))[0])
    for number in numbers:
        await rig.post(f"Pictures #{number} · AI-generated")
    assert {name: rule.fired for name, rule in rules.items()} == dict.fromkeys(BURST, 1)
    assert_each_once(rig)


async def test_a_training_whose_posts_all_fail_at_first_is_announced_once(rig: Rig, member: Member) -> None:
    rule = rig.standin.faults.add("POST", MESSAGES, faults.server_error(503).committed(), times=4)
    ready = await trained(rig, member)
    assert rule.fired >= 2
    assert pinged(ready) == {f"user:{member.person.id}"}
    assert_each_once(rig)


@pytest.mark.parametrize(
    ("refusals", "names", "words"),
    [(1, ["darkroom-1-1.jpg"], "smaller copies"), (2, [], "too large to attach")],
)
async def test_pictures_that_are_too_large_become_smaller_copies_or_links(
    rig: Rig, member: Member, refusals: int, names: list[str], words: str
) -> None:
    ready = await trained(rig, member)
    rig.standin.faults.add("POST", MESSAGES, faults.refused(40005), times=refusals, when=lambda call: bool(call.files))
    message = await pictured(rig, member, ready)
    assert [file.name for file in message.files] == names
    assert words in message.text
    assert_each_once(rig)


async def test_without_permission_to_write_the_result_comes_as_a_private_message(rig: Rig, member: Member) -> None:
    ready = await trained(rig, member)
    rig.standin.take_from_bot(rig.channel, Permit.SEND_MESSAGES, announce=False)
    message = await pictured(rig, member, ready)
    assert message.channel.recipient is member.person
    assert message.files
    assert rig.standin.statuses()[403] <= 3
    assert_each_once(rig)


async def test_a_deleted_channel_does_not_swallow_a_training(rig: Rig, member: Member) -> None:
    rig.provider.faults.hold_trainings = True
    number = await member.train("Rex")
    rig.standin.delete_channel(rig.channel)
    rig.provider.faults.hold_trainings = False
    ready = await rig.post(f"Training #{number} · ready")
    assert ready.channel.recipient is member.person
    assert_each_once(rig)


async def test_an_archived_and_locked_thread_is_answered_in_its_channel(rig: Rig, member: Member) -> None:
    thread = rig.standin.world.add_thread(rig.channel, "Rex", member.person, ChannelKind.PUBLIC_THREAD)
    rig.standin.state.announce_channel("THREAD_CREATE", thread)
    rig.provider.faults.hold_trainings = True
    member.channel = thread
    number = await member.train("Rex")
    rig.standin.archive(thread)
    rig.provider.faults.hold_trainings = False
    ready = await rig.post(f"Training #{number} · ready")
    assert ready.channel is rig.channel
    assert_each_once(rig)


async def test_what_no_place_takes_is_kept_and_fetched_from_jobs_once(rig: Rig, member: Member) -> None:
    ready = await trained(rig, member)
    member.person.accepts_dms = False
    rig.standin.take_from_bot(rig.channel, Permit.SEND_MESSAGES, announce=False)
    number, _ = await member.imagine(ready, "at the sea")
    label = f"Fetch #{number}"
    jobs = await jobs_when(rig, member, lambda shown: label in shown.labels)
    answer = await (await rig.standin.click(jobs, label)).settled()
    assert f"Pictures #{number} · AI-generated" in answer.text
    assert answer.is_ephemeral
    assert [file.name for file in answer.files] == [f"darkroom-{number}-1.png"]
    await jobs_when(rig, member, lambda shown: label not in shown.labels)
    again = await (await rig.standin.click(jobs, label)).settled()
    assert "handed over already" in again.text


async def jobs_when(rig: Rig, member: Member, is_it: Callable[[StoredMessage], bool]) -> StoredMessage:
    """The first /jobs answer that is like that."""
    async with asyncio.timeout(10):
        while True:
            shown = await (await rig.standin.slash(member.person, member.channel, "jobs")).settled()
            if is_it(shown):
                return shown


async def test_an_answer_that_comes_too_late_does_not_undo_what_was_accepted(rig: Rig, member: Member) -> None:
    ready = await trained(rig, member)
    opened = await rig.standin.click(ready, "Make the first picture", user=member.person)
    await opened.responded()
    late = rig.standin.faults.add("POST", "/interactions/*", faults.refused(10062))
    handle = await rig.standin.submit_modal(opened, {"Prompt": "at the sea"})
    await rig.post("Pictures #1 · AI-generated")
    assert late.fired == 1
    assert handle.callback is None
    assert_each_once(rig)


@pytest.mark.parametrize("code", [50027, 10015])
async def test_photos_whose_board_could_not_be_shown_are_found_with_dataset_show(
    rig: Rig, member: Member, code: int
) -> None:
    expired = rig.standin.faults.add("PATCH", "/webhooks/*", faults.refused(code))
    await member.fill_in("Rex")
    await rig.standin.until(lambda: expired.fired, "the refused board")
    board = await (await rig.standin.slash(member.person, rig.channel, "dataset show")).settled()
    assert "Start training (15 photos)" in board.labels
    number = await member.start(board)
    await rig.post(f"Training #{number} · ready")
    assert_each_once(rig)


async def test_an_answer_that_was_taken_although_discord_said_502_is_shown_once(rig: Rig, member: Member) -> None:
    ready = await trained(rig, member)
    opened = await rig.standin.click(ready, "Make the first picture", user=member.person)
    await opened.responded()
    taken = rig.standin.faults.add("POST", "/interactions/*", faults.server_error(502).committed())
    handle = await rig.standin.submit_modal(opened, {"Prompt": "at the sea"})
    await rig.post("Pictures #1 · AI-generated")
    await rig.standin.until(
        lambda: [call.status for call in rig.standin.calls].count(400) == 1, "the library's second answer"
    )
    await rig.standin.until(lambda: rig.standin.gateway.connected, "the bot")
    assert taken.fired == 1
    assert handle.callback is not None
    assert handle.callback.kind is CallbackKind.MESSAGE
    assert handle.followups == []
    assert_each_once(rig)


def cut(rig: Rig) -> None:
    rig.standin.gateway.close_all(ABNORMAL)


def ask_to_reconnect(rig: Rig) -> None:
    rig.standin.gateway.ask_to_reconnect()


def invalidate(rig: Rig) -> None:
    rig.standin.gateway.invalidate(resumable=False)


def cut_and_refuse_resumes(rig: Rig) -> None:
    rig.standin.gateway.resumes_to_refuse = 1
    rig.standin.gateway.close_all(ABNORMAL)


@pytest.mark.parametrize("drop", [cut, ask_to_reconnect, invalidate, cut_and_refuse_resumes])
async def test_a_job_goes_on_while_the_gateway_comes_back(
    rig: Rig, member: Member, drop: Callable[[Rig], None]
) -> None:
    gateway = rig.standin.gateway
    number = await member.train("Rex")
    before = len(gateway.identified_at) + len(gateway.resumed_at)
    drop(rig)
    ready = await rig.post(f"Training #{number} · ready")
    await rig.standin.until(lambda: len(gateway.identified_at) + len(gateway.resumed_at) > before, "the return", 20)
    await pictured(rig, member, ready)
    assert_each_once(rig)


async def test_a_gateway_that_refuses_the_first_connect_is_tried_again(tmp_path: Path) -> None:
    async with open_rig(tmp_path, members=1) as rig:
        rig.standin.gateway.connects_to_refuse = 1
        rig.standin.faults.add("GET", "/users/@me", faults.server_error(503))
        async with alive(rig.settings) as life:
            await rig.save_key()
            await trained(rig, rig.members[0])
            assert life.code is None
        assert_each_once(rig)
