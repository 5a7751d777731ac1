"""Every call to a provider is timed and its errors are counted, under names of a closed set."""

import inspect

import pytest

from bot.errors import KeyRejected
from bot.process.figures import CALL_ERRORS, CALLS
from bot.providers.apiframe.client import Apiframe
from bot.providers.aurous.client import Aurous
from bot.providers.base import ProviderClient
from bot.providers.measuring import ERRORS, NAMES, measured
from bot.providers.transport import Transport
from bot.records.key import ProviderName
from bot.sandbox.apiframe.server import RehearsalApiframe
from tests.providers.sample_orders import API_KEY


@pytest.fixture(autouse=True)
def own_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    for figure, part in ((CALLS, "counts"), (CALLS, "sums"), (CALL_ERRORS, "values")):
        monkeypatch.setattr(figure, part, {})


async def test_a_call_is_timed_and_its_error_counted(server: RehearsalApiframe) -> None:
    """Mutant: errors that are timed but not counted, or counted with their words."""
    async with Transport("test") as transport:
        await Apiframe(transport, server.base_url, API_KEY).account()
        with pytest.raises(KeyRejected):
            await Apiframe(transport, server.base_url, "afk_unknown_key_00001").account()
    assert {labels: sum(counts) for labels, counts in CALLS.counts.items()} == {("apiframe", "account"): 2}
    assert CALLS.sums["apiframe", "account"] > 0
    assert CALL_ERRORS.values == {("apiframe", "account", "KeyRejected"): 1}


def test_every_error_of_every_call_is_counted_from_nought_on() -> None:
    """Mutant: a series that begins with its first error, so that the dashboard shows none."""
    measured(ProviderName.AUROUS)(type("Client", (Aurous,), {}))
    assert set(CALL_ERRORS.values) == {("aurous", name, error) for name in NAMES for error in ERRORS}
    assert set(CALL_ERRORS.values.values()) == {0}
    assert {"KeyRejected", "OutcomeUnknown", "Unavailable"} <= set(ERRORS)


async def test_what_the_provider_has_no_call_for_is_not_timed(server: RehearsalApiframe) -> None:
    async with Transport("test") as transport:
        assert await Apiframe(transport, server.base_url, API_KEY).styles() == ()
    assert CALLS.counts == {}


@pytest.mark.parametrize("client", [Apiframe, Aurous])
def test_every_question_of_the_protocol_is_measured_and_keeps_its_signature(client: type) -> None:
    """Mutant: a new call that nobody measures."""
    asked = {name for name, each in vars(ProviderClient).items() if inspect.iscoroutinefunction(each)}
    assert set(NAMES) == asked
    for name in asked:
        wanted, own = (inspect.signature(getattr(each, name)) for each in (ProviderClient, client))
        assert list(own.parameters) == list(wanted.parameters)
