"""Settings: the only reader of the environment and of a `.env` file in the working directory."""

import re
from enum import StrEnum
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, TypeVar
from urllib.parse import SplitResult, urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from bot.errors import StartupError
from bot.log import LogFormat
from bot.storage.database import sqlite_url
from bot.storage.sealing import parse_master_keys

_DATABASE_SCHEMES = ("sqlite+aiosqlite://", "postgresql+psycopg://")
_HOST_NAME = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)(\.(?!-)[a-z0-9-]{1,63}(?<!-))*")


_Choice = TypeVar("_Choice", bound=StrEnum)


class LogLevel(StrEnum):
    DEBUG = "DEBUG"
    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"


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
        default=None, description="The bot token from Discord's developer portal; only `make run` needs it."
    )
    darkroom_data_dir: Path = Field(
        default=Path("data"), description="Folder for the SQLite file, photos in transit and the generated master key."
    )
    darkroom_database_url: SecretStr | None = Field(
        default=None,
        description="Where rows live: postgresql+psycopg://… or sqlite+aiosqlite://…; unset: in the data folder.",
    )
    darkroom_master_key: SecretStr | None = Field(
        default=None,
        description="Base64 of 32 random bytes that seal the API keys; several, comma-separated: "
        "the first encrypts, all decrypt. Unset: the key file, else one is generated in the data folder.",
    )
    darkroom_master_key_file: Path | None = Field(
        default=None,
        description="A file that holds what DARKROOM_MASTER_KEY would (a Docker secret, a systemd credential).",
    )
    darkroom_listen: Annotated[tuple[str, int], NoDecode] = Field(
        default=("127.0.0.1", 8080), description="host:port of the webhook and health server."
    )
    darkroom_public_url: str | None = Field(
        default=None,
        description="Public https address of that server, so that providers can call back; unset: Darkroom only polls.",
    )
    darkroom_apiframe_url: str = Field(
        default="https://api.apiframe.ai", description="Base address of the Apiframe API."
    )
    darkroom_aurous_url: str = Field(
        default="https://api.aurous-labs.com", description="Base address of the Aurous Labs API."
    )
    darkroom_poll_interval: float = Field(
        default=20, description="Seconds between two looks at a running training, from 0.1 to 3600."
    )
    darkroom_trusted_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="Extra hosts, comma-separated, from which photos and results may be fetched, "
        "besides Discord's and the providers' own.",
    )
    darkroom_log_level: LogLevel = Field(default=LogLevel.INFO, description="DEBUG, INFO, WARNING or ERROR.")
    darkroom_log_format: LogFormat = Field(default=LogFormat.TEXT, description="text for people, json for machines.")

    @property
    def database_url(self) -> SecretStr:
        """The given database, else the SQLite file in the data folder."""
        if self.darkroom_database_url is not None:
            return self.darkroom_database_url
        return SecretStr(sqlite_url(self.darkroom_data_dir / "darkroom.db"))

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

    @field_validator("darkroom_listen", mode="before")
    @classmethod
    def _split_listen(cls, value: object) -> object:
        return split_listen(value) if isinstance(value, str) else value

    @field_validator("darkroom_public_url")
    @classmethod
    def _check_public_url(cls, value: str) -> str:
        parts = _split_url(value)
        if parts.path not in ("", "/"):
            raise ValueError("must end after the host (and port): no path, for example https://bot.example.org.")
        return value.rstrip("/")

    @field_validator("darkroom_apiframe_url", "darkroom_aurous_url")
    @classmethod
    def _check_provider_url(cls, value: str) -> str:
        _split_url(value)
        return value.rstrip("/")

    @field_validator("darkroom_poll_interval", mode="before")
    @classmethod
    def _check_poll_interval(cls, value: object) -> float:
        text = str(value).strip()
        if not re.fullmatch(r"[0-9]{1,4}(\.[0-9]{1,3})?", text) or not 0.1 <= float(text) <= 3600:
            raise ValueError("must be a number of seconds, at least a tenth and at most 3600.")
        return float(text)

    @field_validator("darkroom_trusted_hosts", mode="before")
    @classmethod
    def _split_trusted_hosts(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        hosts = tuple(host for host in (part.strip().lower().rstrip(".") for part in value.split(",")) if host)
        if not all(
            _is_host(host) and (not port or port.isdigit()) for host, _, port in (h.partition(":") for h in hosts)
        ):
            raise ValueError("must be host or host:port, separated by commas, without https:// and without paths.")
        return hosts

    @field_validator("darkroom_log_level", mode="before")
    @classmethod
    def _check_log_level(cls, value: object) -> object:
        return _pick(str(value).strip().upper(), LogLevel)

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


def split_listen(text: str) -> tuple[str, int]:
    """`host:port`, `[v6]:port` or `:port` (every address) as a pair; port 0 lets the system choose."""
    host, colon, port = text.strip().rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
        well_formed = _is_address(host)
    else:
        well_formed = host == "" or _is_host(host.lower())
    if not (colon and well_formed and re.fullmatch(r"[0-9]{1,5}", port) and int(port) <= 65535):
        raise ValueError("must look like host:port, for example 127.0.0.1:8080.")
    return host or "0.0.0.0", int(port)  # noqa: S104 (asked for by leaving the host out)


def _describe(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    reason = first.get("ctx", {}).get("error", "has a value Darkroom cannot use.")
    variable = ".".join(str(step) for step in first["loc"][:1]).upper()
    return f"{variable} {reason}".strip()


def _pick(value: str, choices: type[_Choice]) -> _Choice:
    if value not in set(choices):
        raise ValueError(f"must be one of {', '.join(choices)}.")
    return choices(value)


def _split_url(value: str) -> SplitResult:
    problem = ValueError("must be an https address (http only on this machine), without user, query or fragment.")
    try:
        parts = urlsplit(value)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise problem from None
    plain = not (parts.username or parts.password or parts.query or parts.fragment or {"?", "#", "@"} & set(value))
    if not plain or port == 0 or not (_is_host(host) or _is_address(host)) or re.search(r"\s", value):
        raise problem
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_loopback(host)):
        raise problem
    return parts


def _is_host(host: str) -> bool:
    return len(host) <= 253 and _HOST_NAME.fullmatch(host) is not None


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _is_loopback(host: str) -> bool:
    return host == "localhost" or (_is_address(host) and ip_address(host).is_loopback)
