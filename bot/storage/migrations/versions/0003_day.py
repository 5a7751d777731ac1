"""What a day needs: welcomes, kept datasets and pictures, first pictures, preferences, defaults, times, galleries."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("guilds", sa.Column("welcomed_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("datasets", sa.Column("kept_hours", sa.Integer(), nullable=True))
    op.add_column("generations", sa.Column("percent", sa.Integer(), nullable=True))
    op.add_column("generations", sa.Column("sample_of", sa.BigInteger(), nullable=True))
    op.add_column("guilds", sa.Column("makes_samples", sa.Boolean(), server_default="1", nullable=False))
    op.add_column("styles", sa.Column("created_at", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "preferences",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("guild_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("is_private", sa.Boolean(), nullable=False),
        sa.Column("is_quiet", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_preferences")),
        sa.UniqueConstraint("guild_id", "user_id", name=op.f("uq_preferences_guild_id_user_id")),
        sqlite_autoincrement=True,
    )
    op.add_column("events", sa.Column("opens_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("events", sa.Column("opens_zone", sa.String(length=40), nullable=True))
    op.add_column("events", sa.Column("repeats", sa.String(length=20), nullable=True))
    op.add_column("events", sa.Column("series_from", sa.DateTime(timezone=True), nullable=True))
    op.add_column("loras", sa.Column("strength", sa.Float(), nullable=True))
    op.add_column("loras", sa.Column("chosen_at", sa.DateTime(timezone=True), nullable=True))
    _add_galleries()
    op.add_column("guilds", sa.Column("host_role_id", sa.BigInteger(), nullable=True))
    op.add_column("events", sa.Column("pinned_id", sa.BigInteger(), nullable=True))
    op.add_column("events", sa.Column("banner", sa.String(length=80), nullable=True))
    op.add_column("events", sa.Column("on_tie", sa.String(length=20), server_default="share", nullable=False))
    op.add_column("events", sa.Column("runoff_ids", sa.JSON(), server_default="[]", nullable=False))
    _add_runoff_votes()
    op.add_column("events", sa.Column("winner_role_id", sa.BigInteger(), nullable=True))
    op.add_column("events", sa.Column("passes_role", sa.Boolean(), server_default="0", nullable=False))
    _add_awards()
    op.add_column("guilds", sa.Column("news_role_id", sa.BigInteger(), nullable=True))
    op.add_column("events", sa.Column("steps", sa.Integer(), nullable=True))
    op.add_column("events", sa.Column("rank", sa.Integer(), nullable=True))
    _add_previews()
    op.add_column("loras", sa.Column("dataset_id", sa.BigInteger(), nullable=True))
    op.execute(
        "UPDATE loras SET dataset_id = (SELECT dataset_id FROM trainings WHERE trainings.id = loras.training_id)"
    )
    op.add_column("posts", sa.Column("banner", sa.String(length=80), nullable=True))
    op.add_column("posts", sa.Column("banner_id", sa.BigInteger(), nullable=True))
    op.add_column("events", sa.Column("banner_by", sa.BigInteger(), nullable=True))
    op.execute("UPDATE events SET pinned_id = 0 WHERE opened_at IS NOT NULL")


def _id(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False)


def _add_runoff_votes() -> None:
    op.create_table(
        "runoff_votes",
        _id("id"),
        _id("event_id"),
        sa.Column("guild_id", sa.BigInteger(), autoincrement=False, nullable=False),
        _id("entry_id"),
        sa.Column("voter_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("is_jury", sa.Boolean(), nullable=False),
        sa.Column("cast_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["entries.id"], name=op.f("fk_runoff_votes_entry_id_entries"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["event_id"], ["events.id"], name=op.f("fk_runoff_votes_event_id_events"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_runoff_votes")),
        sa.UniqueConstraint("event_id", "voter_id", name=op.f("uq_runoff_votes_event_id_voter_id")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_runoff_votes_entry_id"), "runoff_votes", ["entry_id"], unique=False)


def _add_awards() -> None:
    op.create_table(
        "awards",
        _id("id"),
        _id("event_id"),
        sa.Column("guild_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("role_id", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["event_id"], ["events.id"], name=op.f("fk_awards_event_id_events"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_awards")),
        sa.UniqueConstraint("event_id", "user_id", name=op.f("uq_awards_event_id_user_id")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_awards_member", "awards", ["guild_id", "user_id"], unique=False)


def _add_galleries() -> None:
    op.create_table(
        "galleries",
        _id("id"),
        _id("event_id"),
        sa.Column("guild_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("token", sa.String(length=43), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["event_id"], ["events.id"], name=op.f("fk_galleries_event_id_events"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_galleries")),
        sa.UniqueConstraint("event_id", name=op.f("uq_galleries_event_id")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_galleries_token_hash")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "gallery_consents",
        _id("id"),
        _id("event_id"),
        sa.Column("guild_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("wording", sa.Text(), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["event_id"], ["events.id"], name=op.f("fk_gallery_consents_event_id_events"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gallery_consents")),
        sa.UniqueConstraint("event_id", "user_id", name=op.f("uq_gallery_consents_event_id_user_id")),
        sqlite_autoincrement=True,
    )


def _add_previews() -> None:
    op.create_table(
        "lora_previews",
        _id("id"),
        sa.Column("guild_id", sa.BigInteger(), autoincrement=False, nullable=False),
        _id("lora_id"),
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("generation_id", sa.BigInteger(), nullable=False),
        sa.Column("channel_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("file", sa.String(length=80), nullable=True),
        sa.Column("saves", sa.Integer(), nullable=False),
        sa.Column("kept_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["lora_id"], ["loras.id"], name=op.f("fk_lora_previews_lora_id_loras"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lora_previews")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_lora_previews_lora_id", "lora_previews", ["lora_id"], unique=False)
