"""What a day with Darkroom needs: welcomes, datasets that are kept for longer, first pictures and how far one is."""

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
