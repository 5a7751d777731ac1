"""What a day needs: welcomes, kept datasets, first pictures, preferences, chosen strengths, events that open alone."""

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
