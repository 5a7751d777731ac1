"""Events: who takes part, who agreed, what is spent, who voted, and which photos, jobs and LoRAs belong to one."""

import sqlalchemy as sa
from alembic import op

from bot.storage import columns

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "events",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("guild_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("channel_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("thread_id", sa.BigInteger(), nullable=True),
        sa.Column("host_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("theme", sa.Text(), nullable=False),
        sa.Column("rules", sa.Text(), nullable=False),
        sa.Column("mode", sa.String(length=20), nullable=False),
        sa.Column("subject_kind", sa.String(length=20), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("photo_cap", sa.Integer(), nullable=False),
        sa.Column("pictures_each", sa.Integer(), nullable=False),
        sa.Column("entrants_min", sa.Integer(), nullable=False),
        sa.Column("entrants_max", sa.Integer(), nullable=True),
        sa.Column("budget", sa.Integer(), nullable=True),
        sa.Column("role_ids", sa.JSON(), nullable=False),
        sa.Column("moderator_ids", sa.JSON(), nullable=False),
        sa.Column("jury_role_id", sa.BigInteger(), nullable=True),
        sa.Column("pack", sa.JSON(), nullable=False),
        sa.Column("style_ids", sa.JSON(), nullable=False),
        sa.Column("lora_ids", sa.JSON(), nullable=False),
        sa.Column("candidates", sa.JSON(), nullable=False),
        sa.Column("hours", sa.JSON(), nullable=False),
        sa.Column("wants_thread", sa.Boolean(), nullable=False),
        sa.Column("wants_calendar", sa.Boolean(), nullable=False),
        sa.Column("calendar_id", sa.BigInteger(), nullable=True),
        sa.Column("stage_ends_at", columns.Instant(timezone=True), nullable=True),
        sa.Column("paused_at", columns.Instant(timezone=True), nullable=True),
        sa.Column("paused_why", sa.String(length=20), nullable=True),
        sa.Column("dataset_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", columns.Instant(timezone=True), nullable=False),
        sa.Column("opened_at", columns.Instant(timezone=True), nullable=True),
        sa.Column("ended_at", columns.Instant(timezone=True), nullable=True),
        sa.Column("due_at", columns.Instant(timezone=True), nullable=True),
        sa.Column("attempt", sa.Integer(), server_default="0", nullable=False),
        sa.Column("lease_owner", sa.String(length=40), nullable=True),
        sa.Column("lease_until", columns.Instant(timezone=True), nullable=True),
        sa.Column("wakes", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_events")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_events_due_at", "events", ["due_at"], unique=False)
    op.create_index("ix_events_guild", "events", ["guild_id", "status"], unique=False)
    op.create_table(
        "depictions",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("event_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("guild_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("consent_id", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("named_by", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("in_training", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("created_at", columns.Instant(timezone=True), nullable=False),
        sa.Column("answered_at", columns.Instant(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["event_id"], ["events.id"], name=op.f("fk_depictions_event_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_depictions")),
        sa.UniqueConstraint("consent_id", "user_id", name=op.f("uq_depictions_consent_id_user_id")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_depictions_event", "depictions", ["event_id", "status"], unique=False)
    op.create_index("ix_depictions_member", "depictions", ["guild_id", "user_id"], unique=False)
    op.create_table(
        "entrants",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("event_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("guild_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("dataset_id", sa.BigInteger(), nullable=True),
        sa.Column("training_id", sa.BigInteger(), nullable=True),
        sa.Column("lora_id", sa.BigInteger(), nullable=True),
        sa.Column("photos_chosen", sa.Integer(), server_default="0", nullable=False),
        sa.Column("joined_at", columns.Instant(timezone=True), nullable=False),
        sa.Column("left_at", columns.Instant(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["event_id"], ["events.id"], name=op.f("fk_entrants_event_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_entrants")),
        sa.UniqueConstraint("event_id", "user_id", name=op.f("uq_entrants_event_id_user_id")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_entrants_member", "entrants", ["guild_id", "user_id", "status"], unique=False)
    op.create_table(
        "entries",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("event_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("guild_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("picture_ids", sa.JSON(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=True),
        sa.Column("label", sa.String(length=100), nullable=True),
        sa.Column("created_at", columns.Instant(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["event_id"], ["events.id"], name=op.f("fk_entries_event_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_entries")),
        sa.UniqueConstraint("event_id", "position", name=op.f("uq_entries_event_id_position")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_entries_member", "entries", ["event_id", "user_id"], unique=False)
    op.create_table(
        "announcements",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("event_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("guild_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("what", sa.String(length=20), nullable=False),
        sa.Column("once", sa.String(length=60), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("at", columns.Instant(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["event_id"], ["events.id"], name=op.f("fk_announcements_event_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_announcements")),
        sa.UniqueConstraint("event_id", "once", name=op.f("uq_announcements_event_id_once")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "honours",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("event_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("guild_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("event_name", sa.String(length=60), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("votes", sa.Integer(), nullable=False),
        sa.Column("picture_id", sa.BigInteger(), nullable=True),
        sa.Column("label", sa.String(length=100), nullable=True),
        sa.Column("awarded_at", columns.Instant(timezone=True), nullable=False),
        sa.Column("entry_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["event_id"], ["events.id"], name=op.f("fk_honours_event_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_honours")),
        sa.UniqueConstraint("event_id", "entry_id", name=op.f("uq_honours_event_id_entry_id")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_honours_guild", "honours", ["guild_id", "user_id"], unique=False)
    op.create_table(
        "spends",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("event_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("guild_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("subject_table", sa.String(length=20), nullable=False),
        sa.Column("subject_id", sa.BigInteger(), nullable=False),
        sa.Column("credits", sa.Integer(), nullable=False),
        sa.Column("created_at", columns.Instant(timezone=True), nullable=False),
        sa.Column("settled_at", columns.Instant(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["event_id"], ["events.id"], name=op.f("fk_spends_event_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_spends")),
        sa.UniqueConstraint("subject_table", "subject_id", name=op.f("uq_spends_subject_table_subject_id")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_spends_event", "spends", ["event_id", "settled_at"], unique=False)
    op.create_table(
        "votes",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("event_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("guild_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("entry_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("voter_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("is_jury", sa.Boolean(), nullable=False),
        sa.Column("cast_at", columns.Instant(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["entry_id"], ["entries.id"], name=op.f("fk_votes_entry_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["event_id"], ["events.id"], name=op.f("fk_votes_event_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_votes")),
        sa.UniqueConstraint("event_id", "voter_id", name=op.f("uq_votes_event_id_voter_id")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_votes_entry_id", "votes", ["entry_id"], unique=False)
    op.add_column("consents", sa.Column("event_id", sa.BigInteger(), nullable=True))
    op.add_column("consents", sa.Column("kind", sa.String(length=20), server_default="photos", nullable=False))
    op.add_column("consents", sa.Column("wording", sa.Text(), nullable=True))
    op.add_column("consents", sa.Column("withdrawn_at", columns.Instant(timezone=True), nullable=True))
    op.create_index("ix_consents_event_id", "consents", ["event_id"], unique=False)
    op.add_column("datasets", sa.Column("event_id", sa.BigInteger(), nullable=True))
    op.add_column("generations", sa.Column("event_id", sa.BigInteger(), nullable=True))
    op.add_column("generations", sa.Column("pack_index", sa.Integer(), nullable=True))
    op.create_index("ix_generations_event_id", "generations", ["event_id"], unique=False)
    op.add_column("loras", sa.Column("retiring_since", columns.Instant(timezone=True), nullable=True))
    op.add_column("loras", sa.Column("event_id", sa.BigInteger(), nullable=True))
    op.add_column("photos", sa.Column("contributor_id", sa.BigInteger(), nullable=True))
    op.add_column("photos", sa.Column("consent_id", sa.BigInteger(), nullable=True))
    op.add_column("photos", sa.Column("pick", sa.String(length=20), nullable=True))
    op.add_column("photos", sa.Column("sharpness", sa.Float(), nullable=True))
    op.add_column("photos", sa.Column("brightness", sa.Float(), nullable=True))
    op.add_column("photos", sa.Column("detail", sa.Float(), nullable=True))
    op.create_index("ix_photos_consent_id", "photos", ["consent_id"], unique=False)
    op.create_index("ix_photos_contributor_id", "photos", ["contributor_id"], unique=False)
    op.add_column("trainings", sa.Column("event_id", sa.BigInteger(), nullable=True))
    op.create_index("ix_trainings_event_id", "trainings", ["event_id"], unique=False)
