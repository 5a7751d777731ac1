"""Limits and one ledger, what is to be removed at the providers, moderation, and questions to members."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("guilds", sa.Column("limited_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("guilds", sa.Column("training_pause_h", sa.Integer(), nullable=True))
    op.add_column("guilds", sa.Column("moderator_role_id", sa.BigInteger(), nullable=True))
    op.add_column("guilds", sa.Column("log_channel_id", sa.BigInteger(), nullable=True))
    op.add_column("guilds", sa.Column("words", sa.JSON(), nullable=True))
    op.add_column("guilds", sa.Column("is_adult_allowed", sa.Boolean(), server_default="0", nullable=False))
    op.add_column("api_keys", sa.Column("account", sa.String(length=64), nullable=True))
    op.add_column("api_keys", sa.Column("slots", sa.Integer(), nullable=True))
    op.add_column("api_keys", sa.Column("slots_learnt", sa.Integer(), nullable=True))
    op.add_column("loras", sa.Column("resting_since", sa.DateTime(timezone=True), nullable=True))
    op.create_index("ix_api_keys_account", "api_keys", ["account"], unique=False)
    op.add_column("guilds", sa.Column("needs_approval", sa.Boolean(), server_default="0", nullable=False))
    op.create_table(
        "limits",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("guild_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("who", sa.String(length=20), nullable=False),
        sa.Column("role_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("credits", sa.Integer(), nullable=True),
        sa.Column("trainings", sa.Integer(), nullable=True),
        sa.Column("pictures", sa.Integer(), nullable=True),
        sa.Column("set_by", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_limits")),
        sa.UniqueConstraint("guild_id", "who", "role_id", name=op.f("uq_limits_guild_id_who_role_id")),
        sqlite_autoincrement=True,
    )
    _widen_spends()
    _delete_old_spends_in_time()
    _add_removals()
    _add_moderation()
    _ask_members()
    _name_in_datasets()
    _claim_likeness()
    _agree_to_pictures()


def _widen_spends() -> None:
    """What events have spent becomes part of the ledger of the whole server."""
    op.execute("CREATE TEMPORARY TABLE spends_before AS SELECT * FROM spends")
    op.drop_index("ix_spends_event", "spends")
    op.drop_table("spends")
    op.create_table(
        "spends",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("guild_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("event_id", sa.BigInteger(), nullable=True),
        sa.Column("subject_table", sa.String(length=20), nullable=False),
        sa.Column("subject_id", sa.BigInteger(), nullable=False),
        sa.Column("provider", sa.String(length=20), nullable=False),
        sa.Column("reserved", sa.Integer(), nullable=False),
        sa.Column("credits", sa.Integer(), nullable=False),
        sa.Column("trainings", sa.Integer(), nullable=False),
        sa.Column("pictures", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_spends")),
        sa.UniqueConstraint("subject_table", "subject_id", name=op.f("uq_spends_subject_table_subject_id")),
        sqlite_autoincrement=True,
    )
    op.execute(
        "INSERT INTO spends (guild_id, user_id, event_id, subject_table, subject_id, provider, reserved, credits,"
        " trainings, pictures, created_at, settled_at)"
        " SELECT guild_id, user_id, event_id, subject_table, subject_id, coalesce("
        "  (SELECT provider FROM trainings WHERE subject_table = 'training' AND trainings.id = subject_id),"
        "  (SELECT provider FROM generations WHERE subject_table = 'generation' AND generations.id = subject_id),"
        "  'apiframe'), credits, credits,"
        " CASE WHEN subject_table = 'training' AND credits > 0 THEN 1 ELSE 0 END,"
        " CASE WHEN subject_table = 'generation' AND credits > 0 THEN 1 ELSE 0 END, created_at, settled_at"
        " FROM spends_before ORDER BY id"
    )
    op.execute("DROP TABLE spends_before")
    op.create_index("ix_spends_event", "spends", ["event_id", "settled_at"], unique=False)
    op.create_index("ix_spends_month", "spends", ["guild_id", "created_at"], unique=False)
    op.create_index("ix_spends_member", "spends", ["guild_id", "user_id", "created_at"], unique=False)


def _delete_old_spends_in_time() -> None:
    """The row of their server is due when they are: it decides itself what is old enough."""
    op.execute(
        "UPDATE guilds SET due_at = (SELECT min(created_at) FROM spends WHERE spends.guild_id = guilds.guild_id)"
        " WHERE due_at IS NULL"
    )
    op.execute(
        "INSERT INTO guilds (guild_id, status, due_at) SELECT guild_id, 'present', min(created_at) FROM spends"
        " WHERE guild_id NOT IN (SELECT guild_id FROM guilds) GROUP BY guild_id"
    )


def _add_removals() -> None:
    """What was retired before is to go at its provider, too."""
    op.add_column("loras", sa.Column("account", sa.String(length=64), nullable=True))
    op.create_table(
        "removals",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("guild_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("provider", sa.String(length=20), nullable=False),
        sa.Column("account", sa.String(length=64), nullable=True),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("subject_table", sa.String(length=20), nullable=False),
        sa.Column("subject_id", sa.BigInteger(), nullable=False),
        sa.Column("remote_id", sa.Text(), nullable=True),
        sa.Column("marker", sa.String(length=12), nullable=True),
        sa.Column("why", sa.String(length=20), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answer", sa.String(length=20), nullable=True),
        sa.Column("doubt", sa.JSON(), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempt", sa.Integer(), server_default="0", nullable=False),
        sa.Column("lease_owner", sa.String(length=40), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("wakes", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_removals")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_removals_member", "removals", ["user_id", "guild_id", "status"], unique=False)
    op.create_index("ix_removals_subject", "removals", ["subject_table", "subject_id"], unique=False)
    op.create_index(op.f("ix_removals_due_at"), "removals", ["due_at"], unique=False)
    op.execute(
        "INSERT INTO removals (guild_id, user_id, provider, kind, subject_table, subject_id, remote_id, why, status,"
        " sent_at, created_at, due_at)"
        " SELECT guild_id, 0, provider, CASE WHEN subject_kind = 'character' THEN 'character' ELSE 'lora' END,"
        " 'training', training_id, remote_id, 'taken_back', 'waiting', created_at, retiring_since, retiring_since"
        " FROM loras WHERE retiring_since IS NOT NULL AND archived_at IS NULL ORDER BY id"
    )


def _add_moderation() -> None:
    op.create_table(
        "blocks",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("guild_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("blocked_by", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("blocked_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_blocks")),
        sa.UniqueConstraint("guild_id", "user_id", name=op.f("uq_blocks_guild_id_user_id")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "moderation_log",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("guild_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("act", sa.String(length=20), nullable=False),
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("member_id", sa.BigInteger(), nullable=True),
        sa.Column("about", sa.String(length=120), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_moderation_log")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_moderation_log_guild", "moderation_log", ["guild_id", "id"], unique=False)
    op.create_table(
        "approvals",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("guild_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("generation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("picture_id", sa.BigInteger(), nullable=False),
        sa.Column("purpose", sa.String(length=20), nullable=False),
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["generation_id"],
            ["generations.id"],
            name=op.f("fk_approvals_generation_id_generations"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approvals")),
        sa.UniqueConstraint("picture_id", "purpose", name=op.f("uq_approvals_picture_id_purpose")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_approvals_generation_id"), "approvals", ["generation_id"], unique=False)


def _row_id() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False)


def _ask_members() -> None:
    """Private questions, who does not want any, and requests for photos of somebody else's message."""
    op.create_table(
        "questions",
        _row_id(),
        sa.Column("guild_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("from_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("to_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.Column("subject_id", sa.BigInteger(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("is_open", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_questions")),
        sa.UniqueConstraint("kind", "subject_id", name=op.f("uq_questions_kind_subject_id")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_questions_pair", "questions", ["guild_id", "to_id", "from_id"], unique=False)
    op.create_table(
        "mutes",
        _row_id(),
        sa.Column("guild_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("muted_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mutes")),
        sa.UniqueConstraint("guild_id", "user_id", name=op.f("uq_mutes_guild_id_user_id")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "photo_requests",
        _row_id(),
        sa.Column("guild_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("channel_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("parent_id", sa.BigInteger(), nullable=True),
        sa.Column("from_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("to_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("uploads", sa.JSON(), nullable=False),
        sa.Column("dataset_id", sa.BigInteger(), nullable=True),
        sa.Column("prompt", sa.Text(), nullable=True),
        sa.Column("settings", sa.JSON(), nullable=True),
        sa.Column("role_ids", sa.JSON(), nullable=False),
        sa.Column("is_age_restricted", sa.Boolean(), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        *_due(),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_photo_requests")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_photo_requests_due_at"), "photo_requests", ["due_at"], unique=False)


def _name_in_datasets() -> None:
    """Members can be named as seen in photos of a dataset, too."""
    with op.batch_alter_table("depictions", table_kwargs={"sqlite_autoincrement": True}) as depictions:
        depictions.alter_column("event_id", existing_type=sa.BigInteger(), nullable=True)
        depictions.add_column(sa.Column("dataset_id", sa.BigInteger(), nullable=True))
        depictions.create_index(op.f("ix_depictions_dataset_id"), ["dataset_id"], unique=False)


def _claim_likeness() -> None:
    """Members say that they can be seen in what a LoRA makes."""
    op.create_table(
        "likeness_claims",
        _row_id(),
        sa.Column("guild_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("lora_id", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        *_due(),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_likeness_claims")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_likeness_claims_due_at"), "likeness_claims", ["due_at"], unique=False)
    op.create_index("ix_likeness_claims_lora", "likeness_claims", ["lora_id", "user_id"], unique=False)
    op.create_index("ix_likeness_claims_member", "likeness_claims", ["guild_id", "user_id"], unique=False)


def _agree_to_pictures() -> None:
    """Who has posted photos agrees that new pictures are made from them; no dataset holds these."""
    with op.batch_alter_table("consents", table_kwargs={"sqlite_autoincrement": True}) as consents:
        consents.alter_column("dataset_id", existing_type=sa.BigInteger(), nullable=True)
        consents.add_column(sa.Column("generation_id", sa.BigInteger(), nullable=True))


def _due() -> tuple[sa.Column[Any], ...]:
    return (
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempt", sa.Integer(), server_default="0", nullable=False),
        sa.Column("lease_owner", sa.String(length=40), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("wakes", sa.Integer(), server_default="0", nullable=False),
    )
