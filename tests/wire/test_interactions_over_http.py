"""The main job with every interaction over HTTP: the gateway brings none, and each is worked on once."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.web.interactions import PATH
from tests.fakes.signing import ApplicationKey
from tests.fakes.sockets import free_port
from tests.fakes.waiting import HANG_S
from tests.wire.discord.endpoint import Endpoint
from tests.wire.kills.bot_process import alive
from tests.wire.kills.ledger import judge, open_rows
from tests.wire.kills.rig import Rig, open_rig, until

CALLBACK = "/interactions/{interaction_id}/{interaction_token}/callback"
TAKEN = (202, "")


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    """A running bot; Discord knows its address and sends interactions there alone."""
    port, key = free_port(), ApplicationKey()
    async with open_rig(tmp_path / "rig", members=1, listen_port=port, public_key=key.public) as rig:
        url = f"http://127.0.0.1:{port}{PATH}"
        rig.standin.application.about = {"verify_key": key.public, "interactions_endpoint_url": url}
        rig.standin.endpoint = Endpoint(url, key)
        async with alive(rig.settings) as life:
            await rig.standin.gateway.wait_connected()
            yield rig
            assert life.code is None


def endpoint_of(rig: Rig) -> Endpoint:
    assert rig.standin.endpoint is not None
    return rig.standin.endpoint


async def test_a_command_a_form_with_photos_buttons_and_autocomplete_lead_to_a_picture(rig: Rig) -> None:
    """Mutants: an answer with a body; a bot that is handed nothing; discord.py without what takes interactions."""
    member = rig.members[0]
    await rig.save_key()
    await rig.round(member, "Rex")
    typed = {"prompt": "a castle", "lora": "Re"}
    offered = await rig.standin.autocomplete(member.person, rig.channel, "imagine", typed, "lora")
    await offered.responded()
    assert any("Rex" in choice["name"] for choice in offered.choices)
    async with asyncio.timeout(HANG_S):
        await until(lambda: not open_rows(rig.database))
    verdict = judge(rig.promises, rig.provider, rig.messages, rig.database)
    assert (verdict.is_clean, verdict.jobs, member.unanswered) == (True, 2, []), str(verdict)
    endpoint = endpoint_of(rig)
    assert {each["type"] for each in endpoint.delivered} == {2, 3, 4, 5}
    assert endpoint.answers == Counter({TAKEN: len(endpoint.delivered)})
    frames = [frame["t"] for session in rig.standin.gateway.connected for frame in session.log]
    assert ("READY" in frames, "INTERACTION_CREATE" in frames) == (True, False)
    log = await asyncio.to_thread((rig.folder / "bot.log").read_text)
    assert f"Discord sends interactions to {endpoint.url}" in log
    assert not any(each["token"] in log for each in endpoint.delivered)


async def test_a_hundred_at_once_are_answered_once_each_and_none_a_second_time(rig: Rig) -> None:
    """Mutant: a repeated delivery is worked on again, which Discord would refuse with 40060."""
    person, endpoint = rig.members[0].person, endpoint_of(rig)
    commands = [rig.standin.slash(person, rig.channel, "about") for _ in range(100)]
    assert max(await rig.standin.burst(commands)) < HANG_S
    assert rig.standin.count("POST", CALLBACK) == 100
    again = await asyncio.gather(*(endpoint.deliver(each) for each in list(endpoint.delivered)))
    assert set(again) == {TAKEN}
    await (await rig.standin.slash(person, rig.channel, "about")).settled()
    assert rig.standin.count("POST", CALLBACK) == 101
    assert rig.standin.statuses()[400] == 0


async def test_the_bot_answers_a_ping_and_refuses_what_somebody_else_signed(rig: Rig) -> None:
    """Mutant: whoever knows the address can act as any member."""
    person, endpoint = rig.members[0].person, endpoint_of(rig)
    assert await endpoint.ping() == (200, '{"type":1}')
    rig.standin.endpoint = strange = Endpoint(endpoint.url, ApplicationKey())
    forged = await rig.standin.slash(person, rig.channel, "about")
    assert [status for status, _ in strange.answers] == [401]
    rig.standin.endpoint = endpoint
    await (await rig.standin.slash(person, rig.channel, "about")).settled()
    assert forged.callback is None
