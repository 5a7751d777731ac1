"""Tables of what a server allows its members, of what they took, and of what is to go at the providers."""

import sqlalchemy as sa

from bot.records.job import SubjectTable
from bot.records.key import ProviderName
from bot.records.limit import LimitKind
from bot.records.moderation import Act, ApprovalStatus, Purpose
from bot.records.removal import RemovalAnswer, RemovalKind, RemovalReason, RemovalStatus
from bot.storage.columns import DOUBT, Instant, Word, due, snowflake, table

limits = table(
    "limits",
    snowflake("guild_id"),
    sa.Column("who", Word(LimitKind), nullable=False),
    snowflake("role_id"),
    sa.Column("credits", sa.Integer),
    sa.Column("trainings", sa.Integer),
    sa.Column("pictures", sa.Integer),
    snowflake("set_by"),
    sa.Column("set_at", Instant, nullable=False),
    sa.UniqueConstraint("guild_id", "who", "role_id"),
)

blocks = table(
    "blocks",
    snowflake("guild_id"),
    snowflake("user_id"),
    snowflake("blocked_by"),
    sa.Column("blocked_at", Instant, nullable=False),
    sa.UniqueConstraint("guild_id", "user_id"),
)

moderation_log = table(
    "moderation_log",
    snowflake("guild_id"),
    sa.Column("at", Instant, nullable=False),
    sa.Column("act", Word(Act), nullable=False),
    snowflake("user_id"),
    sa.Column("member_id", sa.BigInteger),
    sa.Column("about", sa.String(120), nullable=False),
    sa.Index("ix_moderation_log_guild", "guild_id", "id"),
)

approvals = table(
    "approvals",
    snowflake("guild_id"),
    sa.Column("generation_id", sa.ForeignKey("generations.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("picture_id", sa.BigInteger, nullable=False),
    sa.Column("purpose", Word(Purpose), nullable=False),
    snowflake("user_id"),
    sa.Column("status", Word(ApprovalStatus), nullable=False),
    sa.Column("asked_at", Instant, nullable=False),
    sa.UniqueConstraint("picture_id", "purpose"),
)

spends = table(
    "spends",
    snowflake("guild_id"),
    snowflake("user_id"),
    sa.Column("event_id", sa.BigInteger),
    sa.Column("subject_table", Word(SubjectTable), nullable=False),
    sa.Column("subject_id", sa.BigInteger, nullable=False),
    sa.Column("provider", Word(ProviderName), nullable=False),
    sa.Column("reserved", sa.Integer, nullable=False),
    sa.Column("credits", sa.Integer, nullable=False),
    sa.Column("trainings", sa.Integer, nullable=False),
    sa.Column("pictures", sa.Integer, nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("settled_at", Instant),
    sa.UniqueConstraint("subject_table", "subject_id"),
    sa.Index("ix_spends_event", "event_id", "settled_at"),
    sa.Index("ix_spends_month", "guild_id", "created_at"),
    sa.Index("ix_spends_member", "guild_id", "user_id", "created_at"),
)

removals = table(
    "removals",
    snowflake("guild_id"),
    snowflake("user_id"),
    sa.Column("provider", Word(ProviderName), nullable=False),
    sa.Column("account", sa.String(64)),
    sa.Column("kind", Word(RemovalKind), nullable=False),
    sa.Column("subject_table", Word(SubjectTable), nullable=False),
    sa.Column("subject_id", sa.BigInteger, nullable=False),
    sa.Column("remote_id", sa.Text),
    sa.Column("marker", sa.String(12)),
    sa.Column("why", Word(RemovalReason), nullable=False),
    sa.Column("status", Word(RemovalStatus), nullable=False),
    sa.Column("sent_at", Instant, nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("asked_at", Instant),
    sa.Column("answered_at", Instant),
    sa.Column("answer", Word(RemovalAnswer)),
    sa.Column("doubt", DOUBT),
    *due(),
    sa.Index("ix_removals_member", "user_id", "guild_id", "status"),
    sa.Index("ix_removals_subject", "subject_table", "subject_id"),
)
