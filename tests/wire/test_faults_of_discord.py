"""Whatever goes wrong at Discord: results arrive once, in a place their owner reads, and notify nobody else."""

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from bot.records.post import PostKind
from tests.fakes.waiting import HANG_S
from tests.wire.discord import faults
from tests.wire.discord.answers import Call
from tests.wire.discord.gateway import ABNORMAL
from tests.wire.discord.interactions import CallbackKind
from tests.wire.discord.messages import StoredMessage
from tests.wire.discord.pings import pinged
from tests.wire.discord.world import ChannelKind, Permit
from tests.wire.kills.bot_process import alive
from tests.wire.kills.ledger import open_rows, posted_twice
from tests.wire.kills.persistent_member import CONSENT, Member
from tests.wire.kills.rig import TIMINGS, Rig, open_rig, until

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


EXPIRED = [50027, 10015]
"""How Discord refuses an answer that comes after an interaction's quarter of an hour."""


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
    return await rig.post(PostKind.TRAINING_READY, number)


async def pictured(rig: Rig, member: Member, ready: StoredMessage) -> StoredMessage:
    number, _ = await member.imagine(ready, "at the sea")
    return await rig.post(PostKind.PICTURES, number)


def mentions(text: str) -> Callable[[Call], bool]:
    return lambda call: text in json.dumps(call.json)


def assert_each_once(rig: Rig) -> None:
    """No post stands twice, and whatever is posted notifies its owner alone."""
    assert posted_twice(rig.messages) == []
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
        await rig.post(PostKind.PICTURES, number)
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
    ready = await rig.post(PostKind.TRAINING_READY, number)
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
    ready = await rig.post(PostKind.TRAINING_READY, number)
    assert ready.channel is rig.channel
    assert_each_once(rig)


async def test_what_no_place_takes_is_kept_and_fetched_from_jobs_once(rig: Rig, member: Member) -> None:
    ready = await trained(rig, member)
    member.person.accepts_dms = False
    rig.standin.take_from_bot(rig.channel, Permit.SEND_MESSAGES, announce=False)
    number, _ = await member.imagine(ready, "at the sea")
    label = "Fetch it"
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
    async with asyncio.timeout(HANG_S):
        while True:
            shown = await (await rig.standin.slash(member.person, member.channel, "jobs")).settled()
            if is_it(shown):
                return shown


async def test_a_form_that_discord_gave_up_waiting_for_is_not_taken_and_can_be_sent_again(
    rig: Rig, member: Member
) -> None:
    """Discord has told the member then that it failed. Mutant: `defer` that passes over every refusal."""
    ready = await trained(rig, member)
    opened = await rig.standin.click(ready, "Make the first picture", user=member.person)
    await opened.responded()
    late = rig.standin.faults.add("POST", "/interactions/*", faults.refused(10062))
    handle = await rig.standin.submit_modal(opened, {"Prompt": "at the sea"})
    await rig.standin.until(lambda: late.fired, "the refused acknowledgement")
    number, _ = await member.imagine(ready, "at the sea again")
    assert number == 1
    await rig.post(PostKind.PICTURES, number)
    assert handle.callback is None
    assert_each_once(rig)


@pytest.mark.parametrize("code", EXPIRED)
async def test_an_answer_that_comes_too_late_does_not_undo_what_was_accepted(
    rig: Rig, member: Member, code: int
) -> None:
    ready = await trained(rig, member)
    opened = await rig.standin.click(ready, "Make the first picture", user=member.person)
    await opened.responded()
    late = rig.standin.faults.add("PATCH", "/webhooks/*", faults.refused(code))
    await rig.standin.submit_modal(opened, {"Prompt": "at the sea"})
    await rig.post(PostKind.PICTURES, 1)
    assert late.fired == 1
    assert_each_once(rig)


@pytest.mark.parametrize("code", EXPIRED)
async def test_photos_whose_board_could_not_be_shown_are_found_with_dataset_show(
    rig: Rig, member: Member, code: int
) -> None:
    expired = rig.standin.faults.add("PATCH", "/webhooks/*", faults.refused(code))
    await member.fill_in("Rex")
    await rig.standin.until(lambda: expired.fired, "the refused board")
    board = await (await rig.standin.slash(member.person, rig.channel, "dataset show")).settled()
    assert "Start training (15 photos)" in board.labels
    number = await member.start(board)
    await rig.post(PostKind.TRAINING_READY, number)
    assert_each_once(rig)


async def test_an_answer_that_was_taken_although_discord_said_502_is_shown_once(rig: Rig, member: Member) -> None:
    ready = await trained(rig, member)
    opened = await rig.standin.click(ready, "Make the first picture", user=member.person)
    await opened.responded()
    taken = rig.standin.faults.add("POST", "/interactions/*", faults.server_error(502).committed())
    handle = await rig.standin.submit_modal(opened, {"Prompt": "at the sea"})
    await rig.post(PostKind.PICTURES, 1)
    await rig.standin.until(
        lambda: [call.status for call in rig.standin.calls].count(400) == 1, "the library's second answer"
    )
    await rig.standin.until(lambda: rig.standin.gateway.connected, "the bot")
    assert taken.fired == 1
    assert handle.callback is not None
    assert handle.callback.kind is CallbackKind.DEFERRED_MESSAGE
    assert "Accepted #1" in (await handle.settled()).text
    assert handle.followups == []
    assert_each_once(rig)


async def test_a_board_is_shown_although_the_answer_to_thinking_was_lost(rig: Rig, member: Member) -> None:
    opened = await rig.standin.slash(member.person, rig.channel, "train", {"subject": "object"})
    await opened.responded()
    taken = rig.standin.faults.add("POST", "/interactions/*", faults.server_error(502).committed())
    photos = {"Photos": member.photos[:10], "More photos (2)": member.photos[10:]}
    handle = await rig.standin.submit_modal(opened, {"Name": "Rex", **photos, CONSENT: True})
    board = await handle.settled()
    assert taken.fired == 1
    assert "Start training (15 photos)" in board.labels
    await member.start(board)


async def test_a_result_whose_pictures_discord_lists_in_its_gallery_only_can_be_started_from(
    rig: Rig, member: Member
) -> None:
    result = await pictured(rig, member, await trained(rig, member))
    opened = await rig.standin.context_menu(result, "Imagine from this picture", user=member.person)
    await opened.responded()
    assert opened.modal is not None
    await rig.standin.submit_modal(opened, {"Prompt": "the same in snow"})
    await rig.post(PostKind.PICTURES, 2)
    assert [request.path for request in rig.provider.requests].count("/v2/uploads") == 1


@pytest.mark.parametrize("is_slow", [True, False])
async def test_a_form_works_although_the_answer_to_opening_it_was_lost(rig: Rig, member: Member, is_slow: bool) -> None:
    """Mutant: without listening to the form again, what is sent with it gets no answer at all."""
    taken = rig.standin.faults.add("POST", "/interactions/*", faults.server_error(502).committed())
    opened = await rig.standin.slash(member.person, rig.channel, "train", {"subject": "object"})
    await opened.responded()
    if is_slow:
        await rig.standin.until(lambda: 400 in rig.standin.statuses(), "the library's second answer")
    photos = {"Photos": member.photos[:10], "More photos (2)": member.photos[10:]}
    board = await (await rig.standin.submit_modal(opened, {"Name": "Rex", **photos, CONSENT: True})).settled()
    assert taken.fired == 1
    assert "Start training (15 photos)" in board.labels


async def test_buttons_work_although_the_answer_that_shows_them_was_lost(rig: Rig, member: Member) -> None:
    taken = rig.standin.faults.add("POST", "/interactions/*", faults.server_error(502).committed())
    asked = await rig.standin.slash(member.person, rig.channel, "privacy erase")
    question = await asked.settled()
    await rig.standin.until(lambda: 400 in rig.standin.statuses(), "the library's second answer")
    pressed = await rig.standin.click(question, "Erase my data here", user=member.person)
    assert "are erased" in (await pressed.settled()).text
    assert taken.fired == 1


async def test_a_button_that_has_been_used_up_says_so(rig: Rig, member: Member) -> None:
    question = await (await rig.standin.slash(member.person, rig.channel, "privacy erase")).settled()
    first = await rig.standin.click(question, "Erase my data here", user=member.person)
    await first.settled()
    second = await rig.standin.click(question, "Erase my data here", user=member.person)
    assert "used already" in (await second.settled()).text


async def test_a_guild_that_removed_the_bot_while_it_was_away_is_noticed(tmp_path: Path) -> None:
    async with open_rig(tmp_path, members=1) as rig:
        async with alive(rig.settings):
            await rig.save_key()
        assert rig.channel.guild is not None
        rig.channel.guild.has_bot = False
        async with alive(rig.settings):
            await until(lambda: keys_in(rig.database) == 0)


def keys_in(database: Path) -> int:
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
        (count,) = connection.execute("SELECT count(*) FROM api_keys").fetchone()
    connection.close()
    return int(count)


async def test_a_result_is_found_again_in_a_channel_with_hundreds_of_messages_a_minute(tmp_path: Path) -> None:
    timings = TIMINGS | {"nonce_memory": 0.0}
    async with open_rig(tmp_path, members=1, timings=timings) as rig, alive(rig.settings):
        rig.standin.messages.nonce_memory_seconds = 0.0
        await rig.save_key()
        member = rig.members[0]
        ready = await trained(rig, member)
        for number in range(450):
            rig.standin.messages.create(rig.channel, rig.host.person, {"content": f"message {number}"})
        stored = rig.standin.faults.add("POST", MESSAGES, faults.reset().committed())
        await member.imagine(ready, "at the sea")
        await rig.standin.until(lambda: stored.fired, "the lost answer")
        await until(lambda: not open_rows(rig.database))
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
    ready = await rig.post(PostKind.TRAINING_READY, number)
    await rig.standin.until(lambda: len(gateway.identified_at) + len(gateway.resumed_at) > before, "the return")
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
