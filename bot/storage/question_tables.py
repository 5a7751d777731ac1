"""Tables of what members prefer and are asked privately, who does not want to be, and who says to be in a LoRA."""

import sqlalchemy as sa

from bot.records.likeness import LikenessStatus
from bot.records.post import PostKind
from bot.records.question import RequestStatus
from bot.storage.columns import ID_SET, SETTINGS, UPLOADS, Instant, Word, due, snowflake, table

questions = table(
    "questions",
    snowflake("guild_id"),
    snowflake("from_id"),
    snowflake("to_id"),
    sa.Column("kind", Word(PostKind, 30), nullable=False),
    sa.Column("subject_id", sa.BigInteger, nullable=False),
    sa.Column("asked_at", Instant, nullable=False),
    sa.Column("is_open", sa.Boolean, nullable=False),
    sa.UniqueConstraint("kind", "subject_id"),
    sa.Index("ix_questions_pair", "guild_id", "to_id", "from_id"),
)

mutes = table(
    "mutes",
    snowflake("guild_id"),
    snowflake("user_id"),
    sa.Column("muted_at", Instant, nullable=False),
    sa.UniqueConstraint("guild_id", "user_id"),
)

preferences = table(
    "preferences",
    snowflake("guild_id"),
    snowflake("user_id"),
    sa.Column("is_private", sa.Boolean, nullable=False),
    sa.Column("is_quiet", sa.Boolean, nullable=False),
    sa.UniqueConstraint("guild_id", "user_id"),
)

photo_requests = table(
    "photo_requests",
    snowflake("guild_id"),
    snowflake("channel_id"),
    sa.Column("parent_id", sa.BigInteger),
    snowflake("from_id"),
    snowflake("to_id"),
    sa.Column("uploads", UPLOADS, nullable=False),
    sa.Column("dataset_id", sa.BigInteger),
    sa.Column("prompt", sa.Text),
    sa.Column("settings", SETTINGS),
    sa.Column("role_ids", ID_SET, nullable=False),
    sa.Column("is_age_restricted", sa.Boolean, nullable=False),
    sa.Column("status", Word(RequestStatus), nullable=False),
    sa.Column("outcome", sa.Text),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("answered_at", Instant),
    *due(),
)

likeness_claims = table(
    "likeness_claims",
    snowflake("guild_id"),
    sa.Column("lora_id", sa.BigInteger, nullable=False),
    snowflake("user_id"),
    sa.Column("status", Word(LikenessStatus), nullable=False),
    sa.Column("reason", sa.Text),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("decided_at", Instant),
    *due(),
    sa.Index("ix_likeness_claims_lora", "lora_id", "user_id"),
    sa.Index("ix_likeness_claims_member", "guild_id", "user_id"),
)
