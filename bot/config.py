"""Settings: the only reader of the environment and of a `.env` file in the working directory."""

import re
from enum import StrEnum
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from yarl import URL

from bot.errors import StartupError
from bot.network.addresses import (
    ascii_host,
    is_host,
    is_name,
    is_network,
    with_ascii_host,
)
from bot.network.settings import split_address, split_base, split_listen
from bot.photos.hosts import EVERY_BUILT_IN, is_built_in
from bot.process.log import LogFormat, LogLevel, split_levels
from bot.storage.database import sqlite_url
from bot.storage.sealing import parse_master_keys

_DATABASE_SCHEMES = ("sqlite+aiosqlite://", "postgresql+psycopg://")
CONTACT_MAX = 200
KEPT = {
    "darkroom_photos_kept_hours": (1, 168),
    "darkroom_event_photos_kept_hours": (1, 168),
    "darkroom_pictures_kept_days": (1, 30),
    "darkroom_details_kept_days": (30, 180),
}
"""How long something may be kept: at least and at most. Pictures never outlast the details of their order."""
RANGES: dict[str, tuple[float, float]] = {
    "darkroom_poll_interval": (0.1, 3600),
    "darkroom_free_disk": (0, 9_999_999),
    **KEPT,
}
"""Every setting that is a number: at least and at most."""
SHAPES = {
    "darkroom_public_key": (
        r"[0-9A-Fa-f]{64}",
        "must be the 64 hexadecimal digits that the developer portal shows as the application's public key.",
    ),
    "darkroom_metrics_token": (r"[!-~]{16,}", "must be at least 16 characters, without spaces."),
    "darkroom_sentry_dsn": (r"https?://[^\s/@]+@[^\s/@]+/\S+", "must be a project's DSN, like https://key@host/1."),
    "otel_exporter_otlp_endpoint": (r"https?://[^\s@?#]+", "must look like http://host:4318 or https://host/path."),
}
RANGE_EXAMPLE = "for example *=198.18.0.0/15"


_Choice = TypeVar("_Choice", bound=StrEnum)


class Settings(BaseSettings):
    """One field for each variable, named after it in lower case. A variable set to nothing counts as unset."""

    model_config = SettingsConfigDict(
        env_file=".env",
        env_file_encoding="utf-8",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
        validate_default=False,
    )

    discord_token: SecretStr | None = Field(
        default=None,
        description="The bot token from Discord's developer portal; `darkroom run`, `invite` and `doctor` need it.",
    )
    darkroom_data_dir: Path = Field(
        default=Path("data"), description="Folder for the SQLite file, photos in transit and the generated master key."
    )
    darkroom_database_url: SecretStr | None = Field(
        default=None,
        description="Where rows live: `postgresql+psycopg://…` or `sqlite+aiosqlite://…`; unset: a SQLite file in the "
        "data folder.",
    )
    darkroom_master_key: SecretStr | None = Field(
        default=None,
        description="Base64 of 32 random bytes that seal the API keys; several, comma-separated: "
        "the first encrypts, all decrypt. Unset: the key file, else one is generated in the data folder.",
    )
    darkroom_master_key_file: Path | None = Field(
        default=None,
        description="A file that holds what `DARKROOM_MASTER_KEY` would (a Docker secret, a systemd credential).",
    )
    darkroom_listen: Annotated[tuple[str, int], NoDecode] = Field(
        default=("127.0.0.1", 8080),
        description="Webhook and health server. `:8080` or `[::]:8080` is every address, IPv4 and IPv6; "
        "`0.0.0.0:8080` IPv4 alone.",
    )
    darkroom_metrics_listen: Annotated[tuple[str, int] | None, NoDecode] = Field(
        default=None, description="`host:port` of a server for `/metrics` alone; unset: on the server above."
    )
    darkroom_metrics_token: SecretStr | None = Field(
        default=None,
        description="What readers of `/metrics` send as a bearer token, at least 16 characters; unset: whoever reaches "
        "it may read it.",
    )
    darkroom_public_url: str | None = Field(
        default=None,
        description="Public https address of that server, so that providers can call back and events can have "
        "galleries on the web; unset: Darkroom only polls.",
    )
    darkroom_public_key: str | None = Field(
        default=None,
        description="The public key of the bot's application, 64 hexadecimal digits: Discord may then send commands, "
        "buttons and forms to `/interactions` of that server; unset: they come over the gateway only.",
    )
    darkroom_apiframe_url: str = Field(
        default="https://api.apiframe.ai", description="Base address of the Apiframe API."
    )
    darkroom_aurous_url: str = Field(
        default="https://api.aurous-labs.com", description="Base address of the Aurous Labs API."
    )
    darkroom_poll_interval: float = Field(
        default=20,
        description="Seconds between two looks at a running training; three times as long when webhooks are on.",
    )
    darkroom_trusted_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="Extra hosts (`host` or `host:port`, comma-separated) from which photos and results may be "
        "fetched. When your resolver gives Discord's or a provider's host an address that is not public: `host=range`, "
        "for example `cdn.discordapp.com=198.18.0.0/15`, or `*=range` for all of them.",
    )
    darkroom_proxy: SecretStr | None = Field(
        default=None,
        description="`http://host:port` or `http://user:password@host:port` of a proxy for everything that leaves this "
        "machine: Discord, providers, photos. `HTTP_PROXY` and its like are not read.",
    )
    darkroom_free_disk: int = Field(
        default=500, description="Megabytes of the disk that stay free: below that no new photos are taken."
    )
    darkroom_policy_file: Path | None = Field(
        default=None,
        description="A UTF-8 text file with your privacy policy, which `/privacy policy` shows; unset: a template "
        "filled in with your settings.",
    )
    darkroom_contact: str | None = Field(
        default=None,
        description="How members reach you about their data, for that template: an address or a link, at most "
        f"{CONTACT_MAX} characters.",
    )
    darkroom_photos_kept_hours: int = Field(
        default=168,
        description="Hours after their dataset was begun after which photos leave the disk at the latest. It is 24 "
        "hours at most unless a member asks to keep a dataset open. This and the next three are named in the consents "
        "and the policy.",
    )
    darkroom_event_photos_kept_hours: int = Field(
        default=72, description="The same for photos of an event, after the planned end of giving and choosing them."
    )
    darkroom_pictures_kept_days: int = Field(
        default=7, description="Days for which copies of made pictures are kept; those of an event after its end."
    )
    darkroom_details_kept_days: int = Field(
        default=30, description="Days for which details of jobs, datasets and events are kept after their end."
    )
    darkroom_log_level: str = Field(
        default=LogLevel.INFO,
        description="`DEBUG`, `INFO`, `WARNING` or `ERROR`. Libraries stay at `INFO` unless they are named, as in "
        "`DEBUG,aiosqlite=DEBUG`.",
    )
    darkroom_log_format: LogFormat = Field(
        default=LogFormat.TEXT, description="The form of the log: lines for people or JSON for machines."
    )
    darkroom_sentry_dsn: SecretStr | None = Field(
        default=None,
        description="The DSN of a Sentry project that gets errors, without anything of any person; a wheel needs the "
        "extra `sentry`.",
    )
    otel_exporter_otlp_endpoint: str | None = Field(
        default=None,
        description="Base address of an OpenTelemetry collector (OTLP over HTTP) that gets spans; a wheel needs the "
        "extra `otel`.",
    )

    @property
    def database_url(self) -> SecretStr:
        """The given database, else the SQLite file in the data folder."""
        if self.darkroom_database_url is not None:
            return self.darkroom_database_url
        return SecretStr(sqlite_url(self.darkroom_data_dir / "darkroom.db"))

    @property
    def proxy(self) -> URL | None:
        """The proxy with its user and password, if there is one."""
        return None if self.darkroom_proxy is None else URL(self.darkroom_proxy.get_secret_value())

    @field_validator("darkroom_database_url")
    @classmethod
    def _check_database_url(cls, value: SecretStr) -> SecretStr:
        if not value.get_secret_value().startswith(_DATABASE_SCHEMES):
            raise ValueError(f"must begin with {' or '.join(_DATABASE_SCHEMES)}.")
        return value

    @field_validator("darkroom_master_key")
    @classmethod
    def _check_master_key(cls, value: SecretStr) -> SecretStr:
        parse_master_keys(value.get_secret_value())
        return value

    @field_validator("darkroom_listen", "darkroom_metrics_listen", mode="before")
    @classmethod
    def _split_listen(cls, value: object) -> object:
        return split_listen(value) if isinstance(value, str) else value

    @field_validator("darkroom_proxy")
    @classmethod
    def _check_proxy(cls, value: SecretStr) -> SecretStr:
        parts = split_address(
            value.get_secret_value(), "must look like http://host:port or http://user:password@host:port."
        )
        is_bare = parts.path in ("", "/") and not (parts.query or parts.fragment)
        if parts.scheme != "http" or not is_bare or not parts.port or not is_name(parts.hostname or ""):
            raise ValueError("must look like http://host:port or http://user:password@host:port.")
        return value

    @field_validator("darkroom_public_url")
    @classmethod
    def _check_public_url(cls, value: str) -> str:
        value = with_ascii_host(value)
        parts = split_base(value)
        if parts.path not in ("", "/"):
            raise ValueError("must end after the host (and port): no path, for example https://bot.example.org.")
        return value.rstrip("/")

    @field_validator("darkroom_apiframe_url", "darkroom_aurous_url")
    @classmethod
    def _check_provider_url(cls, value: str) -> str:
        value = with_ascii_host(value)
        split_base(value)
        return value.rstrip("/")

    @field_validator("darkroom_poll_interval", mode="before")
    @classmethod
    def _check_poll_interval(cls, value: object) -> float:
        least, most = RANGES["darkroom_poll_interval"]
        text = str(value).strip()
        if not re.fullmatch(r"[0-9]{1,4}(\.[0-9]{1,3})?", text) or not least <= float(text) <= most:
            raise ValueError("must be a number of seconds, at least a tenth and at most 3600.")
        return float(text)

    @field_validator("darkroom_free_disk", mode="before")
    @classmethod
    def _check_free_disk(cls, value: object) -> int:
        text = str(value).strip()
        if not re.fullmatch(r"[0-9]{1,7}", text):
            raise ValueError("must be a whole number of megabytes, 0 or more.")
        return int(text)

    @field_validator(*KEPT, mode="before")
    @classmethod
    def _check_kept(cls, value: object, info: ValidationInfo) -> int:
        least, most = KEPT[info.field_name or ""]
        text = str(value).strip()
        if not re.fullmatch(r"[0-9]{1,3}", text) or not least <= int(text) <= most:
            raise ValueError(f"must be a whole number from {least} to {most}.")
        return int(text)

    @field_validator(*SHAPES)
    @classmethod
    def _check_shape(cls, value: SecretStr | str, info: ValidationInfo) -> SecretStr | str:
        pattern, sentence = SHAPES[info.field_name or ""]
        if not re.fullmatch(pattern, value.get_secret_value() if isinstance(value, SecretStr) else value):
            raise ValueError(sentence)
        return value

    @field_validator("darkroom_contact")
    @classmethod
    def _check_contact(cls, value: str) -> str:
        value = value.strip()
        if not 1 <= len(value) <= CONTACT_MAX or not value.isprintable():
            raise ValueError(f"must be one line of at most {CONTACT_MAX} characters.")
        return value

    @field_validator("darkroom_trusted_hosts", mode="before")
    @classmethod
    def _split_trusted_hosts(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        entries = (part.strip().lower().rstrip(".") for part in value.split(","))
        return tuple(_check_trusted_host(entry) for entry in entries if entry)

    @field_validator("darkroom_log_level", mode="before")
    @classmethod
    def _check_log_level(cls, value: object) -> object:
        usual, named = split_levels(str(value))
        return ",".join([usual, *(f"{name}={level}" for name, level in named.items())])

    @field_validator("darkroom_log_format", mode="before")
    @classmethod
    def _check_log_format(cls, value: object) -> object:
        return _pick(str(value).strip().lower(), LogFormat)


def load_settings() -> Settings:
    """Read the environment; raise StartupError with one sentence that names the variable, never its value."""
    try:
        return Settings()
    except ValidationError as error:
        sentence = _describe(error)
    except (OSError, UnicodeDecodeError):
        sentence = "The .env file could not be read; it must be a UTF-8 text file this user may open."
    raise StartupError(sentence)  # outside the handler, so that no chained error carries a value


def _describe(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    reason = first.get("ctx", {}).get("error", "has a value Darkroom cannot use.")
    variable = ".".join(str(step) for step in first["loc"][:1]).upper()
    return f"{variable} {reason}".strip()


def _pick(value: str, choices: type[_Choice]) -> _Choice:
    if value not in set(choices):
        raise ValueError(f"must be one of {', '.join(choices)}.")
    return choices(value)


def _check_trusted_host(entry: str) -> str:
    host, equals, network = entry.partition("=")
    if equals:
        if not is_network(network) or not (host == EVERY_BUILT_IN or is_built_in(host)):
            raise ValueError(f"takes host=range for Discord's and the providers' own hosts only, {RANGE_EXAMPLE}.")
        return entry
    host, colon, port = entry.partition(":")
    host = ascii_host(host)
    if not is_host(host) or (colon and not port.isdigit()):
        raise ValueError("must be host or host:port, separated by commas, without https:// and without paths.")
    if is_built_in(host):
        raise ValueError(
            "names a host that is trusted already; to let Discord's or the providers' hosts lead to addresses of your "
            f"own network, name their range, {RANGE_EXAMPLE}."
        )
    return f"{host}{colon}{port}"
