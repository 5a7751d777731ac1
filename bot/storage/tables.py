"""Every table, in SQLAlchemy Core. The same definitions serve SQLite and PostgreSQL."""

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Instant(sa.types.TypeDecorator[datetime]):
    """An aware UTC time. SQLite has no time zone, so it keeps the UTC wall time there."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("times are aware UTC")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _snowflake(name: str, **kwargs: Any) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, autoincrement=False, nullable=False, **kwargs)


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True)


def _due() -> tuple[sa.Column[Any], ...]:
    """What makes a row a job: when it is due, who works on it until when, and how often it was hinted at."""
    return (
        sa.Column("due_at", Instant),
        sa.Column("attempt", sa.Integer, nullable=False, server_default="0"),
        sa.Column("lease_owner", sa.String(40)),
        sa.Column("lease_until", Instant),
        sa.Column("wakes", sa.Integer, nullable=False, server_default="0"),
    )


meta = sa.Table(
    "meta",
    metadata,
    sa.Column("key", sa.String(60), primary_key=True),
    sa.Column("value", sa.LargeBinary, nullable=False),
)

api_keys = sa.Table(
    "api_keys",
    metadata,
    _id(),
    _snowflake("guild_id"),
    sa.Column("provider", sa.String(20), nullable=False),
    sa.Column("status", sa.String(20), nullable=False),
    sa.Column("sealed", sa.LargeBinary, nullable=False),
    sa.Column("last4", sa.String(4), nullable=False),
    _snowflake("set_by"),
    sa.Column("set_at", Instant, nullable=False),
    sa.Column("paused_at", Instant),
    sa.Column("last_error", sa.String(300)),
    sa.Column("last_error_at", Instant),
    sa.Column("retired_at", Instant),
    *_due(),
    sa.Index(
        "uq_api_keys_current",
        "guild_id",
        "provider",
        unique=True,
        sqlite_where=sa.text("retired_at IS NULL"),
        postgresql_where=sa.text("retired_at IS NULL"),
    ),
    sa.Index("ix_api_keys_due_at", "due_at"),
    sqlite_autoincrement=True,
)

datasets = sa.Table(
    "datasets",
    metadata,
    _id(),
    _snowflake("guild_id"),
    _snowflake("channel_id"),
    _snowflake("user_id"),
    sa.Column("name", sa.String(60), nullable=False),
    sa.Column("subject_kind", sa.String(20), nullable=False),
    sa.Column("gender", sa.String(20)),
    sa.Column("ethnicity", sa.String(40)),
    sa.Column("age", sa.String(40)),
    sa.Column("steps", sa.Integer, nullable=False),
    sa.Column("rank", sa.Integer, nullable=False),
    sa.Column("status", sa.String(20), nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    *_due(),
    sa.Index("ix_datasets_owner", "guild_id", "user_id", "status"),
    sa.Index("ix_datasets_due_at", "due_at"),
    sqlite_autoincrement=True,
)

photos = sa.Table(
    "photos",
    metadata,
    _id(),
    sa.Column("dataset_id", sa.ForeignKey("datasets.id", ondelete="CASCADE"), nullable=False),
    sa.Column("name", sa.String(80), nullable=False),
    sa.Column("verdict", sa.String(20), nullable=False),
    sa.Column("findings", sa.JSON, nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("dhash", sa.BigInteger),
    sa.Column("size", sa.Integer, nullable=False),
    sa.Column("width", sa.Integer, nullable=False),
    sa.Column("height", sa.Integer, nullable=False),
    sa.Column("file", sa.String(80)),
    sa.Index("ix_photos_dataset_id", "dataset_id"),
    sqlite_autoincrement=True,
)

consents = sa.Table(
    "consents",
    metadata,
    _id(),
    _snowflake("guild_id"),
    _snowflake("user_id"),
    sa.Column("dataset_id", sa.BigInteger, nullable=False),
    sa.Column("provider", sa.String(20), nullable=False),
    sa.Column("policy_version", sa.String(20), nullable=False),
    sa.Column("photo_hashes", sa.JSON, nullable=False),
    sa.Column("given_at", Instant, nullable=False),
    sa.Index("ix_consents_user_id", "user_id"),
    sqlite_autoincrement=True,
)

trainings = sa.Table(
    "trainings",
    metadata,
    _id(),
    _snowflake("guild_id"),
    _snowflake("channel_id"),
    sa.Column("parent_id", sa.BigInteger),
    _snowflake("user_id"),
    sa.Column("dataset_id", sa.BigInteger, nullable=False),
    sa.Column("key_id", sa.BigInteger, nullable=False),
    sa.Column("provider", sa.String(20), nullable=False),
    sa.Column("name", sa.String(60), nullable=False),
    sa.Column("marker", sa.String(12), nullable=False, unique=True),
    sa.Column("webhook_token", sa.String(64), nullable=False, unique=True),
    sa.Column("status", sa.String(20), nullable=False),
    sa.Column("request_id", sa.String(80)),
    sa.Column("photo_count", sa.Integer, nullable=False),
    sa.Column("error", sa.Text),
    sa.Column("lora_id", sa.BigInteger),
    sa.Column("balance_before", sa.Integer),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("submitting_at", Instant),
    sa.Column("submitted_at", Instant),
    sa.Column("finished_at", Instant),
    *_due(),
    sa.Index("ix_trainings_due_at", "due_at"),
    sa.Index("ix_trainings_key", "key_id", "status"),
    sa.Index("ix_trainings_owner", "guild_id", "user_id"),
    sqlite_autoincrement=True,
)

loras = sa.Table(
    "loras",
    metadata,
    _id(),
    _snowflake("guild_id"),
    _snowflake("owner_id"),
    sa.Column("provider", sa.String(20), nullable=False),
    sa.Column("request_id", sa.String(80), nullable=False),
    sa.Column("name", sa.String(60), nullable=False),
    sa.Column("trigger_word", sa.String(60)),
    sa.Column("subject_kind", sa.String(20), nullable=False),
    sa.Column("training_id", sa.BigInteger, nullable=False, unique=True),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("archived_at", Instant),
    sa.Index("ix_loras_owner", "guild_id", "owner_id"),
    sqlite_autoincrement=True,
)

generations = sa.Table(
    "generations",
    metadata,
    _id(),
    _snowflake("guild_id"),
    _snowflake("channel_id"),
    sa.Column("parent_id", sa.BigInteger),
    _snowflake("user_id"),
    sa.Column("lora_id", sa.BigInteger, nullable=False),
    sa.Column("key_id", sa.BigInteger, nullable=False),
    sa.Column("provider", sa.String(20), nullable=False),
    sa.Column("prompt", sa.Text, nullable=False),
    sa.Column("settings", sa.JSON, nullable=False),
    sa.Column("idempotency_key", sa.String(64), nullable=False, unique=True),
    sa.Column("webhook_token", sa.String(64), nullable=False, unique=True),
    sa.Column("status", sa.String(20), nullable=False),
    sa.Column("request_id", sa.String(80)),
    sa.Column("image_urls", sa.JSON, nullable=False),
    sa.Column("cost", sa.Integer),
    sa.Column("error", sa.Text),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("submitting_at", Instant),
    sa.Column("submitted_at", Instant),
    sa.Column("finished_at", Instant),
    *_due(),
    sa.Index("ix_generations_due_at", "due_at"),
    sa.Index("ix_generations_owner", "guild_id", "user_id"),
    sqlite_autoincrement=True,
)

pictures = sa.Table(
    "pictures",
    metadata,
    _id(),
    sa.Column("generation_id", sa.ForeignKey("generations.id", ondelete="CASCADE"), nullable=False),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("file", sa.String(80)),
    sa.Column("content_type", sa.String(60), nullable=False),
    sa.Column("size", sa.Integer, nullable=False),
    sa.UniqueConstraint("generation_id", "position"),
    sqlite_autoincrement=True,
)

posts = sa.Table(
    "posts",
    metadata,
    _id(),
    sa.Column("kind", sa.String(30), nullable=False),
    sa.Column("subject_table", sa.String(20), nullable=False),
    sa.Column("subject_id", sa.BigInteger, nullable=False),
    _snowflake("guild_id"),
    _snowflake("user_id"),
    sa.Column("nonce", sa.String(25), nullable=False, unique=True),
    sa.Column("places", sa.JSON, nullable=False),
    sa.Column("place_index", sa.Integer, nullable=False, server_default="0"),
    sa.Column("status", sa.String(20), nullable=False),
    sa.Column("message_id", sa.BigInteger),
    sa.Column("revision", sa.Integer, nullable=False, server_default="0"),
    sa.Column("sending_at", Instant),
    sa.Column("posted_at", Instant),
    sa.Column("created_at", Instant, nullable=False),
    *_due(),
    sa.UniqueConstraint("kind", "subject_table", "subject_id"),
    sa.Index("ix_posts_due_at", "due_at"),
    sa.Index("ix_posts_user", "guild_id", "user_id", "status"),
    sqlite_autoincrement=True,
)

timeline = sa.Table(
    "timeline",
    metadata,
    _id(),
    sa.Column("subject_table", sa.String(20), nullable=False),
    sa.Column("subject_id", sa.BigInteger, nullable=False),
    sa.Column("at", Instant, nullable=False),
    sa.Column("what", sa.String(40), nullable=False),
    sa.Column("detail", sa.String(300), nullable=False),
    sa.Index("ix_timeline_subject", "subject_table", "subject_id"),
    sqlite_autoincrement=True,
)

DUE_TABLES = (api_keys, datasets, trainings, generations, posts)
"""Tables whose rows the engine works on."""
