"""Settings: what the environment may say, and how a mistake in it is explained."""

import base64
import re
import traceback
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bot.app import timings_of
from bot.clock import Timings
from bot.config import KEPT, RANGES, Settings, load_settings
from bot.errors import StartupError
from bot.network.addresses import EVERY_ADDRESS
from bot.network.settings import split_listen
from bot.policy import policy_text
from bot.process.log import LogFormat

ROOT = Path(__file__).parent.parent
VARIABLES = [name.upper() for name in Settings.model_fields]
KEY = base64.b64encode(bytes(range(32))).decode()


@pytest.fixture(autouse=True)
def empty_surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


def _complaint(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> str:
    monkeypatch.setenv(name, value)
    with pytest.raises(StartupError) as caught:
        load_settings()
    if len(value) > 8:
        assert value not in "".join(traceback.format_exception(caught.value)), "the value is not echoed"
    return str(caught.value)


def test_an_empty_environment_gives_the_documented_defaults() -> None:
    settings = load_settings()
    assert settings.discord_token is None
    assert settings.darkroom_data_dir == Path("data")
    assert settings.database_url.get_secret_value() == "sqlite+aiosqlite:///data/darkroom.db"
    assert settings.darkroom_listen == ("127.0.0.1", 8080)
    assert settings.darkroom_poll_interval == 20
    assert settings.darkroom_trusted_hosts == ()
    assert settings.darkroom_free_disk == 500
    assert (settings.darkroom_log_level, settings.darkroom_log_format) == ("INFO", LogFormat.TEXT)


def test_every_variable_is_read_under_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    given_values = {
        "DISCORD_TOKEN": "a-token",
        "DARKROOM_DATA_DIR": "/srv/darkroom",
        "DARKROOM_DATABASE_URL": "postgresql+psycopg://user:password@db/darkroom",
        "DARKROOM_MASTER_KEY": f"{KEY},{KEY}",
        "DARKROOM_MASTER_KEY_FILE": "/run/secrets/key",
        "DARKROOM_LISTEN": "[::1]:9000",
        "DARKROOM_METRICS_LISTEN": ":9100",
        "DARKROOM_METRICS_TOKEN": "a-token-for-numbers",
        "DARKROOM_PUBLIC_URL": "https://bot.example.org:8443/",
        "DARKROOM_PUBLIC_KEY": "0A" * 32,
        "DARKROOM_APIFRAME_URL": "http://127.0.0.1:5001/base/",
        "DARKROOM_AUROUS_URL": "http://localhost:5002",
        "DARKROOM_POLL_INTERVAL": "3600",
        "DARKROOM_TRUSTED_HOSTS": "Pictures.Example.org, 127.0.0.1 ,",
        "DARKROOM_PROXY": "http://proxy.example:3128",
        "DARKROOM_FREE_DISK": "2000",
        "DARKROOM_POLICY_FILE": "/srv/policy.md",
        "DARKROOM_CONTACT": " privacy@bot.example ",
        "DARKROOM_PHOTOS_KEPT_HOURS": "1",
        "DARKROOM_EVENT_PHOTOS_KEPT_HOURS": "168",
        "DARKROOM_PICTURES_KEPT_DAYS": " 30",
        "DARKROOM_DETAILS_KEPT_DAYS": "180",
        "DARKROOM_LOG_LEVEL": "debug, aiosqlite=info",
        "DARKROOM_LOG_FORMAT": "JSON",
        "DARKROOM_SENTRY_DSN": "https://key@sentry.example/1",
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318",
    }
    assert sorted(given_values) == sorted(VARIABLES)
    for name, value in given_values.items():
        monkeypatch.setenv(name, value)
    settings = load_settings()
    assert settings.discord_token is not None
    assert settings.discord_token.get_secret_value() == "a-token"
    assert settings.darkroom_data_dir == Path("/srv/darkroom")
    assert settings.database_url.get_secret_value() == given_values["DARKROOM_DATABASE_URL"]
    assert settings.darkroom_master_key is not None
    assert settings.darkroom_master_key_file == Path("/run/secrets/key")
    assert settings.darkroom_listen == ("::1", 9000)
    assert settings.darkroom_metrics_listen == (EVERY_ADDRESS, 9100)
    assert settings.darkroom_metrics_token is not None
    assert settings.darkroom_sentry_dsn is not None
    assert settings.otel_exporter_otlp_endpoint == "http://collector:4318"
    assert settings.darkroom_public_url == "https://bot.example.org:8443"
    assert settings.darkroom_public_key == "0A" * 32
    assert settings.darkroom_apiframe_url == "http://127.0.0.1:5001/base"
    assert settings.darkroom_aurous_url == "http://localhost:5002"
    assert settings.darkroom_poll_interval == 3600
    assert settings.darkroom_free_disk == 2000
    assert settings.darkroom_trusted_hosts == ("pictures.example.org", "127.0.0.1")
    assert settings.darkroom_policy_file == Path("/srv/policy.md")
    assert settings.darkroom_contact == "privacy@bot.example"
    assert [getattr(settings, name) for name in KEPT] == [1, 168, 30, 180]
    assert str(settings.proxy) == "http://proxy.example:3128"
    assert (settings.darkroom_log_level, settings.darkroom_log_format) == ("DEBUG,aiosqlite=INFO", LogFormat.JSON)


@pytest.mark.parametrize(("name", "least", "most"), [(name, *KEPT[name]) for name in KEPT])
def test_how_long_something_is_kept_has_a_floor_and_a_ceiling(
    monkeypatch: pytest.MonkeyPatch, name: str, least: int, most: int
) -> None:
    for value in (str(least - 1), str(most + 1), "1.5", "-1", "a day", "1e1"):
        assert _complaint(monkeypatch, name.upper(), value) == (
            f"{name.upper()} must be a whole number from {least} to {most}."
        )
    assert least <= Settings.model_fields[name].default <= most


@pytest.mark.parametrize("name", RANGES)
def test_a_number_is_taken_within_its_documented_range_alone(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Mutant: a validator with limits of its own."""
    for value in RANGES[name]:
        monkeypatch.setenv(name.upper(), f"{value:g}" if value < 1 else str(int(value)))
        assert getattr(load_settings(), name) == value
    for value in (RANGES[name][0] - 0.05, RANGES[name][1] + 1):
        assert _complaint(monkeypatch, name.upper(), f"{value:g}" if value < 1 else str(int(value)))


def test_every_number_has_a_range() -> None:
    numbers = [name for name, field in Settings.model_fields.items() if field.annotation in (int, float)]
    assert sorted(numbers) == sorted(RANGES)


def test_the_settings_become_the_times_that_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    assert timings_of(load_settings()) == Timings()
    for name, (least, _) in KEPT.items():
        monkeypatch.setenv(name.upper(), str(least))
    timings = timings_of(load_settings())
    assert (timings.photos_kept, timings.event_photos_kept) == (timedelta(hours=1), timedelta(hours=1))
    assert (timings.pictures_kept, timings.details_kept) == (timedelta(days=1), timedelta(days=30))
    text = " ".join(policy_text(None, None, timings).split())
    assert "at the latest 1 hour after you began" in text
    assert "kept here for 24 hours after they were made" in text


def test_pictures_never_outlast_the_details_of_their_order() -> None:
    assert KEPT["darkroom_pictures_kept_days"][1] <= KEPT["darkroom_details_kept_days"][0]
    assert KEPT["darkroom_photos_kept_hours"][1] <= KEPT["darkroom_details_kept_days"][0] * 24


def test_the_env_file_is_read_and_the_environment_wins_over_it(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text("DARKROOM_POLL_INTERVAL=0.5\nDARKROOM_LOG_LEVEL=ERROR\nSOMETHING_ELSE=1\n")
    monkeypatch.setenv("DARKROOM_LOG_LEVEL", "WARNING")
    settings = load_settings()
    assert (settings.darkroom_poll_interval, settings.darkroom_log_level) == (0.5, "WARNING")


def test_an_env_file_that_is_not_text_is_explained_in_one_sentence() -> None:
    Path(".env").write_bytes(b"DISCORD_TOKEN=\xff\xfe\n")
    with pytest.raises(StartupError, match=r"^The \.env file could not be read; .*\.$"):
        load_settings()


def test_the_example_names_every_variable_with_its_default() -> None:
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    assert re.findall(r"^([A-Z_]+)=", example, re.MULTILINE) == VARIABLES
    Path(".env").write_text(example, encoding="utf-8")
    read = load_settings()
    Path(".env").unlink()
    assert read == load_settings()


def test_the_example_explains_every_variable_in_the_line_before_it() -> None:
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    explained = [lines[at - 1].startswith("# ") for at, line in enumerate(lines) if re.match(r"[A-Z_]+=", line)]
    assert explained == [True] * len(VARIABLES)


def test_every_field_has_a_description() -> None:
    assert all((field.description or "").endswith(".") for field in Settings.model_fields.values())


def test_secrets_never_show_in_the_settings_text(monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = {
        "DISCORD_TOKEN": "canary-of-the-token",
        "DARKROOM_DATABASE_URL": "postgresql+psycopg://u:canary-of-the-password@db/x",
        "DARKROOM_MASTER_KEY": KEY,
    }
    for name, value in secrets.items():
        monkeypatch.setenv(name, value)
    shown = repr(load_settings()) + str(load_settings()) + load_settings().model_dump_json()
    assert not any(secret in shown for secret in ("canary", KEY))


def test_settings_cannot_be_changed_after_the_start() -> None:
    with pytest.raises(ValidationError):
        load_settings().darkroom_poll_interval = 1


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("DARKROOM_LISTEN", ["8080", "localhost", "host:", "host:65536", "a b:80", "::1:80", "http://x:80", "[x]:80"]),
        (
            "DARKROOM_PUBLIC_URL",
            [
                "http://bot.example.org",
                "bot.example.org",
                "https://bot.example.org/darkroom",
                "https://bot.example.org?x=1",
                "https://user:pass@bot.example.org",
                "https://bot.example.org#x",
                "https://",
                "https://[::1",
                "https://bot.example.org:99999",
                "ftp://127.0.0.1",
            ],
        ),
        ("DARKROOM_APIFRAME_URL", ["http://api.example.org", "https://api.example.org/?a", "https://a b.example.org"]),
        ("DARKROOM_PUBLIC_KEY", ["0a" * 31, "0a" * 33, "0x" + "0a" * 31, "zz" * 32, "0a " * 32, "٢" * 64]),
        ("DARKROOM_AUROUS_URL", ["http://192.168.1.5", "file:///etc/passwd"]),
        ("DARKROOM_FREE_DISK", ["-1", "0.5", "1 GB", "lots", "99999999"]),
        ("DARKROOM_POLL_INTERVAL", ["0", "0.05", "3601", "20,5", "twenty", "-20", "٢٠"]),
        ("DARKROOM_TRUSTED_HOSTS", ["https://a.example.org", "a.example.org/x", "*.example.org", "-a.org", "a..org"]),
        ("DARKROOM_TRUSTED_HOSTS", ["cdn.discordapp.com", "api.apiframe.ai:443", "cdn.discordapp.com=198.18.0.1/15"]),
        ("DARKROOM_TRUSTED_HOSTS", ["*=everything", "files.example=10.0.0.0/8", "cdn.discordapp.com=", "*"]),
        (
            "DARKROOM_PROXY",
            [
                "proxy.example:3128",
                "http://proxy.example",
                "https://proxy.example:3128",
                "socks5://proxy.example:1080",
                "http://proxy.example:3128/path",
                "http://proxy.example:99999",
                "http://user:canary-of-the-password@:3128",
                "http://[::1",
            ],
        ),
        ("DARKROOM_METRICS_LISTEN", ["9100", "host:99999"]),
        ("DARKROOM_METRICS_TOKEN", ["short", "sixteen letters with spaces"]),
        ("DARKROOM_SENTRY_DSN", ["https://sentry.example/1", "key@sentry.example"]),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", ["collector:4318", "http://user@collector:4318"]),
        ("DARKROOM_LOG_LEVEL", ["verbose", "WARNING,aiosqlite", "DEBUG,a b=INFO"]),
        ("DARKROOM_LOG_FORMAT", ["yaml"]),
        ("DARKROOM_DATABASE_URL", ["postgres://u:secret@db/x", "sqlite:///x.db", "mysql+aiomysql://u@db/x"]),
        ("DARKROOM_MASTER_KEY", ["not base64!", "c2hvcnQ=", f"{KEY},c2hvcnQ=", ","]),
    ],
)
def test_a_wrong_value_is_explained_in_one_sentence_that_names_the_variable(
    monkeypatch: pytest.MonkeyPatch, name: str, values: list[str]
) -> None:
    for value in values:
        sentence = _complaint(monkeypatch, name, value)
        assert sentence.startswith(f"{name} ")
        assert sentence.endswith(".")
        assert "\n" not in sentence


def test_an_address_with_letters_outside_ascii_is_read_as_it_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DARKROOM_PUBLIC_URL", "https://Bücher.example:8443/")
    monkeypatch.setenv("DARKROOM_APIFRAME_URL", "https://api.例え.example/base")
    monkeypatch.setenv("DARKROOM_TRUSTED_HOSTS", "dateien.straße.example:81, files.example")
    settings = load_settings()
    assert settings.darkroom_public_url == "https://xn--bcher-kva.example:8443"
    assert settings.darkroom_apiframe_url == "https://api.xn--r8jz45g.example/base"
    assert settings.darkroom_trusted_hosts == ("dateien.xn--strae-oqa.example:81", "files.example")


@pytest.mark.parametrize("value", ["http://bücher.example", "https://bücher.example/pfad", "https://bü cher.example"])
def test_an_address_with_such_letters_is_refused_for_its_own_fault(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    assert "https" in _complaint(monkeypatch, "DARKROOM_PUBLIC_URL", value)


def test_ranges_and_the_proxy_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_settings().proxy is None
    monkeypatch.setenv("DARKROOM_TRUSTED_HOSTS", "CDN.discordapp.com=198.18.0.0/15, *=fd00::/8")
    monkeypatch.setenv("DARKROOM_PROXY", "http://anna:canary%20word@proxy.example:3128/")
    settings = load_settings()
    assert settings.darkroom_trusted_hosts == ("cdn.discordapp.com=198.18.0.0/15", "*=fd00::/8")
    assert settings.proxy is not None
    assert (settings.proxy.host, settings.proxy.port) == ("proxy.example", 3128)
    assert (settings.proxy.user, settings.proxy.password) == ("anna", "canary word")
    assert "canary" not in repr(settings)


def test_of_several_mistakes_the_first_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DARKROOM_POLL_INTERVAL", "0")
    monkeypatch.setenv("DARKROOM_LOG_FORMAT", "yaml")
    with pytest.raises(StartupError, match=r"^DARKROOM_POLL_INTERVAL must be [^.]*\.$"):
        load_settings()


def test_nothing_of_a_refused_secret_is_left_in_the_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DARKROOM_MASTER_KEY", "canary-of-a-mistyped-key")
    with pytest.raises(StartupError) as caught:
        load_settings()
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)


@pytest.mark.parametrize(
    ("text", "pair"),
    [
        ("127.0.0.1:0", ("127.0.0.1", 0)),
        (":8080", (EVERY_ADDRESS, 8080)),
        ("[::]:80", ("::", 80)),
        ("bot:1", ("bot", 1)),
    ],
)
def test_a_listen_address_becomes_host_and_port(text: str, pair: tuple[str, int]) -> None:
    assert split_listen(text) == pair


@given(st.text() | st.from_regex(r"[a-z0-9.\[\]:-]{0,20}:[0-9]{0,6}", fullmatch=True))
def test_any_listen_text_is_a_pair_or_a_plain_refusal(text: str) -> None:
    refusal = ""
    host, port = "-", 0
    try:
        host, port = split_listen(text)
    except ValueError as error:
        refusal = str(error)
    assert refusal.startswith("must look like host:port") or not refusal
    assert host
    assert 0 <= port <= 65535
