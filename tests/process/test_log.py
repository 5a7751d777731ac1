"""Logging: what a line shows, and the canaries that must never come out in one."""

import base64
import io
import json
import logging
import re
import string
import sys
import warnings
from collections.abc import Callable, Iterator
from urllib.parse import quote

import pytest
import stamina
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import Unavailable
from bot.process.log import LogFormat, Redactor, bind, configure_logging, log_uncaught, redact_value, split_levels
from tests.fakes.own_log import own_log

log = logging.getLogger("tests.log")

URL_SAFE = string.ascii_letters + string.digits + "-_"
BOTH = pytest.mark.parametrize("form", list(LogFormat))


@pytest.fixture(autouse=True)
def _own_log() -> Iterator[None]:
    with own_log():
        yield


def _start(form: LogFormat, level: str = "DEBUG") -> io.StringIO:
    logging.getLogger().handlers = []
    stream = io.StringIO()
    configure_logging(level, form, stream=stream)
    return stream


def test_a_text_line_shows_time_level_logger_and_message() -> None:
    out = _start(LogFormat.TEXT)
    log.info("Engine started with %d rows.", 3)
    assert re.fullmatch(
        r"\d{4}-\d\d-\d\dT[\d:]{8}\.\d{3}Z INFO tests\.log Engine started with 3 rows\.\n", out.getvalue()
    )


def test_a_text_line_shows_the_bound_job_and_guild_only_inside() -> None:
    out = _start(LogFormat.TEXT)
    with bind(guild=5):
        with bind(job="training 7"):
            log.info("both")
        log.info("one")
    log.info("none")
    shown = [line.split("tests.log ", 1)[1] for line in out.getvalue().splitlines()]
    assert shown == ["[job training 7, guild 5] both", "[guild 5] one", "none"]


def test_a_json_line_is_one_object_with_the_same_facts() -> None:
    out = _start(LogFormat.JSON)
    with bind(job=7, guild=5):
        log.warning("two\nlines")
    (line,) = out.getvalue().splitlines()
    entry = json.loads(line)
    assert entry.pop("time").endswith("Z")
    assert entry == {"level": "WARNING", "logger": "tests.log", "message": "two\nlines", "job": "7", "guild": "5"}


@BOTH
def test_an_exception_is_shown_with_its_cause(form: LogFormat) -> None:
    out = _start(form)
    try:
        try:
            raise KeyError("first")
        except KeyError as error:
            raise ValueError("second") from error
    except ValueError:
        log.exception("It failed.")
    assert all(
        part in out.getvalue() for part in ("It failed.", "KeyError: 'first'", "ValueError: second", "test_log.py")
    )


def test_typed_text_cannot_pass_for_a_line_of_its_own() -> None:
    out = _start(LogFormat.TEXT)
    log.info("name: %s", "Rex\n2026-01-01T00:00:00.000Z INFO bot.engine forged\r\x1b[2J\u202e")
    first, second = out.getvalue().splitlines()
    assert second.startswith("    2026-01-01")
    assert second.endswith(r"forged\r\x1b[2J\u202e")
    assert first.endswith("name: Rex")


@BOTH
def test_the_source_lines_of_a_stack_are_cleaned_as_well(form: LogFormat) -> None:
    out = _start(form)
    redact_value("a word of this line")
    log.info("a word of this line", stack_info=True)
    assert "test_the_source_lines_of_a_stack_are_cleaned_as_well" in out.getvalue()
    assert "a word of this line" not in out.getvalue()


def test_lines_below_the_level_are_not_written() -> None:
    out = _start(LogFormat.TEXT, "WARNING")
    log.info("quiet")
    assert out.getvalue() == ""


@BOTH
def test_a_line_that_cannot_be_formatted_never_shows_its_arguments(
    form: LogFormat, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Broken:
        def __str__(self) -> str:
            raise RuntimeError("canary")

    out = _start(form)
    log.info("%d coins", "canary")
    log.info("%s", Broken())
    shown = out.getvalue() + "".join(capsys.readouterr())
    assert shown.count("A log line of tests.log, line") == 2
    assert "canary" not in shown


def test_voice_warnings_of_the_library_are_dropped() -> None:
    out = _start(LogFormat.TEXT)
    logging.getLogger("discord.client").warning("PyNaCl is not installed, voice will NOT be supported")
    logging.getLogger("discord.client").warning("something else")
    assert [line.split("discord.client ")[1] for line in out.getvalue().splitlines()] == ["something else"]


def test_warnings_and_crashes_go_through_the_same_door() -> None:
    out = _start(LogFormat.TEXT)
    redact_value("canary-value")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("about canary-value", stacklevel=1)
    try:
        raise RuntimeError("died of canary-value")
    except RuntimeError as error:
        sys.excepthook(RuntimeError, error, error.__traceback__)
    log_uncaught(KeyboardInterrupt, KeyboardInterrupt("canary-value"), None)
    assert "about [hidden]" in out.getvalue()
    assert "CRITICAL bot Darkroom stopped unexpectedly." in out.getvalue()
    assert "RuntimeError: died of [hidden]" in out.getvalue()
    assert "canary-value" not in out.getvalue()


def _bot_tokens() -> st.SearchStrategy[str]:
    def join(user: int, time: str, signature: str) -> str:
        return f"{base64.b64encode(str(user).encode()).decode().rstrip('=')}.{time}.{signature}"

    return st.builds(
        join,
        st.integers(10**16, 10**19),
        st.text(URL_SAFE, min_size=6, max_size=6),
        st.text(URL_SAFE, min_size=27, max_size=38),
    )


def _interaction_tokens() -> st.SearchStrategy[str]:
    return st.text(string.ascii_letters + string.digits, min_size=30, max_size=160).map(
        lambda text: base64.b64encode(f"interaction:1234567890:{text}".encode()).decode()
    )


TOKENS = st.text(URL_SAFE, min_size=22, max_size=64)
HEX = st.text("0123456789abcdef", min_size=8, max_size=64)

SHAPES: dict[str, tuple[st.SearchStrategy[str], list[str]]] = {
    "bot token": (_bot_tokens(), ["{}", "Bot {}", "{{'token': '{}'}}", "aaaaaaaaaaaaaaaaaaaaaaaa.bbbbbb.{}", "x={};"]),
    "API key": (TOKENS.map("afk_{}".format), ["{}", "X-API-Key: {}", "key={}", "b'{}'", "pre{}"]),
    "other API key": (HEX.map("al_live_{}".format), ["{}", "('authorization', 'Bearer {}')"]),
    "interaction token": (
        _interaction_tokens(),
        [
            "{}",
            "https://discord.com/api/v10/webhooks/123456789012345678/{}/messages/@original",
            "{{'t': 'INTERACTION_CREATE', 'd': {{'token': '{}', 'id': '1'}}}}",
        ],
    ),
    "opaque interaction token": (
        TOKENS,
        [
            "POST /api/v10/interactions/123456789012345678/{}/callback",
            "https://discord.com/api/v10/webhooks/123456789012345678/{}?wait=true",
            '{{"d":{{"token":"{}","version":1}}}}',
            r"{{\"d\":{{\"token\":\"{}\",\"version\":1}}}}",
            "Row(webhook_token='{}')",
        ],
    ),
    "webhook path token": (TOKENS, ["/webhooks/apiframe/{}", "https://bot.example.org/webhooks/aurous/{} 204"]),
    "address of a gallery": (TOKENS, ["/events/{}/", "https://bot.example.org/events/{}/7.jpg"]),
    "signed link": (
        HEX,
        [
            "https://cdn.discordapp.com/attachments/1/2/a.png?ex=68a&is=68b&hm={}&",
            "'https://cdn.discordapp.com/a.png?ex={}&is=1&hm=2'",
            r"https://cdn.discordapp.com/a.png?ex=1\u0026is={}\u0026hm=2",
            "https://x.example.org/?u=https%3A%2F%2Fcdn.discordapp.com%2Fa.png%3Fex%3D1%26is%3D2%26hm%3D{}",
            "https://s3.example.org/a.png?X-Amz-Signature={}&x=1",
        ],
    ),
    "header": (
        TOKENS,
        [
            "X-API-Key: {}",
            "{{'x-api-key': '{}', 'accept': '*/*'}}",
            "<CIMultiDict('X-API-Key': '{}')>",
            "[(b'X-API-Key', b'{}')]",
            "Authorization: Bearer {}\r\nAccept: */*",
            "authorization=Bot {}",
            "sent Bearer {}",
        ],
    ),
}

NEARBY = st.text(" xyzXYZé€\n", max_size=12)


def _ways_out(text: str) -> list[Callable[[], None]]:
    def raise_and_log() -> None:
        try:
            try:
                raise KeyError(text)
            except KeyError as error:
                raise ValueError(f"wrapped {text}") from error
        except ValueError:
            log.exception("failed")

    return [
        lambda: log.debug(text),
        lambda: log.debug("%s", text),
        lambda: log.debug("%(a)s", {"a": text}),
        lambda: log.debug("%r", {"event": [text]}),
        lambda: log.info("%s", json.dumps({"event": {"text": text}})),
        lambda: log.error("%s", ValueError(text)),
        lambda: log.warning("stack of %s", text, stack_info=True),
        raise_and_log,
    ]


@BOTH
@pytest.mark.parametrize("shape", SHAPES)
@given(data=st.data())
def test_no_canary_comes_out_by_any_way(form: LogFormat, shape: str, data: st.DataObject) -> None:
    canaries, places = SHAPES[shape]
    canary, place = data.draw(canaries), data.draw(st.sampled_from(places))
    text = f"{data.draw(NEARBY)} {place.format(canary)} {data.draw(NEARBY)}"
    out = _start(form)
    for let_out in _ways_out(text):
        let_out()
    assert canary not in out.getvalue()
    assert "[hidden]" in out.getvalue()


@given(secret=st.text(min_size=10).filter(lambda text: "hidden" not in text), near=NEARBY)
def test_a_registered_value_never_comes_out_however_it_is_quoted(secret: str, near: str) -> None:
    redactor = Redactor()
    redactor.add(secret)
    for shape in (secret, quote(secret, safe=""), json.dumps(secret), repr(secret), f"{near}{secret}{near}"):
        cleaned = redactor.clean(shape)
        assert secret not in cleaned
        assert quote(secret, safe="") not in cleaned
        assert "[hidden]" in cleaned


@BOTH
def test_a_value_registered_after_start_is_hidden_from_then_on(form: LogFormat) -> None:
    out = _start(form)
    redact_value('pass"word\\with é')
    log.info("%s", 'postgresql://u:pass"word\\with é@db')
    log.info("%s", quote('pass"word\\with é'))
    log.info("%s", {"password": 'pass"word\\with é'})
    assert out.getvalue().count("[hidden]") == 3
    assert "word" not in out.getvalue().replace("password", "")


async def test_what_is_tried_again_is_told_by_the_kind_of_its_error_alone() -> None:
    """Mutants: the line of the library, which says nothing; the error's own words, which may quote a member."""
    out = _start(LogFormat.TEXT)
    tries = list[int]()

    async def call() -> None:
        tries.append(len(tries))
        if len(tries) == 1:
            raise Unavailable("no fox for Wilhelmina", status=503)
        if len(tries) == 2:
            raise Unavailable

    await stamina.retry(on=Unavailable, attempts=3, wait_initial=0, wait_jitter=0)(call)()
    said = re.findall(r"stamina (.*)\n", out.getvalue())
    assert said == ["Unavailable (status 503); try 2 follows in 0.0 s.", "Unavailable; try 3 follows in 0.0 s."]


def test_ordinary_lines_are_left_alone() -> None:
    """Mutant: of a list of addresses the comma after one is taken for a token."""
    redactor = Redactor()
    redactor.add("abc")
    for line in (
        "discord.gateway Shard ID 0 has connected to Gateway (Session ID: 0f1e2d3c4b5a69788796a5b4c3d2e1f0).",
        "abc GET https://api.apiframe.ai/v2/loras/8a4d2c14-0000-4000-8000-000000000001 200",
        "bot.storage.sealing.SealError: This was sealed for another row, or has been changed since.",
        "Listening on http://127.0.0.1:8080 for /webhooks/reachability/, /webhooks/, /healthz, /metrics",
        "The webhook token is not known; token checks follow. Key 5 paused.",
        "File '/app/bot/training/service.py', line 5, in advance_one_training_row_until_its_next_state",
    ):
        assert redactor.clean(line) == line


def test_a_long_line_without_a_secret_is_cleaned_in_linear_time() -> None:
    """In quadratic time each of these would take minutes."""
    redactor = Redactor()
    redactor.add("some-registered-value")
    for unit in (
        "a",
        "a.",
        "webhooks/",
        "token",
        "token=",
        "ex=",
        "authorization ",
        "bearer ",
        "aaaaaaaaaaaaaaaaaaaaaaaa.bbbbbb.",
    ):
        text = unit * (200_000 // len(unit))
        assert redactor.clean(text)


def test_the_redactor_never_shows_what_it_hides() -> None:
    redactor = Redactor()
    redactor.add("canary-value")
    assert "canary" not in repr(redactor)


def test_of_values_within_each_other_the_longest_is_hidden_whole() -> None:
    redactor = Redactor()
    for value in ("key-12", "key-1234", "key-123", "1234"):
        redactor.add(value)
    assert redactor.clean("key-1234key-123 key-12 1234 key- 123") == "[hidden][hidden] [hidden] [hidden] key- 123"


def test_any_number_of_values_is_looked_for_in_one_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled: list[str] = []
    redactor = Redactor()
    monkeypatch.setattr("bot.process.log.re.compile", lambda pattern, *_: compiled.append(pattern))
    values = [f"value-of-guild-{number:04}" for number in range(400)]
    for value in values:
        redactor.add(value)
        assert redactor.clean(f"a {value} b") == "a [hidden] b"
    assert compiled == []
    assert redactor.clean(" ".join(values)) == " ".join(["[hidden]"] * 400)


CHATTER = ["aiosqlite", "discord.gateway", "discord.client", "discord.http", "PIL.TiffImagePlugin", "alembic.runtime"]


@pytest.mark.parametrize("name", CHATTER)
def test_what_says_too_much_at_debug_stays_out(name: str) -> None:
    """Mutant: DEBUG of one job is 800 lines of statements."""
    out = _start(LogFormat.TEXT)
    logging.getLogger(name).debug("what a member typed")
    logging.getLogger("bot.engine").debug("something else")
    assert "typed" not in out.getvalue()
    assert "something else" in out.getvalue()


@pytest.mark.parametrize("name", ["aiosqlite", "discord.http", "alembic"])
def test_chatter_that_is_asked_for_by_name_is_shown(name: str) -> None:
    out = _start(LogFormat.TEXT, f"WARNING,{name}=DEBUG")
    logging.getLogger(name).debug("a statement")
    logging.getLogger("bot.engine").info("not asked for")
    assert "a statement" in out.getvalue()
    assert "not asked for" not in out.getvalue()


@pytest.mark.parametrize("name", ["discord.gateway", "PIL"])
def test_what_shows_what_members_sent_is_silent_whoever_asks(name: str) -> None:
    """Mutant: a level by name that goes below the floor."""
    out = _start(LogFormat.TEXT, f"DEBUG,{name}=DEBUG,discord=DEBUG")
    logging.getLogger(name).debug("what a member typed")
    assert out.getvalue() == ""


@pytest.mark.parametrize("text", ["", "LOUD", "DEBUG,", "DEBUG,aiosqlite", "DEBUG,aiosqlite=LOUD", "DEBUG,a b=INFO"])
def test_levels_that_cannot_be_read_are_a_sentence(text: str) -> None:
    with pytest.raises(ValueError, match=r"must be one of DEBUG, INFO, WARNING, ERROR; loggers may follow"):
        split_levels(text)


def test_a_higher_level_holds_for_these_loggers_as_well() -> None:
    out = _start(LogFormat.TEXT, "ERROR")
    for name in ("discord.gateway", "PIL", "alembic"):
        logging.getLogger(name).warning("quiet")
    assert out.getvalue() == ""
