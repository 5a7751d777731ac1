"""The studio: Aurous Labs' styles, sharing and versions of LoRAs, references and lineage of pictures, guild choices."""

import sqlalchemy as sa
from alembic import op

from bot.storage import columns

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "guilds",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("guild_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("default_provider", sa.String(length=20), nullable=True),
        sa.Column("gallery_channel_id", sa.BigInteger(), nullable=True),
        sa.Column("reports_channel_id", sa.BigInteger(), nullable=True),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("left_at", columns.Instant(timezone=True), nullable=True),
        sa.Column("due_at", columns.Instant(timezone=True), nullable=True),
        sa.Column("attempt", sa.Integer(), server_default="0", nullable=False),
        sa.Column("lease_owner", sa.String(length=40), nullable=True),
        sa.Column("lease_until", columns.Instant(timezone=True), nullable=True),
        sa.Column("wakes", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_guilds")),
        sa.UniqueConstraint("guild_id", name=op.f("uq_guilds_guild_id")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_guilds_due_at", "guilds", ["due_at"], unique=False)
    op.create_table(
        "remembered",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("guild_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("lora_id", sa.BigInteger(), nullable=True),
        sa.Column("style_id", sa.BigInteger(), nullable=True),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.Column("used_at", columns.Instant(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_remembered")),
        sa.UniqueConstraint("guild_id", "user_id", name=op.f("uq_remembered_guild_id_user_id")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "styles",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("guild_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("provider", sa.String(length=20), nullable=False),
        sa.Column("request_id", sa.String(length=80), nullable=False),
        sa.Column("slug", sa.String(length=120), nullable=True),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("preview_url", sa.Text(), nullable=True),
        sa.Column("denoise", sa.Float(), nullable=True),
        sa.Column("guidance", sa.Float(), nullable=True),
        sa.Column("steps", sa.Integer(), nullable=True),
        sa.Column("has_template", sa.Boolean(), nullable=False),
        sa.Column("is_public", sa.Boolean(), nullable=False),
        sa.Column("retired_at", columns.Instant(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_styles")),
        sa.UniqueConstraint("guild_id", "provider", "request_id", name=op.f("uq_styles_guild_id_provider_request_id")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "lora_offers",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("guild_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("channel_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("lora_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("from_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("to_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("created_at", columns.Instant(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["lora_id"], ["loras.id"], name=op.f("fk_lora_offers_lora_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lora_offers")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_lora_offers_lora_id", "lora_offers", ["lora_id"], unique=False)
    op.create_table(
        "lora_shares",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("guild_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("lora_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("audience", sa.String(length=20), nullable=False),
        sa.Column("audience_id", sa.BigInteger(), nullable=True),
        sa.Column("granted_by", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("granted_at", columns.Instant(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["lora_id"], ["loras.id"], name=op.f("fk_lora_shares_lora_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lora_shares")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_lora_shares_audience", "lora_shares", ["guild_id", "audience", "audience_id"], unique=False)
    op.create_index("ix_lora_shares_lora_id", "lora_shares", ["lora_id"], unique=False)
    op.create_table(
        "picture_reports",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("guild_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("generation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("reporter_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("created_at", columns.Instant(timezone=True), nullable=False),
        sa.Column("dismissed_at", columns.Instant(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["generation_id"], ["generations.id"], name=op.f("fk_picture_reports_generation_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_picture_reports")),
        sa.UniqueConstraint("generation_id", "reporter_id", name=op.f("uq_picture_reports_generation_id_reporter_id")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "reference_pictures",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("generation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("file", sa.String(length=80), nullable=True),
        sa.Column("content_type", sa.String(length=60), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("remote_id", sa.Text(), nullable=True),
        sa.Column("uploaded_at", columns.Instant(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["generation_id"], ["generations.id"], name=op.f("fk_reference_pictures_generation_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reference_pictures")),
        sa.UniqueConstraint("generation_id", "position", name=op.f("uq_reference_pictures_generation_id_position")),
        sqlite_autoincrement=True,
    )
    op.add_column("api_keys", sa.Column("endpoint_id", sa.String(length=80), nullable=True))
    op.add_column("api_keys", sa.Column("endpoint_url", sa.Text(), nullable=True))
    op.add_column("api_keys", sa.Column("endpoint_token", sa.String(length=64), nullable=True))
    op.add_column("api_keys", sa.Column("endpoint_secret", sa.LargeBinary(), nullable=True))
    op.add_column("api_keys", sa.Column("endpoint_heard_at", columns.Instant(timezone=True), nullable=True))
    op.add_column("api_keys", sa.Column("checked_at", columns.Instant(timezone=True), nullable=True))
    op.create_index("ix_api_keys_endpoint_token", "api_keys", ["endpoint_token"], unique=True)
    op.add_column("datasets", sa.Column("previous_lora_id", sa.BigInteger(), nullable=True))
    op.add_column("generations", sa.Column("style_id", sa.BigInteger(), nullable=True))
    op.add_column("generations", sa.Column("operation", sa.String(length=20), server_default="imagine", nullable=False))
    op.add_column("generations", sa.Column("origin_id", sa.BigInteger(), nullable=True))
    op.add_column("generations", sa.Column("estimate", sa.Integer(), nullable=True))
    op.add_column("generations", sa.Column("deleted_at", columns.Instant(timezone=True), nullable=True))
    # SQLite cannot make a column nullable in place, and rebuilding the table would take its pictures along.
    op.add_column("generations", sa.Column("any_lora_id", sa.BigInteger(), nullable=True))
    op.execute("UPDATE generations SET any_lora_id = lora_id")
    op.drop_column("generations", "lora_id")
    op.execute("ALTER TABLE generations RENAME COLUMN any_lora_id TO lora_id")
    op.add_column("loras", sa.Column("version", sa.Integer(), server_default="1", nullable=False))
    op.add_column("loras", sa.Column("previous_id", sa.BigInteger(), nullable=True))
    op.add_column("loras", sa.Column("note", sa.String(length=300), nullable=True))
    op.add_column("loras", sa.Column("cost", sa.Integer(), nullable=True))
    op.add_column("loras", sa.Column("missing_since", columns.Instant(timezone=True), nullable=True))
    op.add_column("pictures", sa.Column("saves", sa.Integer(), server_default="0", nullable=False))
    op.execute("UPDATE api_keys SET due_at = set_at WHERE retired_at IS NULL")
